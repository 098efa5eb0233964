/* stash - what the tests of the cache share: a directory that goes away, lists
 * and responses to put into it, and a clock that stands still. */
#ifndef TEST_REVOKE_STASH_H
#define TEST_REVOKE_STASH_H

#include "made.h"

#include "revoke/cache_private.h"

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */
#define DAY 86400
#define URL "http://crl.test/ca.crl"

/* The clock that the library asks; starts at NOW. */
extern int64_t stash_now;
int stash_setup(void **state); /* made_setup(), too */
/* The same, with the clock at what it is: that of the file system, too. */
int stash_real_time(void **state);
int stash_teardown(void **state);

/* A new, empty directory; removed with what is in it by stash_teardown(). */
const char *stash_dir(void);
struct tsk_revcache *stash_open(const char *dir);
/* DER of a list of n revoked certificates, valid from NOW for some days. Yours:
 * free(). */
unsigned char *stash_crl(int n, int days, size_t *len);
void stash_keep_crl(struct tsk_revcache *c, const char *url, int n, int days);
/* A key of which one byte is i. */
const uint8_t *stash_key(int i);
/* How many files are in it, and the bytes in them; NULL: not asked. */
size_t stash_files(const char *dir, size_t *bytes);
/* The only file in it. */
const char *stash_file(const char *dir);
unsigned char *stash_read(const char *path, size_t *len); /* yours: free() */
void stash_write(const char *path, const void *data, size_t len);

#endif
