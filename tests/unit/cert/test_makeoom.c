#include "fault.h"
#include "make_help.h"

#include "cert/csr.h"
#include "core/clock.h"

#include <openssl/err.h>
#include <time.h>

/* Making things with the 1st, 2nd, n-th allocation failing, until none does any
 * more. The library's own say E_NOMEM; OpenSSL's may be taken for other faults
 * of what was being read, but never for success with something missing. */
typedef int job(tlsock_error *err); /* 0 done, or the code */

static char *csr_pem, *key_pem;
static tlsock_cert *model;
static tlsock_csr *request;

/* What the last job made. */
static struct product {
    tlsock_cert *c;
    tlsock_csr *r;
} last;

static void drop(struct product *p)
{
    tlsock_cert_unref(p->c);
    tlsock_csr_free(p->r);
    *p = (struct product){NULL, NULL};
}

static int given(tlsock_cert *c, const tlsock_error *err)
{
    last.c = c;
    return c != NULL ? 0 : err->code;
}

static int asked(tlsock_csr *r, const tlsock_error *err)
{
    last.r = r;
    return r != NULL ? 0 : err->code;
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

static int authority(tlsock_error *err)
{
    return given(tlsock_cert_create(
                     TLSOCK_CERT_OPTS(.subject = "CN=Own CA,O=Test", .ca = 1,
                                      .pathlen = 1, .key = key_pem,
                                      .permitted = "a.test,"
                                                   "192.0.2.0/24"),
                     err),
                 err);
}

static int cloned(tlsock_error *err)
{
    return given(tlsock_cert_clone(model, help_inter(), err), err);
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
    int reads; /* it makes no key and signs nothing */
} jobs[] = {
    {"a leaf", leaf, 0},        {"a CA", authority, 0},
    {"a clone", cloned, 0},     {"a renewal", renewed, 0},
    {"an answer", answered, 0}, {"a request", made, 0},
    {"loading", loaded, 1},     {"JSON", told, 1},
    {"saving", saved, 0},
};

static int same_exts(const STACK_OF(X509_EXTENSION) * a,
                     const STACK_OF(X509_EXTENSION) * b)
{
    if (sk_X509_EXTENSION_num(a) != sk_X509_EXTENSION_num(b))
        return 0;
    for (int i = 0; i < sk_X509_EXTENSION_num(a); i++) {
        X509_EXTENSION *x = sk_X509_EXTENSION_value(a, i),
                       *y = sk_X509_EXTENSION_value(b, i);

        if (OBJ_cmp(X509_EXTENSION_get_object(x),
                    X509_EXTENSION_get_object(y)) != 0 ||
            X509_EXTENSION_get_critical(x) != X509_EXTENSION_get_critical(y) ||
            ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(x),
                                  X509_EXTENSION_get_data(y)) != 0)
            return 0;
    }
    return 1;
}

/* What differs is the serial number and the signature, and that is good. */
static const char *unlike(const tlsock_cert *c, const tlsock_cert *good)
{
    const tlsock_cert *trust = help_root();

    if (X509_check_issued(c->leaf, c->leaf) == X509_V_OK)
        trust = c;
    if (X509_NAME_cmp(X509_get_subject_name(c->leaf),
                      X509_get_subject_name(good->leaf)) != 0 ||
        X509_NAME_cmp(X509_get_issuer_name(c->leaf),
                      X509_get_issuer_name(good->leaf)) != 0)
        return "other names";
    if (X509_get_version(c->leaf) != X509_VERSION_3 ||
        X509_get0_serialNumber(c->leaf)->length < 8)
        return "other version or no serial number";
    if (ASN1_TIME_compare(X509_get0_notBefore(c->leaf),
                          X509_get0_notBefore(good->leaf)) != 0 ||
        ASN1_TIME_compare(X509_get0_notAfter(c->leaf),
                          X509_get0_notAfter(good->leaf)) != 0)
        return "other dates";
    if (!same_exts(X509_get0_extensions(c->leaf),
                   X509_get0_extensions(good->leaf)))
        return "other extensions";
    if ((c->key == NULL) != (good->key == NULL) ||
        EVP_PKEY_eq(X509_get0_pubkey(c->leaf), X509_get0_pubkey(good->leaf)) !=
            1 ||
        (c->key != NULL && X509_check_private_key(c->leaf, c->key) != 1))
        return "another key";
    if (sk_X509_num(c->chain) != sk_X509_num(good->chain))
        return "another chain";
    return help_verdict(c, trust) == X509_V_OK ? NULL : "not valid";
}

