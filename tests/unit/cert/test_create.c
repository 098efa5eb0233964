#include "cert_help.h"
#include "make_help.h"

#include "core/clock.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <time.h>

/* --- names --- */

static const struct {
    const char *typed, *sans; /* NULL: refused */
    const char *fault;
} names[] = {
    {"a.test", "DNS:a.test", NULL},
    {"A.Test.", "DNS:a.test", NULL},
    {"DNS:a.test", "DNS:a.test", NULL},
    {"dns:a.test", "DNS:a.test", NULL},
    {"localhost", "DNS:localhost", NULL},
    {"bücher.example", "DNS:xn--bcher-kva.example", NULL},
    {"*.a.test", "DNS:*.a.test", NULL},
    {"*.bücher.example", "DNS:*.xn--bcher-kva.example", NULL},
    {"192.0.2.1", "IP:192.0.2.1", NULL},
    {"IP:192.0.2.1", "IP:192.0.2.1", NULL},
    {"::1", "IP:::1", NULL},
    {"[2001:db8::1]", "IP:2001:db8::1", NULL},
    {"IP:2001:DB8:0::1", "IP:2001:db8::1", NULL},
    {"https://a.test/x", "URI:https://a.test/x", NULL},
    {"URI:urn:a:b", "URI:urn:a:b", NULL},
    {"URI:https://a.test/,x", "URI:https://a.test/\\x2cx", NULL},
    {"", NULL, "is empty"},
    {"DNS:", NULL, "is empty"},
    {".a.test", NULL, "begins with a dot"},
    {"a..test", NULL, "empty label"},
    {"a b.test", NULL, "no host name has"},
    {"*", NULL, "\"*\""},
    {"*.test", NULL, "top-level"},
    {"a*.a.test", NULL, "leftmost"},
    {"*.*.a.test", NULL, "leftmost"},
    {"b.*.test", NULL, "leftmost"},
    {"DNS:192.0.2.1", NULL, "IP:"},
    {"*.192.0.2.1", NULL, NULL},
    {"IP:a.test", NULL, "no IP address"},
    {"IP:192.0.2.256", NULL, "no IP address"},
    {"192.0.2.256", NULL, "ends in a number"},
    {"URI:/x", NULL, "no absolute URI"},
    {"URI:https://a.test/\n", NULL, "no absolute URI"},
    {"EMAIL:me", NULL, "no mail address"},
    {"EMAIL:a b@c.test", NULL, "no mail address"},
    {"a@b@c.test", NULL, "no mail address"},
};

static void names_are_told_apart_and_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        tlsock_error err = {0};
        tlsock_cert *c = tlsock_cert_create(
            TLSOCK_CERT_OPTS(.sans = &names[i].typed, .n_sans = 1), &err);

        if ((c != NULL) != (names[i].sans != NULL))
            fail_msg("\"%s\": %s", names[i].typed,
                     c != NULL ? "made" : err.message);
        if (c != NULL)
            assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS),
                                names[i].sans);
        else if (names[i].fault != NULL)
            assert_tells(err.message, names[i].fault);
        assert_true(c != NULL || err.hint[0] != '\0');
        tlsock_cert_unref(c);
    }
}

static void mail_addresses_are_for_clients(void **state)
{
    const char *mail[] = {"Me@BÜCHER.example", "EMAIL:you@b.test"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(.sans = mail, .n_sans = 2,
                                                .purpose = "client"));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS),
                        "EMAIL:Me@xn--bcher-kva.example, EMAIL:you@b.test");
    tlsock_cert_unref(c);
    refused(TLSOCK_CERT_OPTS(.sans = mail, .n_sans = 2), TLSOCK_E_NO_NAME,
            "DNS name or an address", "CN is not used");
}

static void the_same_name_twice_is_there_once(void **state)
{
    const char *twice[] = {"a.test", "A.TEST", "127.0.0.1", "IP:127.0.0.1"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(.sans = twice, .n_sans = 4));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS),
                        "DNS:a.test, IP:127.0.0.1");
    tlsock_cert_unref(c);
}

