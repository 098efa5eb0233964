/* An end without close_notify is never taken for the end of the data. */
#include "ca.h"
#include "raw.h"
#include "sock.h"

#include <sys/socket.h>

static void an_end_without_close_notify_is_truncated(void **state)
{
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (int i = 0; i < 4; i++) {
        tlsock_config *cc = ca_client("tls.max", versions[i % 2], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        enum peer_side who = i < 2 ? CLIENT : SERVER;
        struct peer p;
        char got[16];

        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        peer_pingpong(&p);
        assert_int_equal(tlsock_write(p.conn[!who], "last", 4), 4);
        p.pipes[!who].ended = 1;
        assert_int_equal(tlsock_read(p.conn[who], got, sizeof(got)), 4);
        for (int k = 0; k < 3; k++)
            assert_code(tlsock_read(p.conn[who], got, sizeof(got)),
                        TLSOCK_E_TRUNCATED);
        assert_int_equal(tlsock_last_error(p.conn[who])->phase,
                         TLSOCK_PHASE_READ);
        assert_tells(tlsock_last_error(p.conn[who])->message, "close_notify");
        assert_true(tlsock_last_error(p.conn[who])->hint[0] != '\0');
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_cut_anywhere_is_never_an_end(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    size_t whole, cut, start;
    char msg[200] = "data", got[200];

    (void)state;
    cut = 0;
    do {
        struct peer p;
        ssize_t n;

        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        peer_pingpong(&p);
        start = p.pipes[SERVER].len;
        assert_int_equal(tlsock_write(p.conn[SERVER], msg, sizeof(msg)),
                         sizeof(msg));
        assert_code(tlsock_shutdown(p.conn[SERVER], SHUT_WR), TLSOCK_OK);
        whole = p.pipes[SERVER].len;
        whole -= start;
        p.pipes[SERVER].len = start + cut;
        p.pipes[SERVER].ended = 1;
        do
            n = tlsock_read(p.conn[CLIENT], got, sizeof(got));
        while (n > 0);
        assert_code(n, cut == whole ? 0 : TLSOCK_E_TRUNCATED);
        peer_free(&p);
    } while (cut++ < whole);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void truncation_can_be_allowed_for_peers_known_for_it(void **state)
{
    tlsock_config *cc = ca_client("truncation", "allow", NULL);
    struct raw_opts raw = {.cert = ca_get()->a};
    struct sock_thread server;
    char got[16];
    int fds[2];
    tlsock *s;

    (void)state;
    sock_pair(fds);
    sock_run(&server, fds[1], sock_raw_vanish, &raw);
    s = tlsock_client_fd(fds[0], "a.test", cc, NULL, NULL);
    assert_non_null(s);
    assert_int_equal(tlsock_read_full(s, got, sizeof(got)), 5);
    assert_int_equal(tlsock_read(s, got, sizeof(got)), 0);
    assert_code(tlsock_shutdown(s, SHUT_WR), 0); /* nobody is left to tell */
    tlsock_close(s);
    sock_wait(&server);
    tlsock_config_unref(cc);
}

static void a_socket_that_just_closes_is_truncated(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    struct raw_opts raw = {.cert = ca_get()->a};
    struct sock_thread server;
    char got[16];
    int fds[2];
    tlsock *s;

    (void)state;
    sock_pair(fds);
    sock_run(&server, fds[1], sock_raw_vanish, &raw);
    s = tlsock_client_fd(fds[0], "a.test", cc, NULL, NULL);
    assert_non_null(s);
    assert_int_equal(tlsock_read(s, got, sizeof(got)), 5);
    assert_code(tlsock_read(s, got, sizeof(got)), TLSOCK_E_TRUNCATED);
    assert_tells(tlsock_last_error(s)->message, "5 byte");
    tlsock_close(s);
    sock_wait(&server);
    tlsock_config_unref(cc);
}

static void read_full_does_not_hide_a_cut(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    struct raw_opts raw = {.cert = ca_get()->a};
    struct sock_thread server;
    char got[16];
    int fds[2];
    tlsock *s;

    (void)state;
    sock_pair(fds);
    sock_run(&server, fds[1], sock_raw_vanish, &raw);
    s = tlsock_client_fd(fds[0], "a.test", cc, NULL, NULL);
    assert_non_null(s);
    assert_code(tlsock_read_full(s, got, sizeof(got)), TLSOCK_E_TRUNCATED);
    /* what came before it is kept */
    assert_int_equal(tlsock_read(s, got, sizeof(got)), 5);
    assert_memory_equal(got, "hello", 5);
    assert_code(tlsock_read(s, got, sizeof(got)), TLSOCK_E_TRUNCATED);
    tlsock_close(s);
    sock_wait(&server);
    tlsock_config_unref(cc);
}

static void getline_does_not_take_a_cut_line_for_the_last(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    struct raw_opts raw = {.cert = ca_get()->a};
    struct sock_thread server;
    char *line = NULL;
    size_t cap = 0;
    int fds[2];
    tlsock *s;

    (void)state;
    sock_pair(fds);
    sock_run(&server, fds[1], sock_raw_vanish, &raw);
    s = tlsock_client_fd(fds[0], "a.test", cc, NULL, NULL);
    assert_non_null(s);
    assert_code(tlsock_getline(s, &line, &cap, 100), TLSOCK_E_TRUNCATED);
    tlsock_close(s);
    free(line);
    sock_wait(&server);
    tlsock_config_unref(cc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_without_close_notify_is_truncated),
        cmocka_unit_test(a_cut_anywhere_is_never_an_end),
        cmocka_unit_test(truncation_can_be_allowed_for_peers_known_for_it),
        cmocka_unit_test(a_socket_that_just_closes_is_truncated),
        cmocka_unit_test(read_full_does_not_hide_a_cut),
        cmocka_unit_test(getline_does_not_take_a_cut_line_for_the_last),
    };

    return cmocka_run_group_tests_name("truncation", tests, ca_setup,
                                       ca_teardown);
}
