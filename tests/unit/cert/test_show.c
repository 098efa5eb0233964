/* What certificates, keys and files say: JSON, PEM, kinds. */
#include "cert_help.h"
#include "fault.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <tlsock/openssl.h>

static char *json_of(const tlsock_cert *c)
{
    int n = tlsock_cert_json(c, NULL, 0);
    char *text = malloc((size_t)n + 1);

    assert_true(n > 0);
    assert_non_null(text);
    assert_int_equal(tlsock_cert_json(c, text, (size_t)n + 1), n);
    return text;
}

static void tells(const tlsock_cert *c, const char *const *facts, size_t n)
{
    char *text = json_of(c);

    for (size_t i = 0; i < n; i++)
        if (strstr(text, facts[i]) == NULL)
            fail_msg("not there: %s\nin %s", facts[i], text);
    free(text);
}

/* --- JSON --- */

static void everything_in_a_certificate_is_told(void **state)
{
    static const char *const names[] = {
        "a.test", "192.0.2.1", "EMAIL:me@a.test", "URI:spiffe://a.test/x"};
    static const char *const ext[] = {
        "tlsfeature=status_request",
        "certificatePolicies=1.2.3.4",
    };
    static const char *const facts[] = {
        "\"subject_parts\":[{\"type\":\"C\",\"oid\":\"2.5.4.6\",\"value\":"
        "\"DE\"},{\"type\":\"CN\",\"oid\":\"2.5.4.3\",\"value\":\"a,b\"}]",
        "\"issuer_parts\":[{\"type\":\"CN\"",
        "{\"type\":\"DNS\",\"value\":\"a.test\"}",
        "{\"type\":\"IP\",\"value\":\"192.0.2.1\"}",
        "{\"type\":\"EMAIL\",\"value\":\"me@a.test\"}",
        "{\"type\":\"URI\",\"value\":\"spiffe://a.test/x\"}",
        "\"days\":90",
        "\"key\":{\"type\":\"RSA\",\"bits\":2048,\"security_bits\":112,"
        "\"curve\":null,\"exponent\":\"65537\"}",
        "\"signature_oid\":\"1.2.840.10045.4.3.2\"",
        "\"self_signed\":false",
        "\"issuer_index\":0",
        "\"must_staple\":true",
        "\"policies\":[{\"oid\":\"1.2.3.4\",\"name\":null,\"cps\":[]}]",
        "\"crl_urls\":[\"http://c.test/\"]",
        "\"ocsp_urls\":[\"http://o.test/\"]",
        "\"basic_constraints\":{\"critical\":true,\"ca\":false,\"pathlen\":"
        "null}",
        "\"key_usage\":[\"digitalSignature\"",
        "{\"oid\":\"1.3.6.1.5.5.7.3.1\",\"name\":\"serverAuth\",\"long_name\":"
        "\"TLS Web Server Authentication\"}",
        "\"name_constraints\":null",
        "\"scts\":[]",
        "\"pem\":\"-----BEGIN CERTIFICATE-----\\n",
        "\"data\":\"status_request\",\"der\":\"3003020105\"",
    };
    tlsock_cert *c = help_make(
        TLSOCK_CERT_OPTS(.subject = "CN=a\\,b,C=DE", .sans = names, .n_sans = 4,
                         .key = "rsa:2048", .issuer = help_inter(), .ext = ext,
                         .n_ext = 2, .crl_url = "http://c.test/",
                         .ocsp_url = "http://o.test/"));

    (void)state;
    tells(c, facts, COUNT(facts));
    tlsock_cert_unref(c);
}

static void limits_of_a_ca_are_told(void **state)
{
    static const char *const facts[] = {
        ("\"name_constraints\":{\"permitted\":[\"DNS:test\","
         "\"IP:10.0.0.0/8\",\"IP:fc00::/7\"],\"excluded\":["),
        "\"self_signed\":true", "\"issuer_index\":null", "\"ca\":true"};
    tlsock_cert *c =
        help_make(TLSOCK_CERT_OPTS(.subject = "CN=x", .ca = 1,
                                   .permitted = ".test,10.0.0.0/8,fc00::/7"));

    (void)state;
    tells(c, facts, COUNT(facts));
    tlsock_cert_unref(c);
}

