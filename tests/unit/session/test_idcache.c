#include "session/idcache.h"

#include "core/mem.h"
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

/* A session with an id of n times the same byte. */
static SSL_SESSION *session(int byte, unsigned n)
{
    SSL_SESSION *s = SSL_SESSION_new();
    unsigned char id[32];

    assert_non_null(s);
    memset(id, byte, sizeof(id));
    assert_int_equal(SSL_SESSION_set1_id(s, id, n), 1);
    return s;
}

static void put(struct tsk_idcache *c, int byte, size_t most)
{
    SSL_SESSION *s = session(byte, 32);

    tsk_idcache_put(c, s, most);
    SSL_SESSION_free(s);
}

static int has(struct tsk_idcache *c, int byte)
{
    unsigned char id[32];
    SSL_SESSION *s;

    memset(id, byte, sizeof(id));
    s = tsk_idcache_get(c, id, sizeof(id));
    if (s == NULL)
        return 0;
    assert_memory_equal(SSL_SESSION_get_id(s, NULL), id, sizeof(id));
    SSL_SESSION_free(s);
    return 1;
}

static void what_was_used_last_stays(void **state)
{
    struct tsk_idcache *c = tsk_idcache_new();

    (void)state;
    for (int i = 1; i <= 3; i++)
        put(c, i, 3);
    assert_int_equal(tsk_idcache_count(c), 3);
    assert_true(has(c, 1)); /* so that 2 is the oldest */
    put(c, 4, 3);
    assert_int_equal(tsk_idcache_count(c), 3);
    assert_true(has(c, 1) && !has(c, 2) && has(c, 3) && has(c, 4));
    put(c, 4, 3); /* the same once more */
    assert_int_equal(tsk_idcache_count(c), 3);
    put(c, 5, 0);
    assert_false(has(c, 5));
    tsk_idcache_unref(c);
}

static void only_whole_ids_are_known(void **state)
{
    struct tsk_idcache *c = tsk_idcache_new();
    SSL_SESSION *s = session(7, 16), *t = session(8, 32);
    unsigned char id[33];

    (void)state;
    tsk_idcache_put(c, s, 10);
    assert_int_equal(tsk_idcache_count(c), 0);
    tsk_idcache_put(c, t, 10);
    memset(id, 8, sizeof(id));
    assert_null(tsk_idcache_get(c, id, 31));
    assert_null(tsk_idcache_get(c, id, 33));
    assert_null(tsk_idcache_get(c, id, 0));
    tsk_idcache_drop(c, s);
    assert_true(has(c, 8));
    tsk_idcache_drop(c, t);
    assert_false(has(c, 8));
    tsk_idcache_drop(c, t);
    SSL_SESSION_free(s);
    SSL_SESSION_free(t);
    tsk_idcache_unref(c);
}

static int fails_at, allocations;

static int fail_nth(void)
{
    return ++allocations == fails_at;
}

static void no_memory_is_no_session(void **state)
{
    (void)state;
    for (fails_at = 1;; fails_at++) {
        struct tsk_idcache *c;
        SSL_SESSION *s = session(1, 32);
        int done;

        allocations = 0;
        tsk_mem_fail = fail_nth;
        c = tsk_idcache_new();
        if (c != NULL)
            tsk_idcache_put(c, s, 10);
        done = allocations < fails_at;
        tsk_mem_fail = NULL;
        if (c != NULL) {
            assert_int_equal(has(c, 1), done);
            put(c, 1, 10);
            assert_true(has(c, 1));
        }
        SSL_SESSION_free(s);
        tsk_idcache_unref(c);
        if (done)
            break;
    }
    assert_int_equal(fails_at, 4);
}

#define THREADS 4

static struct tsk_idcache *shared;

static void *churn(void *arg)
{
    const char *rounds = getenv("TLSOCK_ROUNDS");
    int n = rounds != NULL ? atoi(rounds) : 100;

    (void)arg;
    for (int i = 0; i < n; i++) {
        SSL_SESSION *s = session(1 + i % 9, 32);

        tsk_idcache_put(shared, s, 5);
        (void)has(shared, 1 + (i * 7) % 9);
        if (i % 3 == 0)
            tsk_idcache_drop(shared, s);
        SSL_SESSION_free(s);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    shared = tsk_idcache_new();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(tsk_idcache_count(shared) <= 5);
    tsk_idcache_unref(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_used_last_stays),
        cmocka_unit_test(only_whole_ids_are_known),
        cmocka_unit_test(no_memory_is_no_session),
        cmocka_unit_test(threads_share_it),
    };

    return cmocka_run_group_tests_name("idcache", tests, NULL, NULL);
}
