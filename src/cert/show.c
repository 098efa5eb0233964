#include "cert/cert.h"
#include "cert/text.h"
#include "core/date.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/ext.h"
#include "ossl/queue.h"

#include <openssl/bn.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t tsk_cert_time(const ASN1_TIME *t)
{
    struct tm tm;

    if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
        return INT64_MIN;
    return tsk_date_seconds(&tm);
}

void tsk_cert_date(const ASN1_TIME *t, char out[32])
{
    struct tm tm;

    out[0] = '\0';
    if (t == NULL)
        return;
    tsk_ossl_enter();
    if (ASN1_TIME_to_tm(t, &tm) == 1)
        snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02uZ",
                 (unsigned)(tm.tm_year + 1900) % 10000u,
                 (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u,
                 (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u,
                 (unsigned)tm.tm_sec % 100u);
    tsk_ossl_leave();
}

static void text_serial(struct tsk_text *t, X509 *x)
{
    BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = bn != NULL ? BN_bn2hex(bn) : NULL;

    if (hex == NULL)
        t->failed = 1;
    for (char *p = hex; p != NULL && *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p - 'A' + 'a');
    if (hex != NULL)
        tsk_text_add(t, hex);
    OPENSSL_free(hex);
    BN_free(bn);
}

const char *tsk_curve_name(const char *name)
{
    static const char *const usual[][2] = {{"prime256v1", "P-256"},
                                           {"secp384r1", "P-384"},
                                           {"secp521r1", "P-521"}};

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (strcmp(name, usual[i][0]) == 0)
            return usual[i][1];
    return name;
}

void tsk_text_key(struct tsk_text *t, EVP_PKEY *key)
{
    int id = key != NULL ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
    char group[64] = "", text[160];
    const char *name;

    if (key == NULL) {
        tsk_text_add(t, "unknown");
        return;
    }
    if (id == EVP_PKEY_EC) {
        if (!EVP_PKEY_get_group_name(key, group, sizeof(group), NULL))
            snprintf(group, sizeof(group), "%d bits", EVP_PKEY_get_bits(key));
        snprintf(text, sizeof(text), "ECDSA %s", tsk_curve_name(group));
    } else if (id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS) {
        snprintf(text, sizeof(text), "%s %d",
                 id == EVP_PKEY_RSA ? "RSA" : "RSA-PSS",
                 EVP_PKEY_get_bits(key));
    } else if (id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448) {
        snprintf(text, sizeof(text), "%s",
                 id == EVP_PKEY_ED25519 ? "Ed25519" : "Ed448");
    } else {
        name = EVP_PKEY_get0_type_name(key);
        snprintf(text, sizeof(text), "%.100s %d", name != NULL ? name : "other",
                 EVP_PKEY_get_bits(key));
    }
    tsk_text_add(t, text);
}

/* A name of OpenSSL's table, or the numbers. */
static void object_text(struct tsk_text *t, const ASN1_OBJECT *obj, int longer)
{
    int nid = OBJ_obj2nid(obj);
    char text[128];

    if (nid != NID_undef)
        snprintf(text, sizeof(text), "%s",
                 longer ? OBJ_nid2ln(nid) : OBJ_nid2sn(nid));
    else if (OBJ_obj2txt(text, sizeof(text), obj, 1) <= 0)
        snprintf(text, sizeof(text), "(unreadable)");
    tsk_text_add(t, text);
}

static void text_signature(struct tsk_text *t, X509 *x)
{
    const X509_ALGOR *alg = NULL;
    const ASN1_OBJECT *obj = NULL;

    X509_get0_signature(NULL, &alg, x);
    X509_ALGOR_get0(&obj, NULL, NULL, alg);
    object_text(t, obj, 1);
}

static void word(struct tsk_text *t, const char *w)
{
    tsk_text_add(t, t->buf.len > 0 ? ", " : "");
    tsk_text_add(t, w);
}

/* RFC 5280, 4.2.1.3 */
const struct tsk_key_usage tsk_key_usages[] = {
    {KU_DIGITAL_SIGNATURE, "digitalSignature"},
    {KU_NON_REPUDIATION, "nonRepudiation"},
    {KU_KEY_ENCIPHERMENT, "keyEncipherment"},
    {KU_DATA_ENCIPHERMENT, "dataEncipherment"},
    {KU_KEY_AGREEMENT, "keyAgreement"},
    {KU_KEY_CERT_SIGN, "keyCertSign"},
    {KU_CRL_SIGN, "cRLSign"},
    {KU_ENCIPHER_ONLY, "encipherOnly"},
    {KU_DECIPHER_ONLY, "decipherOnly"},
    {0, NULL},
};

static void text_usage(struct tsk_text *t, X509 *x)
{
    uint32_t flags = X509_get_extension_flags(x);
    uint32_t usage = X509_get_key_usage(x);
    EXTENDED_KEY_USAGE *eku =
        tsk_ossl_ext(x, NID_ext_key_usage, NULL, &t->failed);

    for (size_t i = 0; tsk_key_usages[i].name != NULL; i++)
        if ((flags & EXFLAG_KUSAGE) != 0 &&
            (usage & tsk_key_usages[i].bit) != 0)
            word(t, tsk_key_usages[i].name);
    for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
        word(t, "");
        object_text(t, sk_ASN1_OBJECT_value(eku, i), 0);
    }
    if ((flags & EXFLAG_CA) != 0)
        word(t, "CA");
    EXTENDED_KEY_USAGE_free(eku);
}

