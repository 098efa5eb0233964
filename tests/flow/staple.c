/* A stapled OCSP response is asked for by default and judged when it comes. */
#include "ca.h"
#include "cert/cert.h"
#include "raw.h"

#include <openssl/ocsp.h>
#include <time.h>

#define GOOD V_OCSP_CERTSTATUS_GOOD
#define REVOKED V_OCSP_CERTSTATUS_REVOKED
#define UNKNOWN V_OCSP_CERTSTATUS_UNKNOWN

/* Responders, and a certificate that promises a staple. */
static tlsock_cert *responder, *no_eku, *strangers, *must;

static tlsock_cert *issue(const tlsock_cert *issuer, const char *purpose)
{
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=Responder", .issuer = issuer,
                         .purpose = purpose),
        NULL);

    assert_non_null(c);
    return c;
}

static int setup(void **state)
{
    static const char *const feature[] = {"tlsfeature=status_request"};
    const char *sans[] = {"a.test"};
    const struct test_ca *ca;

    if (ca_setup(state) != 0)
        return -1;
    ca = ca_get();
    responder = issue(ca->inter, "OCSPSigning");
    no_eku = issue(ca->inter, "client");
    strangers = issue(ca->stranger_root, "OCSPSigning");
    must = tlsock_cert_create(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1,
                                               .issuer = ca->inter,
                                               .ext = feature, .n_ext = 1),
                              NULL);
    assert_non_null(must);
    return 0;
}

static int teardown(void **state)
{
    tlsock_cert_unref(responder);
    tlsock_cert_unref(no_eku);
    tlsock_cert_unref(strangers);
    tlsock_cert_unref(must);
    return ca_teardown(state);
}

struct staple {
    const tlsock_cert *about;  /* NULL: a.test */
    const tlsock_cert *signer; /* NULL: its issuer */
    int status;
    int from_h, to_h; /* of validity, from now; both 0: -1 and 24 */
    int no_end;       /* no nextUpdate */
    int sha1;         /* the signature's hash */
    int flip;         /* one bit of the signature */
    int nonce;        /* that nobody asked for */
};

static ASN1_TIME *in_hours(int h)
{
    return X509_gmtime_adj(NULL, (long)h * 3600);
}

static OCSP_BASICRESP *fill(const struct staple *s)
{
    const tlsock_cert *about = s->about != NULL ? s->about : ca_get()->a;
    int dated = s->from_h != 0 || s->to_h != 0;
    OCSP_BASICRESP *bs = OCSP_BASICRESP_new();
    OCSP_CERTID *id =
        OCSP_cert_to_id(EVP_sha1(), about->leaf, ca_get()->inter->leaf);
    ASN1_TIME *from = in_hours(dated ? s->from_h : -1);
    ASN1_TIME *to = in_hours(dated ? s->to_h : 24), *when = in_hours(-48);

    assert_non_null(OCSP_basic_add1_status(
        bs, id, s->status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
        s->status == REVOKED ? when : NULL, from, s->no_end ? NULL : to));
    if (s->nonce)
        assert_int_equal(
            OCSP_basic_add1_nonce(bs, (unsigned char *)"0123456789", 10), 1);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    ASN1_TIME_free(when);
    return bs;
}

static size_t respond(const struct staple *s, unsigned char **der)
{
    const tlsock_cert *by = s->signer != NULL ? s->signer : ca_get()->inter;
    OCSP_BASICRESP *bs = fill(s);
    OCSP_RESPONSE *resp;
    int len;

    assert_int_equal(OCSP_basic_sign(bs, by->leaf, by->key,
                                     s->sha1 ? EVP_sha1() : EVP_sha256(), NULL,
                                     0),
                     1);
    if (s->flip) {
        const ASN1_OCTET_STRING *sig = OCSP_resp_get0_signature(bs);

        sig->data[sig->length - 1] ^= 1;
    }
    resp = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, bs);
    *der = NULL;
    len = i2d_OCSP_RESPONSE(resp, der);
    assert_true(len > 0);
    OCSP_RESPONSE_free(resp);
    OCSP_BASICRESP_free(bs);
    return (size_t)len;
}

