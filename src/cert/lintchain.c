/* How the certificates of a chain fit each other. */
#include "cert/lint.h"

#include <openssl/objects.h>
#include <string.h>

static int length(const struct tsk_lint_cert *l)
{
    int n = 1 + sk_X509_num(l->all->chain);

    return n < TSK_LINT_CERTS ? n : TSK_LINT_CERTS;
}

static int names_fit(const struct tsk_lint_cert *l)
{
    return X509_NAME_cmp(X509_get_issuer_name(l->x),
                         X509_get_subject_name(l->issuer)) == 0;
}

static int out_of_order(struct tsk_lint_cert *l, int arg)
{
    char wanted[80], found[80];

    (void)arg;
    /* behind a root everything is out of place */
    if (l->index + 1 >= length(l))
        return 0;
    if (!l->self_signed && names_fit(l))
        return 0;
    tsk_cert_short_issuer(l->x, wanted, sizeof(wanted));
    tsk_cert_short_name(tsk_lint_at(l->all, l->index + 1), found,
                        sizeof(found));
    if (l->self_signed)
        return tsk_lint_say(l, "it signed itself, but \"%s\" follows", found);
    return tsk_lint_say(l, "it was issued by \"%s\", but \"%s\" follows",
                        wanted, found);
}

static int forged(struct tsk_lint_cert *l, int arg)
{
    EVP_PKEY *key;
    char who[80];

    (void)arg;
    if (l->issuer == NULL || !names_fit(l))
        return 0;
    key = X509_get0_pubkey(l->issuer);
    if (key == NULL || X509_verify(l->x, key) == 1)
        return 0;
    tsk_cert_short_name(l->issuer, who, sizeof(who));
    return tsk_lint_say(l, "its signature is not of the key of \"%s\"", who);
}

static int key_id_differs(struct tsk_lint_cert *l, int arg)
{
    const ASN1_OCTET_STRING *have;
    char who[80];

    (void)arg;
    if (l->issuer == NULL || l->aki == NULL || l->aki->keyid == NULL ||
        !names_fit(l))
        return 0;
    have = X509_get0_subject_key_id(l->issuer);
    if (have == NULL || ASN1_OCTET_STRING_cmp(l->aki->keyid, have) == 0)
        return 0;
    tsk_cert_short_name(l->issuer, who, sizeof(who));
    return tsk_lint_say(l,
                        "its authorityKeyIdentifier is not the "
                        "subjectKeyIdentifier of \"%s\"",
                        who);
}

/* RFC 5280, 4.1.2.4 has names compared after preparation; many compare bytes */
static int name_bytes(struct tsk_lint_cert *l, int arg)
{
    const unsigned char *a, *b;
    size_t n, m;

    (void)arg;
    if (l->issuer == NULL || !names_fit(l) ||
        !X509_NAME_get0_der(X509_get_issuer_name(l->x), &a, &n) ||
        !X509_NAME_get0_der(X509_get_subject_name(l->issuer), &b, &m) ||
        (n == m && memcmp(a, b, n) == 0))
        return 0;
    return tsk_lint_say(l, "it writes the name of its issuer in other bytes "
                           "than that one does");
}

static int outlives(struct tsk_lint_cert *l, int arg)
{
    char mine[32], theirs[32];

    (void)arg;
    if (l->issuer == NULL || l->self_signed || !names_fit(l) ||
        l->to == INT64_MIN ||
        l->to <= tsk_cert_time(X509_get0_notAfter(l->issuer)))
        return 0;
    tsk_cert_date(X509_get0_notAfter(l->x), mine);
    tsk_cert_date(X509_get0_notAfter(l->issuer), theirs);
    return tsk_lint_say(l, "it ends on %s, its issuer on %s already", mine,
                        theirs);
}

static int no_ca(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (l->ca)
        return 0;
    return tsk_lint_say(l, "it is in the chain, but is no CA");
}

/* RFC 5280, 4.2.1.9: the leaf and the self-issued do not count */
static int too_deep(struct tsk_lint_cert *l, int arg)
{
    long most = l->ca ? X509_get_pathlen(l->x) : -1;
    int below = 0;

    (void)arg;
    for (int i = 1; i < l->index; i++) {
        X509 *x = tsk_lint_at(l->all, i);

        below += X509_NAME_cmp(X509_get_issuer_name(x),
                               X509_get_subject_name(x)) != 0;
    }
    if (most < 0 || below <= most)
        return 0;
    return tsk_lint_say(l, "it allows %ld CAs below it, but %d %s", most, below,
                        below == 1 ? "is" : "are");
}

