#include "make_help.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

/* Keys: made, loaded, and refused if they are weak. */

static const struct {
    const char *key, *type, *usage, *signature;
} keys[] = {
    {NULL, "ECDSA P-256", "digitalSignature, serverAuth, clientAuth",
     "ecdsa-with-SHA256"},
    {"ec:P-256", "ECDSA P-256", "digitalSignature, serverAuth, clientAuth",
     "ecdsa-with-SHA256"},
    {"EC:p-384", "ECDSA P-384", "digitalSignature, serverAuth, clientAuth",
     "ecdsa-with-SHA256"},
    {"ec:P-521", "ECDSA P-521", "digitalSignature, serverAuth, clientAuth",
     "ecdsa-with-SHA256"},
    {"ed25519", "Ed25519", "digitalSignature, serverAuth, clientAuth",
     "ED25519"},
    {"ec:secp384r1", "ECDSA P-384",
     "digitalSignature, serverAuth, clientAuth", "ecdsa-with-SHA256"},
    {"EC:prime256v1", "ECDSA P-256",
     "digitalSignature, serverAuth, clientAuth", "ecdsa-with-SHA256"},
    {"Ed448", "Ed448", "digitalSignature, serverAuth, clientAuth", "ED448"},
    {"rsa-pss:2048", "RSA-PSS 2048",
     "digitalSignature, serverAuth, clientAuth", "rsassaPss"},
    {"rsa:2048", "RSA 2048",
     "digitalSignature, keyEncipherment, serverAuth, clientAuth",
     "sha256WithRSAEncryption"},
};

static void each_kind_of_key_makes_a_good_certificate(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        tlsock_cert *c = help_make(
            TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .key = keys[i].key));

        assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_KEY_TYPE),
                            keys[i].type);
        assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_USAGE),
                            keys[i].usage);
        assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SIGNATURE),
                            keys[i].signature);
        assert_int_equal(X509_check_private_key(c->leaf, c->key), 1);
        if (help_verdict(c, c) != X509_V_OK)
            fail_msg("%s: not strict", keys[i].type);
        tlsock_cert_unref(c);
    }
}

static const char *const bad_keys[] = {
    "rsa:1024", "rsa:2047", "rsa:2052", "rsa-pss:1024", "ml-dsa-66",
     "rsa:8193", "rsa:x",   "rsa:", "ec:P-224",
    "ec:",      "dsa",      "ed448x",   "no-such", ""};

static void unknown_or_weak_keys_list_the_valid_ones(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad_keys); i++)
        refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .key = bad_keys[i]),
                TLSOCK_E_ARGUMENT, bad_keys[i], "rsa:2048 to rsa:8192");
}

static void an_existing_key_is_used(void **state)
{
    const char *san[] = {"a.test"};
    char *pem = help_pem(help_leaf(), TLSOCK_PART_KEY),
         *cert = help_pem(help_leaf(), TLSOCK_PART_CERT);
    tlsock_cert *c;

    (void)state;
    c = help_make(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1,
                                   .key = help_text("known.key", pem)));
    assert_int_equal(EVP_PKEY_eq(c->key, help_leaf()->key), 1);
    tlsock_cert_unref(c);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1,
                             .key = help_path("missing.key")),
            TLSOCK_E_OWN_FILE, "missing.key", NULL);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1,
                             .key = help_text("known.crt", cert)),
            TLSOCK_E_OWN_FILE, "holds no private key", NULL);
    free(pem);
    free(cert);
}

static void a_weak_or_sealed_key_file_is_refused(void **state)
{
    const char *san[] = {"a.test"};
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    BIO *bio = BIO_new_file(help_path("known-weak.key"), "w");
    tlsock_error err = {0};

    (void)state;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, weak, NULL, NULL, 0, NULL,
                                              NULL), 1);
    BIO_free(bio);
    EVP_PKEY_free(weak);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1,
                             .key = help_path("known-weak.key")),
            TLSOCK_E_ARGUMENT, "too weak: 1024", "rsa:2048");
    setenv("TEST_PASS", "sesame", 1);
    setenv("TEST_WRONG", "barley", 1);
    assert_code(tlsock_cert_save(help_leaf(), TLSOCK_PART_KEY, 0,
                                 help_path("known-sealed.key"),
                                 "env:TEST_PASS", &err), 0);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1,
                             .key = help_path("known-sealed.key")),
            TLSOCK_E_PASSWORD, "known-sealed.key", "file:FILE");
}


