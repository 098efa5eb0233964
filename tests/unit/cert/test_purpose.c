#include "make_help.h"

/* The words of "purpose", and the rules about usages. */

#define RSA "rsa:2048"

static const struct {
    int ca;
    const char *purpose, *key;
    const char *usage; /* as tlsock_cert_field() tells it */
} good[] = {
    {0, NULL, NULL, "digitalSignature, serverAuth, clientAuth"},
    {0, "server,client", NULL, "digitalSignature, serverAuth, clientAuth"},
    {0, "client , server", NULL, "digitalSignature, serverAuth, clientAuth"},
    {0, "Server", NULL, "digitalSignature, serverAuth"},
    {0, "server", RSA, "digitalSignature, keyEncipherment, serverAuth"},
    {0, "client", RSA, "digitalSignature, clientAuth"},
    {0, "SERVERAUTH", NULL, "digitalSignature, serverAuth"},
    {0, "clientAuth", NULL, "digitalSignature, clientAuth"},
    {0, "email", NULL, "digitalSignature, keyAgreement, emailProtection"},
    {0, "emailProtection", RSA,
     "digitalSignature, keyEncipherment, emailProtection"},
    {0, "email", "ed25519", "digitalSignature, emailProtection"},
    {0, "objsign", NULL, "digitalSignature, codeSigning"},
    {0, "codeSigning", NULL, "digitalSignature, codeSigning"},
    {0, "timeStamping", NULL, "digitalSignature, timeStamping"},
    {0, "OCSPSigning", NULL, "digitalSignature, OCSPSigning"},
    {0, "-client", NULL, "digitalSignature, serverAuth"},
    {0, "+email", RSA,
     "digitalSignature, keyEncipherment, serverAuth, clientAuth, "
     "emailProtection"},
    {0, "-server,+codeSigning", NULL,
     "digitalSignature, clientAuth, codeSigning"},
    {0, "server,+client", NULL, "digitalSignature, serverAuth, clientAuth"},
    {0, "+server,client,-client", NULL, "digitalSignature, serverAuth"},
    {0, "+keyAgreement", NULL,
     "digitalSignature, keyAgreement, serverAuth, clientAuth"},
    {0, "server,-digitalSignature", RSA, "keyEncipherment, serverAuth"},
    {0, "-keyEncipherment", RSA, "digitalSignature, serverAuth, clientAuth"},
    {0, "digitalSignature", NULL, "digitalSignature"},
    {0, "nonRepudiation", NULL, "nonRepudiation"},
    {0, "contentCommitment,digitalSignature", NULL,
     "digitalSignature, nonRepudiation"},
    {0, "keyEncipherment,dataEncipherment", RSA,
     "keyEncipherment, dataEncipherment"},
    {0, "keyAgreement,encipherOnly", NULL, "keyAgreement, encipherOnly"},
    {0, "keyAgreement,decipherOnly", NULL, "keyAgreement, decipherOnly"},
    {0, "cRLSign", NULL, "cRLSign"},
    {1, NULL, NULL, "keyCertSign, cRLSign, CA"},
    {1, "ca", NULL, "keyCertSign, cRLSign, CA"},
    {1, "CA,sslCA,emailCA,objCA", NULL, "keyCertSign, cRLSign, CA"},
    {1, "sslca", NULL, "keyCertSign, cRLSign, serverAuth, clientAuth, CA"},
    {1, "emailCA", NULL, "keyCertSign, cRLSign, emailProtection, CA"},
    {1, "objCA", NULL, "keyCertSign, cRLSign, codeSigning, CA"},
    {1, "-objCA", NULL,
     "keyCertSign, cRLSign, serverAuth, clientAuth, emailProtection, CA"},
    {1, "sslCA,emailCA,objCA", NULL, "keyCertSign, cRLSign, CA"},
    {1, "keyCertSign", NULL, "keyCertSign, cRLSign, CA"},
    {1, "-cRLSign", NULL, "keyCertSign, CA"},
    {1, "+digitalSignature", NULL,
     "digitalSignature, keyCertSign, cRLSign, CA"},
    {1, "codeSigning", NULL, "keyCertSign, cRLSign, codeSigning, CA"},
    {1, "timeStamping", NULL, "keyCertSign, cRLSign, timeStamping, CA"},
};

