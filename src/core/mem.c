#include "core/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int (*tsk_mem_fail)(void);

void *tsk_alloc(size_t size)
{
    if (tsk_mem_fail != NULL && tsk_mem_fail())
        return NULL;
    return calloc(1, size != 0 ? size : 1);
}

void *tsk_realloc(void *p, size_t size)
{
    if (tsk_mem_fail != NULL && tsk_mem_fail())
        return NULL;
    return realloc(p, size != 0 ? size : 1);
}

char *tsk_strndup(const char *s, size_t len)
{
    char *copy = tsk_alloc(len + 1);

    if (copy != NULL)
        memcpy(copy, s, len);
    return copy;
}

char *tsk_strdup(const char *s)
{
    return tsk_strndup(s, strlen(s));
}

void tsk_free(void *p)
{
    free(p);
}

void tsk_wipe(void *p, size_t len)
{
    if (p != NULL && len != 0)
        explicit_bzero(p, len);
}

/* As deep as calls of OpenSSL go that decrypt a key, and more than twice so. */
__attribute__((noinline)) void tsk_wipe_stack(void)
{
    uint8_t below[24576];

    tsk_wipe(below, sizeof(below));
}

void tsk_free_secret(void *p, size_t len)
{
    tsk_wipe(p, len);
    free(p);
}

void tsk_free_text(char *s)
{
    if (s != NULL)
        tsk_free_secret(s, strlen(s));
}

int tsk_equal_ct(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t diff = 0;

    for (size_t i = 0; i < len; i++)
        diff |= (uint8_t)(x[i] ^ y[i]);
    return diff == 0;
}
