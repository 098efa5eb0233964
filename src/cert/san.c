#include "cert/make.h"
#include "core/str.h"
#include "net/addr.h"
#include "ossl/queue.h"

#include <stdio.h>
#include <string.h>

#define SAN_MAX 2048

static int bad(const char *text, const char *why, tlsock_error *err)
{
    char shown[160];

    tsk_printable(shown, sizeof(shown), text, strlen(text));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "name \"%s\" %s", shown, why);
    tsk_hint(err, "valid are DNS:host, DNS:*.domain, IP:address, "
                  "EMAIL:user@domain, URI:scheme:..., or a bare host or "
                  "address");
    return TLSOCK_E_ARGUMENT;
}

/* data of a kind; taken over into sans unless it is there already */
static int put(GENERAL_NAMES *sans, int kind, const void *data, size_t len,
               tlsock_error *err)
{
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_STRING *s = ASN1_STRING_type_new(
        kind == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

    if (g == NULL || s == NULL || !ASN1_STRING_set(s, data, (int)len)) {
        GENERAL_NAME_free(g);
        ASN1_STRING_free(s);
        return tsk_fail_nomem(err);
    }
    GENERAL_NAME_set0_value(g, kind, s);
    for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(sans, i), g) == 0) {
            GENERAL_NAME_free(g);
            return TLSOCK_OK;
        }
    }
    if (sk_GENERAL_NAME_push(sans, g) <= 0) {
        GENERAL_NAME_free(g);
        return tsk_fail_nomem(err);
    }
    return TLSOCK_OK;
}

static int put_ip(GENERAL_NAMES *sans, const char *text, const char *whole,
                  tlsock_error *err)
{
    uint8_t ip[16];
    char plain[64];
    size_t n = strlen(text);
    int version;

    if (n > 2 && text[0] == '[' && text[n - 1] == ']' && n < sizeof(plain)) {
        memcpy(plain, text + 1, n - 2);
        plain[n - 2] = '\0';
        text = plain;
    }
    version = tsk_ip_parse(text, ip);
    if (version == 0)
        return bad(whole, "is no IP address", err);
    return put(sans, GEN_IPADD, ip, version == 4 ? 4 : 16, err);
}

static int put_dns(GENERAL_NAMES *sans, const char *text, const char *whole,
                   tlsock_error *err)
{
    char name[260] = "*.";
    uint8_t ip[16];
    int wild = strncmp(text, "*.", 2) == 0, rc;

    if (tsk_ip_parse(text, ip) != 0)
        return bad(whole, "is an address and goes as IP:", err);
    if (strchr(text + (wild ? 2 : 0), '*') != NULL)
        return bad(whole, "has a \"*\" that is not the whole leftmost label",
                   err);
    rc = tsk_host_normalise(name + 2, text + (wild ? 2 : 0), err);
    if (rc != TLSOCK_OK)
        return rc;
    if (wild && (strchr(name + 2, '.') == NULL ||
                 tsk_ip_parse(name + 2, ip) != 0))
        return bad(whole, "is a wildcard right under a top-level domain, which "
                          "no client accepts", err);
    if (wild && strlen(name) > 253)
        return bad(whole, "is longer than 253 bytes", err);
    text = wild ? name : name + 2;
    return put(sans, GEN_DNS, text, strlen(text), err);
}

static int visible(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return 0;
    return 1;
}

/* RFC 5280, 4.2.1.6: an rfc822Name is "Local-part@Domain". */
static int put_email(GENERAL_NAMES *sans, const char *text, const char *whole,
                     tlsock_error *err)
{
    const char *at = strrchr(text, '@');
    char mail[64 + 1 + 256], host[256];
    int rc;

    if (at == NULL || at == text || at - text > 64)
        return bad(whole, "is no mail address", err);
    snprintf(mail, sizeof(mail), "%.*s", (int)(at - text), text);
    if (!visible(mail) || strpbrk(mail, "@<>,;:\"\\") != NULL)
        return bad(whole, "is no mail address", err);
    rc = tsk_host_normalise(host, at + 1, err);
    if (rc != TLSOCK_OK)
        return rc;
    snprintf(mail + (at - text), sizeof(mail) - (size_t)(at - text), "@%s",
             host);
    return put(sans, GEN_EMAIL, mail, strlen(mail), err);
}

/* RFC 5280, 4.2.1.6: "The name MUST NOT be a relative URI". */
static int put_uri(GENERAL_NAMES *sans, const char *text, const char *whole,
                   tlsock_error *err)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    if (n == 0 || text[n] != ':' || text[n + 1] == '\0' || !visible(text))
        return bad(whole, "is no absolute URI", err);
    return put(sans, GEN_URI, text, strlen(text), err);
}

int tsk_san_add(GENERAL_NAMES *sans, const char *text, tlsock_error *err)
{
    static const struct {
        const char *tag;
        int (*put)(GENERAL_NAMES *, const char *, const char *, tlsock_error *);
    } kinds[] = {{"DNS:", put_dns},
                 {"IP:", put_ip},
                 {"URI:", put_uri},
                 {"EMAIL:", put_email}};
    uint8_t ip[16];

    if (text == NULL || *text == '\0')
        return bad("", "is empty", err);
    if (strlen(text) > SAN_MAX)
        return bad(text, "is too long", err);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(kinds[i].tag);

        if (tsk_casencmp(text, kinds[i].tag, n) == 0)
            return kinds[i].put(sans, text + n, text, err);
    }
    if (*text == '[' || tsk_ip_parse(text, ip) != 0)
        return put_ip(sans, text, text, err);
    if (strstr(text, "://") != NULL)
        return put_uri(sans, text, text, err);
    if (strchr(text, '@') != NULL)
        return put_email(sans, text, text, err);
    return put_dns(sans, text, text, err);
}

int tsk_has_dns(const GENERAL_NAMES *sans)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++)
        if (sk_GENERAL_NAME_value(sans, i)->type == GEN_DNS)
            return 1;
    return 0;
}

/* One that somebody else wrote: held to the same rules as a typed one. */
int tsk_san_add_general(GENERAL_NAMES *sans, const GENERAL_NAME *name,
                        tlsock_error *err)
{
    const ASN1_STRING *s = name->type == GEN_IPADD ? name->d.iPAddress
                                                   : name->d.ia5;
    char text[SAN_MAX + 1];
    int n;

    if (name->type != GEN_DNS && name->type != GEN_IPADD &&
        name->type != GEN_URI && name->type != GEN_EMAIL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "the request asks for a name that is "
                 "no DNS name, address, URI or mail address");
        tsk_hint(err, "say which names the certificate is to have");
        return TLSOCK_E_ARGUMENT;
    }
    n = ASN1_STRING_length(s);
    if (name->type == GEN_IPADD)
        return n == 4 || n == 16
                   ? put(sans, GEN_IPADD, ASN1_STRING_get0_data(s), (size_t)n,
                         err)
                   : bad("IP:", "in the request is no IP address", err);
    if (n < 0 || n > SAN_MAX)
        return bad("", "in the request is too long", err);
    memcpy(text, ASN1_STRING_get0_data(s), (size_t)n);
    text[n] = '\0';
    if (strlen(text) != (size_t)n)
        return bad(text, "in the request has a zero byte", err);
    if (name->type == GEN_DNS)
        return put_dns(sans, text, text, err);
    return name->type == GEN_URI ? put_uri(sans, text, text, err)
                                 : put_email(sans, text, text, err);
}
