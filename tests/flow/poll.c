/* tlsock_poll() knows what poll(2) cannot: decrypted bytes in memory. */
#include "ca.h"
#include "sock.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct sides {
    tlsock_config *cc, *sc;
    tlsock *client, *server; /* nonblocking, over a socket pair */
};

static int start(void **state)
{
    struct sides *t = test_malloc(sizeof(*t));
    int fds[2], crc = TLSOCK_AGAIN, src = TLSOCK_AGAIN;

    t->cc = ca_client(NULL);
    t->sc = ca_server(ca_get()->a, NULL);
    sock_pair(fds);
    t->client = tlsock_client_fd(fds[0], "a.test", t->cc,
                                 TLSOCK_OPTS(.nonblocking = 1), NULL);
    t->server = tlsock_server_fd(fds[1], t->sc,
                                 TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_non_null(t->client);
    assert_non_null(t->server);
    for (int i = 0; i < 20 && (crc != 0 || src != 0); i++) {
        crc = tlsock_handshake(t->client);
        src = tlsock_handshake(t->server);
    }
    assert_code(crc, TLSOCK_OK);
    assert_code(src, TLSOCK_OK);
    assert_code(tlsock_flush(t->server), TLSOCK_OK);
    *state = t;
    return 0;
}

static int stop(void **state)
{
    struct sides *t = *state;

    tlsock_close(t->client);
    tlsock_close(t->server);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc);
    test_free(t);
    return 0;
}

static void bytes_in_memory_are_readable(void **state)
{
    struct sides *t = *state;
    tlsock_pollitem item = {.s = t->client, .events = POLLIN};
    struct pollfd pfd = {.fd = tlsock_fd(t->client), .events = POLLIN};
    char got[8];

    assert_int_equal(tlsock_write(t->server, "ab", 2), 2);
    assert_int_equal(tlsock_write(t->server, "cd", 2), 2);
    for (int i = 0; i < 4; i++) { /* with no limit: it must not wait */
        assert_int_equal(tlsock_poll(&item, 1, -1), 1);
        assert_int_equal(item.revents & POLLIN, POLLIN);
        assert_int_equal(tlsock_read(t->client, got, 1), 1);
    }
    assert_int_equal(poll(&pfd, 1, 0), 0);
    assert_int_equal(tlsock_poll(&item, 1, 0), 0);
    assert_int_equal(item.revents, 0);
}

static void peeked_and_line_bytes_are_readable(void **state)
{
    struct sides *t = *state;
    tlsock_pollitem item = {.s = t->client, .events = POLLIN};
    char got[8], *line = NULL;
    size_t cap = 0;

    assert_int_equal(tlsock_write(t->server, "x\ny", 3), 3);
    assert_int_equal(tlsock_poll(&item, 1, -1), 1);
    assert_int_equal(tlsock_peek(t->client, got, 3), 3);
    assert_int_equal(tlsock_poll(&item, 1, -1), 1);
    assert_int_equal(tlsock_getline(t->client, &line, &cap, 10), 2);
    assert_int_equal(tlsock_poll(&item, 1, -1), 1);
    assert_int_equal(tlsock_timeout(t->client), 0);
    free(line);
}

static void a_ticket_alone_does_not_make_a_read_block(void **state)
{
    struct sides *t = *state;
    char got[8];

    /* the server's tickets wait in the socket: no data */
    assert_code(tlsock_read(t->client, got, 8), TLSOCK_AGAIN);
    assert_int_equal(tlsock_write(t->server, "ab", 2), 2);
    assert_int_equal(tlsock_read(t->client, got, 8), 2);
}

static void plain_descriptors_may_be_among_them(void **state)
{
    struct sides *t = *state;
    int fds[2];
    tlsock_pollitem items[3] = {{.s = t->client, .events = POLLIN},
                                {.fd = -1, .events = POLLIN, .revents = 77},
                                {.events = POLLIN}};
    char got[8];

    (void)got;
    sock_pair(fds);
    items[2].fd = fds[0];
    assert_code(tlsock_read(t->client, got, 8), TLSOCK_AGAIN);
    assert_int_equal(tlsock_poll(items, 3, 0), 0);
    assert_int_equal(items[1].revents, 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(tlsock_poll(items, 3, -1), 1);
    assert_int_equal(items[2].revents, POLLIN);
    assert_int_equal(tlsock_write(t->server, "ab", 2), 2);
    assert_int_equal(tlsock_poll(items, 3, -1), 2);
    close(fds[0]);
    close(fds[1]);
}

static void writing_is_possible_while_there_is_room(void **state)
{
    struct sides *t = *state;
    tlsock_pollitem item = {.s = t->client, .events = POLLOUT};
    static const char big[65536];
    ssize_t n;

    assert_int_equal(tlsock_poll(&item, 1, 0), 1);
    assert_int_equal(item.revents, POLLOUT);
    do
        n = tlsock_write(t->client, big, sizeof(big));
    while (n > 0);
    assert_code(n, TLSOCK_AGAIN);
    assert_int_equal(tlsock_poll(&item, 1, 0), 0);
    tlsock_abandon(t->server); /* nobody will ever read */
    t->server = NULL;
    assert_int_equal(tlsock_poll(&item, 1, -1), 1);
}

static void the_end_is_readable(void **state)
{
    struct sides *t = *state;
    tlsock_pollitem item = {.s = t->client, .events = POLLIN};
    char got[1];

    assert_code(tlsock_close(t->server), TLSOCK_OK);
    t->server = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tlsock_poll(&item, 1, -1), 1);
        assert_true(item.revents & POLLIN);
        assert_int_equal(tlsock_read(t->client, got, 1), 0);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    assert_code(tlsock_poll(NULL, 3, 0), TLSOCK_E_ARGUMENT);
    assert_int_equal(tlsock_poll(NULL, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_in_memory_are_readable, start,
                                        stop),
        cmocka_unit_test_setup_teardown(peeked_and_line_bytes_are_readable,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            a_ticket_alone_does_not_make_a_read_block, start, stop),
        cmocka_unit_test_setup_teardown(plain_descriptors_may_be_among_them,
                                        start, stop),
        cmocka_unit_test_setup_teardown(
            writing_is_possible_while_there_is_room, start, stop),
        cmocka_unit_test_setup_teardown(the_end_is_readable, start, stop),
        cmocka_unit_test(nonsense_is_refused),
    };

    return cmocka_run_group_tests_name("poll", tests, ca_setup, ca_teardown);
}
