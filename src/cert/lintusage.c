/* What a certificate may be used for: basicConstraints, keyUsage,
 * extendedKeyUsage, and the key identifiers. RFC 5280, 4.2.1. */
#include "cert/lint.h"

#include <openssl/objects.h>

enum { /* bits of keyUsage */
       SIGN = 1 << 0,
       COMMIT = 1 << 1,
       WRAP_KEY = 1 << 2,
       WRAP_DATA = 1 << 3,
       AGREE = 1 << 4,
       CERTS = 1 << 5,
       CRLS = 1 << 6,
       ONLY = 3 << 7
};

static int kind(const struct tsk_lint_cert *l)
{
    return l->key != NULL ? EVP_PKEY_get_base_id(l->key) : EVP_PKEY_NONE;
}

static int pathlen_alone(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->bc == NULL || l->bc->ca || l->bc->pathlen == NULL)
        return 0;
    return tsk_lint_say(l, "it has a path length, but is no CA");
}

static int pathlen_useless(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (!l->ca || l->bc->pathlen == NULL || !l->has_ku || (l->ku & CERTS) != 0)
        return 0;
    return tsk_lint_say(l, "it has a path length, but may not sign "
                           "certificates");
}

static int pathlen_negative(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->bc == NULL || l->bc->pathlen == NULL ||
        ASN1_STRING_type(l->bc->pathlen) != V_ASN1_NEG_INTEGER)
        return 0;
    return tsk_lint_say(l, "its path length is negative");
}

/* SEQUENCE { cA FALSE }: the default, which DER leaves out. */
static int bc_default(struct tsk_lint_cert *l, int arg)
{
    int at = X509_get_ext_by_NID(l->x, NID_basic_constraints, -1);
    const ASN1_OCTET_STRING *data =
        at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(l->x, at)) : NULL;
    struct tsk_der all = {0}, seq, ca;

    (void)arg;
    if (data == NULL)
        return 0;
    all.p = ASN1_STRING_get0_data(data);
    all.n = (size_t)ASN1_STRING_length(data);
    if (!tsk_der_next(&all, &seq) || !tsk_der_next(&seq, &ca) ||
        ca.tag != V_ASN1_BOOLEAN || ca.n != 1 || ca.p[0] == 0xff)
        return 0;
    if (ca.p[0] != 0)
        return tsk_lint_say(l, "CA:TRUE is written as 0x%02x, not 0xff",
                            ca.p[0]);
    return tsk_lint_say(l, "CA:FALSE is written out, which DER forbids");
}

static int ku_missing(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_get_ext_by_NID(l->x, NID_key_usage, -1) >= 0)
        return 0;
    return tsk_lint_say(l, "it does not say what its key is for (keyUsage)");
}

static int signs_without(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if ((l->ku & CERTS) == 0)
        return 0;
    return tsk_lint_say(l, "it may sign certificates (keyCertSign), but is no "
                           "CA");
}

static int cannot_sign(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (!l->has_ku || (l->ku & CERTS) != 0)
        return 0;
    return tsk_lint_say(l, "it is a CA, but its key may not sign certificates "
                           "(keyCertSign)");
}

static int ku_empty(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (!l->has_ku || l->ku != 0)
        return 0;
    return tsk_lint_say(l, "its key is for nothing: keyUsage has no bit");
}

/* X.690, 11.2.2: a named bit list ends with its last 1. */
static int ku_tail(struct tsk_lint_cert *l, int arg)
{
    int at = X509_get_ext_by_NID(l->x, NID_key_usage, -1);
    const ASN1_OCTET_STRING *data =
        at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(l->x, at)) : NULL;
    struct tsk_der all = {0}, bits;

    (void)arg;
    if (data == NULL || !l->has_ku)
        return 0;
    all.p = ASN1_STRING_get0_data(data);
    all.n = (size_t)ASN1_STRING_length(data);
    if (!tsk_der_next(&all, &bits) || bits.n < 2 || bits.p[0] > 7 ||
        (bits.p[bits.n - 1] & (1 << bits.p[0])) != 0)
        return 0;
    return tsk_lint_say(l, "keyUsage ends with bits that are 0, which DER "
                           "leaves out");
}

/* RFC 8813, 3; RFC 9295, 3 */
static int ku_key(struct tsk_lint_cert *l, int arg)
{
    int id = kind(l);

    (void)arg;
    if (id == EVP_PKEY_EC && (l->ku & (WRAP_KEY | WRAP_DATA)) != 0)
        return tsk_lint_say(l, "an EC key cannot encipher (keyEncipherment, "
                               "dataEncipherment)");
    if ((id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448) &&
        (l->ku & (WRAP_KEY | WRAP_DATA | AGREE | ONLY)) != 0)
        return tsk_lint_say(l, "an Edwards key can sign, nothing else");
    if ((id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS) && (l->ku & AGREE) != 0)
        return tsk_lint_say(l, "an RSA key cannot agree on keys "
                               "(keyAgreement)");
    return 0;
}

