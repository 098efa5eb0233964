/* What a HELLO hook may choose beside the certificate: protocol, versions,
 * whether the client is asked for a certificate. */
#include "ca.h"
#include "policies.h"

#define UNSET 77777

struct told {
    const char *alpn, *versions, *client; /* NULL: nothing is chosen */
    int rc[3], answer;
    struct tlsock_op *op;
};

static int hello(const tlsock_event *e, void *arg)
{
    struct told *t = arg;

    t->op = e->op;
    if (t->alpn != NULL)
        t->rc[0] = tlsock_use_alpn(e->conn, t->alpn);
    if (t->versions != NULL)
        t->rc[1] = tlsock_use_version(e->conn, t->versions);
    if (t->client != NULL)
        t->rc[2] = tlsock_use_client_auth(e->conn, t->client);
    return t->answer;
}

struct world {
    tlsock_config *cc, *sc;
    struct peer p;
};

/* One handshake; what became of it is in w->p.rc. */
static void shake(struct world *w, tlsock_config *cc, tlsock_config *sc,
                  struct told *t)
{
    w->cc = cc;
    w->sc = sc;
    t->rc[0] = t->rc[1] = t->rc[2] = UNSET;
    assert_code(tlsock_config_on(sc, TLSOCK_ON_HELLO, hello, t), 0);
    peer_init(&w->p);
    assert_code(peer_open(&w->p, cc, sc, "a.test"), 0);
    (void)peer_shake(&w->p);
}

static void end(struct world *w)
{
    peer_free(&w->p);
    tlsock_config_unref(w->cc);
    tlsock_config_unref(w->sc);
}

