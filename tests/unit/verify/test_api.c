#include "pki.h"

#include "cert/cert.h"

#include <errno.h>
#include <openssl/err.h>
#include <time.h>

static X509 *root, *inter, *leaf, *client;
static tlsock_cert *whole, *alone, *of_client;
static tlsock_config *trusting;

static int setup(void **state)
{
    STACK_OF(X509) * chain;
    char *pem;

    (void)state;
    root = pki_make(&(struct pki_spec){
        .cn = "Root CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT});
    inter = pki_make(&(struct pki_spec){.cn = "Inter CA",
                                        .bc = PKI_CA_BC,
                                        .ku = PKI_CA_KU,
                                        .key = KEY_INTER,
                                        .issuer = root,
                                        .issuer_key = KEY_ROOT});
    leaf = pki_make(&(struct pki_spec){.cn = "a.test",
                                       .san = "DNS:a.test,email:me@a.test",
                                       .bc = PKI_LEAF_BC,
                                       .eku = "serverAuth",
                                       .key = KEY_LEAF,
                                       .issuer = inter,
                                       .issuer_key = KEY_INTER});
    client = pki_make(&(struct pki_spec){.cn = "Me",
                                         .bc = PKI_LEAF_BC,
                                         .eku = "clientAuth",
                                         .key = KEY_LEAF,
                                         .issuer = inter,
                                         .issuer_key = KEY_INTER});
    chain = pki_stack(&inter, 1);
    whole = tsk_cert_new(leaf, chain, NULL, NULL);
    of_client = tsk_cert_new(client, chain, NULL, NULL);
    alone = tsk_cert_new(leaf, NULL, NULL, NULL);
    sk_X509_free(chain);
    trusting = tlsock_config_new();
    pem = pki_pem(root);
    assert_code(tlsock_config_add_trust(trusting, pem), 0);
    free(pem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tlsock_config_unref(trusting);
    tlsock_cert_unref(whole);
    tlsock_cert_unref(alone);
    tlsock_cert_unref(of_client);
    X509_free(root);
    X509_free(inter);
    X509_free(leaf);
    X509_free(client);
    pki_free();
    return 0;
}

static void verify_answers_with_zero_or_a_code(void **state)
{
    static const struct {
        const char *claim;
        tlsock_cert **c;
        tlsock_verify_opts o;
        int want;
    } cases[] = {
        {"good", &whole, {.name = "a.test"}, 0},
        {"no name asked", &whole, {.name = NULL}, 0},
        {"mail address", &whole, {.name = "mail:me@a.test"}, 0},
        {"other mail",
         &whole,
         {.name = "mail:you@a.test"},
         TLSOCK_E_NAME_MISMATCH},
        {"other name", &whole, {.name = "b.test"}, TLSOCK_E_NAME_MISMATCH},
        {"empty name", &whole, {.name = ""}, TLSOCK_E_NO_NAME},
        {"no chain", &alone, {.name = "a.test"}, TLSOCK_E_CHAIN_INCOMPLETE},
        {"later",
         &whole,
         {.name = "a.test", .time = INT32_MAX},
         TLSOCK_E_EXPIRED},
        {"later than some systems know",
         &whole,
         {.name = "a.test", .time = 4000000000},
         sizeof(time_t) == 8 ? TLSOCK_E_EXPIRED : TLSOCK_E_UNSUPPORTED},
        {"server as client",
         &whole,
         {.purpose = TLSOCK_PURPOSE_CLIENT},
         TLSOCK_E_PURPOSE},
        {"client", &of_client, {.purpose = TLSOCK_PURPOSE_CLIENT}, 0},
        {"no depth", &whole, {.depth = -1}, TLSOCK_E_CERT_INVALID},
        {"bad depth", &whole, {.depth = -2}, TLSOCK_E_ARGUMENT},
        {"bad purpose", &whole, {.purpose = 9}, TLSOCK_E_ARGUMENT},
        {"scheme", &whole, {.name = "a.test", .scheme = "imap"}, 0},
        {"bad scheme",
         &whole,
         {.name = "a.test", .scheme = "telnet"},
         TLSOCK_E_ARGUMENT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_verify_opts o = cases[i].o;
        tlsock_error err = {.code = 7};
        int rc;

        o.size = sizeof(o);
        errno = 77;
        rc = tlsock_verify(*cases[i].c, trusting, &o, &err);
        if (rc != cases[i].want || err.code != rc)
            fail_msg("%s: got %s \"%s\"", cases[i].claim, tlsock_errname(rc),
                     err.message);
        assert_int_equal(errno, 77);
        if (rc < 0)
            assert_int_equal(err.phase, TLSOCK_PHASE_VERIFY);
        assert_int_equal(tlsock_verify(*cases[i].c, trusting, &o, NULL), rc);
    }
    assert_code(tlsock_verify(whole, trusting, NULL, NULL), 0);
    assert_code(tlsock_verify(NULL, trusting, NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_int_equal(ERR_peek_error(), 0);
}

/* What was sent holds a stranger; the path that was good does not. */
static void the_good_path_is_handed_out(void **state)
{
    X509 *sent[] = {client, inter};
    STACK_OF(X509) *chain = pki_stack(sent, 2);
    tlsock_cert *c = tsk_cert_new(leaf, chain, NULL, NULL), *path = c;
    tlsock_error err = {0};

    (void)state;
    assert_code(tlsock_verify_path(c, trusting,
                                   TLSOCK_VERIFY_OPTS(.name = "b.test"), &path,
                                   &err),
                TLSOCK_E_NAME_MISMATCH);
    assert_null(path);
    assert_code(tlsock_verify_path(c, trusting,
                                   TLSOCK_VERIFY_OPTS(.name = "a.test"), &path,
                                   &err),
                0);
    assert_non_null(path);
    assert_int_equal(X509_cmp(path->leaf, leaf), 0);
    assert_int_equal(sk_X509_num(path->chain), 2);
    assert_int_equal(X509_cmp(sk_X509_value(path->chain, 0), inter), 0);
    assert_int_equal(X509_cmp(sk_X509_value(path->chain, 1), root), 0);
    assert_null(path->key);
    assert_int_equal(ERR_peek_error(), 0);
    tlsock_cert_unref(path);
    tlsock_cert_unref(c);
    sk_X509_free(chain);
}

static void trust_that_is_gone_is_told(void **state)
{
    tlsock_config *system = tlsock_config_new();
    tlsock_error err = {0};

    (void)state;
    setenv("SSL_CERT_FILE", "/nonexistent/roots.pem", 1);
    assert_code(tlsock_verify(whole, system, NULL, &err), TLSOCK_E_TRUST_STORE);
    unsetenv("SSL_CERT_FILE");
    assert_code(err.code, TLSOCK_E_TRUST_STORE);
    assert_tells(err.message, "SSL_CERT_FILE");
    assert_true(err.hint[0] != '\0');
    tlsock_config_unref(system);
}

static void options_know_their_size(void **state)
{
    struct {
        tlsock_verify_opts o;
        long more;
    } newer = {.more = 0};
    tlsock_verify_opts o = {0};

    (void)state;
    assert_code(tlsock_verify(whole, trusting, &o, NULL), TLSOCK_E_ARGUMENT);
    o.size = offsetof(tlsock_verify_opts, purpose); /* an older caller's */
    o.name = "a.test";
    o.purpose = 99;
    assert_code(tlsock_verify(whole, trusting, &o, NULL), 0);
    tlsock_verify_opts_init(&newer.o, sizeof(newer));
    assert_int_equal(newer.o.size, sizeof(newer));
    assert_code(tlsock_verify(whole, trusting, &newer.o, NULL), 0);
    newer.more = 1;
    assert_code(tlsock_verify(whole, trusting, &newer.o, NULL),
                TLSOCK_E_UNSUPPORTED);
    assert_code(tlsock_verify(whole, trusting,
                              TLSOCK_VERIFY_OPTS(.name = "a.test"), NULL),
                0);
}

static void matching_is_zero_or_a_code(void **state)
{
    tlsock_error err = {.code = 7};

    (void)state;
    assert_code(tlsock_cert_matches(whole, "A.test.", NULL, &err), 0);
    assert_int_equal(err.code, 0);
    assert_code(tlsock_cert_matches(whole, "b.test", NULL, &err),
                TLSOCK_E_NAME_MISMATCH);
    assert_int_equal(err.phase, TLSOCK_PHASE_VERIFY);
    assert_code(tlsock_cert_matches(whole, NULL, NULL, &err), TLSOCK_E_NO_NAME);
    assert_code(tlsock_cert_matches(NULL, "a.test", NULL, &err),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_cert_matches(whole, "b.test", NULL, NULL),
                TLSOCK_E_NAME_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_answers_with_zero_or_a_code),
        cmocka_unit_test(the_good_path_is_handed_out),
        cmocka_unit_test(trust_that_is_gone_is_told),
        cmocka_unit_test(options_know_their_size),
        cmocka_unit_test(matching_is_zero_or_a_code),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
