/* Is the peer still trusted? Asked while the handshake goes on, of a web server
 * that is part of the test. */
#include "asking.h"

#include <tlsock/revoke.h>

static const struct row {
    const char *name, *mode, *fail;
    struct net says;
    int want;
    const char *tells; /* of TLSOCK_INFO_REVOCATION, or of the message */
} rows[] = {
    {"crl: good",
     "crl",
     "hard",
     {NET_GOOD, NET_NONE, NET_GOOD, NET_NONE},
     0,
     "good by CRL"},
    {"crl: revoked",
     "crl",
     "soft",
     {NET_REVOKED, NET_NONE, NET_GOOD, NET_NONE},
     TLSOCK_E_REVOKED,
     "a.test"},
    {"crl: the intermediate is revoked",
     "crl",
     "hard",
     {NET_GOOD, NET_NONE, NET_REVOKED, NET_NONE},
     TLSOCK_E_REVOKED,
     "Net Inter"},
    {"crl: none to be had",
     "crl",
     "hard",
     {NET_DOWN, NET_NONE, NET_GOOD, NET_NONE},
     TLSOCK_E_REVOCATION_UNKNOWN,
     "503"},
    {"crl: none to be had, soft",
     "crl",
     "soft",
     {NET_DOWN, NET_NONE, NET_GOOD, NET_NONE},
     0,
     "not checked"},
    {"ocsp: good",
     "ocsp",
     "hard",
     {NET_NONE, NET_GOOD, NET_NONE, NET_NONE},
     0,
     "good by OCSP"},
    {"ocsp: revoked",
     "ocsp",
     "soft",
     {NET_NONE, NET_REVOKED, NET_NONE, NET_NONE},
     TLSOCK_E_REVOKED,
     "a.test"},
    {"ocsp: forged",
     "ocsp",
     "hard",
     {NET_NONE, NET_FORGED, NET_NONE, NET_NONE},
     TLSOCK_E_REVOCATION_UNKNOWN,
     "leaf.ocsp"},
    {"ocsp: old",
     "ocsp",
     "hard",
     {NET_NONE, NET_OLD, NET_NONE, NET_NONE},
     TLSOCK_E_REVOCATION_UNKNOWN,
     "expired"},
    {"full: lists",
     "full",
     "hard",
     {NET_GOOD, NET_GOOD, NET_GOOD, NET_GOOD},
     0,
     "good by CRL"},
    {"full: responders",
     "full",
     "hard",
     {NET_NONE, NET_GOOD, NET_NONE, NET_GOOD},
     0,
     "good by OCSP"},
    {"full: a responder says revoked",
     "full",
     "soft",
     {NET_DOWN, NET_REVOKED, NET_GOOD, NET_NONE},
     TLSOCK_E_REVOKED,
     "a.test"},
    {"full: nobody knows of the intermediate",
     "full",
     "hard",
     {NET_GOOD, NET_NONE, NET_NONE, NET_NONE},
     TLSOCK_E_REVOCATION_UNKNOWN,
     "Net Inter"},
};

static void one_visit(struct asking *w, const struct row *row, const char *tls)
{
    tlsock_config *c =
        asking_client(w, "revocation", row->mode, "revocation.fail", row->fail,
                      "tls.max", tls, NULL);
    struct sock_thread t;
    tlsock_error err = {0};
    tlsock *s = asking_visit(w, c, "a.test", &t, &err);
    int rc = s != NULL ? 0 : err.code;
    const char *says =
        s != NULL ? tlsock_info(s, TLSOCK_INFO_REVOCATION) : err.message;

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
        struct asking w;

        asking_start(&w, &rows[i].says);
        one_visit(&w, &rows[i], "1.3");
        one_visit(&w, &rows[i], "1.2");
        asking_stop(&w);
    }
}

static void the_second_connection_asks_nobody(void **state)
{
    struct asking w;
    tlsock_config *c;

    (void)state;
    asking_start(&w, &asking_good);
    c = asking_client(&w, "revocation", "full", "session", "off", NULL);
    for (int i = 0; i < 3; i++) {
        struct sock_thread t;
        tlsock_error err = {0};
        tlsock *s = asking_visit(&w, c, "a.test", &t, &err);

        assert_non_null(s);
        assert_int_equal(httpd_asked(&w.net.web, NULL), 2);
        assert_tells(tlsock_info(s, TLSOCK_INFO_REVOCATION), "good by CRL");
        tlsock_close(s);
        sock_wait(&t);
    }
    tlsock_config_unref(c);
    asking_stop(&w);
}

static void poll_alone_drives_it(void **state)
{
    static const unsigned flags[] = {0, TLSOCK_F_STABLE_FD};

    (void)state;
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct sock_thread t;
        struct asking w;
        tlsock_config *c;
        tlsock *s;

        asking_start(&w, &asking_good);
        c = asking_client(&w, "revocation", "full", NULL);
        s = asking_begin(&w, c, flags[i], &t);
        if (asking_shake(s) != 0)
            fail_msg("%s", tlsock_last_error(s)->message);
        assert_int_equal(httpd_asked(&w.net.web, NULL), 2);
        tlsock_close(s);
        sock_wait(&t);
        tlsock_config_unref(c);
        asking_stop(&w);
    }
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
        tlsock_config *cc,
            *sc = ca_server(ca_get()->a, "client-auth", "require", "revocation",
                            "full", NULL);
        struct asking w;

        asking_start(&w, &cases[i].says);
        assert_code(tlsock_config_add_trust(sc, w.net.root), 0);
        cc = ca_client("tls.max", cases[i].tls, NULL);
        assert_code(tlsock_config_add_cert(cc, w.net.pki.leaf), 0);
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
            } else {
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
        asking_stop(&w);
    }
}

