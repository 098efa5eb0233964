/* Certificates and keys as bytes: what is proven without decoding them, and
 * what is left for the decoder. */
#include "ca.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "fault.h"
#include "tls/hosts.h"
#include "tls/lazyread.h"
#include "tls/lazy.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char cert[128], key[128];

static void save(tlsock_cert *c, unsigned parts, const char *path,
                 const char *pass)
{
    tlsock_error err;

    if (tlsock_cert_save(c, parts, TLSOCK_FORMAT_PEM, path, pass, &err) != 0)
        fail_msg("%s", err.message);
}

static tlsock_cert *leaf(const char *kind)
{
    const char *sans[] = {"k.test"};
    tlsock_error err;
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1, .key = kind,
                         .issuer = ca_get()->inter),
        &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

static int loads(const char *c, const char *k)
{
    struct tsk_lazy *l = NULL;
    int rc = tsk_lazy_load(c, k, NULL, &l);

    assert_int_equal(rc, l != NULL);
    tsk_lazy_unref(l);
    return rc;
}

/* The key in its kind's own form, as older tools write it. */
static void save_traditional(const tlsock_cert *c, const char *path)
{
    BIO *bio = BIO_new_file(path, "w");

    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, c->key, NULL,
                                                          NULL, 0, NULL, NULL),
                     1);
    BIO_free(bio);
}

static void common_kinds_wait_and_others_do_not(void **state)
{
    static const struct {
        const char *kind;
        int type, bits, waits;
    } rows[] = {
        {"ec:P-256", EVP_PKEY_EC, 256, 1},
        {"ec:P-384", EVP_PKEY_EC, 384, 1},
        {"ec:P-521", EVP_PKEY_EC, 521, 1},
        {"rsa:2048", EVP_PKEY_RSA, 0, 1},
        {"ed25519", 0, 0, 0}}; /* its key does not tell the other half */

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_cert *c = leaf(rows[i].kind);
        struct tsk_lazy *l = NULL;
        tlsock_error err = {0};

        save(c, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, cert, NULL);
        save(c, TLSOCK_PART_KEY, key, NULL);
        assert_int_equal(loads(cert, key), rows[i].waits);
        assert_int_equal(loads(cert, NULL), 0); /* no key in there */
        if (rows[i].waits)
            save_traditional(c, key);
        assert_int_equal(tsk_lazy_load(cert, key, NULL, &l), rows[i].waits);
        if (l != NULL) {
            assert_int_equal(tsk_lazy_kind(l).type, rows[i].type);
            assert_int_equal(tsk_lazy_kind(l).bits, rows[i].bits);
            assert_null(tsk_lazy_known(l));
            assert_non_null(tsk_lazy_cert(l, &err));
            assert_ptr_equal(tsk_lazy_cert(l, &err), tsk_lazy_known(l));
            assert_int_equal(X509_cmp(tsk_lazy_known(l)->leaf, c->leaf), 0);
            assert_int_equal(EVP_PKEY_eq(tsk_lazy_known(l)->key, c->key), 1);
        }
        tsk_lazy_unref(l);
        tlsock_cert_unref(c);
    }
}

static void what_bytes_do_not_prove_is_left_to_the_decoder(void **state)
{
    const struct test_ca *ca = ca_get();
    tlsock_cert *odd = leaf("ec:P-256"), *mixed;
    STACK_OF(X509) *none = sk_X509_new_null();
    const unsigned both = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;
    FILE *f;

    (void)state;
    save(ca->a, both, cert, NULL);
    save(ca->b, TLSOCK_PART_KEY, key, NULL);
    assert_int_equal(loads(cert, key), 0); /* another key */
    assert_int_equal(loads(cert, ca->a_key), 1);
    assert_int_equal(loads(cert, "/no/such/file"), 0);
    assert_int_equal(loads("/no/such/file", key), 0);
    assert_int_equal(loads(cert, ""), 0); /* elsewhere */
    assert_int_equal(setenv("TSK_TEST_PASS", "secret", 1), 0);
    save(ca->a, TLSOCK_PART_KEY, key, "env:TSK_TEST_PASS");
    assert_int_equal(loads(cert, key), 0);
    save(ca->a, both | TLSOCK_PART_KEY, cert, NULL);
    assert_int_equal(loads(cert, NULL), 1); /* all in one file */
    save(ca->expired, both, cert, NULL);
    save(ca->expired, TLSOCK_PART_KEY, key, NULL);
    assert_int_equal(loads(cert, key), 0);
    save(ca->not_yet, both, cert, NULL);
    save(ca->not_yet, TLSOCK_PART_KEY, key, NULL);
    assert_int_equal(loads(cert, key), 0);
    save(ca->client, both, cert, NULL); /* no name */
    save(ca->client, TLSOCK_PART_KEY, key, NULL);
    assert_int_equal(loads(cert, key), 0);
    /* a chain that is another's */
    sk_X509_push(none, ca->stranger_root->leaf);
    mixed = tsk_cert_new(odd->leaf, none, odd->key, NULL);
    save(mixed, both, cert, NULL);
    save(odd, TLSOCK_PART_KEY, key, NULL);
    assert_int_equal(loads(cert, key), 0);
    save(odd, both, cert, NULL);
    assert_int_equal(loads(cert, key), 1);
    f = fopen(cert, "a"); /* what comes behind is no whole block */
    assert_non_null(f);
    fputs("-----BEGIN CERTIFICATE-----\nMIIB", f);
    fclose(f);
    assert_int_equal(loads(cert, key), 0);
    sk_X509_free(none);
    tlsock_cert_unref(mixed);
    tlsock_cert_unref(odd);
}

