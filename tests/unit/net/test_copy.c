/* copy - a file into a socket by the system: what can be copied, what cannot,
 * and no SIGPIPE of ours that anybody sees. */
#include "net/copy.h"
#include "net/fd.h"
#include "net_help.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

static struct tsk_layer *layer;
static int fds[2], file;

static int setup(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                     0);
    layer = tsk_fd_layer_new(fds[0], 1);
    file = memfd_create("copy", 0);
    assert_non_null(layer);
    assert_int_equal(write(file, "0123456789", 10), 10);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    layer->ops->free(layer, 0);
    if (fds[1] >= 0)
        close(fds[1]);
    close(file);
    return 0;
}

static void peer_has(const char *text)
{
    char got[64] = "";

    assert_int_equal(read(fds[1], got, sizeof(got) - 1), strlen(text));
    assert_string_equal(got, text);
}

static void an_offset_moves_on_and_the_file_stays(void **state)
{
    int64_t at = 3;

    (void)state;
    assert_int_equal(tsk_copy_file(layer, file, &at, 4), 4);
    assert_int_equal(at, 7);
    peer_has("3456");
    assert_int_equal(tsk_copy_file(layer, file, &at, 100), 3);
    peer_has("789");
    assert_int_equal(tsk_copy_file(layer, file, &at, 100), 0);
    assert_int_equal(at, 10);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 0);
}

static void without_one_the_file_moves_on(void **state)
{
    (void)state;
    assert_int_equal(tsk_copy_file(layer, file, NULL, 4), 4);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 4);
    peer_has("0123");
}

static void a_full_socket_is_again_and_nothing_is_lost(void **state)
{
    ssize_t n, sent = 0, got = 0;
    char buf[4096];
    int64_t at = 0;

    (void)state;
    assert_int_equal(ftruncate(file, 4 << 20), 0);
    while ((n = tsk_copy_file(layer, file, &at, 1 << 20)) > 0)
        sent += n;
    assert_int_equal(n, TLSOCK_AGAIN);
    assert_int_equal(at, sent);
    while ((n = read(fds[1], buf, sizeof(buf))) > 0)
        got += n;
    assert_int_equal(got, sent);
}

static void a_peer_that_is_gone_raises_no_signal(void **state)
{
    struct sigaction before, dfl = {.sa_handler = SIG_DFL};
    sigset_t pending;

    (void)state;
    sigaction(SIGPIPE, &dfl, &before); /* it would end the program */
    close(fds[1]);
    fds[1] = -1;
    assert_int_equal(tsk_copy_file(layer, file, NULL, 4), TLSOCK_E_RESET);
    assert_int_equal(layer->sys_errno, EPIPE);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
    sigaction(SIGPIPE, &before, NULL);
}

static void somebody_elses_signal_stays(void **state)
{
    sigset_t pipe, before, pending;

    (void)state;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    pthread_kill(pthread_self(), SIGPIPE);
    close(fds[1]);
    fds[1] = -1;
    assert_int_equal(tsk_copy_file(layer, file, NULL, 4), TLSOCK_E_RESET);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGPIPE));
    sigwaitinfo(&pipe, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void what_would_wait_or_cannot_is_left_to_others(void **state)
{
    int pair[2], ends[2];
    struct tsk_layer *waits;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(tsk_copy_file(layer, ends[0], NULL, 1),
                     TLSOCK_E_UNSUPPORTED); /* it is no file */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    waits = tsk_fd_layer_new(pair[0], 1);
    assert_int_equal(tsk_copy_file(waits, file, NULL, 4), TLSOCK_E_UNSUPPORTED);
    waits->ops->free(waits, 0);
    close(pair[1]);
    close(ends[0]);
    close(ends[1]);
}

static void a_file_that_is_not_open_is_named(void **state)
{
    (void)state;
    assert_int_equal(tsk_copy_file(layer, -1, NULL, 4), TLSOCK_E_SYSTEM);
    assert_int_equal(layer->sys_errno, EBADF);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_offset_moves_on_and_the_file_stays),
        T(without_one_the_file_moves_on),
        T(a_full_socket_is_again_and_nothing_is_lost),
        T(a_peer_that_is_gone_raises_no_signal),
        T(somebody_elses_signal_stays),
        T(what_would_wait_or_cannot_is_left_to_others),
        T(a_file_that_is_not_open_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
