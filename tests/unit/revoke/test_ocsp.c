#include "pki.h"

#include "core/clock.h"
#include "fault.h"
#include "revoke/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

static X509 *ca, *other_ca, *leaf, *other_leaf, *must_leaf;
static X509 *responder, *no_eku, *strangers, *old_responder, *self_made;
static X509 *no_signing;

static X509 *issue(const char *cn, X509 *by, enum pki_key by_key,
                   enum pki_key key, const char *eku, int from, int to)
{
    return pki_make(&(struct pki_spec){.cn = cn,
                                       .san = "DNS:a.test",
                                       .bc = PKI_LEAF_BC,
                                       .ku = "critical,digitalSignature",
                                       .eku = eku,
                                       .key = key,
                                       .issuer = by,
                                       .issuer_key = by_key,
                                       .from_days = from,
                                       .to_days = to});
}

static int setup(void **state)
{
    (void)state;
    ca = pki_make(&(struct pki_spec){
        .cn = "CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT});
    other_ca = pki_make(&(struct pki_spec){
        .cn = "Other", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_OTHER});
    leaf = issue("a.test", ca, KEY_ROOT, KEY_LEAF, "serverAuth", 0, 0);
    other_leaf = issue("b.test", ca, KEY_ROOT, KEY_LEAF, "serverAuth", 0, 0);
    must_leaf =
        pki_make(&(struct pki_spec){.cn = "Must",
                                    .san = "DNS:a.test",
                                    .key = KEY_LEAF,
                                    .issuer = ca,
                                    .issuer_key = KEY_ROOT,
                                    .more = "tlsfeature=status_request"});
    responder = issue("Resp", ca, KEY_ROOT, KEY_INTER, "OCSPSigning", 0, 0);
    no_eku = issue("No EKU", ca, KEY_ROOT, KEY_INTER, NULL, 0, 0);
    no_signing = pki_make(&(struct pki_spec){.cn = "No Signing",
                                             .bc = PKI_LEAF_BC,
                                             .ku = "critical,keyAgreement",
                                             .eku = "OCSPSigning",
                                             .key = KEY_INTER,
                                             .issuer = ca,
                                             .issuer_key = KEY_ROOT});
    strangers =
        issue("Stranger", other_ca, KEY_OTHER, KEY_INTER, "OCSPSigning", 0, 0);
    old_responder =
        issue("Old Resp", ca, KEY_ROOT, KEY_INTER, "OCSPSigning", -9, -3);
    self_made = issue("CA", NULL, KEY_INTER, KEY_INTER, "OCSPSigning", 0, 0);
    return 0;
}

static int teardown(void **state)
{
    X509 *all[] = {ca,        other_ca, leaf,      other_leaf,    must_leaf,
                   responder, no_eku,   strangers, old_responder, self_made,
                   no_signing};

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++)
        X509_free(all[i]);
    pki_free();
    return 0;
}

enum { NO_NEXT = 9999 };

struct answer {
    int status;       /* V_OCSP_CERTSTATUS_* */
    int from_h, to_h; /* thisUpdate, nextUpdate in hours; both 0: -1, 24 */
    int about_other;  /* of the CA's other certificate */
    int wrong_issuer; /* CertID made with the other CA */
    int sha256;       /* CertID's hash */
    int sha1_signed;  /* the response's signature */
    int flip;         /* damage the signature */
    X509 **signer;    /* NULL: the CA itself */
    enum pki_key signer_key;
    int two;                   /* another certificate's answer comes first */
    const EVP_MD *(*md)(void); /* CertID's hash, instead */
    int no_certs;              /* the signer's certificate is not sent */
    int odd_algorithm;         /* a signature that nobody knows */
    int no_date;               /* thisUpdate is none */
};

static ASN1_TIME *in_hours(int h)
{
    return X509_gmtime_adj(NULL, (long)h * 3600);
}

static void add_answer(OCSP_BASICRESP *basic, const struct answer *a,
                       X509 *about, int status)
{
    const EVP_MD *md = a->sha256 ? EVP_sha256() : EVP_sha1();
    OCSP_CERTID *id = OCSP_cert_to_id(a->md != NULL ? a->md() : md, about,
                                      a->wrong_issuer ? other_ca : ca);
    int dated = a->from_h != 0 || a->to_h != 0;
    ASN1_GENERALIZEDTIME *begin = NULL;
    OCSP_SINGLERESP *single;
    ASN1_TIME *from = in_hours(dated ? a->from_h : -1),
              *revoked = in_hours(-48);
    ASN1_TIME *to = a->to_h == NO_NEXT ? NULL : in_hours(dated ? a->to_h : 24);

    single = OCSP_basic_add1_status(basic, id, status,
                                    OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked,
                                    from, to);
    assert_non_null(single);
    OCSP_single_get0_status(single, NULL, NULL, &begin, NULL);
    if (a->no_date)
        assert_int_equal(ASN1_STRING_set(begin, "20261399000000Z", -1), 1);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    ASN1_TIME_free(revoked);
    OCSP_CERTID_free(id);
}

/* Who signs such a thing is asked no further: its hash may be none. */
static void rename_algorithm(OCSP_BASICRESP *basic)
{
    X509_ALGOR *alg = (X509_ALGOR *)OCSP_resp_get0_tbs_sigalg(basic);

    assert_int_equal(
        X509_ALGOR_set0(alg, OBJ_txt2obj("1.2.3.4", 1), V_ASN1_UNDEF, NULL), 1);
}

static unsigned char *make(const struct answer *a, int *len)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    X509 *signer = a->signer != NULL ? *a->signer : ca;
    OCSP_RESPONSE *resp;
    unsigned char *der = NULL;

    if (a->two)
        add_answer(basic, a, other_leaf, V_OCSP_CERTSTATUS_REVOKED);
    add_answer(basic, a, a->about_other ? other_leaf : leaf, a->status);
    assert_int_equal(OCSP_basic_sign(basic, signer, pki_key(a->signer_key),
                                     a->sha1_signed ? EVP_sha1() : EVP_sha256(),
                                     NULL, a->no_certs ? OCSP_NOCERTS : 0),
                     1);
    if (a->odd_algorithm)
        rename_algorithm(basic);
    if (a->flip) {
        const ASN1_OCTET_STRING *sig = OCSP_resp_get0_signature(basic);

        sig->data[sig->length - 1] ^= 1;
    }
    resp = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    *len = i2d_OCSP_RESPONSE(resp, &der);
    OCSP_RESPONSE_free(resp);
    OCSP_BASICRESP_free(basic);
    return der;
}

