/* Rules for clients: what is taken, and which certificate fits which. */
#include "ca.h"
#include "fault.h"

#include "cert/cert.h"
#include "verify/allow.h"

#include <openssl/x509v3.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *text, *says; /* NULL: it is good */
} forms[] = {
    {"any", NULL},
    {"dns:a.test", NULL},
    {"DNS:A.test.", NULL},
    {"dns:*.a.test, cn:Doe\\, John,ip:10.0.0.1", NULL},
    {"dns:a.test\n\n  dns:b.test\n", NULL},
    {"dns:b\xc3\xbc" "cher.example", NULL},
    {"email:a@b.test", NULL},
    {"uri:spiffe://td/web", NULL},
    {"uri:spiffe://td/*", NULL},
    {"uri:urn:x:*", NULL},
    {"ip:::1", NULL},
    {"sha256:" HEX64, NULL},
    {"sha256:pub:" HEX64, NULL},
    {"sha256//ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8=", NULL},
    {"issuer:Test Root", NULL},
    {"issuer:CN=Test Root\\,O=X", NULL},
    {"", "is empty"},
    {"\n\n", "has no rule"},
    {"dns:a.test,", "is empty"},
    {",dns:a.test", "is empty"},
    {"dns:a.test,,any", "is empty"},
    {"a.test", "no kind"},
    {"dns:a.test,b.test", "no kind"},
    {"Any", "no kind"},
    {"dns:", "names nothing"},
    {"dns:a b", "no host name"},
    {"dns:*", "no host name"},
    {"dns:a.*.test", "no host name"},
    {"dns:*.test", "top-level"},
    {"dns:10.0.0.1", "write ip:"},
    {"cn:A*", "compared whole"},
    {"email:a.test", "no mail address"},
    {"email:@a.test", "no mail address"},
    {"email:*@a.test", "local part"},
    {"email:a@", "no host name"},
    {"ip:a.test", "numeric"},
    {"ip:10.0.0", "numeric"},
    {"uri:web", "scheme"},
    {"uri:spiffe:", "scheme"},
    {"uri:spiffe://td*", "lengthen the host"},
    {"uri:spiffe://*", "lengthen the host"},
    {"uri:spiffe://td/*/x", "not at its end"},
    {"uri:spiffe://td/a b", "no URI has"},
    {"sha256:0123", "fingerprint"},
    {"sha256//abc", "fingerprint"},
    {"issuer:CN=", "no name"},
    {"issuer:=x", "no name"},
};

static void rules_that_mean_nothing_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        tlsock_error err = {0};
        struct tsk_allow *a = tsk_allow_new(NULL, forms[i].text, &err);

        if ((a != NULL) != (forms[i].says == NULL))
            fail_msg("%s: %s", forms[i].text, err.message);
        if (a == NULL) {
            assert_code(err.code, TLSOCK_E_OPTION);
            assert_tells(err.message, forms[i].says);
            assert_tells(err.hint, "dns:NAME");
        }
        tsk_allow_unref(a);
    }
}

static void there_are_only_so_many_rules(void **state)
{
    char *text = test_malloc(5 * 1025 + 1);
    struct tsk_allow *a;
    tlsock_error err = {0};

    (void)state;
    for (int i = 0; i < 1025; i++)
        memcpy(text + 4 * i, "any,", 5);
    text[4 * 1024 - 1] = '\0';
    a = tsk_allow_new(NULL, text, NULL);
    assert_non_null(a);
    assert_null(tsk_allow_new(a, "any", &err));
    assert_tells(err.message, "too many");
    tsk_allow_unref(a);
    test_free(text);
}

static tlsock_cert *client(const char *subject, const char *const *sans,
                           size_t n)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = subject, .sans = sans, .n_sans = n,
                         .issuer = ca_get()->inter, .purpose = "client"),
        &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

static int asked(const char *rules, const tlsock_cert *c, tlsock_error *err)
{
    struct tsk_allow *a = tsk_allow_new(NULL, rules, err);
    int rc;

    if (a == NULL)
        fail_msg("%s: %s", rules, err->message);
    rc = tsk_allow_check(a, c->leaf, err);
    tsk_allow_unref(a);
    return rc;
}

/* The certificate has: CN John Doe; a.x.test, *.w.test, x@Mail.test,
 * spiffe://td/web/1, 10.1.2.3 and ::1; by Test Intermediate. */
