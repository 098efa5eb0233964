/* When the first path fails, another may be good: CAs are cross-signed, renewed
 * under the same name and key, and replaced before the old ones end. Every
 * step, signature and whole path counts against a limit, so that nobody can
 * make us search for long. */
#include "cert/cert.h"
#include "core/clock.h"
#include "verify/chain.h"
#include "verify/dane.h"

#include <openssl/x509v3.h>
#include <string.h>

#define PATH_MAX_CERTS 34 /* verify.depth has at most 32 intermediates */

struct signature {
    const X509 *issuer, *subject; /* identity is enough: all are borrowed */
    int good;
};

struct search {
    X509_STORE_CTX *ctx;
    struct tsk_chain_run *run;
    STACK_OF(X509) * sent;
    X509 *path[PATH_MAX_CERTS];   /* leaf first */
    char trusted[PATH_MAX_CERTS]; /* from the store */
    int len, most;                /* certificates; with leaf and anchor */
    unsigned tries, steps, n_known;
    struct signature known[TSK_PATH_SIGNATURES];
    int64_t now;
    int found;
};

static int exhausted(const struct search *s)
{
    return s->found || s->tries >= TSK_PATH_TRIES ||
           s->steps >= TSK_PATH_STEPS || s->n_known >= TSK_PATH_SIGNATURES;
}

static int in_path(const struct search *s, const X509 *x)
{
    for (int i = 0; i < s->len; i++) {
        const X509 *p = s->path[i];

        if (p == x || X509_cmp(p, x) == 0)
            return 1;
        /* the same CA again leads nowhere new */
        if (i > 0 &&
            X509_NAME_cmp(X509_get_subject_name(p), X509_get_subject_name(x)) ==
                0 &&
            X509_get0_pubkey(p) != NULL && X509_get0_pubkey(x) != NULL &&
            EVP_PKEY_eq(X509_get0_pubkey(p), X509_get0_pubkey(x)) == 1)
            return 1;
    }
    return 0;
}

static int signed_by(struct search *s, X509 *subject, X509 *issuer)
{
    EVP_PKEY *key;
    struct signature *k;

    for (unsigned i = 0; i < s->n_known; i++)
        if (s->known[i].issuer == issuer && s->known[i].subject == subject)
            return s->known[i].good;
    if (s->n_known >= TSK_PATH_SIGNATURES)
        return 0;
    key = X509_get0_pubkey(issuer);
    k = &s->known[s->n_known++];
    k->issuer = issuer;
    k->subject = subject;
    k->good = key != NULL && X509_verify(subject, key) == 1;
    return k->good;
}

static int in_date(struct search *s, const X509 *x)
{
    return (s->run->req->insecure & TSK_INSECURE_EXPIRED) != 0 ||
           (tsk_cert_time(X509_get0_notBefore(x)) <= s->now &&
            tsk_cert_time(X509_get0_notAfter(x)) >= s->now);
}

static int fill(const struct search *s, STACK_OF(X509) * sent,
                STACK_OF(X509) * trusted)
{
    for (int i = 0; i < s->len; i++) {
        if (s->trusted[i] ? sk_X509_push(trusted, s->path[i]) <= 0
                          : i > 0 && sk_X509_push(sent, s->path[i]) <= 0)
            return -1;
    }
    return 0;
}

