/* Public keys that nobody should have. */
#include "lint_make.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

static EVP_PKEY *from_numbers(const char *type, const char *const names[],
                              BIGNUM *const values[])
{
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params;
    EVP_PKEY *key = NULL;

    assert_true(bld != NULL && ctx != NULL);
    for (int i = 0; names[i] != NULL; i++)
        assert_int_equal(OSSL_PARAM_BLD_push_BN(bld, names[i], values[i]), 1);
    params = OSSL_PARAM_BLD_to_param(bld);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    if (EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        fail_msg("no %s key of these numbers", type);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* Takes n. */
static EVP_PKEY *rsa_of(BIGNUM *n, BIGNUM *e)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N,
                                        OSSL_PKEY_PARAM_RSA_E, NULL};
    BIGNUM *values[] = {n, e};
    EVP_PKEY *key = from_numbers("RSA", names, values);

    BN_free(n);
    BN_free(e);
    return key;
}

static BIGNUM *number(BN_ULONG w)
{
    BIGNUM *bn = BN_new();

    assert_non_null(bn);
    BN_set_word(bn, w);
    return bn;
}

static BIGNUM *random_bits(int bits)
{
    BIGNUM *bn = BN_new();

    assert_int_equal(BN_rand(bn, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
    return bn;
}

static BIGNUM *real_modulus(void)
{
    EVP_PKEY *key = key_rsa();
    BIGNUM *n = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    EVP_PKEY_free(key);
    return n;
}

static EVP_PKEY *made(const char *type, const char *group)
{
    EVP_PKEY *key = group != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, type, group)
                                  : EVP_PKEY_Q_keygen(NULL, NULL, type);

    assert_non_null(key);
    return key;
}

/* One will do: they take long to make. */
static EVP_PKEY *rsa;

EVP_PKEY *key_rsa(void)
{
    if (rsa == NULL)
        rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    assert_non_null(rsa);
    EVP_PKEY_up_ref(rsa);
    return rsa;
}

void key_free(void)
{
    EVP_PKEY_free(rsa);
    rsa = NULL;
}

EVP_PKEY *key_rsa_small(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);

    assert_non_null(key);
    return key;
}

EVP_PKEY *key_rsa_large(void)
{
    return rsa_of(random_bits(8200), number(65537));
}

EVP_PKEY *key_rsa_2047(void)
{
    return rsa_of(random_bits(2047), number(65537));
}

EVP_PKEY *key_rsa_even(void)
{
    BIGNUM *n = random_bits(2048);

    BN_sub_word(n, 1);
    return rsa_of(n, number(65537));
}

EVP_PKEY *key_rsa_multiple(void)
{
    BIGNUM *n = random_bits(2038);

    BN_mul_word(n, 751);
    return rsa_of(n, number(65537));
}

EVP_PKEY *key_rsa_e2(void)
{
    return rsa_of(real_modulus(), number(2));
}

EVP_PKEY *key_rsa_e3(void)
{
    return rsa_of(real_modulus(), number(3));
}

EVP_PKEY *key_rsa_e_long(void)
{
    return rsa_of(real_modulus(), random_bits(300));
}

/* 65537^k modulo the product of small primes, and a multiple of that. */
EVP_PKEY *key_rsa_roca(void)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *m = number(1), *n = BN_new(), *base = number(65537),
           *k = number(123457), *more;

    for (unsigned p = 3; p <= 167; p += 2) {
        int prime = 1;

        for (unsigned d = 3; d * d <= p; d += 2)
            prime = prime && p % d != 0;
        if (prime)
            BN_mul_word(m, p);
    }
    assert_int_equal(BN_mod_exp(n, base, k, m, ctx), 1);
    more = random_bits(2048 - BN_num_bits(m));
    assert_int_equal(BN_mul(more, more, m, ctx), 1);
    BN_add(n, n, more);
    if (!BN_is_odd(n))
        BN_add(n, n, m);
    BN_free(m);
    BN_free(base);
    BN_free(k);
    BN_free(more);
    BN_CTX_free(ctx);
    return rsa_of(n, number(65537));
}

EVP_PKEY *key_rsa_fermat(void)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *q;

    assert_int_equal(BN_generate_prime_ex(p, 512, 0, NULL, NULL, NULL), 1);
    q = BN_dup(p);
    do
        BN_add_word(q, 2);
    while (BN_check_prime(q, ctx, NULL) != 1);
    assert_int_equal(BN_mul(p, p, q, ctx), 1);
    BN_free(q);
    BN_CTX_free(ctx);
    return rsa_of(p, number(65537));
}

EVP_PKEY *key_ec(void)
{
    return made("EC", "P-256");
}

EVP_PKEY *key_ec_192(void)
{
    return made("EC", "prime192v1");
}

EVP_PKEY *key_ec_k1(void)
{
    return made("EC", "secp256k1");
}

EVP_PKEY *key_ec_384(void)
{
    return made("EC", "P-384");
}

EVP_PKEY *key_ec_explicit(void)
{
    EVP_PKEY *key = key_ec();

    assert_int_equal(EVP_PKEY_set_utf8_string_param(
                         key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
                     1);
    return key;
}

EVP_PKEY *key_ec_compressed(void)
{
    EVP_PKEY *key = key_ec();

    assert_int_equal(
        EVP_PKEY_set_utf8_string_param(
            key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
        1);
    return key;
}

EVP_PKEY *key_ec_521(void)
{
    return made("EC", "P-521");
}

EVP_PKEY *key_ed448(void)
{
    return made("ED448", NULL);
}

EVP_PKEY *key_ed25519(void)
{
    return made("ED25519", NULL);
}

EVP_PKEY *key_dsa(void)
{
    static const char *const names[] = {
        OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q, OSSL_PKEY_PARAM_FFC_G,
        OSSL_PKEY_PARAM_PUB_KEY, NULL};
    BIGNUM *values[] = {random_bits(2048), random_bits(256), number(2),
                        random_bits(2000)};
    EVP_PKEY *key = from_numbers("DSA", names, values);

    for (size_t i = 0; i < COUNT(values); i++)
        BN_free(values[i]);
    return key;
}
