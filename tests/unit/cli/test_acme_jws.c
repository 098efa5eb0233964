#include "test.h"

#include "acme_jws.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

struct key {
    EVP_PKEY *key;
    const char *kind, *alg;
    const EVP_MD *(*md)(void);
    int pss, each; /* each: octets of r and s; 0: RSA */
    json_t *jwk;
};

static struct key keys[] = {
    {.kind = "P-256", .alg = "ES256", .md = EVP_sha256, .each = 32},
    {.kind = "P-384", .alg = "ES384", .md = EVP_sha384, .each = 48},
    {.kind = "P-521", .alg = "ES512", .md = EVP_sha512, .each = 66},
    {.kind = "RSA", .alg = "RS256", .md = EVP_sha256},
    {.kind = "RSA", .alg = "RS384", .md = EVP_sha384},
    {.kind = "RSA", .alg = "RS512", .md = EVP_sha512},
    {.kind = "RSA", .alg = "PS256", .md = EVP_sha256, .pss = 1}};

static void set_number(json_t *jwk, const char *name, EVP_PKEY *key,
                       const char *param, int len)
{
    unsigned char raw[1024];
    char text[1400];
    BIGNUM *n = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, param, &n), 1);
    if (len == 0)
        len = BN_num_bytes(n);
    assert_int_equal(BN_bn2binpad(n, raw, len), len);
    acme_b64_encode(raw, (size_t)len, text, sizeof(text));
    json_object_set_new(jwk, name, json_string(text));
    BN_free(n);
}

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct key *k = &keys[i];

        k->key = k->each != 0 ? EVP_EC_gen(k->kind) : EVP_RSA_gen(2048);
        assert_non_null(k->key);
        k->jwk = json_object();
        json_object_set_new(k->jwk, "kty",
                            json_string(k->each != 0 ? "EC" : "RSA"));
        if (k->each != 0) {
            json_object_set_new(k->jwk, "crv", json_string(k->kind));
            set_number(k->jwk, "x", k->key, OSSL_PKEY_PARAM_EC_PUB_X, k->each);
            set_number(k->jwk, "y", k->key, OSSL_PKEY_PARAM_EC_PUB_Y, k->each);
        } else {
            set_number(k->jwk, "n", k->key, OSSL_PKEY_PARAM_RSA_N, 0);
            set_number(k->jwk, "e", k->key, OSSL_PKEY_PARAM_RSA_E, 0);
        }
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        EVP_PKEY_free(keys[i].key);
        json_decref(keys[i].jwk);
    }
    return 0;
}

/* r and s, each as long as the curve (RFC 7518, 3.4) */
static size_t flatten(unsigned char *sig, size_t len, int each)
{
    const unsigned char *p = sig;
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)len);

    assert_non_null(s);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, each), each);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + each, each), each);
    ECDSA_SIG_free(s);
    return 2 * (size_t)each;
}

static void sign(const struct key *k, const char *text, char *out, size_t size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pk = NULL;
    unsigned char sig[1024];
    size_t len = sizeof(sig);

    assert_int_equal(EVP_DigestSignInit(ctx, &pk, k->md(), NULL, k->key), 1);
    if (k->pss)
        assert_true(
            EVP_PKEY_CTX_set_rsa_padding(pk, RSA_PKCS1_PSS_PADDING) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(pk, RSA_PSS_SALTLEN_DIGEST) > 0);
    assert_int_equal(
        EVP_DigestSign(ctx, sig, &len, (const void *)text, strlen(text)), 1);
    if (k->each != 0)
        len = flatten(sig, len, k->each);
    acme_b64_encode(sig, len, out, size);
    EVP_MD_CTX_free(ctx);
}

/* A request, as a client sends it; free(). */
static char *request(const struct key *k, int n)
{
    char head[256], payload[64], text[1400], sig[1400], all[4096];
    char *head64 = text;

    snprintf(head, sizeof(head),
             "{\"alg\":\"%s\",\"nonce\":\"n%d\",\"url\":\"u\",\"kid\":\"k\"}",
             k->alg, n);
    acme_b64_encode(head, strlen(head), head64, 700);
    snprintf(payload, sizeof(payload), "{\"n\":%d}", n);
    strcat(text, ".");
    acme_b64_encode(payload, n % 2 ? strlen(payload) : 0, text + strlen(text),
                    200);
    sign(k, text, sig, sizeof(sig));
    snprintf(all, sizeof(all),
             "{\"protected\":\"%.*s\",\"payload\":\"%s\",\"signature\":\"%s\"}",
             (int)strcspn(text, "."), text, strchr(text, '.') + 1, sig);
    return strdup(all);
}