static int root_sent(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (!l->self_signed)
        return 0;
    return tsk_lint_say(l, "it is a root: who trusts it has it already");
}

static int again(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < l->index; i++)
        if (X509_cmp(tsk_lint_at(l->all, i), l->x) == 0)
            return tsk_lint_say(l, "it is certificate %d once more", i);
    return 0;
}

static int shared_key(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    for (int i = 0; i < l->index && l->key != NULL; i++) {
        X509 *x = tsk_lint_at(l->all, i);
        EVP_PKEY *key = X509_get0_pubkey(x);

        if (key != NULL && X509_cmp(x, l->x) != 0 &&
            EVP_PKEY_eq(key, l->key) == 1)
            return tsk_lint_say(l, "it has the same key as certificate %d", i);
    }
    return 0;
}

static int too_many(struct tsk_lint_cert *l, int most)
{
    int n = 1 + sk_X509_num(l->all->chain);

    if (n <= most)
        return 0;
    return tsk_lint_say(
        l,
        "it comes with %d others; clients stop at about "
        "%d%s",
        n - 1, most, n > TSK_LINT_CERTS ? ", and not all were looked at" : "");
}

static int ca_as_leaf(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (!l->ca || (!tsk_lint_purpose(l, NID_server_auth) &&
                   X509_get_ext_by_NID(l->x, NID_subject_alt_name, -1) < 0))
        return 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(l->san); i++)
        if (sk_GENERAL_NAME_value(l->san, i)->type == GEN_DNS)
            return tsk_lint_say(l, "it is a server's certificate and a CA: "
                                   "who has its key can sign for every name");
    return 0;
}

static int self_signed(struct tsk_lint_cert *l, int arg)
{
    (void)arg;
    if (!l->self_signed)
        return 0;
    return tsk_lint_say(l, "it signed itself: clients must be told to trust "
                           "it, one by one");
}

const struct tsk_lint_rule tsk_lint_chain[] = {
    {"chain-order", LINT_E, LINT_ANY, out_of_order, 0, "RFC 5246, 7.4.2",
     "put the chain in order: tlsock cert fix"},
    {"chain-not-ca", LINT_E, LINT_CHAIN, no_ca, 0, "RFC 5280, 6.1.4",
     "leave it out, or take the issuer's certificate: tlsock cert fix"},
    {"signature-invalid", LINT_E, LINT_ANY, forged, 0, "RFC 5280, 6.1.3",
     "find the issuer with the right key; or somebody changed it"},
    {"aki-mismatch", LINT_E, LINT_ANY, key_id_differs, 0, "RFC 5280, 4.2.1.1",
     "find the issuer with that identifier, perhaps an "
     "older or newer one of the same name"},
    {"issuer-name-bytes", LINT_W, LINT_ANY, name_bytes, 0, "CA/B BR, 7.1.4.1",
     "have it issued anew, with the issuer's own bytes"},
    {"pathlen-exceeded", LINT_E, LINT_CHAIN, too_deep, 0, "RFC 5280, 4.2.1.9",
     "sign with a CA higher up, or have that one issued "
     "with a longer path"},
    {"outlives-issuer", LINT_W, LINT_ANY, outlives, 0, "RFC 5280, 6.1.3",
     "renew the issuer before, or shorten it"},
    {"chain-root", LINT_N, LINT_CHAIN, root_sent, 0, "RFC 8446, 4.4.2",
     "leave it out of what a server sends: tlsock cert fix"},
    {"chain-duplicate", LINT_W, LINT_CHAIN, again, 0, "RFC 8446, 4.4.2",
     "leave it out: tlsock cert fix"},
    {"key-shared", LINT_W, LINT_CHAIN, shared_key, 0, "practice",
     "each certificate needs a key of its own"},
    {"chain-long", LINT_W, LINT_FIRST, too_many, 10, "practice",
     "send the leaf and its issuers alone: tlsock cert fix"},
    {"leaf-is-ca", LINT_W, LINT_FIRST, ca_as_leaf, 0, "CA/B BR, 7.1.2.7.8",
     "have a leaf issued with CA:FALSE"},
    {"self-signed", LINT_N, LINT_SERVER, self_signed, 0, "RFC 5280, 3.2",
     "fine for a pin; else have a CA sign it"},
    {.code = NULL}};
