/* Single steps of making a certificate, with each allocation of OpenSSL
 * failing: as a part of the whole they are a few among thousands. A step says
 * that there is no memory, or comes to what it always comes to; never to what
 * a lack of memory looks like. */
#include "fault.h"
#include "make_help.h"

#include "cert/make.h"
#include "ossl/queue.h"

#include <openssl/core_names.h>

typedef int step(struct tsk_make *m, tlsock_error *err);
typedef void look(const struct tsk_make *m);

static tlsock_cert *model, *mail;
static EVP_PKEY *spelled_out;

/* The subject of the model is its name, which is not the new one's. */
static int takes_like(struct tsk_make *m, tlsock_error *err)
{
    static const char *names[] = {"new.test"};

    m->o = TLSOCK_CERT_OPTS(.like = model, .sans = names, .n_sans = 1);
    return tsk_like_take(m, err);
}

static void no_subject(const struct tsk_make *m)
{
    assert_null(m->subject);
}

/* The key usage follows from an extended one that was written out. */
static int adds_usage(struct tsk_make *m, tlsock_error *err)
{
    X509 *x = mail->leaf;
    int at = X509_get_ext_by_NID(x, NID_ext_key_usage, -1), rc;

    m->o = TLSOCK_CERT_OPTS(.purpose = "email");
    m->key = X509_get0_pubkey(x);
    fault_hold(1);
    rc = tsk_ext_copy(m, X509_get_ext(x, at), err);
    fault_hold(0);
    assert_code(rc, 0);
    rc = tsk_usage_add(m, err);
    m->key = NULL;
    return rc;
}

static void agrees_on_keys(const struct tsk_make *m)
{
    ASN1_BIT_STRING *s = X509V3_get_d2i(m->exts, NID_key_usage, NULL, NULL);

    assert_non_null(s);
    assert_int_equal(ASN1_BIT_STRING_get_bit(s, 4), 1);
    ASN1_BIT_STRING_free(s);
}

static int is_strong(struct tsk_make *m, tlsock_error *err)
{
    (void)m;
    return tsk_key_strong(X509_get0_pubkey(model->leaf), "model", err);
}

static int is_spelled_out(struct tsk_make *m, tlsock_error *err)
{
    (void)m;
    return tsk_key_strong(spelled_out, "spelled out", err);
}

static const struct {
    const char *name;
    step *run;
    look *good; /* what holds when it has succeeded, or NULL */
    int want;
} steps[] = {
    {"what is like another", takes_like, no_subject, 0},
    {"a usage that follows", adds_usage, agrees_on_keys, 0},
    {"a key that is strong", is_strong, NULL, 0},
    {"a curve in full", is_spelled_out, NULL, TLSOCK_E_ARGUMENT},
};

static void every_allocation_of_openssl_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        int hit = 1, starved = 0;

        for (long n = 1; hit; n++) {
            struct tsk_make m = {.pathlen = -1};
            tlsock_error err = {0};
            int rc;

            fault_arm(FAULT_OPENSSL, n, 1);
            tsk_ossl_enter();
            rc = steps[i].run(&m, &err);
            tsk_ossl_leave();
            hit = fault_disarm();
            starved += rc == TLSOCK_E_NOMEM;
            if (err.code != rc ||
                (rc != steps[i].want && (!hit || rc != TLSOCK_E_NOMEM)))
                fail_msg("%s, allocation %ld: %d %s", steps[i].name, n, rc,
                         err.message);
            if (rc == 0 && steps[i].good != NULL)
                steps[i].good(&m);
            tsk_make_free(&m);
            assert_true(n < 5000);
        }
        assert_true(starved > 0);
    }
}

/* As it comes out of a file. */
static EVP_PKEY *spell_out(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *read = NULL;
    unsigned char *der = NULL;
    const unsigned char *p;
    int len;

    if (EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
                                       "explicit") == 1) {
        len = i2d_PUBKEY(key, &der);
        p = der;
        read = len > 0 ? d2i_PUBKEY(NULL, &p, len) : NULL;
    }
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return read;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_openssl_may_fail)};
    const char *names[] = {"m.test"}, *mails[] = {"EMAIL:a@b.test"};
    int rc;

    fault_init();
    model = help_make(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1));
    mail = help_make(
        TLSOCK_CERT_OPTS(.sans = mails, .n_sans = 1, .purpose = "email"));
    spelled_out = spell_out();
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    EVP_PKEY_free(spelled_out);
    tlsock_cert_unref(model);
    tlsock_cert_unref(mail);
    help_end();
    return rc;
}
