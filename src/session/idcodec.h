/* idcodec - a session that a server remembers, as bytes that its other
 * processes and machines may have, too, and back.
 *
 * As codec.h has it for clients: a digest finds what was damaged, cut or mixed
 * up, and proves nothing against somebody who can write to the store. The key
 * is that of which session, of which servers: it is made here.
 *
 *    0  4  "tski"
 *    4  1  version, 1
 *    5  8  expires, Unix seconds                  (all numbers big endian)
 *   13 32  key
 *   45     session (SSL_SESSION in DER)
 *          SHA-256 of all before */
#ifndef TSK_SESSION_IDCODEC_H
#define TSK_SESSION_IDCODEC_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#define TSK_ID_KEY 32 /* bytes: no key of a client's session is as long */
#define TSK_ID_LEN 32 /* of an id as libssl draws it; others are nobody's */
#define TSK_ID_CONTEXT 32

/* The key of an id among servers with one session id context: nobody with
 * other demands on clients finds it. 1; 0: no id of ours, or no memory. */
int tsk_id_key(const uint8_t context[TSK_ID_CONTEXT], const unsigned char *id,
               size_t len, uint8_t key[TSK_ID_KEY]);
int tsk_id_key_of(const uint8_t context[TSK_ID_CONTEXT], const SSL_SESSION *ses,
                  uint8_t key[TSK_ID_KEY]);
/* 1: *out is yours, secret (tsk_free_secret()); 0: larger than
 * TSK_SESSION_BYTES_MAX, or no memory. */
int tsk_id_encode(const SSL_SESSION *ses, const uint8_t key[TSK_ID_KEY],
                  int64_t expires, uint8_t **out, size_t *len);
/* A whole session of this key that is not over, yours; or NULL. */
SSL_SESSION *tsk_id_decode(const uint8_t *data, size_t len,
                           const uint8_t context[TSK_ID_CONTEXT],
                           const uint8_t key[TSK_ID_KEY], int64_t now);

#endif
