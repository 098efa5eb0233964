#include "cert_help.h"

#include <openssl/x509v3.h>
#include <time.h>

static void proof(const tlsock_cert *c, int server, int64_t now, int want,
                  const char *fact)
{
    tlsock_error err = {0};
    int rc = tsk_cert_prove(c, "me.pem", server, now, &err);

    assert_code(rc, want);
    assert_code(err.code, want);
    if (want == 0)
        return;
    assert_tells(err.message, "me.pem");
    assert_tells(err.message, fact);
    assert_true(err.hint[0] != '\0');
    assert_code(tsk_cert_prove(c, "me.pem", server, now, NULL), want);
}

static tlsock_cert *with_chain(const tlsock_cert *c, X509 *one, X509 *two)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    tlsock_cert *made;

    assert_non_null(chain);
    if (one != NULL)
        sk_X509_push(chain, one);
    if (two != NULL)
        sk_X509_push(chain, two);
    made = tsk_cert_new(c->leaf, chain, c->key, NULL);
    assert_non_null(made);
    sk_X509_free(chain);
    return made;
}

static void a_good_identity_is_proven(void **state)
{
    int64_t now = time(NULL) + 1; /* they are made in this second or the next */
    tlsock_cert *whole = with_chain(help_leaf(), help_inter()->leaf,
                                    help_root()->leaf);
    tlsock_cert *none = with_chain(help_leaf(), NULL, NULL);

    (void)state;
    proof(help_leaf(), 1, now, 0, NULL);
    proof(help_alone(), 1, now, 0, NULL);
    proof(whole, 1, now, 0, NULL);
    proof(none, 1, now, 0, NULL); /* its issuer may be the root */
    tlsock_cert_unref(whole);
    tlsock_cert_unref(none);
}

static void key_must_be_there_and_fit(void **state)
{
    int64_t now = time(NULL);
    tlsock_cert *none = tsk_cert_new(help_leaf()->leaf, NULL, NULL, NULL);
    tlsock_cert *wrong = tsk_cert_new(help_leaf()->leaf, NULL,
                                      help_root()->key, NULL);

    (void)state;
    proof(none, 1, now, TLSOCK_E_OWN_FILE, "without a private key");
    proof(wrong, 1, now, TLSOCK_E_KEY_MISMATCH, "does not belong");
    tlsock_cert_unref(none);
    tlsock_cert_unref(wrong);
}

static void dates_must_hold_for_the_whole_chain(void **state)
{
    int64_t now = time(NULL);
    tlsock_cert *brief = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=Brief", .ca = 1, .days = 30, .issuer = help_root()));
    const char *san[] = {"a.test"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1,
                                                .issuer = brief));

    (void)state;
    proof(help_leaf(), 1, now + 89 * DAY, 0, NULL);
    proof(help_leaf(), 1, now + 91 * DAY, TLSOCK_E_EXPIRED,
          "\"a.test\" in \"me.pem\" expired on 2");
    proof(help_leaf(), 1, now - DAY, TLSOCK_E_NOT_YET_VALID, "not valid before");
    proof(c, 1, now + 29 * DAY, 0, NULL);
    proof(c, 1, now + 31 * DAY, TLSOCK_E_EXPIRED, "expired on");
    tlsock_cert_unref(brief);
    tlsock_cert_unref(c);
}

