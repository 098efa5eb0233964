/* TLS in TLS: each layer has its own name and verdict, and the innermost one
 * waits for all of them. */
#include "ca.h"
#include "sock.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEPTH 4

struct sides {
    tlsock_config *cc, *sc[2]; /* a.test, b.test */
    struct peer p;             /* conn: the innermost */
};

/* The config of a layer: names alternate. */
static const char *name_of(int depth)
{
    return depth % 2 == 0 ? "a.test" : "b.test";
}

static void make(struct sides *t)
{
    memset(t, 0, sizeof(*t));
    t->cc = ca_client(NULL);
    t->sc[0] = ca_server(ca_get()->a, NULL);
    t->sc[1] = ca_server(ca_get()->b, NULL);
    peer_init(&t->p);
}

static void unmake(struct sides *t)
{
    peer_free(&t->p);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc[0]);
    tlsock_config_unref(t->sc[1]);
}

static void nest(struct sides *t, int depth, const char *name)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1);
    tlsock_error err;
    tlsock *c = tlsock_client_over(t->p.conn[CLIENT], name, t->cc, o, &err);
    tlsock *s;

    assert_non_null(c);
    t->p.conn[CLIENT] = c;
    s = tlsock_server_over(t->p.conn[SERVER], t->sc[depth % 2], o, &err);
    assert_non_null(s);
    t->p.conn[SERVER] = s;
    t->p.rc[CLIENT] = t->p.rc[SERVER] = TLSOCK_AGAIN;
}

static void open_memory(struct sides *t, int depth)
{
    make(t);
    peer_connect(&t->p, t->cc, t->sc[0], "a.test");
    for (int i = 1; i < depth; i++) {
        nest(t, i, name_of(i));
        assert_int_equal(peer_shake(&t->p), 0);
    }
}

static void any_depth_carries_data(void **state)
{
    uint8_t *big = malloc(300000), *got = malloc(300000);

    (void)state;
    assert_non_null(big);
    assert_non_null(got);
    for (size_t i = 0; i < 300000; i++)
        big[i] = (uint8_t)(i * 7 + i / 251);
    for (int depth = 2; depth <= DEPTH; depth++) {
        struct sides t;

        open_memory(&t, depth);
        peer_pingpong(&t.p);
        peer_pump(&t.p, CLIENT, big, 300000, got);
        peer_pump(&t.p, SERVER, big, 300000, got);
        assert_string_equal(tlsock_info(t.p.conn[CLIENT], TLSOCK_INFO_NAME),
                            name_of(depth - 1));
        peer_close(&t.p);
        assert_int_equal(t.p.ends[CLIENT].closes, 1); /* all of them went */
        assert_int_equal(t.p.ends[SERVER].closes, 1);
        unmake(&t);
    }
    free(big);
    free(got);
}

/* The network's habits reach the innermost layer through all of them. */
static void it_works_over_bad_pipes(void **state)
{
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct sides t;
        uint8_t msg[5000], got[5000];

        open_memory(&t, 3);
        memset(msg, 'x', sizeof(msg));
        for (int side = CLIENT; side <= SERVER; side++) {
            t.p.pipes[side].max_read = run == 0 ? 1 : 700;
            t.p.pipes[side].capacity = run == 0 ? 0 : 900;
        }
        peer_pump(&t.p, CLIENT, msg, sizeof(msg), got);
        peer_pump(&t.p, SERVER, msg, sizeof(msg), got);
        unmake(&t);
    }
}

static void each_layer_is_judged_by_its_own_name(void **state)
{
    struct sides t;

    (void)state;
    open_memory(&t, 1);
    peer_pingpong(&t.p);
    nest(&t, 1, "a.test"); /* it shows b.test */
    assert_code(peer_shake(&t.p), TLSOCK_E_NAME_MISMATCH);
    assert_code(t.p.err[CLIENT].code, TLSOCK_E_NAME_MISMATCH);
    assert_string_equal(t.p.err[CLIENT].presented, "b.test");
    unmake(&t);
}