static const char *request_unlike(const tlsock_csr *r, const tlsock_csr *good)
{
    STACK_OF(X509_EXTENSION) *a = X509_REQ_get_extensions(r->req),
                             *b = X509_REQ_get_extensions(good->req);
    int same = same_exts(a, b);

    sk_X509_EXTENSION_pop_free(a, X509_EXTENSION_free);
    sk_X509_EXTENSION_pop_free(b, X509_EXTENSION_free);
    if (!same || !same_exts(X509_get0_extensions(r->view->leaf),
                            X509_get0_extensions(good->view->leaf)))
        return "other extensions";
    if (X509_NAME_cmp(X509_REQ_get_subject_name(r->req),
                      X509_REQ_get_subject_name(good->req)) != 0)
        return "another name";
    if ((r->key == NULL) != (good->key == NULL) ||
        EVP_PKEY_eq(X509_REQ_get0_pubkey(r->req),
                    X509_REQ_get0_pubkey(good->req)) != 1)
        return "another key";
    if (strcmp(r->signature, good->signature) != 0 ||
        X509_REQ_verify(r->req, X509_REQ_get0_pubkey(r->req)) != 1)
        return "another signature";
    return NULL;
}

/* Whatever comes about is what comes about when nothing fails. */
static const char *wrong(const struct product *good)
{
    if (good->c != NULL)
        return last.c != NULL ? unlike(last.c, good->c) : "nothing";
    if (good->r != NULL)
        return last.r != NULL ? request_unlike(last.r, good->r) : "nothing";
    return NULL;
}

/* 1: allocation n of that job has failed */
static int fail_one(enum fault_kind kind, size_t which, long n,
                    const struct product *good)
{
    const char *what = NULL;
    tlsock_error err = {0};
    int rc, hit;

    fault_arm(kind, n, 1);
    rc = jobs[which].run(&err);
    hit = fault_disarm();
    assert_true(ERR_peek_error() == 0);
    assert_int_equal(rc, err.code);
    if (hit && kind == FAULT_OWN && rc != TLSOCK_E_NOMEM)
        what = "not E_NOMEM";
    else if (rc != 0 &&
             (!hit || (err.message[0] == '\0' && jobs[which].run != told)))
        what = "no reason";
    else if (rc == 0)
        what = wrong(good);
    if (what != NULL)
        fail_msg("%s, %s %ld (%s): %s: %d %s", jobs[which].name,
                 fault_name(kind), n, fault_refused(), what, rc, err.message);
    drop(&last);
    return hit;
}

/* stride 0: each allocation; else each of the first ones, and the further in
 * the fewer: n/stride are left out behind the n-th */
static void fail_job(enum fault_kind kind, size_t which, long stride)
{
    struct product good;
    tlsock_error err = {0};
    long n = 1;

    drop(&last); /* of a test that failed */
    assert_code(jobs[which].run(&err), 0);
    good = last;
    last = (struct product){NULL, NULL};
    while (fail_one(kind, which, n, &good)) {
        n += 1 + (stride > 0 ? n / stride : 0);
        assert_true(n < 100000);
    }
    assert_true(n > 1 || kind == FAULT_REFUSED); /* something was allocated */
    drop(&good);
    assert_int_equal(help_strangers(), 0);
}

static void own_allocations_may_fail_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(jobs); i++)
        fail_job(FAULT_OWN, i, 0);
}

/* What is read from strangers is worth the time. */
static void openssl_allocations_may_fail_while_reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(jobs); i++)
        if (jobs[i].reads)
            fail_job(FAULT_OPENSSL, i, 0);
}

static void openssl_may_say_no_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(jobs); i++)
        fail_job(FAULT_REFUSED, i, 0);
}

/* OpenSSL allocates thousands of times to make a key or a signature. */
static void openssl_allocations_may_fail_while_making(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(jobs); i++)
        if (!jobs[i].reads)
            fail_job(FAULT_OPENSSL, i, 40);
}

static int64_t one_second(void)
{
    static int64_t now;

    if (now == 0)
        now = (int64_t)time(NULL);
    return now;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_allocations_may_fail_anywhere),
        cmocka_unit_test(openssl_allocations_may_fail_while_reading),
        cmocka_unit_test(openssl_allocations_may_fail_while_making),
        cmocka_unit_test(openssl_may_say_no_anywhere),
    };
    const char *names[] = {"m.test", "192.0.2.1"}, *own[] = {"tlsfeature=5"};
    tlsock_error err = {0};
    size_t len;
    int rc;

    fault_init();
    tsk_clock_wall = one_second;
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
