/* mem - allocation, with a way for tests to make the n-th one fail.
 *
 * All of the project's own memory comes from here; OpenSSL's comes from its
 * own allocator, which tests point at tsk_realloc too. */
#ifndef TSK_CORE_MEM_H
#define TSK_CORE_MEM_H

#include <stddef.h>

void *tsk_alloc(size_t size); /* zeroed; NULL: out of memory */
void *tsk_realloc(void *p, size_t size);
char *tsk_strdup(const char *s);
char *tsk_strndup(const char *s, size_t len);
void tsk_free(void *p);
void tsk_free_secret(void *p, size_t len); /* wiped first */
void tsk_free_text(char *s); /* the same up to its NUL: it may hold a secret */
void tsk_wipe(void *p, size_t len);
/* What calls that have returned left on this thread's stack: not all of OpenSSL
 * wipes what it was given when that would not do. */
void tsk_wipe_stack(void);
int tsk_equal_ct(const void *a, const void *b, size_t len); /* constant time */

/* Tests only: fail when this returns nonzero. NULL: never. */
extern int (*tsk_mem_fail)(void);

#endif
