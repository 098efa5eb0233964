/* Renewal: what a certificate has is taken over where no option says else. */
#include "cert/make.h"
#include "core/str.h"
#include "ossl/ext.h"
#include "ossl/queue.h"

#include <stdio.h>
#include <string.h>

static int take_names(struct tsk_make *m, X509 *x, tlsock_error *err)
{
    GENERAL_NAMES *names;
    int critical = -1, rc = TLSOCK_OK;

    if (m->o->n_sans != 0)
        return TLSOCK_OK;
    names = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
    if (names == NULL && critical != -1) {
        rc = tsk_fail_ossl(err, TLSOCK_E_CERT_INVALID,
                           "the names of the "
                           "certificate to be like cannot be read");
        if (rc == TLSOCK_E_CERT_INVALID)
            tsk_hint(err, "say which names the new one is to have");
        return rc;
    }
    for (int i = 0; rc == TLSOCK_OK && i < sk_GENERAL_NAME_num(names); i++)
        rc = tsk_san_add_general(m->sans, sk_GENERAL_NAME_value(names, i),
                                 "certificate to be like", err);
    GENERAL_NAMES_free(names);
    return rc;
}

/* One CN that is one of the names: a default, that goes with the names. */
static int is_default(X509 *x, int *starved)
{
    const X509_NAME *subject = X509_get_subject_name(x);
    const ASN1_STRING *cn;
    GENERAL_NAMES *names;
    int found = 0;

    if (X509_NAME_entry_count(subject) != 1 ||
        X509_NAME_get_index_by_NID(subject, NID_commonName, -1) != 0)
        return 0;
    cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, 0));
    names = tsk_ossl_ext(x, NID_subject_alt_name, NULL, starved);
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
        char name[512];

        tsk_san_plain(sk_GENERAL_NAME_value(names, i), name, sizeof(name));
        found = (size_t)ASN1_STRING_length(cn) == strlen(name) &&
                memcmp(ASN1_STRING_get0_data(cn), name, strlen(name)) == 0;
    }
    GENERAL_NAMES_free(names);
    return found;
}

static int take_subject(struct tsk_make *m, X509 *x, tlsock_error *err)
{
    int starved = 0;

    if (m->subject != NULL || (m->o->n_sans != 0 && is_default(x, &starved)))
        return TLSOCK_OK;
    if (starved)
        return tsk_fail_nomem(err);
    m->subject = X509_NAME_dup(X509_get_subject_name(x));
    return m->subject != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

static void take_kind(struct tsk_make *m, X509 *x)
{
    int64_t from = tsk_cert_time(X509_get0_notBefore(x)),
            to = tsk_cert_time(X509_get0_notAfter(x));
    EVP_PKEY *key = X509_get0_pubkey(x);
    int digest = NID_undef;

    if (!m->o->ca && (X509_get_extension_flags(x) & EXFLAG_CA) != 0) {
        m->ca = 1;
        m->pathlen = (int)X509_get_pathlen(x);
    }
    if (from != INT64_MIN && to != INT64_MIN && to > from)
        m->lifetime = to - from;
    if (key != NULL)
        tsk_key_spec(key, m->key_spec, sizeof(m->key_spec));
    X509_get_signature_info(x, &digest, NULL, NULL, NULL);
    m->md = digest == NID_sha384   ? EVP_sha384()
            : digest == NID_sha512 ? EVP_sha512()
                                   : EVP_sha256();
}

static int take_usage(struct tsk_make *m, X509 *x, tlsock_error *err)
{
    uint32_t bits = X509_get_key_usage(x);
    int at = X509_get_ext_by_NID(x, NID_ext_key_usage, -1);

    if (m->o->purpose != NULL || (bits == UINT32_MAX && at < 0) ||
        (m->ca && (bits & KU_KEY_CERT_SIGN) == 0))
        return TLSOCK_OK;
    m->use_known = 1;
    m->use.exact = bits != UINT32_MAX ? bits : 0;
    return at >= 0 ? tsk_ext_copy(m, X509_get_ext(x, at), err) : TLSOCK_OK;
}

static int is_one_of(int nid, const int *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == nid)
            return 1;
    return 0;
}

/* Keys, names and powers are made anew; promises of a log are for the one it
 * saw. What only the same issuer can mean goes no further than that. */
static int is_taken(const struct tsk_make *m, int nid, int same_issuer)
{
    static const int never[] = {NID_subject_key_identifier,
                                NID_authority_key_identifier,
                                NID_basic_constraints,
                                NID_subject_alt_name,
                                NID_key_usage,
                                NID_ext_key_usage,
                                NID_ct_precert_scts,
                                NID_ct_precert_poison};
    static const int always[] = {NID_tlsfeature, NID_id_pkix_OCSP_noCheck};

    if (is_one_of(nid, never, sizeof(never) / sizeof(*never)) ||
        tsk_option_wins(m, nid))
        return 0;
    if (is_one_of(nid, always, sizeof(always) / sizeof(*always)) ||
        (m->ca && nid == NID_name_constraints))
        return 1;
    return same_issuer;
}

static int take_exts(struct tsk_make *m, X509 *x, tlsock_error *err)
{
    const X509_NAME *by = X509_get_issuer_name(x);
    int rc = TLSOCK_OK, same;

    same = !m->request &&
           X509_NAME_cmp(by, X509_get_subject_name(m->o->issuer != NULL
                                                       ? m->o->issuer->leaf
                                                       : x)) == 0;
    for (int i = 0; rc == TLSOCK_OK && i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *ext = X509_get_ext(x, i);
        const ASN1_OBJECT *obj = X509_EXTENSION_get_object(ext);

        if (is_taken(m, OBJ_obj2nid(obj), same) &&
            X509v3_get_ext_by_OBJ(m->exts, obj, -1) < 0)
            rc = tsk_ext_copy(m, ext, err);
    }
    return rc;
}

/* What the options say stays out of what is copied. */
int tsk_option_wins(const struct tsk_make *m, int nid)
{
    const tlsock_cert_opts *o = m->o;

    switch (nid) {
    case NID_key_usage:
    case NID_ext_key_usage:
        return o->purpose != NULL;
    case NID_crl_distribution_points:
        return o->crl_url != NULL;
    case NID_info_access:
        return o->ocsp_url != NULL || o->aia_url != NULL;
    case NID_name_constraints:
        return o->permitted != NULL;
    default:
        return 0;
    }
}

int tsk_like_take(struct tsk_make *m, tlsock_error *err)
{
    X509 *x = m->o->like->leaf;
    int rc;

    take_kind(m, x);
    rc = take_names(m, x, err);
    if (rc == TLSOCK_OK)
        rc = take_subject(m, x, err);
    if (rc == TLSOCK_OK)
        rc = take_usage(m, x, err);
    if (rc == TLSOCK_OK)
        rc = take_exts(m, x, err);
    return rc;
}