/* help_leaf() with one more extension, which need not be valid */
static tlsock_cert *with_extension(const char *oid, const unsigned char *der,
                                   int len)
{
    X509 *x = X509_dup(help_leaf()->leaf);
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e;
    tlsock_cert *c;

    assert_non_null(x);
    ASN1_OCTET_STRING_set(data, der, len);
    e = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, data);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    assert_true(X509_sign(x, help_inter()->key, EVP_sha256()) > 0);
    c = tlsock_cert_from_x509(x, NULL);
    assert_non_null(c);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(data);
    ASN1_OBJECT_free(obj);
    X509_free(x);
    return c;
}

static void timestamps_of_logs_are_told(void **state)
{
    /* RFC 6962, 3.3: a list of one, of 2020-09-13T12:26:40Z */
    static const unsigned char der[] = {
        0x04, 0x37, 0x00, 0x35, 0x00, 0x33, 0x00, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
        0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
        0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
        0xaa, 0xaa, 0xaa, 0x00, 0x00, 0x01, 0x74, 0x87, 0x6e, 0x80, 0x00, 0x00,
        0x00, 0x04, 0x03, 0x00, 0x04, 0x30, 0x02, 0x02, 0x00};
    static const char *const facts[] = {
        "\"scts\":[{\"version\":1,\"log_id\":\"aaaaaaaa",
        "\"time\":\"2020-09-1"};
    tlsock_cert *c =
        with_extension("1.3.6.1.4.1.11129.2.4.2", der, sizeof(der));

    (void)state;
    tells(c, facts, COUNT(facts));
    tlsock_cert_unref(c);
}

static void extensions_that_are_no_sense_do_no_harm(void **state)
{
    static const unsigned char junk[] = {0x30, 0x05, 0xff, 0x00};
    static const struct {
        const char *oid, *fact;
    } cases[] = {
        {"2.5.29.30", "\"name_constraints\":null"},
        {"2.5.29.32", "\"policies\":[]"},
        {"1.3.6.1.5.5.7.1.24", "\"must_staple\":false"},
        {"1.3.6.1.4.1.11129.2.4.2", "\"scts\":[]"},
        {"1.2.3.4.5",
         "{\"oid\":\"1.2.3.4.5\",\"name\":null,\"critical\":false,\"data\":"
         "null,\"der\":\"3005ff00\"}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_cert *c = with_extension(cases[i].oid, junk, sizeof(junk));

        tells(c, &cases[i].fact, 1);
        assert_true(ERR_peek_error() == 0);
        tlsock_cert_unref(c);
    }
}

static size_t json_len_with_names(int n)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    X509 *x = X509_dup(help_leaf()->leaf);
    tlsock_cert *c;
    char text[32];
    char *json, *p;
    size_t len;
    int found = 0;

    for (int i = 0; i < n; i++) {
        GENERAL_NAME *g = GENERAL_NAME_new();
        ASN1_STRING *s = ASN1_STRING_type_new(V_ASN1_IA5STRING);

        snprintf(text, sizeof(text), "n%05d.test", i);
        ASN1_STRING_set(s, text, -1);
        GENERAL_NAME_set0_value(g, GEN_DNS, s);
        sk_GENERAL_NAME_push(names, g);
    }
    assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0,
                                       X509V3_ADD_REPLACE),
                     1);
    assert_true(X509_sign(x, help_inter()->key, EVP_sha256()) > 0);
    c = tlsock_cert_from_x509(x, NULL);
    json = json_of(c);
    len = strlen(json);
    for (p = json; (p = strstr(p, "{\"type\":\"DNS\"")) != NULL; p++)
        found++;
    assert_int_equal(found, n);
    free(json);
    tlsock_cert_unref(c);
    X509_free(x);
    GENERAL_NAMES_free(names);
    return len;
}

static void ten_thousand_names_are_ten_times_a_thousand(void **state)
{
    (void)state;
    assert_true(json_len_with_names(10000) < 11 * json_len_with_names(1000));
}

