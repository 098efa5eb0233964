#include "cert/text.h"
#include "core/clock.h"
#include "core/mem.h"
#include "cert_help.h"
#include "ossl/ext.h"

#include <ctype.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <tlsock/openssl.h>

/* --- subjects, there and back --- */

static const struct {
    const char *typed, *shown; /* NULL: refused */
    const char *fault;
} subjects[] = {
    {"CN=a", "CN=a", NULL},
    {"CN=a,O=b", "CN=a,O=b", NULL},
    {"cn=a, o=b , C=DE", "CN=a,O=b,C=DE", NULL},
    {"CN=a+OU=b,O=c", "OU=b+CN=a,O=c", NULL}, /* no order */
    {"CN=a\\,b", "CN=a\\,b", NULL},
    {"CN=a\\+b\\\\c", "CN=a\\+b\\\\c", NULL},
    {"CN=a=b", "CN=a=b", NULL},
    {"CN=\\ a\\ ", "CN=\\ a\\ ", NULL},
    {"CN=a\\2Cb", "CN=a\\,b", NULL},
    {"CN=M\xc3\xbcller", "CN=M\xc3\xbcller", NULL},
    {"CN=M\\C3\\BCller", "CN=M\xc3\xbcller", NULL},
    {"O=a,O=b", "O=a,O=b", NULL},
    {"DC=example,DC=com", "DC=example,DC=com", NULL},
    {"2.5.4.42=Ann", "GN=Ann", NULL},
    {"CN=a\\0Ab", "CN=a\\0Ab", NULL},
    {"", NULL, "is empty"},
    {"me", NULL, "without \"=\""},
    {"CN", NULL, "without \"=\""},
    {"CN=a,b", NULL, "without \"=\""},
    {"=a", NULL, "without a type"},
    {"CN=", NULL, "without a value"},
    {"CN=a,", NULL, "without \"=\""},
    {"CN=a,,O=b", NULL, "without \"=\""},
    {"NoSuch=a", NULL, "unknown type"},
    {"/CN=a", NULL, "unknown type"},
    {"CN=a\\", NULL, "backslash"},
    {"CN=a\\x", NULL, "backslash"},
    {"CN=a\\00b", NULL, "zero byte"},
    {"C=DEU", NULL, "value of C"},
    {"CN=\\FF\\FE", NULL, "value of CN"},
    {"CN=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     NULL, "value of CN"},
};

static void subjects_are_read_and_shown_as_rfc_4514_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(subjects); i++) {
        tlsock_error err = {0};
        tlsock_cert *c = tlsock_cert_create(
            TLSOCK_CERT_OPTS(.subject = subjects[i].typed,
                             .purpose = "client"), &err);

        if ((c != NULL) != (subjects[i].shown != NULL))
            fail_msg("\"%s\": %s", subjects[i].typed,
                     c != NULL ? "taken" : err.message);
        if (c != NULL) {
            assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SUBJECT),
                                subjects[i].shown);
        } else {
            assert_code(err.code, TLSOCK_E_ARGUMENT);
            assert_tells(err.message, subjects[i].fault);
            assert_true(err.hint[0] != '\0');
        }
        tlsock_cert_unref(c);
    }
}

/* As they are typed, so they are shown. */
static void rare_names_are_shown_as_they_are_typed(void **state)
{
    const char *typed[] = {"UPN:u@corp.test", "XMPP:m@x.test", "RID:1.2.3",
                           "DIRNAME:CN=a,O=b", "EMAIL:\xc3\xbc@b.test",
                           "SRV:_imap.a.test"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(
        .sans = typed, .n_sans = COUNT(typed), .purpose = "client"));
    const char *shown = tlsock_cert_field(c, TLSOCK_CERT_SANS);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_tells(shown, typed[i]);
    assert_tells(shown, "DIRNAME:CN=a");
    assert_tells(shown, "O=b");
    assert_tells(shown, "@b.test");
    assert_tells(shown, "OTHERNAME:1.3.6.1.5.5.7.8.7"); /* no text of its own */
    tlsock_cert_unref(c);
}

static void shows(int type, void *value, const char *want)
{
    GENERAL_NAME *g = GENERAL_NAME_new();
    struct tsk_text t = {0};
    char *text;

    GENERAL_NAME_set0_value(g, type, value);
    tsk_text_san(&t, g, "");
    text = tsk_text_take(&t);
    assert_string_equal(text, want);
    tsk_free(text);
    GENERAL_NAME_free(g);
}