static void without_a_name_the_inner_layer_is_refused(void **state)
{
    struct sides t;
    tlsock_error err;

    (void)state;
    open_memory(&t, 1);
    assert_null(tlsock_client_over(t.p.conn[CLIENT], NULL, t.cc,
                                   TLSOCK_OPTS(.nonblocking = 1), &err));
    assert_code(err.code, TLSOCK_E_NO_NAME);
    peer_pingpong(&t.p); /* the outer one is still the caller's, and whole */
    unmake(&t);
}

static void a_cut_below_is_truncation_above(void **state)
{
    struct sides t;
    char byte;

    (void)state;
    open_memory(&t, 3);
    peer_pingpong(&t.p);
    t.p.pipes[SERVER].ended = 1;
    assert_code(tlsock_read(t.p.conn[CLIENT], &byte, 1), TLSOCK_E_TRUNCATED);
    assert_tells(tlsock_last_error(t.p.conn[CLIENT])->message, "below");
    assert_true(tlsock_last_error(t.p.conn[CLIENT])->hint[0] != '\0');
    unmake(&t);
}

/* The outer layer ends as it should, the inner one does not: no end. */
static void an_end_of_the_outer_layer_is_no_end_of_the_inner(void **state)
{
    const tlsock_opts *o =
        TLSOCK_OPTS(.nonblocking = 1, .flags = TLSOCK_F_BORROW_FD);
    struct sides t;
    tlsock *inner, *outer;
    tlsock_error err;
    char byte;

    (void)state;
    open_memory(&t, 1);
    inner = tlsock_server_over(t.p.conn[SERVER], t.sc[1], o, &err);
    assert_non_null(inner);
    outer = t.p.conn[CLIENT];
    t.p.conn[CLIENT] = tlsock_client_over(outer, "b.test", t.cc, o, &err);
    assert_non_null(t.p.conn[CLIENT]);
    for (int i = 0; i < 6; i++) {
        (void)!tlsock_handshake(t.p.conn[CLIENT]);
        (void)!tlsock_handshake(inner);
    }
    assert_code(tlsock_handshake(inner), TLSOCK_OK);
    tlsock_abandon(inner); /* borrowed: the outer one lives on */
    assert_code(tlsock_shutdown(t.p.conn[SERVER], SHUT_WR), TLSOCK_OK);
    assert_code(tlsock_read(t.p.conn[CLIENT], &byte, 1), TLSOCK_E_TRUNCATED);
    tlsock_abandon(t.p.conn[CLIENT]);
    t.p.conn[CLIENT] = outer;
    unmake(&t);
}

static void plaintext_below_is_a_transport_like_any_other(void **state)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .plain = 1);
    struct sides t;

    (void)state;
    make(&t);
    assert_int_equal(peer_open_opts(&t.p, t.cc, o, t.sc[0], o, NULL), 0);
    peer_pingpong(&t.p);
    nest(&t, 1, "b.test");
    assert_int_equal(peer_shake(&t.p), 0);
    peer_pingpong(&t.p);
    peer_close(&t.p);
    unmake(&t);
}

