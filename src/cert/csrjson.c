/* A request as JSON: what it asks for, and what of it would be granted. */
#include "cert/csr.h"

#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <limits.h>
#include <string.h>

struct json {
    char *out;
    size_t size, pos;
    int failed; /* out of memory */
};

#define PUT(j, ...) tsk_append((j)->out, (j)->size, &(j)->pos, __VA_ARGS__)

static void field(struct json *j, const tlsock_csr *r, const char *key,
                  int item)
{
    const char *text = tsk_csr_field(r, item);

    j->failed |= text == NULL;
    PUT(j, ",\"%s\":", key);
    tsk_append_json(j->out, j->size, &j->pos, text);
}

/* Commas in an item are escaped: ", " parts them. */
static void list(struct json *j, const tlsock_csr *r, const char *key, int item)
{
    const char *p = tsk_csr_field(r, item);

    j->failed |= p == NULL;
    PUT(j, ",\"%s\":[", key);
    for (int n = 0; p != NULL && *p != '\0'; n++) {
        const char *end = strstr(p, ", ");
        size_t len = end != NULL ? (size_t)(end - p) : strlen(p);
        char *one = tsk_strndup(p, len);

        j->failed |= one == NULL;
        PUT(j, "%s", n > 0 ? "," : "");
        tsk_append_json(j->out, j->size, &j->pos, one);
        tsk_free(one);
        p = end != NULL ? end + 2 : NULL;
    }
    PUT(j, "]");
}

static void extension(struct json *j, X509_EXTENSION *ext)
{
    const ASN1_OBJECT *obj = X509_EXTENSION_get_object(ext);
    int nid = OBJ_obj2nid(obj), kept;
    const char *note;
    char oid[128];

    if (OBJ_obj2txt(oid, sizeof(oid), obj, 1) <= 0)
        oid[0] = '\0';
    kept = tsk_csr_keeps(ext, &note);
    PUT(j, "{\"oid\":");
    tsk_append_json(j->out, j->size, &j->pos, oid);
    PUT(j, ",\"name\":");
    tsk_append_json(j->out, j->size, &j->pos,
                    nid != NID_undef ? OBJ_nid2sn(nid) : NULL);
    PUT(j, ",\"critical\":%s,\"kept\":\"%s\",\"note\":",
        X509_EXTENSION_get_critical(ext) ? "true" : "false",
        kept == 0  ? "no"
        : kept > 0 ? "yes"
                   : "part");
    tsk_append_json(j->out, j->size, &j->pos, *note != '\0' ? note : NULL);
    PUT(j, "}");
}

static void basics(struct json *j, const tlsock_csr *r)
{
    X509 *x = r->view->leaf;
    EVP_PKEY *key = X509_get0_pubkey(x);
    int ca = (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
    long pathlen = X509_get_pathlen(x);

    PUT(j, ",\"key_bits\":%d", key != NULL ? EVP_PKEY_get_bits(key) : 0);
    PUT(j, ",\"ca\":%s", ca ? "true" : "false");
    if (ca && pathlen >= 0)
        PUT(j, ",\"pathlen\":%ld", pathlen);
    else
        PUT(j, ",\"pathlen\":null");
}

int tsk_csr_json(const tlsock_csr *r, char *out, size_t size)
{
    struct json j = {.out = out, .size = size};

    tsk_ossl_enter();
    PUT(&j, "{\"schema\":\"tlsock.csr/1\"");
    field(&j, r, "subject", TLSOCK_CERT_SUBJECT);
    field(&j, r, "cn", TLSOCK_CERT_CN);
    list(&j, r, "sans", TLSOCK_CERT_SANS);
    field(&j, r, "key_type", TLSOCK_CERT_KEY_TYPE);
    basics(&j, r);
    field(&j, r, "signature", TLSOCK_CERT_SIGNATURE);
    list(&j, r, "usage", TLSOCK_CERT_USAGE);
    field(&j, r, "pin", TLSOCK_CERT_PIN);
    PUT(&j, ",\"has_key\":%s,\"extensions\":[",
        r->key != NULL ? "true" : "false");
    for (int i = 0; i < X509_get_ext_count(r->view->leaf); i++) {
        PUT(&j, "%s", i > 0 ? "," : "");
        extension(&j, X509_get_ext(r->view->leaf, i));
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
