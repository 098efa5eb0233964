/* One budget over everything. Time is a number that the tests set, so that
 * nobody waits; where a real wait is the claim, only its end is looked at. */
#include "ca.h"
#include "core/clock.h"
#include "raw.h"
#include "sock.h"

#include <sys/socket.h>

static int64_t fake_ms;

static int64_t fake_clock(void)
{
    return fake_ms;
}

static int use_fake(void **state)
{
    (void)state;
    fake_ms = 1000000;
    tsk_clock_monotonic = fake_clock;
    return 0;
}

static int use_real(void **state)
{
    (void)state;
    tsk_clock_monotonic = NULL;
    return 0;
}

/* The peer's flight arrives a byte a second: progress does not renew the
 * budget. */
static void drip(enum peer_side victim, const tlsock_opts *opts)
{
    tlsock_config *cc = ca_client("handshake-timeout", "10s", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "handshake-timeout", "10s",
                                  NULL);
    struct raw_opts raw = {.cert = ca_get()->a};
    SSL *ssl = raw_new(victim == CLIENT ? SERVER : CLIENT, &raw);
    int64_t began = fake_ms;
    struct peer p;

    peer_init(&p);
    raw_on_end(ssl, &p.ends[!victim]);
    if (victim == CLIENT)
        assert_int_equal(peer_open_opts(&p, cc, opts, NULL, NULL, "a.test"),
                         0);
    else
        p.conn[SERVER] =
            tlsock_server_io(&peer_io, &p.ends[SERVER], sc, opts, NULL);
    assert_non_null(p.conn[victim]);
    peer_step(&p, victim);
    for (int i = 0; i < 200 && p.rc[victim] == TLSOCK_AGAIN; i++) {
        size_t len, taken;

        raw_step(ssl);
        fake_ms += 1000;
        len = p.pipes[!victim].len;
        taken = p.pipes[!victim].taken;
        if (len > taken) /* only one byte of it has arrived */
            p.pipes[!victim].len = taken + 1;
        assert_true(tlsock_timeout(p.conn[victim]) >= 0);
        assert_true(tlsock_timeout(p.conn[victim]) <= 10000);
        peer_step(&p, victim);
        p.pipes[!victim].len = len;
    }
    assert_code(p.rc[victim], TLSOCK_E_TIMEOUT);
    assert_int_equal(p.err[victim].phase, TLSOCK_PHASE_HANDSHAKE);
    assert_within(fake_ms - began, 10000, 12000);
    raw_free(ssl);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_dripping_server_cannot_hold_a_client(void **state)
{
    (void)state;
    drip(CLIENT, TLSOCK_OPTS(.nonblocking = 1));
    drip(CLIENT, TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = 10000));
}

static void a_dripping_client_cannot_hold_a_server(void **state)
{
    (void)state;
    drip(SERVER, TLSOCK_OPTS(.nonblocking = 1));
    drip(SERVER, TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = 10000));
}

