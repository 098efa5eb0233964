/* Hooks that watch how connections begin and end. */
#include "ca.h"
#include "sock.h"

#include <sys/socket.h>
#include <unistd.h>

struct seen {
    int calls, answer, fd;
    size_t len;
    char first[65];
    tlsock_error err;
    const char *say; /* to the peer, in plaintext */
};

static int watch(const tlsock_event *e, void *arg)
{
    struct seen *w = arg;

    w->calls++;
    w->fd = e->fd;
    w->len = e->len;
    if (e->len != 0)
        memcpy(w->first, e->data, e->len);
    if (e->error != NULL)
        w->err = *e->error;
    if (w->say != NULL)
        (void)!send(e->fd, w->say, strlen(w->say), MSG_NOSIGNAL);
    assert_true(e->size >= sizeof(*e));
    assert_non_null(e->conn);
    assert_null(e->op);
    return w->answer;
}

/* A client that speaks plaintext is told so in its own language. */
static void a_plaintext_client_can_be_answered(void **state)
{
    struct seen w = {.say = "HTTP/1.0 400 TLS only\r\n\r\n",
                     .answer = TLSOCK_E_HOOK};
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    char got[64] = "";
    tlsock *s;
    int fds[2];

    (void)state;
    assert_code(tlsock_config_on(sc, TLSOCK_ON_HANDSHAKE_FAIL, watch, &w), 0);
    sock_tcp_pair(fds);
    s = tlsock_server_fd(fds[0], sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_int_equal(sock_send(fds[1], "GET / HTTP/1.0\r\n\r\n", 18), 0);
    assert_code(tlsock_handshake(s), TLSOCK_E_NOT_TLS);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.fd, fds[0]);
    assert_memory_equal(w.first, "GET / HTTP", 10);
    assert_code(w.err.code, TLSOCK_E_NOT_TLS);
    assert_code(tlsock_handshake(s), TLSOCK_E_NOT_TLS);
    assert_int_equal(w.calls, 1);
    tlsock_close(s);
    /* that, and no alert behind it */
    assert_int_equal(recv(fds[1], got, sizeof(got), 0), strlen(w.say));
    assert_string_equal(got, w.say);
    close(fds[1]);
    tlsock_config_unref(sc);
}

/* Who only watches changes nothing: the alert goes out. */
static void a_failure_is_told_with_its_reason(void **state)
{
    struct seen w = {.answer = 0};
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    assert_code(tlsock_config_on(cc, TLSOCK_ON_HANDSHAKE_FAIL, watch, &w), 0);
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "b.test"), 0);
    assert_code(peer_shake(&p), TLSOCK_E_NAME_MISMATCH);
    assert_int_equal(w.calls, 1);
    assert_code(w.err.code, TLSOCK_E_NAME_MISMATCH);
    assert_int_equal(w.fd, -1);
    assert_code(p.rc[SERVER], TLSOCK_E_ALERT);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void the_peers_end_is_told_once_and_may_be_refused(void **state)
{
    static const int answers[] = {0, TLSOCK_E_HOOK, TLSOCK_AGAIN};

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct seen w = {.answer = answers[i]};
        tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
        struct peer p;
        char byte;

        assert_code(tlsock_config_on(sc, TLSOCK_ON_CLOSE_NOTIFY, watch, &w), 0);
        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        peer_pingpong(&p);
        assert_code(tlsock_shutdown(p.conn[CLIENT], SHUT_WR), 0);
        assert_code(tlsock_read(p.conn[SERVER], &byte, 1),
                    answers[i] < 0 ? TLSOCK_E_HOOK : 0);
        assert_int_equal(tlsock_read(p.conn[SERVER], &byte, 1), 0);
        assert_int_equal(w.calls, 1);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_vanished_peer_has_not_ended(void **state)
{
    struct seen w = {0};
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char byte;

    (void)state;
    assert_code(tlsock_config_on(sc, TLSOCK_ON_CLOSE_NOTIFY, watch, &w), 0);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    p.pipes[CLIENT].ended = 1;
    assert_code(tlsock_read(p.conn[SERVER], &byte, 1), TLSOCK_E_TRUNCATED);
    assert_int_equal(w.calls, 0);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static int come_back(const tlsock_event *e, void *arg)
{
    int *rc = arg;
    char byte;

    rc[0] = (int)tlsock_read(e->conn, &byte, 1);
    rc[1] = tlsock_shutdown(e->conn, SHUT_WR);
    return 0;
}

static void a_hook_that_uses_its_connection_is_refused(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    int rc[2] = {0, 0};
    char byte;

    (void)state;
    assert_code(tlsock_config_on(sc, TLSOCK_ON_CLOSE_NOTIFY, come_back, rc), 0);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_code(tlsock_shutdown(p.conn[CLIENT], SHUT_WR), 0);
    assert_int_equal(tlsock_read(p.conn[SERVER], &byte, 1), 0);
    assert_code(rc[0], TLSOCK_E_STATE);
    assert_code(rc[1], TLSOCK_E_STATE);
    assert_int_equal(tlsock_write(p.conn[SERVER], "x", 1), 1);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void events_are_known_or_refused(void **state)
{
    tlsock_config *c = ca_client(NULL);
    struct peer p;

    (void)state;
    assert_code(tlsock_config_on(c, 0, watch, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_on(c, 99, watch, NULL), TLSOCK_E_ARGUMENT);
    assert_tells(tlsock_config_error(c)->message, "no event 99");
    assert_code(tlsock_config_on(NULL, TLSOCK_ON_HELLO, watch, NULL),
                TLSOCK_E_ARGUMENT);
    peer_init(&p);
    assert_int_equal(peer_open(&p, c, NULL, "a.test"), 0); /* frozen */
    assert_code(tlsock_config_on(c, TLSOCK_ON_CLOSE_NOTIFY, watch, NULL),
                TLSOCK_E_FROZEN);
    peer_free(&p);
    tlsock_config_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plaintext_client_can_be_answered),
        cmocka_unit_test(a_failure_is_told_with_its_reason),
        cmocka_unit_test(the_peers_end_is_told_once_and_may_be_refused),
        cmocka_unit_test(a_vanished_peer_has_not_ended),
        cmocka_unit_test(a_hook_that_uses_its_connection_is_refused),
        cmocka_unit_test(events_are_known_or_refused),
    };

    return cmocka_run_group_tests_name("hooks", tests, ca_setup, ca_teardown);
}
