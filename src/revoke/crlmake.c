#include "cert/save.h"
#include "core/clock.h"
#include "core/str.h"
#include "ossl/ext.h"
#include "ossl/queue.h"
#include "revoke/make.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY 86400
#define DAYS 7
#define REMOVE_FROM_CRL 8
#define KEYID_LEN 20

struct crl {
    const tlsock_crl_opts *o;
    int64_t from, to; /* Unix seconds */
    const EVP_MD *md;
    ASN1_INTEGER *number;
    X509_CRL *crl;
};

static int bad(tlsock_error *err, const char *what, const char *hint)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s", what);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int plan_time(struct crl *c, tlsock_error *err)
{
    const tlsock_crl_opts *o = c->o;

    if (o->days < 0 || o->this_update < 0 || o->next_update < 0)
        return bad(err, "a time of the CRL is negative",
                   "give seconds since 1970, and days of 1 and more");
    c->from = o->this_update != 0 ? o->this_update : tsk_wall_time();
    c->to = o->next_update != 0
                ? o->next_update
                : c->from + (int64_t)(o->days != 0 ? o->days : DAYS) * DAY;
    if (c->from > TSK_LAST_SECOND || c->to > TSK_LAST_SECOND)
        return bad(err, "a time of the CRL is behind the year 9999",
                   "give seconds since 1970");
    if (c->to <= c->from)
        return bad(err, "the CRL's next update is not behind this one",
                   "leave next_update out to have it made anew in 7 days, or "
                   "give a later one");
    return TLSOCK_OK;
}

static int plan(struct crl *c, tlsock_error *err)
{
    const tlsock_crl_opts *o = c->o;
    int rc;

    if (o->issuer == NULL)
        return bad(err, "a CRL needs its issuer", "give the CA, with its key");
    if (o->number == NULL)
        return bad(err, "a CRL needs its number",
                   "keep the last one that was used, and give a larger one "
                   "each time, in hex");
    if (o->n_revoked != 0 && o->revoked == NULL)
        return bad(err,
                   "the list of what is revoked is NULL, but its number "
                   "is not 0",
                   "set both, or none");
    rc = tsk_signer_is_ca(o->issuer, KU_CRL_SIGN, "CRLs", err);
    if (rc == TLSOCK_OK)
        rc = tsk_signer_key(o->issuer, "the issuer", err);
    if (rc == TLSOCK_OK)
        rc = tsk_signer_digest(&c->md, o->issuer->key, o->digest, err);
    if (rc == TLSOCK_OK)
        rc = tsk_hex_integer(&c->number, o->number, "CRL number", err);
    return rc == TLSOCK_OK ? plan_time(c, err) : rc;
}

/* NULL: no memory */
static ASN1_TIME *time_of(int64_t seconds)
{
    return tsk_ossl_time(NULL, seconds);
}

static int set_reason(X509_REVOKED *r, int reason, tlsock_error *err)
{
    ASN1_ENUMERATED *value;
    int ok;

    /* RFC 5280, 5.3.1: absent rather than unspecified */
    if (reason == 0)
        return TLSOCK_OK;
    value = ASN1_ENUMERATED_new();
    ok = value != NULL && ASN1_ENUMERATED_set(value, reason) &&
         X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, value, 0, 0) == 1;
    ASN1_ENUMERATED_free(value);
    return ok ? TLSOCK_OK : tsk_fail_nomem(err);
}

static int check_entry(const tlsock_revoked *e, tlsock_error *err)
{
    if (e->serial == NULL)
        return bad(err, "it has no serial", "give the serial, in hex");
    if (e->when <= 0 || e->when > TSK_LAST_SECOND)
        return bad(err, "it does not say since when",
                   "set when, in seconds since 1970");
    if (tsk_reason_known(e->reason) && e->reason != REMOVE_FROM_CRL)
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_ARGUMENT, "the reason %d is not possible",
             e->reason);
    tsk_hint(err, "valid are 0 to 6, 9 and 10; 8, removeFromCRL, is for delta "
                  "CRLs alone");
    return TLSOCK_E_ARGUMENT;
}

