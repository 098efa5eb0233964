/* legacy - ciphers of old (RC2, DES), for one file and not for the process.
 *
 * OpenSSL has them in a provider of their own, which is loaded into a library
 * context of its own here. What was made there belongs to it: take copies. */
#ifndef TSK_CERT_LEGACY_H
#define TSK_CERT_LEGACY_H

#include "cert/pass.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

struct tsk_legacy {
    OSSL_LIB_CTX *ctx;
    OSSL_PROVIDER *base, *legacy;
};

int tsk_legacy_open(struct tsk_legacy *l);   /* 1, or 0: it is not there */
void tsk_legacy_close(struct tsk_legacy *l); /* in all outcomes */

/* A private key with the password that was got: NULL if that is wrong, or the
 * cipher not there either. PEM with a DEK-Info line or PKCS#8: */
EVP_PKEY *tsk_legacy_pem(BIO *bio, const struct tsk_pass *pass);
EVP_PKEY *tsk_legacy_pkcs8(X509_SIG *sealed, const struct tsk_pass *pass);

#endif