static const struct {
    const char *rules;
    int fits;
} fits[] = {
    {"any", 1},
    {"dns:a.x.test", 1},
    {"dns:A.X.TEST", 1},
    {"dns:*.x.test", 1},
    {"dns:x.test", 0},
    {"dns:b.x.test", 0},
    {"dns:*.a.x.test", 0},
    {"dns:*.w.test", 0}, /* that one stands for many */
    {"dns:a.w.test", 0},
    {"dns:xa.x.test", 0},
    {"cn:Doe\\, John", 1},
    {"cn:doe\\, john", 0},
    {"cn:Doe", 0},
    {"dns:Doe", 0},
    {"email:x@mail.test", 1},
    {"email:x@MAIL.test", 1},
    {"email:X@mail.test", 0},
    {"email:y@mail.test", 0},
    {"uri:spiffe://td/web/1", 1},
    {"uri:spiffe://td/web/", 0},
    {"uri:spiffe://td/web/*", 1},
    {"uri:spiffe://td/*", 1},
    {"uri:spiffe://td/web/1*", 0},
    {"uri:spiffe://td/db/*", 0},
    {"uri:spiffe://TD/web/1", 0},
    {"ip:10.1.2.3", 1},
    {"ip:::1", 1},
    {"ip:10.1.2.4", 0},
    {"issuer:Test Intermediate", 1},
    {"issuer:CN=Test Intermediate", 1},
    {"issuer:CN=test  intermediate", 1}, /* RFC 5280, 7.1 */
    {"issuer:Test Root", 0},
    {"issuer:CN=Test Root", 0},
    {"sha256:" HEX64, 0},
    {"dns:b.test\ncn:x, email:x@mail.test", 1},
};

static void a_certificate_fits_by_one_of_its_names(void **state)
{
    static const char *const sans[] = {
        "DNS:a.x.test", "DNS:*.w.test",        "EMAIL:x@Mail.test",
        "IP:10.1.2.3",  "URI:spiffe://td/web/1", "IP:::1"};
    tlsock_cert *c = client("CN=Doe\\, John", sans, COUNT(sans));
    char rule[128];

    (void)state;
    for (size_t i = 0; i < COUNT(fits); i++) {
        tlsock_error err = {0};
        int rc = asked(fits[i].rules, c, &err);

        if (rc != (fits[i].fits ? TLSOCK_OK : TLSOCK_E_CLIENT_CERT_DENIED))
            fail_msg("%s: %s", fits[i].rules, tlsock_errname(rc));
    }
    for (int pub = 0; pub < 2; pub++) {
        tlsock_error err = {0};

        assert_true(tsk_cert_fingerprint(c->leaf, "sha256", pub, rule,
                                         sizeof(rule)) > 0);
        assert_code(asked(rule, c, &err), TLSOCK_OK);
        assert_code(asked(rule, ca_get()->client, &err),
                    TLSOCK_E_CLIENT_CERT_DENIED);
    }
    tlsock_cert_unref(c);
}

static void a_refusal_tells_rules_and_names(void **state)
{
    static const char *const sans[] = {"DNS:a.x.test"};
    tlsock_cert *c = client("CN=Alice", sans, 1);
    tlsock_error err = {0};

    (void)state;
    assert_code(asked("dns:b.test, cn:Bob", c, &err),
                TLSOCK_E_CLIENT_CERT_DENIED);
    assert_tells(err.message, "Alice");
    assert_tells(err.message, "dns:a.x.test");
    assert_string_equal(err.expected, "dns:b.test, cn:Bob");
    assert_string_equal(err.presented, "dns:a.x.test, cn:Alice");
    assert_string_equal(err.subject, "Alice");
    assert_tells(err.hint, "dns:a.x.test");
    tlsock_cert_unref(c);
}

/* A name as bytes, in a certificate that is signed by nobody. */
static X509 *hostile(int type, const char *bytes, int len)
{
    X509 *x = X509_dup(ca_get()->client->leaf);
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *g = GENERAL_NAME_new();
    ASN1_IA5STRING *s = ASN1_IA5STRING_new();

    assert_int_equal(ASN1_STRING_set(s, bytes, len), 1);
    GENERAL_NAME_set0_value(g, type, s);
    sk_GENERAL_NAME_push(names, g);
    assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0,
                                       X509V3_ADD_REPLACE),
                     1);
    GENERAL_NAMES_free(names);
    return x;
}