/* By the caller's own HTTP: here, a function. */
static void a_program_may_fetch_by_itself(void **state)
{
    struct tlsock_fetch f = {.size = sizeof(f)};
    tlsock_error err = {0};
    struct sock_thread t;
    tlsock_revocation *r;
    tlsock_config *c;
    struct asking w;
    int fetches = 0;
    tlsock *s;

    (void)state;
    asking_start(&w, &asking_good);
    c = asking_client(&w, NULL);
    s = asking_visit(&w, c, "a.test", &t, &err);
    assert_non_null(s);
    r = tlsock_revocation_new(s, &err);
    assert_non_null(r);
    tlsock_close(s); /* not needed any more */
    sock_wait(&t);
    assert_code(tlsock_revocation_verdict(r, &err), TLSOCK_AGAIN);
    while (tlsock_revocation_next(r, &f) == 1) {
        size_t len;
        unsigned char *data =
            net_answer(&w.net.pki, &w.net.says, f.url + strlen(w.net.web.url),
                       f.body, f.body_len, &len);

        fetches++;
        assert_code(tlsock_revocation_answer(r, &f, data, len), 0);
        free(data);
    }
    assert_int_equal(fetches, 2);
    assert_int_equal(httpd_asked(&w.net.web, NULL), 0);
    assert_code(tlsock_revocation_verdict(r, &err), 0);
    assert_code(tlsock_revocation_run(r, 1000), 0);
    tlsock_revocation_free(r);
    tlsock_config_unref(c);
    asking_stop(&w);
}

static void or_let_us_fetch(void **state)
{
    static const struct {
        struct net says;
        int want;
    } cases[] = {
        {{NET_GOOD, NET_NONE, NET_NONE, NET_GOOD}, 0},
        {{NET_REVOKED, NET_NONE, NET_NONE, NET_GOOD}, TLSOCK_E_REVOKED},
        {{NET_DOWN, NET_NONE, NET_NONE, NET_GOOD}, TLSOCK_E_REVOCATION_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_error err = {0};
        struct sock_thread t;
        tlsock_revocation *r;
        tlsock_config *c;
        struct asking w;
        tlsock *s;

        asking_start(&w, &cases[i].says);
        c = asking_client(&w, NULL);
        s = asking_visit(&w, c, "a.test", &t, &err);
        assert_non_null(s);
        r = tlsock_revocation_new(s, &err);
        assert_code(tlsock_revocation_run(r, 30000), cases[i].want);
        assert_code(tlsock_revocation_verdict(r, &err), cases[i].want);
        assert_code(err.code, cases[i].want);
        tlsock_revocation_free(r);
        tlsock_close(s);
        sock_wait(&t);
        tlsock_config_unref(c);
        asking_stop(&w);
    }
}

static void time_is_up_when_the_caller_says_so(void **state)
{
    tlsock_error err = {0};
    struct sock_thread t;
    tlsock_revocation *r;
    tlsock_config *c;
    struct asking w;
    tlsock *s;

    (void)state;
    asking_start(&w, &asking_good);
    c = asking_client(&w, NULL);
    s = asking_visit(&w, c, "a.test", &t, &err);
    assert_non_null(s);
    r = tlsock_revocation_new(s, &err);
    assert_code(tlsock_revocation_run(r, 0), TLSOCK_E_TIMEOUT);
    assert_code(tlsock_revocation_verdict(r, &err), TLSOCK_AGAIN);
    tlsock_revocation_free(r);
    tlsock_close(s);
    sock_wait(&t);
    tlsock_config_unref(c);
    asking_stop(&w);
}

static void nothing_is_asked_of_what_was_not_verified(void **state)
{
    tlsock_error err = {0};
    struct sock_thread t;
    tlsock_config *c;
    struct asking w;
    char pin[128];
    tlsock *s;

    (void)state;
    asking_start(&w, &asking_good);
    c = tlsock_config_new();
    assert_true(tlsock_cert_fingerprint(w.net.pki.leaf, "sha256", 0, pin,
                                        sizeof(pin)) > 0);
    assert_code(tlsock_config_add_pin(c, pin), 0);
    assert_code(tlsock_config_set(c, "revocation", "full"), 0);
    s = asking_visit(&w, c, "a.test", &t, &err);
    assert_non_null(s);
    assert_int_equal(httpd_asked(&w.net.web, NULL), 0);
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
    asking_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_world_gets_its_verdict_in_the_handshake),
        cmocka_unit_test(the_second_connection_asks_nobody),
        cmocka_unit_test(poll_alone_drives_it),
        cmocka_unit_test(a_server_asks_about_its_clients),
        cmocka_unit_test(a_program_may_fetch_by_itself),
        cmocka_unit_test(or_let_us_fetch),
        cmocka_unit_test(time_is_up_when_the_caller_says_so),
        cmocka_unit_test(nothing_is_asked_of_what_was_not_verified),
    };

    return cmocka_run_group_tests_name("revocation", tests, ca_setup,
                                       ca_teardown);
}
