/* tlsock_connect() as a whole: several addresses, one budget, one descriptor
 * to poll. */
#include "ca.h"
#include "sock.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void a_nonblocking_connect_is_driven_by_poll_alone(void **state)
{
    static const unsigned flags[] = {0, TLSOCK_F_STABLE_FD};
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->ip, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct sock_server server;
        tlsock_error err;
        char target[40], got[4];
        int changes = 0, fd = -1, rc;
        tlsock *s;

        sock_serve(&server, 1, sock_echo, sc);
        snprintf(target, sizeof(target), "localhost:%d", server.port);
        s = tlsock_connect(target, cc,
                           TLSOCK_OPTS(.nonblocking = 1, .flags = flags[i],
                                       .timeout_ms = 30000),
                           &err);
        assert_non_null(s);
        while ((rc = tlsock_handshake(s)) == TLSOCK_AGAIN) {
            struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

            assert_true(pfd.fd >= 0);
            assert_true(pfd.events != 0);
            changes += fd != -1 && fd != pfd.fd;
            fd = pfd.fd;
            poll(&pfd, 1, tlsock_timeout(s));
        }
        if (rc != 0)
            fail_msg("%s", tlsock_last_error(s)->message);
        assert_int_equal(changes, 0); /* it may change once: now */
        if (flags[i] == TLSOCK_F_STABLE_FD)
            assert_int_equal(tlsock_fd(s), fd);
        assert_int_equal(tlsock_write(s, "ping", 4), 4);
        while ((rc = (int)tlsock_read(s, got, 4)) == TLSOCK_AGAIN) {
            struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

            poll(&pfd, 1, tlsock_timeout(s));
        }
        assert_int_equal(rc, 4);
        tlsock_close(s);
        sock_join(&server);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_nonblocking_failure_ends_the_polling(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    int port, fd = sock_listen(&port), rc;
    tlsock_error err;
    char target[40];
    tlsock *s;

    (void)state;
    close(fd);
    snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    s = tlsock_connect(target, cc, TLSOCK_OPTS(.nonblocking = 1), &err);
    assert_non_null(s);
    while ((rc = tlsock_handshake(s)) == TLSOCK_AGAIN) {
        struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

        poll(&pfd, 1, tlsock_timeout(s));
    }
    assert_code(rc, TLSOCK_E_CONNECT);
    assert_true(tlsock_last_error(s)->hint[0] != '\0');
    assert_tells(tlsock_last_error(s)->message, target);
    tlsock_close(s);
    tlsock_config_unref(cc);
}

static void nonsense_names_the_valid_forms(void **state)
{
    static const char *const targets[] = {
        "",           ":",         "localhost:",
        ":443",       "*:443",     "[::1",
        "a b:443",      "localhost:70000", "localhost:-1",
        "unix:",      "http://x/",      "nope://x",
        "local\nhost:1"};
    tlsock_config *cc = ca_client(NULL);
    int fds = sock_count();

    (void)state;
    for (size_t i = 0; i < COUNT(targets); i++) {
        tlsock_error err = {0};

        assert_null(tlsock_connect(targets[i], cc, NULL, &err));
        if (err.code != TLSOCK_E_ARGUMENT || err.hint[0] == '\0')
            fail_msg("%s: %s %s", targets[i], tlsock_errname(err.code),
                     err.message);
    }
    assert_int_equal(sock_count(), fds);
    tlsock_config_unref(cc);
}

static void arguments_are_looked_at(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_error err;
    int file[2];

    (void)state;
    assert_null(tlsock_connect(NULL, cc, NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_null(tlsock_client_fd(-1, "a.test", cc, NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_int_equal(pipe(file), 0);
    assert_null(tlsock_client_fd(file[0], "a.test", cc, NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    close(file[0]);
    close(file[1]);
    assert_null(tlsock_client_io(NULL, NULL, "a.test", cc, NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_null(tlsock_connect(NULL, NULL, NULL, NULL));
    tlsock_config_unref(cc);
}

static void a_socket_may_be_connected_in_any_state_of_the_callers(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct sock_thread server;
    char got[4];
    int fds[2];
    tlsock *s;

    (void)state;
    sock_tcp_pair(fds);
    sock_run(&server, fds[1], sock_echo, sc);
    s = tlsock_client_fd(fds[0], "a.test", cc, NULL, NULL);
    assert_non_null(s);
    assert_int_equal(tlsock_write(s, "ping", 4), 4);
    assert_int_equal(tlsock_read_full(s, got, 4), 4);
    tlsock_close(s);
    sock_wait(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonblocking_connect_is_driven_by_poll_alone),
        cmocka_unit_test(a_nonblocking_failure_ends_the_polling),
        cmocka_unit_test(nonsense_names_the_valid_forms),
        cmocka_unit_test(arguments_are_looked_at),
        cmocka_unit_test(a_socket_may_be_connected_in_any_state_of_the_callers),
    };

    return cmocka_run_group_tests_name("tcp", tests, ca_setup, ca_teardown);
}