/* The client's end of a handshake with a server that staples these bytes. */
static int shake(tlsock_config *cc, const tlsock_cert *cert,
                 const unsigned char *der, size_t len, struct peer *p)
{
    struct raw_opts raw = {.cert = cert, .staple = der, .staple_len = len};
    SSL *ssl = raw_new(SERVER, &raw);

    peer_init(p);
    raw_on_end(ssl, &p->ends[SERVER]);
    assert_int_equal(peer_open(p, cc, NULL, "a.test"), 0);
    raw_shake(p, CLIENT, ssl, NULL);
    raw_free(ssl);
    return p->rc[CLIENT];
}

struct row {
    const char *claim, *option;
    struct staple s;
    int code;
    const char *told;
};

static void try_row(const struct row *row, const char *version)
{
    tlsock_config *cc = ca_client("revocation", row->option, "tls.min", version,
                                  "tls.max", version, NULL);
    const tlsock_cert *about =
        row->s.about == must ? must : ca_get()->a; /* what the server shows */
    unsigned char *der;
    size_t len = respond(&row->s, &der);
    struct peer p;
    int rc = shake(cc, about, der, len, &p);

    if (rc != row->code)
        fail_msg("%s, TLS %s: %s %s", row->claim, version, tlsock_errname(rc),
                 p.err[CLIENT].message);
    if (rc != 0) {
        assert_tells(p.err[CLIENT].message, row->told);
        assert_true(p.err[CLIENT].hint[0] != '\0');
        assert_int_equal(p.err[CLIENT].phase, TLSOCK_PHASE_VERIFY);
    } else {
        assert_tells(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_REVOCATION),
                     row->told);
    }
    peer_free(&p);
    OPENSSL_free(der);
    tlsock_config_unref(cc);
}

