#include "cert/load.h"
#include "cert/order.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROVIDER "pkcs11"
#define MOST_OBJECTS 1000
/* The file store would look for a file of that name. */
#define NOT_FILES "provider!=default,provider!=base"

int tsk_token_is(const char *uri)
{
    return tsk_casencmp(uri, "pkcs11:", 7) == 0;
}

/* RFC 7512, 2.4: "pin-value" in the query part is the PIN itself. */
void tsk_token_name(const char *uri, char name[256])
{
    const char *pin = strstr(uri, "pin-value="), *rest;
    char shown[256];
    size_t n;

    if (pin == NULL) {
        tsk_printable(name, 256, uri, strlen(uri));
        return;
    }
    n = (size_t)(pin - uri) + strlen("pin-value=");
    rest = pin + strcspn(pin, "&");
    snprintf(shown, sizeof(shown), "%.*s...%s", (int)(n < 200 ? n : 200), uri,
             rest);
    tsk_printable(name, 256, shown, strlen(shown));
}

/* Does the URI name this type of object, or any? */
static int may_be(const char *uri, const char *type)
{
    const char *at = strstr(uri, "type=");
    size_t n = strlen(type);

    return at == NULL ||
           (strncmp(at + 5, type, n) == 0 && strchr(";?", at[5 + n]) != NULL);
}

static int has_loader(void)
{
    OSSL_STORE_LOADER *l = OSSL_STORE_LOADER_fetch(NULL, "pkcs11", NULL);

    OSSL_STORE_LOADER_free(l);
    return l != NULL;
}

/* Some modules use OpenSSL themselves, under a lock of their own. An algorithm
 * that OpenSSL looks for then, for the first time, would be asked of the token
 * too, which waits for that lock for ever: have all of them looked for before.
 */
static void look_around(void)
{
    EVP_MD_free(EVP_MD_fetch(NULL, "SHA2-256", NULL));
    EVP_CIPHER_free(EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL));
    EVP_MAC_free(EVP_MAC_fetch(NULL, "HMAC", NULL));
    EVP_KDF_free(EVP_KDF_fetch(NULL, "HKDF", NULL));
    EVP_RAND_free(EVP_RAND_fetch(NULL, "CTR-DRBG", NULL));
    EVP_KEYMGMT_free(EVP_KEYMGMT_fetch(NULL, "RSA", NULL));
    EVP_SIGNATURE_free(EVP_SIGNATURE_fetch(NULL, "RSA", NULL));
    EVP_ASYM_CIPHER_free(EVP_ASYM_CIPHER_fetch(NULL, "RSA", NULL));
    EVP_KEYEXCH_free(EVP_KEYEXCH_fetch(NULL, "ECDH", NULL));
}

static const char *modules_dir(void)
{
    const char *dir = getenv("OPENSSL_MODULES");

    return dir != NULL ? dir : OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
}

/* OpenSSL's configuration may have loaded a provider for tokens. If not, and
 * only then, it is loaded here, for the process and for good: keys from it
 * must work in every SSL_CTX. What else OpenSSL offers stays as it is. */
static int need_provider(const struct tsk_source *s, tlsock_error *err)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    if (has_loader())
        return TLSOCK_OK;
    if (OSSL_PROVIDER_try_load(NULL, PROVIDER, 1) == NULL) {
        tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                 "\"%s\" is on a token, and OpenSSL's provider \"" PROVIDER
                 "\" for tokens could not be loaded (%s)",
                 s->name, modules_dir());
        tsk_hint(err, "install it (package pkcs11-provider, Debian 13 and "
                      "later), or load another one in openssl.cnf; a key in a "
                      "file needs none");
        return TLSOCK_E_UNSUPPORTED;
    }
    if (has_loader())
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_UNSUPPORTED,
             "\"%s\" is on a token, and OpenSSL's provider \"" PROVIDER
             "\" found no PKCS#11 module to reach it",
             s->name);
    tsk_hint(err, "name the module that came with the token: "
                  "pkcs11-module-path in openssl.cnf, or the environment "
                  "variable PKCS11_PROVIDER_MODULE");
    return TLSOCK_E_UNSUPPORTED;
}

