/* Endings: close_notify once, half closes both ways, abandon without a byte. */
#include "pair.h"

#include <sys/socket.h>

static int64_t state_of(tlsock *s)
{
    return tlsock_info_int(s, TLSOCK_INFO_STATE);
}

static void close_sends_one_close_notify(void **state)
{
    struct peer *p = pair_of(state);
    size_t before = p->pipes[CLIENT].len;
    char byte;

    assert_code(tlsock_close(p->conn[CLIENT]), TLSOCK_OK);
    p->conn[CLIENT] = NULL;
    assert_int_equal(pipe_records(&p->pipes[CLIENT], before, 0), 1);
    assert_int_equal(p->ends[CLIENT].closes, 1);
    assert_int_equal(tlsock_read(p->conn[SERVER], &byte, 1), 0);
    assert_int_equal(tlsock_read(p->conn[SERVER], &byte, 1), 0);
    assert_int_equal(state_of(p->conn[SERVER]), TLSOCK_STATE_PEER_CLOSED);
}

static void shutdown_then_close_sends_one_close_notify(void **state)
{
    struct peer *p = pair_of(state);
    size_t before = p->pipes[CLIENT].len;

    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_WR), TLSOCK_OK);
    assert_int_equal(state_of(p->conn[CLIENT]), TLSOCK_STATE_WRITE_CLOSED);
    assert_code(tlsock_close(p->conn[CLIENT]), TLSOCK_OK);
    p->conn[CLIENT] = NULL;
    assert_int_equal(pipe_records(&p->pipes[CLIENT], before, 0), 1);
}

static void abandon_sends_nothing(void **state)
{
    struct peer *p = pair_of(state);
    size_t before = p->pipes[CLIENT].len;
    char byte;

    tlsock_abandon(p->conn[CLIENT]);
    p->conn[CLIENT] = NULL;
    assert_int_equal(p->pipes[CLIENT].len, before);
    assert_int_equal(p->ends[CLIENT].closes, 1);
    assert_code(tlsock_read(p->conn[SERVER], &byte, 1), TLSOCK_E_TRUNCATED);
}

static void half_closed(struct peer *p, enum peer_side side)
{
    char got[16];

    assert_int_equal(tlsock_write(p->conn[side], "bye", 3), 3);
    assert_code(tlsock_shutdown(p->conn[side], SHUT_WR), TLSOCK_OK);
    assert_code(tlsock_write(p->conn[side], "x", 1), TLSOCK_E_STATE);
    assert_code(tlsock_printf(p->conn[side], "%d", 1), TLSOCK_E_STATE);
    assert_int_equal(tlsock_read(p->conn[!side], got, sizeof(got)), 3);
    assert_int_equal(tlsock_read(p->conn[!side], got, sizeof(got)), 0);
    assert_int_equal(state_of(p->conn[!side]), TLSOCK_STATE_PEER_CLOSED);
    /* the other direction is open still */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tlsock_write(p->conn[!side], "more", 4), 4);
        assert_int_equal(tlsock_read(p->conn[side], got, sizeof(got)), 4);
    }
    assert_code(tlsock_shutdown(p->conn[!side], SHUT_WR), TLSOCK_OK);
    assert_int_equal(tlsock_read(p->conn[side], got, sizeof(got)), 0);
    assert_int_equal(state_of(p->conn[side]), TLSOCK_STATE_CLOSED);
    assert_int_equal(state_of(p->conn[!side]), TLSOCK_STATE_CLOSED);
    for (int k = CLIENT; k <= SERVER; k++) {
        assert_code(tlsock_close(p->conn[k]), TLSOCK_OK);
        p->conn[k] = NULL;
    }
}

static void a_client_may_half_close(void **state)
{
    half_closed(pair_of(state), CLIENT);
}

static void a_server_may_half_close(void **state)
{
    half_closed(pair_of(state), SERVER);
}

static void shut_rdwr_waits_for_the_peer(void **state)
{
    struct peer *p = pair_of(state);

    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_RDWR), TLSOCK_AGAIN);
    assert_int_equal(tlsock_write(p->conn[SERVER], "unread", 6), 6);
    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_RDWR), TLSOCK_AGAIN);
    assert_code(tlsock_close(p->conn[SERVER]), TLSOCK_OK);
    p->conn[SERVER] = NULL;
    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_RDWR), TLSOCK_OK);
    assert_int_equal(state_of(p->conn[CLIENT]), TLSOCK_STATE_CLOSED);
}

static void shut_rdwr_tells_that_the_peer_vanished(void **state)
{
    struct peer *p = pair_of(state);

    tlsock_abandon(p->conn[SERVER]);
    p->conn[SERVER] = NULL;
    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_RDWR),
                TLSOCK_E_TRUNCATED);
}

static void shutdown_takes_no_other_direction(void **state)
{
    struct peer *p = pair_of(state);

    assert_code(tlsock_shutdown(p->conn[CLIENT], SHUT_RD), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_shutdown(p->conn[CLIENT], 77), TLSOCK_E_ARGUMENT);
    peer_pingpong(p);
}

static void close_tells_that_bytes_were_dropped(void **state)
{
    struct peer *p = pair_of(state);
    static const char big[65536];
    ssize_t n;

    p->pipes[CLIENT].capacity = p->pipes[CLIENT].len -
                                p->pipes[CLIENT].taken + 100;
    n = tlsock_write(p->conn[CLIENT], big, sizeof(big));
    assert_true(n > 0);
    assert_true(tlsock_close(p->conn[CLIENT]) < 0);
    p->conn[CLIENT] = NULL;
}

static void both_may_close_at_once(void **state)
{
    struct peer *p = pair_of(state);

    for (int k = CLIENT; k <= SERVER; k++) {
        assert_code(tlsock_close(p->conn[k]), TLSOCK_OK);
        p->conn[k] = NULL;
    }
    assert_code(tlsock_close(NULL), TLSOCK_OK);
    tlsock_abandon(NULL);
}

static void an_unfinished_handshake_closes_without_noise(void **state)
{
    struct pair *t = *state;
    struct peer p;

    peer_init(&p);
    assert_int_equal(peer_open(&p, t->cc, t->sc, "a.test"), 0);
    tlsock_close(p.conn[CLIENT]); /* not one byte was exchanged */
    tlsock_close(p.conn[SERVER]);
    assert_int_equal(p.pipes[CLIENT].len + p.pipes[SERVER].len, 0);
    p.conn[CLIENT] = p.conn[SERVER] = NULL;
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(close_sends_one_close_notify),
        BOTH(shutdown_then_close_sends_one_close_notify),
        BOTH(abandon_sends_nothing),
        BOTH(a_client_may_half_close),
        BOTH(a_server_may_half_close),
        BOTH(shut_rdwr_waits_for_the_peer),
        BOTH(shut_rdwr_tells_that_the_peer_vanished),
        BOTH(shutdown_takes_no_other_direction),
        BOTH(close_tells_that_bytes_were_dropped),
        BOTH(both_may_close_at_once),
        BOTH(an_unfinished_handshake_closes_without_noise),
    };

    return cmocka_run_group_tests_name("close", tests, ca_setup, ca_teardown);
}
