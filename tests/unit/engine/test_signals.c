#include "test.h"

#include "signals.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static struct told {
    struct event_base *base;
    int n, last, of[NSIG];
} told;

static void on(int signo, void *arg)
{
    struct told *t = arg;

    t->n++;
    t->last = signo;
    t->of[signo]++;
}

static int start(void **state)
{
    (void)state;
    memset(&told, 0, sizeof(told));
    told.base = event_base_new();
    return told.base != NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    event_base_free(told.base);
    return 0;
}

static int is_blocked(int signo)
{
    sigset_t now;

    pthread_sigmask(SIG_SETMASK, NULL, &now);
    return sigismember(&now, signo);
}

/* All that is there, without waiting for more. */
static void go_round(void)
{
    for (int i = 0; i < 8; i++)
        assert_true(event_base_loop(told.base, EVLOOP_NONBLOCK) >= 0);
}

static const struct {
    const char *name;
    int sent[4], n, told[2];
} rows[] = {
    {"none", {0}, 0, {0}},
    {"one", {SIGTERM}, 1, {SIGTERM}},
    {"the other", {SIGCHLD}, 1, {SIGCHLD}},
    {"both at once", {SIGTERM, SIGCHLD}, 2, {SIGTERM, SIGCHLD}},
    {"one twice is one", {SIGTERM, SIGTERM}, 1, {SIGTERM}},
};

static void each_is_told(void **state)
{
    static const int list[SIGNALS_MOST] = {SIGTERM, SIGCHLD};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct signals *s = signals_new(told.base, list, on, &told);

        assert_non_null(s);
        told.n = 0;
        for (int k = 0; rows[i].sent[k] != 0; k++)
            assert_int_equal(raise(rows[i].sent[k]), 0);
        go_round();
        if (told.n != rows[i].n)
            fail_msg("%s: %d were told", rows[i].name, told.n);
        for (int k = 0; k < rows[i].n; k++)
            if (told.of[rows[i].told[k]] == 0)
                fail_msg("%s: not %d", rows[i].name, rows[i].told[k]);
        memset(told.of, 0, sizeof(told.of));
        signals_free(s);
    }
}

/* Ignored as it is in what a shell has put into the background. */
static void one_that_was_ignored_is_told(void **state)
{
    static const int list[SIGNALS_MOST] = {SIGINT};
    void (*before)(int) = signal(SIGINT, SIG_IGN);
    struct signals *s = signals_new(told.base, list, on, &told);

    (void)state;
    assert_non_null(s);
    assert_int_equal(raise(SIGINT), 0);
    go_round();
    assert_int_equal(told.of[SIGINT], 1);
    signals_free(s);
    signal(SIGINT, before);
}

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

static void *foreign(void *arg)
{
    pthread_mutex_lock(&busy);
    pthread_mutex_unlock(&busy);
    return arg;
}

/* A library's, from before, which blocks nothing: it is the one who gets it. */
static void one_that_another_thread_gets_is_told(void **state)
{
    static const int list[SIGNALS_MOST] = {SIGTERM};
    struct signals *s;
    pthread_t thread;

    (void)state;
    pthread_mutex_lock(&busy);
    assert_int_equal(pthread_create(&thread, NULL, foreign, NULL), 0);
    s = signals_new(told.base, list, on, &told);
    assert_non_null(s);
    assert_int_equal(pthread_kill(thread, SIGTERM), 0);
    while (told.n == 0)
        assert_true(event_base_loop(told.base, EVLOOP_ONCE) >= 0);
    assert_int_equal(told.of[SIGTERM], 1);
    pthread_mutex_unlock(&busy);
    pthread_join(thread, NULL);
    signals_free(s);
}

static void the_end_leaves_nothing(void **state)
{
    static const int list[SIGNALS_MOST] = {SIGTERM};
    struct signals *s = signals_new(told.base, list, on, &told);
    struct sigaction now;

    (void)state;
    assert_non_null(s);
    assert_true(is_blocked(SIGTERM));
    assert_false(is_blocked(SIGINT)); /* it is not in the list */
    assert_int_equal(raise(SIGTERM), 0);
    signals_free(s); /* what came is forgotten: it would end this program */
    assert_false(is_blocked(SIGTERM));
    assert_int_equal(sigaction(SIGTERM, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_DFL);
    assert_int_equal(told.n, 0);
    signals_free(NULL);
}

/* No descriptor is left. */
static void a_failure_says_why_and_leaves_nothing(void **state)
{
    static const int list[SIGNALS_MOST] = {SIGTERM};
    struct rlimit before, none;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    errno = 0;
    assert_null(signals_new(told.base, list, on, &told));
    assert_int_equal(errno, EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(is_blocked(SIGTERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_told, start, end),
        cmocka_unit_test_setup_teardown(one_that_was_ignored_is_told, start,
                                        end),
        cmocka_unit_test_setup_teardown(one_that_another_thread_gets_is_told,
                                        start, end),
        cmocka_unit_test_setup_teardown(the_end_leaves_nothing, start, end),
        cmocka_unit_test_setup_teardown(a_failure_says_why_and_leaves_nothing,
                                        start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
