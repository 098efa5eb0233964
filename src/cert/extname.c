#include "cert/make.h"
#include "core/str.h"
#include "net/addr.h"
#include "ossl/queue.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define MOST_SUBTREES 64

static int bad(const char *part, const char *why, tlsock_error *err)
{
    char shown[96];

    tsk_printable(shown, sizeof(shown), part, strlen(part));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "permitted name \"%s\" %s", shown, why);
    tsk_hint(err, "write domains and networks, separated by commas: .test, "
                  "10.0.0.0/8, fd00::/8");
    return TLSOCK_E_ARGUMENT;
}

static int is_base(const GENERAL_NAME *base, int kind, const void *data,
                   size_t len)
{
    const ASN1_STRING *s =
        kind == GEN_IPADD ? base->d.iPAddress : base->d.dNSName;

    return base->type == kind && (size_t)ASN1_STRING_length(s) == len &&
           memcmp(ASN1_STRING_get0_data(s), data, len) == 0;
}

static int add(STACK_OF(GENERAL_SUBTREE) * *trees, int kind, const void *data,
               size_t len, tlsock_error *err)
{
    GENERAL_SUBTREE *tree;
    ASN1_STRING *s;

    for (int i = 0; i < sk_GENERAL_SUBTREE_num(*trees); i++)
        if (is_base(sk_GENERAL_SUBTREE_value(*trees, i)->base, kind, data, len))
            return TLSOCK_OK; /* ".a" and "a" mean the same */
    tree = GENERAL_SUBTREE_new();
    s = ASN1_STRING_type_new(kind == GEN_IPADD ? V_ASN1_OCTET_STRING
                                               : V_ASN1_IA5STRING);

    if (*trees == NULL)
        *trees = sk_GENERAL_SUBTREE_new_null();
    if (*trees == NULL || tree == NULL || s == NULL ||
        !ASN1_STRING_set(s, data, (int)len)) {
        GENERAL_SUBTREE_free(tree);
        ASN1_STRING_free(s);
        return tsk_fail_nomem(err);
    }
    GENERAL_NAME_set0_value(tree->base, kind, s);
    if (sk_GENERAL_SUBTREE_push(*trees, tree) <= 0) {
        GENERAL_SUBTREE_free(tree);
        return tsk_fail_nomem(err);
    }
    return TLSOCK_OK;
}

/* RFC 5280, 4.2.1.10: address, then mask. Host bits are refused, since they
 * are most often a slip. */
static int add_network(NAME_CONSTRAINTS *nc, const char *part, int version,
                       const uint8_t ip[16], const char *prefix,
                       tlsock_error *err)
{
    uint8_t both[32] = {0};
    size_t n = version == 4 ? 4 : 16;
    int64_t bits = (int64_t)(8 * n);

    if (prefix != NULL && tsk_number(prefix, 0, bits, &bits) != 0)
        return bad(part, "has no possible prefix length", err);
    memcpy(both, ip, n);
    for (size_t i = 0; i < 8 * n; i++) {
        uint8_t bit = (uint8_t)(0x80u >> (i % 8));

        if ((int64_t)i < bits)
            both[n + i / 8] |= bit;
        else if ((ip[i / 8] & bit) != 0)
            return bad(part, "has bits set behind the prefix", err);
    }
    return add(&nc->permittedSubtrees, GEN_IPADD, both, 2 * n, err);
}

/* RFC 5280, 4.2.1.10: a domain is permitted with all below it, and is written
 * without a dot in front. */
static int add_part(NAME_CONSTRAINTS *nc, const char *part, tlsock_error *err)
{
    const char *slash = strchr(part, '/');
    char name[256];
    uint8_t ip[16];
    int version, rc;

    if (strlen(part) >= sizeof(name))
        return bad(part, "is too long", err);
    strcpy(name, part);
    if (slash != NULL)
        name[slash - part] = '\0';
    version = tsk_ip_parse(name, ip);
    if (version != 0)
        return add_network(nc, part, version, ip,
                           slash != NULL ? slash + 1 : NULL, err);
    if (slash != NULL)
        return bad(part, "is no network", err);
    rc = tsk_host_normalise(name, part + (part[0] == '.'), err);
    if (rc != TLSOCK_OK)
        return rc;
    return add(&nc->permittedSubtrees, GEN_DNS, name, strlen(name), err);
}

