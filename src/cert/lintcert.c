/* One certificate, decoded for the rules. */
#include "cert/lint.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int tsk_der_next(struct tsk_der *in, struct tsk_der *out)
{
    const unsigned char *p = in->p;
    long len = 0;
    int rc;

    memset(out, 0, sizeof(*out));
    if (in->n == 0 || in->n > LONG_MAX)
        return 0;
    rc = ASN1_get_object(&p, &len, &out->tag, &out->class, (long)in->n);
    if ((rc & 0x80) != 0 || (rc & 1) != 0) /* malformed, of unknown length */
        return 0;
    out->p = p;
    out->n = (size_t)len;
    out->whole = in->p;
    out->whole_n = (size_t)(p - in->p) + out->n;
    in->n -= out->whole_n;
    in->p += out->whole_n;
    return 1;
}

int tsk_der_same(const struct tsk_der *a, const struct tsk_der *b)
{
    return a->whole_n == b->whole_n &&
           (a->whole_n == 0 || memcmp(a->whole, b->whole, a->whole_n) == 0);
}

/* RFC 5280, 4.1: what TBSCertificate holds, in order. */
static void take_apart(struct tsk_lint_cert *l, size_t len)
{
    struct tsk_der all = {.p = l->der, .n = len}, cert, tbs, one, skipped;
    int more;

    if (!tsk_der_next(&all, &cert) || !tsk_der_next(&cert, &l->tbs))
        return;
    (void)tsk_der_next(&cert, &l->outer_alg);
    tbs = l->tbs;
    more = tsk_der_next(&tbs, &one);
    if (more && one.class == V_ASN1_CONTEXT_SPECIFIC && one.tag == 0) {
        l->version = one;
        more = tsk_der_next(&tbs, &one);
    }
    if (!more)
        return;
    l->serial = one;
    if (!tsk_der_next(&tbs, &l->alg) || !tsk_der_next(&tbs, &skipped) ||
        !tsk_der_next(&tbs, &l->validity) || !tsk_der_next(&tbs, &skipped) ||
        !tsk_der_next(&tbs, &l->spki))
        return;
    while (tsk_der_next(&tbs, &one))
        if (one.class == V_ASN1_CONTEXT_SPECIFIC && one.tag == 3)
            (void)tsk_der_next(&one, &l->exts);
}

/* The first of a kind: that there are more is a finding of its own. */
static void *decode(X509 *x, int nid)
{
    int at = X509_get_ext_by_NID(x, nid, -1);

    return at >= 0 ? X509V3_EXT_d2i(X509_get_ext(x, at)) : NULL;
}

static void read_usage(struct tsk_lint_cert *l)
{
    ASN1_BIT_STRING *bits = decode(l->x, NID_key_usage);

    l->has_ku = bits != NULL;
    for (int i = 0; bits != NULL && i < 9; i++)
        if (ASN1_BIT_STRING_get_bit(bits, i))
            l->ku |= 1u << i;
    ASN1_BIT_STRING_free(bits);
}

X509 *tsk_lint_at(const tlsock_cert *all, int index)
{
    return index == 0 ? all->leaf : sk_X509_value(all->chain, index - 1);
}

int tsk_lint_purpose(const struct tsk_lint_cert *l, int nid)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(l->eku); i++)
        if (OBJ_obj2nid(sk_ASN1_OBJECT_value(l->eku, i)) == nid)
            return 1;
    return 0;
}

static void judge_role(struct tsk_lint_cert *l)
{
    (void)X509_check_purpose(l->x, -1, 0); /* has OpenSSL look at it */
    l->self_signed = (X509_get_extension_flags(l->x) & EXFLAG_SS) != 0;
    l->ca = l->bc != NULL && l->bc->ca;
    l->server = l->index == 0 && !l->ca &&
                (l->eku == NULL || tsk_lint_purpose(l, NID_server_auth) ||
                 tsk_lint_purpose(l, NID_anyExtendedKeyUsage));
    l->issuer = l->self_signed ? l->x : tsk_lint_at(l->all, l->index + 1);
}

