/* Keys of tickets that are the program's own: given at once or later, refused,
 * or not there, which is a full handshake. */
#include "ticketing.h"

/* A program with keys of its own. */
struct keeper {
    int keys; /* how many there are; the last one seals */
    int code; /* what it answers in place of all that, or 0 */
    int sealed, opened, unknown;
};

static int keep(const tlsock_event *e, void *arg)
{
    struct keeper *k = arg;
    int n = k->keys;

    assert_int_equal(e->kind, TLSOCK_ON_TICKET_KEY);
    assert_non_null(e->conn);
    assert_non_null(e->op); /* it might come later */
    assert_non_null(e->ticket);
    assert_int_equal(e->len, e->data != NULL ? 16 : 0);
    if (k->code != 0)
        return k->code;
    if (e->data != NULL) {
        assert_memory_equal(e->ticket->name, e->data, 16);
        n = e->ticket->name[15];
        if (n < 1 || n > k->keys) {
            k->unknown++;
            return 0;
        }
        k->opened++;
    } else if (n == 0) {
        return 0;
    } else {
        k->sealed++;
    }
    memset(e->ticket->key, 'a' + n, sizeof(e->ticket->key));
    memset(e->ticket->name, 'k', 15);
    e->ticket->name[15] = (unsigned char)k->keys; /* that which seals now */
    return TLSOCK_ACCEPT;
}

static tlsock_config *kept(struct keeper *k)
{
    tlsock_config *sc = server(NULL, "12h");

    memset(k, 0, sizeof(*k));
    assert_code(tlsock_config_on(sc, TLSOCK_ON_TICKET_KEY, keep, k), TLSOCK_OK);
    return sc;
}

static void a_hook_has_the_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct visitor v = {.version = versions[i]};
        struct keeper k;
        tlsock_config *sc = kept(&k);

        k.keys = 1;
        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.resumed, 0);
        assert_int_equal(k.sealed, 1);
        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.resumed, 1);
        assert_int_equal(v.renewed, i); /* TLS 1.3 always does */
        assert_int_equal(k.opened, 1);
        k.keys = 2; /* the old one still opens, and is replaced */
        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.resumed, 1);
        assert_int_equal(v.renewed, 1);
        k.keys = 1; /* that one is gone now */
        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.resumed, 0);
        assert_int_equal(k.unknown, 1);
        leave(&v);
        tlsock_config_unref(sc);
    }
}

/* At first there is a key, then a second one that seals, then that alone. */
static int two_keys(const tlsock_event *e, void *arg)
{
    int stage = *(const int *)arg, newest = stage == 0 ? 1 : 2;
    int n = e->data != NULL ? e->ticket->name[0] : newest;

    if (n > newest || (n == 1 && stage == 2))
        return 0;
    memset(e->ticket->key, n, sizeof(e->ticket->key));
    e->ticket->name[0] = (unsigned char)newest;
    return TLSOCK_ACCEPT;
}

static void a_client_goes_on_with_a_renewed_ticket(void **state)
{
    static const int resumed[] = {0, 1, 1};

    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        tlsock_config *cc = ca_client("tls.max", versions[i], NULL);
        tlsock_config *sc = server(NULL, "12h");
        int stage;

        assert_code(
            tlsock_config_on(sc, TLSOCK_ON_TICKET_KEY, two_keys, &stage), 0);
        for (stage = 0; stage < 3; stage++) {
            struct peer p;

            peer_init(&p);
            peer_connect(&p, cc, sc, "a.test");
            peer_pingpong(&p);
            assert_int_equal(
                tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED),
                resumed[stage]);
            peer_close(&p);
            peer_free(&p);
        }
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_hook_without_a_key_means_a_full_handshake(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct visitor v = {.version = versions[i]};
        struct keeper k;
        tlsock_config *sc = kept(&k);

        for (int n = 0; n < 2; n++) {
            assert_code(visit(&v, sc), TLSOCK_OK);
            assert_int_equal(v.resumed, 0);
        }
        assert_int_equal(k.unknown, i); /* TLS 1.2 has got no ticket at all */
        leave(&v);
        tlsock_config_unref(sc);
    }
}

