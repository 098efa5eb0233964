/* Of which certificates, and for which reasons, does a list speak? */
#include "ossl/queue.h"
#include "revoke/crl_private.h"

/* A point's or a list's names: one of these, or none at all. */
struct names {
    GENERAL_NAMES *full;
    const X509_NAME *dir;
};

static struct names names_of(const DIST_POINT_NAME *n)
{
    struct names out = {NULL, NULL};

    if (n == NULL)
        return out;
    if (n->type == 0)
        out.full = n->name.fullname;
    else
        out.dir = n->dpname; /* built from the issuer's and the relative one */
    return out;
}

static int has_dir(const GENERAL_NAMES *full, const X509_NAME *dir)
{
    for (int i = 0; dir != NULL && i < sk_GENERAL_NAME_num(full); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(full, i);

        if (g->type == GEN_DIRNAME &&
            X509_NAME_cmp(g->d.directoryName, dir) == 0)
            return 1;
    }
    return 0;
}

static int has_any(const GENERAL_NAMES *a, const GENERAL_NAMES *b)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(a); i++)
        for (int k = 0; k < sk_GENERAL_NAME_num(b); k++)
            if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a, i),
                                 sk_GENERAL_NAME_value(b, k)) == 0)
                return 1;
    return 0;
}

static int meet(const struct names *a, const struct names *b)
{
    if (a->dir != NULL && b->dir != NULL)
        return X509_NAME_cmp(a->dir, b->dir) == 0;
    return has_dir(a->full, b->dir) || has_dir(b->full, a->dir) ||
           has_any(a->full, b->full);
}

/* ReasonFlags; absent: all of them */
static unsigned reasons_of(const ASN1_BIT_STRING *flags)
{
    unsigned mask = 0;

    if (flags == NULL)
        return TSK_CRL_ALL_REASONS;
    for (int i = 1; i <= 8; i++)
        if (ASN1_BIT_STRING_get_bit(flags, i))
            mask |= 1u << i;
    return mask;
}

/* A relative name is completed with the CRL issuer's, or the certificate
 * issuer's if the point names none: RFC 5280, 4.2.1.13 */
static int complete(DIST_POINT *p, const X509 *crt)
{
    const X509_NAME *base = X509_get_issuer_name(crt);
    const GENERAL_NAME *g;

    if (p->distpoint == NULL || p->distpoint->type == 0)
        return 1;
    if (p->CRLissuer != NULL) {
        if (sk_GENERAL_NAME_num(p->CRLissuer) != 1)
            return 1; /* of whom? then it has no name */
        g = sk_GENERAL_NAME_value(p->CRLissuer, 0);
        if (g->type != GEN_DIRNAME)
            return 1;
        base = g->d.directoryName;
    }
    return DIST_POINT_set_dpname(p->distpoint, base);
}

static int need_points(struct tsk_crl_ask *ask)
{
    int there = -1;

    if (ask->have_points)
        return 0;
    ask->points =
        X509_get_ext_d2i(ask->crt, NID_crl_distribution_points, &there, NULL);
    if (ask->points == NULL && there >= 0 && tsk_ossl_starved())
        return -1;
    for (int i = 0; i < sk_DIST_POINT_num(ask->points); i++)
        if (!complete(sk_DIST_POINT_value(ask->points, i), ask->crt))
            return -1;
    ask->have_points = 1;
    return 0;
}

/* 6.3.3 (b) (1): is it a list of the one whom the point names? */
static int issuer_fits(const struct tsk_crl_ask *ask, const DIST_POINT *p,
                       const struct tsk_crl *l)
{
    if (p->CRLissuer == NULL)
        return X509_NAME_cmp(l->issuer, X509_get_issuer_name(ask->crt)) == 0;
    return l->idp != NULL && l->idp->indirectCRL > 0 &&
           has_dir(p->CRLissuer, l->issuer);
}

/* 6.3.3 (b) (2) (i) */
static int name_fits(const DIST_POINT *p, const struct tsk_crl *l)
{
    struct names theirs, ours;

    if (l->idp == NULL || l->idp->distpoint == NULL)
        return 1;
    theirs = names_of(l->idp->distpoint);
    ours = names_of(p->distpoint);
    if (p->distpoint == NULL)
        ours.full = p->CRLissuer;
    return meet(&theirs, &ours);
}

/* The point that is always there: the certificate's issuer itself. */
static int implied_fits(const struct tsk_crl_ask *ask, const struct tsk_crl *l)
{
    struct names theirs, ours = {NULL, X509_get_issuer_name(ask->crt)};

    if (X509_NAME_cmp(l->issuer, ours.dir) != 0)
        return 0;
    if (l->idp == NULL || l->idp->distpoint == NULL)
        return 1;
    theirs = names_of(l->idp->distpoint);
    return meet(&theirs, &ours);
}

/* 6.3.3 (b) (2) (ii) to (iv) */
static int kind_fits(const struct tsk_crl_ask *ask, const struct tsk_crl *l)
{
    int ca = (X509_get_extension_flags(ask->crt) & EXFLAG_CA) != 0;

    if (l->idp == NULL)
        return 1;
    return l->idp->onlyattr <= 0 && !(l->idp->onlyuser > 0 && ca) &&
           !(l->idp->onlyCA > 0 && !ca);
}

static unsigned points_reasons(const struct tsk_crl_ask *ask,
                               const struct tsk_crl *l, int *related)
{
    unsigned mask = 0;

    for (int i = 0; i < sk_DIST_POINT_num(ask->points); i++) {
        const DIST_POINT *p = sk_DIST_POINT_value(ask->points, i);

        if (!issuer_fits(ask, p, l))
            continue;
        *related = 1;
        if (name_fits(p, l))
            mask |= reasons_of(p->reasons);
    }
    return mask;
}

int tsk_crl_scope(struct tsk_crl_ask *ask, const struct tsk_crl *l,
                  unsigned *reasons, int *related)
{
    int own = X509_NAME_cmp(l->issuer, X509_get_issuer_name(ask->crt)) == 0;

    *reasons = 0;
    *related = own;
    if (!own && (l->idp == NULL || l->idp->indirectCRL <= 0))
        return 0; /* of somebody else's certificates */
    if (implied_fits(ask, l)) {
        *reasons = TSK_CRL_ALL_REASONS;
    } else {
        if (need_points(ask) < 0)
            return -1;
        *reasons = points_reasons(ask, l, related);
    }
    if (!kind_fits(ask, l))
        *reasons = 0;
    if (l->idp != NULL)
        *reasons &= reasons_of(l->idp->onlysomereasons);
    return 0;
}

int tsk_crl_delta_fits(const struct tsk_crl *base, const struct tsk_crl *delta)
{
    return delta->base != NULL && delta->number != NULL &&
           base->number != NULL && delta->unusable == NULL &&
           X509_NAME_cmp(base->issuer, delta->issuer) == 0 &&
           tsk_tlv_same(&base->idp_der, &delta->idp_der) &&
           tsk_tlv_same(&base->akid_der, &delta->akid_der) &&
           ASN1_INTEGER_cmp(delta->base, base->number) <= 0 &&
           ASN1_INTEGER_cmp(base->number, delta->number) < 0;
}
