/* What is written comes back for its id, its servers and its time alone. */
#include "core/mem.h"
#include "ses.h"
#include "session/codec.h"
#include "session/idcodec.h"

#define ENDS 2000000000

static const uint8_t here[TSK_ID_CONTEXT] = {1}, there[TSK_ID_CONTEXT] = {2};

static void what_was_written_comes_back(void **state)
{
    static const int of[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < COUNT(of); i++) {
        SSL_SESSION *ses = ses_new(of[i]), *got;
        uint8_t key[TSK_ID_KEY], other[TSK_ID_KEY], *data;
        size_t len;

        assert_true(tsk_id_key_of(here, ses, key));
        assert_true(tsk_id_key_of(there, ses, other));
        assert_memory_not_equal(key, other, sizeof(key));
        assert_true(tsk_id_encode(ses, key, ENDS, &data, &len));
        got = tsk_id_decode(data, len, here, key, ENDS - 1);
        assert_non_null(got);
        assert_int_equal(SSL_SESSION_get_protocol_version(got), of[i]);
        SSL_SESSION_free(got);
        assert_null(tsk_id_decode(data, len, here, key, ENDS));
        assert_null(tsk_id_decode(data, len, here, key, -1));
        assert_null(tsk_id_decode(data, len, here, other, 1));
        /* the right key for the bytes, but of another one's session */
        assert_null(tsk_id_decode(data, len, there, key, 1));
        tsk_free(data);
        SSL_SESSION_free(ses);
    }
}

/* Each byte, and each length. */
static void what_is_damaged_is_none(void **state)
{
    SSL_SESSION *ses = ses_new(TLS1_3_VERSION);
    uint8_t key[TSK_ID_KEY], *data;
    size_t len;

    (void)state;
    assert_true(tsk_id_key_of(here, ses, key));
    assert_true(tsk_id_encode(ses, key, ENDS, &data, &len));
    for (size_t i = 0; i < len; i++) {
        data[i] ^= 0x20;
        assert_null(tsk_id_decode(data, len, here, key, 1));
        data[i] ^= 0x20;
        assert_null(tsk_id_decode(data, i, here, key, 1));
    }
    tsk_free(data);
    SSL_SESSION_free(ses);
}

static void an_id_of_another_length_is_nobodys(void **state)
{
    static const unsigned char id[33] = {0};
    uint8_t key[TSK_ID_KEY];

    (void)state;
    assert_false(tsk_id_key(here, id, 31, key));
    assert_false(tsk_id_key(here, id, 33, key));
    assert_false(tsk_id_key(here, id, 0, key));
    assert_true(tsk_id_key(here, id, 32, key));
}

static void what_is_too_large_is_not_kept(void **state)
{
    SSL_SESSION *ses = ses_new(TLS1_3_VERSION);
    uint8_t key[TSK_ID_KEY], *data, *more;
    size_t len, room;

    (void)state;
    assert_true(tsk_id_key_of(here, ses, key));
    assert_true(tsk_id_encode(ses, key, ENDS, &data, &len));
    tsk_free(data);
    room = TSK_SESSION_BYTES_MAX - len - 16; /* and the headers of DER */
    more = test_calloc(1, room + 64);
    assert_true(SSL_SESSION_set1_ticket_appdata(ses, more, room));
    assert_true(tsk_id_encode(ses, key, ENDS, &data, &len));
    assert_true(len <= TSK_SESSION_BYTES_MAX);
    tsk_free(data);
    assert_true(SSL_SESSION_set1_ticket_appdata(ses, more, room + 64));
    assert_false(tsk_id_encode(ses, key, ENDS, &data, &len));
    test_free(more);
    SSL_SESSION_free(ses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(what_is_damaged_is_none),
        cmocka_unit_test(an_id_of_another_length_is_nobodys),
        cmocka_unit_test(what_is_too_large_is_not_kept),
    };

    return cmocka_run_group_tests_name("idcodec", tests, NULL, NULL);
}
