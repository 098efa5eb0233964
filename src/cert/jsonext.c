/* jsonext - extensions: those that matter taken apart (RFC 5280, 4.2), and
 * all of them as text and as bytes. */
#include "cert/cert.h"
#include "cert/json.h"
#include "core/date.h"
#include "core/mem.h"
#include "ossl/ext.h"

#include <openssl/ct.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PUT TSK_PUT

/* OpenSSL's text has lines: they become one, parted by "; ". */
static void one_line(struct tsk_text *t, const char *p, size_t len)
{
    while (len > 0) {
        const char *end = memchr(p, '\n', len);
        size_t n = end != NULL ? (size_t)(end - p) : len, next = n + 1;

        while (n > 0 && *p == ' ') {
            p++;
            len--;
            n--;
            next--;
        }
        if (n > 0 && t->buf.len > 0)
            tsk_text_add(t, tsk_buf_at(&t->buf)[t->buf.len - 1] == ':' ? " "
                                                                       : "; ");
        tsk_text_escaped(t, p, n, "", 0);
        p += end != NULL ? next : n;
        len -= end != NULL ? next : n;
    }
}

static void extension(struct tsk_json *j, X509_EXTENSION *ext)
{
    const ASN1_OCTET_STRING *der = X509_EXTENSION_get_data(ext);
    BIO *bio = BIO_new(BIO_s_mem());
    struct tsk_text t = {0};
    char *p = NULL;
    long n;

    j->failed |= bio == NULL;
    PUT(j, "{");
    tsk_json_object(j, X509_EXTENSION_get_object(ext));
    PUT(j, ",\"critical\":%s,\"data\":",
        X509_EXTENSION_get_critical(ext) ? "true" : "false");
    if (bio != NULL && X509V3_EXT_print(bio, ext, X509V3_EXT_DEFAULT, 0) == 1) {
        n = BIO_get_mem_data(bio, &p);
        one_line(&t, p, n > 0 ? (size_t)n : 0);
        tsk_json_take(j, &t);
    } else {
        PUT(j, "null"); /* unknown, or not readable as what it claims to be */
    }
    PUT(j, ",\"der\":");
    tsk_json_hex(j, ASN1_STRING_get0_data(der),
                 (size_t)ASN1_STRING_length(der));
    PUT(j, "}");
    BIO_free(bio);
}

static void basic_constraints(struct tsk_json *j, X509 *x)
{
    int critical = -1;
    BASIC_CONSTRAINTS *b =
        tsk_ossl_ext(x, NID_basic_constraints, &critical, &j->failed);
    int64_t most = -1;

    PUT(j, ",\"basic_constraints\":");
    if (b == NULL) {
        PUT(j, "null");
        return;
    }
    PUT(j, "{\"critical\":%s,\"ca\":%s,\"pathlen\":",
        critical == 1 ? "true" : "false", b->ca ? "true" : "false");
    if (b->pathlen != NULL && ASN1_INTEGER_get_int64(&most, b->pathlen))
        PUT(j, "%lld}", (long long)most);
    else
        PUT(j, "null}");
    BASIC_CONSTRAINTS_free(b);
}

static void key_usage(struct tsk_json *j, X509 *x)
{
    uint32_t flags = X509_get_extension_flags(x);
    int n = 0;

    PUT(j, ",\"key_usage\":");
    if ((flags & EXFLAG_KUSAGE) == 0) {
        PUT(j, "null"); /* not there: none is forbidden */
        return;
    }
    PUT(j, "[");
    for (size_t i = 0; tsk_key_usages[i].name != NULL; i++)
        if ((X509_get_key_usage(x) & tsk_key_usages[i].bit) != 0)
            PUT(j, "%s\"%s\"", n++ > 0 ? "," : "", tsk_key_usages[i].name);
    PUT(j, "]");
}

static void ext_key_usage(struct tsk_json *j, X509 *x)
{
    EXTENDED_KEY_USAGE *eku =
        tsk_ossl_ext(x, NID_ext_key_usage, NULL, &j->failed);

    PUT(j, ",\"ext_key_usage\":%s", eku != NULL ? "[" : "null");
    for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
        const ASN1_OBJECT *obj = sk_ASN1_OBJECT_value(eku, i);
        int nid = OBJ_obj2nid(obj);

        PUT(j, "%s{", i > 0 ? "," : "");
        tsk_json_object(j, obj);
        PUT(j, ",\"long_name\":");
        tsk_json_text(j, nid != NID_undef ? OBJ_nid2ln(nid) : NULL);
        PUT(j, "}");
    }
    if (eku != NULL)
        PUT(j, "]");
    EXTENDED_KEY_USAGE_free(eku);
}

