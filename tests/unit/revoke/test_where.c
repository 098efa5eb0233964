/* Where more is to be found, by certificates with odd extensions; what is asked
 * there, and the URL of it. */
#include "made.h"

#include "core/mem.h"
#include "fault.h"
#include "revoke/ocspask.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

typedef int lookup(X509 *cert, int i, char *out, size_t size);

static X509 *with(const char *more)
{
    return pki_make(&(struct pki_spec){
        .cn = "a.test", .san = "DNS:a.test", .key = KEY_LEAF, .more = more});
}

/* Every URL of one kind, with a blank behind each. */
static void collect(X509 *cert, lookup *fn, char *all, size_t size)
{
    char url[TSK_URL_MAX];
    int n = 0, rc;

    all[0] = '\0';
    while ((rc = fn(cert, n++, url, sizeof(url))) == 1) {
        assert_true(strlen(all) + strlen(url) + 2 < size);
        strcat(all, url);
        strcat(all, " ");
    }
    assert_int_equal(rc, 0);
    assert_true(n <= TSK_URLS_MAX + 1);
}

static const struct {
    const char *claim, *more;
    lookup *fn;
    const char *want;
} rows[] = {
    {"one list", "crlDistributionPoints=URI:http://a.test/c.crl", tsk_dp_url,
     "http://a.test/c.crl "},
    {"several", "crlDistributionPoints=URI:http://a/1,URI:http://b/2",
     tsk_dp_url, "http://a/1 http://b/2 "},
    {"other schemes are passed over",
     "crlDistributionPoints=URI:ldap://a/x,URI:https://b/1,URI:HTTP://c/2",
     tsk_dp_url, "HTTP://c/2 "},
    {"a blank, a tab, a letter that is no ASCII: no URLs",
     "crlDistributionPoints=URI:http://a/\x20y,URI:http://a/\x09y,"
     "URI:http://\xc3\xa4/,URI:http://ok/",
     tsk_dp_url, "http://ok/ "},
    {"no host", "crlDistributionPoints=URI:http://,URI:http:///x", tsk_dp_url,
     ""},
    {"other kinds of names",
     "crlDistributionPoints=DNS:a.test,email:a@a.test,URI:http://ok/",
     tsk_dp_url, "http://ok/ "},
    {"at most eight",
     "crlDistributionPoints=URI:http://a/1,URI:http://a/2,URI:http://a/3,"
     "URI:http://a/4,URI:http://a/5,URI:http://a/6,URI:http://a/7,"
     "URI:http://a/8,URI:http://a/9",
     tsk_dp_url,
     "http://a/1 http://a/2 http://a/3 http://a/4 http://a/5 http://a/6 "
     "http://a/7 http://a/8 "},
    {"of other schemes, too",
     "crlDistributionPoints=URI:ldap:1,URI:ldap:2,URI:ldap:3,URI:ldap:4,"
     "URI:ldap:5,URI:ldap:6,URI:ldap:7,URI:ldap:8,URI:http://a/9",
     tsk_dp_url, ""},
    {"no extension", NULL, tsk_dp_url, ""},
    {"no extension, deltas", NULL, tsk_dp_fresh_url, ""},
    {"no extension, OCSP", NULL, tsk_ocsp_url, ""},
    {"that is none", "crlDistributionPoints=DER:0500", tsk_dp_url, ""},
    {"that is cut short", "crlDistributionPoints=DER:30203020", tsk_dp_url, ""},
    {"a NUL within",
     /* http://a(NUL) */
     "crlDistributionPoints=DER:3011300fa00da00b8609687474703a2f2f6100",
     tsk_dp_url, ""},
    {"a point without a name", "crlDistributionPoints=DER:30023000", tsk_dp_url,
     ""},
    {"relative to the issuer",
     "crlDistributionPoints=DER:3011300fa00da10b300906035504030c026361",
     tsk_dp_url, ""},
    {"a delta", "freshestCRL=URI:http://a.test/d.crl", tsk_dp_fresh_url,
     "http://a.test/d.crl "},
    {"a delta is no list", "freshestCRL=URI:http://a.test/d.crl", tsk_dp_url,
     ""},
    {"responder", "authorityInfoAccess=OCSP;URI:http://o.test", tsk_ocsp_url,
     "http://o.test "},
    {"responder among issuers",
     "authorityInfoAccess=caIssuers;URI:http://i.test/ca.cer,"
     "OCSP;URI:http://o.test/,OCSP;URI:http://p.test/",
     tsk_ocsp_url, "http://o.test/ http://p.test/ "},
    {"issuer among responders",
     "authorityInfoAccess=OCSP;URI:http://o.test/,"
     "caIssuers;URI:http://i.test/ca.cer",
     tsk_aia_url, "http://i.test/ca.cer "},
    {"by https one would have to verify in order to verify",
     "authorityInfoAccess=OCSP;URI:https://o.test/", tsk_ocsp_url, ""},
    {"another way", "authorityInfoAccess=1.2.3.4;URI:http://o.test/",
     tsk_ocsp_url, ""},
    {"no name for a URL", "authorityInfoAccess=OCSP;DNS:o.test", tsk_ocsp_url,
     ""},
    {"no access at all", "authorityInfoAccess=DER:3000", tsk_aia_url, ""},
};