static int ku_only(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if ((l->ku & ONLY) == 0 || (l->ku & AGREE) != 0)
        return 0;
    return tsk_lint_say(l, "encipherOnly and decipherOnly mean nothing "
                           "without keyAgreement");
}

static int ku_no_signature(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (!l->has_ku || (l->ku & SIGN) != 0)
        return 0;
    return tsk_lint_say(l, "its key may not sign (digitalSignature), which "
                           "TLS 1.3 needs");
}

/* RFC 5280, 4.2.1.12 */
static int eku_conflict(struct tsk_lint_cert *l, int arg)
{
    static const struct {
        int purpose;
        unsigned any_of;
    } needs[] = {{NID_server_auth, SIGN | WRAP_KEY | AGREE},
                 {NID_client_auth, SIGN | AGREE},
                 {NID_code_sign, SIGN},
                 {NID_email_protect, SIGN | COMMIT | WRAP_KEY | AGREE},
                 {NID_time_stamp, SIGN | COMMIT},
                 {NID_OCSP_sign, SIGN | COMMIT}};

    (void)arg;
    for (size_t i = 0;
         l->has_ku && !l->ca && i < sizeof(needs) / sizeof(needs[0]); i++)
        if (tsk_lint_purpose(l, needs[i].purpose) &&
            (l->ku & needs[i].any_of) == 0)
            return tsk_lint_say(l,
                                "keyUsage does not allow what "
                                "extendedKeyUsage is for: %s",
                                OBJ_nid2ln(needs[i].purpose));
    return 0;
}

static int eku_empty(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->eku == NULL || sk_ASN1_OBJECT_num(l->eku) > 0)
        return 0;
    return tsk_lint_say(l, "extendedKeyUsage is there, but empty");
}

static int eku_missing(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_get_ext_by_NID(l->x, NID_ext_key_usage, -1) >= 0)
        return 0;
    return tsk_lint_say(l, "it does not say that it is for servers "
                           "(extendedKeyUsage)");
}

static int eku_any(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (!tsk_lint_purpose(l, NID_anyExtendedKeyUsage))
        return 0;
    return tsk_lint_say(l, "it is for any purpose (anyExtendedKeyUsage)");
}

static int eku_twice(struct tsk_lint_cert *l, int arg)
{
    int n = sk_ASN1_OBJECT_num(l->eku);

    (void)arg;
    n = n < 256 ? n : 256;
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            if (OBJ_cmp(sk_ASN1_OBJECT_value(l->eku, i),
                        sk_ASN1_OBJECT_value(l->eku, j)) == 0)
                return tsk_lint_say(l, "extendedKeyUsage names a purpose "
                                       "twice");
    return 0;
}

static int eku_mixed(struct tsk_lint_cert *l, int arg)
{
    static const int apart[] = {NID_code_sign, NID_time_stamp, NID_OCSP_sign,
                                NID_email_protect};

    (void)arg;
    if (!tsk_lint_purpose(l, NID_server_auth))
        return 0;
    for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
        if (tsk_lint_purpose(l, apart[i]))
            return tsk_lint_say(l, "it is for servers and for %s",
                                OBJ_nid2ln(apart[i]));
    return 0;
}

static int no_check(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (!tsk_lint_purpose(l, NID_OCSP_sign) ||
        X509_get_ext_by_NID(l->x, NID_id_pkix_OCSP_noCheck, -1) >= 0)
        return 0;
    return tsk_lint_say(l, "it signs OCSP answers, but lacks id-pkix-ocsp-"
                           "nocheck: who checks it goes round in circles");
}

static int ski_missing(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_get_ext_by_NID(l->x, NID_subject_key_identifier, -1) >= 0)
        return 0;
    return tsk_lint_say(l, "it has no subjectKeyIdentifier");
}

static int ski_empty(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->ski == NULL ||
        (ASN1_STRING_length(l->ski) > 0 && ASN1_STRING_length(l->ski) <= arg))
        return 0;
    return tsk_lint_say(l, "its subjectKeyIdentifier has %d octets",
                        ASN1_STRING_length(l->ski));
}

static int aki_missing(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->self_signed ||
        X509_get_ext_by_NID(l->x, NID_authority_key_identifier, -1) >= 0)
        return 0;
    return tsk_lint_say(l, "it has no authorityKeyIdentifier");
}

static int aki_no_id(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->aki == NULL || l->self_signed || l->aki->keyid != NULL)
        return 0;
    return tsk_lint_say(l, "its authorityKeyIdentifier has no key identifier");
}

static int aki_half(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->aki == NULL || (l->aki->issuer == NULL) == (l->aki->serial == NULL))
        return 0;
    return tsk_lint_say(l,
                        "its authorityKeyIdentifier names the issuer's %s "
                        "alone",
                        l->aki->issuer == NULL ? "serial number" : "name");
}

static int aki_issuer(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->aki == NULL || (l->aki->issuer == NULL && l->aki->serial == NULL))
        return 0;
    return tsk_lint_say(l, "its authorityKeyIdentifier names the issuer of its "
                           "issuer: that one cannot be renewed");
}

