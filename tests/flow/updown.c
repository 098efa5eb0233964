/* PLAIN -> TLS -> PLAIN -> TLS on one handle, in every order and over every
 * transport, and what must not pass the border between the two. */
#include "ca.h"
#include "peer.h"
#include "sock.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum way { MEMORY, UNIX, TCP };

struct sides {
    tlsock_config *cc, *sc;
    struct peer p;
    int fds[2]; /* of UNIX and TCP; owned by the connections */
};

static void open_sides(struct sides *t, enum way way, int plain,
                       const char *tls_max)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .plain = plain);

    memset(t, 0, sizeof(*t));
    t->cc = ca_client("tls.max", tls_max, NULL);
    t->sc = ca_server(ca_get()->a, NULL);
    peer_init(&t->p);
    if (way == MEMORY) {
        assert_int_equal(peer_open_opts(&t->p, t->cc, o, t->sc, o, "a.test"),
                         0);
        return;
    }
    if (way == UNIX)
        sock_pair(t->fds);
    else
        sock_tcp_pair(t->fds);
    t->p.conn[CLIENT] = tlsock_client_fd(t->fds[0], "a.test", t->cc, o, NULL);
    t->p.conn[SERVER] = tlsock_server_fd(t->fds[1], t->sc, o, NULL);
    assert_non_null(t->p.conn[CLIENT]);
    assert_non_null(t->p.conn[SERVER]);
}

static void close_sides(struct sides *t)
{
    peer_free(&t->p);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc);
}

static int64_t state_of(const tlsock *s)
{
    return tlsock_info_int(s, TLSOCK_INFO_STATE);
}

static int up_client(tlsock *s)
{
    return tlsock_start_tls(s, NULL);
}

static int down(tlsock *s)
{
    return tlsock_stop_tls(s);
}

/* The same step on both sides until neither has to wait. */
static void together(struct sides *t, int (*step)(tlsock *), int rc[2])
{
    rc[CLIENT] = rc[SERVER] = TLSOCK_AGAIN;
    for (int i = 0; i < 100; i++) {
        if (rc[CLIENT] == TLSOCK_AGAIN)
            rc[CLIENT] = step(t->p.conn[CLIENT]);
        if (rc[SERVER] == TLSOCK_AGAIN)
            rc[SERVER] = step(t->p.conn[SERVER]);
    }
}

static void both(struct sides *t, int (*step)(tlsock *))
{
    int rc[2];

    together(t, step, rc);
    assert_code(rc[CLIENT], TLSOCK_OK);
    assert_code(rc[SERVER], TLSOCK_OK);
}

/* One byte of each kind of border: a message each way, exact. */
static void talk(struct sides *t, int64_t state)
{
    assert_int_equal(state_of(t->p.conn[CLIENT]), state);
    assert_int_equal(state_of(t->p.conn[SERVER]), state);
    peer_say(&t->p, CLIENT, "ask\n", 4);
    peer_say(&t->p, SERVER, "told\n", 5);
}

/* Does what the client sends look like plaintext on the wire? */
static void wire_is(struct sides *t, int plain)
{
    size_t before = t->p.pipes[CLIENT].len;

    peer_say(&t->p, CLIENT, "visible", 7);
    assert_int_equal(
        memcmp(t->p.pipes[CLIENT].data + before, "visible", 7) == 0, plain);
}

static void every_order_over_every_transport(void **state)
{
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (int run = 0; run < 2 * 3 * 2; run++) {
        enum way way = (enum way)(run / 4);
        int plain = run & 1;
        struct sides t;

        open_sides(&t, way, plain, versions[run / 2 % 2]);
        if (!plain)
            both(&t, tlsock_handshake);
        for (int i = 0; i < 3; i++) {
            if (plain || i > 0) {
                talk(&t, TLSOCK_STATE_PLAIN);
                if (way == MEMORY)
                    wire_is(&t, 1);
                both(&t, up_client);
            }
            talk(&t, TLSOCK_STATE_TLS);
            assert_string_equal(
                tlsock_info(t.p.conn[CLIENT], TLSOCK_INFO_VERIFIED)[0] == 'c'
                    ? "chain"
                    : "none",
                "chain");
            if (way == MEMORY)
                wire_is(&t, 0);
            both(&t, down);
            assert_string_equal(
                tlsock_info(t.p.conn[CLIENT], TLSOCK_INFO_VERIFIED), "");
        }
        talk(&t, TLSOCK_STATE_PLAIN);
        both(&t, up_client);
        talk(&t, TLSOCK_STATE_TLS);
        peer_close(&t.p);
        close_sides(&t);
    }
}