static const struct tsk_ocsp_source staple = {
    .what = "the stapled OCSP response", .code = TLSOCK_E_STAPLE};

#define GOOD V_OCSP_CERTSTATUS_GOOD
#define REVOKED V_OCSP_CERTSTATUS_REVOKED
#define UNKNOWN V_OCSP_CERTSTATUS_UNKNOWN

static const struct {
    const char *claim;
    struct answer a;
    int want;
    const char *told;
} cases[] = {
    {"good", {.status = GOOD}, 0, "good by staple, as of 20"},
    {"good, SHA-256 in the id", {.status = GOOD, .sha256 = 1}, 0, "good"},
    {"good, by a responder",
     {.status = GOOD, .signer = &responder, .signer_key = KEY_INTER},
     0,
     "good"},
    {"good, after another's answer", {.status = GOOD, .two = 1}, 0, "good"},
    {"good, without an end",
     {.status = GOOD, .from_h = -5, .to_h = NO_NEXT},
     0,
     "good"},
    {"good, from a clock slightly ahead",
     {.status = GOOD, .from_h = 0, .to_h = 5},
     0,
     "good"},
    {"revoked", {.status = REVOKED}, TLSOCK_E_REVOKED, "for reason keyComp"},
    {"revoked, by a responder",
     {.status = REVOKED, .signer = &responder, .signer_key = KEY_INTER},
     TLSOCK_E_REVOKED,
     "was revoked on 20"},
    {"revoked, an old answer",
     {.status = REVOKED, .from_h = -99, .to_h = -50},
     TLSOCK_E_REVOKED,
     "revoked"},
    {"unknown", {.status = UNKNOWN}, TLSOCK_E_STAPLE, "does not know"},
    {"expired",
     {.status = GOOD, .from_h = -48, .to_h = -24},
     TLSOCK_E_STAPLE,
     "expired at"},
    {"of the future",
     {.status = GOOD, .from_h = 2, .to_h = 24},
     TLSOCK_E_STAPLE,
     "valid only from"},
    {"without an end and old",
     {.status = GOOD, .from_h = -24 * 11, .to_h = NO_NEXT},
     TLSOCK_E_STAPLE,
     "too old"},
    {"of another certificate",
     {.status = GOOD, .about_other = 1},
     TLSOCK_E_STAPLE,
     "another certificate"},
    {"of another issuer",
     {.status = GOOD, .wrong_issuer = 1},
     TLSOCK_E_STAPLE,
     "another certificate"},
    {"forged", {.status = GOOD, .flip = 1}, TLSOCK_E_STAPLE, "wrong signature"},
    {"forged revocation",
     {.status = REVOKED, .flip = 1},
     TLSOCK_E_STAPLE,
     "wrong signature"},
    {"SHA-1 signature",
     {.status = GOOD, .sha1_signed = 1},
     TLSOCK_E_STAPLE,
     "weak"},
    {"by one without the purpose",
     {.status = GOOD, .signer = &no_eku, .signer_key = KEY_INTER},
     TLSOCK_E_STAPLE,
     "not for OCSP"},
    {"by another CA's responder",
     {.status = GOOD, .signer = &strangers, .signer_key = KEY_INTER},
     TLSOCK_E_STAPLE,
     "did not appoint"},
    {"by another CA",
     {.status = GOOD, .signer = &other_ca, .signer_key = KEY_OTHER},
     TLSOCK_E_STAPLE,
     "did not appoint"},
    {"by a CA of the same name",
     {.status = GOOD, .signer = &self_made, .signer_key = KEY_INTER},
     TLSOCK_E_STAPLE,
     ""},
    {"by the leaf itself",
     {.status = GOOD, .signer = &leaf, .signer_key = KEY_LEAF},
     TLSOCK_E_STAPLE,
     "not for OCSP"},
    {"by one who may not sign",
     {.status = GOOD, .signer = &no_signing, .signer_key = KEY_INTER},
     TLSOCK_E_STAPLE,
     "not for signatures"},
    {"by one who is not named",
     {.status = GOOD,
      .signer = &responder,
      .signer_key = KEY_INTER,
      .no_certs = 1},
     TLSOCK_E_STAPLE,
     "nobody known"},
    {"by the CA, which needs no naming",
     {.status = GOOD, .no_certs = 1},
     0,
     "good"},
    {"a hash in the id that nobody should use",
     {.status = GOOD, .md = EVP_md5},
     TLSOCK_E_STAPLE,
     "another certificate"},
    {"an unknown signature",
     {.status = GOOD, .odd_algorithm = 1},
     TLSOCK_E_STAPLE,
     "weak signature"},
    {"a date that is none",
     {.status = GOOD, .no_date = 1},
     TLSOCK_E_STAPLE,
     "no valid date"},
    {"by a responder out of date",
     {.status = GOOD, .signer = &old_responder, .signer_key = KEY_INTER},
     TLSOCK_E_STAPLE,
     "out of date"},
};

