#include "cert/json.h"

#include "cert/cert.h"
#include "cert/order.h"
#include "core/mem.h"
#include "ossl/queue.h"

#include <limits.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <string.h>

#define DAY 86400
/* So many certificates are looked at, so many signatures tried, whatever the
 * length of the chain and however alike its names. */
#define MOST_ISSUERS 100
#define MOST_TRIES 4
#define PUT TSK_PUT

void tsk_json_text(struct tsk_json *j, const char *text)
{
    tsk_append_json(j->out, j->size, &j->pos, text);
}

void tsk_json_take(struct tsk_json *j, struct tsk_text *t)
{
    char *text = tsk_text_take(t);

    j->failed |= text == NULL;
    tsk_json_text(j, text);
    tsk_free(text);
}

void tsk_json_hex(struct tsk_json *j, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    char hex[2 * 256 + 1];

    PUT(j, "\"");
    for (size_t n; len > 0; len -= n, p += n) {
        n = len < 256 ? len : 256;
        tsk_hex(hex, p, n);
        PUT(j, "%s", hex);
    }
    PUT(j, "\"");
}

void tsk_json_object(struct tsk_json *j, const ASN1_OBJECT *obj)
{
    int nid = OBJ_obj2nid(obj);
    char oid[128];

    if (OBJ_obj2txt(oid, sizeof(oid), obj, 1) <= 0)
        oid[0] = '\0';
    PUT(j, "\"oid\":");
    tsk_json_text(j, oid);
    PUT(j, ",\"name\":");
    tsk_json_text(j, nid != NID_undef ? OBJ_nid2sn(nid) : NULL);
}

static void field(struct tsk_json *j, X509 *x, const char *key, int item)
{
    char *text = tsk_cert_text(x, item);

    j->failed |= text == NULL;
    PUT(j, ",\"%s\":", key);
    tsk_json_text(j, text);
    tsk_free(text);
}

/* A list field: its separator is in none of its items. */
static void list(struct tsk_json *j, X509 *x, const char *key, int item,
                 const char *sep)
{
    char *text = tsk_cert_text(x, item), *p = text;

    j->failed |= text == NULL;
    PUT(j, ",\"%s\":[", key);
    while (p != NULL && *p != '\0') {
        char *end = strstr(p, sep);

        if (end != NULL)
            *end = '\0';
        PUT(j, "%s", p != text ? "," : "");
        tsk_json_text(j, p);
        p = end != NULL ? end + strlen(sep) : NULL;
    }
    PUT(j, "]");
    tsk_free(text);
}

/* Whole days from one time to another, rounded down: -1 is "since
 * yesterday". */
static void days(struct tsk_json *j, const char *key, int64_t from, int64_t to)
{
    int64_t left;

    if (from == INT64_MIN || to == INT64_MIN) {
        PUT(j, ",\"%s\":null", key);
        return;
    }
    left = to - from;
    left = left >= 0 ? left / DAY : -((-left + DAY - 1) / DAY);
    PUT(j, ",\"%s\":%lld", key, (long long)left);
}

static void dates(struct tsk_json *j, X509 *x, int64_t now)
{
    int64_t from = tsk_cert_time(X509_get0_notBefore(x)),
            to = tsk_cert_time(X509_get0_notAfter(x));

    field(j, x, "not_before", TLSOCK_CERT_NOT_BEFORE);
    field(j, x, "not_after", TLSOCK_CERT_NOT_AFTER);
    days(j, "days_left", now, to);
    days(j, "days", from, to);
}

static void basics(struct tsk_json *j, X509 *x)
{
    long pathlen = X509_get_pathlen(x);
    int ca = (X509_get_extension_flags(x) & EXFLAG_CA) != 0;

    PUT(j, ",\"version\":%ld", X509_get_version(x) + 1);
    PUT(j, ",\"ca\":%s", ca ? "true" : "false");
    if (ca && pathlen >= 0)
        PUT(j, ",\"pathlen\":%ld", pathlen);
    else
        PUT(j, ",\"pathlen\":null");
}

static void signature(struct tsk_json *j, X509 *x)
{
    const X509_ALGOR *alg = NULL;
    const ASN1_OBJECT *obj = NULL;
    char oid[128];

    X509_get0_signature(NULL, &alg, x);
    X509_ALGOR_get0(&obj, NULL, NULL, alg);
    if (OBJ_obj2txt(oid, sizeof(oid), obj, 1) <= 0)
        oid[0] = '\0';
    field(j, x, "signature", TLSOCK_CERT_SIGNATURE);
    PUT(j, ",\"signature_oid\":");
    tsk_json_text(j, oid);
}

