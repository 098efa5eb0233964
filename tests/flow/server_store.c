/* Servers without tickets whose sessions are in a store of the program's: any
 * of them knows what one of them has seen, and nothing that the store does
 * makes a handshake fail, or believes. */
#include "resuming.h"
#include "shelf.h"

#include "core/clock.h"

static tlsock_config *remembering(struct shelf *sh, const char *key,
                                  const char *value)
{
    tlsock_config *sc =
        ca_server(ca_get()->a, "tickets", "off", key, value, NULL);

    assert_code(tlsock_config_set_session_store(sc, &shelf_store, sh), 0);
    return sc;
}

/* As a server that was started for this one connection. */
static int at_another(tlsock_config *cc, struct shelf *sh, const char *key,
                      const char *value)
{
    tlsock_config *sc = remembering(sh, key, value);
    int rc = once(cc, sc, "a.test");

    tlsock_config_unref(sc);
    return rc;
}

static void servers_that_share_a_store_know_each_others(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        struct shelf *sh = test_calloc(1, sizeof(*sh));
        struct shelf *other = test_calloc(1, sizeof(*sh));

        assert_int_equal(at_another(cc, sh, NULL, NULL), 0);
        assert_true(sh->puts >= 1);
        for (int i = 0; i < 3; i++)
            assert_int_equal(at_another(cc, sh, NULL, NULL), 1);
        assert_int_equal(sh->dels, 0);
        assert_int_equal(at_another(cc, other, NULL, NULL), 0);
        test_free(sh);
        test_free(other);
        tlsock_config_unref(cc);
    }
}

/* Where there are tickets, or no sessions at all, nothing is to be kept. */
static void a_store_is_for_who_has_no_tickets(void **state)
{
    static const char *const rows[][2] = {
        {"tickets", "on"}, {"session", "off"}, {"session.size", "0"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        tlsock_config *cc = ca_client("tls.max", versions[i % 2], NULL);
        struct shelf *sh = test_calloc(1, sizeof(*sh));

        at_another(cc, sh, rows[i / 2][0], rows[i / 2][1]);
        at_another(cc, sh, rows[i / 2][0], rows[i / 2][1]);
        assert_int_equal(sh->puts + sh->gets + sh->dels, 0);
        test_free(sh);
        tlsock_config_unref(cc);
    }
}

static void other_demands_make_other_sessions(void **state)
{
    static const char *const rows[][2] = {{"session-id-context", "other"},
                                          {"client-auth", "ask"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        tlsock_config *cc = ca_client("tls.max", versions[i % 2], NULL);
        struct shelf *sh = test_calloc(1, sizeof(*sh));
        tlsock_config *sc = remembering(sh, NULL, NULL);

        assert_code(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
        assert_code(tlsock_config_set(sc, rows[i / 2][0], rows[i / 2][1]), 0);
        assert_int_equal(at_another(cc, sh, NULL, NULL), 0);
        assert_int_equal(once(cc, sc, "a.test"), 0);
        assert_int_equal(once(cc, sc, "a.test"), 1);
        test_free(sh);
        tlsock_config_unref(sc);
        tlsock_config_unref(cc);
    }
}

static void damage(struct shelf *sh)
{
    for (size_t i = 0; i < COUNT(sh->slots); i++)
        sh->slots[i].data[sh->slots[i].len / 2] ^= 1;
}

static void cut(struct shelf *sh)
{
    for (size_t i = 0; i < COUNT(sh->slots); i++)
        sh->slots[i].len /= 2;
}

static void lie(struct shelf *sh)
{
    sh->lie_long = 1;
}

static void lose(struct shelf *sh)
{
    sh->refuse_get = 1;
}

/* Every key leads to the session of the other one. */
static void mix_up(struct shelf *sh)
{
    struct slot first = sh->slots[0];
    size_t n = 0;

    while (n < COUNT(sh->slots) && sh->slots[n].klen != 0)
        n++;
    assert_true(n >= 2);
    for (size_t i = 0; i < n; i++) {
        const struct slot *from = i + 1 < n ? &sh->slots[i + 1] : &first;

        memcpy(sh->slots[i].data, from->data, from->len);
        sh->slots[i].len = from->len;
    }
}

static void later(struct shelf *sh)
{
    (void)sh; /* a store that does not look at the clock */
    today = time(NULL) + 3600;
    tsk_clock_wall = wall;
}

static void nothing(struct shelf *sh)
{
    (void)sh;
}

static const struct {
    const char *name;
    void (*spoil)(struct shelf *sh);
    int resumed;
} bad[] = {
    {"as it was", nothing, 1},
    {"damaged", damage, 0},
    {"cut", cut, 0},
    {"longer than the room", lie, 0},
    {"lost", lose, 0},
    {"mixed up", mix_up, 0},
    {"after its end", later, 0},
};

static void a_bad_store_costs_full_handshakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad) * 2; i++) {
        tlsock_config *one = ca_client("tls.max", versions[i % 2],
                                       "session.timeout", "2h", NULL);
        tlsock_config *two = tlsock_config_copy(one);
        struct shelf *sh = test_calloc(1, sizeof(*sh));
        int got;

        assert_int_equal(at_another(one, sh, "session.timeout", "30m"), 0);
        assert_int_equal(at_another(two, sh, "session.timeout", "30m"), 0);
        bad[i / 2].spoil(sh);
        got = at_another(one, sh, "session.timeout", "30m");
        tsk_clock_wall = NULL;
        if (got != bad[i / 2].resumed)
            fail_msg("%s, TLS %s: %d", bad[i / 2].name, versions[i % 2], got);
        sh->refuse_put = 1;
        assert_true(at_another(two, sh, "session.timeout", "30m") >= 0);
        test_free(sh);
        tlsock_config_unref(one);
        tlsock_config_unref(two);
    }
}