static void subject_is_the_first_name_if_it_fits(void **state)
{
    const char *fits[] = {"a.test", "b.test"};
    const char *longer[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
                            "bbbbbbbbbbbbbbbbbbbbbbbbbbbbb.test"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(.sans = fits, .n_sans = 2));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SUBJECT), "CN=a.test");
    assert_int_equal(ext_critical(c, NID_subject_alt_name), 0);
    tlsock_cert_unref(c);
    c = help_make(TLSOCK_CERT_OPTS(.sans = longer, .n_sans = 1,
                                   .issuer = help_inter()));
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SUBJECT), "");
    assert_int_equal(ext_critical(c, NID_subject_alt_name), 1);
    assert_int_equal(help_verdict(c, help_root()), X509_V_OK);
    tlsock_cert_unref(c);
}

static void without_a_name_there_is_no_certificate(void **state)
{
    (void)state;
    refused(TLSOCK_CERT_OPTS(.subject = "CN=a.test"), TLSOCK_E_NO_NAME,
            "subjectAltName", "DNS:www.example.com");
    refused(TLSOCK_CERT_OPTS(.purpose = "client"), TLSOCK_E_NO_NAME,
            "a certificate needs a name", "CN=");
    refused(TLSOCK_CERT_OPTS(.ca = 1), TLSOCK_E_NO_NAME, "a CA needs a name",
            "CN=");
    refused(NULL, TLSOCK_E_ARGUMENT, "no options", "TLSOCK_CERT_OPTS");
}

/* --- digests --- */

static const struct {
    const char *digest, *signature;
} digests[] = {{"sha256", "ecdsa-with-SHA256"}, {"SHA384", "ecdsa-with-SHA384"},
               {"sha512", "ecdsa-with-SHA512"}, {"sha1", NULL},
               {"md5", NULL},                   {"", NULL}};

static void digests_are_the_three_of_sha2(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(digests); i++) {
        const tlsock_cert_opts o = {.size = sizeof(o), .sans = san, .n_sans = 1,
                                    .digest = digests[i].digest};
        tlsock_cert *c = NULL;

        if (digests[i].signature == NULL) {
            refused(&o, TLSOCK_E_ARGUMENT, "digest", "sha256, sha384, sha512");
            continue;
        }
        c = help_make(&o);
        assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SIGNATURE),
                            digests[i].signature);
        tlsock_cert_unref(c);
    }
}

/* --- the chain --- */

static void what_is_made_passes_strict_verification(void **state)
{
    (void)state;
    assert_int_equal(help_verdict(help_leaf(), help_root()), X509_V_OK);
    assert_int_equal(help_verdict(help_inter(), help_root()), X509_V_OK);
    assert_int_equal(help_verdict(help_root(), help_root()), X509_V_OK);
    assert_int_equal(help_verdict(help_alone(), help_alone()), X509_V_OK);
    assert_true(help_verdict(help_leaf(), help_alone()) != X509_V_OK);
    assert_int_equal(tlsock_cert_chain_len(help_leaf()), 1);
    assert_int_equal(tlsock_cert_chain_len(help_inter()), 0);
}

static void ca_extensions_are_those_of_rfc_5280(void **state)
{
    const tlsock_cert *ca = help_inter(), *leaf = help_leaf();

    (void)state;
    assert_string_equal(tlsock_cert_field(ca, TLSOCK_CERT_USAGE),
                        "keyCertSign, cRLSign, CA");
    assert_int_equal(X509_get_pathlen(ca->leaf), 0);
    assert_int_equal(X509_get_pathlen(help_root()->leaf), -1);
    assert_int_equal(ext_critical(ca, NID_basic_constraints), 1);
    assert_int_equal(ext_critical(ca, NID_key_usage), 1);
    assert_int_equal(ext_critical(leaf, NID_basic_constraints), 1);
    assert_int_equal(ext_critical(leaf, NID_key_usage), 1);
    assert_int_equal(ext_critical(leaf, NID_ext_key_usage), 0);
    assert_int_equal(ext_critical(leaf, NID_subject_key_identifier), 0);
    assert_int_equal(ext_critical(leaf, NID_authority_key_identifier), 0);
    assert_int_equal(X509_get_version(leaf->leaf), X509_VERSION_3);
}

