/* Sessions in a store of the program's own, saved and loaded, told to a hook.
 */
#include "resuming.h"
#include "shelf.h"

#include "core/clock.h"
#include "session/codec.h"

#include <tlsock/session.h>

static int with_store(struct shelf *sh, const char *version, tlsock_config *sc)
{
    tlsock_config *cc = ca_client("tls.max", version, NULL);
    int rc;

    assert_code(tlsock_config_set_session_store(cc, &shelf_store, sh), 0);
    rc = once(cc, sc, "a.test");
    tlsock_config_unref(cc);
    return rc;
}

static void a_store_survives_a_restart(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        struct shelf *sh = test_calloc(1, sizeof(*sh));

        assert_int_equal(with_store(sh, versions[v], sc), 0);
        assert_int_equal(sh->puts, 1);
        for (int i = 0; i < 5; i++)
            assert_int_equal(with_store(sh, versions[v], sc), 1);
        test_free(sh);
        tlsock_config_unref(sc);
    }
}

/* del() says who of several has it: who is told no, has not. */
static void only_who_takes_it_away_has_it(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct shelf *sh = test_calloc(1, sizeof(*sh));

    (void)state;
    assert_int_equal(with_store(sh, "1.3", sc), 0);
    sh->refuse_del = 1;
    assert_int_equal(with_store(sh, "1.3", sc), 0);
    sh->refuse_del = 0;
    assert_int_equal(with_store(sh, "1.3", sc), 1);
    assert_int_equal(with_store(sh, "1.2", sc), 0);
    sh->refuse_del = 1; /* of TLS 1.2 nothing has to be taken away */
    assert_int_equal(with_store(sh, "1.2", sc), 1);
    test_free(sh);
    tlsock_config_unref(sc);
}

/* Nothing that a store does makes a connection fail, or believe. */
static void a_bad_store_costs_full_handshakes(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        struct shelf *sh = test_calloc(1, sizeof(*sh));
        struct slot *s = &sh->slots[0];

        sh->refuse_put = 1;
        assert_int_equal(with_store(sh, versions[v], sc), 0);
        assert_int_equal(with_store(sh, versions[v], sc), 0);
        sh->refuse_put = 0;
        assert_int_equal(with_store(sh, versions[v], sc), 0);
        sh->lie_long = sh->keep_del = 1;
        assert_int_equal(with_store(sh, versions[v], sc), 0);
        sh->lie_long = sh->keep_del = 0;
        s->data[s->len / 2] ^= 1; /* damaged: removed, too */
        for (size_t i = 1; i < COUNT(sh->slots); i++)
            sh->slots[i].klen = 0;
        assert_int_equal(with_store(sh, versions[v], sc), 0);
        assert_int_equal(with_store(sh, versions[v], sc), 1);
        test_free(sh);
        tlsock_config_unref(sc);
    }
}

