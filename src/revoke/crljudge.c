#include "revoke/crljudge.h"

#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/crl_private.h"

#include <string.h>

/* Lists that were found good for one certificate. More than that are of no
 * use: each but the newest of its scope adds nothing. */
#define MOST 64

struct good {
    struct tsk_crl *base, *delta; /* delta: or NULL */
    unsigned reasons;
    int64_t since, until;
};

struct judge {
    struct tsk_crl_ask ask;
    struct good good[MOST]; /* the newest first */
    int n;
    /* the list that came nearest, and what was wrong with it */
    enum tsk_crl_fault fault;
    const struct tsk_crl *nearest;
};

static void note(struct judge *j, enum tsk_crl_fault fault,
                 const struct tsk_crl *l)
{
    if (fault <= j->fault)
        return;
    j->fault = fault;
    j->nearest = l;
}

static enum tsk_crl_fault dates(const struct judge *j, const struct tsk_crl *l)
{
    int64_t now = j->ask.q->now;

    if (l->since > now + TSK_CRL_SKEW)
        return TSK_CRL_EARLY;
    return l->until < now - TSK_CRL_SKEW ? TSK_CRL_OVERDUE : TSK_CRL_FINE;
}

/* The newest that is in date, signed by the same key: 5.2.4. What is wrong with
 * one is no fault of the base's, so it is just not there. */
static enum tsk_crl_fault find_delta(struct judge *j, struct good *g,
                                     X509 *signer)
{
    for (size_t i = 0; i < j->ask.n_lists; i++) {
        const struct tsk_crls *all = j->ask.lists[i];

        for (size_t k = 0; k < all->n; k++) {
            struct tsk_crl *l = all->list[k];
            enum tsk_crl_fault fault;

            if (l->base == NULL || dates(j, l) != TSK_CRL_FINE || l->weak ||
                !tsk_crl_delta_fits(g->base, l) ||
                (g->delta != NULL && l->since <= g->delta->since))
                continue;
            fault = tsk_crl_signed_by(l, signer);
            if (fault == TSK_CRL_STARVED)
                return fault;
            if (fault == TSK_CRL_FINE)
                g->delta = l;
        }
    }
    return TSK_CRL_FINE;
}

/* With a delta, it is as if the whole had been made with it. */
static enum tsk_crl_fault check_dates(struct judge *j, struct good *g)
{
    const struct tsk_crl *l = g->delta != NULL ? g->delta : g->base;

    g->since = l->since;
    g->until = l->until;
    return dates(j, l);
}

static enum tsk_crl_fault check(struct judge *j, struct good *g)
{
    enum tsk_crl_fault fault;
    X509 *signer;

    if (g->base->unusable != NULL)
        return TSK_CRL_UNUSABLE;
    fault = tsk_crl_signer(&j->ask, g->base, &signer);
    if (fault == TSK_CRL_FINE)
        fault = find_delta(j, g, signer);
    X509_free(signer);
    return fault == TSK_CRL_FINE ? check_dates(j, g) : fault;
}

static void insert(struct judge *j, const struct good *g)
{
    int at = j->n;

    while (at > 0 && j->good[at - 1].since < g->since)
        at--;
    if (at == MOST)
        return;
    j->n -= j->n == MOST; /* the oldest goes */
    memmove(&j->good[at + 1], &j->good[at], (size_t)(j->n - at) * sizeof(*g));
    j->good[at] = *g;
    j->n++;
}

static void consider(struct judge *j, struct tsk_crl *l)
{
    struct good g = {.base = l};
    enum tsk_crl_fault fault;
    int related = 0;

    if (l->base != NULL) /* a delta is nothing by itself */
        return;
    if (tsk_crl_scope(&j->ask, l, &g.reasons, &related) < 0) {
        note(j, TSK_CRL_STARVED, l);
        return;
    }
    if (g.reasons == 0) {
        note(j, related ? TSK_CRL_SCOPE : TSK_CRL_MISSING, related ? l : NULL);
        return;
    }
    fault = check(j, &g);
    if (fault == TSK_CRL_FINE)
        insert(j, &g);
    else
        note(j, fault, l);
}

/* 1: revoked; 0: not, as far as this list goes */
static int look_up(struct judge *j, const struct good *g,
                   struct tsk_crl_entry *e, const struct tsk_crl **by)
{
    const X509_NAME *issuer = X509_get_issuer_name(j->ask.crt);

    *by = g->delta;
    if (g->delta == NULL ||
        !tsk_crl_find(g->delta, issuer, &j->ask.serial, e)) {
        *by = g->base;
        if (!tsk_crl_find(g->base, issuer, &j->ask.serial, e))
            return 0;
    }
    return e->reason != CRL_REASON_REMOVE_FROM_CRL;
}

static void revoked(struct judge *j, const struct good *g,
                    const struct tsk_crl_entry *e, const struct tsk_crl *by,
                    struct tsk_status *out, tlsock_error *err)
{
    char date[32];

