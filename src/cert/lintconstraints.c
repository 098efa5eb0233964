/* nameConstraints: RFC 5280, 4.2.1.10. */
#include "cert/lint.h"

#include <openssl/objects.h>
#include <string.h>

static int in_leaf(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (X509_get_ext_by_NID(l->x, NID_name_constraints, -1) < 0)
        return 0;
    return tsk_lint_say(l, "it constrains names, but is no CA");
}

static int empty(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->nc == NULL || sk_GENERAL_SUBTREE_num(l->nc->permittedSubtrees) > 0 ||
        sk_GENERAL_SUBTREE_num(l->nc->excludedSubtrees) > 0)
        return 0;
    return tsk_lint_say(l, "its name constraints permit nothing and exclude "
                           "nothing");
}

typedef int test(const GENERAL_SUBTREE *t);

static int any(const STACK_OF(GENERAL_SUBTREE) * list, test *bad)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(list); i++)
        if (bad(sk_GENERAL_SUBTREE_value(list, i)))
            return 1;
    return 0;
}

static int in_both(const struct tsk_lint_cert *l, test *bad)
{
    return l->nc != NULL && (any(l->nc->permittedSubtrees, bad) ||
                             any(l->nc->excludedSubtrees, bad));
}

static int dotted(const GENERAL_SUBTREE *t)
{
    const ASN1_STRING *s = t->base->d.ia5;

    return t->base->type == GEN_DNS && ASN1_STRING_length(s) > 0 &&
           ASN1_STRING_get0_data(s)[0] == '.';
}

/* An address and a mask whose ones come first. */
static int bad_mask(const GENERAL_SUBTREE *t)
{
    const unsigned char *p;
    int n, ended = 0;

    if (t->base->type != GEN_IPADD)
        return 0;
    n = ASN1_STRING_length(t->base->d.iPAddress);
    p = ASN1_STRING_get0_data(t->base->d.iPAddress);
    if (n != 8 && n != 32)
        return 1;
    for (int i = n / 2; i < n; i++)
        for (int bit = 7; bit >= 0; bit--) {
            int one = (p[i] >> bit) & 1;

            if (one && ended)
                return 1;
            ended = ended || !one;
        }
    return 0;
}

static int has_range(const GENERAL_SUBTREE *t)
{
    return t->maximum != NULL ||
           (t->minimum != NULL && ASN1_INTEGER_get(t->minimum) != 0);
}

/* A host or ".domain", no URI. */
static int bad_uri(const GENERAL_SUBTREE *t)
{
    const ASN1_STRING *s = t->base->d.ia5;

    return t->base->type == GEN_URI &&
           (ASN1_STRING_length(s) == 0 ||
            memchr(ASN1_STRING_get0_data(s), ':',
                   (size_t)ASN1_STRING_length(s)) != NULL ||
            memchr(ASN1_STRING_get0_data(s), '/',
                   (size_t)ASN1_STRING_length(s)) != NULL);
}

static const struct {
    test *bad;
    const char *what;
} tests[] = {
    {dotted, "a name constraint for DNS begins with a dot: clients differ in "
             "what that means"},
    {bad_mask, "a name constraint for addresses is not an address and its "
               "mask"},
    {has_range, "a name constraint has a minimum or a maximum"},
    {bad_uri, "a name constraint for URIs is not a host name"},
};

enum { DOTTED, MASK, RANGE, URI };

static int subtree(struct tsk_lint_cert *l, int which)
{
    return in_both(l, tests[which].bad)
               ? tsk_lint_say(l, "%s", tests[which].what)
               : 0;
}

/* May this CA sign the leaf of its chain? */
static int violated(struct tsk_lint_cert *l, int arg)
{
    X509 *leaf = l->all->leaf;
    char who[80], names[80];
    int rc;

    (void)arg;
    if (l->nc == NULL || X509_check_purpose(leaf, -1, 0) != 1)
        return 0;
    rc = NAME_CONSTRAINTS_check(leaf, l->nc);
    if (rc != X509_V_ERR_PERMITTED_VIOLATION &&
        rc != X509_V_ERR_EXCLUDED_VIOLATION)
        return 0;
    tsk_cert_short_name(l->x, who, sizeof(who));
    tsk_cert_sans_text(leaf, names, sizeof(names));
    return tsk_lint_say(l,
                        "\"%s\" may not sign for %s: its name constraints "
                        "%s",
                        who, names[0] != '\0' ? names : "the leaf",
                        rc == X509_V_ERR_EXCLUDED_VIOLATION
                            ? "exclude that"
                            : "do not permit that");
}

#define ANEW "have the CA issued anew"

const struct tsk_lint_rule tsk_lint_constraints[] = {
    {"nc-violated", LINT_E, LINT_CHAIN, violated, 0, "RFC 5280, 6.1.3",
     "have the leaf signed by a CA that may, or with names it may sign"},
    {"nc-in-leaf", LINT_E, LINT_END, in_leaf, 0, "RFC 5280, 4.2.1.10",
     "have it issued anew without nameConstraints"},
    {"nc-empty", LINT_E, LINT_ANY, empty, 0, "RFC 5280, 4.2.1.10",
     ANEW " without nameConstraints, or with some"},
    {"nc-dns-leading-dot", LINT_W, LINT_ANY, subtree, DOTTED,
     "RFC 5280, 4.2.1.10", ANEW " with the domain, without a dot"},
    {"nc-ip-mask", LINT_E, LINT_ANY, subtree, MASK, "RFC 5280, 4.2.1.10",
     ANEW " with IP:192.0.2.0/255.255.255.0"},
    {"nc-min-max", LINT_E, LINT_ANY, subtree, RANGE, "RFC 5280, 4.2.1.10",
     ANEW " without them"},
    {"nc-uri", LINT_E, LINT_ANY, subtree, URI, "RFC 5280, 4.2.1.10",
     ANEW " with a host, or .domain"},
    {.code = NULL}};
