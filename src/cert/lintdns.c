/* DNS names of subjectAltName: RFC 5280, 4.2.1.6, RFC 9525, 2 and 6.3,
 * RFC 1034, 3.5, RFC 5890, 2.3. */
#include "cert/lint.h"
#include "core/mem.h"
#include "core/str.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

struct name {
    const char *p;
    size_t n;
};

typedef int test(struct name name); /* 1: that is wrong with it */

static int is_empty(struct name name)
{
    return name.n == 0 || (name.n == 1 && *name.p == ' ');
}

static int is_address(struct name name)
{
    unsigned char ip[16];
    char text[64];

    if (name.n >= sizeof(text))
        return 0;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return inet_pton(AF_INET, text, ip) == 1 ||
           inet_pton(AF_INET6, text, ip) == 1;
}

static int has_underscore(struct name name)
{
    return memchr(name.p, '_', name.n) != NULL;
}

static int leads_dot(struct name name)
{
    return name.n > 1 && name.p[0] == '.';
}

static int ends_dot(struct name name)
{
    return name.n > 1 && name.p[name.n - 1] == '.';
}

/* "*" as the whole leftmost label and nowhere else. */
static int star_misplaced(struct name name)
{
    const char *star = memchr(name.p, '*', name.n);

    if (star == NULL)
        return 0;
    return star != name.p || name.n < 2 || name.p[1] != '.' ||
           memchr(name.p + 1, '*', name.n - 1) != NULL;
}

/* "*.com" */
static int star_wide(struct name name)
{
    return name.n > 2 && name.p[0] == '*' && name.p[1] == '.' &&
           memchr(name.p + 2, '.', name.n - 2) == NULL;
}

/* Letters, digits, hyphens, dots; what other rules speak of is left to them. */
static int bad_characters(struct name name)
{
    if (is_empty(name) || is_address(name))
        return 0;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];

        if (((c | 0x20) < 'a' || (c | 0x20) > 'z') && (c < '0' || c > '9') &&
            (c == '\0' || strchr("-._*", c) == NULL))
            return 1;
    }
    return 0;
}

static int too_long(struct name name)
{
    return name.n > (ends_dot(name) ? 254 : 253);
}

/* Calls on each label, until one gives 1. */
static int any_label(struct name name, test *bad)
{
    size_t start = 0;

    for (size_t i = 0; i <= name.n; i++) {
        if (i < name.n && name.p[i] != '.')
            continue;
        if (bad((struct name){name.p + start, i - start}))
            return 1;
        start = i + 1;
    }
    return 0;
}

static int label_long(struct name label)
{
    return label.n > 63;
}

static int label_too_long(struct name name)
{
    return any_label(name, label_long);
}

/* "a..b"; dots at the ends are other rules' */
static int has_empty_label(struct name name)
{
    for (size_t i = 1; i + 2 < name.n; i++)
        if (name.p[i] == '.' && name.p[i + 1] == '.')
            return 1;
    return 0;
}

static int label_hyphen(struct name label)
{
    return label.n > 0 && (label.p[0] == '-' || label.p[label.n - 1] == '-');
}

static int hyphen_at_end(struct name name)
{
    return any_label(name, label_hyphen);
}

static int is_tagged(struct name label, const char *tag)
{
    return label.n >= 4 && label.p[2] == '-' && label.p[3] == '-' &&
           (tag == NULL || tsk_casencmp(label.p, tag, 4) == 0);
}

static int label_reserved(struct name label)
{
    return is_tagged(label, NULL) && !is_tagged(label, "xn--");
}

static int reserved(struct name name)
{
    return any_label(name, label_reserved);
}

/* "xn--" and what no U-label gives */
static int label_alabel(struct name label)
{
    char text[64], *unicode = NULL;
    int bad;

    if (!is_tagged(label, "xn--") || label.n >= sizeof(text))
        return 0;
    memcpy(text, label.p, label.n);
    text[label.n] = '\0';
    bad = idn2_to_unicode_8z8z(text, &unicode, 0) != IDN2_OK;
    idn2_free(unicode);
    return bad;
}

static int bad_alabel(struct name name)
{
    return !bad_characters(name) && any_label(name, label_alabel);
}

static int unqualified(struct name name)
{
    return !is_empty(name) && memchr(name.p, '.', name.n) == NULL &&
           !is_address(name) && *name.p != '*';
}

