/* Policies: RFC 5280, 4.2.1.4, 4.2.1.5, 4.2.1.11, and RFC 6818, 3. */
#include "cert/lint.h"
#include "core/str.h"

#include <openssl/objects.h>
#include <string.h>

#define MOST 256

static int at_most(int n)
{
    return n < MOST ? n : MOST;
}

static int empty(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->policies == NULL || sk_POLICYINFO_num(l->policies) > 0)
        return 0;
    return tsk_lint_say(l, "certificatePolicies is there, but empty");
}

static int doubled(struct tsk_lint_cert *l, int arg)
{
    int n = at_most(sk_POLICYINFO_num(l->policies));
    char oid[80];

    (void)arg;
    for (int i = 0; i < n; i++) {
        const ASN1_OBJECT *id = sk_POLICYINFO_value(l->policies, i)->policyid;

        for (int j = i + 1; j < n; j++) {
            if (OBJ_cmp(id, sk_POLICYINFO_value(l->policies, j)->policyid) != 0)
                continue;
            if (OBJ_obj2txt(oid, sizeof(oid), id, 1) <= 0)
                oid[0] = '\0';
            return tsk_lint_say(l, "the policy %s is there twice", oid);
        }
    }
    return 0;
}

/* Calls on each qualifier until one gives text; NULL: none did. */
static const char *each(const struct tsk_lint_cert *l,
                        const char *(*bad)(const POLICYQUALINFO *q))
{
    for (int i = 0; i < sk_POLICYINFO_num(l->policies); i++) {
        const POLICYINFO *p = sk_POLICYINFO_value(l->policies, i);

        for (int j = 0; j < sk_POLICYQUALINFO_num(p->qualifiers); j++) {
            const char *what = bad(sk_POLICYQUALINFO_value(p->qualifiers, j));

            if (what != NULL)
                return what;
        }
    }
    return NULL;
}

static const ASN1_STRING *notice(const POLICYQUALINFO *q)
{
    return OBJ_obj2nid(q->pqualid) == NID_id_qt_unotice &&
                   q->d.usernotice != NULL
               ? q->d.usernotice->exptext
               : NULL;
}

static const char *notice_type(const POLICYQUALINFO *q)
{
    const ASN1_STRING *s = notice(q);

    return s != NULL && ASN1_STRING_type(s) != V_ASN1_UTF8STRING
               ? ASN1_tag2str(ASN1_STRING_type(s))
               : NULL;
}

static const char *notice_length(const POLICYQUALINFO *q)
{
    const ASN1_STRING *s = notice(q);
    unsigned char *utf8 = NULL;
    int n = s != NULL ? ASN1_STRING_to_UTF8(&utf8, s) : 0, chars = 0;

    for (int i = 0; i < n; i++)
        chars += (utf8[i] & 0xc0) != 0x80;
    OPENSSL_free(utf8);
    return chars > 200 ? "of more than 200 characters" : NULL;
}

static const char *cps(const POLICYQUALINFO *q)
{
    const ASN1_STRING *s;

    if (OBJ_obj2nid(q->pqualid) != NID_id_qt_cps || q->d.cpsuri == NULL)
        return NULL;
    s = q->d.cpsuri;
    if (ASN1_STRING_length(s) > 7 &&
        (tsk_casencmp((const char *)ASN1_STRING_get0_data(s), "http://", 7) ==
             0 ||
         tsk_casencmp((const char *)ASN1_STRING_get0_data(s), "https:/", 7) ==
             0))
        return NULL;
    return "no http URL";
}

static int bad_type(struct tsk_lint_cert *l, int arg)
{
    const char *what = each(l, notice_type);

    (void)arg;
    return what != NULL
               ? tsk_lint_say(l, "the text of a policy is of type %s", what)
               : 0;
}

static int bad_length(struct tsk_lint_cert *l, int arg)
{
    const char *what = each(l, notice_length);

    (void)arg;
    return what != NULL ? tsk_lint_say(l, "the text of a policy is %s", what)
                        : 0;
}

