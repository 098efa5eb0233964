/* Version, serial number, signature: RFC 5280, 4.1. */
#include "cert/lint.h"

#include <openssl/objects.h>

static int old_version(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_get_version(l->x) >= X509_VERSION_3 ||
        X509_get_ext_count(l->x) > 0)
        return 0;
    return tsk_lint_say(l,
                        "it is of version %ld, which has no extensions: no "
                        "names, no purposes",
                        X509_get_version(l->x) + 1);
}

static int version_lies(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_get_version(l->x) >= X509_VERSION_3 ||
        X509_get_ext_count(l->x) <= 0)
        return 0;
    return tsk_lint_say(l,
                        "it has %d extensions, but says that it is of "
                        "version %ld",
                        X509_get_ext_count(l->x), X509_get_version(l->x) + 1);
}

static int new_version(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_get_version(l->x) <= X509_VERSION_3)
        return 0;
    return tsk_lint_say(l, "its version is %ld; there is none above 3",
                        X509_get_version(l->x) + 1);
}

/* DEFAULT v1 is not written out: X.690, 11.5. */
static int version_written(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->version.whole_n == 0 || X509_get_version(l->x) != X509_VERSION_1)
        return 0;
    return tsk_lint_say(l, "version 1 is written out, which DER forbids");
}

static int serial_zero(struct tsk_lint_cert *l, int arg)
{
    const ASN1_INTEGER *s = X509_get0_serialNumber(l->x);
    const unsigned char *p = ASN1_STRING_get0_data(s);

    (void)arg;
    for (int i = 0; i < ASN1_STRING_length(s); i++)
        if (p[i] != 0)
            return 0;
    return tsk_lint_say(l, "the serial number is zero");
}

static int serial_negative(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (ASN1_STRING_type(X509_get0_serialNumber(l->x)) != V_ASN1_NEG_INTEGER)
        return 0;
    return tsk_lint_say(l, "the serial number is negative");
}

static int serial_long(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->serial.n <= 20)
        return 0;
    return tsk_lint_say(l, "the serial number has %zu octets, more than 20",
                        l->serial.n);
}

/* A random number of 64 bits has less than 56 once in 256 times. */
static int serial_short(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->self_signed || l->serial.n >= 8)
        return 0;
    return tsk_lint_say(l,
                        "the serial number has %zu octets: no 64 random "
                        "bits fit in",
                        l->serial.n);
}

static int algs_differ(struct tsk_lint_cert *l, int arg)
{
    const X509_ALGOR *outer;

    (void)arg;
    X509_get0_signature(NULL, &outer, l->x);
    if (X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(l->x)) == 0)
        return 0;
    return tsk_lint_say(
        l,
        "the signature says that it is %s, the signed part "
        "says %s",
        OBJ_nid2ln(OBJ_obj2nid(outer->algorithm)),
        OBJ_nid2ln(OBJ_obj2nid(X509_get0_tbs_sigalg(l->x)->algorithm)));
}

static int weak_digest(struct tsk_lint_cert *l, int arg)
{
    int nid = X509_get_signature_nid(l->x), digest = NID_undef;

    (void)arg;
    (void)OBJ_find_sigid_algs(nid, &digest, NULL);
    if (l->self_signed ||
        (digest != NID_sha1 && digest != NID_md5 && digest != NID_md4 &&
         digest != NID_md2 && digest != NID_md5_sha1 && digest != NID_mdc2))
        return 0;
    return tsk_lint_say(l, "it is signed with %s, which can be forged",
                        OBJ_nid2ln(nid));
}

/* RFC 4055, 5: NULL. RFC 5758, 3.2 and RFC 8410, 3: absent. */
static int signature_params(struct tsk_lint_cert *l, int arg)
{
    int sign = NID_undef, nid = X509_get_signature_nid(l->x), type;

    (void)arg;
    if (!OBJ_find_sigid_algs(nid, NULL, &sign))
        return 0;
    X509_ALGOR_get0(NULL, &type, NULL, X509_get0_tbs_sigalg(l->x));
    if (sign == NID_rsaEncryption && type != V_ASN1_NULL)
        return tsk_lint_say(l, "%s has no NULL for its parameters",
                            OBJ_nid2ln(nid));
    if ((sign == NID_X9_62_id_ecPublicKey || sign == NID_ED25519 ||
         sign == NID_ED448) &&
        type != V_ASN1_UNDEF)
        return tsk_lint_say(l, "%s has parameters, where there must be none",
                            OBJ_nid2ln(nid));
    return 0;
}

