/* tlsock_poll() knows what poll(2) cannot: decrypted bytes in memory. */
#include "ca.h"
#include "sock.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <tlsock/openssl.h>
#include <unistd.h>

struct sides {
    tlsock_config *cc, *sc;
    tlsock *client, *server; /* nonblocking, over a socket pair */
};

static int start_with(void **state, const char *tls_max)
{
    struct sides *t = test_malloc(sizeof(*t));
    int fds[2], crc = TLSOCK_AGAIN, src = TLSOCK_AGAIN;

    t->cc = ca_client("tls.max", tls_max, NULL);
    t->sc = ca_server(ca_get()->a, "tickets.count", "4", NULL);
    sock_pair(fds);
    t->client = tlsock_client_fd(fds[0], "a.test", t->cc,
                                 TLSOCK_OPTS(.nonblocking = 1), NULL);
    t->server =
        tlsock_server_fd(fds[1], t->sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
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

static int start(void **state)
{
    return start_with(state, "1.3");
}

static int start_12(void **state)
{
    return start_with(state, "1.2");
}

static int put_away(void **state)
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

/* Four tickets wait in the socket (TLS 1.3), and no data. */
static void a_ticket_alone_wakes_no_poll(void **state)
{
    struct sides *t = *state;
    tlsock_pollitem items[2] = {{.s = t->client, .events = POLLIN},
                                {.events = POLLIN}};
    int fds[2];

    sock_pair(fds);
    items[1].fd = fds[0];
    for (int i = 0; i < 3; i++)
        assert_int_equal(tlsock_poll(items, 2, 0), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(tlsock_poll(items, 2, -1), 1); /* not for the tickets */
    assert_int_equal(items[0].revents, 0);
    assert_int_equal(items[1].revents, POLLIN);
    assert_int_equal(tlsock_write(t->server, "ab", 2), 2);
    assert_int_equal(tlsock_poll(items, 1, -1), 1); /* but for data */
    assert_int_equal(items[0].revents, POLLIN);
    close(fds[0]);
    close(fds[1]);
}

/* A loop that knows descriptors only sees a flight of tickets as readable:
 * one read that says AGAIN, and the loop is quiet. */
static void a_flight_of_tickets_wakes_a_loop_once(void **state)
{
    struct sides *t = *state;
    int set = epoll_create1(EPOLL_CLOEXEC), woken = 0;
    int tickets = tlsock_get_ssl(t->client) != NULL &&
                  SSL_version(tlsock_get_ssl(t->client)) == TLS1_3_VERSION;
    struct epoll_event ev = {.events = EPOLLIN};
    char got[8];

    assert_int_equal(tlsock_events(t->client), POLLIN);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, tlsock_fd(t->client), &ev),
                     0);
    while (epoll_wait(set, &ev, 1, 0) == 1 && woken < 10) {
        woken++;
        assert_code(tlsock_read(t->client, got, sizeof(got)), TLSOCK_AGAIN);
        assert_int_equal(tlsock_events(t->client), POLLIN);
        assert_int_equal(tlsock_timeout(t->client), -1);
    }
    assert_int_equal(woken, tickets);
    assert_int_equal(tlsock_write(t->server, "ab", 2), 2);
    assert_int_equal(epoll_wait(set, &ev, 1, -1), 1);
    assert_int_equal(tlsock_read(t->client, got, sizeof(got)), 2);
    assert_int_equal(epoll_wait(set, &ev, 1, 0), 0);
    close(set);
}

/* Writes until no more is taken; the number of bytes. */
static size_t fill_up(tlsock *s)
{
    static const char big[65536];
    size_t total = 0;
    ssize_t n;

    while ((n = tlsock_write(s, big, sizeof(big))) > 0)
        total += (size_t)n;
    assert_code(n, TLSOCK_AGAIN);
    assert_int_equal(tlsock_events(s) & POLLOUT, POLLOUT);
    return total;
}

static size_t drain(tlsock *s)
{
    char buf[16384];
    size_t total = 0;
    ssize_t n;

    while ((n = tlsock_read(s, buf, sizeof(buf))) > 0)
        total += (size_t)n;
    assert_code(n, TLSOCK_AGAIN);
    return total;
}

/* What a full socket kept back leaves by reads alone. */
static void a_read_that_must_write_says_so(void **state)
{
    struct sides *t = *state;
    size_t sent = fill_up(t->client), got = 0;
    struct pollfd pfd = {.fd = tlsock_fd(t->client)};
    char byte;

    assert_code(tlsock_read(t->client, &byte, 1), TLSOCK_AGAIN);
    assert_int_equal(tlsock_events(t->client), POLLIN | POLLOUT);
    pfd.events = POLLOUT;
    assert_int_equal(poll(&pfd, 1, 0), 0);
    for (int i = 0; i < 1000 && got < sent; i++) {
        got += drain(t->server);
        assert_code(tlsock_read(t->client, &byte, 1), TLSOCK_AGAIN);
    }
    assert_int_equal(got, sent);
    assert_int_equal(tlsock_events(t->client), POLLIN);
}

/* RFC 8446, 4.6.3: who is asked for new keys answers, in the midst of reading;
 * here while nothing more can be sent. */
static void a_key_update_does_not_stop_a_reader(void **state)
{
    struct sides *t = *state;
    size_t sent = fill_up(t->client), got = 0;
    char byte = 0;

    if (SSL_version(tlsock_get_ssl(t->server)) == TLS1_3_VERSION)
        assert_int_equal(
            SSL_key_update(tlsock_get_ssl(t->server), SSL_KEY_UPDATE_REQUESTED),
            1);
    assert_int_equal(tlsock_write(t->server, "x", 1), 1);
    while (tlsock_read(t->client, &byte, 1) == TLSOCK_AGAIN) {
        assert_int_equal(tlsock_events(t->client), POLLIN | POLLOUT);
        got += drain(t->server);
    }
    assert_int_equal(byte, 'x');
    for (int i = 0; i < 1000 && got < sent; i++) {
        (void)!tlsock_flush(t->client);
        got += drain(t->server);
    }
    assert_int_equal(got, sent);
    assert_int_equal(tlsock_write(t->client, "y", 1), 1); /* with new keys */
    assert_int_equal(tlsock_read(t->server, &byte, 1), 1);
    assert_int_equal(byte, 'y');
}

static void a_write_that_must_read_says_so(void **state)
{
    struct sides *t = *state;
    int fds[2];
    tlsock *c, *s;
    char got[8];

    sock_pair(fds);
    c = tlsock_client_fd(fds[0], "a.test", t->cc, TLSOCK_OPTS(.nonblocking = 1),
                         NULL);
    s = tlsock_server_fd(fds[1], t->sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_int_equal(tlsock_timeout(c), 0); /* it begins unasked */
    for (int i = 0; tlsock_write(c, "ab", 2) == TLSOCK_AGAIN; i++) {
        assert_true(i < 10);
        assert_int_equal(tlsock_events(c), POLLIN);
        assert_code(tlsock_read(s, got, sizeof(got)), TLSOCK_AGAIN);
        assert_int_equal(tlsock_events(s), POLLIN);
    }
    assert_int_equal(tlsock_read(s, got, sizeof(got)), 2);
    tlsock_close(c);
    tlsock_close(s);
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

struct sink {
    tlsock_config *config;
    int gate[2]; /* a byte in there: it may begin to read */
    size_t got;
};

static void swallow(int fd, void *arg)
{
    struct sink *k = arg;
    tlsock *s = tlsock_server_fd(
        fd, k->config, TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD), NULL);
    char buf[16384];
    ssize_t n;

    if (tlsock_handshake(s) == 0 && read(k->gate[0], buf, 1) == 1)
        while ((n = tlsock_read(s, buf, sizeof(buf))) > 0)
            k->got += (size_t)n;
    tlsock_close(s);
}

/* One descriptor from the first to the last, and it wakes whoever has given
 * away more than the socket could take. */
static void a_stable_descriptor_tells_of_the_rest_to_send(void **state)
{
    static const char zeros[16 << 20];
    struct sides *t = *state;
    struct sink k = {.config = t->sc};
    struct sock_server server;
    struct pollfd p = {-1, POLLIN, 0};
    int rc = TLSOCK_AGAIN;
    ssize_t n;
    tlsock *s;

    assert_int_equal(pipe(k.gate), 0);
    sock_serve(&server, 1, swallow, &k);
    s = tlsock_connect(server.target, t->cc,
                       TLSOCK_OPTS(.nonblocking = 1, .name = "a.test",
                                   .flags = TLSOCK_F_STABLE_FD),
                       NULL);
    assert_non_null(s);
    p.fd = tlsock_fd(s);
    for (int i = 0; i < 100 && rc == TLSOCK_AGAIN; i++) {
        rc = tlsock_handshake(s);
        if (rc == TLSOCK_AGAIN)
            poll(&p, 1, tlsock_timeout(s));
    }
    assert_code(rc, TLSOCK_OK);
    assert_code(tlsock_read(s, &(char){0}, 1), TLSOCK_AGAIN);
    n = tlsock_write(s, zeros, sizeof(zeros)); /* more than any socket takes */
    assert_true(n > 0 && n < (ssize_t)sizeof(zeros));
    assert_int_equal(write(k.gate[1], "x", 1), 1);
    do {
        assert_int_equal(tlsock_fd(s), p.fd);
        assert_int_equal(tlsock_events(s), POLLIN);
        assert_int_equal(poll(&p, 1, 20000), 1);
    } while (tlsock_flush(s) == TLSOCK_AGAIN);
    assert_code(tlsock_close(s), TLSOCK_OK);
    sock_join(&server);
    assert_int_equal(k.got, n);
    close(k.gate[0]);
    close(k.gate[1]);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    assert_code(tlsock_poll(NULL, 3, 0), TLSOCK_E_ARGUMENT);
    assert_int_equal(tlsock_poll(NULL, 0, 0), 0);
}

#define BOTH(test)                                                             \
    {#test " (TLS 1.2)", test, start_12, put_away, NULL},                      \
    {                                                                          \
#test " (TLS 1.3)", test, start, put_away, NULL                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_in_memory_are_readable, start,
                                        put_away),
        cmocka_unit_test_setup_teardown(peeked_and_line_bytes_are_readable,
                                        start, put_away),
        cmocka_unit_test_setup_teardown(
            a_ticket_alone_does_not_make_a_read_block, start, put_away),
        BOTH(a_ticket_alone_wakes_no_poll),
        BOTH(a_flight_of_tickets_wakes_a_loop_once),
        BOTH(a_read_that_must_write_says_so),
        BOTH(a_key_update_does_not_stop_a_reader),
        BOTH(a_write_that_must_read_says_so),
        cmocka_unit_test_setup_teardown(plain_descriptors_may_be_among_them,
                                        start, put_away),
        cmocka_unit_test_setup_teardown(writing_is_possible_while_there_is_room,
                                        start, put_away),
        cmocka_unit_test_setup_teardown(the_end_is_readable, start, put_away),
        cmocka_unit_test_setup_teardown(
            a_stable_descriptor_tells_of_the_rest_to_send, start, put_away),
        cmocka_unit_test(nonsense_is_refused),
    };

    return cmocka_run_group_tests_name("poll", tests, ca_setup, ca_teardown);
}
