/* Who else may have signed a list: a CRL issuer whom the certificate names, or
 * the CA itself with another key. Each needs a path to the anchor of the chain
 * that is judged (RFC 5280, 6.3.3 (f)), without a revoked certificate in it.
 * Lists that tell about the signer have to be its issuer's own, so that there
 * is no circle; only where there are none may he speak of himself, as a CRL
 * issuer does whom its own certificate names. */
#include "ossl/queue.h"
#include "core/date.h"
#include "revoke/crl_private.h"

#define MOST_SENT 512 /* certificates looked at */
#define MOST_DEPTH 8
#define LEVEL 2 /* 112 bits, as for chains */

struct hunt {
    const struct tsk_crl_ask *ask;
    const struct tsk_crl *l;
    STACK_OF(X509) * helpers, *anchors;
    int tries, n, starved;
    X509 **out;
};

static int set_up(X509_STORE_CTX *ctx, const struct hunt *h, X509 *x)
{
    X509_VERIFY_PARAM *p;

    if (!X509_STORE_CTX_init(ctx, NULL, x, h->helpers))
        return 0;
    X509_STORE_CTX_set0_trusted_stack(ctx, h->anchors);
    p = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_X509_STRICT |
                                       X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_depth(p, MOST_DEPTH);
    X509_VERIFY_PARAM_set_auth_level(p, LEVEL);
    X509_VERIFY_PARAM_set_time(p, tsk_date_system(h->ask->q->now));
    return 1;
}

static int has_path(struct hunt *h, X509 *x)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int ok = ctx != NULL && set_up(ctx, h, x);

    h->starved |= !ok;
    if (ok) {
        ok = X509_verify_cert(ctx) == 1;
        h->starved |= X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM;
    }
    if (ok) {
        int doubt =
            tsk_crl_path_doubted(h->ask, X509_STORE_CTX_get0_chain(ctx));

        h->starved |= doubt < 0;
        ok = doubt == 0;
    }
    X509_STORE_CTX_free(ctx);
    return ok;
}

static int known(const struct hunt *h, const X509 *x)
{
    if (X509_cmp(h->ask->issuer, x) == 0 ||
        (x != h->ask->self && X509_cmp(h->ask->crt, x) == 0))
        return 1;
    for (int i = 0; i < h->n; i++)
        if (X509_cmp(h->out[i], x) == 0)
            return 1;
    return 0;
}

/* proven: it is of the chain itself */
static void consider(struct hunt *h, X509 *x, int proven)
{
    if (h->tries == TSK_CRL_SIGNERS ||
        X509_NAME_cmp(X509_get_subject_name(x), h->l->issuer) != 0 ||
        X509_check_akid(x, h->l->akid) != X509_V_OK || known(h, x))
        return;
    h->tries++;
    if ((proven || has_path(h, x)) && X509_up_ref(x))
        h->out[h->n++] = x;
}

static void consider_all(struct hunt *h, STACK_OF(X509) * list, int from,
                         int proven)
{
    int n = sk_X509_num(list);

    for (int i = from; i < n && i < MOST_SENT; i++)
        consider(h, sk_X509_value(list, i), proven);
}

static void consider_store(struct hunt *h)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *found = NULL;

    if (ctx != NULL && X509_STORE_CTX_init(ctx, h->ask->q->store, NULL, NULL))
        found = X509_STORE_CTX_get1_certs(ctx, h->l->issuer);
    else
        h->starved = 1;
    consider_all(h, found, 0, 0);
    sk_X509_pop_free(found, X509_free);
    X509_STORE_CTX_free(ctx);
}

static int push_all(STACK_OF(X509) * to, STACK_OF(X509) * from)
{
    int n = sk_X509_num(from);

    for (int i = 0; i < n && i < MOST_SENT; i++)
        if (sk_X509_push(to, sk_X509_value(from, i)) <= 0)
            return 0;
    return 1;
}

static int begin(struct hunt *h)
{
    const struct tsk_crl_question *q = h->ask->q;

    h->helpers = sk_X509_new_null();
    h->anchors = sk_X509_new_null();
    return h->helpers != NULL && h->anchors != NULL &&
           sk_X509_push(h->anchors, h->ask->anchor) > 0 &&
           push_all(h->helpers, q->chain) && push_all(h->helpers, q->untrusted);
}

int tsk_crl_signers(struct tsk_crl_ask *ask, const struct tsk_crl *l,
                    X509 *out[TSK_CRL_SIGNERS])
{
    struct hunt h = {.ask = ask, .l = l, .out = out};

    if (begin(&h)) {
        consider_all(&h, ask->q->chain, ask->q->depth + 2, 1);
        if (ask->self != NULL)
            consider(&h, ask->self, 1);
        if (!ask->nested)
            consider_all(&h, ask->q->untrusted, 0, 0);
        if (!ask->nested && ask->q->store != NULL)
            consider_store(&h);
    } else {
        h.starved = 1;
    }
    sk_X509_free(h.helpers);
    sk_X509_free(h.anchors);
    if (h.n > 0 || !h.starved)
        return h.n;
    return -1;
}