static void an_issuer_that_may_not_sign_is_refused(void **state)
{
    const char *san[] = {"a.test"};
    int64_t now = time(NULL);
    tlsock_cert *bare = tsk_cert_new(help_inter()->leaf, NULL, NULL, NULL);
    tlsock_cert *wrong = tsk_cert_new(help_inter()->leaf, NULL,
                                      help_root()->key, NULL);
    tlsock_cert *old = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=Old CA", .ca = 1, .not_before = now - 9 * DAY,
        .not_after = now - DAY));
    tlsock_cert *soon = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=Soon CA", .ca = 1, .not_before = now + DAY));

    (void)state;
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = help_leaf()),
            TLSOCK_E_PURPOSE, "\"a.test\" is no CA", "ca init");
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = bare),
            TLSOCK_E_ARGUMENT, "without its private key", NULL);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = wrong),
            TLSOCK_E_KEY_MISMATCH, "does not belong", NULL);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = old),
            TLSOCK_E_EXPIRED, "\"Old CA\" expired on", "renew");
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = soon),
            TLSOCK_E_NOT_YET_VALID, "\"Soon CA\" is not valid before", NULL);
    tlsock_cert_unref(bare);
    tlsock_cert_unref(wrong);
    tlsock_cert_unref(old);
    tlsock_cert_unref(soon);
}

static void path_length_is_kept_all_the_way_up(void **state)
{
    const char *san[] = {"a.test"};
    tlsock_cert *one = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=One", .ca = 1, .pathlen = 1, .issuer = help_root()));
    tlsock_cert *two = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=Two", .ca = 1, .pathlen = -1, .issuer = one));
    tlsock_cert *leaf = help_make(
        TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = two));

    (void)state;
    assert_int_equal(help_verdict(leaf, help_root()), X509_V_OK);
    assert_int_equal(tlsock_cert_chain_len(leaf), 2);
    refused(TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1, .issuer = help_inter()),
            TLSOCK_E_PURPOSE, "\"Help Inter\" allows 0 CAs", "pathlen 1");
    refused(TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1, .issuer = two),
            TLSOCK_E_PURPOSE, "\"One\" allows 1 CAs", "pathlen 2");
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .pathlen = 1),
            TLSOCK_E_ARGUMENT, "for a CA alone", NULL);
    refused(TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1, .pathlen = -2),
            TLSOCK_E_ARGUMENT, "path length", "-1");
    tlsock_cert_unref(one);
    tlsock_cert_unref(two);
    tlsock_cert_unref(leaf);
}

static const struct {
    const char *name;
    int may;
} permitted[] = {
    {"a.test", 1},    {"test", 1},         {"b.a.test", 1}, {"10.1.2.3", 1},
    {"fd00::1", 1},   {"*.w.test", 1},     {"atest", 0},    {"a.example", 0},
    {"11.0.0.1", 0},  {"2001:db8::1", 0},  {"a.test.com", 0},
};

static void a_constrained_ca_signs_only_what_it_may(void **state)
{
    tlsock_cert *ca = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=Local", .ca = 1,
        .permitted = ".test, 10.0.0.0/8,fd00::/8"));

    (void)state;
    assert_int_equal(ext_critical(ca, NID_name_constraints), 1);
    assert_int_equal(help_verdict(ca, ca), X509_V_OK);
    for (size_t i = 0; i < COUNT(permitted); i++) {
        const tlsock_cert_opts o = {.size = sizeof(o), .issuer = ca,
                                    .sans = &permitted[i].name, .n_sans = 1};
        tlsock_cert *c;

        if (!permitted[i].may) {
            refused(&o, TLSOCK_E_PURPOSE, permitted[i].name, "may sign");
            refused(&o, TLSOCK_E_PURPOSE, ".test, 10.0.0.0/8, fd00::/8", NULL);
            continue;
        }
        c = help_make(&o);
        if (help_verdict(c, ca) != X509_V_OK)
            fail_msg("%s", permitted[i].name);
        tlsock_cert_unref(c);
    }
    tlsock_cert_unref(ca);
}