static void a_hook_may_refuse(void **state)
{
    static const struct {
        int code, want;
        const char *fact;
    } rows[] = {
        {TLSOCK_E_LIMIT, TLSOCK_E_LIMIT, "TICKET_KEY hook of this program"},
        {TLSOCK_ACCEPT, TLSOCK_E_HOOK, "without a key"},
        {7, TLSOCK_E_HOOK, "means nothing"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct visitor v = {.version = "1.2"};
        struct keeper k;
        tlsock_config *sc = kept(&k);
        SSL *ssl;
        struct peer p;

        k.keys = 1;
        assert_code(visit(&v, sc), TLSOCK_OK);
        k.code = rows[i].code;
        ssl = offering(&v);
        peer_init(&p);
        raw_on_end(ssl, &p.ends[CLIENT]);
        p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                          TLSOCK_OPTS(.nonblocking = 1), NULL);
        assert_code(raw_shake(&p, SERVER, ssl, NULL), rows[i].want);
        assert_tells(p.err[SERVER].message, rows[i].fact);
        raw_free(ssl);
        peer_free(&p);
        leave(&v);
        tlsock_config_unref(sc);
    }
}

/* One whose keys are elsewhere: it has to be asked and says so later. */
struct remote {
    struct tlsock_op *op; /* asked, and not answered yet */
    int opens, asked, now;
};

static int ask_remote(const tlsock_event *e, void *arg)
{
    struct remote *r = arg;

    r->asked++;
    r->op = e->op;
    r->opens = e->data != NULL;
    return e->op != NULL ? TLSOCK_AGAIN : r->now;
}

static const tlsock_ticket_key remote_key = {{'n', 'a', 'm', 'e'}, {1, 2, 3}};

/* Steps of both, with answers: to open, this one; to seal, the key. */
static int shake_remote(struct peer *p, struct remote *r, int code, size_t len)
{
    int rc = peer_shake(p);

    while (rc == TLSOCK_AGAIN && r->op != NULL) {
        struct tlsock_op *op = r->op;

        assert_code(tlsock_handshake(p->conn[SERVER]), TLSOCK_AGAIN);
        r->op = NULL;
        if (r->opens)
            assert_code(
                tlsock_op_done(op, code, len != 0 ? &remote_key : NULL, len),
                0);
        else
            assert_code(tlsock_op_done(op, TLSOCK_ACCEPT, &remote_key,
                                       sizeof(remote_key)),
                        0);
        rc = peer_shake(p);
    }
    return rc == 0 ? 0 : p->rc[SERVER];
}

static const struct {
    int code;
    size_t len;
    int want, resumed;
} later[] = {
    {TLSOCK_ACCEPT, sizeof(tlsock_ticket_key), 0, 1},
    {0, 0, 0, 0},
    {TLSOCK_E_LIMIT, 0, TLSOCK_E_LIMIT, 0},
    {TLSOCK_ACCEPT, 0, TLSOCK_E_HOOK, 0},
    {TLSOCK_ACCEPT, sizeof(tlsock_ticket_key) - 1, TLSOCK_E_HOOK, 0},
};

static void a_hook_may_have_its_keys_later(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(later) * 2; i++) {
        const char *version = versions[i % 2];
        tlsock_config *cc = ca_client("tls.max", version, NULL);
        tlsock_config *sc = server(NULL, "12h");
        struct remote r = {.asked = 0};
        struct peer p;

        assert_code(tlsock_config_on(sc, TLSOCK_ON_TICKET_KEY, ask_remote, &r),
                    0);
        for (int n = 0; n < 2; n++) {
            size_t at = n == 0 ? 0 : i / 2;

            peer_init(&p);
            assert_code(peer_open(&p, cc, sc, "a.test"), 0);
            assert_code(shake_remote(&p, &r, later[at].code, later[at].len),
                        later[at].want);
            if (later[at].want == 0) {
                peer_pingpong(&p);
                assert_int_equal(
                    tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED),
                    n == 1 && later[at].resumed);
                peer_close(&p);
            }
            peer_free(&p);
        }
        assert_true(r.asked >= 2);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* Nothing leaks, and the answer finds nobody. */
