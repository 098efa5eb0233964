/* chain - from a leaf to something trusted, and is all of it in order?
 *
 * chain.c asks OpenSSL about one path, and then what OpenSSL leaves open
 * (sound.c, constraint.c) and what revocation lists say (revoke/crljudge.h);
 * path.c looks for other paths when the first one fails. The verdict on names,
 * pins and what is forgiven is policy.c's. */
#ifndef TSK_VERIFY_CHAIN_H
#define TSK_VERIFY_CHAIN_H

#include "verify/policy.h"

/* How much is done for one verification, whatever the peer sends. */
#define TSK_PATH_CERTS 512 /* of what was sent; the rest is not looked at */
#define TSK_PATH_SIGNATURES 256 /* verified in search of an issuer */
#define TSK_PATH_TRIES 64       /* whole paths */
#define TSK_PATH_STEPS 20000    /* pairs of certificates compared by name */
#define TSK_DEFAULT_DEPTH 8     /* intermediates */

struct tsk_chain_run {
    const struct tsk_verify_req *req;
    unsigned forgiven;     /* TSK_INSECURE_EXPIRED, _SELF_SIGNED */
    STACK_OF(X509) * sent; /* all that came with the leaf, for CRL issuers */
    int64_t crl_as_of;     /* thisUpdate of the oldest CRL asked; 0: none was */
    /* what the search cost */
    unsigned tries, steps, signatures;
};

/* Builds and checks, by as many paths as it takes. ctx is set up with store,
 * leaf and untrusted certificates; its chain and error are the result's. */
int tsk_chain_verify(X509_STORE_CTX *ctx, struct tsk_chain_run *run,
                     tlsock_error *err);
/* One path alone: what OpenSSL finds for ctx as it is. */
int tsk_chain_try(X509_STORE_CTX *ctx, struct tsk_chain_run *run,
                  tlsock_error *err);
/* What the given lists say of each certificate below the anchor. */
int tsk_chain_lists(X509_STORE_CTX *ctx, struct tsk_chain_run *run,
                    tlsock_error *err);

/* path.c: other paths. 0: one is good, and ctx has it; else a code, with err as
 * it was: none is. */
int tsk_path_search(X509_STORE_CTX *ctx, struct tsk_chain_run *run);

/* sound.c: a chain that OpenSSL likes, leaf first, anchor last. */
int tsk_sound_chain(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                    tlsock_error *err);
/* 1: a certificate cannot be decoded in full, which OpenSSL takes for other
 * faults; err tells. */
int tsk_sound_damaged(X509_STORE_CTX *ctx, tlsock_error *err);
/* constraint.c: names that name constraints have to be asked about, but which
 * cannot be compared as they are. NULL: fine; else what is wrong. starved is 1
 * if there was no memory to find out, else it stays. */
const char *tsk_constraint_fault(STACK_OF(X509) * chain, int *depth,
                                 int *starved);
/* constraint_cn.c: the CA in a chain, leaf first, that may not sign a leaf
 * with a common name that is taken for a host or address; NULL: none. */
X509 *tsk_constraint_refuses_cn(STACK_OF(X509) * chain, const char *cn);

#endif
