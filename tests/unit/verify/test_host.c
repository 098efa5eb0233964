#include "pki.h"

#include "verify/host.h"

#include <openssl/err.h>

#define L62 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg"
#define L63 L62 "h"

static const struct {
    const char *claim, *host, *cn, *dns, *ip;
    int want;
    const char *hint; /* told when refused */
} cases[] = {
    {"exact", "a.test", NULL, "a.test", NULL, 0, NULL},
    {"case does not matter", "A.tEst", NULL, "a.TEST", NULL, 0, NULL},
    {"one trailing dot is cut", "a.test.", NULL, "a.test", NULL, 0, NULL},
    {"IDN is compared as A-labels", "l\xc3\xb6we.test", NULL,
     "xn--lwe-sna.test", NULL, 0, NULL},
    {"second name", "b.test", NULL, "a.test,b.test", NULL, 0, NULL},
    {"underscore", "a_b.test", NULL, "a_b.test", NULL, 0, NULL},
    {"other name", "c.test", NULL, "a.test,b.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "--name"},
    {"no names", "a.test", NULL, NULL, NULL, TLSOCK_E_NAME_MISMATCH,
     "subjectAltName"},
    {"CN is never used", "a.test", "a.test", NULL, NULL, TLSOCK_E_NAME_MISMATCH,
     "common name"},
    {"CN is never used beside a SAN", "a.test", "a.test", "b.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "common name"},
    {"CN of an address neither", "192.0.2.1", "192.0.2.1", NULL, NULL,
     TLSOCK_E_NAME_MISMATCH, "common name"},
    {"wildcard", "x.a.test", NULL, "*.a.test", NULL, 0, NULL},
    {"wildcard of any case", "X.A.test", NULL, "*.a.TEST", NULL, 0, NULL},
    {"wildcard is one label", "x.y.a.test", NULL, "*.a.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "one label only"},
    {"wildcard is not the domain", "a.test", NULL, "*.a.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "bare domain"},
    {"wildcard inside a label", "www.a.test", NULL, "w*.a.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "whole first label"},
    {"wildcard in the middle", "x.y.test", NULL, "x.*.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "whole first label"},
    {"two wildcards", "x.y.a.test", NULL, "*.*.a.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "whole first label"},
    {"wildcard under a top level", "a.test", NULL, "*.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "public suffix"},
    {"wildcard under a public suffix", "a.co.uk", NULL, "*.co.uk", NULL,
     TLSOCK_E_NAME_MISMATCH, "public suffix"},
    {"another entry still counts", "a.co.uk", NULL, "*.co.uk,a.co.uk", NULL, 0,
     NULL},
    {"wildcard below that is good", "x.a.co.uk", NULL, "*.a.co.uk", NULL, 0,
     NULL},
    {"suffixes of companies are no registry", "x.appspot.com", NULL,
     "*.appspot.com", NULL, 0, NULL},
    {"wildcard alone", "a", NULL, "*", NULL, TLSOCK_E_NAME_MISMATCH, NULL},
    {"asked for a wildcard", "*.a.test", NULL, "*.a.test", NULL,
     TLSOCK_E_ARGUMENT, NULL},
    {"NUL in the certificate", "a.test", NULL, "a.test\\x00.evil.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "NUL"},
    {"NUL at the end", "a.test", NULL, "a.test\\x00", NULL,
     TLSOCK_E_NAME_MISMATCH, "NUL"},
    {"dot at the certificate's end", "a.test", NULL, "a.test.", NULL,
     TLSOCK_E_NAME_MISMATCH, "ends in a dot"},
    {"empty label there", "a..test", NULL, "a..test", NULL, TLSOCK_E_ARGUMENT,
     NULL},
    {"leading dot asked", ".a.test", NULL, "*.a.test,x.a.test", NULL,
     TLSOCK_E_ARGUMENT, NULL},
    {"colon", "a:b", NULL, "a:b", NULL, TLSOCK_E_ARGUMENT, NULL},
    {"leading dot in the certificate", "a.test", NULL, ".a.test", NULL,
     TLSOCK_E_NAME_MISMATCH, NULL},
    {"label of 63 bytes", L63 ".test", NULL, L63 ".test", NULL, 0, NULL},
    {"label of 64 bytes in the certificate", L63 ".test", NULL,
     "x" L63 ".test,a.test", NULL, TLSOCK_E_NAME_MISMATCH, NULL},
    {"name of 254 bytes in the certificate", "a.test", NULL,
     L63 "." L63 "." L63 "." L62, NULL, TLSOCK_E_NAME_MISMATCH, NULL},
    {"name of 256 bytes in the certificate", "a.test", NULL,
     L63 "." L63 "." L63 "." L63 ".", NULL, TLSOCK_E_NAME_MISMATCH, NULL},
    {"blank in the certificate", "a.test", NULL, " a.test", NULL,
     TLSOCK_E_NAME_MISMATCH, NULL},
    {"IPv4", "192.0.2.1", NULL, NULL, "192.0.2.1", 0, NULL},
    {"IPv6 in another spelling", "2001:DB8:0::1", NULL, NULL, "2001:db8::1", 0,
     NULL},
    {"other IPv4", "192.0.2.2", NULL, NULL, "192.0.2.1", TLSOCK_E_NAME_MISMATCH,
     NULL},
    {"IPv4 is not mapped", "192.0.2.1", NULL, NULL, "::ffff:192.0.2.1",
     TLSOCK_E_NAME_MISMATCH, NULL},
    {"address as DNS name", "192.0.2.1", NULL, "192.0.2.1", NULL,
     TLSOCK_E_NAME_MISMATCH, "written as a DNS name"},
    {"wildcard on an address", "192.0.2.1", NULL, "*.0.2.1", NULL,
     TLSOCK_E_NAME_MISMATCH, "DNS names only"},
    {"address, but only DNS names", "192.0.2.1", NULL, "a.test", NULL,
     TLSOCK_E_NAME_MISMATCH, "DNS names only"},
    {"host name, but only addresses", "a.test", NULL, NULL, "192.0.2.1",
     TLSOCK_E_NAME_MISMATCH, "addresses only"},
    {"empty name", "", NULL, "a.test", NULL, TLSOCK_E_NO_NAME, NULL},
};

static void names_are_judged_by_rfc_9525(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        X509 *crt = pki_names(cases[i].cn, cases[i].dns, cases[i].ip, NULL);
        tlsock_error err = {0};
        int rc = tsk_host_match(crt, cases[i].host, NULL, 1, &err);

        if (rc != cases[i].want || err.code != cases[i].want)
            fail_msg("%s: got %d \"%s\"", cases[i].claim, rc, err.message);
        assert_int_equal(tsk_host_match(crt, cases[i].host, NULL, 1, NULL), rc);
        if (cases[i].hint != NULL)
            assert_tells(err.hint, cases[i].hint);
        if (rc < 0)
            assert_true(err.message[0] != '\0' && err.hint[0] != '\0');
        X509_free(crt);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void mismatch_tells_both_sides(void **state)
{
    X509 *crt = pki_names("Subject", "b.test,c.test", "192.0.2.1", NULL);
    tlsock_error err = {0};

    (void)state;
    assert_code(tsk_host_match(crt, "a.test", NULL, 1, &err),
                TLSOCK_E_NAME_MISMATCH);
    assert_tells(err.message, "you asked for \"a.test\"");
    assert_tells(err.message, "b.test, c.test");
    assert_string_equal(err.expected, "a.test");
    assert_tells(err.presented, "b.test, c.test");
    assert_int_equal(err.x509_code, X509_V_ERR_HOSTNAME_MISMATCH);
    assert_code(tsk_host_match(crt, "192.0.2.9", NULL, 1, &err),
                TLSOCK_E_NAME_MISMATCH);
    assert_int_equal(err.x509_code, X509_V_ERR_IP_ADDRESS_MISMATCH);
    X509_free(crt);
}

static void names_of_attackers_are_shown_escaped(void **state)
{
    X509 *crt = pki_names("x", "\x1b[31m.test", NULL, NULL);
    tlsock_error err = {0};

    (void)state;
    assert_code(tsk_host_match(crt, "a.test", NULL, 1, &err),
                TLSOCK_E_NAME_MISMATCH);
    assert_null(strchr(err.message, 0x1b));
    assert_null(strchr(err.presented, 0x1b));
    assert_null(strchr(err.hint, 0x1b));
    X509_free(crt);
}

static void psl_rule_can_be_off(void **state)
{
    X509 *crt = pki_names("x", "*.co.uk,*.uk", NULL, NULL);

    (void)state;
    assert_code(tsk_host_match(crt, "a.co.uk", NULL, 1, NULL),
                TLSOCK_E_NAME_MISMATCH);
    assert_code(tsk_host_match(crt, "a.co.uk", NULL, 0, NULL), 0);
    assert_code(tsk_host_match(crt, "a.uk", NULL, 0, NULL),
                TLSOCK_E_NAME_MISMATCH);
    X509_free(crt);
}

static void mail_names_are_rfc822_names(void **state)
{
    X509 *crt = pki_names("me@a.test", "a.test", NULL, "you@a.test");
    tlsock_error err = {0};

    (void)state;
    assert_code(tsk_host_match(crt, "mail:you@A.test", NULL, 1, &err), 0);
    assert_code(tsk_host_match(crt, "mail:me@a.test", NULL, 1, &err),
                TLSOCK_E_NAME_MISMATCH);
    assert_int_equal(err.x509_code, X509_V_ERR_EMAIL_MISMATCH);
    assert_code(tsk_host_match(crt, "mail:YOU@a.test", NULL, 1, &err),
                TLSOCK_E_NAME_MISMATCH);
    assert_code(tsk_host_match(crt, "mail:a.test", NULL, 1, &err),
                TLSOCK_E_ARGUMENT);
    X509_free(crt);
}

static void unknown_scheme_names_the_known_ones(void **state)
{
    X509 *crt = pki_names("x", "a.test", NULL, NULL);
    tlsock_error err = {0};

    (void)state;
    assert_int_equal(tsk_scheme_known(NULL), 1);
    assert_int_equal(tsk_scheme_known("HTTPS"), 1);
    assert_int_equal(tsk_scheme_known("gopher"), 0);
    assert_code(tsk_host_match(crt, "a.test", "smtp", 1, &err), 0);
    assert_code(tsk_host_match(crt, "a.test", "gopher", 1, &err),
                TLSOCK_E_ARGUMENT);
    assert_tells(err.hint, "rfc9525");
    assert_tells(err.hint, "ldap");
    X509_free(crt);
}

static void damaged_and_doubled_san_are_refused(void **state)
{
    X509 *crt = pki_names("x", NULL, NULL, NULL);
    ASN1_OCTET_STRING *junk = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;
    tlsock_error err = {0};

    (void)state;
    ASN1_OCTET_STRING_set(junk, (const unsigned char *)"\x30\x7f", 2);
    ext = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, junk);
    X509_add_ext(crt, ext, -1);
    assert_code(tsk_host_match(crt, "a.test", NULL, 1, &err),
                TLSOCK_E_CERT_INVALID);
    assert_tells(err.message, "damaged");
    X509_add_ext(crt, ext, -1);
    assert_code(tsk_host_match(crt, "a.test", NULL, 1, &err),
                TLSOCK_E_CERT_INVALID);
    assert_tells(err.message, "twice");
    assert_int_equal(ERR_peek_error(), 0);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(junk);
    X509_free(crt);
}

static const struct {
    const char *host;
    int extra;
    const char *want; /* NULL: an error */
} suffixes[] = {
    {"www.example.com", 0, "com"},
    {"www.example.com", 1, "example.com"},
    {"www.example.com", 2, "www.example.com"},
    {"www.example.com", 3, ""},
    {"WwW.Example.COM", 1, "example.com"},
    {"www.example.com.", 1, "example.com."},
    {"com", 0, "com"},
    {"com", 1, ""},
    {"a.b.example.co.uk", 1, "example.co.uk"},
    {"b.example.uk.com", 1, "example.uk.com"},
    {"www.ck", 1, "www.ck"},
    {"www.test.ck", 0, "test.ck"},
    {"city.kobe.jp", 1, "city.kobe.jp"},
    {"a.b.example.example", 1, "example.example"},
    {"\xe9\xa3\x9f\xe7\x8b\xae.\xe5\x85\xac\xe5\x8f\xb8.cn", 1,
     "\xe9\xa3\x9f\xe7\x8b\xae.\xe5\x85\xac\xe5\x8f\xb8.cn"},
    {"www.xn--85x722f.xn--55qx5d.cn", 1, "xn--85x722f.xn--55qx5d.cn"},
    {"192.0.2.1", 0, ""},
    {"2001:db8::1", 1, ""},
    {".com", 0, NULL},
    {"", 0, NULL},
    {"a b", 0, NULL},
    {"a.com", -1, NULL},
};

static void public_suffixes_as_the_list_says(void **state)
{
    char out[128], small[4];

    (void)state;
    assert_int_equal(tsk_psl_built_in(), 1);
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        int rc = tlsock_public_suffix(suffixes[i].host, suffixes[i].extra, out,
                                      sizeof(out));

        if (suffixes[i].want == NULL) {
            assert_code(rc, TLSOCK_E_ARGUMENT);
            continue;
        }
        assert_string_equal(out, suffixes[i].want);
        assert_int_equal(rc, strlen(suffixes[i].want));
    }
    assert_int_equal(tlsock_public_suffix("a.com", 1, small, sizeof(small)), 5);
    assert_string_equal(small, "a.c");
    assert_int_equal(tlsock_public_suffix("a.com", 1, NULL, 0), 5);
    assert_code(tlsock_public_suffix(NULL, 1, NULL, 0), TLSOCK_E_ARGUMENT);
    assert_int_equal(tsk_psl_is_suffix("co.uk"), 1);
    assert_int_equal(tsk_psl_is_suffix("uk.com"), 0);
    assert_int_equal(tsk_psl_is_suffix("corp.internal"), 0);
}

static int teardown(void **state)
{
    (void)state;
    pki_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_judged_by_rfc_9525),
        cmocka_unit_test(mismatch_tells_both_sides),
        cmocka_unit_test(names_of_attackers_are_shown_escaped),
        cmocka_unit_test(psl_rule_can_be_off),
        cmocka_unit_test(mail_names_are_rfc822_names),
        cmocka_unit_test(unknown_scheme_names_the_known_ones),
        cmocka_unit_test(damaged_and_doubled_san_are_refused),
        cmocka_unit_test(public_suffixes_as_the_list_says),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
