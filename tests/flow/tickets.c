/* Servers' tickets: who shares a secret resumes the others' sessions, for as
 * long as the clock says; keys of the program's own; nothing that goes wrong
 * with a secret is more than a full handshake. The clock is moved by hand. */
#include "ca.h"
#include "lines.h"
#include "peer.h"
#include "sock.h"

#include "core/clock.h"
#include "session/ticket.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ONE "5b7d19a1c5e84e9f8d0a4cc0bd55f24cfe8c1d43e2ac4d4e9fb6a1d0c3e24f10"
#define TWO "c0ffee5b7d19a1c5e84e9f8d0a4cc0bd55f24cfe8c1d43e2ac4d4e9fb6a1d0aa"

static const char *const versions[] = {"1.2", "1.3"};

static int64_t moved_ms, moved_s; /* by how much the clocks are ahead */

static int64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + moved_ms;
}

/* The start of a period of an hour, however long this test has been running:
 * what is meant to be within one is. */
static int64_t wall(void)
{
    return INT64_C(1800000000) + moved_s;
}

static void secret_is(const char *env, const char *text)
{
    assert_int_equal(setenv(env, text, 1), 0);
}

static tlsock_config *server(const char *source, const char *rotate)
{
    return source != NULL
               ? ca_server(ca_get()->a, "tickets.secret", source,
                           "tickets.rotate", rotate, NULL)
               : ca_server(ca_get()->a, "tickets.rotate", rotate, NULL);
}

/* One connection with data both ways and a clean end: was it resumed? */
static int once(tlsock_config *cc, tlsock_config *sc)
{
    struct peer p;
    int resumed;

    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    resumed = (int)tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED);
    assert_int_equal(tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_RESUMED),
                     resumed);
    peer_close(&p);
    peer_free(&p);
    return resumed;
}

/* A session won with one server: does the other one resume it? */
static int passes(const char *version, tlsock_config *from, tlsock_config *to)
{
    tlsock_config *cc = ca_client("tls.max", version, NULL);
    int resumed;

    assert_int_equal(once(cc, from), 0);
    resumed = once(cc, to);
    tlsock_config_unref(cc);
    return resumed;
}

static void who_has_the_secret_resumes(void **state)
{
    static const struct {
        const char *name, *a, *b; /* sources; NULL: none is named */
        const char *rotate_a, *rotate_b;
        int want;
    } rows[] = {
        {"the same secret", "env:ONE", "env:ONE", "12h", "12h", 1},
        {"the same, written elsewhere", "env:ONE", "env:SAME", "12h", "12h", 1},
        {"another one", "env:ONE", "env:TWO", "12h", "12h", 0},
        {"random ones", NULL, NULL, "12h", "12h", 0},
        {"one and a random one", "env:ONE", NULL, "12h", "12h", 0},
        {"other periods", "env:ONE", "env:ONE", "12h", "6h", 0},
        {"among several", "env:ONE", "env:TWO_ONE", "12h", "12h", 1},
        {"the second one does not issue", "env:TWO_ONE", "env:ONE", "12h",
         "12h", 0},
        {"the first one does", "env:TWO_ONE", "env:TWO", "12h", "12h", 1},
    };

    (void)state;
    secret_is("ONE", ONE);
    secret_is("SAME", "# of all machines\r\n\r\n  " ONE " \r\n");
    secret_is("TWO", TWO);
    secret_is("TWO_ONE", TWO "\n" ONE "\n");
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        tlsock_config *a = server(rows[i / 2].a, rows[i / 2].rotate_a);
        tlsock_config *b = server(rows[i / 2].b, rows[i / 2].rotate_b);

        if (passes(versions[i % 2], a, b) != rows[i / 2].want)
            fail_msg("%s, TLS %s: not %d", rows[i / 2].name, versions[i % 2],
                     rows[i / 2].want);
        tlsock_config_unref(a);
        tlsock_config_unref(b);
    }
}

/* What a client of plain OpenSSL, which keeps no clock of ours, has and sees.
 */
struct visitor {
    const char *version;
    SSL_SESSION *ses; /* its newest, or NULL */
    int resumed;      /* the last time */
    int renewed;      /* and was given another ticket */
    long hint;        /* how long that lives, it was told */
};

static SSL *offering(struct visitor *v)
{
    struct raw_opts o = {.name = "a.test"};
    SSL *ssl;

    o.max = strcmp(v->version, "1.2") == 0 ? TLS1_2_VERSION : 0;
    ssl = raw_new(CLIENT, &o);
    if (v->ses != NULL)
        assert_int_equal(SSL_set_session(ssl, v->ses), 1);
    return ssl;
}

