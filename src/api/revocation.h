/* revocation - a check of a chain that needs no connection. */
#ifndef TSK_API_REVOCATION_H
#define TSK_API_REVOCATION_H

#include "tls/ctx.h"

#include <openssl/x509.h>
#include <tlsock/revoke.h>

struct tsk_check_rules;

/* As tlsock_revocation_new(), of a chain that was verified, leaf first. */
tlsock_revocation *tsk_revocation_new(const struct tsk_ctx *ctx,
                                      const struct tsk_check_rules *wanted,
                                      STACK_OF(X509) * chain,
                                      STACK_OF(X509) * sent, tlsock_error *err);

#endif