int tsk_token_nothing(const struct tsk_source *s, const char *wanted,
                      tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OWN_FILE, "there is no %s at \"%s\"", wanted,
             s->name);
    tsk_hint(err, "check token, object and id in the URI (they are exact) with "
                  "what p11tool --list-tokens and --list-all show; a private "
                  "key shows itself after login alone");
    return TLSOCK_E_OWN_FILE;
}

/* What to do with one object; nonzero: that was the last one needed. */
typedef int use(OSSL_STORE_INFO *info, void *to);

static void walk(OSSL_STORE_CTX *ctx, use *fn, void *to)
{
    for (int n = 0; n < MOST_OBJECTS && !OSSL_STORE_eof(ctx); n++) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(ctx);
        int done = info != NULL && fn(info, to);

        OSSL_STORE_INFO_free(info);
        if (done || (info == NULL && OSSL_STORE_error(ctx)))
            return;
    }
}

/* The UI method is always ours: OpenSSL's own would ask at the terminal. */
static int walk_token(const struct tsk_source *s, struct tsk_pass *pin,
                      int expect, use *fn, void *to, tlsock_error *err)
{
    int rc = need_provider(s, err);
    OSSL_STORE_CTX *ctx = NULL;
    UI_METHOD *ui;

    if (rc != TLSOCK_OK)
        return rc;
    ui = UI_UTIL_wrap_read_pem_callback(tsk_pass_pem, 0);
    if (ui == NULL)
        return tsk_fail_nomem(err);
    look_around();
    ERR_pop_to_mark(); /* what was looked for before is not its error */
    ERR_set_mark();
    ctx = OSSL_STORE_open_ex(s->token, NULL, NOT_FILES, ui, pin, NULL, NULL,
                             NULL);
    if (ctx != NULL) {
        (void)OSSL_STORE_expect(ctx, expect);
        walk(ctx, fn, to);
    }
    OSSL_STORE_close(ctx);
    UI_destroy_method(ui);
    return TLSOCK_OK;
}

/* OpenSSL keeps to itself why nothing came. */
static int nothing_came(const struct tsk_source *s, const struct tsk_pass *pin,
                        tlsock_error *err)
{
    int rc;

    if (pin->asked && pin->uri == NULL && pin->asker == NULL) {
        tsk_fail(err, TLSOCK_E_PASSWORD,
                 "\"%s\" needs a PIN and none was given", s->name);
        tsk_hint(err, "say where it is: file:FILE, env:NAME or fd:N");
        return TLSOCK_E_PASSWORD;
    }
    if (pin->asked && pin->rc < 0)
        return tsk_pass_fail(pin, s->name, err);
    if (ERR_peek_error() == 0)
        return TLSOCK_OK;
    rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE, "\"%s\" cannot be opened",
                       s->name);
    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "see that the token is there (p11tool --list-tokens) and "
                      "its module the right one: pkcs11-module-path in "
                      "openssl.cnf, or PKCS11_PROVIDER_MODULE");
    return rc;
}

struct found_certs {
    STACK_OF(X509) * certs;
    int no_memory;
};

static int add_cert(OSSL_STORE_INFO *info, void *to)
{
    struct found_certs *f = to;
    X509 *x;

    if (OSSL_STORE_INFO_get_type(info) != OSSL_STORE_INFO_CERT)
        return 0;
    x = tsk_cert_copy(OSSL_STORE_INFO_get0_CERT(info));
    if (x != NULL && sk_X509_push(f->certs, x) > 0)
        return 0;
    X509_free(x);
    f->no_memory = 1;
    return 1;
}

int tsk_token_certs(const struct tsk_source *s, struct tsk_pass *pin,
                    STACK_OF(X509) * certs, tlsock_error *err)
{
    struct found_certs found = {.certs = certs};
    int rc;

    if (!may_be(s->token, "cert")) {
        tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" does not name a certificate",
                 s->name);
        tsk_hint(err, "a certificate's URI has type=cert, or no type");
        return TLSOCK_E_OWN_FILE;
    }
    rc = walk_token(s, pin, OSSL_STORE_INFO_CERT, add_cert, &found, err);
    if (rc != TLSOCK_OK)
        return rc;
    if (found.no_memory)
        return tsk_fail_nomem(err);
    if (sk_X509_num(certs) > 0)
        return tsk_certs_arrange(certs, 0, err);
    rc = nothing_came(s, pin, err);
    return rc != TLSOCK_OK ? rc : tsk_token_nothing(s, "certificate", err);
}

