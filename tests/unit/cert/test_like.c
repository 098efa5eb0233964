#include "make_help.h"

#include <openssl/rsa.h>

/* Renewal: o->like, and what wins over it. */

static const char *const sans[] = {"l.test", "192.0.2.7"};
static const char *const own[] = {
    "tlsfeature=status_request", "certificatePolicies=1.2.3.4",
    "extendedKeyUsage=serverAuth,1.3.6.1.4.1.311.20.2.2",
    "1.2.3.4.5=ASN1:UTF8String:x"};

static tlsock_cert *model(const char *key)
{
    return help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=l.test,O=Org", .sans = sans, .n_sans = 2, .key = key,
        .issuer = help_inter(), .days = 30, .digest = "sha384", .ext = own,
        .n_ext = 4, .crl_url = "http://c.test/", .ocsp_url = "http://o.test/"));
}

static int64_t lifetime(const tlsock_cert *c)
{
    return tsk_cert_time(X509_get0_notAfter(c->leaf)) -
           tsk_cert_time(X509_get0_notBefore(c->leaf));
}

static void same_field(const tlsock_cert *a, const tlsock_cert *b, int item)
{
    assert_string_equal(tlsock_cert_field(a, item), tlsock_cert_field(b, item));
}

static void a_renewed_one_is_like_the_old_one(void **state)
{
    static const char *const kinds[] = {"ec:P-384", "rsa:2048", "ed25519",
                                        "rsa-pss:2048"};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        tlsock_cert *old = model(kinds[i]);
        tlsock_cert *c = help_make(
            TLSOCK_CERT_OPTS(.like = old, .issuer = help_inter()));

        same_field(c, old, TLSOCK_CERT_SUBJECT);
        same_field(c, old, TLSOCK_CERT_SANS);
        same_field(c, old, TLSOCK_CERT_USAGE);
        same_field(c, old, TLSOCK_CERT_KEY_TYPE);
        same_field(c, old, TLSOCK_CERT_SIGNATURE);
        same_field(c, old, TLSOCK_CERT_CRL_URLS);
        same_field(c, old, TLSOCK_CERT_OCSP_URLS);
        assert_true(lifetime(c) == 30 * (int64_t)DAY);
        assert_int_equal(X509_get_ext_count(c->leaf),
                         X509_get_ext_count(old->leaf));
        assert_int_equal(EVP_PKEY_eq(c->key, old->key), 0);
        assert_string_not_equal(tlsock_cert_field(c, TLSOCK_CERT_SERIAL),
                                tlsock_cert_field(old, TLSOCK_CERT_SERIAL));
        assert_int_equal(help_verdict(c, help_root()), X509_V_OK);
        tlsock_cert_unref(c);
        tlsock_cert_unref(old);
    }
}

static void what_is_the_issuers_stays_with_it(void **state)
{
    tlsock_cert *old = model("ec:P-256");
    tlsock_cert *c = help_make(
        TLSOCK_CERT_OPTS(.like = old, .issuer = help_root()));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_CRL_URLS), "");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_OCSP_URLS), "");
    assert_int_equal(ext_critical(c, NID_certificate_policies), -1);
    assert_int_equal(ext_critical(c, NID_tlsfeature), 0);
    same_field(c, old, TLSOCK_CERT_USAGE);
    tlsock_cert_unref(c);
    tlsock_cert_unref(old);
}

static void options_win(void **state)
{
    const char *names[] = {"n.test"};
    tlsock_cert *old = model("rsa:2048");
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(
        .like = old, .issuer = help_inter(), .subject = "CN=new",
        .sans = names, .n_sans = 1, .key = "ec:P-521", .days = 5,
        .digest = "sha512", .purpose = "client", .crl_url = "http://d.test/",
        .aia_url = "http://i.test/"));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SUBJECT), "CN=new");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS), "DNS:n.test");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_KEY_TYPE),
                        "ECDSA P-521");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SIGNATURE),
                        "ecdsa-with-SHA512");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_USAGE),
                        "digitalSignature, clientAuth");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_CRL_URLS),
                        "http://d.test/");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_OCSP_URLS), "");
    assert_true(lifetime(c) == 5 * (int64_t)DAY);
    tlsock_cert_unref(c);
    tlsock_cert_unref(old);
}

/* keyEncipherment of an RSA certificate is nothing for an EC key. */
static void usages_follow_a_new_kind_of_key(void **state)
{
    const char *names[] = {"n.test"};
    tlsock_cert *old = help_make(
        TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1, .key = "rsa:2048"));
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(.like = old, .key = "ed25519"));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_USAGE),
                        "digitalSignature, serverAuth, clientAuth");
    assert_int_equal(help_verdict(c, c), X509_V_OK);
    tlsock_cert_unref(c);
    tlsock_cert_unref(old);
}

static void a_default_subject_goes_with_the_names(void **state)
{
    const char *names[] = {"n.test"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(
        .like = help_leaf(), .issuer = help_inter(), .sans = names,
        .n_sans = 1));
    tlsock_cert *named = model("ec:P-256");

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SUBJECT), "CN=n.test");
    tlsock_cert_unref(c);
    c = help_make(TLSOCK_CERT_OPTS(.like = named, .issuer = help_inter(),
                                   .sans = names, .n_sans = 1));
    same_field(c, named, TLSOCK_CERT_SUBJECT);
    tlsock_cert_unref(c);
    tlsock_cert_unref(named);
}