/* The end of plaintext within TLS is TLS's end: close_notify. */
static void plaintext_within_tls_ends_with_its_close_notify(void **state)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .plain = 1);
    struct sides t;
    tlsock_error err;
    char got[8];

    (void)state;
    open_memory(&t, 1);
    t.p.conn[CLIENT] =
        tlsock_client_over(t.p.conn[CLIENT], NULL, t.cc, o, &err);
    t.p.conn[SERVER] = tlsock_server_over(t.p.conn[SERVER], t.sc[1], o, &err);
    assert_non_null(t.p.conn[CLIENT]);
    assert_non_null(t.p.conn[SERVER]);
    peer_pingpong(&t.p);
    assert_code(tlsock_shutdown(t.p.conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_int_equal(tlsock_read(t.p.conn[SERVER], got, sizeof(got)), 0);
    assert_int_equal(tlsock_write(t.p.conn[SERVER], "more", 4), 4);
    assert_int_equal(tlsock_read(t.p.conn[CLIENT], got, sizeof(got)), 4);
    unmake(&t);
}

static void what_cannot_be_a_transport_is_refused(void **state)
{
    struct sides t;
    tlsock_error err;
    tlsock *s;

    (void)state;
    make(&t);
    assert_null(tlsock_client_over(NULL, "a.test", t.cc, NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    s = tlsock_connect("127.0.0.1:1", t.cc, TLSOCK_OPTS(.nonblocking = 1),
                       &err);
    assert_non_null(s);
    assert_null(tlsock_client_over(s, "a.test", t.cc, NULL, &err));
    assert_code(err.code, TLSOCK_E_STATE);
    assert_null(tlsock_server_over(s, t.sc[0], NULL, &err));
    assert_code(err.code, TLSOCK_E_STATE);
    tlsock_abandon(s);
    unmake(&t);
}

static void echo_inner(int fd, void *arg)
{
    struct sides *t = arg;
    tlsock *outer = tlsock_server_fd(
        fd, t->sc[0], TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD), NULL);
    tlsock *inner = tlsock_server_over(outer, t->sc[1], NULL, NULL);
    char buf[4096];
    ssize_t n;

    while ((n = tlsock_read(inner, buf, sizeof(buf))) > 0)
        if (tlsock_write(inner, buf, (size_t)n) != n)
            break;
    tlsock_close(inner);
}

/* Blocking on both sides, over a real socket; and tlsock_poll knows of bytes
 * that are in the outer layer's memory. */
static void blocking_handles_wait_through_all_layers(void **state)
{
    struct sides t;
    struct sock_server server;
    char got[2000], msg[2000];
    tlsock_pollitem item = {.fd = -1, .events = POLLIN};
    tlsock *s;
    tlsock_error err;

    (void)state;
    make(&t);
    memset(msg, 'm', sizeof(msg));
    sock_serve(&server, 1, echo_inner, &t);
    s = tlsock_connect(server.target, t.cc, TLSOCK_OPTS(.name = "a.test"),
                       &err);
    assert_non_null(s);
    s = tlsock_client_over(s, "b.test", t.cc, NULL, &err);
    assert_non_null(s);
    assert_code(tlsock_set_timeout(s, 20000), TLSOCK_OK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(tlsock_write(s, msg, sizeof(msg)), sizeof(msg));
        assert_int_equal(tlsock_read_full(s, got, sizeof(got)), sizeof(got));
    }
    assert_int_equal(tlsock_write(s, msg, 2), 2);
    item.s = s;
    assert_int_equal(tlsock_poll(&item, 1, 20000), 1);
    assert_int_equal(item.revents, POLLIN);
    assert_int_equal(tlsock_read_full(s, got, 2), 2);
    assert_code(tlsock_shutdown(s, SHUT_RDWR), TLSOCK_OK);
    assert_code(tlsock_close(s), TLSOCK_OK);
    sock_join(&server);
    unmake(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_depth_carries_data),
        cmocka_unit_test(it_works_over_bad_pipes),
        cmocka_unit_test(each_layer_is_judged_by_its_own_name),
        cmocka_unit_test(without_a_name_the_inner_layer_is_refused),
        cmocka_unit_test(a_cut_below_is_truncation_above),
        cmocka_unit_test(an_end_of_the_outer_layer_is_no_end_of_the_inner),
        cmocka_unit_test(plaintext_below_is_a_transport_like_any_other),
        cmocka_unit_test(plaintext_within_tls_ends_with_its_close_notify),
        cmocka_unit_test(what_cannot_be_a_transport_is_refused),
        cmocka_unit_test(blocking_handles_wait_through_all_layers),
    };

    return cmocka_run_group_tests_name("over", tests, ca_setup, ca_teardown);
}