/* RFC 5246, 7.2.2: nobody resumes what a fatal alert ended. */
static void a_fatal_alert_takes_the_session_back(void **state)
{
    static const char rubbish[] = "\x17\x03\x03\x00\x20"
                                  "these bytes are not of a client.";

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        struct shelf *sh = test_calloc(1, sizeof(*sh));
        tlsock_config *sc = remembering(sh, NULL, NULL);
        struct peer p;
        char buf[8];

        assert_int_equal(once(cc, sc, "a.test"), 0);
        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        assert_int_equal(tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_RESUMED),
                         1);
        pipe_inject(&p.pipes[CLIENT], rubbish, sizeof(rubbish) - 1);
        assert_true(tlsock_read(p.conn[SERVER], buf, sizeof(buf)) < 0);
        assert_int_equal(sh->dels, 1);
        peer_free(&p);
        test_free(sh);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* --- early data: RFC 8446, 8.1 --- */

static const char ask[] = "GET /may/be/done/twice";

/* What became of early data that was sent with what cc has. */
static int early(tlsock_config *cc, tlsock_config *sc)
{
    struct peer p;
    char got[64];
    int outcome;

    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, "a.test"), 0);
    assert_true(tlsock_write_early(p.conn[CLIENT], ask, sizeof(ask)) >= 0);
    while (tlsock_read_early(p.conn[SERVER], got, sizeof(got)) != 0)
        peer_step(&p, CLIENT);
    assert_int_equal(peer_shake(&p), 0);
    peer_pingpong(&p);
    outcome = (int)tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_EARLY_DATA);
    peer_close(&p);
    peer_free(&p);
    return outcome;
}

/* Of all servers one is told by del() that the session was there. */
static void who_takes_the_session_away_takes_early_data(void **state)
{
    static const struct {
        int refuse_del, outcome, dels;
    } rows[] = {{0, TLSOCK_EARLY_ACCEPTED, 1}, {1, TLSOCK_EARLY_REJECTED, 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("early-data", "1000", NULL);
        struct shelf *sh = test_calloc(1, sizeof(*sh));
        tlsock_config *sc = remembering(sh, "early-data", "1000");

        assert_int_equal(once(cc, sc, "a.test"), 0);
        sh->refuse_del = rows[i].refuse_del;
        assert_int_equal(early(cc, sc), rows[i].outcome);
        assert_int_equal(sh->dels, rows[i].dels);
        test_free(sh);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_that_share_a_store_know_each_others),
        cmocka_unit_test(a_store_is_for_who_has_no_tickets),
        cmocka_unit_test(other_demands_make_other_sessions),
        cmocka_unit_test(a_bad_store_costs_full_handshakes),
        cmocka_unit_test(a_fatal_alert_takes_the_session_back),
        cmocka_unit_test(who_takes_the_session_away_takes_early_data),
    };

    return cmocka_run_group_tests_name("server_store", tests, ca_setup,
                                       ca_teardown);
}