static void there_is_a_deadline_by_default(void **state)
{
    (void)state;
    for (int side = CLIENT; side <= SERVER; side++) {
        tlsock_config *cc = ca_client(NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        struct peer p;

        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
        assert_code(peer_step(&p, side), TLSOCK_AGAIN);
        assert_within(tlsock_timeout(p.conn[side]), 1, 600000);
        fake_ms += 3600 * 1000;
        assert_int_equal(tlsock_timeout(p.conn[side]), 0);
        assert_code(peer_step(&p, side), TLSOCK_E_TIMEOUT);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void the_handshakes_budget_ends_with_the_handshake(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    fake_ms += 3600 * 1000;
    assert_int_equal(tlsock_timeout(p.conn[CLIENT]), -1);
    peer_pingpong(&p);
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_deadline_passes_and_can_be_moved(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char got[8];

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_code(tlsock_set_deadline(p.conn[CLIENT], 5000), TLSOCK_OK);
    assert_code(tlsock_read(p.conn[CLIENT], got, 8), TLSOCK_AGAIN);
    assert_int_equal(tlsock_timeout(p.conn[CLIENT]), 5000);
    fake_ms += 4999;
    assert_code(tlsock_read(p.conn[CLIENT], got, 8), TLSOCK_AGAIN);
    fake_ms += 1;
    assert_code(tlsock_read(p.conn[CLIENT], got, 8), TLSOCK_E_TIMEOUT);
    assert_int_equal(tlsock_last_error(p.conn[CLIENT])->phase,
                     TLSOCK_PHASE_READ);
    assert_code(tlsock_set_deadline(p.conn[CLIENT], -1), TLSOCK_OK);
    peer_pingpong(&p); /* a timeout breaks nothing */
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void bytes_that_are_there_need_no_time(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char got[8];

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_int_equal(tlsock_write(p.conn[SERVER], "abcd", 4), 4);
    assert_int_equal(tlsock_read(p.conn[CLIENT], got, 2), 2);
    assert_code(tlsock_set_deadline(p.conn[CLIENT], 1), TLSOCK_OK);
    fake_ms += 100;
    assert_int_equal(tlsock_read(p.conn[CLIENT], got, 2), 2);
    assert_code(tlsock_read(p.conn[CLIENT], got, 2), TLSOCK_E_TIMEOUT);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_mute_server_ends_a_blocking_connect(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    struct sock_server server;
    tlsock_error err;

    (void)state;
    sock_serve(&server, 1, sock_mute, NULL);
    assert_null(tlsock_connect(server.target, cc,
                               TLSOCK_OPTS(.name = "a.test", .timeout_ms = 30),
                               &err));
    sock_join(&server);
    assert_code(err.code, TLSOCK_E_TIMEOUT);
    assert_int_equal(err.phase, TLSOCK_PHASE_HANDSHAKE);
    assert_tells(err.message, server.target);
    tlsock_config_unref(cc);
}

static void a_blocking_read_ends_and_may_be_repeated(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct sock_thread server;
    char got[8];
    int fds[2];
    tlsock *s;

    (void)state;
    sock_pair(fds);
    sock_run(&server, fds[1], sock_echo, sc);
    s = tlsock_client_fd(fds[0], "a.test", cc, NULL, NULL);
    assert_non_null(s);
    assert_code(tlsock_set_timeout(s, 20), TLSOCK_OK);
    for (int i = 0; i < 3; i++)
        assert_code(tlsock_read(s, got, 4), TLSOCK_E_TIMEOUT);
    assert_code(tlsock_set_timeout(s, -1), TLSOCK_OK);
    assert_code(tlsock_set_deadline(s, 20), TLSOCK_OK);
    assert_code(tlsock_read(s, got, 4), TLSOCK_E_TIMEOUT);
    assert_code(tlsock_set_deadline(s, -1), TLSOCK_OK);
    assert_int_equal(tlsock_write(s, "ping", 4), 4);
    assert_int_equal(tlsock_read_full(s, got, 4), 4);
    /* bytes that came before the time was up are kept */
    assert_int_equal(tlsock_write(s, "half", 4), 4);
    assert_code(tlsock_set_timeout(s, 20), TLSOCK_OK);
    assert_code(tlsock_read_full(s, got, 8), TLSOCK_E_TIMEOUT);
    assert_int_equal(tlsock_read(s, got, 8), 4);
    assert_memory_equal(got, "half", 4);
    tlsock_close(s);
    sock_wait(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_blocking_write_to_a_full_pipe_ends(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    static const char big[1 << 22];
    int fds[2], rc = TLSOCK_AGAIN;
    tlsock *c, *s;

    (void)state;
    sock_pair(fds);
    c = tlsock_client_fd(fds[0], "a.test", cc, TLSOCK_OPTS(.nonblocking = 1),
                         NULL);
    s = tlsock_server_fd(fds[1], sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    for (int i = 0; i < 20 && rc == TLSOCK_AGAIN; i++) {
        rc = tlsock_handshake(c);
        (void)!tlsock_handshake(s);
    }
    assert_code(rc, TLSOCK_OK);
    assert_code(tlsock_set_nonblocking(c, 0), TLSOCK_OK);
    assert_code(tlsock_set_timeout(c, 30), TLSOCK_OK);
    assert_code(tlsock_write(c, big, sizeof(big)), TLSOCK_E_TIMEOUT);
    assert_true(tlsock_close(c) < 0); /* bytes were dropped, in bounded time */
    tlsock_abandon(s);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

#define FAKE(test) cmocka_unit_test_setup_teardown(test, use_fake, use_real)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE(a_dripping_server_cannot_hold_a_client),
        FAKE(a_dripping_client_cannot_hold_a_server),
        FAKE(there_is_a_deadline_by_default),
        FAKE(the_handshakes_budget_ends_with_the_handshake),
        FAKE(a_deadline_passes_and_can_be_moved),
        FAKE(bytes_that_are_there_need_no_time),
        cmocka_unit_test(a_mute_server_ends_a_blocking_connect),
        cmocka_unit_test(a_blocking_read_ends_and_may_be_repeated),
        cmocka_unit_test(a_blocking_write_to_a_full_pipe_ends),
    };

    return cmocka_run_group_tests_name("deadline", tests, ca_setup,
                                       ca_teardown);
}