static void names_with_tricks_fit_nothing(void **state)
{
    static const struct {
        int type;
        const char *bytes;
        int len;
        const char *rule;
    } rows[] = {
        {GEN_DNS, "a.test\0.evil.test", 17, "dns:a.test"},
        {GEN_DNS, "evil\0.a.test", 12, "dns:*.a.test"},
        {GEN_DNS, "*.a.test", 8, "dns:*.a.test"},
        {GEN_DNS, ".a.test", 7, "dns:*.a.test"},
        {GEN_EMAIL, "a@b.test\0", 9, "email:a@b.test"},
        {GEN_URI, "spiffe://td/web/../db", 21, "uri:spiffe://td/web/*"},
        {GEN_URI, "spiffe://td/web/..", 18, "uri:spiffe://td/web/*"},
        {GEN_URI, "spiffe://td/web/./x", 19, "uri:spiffe://td/web/*"},
        {GEN_URI, "spiffe://td/web/%2e%2e/db", 25, "uri:spiffe://td/web/*"},
        {GEN_URI, "spiffe://td/web/a\0b", 19, "uri:spiffe://td/web/*"},
        {GEN_URI, "a.test", 6, "dns:a.test"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        X509 *x = hostile(rows[i].type, rows[i].bytes, rows[i].len);
        struct tsk_allow *a = tsk_allow_new(NULL, rows[i].rule, NULL);
        tlsock_error err = {0};

        assert_non_null(a);
        if (tsk_allow_check(a, x, &err) != TLSOCK_E_CLIENT_CERT_DENIED)
            fail_msg("row %zu", i);
        assert_true(err.hint[0] != '\0');
        assert_code(tsk_allow_check(a, x, NULL), TLSOCK_E_CLIENT_CERT_DENIED);
        tsk_allow_unref(a);
        X509_free(x);
    }
}

static void two_common_names_are_none(void **state)
{
    tlsock_cert *c = client("CN=Alice,CN=Bob", NULL, 0);
    tlsock_error err = {0};

    (void)state;
    assert_code(asked("cn:Alice", c, &err), TLSOCK_E_CLIENT_CERT_DENIED);
    assert_code(asked("cn:Bob", c, &err), TLSOCK_E_CLIENT_CERT_DENIED);
    assert_code(asked("any", c, &err), TLSOCK_OK);
    tlsock_cert_unref(c);
}

static void rules_are_added_to_others(void **state)
{
    struct tsk_allow *a = tsk_allow_new(NULL, "cn:Alice", NULL);
    struct tsk_allow *b = tsk_allow_new(a, "cn:Test Client", NULL);

    (void)state;
    assert_non_null(b);
    assert_string_equal(tsk_allow_text(b), "cn:Alice\ncn:Test Client");
    assert_code(tsk_allow_check(a, ca_get()->client->leaf, NULL),
                TLSOCK_E_CLIENT_CERT_DENIED);
    assert_code(tsk_allow_check(b, ca_get()->client->leaf, NULL), TLSOCK_OK);
    tsk_allow_unref(tsk_allow_ref(NULL));
    tsk_allow_unref(a);
    tsk_allow_unref(b);
}

/* Each allocation fails, and each call of OpenSSL: nobody comes in who is not
 * meant, and who is refused for want of memory is told so. */
static void failing_memory_lets_nobody_in(void **state)
{
    static const struct {
        const char *rules;
        int want;
    } rows[] = {{"dns:a.test,cn:Nobody,ip:10.0.0.9,uri:spiffe://td/*",
                 TLSOCK_E_CLIENT_CERT_DENIED},
                {"dns:a.x.test", TLSOCK_OK}};
    const char *const sans[] = {"a.x.test"};
    tlsock_cert *c = client("CN=John Doe", sans, 1);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_allow *a = tsk_allow_new(NULL, rows[i].rules, NULL);

        assert_non_null(a);
        for (int kind = FAULT_OWN; kind <= FAULT_REFUSED; kind++) {
            int fired = 1;

            for (long n = 1; fired; n++) {
                tlsock_error err = {0};
                int rc;

                fault_arm((enum fault_kind)kind, n, 0);
                rc = tsk_allow_check(a, c->leaf, &err);
                fired = fault_disarm();
                if (rc == 0 && rows[i].want != 0)
                    fail_msg("%s %ld (%s): let in",
                             fault_name((enum fault_kind)kind), n,
                             fault_refused());
                assert_code(err.code, rc);
                if (!fired)
                    assert_code(rc, rows[i].want);
            }
        }
        tsk_allow_unref(a);
    }
    tlsock_cert_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_that_mean_nothing_are_refused),
        cmocka_unit_test(there_are_only_so_many_rules),
        cmocka_unit_test(a_certificate_fits_by_one_of_its_names),
        cmocka_unit_test(a_refusal_tells_rules_and_names),
        cmocka_unit_test(names_with_tricks_fit_nothing),
        cmocka_unit_test(two_common_names_are_none),
        cmocka_unit_test(rules_are_added_to_others),
        cmocka_unit_test(failing_memory_lets_nobody_in),
    };

    fault_init();
    return cmocka_run_group_tests_name("allow", tests, ca_setup, ca_teardown);
}
