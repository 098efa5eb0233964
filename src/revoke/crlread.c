#include "cert/text.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"
#include "revoke/make.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define MAX_FILE ((size_t)32 << 20)
#define MAX_LISTED 1000
#define MAX_EXTENSIONS 100

struct json {
    char *out;
    size_t size, pos;
    int failed; /* out of memory */
};

#define PUT(j, ...) tsk_append((j)->out, (j)->size, &(j)->pos, __VA_ARGS__)

/* NULL: not there, or not what it should be; or no memory, which shows at the
 * end. found as X509_CRL_get_ext_d2i() says. What is wrong with one extension
 * is not to be taken for the next one's trouble. */
static void *get_ext(struct json *j, const X509_CRL *crl, int nid, int *found)
{
    void *value;

    tsk_ossl_enter();
    value = X509_CRL_get_ext_d2i(crl, nid, found, NULL);
    j->failed |= value == NULL && *found >= 0 && tsk_ossl_starved();
    tsk_ossl_leave();
    return value;
}

/* A text that was put together, as a JSON string. */
static void put_text(struct json *j, struct tsk_text *t)
{
    char *text = tsk_text_take(t);

    j->failed |= text == NULL;
    tsk_append_json(j->out, j->size, &j->pos, text);
    tsk_free(text);
}

/* Hex, lower case; "-1f" for what must not be; null for what is not there. */
static void put_integer(struct json *j, const ASN1_INTEGER *value)
{
    BIGNUM *bn = value != NULL ? ASN1_INTEGER_to_BN(value, NULL) : NULL;
    char *hex = bn != NULL ? BN_bn2hex(bn) : NULL;

    j->failed |= value != NULL && hex == NULL;
    for (char *p = hex; p != NULL && *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p - 'A' + 'a');
    tsk_append_json(j->out, j->size, &j->pos, hex);
    OPENSSL_free(hex);
    BN_free(bn);
}

static void put_hex(struct json *j, const ASN1_OCTET_STRING *bytes)
{
    size_t len = bytes != NULL ? (size_t)ASN1_STRING_length(bytes) : 0;
    char *hex;

    if (bytes == NULL) {
        PUT(j, "null");
        return;
    }
    hex = tsk_alloc(2 * len + 1);
    j->failed |= hex == NULL;
    if (hex != NULL)
        tsk_hex(hex, ASN1_STRING_get0_data(bytes), len);
    tsk_append_json(j->out, j->size, &j->pos, hex);
    tsk_free(hex);
}

static void put_time(struct json *j, const ASN1_TIME *t)
{
    char date[32];

    if (t == NULL) {
        PUT(j, "null");
        return;
    }
    tsk_cert_date(t, date);
    tsk_append_json(j->out, j->size, &j->pos, date);
}

static void put_bool(struct json *j, const char *key, int value)
{
    PUT(j, ",\"%s\":%s", key, value ? "true" : "false");
}

static void signature(struct json *j, const X509_CRL *crl)
{
    const X509_ALGOR *alg = NULL;
    const ASN1_OBJECT *oid = NULL;
    char name[128];

    X509_CRL_get0_signature(crl, NULL, &alg);
    X509_ALGOR_get0(&oid, NULL, NULL, alg);
    if (OBJ_obj2txt(name, sizeof(name), oid, 0) <= 0)
        name[0] = '\0';
    if (OBJ_obj2nid(oid) != NID_undef)
        tsk_append_json(j->out, j->size, &j->pos, OBJ_nid2sn(OBJ_obj2nid(oid)));
    else
        tsk_append_json(j->out, j->size, &j->pos, name);
}

static void fingerprint(struct json *j, const X509_CRL *crl)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned len = 0;

    if (X509_CRL_digest(crl, EVP_sha256(), hash, &len))
        tsk_hex(hex, hash, len);
    else
        j->failed = 1;
    PUT(j, ",\"sha256\":\"sha256:%s\"", hex);
}

/* ASN1_BIT_STRING of RFC 5280, 4.2.1.13, by the names of 5.3.1 */
static void put_reasons(struct json *j, const ASN1_BIT_STRING *bits)
{
    static const char *const names[] = {NULL,
                                        "keyCompromise",
                                        "cACompromise",
                                        "affiliationChanged",
                                        "superseded",
                                        "cessationOfOperation",
                                        "certificateHold",
                                        "privilegeWithdrawn",
                                        "aACompromise"};
    int n = 0;

    if (bits == NULL) {
        PUT(j, "null");
        return;
    }
    PUT(j, "[");
    for (int i = 1; i < (int)(sizeof(names) / sizeof(names[0])); i++)
        if (ASN1_BIT_STRING_get_bit(bits, i))
            PUT(j, "%s\"%s\"", n++ > 0 ? "," : "", names[i]);
    PUT(j, "]");
}

