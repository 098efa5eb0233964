#include "verify/allow_private.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/x509v3.h>
#include <string.h>

#define RULES_MOST 1024

static int grow(struct tsk_allow *a, tlsock_error *err)
{
    struct tsk_allow_rule *bigger;

    if (a->n >= RULES_MOST)
        return tsk_allow_rule_bad(err, "...",
                                  "is rule 1025: there are too many");
    bigger = tsk_realloc(a->rules, (a->n + 1) * sizeof(*bigger));
    if (bigger == NULL)
        return tsk_fail_nomem(err);
    a->rules = bigger;
    memset(&a->rules[a->n], 0, sizeof(*bigger));
    return TLSOCK_OK;
}

/* Copies a piece without the backslashes that kept it together; where it ends
 * in the text. */
static const char *cut(const char *p, char *piece)
{
    size_t len = 0;

    p += strspn(p, " \t\r");
    for (; *p != '\0' && *p != ',' && *p != '\n'; p++) {
        if (*p == '\\' && (p[1] == ',' || p[1] == '\\'))
            p++;
        piece[len++] = *p;
    }
    while (len > 0 && strchr(" \t\r", piece[len - 1]) != NULL)
        len--;
    piece[len] = '\0';
    return p;
}

static int add_rules(struct tsk_allow *a, const char *text, char *piece,
                     tlsock_error *err)
{
    for (const char *p = text;; p++) {
        int line = p != text && p[-1] == '\n', rc;

        p = cut(p, piece);
        /* an empty line is none; between commas something is missing */
        if (*piece != '\0' || !(line || *p == '\n')) {
            rc = grow(a, err);
            if (rc == TLSOCK_OK) {
                rc = tsk_allow_rule_parse(&a->rules[a->n], piece, err);
                a->n++;
            }
            if (rc < 0)
                return rc;
        }
        if (*p == '\0')
            return TLSOCK_OK;
    }
}

/* Rules once more from their text, so that a config's own are never shared
 * with one that adds to them. */
static int fill(struct tsk_allow *a, const struct tsk_allow *base,
                const char *text, tlsock_error *err)
{
    size_t old = base != NULL ? strlen(base->text) : 0;
    size_t len = old + strlen(text) + 3;
    char *piece = tsk_alloc(len);
    int rc = TLSOCK_OK;

    a->text = tsk_alloc(len);
    if (piece == NULL || a->text == NULL) {
        rc = tsk_fail_nomem(err);
    } else {
        if (base != NULL) {
            memcpy(a->text, base->text, old);
            a->text[old++] = '\n';
        }
        memcpy(a->text + old, text, strlen(text));
        rc = add_rules(a, a->text, piece, err);
    }
    tsk_free(piece);
    if (rc == TLSOCK_OK && a->n == 0)
        rc = tsk_allow_rule_bad(err, text, "has no rule");
    return rc;
}

struct tsk_allow *tsk_allow_new(const struct tsk_allow *base, const char *text,
                                tlsock_error *err)
{
    struct tsk_allow *a = tsk_alloc(sizeof(*a));

    if (a == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    atomic_init(&a->refs, 1);
    if (fill(a, base, text, err) < 0) {
        tsk_allow_unref(a);
        return NULL;
    }
    return a;
}

struct tsk_allow *tsk_allow_ref(struct tsk_allow *a)
{
    if (a != NULL)
        atomic_fetch_add(&a->refs, 1);
    return a;
}

void tsk_allow_unref(struct tsk_allow *a)
{
    if (a == NULL || atomic_fetch_sub(&a->refs, 1) != 1)
        return;
    for (size_t i = 0; i < a->n; i++)
        tsk_allow_rule_free(&a->rules[i]);
    tsk_free(a->rules);
    tsk_free(a->text);
    tsk_free(a);
}

const char *tsk_allow_text(const struct tsk_allow *a)
{
    return a->text;
}

/* One label before ".x", and one that is a label: a name with "*" stands for
 * many clients, not for one. */
static int dns_fits(const struct tsk_allow_rule *r, const char *name,
                    size_t len)
{
    size_t label;

    if (memchr(name, '*', len) != NULL || memchr(name, '\0', len) != NULL)
        return 0;
    if (!r->part)
        return len == r->len && tsk_casencmp(name, r->text, len) == 0;
    if (len <= r->len)
        return 0;
    label = len - r->len;
    return tsk_casencmp(name + label, r->text, r->len) == 0 &&
           memchr(name, '.', label) == NULL;
}

/* Behind a prefix nothing may lead out of it again: no "..", and no "%", which
 * could spell it. */
static int uri_fits(const struct tsk_allow_rule *r, const char *uri, size_t len)
{
    const char *rest = uri + r->len, *end = uri + len;

    if (!r->part)
        return len == r->len && memcmp(uri, r->text, len) == 0;
    if (len <= r->len || memcmp(uri, r->text, r->len) != 0 ||
        memchr(rest, '%', len - r->len) != NULL)
        return 0;
    for (const char *p = rest; p < end; p++) {
        if (*p <= ' ' || *p == 127 ||
            (*p == '.' && p[-1] == '/' &&
             (p + 1 == end || p[1] == '/' || p[1] == '.')))
            return 0;
    }
    return 1;
}

/* RFC 5321, 2.3.11: the local part is its host's to interpret, so it is
 * compared as it is; the domain is a host name. */
static int email_fits(const struct tsk_allow_rule *r, const char *mail,
                      size_t len)
{
    size_t local = (size_t)(strrchr(r->text, '@') - r->text);

    return len == r->len && memcmp(mail, r->text, local + 1) == 0 &&
           tsk_casencmp(mail + local + 1, r->text + local + 1,
                        len - local - 1) == 0 &&
           memchr(mail, '\0', len) == NULL;
}

static int name_fits(const struct tsk_allow_rule *r, const GENERAL_NAME *g)
{
    static const int types[] = {[TSK_RULE_DNS] = GEN_DNS,
                                [TSK_RULE_URI] = GEN_URI,
                                [TSK_RULE_EMAIL] = GEN_EMAIL,
                                [TSK_RULE_IP] = GEN_IPADD};
    const char *p;
    size_t len;

    if ((size_t)r->kind >= sizeof(types) / sizeof(types[0]) ||
        types[r->kind] == 0 || types[r->kind] != g->type)
        return 0;
    p = (const char *)ASN1_STRING_get0_data(g->d.ia5);
    len = (size_t)ASN1_STRING_length(g->d.ia5);
    switch (r->kind) {
    case TSK_RULE_DNS:
        return dns_fits(r, p, len);
    case TSK_RULE_URI:
        return uri_fits(r, p, len);
    case TSK_RULE_EMAIL:
        return email_fits(r, p, len);
    default:
        return len == r->len && memcmp(p, r->text, len) == 0;
    }
}

/* A name with two CNs has none: which of them counts, is a matter of taste. */
static int cn_fits(const struct tsk_allow_rule *r, const X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), len, fits;
    unsigned char *utf8 = NULL;

    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
        return 0;
    len = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    fits =
        len >= 0 && (size_t)len == r->len && memcmp(utf8, r->text, r->len) == 0;
    OPENSSL_free(utf8);
    return fits;
}

