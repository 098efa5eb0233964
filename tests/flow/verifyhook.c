/* VERIFY and STAPLE: the program's own word on who the peer is. */
#include "ca.h"
#include "raw.h"

#include <string.h>

struct told {
    int calls, answer, chain_len, code;
    struct tlsock_op *op;
    char name[64], text[128], leaf[64];
    size_t len;
};

static int hook(const tlsock_event *e, void *arg)
{
    struct told *t = arg;

    t->calls++;
    t->op = e->op;
    t->code = e->error != NULL ? e->error->code : 0;
    t->len = e->len;
    snprintf(t->name, sizeof(t->name), "%s", e->name != NULL ? e->name : "-");
    snprintf(t->text, sizeof(t->text), "%s", e->text != NULL ? e->text : "-");
    t->chain_len = tlsock_cert_chain_len(e->cert);
    snprintf(t->leaf, sizeof(t->leaf), "%s",
             tlsock_cert_field(e->cert, TLSOCK_CERT_SANS));
    return t->answer;
}

static const struct row {
    const char *claim;
    const char *peer; /* good, stranger, expired, other name */
    int answer, want, told;
    const char *verified;
} rows[] = {
    {"0 leaves a good peer good", "good", 0, 0, 0, "chain"},
    {"ACCEPT of a good peer changes nothing", "good", TLSOCK_ACCEPT, 0, 0,
     "chain"},
    {"a refusal is the connection's code", "good", TLSOCK_E_CLIENT_CERT_DENIED,
     TLSOCK_E_CLIENT_CERT_DENIED, 0, ""},
    {"0 leaves a stranger a stranger", "stranger", 0, TLSOCK_E_CHAIN_INCOMPLETE,
     TLSOCK_E_CHAIN_INCOMPLETE, ""},
    {"a refusal of a stranger keeps our reason", "stranger", TLSOCK_E_HOOK,
     TLSOCK_E_CHAIN_INCOMPLETE, TLSOCK_E_CHAIN_INCOMPLETE, ""},
    {"ACCEPT of a stranger is loud", "stranger", TLSOCK_ACCEPT, 0,
     TLSOCK_E_CHAIN_INCOMPLETE, "insecure by hook: chain-incomplete"},
    {"ACCEPT of another name is loud", "other name", TLSOCK_ACCEPT, 0,
     TLSOCK_E_NAME_MISMATCH, "insecure by hook: name-mismatch"},
    {"0 leaves another name refused", "other name", 0, TLSOCK_E_NAME_MISMATCH,
     TLSOCK_E_NAME_MISMATCH, ""},
    {"ACCEPT of what has expired is loud", "expired", TLSOCK_ACCEPT, 0,
     TLSOCK_E_EXPIRED, "insecure by hook: expired"},
};

static const tlsock_cert *cert_of(const char *peer)
{
    const struct test_ca *ca = ca_get();

    return strcmp(peer, "stranger") == 0  ? ca->stranger
           : strcmp(peer, "expired") == 0 ? ca->expired
                                          : ca->a;
}