static void a_ca_is_renewed_with_its_limits(void **state)
{
    const char *evil[] = {"a.example"};
    tlsock_cert *old = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=Old CA", .ca = 1, .pathlen = 2, .permitted = ".test",
        .purpose = "sslCA", .days = 100));
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(.like = old));
    tlsock_cert *other = help_make(
        TLSOCK_CERT_OPTS(.like = old, .permitted = ".example"));

    (void)state;
    same_field(c, old, TLSOCK_CERT_USAGE);
    same_field(c, old, TLSOCK_CERT_SUBJECT);
    assert_int_equal(X509_get_pathlen(c->leaf), 2);
    assert_true(lifetime(c) == 100 * (int64_t)DAY);
    refused(TLSOCK_CERT_OPTS(.sans = evil, .n_sans = 1, .issuer = c),
            TLSOCK_E_PURPOSE, "a.example", NULL);
    tlsock_cert_unref(help_make(
        TLSOCK_CERT_OPTS(.sans = evil, .n_sans = 1, .issuer = other)));
    tlsock_cert_unref(other);
    tlsock_cert_unref(c);
    tlsock_cert_unref(old);
}

/* As others made them: by hand, from the leaf of the other tests. */
static tlsock_cert *odd(int nid, const char *text, EVP_PKEY *key)
{
    X509 *x = X509_dup(help_leaf()->leaf);
    int at = X509_get_ext_by_NID(x, nid, -1);
    X509_EXTENSION *e = X509V3_EXT_nconf(NULL, NULL, OBJ_nid2sn(nid), text);
    tlsock_cert *c;

    assert_non_null(e);
    if (at >= 0)
        X509_EXTENSION_free(X509_delete_ext(x, at));
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    if (key != NULL)
        X509_set_pubkey(x, key);
    assert_true(X509_sign(x, help_inter()->key, EVP_sha256()) > 0);
    c = tsk_cert_new(x, NULL, NULL, NULL);
    X509_free(x);
    return c;
}

static void promises_of_logs_are_not_renewed(void **state)
{
    tlsock_cert *old = odd(NID_ct_precert_scts, "DER:04020000", NULL);
    tlsock_cert *c = help_make(
        TLSOCK_CERT_OPTS(.like = old, .issuer = help_inter()));

    (void)state;
    assert_int_equal(ext_critical(old, NID_ct_precert_scts), 0);
    assert_int_equal(ext_critical(c, NID_ct_precert_scts), -1);
    tlsock_cert_unref(c);
    tlsock_cert_unref(old);
}

static void what_is_wrong_with_the_old_one_is_told(void **state)
{
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    tlsock_cert *names = odd(NID_subject_alt_name, "DER:0500", NULL),
                *under = odd(NID_subject_alt_name, "DNS:a_b.test", NULL),
                *small = odd(NID_netscape_comment, "x", weak), *c;

    (void)state;
    refused(TLSOCK_CERT_OPTS(.like = names, .issuer = help_inter()),
            TLSOCK_E_CERT_INVALID, "cannot be read", "which names");
    refused(TLSOCK_CERT_OPTS(.like = under, .issuer = help_inter()),
            TLSOCK_E_ARGUMENT, "in the certificate to be like: ", NULL);
    c = help_make(TLSOCK_CERT_OPTS(.like = small, .issuer = help_inter()));
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_KEY_TYPE), "RSA 2048");
    tlsock_cert_unref(c);
    refused(TLSOCK_CERT_OPTS(.like = under, .issuer = help_inter(), .csr = "x"),
            TLSOCK_E_ARGUMENT, "both say", "leave out one");
    tlsock_cert_unref(names);
    tlsock_cert_unref(under);
    tlsock_cert_unref(small);
    EVP_PKEY_free(weak);
}

static void a_request_for_renewal_is_one_option(void **state)
{
    tlsock_cert *old = model("ec:P-384");
    tlsock_error err = {0};
    tlsock_csr *r = tlsock_csr_create(TLSOCK_CERT_OPTS(.like = old), &err);

    (void)state;
    if (r == NULL)
        fail_msg("%s", err.message);
    assert_string_equal(tlsock_csr_field(r, TLSOCK_CERT_SUBJECT),
                        tlsock_cert_field(old, TLSOCK_CERT_SUBJECT));
    assert_string_equal(tlsock_csr_field(r, TLSOCK_CERT_SANS),
                        tlsock_cert_field(old, TLSOCK_CERT_SANS));
    assert_string_equal(tlsock_csr_field(r, TLSOCK_CERT_USAGE),
                        tlsock_cert_field(old, TLSOCK_CERT_USAGE));
    assert_string_equal(tlsock_csr_field(r, TLSOCK_CERT_KEY_TYPE),
                        "ECDSA P-384");
    tlsock_csr_free(r);
    tlsock_cert_unref(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_renewed_one_is_like_the_old_one),
        cmocka_unit_test(what_is_the_issuers_stays_with_it),
        cmocka_unit_test(options_win),
        cmocka_unit_test(usages_follow_a_new_kind_of_key),
        cmocka_unit_test(a_default_subject_goes_with_the_names),
        cmocka_unit_test(a_ca_is_renewed_with_its_limits),
        cmocka_unit_test(promises_of_logs_are_not_renewed),
        cmocka_unit_test(what_is_wrong_with_the_old_one_is_told),
        cmocka_unit_test(a_request_for_renewal_is_one_option),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