#define ANEW "have it issued anew"

const struct tsk_lint_rule tsk_lint_usage[] = {
    {"pathlen-without-ca", LINT_E, LINT_ANY, pathlen_alone, 0,
     "RFC 5280, 4.2.1.9", ANEW " without the path length"},
    {"pathlen-without-certsign", LINT_E, LINT_CA, pathlen_useless, 0,
     "RFC 5280, 4.2.1.9", ANEW " with keyCertSign"},
    {"pathlen-negative", LINT_E, LINT_ANY, pathlen_negative, 0,
     "RFC 5280, 4.2.1.9", ANEW " with a path length of 0 or more, or none"},
    {"bc-default", LINT_E, LINT_ANY, bc_default, 0, "X.690, 11.1, 11.5",
     ANEW " by software that writes DER"},
    {"ku-missing-ca", LINT_E, LINT_CA, ku_missing, 0, "RFC 5280, 4.2.1.3",
     ANEW " with keyCertSign and cRLSign"},
    {"ku-missing", LINT_N, LINT_END, ku_missing, 0, "RFC 5280, 4.2.1.3",
     ANEW " with digitalSignature"},
    {"ku-certsign-without-ca", LINT_E, LINT_END, signs_without, 0,
     "RFC 5280, 4.2.1.9", ANEW " without keyCertSign, or as a CA"},
    {"ku-ca-without-certsign", LINT_E, LINT_CA, cannot_sign, 0,
     "RFC 5280, 4.2.1.3", ANEW " with keyCertSign"},
    {"ku-empty", LINT_E, LINT_ANY, ku_empty, 0, "RFC 5280, 4.2.1.3",
     ANEW " with what its key is for"},
    {"ku-trailing-bits", LINT_E, LINT_ANY, ku_tail, 0, "X.690, 11.2.2",
     ANEW " by software that writes DER"},
    {"ku-key", LINT_E, LINT_ANY, ku_key, 0, "RFC 8813, 3; RFC 9295, 3",
     ANEW " with usages that this kind of key can do"},
    {"ku-only", LINT_W, LINT_ANY, ku_only, 0, "RFC 5280, 4.2.1.3",
     ANEW " without them"},
    {"ku-no-signature", LINT_W, LINT_SERVER, ku_no_signature, 0,
     "RFC 8446, 4.4.2.2", ANEW " with digitalSignature"},
    {"eku-ku-conflict", LINT_E, LINT_ANY, eku_conflict, 0, "RFC 5280, 4.2.1.12",
     ANEW " with usages that fit each other"},
    {"eku-empty", LINT_E, LINT_ANY, eku_empty, 0, "RFC 5280, 4.2.1.12",
     ANEW " with a purpose, or without the extension"},
    {"eku-missing", LINT_W, LINT_SERVER, eku_missing, 0, "CA/B BR, 7.1.2.7.10",
     ANEW " with serverAuth"},
    {"eku-any", LINT_W, LINT_SERVER, eku_any, 0, "CA/B BR, 7.1.2.7.10",
     ANEW " with serverAuth in its place"},
    {"eku-duplicate", LINT_W, LINT_ANY, eku_twice, 0, "RFC 5280, 4.2.1.12",
     ANEW " with each purpose once"},
    {"eku-mixed", LINT_W, LINT_SERVER, eku_mixed, 0, "CA/B BR, 7.1.2.7.10",
     "one certificate for each of these purposes"},
    {"ocsp-nocheck-missing", LINT_W, LINT_END, no_check, 0,
     "CA/B BR, 4.9.9; RFC 6960, 4.2.2.2.1", ANEW " with id-pkix-ocsp-nocheck"},
    {"ski-missing-ca", LINT_E, LINT_CA, ski_missing, 0, "RFC 5280, 4.2.1.2",
     ANEW " with subjectKeyIdentifier"},
    {"ski-missing", LINT_N, LINT_END, ski_missing, 0, "RFC 5280, 4.2.1.2",
     ANEW " with subjectKeyIdentifier"},
    {"ski-length", LINT_E, LINT_ANY, ski_empty, 64, "RFC 7093, 2",
     ANEW " with an identifier of 1 to 64 octets"},
    {"aki-missing", LINT_E, LINT_ANY, aki_missing, 0, "RFC 5280, 4.2.1.1",
     ANEW " with authorityKeyIdentifier"},
    {"aki-no-keyid", LINT_E, LINT_ANY, aki_no_id, 0, "RFC 5280, 4.2.1.1",
     ANEW " with the key identifier of its issuer"},
    {"aki-half", LINT_E, LINT_ANY, aki_half, 0, "RFC 5280, A.2",
     ANEW " with both, better: none of them"},
    {"aki-issuer", LINT_W, LINT_ANY, aki_issuer, 0, "CA/B BR, 7.1.2.11.1",
     ANEW " with the key identifier alone"},
    {.code = NULL}};
