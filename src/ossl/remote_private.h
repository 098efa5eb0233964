/* remote_private - what both halves of the provider know: keys and signing. */
#ifndef TSK_OSSL_REMOTE_PRIVATE_H
#define TSK_OSSL_REMOTE_PRIVATE_H

#include "ossl/remote.h"

#include <openssl/core_dispatch.h>

struct tsk_remote {
    const char *type;      /* "RSA" */
    EVP_PKEY *pub;         /* of the default library context */
    tsk_remote_sign *sign; /* NULL: there is a public half alone */
    void *arg;
};

extern const OSSL_ALGORITHM tsk_remote_keymgmts[];
extern const OSSL_ALGORITHM tsk_remote_signatures[];

#define TSK_REMOTE_PROPERTIES "provider=tlsock"
#define TSK_REMOTE_PARAM "tlsock-remote" /* a struct tsk_remote, to be copied  \
                                          */

#endif