static void chains_are_kept_once(void **state)
{
    const struct test_ca *ca = ca_get();
    struct tsk_lazy *a, *b, *again;
    tlsock_error err;

    (void)state;
    assert_int_equal(tsk_lazy_load(ca->a_pem, ca->a_key, NULL, &a), 1);
    assert_int_equal(tsk_lazy_load(ca->b_pem, ca->b_key, a, &b), 1);
    assert_int_equal(tsk_lazy_load(ca->a_pem, ca->a_key, b, &again), 1);
    assert_true(tsk_lazy_same(a, again));
    assert_false(tsk_lazy_same(a, b));
    assert_ptr_equal(sk_X509_value(tsk_lazy_cert(a, &err)->chain, 0),
                     sk_X509_value(tsk_lazy_cert(b, &err)->chain, 0));
    tsk_lazy_unref(a);
    tsk_lazy_unref(b);
    tsk_lazy_unref(again);
}

/* A signature that is no good shows when it is decoded. */
static void a_forged_chain_is_found_in_time(void **state)
{
    const struct test_ca *ca = ca_get();
    X509 *x = X509_dup(ca->a->leaf);
    struct tsk_lazy *l;
    tlsock_cert *forged;
    tlsock_error err;

    (void)state;
    /* the intermediate's name, but not its key */
    assert_true(X509_sign(x, ca->stranger_root->key, EVP_sha256()) > 0);
    forged = tsk_cert_new(x, ca->a->chain, ca->a->key, NULL);
    save(forged, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, cert, NULL);
    assert_int_equal(tsk_lazy_load(cert, ca->a_key, NULL, &l), 1);
    assert_null(tsk_lazy_cert(l, &err));
    assert_code(err.code, TLSOCK_E_CHAIN_INCOMPLETE);
    assert_tells(err.message, cert);
    tsk_lazy_unref(l);
    tlsock_cert_unref(forged);
    X509_free(x);
}

static void times_are_those_of_the_calendar(void **state)
{
    static const struct {
        const char *text;
        int tag;
        int64_t want; /* -1: none */
    } rows[] = {{"700101000000Z", 0x17, 0},
                {"491231235959Z", 0x17, 2524607999},
                {"500101000000Z", 0x17, -631152000},
                {"20000229120000Z", 0x18, 951825600},
                {"20360101000000Z", 0x18, 2082758400},
                {"7001010000Z", 0x17, -1},
                {"700101000000+", 0x17, -1},
                {"701301000000Z", 0x17, -1},
                {"700100000000Z", 0x17, -1},
                {"700101240000Z", 0x17, -1},
                {"7001010000x0Z", 0x17, -1},
                {"20000101000000.5Z", 0x18, -1}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint8_t *p = (const uint8_t *)rows[i].text;
        struct tsk_tlv t = {p, p + strlen(rows[i].text)};
        int64_t got = -1;

        (void)tsk_lazy_time(&t, rows[i].tag, &got);
        if (got != rows[i].want)
            fail_msg("%s: %lld", rows[i].text, (long long)got);
    }
}