static void a_chain_knows_who_signed_whom(void **state)
{
    tlsock_cert *c = help_leaf(), *bag;
    char *inter = help_pem(help_inter(), TLSOCK_PART_CERT),
         *leaf = help_pem(c, TLSOCK_PART_CERT), *text, *json;
    size_t size = strlen(inter) + strlen(leaf) + 1;

    (void)state;
    text = malloc(size);
    snprintf(text, size, "%s%s", inter, leaf); /* the wrong way round */
    bag = tlsock_cert_parse(text, strlen(text), NULL, NULL);
    assert_non_null(bag);
    json = json_of(bag);
    assert_tells(json, "\"issuer_index\":null");
    assert_tells(json, "\"issuer_index\":-1");
    tlsock_cert_unref(bag);
    free(json);
    free(text);
    free(inter);
    free(leaf);
}

/* --- PEM --- */

static void pem_is_what_was_read_and_never_the_key(void **state)
{
    const unsigned both = TLSOCK_PART_CERT | TLSOCK_PART_CHAIN;
    char *want = help_pem(help_leaf(), both), text[8192], cut[100];
    int n = tlsock_cert_pem(help_leaf(), both, text, sizeof(text));

    (void)state;
    assert_int_equal(n, strlen(want));
    assert_string_equal(text, want);
    assert_int_equal(tlsock_cert_pem(help_leaf(), both, NULL, 0), n);
    assert_int_equal(tlsock_cert_pem(help_leaf(), both, cut, sizeof(cut)), n);
    assert_int_equal(strlen(cut), sizeof(cut) - 1);
    assert_int_equal(
        tlsock_cert_pem(help_alone(), TLSOCK_PART_CHAIN, text, sizeof(text)),
        0);
    assert_string_equal(text, "");
    assert_code(tlsock_cert_pem(help_leaf(), TLSOCK_PART_KEY, text, 9),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_cert_pem(help_leaf(), 0, text, 9), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_cert_pem(NULL, both, text, 9), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_cert_pem(help_leaf(), both, NULL, 9), TLSOCK_E_ARGUMENT);
    assert_int_equal(tlsock_cert_has_key(help_leaf()), 1);
    assert_int_equal(tlsock_cert_has_key(NULL), 0);
    free(want);
}

static void key_ids_are_fields(void **state)
{
    (void)state;
    assert_string_equal(
        tlsock_cert_field(help_leaf(), TLSOCK_CERT_ISSUER_KEY_ID),
        tlsock_cert_field(help_inter(), TLSOCK_CERT_KEY_ID));
    assert_int_equal(
        strlen(tlsock_cert_field(help_inter(), TLSOCK_CERT_KEY_ID)), 40);
}

/* --- kinds --- */

static int der_kind(unsigned char **der, int len)
{
    int kind = tlsock_data_kind(*der, (size_t)len);

    /* a byte too few or too many is nothing */
    assert_int_equal(tlsock_data_kind(*der, (size_t)len - 1), 0);
    OPENSSL_free(*der);
    *der = NULL;
    return kind;
}

static void der_is_told_by_its_content(void **state)
{
    EVP_PKEY *key = help_leaf()->key;
    unsigned char *der = NULL;
    X509_REQ *req = X509_REQ_new();
    X509_CRL *crl = X509_CRL_new();
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(key);
    PKCS12 *p12 =
        PKCS12_create("x", "x", key, help_leaf()->leaf, NULL, 0, 0, 0, 0, 0);
    X509_SIG *sealed =
        PKCS8_encrypt(-1, EVP_aes_128_cbc(), "x", 1, NULL, 0, 1, p8);
    ASN1_TIME *t = ASN1_TIME_set(NULL, 0);
    int n;

    (void)state;
    X509_REQ_set_pubkey(req, key);
    X509_REQ_sign(req, key, EVP_sha256());
    X509_CRL_set1_lastUpdate(crl, t);
    X509_CRL_sign(crl, key, EVP_sha256());
    n = i2d_X509(help_leaf()->leaf, &der);
    assert_int_equal(der_kind(&der, n), TLSOCK_KIND_CERT);
    n = i2d_X509_REQ(req, &der);
    assert_int_equal(der_kind(&der, n), TLSOCK_KIND_CSR);
    n = i2d_X509_CRL(crl, &der);
    assert_int_equal(der_kind(&der, n), TLSOCK_KIND_CRL);
    n = i2d_PKCS12(p12, &der);
    assert_int_equal(der_kind(&der, n), TLSOCK_KIND_PKCS12);
    n = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
    assert_int_equal(der_kind(&der, n), TLSOCK_KIND_KEY);
    n = i2d_PrivateKey(key, &der);
    assert_int_equal(der_kind(&der, n), TLSOCK_KIND_KEY);
    n = i2d_X509_SIG(sealed, &der);
    assert_int_equal(der_kind(&der, n),
                     TLSOCK_KIND_KEY | TLSOCK_KIND_ENCRYPTED);
    n = i2d_PUBKEY(key, &der);
    assert_int_equal(der_kind(&der, n), TLSOCK_KIND_PUBLIC);
    assert_true(ERR_peek_error() == 0);
    ASN1_TIME_free(t);
    X509_SIG_free(sealed);
    PKCS12_free(p12);
    PKCS8_PRIV_KEY_INFO_free(p8);
    X509_CRL_free(crl);
    X509_REQ_free(req);
}

