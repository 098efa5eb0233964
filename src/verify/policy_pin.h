/* policy_pin - what pins say to a peer's certificate, and what is said of pins
 * that do not fit. For policy.c alone, which knows what a pin is worth. */
#ifndef TSK_VERIFY_POLICY_PIN_H
#define TSK_VERIFY_POLICY_PIN_H

#include "verify/policy.h"

/* Of the leaf, instead of chain and name: 1 one fits, and the verdict tells
 * which; 0 none does; or a code. */
int tsk_pin_instead(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                    struct tsk_verdict *verdict, tlsock_error *err);
/* Of any certificate in the verified chain, on top: 0, and the verdict tells
 * which; E_PIN, or another code. */
int tsk_pin_on_top(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                   struct tsk_verdict *verdict, tlsock_error *err);
/* E_PIN: none fits; the right one is in the hint. */
int tsk_pin_refuse(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                   tlsock_error *err);
/* A pin of an issuer was given where only the leaf's counts: the hint of the
 * failure in err says so. */
void tsk_pin_advise(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                    tlsock_error *err);

#endif
