/* subjectAltName but for DNS names: RFC 5280, 4.2.1.6, RFC 9525, RFC 9598. */
#include "cert/lint.h"
#include "core/mem.h"
#include "core/str.h"

#include <arpa/inet.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

static int lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

/* Whatever bytes they are, zero too; case does not matter. */
static int fold_cmp(const unsigned char *a, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (lower(a[i]) != lower(b[i]))
            return lower(a[i]) < lower(b[i]) ? -1 : 1;
    return 0;
}

static int is_there(const struct tsk_lint_cert *l)
{
    return X509_get_ext_by_NID(l->x, NID_subject_alt_name, -1) >= 0;
}

static int cn_is_host(const struct tsk_lint_cert *l)
{
    const ASN1_STRING *cn = tsk_lint_cn(l);

    return cn != NULL && tsk_lint_hostlike(ASN1_STRING_get0_data(cn),
                                           (size_t)ASN1_STRING_length(cn));
}

static int missing(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (is_there(l) || cn_is_host(l))
        return 0;
    return tsk_lint_say(l, "it has no names (subjectAltName)");
}

static int cn_alone(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (is_there(l) || !cn_is_host(l))
        return 0;
    return tsk_lint_say(l,
                        "its name, %s, is in the CN alone, which clients do "
                        "not use",
                        tsk_lint_str(l, tsk_lint_cn(l)));
}

/* Is the CN, byte for byte or as an address, among the names? */
static int is_named(const struct tsk_lint_cert *l, const ASN1_STRING *cn)
{
    size_t n = (size_t)ASN1_STRING_length(cn);
    const unsigned char *text = ASN1_STRING_get0_data(cn);
    unsigned char ip[16];
    char copy[64];
    int len = 0;

    if (n < sizeof(copy)) {
        memcpy(copy, text, n);
        copy[n] = '\0';
        len = inet_pton(AF_INET, copy, ip) == 1    ? 4
              : inet_pton(AF_INET6, copy, ip) == 1 ? 16
                                                   : 0;
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(l->san, i);
        const ASN1_STRING *s = g->d.ia5;

        if (g->type != GEN_DNS && (g->type != GEN_IPADD || len == 0))
            continue;
        if (g->type == GEN_DNS && (size_t)ASN1_STRING_length(s) == n &&
            fold_cmp(ASN1_STRING_get0_data(s), ASN1_STRING_get0_data(cn), n) ==
                0)
            return 1;
        if (g->type == GEN_IPADD && ASN1_STRING_length(s) == len &&
            memcmp(ASN1_STRING_get0_data(s), ip, (size_t)len) == 0)
            return 1;
    }
    return 0;
}

static int cn_not_named(struct tsk_lint_cert *l, int arg)
{
    const ASN1_STRING *cn = tsk_lint_cn(l);

    (void)arg;
    if (l->san == NULL || !cn_is_host(l) || is_named(l, cn))
        return 0;
    return tsk_lint_say(l,
                        "its CN, %s, is not among its names, so no client "
                        "uses it",
                        tsk_lint_str(l, cn));
}

static int empty(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->san == NULL || sk_GENERAL_NAME_num(l->san) > 0)
        return 0;
    return tsk_lint_say(l, "its list of names is there, but empty");
}

static int no_host(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (sk_GENERAL_NAME_num(l->san) <= 0 ||
        !tsk_lint_purpose(l, NID_server_auth))
        return 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        int type = sk_GENERAL_NAME_value(l->san, i)->type;

        if (type == GEN_DNS || type == GEN_IPADD || type == GEN_URI ||
            type == GEN_OTHERNAME)
            return 0;
    }
    return tsk_lint_say(l, "it is for servers, but none of its names is a host "
                           "or an address");
}

static int text_type(int type)
{
    return type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI;
}

static int compare(const void *a, const void *b)
{
    const ASN1_STRING *x = *(ASN1_STRING *const *)a,
                      *y = *(ASN1_STRING *const *)b;
    int n = ASN1_STRING_length(x), m = ASN1_STRING_length(y);

    if (n != m || n == 0)
        return n < m ? -1 : n > m;
    return fold_cmp(ASN1_STRING_get0_data(x), ASN1_STRING_get0_data(y),
                    (size_t)n);
}

static int compare_octets(const void *a, const void *b)
{
    const ASN1_STRING *x = *(ASN1_STRING *const *)a,
                      *y = *(ASN1_STRING *const *)b;

    return ASN1_STRING_cmp(x, y);
}

static const char *address(struct tsk_lint_cert *l, const ASN1_STRING *ip)
{
    char text[64] = "";
    int n = ASN1_STRING_length(ip);

    if (n == 4 || n == 16)
        inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), text,
                  sizeof(text));
    return tsk_lint_show(l, text, strlen(text));
}