static void chain_must_be_in_order(void **state)
{
    int64_t now = time(NULL);
    tlsock_cert *twin = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=Help Inter", .ca = 1, .issuer = help_root()));
    tlsock_cert *swapped = with_chain(help_leaf(), help_root()->leaf,
                                      help_inter()->leaf);
    tlsock_cert *gap = with_chain(help_leaf(), help_root()->leaf, NULL);
    tlsock_cert *twice = with_chain(help_leaf(), help_inter()->leaf,
                                    help_inter()->leaf);
    tlsock_cert *forged = with_chain(help_leaf(), twin->leaf, NULL);
    tlsock_error err = {0};

    (void)state;
    proof(swapped, 1, now, TLSOCK_E_CHAIN_INCOMPLETE,
          "\"a.test\" was issued by \"Help Inter\", but next to it is \"Help "
          "Root\"");
    proof(gap, 1, now, TLSOCK_E_CHAIN_INCOMPLETE,
          "not complete: \"a.test\" was issued by \"Help Inter\", which is not "
          "there; next to it is \"Help Root\"");
    proof(twice, 1, now, TLSOCK_E_CHAIN_INCOMPLETE, "\"Help Inter\" twice");
    proof(forged, 1, now, TLSOCK_E_CHAIN_INCOMPLETE, "Help Inter");
    (void)tsk_cert_prove(swapped, "/etc/me.pem", 1, now, &err);
    assert_tells(err.hint, "tlsock cert fix /etc/me.pem");
    (void)tsk_cert_prove(gap, "inline PEM", 1, now, &err);
    assert_tells(err.hint, "tlsock cert fix --aia FILE");
    (void)tsk_cert_prove(help_leaf(), "/etc/me.pem", 1, now + 400 * DAY, &err);
    assert_tells(err.hint, "tlsock cert renew /etc/me.pem");
    tlsock_cert_unref(twin);
    tlsock_cert_unref(swapped);
    tlsock_cert_unref(gap);
    tlsock_cert_unref(twice);
    tlsock_cert_unref(forged);
}

/* The leaf with a policy; its signature is not looked at here. */
static tlsock_cert *leaf_with(const char *policy)
{
    X509 *x = X509_dup(help_leaf()->leaf);
    CERTIFICATEPOLICIES *all = CERTIFICATEPOLICIES_new();
    POLICYINFO *one = POLICYINFO_new();
    tlsock_cert *c;

    assert_non_null(x);
    assert_non_null(all);
    assert_non_null(one);
    ASN1_OBJECT_free(one->policyid);
    one->policyid = OBJ_txt2obj(policy, 1);
    assert_true(sk_POLICYINFO_push(all, one) > 0);
    assert_int_equal(X509_add1_ext_i2d(x, NID_certificate_policies, all, 0,
                                       X509V3_ADD_APPEND), 1);
    c = tsk_cert_new(x, NULL, help_leaf()->key, NULL);
    assert_non_null(c);
    CERTIFICATEPOLICIES_free(all);
    X509_free(x);
    return c;
}

static void a_public_ca_signs_with_an_intermediate(void **state)
{
    int64_t now = time(NULL) + 1;
    tlsock_cert *dv = leaf_with("2.23.140.1.2.1");
    tlsock_cert *own = leaf_with("1.3.6.1.4.1.1.1");

    (void)state;
    proof(dv, 1, now, TLSOCK_E_CHAIN_INCOMPLETE,
          "issuer \"Help Inter\" is missing");
    proof(own, 1, now, 0, NULL); /* a private CA's root may have signed it */
    tlsock_cert_unref(dv);
    tlsock_cert_unref(own);
}

static void a_server_needs_names_a_client_does_not(void **state)
{
    int64_t now = time(NULL);
    tlsock_cert *c = help_make(
        TLSOCK_CERT_OPTS(.subject = "CN=client", .purpose = "client"));

    (void)state;
    proof(c, 0, now, 0, NULL);
    proof(c, 1, now, TLSOCK_E_NO_NAME, "subjectAltName");
    tlsock_cert_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_identity_is_proven),
        cmocka_unit_test(key_must_be_there_and_fit),
        cmocka_unit_test(dates_must_hold_for_the_whole_chain),
        cmocka_unit_test(chain_must_be_in_order),
        cmocka_unit_test(a_public_ca_signs_with_an_intermediate),
        cmocka_unit_test(a_server_needs_names_a_client_does_not),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
