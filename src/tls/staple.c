#include "tls/staple.h"

#include "cert/cert.h"
#include "core/forklock.h"
#include "core/mem.h"
#include "tls/choose.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/identity.h"

#include <stdio.h>
#include <string.h>

#define MARGIN_S 300 /* most; a twentieth of its validity if that is less */

/* Over all slots. */
static struct tsk_forklock lock = TSK_FORKLOCK(TSK_FORK_LEAF, NULL, NULL, NULL);

struct tsk_staples *tsk_staples_new(size_t n)
{
    struct tsk_staples *st = tsk_alloc(sizeof(*st));

    if (st == NULL)
        return NULL;
    st->slots = tsk_alloc(n * sizeof(struct tsk_staple *));
    if (st->slots == NULL) {
        tsk_free(st);
        return NULL;
    }
    st->n = n;
    return st;
}

void tsk_staple_unref(struct tsk_staple *s)
{
    if (s != NULL && atomic_fetch_sub(&s->refs, 1) == 1)
        tsk_free(s);
}

void tsk_staples_free(struct tsk_staples *st)
{
    if (st == NULL)
        return;
    if (st->fetcher != NULL)
        st->stop(st->fetcher);
    for (size_t i = 0; i < st->n; i++)
        tsk_staple_unref(st->slots[i]);
    tsk_free(st->slots);
    tsk_free(st);
}

static int may_be_sent(const struct tsk_staple *s, int64_t now)
{
    int64_t margin = (s->until - s->as_of) / 20;

    if (margin > MARGIN_S)
        margin = MARGIN_S;
    return now < s->until - margin && now >= s->as_of - MARGIN_S;
}

/* Takes the reference, and keeps the newer one: 0, or E_STATE. */
static int swap(struct tsk_staples *st, size_t i, struct tsk_staple *fresh)
{
    struct tsk_staple *old;
    int rc = TLSOCK_OK;

    tsk_forklock_hold(&lock);
    old = st->slots[i];
    if (old != NULL && old->as_of > fresh->as_of &&
        may_be_sent(old, tsk_wall_time())) {
        old = fresh;
        rc = TLSOCK_E_STATE;
    } else {
        st->slots[i] = fresh;
    }
    tsk_forklock_let_go(&lock);
    tsk_staple_unref(old);
    return rc;
}

int tsk_staples_put(struct tsk_staples *st, size_t i,
                    const struct tsk_status *status, const void *der,
                    size_t len)
{
    struct tsk_staple *s = tsk_alloc(sizeof(*s) + len);

    if (s == NULL)
        return TLSOCK_E_NOMEM;
    atomic_init(&s->refs, 1);
    s->as_of = status->as_of;
    s->until = status->until;
    s->len = len;
    memcpy(s->der, der, len);
    return swap(st, i, s);
}

struct tsk_staple *tsk_staples_get(struct tsk_staples *st, size_t i,
                                   int64_t now)
{
    struct tsk_staple *s;

    tsk_forklock_hold(&lock);
    s = st->slots[i];
    if (s != NULL && may_be_sent(s, now))
        atomic_fetch_add(&s->refs, 1);
    else
        s = NULL;
    tsk_forklock_let_go(&lock);
    return s;
}

void tsk_staples_say(struct tsk_staples *st, const char *text)
{
    tsk_forklock_hold(&lock);
    snprintf(st->note, sizeof(st->note), "%s", text);
    atomic_store(&st->noted, 1);
    tsk_forklock_let_go(&lock);
}

int tsk_staples_said(struct tsk_staples *st, char out[TSK_STAPLE_NOTE])
{
    int noted;

    if (!atomic_load_explicit(&st->noted, memory_order_relaxed))
        return 0;
    tsk_forklock_hold(&lock);
    noted = atomic_exchange(&st->noted, 0);
    memcpy(out, st->note, sizeof(st->note));
    tsk_forklock_let_go(&lock);
    return noted;
}

/* NULL: nobody has asked for it yet */
static X509 *leaf_of(const struct tsk_ctx *c, size_t i)
{
    const tlsock_cert *cert = tsk_identity_known(&c->set->identities[i]);

    return cert != NULL ? cert->leaf : NULL;
}

static int same_leaf(X509 *a, X509 *b)
{
    return a != NULL && b != NULL && X509_cmp(a, b) == 0;
}

void tsk_staples_inherit(struct tsk_ctx *to, struct tsk_ctx *from)
{
    if (to->staples == NULL || from->staples == NULL)
        return;
    for (size_t j = 0; j < from->staples->n; j++) {
        struct tsk_staple *s =
            tsk_staples_get(from->staples, j, tsk_wall_time());
        size_t i = j; /* most often it is where it was */

        if (s == NULL)
            continue;
        if (i >= to->staples->n || !same_leaf(leaf_of(to, i), leaf_of(from, j)))
            for (i = 0; i < to->staples->n &&
                        !same_leaf(leaf_of(to, i), leaf_of(from, j));)
                i++;
        if (i < to->staples->n)
            (void)swap(to->staples, i, s);
        else
            tsk_staple_unref(s);
    }
}

static struct tsk_staple *of_chosen(SSL *ssl)
{
    const tlsock *s = tsk_conn_of(ssl);
    struct tsk_staples *st = s->ctx->staples;
    X509 *leaf = SSL_get_certificate(ssl);
    size_t i;

    if (st == NULL || leaf == NULL || SSL_session_reused(ssl))
        return NULL;
    i = tsk_choose_which(s->ctx, ssl, leaf);
    return i < st->n ? tsk_staples_get(st, i, tsk_wall_time()) : NULL;
}

int tsk_staple_send(SSL *ssl)
{
    struct tsk_staple *s = of_chosen(ssl);
    unsigned char *copy;

    if (s == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    copy = OPENSSL_memdup(s->der, s->len);
    if (copy != NULL) /* libssl's from here on */
        SSL_set_tlsext_status_ocsp_resp(ssl, copy, (int)s->len);
    tsk_staple_unref(s);
    return copy != NULL ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}