static void put_points(struct json *j, const DIST_POINT_NAME *at)
{
    const GENERAL_NAMES *names = NULL;

    if (at != NULL && at->type == 0)
        names = at->name.fullname;
    PUT(j, "[");
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        struct tsk_text t = {0};

        PUT(j, "%s", i > 0 ? "," : "");
        tsk_text_general(&t, sk_GENERAL_NAME_value(names, i));
        put_text(j, &t);
    }
    PUT(j, "]");
}

/* What the list is limited to; null: it speaks of all that the CA issued. */
static void issuing_point(struct json *j, const X509_CRL *crl)
{
    int found = -1;
    ISSUING_DIST_POINT *idp =
        get_ext(j, crl, NID_issuing_distribution_point, &found);

    if (idp == NULL) {
        PUT(j, ",\"idp\":%s", found == -1 ? "null" : "\"invalid\"");
        return;
    }
    PUT(j, ",\"idp\":{\"points\":");
    put_points(j, idp->distpoint);
    put_bool(j, "only_user", idp->onlyuser > 0);
    put_bool(j, "only_ca", idp->onlyCA > 0);
    put_bool(j, "only_attribute", idp->onlyattr > 0);
    put_bool(j, "indirect", idp->indirectCRL > 0);
    PUT(j, ",\"reasons\":");
    put_reasons(j, idp->onlysomereasons);
    PUT(j, "}");
    ISSUING_DIST_POINT_free(idp);
}

static void extensions(struct json *j, const X509_CRL *crl)
{
    char oid[128];

    PUT(j, ",\"extensions\":[");
    for (int i = 0; i < X509_CRL_get_ext_count(crl) && i < MAX_EXTENSIONS;
         i++) {
        X509_EXTENSION *ext = X509_CRL_get_ext(crl, i);
        const ASN1_OBJECT *obj = X509_EXTENSION_get_object(ext);
        int nid = OBJ_obj2nid(obj);

        if (OBJ_obj2txt(oid, sizeof(oid), obj, 1) <= 0)
            oid[0] = '\0';
        PUT(j, "%s{\"oid\":", i > 0 ? "," : "");
        tsk_append_json(j->out, j->size, &j->pos, oid);
        PUT(j, ",\"name\":");
        tsk_append_json(j->out, j->size, &j->pos,
                        nid != NID_undef ? OBJ_nid2sn(nid) : NULL);
        put_bool(j, "critical", X509_EXTENSION_get_critical(ext));
        PUT(j, "}");
    }
    PUT(j, "]");
}

static void put_reason(struct json *j, const X509_REVOKED *r)
{
    static const char *const names[] = {
        "unspecified",     "keyCompromise",
        "cACompromise",    "affiliationChanged",
        "superseded",      "cessationOfOperation",
        "certificateHold", NULL,
        "removeFromCRL",   "privilegeWithdrawn",
        "aACompromise"};
    int found = -1;
    ASN1_ENUMERATED *value;
    long reason;

    tsk_ossl_enter();
    value = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, &found, NULL);
    reason = value != NULL ? ASN1_ENUMERATED_get(value) : -1;
    j->failed |= value == NULL && found >= 0 && tsk_ossl_starved();
    tsk_ossl_leave();
    ASN1_ENUMERATED_free(value);
    if (reason < 0)
        PUT(j, "null");
    else if (reason < (long)(sizeof(names) / sizeof(names[0])) &&
             names[reason] != NULL)
        PUT(j, "\"%s\"", names[reason]);
    else
        PUT(j, "\"%ld\"", reason);
}

static void entries(struct json *j, X509_CRL *crl)
{
    STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);
    int count = all != NULL ? sk_X509_REVOKED_num(all) : 0;

    PUT(j, ",\"revoked_count\":%d", count);
    put_bool(j, "revoked_complete", count <= MAX_LISTED);
    PUT(j, ",\"revoked\":[");
    for (int i = 0; i < count && i < MAX_LISTED; i++) {
        const X509_REVOKED *r = sk_X509_REVOKED_value(all, i);

        PUT(j, "%s{\"serial\":", i > 0 ? "," : "");
        put_integer(j, X509_REVOKED_get0_serialNumber(r));
        PUT(j, ",\"when\":");
        put_time(j, X509_REVOKED_get0_revocationDate(r));
        PUT(j, ",\"reason\":");
        put_reason(j, r);
        PUT(j, "}");
    }
    PUT(j, "]");
}

