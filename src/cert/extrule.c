/* What RFC 5280 says of single extensions, whoever wrote them. */
#include "cert/make.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <stdio.h>
#include <string.h>

#define EITHER (-1)

static const struct rule {
    int nid, critical, ca_only;
    const char *section;
} rules[] = {
    {NID_authority_key_identifier, 0, 0, "4.2.1.1"},
    {NID_subject_key_identifier, 0, 0, "4.2.1.2"},
    {NID_policy_mappings, EITHER, 1, "4.2.1.5"},
    {NID_name_constraints, 1, 1, "4.2.1.10"},
    {NID_policy_constraints, 1, 1, "4.2.1.11"},
    {NID_inhibit_any_policy, 1, 1, "4.2.1.14"},
    {NID_freshest_crl, 0, 0, "4.2.1.15"},
    {NID_info_access, 0, 0, "4.2.2.1"},
    {NID_sinfo_access, 0, 0, "4.2.2.2"},
};

static int breaks(X509_EXTENSION *ext, const char *why, const char *section,
                  const char *hint, tlsock_error *err)
{
    char name[80];
    int rc;

    if (OBJ_obj2txt(name, sizeof(name), X509_EXTENSION_get_object(ext), 0) <= 0)
        snprintf(name, sizeof(name), "(unreadable)");
    rc = tsk_fail_ossl(err, TLSOCK_E_ARGUMENT,
                       "the extension %s %s%s%s%s", name, why,
                       section != NULL ? " (RFC 5280, " : "",
                       section != NULL ? section : "",
                       section != NULL ? ")" : "");
    if (rc == TLSOCK_E_ARGUMENT)
        tsk_hint(err, "%s", hint);
    return rc;
}

static int check_rule(const struct tsk_make *m, X509_EXTENSION *ext,
                      const struct rule *r, tlsock_error *err)
{
    int critical = X509_EXTENSION_get_critical(ext);

    if (r->ca_only && !m->ca)
        return breaks(ext, "is for a CA alone", r->section,
                      "leave it out, or make a CA (option ca)", err);
    if (r->critical == 1 && !critical)
        return breaks(ext, "must be critical", r->section,
                      "write name=critical,value", err);
    if (r->critical == 0 && critical)
        return breaks(ext, "must not be critical", r->section,
                      "leave out \"critical,\"", err);
    return TLSOCK_OK;
}

/* RFC 5280, 4.2.1.10: not empty; 4.2.1.11: neither */
static int is_empty(int nid, void *value)
{
    NAME_CONSTRAINTS *nc = value;
    POLICY_CONSTRAINTS *pc = value;

    if (nid == NID_name_constraints)
        return sk_GENERAL_SUBTREE_num(nc->permittedSubtrees) <= 0 &&
               sk_GENERAL_SUBTREE_num(nc->excludedSubtrees) <= 0;
    return nid == NID_policy_constraints && pc->requireExplicitPolicy == NULL &&
           pc->inhibitPolicyMapping == NULL;
}

static int check_form(X509_EXTENSION *ext, tlsock_error *err)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get(ext);
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext)), empty;
    void *value;

    if (method == NULL)
        return TLSOCK_OK;
    value = X509V3_EXT_d2i(ext);
    if (value == NULL)
        return breaks(ext, "is not well-formed", NULL,
                      "write its value by name, not as DER or ASN1", err);
    empty = is_empty(nid, value);
    if (method->it != NULL)
        ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
    else
        method->ext_free(value);
    return empty ? breaks(ext, "is empty", "4.2.1", "leave it out", err)
                 : TLSOCK_OK;
}

int tsk_ext_check(const struct tsk_make *m, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    for (int i = 0; rc == TLSOCK_OK && i < sk_X509_EXTENSION_num(m->exts);
         i++) {
        X509_EXTENSION *ext = sk_X509_EXTENSION_value(m->exts, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));

        rc = check_form(ext, err);
        for (size_t k = 0; rc == TLSOCK_OK &&
                           k < sizeof(rules) / sizeof(rules[0]);
             k++)
            if (rules[k].nid == nid)
                rc = check_rule(m, ext, &rules[k], err);
    }
    return rc;
}
