/* The older rules of names by protocol, and what a CN may not get past. */
#include "pki.h"

#include "fault.h"
#include "verify/host.h"
#include "verify/policy.h"
#include "verify/rule.h"

/* What is asked of each scheme, in the order of the answers below. */
static const struct {
    const char *host, *cn, *dns, *ip;
} asked[] = {
    {"x.a.test", NULL, "*.a.test", NULL},
    {"wxw.a.test", NULL, "w*w.a.test", NULL},
    {"a.test", "a.test", NULL, NULL},
    {"a.test", "a.test", "b.test", NULL},
    {"x.a.test", "*.a.test", NULL, NULL},
    {"wxw.a.test", "w*w.a.test", NULL, NULL},
    {"192.0.2.1", "192.0.2.1", NULL, NULL},
    {"2001:db8::1", "2001:DB8::1", NULL, NULL},
    {"a.test", "a.test", NULL, "192.0.2.1"},
    {"192.0.2.1", "192.0.2.1", NULL, "192.0.2.9"},
};

static const struct {
    const char *schemes, *answers;
} rules[] = {
    {"rfc9525 default https HTTPS", "1000000000"},
    {"www http", "1110111010"},
    {"rfc2818 xmpp rfc3920 ftp rfc4217", "1110110010"},
    {"ldap rfc4513", "1011000010"},
    {"smtp rfc2595 imap pop3 acap rfc4642 nntp rfc5539 netconf rfc5538 syslog "
     "rfc5425 snmp rfc5953 SMTP",
     "1011100010"},
    {"gist rfc5971", "1010100010"},
    {"sip rfc5922", "0011000010"},
    {"legacy", "1111111111"},
};

/* No scheme at all accepts these. */
static const struct {
    const char *claim, *host, *cn, *dns;
} never[] = {
    {"CN wildcard under a public suffix", "a.co.uk", "*.co.uk", NULL},
    {"CN wildcard under a top level", "a.test", "*.test", NULL},
    {"half a wildcard under a public suffix", "ab.co.uk", "a*.co.uk",
     "a*.co.uk"},
    {"half a wildcard in an A-label", "xn--lwe-sna.a.test", "xn--*.a.test",
     "xn--*.a.test"},
    {"half a wildcard against an A-label", "xn--lwe-sna.a.test", "x*a.a.test",
     "x*a.a.test"},
    {"a wildcard for nothing", "w.a.test", "w*.a.test", "w*.a.test"},
    {"two in one label", "wxyw.a.test", "w**w.a.test", "w**w.a.test"},
    {"a wildcard behind the first label", "a.x.test", "a.*.test", "a.*.test"},
    {"a wildcard over two labels", "x.y.a.test", "*.a.test", "*.a.test"},
    {"a wildcard alone", "a", "*", "*"},
    {"NUL in a CN", "a.test", "a.test\\x00.b.test", "b.test"},
    {"blank in a CN", "a.test", " a.test", "b.test"},
    {"a longer CN", "a.test", "a.test.b.test", "b.test"},
    {"an empty CN", "a.test", "", "b.test"},
    {"an octal address", "192.0.2.1", "0300.0.2.1", NULL},
    {"a short address", "192.0.2.1", "192.0.513", NULL},
};

static void each_scheme_has_its_rule(void **state)
{
    (void)state;
    for (size_t a = 0; a < COUNT(asked); a++) {
        X509 *crt = pki_names(asked[a].cn, asked[a].dns, asked[a].ip, NULL);

        assert_int_equal(tsk_host_match(crt, asked[a].host, NULL, 1, NULL) == 0,
                         rules[0].answers[a] == '1');
        for (size_t r = 0; r < COUNT(rules); r++) {
            char list[256], *save = NULL;

            snprintf(list, sizeof(list), "%s", rules[r].schemes);
            for (char *s = strtok_r(list, " ", &save); s != NULL;
                 s = strtok_r(NULL, " ", &save)) {
                tlsock_error err = {0};
                int rc = tsk_host_match(crt, asked[a].host, s, 1, &err);

                if ((rc == 0) != (rules[r].answers[a] == '1'))
                    fail_msg("%s, question %zu: %s", s, a, err.message);
                if (rc != 0) {
                    assert_code(rc, TLSOCK_E_NAME_MISMATCH);
                    assert_true(err.hint[0] != '\0');
                }
            }
        }
        X509_free(crt);
    }
}

