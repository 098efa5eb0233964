/* The rarer kinds of subjectAltName: registered ids, directory names, and other
 * names: of Windows, of XMPP, of services, of mailboxes beyond ASCII. */
#include "cert/make.h"
#include "core/str.h"
#include "net/addr.h"
#include "ossl/queue.h"

#include <arpa/inet.h>
#include <openssl/asn1t.h>
#include <stdio.h>
#include <string.h>

#define OID_UPN "1.3.6.1.4.1.311.20.2.3"
#define OID_XMPP "1.3.6.1.5.5.7.8.5"      /* RFC 6120, 13.7.1.4 */
#define OID_SRV "1.3.6.1.5.5.7.8.7"       /* RFC 4985, 2 */
#define OID_UTF8_MAIL "1.3.6.1.5.5.7.8.9" /* RFC 9598, 3 */

static int put_object(GENERAL_NAMES *sans, const char *oid, ASN1_TYPE *value,
                      const char *whole, tlsock_error *err)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    GENERAL_NAME *g = GENERAL_NAME_new();

    if (obj == NULL) {
        ASN1_TYPE_free(value);
        GENERAL_NAME_free(g);
        if (tsk_ossl_starved())
            return tsk_fail_nomem(err);
        return tsk_san_bad(whole, "has no object identifier", err);
    }
    if (g == NULL || value == NULL ||
        !GENERAL_NAME_set0_othername(g, obj, value)) {
        ASN1_OBJECT_free(obj);
        ASN1_TYPE_free(value);
        GENERAL_NAME_free(g);
        return tsk_fail_nomem(err);
    }
    return tsk_san_put(sans, g, err);
}

static int put_string(GENERAL_NAMES *sans, const char *oid, int type,
                      const char *text, const char *whole, tlsock_error *err)
{
    ASN1_STRING *s = ASN1_STRING_type_new(type);
    ASN1_TYPE *value = ASN1_TYPE_new();

    if (s == NULL || value == NULL || !ASN1_STRING_set(s, text, -1)) {
        ASN1_STRING_free(s);
        ASN1_TYPE_free(value);
        return tsk_fail_nomem(err);
    }
    ASN1_TYPE_set(value, type, s);
    return put_object(sans, oid, value, whole, err);
}

/* UTF-8 without control characters and blanks */
static int clean(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return 0;
    return ASN1_mbstring_copy(NULL, (const unsigned char *)text, -1,
                              MBSTRING_UTF8, B_ASN1_UTF8STRING) > 0;
}

int tsk_san_utf8_mail(GENERAL_NAMES *sans, const char *local, size_t len,
                      const char *domain, tlsock_error *err)
{
    char mail[64 + 1 + 256];

    snprintf(mail, sizeof(mail), "%.*s@%s", (int)len, local, domain);
    if (!clean(mail))
        return tsk_san_bad(mail, "is not UTF-8", err);
    return put_string(sans, OID_UTF8_MAIL, V_ASN1_UTF8STRING, mail, mail, err);
}

static int put_upn(GENERAL_NAMES *sans, const char *text, const char *whole,
                   tlsock_error *err)
{
    const char *at = strchr(text, '@');

    if (at == NULL || at == text || at[1] == '\0' ||
        strchr(at + 1, '@') != NULL || !clean(text))
        return tsk_san_bad(whole, "is no user@realm", err);
    return put_string(sans, OID_UPN, V_ASN1_UTF8STRING, text, whole, err);
}

/* RFC 7622, 3.1: [localpart@]domain; a resource names no account */
static int put_xmpp(GENERAL_NAMES *sans, const char *text, const char *whole,
                    tlsock_error *err)
{
    const char *at = strchr(text, '@');
    char host[256];

    if (at == text || strchr(text, '/') != NULL || !clean(text))
        return tsk_san_bad(whole, "is no XMPP address (user@domain, domain)",
                           err);
    if (tsk_host_normalise(host, at != NULL ? at + 1 : text, err) != TLSOCK_OK)
        return TLSOCK_E_ARGUMENT;
    return put_string(sans, OID_XMPP, V_ASN1_UTF8STRING, text, whole, err);
}

