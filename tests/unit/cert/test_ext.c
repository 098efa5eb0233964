#include "make_help.h"

/* Extensions as openssl.cnf writes them. */

static const struct {
    int ca;
    const char *ext;
    int nid, critical;
} good[] = {
    {0, "tlsfeature=status_request", NID_tlsfeature, 0},
    {0, "tlsfeature=5", NID_tlsfeature, 0},
    {0, "certificatePolicies=1.2.3.4,2.23.140.1.2.1", NID_certificate_policies,
     0},
    {0, "issuerAltName=URI:http://i.test/", NID_issuer_alt_name, 0},
    {0, "noCheck=ignored", NID_id_pkix_OCSP_noCheck, 0},
    {0, "crlDistributionPoints=URI:http://c.test/a.crl",
     NID_crl_distribution_points, 0},
    {0, "authorityInfoAccess=OCSP;URI:http://o.test,caIssuers;URI:http://i.test",
     NID_info_access, 0},
    {0, "keyUsage=critical,digitalSignature,keyAgreement", NID_key_usage, 1},
    {0, "extendedKeyUsage=serverAuth,1.3.6.1.4.1.311.10.3.4",
     NID_ext_key_usage, 0},
    {0, "subjectKeyIdentifier=hash", NID_subject_key_identifier, 0},
    {0, "subjectKeyIdentifier=01:02:03", NID_subject_key_identifier, 0},
    {0, "authorityKeyIdentifier=keyid,issuer", NID_authority_key_identifier,
     0},
    {0, "nsComment=hello", NID_netscape_comment, 0},
    {1, "inhibitAnyPolicy=critical,0", NID_inhibit_any_policy, 1},
    {1, "policyConstraints=critical,requireExplicitPolicy:0",
     NID_policy_constraints, 1},
    {1, "policyMappings=1.2.3.4:1.2.3.5", NID_policy_mappings, 0},
    {1, "nameConstraints=critical,permitted;DNS:a.test,excluded;IP:0.0.0.0/0.0.0.0",
     NID_name_constraints, 1},
};

static void each_is_there_once_and_as_written(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const tlsock_cert_opts o = {
            .size = sizeof(o),        .sans = san,
            .n_sans = good[i].ca ? 0 : 1,          .subject = "CN=x",
            .ca = good[i].ca,         .issuer = help_root(),
            .ext = &good[i].ext,      .n_ext = 1};
        tlsock_error err = {0};
        tlsock_cert *c = tlsock_cert_create(&o, &err);
        int at;

        if (c == NULL)
            fail_msg("%s: %s", good[i].ext, err.message);
        if (ext_critical(c, good[i].nid) != good[i].critical)
            fail_msg("%s: critical %d", good[i].ext,
                     ext_critical(c, good[i].nid));
        at = X509_get_ext_by_NID(c->leaf, good[i].nid, -1);
        assert_int_equal(X509_get_ext_by_NID(c->leaf, good[i].nid, at), -1);
        if (help_verdict(c, help_root()) != X509_V_OK)
            fail_msg("%s: verdict %d", good[i].ext,
                     help_verdict(c, help_root()));
        tlsock_cert_unref(c);
    }
}

static void own_extensions_are_added(void **state)
{
    const char *san[] = {"a.test"};
    const char *own[] = {"1.2.3.4=ASN1:UTF8String:hello",
                         "1.2.3.5=critical,DER:0500",
                         "keyUsage=critical,digitalSignature,keyAgreement"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1,
                                                .ext = own, .n_ext = 3));
    ASN1_OBJECT *oid = OBJ_txt2obj("1.2.3.4", 1);
    X509_EXTENSION *e =
        X509_get_ext(c->leaf, X509_get_ext_by_OBJ(c->leaf, oid, -1));

    (void)state;
    assert_non_null(e);
    assert_int_equal(ASN1_STRING_length(X509_EXTENSION_get_data(e)), 7);
    assert_memory_equal(ASN1_STRING_get0_data(X509_EXTENSION_get_data(e)),
                        "\x0c\x05hello", 7);
    ASN1_OBJECT_free(oid);
    oid = OBJ_txt2obj("1.2.3.5", 1);
    e = X509_get_ext(c->leaf, X509_get_ext_by_OBJ(c->leaf, oid, -1));
    assert_int_equal(X509_EXTENSION_get_critical(e), 1);
    ASN1_OBJECT_free(oid);
    assert_int_equal(ext_critical(c, NID_key_usage), 1);
    assert_tells(tlsock_cert_field(c, TLSOCK_CERT_USAGE),
                 "digitalSignature, keyAgreement, serverAuth");
    tlsock_cert_unref(c);
}

