/* Parsers of lists: what OpenSSL has to understand is tried out on an SSL_CTX
 * that is thrown away, element by element, so that the error names the one
 * that is wrong. */
#include "api/options.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/compat.h"
#include "ossl/queue.h"

#include <openssl/ssl.h>
#include <string.h>

#define ELEMENT_MAX 128 /* longer than any name OpenSSL knows */

typedef int try_fn(SSL_CTX *ctx, const char *list);

static int try_ciphers(SSL_CTX *ctx, const char *list)
{
    return SSL_CTX_set_cipher_list(ctx, list);
}

static int try_ciphersuites(SSL_CTX *ctx, const char *list)
{
    return SSL_CTX_set_ciphersuites(ctx, list);
}

static int try_groups(SSL_CTX *ctx, const char *list)
{
    return SSL_CTX_set1_groups_list(ctx, list) == 1;
}

static int try_sigalgs(SSL_CTX *ctx, const char *list)
{
    return SSL_CTX_set1_sigalgs_list(ctx, list) == 1;
}

/* OpenSSL refused one name. Between tsk_ossl_enter() and _leave(). */
static int refused(const struct tsk_optrow *row, const char *name,
                   tlsock_error *err)
{
    const char *since = tsk_compat_since(name);
    char shown[80];

    if (tsk_fail_ossl(err, TLSOCK_E_OPTION, "%s", row->pub.key) ==
        TLSOCK_E_NOMEM)
        return TLSOCK_E_NOMEM;
    tsk_printable(shown, sizeof(shown), name, strlen(name));
    if (since != NULL) { /* not a typing error */
        tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                 "%s: this OpenSSL (%s) has no \"%s\": %s and later have it",
                 row->pub.key, OpenSSL_version(OPENSSL_VERSION_STRING), shown,
                 since);
        tsk_hint(err, "write ?%s to go on without it where it is missing",
                 row->pub.key);
        return TLSOCK_E_UNSUPPORTED;
    }
    tsk_fail(err, TLSOCK_E_OPTION, "%s: OpenSSL knows no \"%s\"", row->pub.key,
             shown);
    if (strcmp(row->pub.key, "ciphers") == 0 && strncmp(name, "TLS_", 4) == 0)
        tsk_hint(err, "suites of TLS 1.3 belong into ciphersuites");
    else
        tsk_hint(err, "%s: %s", row->pub.key, row->pub.help);
    return TSK_OPTION_UNKNOWN;
}

/* Is this element of a cipher list an instruction that stands for no suite?
 * "!RC4" is right even where there is no RC4. */
static int instruction(const char *name)
{
    return strcmp(name, "@STRENGTH") == 0 ||
           strncmp(name, "@SECLEVEL=", 10) == 0 || name[0] == '!' ||
           name[0] == '-';
}

/* Level 0 would let suites without authentication in. */
static int level_refused(const char *name)
{
    return strncmp(name, "@SECLEVEL=", 10) == 0 &&
           (name[10] < '1' || name[10] > '5' || name[11] != '\0');
}

static int try_element(const struct tsk_optrow *row, SSL_CTX *ctx, try_fn *try,
                       const char *name, tlsock_error *err)
{
    if (try == try_ciphers) {
        if (level_refused(name))
            return tsk_option_bad(err, row, name, "levels are 1 to 5");
        if (instruction(name))
            return TLSOCK_OK;
        name += *name == '+';
    }
    return try(ctx, name) ? TLSOCK_OK : refused(row, name, err);
}

static int try_elements(const struct tsk_optrow *row, SSL_CTX *ctx, try_fn *try,
                        const char *value, tlsock_error *err)
{
    const char *separators = try == try_ciphers ? ":, ;" : ":";
    char name[ELEMENT_MAX];

    for (const char *p = value;; p++) {
        size_t len = strcspn(p, separators);
        int rc;

        if (len == 0 || len >= sizeof(name))
            return tsk_option_bad(err, row, value,
                                  len == 0 ? "an element is empty"
                                           : "an element is too long");
        memcpy(name, p, len);
        name[len] = '\0';
        rc = try_element(row, ctx, try, name, err);
        if (rc != TLSOCK_OK)
            return rc;
        p += len;
        if (*p == '\0')
            return TLSOCK_OK;
    }
}

/* Releases of OpenSSL differ in what they make of it. */
static int has_twice(const char *list)
{
    for (const char *a = list; *a != '\0'; a += *a == ':') {
        size_t n = strcspn(a, ":");

        for (const char *b = a + n; *b == ':';) {
            size_t m = strcspn(++b, ":");

            if (m == n && tsk_casencmp(a, b, n) == 0)
                return 1;
            b += m;
        }
        a += n;
    }
    return 0;
}