/* Bytes of one key under another: bound to what they are for. */
static void a_store_that_mixes_peers_up_is_found_out(void **state)
{
    static const char *const names[] = {"a.test", "b.test"};

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        struct shelf *sh = test_calloc(1, sizeof(*sh));
        uint8_t other[TLSOCK_SESSION_KEY_MAX];

        assert_code(tlsock_config_add_cert(sc, ca_get()->b), 0);
        assert_code(tlsock_config_set_session_store(cc, &shelf_store, sh), 0);
        for (int i = 0; i < 2; i++)
            assert_int_equal(once(cc, sc, names[i]), 0);
        memcpy(other, sh->slots[0].key, sizeof(other));
        memcpy(sh->slots[0].key, sh->slots[1].key, sizeof(other));
        memcpy(sh->slots[1].key, other, sizeof(other));
        for (int i = 0; i < 2; i++)
            assert_int_equal(once(cc, sc, names[i]), 0);
        test_free(sh);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_store_has_to_be_whole(void **state)
{
    tlsock_config *c = tlsock_config_new(), *sc = ca_server(ca_get()->a, NULL);
    tlsock_store bad = shelf_store;

    (void)state;
    bad.del = NULL;
    assert_code(tlsock_config_set_session_store(c, &bad, NULL),
                TLSOCK_E_ARGUMENT);
    assert_tells(tlsock_config_error(c)->message, "del()");
    bad = shelf_store;
    bad.size = 8;
    assert_code(tlsock_config_set_session_store(c, &bad, NULL),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_set_session_store(c, NULL, NULL), 0);
    assert_code(tlsock_config_set_session_store(NULL, &shelf_store, NULL),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_trust(c, ca_get()->root_pem), 0);
    assert_int_equal(once(c, sc, "a.test"), 0);
    assert_code(tlsock_config_set_session_store(c, &shelf_store, NULL),
                TLSOCK_E_FROZEN);
    tlsock_config_unref(c);
    tlsock_config_unref(sc);
}

/* --- saved and loaded --- */

struct saved {
    uint8_t data[TLSOCK_SESSION_MAX];
    size_t len;
};

/* The session of one connection, won with cc. */
static void win(tlsock_config *cc, tlsock_config *sc, struct saved *out)
{
    struct peer p;
    size_t need;

    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    if (tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_VERSION) == 0x0304) {
        out->len = sizeof(out->data); /* right after connect: none yet */
        assert_code(tlsock_session_save(p.conn[CLIENT], out->data, &out->len),
                    TLSOCK_E_STATE);
        assert_tells(tlsock_last_error(p.conn[CLIENT])->message, "none yet");
        assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_SESSION),
                            "none yet");
    }
    peer_pingpong(&p);
    assert_memory_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_SESSION),
                        "kept until 20", 13);
    assert_code(tlsock_session_save(p.conn[CLIENT], NULL, &need), 0);
    out->len = need - 1;
    assert_code(tlsock_session_save(p.conn[CLIENT], out->data, &out->len),
                TLSOCK_E_LIMIT);
    assert_int_equal(out->len, need);
    out->len = sizeof(out->data);
    assert_code(tlsock_session_save(p.conn[CLIENT], out->data, &out->len), 0);
    assert_int_equal(out->len, need);
    assert_code(tlsock_session_save(p.conn[SERVER], NULL, &need),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_session_save(p.conn[CLIENT], NULL, NULL),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_session_save(NULL, NULL, &need), TLSOCK_E_ARGUMENT);
    peer_close(&p);
    peer_free(&p);
}

static void what_is_saved_is_resumed_elsewhere(void **state)
{
    struct saved *s = test_calloc(1, sizeof(*s));

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        tlsock_config *one = ca_client("tls.max", versions[v], NULL);
        tlsock_config *two = ca_client("tls.max", versions[v], NULL);

        win(one, sc, s);
        /* of TLS 1.3 it is not the config's any more */
        assert_int_equal(once(one, sc, "a.test"), v == 0);
        assert_code(tlsock_session_load(two, s->data, s->len), 0);
        assert_code(tlsock_config_set(two, "alpn", "h2"), TLSOCK_E_FROZEN);
        assert_int_equal(once(two, sc, "a.test"), 1);
        tlsock_config_unref(one);
        tlsock_config_unref(two);
        tlsock_config_unref(sc);
    }
    test_free(s);
}

static void what_is_of_no_use_is_not_loaded(void **state)
{
    struct saved *s = test_calloc(1, sizeof(*s));
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    tlsock_config *cc = ca_client(NULL), *other = ca_client("alpn", "h2", NULL);
    tlsock_config *off = ca_client("session", "off", NULL);

    (void)state;
    win(cc, sc, s);
    assert_code(tlsock_session_load(other, s->data, s->len), TLSOCK_E_STATE);
    assert_tells(tlsock_config_error(other)->message, "settings");
    assert_true(tlsock_config_error(other)->hint[0] != '\0');
    assert_code(tlsock_session_load(off, s->data, s->len), TLSOCK_E_STATE);
    assert_code(tlsock_session_load(cc, s->data, s->len - 1),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_session_load(cc, NULL, 0), TLSOCK_E_ARGUMENT);
    today = time(NULL) + 7200;
    tsk_clock_wall = wall;
    assert_code(tlsock_session_load(cc, s->data, s->len), TLSOCK_E_STATE);
    assert_tells(tlsock_config_error(cc)->message, "over");
    tsk_clock_wall = NULL;
    assert_code(tlsock_session_load(cc, s->data, s->len), 0);
    assert_int_equal(once(cc, sc, "a.test"), 1);
    tlsock_config_unref(cc);
    tlsock_config_unref(other);
    tlsock_config_unref(off);
    tlsock_config_unref(sc);
    test_free(s);
}