/* 1, 0, or a code */
static int rule_fits(const struct tsk_allow_rule *r, X509 *crt,
                     const GENERAL_NAMES *names, tlsock_error *err)
{
    int found = 0;

    switch (r->kind) {
    case TSK_RULE_ANY:
        return 1;
    case TSK_RULE_CN:
        return cn_fits(r, X509_get_subject_name(crt));
    case TSK_RULE_ISSUER_CN:
        return cn_fits(r, X509_get_issuer_name(crt));
    case TSK_RULE_ISSUER:
        return X509_NAME_cmp(r->name, X509_get_issuer_name(crt)) == 0;
    case TSK_RULE_PIN:
        return tsk_pin_match(&r->pin, 1, crt, err);
    default:
        for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
            found |= name_fits(r, sk_GENERAL_NAME_value(names, i));
        return found;
    }
}

/* The names as rules would have them: "cn:A, dns:b.test". */
static void names_as_rules(X509 *crt, const GENERAL_NAMES *names, char *out,
                           size_t size)
{
    char name[96];
    size_t pos = 0;

    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && pos < size; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        const char *kind = g->type == GEN_DNS     ? "dns"
                           : g->type == GEN_URI   ? "uri"
                           : g->type == GEN_EMAIL ? "email"
                                                  : NULL;

        if (kind == NULL)
            continue;
        tsk_printable(name, sizeof(name), ASN1_STRING_get0_data(g->d.ia5),
                      (size_t)ASN1_STRING_length(g->d.ia5));
        tsk_append(out, size, &pos, "%s%s:%s", pos > 0 ? ", " : "", kind, name);
    }
    if (X509_NAME_get_index_by_NID(X509_get_subject_name(crt), NID_commonName,
                                   -1) < 0)
        return;
    tsk_cert_short_name(crt, name, sizeof(name));
    if (pos < size)
        tsk_append(out, size, &pos, "%scn:%s", pos > 0 ? ", " : "", name);
}

static int denied(const struct tsk_allow *a, X509 *crt,
                  const GENERAL_NAMES *names, tlsock_error *err)
{
    char name[96], rules[112], shown[112];

    tsk_cert_short_name(crt, name, sizeof(name));
    names_as_rules(crt, names, shown, sizeof(shown));
    tsk_printable(rules, sizeof(rules), a->text, strlen(a->text));
    tsk_fail(err, TLSOCK_E_CLIENT_CERT_DENIED,
             "the client's certificate \"%s\" is good, but no rule of "
             "client-auth.allow fits it (it has %.100s)",
             name, shown[0] != '\0' ? shown : "no name that rules know");
    tsk_facts(err, rules, shown, name);
    tsk_hint(err,
             "if it may come in, add a rule with one of its names, such as "
             "%.60s; else it was refused rightly",
             shown[0] != '\0' ? shown : "sha256: and its fingerprint");
    return TLSOCK_E_CLIENT_CERT_DENIED;
}

int tsk_allow_check(const struct tsk_allow *a, X509 *crt, tlsock_error *err)
{
    GENERAL_NAMES *names;
    int found = 0, rc = TLSOCK_OK, crit = 0;

    tsk_ossl_enter();
    names = X509_get_ext_d2i(crt, NID_subject_alt_name, &crit, NULL);
    if (names == NULL && tsk_ossl_starved())
        rc = tsk_fail_nomem(err);
    for (size_t i = 0; i < a->n && rc == TLSOCK_OK; i++) {
        int fits = rule_fits(&a->rules[i], crt, names, err);

        if (fits < 0)
            rc = fits;
        else
            found |= fits;
    }
    if (rc == TLSOCK_OK && !found)
        rc = tsk_ossl_starved() ? tsk_fail_nomem(err)
                                : denied(a, crt, names, err);
    GENERAL_NAMES_free(names);
    tsk_ossl_leave();
    return rc;
}
