/* What a rule of client-auth.allow may look like. A rule that could never fit,
 * or that fits more than it seems to, is refused here. */
#include "verify/allow_private.h"

#include "cert/make.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/addr.h"
#include "ossl/queue.h"

#include <string.h>

int tsk_allow_rule_bad(tlsock_error *err, const char *rule, const char *why)
{
    char shown[96];

    tsk_printable(shown, sizeof(shown), rule, strnlen(rule, 200));
    tsk_fail(err, TLSOCK_E_OPTION, "client-auth.allow: \"%s\" %s", shown, why);
    tsk_hint(err, "rules: dns:NAME, dns:*.NAME, cn:TEXT, uri:URI, "
                  "uri:spiffe://td/path/*, email:A@B, ip:ADDRESS, sha256:HEX, "
                  "sha256:pub:HEX, sha256//BASE64, issuer:CN or DN, any; a "
                  "comma in a name is \"\\,\"");
    return TLSOCK_E_OPTION;
}

static int keep(struct tsk_allow_rule *rule, const void *bytes, size_t len,
                tlsock_error *err)
{
    rule->text = tsk_alloc(len + 1);
    if (rule->text == NULL)
        return tsk_fail_nomem(err);
    memcpy(rule->text, bytes, len);
    rule->len = len;
    return TLSOCK_OK;
}