    out->state = TSK_REVOKED;
    out->by = TSK_BY_CRL;
    out->as_of = g->since;
    out->until = g->until;
    out->when = tsk_crl_entry_time(e, date);
    out->reason = e->reason;
    (void)tsk_crl_say_revoked(&j->ask, by, e, err);
}

/* 6.3.3: list after list, until all reasons are spoken of. */
static void decide(struct judge *j, struct tsk_status *out, tlsock_error *err)
{
    unsigned known = 0;

    for (int i = 0; i < j->n && known != TSK_CRL_ALL_REASONS; i++) {
        const struct good *g = &j->good[i];
        const struct tsk_crl *by;
        struct tsk_crl_entry e;

        if ((g->reasons & ~known) == 0)
            continue;
        if (look_up(j, g, &e, &by)) {
            revoked(j, g, &e, by, out, err);
            return;
        }
        known |= g->reasons;
        out->as_of =
            out->as_of == 0 || g->since < out->as_of ? g->since : out->as_of;
        out->until =
            out->until == 0 || g->until < out->until ? g->until : out->until;
    }
    if (known == TSK_CRL_ALL_REASONS) {
        out->state = TSK_GOOD;
        out->by = TSK_BY_CRL;
        return;
    }
    memset(out, 0, sizeof(*out));
    out->reason = -1;
    if (j->n > 0)
        note(j, TSK_CRL_PARTIAL, j->good[0].base);
    tsk_crl_say_unknown(&j->ask, j->nearest, j->fault, err);
}

static int judge(struct judge *j, struct tsk_status *out, tlsock_error *err)
{
    for (size_t i = 0; i < j->ask.n_lists; i++)
        for (size_t k = 0; k < j->ask.lists[i]->n; k++)
            consider(j, j->ask.lists[i]->list[k]);
    /* what could not be asked for want of memory may be the newest */
    if (j->fault == TSK_CRL_STARVED)
        return tsk_fail_nomem(err);
    decide(j, out, err);
    return TLSOCK_OK;
}

/* 0, or E_REVOCATION_UNKNOWN: a number that no list can hold */
static int set_up(struct tsk_crl_ask *ask, const struct tsk_crl_question *q)
{
    const ASN1_INTEGER *serial;
    unsigned char *p = ask->serial_der;
    int n = sk_X509_num(q->chain), len;

    ask->q = q;
    ask->crt = sk_X509_value(q->chain, q->depth);
    ask->issuer = sk_X509_value(q->chain, q->depth + 1);
    ask->anchor = sk_X509_value(q->chain, n - 1);
    serial = X509_get0_serialNumber(ask->crt);
    len = i2d_ASN1_INTEGER(serial, NULL);
    if (len < 3 || len > (int)sizeof(ask->serial_der) ||
        i2d_ASN1_INTEGER(serial, &p) != len)
        return TLSOCK_E_REVOCATION_UNKNOWN;
    ask->serial.p = ask->serial_der + 2;
    ask->serial.end = p;
    return TLSOCK_OK;
}

static int run(struct judge *j, const struct tsk_crl_question *q,
               struct tsk_status *out, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    memset(out, 0, sizeof(*out));
    out->reason = -1;
    if (set_up(&j->ask, q) == TLSOCK_OK)
        rc = judge(j, out, err);
    else
        tsk_crl_say_unknown(&j->ask, NULL, TSK_CRL_MISSING, err);
    CRL_DIST_POINTS_free(j->ask.points);
    return rc;
}

static int run_nested(const struct tsk_crl_ask *ask,
                      const struct tsk_crl_question *q, X509 *self,
                      struct tsk_status *out)
{
    struct judge j = {.fault = TSK_CRL_MISSING,
                      .ask = {.lists = ask->lists,
                              .n_lists = ask->n_lists,
                              .nested = 1,
                              .self = self}};

    return run(&j, q, out, NULL);
}

int tsk_crl_path_doubted(const struct tsk_crl_ask *ask, STACK_OF(X509) * path)
{
    struct tsk_crl_question q = {.chain = path, .now = ask->q->now};
    int n = sk_X509_num(path);

    for (q.depth = 0; q.depth < n - 1; q.depth++) {
        struct tsk_status st;
        int rc = run_nested(ask, &q, NULL, &st);

        if (rc == TLSOCK_OK && st.state == TSK_UNKNOWN)
            rc = run_nested(ask, &q, sk_X509_value(path, 0), &st);
        if (rc != TLSOCK_OK)
            return -1;
        if (st.state != TSK_GOOD)
            return 1;
    }
    return 0;
}

int tsk_crl_judge(struct tsk_crls *const *lists, size_t n,
                  const struct tsk_crl_question *q, struct tsk_status *out,
                  tlsock_error *err)
{
    struct judge j = {.fault = TSK_CRL_MISSING,
                      .ask = {.lists = lists, .n_lists = n}};
    int rc;

    tsk_ossl_enter();
    rc = run(&j, q, out, err);
    tsk_ossl_leave();
    return rc;
}
