/* keykind - what kind of key it is: asked of what OpenSSL has already, so that
 * the answer needs no memory. EVP_PKEY_is_a() says no where there is none. */
#ifndef TSK_OSSL_KEYKIND_H
#define TSK_OSSL_KEYKIND_H

#include <openssl/evp.h>

/* "RSA", "RSA-PSS", "EC", "ED25519", "ML-DSA-65", ... */
int tsk_ossl_is_a(const EVP_PKEY *key, const char *kind);

#endif