/* "_xmpp-client.example.com" */
static int put_srv(GENERAL_NAMES *sans, const char *text, const char *whole,
                   tlsock_error *err)
{
    size_t n = strcspn(text, ".");
    char name[64 + 256], host[256];
    int rc;

    if (text[0] != '_' || n < 2 || n > 63 || text[n] == '\0' ||
        strspn(text + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789-") != n - 1)
        return tsk_san_bad(whole, "is no service name (_service.domain)", err);
    rc = tsk_host_normalise(host, text + n + 1, err);
    if (rc != TLSOCK_OK)
        return rc;
    snprintf(name, sizeof(name), "%.*s.%s", (int)n, text, host);
    return put_string(sans, OID_SRV, V_ASN1_IA5STRING, name, whole, err);
}

static int put_rid(GENERAL_NAMES *sans, const char *text, const char *whole,
                   tlsock_error *err)
{
    ASN1_OBJECT *obj = OBJ_txt2obj(text, 1);
    GENERAL_NAME *g;

    if (obj == NULL && tsk_ossl_starved())
        return tsk_fail_nomem(err);
    if (obj == NULL)
        return tsk_san_bad(whole, "is no object identifier (1.2.3)", err);
    g = GENERAL_NAME_new();
    if (g == NULL) {
        ASN1_OBJECT_free(obj);
        return tsk_fail_nomem(err);
    }
    GENERAL_NAME_set0_value(g, GEN_RID, obj);
    return tsk_san_put(sans, g, err);
}

static int put_dirname(GENERAL_NAMES *sans, const char *text, const char *whole,
                       tlsock_error *err)
{
    X509_NAME *name = NULL;
    GENERAL_NAME *g;
    int rc = tsk_subject_parse(&name, text, err);

    (void)whole;
    if (rc != TLSOCK_OK)
        return rc;
    g = GENERAL_NAME_new();
    if (g == NULL) {
        X509_NAME_free(name);
        return tsk_fail_nomem(err);
    }
    GENERAL_NAME_set0_value(g, GEN_DIRNAME, name);
    return tsk_san_put(sans, g, err);
}

/* "1.2.3.4;UTF8:text", as openssl.cnf writes otherName */
static int put_other(GENERAL_NAMES *sans, const char *text, const char *whole,
                     tlsock_error *err)
{
    size_t n = strcspn(text, ";");
    ASN1_TYPE *value;
    char oid[128];

    if (n == 0 || n >= sizeof(oid) || text[n] == '\0')
        return tsk_san_bad(whole,
                           "is not OID;TYPE:value, such as "
                           "1.2.3.4;UTF8:text",
                           err);
    memcpy(oid, text, n);
    oid[n] = '\0';
    value = ASN1_generate_v3(text + n + 1, NULL);
    if (value == NULL)
        return tsk_san_bad(whole, "has no value of the form TYPE:value", err);
    return put_object(sans, oid, value, whole, err);
}

int tsk_san_special(GENERAL_NAMES *sans, const char *text, int *known,
                    tlsock_error *err)
{
    static const struct {
        const char *tag;
        int (*put)(GENERAL_NAMES *, const char *, const char *, tlsock_error *);
    } kinds[] = {{"UPN:", put_upn},         {"XMPP:", put_xmpp},
                 {"SRV:", put_srv},         {"RID:", put_rid},
                 {"DIRNAME:", put_dirname}, {"OTHERNAME:", put_other}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(kinds[i].tag);

        *known = tsk_casencmp(text, kinds[i].tag, n) == 0;
        if (*known)
            return kinds[i].put(sans, text + n, text, err);
    }
    return TLSOCK_OK;
}

void tsk_san_plain(const GENERAL_NAME *g, char *out, size_t size)
{
    const ASN1_STRING *s = NULL;

    if (g->type == GEN_DNS || g->type == GEN_EMAIL || g->type == GEN_URI)
        s = g->d.ia5;
    else if (g->type == GEN_OTHERNAME &&
             (g->d.otherName->value->type == V_ASN1_UTF8STRING ||
              g->d.otherName->value->type == V_ASN1_IA5STRING))
        s = g->d.otherName->value->value.asn1_string;
    out[0] = '\0';
    if (g->type == GEN_IPADD)
        inet_ntop(ASN1_STRING_length(g->d.iPAddress) == 4 ? AF_INET : AF_INET6,
                  ASN1_STRING_get0_data(g->d.iPAddress), out, (socklen_t)size);
    else if (s != NULL)
        tsk_printable(out, size, ASN1_STRING_get0_data(s),
                      (size_t)ASN1_STRING_length(s));
}