static void urls_are_what_the_certificate_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        X509 *cert = with(rows[i].more);
        char all[1024];

        collect(cert, rows[i].fn, all, sizeof(all));
        if (strcmp(all, rows[i].want) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", rows[i].claim, all,
                     rows[i].want);
        X509_free(cert);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void a_url_has_to_fit(void **state)
{
    X509 *cert = with("crlDistributionPoints=URI:http://a.test/,URI:http://b");
    char url[16];

    (void)state;
    assert_int_equal(tsk_dp_url(cert, 0, url, 15), 1);
    assert_string_equal(url, "http://a.test/");
    assert_int_equal(tsk_dp_url(cert, 0, url, 14), 1);
    assert_string_equal(url, "http://b");
    assert_int_equal(tsk_dp_url(cert, 0, url, 8), 0);
    X509_free(cert);
}

static void memory_that_fails_is_not_no_url(void **state)
{
    X509 *cert = with("authorityInfoAccess=OCSP;URI:http://o.test,"
                      "caIssuers;URI:http://i.test");
    char url[64];
    int hit = 1;

    (void)state;
    for (long n = 1; hit && n < 1000; n++) {
        int rc;

        fault_arm(FAULT_OPENSSL, n, 1);
        rc = tsk_ocsp_url(cert, 0, url, sizeof(url));
        hit = fault_disarm();
        assert_int_equal(rc, hit ? TLSOCK_E_NOMEM : 1);
    }
    X509_free(cert);
    cert = with("crlDistributionPoints=URI:http://o.test");
    for (long n = 1, more = 1; more && n < 1000; n++) {
        int rc;

        fault_arm(FAULT_OPENSSL, n, 1);
        rc = tsk_dp_url(cert, 0, url, sizeof(url));
        more = fault_disarm();
        assert_int_equal(rc, more ? TLSOCK_E_NOMEM : 1);
    }
    assert_int_equal(ERR_peek_error(), 0);
    X509_free(cert);
}

static OCSP_REQUEST *asked(const unsigned char *nonce, size_t len)
{
    struct tsk_buf der = {0};
    tlsock_error err = {0};
    const unsigned char *p;
    OCSP_REQUEST *req;

    assert_code(
        tsk_ocsp_ask(made.leaf->leaf, made.ca->leaf, nonce, len, &der, &err),
        0);
    p = tsk_buf_at(&der);
    req = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);
    assert_non_null(req);
    assert_ptr_equal(p, tsk_buf_at(&der) + der.len);
    tsk_buf_free(&der);
    return req;
}

static void a_request_names_the_certificate(void **state)
{
    OCSP_REQUEST *req = asked(NULL, 0);
    ASN1_OBJECT *md = NULL;
    OCSP_CERTID *id;

    (void)state;
    assert_int_equal(OCSP_request_onereq_count(req), 1);
    assert_int_equal(OCSP_REQUEST_get_ext_count(req), 0);
    assert_int_equal(OCSP_request_is_signed(req), 0);
    id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(req, 0));
    OCSP_id_get0_info(NULL, &md, NULL, NULL, id);
    assert_int_equal(OBJ_obj2nid(md), NID_sha1);
    {
        OCSP_CERTID *want =
            OCSP_cert_to_id(EVP_sha1(), made.leaf->leaf, made.ca->leaf);

        assert_int_equal(OCSP_id_cmp(id, want), 0);
        OCSP_CERTID_free(want);
    }
    OCSP_REQUEST_free(req);
}

static void a_nonce_is_an_octet_string_of_its_length(void **state)
{
    static const unsigned char nonce[128] = {0, 1, 2};
    static const size_t lengths[] = {1, 32, 128};

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        OCSP_REQUEST *req = asked(nonce, lengths[i]);
        int at = OCSP_REQUEST_get_ext_by_NID(req, NID_id_pkix_OCSP_Nonce, -1);
        const ASN1_OCTET_STRING *outer =
            X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(req, at));
        const unsigned char *p = ASN1_STRING_get0_data(outer);
        ASN1_OCTET_STRING *s =
            d2i_ASN1_OCTET_STRING(NULL, &p, ASN1_STRING_length(outer));

        assert_non_null(s);
        assert_int_equal(ASN1_STRING_length(s), (int)lengths[i]);
        assert_memory_equal(ASN1_STRING_get0_data(s), nonce, lengths[i]);
        ASN1_OCTET_STRING_free(s);
        OCSP_REQUEST_free(req);
    }
}

