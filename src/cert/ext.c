#include "cert/make.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/sha.h>
#include <string.h>

#define KEYID_LEN 20

static int put(X509 *x, int nid, void *value, int critical, tlsock_error *err)
{
    if (value != NULL && X509_add1_ext_i2d(x, nid, value, critical,
                                           X509V3_ADD_DEFAULT) == 1)
        return TLSOCK_OK;
    return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot add the extension %s",
                         OBJ_nid2sn(nid));
}

static int basic_constraints(const struct tsk_make *m, X509 *x,
                             tlsock_error *err)
{
    BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
    int rc = TLSOCK_OK;

    if (bc != NULL && m->o->ca) {
        bc->ca = 0xff;
        if (m->o->pathlen >= 0) {
            bc->pathlen = ASN1_INTEGER_new();
            if (bc->pathlen == NULL ||
                !ASN1_INTEGER_set_int64(bc->pathlen, m->o->pathlen))
                rc = tsk_fail_nomem(err);
        }
    }
    if (rc == TLSOCK_OK)
        rc = put(x, NID_basic_constraints, bc, 1, err);
    BASIC_CONSTRAINTS_free(bc);
    return rc;
}

/* RFC 5280, 4.2.1.3. Bit 0 is digitalSignature, 2 keyEncipherment, which TLS
 * 1.2 may still use with RSA, 5 keyCertSign, 6 cRLSign. */
static int key_usage(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    int ok = bits != NULL, rc;

    if (ok && m->o->ca)
        ok = ASN1_BIT_STRING_set_bit(bits, 5, 1) &&
             ASN1_BIT_STRING_set_bit(bits, 6, 1);
    else if (ok)
        ok = ASN1_BIT_STRING_set_bit(bits, 0, 1);
    if (ok && !m->o->ca && m->server &&
        EVP_PKEY_get_base_id(m->key) == EVP_PKEY_RSA)
        ok = ASN1_BIT_STRING_set_bit(bits, 2, 1);
    rc = ok ? put(x, NID_key_usage, bits, 1, err) : tsk_fail_nomem(err);
    ASN1_BIT_STRING_free(bits);
    return rc;
}

static int extended_usage(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    EXTENDED_KEY_USAGE *eku = EXTENDED_KEY_USAGE_new();
    int ok = eku != NULL, rc;

    if (ok && m->server)
        ok = sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_server_auth)) > 0;
    if (ok && m->client)
        ok = sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(NID_client_auth)) > 0;
    rc = ok ? put(x, NID_ext_key_usage, eku, 0, err) : tsk_fail_nomem(err);
    EXTENDED_KEY_USAGE_free(eku);
    return rc;
}

/* RFC 7093, 2, method 1: the leftmost 160 bits of the SHA-256 of the key. */
static int key_id(X509 *x, ASN1_OCTET_STRING **out)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];

    *out = ASN1_OCTET_STRING_new();
    return *out != NULL && X509_pubkey_digest(x, EVP_sha256(), hash, NULL) &&
           ASN1_OCTET_STRING_set(*out, hash, KEYID_LEN);
}

static int subject_key_id(X509 *x, tlsock_error *err)
{
    ASN1_OCTET_STRING *id = NULL;
    int rc;

    if (key_id(x, &id))
        rc = put(x, NID_subject_key_identifier, id, 0, err);
    else
        rc = tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot hash the public key");
    ASN1_OCTET_STRING_free(id);
    return rc;
}

/* A self-signed one has none: RFC 5280, 4.2.1.1 allows that. */
static int authority_key_id(const struct tsk_make *m, X509 *x,
                            tlsock_error *err)
{
    const ASN1_OCTET_STRING *known;
    AUTHORITY_KEYID *aki;
    int ok, rc;

    if (m->o->issuer == NULL)
        return TLSOCK_OK;
    aki = AUTHORITY_KEYID_new();
    known = X509_get0_subject_key_id(m->o->issuer->leaf);
    if (aki != NULL && known != NULL)
        ok = (aki->keyid = ASN1_OCTET_STRING_dup(known)) != NULL;
    else
        ok = aki != NULL && key_id(m->o->issuer->leaf, &aki->keyid);
    rc = ok ? put(x, NID_authority_key_identifier, aki, 0, err)
            : tsk_fail_ossl(err, TLSOCK_E_NOMEM,
                            "cannot name the issuer's key");
    AUTHORITY_KEYID_free(aki);
    return rc;
}

/* RFC 5280, 4.2.1.6: critical if the subject is empty */
static int alt_names(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    if (sk_GENERAL_NAME_num(m->sans) == 0)
        return TLSOCK_OK;
    return put(x, NID_subject_alt_name, m->sans,
               X509_NAME_entry_count(m->subject) == 0, err);
}

