/* RSA keys that can be factored, or that clients refuse. */
#include "cert/lint.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

#define SMALLEST 2048
#define LARGEST 8192 /* for what needs arithmetic */
#define FERMAT_ROUNDS 100

static BIGNUM *part(struct tsk_lint_cert *l, const char *name)
{
    BIGNUM *bn = NULL;

    if (l->key != NULL && (EVP_PKEY_get_base_id(l->key) == EVP_PKEY_RSA ||
                           EVP_PKEY_get_base_id(l->key) == EVP_PKEY_RSA_PSS))
        (void)EVP_PKEY_get_bn_param(l->key, name, &bn);
    return bn;
}

static int modulus_bits(struct tsk_lint_cert *l)
{
    BIGNUM *n = part(l, OSSL_PKEY_PARAM_RSA_N);
    int bits = n != NULL ? BN_num_bits(n) : 0;

    BN_free(n);
    return bits;
}

static int small(struct tsk_lint_cert *l, int arg)
{
    BIGNUM *n = part(l, OSSL_PKEY_PARAM_RSA_N);
    int bits = n != NULL ? BN_num_bits(n) : SMALLEST;

    (void)arg;
    BN_free(n);
    if (bits >= SMALLEST)
        return 0;
    return tsk_lint_say(l, "its RSA key has %d bits, fewer than %d", bits,
                        SMALLEST);
}

static int large(struct tsk_lint_cert *l, int most)
{
    int bits = modulus_bits(l);

    if (bits <= most)
        return 0;
    return tsk_lint_say(l,
                        "its RSA key has %d bits, which is slow, and too "
                        "many for some clients",
                        bits);
}

static int uneven(struct tsk_lint_cert *l, int arg)
{
    int bits = modulus_bits(l);

    (void)arg;
    if (bits % 8 == 0)
        return 0;
    return tsk_lint_say(l, "its RSA key has %d bits, which 8 does not divide",
                        bits);
}

/* BR 6.1.6: no factor below 752. */
static int factor(struct tsk_lint_cert *l, int below)
{
    BIGNUM *n = part(l, OSSL_PKEY_PARAM_RSA_N);
    int found = 0;

    for (int p = 2;
         n != NULL && BN_num_bits(n) <= 2 * LARGEST && found == 0 && p < below;
         p += p == 2 ? 1 : 2)
        if (BN_mod_word(n, (BN_ULONG)p) == 0)
            found = p;
    BN_free(n);
    if (found == 0)
        return 0;
    return tsk_lint_say(l, "%d divides its RSA modulus", found);
}

static int bad_exponent(struct tsk_lint_cert *l, int arg)
{
    BIGNUM *e = part(l, OSSL_PKEY_PARAM_RSA_E);
    int bad = e != NULL && (!BN_is_odd(e) || BN_is_one(e));

    (void)arg;
    BN_free(e);
    return bad ? tsk_lint_say(l, "its RSA exponent is even or 1: the key does "
                                 "not work")
               : 0;
}

static int odd_exponent(struct tsk_lint_cert *l, int arg)
{
    BIGNUM *e = part(l, OSSL_PKEY_PARAM_RSA_E);
    int bits = e != NULL ? BN_num_bits(e) : 0, odd = e != NULL && BN_is_odd(e);
    unsigned long word = e != NULL ? (unsigned long)BN_get_word(e) : 0;

    (void)arg;
    BN_free(e);
    if (!odd || word == 1 || (bits >= 17 && bits <= 256))
        return 0;
    if (bits > 256)
        return tsk_lint_say(l, "its RSA exponent has %d bits, more than 256",
                            bits);
    return tsk_lint_say(l, "its RSA exponent is %lu, less than 65537", word);
}

/* CVE-2017-15361: primes of a broken chip leave their mark modulo small primes:
 * each residue is a power of 65537. */
