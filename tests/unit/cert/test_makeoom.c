#include "fault.h"
#include "make_help.h"

#include <openssl/err.h>

/* Making things with the 1st, 2nd, n-th allocation failing, until none does any
 * more. The library's own say E_NOMEM; OpenSSL's may be taken for other faults
 * of what was being read, but never for success with something missing. */
typedef int job(tlsock_error *err); /* 0 done, or the code */

static char *csr_pem, *key_pem;
static tlsock_cert *model;
static tlsock_csr *request;

static int given(tlsock_cert *c, const tlsock_error *err)
{
    int rc = c != NULL ? 0 : err->code;

    tlsock_cert_unref(c);
    return rc;
}

static int asked(tlsock_csr *r, const tlsock_error *err)
{
    int rc = r != NULL ? 0 : err->code;

    tlsock_csr_free(r);
    return rc;
}

static int leaf(tlsock_error *err)
{
    const char *names[] = {"a.test",           "UPN:u@corp",
                           "SRV:_x.a.test",    "RID:1.2.3",
                           "DIRNAME:CN=a,O=b", "EMAIL:\xc3\xbc@b.test"};
    const char *own[] = {"tlsfeature=5", "1.2.3.4=ASN1:UTF8String:x",
                         "authorityInfoAccess=OCSP - URI:http://o.test/"};

    return given(
        tlsock_cert_create(
            TLSOCK_CERT_OPTS(.sans = names, .n_sans = 6, .key = key_pem,
                             .purpose = "+email,-client",
                             .issuer = help_inter(), .ext = own, .n_ext = 3,
                             .crl_url = "http://c.test/ http://d/"),
            err),
        err);
}

static int renewed(tlsock_error *err)
{
    return given(tlsock_cert_create(TLSOCK_CERT_OPTS(.like = model,
                                                     .issuer = help_inter(),
                                                     .key = key_pem),
                                    err),
                 err);
}

static int answered(tlsock_error *err)
{
    return given(tlsock_cert_create(
                     TLSOCK_CERT_OPTS(.csr = csr_pem, .issuer = help_inter(),
                                      .csr_ext = "tlsfeature,keyUsage"),
                     err),
                 err);
}

static int made(tlsock_error *err)
{
    return asked(
        tlsock_csr_create(TLSOCK_CERT_OPTS(.like = model, .key = key_pem), err),
        err);
}

static int loaded(tlsock_error *err)
{
    return asked(tlsock_csr_load(csr_pem, err), err);
}

static int told(tlsock_error *err)
{
    char out[4096];
    int rc = tlsock_csr_json(request, out, sizeof(out));

    err->code = rc < 0 ? rc : 0;
    return err->code;
}

static int saved(tlsock_error *err)
{
    return tlsock_csr_save(request, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM,
                           help_path("known.out"), NULL, err);
}

static const struct {
    const char *name;
    job *run;
} jobs[] = {
    {"a leaf", leaf},    {"a renewal", renewed}, {"an answer", answered},
    {"a request", made}, {"loading", loaded},    {"JSON", told},
    {"saving", saved},
};

static void fail_each(enum fault_kind kind, const char *only)
{
    for (size_t i = 0; i < COUNT(jobs); i++) {
        long n = 1;

        if (only != NULL && strcmp(only, jobs[i].name) != 0)
            continue;
        for (;; n++) {
            tlsock_error err = {0};
            int rc, hit;

            fault_arm(kind, n, 1);
            rc = jobs[i].run(&err);
            hit = fault_disarm();
            assert_true(ERR_peek_error() == 0);
            if (!hit) {
                assert_code(rc, 0);
                break;
            }
            if (kind == FAULT_OWN &&
                (rc != TLSOCK_E_NOMEM || err.code != TLSOCK_E_NOMEM))
                fail_msg("%s, allocation %ld: %d %s", jobs[i].name, n, rc,
                         err.message);
            assert_int_equal(rc, err.code);
            assert_true(n < 20000);
        }
        assert_true(n > 1); /* something was allocated at all */
    }
    assert_int_equal(help_strangers(), 0);
}

static void own_allocations_may_fail_anywhere(void **state)
{
    (void)state;
    fail_each(FAULT_OWN, NULL);
}

/* OpenSSL allocates thousands of times to make a key or a signature; what is
 * read from strangers is worth the time. */
static void openssl_allocations_may_fail_while_reading(void **state)
{
    (void)state;
    fail_each(FAULT_OPENSSL, "loading");
    fail_each(FAULT_OPENSSL, "JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_allocations_may_fail_anywhere),
        cmocka_unit_test(openssl_allocations_may_fail_while_reading),
    };
    const char *names[] = {"m.test", "192.0.2.1"}, *own[] = {"tlsfeature=5"};
    tlsock_error err = {0};
    size_t len;
    int rc;

    fault_init();
    key_pem = help_pem(help_leaf(), TLSOCK_PART_KEY);
    model = help_make(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 2, .ext = own,
                                       .n_ext = 1, .issuer = help_inter()));
    request = tlsock_csr_create(TLSOCK_CERT_OPTS(.like = model, .key = key_pem),
                                &err);
    if (request == NULL ||
        tlsock_csr_save(request, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM,
                        help_path("known.csr"), NULL, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    csr_pem = help_read(help_path("known.csr"), &len);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    free(csr_pem);
    free(key_pem);
    tlsock_cert_unref(model);
    tlsock_csr_free(request);
    help_end();
    return rc;
}