/* Ours is the client; an answer of AGAIN is given by `late`. */
static void visit(const struct row *row, const char *tls, int late)
{
    struct raw_opts raw = {.cert = cert_of(row->peer)};
    tlsock_config *c = ca_client("tls.max", tls, NULL);
    struct told t = {.answer = late ? TLSOCK_AGAIN : row->answer};
    SSL *ssl = raw_new(SERVER, &raw);
    struct peer p;
    tlsock *s;
    int rc;

    assert_code(tlsock_config_on(c, TLSOCK_ON_VERIFY, hook, &t), 0);
    peer_init(&p);
    raw_on_end(ssl, &p.ends[SERVER]);
    assert_int_equal(peer_open(&p, c, NULL,
                               strcmp(row->peer, "other name") == 0 ? "b.test"
                                                                    : "a.test"),
                     0);
    rc = raw_shake(&p, CLIENT, ssl, NULL);
    s = p.conn[CLIENT];
    if (late) {
        assert_code(rc, TLSOCK_AGAIN);
        assert_non_null(t.op);
        assert_code(tlsock_handshake(s), TLSOCK_AGAIN); /* not yet */
        assert_code(tlsock_op_done(t.op, row->answer, NULL, 0), 0);
        rc = raw_shake(&p, CLIENT, ssl, NULL);
    }
    if (rc != row->want)
        fail_msg("%s (TLS %s, late %d): %s: %s", row->claim, tls, late,
                 tlsock_errname(rc), tlsock_last_error(s)->message);
    assert_int_equal(t.calls, 1);
    assert_code(t.code, row->told);
    assert_string_equal(tlsock_info(s, TLSOCK_INFO_VERIFIED), row->verified);
    if (rc < 0) {
        assert_int_equal(tlsock_last_error(s)->phase, TLSOCK_PHASE_VERIFY);
        assert_true(tlsock_last_error(s)->hint[0] != '\0');
    }
    if (strcmp(row->peer, "good") == 0) {
        assert_int_equal(t.chain_len, 2); /* beside the leaf */
        assert_string_equal(t.name, "a.test");
        assert_string_equal(t.text, "chain");
    }
    raw_free(ssl);
    peer_free(&p);
    tlsock_config_unref(c);
}

static void a_clients_hook_has_its_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        visit(&rows[i], "1.3", 0);
        visit(&rows[i], "1.2", 0);
    }
}

static void or_says_it_later(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        visit(&rows[i], "1.3", 1);
        visit(&rows[i], "1.2", 1);
    }
}

static void loud_is_loud_in_json_too(void **state)
{
    struct raw_opts raw = {.cert = ca_get()->stranger};
    tlsock_config *c = ca_client(NULL);
    struct told t = {.answer = TLSOCK_ACCEPT};
    SSL *ssl = raw_new(SERVER, &raw);
    char json[2048];
    struct peer p;

    (void)state;
    assert_code(tlsock_config_on(c, TLSOCK_ON_VERIFY, hook, &t), 0);
    peer_init(&p);
    raw_on_end(ssl, &p.ends[SERVER]);
    assert_int_equal(peer_open(&p, c, NULL, "a.test"), 0);
    assert_code(raw_shake(&p, CLIENT, ssl, NULL), 0);
    tlsock_info_json(p.conn[CLIENT], json, sizeof(json));
    assert_tells(json, "\"verified\":false");
    assert_tells(json, "insecure by hook");
    raw_free(ssl);
    peer_free(&p);
    tlsock_config_unref(c);
}

static const struct client_row {
    const char *claim;
    int good, answer, late, server_want;
} client_rows[] = {
    {"0 leaves a good client good", 1, 0, 0, 0},
    {"a refusal refuses a good client", 1, TLSOCK_E_CLIENT_CERT_DENIED, 0,
     TLSOCK_E_CLIENT_CERT_DENIED},
    {"a late yes", 1, 0, 1, 0},
    {"a late no", 1, TLSOCK_E_CLIENT_CERT_DENIED, 1,
     TLSOCK_E_CLIENT_CERT_DENIED},
    {"ACCEPT of a bad client", 0, TLSOCK_ACCEPT, 0, 0},
    {"of a bad client nothing can be said later", 0, 0, 1,
     TLSOCK_E_CHAIN_INCOMPLETE},
};