/* Each is well-formed by itself; it is the whole that verifiers cannot take. */
static void a_constrained_ca_signs_nothing_inconsistent(void **state)
{
    static const char *const exts[] = {
        "proxyCertInfo=critical,language:1.3.6.1.5.5.7.21.1",
        "crlDistributionPoints=DER:30053003810106"};
    const char *name[] = {"a.test"};
    tlsock_cert *ca = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=Local", .ca = 1, .permitted = ".test"));

    (void)state;
    for (size_t i = 0; i < COUNT(exts); i++)
        refused(TLSOCK_CERT_OPTS(.sans = name, .n_sans = 1, .issuer = ca,
                                 .ext = &exts[i], .n_ext = 1),
                TLSOCK_E_ARGUMENT, "not consistent", "written out by hand");
    tlsock_cert_unref(ca);
}

static void a_kind_of_name_that_is_not_permitted_is_excluded(void **state)
{
    const char *ip[] = {"10.0.0.1"}, *six[] = {"::1"}, *dns[] = {"a.test"};
    tlsock_cert *domains = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=D", .ca = 1, .permitted = ".test"));
    tlsock_cert *nets = help_make(TLSOCK_CERT_OPTS(
        .subject = "CN=N", .ca = 1, .permitted = "10.0.0.1"));
    tlsock_cert *c = help_make(
        TLSOCK_CERT_OPTS(.sans = ip, .n_sans = 1, .issuer = nets));

    (void)state;
    assert_int_equal(help_verdict(c, nets), X509_V_OK);
    tlsock_cert_unref(c);
    refused(TLSOCK_CERT_OPTS(.sans = ip, .n_sans = 1, .issuer = domains),
            TLSOCK_E_PURPOSE, "10.0.0.1", NULL);
    refused(TLSOCK_CERT_OPTS(.sans = six, .n_sans = 1, .issuer = domains),
            TLSOCK_E_PURPOSE, "::1", NULL);
    refused(TLSOCK_CERT_OPTS(.sans = dns, .n_sans = 1, .issuer = nets),
            TLSOCK_E_PURPOSE, "a.test", NULL);
    tlsock_cert_unref(domains);
    tlsock_cert_unref(nets);
}

static const char *const bad_permitted[] = {
    "",           ".test,,.x",     "10.0.0.1/8",   "10.0.0.0/33",
    "10.0.0.0/x", "fd00::/129",    "a b",          "..test",
    "test/8",     "10.0.0.0/-1",   "*.test"};

static void bad_constraints_are_refused(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad_permitted); i++) {
        tlsock_error err = {0};

        if (tlsock_cert_create(
                TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1,
                                 .permitted = bad_permitted[i]), &err) != NULL)
            fail_msg("made: \"%s\"", bad_permitted[i]);
        assert_code(err.code, TLSOCK_E_ARGUMENT);
        assert_true(err.hint[0] != '\0');
    }
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .permitted = ".test"),
            TLSOCK_E_ARGUMENT, "for a CA alone", NULL);
}

/* --- time --- */

static int64_t fixed_now(void)
{
    return 1900000000; /* 2030 */
}

static int64_t lifetime(const tlsock_cert *c)
{
    return tsk_cert_time(X509_get0_notAfter(c->leaf)) -
           tsk_cert_time(X509_get0_notBefore(c->leaf));
}

