/* Certificates that come after the handshake, judged by somebody who has to be
 * asked first: a list on the net, a hook that answers later, a key elsewhere.
 */
#include "ca.h"
#include "cert/cert.h"
#include "netweb.h"

#include <openssl/evp.h>
#include <poll.h>
#include <unistd.h>

struct world {
    struct netweb net;
    tlsock_config *client, *server;
};

static void world_start(struct world *w, const struct net *says,
                        const char *mode)
{
    netweb_start(&w->net, says);
    w->client = ca_client(NULL);
    w->server = ca_server(ca_get()->a, "client-auth", "later", "revocation",
                          mode, "revocation.fail", "hard", NULL);
    assert_code(tlsock_config_add_trust(w->server, w->net.root), 0);
    assert_code(tlsock_config_add_cert(w->client, w->net.pki.leaf), 0);
}

static void world_stop(struct world *w)
{
    tlsock_config_unref(w->client);
    tlsock_config_unref(w->server);
    netweb_stop(&w->net);
}

/* Says "one two ", answers while it waits for a byte, then says "three". */
static void talker(int fd, void *config)
{
    tlsock *s = tlsock_client_fd(
        fd, "a.test", config,
        TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD, .timeout_ms = 30000), NULL);
    char byte;

    assert_non_null(s);
    assert_int_equal(tlsock_write(s, "one two ", 8), 8);
    if (tlsock_read(s, &byte, 1) == 1)
        (void)!tlsock_write(s, "three", 5);
    (void)!tlsock_read(s, &byte, 1);
    tlsock_abandon(s);
}

static int ask(tlsock *s, int nonblocking)
{
    int rc;

    while ((rc = tlsock_request_client_cert(s)) == TLSOCK_AGAIN) {
        struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

        assert_true(nonblocking && pfd.fd >= 0);
        assert_string_equal(tlsock_info(s, TLSOCK_INFO_VERIFIED), "");
        assert_null(tlsock_peer_cert(s));
        assert_int_equal(poll(&pfd, 1, tlsock_timeout(s)) < 0, 0);
    }
    return rc;
}

static const struct row {
    struct net says;
    const char *mode;
    int want;
    const char *tells;
} rows[] = {
    {{NET_GOOD, NET_NONE, NET_GOOD, NET_NONE}, "full", 0, "good by CRL"},
    {{NET_REVOKED, NET_NONE, NET_GOOD, NET_NONE},
     "full",
     TLSOCK_E_REVOKED,
     "revoked"},
    {{NET_DOWN, NET_NONE, NET_GOOD, NET_NONE},
     "crl",
     TLSOCK_E_REVOCATION_UNKNOWN,
     "503"},
};

static void come(const struct row *row, int nonblocking)
{
    struct sock_thread t;
    struct world w;
    char got[16] = "";
    int fds[2], rc;
    tlsock *s;

    world_start(&w, &row->says, row->mode);
    sock_pair(fds);
    sock_run(&t, fds[1], talker, w.client);
    s = tlsock_server_fd(fds[0], w.server, TLSOCK_OPTS(.timeout_ms = 30000),
                         NULL);
    assert_non_null(s);
    assert_code(tlsock_handshake(s), 0);
    assert_int_equal(httpd_asked(&w.net.web, NULL), 0);
    if (nonblocking)
        assert_code(tlsock_set_nonblocking(s, 1), 0);
    for (int i = 0; i < 2; i++) {
        rc = ask(s, nonblocking);
        if (rc != row->want)
            fail_msg("%s: %s", tlsock_errname(rc),
                     tlsock_last_error(s)->message);
        if (rc < 0)
            break;
        assert_tells(tlsock_info(s, TLSOCK_INFO_VERIFIED), "chain");
    }
    assert_tells(rc == 0 ? tlsock_info(s, TLSOCK_INFO_REVOCATION)
                         : tlsock_last_error(s)->message,
                 row->tells);
    if (rc == 0) {
        tlsock_cert *peer = tlsock_peer_cert(s);

        assert_non_null(peer);
        tlsock_cert_unref(peer);
        assert_int_equal(httpd_asked(&w.net.web, NULL), 2); /* not once more */
        assert_code(tlsock_set_nonblocking(s, 0), 0);
        assert_int_equal(tlsock_read_full(s, got, 8), 8);
        assert_int_equal(tlsock_write(s, "x", 1), 1);
        assert_int_equal(tlsock_read_full(s, got + 8, 5), 5);
        assert_string_equal(got, "one two three");
    } else {
        assert_int_equal(tlsock_last_error(s)->phase, TLSOCK_PHASE_VERIFY);
        while (tlsock_read(s, got, sizeof(got)) > 0) /* of before */
            continue;
        assert_code(tlsock_read(s, got, 1), row->want); /* it is over */
    }
    tlsock_close(s);
    sock_wait(&t);
    world_stop(&w);
}