static int doubled(struct tsk_lint_cert *l, int type)
{
    int (*cmp)(const void *, const void *) =
        type == GEN_IPADD ? compare_octets : compare;
    int n = sk_GENERAL_NAME_num(l->san), found = 0;
    size_t used = 0;
    ASN1_STRING **all = n > 1 ? tsk_alloc((size_t)n * sizeof(*all)) : NULL;

    l->starved = n > 1 && all == NULL;
    if (all == NULL)
        return 0;
    for (int i = 0; i < n; i++)
        if (sk_GENERAL_NAME_value(l->san, i)->type == type)
            all[used++] = sk_GENERAL_NAME_value(l->san, i)->d.ia5;
    qsort(all, used, sizeof(*all), cmp);
    for (size_t i = 1; i < used && !found; i++)
        if (cmp(&all[i - 1], &all[i]) == 0)
            found = tsk_lint_say(l, "the name %s is there twice",
                                 type == GEN_IPADD ? address(l, all[i])
                                                   : tsk_lint_str(l, all[i]));
    tsk_free(all);
    return found;
}

static int has_nul(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(l->san, i);

        if (text_type(g->type) && ASN1_STRING_length(g->d.ia5) > 0 &&
            memchr(ASN1_STRING_get0_data(g->d.ia5), 0,
                   (size_t)ASN1_STRING_length(g->d.ia5)) != NULL)
            return tsk_lint_say(l, "a name has a zero byte in it: \"%s\"",
                                tsk_lint_str(l, g->d.ia5));
    }
    return 0;
}

static int ip_length(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(l->san, i);
        int n = g->type == GEN_IPADD ? ASN1_STRING_length(g->d.iPAddress) : 4;

        if (n != 4 && n != 16)
            return tsk_lint_say(l,
                                "an IP address has %d octets, neither 4 nor "
                                "16%s",
                                n,
                                n == 8 || n == 32 ? ": it is a network" : "");
    }
    return 0;
}

/* RFC 5280, 4.2.1.6: Local-part@Domain, ASCII, without comments or <>. */
static int mail_ok(const unsigned char *p, size_t n)
{
    const unsigned char *at = n > 0 ? memchr(p, '@', n) : NULL;
    size_t local = at != NULL ? (size_t)(at - p) : 0;

    if (local == 0 || local > 64 || local + 1 >= n || p[n - 1] == '.' ||
        p[local + 1] == '.')
        return 0;
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] > '~' || strchr("<>(),;\"\\", p[i]) != NULL)
            return 0;
    return memchr(at + 1, '@', n - local - 1) == NULL;
}

static int mail(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(l->san, i);

        if (g->type == GEN_EMAIL &&
            !mail_ok(ASN1_STRING_get0_data(g->d.ia5),
                     (size_t)ASN1_STRING_length(g->d.ia5)))
            return tsk_lint_say(l, "\"%s\" is no mail address",
                                tsk_lint_str(l, g->d.ia5));
    }
    return 0;
}

/* RFC 9598, 3: SmtpUTF8Mailbox is for local parts that need it, and its domain
 * is in A-labels. NULL: nothing is wrong */
static const char *mailbox_fault(const ASN1_STRING *s)
{
    const unsigned char *p = ASN1_STRING_get0_data(s);
    size_t n = (size_t)ASN1_STRING_length(s);
    const unsigned char *at = n > 0 ? memchr(p, '@', n) : NULL;
    size_t local = at != NULL ? (size_t)(at - p) : 0;
    int high = 0;

    if (local == 0 || local + 1 == n)
        return "it is no address";
    for (size_t i = 0; i < local; i++)
        high = high || p[i] > 0x7f;
    if (!high)
        return "rfc822Name is for ASCII";
    for (size_t i = local; i < n; i++)
        if (p[i] > 0x7f)
            return "its domain is not in A-labels";
    return NULL;
}

static int utf8_mail(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(l->san, i);
        const ASN1_TYPE *value;
        const char *what;

        if (g->type != GEN_OTHERNAME ||
            OBJ_obj2nid(g->d.otherName->type_id) != NID_id_on_SmtpUTF8Mailbox)
            continue;
        value = g->d.otherName->value;
        if (value == NULL || value->type != V_ASN1_UTF8STRING)
            return tsk_lint_say(l, "an SmtpUTF8Mailbox is no UTF8String");
        what = mailbox_fault(value->value.utf8string);
        if (what != NULL)
            return tsk_lint_say(l, "\"%s\" is no SmtpUTF8Mailbox: %s",
                                tsk_lint_str(l, value->value.utf8string), what);
    }
    return 0;
}

/* RFC 3986, 3.1: the length of "scheme:", or 0 */
static size_t scheme(const unsigned char *p, size_t n)
{
    size_t i = 0;

    while (i < n && (((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z') ||
                     (i > 0 && ((p[i] >= '0' && p[i] <= '9') || p[i] == '+' ||
                                p[i] == '-' || p[i] == '.'))))
        i++;
    return i > 0 && i < n && p[i] == ':' ? i + 1 : 0;
}

static int uri_bad(const unsigned char *p, size_t n)
{
    size_t at = scheme(p, n);

    if (at == 0 || at == n)
        return 1;
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] > '~' || strchr("<>\"\\^`{|}", p[i]) != NULL)
            return 1;
    return 0;
}

