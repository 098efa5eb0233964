/* fork() in a process whose threads are busy with a cache, at any moment: the
 * child's is free and whole. A heap has to do the same for its own locks; the C
 * library's does, a sanitizer's need not, and this is built without one. */
#include "stash.h"

#include "child.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int stop;

static void *churn(void *arg)
{
    struct tsk_revcache *c = arg;
    struct tsk_status st = {.state = TSK_GOOD,
                            .by = TSK_BY_CRL,
                            .as_of = stash_now,
                            .until = stash_now + DAY};
    uint8_t key[32] = {0};

    for (unsigned i = 0; !atomic_load(&stop); i++) {
        memcpy(key, &i, sizeof(i));
        tsk_revcache_keep_status(c, key, &st);
        tsk_revcache_status(c, key, stash_now, &st);
        tsk_crls_unref(tsk_revcache_crls(c, URL, stash_now));
        tsk_revcache_unref(tsk_revcache_open(NULL, NULL));
    }
    return NULL;
}

static void a_child_of_a_busy_process_has_a_cache_that_works(void **state)
{
    const char *dir = stash_dir();
    struct tsk_revcache *c = stash_open(dir);
    struct tsk_status st;
    pthread_t threads[2];

    (void)state;
    stash_keep_crl(c, URL, 5, 7);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, c), 0);
    for (int i = 0; i < 50; i++) {
        pid_t pid = child();

        if (pid == 0) {
            struct tsk_crls *l = tsk_revcache_crls(c, URL, stash_now);
            struct tsk_status good = {.state = TSK_GOOD,
                                      .by = TSK_BY_CRL,
                                      .as_of = stash_now,
                                      .until = stash_now + DAY};

            tsk_revcache_keep_status(c, stash_key(1), &good);
            test_exit(l != NULL && tsk_revcache_status(c, stash_key(1),
                                                       stash_now, &st) == 1
                          ? 0
                          : 1);
        }
        assert_int_equal(ended(pid), 0);
    }
    atomic_store(&stop, 1);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    /* what a child keeps is its own */
    assert_int_equal(tsk_revcache_status(c, stash_key(1), stash_now, &st), 0);
    tsk_revcache_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_of_a_busy_process_has_a_cache_that_works),
    };

    return cmocka_run_group_tests_name("cachefork", tests, stash_real_time,
                                       stash_teardown);
}
