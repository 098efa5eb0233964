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
        peer_step(&p[next(&seed) % PAIRS], next(&seed) % 2 ? CLIENT : SERVER);
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
    static const struct want want[PAIRS] = {{"a.test", 0},
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
        {"a.test", NULL, "a test", TLSOCK_E_ARGUMENT},
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
        {"no-name: lab box", ca->stranger, "a.test", TLSOCK_E_CHAIN_INCOMPLETE},
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

/* --- every order of steps of two handshakes */

#define STEPS 5 /* of one handshake: client, server, client, ... */

struct lane {
    const char *name;
    int code;
};

/* Both handshakes, their steps in the order that the bits of "who" say; then
 * what is left, and the verdicts. */
static void in_order(tlsock_config *cc, tlsock_config *sc,
                     const struct lane lanes[2], unsigned who)
{
    struct peer p[2];
    int done[2] = {0, 0};

    for (int i = 0; i < 2; i++) {
        peer_init(&p[i]);
        assert_int_equal(peer_open(&p[i], cc, sc, lanes[i].name), 0);
    }
    for (int k = 0; k < 2 * STEPS; k++) {
        int i = (who >> k) & 1;

        peer_step(&p[i], done[i]++ % 2 == 0 ? CLIENT : SERVER);
    }
    for (int i = 0; i < 2; i++) {
        peer_shake(&p[i]);
        if (p[i].rc[CLIENT] != lanes[i].code)
            fail_msg("order %x, %s: %s", who, lanes[i].name,
                     tlsock_errname(p[i].rc[CLIENT]));
        if (lanes[i].code != 0)
            assert_string_equal(p[i].err[CLIENT].expected, lanes[i].name);
        else
            assert_string_equal(
                tlsock_info(p[i].conn[CLIENT], TLSOCK_INFO_NAME),
                lanes[i].name);
    }
    for (int i = 0; i < 2; i++)
        peer_free(&p[i]);
}

static unsigned ones(unsigned bits)
{
    unsigned n = 0;

    for (; bits != 0; bits &= bits - 1)
        n++;
    return n;
}

static unsigned all_orders(tlsock_config *cc, tlsock_config *sc,
                           const struct lane lanes[2])
{
    unsigned n = 0;

    for (unsigned who = 0; who < 1u << (2 * STEPS); who++) {
        if (ones(who) != STEPS)
            continue;
        in_order(cc, sc, lanes, who);
        n++;
    }
    return n;
}

static void two_handshakes_in_every_order_of_their_steps(void **state)
{
    static const struct lane lanes[2] = {{"a.test", 0},
                                         {"c.test", TLSOCK_E_NAME_MISMATCH}};
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);

        assert_int_equal(all_orders(cc, sc, lanes), 252);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* --- who says which name */

static int opens(tlsock_config *cc, tlsock_config *sc, const char *name,
                 const tlsock_opts *o, char sni[64])
{
    struct peer p;
    int rc;

    peer_init(&p);
    rc = peer_open_opts(&p, cc, o, sc, TLSOCK_OPTS(.nonblocking = 1), name);
    if (rc == 0)
        rc = peer_shake(&p) == 0 ? 0 : p.rc[CLIENT];
    snprintf(sni, 64, "%s",
             rc == 0 ? tlsock_info(p.conn[CLIENT], TLSOCK_INFO_SNI) : "");
    peer_free(&p);
    return rc;
}

static void the_configs_name_is_for_those_who_give_none(void **state)
{
    static const struct {
        const char *config, *param, *opt;
        int code;
        const char *sni;
    } rows[] = {
        {"a.test", NULL, NULL, 0, "a.test"},
        {"c.test", NULL, NULL, TLSOCK_E_NAME_MISMATCH, ""},
        {"c.test", "a.test", NULL, 0, "a.test"},
        {"c.test", NULL, "a.test", 0, "a.test"},
        {"a.test", "c.test", NULL, TLSOCK_E_NAME_MISMATCH, ""},
        {"a.test", "", NULL, TLSOCK_E_NO_NAME, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("verify.name", rows[i].config, NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        char sni[64];
        int rc = opens(cc, sc, rows[i].param,
                       TLSOCK_OPTS(.nonblocking = 1, .name = rows[i].opt), sni);

        if (rc != rows[i].code)
            fail_msg("row %zu: %s", i, tlsock_errname(rc));
        assert_string_equal(sni, rows[i].sni);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* a.test's common name is a.test, and it has that SAN; "CN only" has a CN. */
static void a_scheme_brings_its_rule_and_stays_with_its_session(void **state)
{
    tlsock_cert *cn_only = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=cn.test",
                         .sans = (const char *const[]){"b.test"}, .n_sans = 1,
                         .issuer = ca_get()->inter),
        NULL);
    tlsock_config *sc, *cc = ca_client(NULL);
    char sni[64];

    (void)state;
    assert_non_null(cn_only);
    sc = ca_server(cn_only, NULL);
    for (int again = 0; again < 2; again++) { /* with a session to offer */
        assert_code(opens(cc, sc, "cn.test",
                          TLSOCK_OPTS(.nonblocking = 1, .scheme = "smtp"), sni),
                    0);
        assert_code(opens(cc, sc, "cn.test",
                          TLSOCK_OPTS(.nonblocking = 1, .scheme = "rfc2818"),
                          sni),
                    TLSOCK_E_NAME_MISMATCH);
        assert_code(
            opens(cc, sc, "cn.test", TLSOCK_OPTS(.nonblocking = 1), sni),
            TLSOCK_E_NAME_MISMATCH);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
    tlsock_cert_unref(cn_only);
}

/* --- the program's own rule */

struct own {
    int answer, calls;
    const char *name;
    char cn[64];
    int has_conn;
};

static int own_rule(const tlsock_event *e, void *arg)
{
    struct own *o = arg;

    assert_int_equal(e->kind, TLSOCK_ON_NAME);
    assert_true(e->size >= sizeof(*e));
    o->calls++;
    assert_string_equal(e->name, o->name);
    snprintf(o->cn, sizeof(o->cn), "%s",
             tlsock_cert_field(e->cert, TLSOCK_CERT_CN));
    o->has_conn = e->conn != NULL;
    return o->answer;
}

static void an_own_rule_replaces_the_built_in_one(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        const char *name;
        tlsock_cert *shown;
        int answer, pinned, code, calls;
    } rows[] = {
        {"other.test", ca->a, 0, 0, 0, 1},
        {"a.test", ca->a, TLSOCK_E_NAME_MISMATCH, 0, TLSOCK_E_NAME_MISMATCH, 1},
        {"a.test", ca->a, TLSOCK_E_POLICY, 0, TLSOCK_E_POLICY, 1},
        {"a.test", ca->a, TLSOCK_AGAIN, 0, TLSOCK_E_HOOK, 1},
        {"a.test", ca->a, 1, 0, TLSOCK_E_HOOK, 1},
        {"a.test", ca->a, -7, 0, TLSOCK_E_HOOK, 1},
        {"a.test", ca->stranger, 0, 0, TLSOCK_E_CHAIN_INCOMPLETE, 0},
        {"a.test", ca->a, TLSOCK_E_NAME_MISMATCH, 1, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct own own = {.answer = rows[i].answer, .name = rows[i].name};
        tlsock_config *cc = ca_client(NULL);
        tlsock_config *sc = ca_server(rows[i].shown, NULL);
        struct peer p;

        assert_code(tlsock_config_on(cc, TLSOCK_ON_NAME, own_rule, &own), 0);
        if (rows[i].pinned)
            assert_code(
                tlsock_config_add_pin(
                    cc, tlsock_cert_field(rows[i].shown, TLSOCK_CERT_PIN)),
                0);
        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, rows[i].name), 0);
        peer_shake(&p);
        if (p.rc[CLIENT] != rows[i].code)
            fail_msg("row %zu: %s", i, p.err[CLIENT].message);
        assert_int_equal(own.calls, rows[i].calls);
        if (own.calls > 0) {
            assert_string_equal(own.cn, "a.test");
            assert_true(own.has_conn);
        }
        if (rows[i].code == 0 && !rows[i].pinned)
            assert_string_equal(
                tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                "chain (name by hook)");
        if (rows[i].code == TLSOCK_E_POLICY)
            assert_tells(p.err[CLIENT].message, "TLSOCK_ON_NAME");
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void an_own_rule_is_asked_without_a_connection_too(void **state)
{
    struct own own = {.answer = 0, .name = "other.test"};
    tlsock_config *cc = ca_client(NULL);

    (void)state;
    assert_code(tlsock_config_on(cc, TLSOCK_ON_NAME, own_rule, &own), 0);
    assert_code(tlsock_verify(ca_get()->a, cc,
                              TLSOCK_VERIFY_OPTS(.name = "other.test"), NULL),
                0);
    assert_int_equal(own.calls, 1);
    assert_false(own.has_conn);
    own.answer = TLSOCK_E_NAME_MISMATCH;
    assert_code(tlsock_verify(ca_get()->a, cc,
                              TLSOCK_VERIFY_OPTS(.name = "other.test"), NULL),
                TLSOCK_E_NAME_MISMATCH);
    assert_code(tlsock_verify(ca_get()->a, cc, NULL, NULL), 0); /* no name */
    assert_int_equal(own.calls, 2);
    tlsock_config_unref(cc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interleaved_handshakes_keep_their_own_verdict),
        cmocka_unit_test(names_match_by_rfc_9525),
        cmocka_unit_test(no_name_and_no_names_are_refused_before_a_byte),
        cmocka_unit_test(insecure_is_reported_and_narrow),
        cmocka_unit_test(two_handshakes_in_every_order_of_their_steps),
        cmocka_unit_test(the_configs_name_is_for_those_who_give_none),
        cmocka_unit_test(a_scheme_brings_its_rule_and_stays_with_its_session),
        cmocka_unit_test(an_own_rule_replaces_the_built_in_one),
        cmocka_unit_test(an_own_rule_is_asked_without_a_connection_too),
    };

    return cmocka_run_group_tests_name("names", tests, ca_setup, ca_teardown);
}