static void a_late_certificate_is_asked_about(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        come(&rows[i], 0);
        come(&rows[i], 1);
    }
}

/* ---- hooks ---- */

struct told {
    int calls, answer;
    struct tlsock_op *op;
};

static int hook(const tlsock_event *e, void *arg)
{
    struct told *t = arg;

    t->calls++;
    t->op = e->op;
    return t->answer;
}

struct duo {
    tlsock_config *cc, *sc;
    struct told t;
    struct peer p;
};

static void open_duo(struct duo *d, const char *mode, const char *tls,
                     tlsock_cert *cert, int answer)
{
    d->cc = ca_client("tls.max", tls, NULL);
    d->sc = ca_server(ca_get()->a, "client-auth", mode, NULL);
    memset(&d->t, 0, sizeof(d->t));
    d->t.answer = answer;
    assert_code(tlsock_config_add_trust(d->sc, ca_get()->root_pem), 0);
    assert_code(tlsock_config_on(d->sc, TLSOCK_ON_VERIFY, hook, &d->t), 0);
    assert_code(tlsock_config_add_cert(d->cc, cert), 0);
    peer_init(&d->p);
    assert_code(peer_open(&d->p, d->cc, d->sc, "a.test"), 0);
}

static void again(struct duo *d)
{
    peer_free(&d->p);
    peer_init(&d->p);
    assert_code(peer_open(&d->p, d->cc, d->sc, "a.test"), 0);
    peer_shake(&d->p);
}

static void close_duo(struct duo *d)
{
    peer_free(&d->p);
    tlsock_config_unref(d->cc);
    tlsock_config_unref(d->sc);
}

static int request(struct peer *p)
{
    int rc = TLSOCK_AGAIN;
    char byte;

    for (int i = 0; i < 20 && rc == TLSOCK_AGAIN; i++) {
        rc = tlsock_request_client_cert(p->conn[SERVER]);
        p->rc[CLIENT] = (int)tlsock_read(p->conn[CLIENT], &byte, 1);
    }
    return rc;
}

static void a_hook_may_take_its_time(void **state)
{
    static const int answers[] = {0, TLSOCK_E_CLIENT_CERT_DENIED};

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct duo d;
        tlsock *s;

        open_duo(&d, "later", "1.3", ca_get()->client, TLSOCK_AGAIN);
        assert_code(peer_shake(&d.p), 0);
        peer_pingpong(&d.p);
        s = d.p.conn[SERVER];
        assert_code(request(&d.p), TLSOCK_AGAIN);
        assert_int_equal(d.t.calls, 1);
        assert_string_equal(tlsock_info(s, TLSOCK_INFO_VERIFIED), "");
        assert_null(tlsock_peer_cert(s));
        assert_true(tlsock_fd(s) >= 0); /* of the answer */
        assert_code(tlsock_op_done(d.t.op, answers[i], NULL, 0), 0);
        assert_code(request(&d.p), answers[i]);
        assert_string_equal(tlsock_info(s, TLSOCK_INFO_VERIFIED),
                            answers[i] == 0 ? "chain" : "");
        if (answers[i] == 0)
            peer_pingpong(&d.p);
        close_duo(&d);
    }
}