static void responses_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_error err = {0};
        struct tsk_status st;
        char how[128];
        int len, rc;
        unsigned char *der = make(&cases[i].a, &len);

        rc = tsk_ocsp_judge(der, (size_t)len, leaf, ca, tsk_wall_time(),
                            &staple, &st, &err);
        if (rc != cases[i].want || err.code != rc)
            fail_msg("%s: got %s \"%s\"", cases[i].claim, tlsock_errname(rc),
                     err.message);
        tsk_status_text(&st, how);
        if (strstr(rc < 0 ? err.message : how, cases[i].told) == NULL)
            fail_msg("%s: \"%s\" does not tell \"%s\"", cases[i].claim,
                     rc < 0 ? err.message : how, cases[i].told);
        assert_true(rc == 0 || err.hint[0] != '\0');
        assert_int_equal(tsk_ocsp_judge(der, (size_t)len, leaf, ca,
                                        tsk_wall_time(), &staple, &st, NULL),
                         rc);
        OPENSSL_free(der);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void time_is_what_the_caller_says(void **state)
{
    struct answer a = {.status = GOOD};
    tlsock_error err = {0};
    struct tsk_status st;
    int len;
    unsigned char *der = make(&a, &len);
    int64_t now = tsk_wall_time();

    (void)state;
    assert_code(tsk_ocsp_judge(der, (size_t)len, leaf, ca,
                               now + 24 * 3600 + 200, &staple, &st, &err),
                0);
    assert_code(tsk_ocsp_judge(der, (size_t)len, leaf, ca,
                               now + 24 * 3600 + 400, &staple, &st, &err),
                TLSOCK_E_STAPLE);
    OPENSSL_free(der);
}

