/* A peer that is gone is an error code, never a signal. */
#include "ca.h"
#include "sock.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void count(int sig)
{
    (void)sig;
    signals++;
}

static void writing_to_nobody_raises_no_signal(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct sigaction act = {.sa_handler = count}, old, now;

    (void)state;
    assert_int_equal(sigaction(SIGPIPE, &act, &old), 0);
    for (int tcp = 0; tcp <= 1; tcp++) {
        int fds[2], rc = TLSOCK_AGAIN;
        ssize_t n = 0;
        tlsock *c, *s;

        (tcp ? sock_tcp_pair : sock_pair)(fds);
        c = tlsock_client_fd(fds[0], "a.test", cc,
                             TLSOCK_OPTS(.nonblocking = 1), NULL);
        s = tlsock_server_fd(fds[1], sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
        while (rc == TLSOCK_AGAIN) {
            rc = tlsock_handshake(c);
            (void)!tlsock_handshake(s);
        }
        assert_code(rc, TLSOCK_OK);
        tlsock_abandon(s);
        for (int i = 0; i < 100 && n >= 0; i++)
            n = tlsock_write(c, "to nobody", 9);
        assert_true(n < TLSOCK_AGAIN);
        assert_true(tlsock_last_error(c)->message[0] != '\0');
        assert_true(tlsock_write(c, "again", 5) < TLSOCK_AGAIN);
        tlsock_close(c);
    }
    assert_int_equal(signals, 0);
    assert_int_equal(sigaction(SIGPIPE, &old, &now), 0);
    assert_true(now.sa_handler == count); /* nobody replaced it */
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_client_that_hangs_up_early_raises_no_signal(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);

    (void)state;
    signal(SIGPIPE, count);
    for (int reset = 0; reset <= 1; reset++) {
        tlsock *c, *s;
        int fds[2], rc = TLSOCK_AGAIN;

        sock_tcp_pair(fds);
        c = tlsock_client_fd(
            fds[0], "a.test", cc,
            TLSOCK_OPTS(.nonblocking = 1, .flags = TLSOCK_F_BORROW_FD), NULL);
        s = tlsock_server_fd(fds[1], sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
        assert_code(tlsock_handshake(c), TLSOCK_AGAIN);
        tlsock_abandon(c);
        if (reset)
            sock_reset(fds[0]);
        else
            close(fds[0]);
        for (int i = 0; i < 100 && rc == TLSOCK_AGAIN; i++)
            rc = tlsock_handshake(s);
        assert_code(rc, TLSOCK_E_CLOSED_IN_HANDSHAKE);
        tlsock_close(s);
    }
    assert_int_equal(signals, 0);
    signal(SIGPIPE, SIG_DFL);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing_to_nobody_raises_no_signal),
        cmocka_unit_test(a_client_that_hangs_up_early_raises_no_signal),
    };

    return cmocka_run_group_tests_name("sigpipe", tests, ca_setup,
                                       ca_teardown);
}