/* Its place in "chain", -1 for the leaf: the signature counts, not the name. */
static void issuer_index(struct tsk_json *j, const tlsock_cert *c, X509 *x)
{
    int n = sk_X509_num(c->chain), tries = 0;

    for (int i = -1; i < n && i < MOST_ISSUERS && tries < MOST_TRIES; i++) {
        X509 *at = i < 0 ? c->leaf : sk_X509_value(c->chain, i);

        if (at == x || X509_check_issued(at, x) != X509_V_OK)
            continue;
        tries++;
        if (tsk_cert_issued(at, x)) {
            PUT(j, ",\"issuer_index\":%d", i);
            return;
        }
    }
    PUT(j, ",\"issuer_index\":null");
}

/* PEM has nothing to escape but the ends of its lines. */
static void pem(struct tsk_json *j, X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    long n = 0;

    if (bio != NULL && PEM_write_bio_X509(bio, x) == 1)
        n = BIO_get_mem_data(bio, &p);
    j->failed |= n <= 0;
    PUT(j, ",\"pem\":\"");
    while (n > 0) {
        const char *end = memchr(p, '\n', (size_t)n);
        long len = end != NULL ? end - p : n;

        PUT(j, "%.*s\\n", (int)len, p);
        p += len + (end != NULL);
        n -= len + (end != NULL);
    }
    PUT(j, "\"");
    BIO_free(bio);
}

/* The members of one certificate, without braces; each begins with a comma. */
static void members(struct tsk_json *j, const tlsock_cert *c, X509 *x,
                    int64_t now)
{
    int self = tsk_cert_issued(x, x);

    field(j, x, "subject", TLSOCK_CERT_SUBJECT);
    field(j, x, "issuer", TLSOCK_CERT_ISSUER);
    field(j, x, "cn", TLSOCK_CERT_CN);
    list(j, x, "sans", TLSOCK_CERT_SANS, ", ");
    tsk_json_names(j, x);
    field(j, x, "serial", TLSOCK_CERT_SERIAL);
    dates(j, x, now);
    field(j, x, "key_type", TLSOCK_CERT_KEY_TYPE);
    tsk_json_key(j, x);
    basics(j, x);
    signature(j, x);
    PUT(j, ",\"self_signed\":%s", self ? "true" : "false");
    issuer_index(j, c, x);
    list(j, x, "usage", TLSOCK_CERT_USAGE, ", ");
    list(j, x, "crl_urls", TLSOCK_CERT_CRL_URLS, " ");
    list(j, x, "ocsp_urls", TLSOCK_CERT_OCSP_URLS, " ");
    list(j, x, "aia_urls", TLSOCK_CERT_AIA_URLS, " ");
    field(j, x, "sha256", TLSOCK_CERT_SHA256);
    field(j, x, "pin", TLSOCK_CERT_PIN);
    field(j, x, "key_id", TLSOCK_CERT_KEY_ID);
    field(j, x, "issuer_key_id", TLSOCK_CERT_ISSUER_KEY_ID);
    tsk_json_extensions(j, x);
    PUT(j, ",\"size\":%d", i2d_X509(x, NULL));
    pem(j, x);
}

int tsk_cert_json(const tlsock_cert *c, int64_t now, char *out, size_t size)
{
    struct tsk_json j = {.out = out, .size = size};

    tsk_ossl_enter();
    PUT(&j, "{\"schema\":\"tlsock.cert/1\"");
    members(&j, c, c->leaf, now);
    PUT(&j, ",\"has_key\":%s,\"chain\":[", c->key != NULL ? "true" : "false");
    for (int i = 0; i < sk_X509_num(c->chain); i++) {
        PUT(&j, "%s{\"index\":%d", i > 0 ? "," : "", i);
        members(&j, c, sk_X509_value(c->chain, i), now);
        PUT(&j, "}");
    }
    PUT(&j, "]}");
    tsk_ossl_leave();
    if (j.failed) {
        if (size > 0)
            out[0] = '\0';
        return TLSOCK_E_NOMEM;
    }
    return j.pos <= INT_MAX ? (int)j.pos : TLSOCK_E_LIMIT;
}