static void staples_are_judged(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct row rows[] = {
        {"good", "staple", {.status = GOOD}, 0, "good by staple, as of 2"},
        {"good, no end", "staple", {.status = GOOD, .no_end = 1}, 0, "good"},
        {"good and a must", "must-staple", {.status = GOOD}, 0, "good"},
        {"good and promised",
         "staple",
         {.about = must, .status = GOOD},
         0,
         "good"},
        {"delegated", "staple", {.signer = responder}, 0, "good"},
        {"a nonce that nobody sent", "staple", {.nonce = 1}, 0, "good"},
        {"revoked",
         "staple",
         {.status = REVOKED},
         TLSOCK_E_REVOKED,
         "keyCompromise"},
        {"revoked, delegated",
         "staple",
         {.status = REVOKED, .signer = responder},
         TLSOCK_E_REVOKED,
         "was revoked on 2"},
        {"revoked, by a response of last week",
         "staple",
         {.status = REVOKED, .from_h = -200, .to_h = -100},
         TLSOCK_E_REVOKED,
         "keyCompromise"},
        {"expired",
         "staple",
         {.from_h = -49, .to_h = -24},
         TLSOCK_E_STAPLE,
         "expired at"},
        {"expired and a must",
         "must-staple",
         {.from_h = -49, .to_h = -24},
         TLSOCK_E_STAPLE,
         "expired at"},
        {"too old, no end",
         "staple",
         {.from_h = -24 * 11, .to_h = 1, .no_end = 1},
         TLSOCK_E_STAPLE,
         "too old"},
        {"of the future",
         "staple",
         {.from_h = 2, .to_h = 24},
         TLSOCK_E_STAPLE,
         "valid only from"},
        {"of another certificate",
         "staple",
         {.about = ca->b},
         TLSOCK_E_STAPLE,
         "another certificate"},
        {"of another certificate, which is revoked",
         "staple",
         {.about = ca->b, .status = REVOKED},
         TLSOCK_E_STAPLE,
         "another certificate"},
        {"forged: a bit of the signature",
         "staple",
         {.flip = 1},
         TLSOCK_E_STAPLE,
         "wrong signature"},
        {"forged: revoked",
         "staple",
         {.status = REVOKED, .flip = 1},
         TLSOCK_E_STAPLE,
         "wrong signature"},
        {"by another CA",
         "staple",
         {.signer = ca->stranger_root},
         TLSOCK_E_STAPLE,
         "did not appoint"},
        {"by another CA's responder",
         "staple",
         {.signer = strangers},
         TLSOCK_E_STAPLE,
         "did not appoint"},
        {"by the issuer's own issuer",
         "staple",
         {.signer = ca->root},
         TLSOCK_E_STAPLE,
         "did not appoint"},
        {"by one who is not for OCSP",
         "staple",
         {.signer = no_eku},
         TLSOCK_E_STAPLE,
         "not for OCSP"},
        {"by the server itself",
         "staple",
         {.signer = ca->a},
         TLSOCK_E_STAPLE,
         "not for OCSP"},
        {"SHA-1", "staple", {.sha1 = 1}, TLSOCK_E_STAPLE, "weak signature"},
        {"unknown",
         "staple",
         {.status = UNKNOWN},
         TLSOCK_E_STAPLE,
         "does not know"},
        {"not looked at", "off", {.status = REVOKED}, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        try_row(&rows[i], "1.2");
        try_row(&rows[i], "1.3");
    }
}

/* Some releases of OpenSSL read a staple before they hand it on. */
static void a_staple_that_is_no_staple_is_refused(void **state)
{
    static const unsigned char noise[] = {0x30, 3, 'r', 'o', 't'},
                               within[] = {
                                   0x30, 25, 0x0a, 1,  0,    0xa0, 20,
                                   0x30, 18, 6,    9,  0x2b, 6,    1,
                                   5,    5,  7,    48, 1,    1, /* basic */
                                   4,    5,  0x30, 3,  'r',  'o',  't'};
    static const struct {
        const unsigned char *der;
        size_t len;
        const char *version;
    } rows[] = {
        {noise, sizeof(noise), "1.2"},
        {noise, sizeof(noise), "1.3"},
        {within, sizeof(within), "1.2"},
        {within, sizeof(within), "1.3"},
        {noise, 1, "1.2"},
        {noise, 1, "1.3"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("tls.min", rows[i].version, "tls.max",
                                      rows[i].version, NULL);
        struct peer p;

        assert_code(shake(cc, ca_get()->a, rows[i].der, rows[i].len, &p),
                    TLSOCK_E_STAPLE);
        assert_tells(p.err[CLIENT].message, "cannot be parsed");
        assert_tells(p.err[CLIENT].hint, "stop stapling");
        assert_int_equal(p.err[CLIENT].phase, TLSOCK_PHASE_VERIFY);
        peer_free(&p);
        tlsock_config_unref(cc);
    }
}

static void no_staple_is_fine_unless_it_must_be(void **state)
{
    const struct {
        const char *claim, *option;
        const tlsock_cert *cert;
        int code;
        const char *told;
    } rows[] = {
        {"nobody promised", "staple", ca_get()->a, 0, "not checked: no staple"},
        {"the config wants it", "must-staple", ca_get()->a,
         TLSOCK_E_MUST_STAPLE, "revocation = must-staple asks"},
        {"the certificate promised", "staple", must, TLSOCK_E_MUST_STAPLE,
         "RFC 7633"},
        {"nobody asks", "off", ca_get()->a, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int v = 0; v < 2; v++) {
            const char *version = v == 0 ? "1.2" : "1.3";
            tlsock_config *cc =
                ca_client("revocation", rows[i].option, "tls.min", version,
                          "tls.max", version, NULL);
            struct peer p;

            print_message("# %s, TLS %s\n", rows[i].claim, version);
            assert_code(shake(cc, rows[i].cert, NULL, 0, &p), rows[i].code);
            assert_tells(
                rows[i].code != 0
                    ? p.err[CLIENT].message
                    : tlsock_info(p.conn[CLIENT], TLSOCK_INFO_REVOCATION),
                rows[i].told);
            peer_free(&p);
            tlsock_config_unref(cc);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(staples_are_judged),
        cmocka_unit_test(a_staple_that_is_no_staple_is_refused),
        cmocka_unit_test(no_staple_is_fine_unless_it_must_be),
    };

    return cmocka_run_group_tests_name("staple", tests, setup, teardown);
}