static int try_list(const struct tsk_optrow *row, SSL_CTX *ctx, try_fn *try,
                    const char *value, tlsock_error *err)
{
    int rc = try_elements(row, ctx, try, value, err);

    if (rc != TLSOCK_OK)
        return rc;
    if (try == try_groups && has_twice(value))
        return tsk_option_bad(err, row, value, "one of them is there twice");
    if (try(ctx, value))
        return TLSOCK_OK;
    rc = tsk_fail_ossl(err, TLSOCK_E_OPTION, "%s: nothing usable is left",
                       row->pub.key);
    tsk_hint(err, "%s: %s", row->pub.key, row->pub.help);
    return rc;
}

static SSL_CTX *scratch(tlsock_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    if (ctx == NULL)
        tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot make an SSL_CTX");
    else
        SSL_CTX_set_security_level(ctx, 2); /* as connections will have it */
    return ctx;
}

static int list(const struct tsk_optrow *row, struct tsk_settings *set,
                try_fn *try, const char *value, tlsock_error *err)
{
    SSL_CTX *ctx;
    int rc = TLSOCK_E_NOMEM;

    tsk_ossl_enter();
    ctx = scratch(err);
    if (ctx != NULL)
        rc = try_list(row, ctx, try, value, err);
    SSL_CTX_free(ctx);
    tsk_ossl_leave();
    if (rc != TLSOCK_OK)
        return rc;
    return tsk_option_text(tsk_option_field(row, set), value, err);
}

TSK_OPTION_PARSER(ciphersuites)
{
    return list(row, set, try_ciphersuites, value, err);
}

TSK_OPTION_PARSER(groups)
{
    return list(row, set, try_groups, value, err);
}

TSK_OPTION_PARSER(sigalgs)
{
    return list(row, set, try_sigalgs, value, err);
}

/* Is a suite left that would be offered? Those without encryption or without
 * authentication never are: the security level is 1 or more. */
static int usable(SSL *ssl)
{
    STACK_OF(SSL_CIPHER) *suites = SSL_get1_supported_ciphers(ssl);
    int n = sk_SSL_CIPHER_num(suites);

    sk_SSL_CIPHER_free(suites);
    return n > 0;
}

static int ciphers_usable(const struct tsk_optrow *row, SSL_CTX *ctx,
                          const char *value, tlsock_error *err)
{
    SSL *ssl;
    int rc;

    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION) != 1)
        return tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                             "this OpenSSL has no TLS 1.2");
    rc = try_list(row, ctx, try_ciphers, value, err);
    if (rc != TLSOCK_OK)
        return rc;
    ssl = SSL_new(ctx);
    if (ssl == NULL)
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot make an SSL");
    if (!usable(ssl))
        rc = tsk_option_bad(err, row, value, "no usable suite of TLS 1.2");
    SSL_free(ssl);
    return rc;
}

TSK_OPTION_PARSER(ciphers)
{
    SSL_CTX *ctx;
    int rc = TLSOCK_E_NOMEM;

    tsk_ossl_enter();
    ctx = scratch(err);
    if (ctx != NULL)
        rc = ciphers_usable(row, ctx, value, err);
    SSL_CTX_free(ctx);
    tsk_ossl_leave();
    if (rc != TLSOCK_OK)
        return rc;
    return tsk_option_text(tsk_option_field(row, set), value, err);
}

/* RFC 7301, 3.1: each name is 1 to 255 bytes, behind its length. */
TSK_OPTION_PARSER(alpn)
{
    unsigned char *wire = tsk_alloc(strlen(value) + 1);
    size_t pos = 0;

    if (wire == NULL)
        return tsk_fail_nomem(err);
    for (const char *p = value;;) {
        size_t len, trimmed;

        p += strspn(p, " \t");
        len = trimmed = strcspn(p, ",");
        while (trimmed > 0 && strchr(" \t", p[trimmed - 1]) != NULL)
            trimmed--;
        if (trimmed == 0 || trimmed > 255) {
            tsk_free(wire);
            return tsk_option_bad(err, row, value,
                                  "each protocol is 1 to 255 bytes");
        }
        wire[pos++] = (unsigned char)trimmed;
        memcpy(wire + pos, p, trimmed);
        pos += trimmed;
        if (p[len] == '\0')
            break;
        p += len + 1;
    }
    tsk_free(set->alpn);
    set->alpn = wire;
    set->alpn_len = pos;
    return TLSOCK_OK;
}
