/* Early data that has to wait, for room or for the key of its ticket, and what
 * goes wrong with it and after it. */
#include "earlying.h"

/* Both ways; n-th: each write of the transport that it takes. */
static void early_data_that_cannot_leave_is_told(void **state)
{
    tlsock_config *cc, *sc;
    char got[200];

    (void)state;
    pair_of(&cc, &sc);
    prepare(cc, sc);
    for (int side = 0; side < 2; side++) {
        struct test_pipe *pipe;
        struct peer p;
        ssize_t n;

        open_pair(&p, cc, sc);
        if (side == SERVER) {
            assert_int_equal(
                tlsock_write_early(p.conn[CLIENT], ask, sizeof(ask)),
                sizeof(ask));
            assert_int_equal(
                tlsock_read_early(p.conn[SERVER], got, sizeof(got)),
                sizeof(ask));
        }
        pipe = &p.pipes[side];
        pipe->fail_write_at = pipe->writes + 1;
        n = tlsock_write_early(p.conn[side], say, sizeof(say));
        assert_int_equal(pipe->writes, pipe->fail_write_at);
        assert_code(n, TLSOCK_E_SYSTEM);
        assert_code(tlsock_last_error(p.conn[side])->code, TLSOCK_E_SYSTEM);
        assert_code(tlsock_handshake(p.conn[side]), TLSOCK_E_SYSTEM);
        peer_free(&p);
        prepare(cc, sc); /* a ticket is good once */
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* What is too much for the way waits, and arrives whole. */
static void early_data_waits_for_room(void **state)
{
    tlsock_config *cc = ca_client("early-data", "1048576", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "early-data", "1048576", NULL);
    static char sent[400000], got[sizeof(sent) + 1];
    size_t at = 0, len = 0;
    struct peer p;
    ssize_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)(i * 7 % 251);
    prepare(cc, sc);
    open_pair(&p, cc, sc);
    p.pipes[CLIENT].capacity = 1;
    while ((n = tlsock_write_early(p.conn[CLIENT], sent + at,
                                   sizeof(sent) - at)) > 0)
        at += (size_t)n;
    assert_code(n, TLSOCK_AGAIN);
    assert_true(at > 0 && at < sizeof(sent));
    p.pipes[CLIENT].capacity = 0;
    while (at < sizeof(sent)) {
        n = tlsock_write_early(p.conn[CLIENT], sent + at, sizeof(sent) - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    while ((n = tlsock_read_early(p.conn[SERVER], got + len,
                                  sizeof(got) - len)) != 0) {
        assert_true(n > 0 || n == TLSOCK_AGAIN);
        if (n > 0)
            len += (size_t)n;
        else
            peer_step(&p, CLIENT);
    }
    assert_int_equal(len, sizeof(sent));
    assert_memory_equal(got, sent, len);
    assert_int_equal(peer_shake(&p), 0);
    told(&p, TLSOCK_EARLY_ACCEPTED);
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static struct tlsock_op *asked;

static int ask_for_key(const tlsock_event *e, void *arg)
{
    (void)arg;
    if (e->op == NULL) { /* a ticket after the handshake cannot wait */
        memset(e->ticket, 1, sizeof(*e->ticket));
        return TLSOCK_ACCEPT;
    }
    asked = e->op;
    return TLSOCK_AGAIN;
}

static int answered(void)
{
    tlsock_ticket_key key;
    struct tlsock_op *op = asked;

    if (op == NULL)
        return 0;
    memset(&key, 1, sizeof(key));
    asked = NULL;
    assert_code(tlsock_op_done(op, TLSOCK_ACCEPT, &key, sizeof(key)), 0);
    return 1;
}

/* To its end, which is that of the handshake as well, with another ticket. */
static size_t the_rest(struct peer *p, char *got, size_t size)
{
    size_t len = 0;
    ssize_t n;

    while ((n = tlsock_read_early(p->conn[SERVER], got + len, size - len)) !=
           0) {
        assert_true(n > 0 || n == TLSOCK_AGAIN);
        if (n > 0)
            len += (size_t)n;
        else if (!answered())
            peer_step(p, CLIENT);
    }
    return len;
}

/* To open the first ticket, but not to make another one. */
static int key_once(const tlsock_event *e, void *arg)
{
    if (*(int *)arg && e->len == 0)
        return TLSOCK_E_LIMIT;
    memset(e->ticket, 1, sizeof(*e->ticket));
    return TLSOCK_ACCEPT;
}

/* Who has the key elsewhere has not seen it, either. */
static int not_seen(const tlsock_event *e, void *arg)
{
    (void)e;
    (void)arg;
    return 0;
}

/* The ticket that allows it is of a key that comes later. */
static void early_data_waits_for_the_key_of_its_ticket(void **state)
{
    tlsock_config *cc, *sc;
    struct peer p;
    char first[200], got[200];
    int rc;

    (void)state;
    pair_of(&cc, &sc);
    assert_code(tlsock_config_on(sc, TLSOCK_ON_TICKET_KEY, ask_for_key, NULL),
                0);
    assert_code(tlsock_config_on(sc, TLSOCK_ON_EARLY_DATA, not_seen, NULL), 0);
    open_pair(&p, cc, sc);
    while ((rc = peer_shake(&p)) == TLSOCK_AGAIN)
        assert_true(answered());
    assert_code(rc, 0);
    peer_pingpong(&p);
    peer_close(&p);
    peer_free(&p);
    open_pair(&p, cc, sc);
    assert_int_equal(tlsock_write_early(p.conn[CLIENT], ask, sizeof(ask)),
                     sizeof(ask));
    for (int i = 0; i < 2; i++)
        assert_code(tlsock_read_early(p.conn[SERVER], first, sizeof(first)),
                    TLSOCK_AGAIN);
    memset(first, 'x', sizeof(first)); /* it is the caller's again */
    assert_true(answered());
    assert_int_equal(tlsock_read_early(p.conn[SERVER], got, 5), 5);
    assert_code(tlsock_handshake(p.conn[SERVER]), TLSOCK_E_STATE);
    assert_int_equal(the_rest(&p, got + 5, sizeof(got) - 5), sizeof(ask) - 5);
    assert_string_equal(got, ask);
    for (size_t i = 0; i < sizeof(first); i++)
        assert_int_equal(first[i], 'x');
    while ((rc = peer_shake(&p)) == TLSOCK_AGAIN)
        assert_true(answered());
    assert_code(rc, 0);
    told(&p, TLSOCK_EARLY_ACCEPTED);
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* libssl goes on to the end of the handshake then, and fails there. */
static void what_fails_after_early_data_is_told(void **state)
{
    tlsock_config *cc, *sc;
    int fails = 0;
    struct peer p;
    char got[200];
    ssize_t n = TLSOCK_AGAIN;

    (void)state;
    pair_of(&cc, &sc);
    assert_code(tlsock_config_on(sc, TLSOCK_ON_TICKET_KEY, key_once, &fails),
                0);
    assert_code(tlsock_config_on(sc, TLSOCK_ON_EARLY_DATA, not_seen, NULL), 0);
    prepare(cc, sc);
    fails = 1;
    open_pair(&p, cc, sc);
    assert_int_equal(tlsock_write_early(p.conn[CLIENT], ask, sizeof(ask)),
                     sizeof(ask));
    assert_int_equal(tlsock_read_early(p.conn[SERVER], got, sizeof(got)),
                     sizeof(ask));
    for (int i = 0; i < 10 && n == TLSOCK_AGAIN; i++) {
        peer_step(&p, CLIENT);
        n = tlsock_read_early(p.conn[SERVER], got, sizeof(got));
    }
    assert_code(n, TLSOCK_E_LIMIT);
    assert_code(tlsock_last_error(p.conn[SERVER])->code, TLSOCK_E_LIMIT);
    assert_code(tlsock_handshake(p.conn[SERVER]), TLSOCK_E_LIMIT);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_data_that_cannot_leave_is_told),
        cmocka_unit_test(early_data_waits_for_room),
        cmocka_unit_test(early_data_waits_for_the_key_of_its_ticket),
        cmocka_unit_test(what_fails_after_early_data_is_told),
    };

    return cmocka_run_group_tests_name("early_late", tests, ca_setup,
                                       ca_teardown);
}
