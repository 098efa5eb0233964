/* keysave - private keys written in another form. */
#ifndef TSK_CERT_KEYSAVE_H
#define TSK_CERT_KEYSAVE_H

#include "cert/pass.h"

#include <openssl/evp.h>
#include <stddef.h>

/* What the public calls do. */
int tsk_key_save(const char *key_uri, const char *pass_uri, unsigned format,
                 const char *path, const char *new_pass, tlsock_error *err);
int tsk_key_pin(const char *key_uri, const char *pass_uri, char *out,
                size_t size, tlsock_error *err);

#endif
