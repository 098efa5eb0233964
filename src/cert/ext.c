#include "cert/make.h"
#include "ossl/queue.h"

#include <openssl/sha.h>
#include <string.h>

#define KEYID_LEN 20

int tsk_ext_has(const struct tsk_make *m, int nid)
{
    return X509v3_get_ext_by_NID(m->exts, nid, -1) >= 0;
}

int tsk_ext_put(struct tsk_make *m, int nid, void *value, int critical,
                tlsock_error *err)
{
    if (value != NULL && X509V3_add1_i2d(&m->exts, nid, value, critical,
                                         X509V3_ADD_KEEP_EXISTING) == 1)
        return TLSOCK_OK;
    return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot add the extension %s",
                         OBJ_nid2sn(nid));
}

int tsk_ext_copy(struct tsk_make *m, X509_EXTENSION *ext, tlsock_error *err)
{
    return X509v3_add_ext(&m->exts, ext, -1) != NULL ? TLSOCK_OK
                                                     : tsk_fail_nomem(err);
}

/* A request for a certificate that is no CA has none: that is the default. */
static int basic_constraints(struct tsk_make *m, tlsock_error *err)
{
    BASIC_CONSTRAINTS *bc;
    int rc = TLSOCK_OK;

    if (m->request && !m->ca)
        return TLSOCK_OK;
    bc = BASIC_CONSTRAINTS_new();
    if (bc != NULL && m->ca) {
        bc->ca = 0xff;
        if (m->pathlen >= 0) {
            bc->pathlen = ASN1_INTEGER_new();
            if (bc->pathlen == NULL ||
                !ASN1_INTEGER_set_int64(bc->pathlen, m->pathlen))
                rc = tsk_fail_nomem(err);
        }
    }
    if (rc == TLSOCK_OK)
        rc = tsk_ext_put(m, NID_basic_constraints, bc, 1, err);
    BASIC_CONSTRAINTS_free(bc);
    return rc;
}

/* RFC 7093, 2, method 1: the leftmost 160 bits of the SHA-256 of the key. */
ASN1_OCTET_STRING *tsk_ext_key_id(const X509 *x)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();

    if (id != NULL && X509_pubkey_digest(x, EVP_sha256(), hash, NULL) &&
        ASN1_OCTET_STRING_set(id, hash, KEYID_LEN))
        return id;
    ASN1_OCTET_STRING_free(id);
    return NULL;
}

static int subject_key_id(struct tsk_make *m, tlsock_error *err)
{
    ASN1_OCTET_STRING *id;
    int rc;

    if (m->x == NULL || tsk_ext_has(m, NID_subject_key_identifier))
        return TLSOCK_OK;
    id = tsk_ext_key_id(m->x);
    if (id != NULL)
        rc = tsk_ext_put(m, NID_subject_key_identifier, id, 0, err);
    else
        rc = tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot hash the public key");
    ASN1_OCTET_STRING_free(id);
    return rc;
}

/* As the issuer calls its key, or would. */
AUTHORITY_KEYID *tsk_ext_authority(X509 *issuer)
{
    const ASN1_OCTET_STRING *known = X509_get0_subject_key_id(issuer);
    AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();

    if (aki != NULL)
        aki->keyid = known != NULL ? ASN1_OCTET_STRING_dup(known)
                                   : tsk_ext_key_id(issuer);
    if (aki != NULL && aki->keyid != NULL)
        return aki;
    AUTHORITY_KEYID_free(aki);
    return NULL;
}

/* A self-signed one has none: RFC 5280, 4.2.1.1 allows that. */
static int authority_key_id(struct tsk_make *m, tlsock_error *err)
{
    AUTHORITY_KEYID *aki;
    int rc;

    if (m->o->issuer == NULL)
        return TLSOCK_OK;
    aki = tsk_ext_authority(m->o->issuer->leaf);
    if (aki != NULL)
        rc = tsk_ext_put(m, NID_authority_key_identifier, aki, 0, err);
    else
        rc = tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot name the issuer's key");
    AUTHORITY_KEYID_free(aki);
    return rc;
}

/* RFC 5280, 4.2.1.6: critical if the subject is empty */
static int alt_names(struct tsk_make *m, tlsock_error *err)
{
    if (sk_GENERAL_NAME_num(m->sans) == 0)
        return TLSOCK_OK;
    return tsk_ext_put(m, NID_subject_alt_name, m->sans,
                       X509_NAME_entry_count(m->subject) == 0, err);
}

static int permitted(struct tsk_make *m, tlsock_error *err)
{
    NAME_CONSTRAINTS *nc = NULL;
    int rc;

    if (m->o->permitted == NULL)
        return TLSOCK_OK;
    rc = tsk_permitted_parse(&nc, m->o->permitted, err);
    if (rc == TLSOCK_OK)
        rc = tsk_ext_put(m, NID_name_constraints, nc, 1, err);
    NAME_CONSTRAINTS_free(nc);
    return rc;
}

/* Those that are copied or written out come first and stay. */
int tsk_ext_build(struct tsk_make *m, tlsock_error *err)
{
    static int (*const parts[])(struct tsk_make *, tlsock_error *) = {
        tsk_ext_own,   subject_key_id, authority_key_id, basic_constraints,
        tsk_usage_add, alt_names,      permitted,        tsk_ext_urls};
    int rc = TLSOCK_OK;

    for (size_t i = 0; rc == TLSOCK_OK && i < sizeof(parts) / sizeof(parts[0]);
         i++)
        rc = parts[i](m, err);
    if (rc == TLSOCK_OK)
        rc = tsk_ext_check(m, err);
    if (rc == TLSOCK_OK)
        rc = tsk_usage_check(m, err);
    return rc;
}