static void lifetimes_default_to_90_days_and_10_years(void **state)
{
    const char *san[] = {"a.test"};
    tlsock_cert *c;

    (void)state;
    tsk_clock_wall = fixed_now;
    c = help_make(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1));
    assert_true(lifetime(c) == 90 * DAY);
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_NOT_BEFORE),
                        "2030-03-17T17:46:40Z");
    tlsock_cert_unref(c);
    c = help_make(TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1));
    assert_true(lifetime(c) == 3650 * (int64_t)DAY);
    tlsock_cert_unref(c);
    c = help_make(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .days = 7305));
    assert_true(lifetime(c) == 7305 * (int64_t)DAY); /* past 2050 */
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_NOT_AFTER),
                        "2050-03-17T17:46:40Z");
    assert_int_equal(help_verdict(c, c), X509_V_ERR_CERT_NOT_YET_VALID);
    tlsock_cert_unref(c);
    tsk_clock_wall = NULL;
}

static const struct {
    int64_t from, to; /* from 1900000000, unless 0 */
    int days, good;
} times[] = {
    {0, 1900000001, 0, 1},          {0, 1900000000, 0, 0},
    {0, 365, 0, 0}, /* days by mistake: the year 1970 */
    {1800000000, 1850000000, 0, 1}, /* the past, but both were named */
    {1850000000, 1800000000, 0, 0}, {1950000000, 0, 30, 1},
    {1950000000, 1950000000, 0, 0}, {0, 0, -1, 0},
    {-1, 0, 0, 0},                  {0, -1, 0, 0},
    {0, 253402300799, 0, 1},        {0, 253402300800, 0, 0},
    {0, 0, 2147483647, 0},          {INT64_MAX, 0, 0, 0},
};

static void impossible_lifetimes_are_refused(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    tsk_clock_wall = fixed_now;
    for (size_t i = 0; i < COUNT(times); i++) {
        const tlsock_cert_opts o = {
            .size = sizeof(o),         .sans = san,
            .n_sans = 1,               .not_before = times[i].from,
            .not_after = times[i].to,  .days = times[i].days};
        tlsock_error err = {0};
        tlsock_cert *c = tlsock_cert_create(&o, &err);

        if ((c != NULL) != times[i].good)
            fail_msg("row %zu: %s", i, c != NULL ? "made" : err.message);
        if (c == NULL)
            assert_code(err.code, TLSOCK_E_ARGUMENT);
        tlsock_cert_unref(c);
    }
    tsk_clock_wall = NULL;
}

static void no_certificate_outlives_its_issuer(void **state)
{
    const char *san[] = {"a.test"};
    tlsock_cert *ca = help_make(TLSOCK_CERT_OPTS(.subject = "CN=Brief CA",
                                                 .ca = 1, .days = 10));
    tlsock_cert *c = help_make(
        TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = ca));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_NOT_AFTER),
                        tlsock_cert_field(ca, TLSOCK_CERT_NOT_AFTER));
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = ca, .days = 11),
            TLSOCK_E_ARGUMENT, "outlive its issuer \"Brief CA\"", "renew");
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .issuer = ca,
                             .not_after = time(NULL) + 11 * DAY),
            TLSOCK_E_ARGUMENT,
            tlsock_cert_field(ca, TLSOCK_CERT_NOT_AFTER), NULL);
    tlsock_cert_unref(ca);
    tlsock_cert_unref(c);
}

/* --- serial, URLs --- */

static const struct {
    const char *hex, *shown; /* NULL: refused */
} serials[] = {
    {"1", "01"},
    {"0aBc", "0abc"},
    {"7fffffffffffffffffffffffffffffffffffffff",
     "7fffffffffffffffffffffffffffffffffffffff"},
    {"ffffffffffffffffffffffffffffffffffffffff", NULL},
    {"007fffffffffffffffffffffffffffffffffffffff", NULL},
    {"0", NULL},
    {"00", NULL},
    {"", NULL},
    {"-1", NULL},
    {"0x1", NULL},
    {"1g", NULL},
};

