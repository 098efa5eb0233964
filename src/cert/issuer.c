#include "cert/make.h"
#include "ossl/ext.h"
#include "ossl/queue.h"

#include <stdio.h>

static int has_ca_bits(X509 *x)
{
    uint32_t flags = X509_get_extension_flags(x);

    return (flags & EXFLAG_CA) != 0 && (flags & EXFLAG_INVALID) == 0 &&
           (X509_get_key_usage(x) & KU_KEY_CERT_SIGN) != 0;
}

static int is_able(const tlsock_cert *ca, const char *who, tlsock_error *err)
{
    if (!has_ca_bits(ca->leaf)) {
        tsk_fail(err, TLSOCK_E_PURPOSE,
                 "the issuer \"%s\" is no CA: it may not sign certificates",
                 who);
        tsk_hint(err, "sign with a CA: tlsock ca init makes one");
        return TLSOCK_E_PURPOSE;
    }
    if (ca->key == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "the issuer \"%s\" comes without its private key", who);
        tsk_hint(err, "load it together with its key");
        return TLSOCK_E_ARGUMENT;
    }
    if (X509_check_private_key(ca->leaf, ca->key) != 1) {
        tsk_fail(err, TLSOCK_E_KEY_MISMATCH,
                 "the key of the issuer \"%s\" does not belong to it", who);
        tsk_hint(err, "compare both with tlsock cert show");
        return TLSOCK_E_KEY_MISMATCH;
    }
    return tsk_key_strong(ca->key, who, err);
}

static int is_in_date(const struct tsk_make *m, X509 *x, const char *who,
                      tlsock_error *err)
{
    char when[32];

    if (tsk_cert_time(X509_get0_notAfter(x)) < m->now) {
        tsk_cert_date(X509_get0_notAfter(x), when);
        tsk_fail(err, TLSOCK_E_EXPIRED, "the issuer \"%s\" expired on %s", who,
                 when);
        tsk_hint(err, "renew the CA first");
        return TLSOCK_E_EXPIRED;
    }
    if (tsk_cert_time(X509_get0_notBefore(x)) > m->now) {
        tsk_cert_date(X509_get0_notBefore(x), when);
        tsk_fail(err, TLSOCK_E_NOT_YET_VALID,
                 "the issuer \"%s\" is not valid before %s", who, when);
        tsk_hint(err, "wait, or set this machine's clock");
        return TLSOCK_E_NOT_YET_VALID;
    }
    return TLSOCK_OK;
}

/* RFC 5280, 4.2.1.9: pathLenConstraint "gives the maximum number of
 * non-self-issued intermediate certificates that may follow this certificate".
 * The leaf does not count. */
static int is_long_enough(const struct tsk_make *m, tlsock_error *err)
{
    const tlsock_cert *ca = m->o->issuer;
    long below = m->ca ? 1 : 0;
    char who[96];

    for (int i = -1; i < sk_X509_num(ca->chain); i++, below++) {
        X509 *x = i < 0 ? ca->leaf : sk_X509_value(ca->chain, i);
        long most = X509_get_pathlen(x);

        if (most < 0 || below <= most)
            continue;
        tsk_cert_short_name(x, who, sizeof(who));
        tsk_fail(err, TLSOCK_E_PURPOSE,
                 "\"%s\" allows %ld CAs below it, this would be the %ld%s", who,
                 most, below,
                 below == 1   ? "st"
                 : below == 2 ? "nd"
                              : "th");
        tsk_hint(err,
                 "make that CA anew with a longer path (pathlen %ld), or "
                 "sign with one higher up",
                 below);
        return TLSOCK_E_PURPOSE;
    }
    return TLSOCK_OK;
}

int tsk_issuer_check(const struct tsk_make *m, tlsock_error *err)
{
    const tlsock_cert *ca = m->o->issuer;
    char who[96];
    int rc;

    if (ca == NULL)
        return TLSOCK_OK;
    tsk_cert_short_name(ca->leaf, who, sizeof(who));
    rc = is_able(ca, who, err);
    if (rc == TLSOCK_OK)
        rc = is_in_date(m, ca->leaf, who, err);
    if (rc == TLSOCK_OK)
        rc = is_long_enough(m, err);
    return rc;
}

/* Where there is no DNS name, verifiers take a CN that looks like one for one,
 * and hold it to the constraints too. */
static int violates(const struct tsk_make *m, X509 *ca, X509 *x, int *starved)
{
    NAME_CONSTRAINTS *nc =
        tsk_ossl_ext(ca, NID_name_constraints, NULL, starved);
    int bad = nc != NULL && (NAME_CONSTRAINTS_check(x, nc) != X509_V_OK ||
                             (!tsk_has_dns(m->sans) &&
                              NAME_CONSTRAINTS_check_CN(x, nc) != X509_V_OK));

    NAME_CONSTRAINTS_free(nc);
    return bad;
}

