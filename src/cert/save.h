/* save - writes certificates and keys as files, whole or not at all. */
#ifndef TSK_CERT_SAVE_H
#define TSK_CERT_SAVE_H

#include "cert/cert.h"
#include "cert/pass.h"

#include <openssl/bio.h>

int tsk_cert_save(const tlsock_cert *c, unsigned parts, unsigned format,
                  const char *path, const char *pass_uri, tlsock_error *err);
/* One key in TLSOCK_FORMAT_PEM, _DER or _TRADITIONAL, encrypted if pass names a
 * password: 1, or 0 with OpenSSL's errors. */
int tsk_key_put(BIO *bio, EVP_PKEY *key, unsigned format,
                const struct tsk_pass *pass);
/* E_ARGUMENT if the key has no such form. */
int tsk_key_has_form(EVP_PKEY *key, unsigned format, const char *pass_uri,
                     tlsock_error *err);
/* The password that is to encrypt; an empty one is E_PASSWORD. */
int tsk_save_password(struct tsk_pass *pass, tlsock_error *err);
/* What a BIO_s_secmem() holds, wiped afterwards; ok != 1: encoding failed. */
int tsk_save_bio(BIO *bio, int ok, const char *path, int mode,
                 tlsock_error *err);
/* Written beside path and renamed over it: on failure path is as it was and
 * nothing is left behind. mode as given, whatever the umask. E_OWN_FILE. */
int tsk_file_replace(const char *path, const void *data, size_t len, int mode,
                     tlsock_error *err);

#endif
