/* stapleorder - the standing order for the staple of one certificate: from disk
 * or from a responder, judged, kept, and asked for anew in good time. Steps
 * that never wait; knows no thread. */
#ifndef TSK_API_STAPLEORDER_H
#define TSK_API_STAPLEORDER_H

#include "api/fetch.h"
#include "revoke/cache.h"
#include "tls/staple.h"

#include <openssl/x509.h>

struct tsk_order {
    struct tsk_ctx *ctx; /* borrowed, as all that is its own */
    size_t slot;         /* of its identities, and of its staples */
    X509 *leaf;
    X509 *issuer;               /* counted; NULL: not known yet */
    int far_issuer;             /* it is neither in the chain nor trusted */
    uint8_t key[32];            /* in the cache */
    uint8_t issuer_key[32];     /* of the issuer there */
    struct tsk_revcache *cache; /* borrowed; NULL: nothing is kept */
    pthread_mutex_t *working; /* held by who steps; given back over the disk */
    int url;                  /* which of its responders is asked */
    int aia;                  /* and where for its issuer, before that */
    int64_t due;              /* tsk_now_ms(): when to ask again */
    int pause_ms;             /* after the next failure of all responders */
    struct tsk_fetching *f;   /* under way, or NULL */
};

/* 1: the certificate names a responder, *o is filled in; 0, or E_NOMEM. */
int tsk_order_init(struct tsk_order *o, struct tsk_ctx *ctx, size_t slot);
/* One step; may_ask: another request may begin. */
void tsk_order_step(struct tsk_order *o, int may_ask);
/* What to poll, and until when at most: tsk_now_ms(). */
size_t tsk_order_pollfds(const struct tsk_order *o, struct pollfd *fds,
                         size_t max, int64_t *until);
void tsk_order_drop(struct tsk_order *o); /* what is under way */
void tsk_order_end(struct tsk_order *o);

/* stapleissuer.c: 1 if the issuer is known now; looks on disk, too. */
int tsk_order_find_issuer(struct tsk_order *o);
/* From where the certificate says; NULL: nowhere, or no memory. */
struct tsk_fetching *tsk_order_ask_issuer(struct tsk_order *o);
/* 1: one of these certificates is the issuer, since it signed the leaf. */
int tsk_order_take_issuer(struct tsk_order *o, const void *data, size_t len);
/* Beside the staple, if it is not at hand elsewhere. Waits for the disk. */
void tsk_order_keep_issuer(struct tsk_order *o, int64_t until);

#endif