static void put_number(struct json *j, const X509_CRL *crl, const char *key,
                       int nid)
{
    int found = -1;
    ASN1_INTEGER *value = get_ext(j, crl, nid, &found);

    PUT(j, ",\"%s\":", key);
    put_integer(j, value);
    ASN1_INTEGER_free(value);
}

static void authority_key(struct json *j, const X509_CRL *crl)
{
    int found = -1;
    AUTHORITY_KEYID *aki =
        get_ext(j, crl, NID_authority_key_identifier, &found);

    PUT(j, ",\"aki\":");
    put_hex(j, aki != NULL ? aki->keyid : NULL);
    AUTHORITY_KEYID_free(aki);
}

/* One without an end (against RFC 5280, 5.1.2.5) is never overdue. */
static int overdue(const X509_CRL *crl, int64_t now)
{
    const ASN1_TIME *end = X509_CRL_get0_nextUpdate(crl);

    return end != NULL && tsk_cert_time(end) < now;
}

static void all(struct json *j, X509_CRL *crl, int64_t now)
{
    struct tsk_text issuer = {0};

    PUT(j, "{\"schema\":\"tlsock.crl/1\",\"issuer\":");
    tsk_text_name(&issuer, X509_CRL_get_issuer(crl));
    put_text(j, &issuer);
    PUT(j, ",\"version\":%ld", X509_CRL_get_version(crl) + 1);
    put_number(j, crl, "number", NID_crl_number);
    PUT(j, ",\"this_update\":");
    put_time(j, X509_CRL_get0_lastUpdate(crl));
    PUT(j, ",\"next_update\":");
    put_time(j, X509_CRL_get0_nextUpdate(crl));
    put_bool(j, "overdue", overdue(crl, now));
    PUT(j, ",\"signature\":");
    signature(j, crl);
    authority_key(j, crl);
    issuing_point(j, crl);
    put_bool(j, "delta", X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0);
    put_number(j, crl, "base_number", NID_delta_crl);
    fingerprint(j, crl);
    extensions(j, crl);
    entries(j, crl);
    PUT(j, "}");
}

static X509_CRL *parse(const unsigned char *data, size_t len)
{
    static const char mark[] = "-----BEGIN ";
    const unsigned char *p = data;
    X509_CRL *crl;
    BIO *bio;

    if (memmem(data, len, mark, sizeof(mark) - 1) == NULL) {
        crl = d2i_X509_CRL(NULL, &p, (long)len);
        if (crl == NULL || p == data + len)
            return crl;
        X509_CRL_free(crl);
        return NULL;
    }
    bio = BIO_new_mem_buf(data, (int)len);
    crl = bio != NULL ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return crl;
}

static int is_none(const char *name, tlsock_error *err)
{
    int rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE, "\"%s\" is no CRL", name);

    if (rc != TLSOCK_E_NOMEM)
        tsk_hint(err, "it takes PEM (\"BEGIN X509 CRL\") or DER; tlsock cert "
                      "show tells what else a file is");
    return rc;
}

int tsk_crl_text(const unsigned char *data, size_t len, const char *name,
                 int64_t now, char *out, size_t size, tlsock_error *err)
{
    struct json j = {.out = out, .size = size};
    X509_CRL *crl;
    int rc;

    tsk_ossl_enter();
    crl = parse(data, len);
    if (crl == NULL) {
        rc = is_none(name, err);
    } else {
        all(&j, crl, now);
        /* of 32 MiB nothing can be made that an int does not count */
        rc = j.failed ? tsk_fail_nomem(err) : (int)j.pos;
    }
    if (rc < 0 && size > 0)
        out[0] = '\0';
    X509_CRL_free(crl);
    tsk_ossl_leave();
    return rc;
}

int tsk_crl_json(const char *uri, int64_t now, char *out, size_t size,
                 tlsock_error *err)
{
    unsigned char *data = NULL;
    char name[256];
    size_t len = 0;
    int rc;

    if (size > 0)
        out[0] = '\0';
    tsk_ossl_enter();
    rc = tsk_uri_read(uri, MAX_FILE, &data, &len, name, err);
    if (rc == TLSOCK_OK)
        rc = tsk_crl_text(data, len, name, now, out, size, err);
    tsk_free_secret(data, len);
    tsk_ossl_leave();
    return rc;
}