/* Cut at each byte, and each bit of it turned: never a byte outside. */
static void damaged_bytes_are_no_certificate(void **state)
{
    unsigned char *der = NULL;
    int len = i2d_X509(ca_get()->wild->leaf, &der);
    struct tsk_tlv sans, name;
    struct tsk_walk w;

    (void)state;
    assert_true(len > 0);
    assert_int_equal(tsk_walk_cert(der, (size_t)len, &w), 1);
    sans = w.sans;
    assert_int_equal(tsk_walk_dns(&sans, &name), 1);
    assert_int_equal(tsk_tlv_len(&name), strlen("*.w.test"));
    assert_int_equal(tsk_walk_dns(&sans, &name), 0);
    for (int n = 0; n < len; n++) {
        unsigned char *cut = test_malloc((size_t)n + 1);

        memcpy(cut, der, (size_t)n);
        assert_int_equal(tsk_walk_cert(cut, (size_t)n, &w), 0);
        test_free(cut);
    }
    for (int bit = 0; bit < 8 * len; bit++) {
        der[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (tsk_walk_cert(der, (size_t)len, &w))
            while (tsk_walk_dns(&w.sans, &name))
                assert_true(name.p >= der && name.end <= der + len);
        der[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    OPENSSL_free(der);
}

/* Ten thousand names: each is found, in the same few steps. */
static void every_host_is_found(void **state)
{
    enum { N = 10000 };
    struct tsk_settings set = {0};
    struct tsk_hosts *h = NULL;
    tlsock_error err;
    char name[64];
    size_t i;

    (void)state;
    set.host_sets = test_malloc(N * sizeof(*set.host_sets));
    memset(set.host_sets, 0, N * sizeof(*set.host_sets));
    set.n_host_sets = N;
    for (size_t n = 0; n < N; n++) {
        snprintf(name, sizeof(name), n % 3 == 0 ? "*.h%zu.test" : "h%zu.test",
                 n);
        set.host_sets[n].name = tsk_strdup(name);
    }
    assert_code(tsk_hosts_of_sets(&set, &h, &err), TLSOCK_OK);
    for (size_t n = 0; n < N; n++) {
        struct tsk_hosts_at exact, wild;

        snprintf(name, sizeof(name), "H%zu.Test.", n);
        exact = tsk_hosts_exact(h, name);
        snprintf(name, sizeof(name), "www.h%zu.test", n);
        wild = tsk_hosts_wild(h, name);
        assert_int_equal(tsk_hosts_next(&exact, &i), n % 3 != 0);
        if (n % 3 != 0)
            assert_int_equal(i, n);
        assert_int_equal(tsk_hosts_next(&wild, &i), n % 3 == 0);
        if (n % 3 == 0)
            assert_int_equal(i, n);
    }
    tsk_hosts_free(h);
    for (size_t n = 0; n < N; n++)
        tsk_free(set.host_sets[n].name);
    test_free(set.host_sets);
}

static void any_allocation_may_fail(void **state)
{
    const struct test_ca *ca = ca_get();

    (void)state;
    for (int kind = FAULT_OWN; kind <= FAULT_REFUSED; kind++) {
        for (long n = 1, hit = 1; hit && n < 5000;
             n += kind == FAULT_OWN ? 1 : 17) {
            struct tsk_lazy *l = NULL;
            tlsock_cert *c = NULL;
            tlsock_error err = {0};

            fault_arm((enum fault_kind)kind, n, 0);
            if (tsk_lazy_load(ca->a_pem, ca->a_key, NULL, &l))
                c = tsk_lazy_cert(l, &err);
            hit = fault_disarm();
            if (!hit)
                assert_non_null(c);
            else if (l != NULL && c == NULL && kind == FAULT_OWN)
                assert_code(err.code, TLSOCK_E_NOMEM);
            if (l != NULL) /* it was the memory, and no verdict */
                if (tsk_lazy_cert(l, &err) == NULL)
                    fail_msg("%s %ld: %s", fault_name((enum fault_kind)kind), n,
                             err.message);
            tsk_lazy_unref(l);
        }
    }
}

static int set_up(void **state)
{
    snprintf(cert, sizeof(cert), "%s/lazy.pem", ca_get()->dir);
    snprintf(key, sizeof(key), "%s/lazy.key", ca_get()->dir);
    return ca_setup(state);
}

static int tear_down(void **state)
{
    unlink(cert);
    unlink(key);
    return ca_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_kinds_wait_and_others_do_not),
        cmocka_unit_test(what_bytes_do_not_prove_is_left_to_the_decoder),
        cmocka_unit_test(chains_are_kept_once),
        cmocka_unit_test(a_forged_chain_is_found_in_time),
        cmocka_unit_test(times_are_those_of_the_calendar),
        cmocka_unit_test(damaged_bytes_are_no_certificate),
        cmocka_unit_test(every_host_is_found),
        cmocka_unit_test(any_allocation_may_fail),
    };

    fault_init();
    return cmocka_run_group_tests_name("lazy", tests, set_up, tear_down);
}