/* A blank parts the URLs, so one in a URL is escaped. */
static void url(struct tsk_text *t, const GENERAL_NAME *g)
{
    if (g->type != GEN_URI)
        return;
    if (t->buf.len > 0)
        tsk_text_add(t, " ");
    tsk_text_escaped(t, ASN1_STRING_get0_data(g->d.ia5),
                     (size_t)ASN1_STRING_length(g->d.ia5), " ", 0);
}

static void crl_urls(struct tsk_text *t, X509 *x)
{
    CRL_DIST_POINTS *points =
        tsk_ossl_ext(x, NID_crl_distribution_points, NULL, &t->failed);

    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *p = sk_DIST_POINT_value(points, i);

        if (p->distpoint == NULL || p->distpoint->type != 0)
            continue;
        for (int j = 0; j < sk_GENERAL_NAME_num(p->distpoint->name.fullname);
             j++)
            url(t, sk_GENERAL_NAME_value(p->distpoint->name.fullname, j));
    }
    CRL_DIST_POINTS_free(points);
}

static void access_urls(struct tsk_text *t, X509 *x, int method)
{
    AUTHORITY_INFO_ACCESS *aia =
        tsk_ossl_ext(x, NID_info_access, NULL, &t->failed);

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(aia); i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(aia, i);

        if (OBJ_obj2nid(d->method) == method)
            url(t, d->location);
    }
    AUTHORITY_INFO_ACCESS_free(aia);
}

static void fingerprint(struct tsk_text *t, X509 *x, int of_key)
{
    char text[80];
    int rc = tsk_cert_fingerprint(x, "sha256", of_key, text, sizeof(text));

    if (rc == TLSOCK_E_NOMEM) /* two without would be alike */
        t->failed = 1;
    else if (rc < 0)
        text[0] = '\0'; /* a public key that cannot be encoded */
    tsk_text_add(t, text);
}

static void date(struct tsk_text *t, const ASN1_TIME *when)
{
    char text[32];

    tsk_cert_date(when, text);
    tsk_text_add(t, text);
}

void tsk_text_hex(struct tsk_text *t, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    char hex[2 * 64 + 1];

    for (size_t n; len > 0; len -= n, p += n) {
        n = len < 64 ? len : 64;
        tsk_hex(hex, p, n);
        tsk_text_add(t, hex);
    }
}

static void key_id(struct tsk_text *t, const ASN1_OCTET_STRING *id)
{
    if (id != NULL)
        tsk_text_hex(t, ASN1_STRING_get0_data(id),
                     (size_t)ASN1_STRING_length(id));
}

char *tsk_cert_text(X509 *x, int item)
{
    struct tsk_text t = {0};

    switch (item) {
    case TLSOCK_CERT_SUBJECT:
        tsk_text_name(&t, X509_get_subject_name(x));
        break;
    case TLSOCK_CERT_ISSUER:
        tsk_text_name(&t, X509_get_issuer_name(x));
        break;
    case TLSOCK_CERT_CN:
        tsk_text_cn(&t, X509_get_subject_name(x));
        break;
    case TLSOCK_CERT_SANS:
        tsk_text_sans(&t, x);
        break;
    case TLSOCK_CERT_SERIAL:
        text_serial(&t, x);
        break;
    case TLSOCK_CERT_NOT_BEFORE:
        date(&t, X509_get0_notBefore(x));
        break;
    case TLSOCK_CERT_NOT_AFTER:
        date(&t, X509_get0_notAfter(x));
        break;
    case TLSOCK_CERT_KEY_TYPE:
        tsk_text_key(&t, X509_get0_pubkey(x));
        break;
    case TLSOCK_CERT_SIGNATURE:
        text_signature(&t, x);
        break;
    case TLSOCK_CERT_USAGE:
        text_usage(&t, x);
        break;
    case TLSOCK_CERT_CRL_URLS:
        crl_urls(&t, x);
        break;
    case TLSOCK_CERT_OCSP_URLS:
        access_urls(&t, x, NID_ad_OCSP);
        break;
    case TLSOCK_CERT_AIA_URLS:
        access_urls(&t, x, NID_ad_ca_issuers);
        break;
    case TLSOCK_CERT_SHA256:
    case TLSOCK_CERT_PIN:
        fingerprint(&t, x, item == TLSOCK_CERT_PIN);
        break;
    case TLSOCK_CERT_KEY_ID:
        key_id(&t, X509_get0_subject_key_id(x));
        break;
    case TLSOCK_CERT_ISSUER_KEY_ID:
        key_id(&t, X509_get0_authority_key_id(x));
        break;
    }
    return tsk_text_take(&t);
}