/* Either side may be the first to end TLS, long before the other knows. */
static void one_side_may_end_first(void **state)
{
    (void)state;
    for (int first = CLIENT; first <= SERVER; first++) {
        struct sides t;
        char got[16];

        open_sides(&t, TCP, 0, "1.3");
        both(&t, tlsock_handshake);
        peer_pingpong(&t.p);
        assert_code(tlsock_stop_tls(t.p.conn[first]), TLSOCK_AGAIN);
        assert_int_equal(state_of(t.p.conn[first]), TLSOCK_STATE_WRITE_CLOSED);
        /* the other may still send: it is read first, then TLS ends */
        assert_int_equal(tlsock_write(t.p.conn[!first], "more", 4), 4);
        assert_code(tlsock_stop_tls(t.p.conn[first]), TLSOCK_E_STATE);
        assert_tells(tlsock_last_error(t.p.conn[first])->message, "sends data");
        assert_int_equal(tlsock_read(t.p.conn[first], got, sizeof(got)), 4);
        assert_memory_equal(got, "more", 4);
        assert_int_equal(tlsock_read(t.p.conn[!first], got, sizeof(got)), 0);
        assert_int_equal(state_of(t.p.conn[!first]), TLSOCK_STATE_PEER_CLOSED);
        assert_code(tlsock_stop_tls(t.p.conn[!first]), TLSOCK_OK);
        assert_code(tlsock_stop_tls(t.p.conn[first]), TLSOCK_OK);
        talk(&t, TLSOCK_STATE_PLAIN);
        close_sides(&t);
    }
}

/* Data that is there already: the call changes nothing. */
static void unread_data_refuses_the_end_and_nothing_is_said(void **state)
{
    struct sides t;
    size_t before;
    char got[8];

    (void)state;
    open_sides(&t, MEMORY, 0, "1.3");
    both(&t, tlsock_handshake);
    peer_pingpong(&t.p);
    assert_int_equal(tlsock_write(t.p.conn[SERVER], "data", 4), 4);
    before = t.p.pipes[CLIENT].len;
    assert_code(tlsock_stop_tls(t.p.conn[CLIENT]), TLSOCK_E_STATE);
    assert_code(tlsock_stop_tls(t.p.conn[CLIENT]), TLSOCK_E_STATE);
    assert_true(tlsock_last_error(t.p.conn[CLIENT])->hint[0] != '\0');
    assert_int_equal(t.p.pipes[CLIENT].len, before);
    assert_int_equal(state_of(t.p.conn[CLIENT]), TLSOCK_STATE_TLS);
    assert_int_equal(tlsock_read(t.p.conn[CLIENT], got, sizeof(got)), 4);
    peer_pingpong(&t.p);
    both(&t, down);
    talk(&t, TLSOCK_STATE_PLAIN);
    close_sides(&t);
}

/* close_notify and plaintext in one segment: after the end of TLS the very
 * next byte of the socket is the plaintext's first. */
static void plaintext_on_the_heels_stays_in_the_socket(void **state)
{
    struct sides t;
    char got[32];
    int fd;

    (void)state;
    open_sides(&t, TCP, 0, "1.3");
    both(&t, tlsock_handshake);
    peer_pingpong(&t.p);
    assert_code(tlsock_stop_tls(t.p.conn[CLIENT]), TLSOCK_AGAIN);
    assert_code(tlsock_stop_tls(t.p.conn[SERVER]), TLSOCK_OK);
    assert_int_equal(tlsock_write(t.p.conn[SERVER], "220 plain\r\n", 11), 11);
    assert_code(tlsock_stop_tls(t.p.conn[CLIENT]), TLSOCK_OK);
    assert_int_equal(tlsock_pending(t.p.conn[CLIENT]), 0);
    assert_code(tlsock_detach(t.p.conn[CLIENT], &fd), TLSOCK_OK);
    t.p.conn[CLIENT] = NULL;
    assert_int_equal(fd, t.fds[0]);
    assert_int_equal(read(fd, got, sizeof(got)), 11);
    assert_memory_equal(got, "220 plain\r\n", 11);
    close(fd);
    close_sides(&t);
}