static int read_dns(struct tsk_allow_rule *rule, const char *all,
                    const char *value, tlsock_error *err)
{
    tlsock_error why = {0};
    char host[256];
    uint8_t ip[16];
    int rc;

    rule->part = strncmp(value, "*.", 2) == 0;
    rc = tsk_host_normalise(host, value + 2 * rule->part, &why);
    if (rc == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(err);
    if (rc < 0)
        return tsk_allow_rule_bad(err, all, "is no host name");
    if (tsk_ip_parse(host, ip) != 0)
        return tsk_allow_rule_bad(err, all, "is an address: write ip:");
    if (rule->part && strchr(host, '.') == NULL)
        return tsk_allow_rule_bad(err, all, "covers a whole top-level domain");
    rc = keep(rule, host, strlen(host), err);
    if (rc == TLSOCK_OK && rule->part) { /* ".x": what has to follow a label */
        char *dotted = tsk_alloc(rule->len + 2);

        if (dotted == NULL)
            return tsk_fail_nomem(err);
        dotted[0] = '.';
        memcpy(dotted + 1, host, rule->len);
        tsk_free(rule->text);
        rule->text = dotted;
        rule->len++;
    }
    return rc;
}

static int read_email(struct tsk_allow_rule *rule, const char *all,
                      const char *value, tlsock_error *err)
{
    const char *at = strrchr(value, '@');
    tlsock_error why = {0};
    char mail[64 + 1 + 256];
    size_t local;
    int rc;

    if (at == NULL || at == value || at - value > 64)
        return tsk_allow_rule_bad(err, all, "is no mail address");
    local = (size_t)(at - value) + 1;
    for (size_t i = 0; i < local; i++)
        if (value[i] <= ' ' || value[i] == 127 || value[i] == '*')
            return tsk_allow_rule_bad(err, all,
                                      "has a local part that is not "
                                      "printable ASCII without blanks");
    memcpy(mail, value, local);
    rc = tsk_host_normalise(mail + local, at + 1, &why);
    if (rc == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(err);
    if (rc < 0)
        return tsk_allow_rule_bad(err, all, "has no host name behind the @");
    return keep(rule, mail, strlen(mail), err);
}

static int read_ip(struct tsk_allow_rule *rule, const char *all,
                   const char *value, tlsock_error *err)
{
    uint8_t ip[16];
    int kind = tsk_ip_parse(value, ip);

    if (kind == 0)
        return tsk_allow_rule_bad(err, all, "is no numeric address");
    return keep(rule, ip, kind == 4 ? 4 : 16, err);
}

/* "scheme:", then something; with an authority, a "*" must not be able to
 * lengthen it: "spiffe://prod*" would let "spiffe://prod.evil" in. */
static const char *uri_fault(const char *uri, size_t len, int part)
{
    size_t scheme = strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                                "UVWXYZ0123456789+-.");
    const char *slash;

    if (scheme == 0 || scheme + 1 >= len || uri[scheme] != ':')
        return "is no URI with a scheme";
    for (size_t i = 0; i < len; i++)
        if (uri[i] <= ' ' || uri[i] == 127)
            return "has bytes that no URI has";
    if (memchr(uri, '*', len) != NULL)
        return "has a * that is not at its end";
    if (!part || strncmp(uri + scheme, "://", 3) != 0)
        return NULL;
    slash = memchr(uri + scheme + 3, '/', len - scheme - 3);
    return slash == NULL ? "has a * that would lengthen the host's name: put "
                           "a / between them"
                         : NULL;
}

static int read_uri(struct tsk_allow_rule *rule, const char *all,
                    const char *value, tlsock_error *err)
{
    size_t len = strlen(value);
    const char *fault;

    rule->part = len > 0 && value[len - 1] == '*';
    len -= (size_t)rule->part;
    fault = uri_fault(value, len, rule->part);
    if (fault != NULL)
        return tsk_allow_rule_bad(err, all, fault);
    return keep(rule, value, len, err);
}

static int read_issuer(struct tsk_allow_rule *rule, const char *all,
                       const char *value, tlsock_error *err)
{
    tlsock_error why = {0};
    int rc;

    if (strchr(value, '=') == NULL) {
        rule->kind = TSK_RULE_ISSUER_CN;
        return keep(rule, value, strlen(value), err);
    }
    tsk_ossl_enter();
    rc = tsk_subject_parse(&rule->name, value, &why);
    tsk_ossl_leave();
    if (rc == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(err);
    return rc < 0
               ? tsk_allow_rule_bad(err, all, "is no name such as CN=A\\,O=B")
               : TLSOCK_OK;
}

static int read_cn(struct tsk_allow_rule *rule, const char *all,
                   const char *value, tlsock_error *err)
{
    if (strchr(value, '*') != NULL)
        return tsk_allow_rule_bad(err, all,
                                  "has a *, which cn: takes for itself "
                                  "alone: names are compared whole");
    return keep(rule, value, strlen(value), err);
}

static int read_pin(struct tsk_allow_rule *rule, const char *all,
                    const char *value, tlsock_error *err)
{
    tlsock_error why = {0};

    (void)value;
    return tsk_pin_parse(&rule->pin, all, &why) == TLSOCK_OK
               ? TLSOCK_OK
               : tsk_allow_rule_bad(err, all, "is no SHA-256 fingerprint");
}

static const struct {
    const char *word;
    enum tsk_allow_rule_kind kind;
    int (*read)(struct tsk_allow_rule *rule, const char *all, const char *value,
                tlsock_error *err);
} kinds[] = {
    {"dns:", TSK_RULE_DNS, read_dns},
    {"cn:", TSK_RULE_CN, read_cn},
    {"uri:", TSK_RULE_URI, read_uri},
    {"email:", TSK_RULE_EMAIL, read_email},
    {"ip:", TSK_RULE_IP, read_ip},
    {"issuer:", TSK_RULE_ISSUER, read_issuer},
    {"sha256:", TSK_RULE_PIN, read_pin},
    {"sha256//", TSK_RULE_PIN, read_pin},
};

int tsk_allow_rule_parse(struct tsk_allow_rule *rule, const char *text,
                         tlsock_error *err)
{
    if (strcmp(text, "any") == 0)
        return TLSOCK_OK; /* TSK_RULE_ANY is 0 */
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].word);

        if (tsk_casencmp(text, kinds[i].word, len) != 0)
            continue;
        if (text[len] == '\0')
            return tsk_allow_rule_bad(err, text, "names nothing");
        rule->kind = kinds[i].kind;
        return kinds[i].read(rule, text, text + len, err);
    }
    return tsk_allow_rule_bad(err, text,
                              *text == '\0' ? "is empty: a comma too many?"
                                            : "is of no kind that there is");
}

void tsk_allow_rule_free(struct tsk_allow_rule *rule)
{
    tsk_free(rule->text);
    X509_NAME_free(rule->name);
}