static void subtree_list(X509 *ca, char *out, size_t size)
{
    NAME_CONSTRAINTS *nc =
        X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
    size_t pos = 0;

    out[0] = '\0';
    for (int i = 0;
         nc != NULL && i < sk_GENERAL_SUBTREE_num(nc->permittedSubtrees); i++) {
        const GENERAL_NAME *g =
            sk_GENERAL_SUBTREE_value(nc->permittedSubtrees, i)->base;
        char one[80];

        tsk_subtree_text(g, one, sizeof(one));
        if (pos + sizeof(one) >= size)
            break;
        pos += (size_t)snprintf(out + pos, size - pos, "%s%s",
                                pos > 0 ? ", " : "", one);
    }
    NAME_CONSTRAINTS_free(nc);
}

int tsk_issuer_constrains(const tlsock_cert *ca)
{
    for (int i = -1; ca != NULL && i < sk_X509_num(ca->chain); i++) {
        X509 *x = i < 0 ? ca->leaf : sk_X509_value(ca->chain, i);

        if (X509_get_ext_by_NID(x, NID_name_constraints, -1) >= 0)
            return 1;
    }
    return 0;
}

static int inconsistent(tlsock_error *err)
{
    int rc = tsk_fail_ossl(err, TLSOCK_E_ARGUMENT,
                           "the extensions of the new certificate are not "
                           "consistent");

    if (rc == TLSOCK_E_ARGUMENT)
        tsk_hint(err, "look at the extensions that were written out by hand");
    return rc;
}

static int outside(const struct tsk_make *m, X509 *up, X509 *x,
                   tlsock_error *err)
{
    char who[80], names[112], may[112];
    int starved = 0;

    if (!violates(m, up, x, &starved))
        return starved ? tsk_fail_nomem(err) : TLSOCK_OK;
    tsk_cert_short_name(up, who, sizeof(who));
    tsk_cert_sans_text(x, names, sizeof(names));
    subtree_list(up, may, sizeof(may));
    tsk_fail(err, TLSOCK_E_PURPOSE,
             "the CA \"%s\" may not sign for %s: its name constraints permit "
             "only %s",
             who, names[0] != '\0' ? names : "this name",
             may[0] != '\0' ? may : "other names");
    tsk_hint(err, "choose a name it may sign, or make a CA that permits this "
                  "one");
    tsk_facts(err, may, names, who);
    return TLSOCK_E_PURPOSE;
}

static int holds(const EXTENDED_KEY_USAGE *eku, const ASN1_OBJECT *what)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
        const ASN1_OBJECT *obj = sk_ASN1_OBJECT_value(eku, i);

        if (OBJ_cmp(obj, what) == 0 ||
            OBJ_obj2nid(obj) == NID_anyExtendedKeyUsage)
            return 1;
    }
    return 0;
}

/* Most verifiers take the usages of a CA as a limit for what is below it; that
 * of an OCSP responder needs no such leave. */
static int unfit(X509 *up, X509 *x, tlsock_error *err)
{
    int starved = 0, rc;
    EXTENDED_KEY_USAGE *may =
        tsk_ossl_ext(up, NID_ext_key_usage, NULL, &starved);
    EXTENDED_KEY_USAGE *has =
        may != NULL ? tsk_ossl_ext(x, NID_ext_key_usage, NULL, &starved) : NULL;
    char who[80], what[80];

    rc = starved ? tsk_fail_nomem(err) : TLSOCK_OK;
    for (int i = 0; rc == TLSOCK_OK && i < sk_ASN1_OBJECT_num(has); i++) {
        const ASN1_OBJECT *obj = sk_ASN1_OBJECT_value(has, i);

        if (OBJ_obj2nid(obj) == NID_OCSP_sign || holds(may, obj))
            continue;
        if (OBJ_obj2nid(obj) != NID_undef)
            snprintf(what, sizeof(what), "%s", OBJ_nid2sn(OBJ_obj2nid(obj)));
        else if (OBJ_obj2txt(what, sizeof(what), obj, 1) <= 0)
            snprintf(what, sizeof(what), "this use");
        tsk_cert_short_name(up, who, sizeof(who));
        rc = tsk_fail(err, TLSOCK_E_PURPOSE,
                      "the CA \"%s\" may not sign for %s: its extended key "
                      "usage is limited to others",
                      who, what);
        tsk_hint(err, "choose another purpose, or a CA without that limit");
    }
    EXTENDED_KEY_USAGE_free(may);
    EXTENDED_KEY_USAGE_free(has);
    return rc;
}

int tsk_issuer_allows(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    const tlsock_cert *ca = m->o->issuer;
    int rc = TLSOCK_OK;

    if (ca == NULL)
        return TLSOCK_OK;
    /* NAME_CONSTRAINTS_check() sees the names only once they are decoded */
    if (tsk_issuer_constrains(ca) && X509_check_purpose(x, -1, 0) != 1)
        return inconsistent(err);
    for (int i = -1; rc == TLSOCK_OK && i < sk_X509_num(ca->chain); i++) {
        X509 *up = i < 0 ? ca->leaf : sk_X509_value(ca->chain, i);

        rc = outside(m, up, x, err);
        if (rc == TLSOCK_OK)
            rc = unfit(up, x, err);
    }
    return rc;
}