static int unencodable(tlsock_error *err)
{
    int rc = tsk_fail_ossl(err, TLSOCK_E_CERT_INVALID,
                           "the certificate cannot be encoded");

    if (rc == TLSOCK_E_CERT_INVALID)
        tsk_hint(err, "it was made in memory and is not finished: sign it "
                      "first");
    return rc;
}

int tsk_lint_open(struct tsk_lint_cert *l, const tlsock_cert *all, int index,
                  int64_t now, tlsock_error *err)
{
    int len;

    memset(l, 0, sizeof(*l));
    l->x = tsk_lint_at(all, index);
    l->all = all;
    l->index = index;
    l->now = now;
    len = i2d_X509(l->x, &l->der);
    if (len <= 0)
        return unencodable(err);
    take_apart(l, (size_t)len);
    l->from = tsk_cert_time(X509_get0_notBefore(l->x));
    l->to = tsk_cert_time(X509_get0_notAfter(l->x));
    l->key = X509_get0_pubkey(l->x);
    l->bc = decode(l->x, NID_basic_constraints);
    l->eku = decode(l->x, NID_ext_key_usage);
    l->san = decode(l->x, NID_subject_alt_name);
    l->aki = decode(l->x, NID_authority_key_identifier);
    l->ski = decode(l->x, NID_subject_key_identifier);
    l->nc = decode(l->x, NID_name_constraints);
    l->crl = decode(l->x, NID_crl_distribution_points);
    l->aia = decode(l->x, NID_info_access);
    l->policies = decode(l->x, NID_certificate_policies);
    read_usage(l);
    judge_role(l);
    return TLSOCK_OK;
}

void tsk_lint_close(struct tsk_lint_cert *l)
{
    BASIC_CONSTRAINTS_free(l->bc);
    EXTENDED_KEY_USAGE_free(l->eku);
    GENERAL_NAMES_free(l->san);
    AUTHORITY_KEYID_free(l->aki);
    ASN1_OCTET_STRING_free(l->ski);
    NAME_CONSTRAINTS_free(l->nc);
    CRL_DIST_POINTS_free(l->crl);
    AUTHORITY_INFO_ACCESS_free(l->aia);
    CERTIFICATEPOLICIES_free(l->policies);
    OPENSSL_free(l->der);
}

int tsk_lint_say(struct tsk_lint_cert *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(l->message, sizeof(l->message), fmt, ap);
    va_end(ap);
    return 1;
}

const char *tsk_lint_show(struct tsk_lint_cert *l, const void *p, size_t n)
{
    tsk_printable(l->shown, sizeof(l->shown), p, n);
    return l->shown;
}

const char *tsk_lint_str(struct tsk_lint_cert *l, const ASN1_STRING *s)
{
    return tsk_lint_show(l, ASN1_STRING_get0_data(s),
                         (size_t)ASN1_STRING_length(s));
}

const ASN1_STRING *tsk_lint_cn(const struct tsk_lint_cert *l)
{
    const X509_NAME *name = X509_get_subject_name(l->x);
    const ASN1_STRING *cn = NULL;

    for (int at = -1;;) {
        at = X509_NAME_get_index_by_NID(name, NID_commonName, at);
        if (at < 0)
            return cn;
        cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    }
}

/* Letters, digits, "-", "_", "*", ":" and at least one dot or colon. */
int tsk_lint_hostlike(const unsigned char *p, size_t n)
{
    static const char also[] = "-_*:.";
    int parted = 0;

    for (size_t i = 0; i < n; i++) {
        int letter = (p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z';

        if (!letter && (p[i] < '0' || p[i] > '9') &&
            (p[i] == '\0' || strchr(also, p[i]) == NULL))
            return 0;
        parted += p[i] == '.' || p[i] == ':';
    }
    return parted > 0 && n > 1;
}