/* --- the hook --- */

struct told {
    struct saved last;
    int calls, answer;
};

static int on_session(const tlsock_event *e, void *arg)
{
    struct told *t = arg;

    assert_int_equal(e->kind, TLSOCK_ON_SESSION);
    assert_string_equal(e->name, "a.test");
    assert_memory_equal(tlsock_info(e->conn, TLSOCK_INFO_VERIFIED), "", 0);
    memcpy(t->last.data, e->data, e->len);
    t->last.len = e->len;
    t->calls++;
    return t->answer;
}

static void a_hook_is_told_of_each_session(void **state)
{
    static const int answers[] = {0, TLSOCK_E_POLICY, TLSOCK_AGAIN};
    struct told *t = test_calloc(1, sizeof(*t));

    (void)state;
    for (size_t i = 0; i < COUNT(answers) * 2; i++) {
        const char *version = versions[i % 2];
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        tlsock_config *cc = ca_client("tls.max", version, NULL);
        tlsock_config *two = ca_client("tls.max", version, NULL);

        *t = (struct told){.answer = answers[i / 2]};
        assert_code(tlsock_config_on(cc, TLSOCK_ON_SESSION, on_session, t), 0);
        assert_int_equal(once(cc, sc, "a.test"), 0);
        assert_int_equal(t->calls, 1);
        /* refused: the config does not keep it; its bytes are good */
        assert_int_equal(once(cc, sc, "a.test"), t->answer == 0);
        if (t->answer != 0) {
            assert_code(tlsock_config_on(two, TLSOCK_ON_VERIFY, NULL, NULL), 0);
            assert_code(tlsock_session_load(two, t->last.data, t->last.len), 0);
            assert_int_equal(once(two, sc, "a.test"), 1);
        }
        tlsock_config_unref(cc);
        tlsock_config_unref(two);
        tlsock_config_unref(sc);
    }
    test_free(t);
}

static int refused(const tlsock_event *e, void *arg)
{
    (void)e;
    (void)arg;
    return TLSOCK_E_CERT_INVALID;
}

/* Of TLS 1.2 a session is there before all is judged. */
static void a_peer_that_is_refused_leaves_no_session(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, "staple", "off", NULL);
        tlsock_config *cc = ca_client("tls.max", versions[v], "revocation",
                                      "must-staple", NULL);
        struct told *t = test_calloc(1, sizeof(*t));

        assert_code(tlsock_config_on(cc, TLSOCK_ON_SESSION, on_session, t), 0);
        for (int i = 0; i < 2; i++)
            assert_code(once(cc, sc, "a.test"), TLSOCK_E_MUST_STAPLE);
        assert_int_equal(t->calls, 0);
        tlsock_config_unref(cc);
        cc = ca_client("tls.max", versions[v], NULL);
        assert_code(tlsock_config_on(cc, TLSOCK_ON_SESSION, on_session, t), 0);
        assert_code(tlsock_config_on(cc, TLSOCK_ON_VERIFY, refused, NULL), 0);
        assert_code(once(cc, sc, "a.test"), TLSOCK_E_CERT_INVALID);
        assert_int_equal(t->calls, 0);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
        test_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_survives_a_restart),
        cmocka_unit_test(only_who_takes_it_away_has_it),
        cmocka_unit_test(a_bad_store_costs_full_handshakes),
        cmocka_unit_test(a_store_that_mixes_peers_up_is_found_out),
        cmocka_unit_test(a_store_has_to_be_whole),
        cmocka_unit_test(what_is_saved_is_resumed_elsewhere),
        cmocka_unit_test(what_is_of_no_use_is_not_loaded),
        cmocka_unit_test(a_hook_is_told_of_each_session),
        cmocka_unit_test(a_peer_that_is_refused_leaves_no_session),
    };

    return cmocka_run_group_tests_name("resume_store", tests, ca_setup,
                                       ca_teardown);
}
