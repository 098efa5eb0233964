#include "answered.h"

#include "core/clock.h"
#include "fault.h"

#include <openssl/err.h>

static const struct {
    const char *claim;
    struct answer a;
    int want;
    const char *told;
} cases[] = {
    {"good", {.status = GOOD}, 0, "good by staple, as of 20"},
    {"good, SHA-256 in the id", {.status = GOOD, .sha256 = 1}, 0, "good"},
    {"good, by a responder",
     {.status = GOOD, .signer = &who.responder, .signer_key = KEY_INTER},
     0,
     "good"},
    {"good, by a responder that its key tells",
     {.status = GOOD,
      .signer = &who.responder,
      .signer_key = KEY_INTER,
      .by_key = 1},
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
     {.status = REVOKED, .signer = &who.responder, .signer_key = KEY_INTER},
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
     {.status = GOOD, .signer = &who.no_eku, .signer_key = KEY_INTER},
     TLSOCK_E_STAPLE,
     "not for OCSP"},
    {"by another CA's responder",
     {.status = GOOD, .signer = &who.strangers, .signer_key = KEY_INTER},
     TLSOCK_E_STAPLE,
     "did not appoint"},
    {"by another CA",
     {.status = GOOD, .signer = &who.other_ca, .signer_key = KEY_OTHER},
     TLSOCK_E_STAPLE,
     "did not appoint"},
    {"by a CA of the same name",
     {.status = GOOD, .signer = &who.self_made, .signer_key = KEY_INTER},
     TLSOCK_E_STAPLE,
     ""},
    {"by the leaf itself",
     {.status = GOOD, .signer = &who.leaf, .signer_key = KEY_LEAF},
     TLSOCK_E_STAPLE,
     "not for OCSP"},
    {"by one who may not sign",
     {.status = GOOD, .signer = &who.no_signing, .signer_key = KEY_INTER},
     TLSOCK_E_STAPLE,
     "not for signatures"},
    {"by one who is not named",
     {.status = GOOD,
      .signer = &who.responder,
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
     {.status = GOOD, .signer = &who.old_responder, .signer_key = KEY_INTER},
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
        unsigned char *der = answered(&cases[i].a, &len);

        rc = tsk_ocsp_judge(der, (size_t)len, who.leaf, who.ca, tsk_wall_time(),
                            &staple, &st, &err);
        if (rc != cases[i].want || err.code != rc)
            fail_msg("%s: got %s \"%s\"", cases[i].claim, tlsock_errname(rc),
                     err.message);
        tsk_status_text(&st, how);
        if (strstr(rc < 0 ? err.message : how, cases[i].told) == NULL)
            fail_msg("%s: \"%s\" does not tell \"%s\"", cases[i].claim,
                     rc < 0 ? err.message : how, cases[i].told);
        assert_true(rc == 0 || err.hint[0] != '\0');
        assert_int_equal(tsk_ocsp_judge(der, (size_t)len, who.leaf, who.ca,
                                        tsk_wall_time(), &staple, &st, NULL),
                         rc);
        OPENSSL_free(der);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* The same faults in a response that was asked for have another code and say
 * whose it is. */
static void a_responder_is_judged_as_a_staple_is(void **state)
{
    static const struct tsk_ocsp_source from = {
        .what = "the OCSP response of http://ocsp.test/",
        .code = TLSOCK_E_REVOCATION_UNKNOWN};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int want = cases[i].want == TLSOCK_E_STAPLE
                       ? TLSOCK_E_REVOCATION_UNKNOWN
                       : cases[i].want;
        tlsock_error err = {0};
        struct tsk_status st;
        int len;
        unsigned char *der = answered(&cases[i].a, &len);

        print_message("# %s\n", cases[i].claim);
        assert_code(tsk_ocsp_judge(der, (size_t)len, who.leaf, who.ca,
                                   tsk_wall_time(), &from, &st, &err),
                    want);
        if (want != 0)
            assert_tells(err.message, from.what);
        assert_int_equal(st.state, want == 0                  ? TSK_GOOD
                                   : want == TLSOCK_E_REVOKED ? TSK_REVOKED
                                                              : TSK_UNKNOWN);
        assert_int_equal(st.by,
                         st.state == TSK_UNKNOWN ? TSK_BY_NOBODY : TSK_BY_OCSP);
        OPENSSL_free(der);
    }
}

static void time_is_what_the_caller_says(void **state)
{
    struct answer a = {.status = GOOD};
    tlsock_error err = {0};
    struct tsk_status st;
    int len;
    unsigned char *der = answered(&a, &len);
    int64_t now = tsk_wall_time();

    (void)state;
    assert_code(tsk_ocsp_judge(der, (size_t)len, who.leaf, who.ca,
                               now + 24 * 3600 + 200, &staple, &st, &err),
                0);
    assert_code(tsk_ocsp_judge(der, (size_t)len, who.leaf, who.ca,
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
    unsigned char *der = answered(&a, &len);
    unsigned char *more = calloc(1, (size_t)len + 1);
    tlsock_error err = {0};
    int64_t now = tsk_wall_time();

    (void)state;
    assert_code(tsk_ocsp_judge(try_later, sizeof(try_later), who.leaf, who.ca,
                               now, &staple, &st, &err),
                TLSOCK_E_STAPLE);
    assert_tells(err.message, "trylater");
    assert_code(tsk_ocsp_judge(no_body, sizeof(no_body), who.leaf, who.ca, now,
                               &staple, &st, &err),
                TLSOCK_E_STAPLE);
    assert_code(
        tsk_ocsp_judge(der, 0, who.leaf, who.ca, now, &staple, &st, &err),
        TLSOCK_E_STAPLE);
    assert_code(
        tsk_ocsp_judge(der, 70000, who.leaf, who.ca, now, &staple, &st, &err),
        TLSOCK_E_STAPLE);
    assert_code(tsk_ocsp_judge(der, (size_t)len, who.leaf, NULL, now, &staple,
                               &st, &err),
                TLSOCK_E_STAPLE);
    for (int n = 1; n < len; n++)
        assert_code(tsk_ocsp_judge(der, (size_t)n, who.leaf, who.ca, now,
                                   &staple, &st, &err),
                    TLSOCK_E_STAPLE);
    memcpy(more, der, (size_t)len); /* and one byte behind it */
    assert_code(tsk_ocsp_judge(more, (size_t)len + 1, who.leaf, who.ca, now,
                               &staple, &st, &err),
                TLSOCK_E_STAPLE);
    assert_int_equal(ERR_peek_error(), 0);
    free(more);
    OPENSSL_free(der);
}

static void must_staple_is_seen(void **state)
{
    (void)state;
    assert_int_equal(tsk_ocsp_must_staple(who.must_leaf), 1);
    assert_int_equal(tsk_ocsp_must_staple(who.leaf), 0);
}

static void each_fails(int by_key)
{
    struct answer bad = {.status = REVOKED,
                         .by_key = by_key,
                         .signer = &who.responder,
                         .signer_key = KEY_INTER,
                         .nonce = "01234567"};
    const struct tsk_ocsp_source from = {.what = "the OCSP response",
                                         .nonce =
                                             (const unsigned char *)"01234567",
                                         .nonce_len = 8,
                                         .code = TLSOCK_E_REVOCATION_UNKNOWN};
    static const enum fault_kind kinds[] = {FAULT_OPENSSL, FAULT_REFUSED};
    int len, fired = 0;
    unsigned char *der = answered(&bad, &len);

    for (long n = 1, i = 0; i < 2 && n < 3000; n = fired ? n + 1 : 1) {
        tlsock_error err = {0};
        struct tsk_status st;
        int rc;

        fault_arm(kinds[i], n, 1);
        rc = tsk_ocsp_judge(der, (size_t)len, who.leaf, who.ca, tsk_wall_time(),
                            &from, &st, &err);
        fired = fault_disarm();
        i += !fired;
        assert_true(rc < 0 && err.code == rc && st.state != TSK_GOOD);
    }
    assert_int_equal(fired, 0);
    assert_int_equal(ERR_peek_error(), 0);
    OPENSSL_free(der);
}

static void failing_memory_never_says_good(void **state)
{
    (void)state;
    each_fails(0);
    each_fails(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_are_judged),
        cmocka_unit_test(a_responder_is_judged_as_a_staple_is),
        cmocka_unit_test(time_is_what_the_caller_says),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(must_staple_is_seen),
        cmocka_unit_test(failing_memory_never_says_good),
    };

    fault_init();
    return cmocka_run_group_tests_name("ocsp", tests, answered_setup,
                                       answered_teardown);
}
