/* entry - a certificate and its key as the bytes of a cache entry. Opens
 * nothing, and trusts nothing that it reads: what comes out fits together, no
 * more.
 *
 *   0  4  length of the certificate  (big endian)
 *   4     the certificate, DER
 *      4  length of the key
 *         the key, PKCS#8 in DER, not encrypted
 */
#ifndef TSK_INTERCEPT_ENTRY_H
#define TSK_INTERCEPT_ENTRY_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#define TSK_ENTRY_MAX (320u * 1024) /* bytes: above what a clone can be */

/* Yours, a secret: tsk_free_secret(*out, *len). 1; 0: no memory. */
int tsk_entry_encode(X509 *x, EVP_PKEY *key, uint8_t **out, size_t *len);
/* 1: a certificate and the key to it, yours; 0: these bytes are no entry. */
int tsk_entry_parse(const uint8_t *p, size_t len, X509 **x, EVP_PKEY **key);

#endif