static void ip_shows(const char *bytes, int len, const char *want)
{
    ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();

    ASN1_OCTET_STRING_set(s, (const unsigned char *)bytes, len);
    shows(GEN_IPADD, s, want);
}

static void names_that_nobody_types_are_shown_too(void **state)
{
    EDIPARTYNAME *party = EDIPARTYNAME_new();

    (void)state;
    ip_shows("\xc0\0\x02\x01", 4, "IP:192.0.2.1");
    ip_shows("\xc0\0\x02\0\xff\xff\xff\0", 8, "IP:192.0.2.0/24");
    ip_shows("\xc0\0\x02\0\xff\0\xff\0", 8, "IP:192.0.2.0/255.0.255.0");
    ip_shows("\xc0\0\x02", 3, "IP:(3 bytes)");
    shows(GEN_EDIPARTY, party, "EDIPARTY");
}

static void endless_subjects_are_refused(void **state)
{
    char many[512] = "", longer[700] = "CN=";
    tlsock_error err = {0};

    (void)state;
    for (int i = 0; i < 33; i++)
        strcat(many, i == 0 ? "OU=a" : ",OU=a");
    memset(longer + 3, 'a', 600);
    assert_null(tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = many, .purpose = "client"), &err));
    assert_tells(err.message, "more than 32 parts");
    assert_null(tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = longer, .purpose = "client"), &err));
    assert_tells(err.message, "more than 512 bytes");
}

/* --- what a hostile certificate says --- */

static X509 *hostile(void)
{
    static const unsigned char cn[] = "a\0b\x1b[31m\xe2\x80\xae,O=x";
    static const unsigned char dns[] = "a.test, DNS:evil.test\0\n";
    static const unsigned char url[] = "http://x/ http://y/";
    static const unsigned char ip[] = {1, 2, 3, 4, 5};
    X509 *x = X509_dup(help_leaf()->leaf);
    X509_NAME *name = X509_NAME_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    static const struct {
        int kind;
        const unsigned char *p;
        int n;
    } parts[] = {{GEN_DNS, dns, sizeof(dns) - 1},
                 {GEN_URI, url, sizeof(url) - 1},
                 {GEN_IPADD, ip, sizeof(ip)}};

    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName,
                                                V_ASN1_UTF8STRING, cn,
                                                sizeof(cn) - 1, -1, 0), 1);
    X509_set_subject_name(x, name);
    for (size_t i = 0; i < COUNT(parts); i++) {
        GENERAL_NAME *g = GENERAL_NAME_new();
        ASN1_STRING *s = ASN1_STRING_type_new(
            parts[i].kind == GEN_IPADD ? V_ASN1_OCTET_STRING
                                       : V_ASN1_IA5STRING);

        ASN1_STRING_set(s, parts[i].p, parts[i].n);
        GENERAL_NAME_set0_value(g, parts[i].kind, s);
        sk_GENERAL_NAME_push(names, g);
    }
    assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0,
                                       X509V3_ADD_REPLACE), 1);
    assert_true(X509_sign(x, help_inter()->key, EVP_sha256()) > 0);
    X509_NAME_free(name);
    GENERAL_NAMES_free(names);
    return x;
}

static int is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text) || (*text & 0x80) != 0)
            return 0;
    return 1;
}

static void hostile_texts_are_escaped_everywhere(void **state)
{
    X509 *x = hostile();
    tlsock_cert *c = tlsock_cert_from_x509(x, NULL);
    char text[256], json[16384];

    (void)state;
    assert_non_null(c);
    for (int i = TLSOCK_CERT_SUBJECT; i <= TLSOCK_CERT_PIN; i++)
        if (!is_plain(tlsock_cert_field(c, i)))
            fail_msg("field %d: %s", i, tlsock_cert_field(c, i));
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS),
                        "DNS:a.test\\x2c DNS:evil.test\\x00\\x0a, "
                        "URI:http://x/ http://y/, IP:(5 bytes)");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_CN),
                        "a\\x00b\\x1b[31m\\xe2\\x80\\xae,O=x");
    tsk_cert_short_name(x, text, sizeof(text));
    assert_true(is_plain(text));
    tsk_cert_sans_text(x, text, sizeof(text));
    assert_true(is_plain(text));
    assert_true(tlsock_cert_json(c, json, sizeof(json)) > 0);
    assert_true(is_plain(json));
    X509_free(x);
    tlsock_cert_unref(c);
}

