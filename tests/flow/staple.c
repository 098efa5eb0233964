/* A stapled OCSP response is asked for by default and judged when it comes. */
#include "ca.h"
#include "cert/cert.h"
#include "raw.h"

#include <openssl/ocsp.h>
#include <time.h>

/* A response about one certificate, signed by its issuer (or an impostor). */
static size_t respond(unsigned char **der, const tlsock_cert *about,
                      const tlsock_cert *issuer, const tlsock_cert *signer,
                      int status, int hours)
{
    OCSP_BASICRESP *bs = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), about->leaf, issuer->leaf);
    ASN1_TIME *from = X509_gmtime_adj(NULL, (hours - 25) * 3600);
    ASN1_TIME *to = X509_gmtime_adj(NULL, hours * 3600);
    ASN1_TIME *when = X509_gmtime_adj(NULL, -86400);
    OCSP_RESPONSE *resp;
    int len;

    assert_non_null(OCSP_basic_add1_status(
        bs, id, status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
        status == V_OCSP_CERTSTATUS_REVOKED ? when : NULL, from, to));
    assert_int_equal(OCSP_basic_sign(bs, signer->leaf, signer->key,
                                     EVP_sha256(), NULL, 0), 1);
    resp = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, bs);
    *der = NULL;
    len = i2d_OCSP_RESPONSE(resp, der);
    assert_true(len > 0);
    OCSP_RESPONSE_free(resp);
    OCSP_BASICRESP_free(bs);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    ASN1_TIME_free(when);
    return (size_t)len;
}

static int shake(tlsock_config *cc, const unsigned char *der, size_t len,
                 struct peer *p)
{
    struct raw_opts raw = {.cert = ca_get()->a, .staple = der,
                           .staple_len = len};
    SSL *ssl = raw_new(SERVER, &raw);

    peer_init(p);
    raw_on_end(ssl, &p->ends[SERVER]);
    assert_int_equal(peer_open(p, cc, NULL, "a.test"), 0);
    raw_shake(p, CLIENT, ssl, NULL);
    raw_free(ssl);
    return p->rc[CLIENT];
}

static void staples_are_judged(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        const char *claim, *option;
        const tlsock_cert *about, *signer;
        int status, hours, code;
    } rows[] = {
        {"good", "staple", ca->a, ca->inter, V_OCSP_CERTSTATUS_GOOD, 24, 0},
        {"revoked", "staple", ca->a, ca->inter, V_OCSP_CERTSTATUS_REVOKED, 24,
         TLSOCK_E_REVOKED},
        {"old", "staple", ca->a, ca->inter, V_OCSP_CERTSTATUS_GOOD, -24,
         TLSOCK_E_STAPLE},
        {"forged", "staple", ca->a, ca->stranger_root, V_OCSP_CERTSTATUS_GOOD,
         24, TLSOCK_E_STAPLE},
        {"of another", "staple", ca->b, ca->inter, V_OCSP_CERTSTATUS_GOOD, 24,
         TLSOCK_E_STAPLE},
        {"unknown", "staple", ca->a, ca->inter, V_OCSP_CERTSTATUS_UNKNOWN, 24,
         TLSOCK_E_STAPLE},
        {"good and a must", "must-staple", ca->a, ca->inter,
         V_OCSP_CERTSTATUS_GOOD, 24, 0},
        {"not looked at", "off", ca->a, ca->inter, V_OCSP_CERTSTATUS_REVOKED,
         24, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("revocation", rows[i].option, NULL);
        unsigned char *der;
        size_t len = respond(&der, rows[i].about, ca->inter, rows[i].signer,
                             rows[i].status, rows[i].hours);
        struct peer p;
        int rc = shake(cc, der, len, &p);

        if (rc != rows[i].code)
            fail_msg("%s: %s %s", rows[i].claim, tlsock_errname(rc),
                     p.err[CLIENT].message);
        if (rc != 0)
            assert_true(p.err[CLIENT].hint[0] != '\0');
        else if (strcmp(rows[i].option, "off") != 0)
            assert_memory_equal(
                tlsock_info(p.conn[CLIENT], TLSOCK_INFO_REVOCATION), "good",
                4);
        peer_free(&p);
        OPENSSL_free(der);
        tlsock_config_unref(cc);
    }
}

static void a_staple_that_is_no_staple_is_refused(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    struct peer p;

    (void)state;
    assert_code(shake(cc, (const unsigned char *)"\x30\x03rot", 5, &p),
                TLSOCK_E_STAPLE);
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void no_staple_is_fine_unless_it_must_be(void **state)
{
    static const struct {
        const char *option;
        int code;
    } rows[] = {{"staple", 0}, {"must-staple", TLSOCK_E_MUST_STAPLE},
                {"off", 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("revocation", rows[i].option, NULL);
        struct peer p;

        assert_code(shake(cc, NULL, 0, &p), rows[i].code);
        peer_free(&p);
        tlsock_config_unref(cc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(staples_are_judged),
        cmocka_unit_test(a_staple_that_is_no_staple_is_refused),
        cmocka_unit_test(no_staple_is_fine_unless_it_must_be),
    };

    return cmocka_run_group_tests_name("staple", tests, ca_setup, ca_teardown);
}