/* A peer that does not wait for our close_notify: its plaintext is neither
 * taken for data of TLS nor lost. */
static void plaintext_of_a_hasty_peer_is_read_as_plaintext_only(void **state)
{
    struct sides t;
    char got[32];

    (void)state;
    open_sides(&t, MEMORY, 0, "1.3");
    both(&t, tlsock_handshake);
    peer_pingpong(&t.p);
    assert_code(tlsock_shutdown(t.p.conn[CLIENT], SHUT_WR), TLSOCK_OK);
    pipe_inject(&t.p.pipes[CLIENT], "PASV\r\n", 6);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tlsock_read(t.p.conn[SERVER], got, sizeof(got)), 0);
    assert_code(tlsock_stop_tls(t.p.conn[SERVER]), TLSOCK_OK);
    assert_int_equal(tlsock_pending(t.p.conn[SERVER]), 6);
    assert_int_equal(tlsock_timeout(t.p.conn[SERVER]), 0);
    assert_int_equal(tlsock_read(t.p.conn[SERVER], got, sizeof(got)), 6);
    assert_memory_equal(got, "PASV\r\n", 6);
    close_sides(&t);
}

/* The same over a socket whose handle has been PLAIN before: the socket has the
 * plaintext, whoever reads it then. */
static void after_plain_nothing_behind_tls_leaves_the_socket(void **state)
{
    struct sides t;
    char got[32];
    int fd, copy;

    (void)state;
    open_sides(&t, TCP, 1, "1.3");
    both(&t, up_client);
    peer_pingpong(&t.p);
    copy = dup(t.fds[0]);
    assert_code(tlsock_shutdown(t.p.conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_int_equal(write(copy, "PASV\r\n", 6), 6);
    close(copy);
    assert_int_equal(tlsock_read(t.p.conn[SERVER], got, sizeof(got)), 0);
    assert_code(tlsock_stop_tls(t.p.conn[SERVER]), TLSOCK_OK);
    assert_int_equal(tlsock_pending(t.p.conn[SERVER]), 0);
    assert_code(tlsock_detach(t.p.conn[SERVER], &fd), TLSOCK_OK);
    t.p.conn[SERVER] = NULL;
    assert_int_equal(read(fd, got, sizeof(got)), 6);
    assert_memory_equal(got, "PASV\r\n", 6);
    close(fd);
    close_sides(&t);
}

/* Half closed by the peer: what we write goes out encrypted until we say
 * otherwise, and no plaintext is read in between. */
static void no_byte_crosses_the_border_by_mistake(void **state)
{
    struct sides t;
    char got[16];
    size_t before;

    (void)state;
    open_sides(&t, MEMORY, 0, "1.3");
    both(&t, tlsock_handshake);
    peer_pingpong(&t.p);
    assert_code(tlsock_shutdown(t.p.conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_int_equal(tlsock_read(t.p.conn[SERVER], got, sizeof(got)), 0);
    before = t.p.pipes[SERVER].len;
    assert_int_equal(tlsock_write(t.p.conn[SERVER], "secret", 6), 6);
    assert_int_equal(t.p.pipes[SERVER].data[before], 23);
    assert_int_equal(tlsock_read(t.p.conn[CLIENT], got, sizeof(got)), 6);
    assert_code(tlsock_write(t.p.conn[CLIENT], "x", 1), TLSOCK_E_STATE);
    close_sides(&t);
}

static void a_peer_that_vanishes_is_no_downgrade(void **state)
{
    struct sides t;

    (void)state;
    open_sides(&t, MEMORY, 0, "1.3");
    both(&t, tlsock_handshake);
    peer_pingpong(&t.p);
    assert_code(tlsock_stop_tls(t.p.conn[CLIENT]), TLSOCK_AGAIN);
    t.p.pipes[SERVER].ended = 1;
    assert_code(tlsock_stop_tls(t.p.conn[CLIENT]), TLSOCK_E_TRUNCATED);
    assert_int_equal(state_of(t.p.conn[CLIENT]), TLSOCK_STATE_CLOSED);
    assert_code(tlsock_write(t.p.conn[CLIENT], "x", 1), TLSOCK_E_TRUNCATED);
    close_sides(&t);
}

static void calls_of_the_other_state_are_refused(void **state)
{
    struct sides t;
    int fd = -1;

    (void)state;
    open_sides(&t, TCP, 1, "1.3");
    assert_code(tlsock_stop_tls(t.p.conn[CLIENT]), TLSOCK_E_STATE);
    assert_tells(tlsock_last_error(t.p.conn[CLIENT])->message, "no TLS");
    assert_int_equal(state_of(t.p.conn[CLIENT]), TLSOCK_STATE_PLAIN);
    both(&t, up_client);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], NULL), TLSOCK_E_STATE);
    assert_code(tlsock_detach(t.p.conn[CLIENT], &fd), TLSOCK_E_STATE);
    assert_tells(tlsock_last_error(t.p.conn[CLIENT])->hint, "stop_tls");
    talk(&t, TLSOCK_STATE_TLS);
    assert_code(tlsock_start_tls(NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_stop_tls(NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_detach(NULL, &fd), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_detach(t.p.conn[CLIENT], NULL), TLSOCK_E_ARGUMENT);
    close_sides(&t);
}

/* Plaintext before TLS: in our buffer, in the socket, on either side. */
static void unread_plaintext_refuses_tls_and_stays_readable(void **state)
{
    (void)state;
    for (int run = 0; run < 6; run++) {
        enum peer_side from = (run & 1) ? CLIENT : SERVER;
        enum way way = (enum way)(run / 2);
        struct sides t;
        tlsock *to;
        char *line = NULL, got[16];
        size_t cap = 0;

        open_sides(&t, way, 1, "1.3");
        to = t.p.conn[!from];
        assert_int_equal(tlsock_write(t.p.conn[from], "go\nRSET\n", 8), 8);
        assert_int_equal(tlsock_getline(to, &line, &cap, 100), 3);
        assert_code(tlsock_start_tls(to, NULL), TLSOCK_E_INJECTION);
        assert_tells(tlsock_last_error(to)->message, "5 bytes");
        assert_int_equal(state_of(to), TLSOCK_STATE_PLAIN);
        assert_int_equal(tlsock_read(to, got, sizeof(got)), 5);
        assert_memory_equal(got, "RSET\n", 5);
        both(&t, up_client);
        talk(&t, TLSOCK_STATE_TLS);
        free(line);
        close_sides(&t);
    }
}

static void a_client_sees_plaintext_that_is_still_in_the_socket(void **state)
{
    struct sides t;
    char got[16];

    (void)state;
    open_sides(&t, TCP, 1, "1.3");
    assert_int_equal(tlsock_write(t.p.conn[SERVER], "go\nMORE\n", 8), 8);
    assert_int_equal(tlsock_read(t.p.conn[CLIENT], got, 3), 3);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], NULL), TLSOCK_E_INJECTION);
    assert_int_equal(tlsock_read(t.p.conn[CLIENT], got, sizeof(got)), 5);
    close_sides(&t);
}

