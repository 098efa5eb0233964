/* acme_check - the kinds of validation, for acme_check.c. */
#ifndef CLI_ACME_CHECK_H
#define CLI_ACME_CHECK_H

#include "acme_private.h"

/* For connections of tls-alpn-01; NULL: no memory. Yours. */
tlsock_config *acme_alpn_config(void);
/* The handshake is done: NULL if it proves the name, else why not. */
const char *acme_alpn_judge(const tlsock *s, const char *name, const char *key);

#endif
