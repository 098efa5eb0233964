/* Is the peer still trusted? Asked while the handshake goes on, of a web server
 * that is part of the test. */
#include "ca.h"
#include "httpd.h"
#include "lines.h"
#include "net.h"
#include "proxy.h"
#include "sock.h"
#include "tls/conn.h"

#include "core/clock.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

struct world {
    struct net says;
    struct net_pki pki;
    struct httpd web;
    tlsock_config *server;
};

/* The web server's threads call this. */
static void answer(const struct httpd_request *q, struct httpd_page *p,
                   unsigned char *room)
{
    struct world *w = p->arg;
    int post = strcmp(q->method, "POST") == 0;
    size_t len;
    unsigned char *data = net_answer(&w->pki, &w->says, q->path,
                                     post ? q->body : NULL, q->len, &len);

    if (data == NULL) {
        p->status = 503;
        p->len = 0;
        return;
    }
    memcpy(room, data, len);
    free(data);
    p->body = room;
    p->len = len;
}

static void world_start(struct world *w, const struct net *says)
{
    struct httpd_page pages[] = {
        {.path = "/leaf*", .make = answer, .arg = w},
        {.path = "/inter*", .make = answer, .arg = w},
    };

    memset(w, 0, sizeof(*w));
    w->says = *says;
    httpd_start(&w->web, pages, COUNT(pages));
    net_make(&w->pki, w->web.url, says);
    w->server = tlsock_config_new();
    /* what a server asks for itself would be counted, too */
    assert_code(tlsock_config_set(w->server, "staple", "off"), 0);
    assert_code(tlsock_config_add_cert(w->server, w->pki.leaf), 0);
}

static void world_stop(struct world *w)
{
    tlsock_config_unref(w->server);
    httpd_stop(&w->web);
    net_free(&w->pki);
}

static void trust_root(tlsock_config *c, const struct world *w)
{
    char pem[8192];

    assert_true(tlsock_cert_pem(w->pki.root, TLSOCK_PART_CERT, pem,
                                sizeof(pem)) > 0);
    assert_code(tlsock_config_add_trust(c, pem), 0);
}

/* key, value pairs, NULL at the end */
static tlsock_config *client(const struct world *w, ...)
{
    tlsock_config *c = tlsock_config_new();
    const char *key;
    va_list ap;

    trust_root(c, w);
    va_start(ap, w);
    while ((key = va_arg(ap, const char *)) != NULL) {
        if (tlsock_config_set(c, key, va_arg(ap, const char *)) != 0)
            fail_msg("%s", tlsock_config_error(c)->message);
    }
    va_end(ap);
    return c;
}

static tlsock *visit(struct world *w, tlsock_config *c, const char *name,
                     struct sock_thread *t, tlsock_error *err)
{
    int fds[2];
    tlsock *s;

    sock_pair(fds);
    sock_run(t, fds[1], sock_echo, w->server);
    s = tlsock_client_fd(fds[0], name, c, TLSOCK_OPTS(.timeout_ms = 30000),
                         err);
    if (s == NULL) /* the caller's then */
        close(fds[0]);
    return s;
}