/* A server: one byte is enough to know, and nothing waits for a second. */
static void a_client_that_goes_on_in_plaintext_is_injection(void **state)
{
    static const char *const said[] = {"Q", "QUIT\r\n", "GET / HTTP/1.0\r\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(said); i++) {
        struct sides t;

        open_sides(&t, MEMORY, 1, "1.3");
        assert_code(tlsock_start_tls(t.p.conn[SERVER], NULL), TLSOCK_AGAIN);
        pipe_inject(&t.p.pipes[CLIENT], said[i], strlen(said[i]));
        assert_code(tlsock_start_tls(t.p.conn[SERVER], NULL),
                    TLSOCK_E_INJECTION);
        assert_tells(tlsock_last_error(t.p.conn[SERVER])->message, "plaintext");
        assert_true(tlsock_last_error(t.p.conn[SERVER])->hint[0] != '\0');
        assert_code(tlsock_read(t.p.conn[SERVER], (char[1]){0}, 1),
                    TLSOCK_E_INJECTION);
        close_sides(&t);
    }
}

static void a_server_that_answers_in_plaintext_is_no_tls(void **state)
{
    struct sides t;

    (void)state;
    open_sides(&t, MEMORY, 1, "1.3");
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], NULL), TLSOCK_AGAIN);
    pipe_inject(&t.p.pipes[SERVER], "4", 1);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], NULL), TLSOCK_E_NOT_TLS);
    close_sides(&t);
}