static int permits(const NAME_CONSTRAINTS *nc, int kind)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(nc->permittedSubtrees); i++)
        if (sk_GENERAL_SUBTREE_value(nc->permittedSubtrees, i)->base->type ==
            kind)
            return 1;
    return 0;
}

/* A permitted domain says nothing about addresses, nor the other way round:
 * the kind that is not listed at all is excluded. */
static int exclude_rest(NAME_CONSTRAINTS *nc, tlsock_error *err)
{
    static const uint8_t all[32];
    int rc = TLSOCK_OK;

    if (!permits(nc, GEN_IPADD)) {
        rc = add(&nc->excludedSubtrees, GEN_IPADD, all, 8, err);
        if (rc == TLSOCK_OK)
            rc = add(&nc->excludedSubtrees, GEN_IPADD, all, 32, err);
    }
    if (rc == TLSOCK_OK && !permits(nc, GEN_DNS))
        rc = add(&nc->excludedSubtrees, GEN_DNS, "", 0, err);
    return rc;
}

int tsk_permitted_parse(NAME_CONSTRAINTS **out, const char *text,
                        tlsock_error *err)
{
    NAME_CONSTRAINTS *nc = NAME_CONSTRAINTS_new();
    int rc = nc != NULL ? TLSOCK_OK : tsk_fail_nomem(err), parts = 0;

    while (rc == TLSOCK_OK && *text != '\0') {
        size_t n = strcspn(text, ",");
        char part[300];

        while (n > 0 && *text == ' ')
            text++, n--;
        if (n >= sizeof(part) || ++parts > MOST_SUBTREES) {
            rc = bad(text, "is too long", err);
            break;
        }
        memcpy(part, text, n);
        part[n] = '\0';
        while (n > 0 && part[n - 1] == ' ')
            part[--n] = '\0';
        rc = n > 0 ? add_part(nc, part, err) : bad(part, "is empty", err);
        text += strcspn(text, ",");
        text += *text == ',';
    }
    if (rc == TLSOCK_OK && parts == 0)
        rc = bad("", "is empty", err);
    if (rc == TLSOCK_OK)
        rc = exclude_rest(nc, err);
    if (rc != TLSOCK_OK) {
        NAME_CONSTRAINTS_free(nc);
        return rc;
    }
    *out = nc;
    return TLSOCK_OK;
}

/* ".test", "10.0.0.0/8": one base of a subtree, as "permitted" writes it */
void tsk_subtree_text(const GENERAL_NAME *g, char *out, size_t size)
{
    char ip[64];
    int n, bits = 0;

    if (g->type == GEN_DNS || g->type == GEN_EMAIL || g->type == GEN_URI) {
        n = ASN1_STRING_length(g->d.ia5);
        out[0] = '.';
        tsk_printable(out + 1, size - 1, ASN1_STRING_get0_data(g->d.ia5),
                      (size_t)n);
        return;
    }
    n = g->type == GEN_IPADD ? ASN1_STRING_length(g->d.iPAddress) : 0;
    if (n != 8 && n != 32) {
        snprintf(out, size, "other names");
        return;
    }
    for (int i = n / 2; i < n; i++)
        for (int b = ASN1_STRING_get0_data(g->d.iPAddress)[i]; b != 0;
             b &= b - 1)
            bits++;
    inet_ntop(n == 8 ? AF_INET : AF_INET6,
              ASN1_STRING_get0_data(g->d.iPAddress), ip, sizeof(ip));
    snprintf(out, size, "%s/%d", ip, bits);
}
