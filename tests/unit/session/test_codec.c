/* What is written comes back as it was; what was changed does not come back. */
#include "session/codec.h"
#include "core/mem.h"
#include "ses.h"

#include <openssl/evp.h>

static struct tsk_session_item full(SSL_SESSION *ses)
{
    struct tsk_session_item item = ses_item("a.test", ses, 2000000000);
    struct tsk_session_facts *f = &item.facts;

    memset(item.binding, 1, sizeof(item.binding));
    memset(item.peer, 2, sizeof(item.peer));
    memset(f->asked, 3, sizeof(f->asked));
    f->verdict.expires = 2100000000;
    f->verdict.crl_as_of = 1;
    f->verdict.key_alone = 1;
    strcpy(f->verdict.dane, "3 1 1");
    strcpy(f->revocation, "good by staple");
    f->revocation_until = 5;
    f->staple = (struct tsk_status){
        .state = TSK_GOOD, .by = TSK_BY_STAPLE, .as_of = 6, .until = 7};
    f->since = 8;
    f->won = 9;
    return item;
}

static void what_was_written_comes_back(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        SSL_SESSION *ses = ses_new(versions[i]);
        struct tsk_session_item item = full(ses), got;
        uint8_t *data, *again;
        size_t len, n;

        assert_int_equal(tsk_session_encode(&item, &data, &len), 1);
        assert_int_equal(tsk_session_decode(data, len, &got), 1);
        assert_int_equal(SSL_SESSION_get_protocol_version(got.ses),
                         versions[i]);
        assert_string_equal(got.facts.revocation, "good by staple");
        assert_string_equal(got.facts.verdict.dane, "3 1 1");
        assert_int_equal(got.facts.staple.until, 7);
        assert_int_equal(got.expires, 2000000000);
        assert_int_equal(tsk_session_encode(&got, &again, &n), 1);
        assert_int_equal(n, len);
        assert_memory_equal(again, data, len);
        tsk_free(again);
        tsk_free(data);
        SSL_SESSION_free(got.ses);
        SSL_SESSION_free(ses);
    }
}

/* Each byte, and each length: found by the digest. */
static void what_is_damaged_is_none(void **state)
{
    SSL_SESSION *ses = ses_new(TLS1_3_VERSION);
    struct tsk_session_item item = full(ses), got;
    uint8_t *data;
    size_t len;

    (void)state;
    assert_int_equal(tsk_session_encode(&item, &data, &len), 1);
    for (size_t i = 0; i < len; i++) {
        data[i] ^= 1;
        assert_int_equal(tsk_session_decode(data, len, &got), 0);
        assert_null(got.ses);
        data[i] ^= 1;
        assert_int_equal(tsk_session_decode(data, i, &got), 0);
    }
    assert_int_equal(tsk_session_decode(NULL, 0, &got), 0);
    assert_int_equal(tsk_session_decode(data, len, &got), 1);
    SSL_SESSION_free(got.ses);
    tsk_free(data);
    SSL_SESSION_free(ses);
}

/* With a digest that is right: what cannot be is refused for itself. */
static void what_is_forged_is_held_to_the_format(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } rows[] = {
        {4, 2},                            /* a version to come */
        {5, 2},                            /* revoked */
        {6, 9},                            /* by nobody known */
        {7, 2},     {8, 0x80},             /* a time before 1970 */
        {79, 1},                           /* what has to be 0 */
        {208, 1},                          /* lengths that do not add up */
        {210, 1},   {213, 0},  {214, 'x'}, /* no verdict */
        {216, 7},                          /* not printable */
        {220, 'x'}, /* of the name in it: harmless, the twin */
    };
    SSL_SESSION *ses = ses_new(TLS1_3_VERSION);
    struct tsk_session_item item = full(ses), got;
    uint8_t *data;
    size_t len;

    (void)state;
    assert_int_equal(tsk_session_encode(&item, &data, &len), 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t was = data[rows[i].at];
        int good = i + 1 == COUNT(rows);

        data[rows[i].at] = rows[i].byte;
        assert_true(EVP_Digest(data, len - 32, data + len - 32, NULL,
                               EVP_sha256(), NULL));
        assert_int_equal(tsk_session_decode(data, len, &got), good);
        if (good)
            SSL_SESSION_free(got.ses);
        data[rows[i].at] = was;
    }
    tsk_free(data);
    SSL_SESSION_free(ses);
}

static void a_session_that_cannot_be_resumed_is_none(void **state)
{
    SSL_SESSION *ses = ses_new(TLS1_3_VERSION);
    struct tsk_session_item item = full(ses), got;
    uint8_t *data;
    size_t len;

    (void)state;
    assert_true(SSL_SESSION_set1_id(ses, (const unsigned char *)"", 0));
    assert_int_equal(tsk_session_encode(&item, &data, &len), 1);
    assert_int_equal(tsk_session_decode(data, len, &got), 0);
    tsk_free(data);
    assert_true(SSL_SESSION_set_protocol_version(ses, 0x0302));
    assert_true(SSL_SESSION_set1_id(ses, (const unsigned char *)"x", 1));
    assert_int_equal(tsk_session_encode(&item, &data, &len), 1);
    assert_int_equal(tsk_session_decode(data, len, &got), 0);
    tsk_free(data);
    SSL_SESSION_free(ses);
}

static void what_is_too_large_is_not_written(void **state)
{
    SSL_SESSION *ses = ses_new(TLS1_3_VERSION);
    struct tsk_session_item item = full(ses);
    static const uint8_t large[TSK_SESSION_BYTES_MAX];
    uint8_t *data = NULL;
    size_t len;

    (void)state;
    assert_true(SSL_SESSION_set1_ticket_appdata(ses, large, sizeof(large)));
    assert_int_equal(tsk_session_encode(&item, &data, &len), 0);
    assert_null(data);
    SSL_SESSION_free(ses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(what_is_damaged_is_none),
        cmocka_unit_test(what_is_forged_is_held_to_the_format),
        cmocka_unit_test(a_session_that_cannot_be_resumed_is_none),
        cmocka_unit_test(what_is_too_large_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