static void a_name_is_due_when_tls_begins(void **state)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .plain = 1);
    struct sides t;
    tlsock_error err;

    (void)state;
    open_sides(&t, MEMORY, 1, "1.3");
    tlsock_abandon(t.p.conn[CLIENT]);
    t.p.pipes[CLIENT].ended = 0;
    t.p.conn[CLIENT] =
        tlsock_client_io(&peer_io, &t.p.ends[CLIENT], NULL, t.cc, o, &err);
    assert_non_null(t.p.conn[CLIENT]);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], NULL), TLSOCK_E_NO_NAME);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], ""), TLSOCK_E_NO_NAME);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], "a b"), TLSOCK_E_ARGUMENT);
    assert_int_equal(state_of(t.p.conn[CLIENT]), TLSOCK_STATE_PLAIN);
    talk(&t, TLSOCK_STATE_PLAIN);
    assert_code(tlsock_start_tls(t.p.conn[SERVER], "a.test"),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], "a.test"), TLSOCK_AGAIN);
    both(&t, up_client);
    talk(&t, TLSOCK_STATE_TLS);
    assert_string_equal(tlsock_info(t.p.conn[CLIENT], TLSOCK_INFO_SNI),
                        "a.test");
    close_sides(&t);
}

/* The name of the second session counts, not the first one's. */
static void each_tls_has_the_name_it_was_started_with(void **state)
{
    struct sides t;
    int rc[2];

    (void)state;
    open_sides(&t, MEMORY, 1, "1.3");
    both(&t, up_client);
    talk(&t, TLSOCK_STATE_TLS);
    both(&t, down);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], "b.test"), TLSOCK_AGAIN);
    together(&t, up_client, rc);
    assert_code(rc[CLIENT], TLSOCK_E_NAME_MISMATCH);
    assert_string_equal(tlsock_last_error(t.p.conn[CLIENT])->expected,
                        "b.test");
    close_sides(&t);
}

static void a_plain_stream_ends_and_half_closes(void **state)
{
    struct sides t;
    char got[8];

    (void)state;
    open_sides(&t, TCP, 1, "1.3");
    assert_int_equal(tlsock_write(t.p.conn[CLIENT], "bye", 3), 3);
    assert_code(tlsock_shutdown(t.p.conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_code(tlsock_write(t.p.conn[CLIENT], "x", 1), TLSOCK_E_STATE);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], NULL), TLSOCK_E_STATE);
    assert_int_equal(tlsock_read(t.p.conn[SERVER], got, sizeof(got)), 3);
    assert_int_equal(tlsock_read(t.p.conn[SERVER], got, sizeof(got)), 0);
    assert_int_equal(state_of(t.p.conn[SERVER]), TLSOCK_STATE_PEER_CLOSED);
    assert_code(tlsock_start_tls(t.p.conn[SERVER], NULL),
                TLSOCK_E_CLOSED_IN_HANDSHAKE);
    assert_int_equal(tlsock_write(t.p.conn[SERVER], "ok", 2), 2);
    assert_code(tlsock_close(t.p.conn[SERVER]), TLSOCK_OK);
    t.p.conn[SERVER] = NULL;
    assert_code(tlsock_shutdown(t.p.conn[CLIENT], SHUT_RDWR), TLSOCK_OK);
    close_sides(&t);
    open_sides(&t, MEMORY, 1, "1.3"); /* a transport without half a close */
    assert_code(tlsock_shutdown(t.p.conn[CLIENT], SHUT_WR),
                TLSOCK_E_UNSUPPORTED);
    close_sides(&t);
}