static void visit_server(const struct client_row *row, const char *tls)
{
    const struct test_ca *ca = ca_get();
    tlsock_config *cc = ca_client("tls.max", tls, NULL);
    tlsock_config *sc = ca_server(ca->a, "client-auth", "require", NULL);
    struct told t = {.answer = row->late ? TLSOCK_AGAIN : row->answer};
    struct peer p;
    int rc;

    assert_code(tlsock_config_add_trust(sc, ca->root_pem), 0);
    assert_code(tlsock_config_add_cert(
                    cc, row->good ? ca->client : ca->stranger_client), 0);
    assert_code(tlsock_config_on(sc, TLSOCK_ON_VERIFY, hook, &t), 0);
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
    peer_shake(&p);
    if (row->late && row->good) {
        assert_code(p.rc[SERVER], TLSOCK_AGAIN);
        assert_code(tlsock_op_done(t.op, row->answer, NULL, 0), 0);
        peer_shake(&p);
    }
    rc = tlsock_handshake(p.conn[SERVER]);
    if (rc != row->server_want)
        fail_msg("%s (TLS %s): %s: %s", row->claim, tls, tlsock_errname(rc),
                 tlsock_last_error(p.conn[SERVER])->message);
    assert_int_equal(t.calls, 1);
    assert_string_equal(t.name, "-");
    if (!row->good && rc == 0)
        assert_string_equal(
            tlsock_info(p.conn[SERVER], TLSOCK_INFO_VERIFIED),
            "insecure by hook: chain-incomplete");
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_servers_hook_has_its_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(client_rows); i++) {
        visit_server(&client_rows[i], "1.3");
        visit_server(&client_rows[i], "1.2");
    }
}

/* A staple with noise in it, or none: our own word on it, and the hook's. */
static void staples_are_the_hooks_to_judge(void **state)
{
    static const unsigned char noise[] = {
        0x30, 25,   0x0a, 1,  0,                    /* successful, with */
        0xa0, 20,   0x30, 18,                       /* a response that */
        6,    9,    0x2b, 6,  1, 5, 5, 7, 48, 1, 1, /* is a basic one */
        4,    5,    0x30, 3,  'r', 'o', 't'};
    static const struct {
        const char *claim;
        int sent, answer, want;
        const char *tells;
    } cases[] = {
        {"0 leaves noise to us", 1, 0, TLSOCK_E_STAPLE, "parsed"},
        {"ACCEPT takes it for good", 1, TLSOCK_ACCEPT, 0, "says a hook"},
        {"a refusal refuses", 1, TLSOCK_E_REVOKED, TLSOCK_E_REVOKED, "hook"},
        {"none came: 0", 0, 0, 0, "no staple"},
        {"none came: refused", 0, TLSOCK_E_MUST_STAPLE, TLSOCK_E_MUST_STAPLE,
         "hook"},
        {"nothing can be said later", 1, TLSOCK_AGAIN, TLSOCK_E_HOOK, "wait"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct raw_opts raw = {.cert = ca_get()->a};
        tlsock_config *c =
            ca_client("tls.max", i % 2 == 0 ? "1.3" : "1.2", NULL);
        struct told t = {.answer = cases[i / 2].answer};
        struct peer p;
        SSL *ssl;
        int rc;

        if (cases[i / 2].sent) {
            raw.staple = noise;
            raw.staple_len = sizeof(noise);
        }
        ssl = raw_new(SERVER, &raw);
        assert_code(tlsock_config_on(c, TLSOCK_ON_STAPLE, hook, &t), 0);
        peer_init(&p);
        raw_on_end(ssl, &p.ends[SERVER]);
        assert_int_equal(peer_open(&p, c, NULL, "a.test"), 0);
        rc = raw_shake(&p, CLIENT, ssl, NULL);
        if (rc != cases[i / 2].want)
            fail_msg("%s: %s: %s", cases[i / 2].claim, tlsock_errname(rc),
                     tlsock_last_error(p.conn[CLIENT])->message);
        assert_int_equal(t.calls, 1);
        assert_int_equal(t.len, cases[i / 2].sent ? sizeof(noise) : 0);
        assert_int_equal(t.chain_len, 1);
        assert_tells(rc == 0 ? tlsock_info(p.conn[CLIENT],
                                           TLSOCK_INFO_REVOCATION)
                             : tlsock_last_error(p.conn[CLIENT])->message,
                     cases[i / 2].tells);
        raw_free(ssl);
        peer_free(&p);
        tlsock_config_unref(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clients_hook_has_its_say),
        cmocka_unit_test(or_says_it_later),
        cmocka_unit_test(loud_is_loud_in_json_too),
        cmocka_unit_test(a_servers_hook_has_its_say),
        cmocka_unit_test(staples_are_the_hooks_to_judge),
    };

    return cmocka_run_group_tests_name("verifyhook", tests, ca_setup,
                                       ca_teardown);
}
