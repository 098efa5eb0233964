/* What is known after a response, and whose question it answers. */
#include "answered.h"

#include "core/clock.h"
#include "fault.h"

#include <openssl/err.h>

static void a_status_says_since_when_and_until(void **state)
{
    static const struct {
        struct answer a;
        int64_t as_of, until, when; /* hours */
        int reason;
    } rows[] = {
        {{.status = GOOD}, -1, 24, 0, -1},
        {{.status = GOOD, .from_h = -5, .to_h = NO_NEXT}, -5, 235, 0, -1},
        {{.status = REVOKED}, -1, 24, -48, OCSP_REVOKED_STATUS_KEYCOMPROMISE},
        {{.status = REVOKED, .from_h = -99, .to_h = -50},
         -99,
         -50,
         -48,
         OCSP_REVOKED_STATUS_KEYCOMPROMISE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t before = tsk_wall_time(), after;
        struct tsk_status st;
        int len;
        unsigned char *der = answered(&rows[i].a, &len);

        after = tsk_wall_time();
        tsk_ocsp_judge(der, (size_t)len, who.leaf, who.ca, after, &staple, &st,
                       NULL);
        assert_within(st.as_of, before + rows[i].as_of * 3600,
                      after + rows[i].as_of * 3600);
        assert_within(st.until, before + rows[i].until * 3600,
                      after + rows[i].until * 3600);
        assert_int_equal(st.reason, rows[i].reason);
        if (rows[i].when != 0)
            assert_within(st.when, before + rows[i].when * 3600,
                          after + rows[i].when * 3600);
        OPENSSL_free(der);
    }
}

static const struct {
    const char *claim, *sent, *back;
    int bare, want;
} nonces[] = {
    {"the same", "0123456789", "0123456789", 0, 0},
    {"none came back", "0123456789", NULL, 0, 0},
    {"none was sent", NULL, "0123456789", 0, 0},
    {"another", "0123456789", "0123456780", 0, TLSOCK_E_REVOCATION_UNKNOWN},
    {"its beginning", "0123456789", "01234567", 0, TLSOCK_E_REVOCATION_UNKNOWN},
    {"more than it", "01234567", "0123456789", 0, TLSOCK_E_REVOCATION_UNKNOWN},
    {"not encoded", "0123456789", "0123456789", 1, TLSOCK_E_REVOCATION_UNKNOWN},
    {"with something behind it", "0",
     "\x04\x01"
     "0"
     "1",
     1, TLSOCK_E_REVOCATION_UNKNOWN},
};

static void an_answer_to_another_question_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(nonces); i++) {
        struct answer a = {.status = GOOD,
                           .nonce = nonces[i].back,
                           .nonce_bare = nonces[i].bare};
        struct tsk_ocsp_source from = {.what = "the OCSP response",
                                       .code = TLSOCK_E_REVOCATION_UNKNOWN};
        tlsock_error err = {0};
        struct tsk_status st;
        int len;
        unsigned char *der = answered(&a, &len);

        if (nonces[i].sent != NULL) {
            from.nonce = (const unsigned char *)nonces[i].sent;
            from.nonce_len = strlen(nonces[i].sent);
        }
        print_message("# %s\n", nonces[i].claim);
        assert_code(tsk_ocsp_judge(der, (size_t)len, who.leaf, who.ca,
                                   tsk_wall_time(), &from, &st, &err),
                    nonces[i].want);
        if (nonces[i].want != 0)
            assert_tells(err.message, "nonce");
        OPENSSL_free(der);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void pss_is_as_strong_as_the_hash_that_it_names(void **state)
{
    const struct {
        const EVP_MD *md;
        int want;
    } rows[] = {{EVP_sha256(), 0}, {EVP_sha1(), TLSOCK_E_STAPLE}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = {
            .status = GOOD, .signer = &who.rsa_responder, .pss = rows[i].md};
        tlsock_error err = {0};
        struct tsk_status st;
        int len;
        unsigned char *der = answered(&a, &len);

        assert_code(tsk_ocsp_judge(der, (size_t)len, who.leaf, who.ca,
                                   tsk_wall_time(), &staple, &st, &err),
                    rows[i].want);
        if (rows[i].want != 0)
            assert_tells(err.message, "weak signature");
        OPENSSL_free(der);
    }
}

static void a_status_is_told_in_words(void **state)
{
    static const struct {
        struct tsk_status st;
        const char *text;
    } rows[] = {
        {{TSK_GOOD, TSK_BY_CRL, 1800000000, 0, 0, -1},
         "good by CRL, as of 2027-01-15T08:00:00Z"},
        {{TSK_GOOD, TSK_BY_OCSP, 0, 0, 0, -1},
         "good by OCSP, as of 1970-01-01T00:00:00Z"},
        {{TSK_GOOD, TSK_BY_STAPLE, 1800000000, 0, 0, -1},
         "good by staple, as of 2027-01-15T08:00:00Z"},
        {{TSK_REVOKED, TSK_BY_OCSP, 1800000000, 0, 0, 1},
         "revoked by OCSP, as of 2027-01-15T08:00:00Z"},
        {{TSK_GOOD, TSK_BY_OCSP, INT64_MAX, 0, 0, -1}, "good by OCSP, as of ?"},
        {{TSK_UNKNOWN, TSK_BY_NOBODY, 0, 0, 0, -1}, "not known"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[128];

        tsk_status_text(&rows[i].st, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_says_since_when_and_until),
        cmocka_unit_test(an_answer_to_another_question_is_refused),
        cmocka_unit_test(pss_is_as_strong_as_the_hash_that_it_names),
        cmocka_unit_test(a_status_is_told_in_words),
    };

    fault_init();
    return cmocka_run_group_tests_name("ocspstatus", tests, answered_setup,
                                       answered_teardown);
}