static void a_protocol_is_chosen_or_none(void **state)
{
    static const struct {
        const char *offers, *has, *required, *chosen;
        int code;
        const char *agreed;
    } rows[] = {
        {"h2,http/1.1", "h2", "off", NULL, 0, "h2"}, /* the twin: no choice */
        {"h2,http/1.1", "h2", "off", "http/1.1", 0, "http/1.1"},
        {"h2,http/1.1", NULL, NULL, "http/1.1", 0, "http/1.1"},
        {"http/1.1,h2", NULL, NULL, "h2", 0, "h2"},
        {"h2,http/1.1", "h2", "on", "", 0, ""},
        {NULL, "h2", "on", NULL, TLSOCK_E_ALPN, ""},
        {NULL, "h2", "on", "h2", 0, ""},
        {"h2,http/1.1", "h2", "off", "http/1", TLSOCK_E_ALPN, ""},
        {"h2,http/1.1", "h2", "off", "http/1.12", TLSOCK_E_ALPN, ""},
        {"h2", NULL, NULL, "2", TLSOCK_E_ALPN, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
        struct told t = {.alpn = rows[i].chosen};
        struct world w;

        if (rows[i].offers != NULL)
            assert_code(tlsock_config_set(cc, "alpn", rows[i].offers), 0);
        if (rows[i].has != NULL) {
            assert_code(tlsock_config_set(sc, "alpn", rows[i].has), 0);
            assert_code(
                tlsock_config_set(sc, "alpn.required", rows[i].required), 0);
        }
        shake(&w, cc, sc, &t);
        assert_code(w.p.rc[SERVER], rows[i].code);
        assert_code(t.rc[0], rows[i].chosen != NULL ? 0 : UNSET);
        if (rows[i].code == 0) {
            assert_string_equal(
                tlsock_info(w.p.conn[CLIENT], TLSOCK_INFO_ALPN),
                rows[i].agreed);
        } else if (rows[i].chosen != NULL) {
            assert_tells(w.p.err[SERVER].message, rows[i].chosen);
            assert_true(w.p.err[SERVER].hint[0] != '\0');
            assert_int_equal(w.p.err[CLIENT].alert, 120);
        }
        end(&w);
    }
}

static void a_refusal_sends_the_alert_that_fits(void **state)
{
    static const struct {
        int code, alert;
    } rows[] = {
        {TLSOCK_E_NAME_MISMATCH, 112},
        {TLSOCK_E_NO_NAME, 112},
        {TLSOCK_E_UNTRUSTED_ROOT, 48},
        {TLSOCK_E_CHAIN_INCOMPLETE, 48},
        {TLSOCK_E_EXPIRED, 45},
        {TLSOCK_E_NOT_YET_VALID, 45},
        {TLSOCK_E_REVOKED, 44},
        {TLSOCK_E_PURPOSE, 43},
        {TLSOCK_E_CERT_INVALID, 42},
        {TLSOCK_E_VERSION_UNSUPPORTED, 70},
        {TLSOCK_E_NO_COMMON_PARAMETERS, 40},
        {TLSOCK_E_CLIENT_CERT_REQUIRED, 40},
        {TLSOCK_E_OWN_FILE, 80},
        {TLSOCK_E_CONNECT, 80},
        {TLSOCK_E_TIMEOUT, 80},
        {TLSOCK_E_PROXY, 80},
        {TLSOCK_E_POLICY, 49},
        {TLSOCK_E_LIMIT, 49},
        {TLSOCK_E_HOOK, 49},
        {TLSOCK_E_PIN, 49},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct told t = {.answer = rows[i].code};
        struct world w;

        shake(&w, ca_client(NULL), ca_server(ca_get()->a, NULL), &t);
        assert_code(w.p.rc[SERVER], rows[i].code);
        assert_int_equal(w.p.err[CLIENT].alert, rows[i].alert);
        assert_int_equal(w.p.err[CLIENT].alert_from_peer, 1);
        end(&w);
    }
}

static void versions_become_fewer_and_never_more(void **state)
{
    static const struct {
        const char *min, *max, *client_max, *chosen;
        int used, code, version;
    } rows[] = {
        {"1.2", "1.3", "1.3", NULL, UNSET, 0, 0x0304},
        {"1.2", "1.3", "1.3", "1.2", 0, 0, 0x0303},
        {"1.2", "1.3", "1.3", "1.3", 0, 0, 0x0304},
        {"1.2", "1.3", "1.2", "1.2-1.3", 0, 0, 0x0303},
        {"1.2", "1.3", "1.2", "1.3", 0, TLSOCK_E_VERSION_UNSUPPORTED, 0},
        {"1.3", "1.3", "1.3", "1.2", TLSOCK_E_OPTION, 0, 0x0304},
        {"1.3", "1.3", "1.3", "1.2-1.3", TLSOCK_E_OPTION, 0, 0x0304},
        {"1.2", "1.2", "1.3", "1.3", TLSOCK_E_OPTION, 0, 0x0303},
        {"1.2", "1.3", "1.3", "1.1", TLSOCK_E_ARGUMENT, 0, 0x0304},
        {"1.2", "1.3", "1.3", "1.3-1.2", TLSOCK_E_ARGUMENT, 0, 0x0304},
        {"1.2", "1.3", "1.3", "", TLSOCK_E_ARGUMENT, 0, 0x0304},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct told t = {.versions = rows[i].chosen};
        struct world w;

        shake(&w, ca_client("tls.max", rows[i].client_max, NULL),
              ca_server(ca_get()->a, "tls.min", rows[i].min, "tls.max",
                        rows[i].max, NULL),
              &t);
        assert_code(t.rc[1], rows[i].used);
        assert_code(w.p.rc[SERVER], rows[i].code);
        if (rows[i].code == 0)
            assert_int_equal(
                tlsock_info_int(w.p.conn[SERVER], TLSOCK_INFO_VERSION),
                rows[i].version);
        else
            assert_string_equal(w.p.err[SERVER].expected, "TLSv1.3");
        end(&w);
    }
}

struct client_row {
    const char *mode, *chosen, *policy; /* of the config, the hook, a file */
    tlsock_cert *cert;                  /* the client's, or NULL */
    int used, code;
    const char *verified, *subject; /* by the server; NULL: none */
};

static void ask(const struct client_row *row, const char *version)
{
    tlsock_config *cc = ca_client("tls.max", version, NULL),
                  *sc = ca_server(ca_get()->a, "client-auth", row->mode, NULL);
    struct told t = {.client = row->chosen};
    tlsock_cert *seen;
    struct world w;

    assert_code(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
    if (row->cert != NULL)
        assert_code(tlsock_config_add_cert(cc, row->cert), 0);
    shake(&w, cc, sc, &t);
    assert_code(t.rc[2], row->used);
    assert_code(w.p.rc[SERVER], row->code);
    if (row->code == 0) {
        assert_string_equal(tlsock_info(w.p.conn[SERVER], TLSOCK_INFO_VERIFIED),
                            row->verified);
        peer_pingpong(&w.p);
        seen = tlsock_peer_cert(w.p.conn[SERVER]);
        assert_true((seen != NULL) == (row->subject != NULL));
        if (seen != NULL)
            assert_string_equal(tlsock_cert_field(seen, TLSOCK_CERT_CN),
                                row->subject);
        tlsock_cert_unref(seen);
    }
    end(&w);
}

static void a_client_is_asked_as_the_hook_says(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct client_row rows[] = {
        {"none", NULL, NULL, ca->client, UNSET, 0, "", NULL},
        {"none", "none", NULL, ca->client, 0, 0, "", NULL},
        {"none", "ask", NULL, ca->client, 0, 0, "chain", "Test Client"},
        {"none", "ask", NULL, NULL, 0, 0, "", NULL},
        {"none", "ask", NULL, ca->stranger_client, 0, 0,
         "insecure any client: chain-incomplete", "Test Client"},
        {"none", "ask", NULL, ca->a, 0, 0, "insecure any client: purpose",
         "a.test"},
        {"ask", NULL, NULL, ca->client, UNSET, 0, "chain", "Test Client"},
        {"ask", "none", NULL, ca->client, 0, 0, "", NULL},
        /* whom the config wants to see is seen, and verified */
        {"ask", "ask", NULL, ca->stranger_client, TLSOCK_E_OPTION,
         TLSOCK_E_CHAIN_INCOMPLETE, NULL, NULL},
        {"require", "none", NULL, NULL, TLSOCK_E_OPTION,
         TLSOCK_E_CLIENT_CERT_MISSING, NULL, NULL},
        {"require", "ask", NULL, ca->stranger_client, TLSOCK_E_OPTION,
         TLSOCK_E_CHAIN_INCOMPLETE, NULL, NULL},
        {"none", "require", NULL, ca->client, TLSOCK_E_ARGUMENT, 0, "", NULL},
        /* and so are those whom a policy wants to see */
        {"none", "ask", "insecure = forbid\n", ca->stranger_client,
         TLSOCK_E_POLICY, 0, "", NULL},
        {"none", "none", "[server]\nclient-auth = ask\n", ca->client,
         TLSOCK_E_POLICY, 0, "chain", "Test Client"},
        {"none", "ask", "[server]\nclient-auth = ask\n", ca->stranger_client,
         TLSOCK_E_OPTION, TLSOCK_E_CHAIN_INCOMPLETE, NULL, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        for (int v = 0; v < 2; v++) {
            policies_forget(state);
            if (rows[i].policy != NULL)
                policies_load(rows[i].policy);
            ask(&rows[i], v ? "1.3" : "1.2");
        }
    policies_forget(state);
}

/* Twice the same; was the second one resumed? */
static int resumed(const char *mode, const char *chosen, const char *version)
{
    tlsock_config *cc = ca_client("tls.max", version, NULL),
                  *sc = ca_server(ca_get()->a, "client-auth", mode, NULL);
    struct told t = {.client = chosen};
    int yes = -1;

    assert_code(tlsock_config_on(sc, TLSOCK_ON_HELLO, hello, &t), 0);
    assert_code(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
    assert_code(tlsock_config_add_cert(cc, ca_get()->stranger_client), 0);
    for (int i = 0; i < 2; i++) {
        const tlsock_opts *o =
            TLSOCK_OPTS(.nonblocking = 1, .session_key = "them");
        struct peer p;

        peer_init(&p);
        assert_code(peer_open_opts(&p, cc, o, sc,
                                   TLSOCK_OPTS(.nonblocking = 1), "a.test"),
                    0);
        assert_code(peer_shake(&p), 0);
        peer_pingpong(&p);
        yes = tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_RESUMED);
        peer_close(&p);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
    return yes;
}

static void who_was_not_verified_does_not_come_back(void **state)
{
    (void)state;
    for (int v = 0; v < 2; v++) {
        const char *version = v ? "1.3" : "1.2";

        assert_int_equal(resumed("none", NULL, version), 1);
        assert_int_equal(resumed("none", "none", version), 1);
        assert_int_equal(resumed("none", "ask", version), 0);
        assert_int_equal(resumed("ask", "none", version), 0);
    }
}

static int refuse(const tlsock_event *e, void *arg)
{
    int *calls = arg;

    ++*calls;
    assert_string_equal(e->text, "insecure any client: chain-incomplete");
    return TLSOCK_E_CLIENT_CERT_DENIED;
}

static void a_verify_hook_has_the_last_word_on_any_client(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct told t = {.client = "ask"};
    struct world w;
    int calls = 0;

    (void)state;
    assert_code(tlsock_config_add_cert(cc, ca_get()->stranger_client), 0);
    assert_code(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
    assert_code(tlsock_config_on(sc, TLSOCK_ON_VERIFY, refuse, &calls), 0);
    shake(&w, cc, sc, &t);
    assert_code(w.p.rc[SERVER], TLSOCK_E_CLIENT_CERT_DENIED);
    assert_int_equal(calls, 1);
    end(&w);
}

/* Later, by whoever answers; the last choice counts. */
static void choices_may_come_until_the_answer(void **state)
{
    static char long_one[257];
    struct told t = {.answer = TLSOCK_AGAIN, .alpn = "h2", .versions = "1.3"};
    struct world w;
    tlsock *s;

    (void)state;
    memset(long_one, 'x', 256);
    shake(&w, ca_client("alpn", "h2,http/1.1", NULL),
          ca_server(ca_get()->a, NULL), &t);
    s = w.p.conn[SERVER];
    assert_code(tlsock_use_alpn(s, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_use_alpn(NULL, "h2"), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_use_alpn(s, long_one), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_use_alpn(s, long_one + 1), 0);
    assert_code(tlsock_use_version(s, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_use_version(NULL, "1.2"), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_use_client_auth(s, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_use_client_auth(NULL, "ask"), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_use_alpn(s, "http/1.1"), 0);
    assert_code(tlsock_use_version(s, "1.2"), 0);
    assert_code(tlsock_op_done(t.op, 0, NULL, 0), 0);
    assert_code(peer_shake(&w.p), 0);
    assert_string_equal(tlsock_info(s, TLSOCK_INFO_ALPN), "http/1.1");
    assert_int_equal(tlsock_info_int(s, TLSOCK_INFO_VERSION), 0x0303);
    assert_code(tlsock_use_alpn(s, "h2"), TLSOCK_E_STATE);
    assert_code(tlsock_use_version(s, "1.3"), TLSOCK_E_STATE);
    assert_code(tlsock_use_client_auth(s, "none"), TLSOCK_E_STATE);
    end(&w);
}

static int choose_a(const tlsock_event *e, void *arg)
{
    const int *yes = arg;

    return *yes ? tlsock_use_cert(e->conn, ca_get()->a) : 0;
}

static void a_config_without_a_certificate_leaves_it_to_the_hook(void **state)
{
    (void)state;
    for (int yes = 0; yes < 2; yes++) {
        struct world w = {ca_client(NULL), tlsock_config_new(), .p = {{{0}}}};

        assert_code(
            tlsock_config_on(w.sc, TLSOCK_ON_HELLO, choose_a, &yes), 0);
        peer_init(&w.p);
        assert_code(peer_open(&w.p, w.cc, w.sc, "a.test"), 0);
        (void)peer_shake(&w.p);
        assert_code(w.p.rc[SERVER], yes ? 0 : TLSOCK_E_OWN_FILE);
        if (!yes) {
            assert_tells(w.p.err[SERVER].message, "chose no certificate");
            assert_int_equal(w.p.err[CLIENT].alert, 80);
        }
        end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICIES(a_protocol_is_chosen_or_none),
        POLICIES(a_refusal_sends_the_alert_that_fits),
        POLICIES(versions_become_fewer_and_never_more),
        POLICIES(a_client_is_asked_as_the_hook_says),
        POLICIES(who_was_not_verified_does_not_come_back),
        POLICIES(a_verify_hook_has_the_last_word_on_any_client),
        POLICIES(choices_may_come_until_the_answer),
        POLICIES(a_config_without_a_certificate_leaves_it_to_the_hook),
    };

    return cmocka_run_group_tests_name("hellouse", tests, policies_setup,
                                       policies_teardown);
}