static void a_nonce_of_another_length_is_refused(void **state)
{
    static const unsigned char nonce[129];
    static const size_t lengths[] = {0, 129};

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct tsk_buf der = {0};
        tlsock_error err = {0};

        assert_code(tsk_ocsp_ask(made.leaf->leaf, made.ca->leaf, nonce,
                                 lengths[i], &der, &err),
                    TLSOCK_E_ARGUMENT);
        assert_int_equal(der.len, 0);
        assert_tells(err.hint, "128");
    }
}

static void a_request_without_memory_is_no_request(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL,
                                            FAULT_REFUSED};
    static const unsigned char nonce[32];
    struct tsk_buf want = {0};

    (void)state;
    tsk_ocsp_ask(made.leaf->leaf, made.ca->leaf, nonce, 32, &want, NULL);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        int hit = 1;

        for (long n = 1; hit && n < 1000; n++) {
            struct tsk_buf der = {0};
            tlsock_error err = {0};
            int rc;

            fault_arm(kinds[i], n, 1);
            rc = tsk_ocsp_ask(made.leaf->leaf, made.ca->leaf, nonce, 32, &der,
                              &err);
            hit = fault_disarm();
            assert_true(rc == 0 || (hit && rc == TLSOCK_E_NOMEM));
            assert_int_equal(err.code, rc);
            assert_int_equal(der.len, rc == 0 ? want.len : 0);
            assert_memory_equal(tsk_buf_at(&der), tsk_buf_at(&want), der.len);
            tsk_buf_free(&der);
        }
        assert_int_equal(hit, 0);
    }
    tsk_buf_free(&want);
    assert_int_equal(ERR_peek_error(), 0);
}

/* RFC 6960, A.1: base64, then what a path may hold. */
static void a_get_is_base64_in_a_path(void **state)
{
    static const struct {
        const char *claim, *base, *bytes;
        size_t len, size;
        const char *want; /* NULL: POST */
    } gets[] = {
        {"plain", "http://o.test/", "abc", 3, 255, "http://o.test/YWJj"},
        {"no slash", "http://o.test", "abc", 3, 255, "http://o.test/YWJj"},
        {"a path", "http://o.test/p", "abc", 3, 255, "http://o.test/p/YWJj"},
        {"a sign of each kind", "http://o.test", "\xfb\xef\xff\x01", 4, 255,
         "http://o.test/%2B%2B%2F%2FAQ%3D%3D"},
        {"a query", "http://o.test/?a", "abc", 3, 255, NULL},
        {"a fragment", "http://o.test/#a", "abc", 3, 255, NULL},
        {"no room", "http://o.test", "abc", 3, 18, NULL},
        {"just room", "http://o.test", "abc", 3, 19, "http://o.test/YWJj"},
        {"no room for an escape", "http://o.test", "\xff\xff\xff", 3, 26, NULL},
        {"no room for the base", "http://o.test", "abc", 3, 14, NULL},
        {"no base", "", "abc", 3, 255, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(gets); i++) {
        struct tsk_buf der = {0};
        char *url = malloc(gets[i].size); /* a sanitizer watches its end */

        assert_int_equal(tsk_buf_add(&der, gets[i].bytes, gets[i].len), 0);
        if (tsk_ocsp_get_url(gets[i].base, &der, url, gets[i].size) !=
            (gets[i].want != NULL))
            fail_msg("%s", gets[i].claim);
        if (gets[i].want != NULL)
            assert_string_equal(url, gets[i].want);
        tsk_buf_free(&der);
        free(url);
    }
}

static void what_is_too_long_for_a_get_is_posted(void **state)
{
    struct tsk_buf der = {0};
    char url[1024];
    int rc = 1;
    size_t n = 0, longest = 0;

    (void)state;
    for (; n < 200; n++) {
        rc = tsk_ocsp_get_url("http://o.test", &der, url, sizeof(url));
        if (rc == 1)
            longest = strlen(url);
        assert_int_equal(rc, der.len <= 180);
        assert_int_equal(tsk_buf_add(&der, "\0\0", 3), 0); /* no padding */
    }
    assert_int_equal(rc, 0);
    assert_int_equal(longest, 14 + 240);
    tsk_buf_free(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_what_the_certificate_says),
        cmocka_unit_test(a_url_has_to_fit),
        cmocka_unit_test(memory_that_fails_is_not_no_url),
        cmocka_unit_test(a_request_names_the_certificate),
        cmocka_unit_test(a_nonce_is_an_octet_string_of_its_length),
        cmocka_unit_test(a_nonce_of_another_length_is_refused),
        cmocka_unit_test(a_request_without_memory_is_no_request),
        cmocka_unit_test(a_get_is_base64_in_a_path),
        cmocka_unit_test(what_is_too_long_for_a_get_is_posted),
    };

    fault_init();
    return cmocka_run_group_tests_name("where", tests, made_setup,
                                       made_teardown);
}
