/* What two lists of suites, groups or signature algorithms have in common. */
#include "api/policy_rules.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/compat.h"
#include "ossl/queue.h"
#include "tls/ctx.h"

#include <openssl/ssl.h>
#include <string.h>

#define NAME_MAX_LEN 128 /* of an element; longer ones are in no list */

/* One thing with several names. One that is missing here makes a common list
 * shorter, never longer. */
static const char *const aliases[][2] = {
    {"secp256r1", "P-256"},
    {"prime256v1", "P-256"},
    {"secp384r1", "P-384"},
    {"secp521r1", "P-521"},
    {"ECDSA+SHA256", "ecdsa_secp256r1_sha256"},
    {"ECDSA+SHA384", "ecdsa_secp384r1_sha384"},
    {"ECDSA+SHA512", "ecdsa_secp521r1_sha512"},
    {"RSA-PSS+SHA256", "rsa_pss_rsae_sha256"},
    {"RSA-PSS+SHA384", "rsa_pss_rsae_sha384"},
    {"RSA-PSS+SHA512", "rsa_pss_rsae_sha512"},
    {"PSS+SHA256", "rsa_pss_rsae_sha256"},
    {"PSS+SHA384", "rsa_pss_rsae_sha384"},
    {"PSS+SHA512", "rsa_pss_rsae_sha512"},
    {"RSA+SHA256", "rsa_pkcs1_sha256"},
    {"RSA+SHA384", "rsa_pkcs1_sha384"},
    {"RSA+SHA512", "rsa_pkcs1_sha512"},
};

static const char *one_name(const char *name)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (tsk_casecmp(name, aliases[i][0]) == 0)
            return aliases[i][1];
    return name;
}

/* The next element of a list with colons into name; NULL: there is none. */
static const char *next(const char *p, char *name)
{
    size_t len;

    p += strspn(p, ":");
    len = strcspn(p, ":");
    if (len == 0)
        return NULL;
    name[0] = '\0';
    if (len < NAME_MAX_LEN) {
        memcpy(name, p, len);
        name[len] = '\0';
    }
    return p + len;
}

static int holds(const char *list, const char *name)
{
    char each[NAME_MAX_LEN];

    for (const char *p = next(list, each); p != NULL; p = next(p, each))
        if (tsk_casecmp(one_name(each), one_name(name)) == 0)
            return 1;
    return 0;
}

static char *both(const char *mine, const char *theirs, tlsock_error *err)
{
    size_t size = strlen(mine) + 1, pos = 0;
    char *out = tsk_alloc(size), name[NAME_MAX_LEN];

    if (out == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    for (const char *p = next(mine, name); p != NULL; p = next(p, name))
        if (name[0] != '\0' && holds(theirs, name))
            tsk_append(out, size, &pos, "%s%s", pos != 0 ? ":" : "", name);
    if (pos != 0)
        return out;
    tsk_free(out);
    tsk_fail(err, TLSOCK_E_POLICY, "nothing is in both lists");
    return NULL;
}

static int of_12(const SSL_CIPHER *suite)
{
    return strcmp(SSL_CIPHER_get_version(suite), "TLSv1.3") != 0;
}

/* What an expression of OpenSSL's stands for, by names; yours. */
static char *expand(SSL_CTX *ctx, const char *list, tlsock_error *err)
{
    STACK_OF(SSL_CIPHER) * suites;
    size_t size = 1, pos = 0;
    char *out;

    if (!SSL_CTX_set_cipher_list(ctx, list)) {
        tsk_fail_ossl(err, TLSOCK_E_POLICY, "no suite is left");
        return NULL;
    }
    suites = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++)
        size += strlen(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i))) + 1;
    out = tsk_alloc(size);
    if (out == NULL)
        tsk_fail_nomem(err);
    for (int i = 0; out != NULL && i < sk_SSL_CIPHER_num(suites); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(suites, i);

        if (of_12(suite))
            tsk_append(out, size, &pos, "%s%s", pos != 0 ? ":" : "",
                       SSL_CIPHER_get_name(suite));
    }
    return out;
}

static char *both_ciphers(const char *mine, const char *theirs,
                          tlsock_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    char *a = NULL, *b = NULL, *out = NULL;

    if (ctx == NULL) {
        tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot make an SSL_CTX");
        return NULL;
    }
    SSL_CTX_set_security_level(ctx, 2); /* as connections will have it */
    a = expand(ctx, mine, err);
    if (a != NULL)
        b = expand(ctx, theirs, err);
    if (b != NULL)
        out = both(a, b, err);
    tsk_free(a);
    tsk_free(b);
    SSL_CTX_free(ctx);
    return out;
}

static const char *by_default(enum tsk_rule_kind kind)
{
    switch (kind) {
    case TSK_RULE_CIPHERS:
        return TSK_DEFAULT_CIPHERS;
    case TSK_RULE_CIPHERSUITES:
        return TSK_DEFAULT_SUITES;
    case TSK_RULE_GROUPS:
        return tsk_compat_group_list();
    default:
        return TSK_DEFAULT_SIGALGS;
    }
}

char *tsk_rule_common(enum tsk_rule_kind kind, const char *mine,
                      const char *theirs, tlsock_error *err)
{
    char *out;

    tsk_ossl_enter();
    if (mine == NULL)
        mine = by_default(kind);
    out = kind == TSK_RULE_CIPHERS ? both_ciphers(mine, theirs, err)
                                   : both(mine, theirs, err);
    tsk_ossl_leave();
    return out;
}
