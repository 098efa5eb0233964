#include "cert/cert.h"
#include "cert/text.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <limits.h>
#include <openssl/objects.h>
#include <string.h>

#define DAY 86400

struct json {
    char *out;
    size_t size, pos;
    int failed; /* out of memory */
};

#define PUT(j, ...) tsk_append((j)->out, (j)->size, &(j)->pos, __VA_ARGS__)

static void field(struct json *j, X509 *x, const char *key, int item)
{
    char *text = tsk_cert_text(x, item);

    j->failed |= text == NULL;
    PUT(j, ",\"%s\":", key);
    tsk_append_json(j->out, j->size, &j->pos, text);
    tsk_free(text);
}

/* A list field: its separator is in none of its items. */
static void list(struct json *j, X509 *x, const char *key, int item,
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
        tsk_append_json(j->out, j->size, &j->pos, p);
        p = end != NULL ? end + strlen(sep) : NULL;
    }
    PUT(j, "]");
    tsk_free(text);
}

static void extensions(struct json *j, X509 *x)
{
    char oid[128];

    PUT(j, ",\"extensions\":[");
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *ext = X509_get_ext(x, i);
        const ASN1_OBJECT *obj = X509_EXTENSION_get_object(ext);
        int nid = OBJ_obj2nid(obj);

        if (OBJ_obj2txt(oid, sizeof(oid), obj, 1) <= 0)
            oid[0] = '\0';
        PUT(j, "%s{\"oid\":", i > 0 ? "," : "");
        tsk_append_json(j->out, j->size, &j->pos, oid);
        PUT(j, ",\"name\":");
        tsk_append_json(j->out, j->size, &j->pos,
                        nid != NID_undef ? OBJ_nid2sn(nid) : NULL);
        PUT(j, ",\"critical\":%s}",
            X509_EXTENSION_get_critical(ext) ? "true" : "false");
    }
    PUT(j, "]");
}

/* Whole days until the end, rounded down: -1 is "since yesterday". */
static void days_left(struct json *j, X509 *x, int64_t now)
{
    int64_t end = tsk_cert_time(X509_get0_notAfter(x)), left;

    if (end == INT64_MIN) {
        PUT(j, ",\"days_left\":null");
        return;
    }
    left = end - now;
    left = left >= 0 ? left / DAY : -((-left + DAY - 1) / DAY);
    PUT(j, ",\"days_left\":%lld", (long long)left);
}

static void basics(struct json *j, X509 *x)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    long pathlen = X509_get_pathlen(x);
    int ca = (X509_get_extension_flags(x) & EXFLAG_CA) != 0;

    PUT(j, ",\"version\":%ld", X509_get_version(x) + 1);
    PUT(j, ",\"key_bits\":%d", key != NULL ? EVP_PKEY_get_bits(key) : 0);
    PUT(j, ",\"ca\":%s", ca ? "true" : "false");
    if (ca && pathlen >= 0)
        PUT(j, ",\"pathlen\":%ld", pathlen);
    else
        PUT(j, ",\"pathlen\":null");
}

/* The members of one certificate, without braces; each begins with a comma. */
static void members(struct json *j, X509 *x, int64_t now)
{
    field(j, x, "subject", TLSOCK_CERT_SUBJECT);
    field(j, x, "issuer", TLSOCK_CERT_ISSUER);
    field(j, x, "cn", TLSOCK_CERT_CN);
    list(j, x, "sans", TLSOCK_CERT_SANS, ", ");
    field(j, x, "serial", TLSOCK_CERT_SERIAL);
    field(j, x, "not_before", TLSOCK_CERT_NOT_BEFORE);
    field(j, x, "not_after", TLSOCK_CERT_NOT_AFTER);
    days_left(j, x, now);
    field(j, x, "key_type", TLSOCK_CERT_KEY_TYPE);
    basics(j, x);
    field(j, x, "signature", TLSOCK_CERT_SIGNATURE);
    list(j, x, "usage", TLSOCK_CERT_USAGE, ", ");
    list(j, x, "crl_urls", TLSOCK_CERT_CRL_URLS, " ");
    list(j, x, "ocsp_urls", TLSOCK_CERT_OCSP_URLS, " ");
    list(j, x, "aia_urls", TLSOCK_CERT_AIA_URLS, " ");
    field(j, x, "sha256", TLSOCK_CERT_SHA256);
    field(j, x, "pin", TLSOCK_CERT_PIN);
    extensions(j, x);
}

int tsk_cert_json(const tlsock_cert *c, int64_t now, char *out, size_t size)
{
    struct json j = {.out = out, .size = size};

    tsk_ossl_enter();
    PUT(&j, "{\"schema\":\"tlsock.cert/1\"");
    members(&j, c->leaf, now);
    PUT(&j, ",\"has_key\":%s,\"chain\":[", c->key != NULL ? "true" : "false");
    for (int i = 0; i < sk_X509_num(c->chain); i++) {
        PUT(&j, "%s{\"index\":%d", i > 0 ? "," : "", i);
        members(&j, sk_X509_value(c->chain, i), now);
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