/* Is the path as it stands good in all respects? Then it becomes ctx's. */
static void try_path(struct search *s)
{
    STACK_OF(X509) *sent = sk_X509_new_null(), *trusted = sk_X509_new_null();
    X509_STORE_CTX *sub = X509_STORE_CTX_new();
    struct tsk_chain_run run = *s->run;

    s->tries++;
    if (sent != NULL && trusted != NULL && sub != NULL &&
        fill(s, sent, trusted) == 0 &&
        X509_STORE_CTX_init(sub, X509_STORE_CTX_get0_store(s->ctx), s->path[0],
                            sent)) {
        X509_STORE_CTX_set0_trusted_stack(sub, trusted);
        if (s->run->req->dane != NULL) /* no way around its records */
            X509_STORE_CTX_set0_dane(sub,
                                     SSL_get0_dane(s->run->req->dane->ssl));
        if (tsk_chain_try(sub, &run, NULL) == TLSOCK_OK) {
            STACK_OF(X509) *chain = X509_STORE_CTX_get1_chain(sub);

            s->found = chain != NULL;
            if (s->found)
                X509_STORE_CTX_set0_verified_chain(s->ctx, chain);
        }
    }
    if (s->found)
        *s->run = run;
    X509_STORE_CTX_free(sub);
    sk_X509_free(trusted);
    sk_X509_free(sent);
}

static void extend(struct search *s);

static void with(struct search *s, X509 *x, int trusted)
{
    int ends = trusted && (s->run->req->partial_chain ||
                           (X509_get_extension_flags(x) & EXFLAG_SS) != 0);

    if (s->len >= s->most || in_path(s, x) || !in_date(s, x) ||
        !signed_by(s, s->path[s->len - 1], x))
        return;
    s->path[s->len] = x;
    s->trusted[s->len++] = (char)trusted;
    if (ends)
        try_path(s);
    else
        extend(s);
    s->len--;
}

/* All that may have issued the last one, trusted ones first. */
static void extend(struct search *s)
{
    X509 *last = s->path[s->len - 1];
    STACK_OF(X509) *anchors =
        X509_STORE_CTX_get1_certs(s->ctx, X509_get_issuer_name(last));

    for (int i = 0; i < sk_X509_num(anchors) && !exhausted(s); i++) {
        X509 *x = sk_X509_value(anchors, i);

        s->steps++;
        if (X509_check_issued(x, last) == X509_V_OK)
            with(s, x, 1);
    }
    for (int i = 0; i < sk_X509_num(s->sent) && i < TSK_PATH_CERTS &&
                    !exhausted(s) && s->len < s->most - 1;
         i++) {
        X509 *x = sk_X509_value(s->sent, i);

        s->steps++;
        if (X509_check_issued(x, last) == X509_V_OK && X509_check_ca(x) > 0)
            with(s, x, 0);
    }
    sk_X509_pop_free(anchors, X509_free);
}

/* The leaf itself may be what is trusted. */
static void try_leaf(struct search *s)
{
    STACK_OF(X509) *same =
        X509_STORE_CTX_get1_certs(s->ctx, X509_get_subject_name(s->path[0]));

    for (int i = 0; i < sk_X509_num(same) && !exhausted(s); i++) {
        if (X509_cmp(sk_X509_value(same, i), s->path[0]) != 0)
            continue;
        s->trusted[0] = 1;
        try_path(s);
        s->trusted[0] = 0;
        break;
    }
    sk_X509_pop_free(same, X509_free);
}

int tsk_path_search(X509_STORE_CTX *ctx, struct tsk_chain_run *run)
{
    const struct tsk_verify_req *req = run->req;
    struct search s = {.ctx = ctx, .run = run, .len = 1};

    s.sent = X509_STORE_CTX_get0_untrusted(ctx);
    s.path[0] = X509_STORE_CTX_get0_cert(ctx);
    s.now = req->time != 0 ? req->time : tsk_wall_time();
    s.most = 2 + (req->depth > 0    ? req->depth
                  : req->depth == 0 ? TSK_DEFAULT_DEPTH
                                    : 0);
    if (s.most > PATH_MAX_CERTS)
        s.most = PATH_MAX_CERTS;
    try_leaf(&s);
    if (!exhausted(&s))
        extend(&s);
    run->tries = s.tries;
    run->steps = s.steps;
    run->signatures = s.n_known;
    if (!s.found)
        return TLSOCK_E_CERT_INVALID;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return TLSOCK_OK;
}
