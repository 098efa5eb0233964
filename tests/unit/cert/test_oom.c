#include "cert_help.h"
#include "fault.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

/* Each job is done with the 1st, 2nd, n-th allocation failing, until none does
 * any more. It must say E_NOMEM then; a leak is the sanitizer's to find. */
typedef int job(tlsock_error *err); /* 0 done, or the code */

static const char *pem_path, *sealed_path, *p12_path, *quick_path;

static int given(tlsock_cert *c, const tlsock_error *err)
{
    int rc = c != NULL ? 0 : err->code;

    tlsock_cert_unref(c);
    return rc;
}

/* What is read is read in full, with its key, or not at all. */
static int loaded(tlsock_cert *c, const tlsock_error *err)
{
    if (c != NULL && (tlsock_cert_chain_len(c) != 1 || c->key == NULL))
        fail_msg("a part of it is missing: %d further certificates, key: %d",
                 (int)tlsock_cert_chain_len(c), c->key != NULL);
    return given(c, err);
}

static int load_pem(tlsock_error *err)
{
    return loaded(tlsock_cert_load(pem_path, NULL, NULL, err), err);
}

static int load_sealed(tlsock_error *err)
{
    return loaded(tlsock_cert_load(sealed_path, NULL, "env:TEST_PASS", err),
                  err);
}

static int load_p12(tlsock_error *err)
{
    return loaded(tlsock_cert_load(p12_path, NULL, "env:TEST_PASS", err), err);
}

static int load_quick(tlsock_error *err)
{
    return loaded(tlsock_cert_load(quick_path, NULL, "env:TEST_PASS", err),
                  err);
}

static int create_leaf(tlsock_error *err)
{
    const char *names[] = {"a.test", "127.0.0.1"};
    const char *own[] = {"tlsfeature=5"};

    return given(tlsock_cert_create(
                     TLSOCK_CERT_OPTS(.sans = names, .n_sans = 2,
                                      .subject = "CN=a\\,b,O=c",
                                      .issuer = help_inter(), .ext = own,
                                      .n_ext = 1, .crl_url = "http://c.test/",
                                      .ocsp_url = "http://o.test/"),
                     err),
                 err);
}

static int create_ca(tlsock_error *err)
{
    return given(
        tlsock_cert_create(TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1,
                                            .permitted = ".test,10.0.0.0/8"),
                           err),
        err);
}

static int save_pem(tlsock_error *err)
{
    return tlsock_cert_save(help_leaf(), 7, TLSOCK_FORMAT_PEM,
                            help_path("known.out"), NULL, err);
}

static int json(tlsock_error *err)
{
    char out[8192];
    int rc = tlsock_cert_json(help_leaf(), out, sizeof(out));

    err->code = rc < 0 ? rc : 0;
    return err->code;
}

static int fields(tlsock_error *err)
{
    tlsock_cert *c = tsk_cert_new(help_leaf()->leaf, NULL, NULL, err);
    int rc = 0;

    if (c == NULL)
        return err->code;
    for (int i = 1; i <= TLSOCK_CERT_PIN; i++)
        if (tlsock_cert_field(c, i) == NULL)
            rc = err->code = TLSOCK_E_NOMEM;
    tlsock_cert_unref(c);
    return rc;
}

static int order(tlsock_error *err)
{
    return given(tlsock_cert_order(help_leaf(), err), err);
}

static int key_pin(tlsock_error *err)
{
    char out[128];
    int rc =
        tlsock_key_pin(sealed_path, "env:TEST_PASS", out, sizeof(out), err);

    return rc < 0 ? rc : 0;
}

static int key_save(tlsock_error *err)
{
    return tlsock_key_save(pem_path, NULL, TLSOCK_FORMAT_PEM,
                           help_path("known.out"), "env:TEST_PASS", err);
}

static int load_bundle(tlsock_error *err)
{
    return given(tlsock_cert_load(CORPUS "/bundle.p7b", NULL, NULL, err), err);
}

