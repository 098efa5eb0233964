/* A verdict belongs to one connection: any number of handshakes with other
 * names may be under way on the same config, in any order of steps. */
#include "ca.h"
#include "peer.h"

#define PAIRS 4

struct want {
    const char *name;
    int code;
};

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static void interleave(tlsock_config *cc, tlsock_config *sc,
                       const struct want want[PAIRS], uint32_t seed)
{
    struct peer p[PAIRS];

    for (int i = 0; i < PAIRS; i++) {
        peer_init(&p[i]);
        assert_int_equal(peer_open(&p[i], cc, sc, want[i].name), 0);
        p[i].pipes[SERVER].max_read = 1 + next(&seed) % 700;
    }
    for (int i = 0; i < 400; i++)
        peer_step(&p[next(&seed) % PAIRS],
                  next(&seed) % 2 ? CLIENT : SERVER);
    for (int i = 0; i < PAIRS; i++) {
        peer_shake(&p[i]);
        if (p[i].rc[CLIENT] != want[i].code)
            fail_msg("seed %u, %s: %s", seed, want[i].name,
                     tlsock_errname(p[i].rc[CLIENT]));
        if (want[i].code == 0)
            peer_pingpong(&p[i]);
        else
            assert_string_equal(p[i].err[CLIENT].expected, want[i].name);
    }
    for (int i = 0; i < PAIRS; i++)
        peer_free(&p[i]);
}

static void interleaved_handshakes_keep_their_own_verdict(void **state)
{
    static const struct want want[PAIRS] = {
        {"a.test", 0},
        {"c.test", TLSOCK_E_NAME_MISMATCH},
        {"b.test", 0},
        {"d.test", TLSOCK_E_NAME_MISMATCH}};
    static const char *const sessions[] = {"on", "off"};

    (void)state;
    for (size_t k = 0; k < COUNT(sessions); k++) {
        tlsock_config *cc = ca_client("session", sessions[k], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);

        assert_code(tlsock_config_add_cert(sc, ca_get()->b), TLSOCK_OK);
        for (uint32_t seed = 1; seed <= 40; seed++)
            interleave(cc, sc, want, seed);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void names_match_by_rfc_9525(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        tlsock_cert *cert;
        const char *name;
        int code;
    } rows[] = {
        {ca->a, "a.test", 0},
        {ca->a, "A.TeSt", 0},
        {ca->a, "a.test.", 0},
        {ca->a, "b.test", TLSOCK_E_NAME_MISMATCH},
        {ca->a, "x.a.test", TLSOCK_E_NAME_MISMATCH},
        {ca->a, "test", TLSOCK_E_NAME_MISMATCH},
        {ca->wild, "x.w.test", 0},
        {ca->wild, "w.test", TLSOCK_E_NAME_MISMATCH},
        {ca->wild, "x.y.w.test", TLSOCK_E_NAME_MISMATCH},
        {ca->ip, "127.0.0.1", 0},
        {ca->ip, "::1", 0},
        {ca->ip, "localhost", 0},
        {ca->ip, "127.0.0.2", TLSOCK_E_NAME_MISMATCH},
        {ca->a, "127.0.0.1", TLSOCK_E_NAME_MISMATCH},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client(NULL);
        tlsock_config *sc = ca_server(rows[i].cert, NULL);
        struct peer p;

        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, rows[i].name), 0);
        peer_shake(&p);
        if (p.rc[CLIENT] != rows[i].code)
            fail_msg("%s: %s %s", rows[i].name, tlsock_errname(p.rc[CLIENT]),
                     p.err[CLIENT].message);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void no_name_and_no_names_are_refused_before_a_byte(void **state)
{
    static const struct {
        const char *name, *opt, *sni;
        int code;
    } rows[] = {
        {NULL, NULL, NULL, TLSOCK_E_NO_NAME},
        {"", NULL, NULL, TLSOCK_E_NO_NAME},
        {NULL, NULL, "a.test", TLSOCK_E_NO_NAME},
        {".a.test", NULL, NULL, TLSOCK_E_ARGUMENT},
        {"a..test", NULL, NULL, TLSOCK_E_ARGUMENT},
        {"a test", NULL, NULL, TLSOCK_E_ARGUMENT},
        {"a.test\n", NULL, NULL, TLSOCK_E_ARGUMENT},
        {NULL, "a.test", NULL, 0},
        {"a.test", "b.test", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client(NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        struct peer p;
        int rc;

        peer_init(&p);
        rc = peer_open_opts(&p, cc,
                            TLSOCK_OPTS(.nonblocking = 1, .name = rows[i].opt,
                                        .sni = rows[i].sni),
                            sc, TLSOCK_OPTS(.nonblocking = 1), rows[i].name);
        if (rc == 0)
            rc = peer_shake(&p);
        if (rc != rows[i].code)
            fail_msg("row %zu: %s %s", i, tlsock_errname(rc),
                     p.err[CLIENT].message);
        if (rows[i].code != 0)
            assert_int_equal(p.pipes[CLIENT].len, 0);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void insecure_is_reported_and_narrow(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        const char *insecure;
        tlsock_cert *cert;
        const char *name;
        int code;
    } rows[] = {
        {"no-name: lab box", ca->a, "b.test", 0},
        {"no-name: lab box", ca->stranger, "a.test",
         TLSOCK_E_CHAIN_INCOMPLETE},
        {"no-chain: lab box", ca->stranger, "a.test", 0},
        {"no-chain: lab box", ca->stranger, "b.test", TLSOCK_E_NAME_MISMATCH},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("insecure", rows[i].insecure, NULL);
        tlsock_config *sc = ca_server(rows[i].cert, NULL);
        struct peer p;

        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, rows[i].name), 0);
        peer_shake(&p);
        if (rows[i].code == TLSOCK_E_CHAIN_INCOMPLETE)
            assert_true(p.rc[CLIENT] == TLSOCK_E_CHAIN_INCOMPLETE ||
                        p.rc[CLIENT] == TLSOCK_E_UNTRUSTED_ROOT);
        else
            assert_code(p.rc[CLIENT], rows[i].code);
        if (rows[i].code == 0)
            assert_memory_equal(
                tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED), "insecure",
                8);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interleaved_handshakes_keep_their_own_verdict),
        cmocka_unit_test(names_match_by_rfc_9525),
        cmocka_unit_test(no_name_and_no_names_are_refused_before_a_byte),
        cmocka_unit_test(insecure_is_reported_and_narrow),
    };

    return cmocka_run_group_tests_name("names", tests, ca_setup, ca_teardown);
}