static void what_has_ended_or_broken_becomes_no_tls(void **state)
{
    struct sides t;
    char byte;

    (void)state;
    open_sides(&t, TCP, 1, "1.3");
    assert_code(tlsock_shutdown(t.p.conn[SERVER], SHUT_WR), TLSOCK_OK);
    assert_code(tlsock_starttls(t.p.conn[SERVER], "smtp", NULL),
                TLSOCK_E_STATE);
    assert_tells(tlsock_last_error(t.p.conn[SERVER])->message, "shutdown");
    assert_code(tlsock_starttls(t.p.conn[CLIENT], "gopher", NULL),
                TLSOCK_E_ARGUMENT);
    close_sides(&t);
    open_sides(&t, TCP, 1, "1.3");
    assert_int_equal(tlsock_write(t.p.conn[CLIENT], "x", 1), 1);
    tlsock_abandon(t.p.conn[SERVER]); /* with that byte unread: a reset */
    t.p.conn[SERVER] = NULL;
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], NULL), TLSOCK_E_RESET);
    assert_code(tlsock_peek(t.p.conn[CLIENT], &byte, 1), TLSOCK_E_RESET);
    close_sides(&t);
    open_sides(&t, TCP, 1, "1.3");
    assert_int_equal(tlsock_write(t.p.conn[CLIENT], "x", 1), 1);
    tlsock_abandon(t.p.conn[SERVER]);
    t.p.conn[SERVER] = NULL;
    assert_code(tlsock_peek(t.p.conn[CLIENT], &byte, 1), TLSOCK_E_RESET);
    assert_tells(tlsock_last_error(t.p.conn[CLIENT])->message, "reset");
    close_sides(&t);
}

static void a_second_name_that_is_none_leaves_the_first(void **state)
{
    struct sides t;

    (void)state;
    open_sides(&t, MEMORY, 1, "1.3");
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], "not a name"),
                TLSOCK_E_ARGUMENT);
    assert_string_equal(tlsock_info(t.p.conn[CLIENT], TLSOCK_INFO_NAME),
                        "a.test");
    assert_string_equal(tlsock_info(t.p.conn[CLIENT], TLSOCK_INFO_SNI),
                        "a.test");
    both(&t, up_client);
    talk(&t, TLSOCK_STATE_TLS);
    close_sides(&t);
}

static void peek_at_plaintext_leaves_it_for_tls(void **state)
{
    struct sides t;
    char byte = 0;

    (void)state;
    open_sides(&t, TCP, 1, "1.3");
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], NULL), TLSOCK_AGAIN);
    assert_int_equal(tlsock_peek(t.p.conn[SERVER], &byte, 1), 1);
    assert_int_equal(byte, 22); /* a ClientHello, and it may be had */
    both(&t, up_client);
    talk(&t, TLSOCK_STATE_TLS);
    close_sides(&t);
}

static void detach_gives_the_socket_back(void **state)
{
    struct sides t;
    char *line = NULL, got[8];
    size_t cap = 0;
    int fd = -1;

    (void)state;
    open_sides(&t, UNIX, 1, "1.3");
    assert_int_equal(tlsock_write(t.p.conn[SERVER], "a\nb\n", 4), 4);
    assert_int_equal(tlsock_getline(t.p.conn[CLIENT], &line, &cap, 10), 2);
    assert_code(tlsock_detach(t.p.conn[CLIENT], &fd), TLSOCK_E_STATE);
    assert_tells(tlsock_last_error(t.p.conn[CLIENT])->message, "unread");
    assert_int_equal(tlsock_pending(t.p.conn[CLIENT]), 2);
    assert_int_equal(tlsock_read(t.p.conn[CLIENT], got, sizeof(got)), 2);
    assert_code(tlsock_detach(t.p.conn[CLIENT], &fd), TLSOCK_OK);
    t.p.conn[CLIENT] = NULL;
    assert_int_equal(write(fd, "raw", 3), 3);
    assert_int_equal(tlsock_read(t.p.conn[SERVER], got, sizeof(got)), 3);
    close(fd);
    free(line);
    close_sides(&t);
    open_sides(&t, MEMORY, 1, "1.3");
    assert_code(tlsock_detach(t.p.conn[CLIENT], &fd), TLSOCK_E_STATE);
    assert_tells(tlsock_last_error(t.p.conn[CLIENT])->message, "no socket");
    close_sides(&t);
}