static const struct {
    const char *name;
    job *run;
} jobs[] = {
    {"load PEM", load_pem},
    {"load sealed PEM", load_sealed},
    {"load PKCS#12", load_p12},
    {"create a leaf", create_leaf},
    {"create a CA", create_ca},
    {"save PEM", save_pem},
    {"put in order", order},
    {"pin of a key", key_pin},
    {"save a key", key_save},
    {"load PKCS#7", load_bundle},
    {"JSON", json},
    {"fields", fields},
};

static void own_allocations_may_fail_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(jobs); i++) {
        long n = 1;

        for (;; n++) {
            tlsock_error err = {0};
            int rc, hit;

            fault_arm(FAULT_OWN, n, 1);
            rc = jobs[i].run(&err);
            hit = fault_disarm();
            assert_true(ERR_peek_error() == 0);
            if (!hit) {
                assert_code(rc, 0);
                break;
            }
            if (rc != TLSOCK_E_NOMEM || err.code != TLSOCK_E_NOMEM)
                fail_msg("%s, allocation %ld: %d %s", jobs[i].name, n, rc,
                         err.message);
            assert_true(n < 2000);
        }
        assert_true(n > 1); /* something was allocated at all */
    }
    assert_int_equal(help_strangers(), 0);
}

/* 1: the n-th has failed */
static int fail_reading(job *run, enum fault_kind kind, long n)
{
    tlsock_error err = {0};
    int rc, hit;

    fault_arm_here(kind, n, 1);
    rc = run(&err);
    hit = fault_disarm();
    assert_true(ERR_peek_error() == 0);
    if (rc != 0 && (!hit || err.code != rc || err.message[0] == '\0'))
        fail_msg("%s %ld (%s): %d %s", fault_name(kind), n, fault_refused(), rc,
                 err.message);
    return hit;
}

/* OpenSSL may take a lack of memory for another fault of the file: but no
 * failure is without its reason, and nothing is good that is not whole. Of its
 * allocations the 1st, 2nd, 4th, ... of each line. */
static void openssl_may_fail_while_reading(void **state)
{
    static job *const reads[] = {load_pem, load_quick, load_bundle, order};

    (void)state;
    for (size_t i = 0; i < COUNT(reads); i++) {
        tlsock_error err = {0};
        long n = 1;

        fault_watch();
        assert_code(reads[i](&err), 0);
        fault_disarm();
        while (fail_reading(reads[i], FAULT_OPENSSL, n))
            do
                n++;
            while (!fault_tells(n));
        for (n = 1; fail_reading(reads[i], FAULT_REFUSED, n); n++)
            assert_true(n < 10000);
    }
}

/* Whose password becomes a key in one round: what is made by default allocates
 * for each of thousands. */
static int write_quick(void)
{
    const tlsock_cert *c = help_leaf();
    PKCS12 *p12 = PKCS12_create("sesame", NULL, c->key, c->leaf, c->chain,
                                NID_aes_256_cbc, NID_aes_256_cbc, 1, 1, 0);
    BIO *bio = BIO_new_file(quick_path, "wb");
    int ok = p12 != NULL && bio != NULL && i2d_PKCS12_bio(bio, p12);

    BIO_free(bio);
    PKCS12_free(p12);
    return ok;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_allocations_may_fail_anywhere),
        cmocka_unit_test(openssl_may_fail_while_reading),
    };
    tlsock_error err = {0};
    int rc;

    fault_init();
    setenv("TEST_PASS", "sesame", 1);
    pem_path = strdup(help_path("known.pem"));
    sealed_path = strdup(help_path("known-sealed.pem"));
    p12_path = strdup(help_path("known.p12"));
    quick_path = strdup(help_path("known-quick.p12"));
    if (!write_quick() ||
        tlsock_cert_save(help_leaf(), 7, 0, pem_path, NULL, &err) != 0 ||
        tlsock_cert_save(help_leaf(), 7, 0, sealed_path, "env:TEST_PASS",
                         &err) != 0 ||
        tlsock_cert_save(help_leaf(), 7, TLSOCK_FORMAT_PKCS12, p12_path,
                         "env:TEST_PASS", &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    free((char *)(uintptr_t)pem_path);
    free((char *)(uintptr_t)sealed_path);
    free((char *)(uintptr_t)p12_path);
    free((char *)(uintptr_t)quick_path);
    help_end();
    return rc;
}