static void no_scheme_takes_junk_or_too_much(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(never); i++) {
        X509 *crt = pki_names(never[i].cn, never[i].dns, NULL, NULL);

        for (size_t r = 0; r < COUNT(rules); r++) {
            char scheme[16];

            snprintf(scheme, sizeof(scheme), "%.*s",
                     (int)strcspn(rules[r].schemes, " "), rules[r].schemes);
            if (tsk_host_match(crt, never[i].host, scheme, 1, NULL) !=
                TLSOCK_E_NAME_MISMATCH)
                fail_msg("%s: %s takes it", never[i].claim, scheme);
        }
        X509_free(crt);
    }
}

static void underscores_are_part_of_a_label(void **state)
{
    X509 *crt = pki_names(NULL, "*.a.test,a_b.c.test", NULL, NULL);

    (void)state;
    assert_code(tsk_host_match(crt, "x_y.a.test", NULL, 1, NULL), 0);
    assert_code(tsk_host_match(crt, "a_b.c.test", NULL, 1, NULL), 0);
    assert_code(tsk_host_match(crt, "a_c.c.test", NULL, 1, NULL),
                TLSOCK_E_NAME_MISMATCH);
    X509_free(crt);
}

static void the_message_names_the_cn_and_the_rule(void **state)
{
    static const struct {
        const char *scheme, *dns, *message, *hint;
    } rows[] = {
        {NULL, "b.test", "for b.test", "never used (RFC 9525)"},
        {"rfc2818", "b.test", "for b.test", "only where no subjectAltName"},
        {"smtp", "b.test", "b.test and the CN *x.a.test (RFC 2595)",
         "not used with such a wildcard"},
        {"sip", "*.a.test", "(RFC 5922)", "does not take"},
        {"legacy", "*.*.test", "the legacy scheme", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        X509 *crt = pki_names("*x.a.test", rows[i].dns, NULL, NULL);
        tlsock_error err = {0};

        assert_code(tsk_host_match(crt, i == 4 ? "q.q.test" : "wx.a.test",
                                   rows[i].scheme, 1, &err),
                    TLSOCK_E_NAME_MISMATCH);
        assert_tells(err.message, rows[i].message);
        assert_tells(err.hint, rows[i].hint);
        X509_free(crt);
    }
}

static void of_several_cns_the_last_counts(void **state)
{
    X509 *crt = pki_names("a.test", NULL, NULL, NULL);
    X509_NAME *subject = X509_NAME_dup(X509_get_subject_name(crt));
    char cn[256];

    (void)state;
    X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                               (const unsigned char *)"b.test", -1, -1, 0);
    X509_set_subject_name(crt, subject);
    assert_code(tsk_host_judge(crt, "b.test", "smtp", 1, cn, NULL), 0);
    assert_string_equal(cn, "b.test");
    assert_code(tsk_host_judge(crt, "a.test", "smtp", 1, cn, NULL),
                TLSOCK_E_NAME_MISMATCH);
    assert_string_equal(cn, "");
    X509_NAME_free(subject);
    X509_free(crt);
}

/* --- with a chain */

static X509 *root;
/* while it is judged, this allocation fails; 0: none does */
static long fail_n;
static enum fault_kind fail_kind;
static int fail_fired;