static void short_names_fall_back_and_fit(void **state)
{
    const char *many[] = {"a.test", "b.test", "c.test", "127.0.0.1"};
    tlsock_cert *c = help_make(TLSOCK_CERT_OPTS(.sans = many, .n_sans = 4));
    tlsock_cert *o = help_make(
        TLSOCK_CERT_OPTS(.subject = "O=Org", .purpose = "client"));
    char text[64], tiny[19];

    (void)state;
    tsk_cert_sans_text(c->leaf, text, sizeof(text));
    assert_string_equal(text, "a.test, b.test, c.test, 127.0.0.1");
    tsk_cert_sans_text(c->leaf, tiny, sizeof(tiny));
    assert_string_equal(tiny, "a.test, ...");
    tsk_cert_short_name(c->leaf, text, sizeof(text));
    assert_string_equal(text, "a.test");
    tsk_cert_short_name(o->leaf, text, sizeof(text));
    assert_string_equal(text, "Org");
    tsk_cert_short_issuer(help_leaf()->leaf, text, sizeof(text));
    assert_string_equal(text, "Help Inter");
    for (size_t n = 1; n < 19; n++) {
        memset(tiny, 'x', sizeof(tiny));
        tsk_cert_sans_text(c->leaf, tiny, n);
        assert_true(strlen(tiny) < n);
        tsk_cert_short_name(c->leaf, tiny, n);
        assert_true(strlen(tiny) < n);
    }
    tlsock_cert_unref(c);
    tlsock_cert_unref(o);
}

/* --- fields --- */

static void fields_are_there_or_empty_or_refused(void **state)
{
    const tlsock_cert *c = help_leaf();

    (void)state;
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_ISSUER),
                        "CN=Help Inter");
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_CRL_URLS), "");
    assert_string_equal(tlsock_cert_field(help_root(), TLSOCK_CERT_SANS), "");
    assert_ptr_equal(tlsock_cert_field(c, TLSOCK_CERT_CN),
                     tlsock_cert_field(c, TLSOCK_CERT_CN));
    assert_null(tlsock_cert_field(c, 0));
    assert_null(tlsock_cert_field(c, -1));
    assert_null(tlsock_cert_field(c, TLSOCK_CERT_ISSUER_KEY_ID + 1));
    assert_null(tlsock_cert_field(c, 1000));
    assert_null(tlsock_cert_field(NULL, TLSOCK_CERT_CN));
}

static void *read_all_fields(void *arg)
{
    const char **out = arg;

    for (int i = 1; i <= TLSOCK_CERT_PIN; i++)
        out[i] = tlsock_cert_field(help_alone(), i);
    return NULL;
}

static void threads_get_the_same_texts(void **state)
{
    const char *texts[4][16];
    pthread_t threads[4];

    (void)state;
    help_alone();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all_fields,
                                        texts[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < 4; i++)
        for (int k = 1; k <= TLSOCK_CERT_PIN; k++)
            assert_ptr_equal(texts[i][k], texts[0][k]);
}

static void fingerprints_are_whole_or_refused(void **state)
{
    static const struct {
        const char *algo;
        int of_key, len;
    } cases[] = {{"sha256", 0, 71},  {"sha256", 1, 75}, {"sha384", 0, 103},
                 {"sha512", 1, 139}, {"sha1", 0, 45},   {"md5", 0, -1},
                 {"", 0, -1},        {"SHA256", 0, -1}};
    char text[256];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int n = tlsock_cert_fingerprint(help_leaf(), cases[i].algo,
                                        cases[i].of_key, text, sizeof(text));

        if (cases[i].len < 0) {
            assert_code(n, TLSOCK_E_ARGUMENT);
            continue;
        }
        assert_int_equal(n, cases[i].len);
        assert_int_equal(strlen(text), cases[i].len);
        assert_code(tlsock_cert_fingerprint(help_leaf(), cases[i].algo,
                                            cases[i].of_key, text, (size_t)n),
                    TLSOCK_E_LIMIT);
        assert_string_equal(text, "");
        assert_int_equal(tlsock_cert_fingerprint(help_leaf(), cases[i].algo,
                                                 cases[i].of_key, NULL, 0), n);
    }
    tlsock_cert_fingerprint(help_leaf(), "sha256", 1, text, sizeof(text));
    assert_string_equal(text, tlsock_cert_field(help_leaf(), TLSOCK_CERT_PIN));
    assert_code(tlsock_cert_fingerprint(NULL, "sha256", 0, text, 9),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_cert_fingerprint(help_leaf(), NULL, 0, text, 9),
                TLSOCK_E_ARGUMENT);
}