static void a_sealed_key_opens_with_its_password(void **state)
{
    const char *san[] = {"a.test"};
    tlsock_error err = {0};
    tlsock_cert *c;

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    assert_code(tlsock_cert_save(help_leaf(), TLSOCK_PART_KEY, 0,
                                 help_path("known-open.key"), "env:TEST_PASS",
                                 &err), 0);
    c = help_make(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1,
                                   .key = help_path("known-open.key"),
                                   .pass = "env:TEST_PASS"));
    assert_int_equal(EVP_PKEY_eq(c->key, help_leaf()->key), 1);
    tlsock_cert_unref(c);
}

static EVP_PKEY *rsa_of(unsigned long exponent)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *e = BN_new();
    EVP_PKEY *key = NULL;

    BN_set_word(e, exponent);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    BN_free(e);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *explicit_curve(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, "P-256"), 1);
    assert_int_equal(EVP_PKEY_CTX_set_ec_param_enc(ctx, 0), 1);
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *x25519(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
}

static EVP_PKEY *small_curve(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-224");
}

static EVP_PKEY *exponent_3(void)
{
    return rsa_of(3);
}

static EVP_PKEY *exponent_65539(void)
{
    return rsa_of(65539);
}

static const struct {
    EVP_PKEY *(*make)(void);
    const char *fault; /* NULL: taken */
} loaded[] = {
    {exponent_3, "public exponent"},
    {exponent_65539, NULL},
    {small_curve, "too weak: 224 bits"},
    {explicit_curve, "spells out its curve"},
    {x25519, "cannot be used for TLS"},
};

static void only_strong_keys_of_the_right_kind_are_taken(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(loaded); i++) {
        EVP_PKEY *key = loaded[i].make();
        BIO *bio = BIO_new_file(help_path("known-odd.key"), "w");
        const tlsock_cert_opts o = {.size = sizeof(o), .sans = san, .n_sans = 1,
                                    .key = help_path("known-odd.key")};

        assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL,
                                                  NULL), 1);
        BIO_free(bio);
        EVP_PKEY_free(key);
        if (loaded[i].fault != NULL)
            refused(&o, TLSOCK_E_ARGUMENT, loaded[i].fault, NULL);
        else
            tlsock_cert_unref(help_make(&o));
    }
}

/* Which of the two it is depends on the OpenSSL at hand. */
static void ml_dsa_is_made_or_names_the_version_it_needs(void **state)
{
    const char *san[] = {"a.test"},
               *specs[] = {"ml-dsa-44", "ML-DSA-65", "ml-dsa-87"};

    (void)state;
    for (size_t i = 0; i < COUNT(specs); i++) {
        EVP_KEYMGMT *there = EVP_KEYMGMT_fetch(NULL, specs[i], NULL);
        const tlsock_cert_opts o = {.size = sizeof(o), .sans = san, .n_sans = 1,
                                    .key = specs[i]};
        tlsock_cert *c;

        if (there == NULL) {
            refused(&o, TLSOCK_E_UNSUPPORTED, "OpenSSL 3.5", "ec:P-256");
            continue;
        }
        EVP_KEYMGMT_free(there);
        c = help_make(&o);
        assert_int_equal(help_verdict(c, c), X509_V_OK);
        tlsock_cert_unref(c);
    }
}

static void a_weak_issuer_signs_nothing(void **state)
{
    const char *san[] = {"a.test"};
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    X509 *x = X509_dup(help_root()->leaf);
    tlsock_cert *ca;

    (void)state;
    assert_int_equal(X509_set_pubkey(x, weak), 1);
    assert_true(X509_sign(x, weak, EVP_sha256()) > 0);
    ca = tsk_cert_new(x, NULL, weak, NULL);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = ca),
            TLSOCK_E_ARGUMENT, "\"Help Root\" is too weak: 1024", NULL);
    tlsock_cert_unref(ca);
    X509_free(x);
    EVP_PKEY_free(weak);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_makes_a_good_certificate),
        cmocka_unit_test(unknown_or_weak_keys_list_the_valid_ones),
        cmocka_unit_test(an_existing_key_is_used),
        cmocka_unit_test(a_weak_or_sealed_key_file_is_refused),
        cmocka_unit_test(a_sealed_key_opens_with_its_password),
        cmocka_unit_test(only_strong_keys_of_the_right_kind_are_taken),
        cmocka_unit_test(ml_dsa_is_made_or_names_the_version_it_needs),
        cmocka_unit_test(a_weak_issuer_signs_nothing),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