static void look_at(struct visitor *v, SSL *ssl)
{
    SSL_SESSION *ses = SSL_get1_session(ssl);
    const unsigned char *was = NULL, *is = NULL;
    size_t n_was = 0, n_is = 0;

    if (v->ses != NULL)
        SSL_SESSION_get0_ticket(v->ses, &was, &n_was);
    SSL_SESSION_get0_ticket(ses, &is, &n_is);
    v->resumed = SSL_session_reused(ssl);
    v->renewed = n_is != 0 && (n_is != n_was || memcmp(is, was, n_is) != 0);
    v->hint = (long)SSL_SESSION_get_ticket_lifetime_hint(ses);
    SSL_SESSION_free(v->ses);
    v->ses = ses;
    SSL_shutdown(ssl);
    raw_free(ssl);
}

/* The server's code; with 0 it has said "hi", so that tickets were read. */
static int visit(struct visitor *v, tlsock_config *sc)
{
    SSL *ssl = offering(v);
    struct peer p;
    char got[8];
    int rc;

    peer_init(&p);
    raw_on_end(ssl, &p.ends[CLIENT]);
    p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                      TLSOCK_OPTS(.nonblocking = 1), &p.err[1]);
    assert_non_null(p.conn[SERVER]);
    rc = raw_shake(&p, SERVER, ssl, NULL);
    if (rc == 0) {
        assert_int_equal(tlsock_write(p.conn[SERVER], "hi", 2), 2);
        assert_int_equal(SSL_read(ssl, got, 8), 2);
        look_at(v, ssl);
    } else {
        raw_free(ssl);
    }
    peer_free(&p);
    return rc;
}

static void leave(struct visitor *v)
{
    SSL_SESSION_free(v->ses);
    v->ses = NULL;
}

/* Two machines that count in hours, a ticket of the first one's, and the clock
 * of the second. */
static void a_key_opens_for_one_more_period(void **state)
{
    static const struct {
        int64_t later_s;
        int resumed, renewed; /* TLS 1.3 gives a new ticket each time */
    } rows[] = {
        {0, 1, 0},     {3599, 1, 0},  {3600, 1, 1},  {7199, 1, 1},
        {7200, 0, 1},  {86400, 0, 1}, {-1, 1, 0}, /* that clock is behind */
        {-3600, 1, 0}, {-3601, 0, 1}, {-86400, 0, 1}};
    tlsock_config *a, *b;

    (void)state;
    secret_is("ONE", ONE);
    a = server("env:ONE", "1h");
    b = server("env:ONE", "1h");
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct visitor v = {.version = versions[i % 2]};

        assert_code(visit(&v, a), TLSOCK_OK);
        moved_s = rows[i / 2].later_s;
        assert_code(visit(&v, b), TLSOCK_OK);
        moved_s = 0;
        if (v.resumed != rows[i / 2].resumed ||
            v.renewed != (rows[i / 2].renewed || i % 2 == 1))
            fail_msg("%lld s later, TLS %s: resumed %d, renewed %d",
                     (long long)rows[i / 2].later_s, v.version, v.resumed,
                     v.renewed);
        leave(&v);
    }
    tlsock_config_unref(a);
    tlsock_config_unref(b);
}

static void no_ticket_promises_more_than_its_key(void **state)
{
    static const struct {
        const char *rotate, *timeout;
        long hint;
    } rows[] = {{"12h", "7200s", 7200}, {"30m", "7200s", 1800},
                {"30m", "600s", 600},   {"7d", "7d", 604800},
                {NULL, "7d", 604800},   {NULL, "600s", 600}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct visitor v = {.version = versions[i % 2]};
        tlsock_config *sc =
            ca_server(ca_get()->a, "session.timeout", rows[i / 2].timeout,
                      rows[i / 2].rotate != NULL ? "tickets.rotate" : NULL,
                      rows[i / 2].rotate, NULL);

        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.hint, rows[i / 2].hint);
        leave(&v);
        tlsock_config_unref(sc);
    }
}

/* One config has one secret, whatever becomes of its snapshots. */
static void a_random_secret_outlives_a_reload(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct visitor v = {.version = versions[i]};
        tlsock_config *sc = server(NULL, "12h"), *copy;

        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.resumed, 0);
        assert_code(tlsock_config_reload(sc), TLSOCK_OK);
        assert_code(visit(&v, sc), TLSOCK_OK);
        assert_int_equal(v.resumed, 1);
        copy = tlsock_config_copy(sc);
        assert_code(visit(&v, copy), TLSOCK_OK);
        assert_int_equal(v.resumed, 0);
        leave(&v);
        tlsock_config_unref(copy);
        tlsock_config_unref(sc);
    }
}

