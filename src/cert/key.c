#include "cert/load.h"
#include "cert/make.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#define RSA_MIN 2048
#define RSA_MAX 8192

static int bad_spec(const char *spec, const char *why, tlsock_error *err)
{
    char shown[64];

    tsk_printable(shown, sizeof(shown), spec, strlen(spec));
    tsk_fail(err, TLSOCK_E_ARGUMENT, "key \"%s\" %s", shown, why);
    tsk_hint(err, "valid are ec:P-256, ec:P-384, ec:P-521, rsa:%d to rsa:%d, "
                  "ed25519, or the file of an existing key", RSA_MIN, RSA_MAX);
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
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    const char *name = spec[2] == ':' ? spec + 3 : curves[0];

    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (tsk_casecmp(name, curves[i]) == 0)
            return made(EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i]), out,
                        spec, err);
    return bad_spec(spec, "is of a curve that is not known", err);
}

static int make_rsa(EVP_PKEY **out, const char *spec, tlsock_error *err)
{
    int64_t bits = 3072;

    if (spec[3] == ':' && tsk_number(spec + 4, 0, 1048576, &bits) != 0)
        return bad_spec(spec, "has no number of bits", err);
    if (bits < RSA_MIN)
        return bad_spec(spec, "is too short to be safe", err);
    if (bits > RSA_MAX)
        return bad_spec(spec, "is too long to be usable", err);
    return made(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits), out, spec,
                err);
}

int tsk_key_strong(EVP_PKEY *key, const char *whose, tlsock_error *err)
{
    int id = EVP_PKEY_get_base_id(key);

    if (id != EVP_PKEY_RSA && id != EVP_PKEY_RSA_PSS && id != EVP_PKEY_EC &&
        id != EVP_PKEY_ED25519 && id != EVP_PKEY_ED448) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "the key in \"%s\" cannot be used for TLS certificates",
                 whose);
        tsk_hint(err, "valid are RSA, ECDSA, Ed25519 and Ed448 keys");
        return TLSOCK_E_ARGUMENT;
    }
    if (EVP_PKEY_get_security_bits(key) < 112) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "the key in \"%s\" is too weak: %d bits", whose,
                 EVP_PKEY_get_bits(key));
        tsk_hint(err, "make a new one: ec:P-256, or rsa:%d and more", RSA_MIN);
        return TLSOCK_E_ARGUMENT;
    }
    return TLSOCK_OK;
}

static int load_key(EVP_PKEY **out, const char *uri, tlsock_error *err)
{
    struct tsk_source s = {0};
    struct tsk_pass none;
    EVP_PKEY *key = NULL;
    int rc;

    (void)tsk_pass_init(&none, NULL, NULL);
    rc = tsk_source_open(&s, uri, err);
    if (rc == TLSOCK_OK)
        rc = tsk_key_read(&s, &none, NULL, &key, err);
    if (rc == TLSOCK_OK && key == NULL) {
        rc = tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" holds no private key",
                      s.name);
        tsk_hint(err, "a key begins with -----BEGIN PRIVATE KEY----- or the "
                      "like, or is a DER or PKCS#12 file");
    }
    if (rc == TLSOCK_E_PASSWORD)
        tsk_hint(err, "decrypt it first: openssl pkey -in FILE -out NEW");
    if (rc == TLSOCK_OK)
        rc = tsk_key_strong(key, s.name, err);
    tsk_source_free(&s);
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

int tsk_make_key(EVP_PKEY **out, const char *spec, tlsock_error *err)
{
    if (spec == NULL)
        spec = "ec:P-256";
    if (is_kind(spec, "ec"))
        return make_ec(out, spec, err);
    if (is_kind(spec, "rsa"))
        return make_rsa(out, spec, err);
    if (tsk_casecmp(spec, "ed25519") == 0)
        return made(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), out, spec, err);
    if (strncmp(spec, "file:", 5) != 0 && strncmp(spec, "pem:", 4) != 0 &&
        strstr(spec, "-----BEGIN ") == NULL && strchr(spec, '/') == NULL &&
        access(spec, F_OK) != 0)
        return bad_spec(spec, "is of no known kind, and no file has that name",
                        err);
    return load_key(out, spec, err);
}
