#include "session/store.h"
#include "core/mem.h"
#include "test.h"

#include <pthread.h>

static SSL_SESSION *session(int version)
{
    SSL_SESSION *s = SSL_SESSION_new();

    assert_non_null(s);
    assert_true(SSL_SESSION_set_protocol_version(s, version));
    return s;
}

static void put(struct tsk_sessions *c, const char *key, SSL_SESSION *s,
                int64_t expires)
{
    struct tsk_session_facts facts = {0};

    snprintf(facts.verdict.verified, sizeof(facts.verdict.verified), "%s", key);
    tsk_sessions_put(c, key, s, &facts, expires);
}

static int take(struct tsk_sessions *c, const char *key, int64_t now)
{
    struct tsk_session_facts facts = {0};
    SSL_SESSION *s = tsk_sessions_take(c, key, &facts, now);

    if (s == NULL)
        return 0;
    assert_string_equal(facts.verdict.verified, key);
    SSL_SESSION_free(s);
    return 1;
}

static void a_tls13_session_is_given_out_once(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(10);
    SSL_SESSION *s = session(TLS1_3_VERSION);

    (void)state;
    put(c, "a", s, 100);
    assert_int_equal(take(c, "b", 50), 0);
    assert_int_equal(take(c, "a", 50), 1);
    assert_int_equal(take(c, "a", 50), 0);
    SSL_SESSION_free(s);
    tsk_sessions_free(c);
}

static void a_tls12_session_may_be_used_again(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(10);
    SSL_SESSION *s = session(TLS1_2_VERSION);

    (void)state;
    put(c, "a", s, 100);
    assert_int_equal(take(c, "a", 50), 1);
    assert_int_equal(take(c, "a", 50), 1);
    SSL_SESSION_free(s);
    tsk_sessions_free(c);
}

static void what_has_expired_is_gone(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(10);
    SSL_SESSION *s = session(TLS1_2_VERSION);

    (void)state;
    put(c, "a", s, 100);
    assert_int_equal(take(c, "a", 100), 0);
    assert_int_equal(tsk_sessions_count(c), 0);
    SSL_SESSION_free(s);
    tsk_sessions_free(c);
}

static void the_oldest_goes_when_it_is_full(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(3);
    SSL_SESSION *s = session(TLS1_3_VERSION);

    (void)state;
    put(c, "a", s, 100);
    put(c, "b", s, 100);
    put(c, "c", s, 100);
    put(c, "d", s, 100);
    assert_int_equal(tsk_sessions_count(c), 3);
    assert_int_equal(take(c, "a", 1), 0);
    assert_int_equal(take(c, "d", 1), 1);
    for (int i = 0; i < 10; i++)
        put(c, "e", s, 100);
    assert_true(tsk_sessions_count(c) <= 3);
    SSL_SESSION_free(s);
    tsk_sessions_free(c);
    tsk_sessions_free(NULL);
}

static int never_memory(void)
{
    return 1;
}

static void without_memory_it_is_not_kept(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(3);
    SSL_SESSION *s = session(TLS1_3_VERSION);

    (void)state;
    tsk_mem_fail = never_memory;
    put(c, "a", s, 100);
    assert_null(tsk_sessions_new(3));
    tsk_mem_fail = NULL;
    assert_int_equal(tsk_sessions_count(c), 0);
    SSL_SESSION_free(s);
    tsk_sessions_free(c);
}

static void *hammer(void *arg)
{
    struct tsk_sessions *c = arg;
    SSL_SESSION *s = session(TLS1_3_VERSION);
    struct tsk_session_facts facts = {0};
    char key[8];

    for (int i = 0; i < 2000; i++) {
        SSL_SESSION *got;

        snprintf(key, sizeof(key), "k%d", i % 37);
        tsk_sessions_put(c, key, s, &facts, 100);
        got = tsk_sessions_take(c, key, &facts, 1);
        SSL_SESSION_free(got);
    }
    SSL_SESSION_free(s);
    return NULL;
}

static void threads_may_share_it(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(20);
    pthread_t t[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, hammer, c), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    assert_true(tsk_sessions_count(c) <= 20);
    tsk_sessions_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tls13_session_is_given_out_once),
        cmocka_unit_test(a_tls12_session_may_be_used_again),
        cmocka_unit_test(what_has_expired_is_gone),
        cmocka_unit_test(the_oldest_goes_when_it_is_full),
        cmocka_unit_test(without_memory_it_is_not_kept),
        cmocka_unit_test(threads_may_share_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
