/* Locks that who forks holds: by rank, whatever the order they came to be known
 * in, and free in the child. */
#include "core/forklock.h"
#include "test.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static char calls[32];

static void note(char c)
{
    size_t n = strlen(calls);

    assert_true(n + 1 < sizeof(calls));
    calls[n] = c;
}

static void outer_more(void)
{
    note('A');
}

static void outer_less(void)
{
    note('a');
}

static void outer_child(void)
{
    note('!');
}

static void leaf_more(void)
{
    note('B');
}

static void leaf_less(void)
{
    note('b');
}

static struct tsk_forklock outer =
    TSK_FORKLOCK(0, outer_more, outer_less, outer_child);
static struct tsk_forklock leaf =
    TSK_FORKLOCK(TSK_FORK_LEAF, leaf_more, leaf_less, NULL);
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;

static void use(struct tsk_forklock *l)
{
    tsk_forklock_hold(l);
    tsk_forklock_let_go(l);
}

/* What a child finds: 1 each that is free. */
static int in_child(const char *want, int plain_is_free)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int ok = strcmp(calls, want) == 0 &&
                 pthread_mutex_trylock(&outer.mutex) == 0 &&
                 pthread_mutex_trylock(&leaf.mutex) == 0 &&
                 (pthread_mutex_trylock(&plain) == 0) == plain_is_free;

        test_exit(ok ? 0 : 1);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void they_are_taken_by_rank_not_by_first_use(void **state)
{
    (void)state;
    use(&leaf);
    memset(calls, 0, sizeof(calls));
    assert_true(in_child("Bb", 1)); /* the other one is not known yet */
    assert_string_equal(calls, "Bb");
    use(&outer);
    use(&outer); /* known once */
    memset(calls, 0, sizeof(calls));
    assert_true(in_child("ABba!", 1));
    assert_string_equal(calls, "ABba");
}

static atomic_int over, rounds;

/* Holds one while it takes the other, again and again. */
static void *holder(void *arg)
{
    (void)arg;
    while (!atomic_load(&over)) {
        tsk_forklock_hold(&outer);
        tsk_forklock_hold(&leaf);
        tsk_forklock_let_go(&leaf);
        tsk_forklock_let_go(&outer);
        atomic_fetch_add(&rounds, 1);
    }
    return NULL;
}

static void a_child_finds_them_free_whoever_has_them(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, holder, NULL), 0);
    while (atomic_load(&rounds) == 0)
        sched_yield();
    for (int i = 0; i < 50; i++) {
        memset(calls, 0, sizeof(calls));
        assert_true(in_child("ABba!", 1));
    }
    atomic_store(&over, 1);
    pthread_join(thread, NULL);
}

static atomic_int step;

static void *has_plain(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&plain);
    atomic_store(&step, 1);
    while (atomic_load(&step) != 2)
        sched_yield();
    pthread_mutex_unlock(&plain);
    return NULL;
}

/* What would be without. */
static void a_plain_mutex_stays_taken(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, has_plain, NULL), 0);
    while (atomic_load(&step) != 1)
        sched_yield();
    memset(calls, 0, sizeof(calls));
    assert_true(in_child("ABba!", 0));
    atomic_store(&step, 2);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_taken_by_rank_not_by_first_use),
        cmocka_unit_test(a_child_finds_them_free_whoever_has_them),
        cmocka_unit_test(a_plain_mutex_stays_taken),
    };

    return cmocka_run_group_tests_name("forklock", tests, NULL, NULL);
}
