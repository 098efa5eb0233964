/* Where to look further: CRL distribution points, authorityInfoAccess.
 * RFC 5280, 4.2.1.13, 4.2.2.1 and 8. */
#include "cert/lint.h"
#include "core/str.h"

#include <openssl/objects.h>
#include <string.h>

static int begins(const ASN1_STRING *s, const char *prefix)
{
    size_t n = strlen(prefix);

    return (size_t)ASN1_STRING_length(s) > n &&
           tsk_casencmp((const char *)ASN1_STRING_get0_data(s), prefix, n) == 0;
}

/* What is wrong with a URL; NULL: nothing. with_tls: look for https alone */
static const char *fault(const GENERAL_NAME *g, int with_tls)
{
    const ASN1_STRING *s;

    if (g->type != GEN_URI)
        return NULL;
    s = g->d.ia5;
    if (with_tls)
        return begins(s, "https://") || begins(s, "ldaps://")
                   ? "needs TLS, and so perhaps this very certificate"
                   : NULL;
    if (!begins(s, "http://") && !begins(s, "https://") &&
        !begins(s, "ldap://") && !begins(s, "ldaps://"))
        return "is no http or ldap URL";
    return NULL;
}

static const GENERAL_NAMES *full_name(const DIST_POINT *p)
{
    return p->distpoint != NULL && p->distpoint->type == 0
               ? p->distpoint->name.fullname
               : NULL;
}

static int crl_url(struct tsk_lint_cert *l, int with_tls)
{
    for (int i = 0; i < sk_DIST_POINT_num(l->crl); i++) {
        const GENERAL_NAMES *names = full_name(sk_DIST_POINT_value(l->crl, i));

        for (int j = 0; j < sk_GENERAL_NAME_num(names); j++) {
            const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, j);
            const char *what = fault(g, with_tls);

            if (what != NULL)
                return tsk_lint_say(l, "the address of its CRL, \"%s\", %s",
                                    tsk_lint_str(l, g->d.ia5), what);
        }
    }
    return 0;
}

static int crl_no_url(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->crl == NULL)
        return 0;
    for (int i = 0; i < sk_DIST_POINT_num(l->crl); i++) {
        const GENERAL_NAMES *names = full_name(sk_DIST_POINT_value(l->crl, i));

        for (int j = 0; j < sk_GENERAL_NAME_num(names); j++)
            if (sk_GENERAL_NAME_value(names, j)->type == GEN_URI)
                return 0;
    }
    return tsk_lint_say(l, "it has CRL distribution points, but no URL in "
                           "them");
}

static int crl_reasons_alone(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < sk_DIST_POINT_num(l->crl); i++) {
        const DIST_POINT *p = sk_DIST_POINT_value(l->crl, i);

        if (p->distpoint == NULL && p->CRLissuer == NULL)
            return tsk_lint_say(l, "a CRL distribution point says neither "
                                   "where nor by whom");
    }
    return 0;
}

static int access_url(struct tsk_lint_cert *l, int with_tls)
{
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(l->aia); i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(l->aia, i);
        const char *what = fault(d->location, with_tls);

        if (what != NULL)
            return tsk_lint_say(l, "the address of its %s, \"%s\", %s",
                                OBJ_obj2nid(d->method) == NID_ad_OCSP
                                    ? "OCSP responder"
                                    : "issuer",
                                tsk_lint_str(l, d->location->d.ia5), what);
    }
    return 0;
}

static int access_empty(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->aia == NULL || sk_ACCESS_DESCRIPTION_num(l->aia) > 0)
        return 0;
    return tsk_lint_say(l, "authorityInfoAccess is there, but empty");
}

static int access_no_url(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(l->aia); i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(l->aia, i);

        if (d->location->type != GEN_URI)
            return tsk_lint_say(l, "authorityInfoAccess has an entry that is "
                                   "no URL");
    }
    return 0;
}

static int has_ocsp(const struct tsk_lint_cert *l)
{
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(l->aia); i++)
        if (OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(l->aia, i)->method) ==
            NID_ad_OCSP)
            return 1;
    return 0;
}

/* BR: not for one of at most 7 days */
static int irrevocable(struct tsk_lint_cert *l, int days)
{
    if (l->self_signed || l->crl != NULL || has_ocsp(l) ||
        l->from == INT64_MIN || l->to == INT64_MIN ||
        l->to - l->from <= days * (int64_t)86400)
        return 0;
    return tsk_lint_say(l, "it names no CRL and no OCSP responder: nobody "
                           "learns when it is revoked");
}

/* RFC 7633 */
static int must_staple_ca(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_get_ext_by_NID(l->x, NID_tlsfeature, -1) < 0 || has_ocsp(l))
        return 0;
    return tsk_lint_say(l, "it demands a stapled OCSP answer, but names no "
                           "responder to get one from");
}

#define ANEW "have it issued anew"

const struct tsk_lint_rule tsk_lint_pointers[] = {
    {"crl-url", LINT_W, LINT_ANY, crl_url, 0, "RFC 5280, 4.2.1.13",
     ANEW " with an http URL"},
    {"crl-https", LINT_W, LINT_ANY, crl_url, 1, "RFC 5280, 8",
     ANEW " with an http URL: CRLs are signed"},
    {"crl-no-url", LINT_W, LINT_ANY, crl_no_url, 0, "RFC 5280, 4.2.1.13",
     ANEW " with an http URL"},
    {"crl-reasons-only", LINT_E, LINT_ANY, crl_reasons_alone, 0,
     "RFC 5280, 4.2.1.13", ANEW " with an http URL"},
    {"aia-url", LINT_W, LINT_ANY, access_url, 0, "RFC 5280, 4.2.2.1",
     ANEW " with an http URL"},
    {"aia-https", LINT_W, LINT_ANY, access_url, 1, "RFC 5280, 8",
     ANEW " with an http URL: what is there is signed"},
    {"aia-empty", LINT_E, LINT_ANY, access_empty, 0, "RFC 5280, 4.2.2.1",
     ANEW " without the extension, or with URLs"},
    {"aia-no-url", LINT_W, LINT_ANY, access_no_url, 0, "CA/B BR, 7.1.2.7.7",
     ANEW " with an http URL"},
    {"not-revocable", LINT_N, LINT_SERVER, irrevocable, 7, "CA/B BR, 7.1.2.7.7",
     "fine in a network of your own, or with a short "
     "lifetime"},
    {"must-staple-no-ocsp", LINT_W, LINT_SERVER, must_staple_ca, 0,
     "RFC 7633, 4.2.2", ANEW " with an OCSP responder, or without the demand"},
    {.code = NULL}};