static int fill_entry(X509_REVOKED *r, const tlsock_revoked *e,
                      tlsock_error *err)
{
    ASN1_INTEGER *serial = NULL;
    ASN1_TIME *when = NULL;
    int rc = check_entry(e, err);

    if (rc == TLSOCK_OK)
        rc = tsk_hex_integer(&serial, e->serial, "serial", err);
    if (rc != TLSOCK_OK)
        return rc;
    when = time_of(e->when);
    if (when == NULL || !X509_REVOKED_set_serialNumber(r, serial) ||
        !X509_REVOKED_set_revocationDate(r, when))
        rc = tsk_fail_nomem(err);
    else
        rc = set_reason(r, e->reason, err);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(when);
    return rc;
}

/* Entries are as far apart as the caller's compiler thought: size says so. */
static int add_entries(const struct crl *c, tlsock_error *err)
{
    const unsigned char *at = (const unsigned char *)c->o->revoked;

    for (size_t i = 0; i < c->o->n_revoked; i++) {
        const tlsock_revoked *e = (const tlsock_revoked *)(const void *)at;
        X509_REVOKED *r;
        int rc;

        if (e->size < sizeof(*e))
            return bad(err, "an entry of the list has no size",
                       "set size to sizeof(tlsock_revoked)");
        r = X509_REVOKED_new();
        rc = r != NULL ? fill_entry(r, e, err) : tsk_fail_nomem(err);
        if (rc == TLSOCK_OK && X509_CRL_add0_revoked(c->crl, r) != 1)
            rc = tsk_fail_nomem(err);
        if (rc != TLSOCK_OK) {
            X509_REVOKED_free(r);
            if (rc != TLSOCK_E_NOMEM)
                tsk_about(err, "revoked certificate %zu: ", i + 1);
            return rc;
        }
        at += e->size;
    }
    return TLSOCK_OK;
}

/* A list that tells two stories of one certificate tells none. */
static int check_twice(const struct crl *c, tlsock_error *err)
{
    STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(c->crl);
    char hex[2 * TSK_SERIAL_MAX + 1];

    for (int i = 1; i < sk_X509_REVOKED_num(all); i++) {
        const ASN1_INTEGER *a, *b;

        a = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i - 1));
        b = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i));
        if (ASN1_INTEGER_cmp(a, b) != 0)
            continue;
        tsk_hex(hex, ASN1_STRING_get0_data(a), (size_t)ASN1_STRING_length(a));
        tsk_fail(err, TLSOCK_E_ARGUMENT, "the serial %s is listed twice", hex);
        tsk_hint(err, "list each certificate once, with its first revocation");
        return TLSOCK_E_ARGUMENT;
    }
    return TLSOCK_OK;
}

/* RFC 5280, 5.2.1. A CA that does not name its key gets the name that
 * tlsock_cert_create() gives: RFC 7093, 2, method 1. */
static int add_key_id(const struct crl *c)
{
    const ASN1_OCTET_STRING *known;
    unsigned char hash[EVP_MAX_MD_SIZE];
    AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
    int ok = aki != NULL;

    known = X509_get0_subject_key_id(c->o->issuer->leaf);
    if (ok && known != NULL)
        ok = (aki->keyid = ASN1_OCTET_STRING_dup(known)) != NULL;
    else if (ok)
        ok = X509_pubkey_digest(c->o->issuer->leaf, EVP_sha256(), hash, NULL) &&
             (aki->keyid = ASN1_OCTET_STRING_new()) != NULL &&
             ASN1_OCTET_STRING_set(aki->keyid, hash, KEYID_LEN);
    ok = ok && X509_CRL_add1_ext_i2d(c->crl, NID_authority_key_identifier, aki,
                                     0, 0) == 1;
    AUTHORITY_KEYID_free(aki);
    return ok;
}