static int bad_cps(struct tsk_lint_cert *l, int arg)
{
    const char *what = each(l, cps);

    (void)arg;
    return what != NULL ? tsk_lint_say(l, "the address of a policy is %s", what)
                        : 0;
}

static void *decode(const struct tsk_lint_cert *l, int nid)
{
    int at = X509_get_ext_by_NID(l->x, nid, -1);

    return at >= 0 ? X509V3_EXT_d2i(X509_get_ext(l->x, at)) : NULL;
}

static int mapped_any(struct tsk_lint_cert *l, int arg)
{
    POLICY_MAPPINGS *maps = decode(l, NID_policy_mappings);
    int bad = 0;

    (void)arg;
    for (int i = 0; i < sk_POLICY_MAPPING_num(maps); i++) {
        const POLICY_MAPPING *m = sk_POLICY_MAPPING_value(maps, i);

        bad = bad || OBJ_obj2nid(m->issuerDomainPolicy) == NID_any_policy ||
              OBJ_obj2nid(m->subjectDomainPolicy) == NID_any_policy;
    }
    sk_POLICY_MAPPING_pop_free(maps, POLICY_MAPPING_free);
    return bad ? tsk_lint_say(l, "it maps anyPolicy, which nothing may be "
                                 "mapped to or from")
               : 0;
}

static int constraints_empty(struct tsk_lint_cert *l, int arg)
{
    POLICY_CONSTRAINTS *pc = decode(l, NID_policy_constraints);
    int bad = pc != NULL && pc->requireExplicitPolicy == NULL &&
              pc->inhibitPolicyMapping == NULL;

    (void)arg;
    POLICY_CONSTRAINTS_free(pc);
    return bad ? tsk_lint_say(l, "policyConstraints is there, but empty") : 0;
}

static int in_leaf(struct tsk_lint_cert *l, int arg)
{
    static const int nids[] = {NID_policy_mappings, NID_policy_constraints,
                               NID_inhibit_any_policy};

    (void)arg;
    for (size_t i = 0; i < sizeof(nids) / sizeof(nids[0]); i++)
        if (X509_get_ext_by_NID(l->x, nids[i], -1) >= 0)
            return tsk_lint_say(l, "it has %s, but is no CA",
                                OBJ_nid2ln(nids[i]));
    return 0;
}

#define ANEW "have it issued anew"

const struct tsk_lint_rule tsk_lint_policies[] = {
    {"policies-empty", LINT_E, LINT_ANY, empty, 0, "RFC 5280, 4.2.1.4",
     ANEW " without the extension, or with policies"},
    {"policies-duplicate", LINT_E, LINT_ANY, doubled, 0, "RFC 5280, 4.2.1.4",
     ANEW " with each policy once"},
    {"policies-text-type", LINT_W, LINT_ANY, bad_type, 0, "RFC 6818, 3",
     ANEW " with UTF8String, or without the text"},
    {"policies-text-length", LINT_W, LINT_ANY, bad_length, 0,
     "RFC 5280, 4.2.1.4", ANEW " with a shorter text, or a URL"},
    {"policies-cps", LINT_W, LINT_ANY, bad_cps, 0, "RFC 5280, 4.2.1.4",
     ANEW " with an http URL"},
    {"policy-mapping-any", LINT_E, LINT_ANY, mapped_any, 0, "RFC 5280, 4.2.1.5",
     ANEW " with other policies mapped"},
    {"policy-constraints-empty", LINT_E, LINT_ANY, constraints_empty, 0,
     "RFC 5280, 4.2.1.11", ANEW " without the extension"},
    {"policy-in-leaf", LINT_W, LINT_END, in_leaf, 0,
     "RFC 5280, 4.2.1.5, 4.2.1.11, 4.2.1.14", ANEW " without the extension"},
    {.code = NULL}};