static int judge(X509 *ca, X509 *leaf, const struct tsk_verify_req *req,
                 struct tsk_verdict *verdict, tlsock_error *err)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *sent = pki_stack(&ca, 1);
    int rc;

    X509_STORE_add_cert(store, root);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, sent), 1);
    if (fail_n > 0)
        fault_arm(fail_kind, fail_n, 1);
    rc = tsk_policy_verify(ctx, req, verdict, err);
    if (fail_n > 0)
        fail_fired = fault_disarm();
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_free(sent);
    return rc;
}

static X509 *ca_with(const char *constraints)
{
    return pki_make(&(struct pki_spec){.cn = "Bound CA",
                                       .bc = PKI_CA_BC,
                                       .ku = PKI_CA_KU,
                                       .key = KEY_INTER,
                                       .issuer = root,
                                       .issuer_key = KEY_ROOT,
                                       .more = constraints});
}

static X509 *leaf_of(X509 *ca, const char *cn, const char *san)
{
    return pki_make(&(struct pki_spec){.cn = cn,
                                       .san = san,
                                       .bc = PKI_LEAF_BC,
                                       .ku = "critical,digitalSignature",
                                       .eku = "serverAuth",
                                       .key = KEY_LEAF,
                                       .issuer = ca,
                                       .issuer_key = KEY_INTER});
}

#define NC "nameConstraints=critical,"

static const struct {
    const char *constraints, *cn, *name;
    int want;
} bounds[] = {
    {NULL, "b.test", "b.test", 0},
    {NC "permitted;DNS:a.test", "a.test", "a.test", 0},
    {NC "permitted;DNS:a.test", "x.a.test", "x.a.test", 0},
    {NC "permitted;DNS:a.test", "X.A.TEST", "x.a.test", 0},
    {NC "permitted;DNS:a.test", "*.a.test", "x.a.test", 0},
    {NC "permitted;DNS:a.test", "b.test", "b.test", TLSOCK_E_NAME_MISMATCH},
    {NC "permitted;DNS:a.test", "ba.test", "ba.test", TLSOCK_E_NAME_MISMATCH},
    {NC "permitted;DNS:a.test", "*.b.test", "x.b.test", TLSOCK_E_NAME_MISMATCH},
    {NC "permitted;DNS:w.a.test", "*.a.test", "w.a.test",
     TLSOCK_E_NAME_MISMATCH},
    {NC "excluded;DNS:b.test", "a.test", "a.test", 0},
    {NC "excluded;DNS:b.test", "b.test", "b.test", TLSOCK_E_NAME_MISMATCH},
    {NC "excluded;DNS:b.test", "x.b.test", "x.b.test", TLSOCK_E_NAME_MISMATCH},
    {NC "excluded;DNS:x.b.test", "*.b.test", "y.b.test",
     TLSOCK_E_NAME_MISMATCH},
    {NC "excluded;DNS:xw.b.test", "x*.b.test", "xy.b.test",
     TLSOCK_E_NAME_MISMATCH},
    {NC "permitted;email:a.test", "b.test", "b.test", 0},
    {NC "permitted;IP:192.0.2.0/255.255.255.0", "192.0.2.1", "192.0.2.1", 0},
    {NC "permitted;IP:192.0.2.0/255.255.255.0", "192.0.3.1", "192.0.3.1",
     TLSOCK_E_NAME_MISMATCH},
    {NC "excluded;IP:192.0.2.0/255.255.255.0", "192.0.2.1", "192.0.2.1",
     TLSOCK_E_NAME_MISMATCH},
    {NC "excluded;IP:192.0.2.0/255.255.255.0", "192.0.3.1", "192.0.3.1", 0},
    {NC "excluded;IP:192.0.2.0/255.255.255.0", "2001:db8::1", "2001:db8::1", 0},
};