static int permitted(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    NAME_CONSTRAINTS *nc = NULL;
    int rc;

    if (m->o->permitted == NULL)
        return TLSOCK_OK;
    rc = tsk_permitted_parse(&nc, m->o->permitted, err);
    if (rc == TLSOCK_OK)
        rc = put(x, NID_name_constraints, nc, 1, err);
    NAME_CONSTRAINTS_free(nc);
    return rc;
}

static int url_name(GENERAL_NAME *g, const char *what, const char *url,
                    tlsock_error *err)
{
    ASN1_IA5STRING *s;

    for (const char *p = url; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~')
            url = "";
    if (tsk_casencmp(url, "http://", 7) != 0 &&
        tsk_casencmp(url, "https://", 8) != 0 &&
        tsk_casencmp(url, "ldap://", 7) != 0) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "the %s is not a URL", what);
        tsk_hint(err, "write http://host/path");
        return TLSOCK_E_ARGUMENT;
    }
    s = ASN1_IA5STRING_new();
    if (s == NULL || !ASN1_STRING_set(s, url, -1)) {
        ASN1_IA5STRING_free(s);
        return tsk_fail_nomem(err);
    }
    GENERAL_NAME_set0_value(g, GEN_URI, s);
    return TLSOCK_OK;
}

static int crl_point(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    CRL_DIST_POINTS *points = NULL;
    DIST_POINT *p = NULL;
    GENERAL_NAME *g = NULL;
    int rc;

    if (m->o->crl_url == NULL)
        return TLSOCK_OK;
    points = CRL_DIST_POINTS_new();
    p = DIST_POINT_new();
    g = GENERAL_NAME_new();
    if (p != NULL) {
        p->distpoint = DIST_POINT_NAME_new();
        if (p->distpoint != NULL)
            p->distpoint->name.fullname = GENERAL_NAMES_new();
    }
    if (points == NULL || g == NULL || p == NULL || p->distpoint == NULL ||
        p->distpoint->name.fullname == NULL) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    p->distpoint->type = 0;
    rc = url_name(g, "address of the CRL", m->o->crl_url, err);
    if (rc != TLSOCK_OK)
        goto out;
    if (sk_GENERAL_NAME_push(p->distpoint->name.fullname, g) <= 0) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    g = NULL;
    if (sk_DIST_POINT_push(points, p) <= 0) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    p = NULL;
    rc = put(x, NID_crl_distribution_points, points, 0, err);
out:
    GENERAL_NAME_free(g);
    DIST_POINT_free(p);
    CRL_DIST_POINTS_free(points);
    return rc;
}

static int add_access(AUTHORITY_INFO_ACCESS *aia, int method, const char *what,
                      const char *url, tlsock_error *err)
{
    ACCESS_DESCRIPTION *d;
    int rc;

    if (url == NULL)
        return TLSOCK_OK;
    d = ACCESS_DESCRIPTION_new();
    if (d == NULL)
        return tsk_fail_nomem(err);
    d->method = OBJ_nid2obj(method);
    rc = url_name(d->location, what, url, err);
    if (rc == TLSOCK_OK && sk_ACCESS_DESCRIPTION_push(aia, d) <= 0)
        rc = tsk_fail_nomem(err);
    if (rc != TLSOCK_OK)
        ACCESS_DESCRIPTION_free(d);
    return rc;
}

static int info_access(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    AUTHORITY_INFO_ACCESS *aia;
    int rc;

    if (m->o->ocsp_url == NULL && m->o->aia_url == NULL)
        return TLSOCK_OK;
    aia = AUTHORITY_INFO_ACCESS_new();
    if (aia == NULL)
        return tsk_fail_nomem(err);
    rc = add_access(aia, NID_ad_OCSP, "address of the OCSP responder",
                    m->o->ocsp_url, err);
    if (rc == TLSOCK_OK)
        rc = add_access(aia, NID_ad_ca_issuers,
                        "address of the issuer's certificate", m->o->aia_url,
                        err);
    if (rc == TLSOCK_OK)
        rc = put(x, NID_info_access, aia, 0, err);
    AUTHORITY_INFO_ACCESS_free(aia);
    return rc;
}

int tsk_ext_add(const struct tsk_make *m, X509 *x, tlsock_error *err)
{
    static int (*const parts[])(const struct tsk_make *, X509 *,
                                tlsock_error *) = {
        basic_constraints, key_usage, authority_key_id, alt_names,
        permitted,         crl_point, info_access};
    int rc = subject_key_id(x, err);

    for (size_t i = 0;
         rc == TLSOCK_OK && i < sizeof(parts) / sizeof(parts[0]); i++)
        rc = parts[i](m, x, err);
    if (rc == TLSOCK_OK && (m->server || m->client))
        rc = extended_usage(m, x, err);
    if (rc == TLSOCK_OK)
        rc = tsk_ext_own(m, x, err);
    return rc;
}