static void every_algorithm_is_verified_every_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++)
        for (int n = 0; n < 60; n++) {
            char *text = request(&keys[i], n);
            struct acme_problem p = {0};
            struct acme_jws j;

            assert_int_equal(acme_jwk_check(keys[i].jwk, &p), 0);
            if (acme_jws_parse(&j, text, strlen(text), &p) < 0 ||
                acme_jws_verify(&j, keys[i].jwk, &p) < 0)
                fail_msg("%s, %d: %s\n%s", keys[i].alg, n, p.detail, text);
            assert_string_equal(j.kid, "k");
            assert_int_equal(j.payload != NULL, n % 2);
            acme_jws_free(&j);
            free(text);
        }
    assert_int_equal(ERR_peek_error(), 0);
}

static void another_key_or_algorithm_verifies_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++)
        for (size_t other = 0; other < COUNT(keys); other++) {
            char *text = request(&keys[i], 1);
            struct acme_problem p = {0};
            struct acme_jws j;

            assert_int_equal(acme_jws_parse(&j, text, strlen(text), &p), 0);
            assert_int_equal(acme_jws_verify(&j, keys[other].jwk, &p),
                             i == other ? 0 : -1);
            if (i != other)
                assert_true(strcmp(p.type, "unauthorized") == 0 ||
                            strcmp(p.type, "badSignatureAlgorithm") == 0);
            acme_jws_free(&j);
            free(text);
        }
}

static void keys_that_are_none_are_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "7",
        "{\"kty\":\"RSA\"}",
        "{\"kty\":\"EC\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-224\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        json_t *jwk = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        struct acme_problem p = {0};

        if (acme_jwk_check(jwk, &p) == 0)
            fail_msg("%s", texts[i]);
        assert_string_equal(p.type, "badPublicKey");
        json_decref(jwk);
    }
    for (size_t i = 3; i < COUNT(keys); i++) { /* RSA: even, or e of 1 */
        static const char *const bad[] = {"AQ", "AAAA", "AQAA"};

        for (size_t k = 0; k < COUNT(bad); k++) {
            json_t *jwk = json_copy(keys[i].jwk);
            struct acme_problem p = {0};

            json_object_set_new(jwk, "e", json_string(bad[k]));
            assert_int_equal(acme_jwk_check(jwk, &p), -1);
            json_decref(jwk);
        }
    }
}

/* RFC 7638, 3.1 */
static void thumbprints_are_those_of_the_standard(void **state)
{
    json_t *jwk = json_pack(
        "{ssssssss}", "kty", "RSA", "e", "AQAB", "kid", "2011-04-29", "n",
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7"
        "aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXA"
        "rwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7"
        "d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lF"
        "d2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw");
    struct acme_problem p;
    char thumb[ACME_THUMB], pin[ACME_PIN];

    (void)state;
    assert_int_equal(acme_jwk_check(jwk, &p), 0);
    assert_int_equal(acme_jwk_thumb(jwk, thumb), 0);
    assert_string_equal(thumb, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_int_equal(acme_jwk_pin(jwk, pin), 0);
    assert_int_equal(strlen(pin), 11 + 64);
    json_decref(jwk);
    assert_int_equal(acme_jwk_pin(NULL, pin), -1);
}

static void base64url_is_strict(void **state)
{
    static const struct {
        const char *text;
        int len; /* -1: refused */
    } cases[] = {{"", 0},
                 {"AA", 1},
                 {"AAA", 2},
                 {"AAAA", 3},
                 {"-_-_", 3},
                 {"A", -1},
                 {"AA==", -1},
                 {"+/+/", -1},
                 {"AA A", -1},
                 {"AAAAAAAAAAAAA", -1},
                 {"AAAAAAAAAAAA", 9},
                 {"AAAAAAAAAAAAAA", -1}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t len = 99;
        unsigned char *raw = acme_b64_decode(cases[i].text, 9, &len);

        if ((raw == NULL) != (cases[i].len < 0) ||
            (raw != NULL && len != (size_t)cases[i].len))
            fail_msg("\"%s\": %zu", cases[i].text, len);
        free(raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_is_verified_every_time),
        cmocka_unit_test(another_key_or_algorithm_verifies_nothing),
        cmocka_unit_test(keys_that_are_none_are_refused),
        cmocka_unit_test(thumbprints_are_those_of_the_standard),
        cmocka_unit_test(base64url_is_strict),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
