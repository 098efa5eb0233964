/* fork() in a process whose threads mint and use a shelf: the child mints by
 * itself, with the same handle, and what it finds on the shelf is whole.
 *
 * The threads are between two certificates at that moment: fork() copies the
 * locks of libcrypto's random numbers, and those of a sanitizer's heap, as they
 * are, and a child for whom a thread held one would wait for ever. */
#include "mints.h"

#include "child.h"

#include "cert/cert.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define FORKS 40
#define THREADS 3
#define NAMES 4
#define NAME 64 /* bytes of an entry's name */

static tlsock_intercept *minting;
static tlsock_cert *seen[NAMES];
static const char *shelf;
static atomic_int over, minted, forking;
static pthread_barrier_t started; /* a thread's beginning uses the heap, too */
static pthread_mutex_t between = PTHREAD_MUTEX_INITIALIZER;

/* One certificate is in memory, of four: each is asked of the shelf, or made,
 * since what is there is taken away again and again. */
static void *mint(void *arg)
{
    size_t i = (size_t)arg;
    char path[256];

    pthread_barrier_wait(&started);
    while (!atomic_load(&over)) {
        tlsock_cert *c;

        while (atomic_load(&forking))
            sched_yield(); /* a mutex alone is not fair */
        pthread_mutex_lock(&between);
        c = tlsock_intercept_leaf(minting, seen[i++ % NAMES], NULL);
        if (c != NULL)
            atomic_fetch_add(&minted, 1);
        tlsock_cert_unref(c);
        if (mints_files(shelf, NAME, path) > 2)
            unlink(path);
        pthread_mutex_unlock(&between);
    }
    return NULL;
}

static void in_child(void)
{
    for (int i = 0; i < NAMES; i++) {
        tlsock_cert *c = tlsock_intercept_leaf(minting, seen[i], NULL);

        if (c == NULL || X509_check_private_key(c->leaf, c->key) != 1)
            test_exit(1);
        tlsock_cert_unref(c);
    }
    test_exit(0);
}

static void a_child_of_a_process_that_mints_mints(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    shelf = mints_dir();
    minting = mints_open(MINTS_EC, shelf);
    assert_code(tlsock_intercept_set(minting, "cache-size", "1"), 0);
    for (int i = 0; i < NAMES; i++) {
        char name[24];

        snprintf(name, sizeof(name), "%d.test", i);
        seen[i] = mints_seen(name, 30);
    }
    pthread_barrier_init(&started, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, mint, (void *)i), 0);
    pthread_barrier_wait(&started);
    for (int i = 0; i < FORKS; i++) {
        pid_t pid;

        while (atomic_load(&minted) <= i)
            sched_yield(); /* what they have made since is new to the child */
        atomic_store(&forking, 1);
        pthread_mutex_lock(&between);
        pid = child();
        if (pid == 0)
            in_child();
        pthread_mutex_unlock(&between);
        atomic_store(&forking, 0);
        assert_int_equal(ended(pid), 0);
    }
    atomic_store(&over, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&started);
    assert_true(tsk_mint_signed(minting) > NAMES);
    for (int i = 0; i < NAMES; i++)
        tlsock_cert_unref(seen[i]);
    tlsock_intercept_free(minting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_of_a_process_that_mints_mints),
    };

    return cmocka_run_group_tests_name("mintfork", tests, mints_setup,
                                       mints_teardown);
}