/* A child of a fork: one connection, then its end. */
static void be_served_by_a_child(struct visitor *v, tlsock_config *sc)
{
    SSL *ssl = offering(v);
    char got[2];
    int fds[2], status = -1;
    pid_t pid;

    sock_pair(fds);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        tlsock *s = tlsock_server_fd(fds[1], sc, NULL, NULL);

        close(fds[0]);
        if (s == NULL || tlsock_write(s, "hi", 2) != 2)
            _exit(1);
        _exit(tlsock_read(s, got, 1) == 0 ? 0 : 2);
    }
    close(fds[1]);
    assert_int_equal(SSL_set_fd(ssl, fds[0]), 1);
    assert_int_equal(SSL_do_handshake(ssl), 1);
    assert_int_equal(SSL_read(ssl, got, 2), 2);
    look_at(v, ssl);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void children_of_one_parent_resume_each_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct visitor v = {.version = versions[i]};
        tlsock_config *sc = server(NULL, "12h");
        /* as a server that forks has it: the listener comes first */
        tlsock_listener *l = tlsock_listen("127.0.0.1:0", sc, NULL, NULL);

        assert_non_null(l);
        be_served_by_a_child(&v, sc);
        assert_int_equal(v.resumed, 0);
        for (int n = 0; n < 2; n++) {
            be_served_by_a_child(&v, sc);
            assert_int_equal(v.resumed, 1);
        }
        leave(&v);
        tlsock_listener_free(l);
        tlsock_config_unref(sc);
    }
}

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

        assert_code(tlsock_config_on(sc, TLSOCK_ON_TICKET_KEY, two_keys,
                                     &stage), 0);
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

/* Without tickets it is the server that remembers: across a reload, not more
 * than it may, and not in another config. */
static void a_server_without_tickets_remembers(void **state)
{
    static const struct {
        const char *size;
        int first, second; /* of two visitors: who is still known */
    } rows[] = {{"1024", 1, 1}, {"1", 0, 1}, {"0", 0, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct visitor a = {.version = versions[i % 2]};
        struct visitor b = {.version = versions[i % 2]};
        tlsock_config *sc = ca_server(ca_get()->a, "tickets", "off",
                                      "session.size", rows[i / 2].size, NULL);
        tlsock_config *copy;

        assert_code(visit(&a, sc), TLSOCK_OK);
        assert_code(visit(&b, sc), TLSOCK_OK);
        assert_int_equal(a.resumed + b.resumed, 0);
        assert_code(tlsock_config_reload(sc), TLSOCK_OK);
        copy = tlsock_config_copy(sc);
        assert_code(visit(&b, sc), TLSOCK_OK);
        if (b.resumed != rows[i / 2].second)
            fail_msg("size %s, TLS %s: %d", rows[i / 2].size, b.version,
                     b.resumed);
        assert_code(visit(&a, sc), TLSOCK_OK);
        assert_int_equal(a.resumed, rows[i / 2].first);
        assert_code(visit(&a, copy), TLSOCK_OK);
        assert_int_equal(a.resumed, 0);
        leave(&a);
        leave(&b);
        tlsock_config_unref(copy);
        tlsock_config_unref(sc);
    }
}

static char path[128];

static void write_secret(const char *text, mode_t mode)
{
    char aside[160];
    FILE *f;

    snprintf(aside, sizeof(aside), "%s.new", path);
    f = fopen(aside, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(aside, mode), 0);
    assert_int_equal(rename(aside, path), 0);
}

/* One more connection, so that the file is looked at; and one that may tell. */
static void expect(struct visitor *v, tlsock_config *sc, int resumed)
{
    moved_ms += TSK_TICKETS_LOOK_MS;
    assert_code(visit(v, sc), TLSOCK_OK);
    assert_int_equal(v->resumed, resumed);
}

static void a_file_is_rotated_live(void **state)
{
    char source[160];

    (void)state;
    snprintf(path, sizeof(path), "%s/secret", ca_get()->dir);
    snprintf(source, sizeof(source), "file:%s", path);
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct visitor v = {.version = versions[i]};
        tlsock_config *sc;
        struct lines l;

        write_secret(ONE "\n", 0600);
        sc = server(source, "12h");
        lines_of(sc, &l);
        assert_code(visit(&v, sc), TLSOCK_OK);
        write_secret(ONE "\n" TWO "\n", 0640);
        expect(&v, sc, 1);
        assert_int_equal(v.renewed, i);
        write_secret(TWO "\n" ONE "\n", 0600);
        expect(&v, sc, 1);
        assert_int_equal(v.renewed, 1);
        assert_tells(l.text, "was read anew");
        write_secret("short\n", 0600);
        expect(&v, sc, 1); /* TWO's */
        assert_tells(l.text, "line 1 of");
        assert_tells(l.text, "what was read before stays in use");
        write_secret(ONE "\n", 0644);
        expect(&v, sc, 1);
        assert_tells(l.text, "mode 0644");
        assert_int_equal(unlink(path), 0);
        expect(&v, sc, 1);
        assert_tells(l.text, "is gone");
        l.text[0] = '\0';
        expect(&v, sc, 1); /* still gone, and that was said */
        assert_string_equal(l.text, "");
        write_secret(ONE "\n", 0600);
        expect(&v, sc, 0);
        assert_null(strstr(l.text, ONE));
        leave(&v);
        tlsock_config_unref(sc);
    }
    assert_int_equal(unlink(path), 0);
}