static int is_url(const char *url)
{
    for (const char *p = url; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~')
            return 0;
    return tsk_casencmp(url, "http://", 7) == 0 ||
           tsk_casencmp(url, "https://", 8) == 0 ||
           tsk_casencmp(url, "ldap://", 7) == 0;
}

/* RFC 5280, 5.2.5: critical */
static int add_point(const struct crl *c)
{
    ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();
    DIST_POINT_NAME *at = DIST_POINT_NAME_new();
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_IA5STRING *s = ASN1_IA5STRING_new();
    int ok = idp != NULL && at != NULL && g != NULL && s != NULL;

    if (ok) {
        at->type = 0; /* fullName; before it is filled, or it is not freed */
        at->name.fullname = GENERAL_NAMES_new();
        ok = at->name.fullname != NULL && ASN1_STRING_set(s, c->o->url, -1);
    }
    if (ok) {
        GENERAL_NAME_set0_value(g, GEN_URI, s);
        s = NULL;
        ok = sk_GENERAL_NAME_push(at->name.fullname, g) > 0;
        g = ok ? NULL : g;
        idp->distpoint = at;
        at = NULL;
    }
    ok = ok && X509_CRL_add1_ext_i2d(c->crl, NID_issuing_distribution_point,
                                     idp, 1, 0) == 1;
    ASN1_IA5STRING_free(s);
    GENERAL_NAME_free(g);
    DIST_POINT_NAME_free(at);
    ISSUING_DIST_POINT_free(idp);
    return ok;
}

static int add_extensions(const struct crl *c, tlsock_error *err)
{
    if (c->o->url != NULL && !is_url(c->o->url))
        return bad(err, "the address of the CRL is not a URL",
                   "write http://host/path");
    if (!add_key_id(c) ||
        X509_CRL_add1_ext_i2d(c->crl, NID_crl_number, c->number, 0, 0) != 1 ||
        (c->o->url != NULL && !add_point(c)))
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM,
                             "cannot add the extensions of the CRL");
    return TLSOCK_OK;
}

static int fill_head(const struct crl *c, tlsock_error *err)
{
    ASN1_TIME *from = time_of(c->from), *to = time_of(c->to);
    int ok = from != NULL && to != NULL &&
             X509_CRL_set_version(c->crl, X509_CRL_VERSION_2) &&
             X509_CRL_set_issuer_name(
                 c->crl, X509_get_subject_name(c->o->issuer->leaf)) &&
             X509_CRL_set1_lastUpdate(c->crl, from) &&
             X509_CRL_set1_nextUpdate(c->crl, to);

    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return ok ? TLSOCK_OK : tsk_fail_nomem(err);
}

static int sign(const struct crl *c, tlsock_error *err)
{
    int rc;

    if (X509_CRL_sign(c->crl, c->o->issuer->key, c->md) > 0)
        return TLSOCK_OK;
    rc = tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                       "the issuer's key cannot sign");
    if (rc != TLSOCK_E_NOMEM)
        tsk_hint(err, "a CA needs a key for signatures: ECDSA, RSA, Ed25519");
    return rc;
}

static int build(struct crl *c, tlsock_error *err)
{
    int rc = plan(c, err);

    if (rc != TLSOCK_OK)
        return rc;
    c->crl = X509_CRL_new();
    if (c->crl == NULL)
        return tsk_fail_nomem(err);
    rc = fill_head(c, err);
    if (rc == TLSOCK_OK)
        rc = add_entries(c, err);
    if (rc == TLSOCK_OK) {
        X509_CRL_sort(c->crl);
        rc = check_twice(c, err);
    }
    if (rc == TLSOCK_OK)
        rc = add_extensions(c, err);
    return rc == TLSOCK_OK ? sign(c, err) : rc;
}

static int save(const X509_CRL *crl, unsigned format, const char *path,
                tlsock_error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    long len;
    int rc;

    if (bio == NULL)
        return tsk_fail_nomem(err);
    if ((format == TLSOCK_FORMAT_DER ? i2d_X509_CRL_bio(bio, crl)
                                     : PEM_write_bio_X509_CRL(bio, crl)) != 1) {
        rc = tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot encode the CRL");
    } else {
        len = BIO_get_mem_data(bio, &data);
        rc = tsk_file_replace(path, data, (size_t)len, 0644, err);
    }
    BIO_free(bio);
    return rc;
}

int tsk_crl_save(const tlsock_crl_opts *o, unsigned format, const char *path,
                 tlsock_error *err)
{
    struct crl c = {.o = o};
    int rc;

    tsk_ossl_enter();
    if (format != TLSOCK_FORMAT_PEM && format != TLSOCK_FORMAT_DER)
        rc = bad(err, "the format of the CRL is not known",
                 "valid are TLSOCK_FORMAT_PEM and TLSOCK_FORMAT_DER");
    else
        rc = build(&c, err);
    if (rc == TLSOCK_OK)
        rc = save(c.crl, format, path, err);
    ASN1_INTEGER_free(c.number);
    X509_CRL_free(c.crl);
    tsk_ossl_leave();
    return rc;
}