/* --- JSON --- */

/* Days are whole ones: at their border a second more is another text. */
static int64_t noon;

static int64_t clock_that_stands(void)
{
    return noon;
}

static void json_tells_all_of_it(void **state)
{
    static const char *const facts[] = {
        "{\"schema\":\"tlsock.cert/1\",\"subject\":\"CN=a.test\"",
        "\"issuer\":\"CN=Help Inter\"", "\"sans\":[\"DNS:a.test\"]",
        "\"key_type\":\"ECDSA P-256\"", "\"key_bits\":256", "\"ca\":false",
        "\"days_left\":", "\"version\":3", "\"crl_urls\":[]",
        "\"usage\":[\"digitalSignature\",\"serverAuth\",\"clientAuth\"]",
        "\"sha256\":\"sha256:", "\"pin\":\"sha256:pub:",
        "{\"oid\":\"2.5.29.15\",\"name\":\"keyUsage\",\"critical\":true,",
        "\"has_key\":true",
        "\"chain\":[{\"index\":0,\"subject\":\"CN=Help Inter\"",
        "\"ca\":true,\"pathlen\":0"};
    char json[16384], *cut;
    int n;

    (void)state;
    noon = tsk_wall_time();
    tsk_clock_wall = clock_that_stands;
    n = tlsock_cert_json(help_leaf(), json, sizeof(json));
    assert_true(n > 0 && (size_t)n < sizeof(json));
    assert_int_equal(strlen(json), n);
    for (size_t i = 0; i < COUNT(facts); i++)
        assert_tells(json, facts[i]);
    assert_string_equal(json + n - 3, "}]}");
    assert_int_equal(tlsock_cert_json(help_leaf(), NULL, 0), n);
    for (size_t size = 1; size < 300; size += 7) {
        cut = malloc(size);
        assert_non_null(cut);
        assert_int_equal(tlsock_cert_json(help_leaf(), cut, size), n);
        assert_int_equal(strlen(cut), size - 1);
        assert_memory_equal(cut, json, size - 1);
        free(cut);
    }
    assert_code(tlsock_cert_json(NULL, json, 10), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_cert_json(help_leaf(), NULL, 10), TLSOCK_E_ARGUMENT);
    tsk_clock_wall = NULL;
}

static void dates_are_read_both_ways(void **state)
{
    ASN1_TIME *t = tsk_ossl_time(NULL, 2524608000); /* 2050: GeneralizedTime */
    char text[32];

    (void)state;
    tsk_cert_date(t, text);
    assert_string_equal(text, "2050-01-01T00:00:00Z");
    assert_true(tsk_cert_time(t) == 2524608000);
    ASN1_STRING_set(t, "nonsense", 8);
    tsk_cert_date(t, text);
    assert_string_equal(text, "");
    assert_true(tsk_cert_time(t) == INT64_MIN);
    assert_true(tsk_cert_time(NULL) == INT64_MIN);
    ASN1_TIME_free(t);
}

static void native_handles_are_shared_not_taken(void **state)
{
    tlsock_cert *c = tlsock_cert_from_x509(help_leaf()->leaf, help_leaf()->key);

    (void)state;
    assert_non_null(c);
    assert_ptr_equal(c->leaf, help_leaf()->leaf);
    tlsock_cert_unref(c);
    assert_null(tlsock_cert_from_x509(NULL, NULL));
    assert_non_null(tlsock_cert_field(help_leaf(), TLSOCK_CERT_CN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects_are_read_and_shown_as_rfc_4514_says),
        cmocka_unit_test(rare_names_are_shown_as_they_are_typed),
        cmocka_unit_test(names_that_nobody_types_are_shown_too),
        cmocka_unit_test(endless_subjects_are_refused),
        cmocka_unit_test(hostile_texts_are_escaped_everywhere),
        cmocka_unit_test(short_names_fall_back_and_fit),
        cmocka_unit_test(fields_are_there_or_empty_or_refused),
        cmocka_unit_test(threads_get_the_same_texts),
        cmocka_unit_test(fingerprints_are_whole_or_refused),
        cmocka_unit_test(json_tells_all_of_it),
        cmocka_unit_test(dates_are_read_both_ways),
        cmocka_unit_test(native_handles_are_shared_not_taken),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
