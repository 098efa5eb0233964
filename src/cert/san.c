#include "cert/make.h"
#include "core/str.h"
#include "net/addr.h"
#include "ossl/queue.h"

#include <stdio.h>
#include <string.h>

#define SAN_MAX 2048

int tsk_san_bad(const char *text, const char *why, tlsock_error *err)
{
    char shown[160];

    tsk_printable(shown, sizeof(shown), text, strlen(text));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "name \"%s\" %s", shown, why);
    tsk_hint(err, "valid are DNS:host, DNS:*.domain, IP:address, "
                  "EMAIL:user@domain, URI:scheme:..., a bare host or address, "
                  "and the rarer UPN:, XMPP:, SRV:, RID:, DIRNAME:, "
                  "OTHERNAME:");
    return TLSOCK_E_ARGUMENT;
}

/* g is taken over, unless it is there already */
int tsk_san_put(GENERAL_NAMES *sans, GENERAL_NAME *g, tlsock_error *err)
{
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
    return tsk_san_put(sans, g, err);
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
        return tsk_san_bad(whole, "is no IP address", err);
    return put(sans, GEN_IPADD, ip, version == 4 ? 4 : 16, err);
}

/* RFC 1123, 2.1: RFC 5280, 4.2.1.6 asks for names of this form. Resolvers take
 * an underscore, certificates do not. */
static const char *label_fault(const char *name)
{
    if (strchr(name, '_') != NULL)
        return "has an underscore, which a host name in a certificate must not "
               "have";
    for (const char *p = name; p != NULL; p = strchr(p, '.')) {
        size_t n;

        p += *p == '.';
        n = strcspn(p, ".");
        if (p[0] == '-' || (n > 0 && p[n - 1] == '-'))
            return "has a label that begins or ends with \"-\"";
    }
    return NULL;
}

static int put_dns(GENERAL_NAMES *sans, const char *text, const char *whole,
                   tlsock_error *err)
{
    char name[260] = "*.";
    const char *fault;
    uint8_t ip[16];
    int wild = strncmp(text, "*.", 2) == 0, rc;

    if (tsk_ip_parse(text, ip) != 0)
        return tsk_san_bad(whole, "is an address and goes as IP:", err);
    if (strchr(text + (wild ? 2 : 0), '*') != NULL)
        return tsk_san_bad(whole, "has a \"*\" that is not the whole leftmost label",
                   err);
    rc = tsk_host_normalise(name + 2, text + (wild ? 2 : 0), err);
    if (rc != TLSOCK_OK)
        return rc;
    fault = label_fault(name + 2);
    if (fault != NULL)
        return tsk_san_bad(whole, fault, err);
    if (wild && (strchr(name + 2, '.') == NULL ||
                 tsk_ip_parse(name + 2, ip) != 0))
        return tsk_san_bad(whole, "is a wildcard right under a top-level domain, which "
                          "no client accepts", err);
    if (wild && strlen(name) > 253)
        return tsk_san_bad(whole, "is longer than 253 bytes", err);
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
    int rc, ascii = 1;

    if (at == NULL || at == text || at - text > 64)
        return tsk_san_bad(whole, "is no mail address", err);
    snprintf(mail, sizeof(mail), "%.*s", (int)(at - text), text);
    for (const char *p = mail; *p != '\0'; p++)
        ascii = ascii && (unsigned char)*p < 0x80;
    if ((ascii && !visible(mail)) || strpbrk(mail, "@<>,;:\"\\") != NULL)
        return tsk_san_bad(whole, "is no mail address", err);
    rc = tsk_host_normalise(host, at + 1, err);
    if (rc != TLSOCK_OK)
        return rc;
    if (!ascii)
        return tsk_san_utf8_mail(sans, mail, (size_t)(at - text), host, err);
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
        return tsk_san_bad(whole, "is no absolute URI", err);
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
    int known = 0, rc;

    if (text == NULL || *text == '\0')
        return tsk_san_bad("", "is empty", err);
    if (strlen(text) > SAN_MAX)
        return tsk_san_bad(text, "is too long", err);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(kinds[i].tag);

        if (tsk_casencmp(text, kinds[i].tag, n) == 0)
            return kinds[i].put(sans, text + n, text, err);
    }
    rc = tsk_san_special(sans, text, &known, err);
    if (known)
        return rc;
    if (*text == '[' || tsk_ip_parse(text, ip) != 0)
        return put_ip(sans, text, text, err);
    if (strstr(text, "://") != NULL)
        return put_uri(sans, text, text, err);
    if (strchr(text, '@') != NULL)
        return put_email(sans, text, text, err);
    return put_dns(sans, text, text, err);
}

static int any_of(const GENERAL_NAMES *sans, int a, int b, int c)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
        int type = sk_GENERAL_NAME_value(sans, i)->type;

        if (type == a || type == b || type == c)
            return 1;
    }
    return 0;
}

int tsk_has_dns(const GENERAL_NAMES *sans)
{
    return any_of(sans, GEN_DNS, GEN_DNS, GEN_DNS);
}

int tsk_has_hosts(const GENERAL_NAMES *sans)
{
    return any_of(sans, GEN_DNS, GEN_IPADD, GEN_URI);
}

static int copy(GENERAL_NAMES *sans, const GENERAL_NAME *name,
                tlsock_error *err)
{
    GENERAL_NAME *g = GENERAL_NAME_dup(name);

    return g != NULL ? tsk_san_put(sans, g, err) : tsk_fail_nomem(err);
}

static int bad_general(const char *whose, const char *what, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "the %s asks for a name that is %s", whose,
             what);
    tsk_hint(err, "say which names the certificate is to have");
    return TLSOCK_E_ARGUMENT;
}

static int add_text(GENERAL_NAMES *sans, const GENERAL_NAME *name,
                    const char *whose, tlsock_error *err)
{
    char text[SAN_MAX + 1];
    int n = ASN1_STRING_length(name->d.ia5), rc;

    if (n < 0 || n > SAN_MAX)
        return bad_general(whose, "too long", err);
    memcpy(text, ASN1_STRING_get0_data(name->d.ia5), (size_t)n);
    text[n] = '\0';
    if (strlen(text) != (size_t)n)
        return bad_general(whose, "cut short by a zero byte", err);
    rc = name->type == GEN_DNS   ? put_dns(sans, text, text, err)
         : name->type == GEN_URI ? put_uri(sans, text, text, err)
                                 : put_email(sans, text, text, err);
    if (rc == TLSOCK_E_ARGUMENT)
        tsk_about(err, "in the %s: ", whose);
    return rc;
}

int tsk_san_add_general(GENERAL_NAMES *sans, const GENERAL_NAME *name,
                        const char *whose, tlsock_error *err)
{
    int n;

    switch (name->type) {
    case GEN_DNS:
    case GEN_URI:
    case GEN_EMAIL:
        return add_text(sans, name, whose, err);
    case GEN_IPADD:
        n = ASN1_STRING_length(name->d.iPAddress);
        return n == 4 || n == 16
                   ? copy(sans, name, err)
                   : bad_general(whose, "no IP address, but says so", err);
    case GEN_RID:
    case GEN_DIRNAME:
    case GEN_OTHERNAME:
        return copy(sans, name, err);
    default:
        return bad_general(whose, "of a kind that nobody uses (X.400, EDI)",
                           err);
    }
}