static int issuer_empty(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_NAME_entry_count(X509_get_issuer_name(l->x)) > 0)
        return 0;
    return tsk_lint_say(l, "the name of its issuer is empty");
}

static int unique_ids(struct tsk_lint_cert *l, int arg)
{
    const ASN1_BIT_STRING *issuer, *subject;

    (void)arg;
    X509_get0_uids(l->x, &issuer, &subject);
    if (issuer == NULL && subject == NULL)
        return 0;
    return tsk_lint_say(l, "it has a unique identifier of its %s",
                        issuer != NULL ? "issuer" : "subject");
}

/* Are the signed bytes what encoding them anew gives? */
static int not_der(struct tsk_lint_cert *l, int arg)
{
    X509 *again = X509_dup(l->x);
    unsigned char *der = NULL;
    int n = again != NULL ? i2d_re_X509_tbs(again, &der) : -1;
    struct tsk_der tbs = {.whole = der, .whole_n = n > 0 ? (size_t)n : 0};
    int same = n <= 0 || tsk_der_same(&tbs, &l->tbs);

    (void)arg;
    OPENSSL_free(der);
    X509_free(again);
    return same ? 0
                : tsk_lint_say(l, "the signed part is not in DER: it can be "
                                  "encoded in another, canonical way");
}

static int large(struct tsk_lint_cert *l, int arg)
{
    if (l->tbs.whole_n <= (size_t)arg)
        return 0;
    return tsk_lint_say(l, "it has %zu bytes, which each handshake sends",
                        l->tbs.whole_n);
}

#define ANEW "have it issued anew"

const struct tsk_lint_rule tsk_lint_base[] = {
    {"version-old", LINT_W, LINT_ANY, old_version, 0, "RFC 5280, 4.1.2.1",
     "have it issued as version 3, with a subjectAltName"},
    {"version-extensions", LINT_E, LINT_ANY, version_lies, 0,
     "RFC 5280, 4.1.2.1", ANEW " as version 3"},
    {"version-unknown", LINT_E, LINT_ANY, new_version, 0, "RFC 5280, 4.1",
     ANEW " as version 3"},
    {"version-default", LINT_E, LINT_ANY, version_written, 0, "X.690, 11.5",
     ANEW " as version 3"},
    {"serial-zero", LINT_E, LINT_ANY, serial_zero, 0, "RFC 5280, 4.1.2.2",
     ANEW " with a positive, random serial number"},
    {"serial-negative", LINT_E, LINT_ANY, serial_negative, 0,
     "RFC 5280, 4.1.2.2", ANEW " with a positive, random serial number"},
    {"serial-too-long", LINT_E, LINT_ANY, serial_long, 0, "RFC 5280, 4.1.2.2",
     ANEW " with a serial number of at most 20 octets"},
    {"serial-low-entropy", LINT_W, LINT_ANY, serial_short, 0, "CA/B BR, 7.1",
     ANEW " with a random serial number of 64 bits or more"},
    {"signature-mismatch", LINT_E, LINT_ANY, algs_differ, 0,
     "RFC 5280, 4.1.1.2", ANEW "; somebody may have changed it"},
    {"signature-weak", LINT_E, LINT_ANY, weak_digest, 0,
     "CA/B BR, 7.1.3.2; RFC 9155", ANEW ", signed with SHA-256 or better"},
    {"signature-params", LINT_E, LINT_ANY, signature_params, 0,
     "RFC 4055, 5; RFC 5758, 3.2; RFC 8410, 3", ANEW},
    {"issuer-empty", LINT_E, LINT_ANY, issuer_empty, 0, "RFC 5280, 4.1.2.4",
     ANEW " by a CA that has a name"},
    {"unique-id", LINT_E, LINT_ANY, unique_ids, 0, "RFC 5280, 4.1.2.8",
     ANEW " without unique identifiers"},
    {"encoding-not-der", LINT_E, LINT_ANY, not_der, 0, "RFC 5280, 4.1",
     ANEW " by software that writes DER"},
    {"certificate-large", LINT_N, LINT_ANY, large, 8192, "practice",
     "fewer names, or several certificates, make handshakes shorter"},
    {.code = NULL}};