static int chip(struct tsk_lint_cert *l, int arg)
{
    static const unsigned char primes[] = {
        3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
        47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
        107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    BIGNUM *n = part(l, OSSL_PKEY_PARAM_RSA_N);
    int marked =
        n != NULL && BN_num_bits(n) >= 512 && BN_num_bits(n) <= 2 * LARGEST;

    (void)arg;
    for (size_t i = 0; marked && i < sizeof(primes); i++) {
        unsigned p = primes[i], power = 1, steps = 0;
        unsigned rest = (unsigned)BN_mod_word(n, p);

        while (power != rest && steps++ < p)
            power = power * 65537u % p;
        marked = power == rest;
    }
    BN_free(n);
    if (!marked)
        return 0;
    return tsk_lint_say(l, "its RSA key is of a chip whose keys can be "
                           "factored (ROCA)");
}

/* The integer square root, rounded up: Newton, from above. */
static int root_up(BIGNUM *out, const BIGNUM *n, BN_CTX *ctx)
{
    BIGNUM *next = BN_CTX_get(ctx), *square = BN_CTX_get(ctx);

    if (square == NULL || !BN_one(out) ||
        !BN_lshift(out, out, (BN_num_bits(n) + 1) / 2))
        return 0;
    for (int i = 0; i < 64; i++) {
        if (!BN_div(next, NULL, n, out, ctx) || !BN_add(next, next, out) ||
            !BN_rshift1(next, next))
            return 0;
        if (BN_cmp(next, out) >= 0)
            break;
        if (BN_copy(out, next) == NULL)
            return 0;
    }
    if (!BN_sqr(square, out, ctx))
        return 0;
    return BN_cmp(square, n) >= 0 || BN_add_word(out, 1);
}

/* n = a^2 - b^2 for an a close to the root of n? */
static int close_primes(const BIGNUM *n, BN_CTX *ctx)
{
    BIGNUM *a = BN_CTX_get(ctx), *b2 = BN_CTX_get(ctx), *b = BN_CTX_get(ctx),
           *square = BN_CTX_get(ctx);

    if (square == NULL || !root_up(a, n, ctx))
        return 0;
    for (int i = 0; i < FERMAT_ROUNDS; i++) {
        if (!BN_sqr(b2, a, ctx) || !BN_sub(b2, b2, n))
            return 0;
        /* squares end in 0, 1, 4 or 9 in hex */
        if (BN_mod_word(b2, 16) <= 9 && root_up(b, b2, ctx) &&
            BN_sqr(square, b, ctx) && BN_cmp(square, b2) == 0)
            return 1;
        if (!BN_add_word(a, 1))
            return 0;
    }
    return 0;
}

static int fermat(struct tsk_lint_cert *l, int arg)
{
    BIGNUM *n = part(l, OSSL_PKEY_PARAM_RSA_N);
    BN_CTX *ctx = BN_CTX_new();
    int weak = 0;

    (void)arg;
    if (n != NULL && ctx != NULL && BN_is_odd(n) && BN_num_bits(n) > 64 &&
        BN_num_bits(n) <= LARGEST) {
        BN_CTX_start(ctx);
        weak = close_primes(n, ctx);
        BN_CTX_end(ctx);
    }
    BN_CTX_free(ctx);
    BN_free(n);
    if (!weak)
        return 0;
    return tsk_lint_say(l, "its RSA key can be factored: its primes are too "
                           "close to each other");
}

#define NEW_KEY "make a new key, ec:P-256 or rsa:3072, and revoke this one"

const struct tsk_lint_rule tsk_lint_rsa[] = {
    {"key-rsa-small", LINT_E, LINT_ANY, small, 0, "CA/B BR, 6.1.5",
     "make a new key: ec:P-256, or rsa:3072"},
    {"key-rsa-large", LINT_W, LINT_ANY, large, LARGEST, "practice",
     "rsa:3072 is enough; ec:P-256 is faster"},
    {"key-rsa-bits", LINT_W, LINT_ANY, uneven, 0, "CA/B BR, 6.1.5",
     "make a new key of 2048, 3072 or 4096 bits"},
    {"key-rsa-factor", LINT_E, LINT_ANY, factor, 752, "CA/B BR, 6.1.6",
     NEW_KEY},
    {"key-rsa-exponent", LINT_E, LINT_ANY, bad_exponent, 0, "RFC 8017, 3.1",
     NEW_KEY},
    {"key-rsa-exponent-size", LINT_W, LINT_ANY, odd_exponent, 0,
     "CA/B BR, 6.1.6", "make a new key, with the exponent 65537"},
    {"key-rsa-roca", LINT_E, LINT_ANY, chip, 0, "CVE-2017-15361", NEW_KEY},
    {"key-rsa-fermat", LINT_E, LINT_ANY, fermat, 0, "CA/B BR, 6.1.1.3",
     NEW_KEY},
    {.code = NULL}};