static void a_connection_may_go_while_a_key_is_awaited(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        tlsock_config *cc = ca_client("tls.max", versions[i], NULL);
        tlsock_config *sc = server(NULL, "12h");
        struct remote r = {.asked = 0};
        struct peer p;

        assert_code(tlsock_config_on(sc, TLSOCK_ON_TICKET_KEY, ask_remote, &r),
                    0);
        peer_init(&p);
        assert_code(peer_open(&p, cc, sc, "a.test"), 0);
        assert_code(peer_shake(&p), TLSOCK_AGAIN);
        assert_int_equal(r.asked, 1);
        peer_free(&p);
        assert_code(tlsock_op_done(r.op, TLSOCK_ACCEPT, &remote_key,
                                   sizeof(remote_key)),
                    0);
        assert_int_equal(r.asked, 1);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* A ticket that is sent after the handshake leaves with what is written, which
 * does not wait. */
static void nothing_waits_for_a_ticket_after_the_handshake(void **state)
{
    static const struct {
        int now;
        ssize_t want;
    } rows[] = {{0, 4}, {TLSOCK_AGAIN, TLSOCK_E_HOOK}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client(NULL);
        tlsock_config *sc = server(NULL, "12h");
        struct remote r = {.now = rows[i].now};
        struct peer p;

        assert_code(tlsock_config_on(sc, TLSOCK_ON_TICKET_KEY, ask_remote, &r),
                    0);
        assert_code(tlsock_config_set(sc, "client-auth", "ask"), 0);
        assert_code(tlsock_config_set(sc, "revocation", "crl"), 0);
        assert_code(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        assert_int_equal(tlsock_write(p.conn[SERVER], "ping", 4), rows[i].want);
        assert_true(r.asked >= 1);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static int takes(const tlsock_event *e, void *arg)
{
    (void)e;
    (void)arg;
    return 0;
}

/* Each machine knows only what it has seen itself. */
static void early_data_of_a_fleet_needs_a_memory_of_all(void **state)
{
    static const struct {
        const char *source;
        int keys, memory, want;
    } rows[] = {{NULL, 0, 0, 0},
                {"env:ONE", 0, 0, TLSOCK_E_OPTION},
                {"env:ONE", 0, 1, 0},
                {NULL, 1, 0, TLSOCK_E_OPTION},
                {NULL, 1, 1, 0}};

    (void)state;
    secret_is("ONE", ONE);
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *sc = server(rows[i].source, "12h");
        struct keeper k = {.keys = 1};
        tlsock_listener *l;
        tlsock_error err = {0};

        assert_code(tlsock_config_set(sc, "early-data", "1024"), TLSOCK_OK);
        if (rows[i].keys)
            assert_code(tlsock_config_on(sc, TLSOCK_ON_TICKET_KEY, keep, &k),
                        TLSOCK_OK);
        if (rows[i].memory)
            assert_code(tlsock_config_on(sc, TLSOCK_ON_EARLY_DATA, takes, NULL),
                        TLSOCK_OK);
        l = tlsock_listen("127.0.0.1:0", sc, NULL, &err);
        assert_code(err.code, rows[i].want);
        if (err.code < 0)
            assert_tells(err.hint, "TLSOCK_ON_EARLY_DATA");
        tlsock_listener_free(l);
        tlsock_config_unref(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hook_has_the_keys),
        cmocka_unit_test(a_hook_without_a_key_means_a_full_handshake),
        cmocka_unit_test(a_client_goes_on_with_a_renewed_ticket),
        cmocka_unit_test(a_hook_may_refuse),
        cmocka_unit_test(a_hook_may_have_its_keys_later),
        cmocka_unit_test(a_connection_may_go_while_a_key_is_awaited),
        cmocka_unit_test(nothing_waits_for_a_ticket_after_the_handshake),
        cmocka_unit_test(early_data_of_a_fleet_needs_a_memory_of_all),
    };

    return cmocka_run_group_tests_name("tickets_hook", tests, setup,
                                       ca_teardown);
}