struct found_key {
    X509 *leaf;
    EVP_PKEY *key;
};

static int take_key(OSSL_STORE_INFO *info, void *to)
{
    struct found_key *f = to;
    EVP_PKEY *key;
    int fits;

    if (OSSL_STORE_INFO_get_type(info) != OSSL_STORE_INFO_PKEY)
        return 0;
    key = OSSL_STORE_INFO_get0_PKEY(info);
    fits = f->leaf == NULL || EVP_PKEY_eq(X509_get0_pubkey(f->leaf), key) == 1;
    if (f->key != NULL && !fits)
        return 0;
    EVP_PKEY_free(f->key);
    f->key = EVP_PKEY_up_ref(key) ? key : NULL;
    return fits;
}

/* The URI without its query and its type: what needs no PIN, beside the key. */
static char *public_uri(const char *uri)
{
    size_t n = strcspn(uri, "?");
    char *text = tsk_strndup(uri, n), *type, *rest;

    type = text != NULL ? strstr(text, "type=") : NULL;
    if (type != NULL) {
        rest = type + strcspn(type, ";");
        memmove(type, rest, strlen(rest) + 1);
    }
    return text;
}

static int note(OSSL_STORE_INFO *info, void *to)
{
    (void)info;
    *(int *)to = 1;
    return 1;
}

/* A PIN was given and no key came. Is its certificate there? Then it is the
 * PIN. No more logins for that: a token counts the wrong ones. */
static int wrong_pin(const struct tsk_source *s, tlsock_error *err)
{
    struct tsk_source beside = *s;
    struct tsk_pass none;
    char *uri = public_uri(s->token);
    int rc, found = 0;

    if (uri == NULL)
        return tsk_fail_nomem(err);
    (void)tsk_pass_init(&none, NULL, NULL);
    beside.token = uri;
    rc = walk_token(&beside, &none, OSSL_STORE_INFO_CERT, note, &found, err);
    if (rc == TLSOCK_OK && !found)
        rc = walk_token(&beside, &none, OSSL_STORE_INFO_PUBKEY, note, &found,
                        err);
    tsk_free(uri);
    if (rc != TLSOCK_OK || !found)
        return rc;
    tsk_fail(err, TLSOCK_E_PASSWORD,
             "the PIN that was given does not open the private key \"%s\": it "
             "is wrong, or locked",
             s->name);
    tsk_hint(err,
             "check it; after a few wrong ones most tokens lock "
             "themselves, and their own tool unlocks them with the SO PIN");
    return TLSOCK_E_PASSWORD;
}

int tsk_token_key(const struct tsk_source *s, struct tsk_pass *pin, X509 *leaf,
                  EVP_PKEY **key, tlsock_error *err)
{
    struct found_key found = {.leaf = leaf};
    int rc;

    if (!may_be(s->token, "private"))
        return TLSOCK_OK;
    pin->asked = 0;
    rc = walk_token(s, pin, OSSL_STORE_INFO_PKEY, take_key, &found, err);
    *key = found.key;
    if (rc == TLSOCK_OK && found.key == NULL)
        rc = nothing_came(s, pin, err);
    if (rc == TLSOCK_OK && found.key == NULL &&
        (pin->asked || strstr(s->token, "pin-") != NULL))
        rc = wrong_pin(s, err);
    return rc;
}

int tsk_key_stays(const EVP_PKEY *key)
{
    const OSSL_PROVIDER *of = EVP_PKEY_get0_provider(key);
    const char *name = of != NULL ? OSSL_PROVIDER_get0_name(of) : NULL;

    return name != NULL &&
           (strncmp(name, "pkcs11", 6) == 0 || strncmp(name, "tpm2", 4) == 0);
}