static void what_is_no_secret_is_refused(void **state)
{
    static const struct {
        const char *value, *fact;
        int code;
    } rows[] = {
        {"env:NO_SUCH", "NO_SUCH is not set", TLSOCK_E_OWN_FILE},
        {"env:SHORT", "line 1 of environment variable SHORT is too short",
         TLSOCK_E_OWN_FILE},
        {"env:SAME", "the same few characters", TLSOCK_E_OWN_FILE},
        {"env:NONE", "holds no secret", TLSOCK_E_OWN_FILE},
        {"file:/no/such/file", "cannot read /no/such/file", TLSOCK_E_OWN_FILE},
        {"file:/dev/null", "no regular file", TLSOCK_E_OWN_FILE},
        {"a-Secret-That-Was-Typed-By-Mistake", "not valid", TLSOCK_E_OPTION},
        {"redis://a-Secret@h/", "no ?key=NAME", TLSOCK_E_OPTION},
        {"redis://h/?key=a-Secret&x=1", "what follows the ?", TLSOCK_E_OPTION},
        {"redis://:a-Secret@h:1:2/?key=k", "host or port", TLSOCK_E_OPTION},
        {"redis://h/?key=k&ca=a-Secret", "what follows", TLSOCK_E_OPTION},
    };
    tlsock_config *c = tlsock_config_new();

    (void)state;
    secret_is("SHORT", "a-Secret-of-too-few-characters!");
    secret_is("SAME", "abcabcabcabcabcabcabcabcabcabcabc");
    secret_is("NONE", "# nothing\n\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const tlsock_error *e = tlsock_config_error(c);

        assert_code(tlsock_config_set(c, "tickets.secret", rows[i].value),
                    rows[i].code);
        assert_tells(e->message, rows[i].fact);
        assert_null(strstr(e->message, "a-Secret"));
        assert_true(e->hint[0] != '\0');
        assert_null(strstr(e->hint, "a-Secret"));
    }
    tlsock_config_unref(c);
}

/* A variable that goes before the config is used: the listener tells. */
static void a_secret_is_read_before_the_first_client(void **state)
{
    tlsock_config *sc;
    tlsock_error err;

    (void)state;
    secret_is("ONE", ONE);
    sc = server("env:ONE", "12h");
    assert_int_equal(unsetenv("ONE"), 0);
    assert_null(tlsock_listen("127.0.0.1:0", sc, NULL, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "ONE is not set");
    tlsock_config_unref(sc);
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

static int setup(void **state)
{
    signal(SIGPIPE, SIG_IGN); /* plain OpenSSL says good-bye to who is gone */
    tsk_clock_monotonic = monotonic;
    tsk_clock_wall = wall;
    return ca_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_the_secret_resumes),
        cmocka_unit_test(a_key_opens_for_one_more_period),
        cmocka_unit_test(no_ticket_promises_more_than_its_key),
        cmocka_unit_test(a_random_secret_outlives_a_reload),
        cmocka_unit_test(children_of_one_parent_resume_each_others),
        cmocka_unit_test(a_hook_has_the_keys),
        cmocka_unit_test(a_hook_without_a_key_means_a_full_handshake),
        cmocka_unit_test(a_client_goes_on_with_a_renewed_ticket),
        cmocka_unit_test(a_hook_may_refuse),
        cmocka_unit_test(a_hook_may_have_its_keys_later),
        cmocka_unit_test(a_connection_may_go_while_a_key_is_awaited),
        cmocka_unit_test(nothing_waits_for_a_ticket_after_the_handshake),
        cmocka_unit_test(a_server_without_tickets_remembers),
        cmocka_unit_test(a_file_is_rotated_live),
        cmocka_unit_test(what_is_no_secret_is_refused),
        cmocka_unit_test(a_secret_is_read_before_the_first_client),
        cmocka_unit_test(early_data_of_a_fleet_needs_a_memory_of_all),
    };

    return cmocka_run_group_tests_name("tickets", tests, setup, ca_teardown);
}
