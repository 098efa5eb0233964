/* cachefile - the bytes of one entry of the cache directory: how long it may be
 * used, and a digest that binds all of it to the name of its file. Opens
 * nothing.
 *
 *   0  4  "tskr"
 *   4  1  version, 1
 *   5  1  kind
 *   6  2  0
 *   8  8  until, Unix seconds   (big endian)
 *  16  8  length of what follows the header
 *  24 32  SHA-256 of bytes 0 to 23, the key, and what follows
 *  56     what was fetched, or made
 */
#ifndef TSK_REVOKE_CACHEFILE_H
#define TSK_REVOKE_CACHEFILE_H

#include <stddef.h>
#include <stdint.h>

#define TSK_CACHEFILE_HEAD 56

/* LEAF is a certificate with its key (intercept/shelf.c): a secret. */
enum tsk_cachekind {
    TSK_CACHE_CRL = 1,
    TSK_CACHE_OCSP = 2,
    TSK_CACHE_LEAF = 3
};

/* The key of an entry and, in hex, the name of its file: a digest of kind and
 * id. 1, 0 no memory. */
int tsk_cachefile_key(enum tsk_cachekind kind, const void *id, size_t len,
                      uint8_t key[32]);
/* 1, 0 no memory. */
int tsk_cachefile_head(uint8_t head[TSK_CACHEFILE_HEAD],
                       enum tsk_cachekind kind, const uint8_t key[32],
                       int64_t until, const void *body, size_t len);
/* Is this a whole, undamaged file of this kind and key? 1, and until when it
 * may be used; 0. The body is behind the header. */
int tsk_cachefile_check(const uint8_t *data, size_t len,
                        enum tsk_cachekind kind, const uint8_t key[32],
                        int64_t *until);

#endif
