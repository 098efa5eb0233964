/* Which extensions must be critical, and which must not: RFC 5280, 4.2.1. */
#include "cert/lint.h"

#include <openssl/objects.h>

static X509_EXTENSION *find(const struct tsk_lint_cert *l, int nid)
{
    int at = X509_get_ext_by_NID(l->x, nid, -1);

    return at >= 0 ? X509_get_ext(l->x, at) : NULL;
}

static int is_not(struct tsk_lint_cert *l, int nid)
{
    X509_EXTENSION *ext = find(l, nid);

    if (ext == NULL || X509_EXTENSION_get_critical(ext))
        return 0;
    return tsk_lint_say(l, "the extension %s is not critical", OBJ_nid2ln(nid));
}

static int is(struct tsk_lint_cert *l, int nid)
{
    X509_EXTENSION *ext = find(l, nid);

    if (ext == NULL || !X509_EXTENSION_get_critical(ext))
        return 0;
    return tsk_lint_say(l, "the extension %s is critical", OBJ_nid2ln(nid));
}

static int names(struct tsk_lint_cert *l, int nid)
{
    if (X509_NAME_entry_count(X509_get_subject_name(l->x)) == 0)
        return 0;
    return is(l, nid);
}

static int any_purpose(struct tsk_lint_cert *l, int nid)
{
    return tsk_lint_purpose(l, NID_anyExtendedKeyUsage) ? is(l, nid) : 0;
}

static int time_stamping(struct tsk_lint_cert *l, int nid)
{
    X509_EXTENSION *ext = find(l, nid);

    if (l->ca || !tsk_lint_purpose(l, NID_time_stamp) ||
        (sk_ASN1_OBJECT_num(l->eku) == 1 && X509_EXTENSION_get_critical(ext)))
        return 0;
    return tsk_lint_say(l, "it is for time stamps, but not for them alone, by "
                           "a critical extension");
}

#define MUST "have it issued with this extension critical"
#define MUST_NOT "have it issued with this extension not critical"

const struct tsk_lint_rule tsk_lint_critical[] = {
    {"bc-not-critical", LINT_E, LINT_CA, is_not, NID_basic_constraints,
     "RFC 5280, 4.2.1.9", MUST},
    {"ku-not-critical", LINT_W, LINT_ANY, is_not, NID_key_usage,
     "RFC 5280, 4.2.1.3", MUST},
    {"nc-not-critical", LINT_E, LINT_ANY, is_not, NID_name_constraints,
     "RFC 5280, 4.2.1.10", MUST},
    {"policy-constraints-not-critical", LINT_E, LINT_ANY, is_not,
     NID_policy_constraints, "RFC 5280, 4.2.1.11", MUST},
    {"inhibit-any-not-critical", LINT_E, LINT_ANY, is_not,
     NID_inhibit_any_policy, "RFC 5280, 4.2.1.14", MUST},
    {"policy-mappings-not-critical", LINT_W, LINT_ANY, is_not,
     NID_policy_mappings, "RFC 5280, 4.2.1.5", MUST},
    {"aki-critical", LINT_E, LINT_ANY, is, NID_authority_key_identifier,
     "RFC 5280, 4.2.1.1", MUST_NOT},
    {"ski-critical", LINT_E, LINT_ANY, is, NID_subject_key_identifier,
     "RFC 5280, 4.2.1.2", MUST_NOT},
    {"san-critical", LINT_W, LINT_ANY, names, NID_subject_alt_name,
     "RFC 5280, 4.2.1.6", MUST_NOT},
    {"ian-critical", LINT_W, LINT_ANY, is, NID_issuer_alt_name,
     "RFC 5280, 4.2.1.7", MUST_NOT},
    {"crl-critical", LINT_W, LINT_ANY, is, NID_crl_distribution_points,
     "RFC 5280, 4.2.1.13", MUST_NOT},
    {"freshest-crl-critical", LINT_E, LINT_ANY, is, NID_freshest_crl,
     "RFC 5280, 4.2.1.15", MUST_NOT},
    {"aia-critical", LINT_E, LINT_ANY, is, NID_info_access, "RFC 5280, 4.2.2.1",
     MUST_NOT},
    {"sia-critical", LINT_E, LINT_ANY, is, NID_sinfo_access,
     "RFC 5280, 4.2.2.2", MUST_NOT},
    {"eku-any-critical", LINT_W, LINT_ANY, any_purpose, NID_ext_key_usage,
     "RFC 5280, 4.2.1.12", MUST_NOT},
    {"eku-time-stamping", LINT_E, LINT_ANY, time_stamping, NID_ext_key_usage,
     "RFC 3161, 2.3",
     "a certificate of its own, by a critical "
     "extendedKeyUsage, for time stamps"},
    {.code = NULL}};
