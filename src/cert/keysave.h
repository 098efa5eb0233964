/* keysave - private keys written in another form. */
#ifndef TSK_CERT_KEYSAVE_H
#define TSK_CERT_KEYSAVE_H

#include "cert/pass.h"

#include <openssl/evp.h>
#include <stddef.h>

/* One key as TLSOCK_FORMAT_PEM or _DER, which are PKCS#8, encrypted if a
 * password was named (and has been got); or _TRADITIONAL. 1, or 0. */
int tsk_key_put(BIO *bio, EVP_PKEY *key, unsigned format,
                const struct tsk_pass *pass);
/* E_UNSUPPORTED: a key that cannot leave its token (tsk_key_stays()) */
int tsk_key_stuck(const char *which, tlsock_error *err);
/* What the public calls do. */
int tsk_key_save(const char *key_uri, const char *pass_uri, unsigned format,
                 const char *path, const char *new_pass, tlsock_error *err);
int tsk_key_pin(const char *key_uri, const char *pass_uri, char *out,
                size_t size, tlsock_error *err);

#endif
