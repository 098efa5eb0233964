/* remember - a chain that was accepted a moment ago is not verified again.
 *
 * The question is a digest of all that the answer depends on: every byte the
 * peer sent, the name and how it is compared, the store, purpose, flags, pins
 * and rules. What was accepted by the chain alone is kept: nothing that was
 * forgiven, nothing that was refused, nothing that a hook, a TLSA record or a
 * time given by the user has a say in. Given revocation lists are asked anew,
 * each time. Certificates that come again are replaced by those that are kept,
 * so that connections to one peer share them. Thread-safe. */
#ifndef TSK_VERIFY_REMEMBER_H
#define TSK_VERIFY_REMEMBER_H

#include "verify/policy.h"

#define TSK_REMEMBER_LIFE 300 /* seconds, whatever the certificates say */
#define TSK_REMEMBER_MOST 128 /* chains */
#define TSK_REMEMBER_BYTES (512u * 1024) /* of DER, in all */
#define TSK_REMEMBER_CERTS 16            /* of one chain, as it was sent */
#define TSK_REMEMBER_CHAIN (32u * 1024)  /* bytes of DER of one chain */

struct tsk_remember;

struct tsk_remember *tsk_remember_new(void); /* NULL: no memory */
void tsk_remember_free(struct tsk_remember *r);
/* tsk_policy_verify(), or what it said of the same question; r may be NULL.
 * After a yes from memory ctx has the chain, too. */
int tsk_remember_verify(struct tsk_remember *r, X509_STORE_CTX *ctx,
                        const struct tsk_verify_req *req,
                        struct tsk_verdict *verdict, tlsock_error *err);
/* How many are kept, and how often one was of use. */
void tsk_remember_count(struct tsk_remember *r, size_t *kept, size_t *used);

#endif
