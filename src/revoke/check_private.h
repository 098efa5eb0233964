/* check_private - what the parts of a check have in common. */
#ifndef TSK_REVOKE_CHECK_PRIVATE_H
#define TSK_REVOKE_CHECK_PRIVATE_H

#include "core/buf.h"
#include "revoke/check.h"

#define TSK_CHECK_DEAD 16  /* hosts remembered by one check */
#define TSK_CHECK_NONCE 32 /* bytes: RFC 9654, 2.1 */

/* Whom to ask next about a certificate. */
enum tsk_check_step {
    TSK_STEP_KNOWN, /* nobody was asked yet */
    TSK_STEP_LISTS,
    TSK_STEP_OCSP,
    TSK_STEP_OVER /* it is known, or nobody is left */
};

struct tsk_check_cert {
    X509 *crt, *issuer; /* the chain's */
    uint8_t key[32];    /* of the cache */
    struct tsk_status st;
    enum tsk_check_step step;
    int at;                  /* ways of this step that were tried */
    int fresh;               /* the delta list was asked for */
    int post;                /* the responder is asked by POST */
    int dead;                /* and could not be reached at all */
    int ready;               /* a request may be given out */
    int waiting;             /* it was, and is not answered */
    char url[TSK_CHECK_URL]; /* of the request that is out */
    struct tsk_buf body;
    uint8_t nonce[TSK_CHECK_NONCE];
    tlsock_error why; /* the last reason why it is not known */
};

struct tsk_check {
    struct tsk_check_rules rules; /* its lists and n_lists are unused */
    struct tsk_crls **lists;      /* given, cached and fetched */
    size_t n_lists, most_lists;
    STACK_OF(X509) * chain, *untrusted;
    struct tsk_check_cert *certs;
    size_t n;
    uint8_t dead[TSK_CHECK_DEAD][32]; /* digests of hosts */
    size_t n_dead;
};

/* What is known without asking anybody: given lists, the cache. 0, E_NOMEM */
int tsk_check_known(struct tsk_check *k, size_t i, tlsock_error *err);
/* Each: 1 a request is to be made (url, body), 0 the step is over, or E_NOMEM.
 * i: of the certificate. */
int tsk_check_lists(struct tsk_check *k, size_t i, tlsock_error *err);
int tsk_check_ocsp(struct tsk_check *k, size_t i, tlsock_error *err);
/* What came: 0 or E_NOMEM; c->st and c->why say the rest. */
int tsk_check_got_list(struct tsk_check *k, size_t i, const void *data,
                       size_t len, tlsock_error *err);
int tsk_check_got_ocsp(struct tsk_check *k, size_t i, const void *data,
                       size_t len, tlsock_error *err);
/* checkavoid.c: the request that is out failed with this code. */
void tsk_check_in_vain(struct tsk_check *k, struct tsk_check_cert *c, int code);
/* 1: c->url is not worth a request now; c->why says so, if nothing else yet. */
int tsk_check_avoids(const struct tsk_check *k, struct tsk_check_cert *c);
/* c->st is known: it ends, and the cache is told. */
void tsk_check_settle(struct tsk_check *k, struct tsk_check_cert *c);

#endif
