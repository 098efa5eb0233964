/* jsonkey - the public key, and the digests of it and of the certificate. */
#include "cert/cert.h"
#include "cert/json.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define PUT TSK_PUT

static void exponent(struct tsk_json *j, EVP_PKEY *key)
{
    BIGNUM *e = NULL;
    char *text = NULL;

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e))
        text = BN_bn2dec(e); /* a huge one is a string, as any is */
    PUT(j, ",\"exponent\":");
    tsk_json_text(j, text);
    OPENSSL_free(text);
    BN_free(e);
}

void tsk_json_pkey(struct tsk_json *j, EVP_PKEY *key)
{
    char curve[64];
    const char *name = EVP_PKEY_get0_type_name(key);

    PUT(j, "{\"type\":");
    tsk_json_text(j, name);
    PUT(j,
        ",\"bits\":%d,\"security_bits\":%d,\"curve\":", EVP_PKEY_get_bits(key),
        EVP_PKEY_get_security_bits(key));
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
        EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL))
        tsk_json_text(j, tsk_curve_name(curve));
    else
        tsk_json_text(j, NULL);
    exponent(j, key);
    PUT(j, "}");
}

static const char *const algos[] = {"sha1", "sha256", "sha384", "sha512"};
#define ALGOS (sizeof(algos) / sizeof(algos[0]))

/* Hex alone: what stands before it says which. */
static void digests(struct tsk_json *j, X509 *x, int of_key)
{
    char text[2 * EVP_MAX_MD_SIZE + 32];

    PUT(j, "{");
    for (size_t i = 0; i < ALGOS; i++) {
        int n = tsk_cert_fingerprint(x, algos[i], of_key, text, sizeof(text));

        PUT(j, "%s\"%s\":", i > 0 ? "," : "", algos[i]);
        tsk_json_text(j, n > 0 ? strrchr(text, ':') + 1 : NULL);
    }
    PUT(j, "}");
}

/* "AB:CD": as browsers and openssl x509 -fingerprint show it. */
static void colons(struct tsk_json *j, X509 *x, const char *algo)
{
    char text[2 * EVP_MAX_MD_SIZE + 32], *p;

    if (tsk_cert_fingerprint(x, algo, 0, text, sizeof(text)) <= 0) {
        PUT(j, "null");
        return;
    }
    PUT(j, "\"");
    for (p = strrchr(text, ':') + 1; *p != '\0'; p += 2) {
        for (int i = 0; i < 2; i++)
            if (p[i] >= 'a' && p[i] <= 'f')
                p[i] = (char)(p[i] - 'a' + 'A');
        PUT(j, "%.2s%s", p, p[2] != '\0' ? ":" : "");
    }
    PUT(j, "\"");
}

void tsk_json_key(struct tsk_json *j, X509 *x)
{
    EVP_PKEY *key = X509_get0_pubkey(x);

    PUT(j,
        ",\"key_bits\":%d,\"key\":", key != NULL ? EVP_PKEY_get_bits(key) : 0);
    if (key != NULL)
        tsk_json_pkey(j, key);
    else
        PUT(j, "null");
    PUT(j, ",\"digests\":{\"certificate\":");
    digests(j, x, 0);
    PUT(j, ",\"public_key\":");
    digests(j, x, 1);
    PUT(j, "},\"fingerprints\":{");
    for (size_t i = 0; i < ALGOS; i++) {
        PUT(j, "%s\"%s\":", i > 0 ? "," : "", algos[i]);
        colons(j, x, algos[i]);
    }
    PUT(j, "}");
}