/* "scheme://" with nothing where the host should be */
static int uri_hostless(const unsigned char *p, size_t n)
{
    size_t at = scheme(p, n), end;

    if (at == 0 || n < at + 2 || p[at] != '/' || p[at + 1] != '/')
        return 0;
    at += 2;
    for (end = at; end < n && strchr("/?#", p[end]) == NULL; end++)
        if (p[end] == '@')
            at = end + 1;
    return end == at || p[at] == ':';
}

static int uri(struct tsk_lint_cert *l, int host)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(l->san, i);
        const unsigned char *p;
        size_t n;

        if (g->type != GEN_URI)
            continue;
        p = ASN1_STRING_get0_data(g->d.ia5);
        n = (size_t)ASN1_STRING_length(g->d.ia5);
        if (!host && uri_bad(p, n))
            return tsk_lint_say(l, "\"%s\" is no absolute URI",
                                tsk_lint_str(l, g->d.ia5));
        if (host && !uri_bad(p, n) && uri_hostless(p, n))
            return tsk_lint_say(l, "the URI \"%s\" has no host",
                                tsk_lint_str(l, g->d.ia5));
    }
    return 0;
}

static int empty_directory(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(l->san, i);

        if (g->type == GEN_DIRNAME &&
            X509_NAME_entry_count(g->d.directoryName) == 0)
            return tsk_lint_say(l, "one of its names is an empty "
                                   "directoryName");
    }
    return 0;
}

static int other_type(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        int type = sk_GENERAL_NAME_value(l->san, i)->type;

        if (type != GEN_DNS && type != GEN_IPADD)
            return tsk_lint_say(l, "one of its names is neither a host name "
                                   "nor an address");
    }
    return 0;
}

static int many(struct tsk_lint_cert *l, int most)
{
    int n = sk_GENERAL_NAME_num(l->san);

    if (n <= most)
        return 0;
    return tsk_lint_say(l,
                        "it has %d names, more than %d: some clients "
                        "refuse that",
                        n, most);
}

#define ANEW "have it issued anew"

const struct tsk_lint_rule tsk_lint_san[] = {
    {"san-missing", LINT_E, LINT_SERVER, missing, 0, "RFC 9525, 6.1",
     ANEW " with the names it is for as subjectAltName"},
    {"cn-only", LINT_E, LINT_SERVER, cn_alone, 0, "RFC 9525, 6.1",
     ANEW " with that name as a DNS name of subjectAltName"},
    {"cn-not-in-san", LINT_W, LINT_SERVER, cn_not_named, 0, "CA/B BR, 7.1.4.3",
     ANEW " with that name in subjectAltName, too"},
    {"san-empty", LINT_E, LINT_ANY, empty, 0, "RFC 5280, 4.2.1.6",
     ANEW " with names, or without the extension"},
    {"san-no-host", LINT_W, LINT_SERVER, no_host, 0, "RFC 9525, 6.1",
     ANEW " with the host names it is for"},
    {"san-duplicate", LINT_W, LINT_ANY, doubled, GEN_DNS, "practice",
     ANEW " with each name once"},
    {"san-duplicate-ip", LINT_W, LINT_ANY, doubled, GEN_IPADD, "practice",
     ANEW " with each address once"},
    {"san-nul", LINT_E, LINT_ANY, has_nul, 0, "RFC 5280, 4.2.1.6",
     "do not use it: such names are made to deceive"},
    {"san-ip-length", LINT_E, LINT_ANY, ip_length, 0, "RFC 5280, 4.2.1.6",
     ANEW " with single addresses: IP:192.0.2.1"},
    {"san-email-syntax", LINT_E, LINT_ANY, mail, 0, "RFC 5280, 4.2.1.6",
     ANEW " with name@domain; SmtpUTF8Mailbox is for what is not ASCII"},
    {"san-utf8-mailbox", LINT_E, LINT_ANY, utf8_mail, 0, "RFC 9598, 3",
     ANEW ", and rfc822Name where the part before the @ is ASCII"},
    {"san-uri-syntax", LINT_E, LINT_ANY, uri, 0, "RFC 5280, 4.2.1.6",
     ANEW " with scheme:rest"},
    {"san-uri-host", LINT_E, LINT_ANY, uri, 1, "RFC 5280, 4.2.1.6",
     ANEW " with scheme://host/..."},
    {"san-directory-empty", LINT_E, LINT_ANY, empty_directory, 0,
     "RFC 5280, 4.2.1.6", ANEW " without that name"},
    {"san-other-type", LINT_N, LINT_SERVER, other_type, 0,
     "CA/B BR, 7.1.2.7.12", "browsers do not look at such names"},
    {"san-many", LINT_W, LINT_ANY, many, 1000, "practice",
     "several certificates, or a wildcard"},
    {.code = NULL}};