/* The question's time is over by then: the answer has one of its own. */
static void a_read_that_hears_it_has_a_deadline(void **state)
{
    struct duo d;
    char byte;
    tlsock *s;
    int ms;

    (void)state;
    open_duo(&d, "later", "1.3", ca_get()->client, TLSOCK_AGAIN);
    assert_code(peer_shake(&d.p), 0);
    s = d.p.conn[SERVER];
    assert_code(tlsock_request_client_cert(s), TLSOCK_AGAIN);
    assert_code(tlsock_read(d.p.conn[CLIENT], &byte, 1), TLSOCK_AGAIN);
    assert_code(tlsock_read(s, &byte, 1), TLSOCK_AGAIN);
    assert_int_equal(d.t.calls, 1);
    ms = tlsock_timeout(s);
    assert_true(ms > 0 && ms <= 60000);
    assert_code(tlsock_set_deadline(s, 0), 0);
    assert_code(tlsock_read(s, &byte, 1), TLSOCK_E_TIMEOUT);
    assert_tells(tlsock_last_error(s)->message, "VERIFY hook");
    assert_code(tlsock_set_deadline(s, -1), 0);
    assert_code(tlsock_op_done(d.t.op, 0, NULL, 0), 0);
    assert_int_equal(tlsock_timeout(s), 0);
    assert_code(request(&d.p), 0);
    close_duo(&d);
}

/* Looking at what is there hears it, too; then a call has to be made. */
static void a_poll_that_hears_it_says_so(void **state)
{
    tlsock_pollitem item = {.events = POLLIN};
    struct duo d;
    char byte;

    (void)state;
    open_duo(&d, "later", "1.3", ca_get()->client, 0);
    assert_code(peer_shake(&d.p), 0);
    peer_pingpong(&d.p);
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_AGAIN);
    assert_code(tlsock_read(d.p.conn[CLIENT], &byte, 1), TLSOCK_AGAIN);
    item.s = d.p.conn[SERVER];
    assert_int_equal(tlsock_poll(&item, 1, 0), 1);
    assert_int_equal(item.revents, POLLIN);
    assert_int_equal(tlsock_timeout(item.s), 0);
    assert_code(tlsock_request_client_cert(item.s), 0);
    close_duo(&d);
}

/* Whoever is refused must not come back by a ticket won meanwhile. */
static void a_late_no_leaves_no_ticket(void **state)
{
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct duo d;

        open_duo(&d, "require", versions[v], ca_get()->client, TLSOCK_AGAIN);
        peer_shake(&d.p);
        (void)request(&d.p); /* the client reads what there is */
        assert_code(
            tlsock_op_done(d.t.op, TLSOCK_E_CLIENT_CERT_DENIED, NULL, 0), 0);
        assert_code(tlsock_handshake(d.p.conn[SERVER]),
                    TLSOCK_E_CLIENT_CERT_DENIED);
        again(&d);
        assert_int_equal(d.t.calls, 2);
        close_duo(&d);
    }
}

static void nor_does_one_after_the_handshake(void **state)
{
    struct duo d;

    (void)state;
    open_duo(&d, "later", "1.3", ca_get()->client, TLSOCK_AGAIN);
    assert_code(peer_shake(&d.p), 0);
    peer_pingpong(&d.p); /* the client has the tickets of nobody */
    assert_code(request(&d.p), TLSOCK_AGAIN);
    assert_code(tlsock_op_done(d.t.op, TLSOCK_E_CLIENT_CERT_DENIED, NULL, 0),
                0);
    assert_code(request(&d.p), TLSOCK_E_CLIENT_CERT_DENIED);
    for (int i = 0; i < 4; i++) { /* one ticket after the other */
        again(&d);
        assert_null(tlsock_peer_cert(d.p.conn[SERVER]));
    }
    close_duo(&d);
}

static void a_late_yes_can_be_resumed(void **state)
{
    struct duo d;

    (void)state;
    open_duo(&d, "require", "1.3", ca_get()->client, 0);
    assert_code(peer_shake(&d.p), 0);
    peer_pingpong(&d.p);
    peer_close(&d.p);
    again(&d);
    assert_code(d.p.rc[SERVER], 0);
    assert_int_equal(d.t.calls, 1);
    assert_string_equal(tlsock_info(d.p.conn[SERVER], TLSOCK_INFO_VERIFIED),
                        "chain (resumed)");
    close_duo(&d);
}

