#include "session/store.h"
#include "core/mem.h"
#include "ses.h"

#include <pthread.h>

static void put(struct tsk_sessions *c, const char *key, SSL_SESSION *s,
                int64_t expires)
{
    struct tsk_session_item item = ses_item(key, s, expires);

    tsk_sessions_put(c, &item);
}

static int take(struct tsk_sessions *c, const char *key, int64_t now)
{
    struct tsk_session_item got, want = ses_item(key, NULL, 0);

    if (!tsk_sessions_take(c, want.key, now, &got))
        return 0;
    assert_string_equal(got.facts.verdict.verified,
                        want.facts.verdict.verified);
    SSL_SESSION_free(got.ses);
    return 1;
}

static void a_tls13_session_is_given_out_once(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(10);
    SSL_SESSION *s = ses_new(TLS1_3_VERSION);

    (void)state;
    put(c, "a", s, 100);
    assert_int_equal(take(c, "b", 50), 0);
    assert_int_equal(take(c, "a", 50), 1);
    assert_int_equal(take(c, "a", 50), 0);
    SSL_SESSION_free(s);
    tsk_sessions_unref(c);
}

static void a_tls12_session_may_be_used_again(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(10);
    SSL_SESSION *s = ses_new(TLS1_2_VERSION);

    (void)state;
    put(c, "a", s, 100);
    assert_int_equal(take(c, "a", 50), 1);
    assert_int_equal(take(c, "a", 50), 1);
    SSL_SESSION_free(s);
    tsk_sessions_unref(c);
}

static void what_has_expired_is_gone(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(10);
    SSL_SESSION *s = ses_new(TLS1_2_VERSION);

    (void)state;
    put(c, "a", s, 100);
    assert_int_equal(take(c, "a", 100), 0);
    assert_int_equal(tsk_sessions_count(c), 0);
    SSL_SESSION_free(s);
    tsk_sessions_unref(c);
}

static void the_oldest_goes_when_it_is_full(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(3);
    SSL_SESSION *s = ses_new(TLS1_3_VERSION);

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
    tsk_sessions_unref(c);
    tsk_sessions_unref(NULL);
}

static int never_memory(void)
{
    return 1;
}

static void without_memory_it_is_not_kept(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(3);
    SSL_SESSION *s = ses_new(TLS1_3_VERSION);

    (void)state;
    tsk_mem_fail = never_memory;
    put(c, "a", s, 100);
    assert_null(tsk_sessions_new(3));
    tsk_mem_fail = NULL;
    assert_int_equal(tsk_sessions_count(c), 0);
    SSL_SESSION_free(s);
    tsk_sessions_unref(c);
}

static void what_is_forgotten_is_gone(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(10);
    SSL_SESSION *one = ses_new(TLS1_2_VERSION), *two = ses_new(TLS1_2_VERSION);
    struct tsk_session_item a = ses_item("a", NULL, 0);

    (void)state;
    put(c, "a", one, 100);
    put(c, "a", two, 100);
    put(c, "b", one, 100);
    tsk_sessions_forget(c, a.key, two);
    assert_int_equal(tsk_sessions_count(c), 2);
    tsk_sessions_forget(c, a.key, NULL);
    assert_int_equal(take(c, "a", 1), 0);
    assert_int_equal(take(c, "b", 1), 1);
    SSL_SESSION_free(one);
    SSL_SESSION_free(two);
    tsk_sessions_unref(c);
}

static void a_clock_set_back_tells_nothing(void **state)
{
    struct tsk_sessions *c = tsk_sessions_new(10);
    SSL_SESSION *s = ses_new(TLS1_2_VERSION);
    struct tsk_session_item item = ses_item("a", s, 100000);

    (void)state;
    item.facts.won = 50000;
    tsk_sessions_put(c, &item);
    assert_int_equal(take(c, "a", 50000 - TSK_SESSION_SKEW), 1);
    assert_int_equal(take(c, "a", 50000 - TSK_SESSION_SKEW - 1), 0);
    SSL_SESSION_free(s);
    tsk_sessions_unref(c);
}

static void *hammer(void *arg)
{
    struct tsk_sessions *c = arg;
    SSL_SESSION *s = ses_new(TLS1_3_VERSION);
    char key[8];

    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof(key), "k%d", i % 37);
        put(c, key, s, 100);
        take(c, key, 1);
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
    tsk_sessions_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tls13_session_is_given_out_once),
        cmocka_unit_test(a_tls12_session_may_be_used_again),
        cmocka_unit_test(what_has_expired_is_gone),
        cmocka_unit_test(the_oldest_goes_when_it_is_full),
        cmocka_unit_test(without_memory_it_is_not_kept),
        cmocka_unit_test(what_is_forgotten_is_gone),
        cmocka_unit_test(a_clock_set_back_tells_nothing),
        cmocka_unit_test(threads_may_share_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
