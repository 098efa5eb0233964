/* Name constraints and a common name that is taken for a host: it is held to
 * them as the same text in a subjectAltName would be. OpenSSL is not asked: it
 * passes over what does not look like a host to it, wildcards among that. */
#include "core/str.h"
#include "net/addr.h"
#include "verify/chain.h"
#include "verify/constraint_private.h"

#include <openssl/x509v3.h>
#include <string.h>

struct cn {
    struct tsk_text name; /* as it is; of "w*w.rest" it is "*.rest" */
    int ip_len;           /* 4 or 16: it is an address; 0: a host */
    uint8_t ip[16];
};

static void read_cn(struct cn *cn, const char *text, char wild[256])
{
    const char *star = strchr(text, '*'), *dot = strchr(text, '.');
    int family = tsk_ip_parse(text, cn->ip);

    cn->ip_len = family == 0 ? 0 : family == 4 ? 4 : 16;
    cn->name = (struct tsk_text){text, strlen(text)};
    if (star == NULL || dot == NULL)
        return;
    wild[0] = '*';
    memcpy(wild + 1, dot, strlen(dot) + 1);
    cn->name = (struct tsk_text){wild, strlen(wild)};
}

/* RFC 5280, 4.2.1.10: the base itself, and whatever has more labels before
 * it; with a dot in front, the latter alone. */
static int dns_within(struct tsk_text name, struct tsk_text base)
{
    size_t before;

    if (base.len == 0)
        return 1;
    if (base.len > name.len)
        return 0;
    before = name.len - base.len;
    return tsk_casencmp(name.p + before, base.p, base.len) == 0 &&
           (before == 0 || base.p[0] == '.' || name.p[before - 1] == '.');
}

/* Address and mask, RFC 5280, 4.2.1.10. */
static int ip_within(const struct cn *cn, const ASN1_OCTET_STRING *base)
{
    const unsigned char *p = ASN1_STRING_get0_data(base);

    if (ASN1_STRING_length(base) != 2 * cn->ip_len)
        return 0;
    for (int i = 0; i < cn->ip_len; i++)
        if ((cn->ip[i] & p[cn->ip_len + i]) != (p[i] & p[cn->ip_len + i]))
            return 0;
    return 1;
}

static int within(const struct cn *cn, const GENERAL_NAME *base)
{
    return cn->ip_len != 0 ? ip_within(cn, base->d.iPAddress)
                           : dns_within(cn->name, tsk_text_of(base->d.dNSName));
}

/* May a CA with these constraints sign it? minimum and maximum of a subtree
 * mean nothing to us: what has them is no help, but it excludes. */
static int allowed(const struct cn *cn, const NAME_CONSTRAINTS *nc)
{
    int type = cn->ip_len != 0 ? GEN_IPADD : GEN_DNS;
    int asked = 0, found = 0;

    for (int i = 0; i < sk_GENERAL_SUBTREE_num(nc->permittedSubtrees); i++) {
        const GENERAL_SUBTREE *t =
            sk_GENERAL_SUBTREE_value(nc->permittedSubtrees, i);

        if (t->base->type != type)
            continue;
        asked = 1;
        found |=
            t->minimum == NULL && t->maximum == NULL && within(cn, t->base);
    }
    if (asked && !found)
        return 0;
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(nc->excludedSubtrees); i++) {
        const GENERAL_NAME *base =
            sk_GENERAL_SUBTREE_value(nc->excludedSubtrees, i)->base;

        if (base->type == type &&
            (within(cn, base) ||
             (type == GEN_DNS && cn->name.p[0] == '*' &&
              tsk_wildcard_meets(cn->name, tsk_text_of(base->d.dNSName)))))
            return 0;
    }
    return 1;
}

X509 *tsk_constraint_refuses_cn(STACK_OF(X509) * chain, const char *text)
{
    char wild[256];
    struct cn cn;

    read_cn(&cn, text, wild);
    for (int i = 1; i < sk_X509_num(chain); i++) {
        X509 *ca = sk_X509_value(chain, i);
        NAME_CONSTRAINTS *nc;
        int good;

        if (X509_get_ext_by_NID(ca, NID_name_constraints, -1) < 0)
            continue;
        nc = X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
        good = nc != NULL && allowed(&cn, nc);
        NAME_CONSTRAINTS_free(nc);
        if (!good)
            return ca;
    }
    return NULL;
}
