/* A request is answered: who asks is a stranger, so what it asks for is taken
 * only if it is harmless, or if the options name it. */
#include "cert/csr.h"

#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <stdio.h>
#include <string.h>

#define HARMLESS (TSK_EKU_SERVER | TSK_EKU_CLIENT)

static unsigned usages_of(const STACK_OF(X509_EXTENSION) *exts)
{
    EXTENDED_KEY_USAGE *eku =
        X509V3_get_d2i(exts, NID_ext_key_usage, NULL, NULL);
    unsigned mask = tsk_eku_mask(eku);

    EXTENDED_KEY_USAGE_free(eku);
    return mask;
}

static int keeps_usages(X509_EXTENSION *ext, const char **note)
{
    EXTENDED_KEY_USAGE *eku = X509V3_EXT_d2i(ext);
    unsigned mask = tsk_eku_mask(eku);

    EXTENDED_KEY_USAGE_free(eku);
    if ((mask & ~HARMLESS) == 0)
        return 1;
    *note = (mask & HARMLESS) != 0
                ? "only serverAuth and clientAuth are taken over unasked"
                : "none of its usages is taken over unasked";
    return (mask & HARMLESS) != 0 ? -1 : 0;
}

static int keeps_basic(X509_EXTENSION *ext, const char **note)
{
    BASIC_CONSTRAINTS *bc = X509V3_EXT_d2i(ext);
    int ca = bc == NULL || bc->ca;

    BASIC_CONSTRAINTS_free(bc);
    if (ca)
        *note = "asks to be a CA";
    return !ca;
}

int tsk_csr_keeps(X509_EXTENSION *ext, const char **note)
{
    *note = "";
    switch (OBJ_obj2nid(X509_EXTENSION_get_object(ext))) {
    case NID_subject_alt_name:
        return 1;
    case NID_ext_key_usage:
        return keeps_usages(ext, note);
    case NID_basic_constraints:
        return keeps_basic(ext, note);
    case NID_key_usage:
        *note = "made anew from key and purpose";
        return 0;
    case NID_subject_key_identifier:
    case NID_authority_key_identifier:
        *note = "made anew";
        return 0;
    default:
        *note = "taken over only if it is named";
        return 0;
    }
}

static int take_names(struct tsk_make *m, const STACK_OF(X509_EXTENSION) *exts,
                      tlsock_error *err)
{
    GENERAL_NAMES *names = X509V3_get_d2i(exts, NID_subject_alt_name, NULL,
                                          NULL);
    int rc = TLSOCK_OK;

    for (int i = 0; rc == TLSOCK_OK && i < sk_GENERAL_NAME_num(names); i++)
        rc = tsk_san_add_general(m->sans, sk_GENERAL_NAME_value(names, i),
                                 "request", err);
    GENERAL_NAMES_free(names);
    return rc;
}

static int take_basic(struct tsk_make *m, X509_EXTENSION *ext)
{
    BASIC_CONSTRAINTS *bc = X509V3_EXT_d2i(ext);

    if (bc != NULL && bc->ca && !m->o->ca) {
        m->ca = 1;
        m->pathlen = bc->pathlen != NULL
                         ? (int)ASN1_INTEGER_get(bc->pathlen)
                         : -1;
    }
    BASIC_CONSTRAINTS_free(bc);
    return TLSOCK_OK;
}

static int take_ext(struct tsk_make *m, X509_EXTENSION *ext, tlsock_error *err)
{
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));

    switch (nid) {
    case NID_basic_constraints:
        return take_basic(m, ext);
    case NID_subject_alt_name: /* is taken in its own way */
    case NID_subject_key_identifier:
    case NID_authority_key_identifier:
        return TLSOCK_OK;
    default:
        return tsk_option_wins(m, nid) ||
                       X509v3_get_ext_by_OBJ(
                           m->exts, X509_EXTENSION_get_object(ext), -1) >= 0
                   ? TLSOCK_OK
                   : tsk_ext_copy(m, ext, err);
    }
}

static int take_named(struct tsk_make *m, const STACK_OF(X509_EXTENSION) *exts,
                      const char *name, tlsock_error *err)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(name, 0);
    char shown[64];
    int at, rc = TLSOCK_OK;

    if (obj == NULL) {
        tsk_printable(shown, sizeof(shown), name, strlen(name));
        rc = tsk_fail_ossl(err, TLSOCK_E_ARGUMENT,
                           "extension \"%s\" to take over from the request is "
                           "not known", shown);
        if (rc == TLSOCK_E_ARGUMENT)
            tsk_hint(err, "write names as openssl.cnf does, or OIDs, separated "
                          "by commas, or all: tlsfeature,extendedKeyUsage");
        return rc;
    }
    at = X509v3_get_ext_by_OBJ(exts, obj, -1);
    ASN1_OBJECT_free(obj);
    return at >= 0 ? take_ext(m, sk_X509_EXTENSION_value(exts, at), err)
                   : TLSOCK_OK;
}

static int take_list(struct tsk_make *m, const STACK_OF(X509_EXTENSION) *exts,
                     const char *list, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    if (strcmp(list, "all") == 0) {
        for (int i = 0; rc == TLSOCK_OK && i < sk_X509_EXTENSION_num(exts);
             i++)
            rc = take_ext(m, sk_X509_EXTENSION_value(exts, i), err);
        return rc;
    }
    for (const char *p = list; rc == TLSOCK_OK && p != NULL;) {
        size_t n = strcspn(p, ","), skip = strspn(p, " "), len = n;
        char *name;

        skip = skip < n ? skip : n;
        while (len > skip && p[len - 1] == ' ')
            len--;
        name = tsk_strndup(p + skip, len - skip);
        rc = name != NULL ? take_named(m, exts, name, err)
                          : tsk_fail_nomem(err);
        tsk_free(name);
        p = p[n] == ',' ? p + n + 1 : NULL;
    }
    return rc;
}

static void take_usages(struct tsk_make *m,
                        const STACK_OF(X509_EXTENSION) *exts)
{
    unsigned mask = usages_of(exts) & HARMLESS;

    if (m->ca || m->o->purpose != NULL || mask == 0)
        return;
    m->use.eku = mask;
    m->use_known = 1;
}

static int take(struct tsk_make *m, X509_REQ *req, const char *name,
                tlsock_error *err)
{
    STACK_OF(X509_EXTENSION) *exts = NULL;
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    int rc = tsk_key_strong(key, name, err);

    if (rc != TLSOCK_OK)
        return rc;
    EVP_PKEY_up_ref(key);
    m->key = key;
    if (m->subject == NULL &&
        X509_NAME_entry_count(X509_REQ_get_subject_name(req)) > 0) {
        m->subject = X509_NAME_dup(X509_REQ_get_subject_name(req));
        if (m->subject == NULL)
            return tsk_fail_nomem(err);
    }
    rc = tsk_csr_exts(&exts, req, name, err);
    if (rc == TLSOCK_OK && m->o->n_sans == 0)
        rc = take_names(m, exts, err);
    if (rc == TLSOCK_OK && m->o->csr_ext != NULL)
        rc = take_list(m, exts, m->o->csr_ext, err);
    if (rc == TLSOCK_OK)
        take_usages(m, exts);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    return rc;
}

int tsk_csr_take(struct tsk_make *m, tlsock_error *err)
{
    X509_REQ *req = NULL;
    char name[256];
    int rc = tsk_csr_open(&req, m->o->csr, name, err);

    if (rc == TLSOCK_OK)
        rc = take(m, req, name, err);
    X509_REQ_free(req);
    return rc;
}