static void each_word_has_its_usages(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const tlsock_cert_opts o = {
            .size = sizeof(o),   .sans = san,    .n_sans = good[i].ca ? 0 : 1,
            .subject = "CN=x",   .ca = good[i].ca,
            .purpose = good[i].purpose,          .key = good[i].key};
        tlsock_error err = {0};
        tlsock_cert *c = tlsock_cert_create(&o, &err);

        if (c == NULL)
            fail_msg("\"%s\": %s", good[i].purpose, err.message);
        if (strcmp(tlsock_cert_field(c, TLSOCK_CERT_USAGE), good[i].usage) != 0)
            fail_msg("\"%s\": %s", good[i].purpose,
                     tlsock_cert_field(c, TLSOCK_CERT_USAGE));
        if (help_verdict(c, c) != X509_V_OK)
            fail_msg("\"%s\" is not strict", good[i].purpose);
        tlsock_cert_unref(c);
    }
}

static const struct {
    int ca;
    const char *purpose, *key, *fault, *fix;
} bad[] = {
    {0, "", NULL, "empty word", "server,client"},
    {0, "server,", NULL, "empty word", "server,client"},
    {0, ",server", NULL, "empty word", NULL},
    {0, "+", NULL, "is not known", NULL},
    {0, "servers", NULL, "\"servers\" is not known", "server,client"},
    {0, "server;client", NULL, "is not known", NULL},
    {0, "averyveryveryverylongwordindeed", NULL, "is not known", NULL},
    {1, "flying", NULL, "is not known", "sslCA"},
    {0, "ca", NULL, "\"CA\" is for a CA alone", "option ca"},
    {0, "server,sslCA", NULL, "\"sslCA\" is for a CA alone", NULL},
    {1, "server", NULL, "is not for a CA", "below it"},
    {1, "+client", NULL, "is not for a CA", "sslCA"},
    {1, "OCSPSigning", NULL, "could answer for its issuer", "leave it out"},
    {1, "-keyCertSign", NULL, "needs the key usage keyCertSign", "add"},
    {0, "keyCertSign", NULL, "keyCertSign is for a CA", "option ca"},
    {0, "server,keyCertSign", NULL, "keyCertSign is for a CA", NULL},
    {0, "encipherOnly", NULL, "without keyAgreement", "add keyAgreement"},
    {0, "keyAgreement,encipherOnly,decipherOnly", NULL, "exclude each other",
     NULL},
    {0, "keyEncipherment", NULL, "an EC key cannot be used for encipherment",
     "RSA"},
    {0, "+keyEncipherment", "ed25519", "ED25519 key cannot be used for enci",
     NULL},
    {0, "keyAgreement", RSA, "RSA key cannot be used for key agreement", "EC"},
    {0, "dataEncipherment", "rsa-pss:2048", "RSA-PSS key cannot be used", NULL},
    {0, "client,-digitalSignature", NULL, "no key usage is left", "leave"},
    {0, "client,nonRepudiation,-digitalSignature", NULL,
     "nothing to do for clientAuth", "digitalSignature"},
    {0, "timeStamping,server", NULL, "stands alone", "each"},
    {0, "timeStamping,keyAgreement", NULL, "signs, and nothing else", NULL},
};

static void what_rfc_5280_forbids_is_refused_with_a_fix(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = bad[i].ca ? 0 : 1,
                                 .subject = "CN=x", .ca = bad[i].ca,
                                 .purpose = bad[i].purpose, .key = bad[i].key),
                TLSOCK_E_ARGUMENT, bad[i].fault, bad[i].fix);
}

