/* Which keys are good for anything: others are refused before they sign or are
 * signed. */
#include "cert/make.h"
#include "core/str.h"
#include "ossl/keykind.h"
#include "ossl/queue.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdio.h>
#include <string.h>

#define RSA_MIN 2048
#define RSA_MAX 8192
#define EC_MIN 256
#define EXPONENT_MIN 65537 /* FIPS 186-5, 5.1; browsers refuse less too */

static const char *const kinds[] = {"RSA",       "RSA-PSS",  "EC",
                                    "ED25519",   "ED448",    "ML-DSA-44",
                                    "ML-DSA-65", "ML-DSA-87"};

static const char *kind_of(EVP_PKEY *key)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (tsk_ossl_is_a(key, kinds[i]))
            return kinds[i];
    return NULL;
}

static int weak(tlsock_error *err, const char *whose, const char *why)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "the key in \"%s\" is too weak: %s", whose,
             why);
    tsk_hint(err, "make a new one: ec:P-256, or rsa:%d and more", RSA_MIN);
    return TLSOCK_E_ARGUMENT;
}

/* A key in hardware may not tell its exponent: then it is taken as it is. */
static int check_rsa(EVP_PKEY *key, const char *whose, tlsock_error *err)
{
    BIGNUM *e = NULL;
    char why[64];
    int bits = EVP_PKEY_get_bits(key), good = 1;

    snprintf(why, sizeof(why), "%d bits", bits);
    if (bits < RSA_MIN)
        return weak(err, whose, why);
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e))
        good = BN_is_odd(e) &&
               (BN_num_bits(e) > 17 || BN_get_word(e) >= EXPONENT_MIN);
    BN_free(e);
    return good ? TLSOCK_OK
                : weak(err, whose,
                       "its public exponent is even, or less than "
                       "65537");
}

/* RFC 5480, 2.1.1: only a curve with a name */
static int check_ec(EVP_PKEY *key, const char *whose, tlsock_error *err)
{
    char group[64], why[64];
    int explicitly = 0, bits = EVP_PKEY_get_bits(key);

    snprintf(why, sizeof(why), "%d bits", bits);
    if (bits < EC_MIN)
        return weak(err, whose, why);
    if (!EVP_PKEY_get_int_param(key,
                                OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                &explicitly) &&
        tsk_ossl_starved())
        return tsk_fail_nomem(err); /* a key in hardware may not know */
    if (!explicitly &&
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1)
        return TLSOCK_OK;
    if (tsk_ossl_starved())
        return tsk_fail_nomem(err);
    tsk_fail(err, TLSOCK_E_ARGUMENT,
             "the key in \"%s\" spells out its curve "
             "instead of naming it",
             whose);
    tsk_hint(err, "clients refuse such keys; make a new one: ec:P-256");
    return TLSOCK_E_ARGUMENT;
}

int tsk_key_strong(EVP_PKEY *key, const char *whose, tlsock_error *err)
{
    const char *kind = kind_of(key);

    if (kind == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "the key in \"%s\" cannot be used for TLS certificates",
                 whose);
        tsk_hint(err, "valid are RSA, ECDSA, Ed25519, Ed448 and ML-DSA keys");
        return TLSOCK_E_ARGUMENT;
    }
    if (strncmp(kind, "RSA", 3) == 0)
        return check_rsa(key, whose, err);
    return strcmp(kind, "EC") == 0 ? check_ec(key, whose, err) : TLSOCK_OK;
}

void tsk_key_spec(EVP_PKEY *key, char *out, size_t size)
{
    const char *kind = kind_of(key);
    int bits = EVP_PKEY_get_bits(key);
    char group[64] = "";

    snprintf(out, size, "%s", kind != NULL ? kind : "");
    if (kind == NULL)
        return;
    if (strncmp(kind, "RSA", 3) == 0) {
        bits = (bits + 7) / 8 * 8;
        bits = bits < RSA_MIN ? RSA_MIN : bits > RSA_MAX ? RSA_MAX : bits;
        snprintf(out, size, "%s:%d", kind, bits);
    } else if (strcmp(kind, "EC") == 0) {
        (void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
        snprintf(out, size, "ec:%s",
                 strcmp(group, "secp384r1") == 0   ? "P-384"
                 : strcmp(group, "secp521r1") == 0 ? "P-521"
                                                   : "P-256");
    }
}