#define BLOCK(label, head)                                                     \
    "-----BEGIN " label "-----\n" head "AAAA\n-----END " label "-----\n"

static void pem_is_told_by_its_labels(void **state)
{
    static const struct {
        const char *text;
        int kind;
    } cases[] = {
        {BLOCK("CERTIFICATE", ""), TLSOCK_KIND_CERT},
        {BLOCK("TRUSTED CERTIFICATE", ""), TLSOCK_KIND_CERT},
        {BLOCK("CERTIFICATE REQUEST", ""), TLSOCK_KIND_CSR},
        {BLOCK("NEW CERTIFICATE REQUEST", ""), TLSOCK_KIND_CSR},
        {BLOCK("X509 CRL", ""), TLSOCK_KIND_CRL},
        {BLOCK("PKCS7", ""), TLSOCK_KIND_PKCS7},
        {BLOCK("PUBLIC KEY", ""), TLSOCK_KIND_PUBLIC},
        {BLOCK("PRIVATE KEY", ""), TLSOCK_KIND_KEY},
        {BLOCK("EC PRIVATE KEY", ""), TLSOCK_KIND_KEY},
        {BLOCK("ENCRYPTED PRIVATE KEY", ""),
         TLSOCK_KIND_KEY | TLSOCK_KIND_ENCRYPTED},
        {BLOCK("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\n"),
         TLSOCK_KIND_KEY | TLSOCK_KIND_ENCRYPTED},
        {BLOCK("PRIVATE KEY", "") BLOCK("CERTIFICATE", ""),
         TLSOCK_KIND_KEY | TLSOCK_KIND_CERT},
        {BLOCK("PGP MESSAGE", ""), 0},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n", 0},
        {"0 is no DER", 0},
        {"text", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int kind = tlsock_data_kind(cases[i].text, strlen(cases[i].text));

        if (kind != cases[i].kind)
            fail_msg("%s is %d, not %d", cases[i].text, cases[i].kind, kind);
    }
    assert_int_equal(tlsock_data_kind(NULL, 1), 0);
    assert_int_equal(tlsock_data_kind("x", 0), 0);
}

/* --- keys --- */

static const char *key_path, *sealed_path;

static void keys_are_told_without_their_secrets(void **state)
{
    tlsock_error err = {0};
    char text[2048], cut[64];
    int n = tlsock_key_json(key_path, NULL, text, sizeof(text), &err);

    (void)state;
    assert_int_equal(n, strlen(text));
    assert_tells(text, "{\"schema\":\"tlsock.key/1\",\"key_type\":\"ECDSA "
                       "P-256\"");
    assert_tells(text, "\"encrypted\":false");
    assert_tells(text, tlsock_cert_field(help_leaf(), TLSOCK_CERT_PIN));
    assert_null(strstr(text, "PRIVATE"));
    assert_int_equal(tlsock_key_json(key_path, NULL, NULL, 0, &err), n);
    assert_int_equal(tlsock_key_json(key_path, NULL, cut, sizeof(cut), &err),
                     n);
    assert_int_equal(strlen(cut), sizeof(cut) - 1);
    assert_true(tlsock_key_json(sealed_path, "env:TEST_PASS", text,
                                sizeof(text), &err) > 0);
    assert_tells(text, "\"encrypted\":true");
}

static void keys_that_cannot_be_told_say_why(void **state)
{
    const char *cert = help_text("known-cert.pem", BLOCK("CERTIFICATE", ""));
    const struct {
        const char *uri, *pass;
        int code;
    } cases[] = {
        {sealed_path, NULL, TLSOCK_E_PASSWORD},
        {sealed_path, "env:TEST_WRONG", TLSOCK_E_PASSWORD},
        {cert, NULL, TLSOCK_E_OWN_FILE},
        {"/nowhere/x", NULL, TLSOCK_E_OWN_FILE},
        {NULL, NULL, TLSOCK_E_ARGUMENT},
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_error err = {0};
        int rc = tlsock_key_json(cases[i].uri, cases[i].pass, text,
                                 sizeof(text), &err);

        if (rc != cases[i].code || err.code != rc || err.hint[0] == '\0')
            fail_msg("case %zu: %d \"%s\" \"%s\"", i, rc, err.message,
                     err.hint);
    }
    assert_code(tlsock_key_json(key_path, NULL, NULL, 9, NULL),
                TLSOCK_E_ARGUMENT);
}

/* --- no memory --- */

static int key_job(tlsock_error *err)
{
    char text[2048];
    int rc = tlsock_key_json(key_path, NULL, text, sizeof(text), err);

    return rc < 0 ? rc : 0;
}

static int json_job(tlsock_error *err)
{
    static const unsigned char policy[] = {0x30, 0x07, 0x30, 0x05, 0x06,
                                           0x03, 0x2a, 0x03, 0x04};
    static tlsock_cert *c;
    int rc;

    if (c == NULL) {
        c = with_extension("2.5.29.32", policy, sizeof(policy));
        return TLSOCK_E_NOMEM; /* made under fault: not this one's turn */
    }
    if (err == NULL) {
        tlsock_cert_unref(c);
        c = NULL;
        return 0;
    }
    rc = tlsock_cert_json(c, NULL, 0);
    err->code = rc < 0 ? rc : 0;
    return err->code;
}

static void own_allocations_may_fail_anywhere(void **state)
{
    static int (*const jobs[])(tlsock_error *) = {key_job, json_job};

    (void)state;
    json_job(&(tlsock_error){0});
    for (size_t i = 0; i < COUNT(jobs); i++) {
        for (long n = 1;; n++) {
            tlsock_error err = {0};
            int rc, hit;

            fault_arm(FAULT_OWN, n, 1);
            rc = jobs[i](&err);
            hit = fault_disarm();
            assert_true(ERR_peek_error() == 0);
            if (!hit) {
                assert_code(rc, 0);
                assert_true(n > 1);
                break;
            }
            if (rc != TLSOCK_E_NOMEM || err.code != rc)
                fail_msg("job %zu, allocation %ld: %d", i, n, rc);
        }
    }
    json_job(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_in_a_certificate_is_told),
        cmocka_unit_test(limits_of_a_ca_are_told),
        cmocka_unit_test(timestamps_of_logs_are_told),
        cmocka_unit_test(extensions_that_are_no_sense_do_no_harm),
        cmocka_unit_test(ten_thousand_names_are_ten_times_a_thousand),
        cmocka_unit_test(a_chain_knows_who_signed_whom),
        cmocka_unit_test(pem_is_what_was_read_and_never_the_key),
        cmocka_unit_test(key_ids_are_fields),
        cmocka_unit_test(der_is_told_by_its_content),
        cmocka_unit_test(pem_is_told_by_its_labels),
        cmocka_unit_test(keys_are_told_without_their_secrets),
        cmocka_unit_test(keys_that_cannot_be_told_say_why),
        cmocka_unit_test(own_allocations_may_fail_anywhere),
    };
    tlsock_error err = {0};
    int rc;

    fault_init();
    setenv("TEST_PASS", "sesame", 1);
    setenv("TEST_WRONG", "open", 1);
    key_path = strdup(help_path("known.key"));
    sealed_path = strdup(help_path("known-sealed.key"));
    if (tlsock_cert_save(help_leaf(), TLSOCK_PART_KEY, 0, key_path, NULL,
                         &err) != 0 ||
        tlsock_cert_save(help_leaf(), TLSOCK_PART_KEY, 0, sealed_path,
                         "env:TEST_PASS", &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    free((char *)(uintptr_t)key_path);
    free((char *)(uintptr_t)sealed_path);
    help_end();
    return rc;
}