static void options_that_contradict_are_refused(void **state)
{
    static const struct {
        tlsock_opts o;
        const char *tells;
    } cases[] = {
        {{.plain = 1, .starttls = "smtp"}, "contradict"},
        {{.proxy = "http://127.0.0.1:1"}, "still to be made"},
        {{.local = "127.0.0.1"}, "still to be made"},
    };
    tlsock_config *cc = ca_client(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_opts o = cases[i].o;
        tlsock_error err = {0};
        int fds[2];

        o.size = sizeof(o);
        sock_pair(fds);
        assert_null(tlsock_client_fd(fds[0], "a.test", cc, &o, &err));
        assert_code(err.code, TLSOCK_E_ARGUMENT);
        assert_tells(err.message, cases[i].tells);
        assert_true(err.hint[0] != '\0');
        close(fds[0]);
        close(fds[1]);
        assert_null(tlsock_client_io(&peer_io, NULL, "a.test", cc, &o, &err));
        assert_code(err.code, TLSOCK_E_ARGUMENT);
        assert_tells(err.message, cases[i].tells);
    }
    tlsock_config_unref(cc);
}

/* A plain handle made before fork(): the child takes it up to TLS, the
 * parent's close disturbs nothing. */
static void a_child_may_start_tls(void **state)
{
    struct sides t;
    char got[8];
    int status;
    pid_t pid;

    (void)state;
    open_sides(&t, UNIX, 1, "1.3");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int ok;

        tlsock_close(t.p.conn[CLIENT]);
        tlsock_set_nonblocking(t.p.conn[SERVER], 0);
        tlsock_set_timeout(t.p.conn[SERVER], 20000);
        ok = tlsock_write(t.p.conn[SERVER], "go", 2) == 2 &&
             tlsock_start_tls(t.p.conn[SERVER], NULL) == 0 &&
             tlsock_write(t.p.conn[SERVER], "in TLS", 6) == 6 &&
             tlsock_stop_tls(t.p.conn[SERVER]) == 0 &&
             tlsock_write(t.p.conn[SERVER], "out", 3) == 3;
        test_exit(ok ? 0 : 1);
    }
    assert_code(tlsock_close(t.p.conn[SERVER]), TLSOCK_OK);
    t.p.conn[SERVER] = NULL;
    tlsock_set_nonblocking(t.p.conn[CLIENT], 0);
    tlsock_set_timeout(t.p.conn[CLIENT], 20000);
    assert_int_equal(tlsock_read(t.p.conn[CLIENT], got, 2), 2);
    assert_code(tlsock_start_tls(t.p.conn[CLIENT], NULL), TLSOCK_OK);
    assert_int_equal(tlsock_read_full(t.p.conn[CLIENT], got, 6), 6);
    assert_code(tlsock_stop_tls(t.p.conn[CLIENT]), TLSOCK_OK);
    assert_int_equal(tlsock_read(t.p.conn[CLIENT], got, sizeof(got)), 3);
    assert_memory_equal(got, "out", 3);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close_sides(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_over_every_transport),
        cmocka_unit_test(one_side_may_end_first),
        cmocka_unit_test(unread_data_refuses_the_end_and_nothing_is_said),
        cmocka_unit_test(plaintext_on_the_heels_stays_in_the_socket),
        cmocka_unit_test(plaintext_of_a_hasty_peer_is_read_as_plaintext_only),
        cmocka_unit_test(after_plain_nothing_behind_tls_leaves_the_socket),
        cmocka_unit_test(no_byte_crosses_the_border_by_mistake),
        cmocka_unit_test(a_peer_that_vanishes_is_no_downgrade),
        cmocka_unit_test(calls_of_the_other_state_are_refused),
        cmocka_unit_test(unread_plaintext_refuses_tls_and_stays_readable),
        cmocka_unit_test(a_client_sees_plaintext_that_is_still_in_the_socket),
        cmocka_unit_test(a_client_that_goes_on_in_plaintext_is_injection),
        cmocka_unit_test(a_server_that_answers_in_plaintext_is_no_tls),
        cmocka_unit_test(a_name_is_due_when_tls_begins),
        cmocka_unit_test(each_tls_has_the_name_it_was_started_with),
        cmocka_unit_test(a_plain_stream_ends_and_half_closes),
        cmocka_unit_test(what_has_ended_or_broken_becomes_no_tls),
        cmocka_unit_test(a_second_name_that_is_none_leaves_the_first),
        cmocka_unit_test(peek_at_plaintext_leaves_it_for_tls),
        cmocka_unit_test(detach_gives_the_socket_back),
        cmocka_unit_test(options_that_contradict_are_refused),
        cmocka_unit_test(a_child_may_start_tls),
    };

    return cmocka_run_group_tests_name("updown", tests, ca_setup, ca_teardown);
}
