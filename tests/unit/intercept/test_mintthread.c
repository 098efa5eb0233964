/* Threads that ask for the same certificate at once get one and the same, and
 * those that ask for another do not wait for it. */
#include "mints.h"

#include "cert/cert.h"

#include <pthread.h>

#define THREADS 8
#define NAMES 4

struct job {
    pthread_t thread;
    pthread_barrier_t *start;
    tlsock_intercept *m;
    tlsock_cert **seen;
    tlsock_cert *got[NAMES];
    int first;
};

static void *work(void *arg)
{
    struct job *j = arg;

    pthread_barrier_wait(j->start);
    for (int i = 0; i < NAMES; i++) {
        int at = (j->first + i) % NAMES;

        j->got[at] = tlsock_intercept_leaf(j->m, j->seen[at], NULL);
    }
    return NULL;
}

static void run(const char *dir, const char *how)
{
    struct job jobs[THREADS] = {0};
    tlsock_intercept *m = mints_open(MINTS_EC, dir);
    tlsock_cert *seen[NAMES];
    pthread_barrier_t start;
    char name[24];

    assert_code(tlsock_intercept_set(m, "leaf-key", how), 0);
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "%d.test", i);
        seen[i] = mints_seen(name, 30);
    }
    for (int i = 0; i < THREADS; i++) {
        jobs[i].start = &start;
        jobs[i].m = m;
        jobs[i].seen = seen;
        jobs[i].first = i / 2 % NAMES;
        assert_int_equal(
            pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(jobs[i].thread, NULL);
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < NAMES; k++) {
            assert_non_null(jobs[i].got[k]);
            assert_ptr_equal(jobs[i].got[k], jobs[0].got[k]);
        }
    assert_int_equal(tsk_mint_signed(m), NAMES);
    assert_int_equal(tsk_mint_held(m), NAMES);
    for (int i = 0; i < THREADS * NAMES; i++)
        tlsock_cert_unref(jobs[i / NAMES].got[i % NAMES]);
    for (int i = 0; i < NAMES; i++)
        tlsock_cert_unref(seen[i]);
    pthread_barrier_destroy(&start);
    tlsock_intercept_free(m);
}

static void threads_share_one_of_each(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        run(NULL, "process");
        run(mints_dir(), "leaf");
    }
}

/* None of them is minted, and each is told why. */
static void threads_share_a_failure(void **state)
{
    tlsock_intercept *m = mints_open(MINTS_EC, NULL);
    tlsock_cert *one = mints_seen("a.test", 30),
                *seen[NAMES] = {one, one, one, one};
    struct job jobs[THREADS] = {0};
    pthread_barrier_t start;

    (void)state;
    mints_now = 4000000000; /* the CA is over */
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        jobs[i].start = &start;
        jobs[i].m = m;
        jobs[i].seen = seen;
        assert_int_equal(
            pthread_create(&jobs[i].thread, NULL, work, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(jobs[i].thread, NULL);
    for (int i = 0; i < THREADS * NAMES; i++)
        assert_null(jobs[i / NAMES].got[i % NAMES]);
    mints_now = 0;
    assert_int_equal(tsk_mint_held(m), 0);
    pthread_barrier_destroy(&start);
    tlsock_cert_unref(one);
    tlsock_intercept_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_one_of_each),
        cmocka_unit_test(threads_share_a_failure),
    };

    return cmocka_run_group_tests_name("mintthread", tests, mints_setup,
                                       mints_teardown);
}