static void only_servers_need_host_names(void **state)
{
    static const char *const free_of_hosts[] = {
        "client", "email", "codeSigning", "timeStamping", "OCSPSigning",
        "digitalSignature"};
    const char *eku[] = {"extendedKeyUsage=serverAuth"};

    (void)state;
    for (size_t i = 0; i < COUNT(free_of_hosts); i++)
        tlsock_cert_unref(
            help_make(TLSOCK_CERT_OPTS(.subject = "CN=me",
                                       .purpose = free_of_hosts[i])));
    refused(TLSOCK_CERT_OPTS(.subject = "CN=me", .purpose = "server"),
            TLSOCK_E_NO_NAME, "subjectAltName", "purpose client");
    refused(TLSOCK_CERT_OPTS(.subject = "CN=me", .purpose = "+client"),
            TLSOCK_E_NO_NAME, "subjectAltName", NULL);
    refused(TLSOCK_CERT_OPTS(.subject = "CN=me", .purpose = "client",
                             .ext = eku, .n_ext = 1),
            TLSOCK_E_NO_NAME, "subjectAltName", NULL);
}

static void time_stamping_is_critical(void **state)
{
    tlsock_cert *c = help_make(
        TLSOCK_CERT_OPTS(.subject = "CN=tsa", .purpose = "timeStamping"));
    const char *soft[] = {"extendedKeyUsage=timeStamping"};

    (void)state;
    assert_int_equal(ext_critical(c, NID_ext_key_usage), 1);
    tlsock_cert_unref(c);
    refused(TLSOCK_CERT_OPTS(.subject = "CN=tsa", .purpose = "client",
                             .ext = soft, .n_ext = 1),
            TLSOCK_E_ARGUMENT, "must be critical", "critical,timeStamping");
}

static void a_limited_ca_signs_only_what_it_may(void **state)
{
    const char *san[] = {"a.test"};
    const char *odd[] = {"extendedKeyUsage=1.2.3.4.5"};
    tlsock_cert *ca = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=TLS only", .ca = 1, .purpose = "sslCA", .pathlen = 1,
        .issuer = help_root()));
    tlsock_cert *sub = help_make(
        TLSOCK_CERT_OPTS(.subject = "CN=Sub", .ca = 1, .issuer = ca));
    tlsock_cert *c = help_make(
        TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = sub));

    (void)state;
    assert_int_equal(help_verdict(c, help_root()), X509_V_OK);
    tlsock_cert_unref(c);
    c = help_make(TLSOCK_CERT_OPTS(.subject = "CN=r", .issuer = ca,
                                   .purpose = "OCSPSigning"));
    tlsock_cert_unref(c);
    refused(TLSOCK_CERT_OPTS(.subject = "CN=x", .issuer = ca,
                             .purpose = "codeSigning"),
            TLSOCK_E_PURPOSE, "\"TLS only\" may not sign for codeSigning",
            "another purpose");
    refused(TLSOCK_CERT_OPTS(.subject = "CN=x", .issuer = sub,
                             .purpose = "email"),
            TLSOCK_E_PURPOSE, "\"TLS only\" may not sign for emailProtection",
            NULL);
    refused(TLSOCK_CERT_OPTS(.subject = "CN=x", .issuer = ca, .ext = odd,
                             .n_ext = 1, .purpose = "client"),
            TLSOCK_E_PURPOSE, "may not sign for 1.2.3.4.5", NULL);
    tlsock_cert_unref(sub);
    tlsock_cert_unref(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_has_its_usages),
        cmocka_unit_test(what_rfc_5280_forbids_is_refused_with_a_fix),
        cmocka_unit_test(only_servers_need_host_names),
        cmocka_unit_test(time_stamping_is_critical),
        cmocka_unit_test(a_limited_ca_signs_only_what_it_may),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
