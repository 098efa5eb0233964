/* Name constraints and what cannot be compared with them as text: wildcards,
 * which stand for many names, and names that are none. */
#include "core/str.h"
#include "ossl/ext.h"
#include "verify/chain.h"
#include "verify/constraint_private.h"

#include <openssl/x509v3.h>
#include <string.h>

struct tsk_text tsk_text_of(const ASN1_IA5STRING *s)
{
    struct tsk_text t = {(const char *)ASN1_STRING_get0_data(s),
                         (size_t)ASN1_STRING_length(s)};

    return t;
}

static int label_char(char c)
{
    return c == '-' || c == '_' || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Labels of 1 to 63 letters, digits, hyphens, 253 bytes in all. */
static int is_host(struct tsk_text t)
{
    size_t label = 0;

    if (t.len == 0 || t.len > 253)
        return 0;
    for (size_t i = 0; i < t.len; i++) {
        if (t.p[i] == '.') {
            if (label == 0)
                return 0;
            label = 0;
        } else if (!label_char(t.p[i]) || ++label > 63) {
            return 0;
        }
    }
    return label > 0;
}

static int is_wild(struct tsk_text t)
{
    return t.len > 2 && t.p[0] == '*' && t.p[1] == '.';
}

static int is_mailbox(struct tsk_text t)
{
    const char *at = memrchr(t.p, '@', t.len);
    struct tsk_text host;

    if (at == NULL || at == t.p)
        return 0;
    host.p = at + 1;
    host.len = t.len - (size_t)(at + 1 - t.p);
    for (const char *p = t.p; p < at; p++)
        if (*p <= ' ' || *p > '~' || *p == '@')
            return 0;
    return is_host(host);
}

int tsk_wildcard_meets(struct tsk_text wild, struct tsk_text base)
{
    size_t rest = wild.len - 1; /* with its dot */
    size_t label;

    if (base.len > 0 && base.p[0] == '.') {
        base.p++;
        base.len--;
    }
    if (base.len <= rest ||
        tsk_casencmp(base.p + base.len - rest, wild.p + 1, rest) != 0)
        return 0;
    label = base.len - rest;
    return memchr(base.p, '.', label) == NULL;
}

static int has_type(const STACK_OF(GENERAL_SUBTREE) * trees, int type)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++)
        if (sk_GENERAL_SUBTREE_value(trees, i)->base->type == type)
            return 1;
    return 0;
}

static int constrains(const NAME_CONSTRAINTS *nc, int type)
{
    return has_type(nc->permittedSubtrees, type) ||
           has_type(nc->excludedSubtrees, type);
}

static const char *wildcard_fault(const NAME_CONSTRAINTS *nc,
                                  struct tsk_text wild)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(nc->excludedSubtrees); i++) {
        const GENERAL_NAME *base =
            sk_GENERAL_SUBTREE_value(nc->excludedSubtrees, i)->base;

        if (base->type == GEN_DNS &&
            tsk_wildcard_meets(wild, tsk_text_of(base->d.dNSName)))
            return "its wildcard stands for a name that a CA above it may "
                   "not sign";
    }
    return NULL;
}

static const char *dns_fault(const NAME_CONSTRAINTS *nc, struct tsk_text name)
{
    if (is_wild(name)) {
        struct tsk_text rest = {name.p + 2, name.len - 2};

        if (is_host(rest))
            return wildcard_fault(nc, name);
    }
    return is_host(name) ? NULL
                         : "it has a DNS name that is none, and a CA above it "
                           "may only sign some";
}

static const char *names_fault(const NAME_CONSTRAINTS *nc,
                               const GENERAL_NAMES *names)
{
    int dns = constrains(nc, GEN_DNS), mail = constrains(nc, GEN_EMAIL);
    const char *what = NULL;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && what == NULL; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

        if (dns && g->type == GEN_DNS)
            what = dns_fault(nc, tsk_text_of(g->d.dNSName));
        if (mail && g->type == GEN_EMAIL &&
            !is_mailbox(tsk_text_of(g->d.rfc822Name)))
            what = "it has an e-mail address that is none, and a CA above it "
                   "may only sign some";
    }
    return what;
}

/* The names of everything below the CA at place ca. */
static const char *below(STACK_OF(X509) * chain, int ca, int *depth,
                         int *starved)
{
    NAME_CONSTRAINTS *nc = tsk_ossl_ext(sk_X509_value(chain, ca),
                                        NID_name_constraints, NULL, starved);
    const char *what = NULL;

    for (int i = 0; i < ca && nc != NULL && what == NULL; i++) {
        GENERAL_NAMES *names = tsk_ossl_ext(
            sk_X509_value(chain, i), NID_subject_alt_name, NULL, starved);

        what = names_fault(nc, names);
        *depth = i;
        GENERAL_NAMES_free(names);
    }
    NAME_CONSTRAINTS_free(nc);
    return what;
}

const char *tsk_constraint_fault(STACK_OF(X509) * chain, int *depth,
                                 int *starved)
{
    const char *what = NULL;

    for (int i = 1; i < sk_X509_num(chain) && what == NULL; i++) {
        if (X509_get_ext_by_NID(sk_X509_value(chain, i), NID_name_constraints,
                                -1) >= 0)
            what = below(chain, i, depth, starved);
    }
    return what;
}