static const struct row {
    const char *name, *mode, *fail;
    struct net says;
    int want;
    const char *tells; /* of TLSOCK_INFO_REVOCATION, or of the message */
} rows[] = {
    {"crl: good", "crl", "hard", {NET_GOOD, NET_NONE, NET_GOOD, NET_NONE}, 0,
     "good by CRL"},
    {"crl: revoked", "crl", "soft",
     {NET_REVOKED, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOKED, "a.test"},
    {"crl: the intermediate is revoked", "crl", "hard",
     {NET_GOOD, NET_NONE, NET_REVOKED, NET_NONE}, TLSOCK_E_REVOKED,
     "Net Inter"},
    {"crl: none to be had", "crl", "hard",
     {NET_DOWN, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN,
     "503"},
    {"crl: none to be had, soft", "crl", "soft",
     {NET_DOWN, NET_NONE, NET_GOOD, NET_NONE}, 0, "not checked"},
    {"ocsp: good", "ocsp", "hard", {NET_NONE, NET_GOOD, NET_NONE, NET_NONE}, 0,
     "good by OCSP"},
    {"ocsp: revoked", "ocsp", "soft",
     {NET_NONE, NET_REVOKED, NET_NONE, NET_NONE}, TLSOCK_E_REVOKED, "a.test"},
    {"ocsp: forged", "ocsp", "hard",
     {NET_NONE, NET_FORGED, NET_NONE, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN,
     "leaf.ocsp"},
    {"ocsp: old", "ocsp", "hard", {NET_NONE, NET_OLD, NET_NONE, NET_NONE},
     TLSOCK_E_REVOCATION_UNKNOWN, "expired"},
    {"full: lists", "full", "hard", {NET_GOOD, NET_GOOD, NET_GOOD, NET_GOOD}, 0,
     "good by CRL"},
    {"full: responders", "full", "hard",
     {NET_NONE, NET_GOOD, NET_NONE, NET_GOOD}, 0, "good by OCSP"},
    {"full: a responder says revoked", "full", "soft",
     {NET_DOWN, NET_REVOKED, NET_GOOD, NET_NONE}, TLSOCK_E_REVOKED, "a.test"},
    {"full: nobody knows of the intermediate", "full", "hard",
     {NET_GOOD, NET_NONE, NET_NONE, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN,
     "Net Inter"},
};

static void one_visit(struct world *w, const struct row *row, const char *tls)
{
    tlsock_config *c =
        client(w, "revocation", row->mode, "revocation.fail", row->fail,
               "tls.max", tls, NULL);
    struct sock_thread t;
    tlsock_error err = {0};
    tlsock *s = visit(w, c, "a.test", &t, &err);
    int rc = s != NULL ? 0 : err.code;
    const char *says = s != NULL ? tlsock_info(s, TLSOCK_INFO_REVOCATION)
                                 : err.message;

    if (rc != row->want)
        fail_msg("%s, TLS %s: %s, not %s: %s", row->name, tls,
                 tlsock_errname(rc), tlsock_errname(row->want), says);
    if (strstr(says, row->tells) == NULL)
        fail_msg("%s, TLS %s: \"%s\" does not tell \"%s\"", row->name, tls,
                 says, row->tells);
    if (rc != 0) {
        assert_int_equal(err.phase, TLSOCK_PHASE_VERIFY);
        assert_true(err.hint[0] != '\0');
    }
    tlsock_close(s);
    sock_wait(&t);
    tlsock_config_unref(c);
}

static void each_world_gets_its_verdict_in_the_handshake(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;

        world_start(&w, &rows[i].says);
        one_visit(&w, &rows[i], "1.3");
        one_visit(&w, &rows[i], "1.2");
        world_stop(&w);
    }
}

static const struct net good = {NET_GOOD, NET_GOOD, NET_GOOD, NET_GOOD};

static void the_second_connection_asks_nobody(void **state)
{
    struct world w;
    tlsock_config *c;

    (void)state;
    world_start(&w, &good);
    c = client(&w, "revocation", "full", "session", "off", NULL);
    for (int i = 0; i < 3; i++) {
        struct sock_thread t;
        tlsock_error err = {0};
        tlsock *s = visit(&w, c, "a.test", &t, &err);

        assert_non_null(s);
        assert_int_equal(httpd_asked(&w.web, NULL), 2);
        assert_tells(tlsock_info(s, TLSOCK_INFO_REVOCATION), "good by CRL");
        tlsock_close(s);
        sock_wait(&t);
    }
    tlsock_config_unref(c);
    world_stop(&w);
}

static void poll_alone_drives_it(void **state)
{
    static const unsigned flags[] = {0, TLSOCK_F_STABLE_FD};

    (void)state;
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct sock_thread t;
        struct world w;
        tlsock_config *c;
        tlsock_error err = {0};
        int fds[2], rc;
        tlsock *s;

        world_start(&w, &good);
        c = client(&w, "revocation", "full", NULL);
        sock_pair(fds);
        sock_run(&t, fds[1], sock_echo, w.server);
        s = tlsock_client_fd(fds[0], "a.test", c,
                             TLSOCK_OPTS(.nonblocking = 1, .flags = flags[i],
                                         .timeout_ms = 30000),
                             &err);
        assert_non_null(s);
        while ((rc = tlsock_handshake(s)) == TLSOCK_AGAIN) {
            struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

            assert_true(pfd.fd >= 0);
            poll(&pfd, 1, tlsock_timeout(s));
        }
        if (rc != 0)
            fail_msg("%s", tlsock_last_error(s)->message);
        assert_int_equal(httpd_asked(&w.web, NULL), 2);
        tlsock_close(s);
        sock_wait(&t);
        tlsock_config_unref(c);
        world_stop(&w);
    }
}

static void a_silent_responder_costs_its_own_time_alone(void **state)
{
    static const struct {
        const char *fail;
        int timeout_ms, want;
        const char *tells;
    } cases[] = {
        {"hard", 30000, TLSOCK_E_REVOCATION_UNKNOWN, "leaf.ocsp"},
        {"soft", 30000, 0, "not checked"},
        {"soft", 100, TLSOCK_E_TIMEOUT, "leaf.ocsp"},
    };
    static const enum httpd_how hows[] = {HTTPD_SILENT, HTTPD_DRIP};
    static const struct net says = {NET_NONE, NET_GOOD, NET_NONE, NET_NONE};
    struct world w;

    (void)state;
    world_start(&w, &says);
    for (size_t h = 0; h < COUNT(hows); h++) {
        struct httpd_page page = {.path = "/leaf*", .how = hows[h]};

        httpd_set(&w.web, &page);
        for (size_t i = 0; i < COUNT(cases); i++) {
            tlsock_config *c = client(
                &w, "revocation", "ocsp", "revocation.fail", cases[i].fail,
                "revocation.timeout",
                cases[i].timeout_ms == 100 ? "60s" : "200ms", NULL);
            struct sock_thread t;
            tlsock_error err = {0};
            int fds[2];
            tlsock *s;

            sock_pair(fds);
            sock_run(&t, fds[1], sock_echo, w.server);
            s = tlsock_client_fd(
                fds[0], "a.test", c,
                TLSOCK_OPTS(.timeout_ms = cases[i].timeout_ms == 100
                                              ? 2000
                                              : cases[i].timeout_ms),
                &err);
            if (s == NULL)
                close(fds[0]);
            assert_code(s != NULL ? 0 : err.code, cases[i].want);
            assert_tells(s != NULL ? tlsock_info(s, TLSOCK_INFO_REVOCATION)
                                   : err.message,
                         cases[i].tells);
            tlsock_close(s);
            sock_wait(&t);
            tlsock_config_unref(c);
        }
    }
    world_stop(&w);
}

static void what_is_too_large_is_not_taken(void **state)
{
    static const struct net says = {NET_NONE, NET_GOOD, NET_NONE, NET_NONE};
    struct httpd_page page = {.path = "/leaf*", .how = HTTPD_ENDLESS};
    struct sock_thread t;
    tlsock_error err = {0};
    tlsock_config *c;
    struct world w;

    (void)state;
    world_start(&w, &says);
    httpd_set(&w.web, &page);
    c = client(&w, "revocation", "ocsp", NULL);
    assert_null(visit(&w, c, "a.test", &t, &err));
    assert_code(err.code, TLSOCK_E_REVOCATION_UNKNOWN);
    sock_wait(&t);
    tlsock_config_unref(c);
    world_stop(&w);
}

/* The client whose certificate is revoked: refused, and again with what it may
 * have got of the first connection. */
static void a_server_asks_about_its_clients(void **state)
{
    static const struct {
        struct net says;
        const char *tls;
        int good;
    } cases[] = {
        {{NET_GOOD, NET_NONE, NET_GOOD, NET_NONE}, "1.3", 1},
        {{NET_GOOD, NET_NONE, NET_GOOD, NET_NONE}, "1.2", 1},
        {{NET_NONE, NET_GOOD, NET_GOOD, NET_NONE}, "1.3", 1},
        {{NET_REVOKED, NET_NONE, NET_GOOD, NET_NONE}, "1.3", 0},
        {{NET_REVOKED, NET_NONE, NET_GOOD, NET_NONE}, "1.2", 0},
        {{NET_GOOD, NET_NONE, NET_REVOKED, NET_NONE}, "1.3", 0},
        {{NET_NONE, NET_REVOKED, NET_GOOD, NET_NONE}, "1.2", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_config *cc, *sc = ca_server(ca_get()->a, "client-auth",
                                           "require", "revocation", "full",
                                           NULL);
        struct world w;

        world_start(&w, &cases[i].says);
        trust_root(sc, &w);
        cc = ca_client("tls.max", cases[i].tls, NULL);
        assert_code(tlsock_config_add_cert(cc, w.pki.leaf), 0);
        for (int turn = 0; turn < 2; turn++) {
            struct sock_thread t;
            tlsock_error err = {0};
            char got[4];
            int fds[2];
            ssize_t n = -1;
            tlsock *s;

            sock_pair(fds);
            sock_run(&t, fds[1], sock_echo, sc);
            s = tlsock_client_fd(fds[0], "a.test", cc,
                                 TLSOCK_OPTS(.timeout_ms = 30000), &err);
            if (s != NULL) {
                assert_int_equal(tlsock_write(s, "ping", 4), 4);
                n = tlsock_read_full(s, got, 4);
            }
            else {
                close(fds[0]);
            }
            if ((n == 4) != cases[i].good)
                fail_msg("case %zu, turn %d: %s", i, turn,
                         s != NULL ? tlsock_last_error(s)->message
                                   : err.message);
            tlsock_close(s);
            sock_wait(&t);
        }
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
        world_stop(&w);
    }
}

/* Else a proxy could ask for itself through itself, for ever. */
static void what_fetches_does_not_fetch_for_that(void **state)
{
    struct sock_thread t;
    struct world w;
    tlsock_config *c;
    tlsock_error err = {0};
    int fds[2], rc;
    tlsock *s;

    (void)state;
    world_start(&w, &good);
    c = client(&w, "revocation", "full", NULL);
    sock_pair(fds);
    sock_run(&t, fds[1], sock_echo, w.server);
    s = tlsock_client_fd(fds[0], "a.test", c,
                         TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = 30000),
                         &err);
    assert_non_null(s);
    s->for_fetch = 1; /* as api/fetch.c and api/path.c mark theirs */
    while ((rc = tlsock_handshake(s)) == TLSOCK_AGAIN) {
        struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

        poll(&pfd, 1, tlsock_timeout(s));
    }
    assert_code(rc, TLSOCK_E_REVOCATION_UNKNOWN);
    assert_tells(tlsock_last_error(s)->message, "through that proxy");
    assert_int_equal(httpd_asked(&w.web, NULL), 0);
    tlsock_close(s);
    sock_wait(&t);
    tlsock_config_unref(c);
    world_stop(&w);
}

/* By the caller's own HTTP: here, a function. */
static void a_program_may_fetch_by_itself(void **state)
{
    struct tlsock_fetch f = {.size = sizeof(f)};
    tlsock_error err = {0};
    struct sock_thread t;
    tlsock_revocation *r;
    tlsock_config *c;
    struct world w;
    int fetches = 0;
    tlsock *s;

    (void)state;
    world_start(&w, &good);
    c = client(&w, NULL);
    s = visit(&w, c, "a.test", &t, &err);
    assert_non_null(s);
    r = tlsock_revocation_new(s, &err);
    assert_non_null(r);
    tlsock_close(s); /* not needed any more */
    sock_wait(&t);
    assert_code(tlsock_revocation_verdict(r, &err), TLSOCK_AGAIN);
    while (tlsock_revocation_next(r, &f) == 1) {
        size_t len;
        unsigned char *data =
            net_answer(&w.pki, &w.says, f.url + strlen(w.web.url), f.body,
                       f.body_len, &len);

        fetches++;
        assert_code(tlsock_revocation_answer(r, &f, data, len), 0);
        free(data);
    }
    assert_int_equal(fetches, 2);
    assert_int_equal(httpd_asked(&w.web, NULL), 0);
    assert_code(tlsock_revocation_verdict(r, &err), 0);
    assert_code(tlsock_revocation_run(r, 1000), 0);
    tlsock_revocation_free(r);
    tlsock_config_unref(c);
    world_stop(&w);
}

static void or_let_us_fetch(void **state)
{
    static const struct {
        struct net says;
        int want;
    } cases[] = {
        {{NET_GOOD, NET_NONE, NET_NONE, NET_GOOD}, 0},
        {{NET_REVOKED, NET_NONE, NET_NONE, NET_GOOD}, TLSOCK_E_REVOKED},
        {{NET_DOWN, NET_NONE, NET_NONE, NET_GOOD},
         TLSOCK_E_REVOCATION_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_error err = {0};
        struct sock_thread t;
        tlsock_revocation *r;
        tlsock_config *c;
        struct world w;
        tlsock *s;

        world_start(&w, &cases[i].says);
        c = client(&w, NULL);
        s = visit(&w, c, "a.test", &t, &err);
        assert_non_null(s);
        r = tlsock_revocation_new(s, &err);
        assert_code(tlsock_revocation_run(r, 30000), cases[i].want);
        assert_code(tlsock_revocation_verdict(r, &err), cases[i].want);
        assert_code(err.code, cases[i].want);
        tlsock_revocation_free(r);
        tlsock_close(s);
        sock_wait(&t);
        tlsock_config_unref(c);
        world_stop(&w);
    }
}

static void nothing_is_asked_of_what_was_not_verified(void **state)
{
    tlsock_error err = {0};
    struct sock_thread t;
    tlsock_config *c;
    struct world w;
    char pin[128];
    tlsock *s;

    (void)state;
    world_start(&w, &good);
    c = tlsock_config_new();
    assert_true(tlsock_cert_fingerprint(w.pki.leaf, "sha256", 0, pin,
                                        sizeof(pin)) > 0);
    assert_code(tlsock_config_add_pin(c, pin), 0);
    assert_code(tlsock_config_set(c, "revocation", "full"), 0);
    s = visit(&w, c, "a.test", &t, &err);
    assert_non_null(s);
    assert_int_equal(httpd_asked(&w.web, NULL), 0);
    assert_null(tlsock_revocation_new(s, &err));
    assert_code(err.code, TLSOCK_E_STATE);
    assert_null(tlsock_revocation_new(NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_code(tlsock_revocation_next(NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_revocation_answer(NULL, NULL, NULL, 0),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_revocation_run(NULL, 0), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_revocation_verdict(NULL, &err), TLSOCK_E_ARGUMENT);
    tlsock_revocation_free(NULL);
    tlsock_close(s);
    sock_wait(&t);
    tlsock_config_unref(c);
    world_stop(&w);
}

static int64_t shift_ms;

static int64_t later(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + shift_ms;
}

static void pass_by(struct world *w, tlsock_config *c, int want, int asked)
{
    struct sock_thread t;
    tlsock_error err = {0};
    tlsock *s = visit(w, c, "a.test", &t, &err);

    assert_code(s != NULL ? 0 : err.code, want);
    if (s != NULL)
        assert_tells(tlsock_info(s, TLSOCK_INFO_REVOCATION), "not checked");
    assert_int_equal(httpd_asked(&w->web, NULL), asked);
    tlsock_close(s);
    sock_wait(&t);
}

/* Where no answer is needed nobody waits for one again and again; where one is
 * needed it is asked for. */
static void soft_mode_lets_a_dead_responder_be(void **state)
{
    static const struct net says = {NET_NONE, NET_DOWN, NET_NONE, NET_NONE};
    tlsock_config *soft, *hard;
    struct lines told;
    struct world w;

    (void)state;
    world_start(&w, &says);
    soft = client(&w, "revocation", "ocsp", "revocation.fail", "soft",
                  "session", "off", NULL);
    hard = client(&w, "revocation", "ocsp", "revocation.fail", "hard",
                  "session", "off", NULL);
    lines_of(soft, &told);
    pass_by(&w, soft, 0, 2); /* by GET and by POST */
    assert_int_equal(told.calls, 1);
    assert_tells(told.text, "is accepted, and its revocation not checked");
    pass_by(&w, soft, 0, 2);
    assert_int_equal(told.calls, 2);
    pass_by(&w, hard, TLSOCK_E_REVOCATION_UNKNOWN, 4);
    pass_by(&w, soft, 0, 4);
    shift_ms = 29000;
    tsk_clock_monotonic = later;
    pass_by(&w, soft, 0, 4);
    shift_ms = 31000;
    pass_by(&w, soft, 0, 6);
    tsk_clock_monotonic = NULL;
    tlsock_config_unref(soft);
    tlsock_config_unref(hard);
    world_stop(&w);
}

/* Told once, until it goes well again; and what is known is known. */
static void a_cache_that_cannot_be_written_is_told_once(void **state)
{
    char dir[] = "/tmp/tlsock-cache-XXXXXX";
    tlsock_config *c;
    struct lines told;
    struct world w;

    (void)state;
    world_start(&w, &good);
    assert_non_null(mkdtemp(dir));
    c = client(&w, "revocation", "full", "session", "off", "revocation.cache",
               dir, NULL);
    lines_of(c, &told);
    assert_code(tlsock_config_check(c), 0);
    for (int i = 0; i < 2; i++) {
        struct sock_thread t;
        tlsock_error err = {0};
        int fds[2];
        tlsock *s;

        sock_pair(fds);
        sock_run(&t, fds[1], sock_echo, w.server);
        s = tlsock_client_fd(fds[0], "a.test", c,
                             TLSOCK_OPTS(.nonblocking = 1,
                                         .timeout_ms = 30000),
                             &err);
        assert_non_null(s);
        if (i == 0) /* gone, now that it is open */
            assert_int_equal(rmdir(dir), 0);
        assert_code(tlsock_set_nonblocking(s, 0), 0);
        assert_code(tlsock_handshake(s), 0);
        assert_tells(tlsock_info(s, TLSOCK_INFO_REVOCATION), "good by CRL");
        tlsock_close(s);
        sock_wait(&t);
    }
    assert_int_equal(told.calls, 1);
    assert_tells(told.text, "nothing can be kept in revocation.cache");
    assert_tells(told.text, dir);
    tlsock_config_unref(c);
    world_stop(&w);
}

/* Four of its URLs are in the chain. */
static void a_dead_host_is_asked_once_for_all(void **state)
{
    struct httpd_page leaf = {.path = "/leaf*", .how = HTTPD_SILENT},
                      inter = {.path = "/inter*", .how = HTTPD_SILENT};
    struct sock_thread t;
    tlsock_error err = {0};
    tlsock_config *c;
    struct world w;

    (void)state;
    world_start(&w, &good);
    httpd_set(&w.web, &leaf);
    httpd_set(&w.web, &inter);
    c = client(&w, "revocation", "full", "revocation.fail", "hard",
               "revocation.timeout", "200ms", NULL);
    assert_null(visit(&w, c, "a.test", &t, &err));
    assert_code(err.code, TLSOCK_E_REVOCATION_UNKNOWN);
    assert_tells(err.message, "leaf.crl");
    assert_int_equal(httpd_asked(&w.web, NULL), 1);
    sock_wait(&t);
    tlsock_config_unref(c);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_world_gets_its_verdict_in_the_handshake),
        cmocka_unit_test(the_second_connection_asks_nobody),
        cmocka_unit_test(poll_alone_drives_it),
        cmocka_unit_test(a_silent_responder_costs_its_own_time_alone),
        cmocka_unit_test(what_is_too_large_is_not_taken),
        cmocka_unit_test(a_server_asks_about_its_clients),
        cmocka_unit_test(what_fetches_does_not_fetch_for_that),
        cmocka_unit_test(a_program_may_fetch_by_itself),
        cmocka_unit_test(or_let_us_fetch),
        cmocka_unit_test(nothing_is_asked_of_what_was_not_verified),
        cmocka_unit_test(soft_mode_lets_a_dead_responder_be),
        cmocka_unit_test(a_cache_that_cannot_be_written_is_told_once),
        cmocka_unit_test(a_dead_host_is_asked_once_for_all),
    };

    return cmocka_run_group_tests_name("revocation", tests, ca_setup,
                                       ca_teardown);
}