static void serials_are_positive_and_fit(void **state)
{
    const char *san[] = {"a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(serials); i++) {
        const tlsock_cert_opts o = {.size = sizeof(o), .sans = san, .n_sans = 1,
                                    .serial = serials[i].hex};
        tlsock_cert *c;

        if (serials[i].shown == NULL) {
            refused(&o, TLSOCK_E_ARGUMENT, "serial", "hex digits");
            continue;
        }
        c = help_make(&o);
        assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SERIAL),
                            serials[i].shown);
        tlsock_cert_unref(c);
    }
    assert_int_equal(strlen(tlsock_cert_field(help_leaf(), TLSOCK_CERT_SERIAL)),
                     32);
    assert_string_not_equal(tlsock_cert_field(help_leaf(), TLSOCK_CERT_SERIAL),
                            tlsock_cert_field(help_inter(),
                                              TLSOCK_CERT_SERIAL));
}

static void urls_are_where_others_look_for_them(void **state)
{
    const char *san[] = {"a.test"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(
        .sans = san, .n_sans = 1, .issuer = help_inter(),
        .crl_url = "http://c.test/a,b;c.crl", .ocsp_url = "http://o.test/",
        .aia_url = "http://i.test/ca.der"));

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_CRL_URLS),
                        "http://c.test/a,b;c.crl");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_OCSP_URLS),
                        "http://o.test/");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_AIA_URLS),
                        "http://i.test/ca.der");
    assert_int_equal(help_verdict(c, help_root()), X509_V_OK);
    tlsock_cert_unref(c);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .crl_url = "c.test"),
            TLSOCK_E_ARGUMENT, "of the CRL is not a URL", "http://");
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .ocsp_url = "http://a b"),
            TLSOCK_E_ARGUMENT, "OCSP responder is not a URL", NULL);
    refused(TLSOCK_CERT_OPTS(.sans = san, .n_sans = 1, .aia_url = ""),
            TLSOCK_E_ARGUMENT, "issuer's certificate is not a URL", NULL);
}

static void options_of_other_versions_are_handled(void **state)
{
    struct {
        tlsock_cert_opts o;
        int64_t later;
    } newer = {.o = {.subject = "CN=x", .ca = 1}, .later = 1};
    tlsock_cert_opts o;
    tlsock_cert *c;

    (void)state;
    memset(&o, 0xff, sizeof(o));
    tlsock_cert_opts_init(&o, sizeof(o));
    o.subject = "CN=x";
    o.ca = 1;
    c = help_make(&o);
    tlsock_cert_unref(c);
    newer.o.size = sizeof(newer);
    assert_null(tlsock_cert_create(&newer.o, NULL));
    newer.later = 0;
    c = help_make(&newer.o);
    tlsock_cert_unref(c);
    o.size = 0;
    refused(&o, TLSOCK_E_ARGUMENT, "no options", NULL);
    o.size = sizeof(o);
    o.n_sans = 1;
    refused(&o, TLSOCK_E_ARGUMENT, "a list is NULL", NULL);
    tlsock_cert_opts_init(NULL, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_told_apart_and_checked),
        cmocka_unit_test(mail_addresses_are_for_clients),
        cmocka_unit_test(the_same_name_twice_is_there_once),
        cmocka_unit_test(subject_is_the_first_name_if_it_fits),
        cmocka_unit_test(without_a_name_there_is_no_certificate),
        cmocka_unit_test(digests_are_the_three_of_sha2),
        cmocka_unit_test(what_is_made_passes_strict_verification),
        cmocka_unit_test(ca_extensions_are_those_of_rfc_5280),
        cmocka_unit_test(an_issuer_that_may_not_sign_is_refused),
        cmocka_unit_test(path_length_is_kept_all_the_way_up),
        cmocka_unit_test(a_constrained_ca_signs_only_what_it_may),
        cmocka_unit_test(a_constrained_ca_signs_nothing_inconsistent),
        cmocka_unit_test(a_kind_of_name_that_is_not_permitted_is_excluded),
        cmocka_unit_test(bad_constraints_are_refused),
        cmocka_unit_test(lifetimes_default_to_90_days_and_10_years),
        cmocka_unit_test(impossible_lifetimes_are_refused),
        cmocka_unit_test(no_certificate_outlives_its_issuer),
        cmocka_unit_test(serials_are_positive_and_fit),
        cmocka_unit_test(urls_are_where_others_look_for_them),
        cmocka_unit_test(options_of_other_versions_are_handled),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