/* What a hook let in stays what it was, on both sides. */
static void insecure_by_hook_stays_so_when_resumed(void **state)
{
    struct told t = {.answer = TLSOCK_ACCEPT};
    struct duo d;

    (void)state;
    open_duo(&d, "require", "1.3", ca_get()->stranger_client, TLSOCK_ACCEPT);
    assert_code(peer_shake(&d.p), 0);
    peer_pingpong(&d.p);
    peer_close(&d.p);
    again(&d);
    assert_int_equal(d.t.calls, 1);
    assert_string_equal(tlsock_info(d.p.conn[SERVER], TLSOCK_INFO_VERIFIED),
                        "insecure by hook: chain-incomplete (resumed)");
    close_duo(&d);

    for (int v = 0; v < 2; v++) {
        d.cc = ca_client("tls.max", v == 0 ? "1.2" : "1.3", NULL);
        d.sc = ca_server(ca_get()->stranger, NULL);
        t.calls = 0;
        assert_code(tlsock_config_on(d.cc, TLSOCK_ON_VERIFY, hook, &t), 0);
        peer_init(&d.p);
        peer_connect(&d.p, d.cc, d.sc, "a.test");
        peer_pingpong(&d.p);
        peer_close(&d.p);
        again(&d);
        assert_int_equal(t.calls, 1);
        assert_string_equal(tlsock_info(d.p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                            "insecure by hook: chain-incomplete (resumed)");
        close_duo(&d);
    }
}

/* ---- keys ---- */

struct keeper {
    int calls, late, silent;
};

static int sign(const tlsock_event *e, void *arg)
{
    EVP_PKEY *key = ca_get()->client->key;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    struct keeper *k = arg;
    unsigned char sig[512];
    size_t len = sizeof(sig);

    k->calls++;
    assert_string_equal(e->name, "ecdsa_secp256r1_sha256");
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, sig, &len, e->data, e->len), 1);
    EVP_PKEY_CTX_free(ctx);
    if (k->late || k->silent)
        return k->late ? TLSOCK_AGAIN : 0;
    assert_code(tlsock_op_done(e->op, 0, sig, len), 0);
    return 0;
}

static void a_key_elsewhere_signs_after_the_handshake_too(void **state)
{
    static const struct {
        int late, silent, want;
        const char *tells;
    } cases[] = {
        {0, 0, 0, ""},
        {1, 0, TLSOCK_E_HOOK, "where nothing can wait"},
        {0, 1, TLSOCK_E_HOOK, "no signature"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct keeper k = {0, cases[i].late, cases[i].silent};
        tlsock_cert *bare =
            tlsock_cert_load(ca_get()->client_pem, "", NULL, NULL);
        struct duo d;

        assert_non_null(bare);
        d.cc = ca_client(NULL);
        d.sc = ca_server(ca_get()->a, "client-auth", "later", NULL);
        assert_code(tlsock_config_add_trust(d.sc, ca_get()->root_pem), 0);
        assert_code(tlsock_config_on(d.cc, TLSOCK_ON_SIGN, sign, &k), 0);
        assert_code(tlsock_config_add_cert(d.cc, bare), 0);
        peer_init(&d.p);
        peer_connect(&d.p, d.cc, d.sc, "a.test");
        peer_pingpong(&d.p);
        assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_AGAIN);
        if (cases[i].want == 0) {
            assert_code(request(&d.p), 0);
        } else {
            char byte;

            assert_code(tlsock_read(d.p.conn[CLIENT], &byte, 1), cases[i].want);
            assert_tells(tlsock_last_error(d.p.conn[CLIENT])->message,
                         cases[i].tells);
            assert_true(tlsock_last_error(d.p.conn[CLIENT])->hint[0] != '\0');
        }
        assert_int_equal(k.calls, 1);
        tlsock_cert_unref(bare);
        close_duo(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_certificate_is_asked_about),
        cmocka_unit_test(a_hook_may_take_its_time),
        cmocka_unit_test(a_read_that_hears_it_has_a_deadline),
        cmocka_unit_test(a_poll_that_hears_it_says_so),
        cmocka_unit_test(a_late_no_leaves_no_ticket),
        cmocka_unit_test(nor_does_one_after_the_handshake),
        cmocka_unit_test(a_late_yes_can_be_resumed),
        cmocka_unit_test(insecure_by_hook_stays_so_when_resumed),
        cmocka_unit_test(a_key_elsewhere_signs_after_the_handshake_too),
    };

    return cmocka_run_group_tests_name("late", tests, ca_setup, ca_teardown);
}
