#include "cert/load.h"
#include "cert/make.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RSA_MIN 2048
#define RSA_MAX 8192
#define RSA_USUAL 3072

static int bad_spec(const char *spec, const char *why, tlsock_error *err)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), spec, strlen(spec));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "key \"%s\" %s", shown, why);
    tsk_hint(err, "valid are ec:P-256, ec:P-384, ec:P-521, rsa:%d to rsa:%d, "
                  "rsa-pss:%d, ed25519, ed448, ml-dsa-65 (OpenSSL 3.5), or the "
                  "file of an existing key", RSA_MIN, RSA_MAX, RSA_USUAL);
    return TLSOCK_E_ARGUMENT;
}

static int made(EVP_PKEY *key, EVP_PKEY **out, const char *spec,
                tlsock_error *err)
{
    *out = key;
    if (key != NULL)
        return TLSOCK_OK;
    return tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED, "cannot make a key \"%s\"",
                         spec);
}

static int make_ec(EVP_PKEY **out, const char *spec, tlsock_error *err)
{
    static const char *const curves[][2] = {
        {"P-256", "P-256"},      {"prime256v1", "P-256"},
        {"secp256r1", "P-256"},  {"P-384", "P-384"},
        {"secp384r1", "P-384"},  {"P-521", "P-521"},
        {"secp521r1", "P-521"}};
    const char *name = spec[2] == ':' ? spec + 3 : curves[0][0];

    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (tsk_casecmp(name, curves[i][0]) == 0)
            return made(EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i][1]), out,
                        spec, err);
    return bad_spec(spec, "is of a curve that is not known", err);
}

static EVP_PKEY *new_rsa(const char *type, int bits)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) != 1 ||
        EVP_PKEY_keygen(ctx, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static int make_rsa(EVP_PKEY **out, const char *spec, const char *type,
                    tlsock_error *err)
{
    const char *number = spec + strlen(type);
    int64_t bits = RSA_USUAL;

    if (*number == ':' && tsk_number(number + 1, 0, 1048576, &bits) != 0)
        return bad_spec(spec, "has no number of bits", err);
    if (bits < RSA_MIN)
        return bad_spec(spec, "is too short to be safe", err);
    if (bits > RSA_MAX)
        return bad_spec(spec, "is too long to be usable", err);
    if (bits % 8 != 0)
        return bad_spec(spec, "is no multiple of 8 bits, which browsers refuse",
                        err);
    return made(new_rsa(type, (int)bits), out, spec, err);
}

/* What newer ones have is made where it is there, whatever this was built
 * with. */
static int make_newer(EVP_PKEY **out, const char *name, const char *since,
                      tlsock_error *err)
{
    EVP_KEYMGMT *there = EVP_KEYMGMT_fetch(NULL, name, NULL);

    if (there == NULL) {
        tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                      "%s keys need OpenSSL %s or newer, this is %s", name,
                      since, OpenSSL_version(OPENSSL_VERSION_STRING));
        tsk_hint(err, "choose another kind of key, such as ec:P-256, or link "
                      "with OpenSSL %s", since);
        return TLSOCK_E_UNSUPPORTED;
    }
    EVP_KEYMGMT_free(there);
    return made(EVP_PKEY_Q_keygen(NULL, NULL, name), out, name, err);
}

static int load_key(EVP_PKEY **out, const char *uri, const char *pass_uri,
                    tlsock_error *err)
{
    struct tsk_source s = {0};
    struct tsk_pass pass;
    EVP_PKEY *key = NULL;
    int rc = tsk_pass_init(&pass, pass_uri, err);

    if (rc == TLSOCK_OK)
        rc = tsk_source_open(&s, uri, err);
    if (rc == TLSOCK_OK)
        rc = tsk_key_read(&s, &pass, NULL, &key, err);
    if (rc == TLSOCK_OK && key == NULL) {
        rc = tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" holds no private key",
                      s.name);
        tsk_hint(err, "a key begins with -----BEGIN PRIVATE KEY----- or the "
                      "like, or is a DER or PKCS#12 file");
    }
    if (rc == TLSOCK_OK)
        rc = tsk_key_strong(key, s.name, err);
    tsk_source_free(&s);
    tsk_pass_wipe(&pass);
    if (rc != TLSOCK_OK) {
        EVP_PKEY_free(key);
        return rc;
    }
    *out = key;
    return TLSOCK_OK;
}

/* "rsa" and "rsa:...", in any case */
static int is_kind(const char *spec, const char *kind)
{
    size_t n = strlen(kind);

    return tsk_casencmp(spec, kind, n) == 0 &&
           (spec[n] == '\0' || spec[n] == ':');
}

static int is_newer(const char *spec, char name[16])
{
    static const char *const all[] = {"ML-DSA-44", "ML-DSA-65", "ML-DSA-87"};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (tsk_casecmp(spec, all[i]) != 0)
            continue;
        snprintf(name, 16, "%s", all[i]);
        return 1;
    }
    return 0;
}

static int is_file(const char *spec)
{
    return strncmp(spec, "file:", 5) == 0 || strncmp(spec, "pem:", 4) == 0 ||
           strncmp(spec, "pkcs11:", 7) == 0 ||
           strstr(spec, "-----BEGIN ") != NULL || strchr(spec, '/') != NULL ||
           access(spec, F_OK) == 0;
}

static int make_new(EVP_PKEY **out, const char *spec, int *known,
                    tlsock_error *err)
{
    char name[16];

    if (is_kind(spec, "ec"))
        return make_ec(out, spec, err);
    if (is_kind(spec, "rsa"))
        return make_rsa(out, spec, "rsa", err);
    if (is_kind(spec, "rsa-pss"))
        return make_rsa(out, spec, "rsa-pss", err);
    if (tsk_casecmp(spec, "ed25519") == 0)
        return made(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), out, spec, err);
    if (tsk_casecmp(spec, "ed448") == 0)
        return made(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), out, spec, err);
    if (is_newer(spec, name))
        return make_newer(out, name, "3.5", err);
    *known = 0;
    return TLSOCK_OK;
}

int tsk_make_key(EVP_PKEY **out, const char *spec, const char *pass_uri,
                 tlsock_error *err)
{
    int known = 1, rc;

    if (spec == NULL)
        spec = "ec:P-256";
    rc = make_new(out, spec, &known, err);
    if (known && pass_uri != NULL && rc == TLSOCK_OK) {
        EVP_PKEY_free(*out);
        *out = NULL;
        return bad_spec(spec, "is made anew and has no password to open it",
                        err);
    }
    if (known)
        return rc;
    if (!is_file(spec))
        return bad_spec(spec, "is of no known kind, and no file has that name",
                        err);
    return load_key(out, spec, pass_uri, err);
}