static const struct {
    test *bad;
    const char *what;
} tests[] = {
    {is_empty, "is empty"},
    {is_address, "is an address"},
    {has_underscore, "has an underscore"},
    {leads_dot, "begins with a dot"},
    {ends_dot, "ends with a dot"},
    {star_misplaced, "has a star elsewhere than as its whole first label"},
    {star_wide, "is a wildcard for a whole top-level domain"},
    {bad_characters, "has characters that are not letters, digits, hyphens"},
    {too_long, "is longer than 253 characters"},
    {label_too_long, "has a label of more than 63 characters"},
    {has_empty_label, "has an empty label"},
    {hyphen_at_end, "has a label that begins or ends with a hyphen"},
    {reserved, "has a label with \"--\" in third place that is no A-label"},
    {bad_alabel, "has an A-label (xn--) that stands for no name"},
    {unqualified, "has no domain"},
};

enum {
    EMPTY,
    ADDRESS,
    UNDERSCORE,
    LEADING_DOT,
    TRAILING_DOT,
    WILDCARD,
    WILDCARD_TLD,
    CHARACTERS,
    TOO_LONG,
    LABEL_LONG,
    LABEL_EMPTY,
    HYPHEN,
    RESERVED,
    ALABEL,
    UNQUALIFIED
};

static int check(struct tsk_lint_cert *l, int which)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(l->san, i);
        struct name name;

        if (g->type != GEN_DNS)
            continue;
        name.n = (size_t)ASN1_STRING_length(g->d.ia5);
        name.p =
            name.n > 0 ? (const char *)ASN1_STRING_get0_data(g->d.ia5) : "";
        if (tests[which].bad(name))
            return tsk_lint_say(l, "the DNS name \"%s\" %s",
                                tsk_lint_str(l, g->d.ia5), tests[which].what);
    }
    return 0;
}

#define ANEW "have it issued anew"

const struct tsk_lint_rule tsk_lint_dns[] = {
    {"san-dns-empty", LINT_E, LINT_ANY, check, EMPTY, "RFC 5280, 4.2.1.6",
     ANEW " without that name"},
    {"san-dns-address", LINT_E, LINT_ANY, check, ADDRESS, "RFC 9525, 6.5",
     ANEW " with the address as iPAddress: clients do not look for it "
          "among the DNS names"},
    {"san-dns-underscore", LINT_W, LINT_ANY, check, UNDERSCORE,
     "CA/B BR, 7.1.4.2", ANEW " for a host name with hyphens"},
    {"san-dns-leading-dot", LINT_E, LINT_ANY, check, LEADING_DOT,
     "RFC 5280, 4.2.1.6", ANEW " with *.domain, if a wildcard was meant"},
    {"san-dns-trailing-dot", LINT_W, LINT_ANY, check, TRAILING_DOT,
     "RFC 5280, 4.2.1.6", ANEW " without the dot"},
    {"san-dns-wildcard", LINT_E, LINT_ANY, check, WILDCARD, "RFC 9525, 6.3",
     ANEW " with *.domain, or with full names"},
    {"san-dns-wildcard-tld", LINT_E, LINT_ANY, check, WILDCARD_TLD,
     "CA/B BR, 3.2.2.6", ANEW " for the domain that is yours"},
    {"san-dns-characters", LINT_E, LINT_ANY, check, CHARACTERS,
     "RFC 5280, 4.2.1.6; RFC 9549, 4",
     ANEW "; an international name is written in A-labels"},
    {"san-dns-too-long", LINT_E, LINT_ANY, check, TOO_LONG, "RFC 1034, 3.1",
     ANEW " for a name that DNS can hold"},
    {"san-dns-label-long", LINT_E, LINT_ANY, check, LABEL_LONG, "RFC 1034, 3.1",
     ANEW " for a name that DNS can hold"},
    {"san-dns-label-empty", LINT_E, LINT_ANY, check, LABEL_EMPTY,
     "RFC 1034, 3.1", ANEW " with one dot between labels"},
    {"san-dns-hyphen", LINT_E, LINT_ANY, check, HYPHEN, "RFC 1034, 3.5",
     ANEW " for a name without it"},
    {"san-dns-reserved", LINT_W, LINT_ANY, check, RESERVED, "RFC 5890, 2.3.1",
     ANEW " for a name without it"},
    {"san-dns-alabel", LINT_E, LINT_ANY, check, ALABEL,
     "RFC 5890, 2.3.2.1; RFC 9549, 4", ANEW " with the A-labels of the name"},
    {"san-dns-unqualified", LINT_N, LINT_SERVER, check, UNQUALIFIED,
     "CA/B BR, 7.1.4.2",
     "fine in a network of your own; no public CA signs "
     "it"},
    {.code = NULL}};