static void printed_access_text_and_lists_of_urls_are_understood(void **state)
{
    const char *san[] = {"a.test"};
    const char *own[] = {"authorityInfoAccess=OCSP - URI:http://o.test/a,b\n"
                         "OCSP - URI:http://p.test/\n"
                         "CA Issuers - URI:http://i.test/ca.der\n"};
    const char *damaged[] = {"authorityInfoAccess=OCSP - URI:gopher://x"};
    const char *strange[] = {"authorityInfoAccess=Other - URI:http://x/"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1,
                                                .ext = own, .n_ext = 1));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_OCSP_URLS),
                        "http://o.test/a,b http://p.test/");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_AIA_URLS),
                        "http://i.test/ca.der");
    tlsock_cert_unref(c);
    c = help_make(TLSOCK_CERT_OPTS(
        .sans = san, .n_sans = 1, .crl_url = "http://a.test/ http://b.test/",
        .ocsp_url = " http://o.test/  http://p.test/ ",
        .aia_url = "http://i.test/ http://j.test/"));
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_CRL_URLS),
                        "http://a.test/ http://b.test/");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_OCSP_URLS),
                        "http://o.test/ http://p.test/");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_AIA_URLS),
                        "http://i.test/ http://j.test/");
    tlsock_cert_unref(c);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .ext = damaged,
                             .n_ext = 1),
            TLSOCK_E_ARGUMENT, "is not a URL", "http://");
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .ext = strange,
                             .n_ext = 1),
            TLSOCK_E_ARGUMENT, "is not a URL", NULL);
}

static const struct {
    int ca;
    const char *ext[2];
    const char *fault, *fix;
} bad[] = {
    {0, {"nonsense"}, "is not name=value", "name=value"},
    {0, {"=x"}, "is not name=value", "name=value"},
    {0, {"keyUsage="}, "is not name=value", "name=value"},
    {0, {"noSuchThing=1"}, "cannot be made", "name=value"},
    {0, {"keyUsage=flying"}, "cannot be made", "name=value"},
    {0, {"certificatePolicies=@nowhere"}, "cannot be made", "@name"},
    {0, {"1.2.3.4=DER:zz"}, "cannot be made", NULL},
    {0, {"keyUsage=DER:0500"}, "not well-formed", "by name"},
    {0, {"basicConstraints=CA:TRUE"}, "option of its own", "ca and pathlen"},
    {0, {"subjectAltName=DNS:evil.test"}, "option of its own", "sans"},
    {0, {"authorityKeyIdentifier=issuer:always"}, "there already", "renewal"},
    {0, {"tlsfeature=5", "tlsfeature=5"}, "is given twice", "leave one"},
    {0, {"keyUsage=cRLSign", "X509v3 Key Usage=cRLSign"}, "is given twice",
     NULL},
    {0, {"keyUsage=critical,keyCertSign"}, "for a CA alone", "make a CA"},
    {0, {"nameConstraints=critical,permitted;DNS:a.test"}, "for a CA alone",
     NULL},
    {0, {"policyConstraints=critical,requireExplicitPolicy:0"},
     "for a CA alone", NULL},
    {1, {"nameConstraints=permitted;DNS:a.test"}, "must be critical",
     "critical,"},
    {1, {"inhibitAnyPolicy=0"}, "must be critical", NULL},
    {1, {"nameConstraints=critical,DER:3000"}, "is empty", NULL},
    {1, {"policyConstraints=critical,DER:3000"}, "is empty", NULL},
    {0, {"authorityInfoAccess=critical,OCSP;URI:http://o.test"},
     "must not be critical", "leave out"},
    {1, {"basicConstraints=critical,CA:FALSE"}, "option of its own", NULL},
    {1, {"keyUsage=cRLSign"}, "needs the key usage keyCertSign", NULL},
};

static void bad_extensions_say_what_to_do(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = bad[i].ca ? 0 : 1,
                                 .subject = "CN=x", .ca = bad[i].ca,
                                 .ext = bad[i].ext,
                                 .n_ext = bad[i].ext[1] != NULL ? 2 : 1),
                TLSOCK_E_ARGUMENT, bad[i].fault, bad[i].fix);
}

static void what_an_option_says_is_not_said_twice(void **state)
{
    const char *san[] = {"a.test"};
    const char *crl[] = {"crlDistributionPoints=URI:http://c.test/"};
    const char *aia[] = {"authorityInfoAccess=OCSP;URI:http://o.test"};
    const char *nc[] = {"nameConstraints=critical,permitted;DNS:a.test"};

    (void)state;
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .ext = crl, .n_ext = 1,
                             .crl_url = "http://d.test/"),
            TLSOCK_E_ARGUMENT, "option of its own", "crl_url");
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .ext = aia, .n_ext = 1,
                             .aia_url = "http://d.test/"),
            TLSOCK_E_ARGUMENT, "option of its own", "ocsp_url and aia_url");
    refused(TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1, .ext = nc, .n_ext = 1,
                             .permitted = ".test"),
            TLSOCK_E_ARGUMENT, "option of its own", "permitted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_there_once_and_as_written),
        cmocka_unit_test(own_extensions_are_added),
        cmocka_unit_test(printed_access_text_and_lists_of_urls_are_understood),
        cmocka_unit_test(bad_extensions_say_what_to_do),
        cmocka_unit_test(what_an_option_says_is_not_said_twice),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