static void what_is_no_answer_is_refused(void **state)
{
    static const unsigned char try_later[] = {0x30, 3, 0x0a, 1, 3};
    static const unsigned char no_body[] = {0x30, 3, 0x0a, 1, 0};
    struct answer a = {.status = GOOD};
    struct tsk_status st;
    int len;
    unsigned char *der = make(&a, &len);
    unsigned char *more = calloc(1, (size_t)len + 1);
    tlsock_error err = {0};
    int64_t now = tsk_wall_time();

    (void)state;
    assert_code(tsk_ocsp_judge(try_later, sizeof(try_later), leaf, ca, now,
                               &staple, &st, &err),
                TLSOCK_E_STAPLE);
    assert_tells(err.message, "trylater");
    assert_code(tsk_ocsp_judge(no_body, sizeof(no_body), leaf, ca, now, &staple,
                               &st, &err),
                TLSOCK_E_STAPLE);
    assert_code(tsk_ocsp_judge(der, 0, leaf, ca, now, &staple, &st, &err),
                TLSOCK_E_STAPLE);
    assert_code(tsk_ocsp_judge(der, 70000, leaf, ca, now, &staple, &st, &err),
                TLSOCK_E_STAPLE);
    assert_code(
        tsk_ocsp_judge(der, (size_t)len, leaf, NULL, now, &staple, &st, &err),
        TLSOCK_E_STAPLE);
    for (int n = 1; n < len; n++)
        assert_code(
            tsk_ocsp_judge(der, (size_t)n, leaf, ca, now, &staple, &st, &err),
            TLSOCK_E_STAPLE);
    memcpy(more, der, (size_t)len); /* and one byte behind it */
    assert_code(tsk_ocsp_judge(more, (size_t)len + 1, leaf, ca, now, &staple,
                               &st, &err),
                TLSOCK_E_STAPLE);
    assert_int_equal(ERR_peek_error(), 0);
    free(more);
    OPENSSL_free(der);
}

static void must_staple_is_seen(void **state)
{
    (void)state;
    assert_int_equal(tsk_ocsp_must_staple(must_leaf), 1);
    assert_int_equal(tsk_ocsp_must_staple(leaf), 0);
}

static void failing_memory_never_says_good(void **state)
{
    struct answer bad = {
        .status = REVOKED, .signer = &responder, .signer_key = KEY_INTER};
    int len, fired = 1;
    unsigned char *der = make(&bad, &len);

    (void)state;
    for (long n = 1; fired && n < 3000; n++) {
        tlsock_error err = {0};
        struct tsk_status st;
        int rc;

        fault_arm(FAULT_OPENSSL, n, 1);
        rc = tsk_ocsp_judge(der, (size_t)len, leaf, ca, tsk_wall_time(),
                            &staple, &st, &err);
        fired = fault_disarm();
        assert_true(rc < 0 && err.code == rc);
    }
    assert_int_equal(fired, 0);
    assert_int_equal(ERR_peek_error(), 0);
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_are_judged),
        cmocka_unit_test(time_is_what_the_caller_says),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(must_staple_is_seen),
        cmocka_unit_test(failing_memory_never_says_good),
    };

    fault_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