static void subtrees(struct tsk_json *j, const char *key,
                     STACK_OF(GENERAL_SUBTREE) * trees)
{
    PUT(j, "\"%s\":[", key);
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++) {
        struct tsk_text t = {0};

        tsk_text_san(&t, sk_GENERAL_SUBTREE_value(trees, i)->base, "");
        PUT(j, "%s", i > 0 ? "," : "");
        tsk_json_take(j, &t);
    }
    PUT(j, "]");
}

static void name_constraints(struct tsk_json *j, X509 *x)
{
    NAME_CONSTRAINTS *n =
        tsk_ossl_ext(x, NID_name_constraints, NULL, &j->failed);

    PUT(j, ",\"name_constraints\":");
    if (n == NULL) {
        PUT(j, "null");
        return;
    }
    PUT(j, "{");
    subtrees(j, "permitted", n->permittedSubtrees);
    PUT(j, ",");
    subtrees(j, "excluded", n->excludedSubtrees);
    PUT(j, "}");
    NAME_CONSTRAINTS_free(n);
}

static void policy(struct tsk_json *j, const POLICYINFO *p)
{
    int n = 0;

    PUT(j, "{");
    tsk_json_object(j, p->policyid);
    PUT(j, ",\"cps\":[");
    for (int i = 0; i < sk_POLICYQUALINFO_num(p->qualifiers); i++) {
        const POLICYQUALINFO *q = sk_POLICYQUALINFO_value(p->qualifiers, i);
        struct tsk_text t = {0};

        if (OBJ_obj2nid(q->pqualid) != NID_id_qt_cps)
            continue;
        tsk_text_escaped(&t, ASN1_STRING_get0_data(q->d.cpsuri),
                         (size_t)ASN1_STRING_length(q->d.cpsuri), "", 0);
        PUT(j, "%s", n++ > 0 ? "," : "");
        tsk_json_take(j, &t);
    }
    PUT(j, "]}");
}

static void policies(struct tsk_json *j, X509 *x)
{
    CERTIFICATEPOLICIES *list =
        tsk_ossl_ext(x, NID_certificate_policies, NULL, &j->failed);

    PUT(j, ",\"policies\":[");
    for (int i = 0; i < sk_POLICYINFO_num(list); i++) {
        PUT(j, "%s", i > 0 ? "," : "");
        policy(j, sk_POLICYINFO_value(list, i));
    }
    PUT(j, "]");
    CERTIFICATEPOLICIES_free(list);
}

/* TLS feature 5, status_request (RFC 7633) */
static void must_staple(struct tsk_json *j, X509 *x)
{
    TLS_FEATURE *list = tsk_ossl_ext(x, NID_tlsfeature, NULL, &j->failed);
    int must = 0;

    for (int i = 0; i < sk_ASN1_INTEGER_num(list); i++) {
        int64_t n = 0;

        if (ASN1_INTEGER_get_int64(&n, sk_ASN1_INTEGER_value(list, i)))
            must |= n == 5;
    }
    PUT(j, ",\"must_staple\":%s", must ? "true" : "false");
    TLS_FEATURE_free(list);
}

#ifndef OPENSSL_NO_CT
static void one_sct(struct tsk_json *j, const SCT *s)
{
    unsigned char *id = NULL;
    size_t len = SCT_get0_log_id(s, &id);
    char when[32];

    (void)tsk_date_text((int64_t)(SCT_get_timestamp(s) / 1000), when);
    PUT(j, "{\"version\":%d,\"log_id\":", (int)SCT_get_version(s) + 1);
    tsk_json_hex(j, id, len);
    PUT(j, ",\"time\":");
    tsk_json_text(j, when[0] != '\0' ? when : NULL);
    PUT(j, "}");
}

/* Signed certificate timestamps (RFC 6962, 3.3) */
static void scts(struct tsk_json *j, X509 *x)
{
    STACK_OF(SCT) *list =
        tsk_ossl_ext(x, NID_ct_precert_scts, NULL, &j->failed);

    PUT(j, ",\"scts\":[");
    for (int i = 0; i < sk_SCT_num(list); i++) {
        PUT(j, "%s", i > 0 ? "," : "");
        one_sct(j, sk_SCT_value(list, i));
    }
    PUT(j, "]");
    SCT_LIST_free(list);
}
#else
static void scts(struct tsk_json *j, X509 *x)
{
    (void)x;
    PUT(j, ",\"scts\":null"); /* this OpenSSL cannot read them */
}
#endif

void tsk_json_extensions(struct tsk_json *j, X509 *x)
{
    basic_constraints(j, x);
    key_usage(j, x);
    ext_key_usage(j, x);
    name_constraints(j, x);
    policies(j, x);
    must_staple(j, x);
    scts(j, x);
    PUT(j, ",\"extensions\":[");
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        PUT(j, "%s", i > 0 ? "," : "");
        extension(j, X509_get_ext(x, i));
    }
    PUT(j, "]");
}