static void a_cn_is_held_to_name_constraints(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bounds); i++) {
        X509 *ca = ca_with(bounds[i].constraints);
        X509 *leaf = leaf_of(ca, bounds[i].cn, NULL);
        struct tsk_verify_req req = {.name = bounds[i].name,
                                     .scheme = "legacy",
                                     .psl = 1,
                                     .partial_chain = 1};
        struct tsk_verdict verdict;
        tlsock_error err = {0};
        int rc = judge(ca, leaf, &req, &verdict, &err);

        if (rc != bounds[i].want)
            fail_msg("%s, %s: %s \"%s\"", bounds[i].constraints, bounds[i].cn,
                     tlsock_errname(rc), err.message);
        if (rc != 0) {
            assert_tells(err.message, "Bound CA");
            assert_tells(err.hint, "subjectAltName");
        }
        assert_int_equal(judge(ca, leaf, &req, &verdict, NULL), rc);
        /* RFC 9525 never gets so far */
        req.scheme = NULL;
        assert_code(judge(ca, leaf, &req, &verdict, NULL),
                    TLSOCK_E_NAME_MISMATCH);
        X509_free(leaf);
        X509_free(ca);
    }
}

/* The common name is no host there, and so nobody is asked about it. */
static void a_cn_beside_a_san_that_fits_does_not_matter(void **state)
{
    X509 *ca = ca_with(NC "permitted;DNS:a.test");
    X509 *leaf = leaf_of(ca, "b.test", "DNS:a.test");
    struct tsk_verify_req req = {
        .name = "a.test", .scheme = "smtp", .psl = 1, .partial_chain = 1};
    struct tsk_verdict verdict;
    tlsock_error err = {0};

    (void)state;
    assert_code(judge(ca, leaf, &req, &verdict, &err), 0);
    assert_string_equal(verdict.verified, "chain");
    req.name = "b.test";
    assert_code(judge(ca, leaf, &req, &verdict, &err), TLSOCK_E_NAME_MISMATCH);
    X509_free(leaf);
    X509_free(ca);
}

/* Every n-th allocation fails once: what a CA may not sign never fits. */
static void failing_memory_never_says_yes(void **state)
{
    X509 *ca = ca_with(NC "excluded;DNS:b.test");
    X509 *leaves[2] = {leaf_of(ca, "a.test", NULL),
                       leaf_of(ca, "b.test", NULL)};
    struct tsk_verify_req req = {
        .scheme = "smtp", .psl = 1, .partial_chain = 1};
    struct tsk_verdict verdict;

    (void)state;
    for (int i = 0; i < 2; i++) {
        req.name = i == 0 ? "a.test" : "b.test";
        for (int kind = FAULT_OWN; kind <= FAULT_REFUSED; kind++) {
            int rc = 0;

            fail_fired = 1;
            for (fail_n = 1; fail_fired && fail_n < 5000; fail_n++) {
                tlsock_error err = {0};

                fail_kind = (enum fault_kind)kind;
                rc = judge(ca, leaves[i], &req, &verdict, &err);
                if (i == 1 && rc == 0)
                    fail_msg("%s %ld: accepted", fault_name(fail_kind), fail_n);
                if (rc < 0 && err.code != rc)
                    fail_msg("%s %ld: no cause", fault_name(fail_kind), fail_n);
            }
            assert_code(rc, i == 0 ? 0 : TLSOCK_E_NAME_MISMATCH);
            assert_int_equal(fail_fired, 0);
            fail_n = 0;
        }
        X509_free(leaves[i]);
    }
    X509_free(ca);
}

static int setup(void **state)
{
    (void)state;
    root = pki_make(&(struct pki_spec){
        .cn = "Root CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    X509_free(root);
    pki_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scheme_has_its_rule),
        cmocka_unit_test(no_scheme_takes_junk_or_too_much),
        cmocka_unit_test(underscores_are_part_of_a_label),
        cmocka_unit_test(the_message_names_the_cn_and_the_rule),
        cmocka_unit_test(of_several_cns_the_last_counts),
        cmocka_unit_test(a_cn_is_held_to_name_constraints),
        cmocka_unit_test(a_cn_beside_a_san_that_fits_does_not_matter),
        cmocka_unit_test(failing_memory_never_says_yes),
    };

    fault_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
