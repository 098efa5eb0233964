/* TLSA records beside what else a config and a connection have: anchors,
 * sessions, pins, forgiveness, deadlines, STARTTLS. */
#include "danes.h"

#include <poll.h>
#include <unistd.h>

static void a_config_without_an_anchor_is_no_config(void **state)
{
    static const char *const none[] = {"/nowhere", NULL};
    const char *const *before = tsk_dns_places;
    tlsock_config *cc = tlsock_config_new();
    static const struct {
        const char *key, *value;
        int want;
    } rows[] = {
        {"dane", "on", 0},
        {"dane", "yes", TLSOCK_E_OPTION},
        {"dane.anchor", "/nowhere/anchor", TLSOCK_E_OPTION},
        {"dane.resolver", "127.0.0.1", 0},
        {"dane.resolver", "::1@5353", 0},
        {"dane.resolver", "ns.example", TLSOCK_E_OPTION},
        {"dane.resolver", "127.0.0.1@", TLSOCK_E_OPTION},
        {"dane.resolver", "127.0.0.1@0", TLSOCK_E_OPTION},
        {"dane.resolver", "127.0.0.1:53", TLSOCK_E_OPTION},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (tlsock_config_set(cc, rows[i].key, rows[i].value) != rows[i].want)
            fail_msg("%s = %s: %s", rows[i].key, rows[i].value,
                     tlsock_config_error(cc)->message);
    tsk_dns_places = none;
    assert_code(tlsock_config_check(cc), TLSOCK_E_TRUST_STORE);
    assert_tells(tlsock_config_error(cc)->message, "/nowhere (missing)");
    tsk_dns_places = before;
    tlsock_config_unref(cc);
    assert_int_equal(tlsock_has("dane"), 1);
}

static void sessions_end_with_the_records_they_were_won_under(void **state)
{
    tlsock_config *cc = danes_client("on", "1.2");
    const tlsock_opts *opts =
        TLSOCK_OPTS(.name = "a.test", .session_key = "the server");
    const struct test_ca *ca = ca_get();
    tlsock_config *sc = ca_server(ca->a, NULL);
    struct sock_server server;
    static const int resumed[] = {0, 1, 0, 0};

    (void)state;
    sock_serve(&server, 4, sock_echo, sc);
    for (size_t i = 0; i < 4; i++) {
        tlsock_error err;
        tlsock *s;

        danes.records[0] = (struct danes_record){3, 1, 1, ca->a};
        if (i == 2)
            danes.records[1] = (struct danes_record){3, 1, 1, ca->b};
        if (i == 3)
            memset(danes.records, 0, sizeof(danes.records));
        s = tlsock_connect(server.target, cc, opts, &err);
        if (s == NULL)
            fail_msg("%s", err.message);
        assert_int_equal(tlsock_info_int(s, TLSOCK_INFO_RESUMED), resumed[i]);
        assert_string_equal(tlsock_info(s, TLSOCK_INFO_DANE),
                            i < 3 ? "secure 3 1 1" : "none");
        tlsock_close(s);
    }
    sock_join(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void without_a_host_name_there_is_nothing_to_ask(void **state)
{
    tlsock_config *on = danes_client("on", "1.3"),
                  *must = danes_client("require", "1.3");
    tlsock_cert *ip = ca_get()->ip;
    struct danes_outcome o;
    tlsock_error err;
    int fds[2];

    (void)state;
    danes_visit(&o, on, ip, NULL);
    assert_code(o.code, 0);
    assert_string_equal(o.info, "");
    assert_int_equal(danes.asked, 0);
    assert_null(tlsock_connect("127.0.0.1:1", must, NULL, &err));
    assert_code(err.code, TLSOCK_E_UNSUPPORTED);
    assert_tells(err.hint, "opts.name");
    assert_null(tlsock_connect("unix:/nowhere", must,
                               TLSOCK_OPTS(.name = "a.test"), &err));
    assert_code(err.code, TLSOCK_E_UNSUPPORTED);
    sock_pair(fds);
    assert_null(tlsock_client_fd(fds[0], "a.test", must, NULL, &err));
    assert_code(err.code, TLSOCK_E_UNSUPPORTED);
    close(fds[0]);
    close(fds[1]);
    tlsock_config_unref(on);
    tlsock_config_unref(must);
}

static void pins_and_forgiveness_do_not_get_around_require(void **state)
{
    const struct test_ca *ca = ca_get();
    static const struct {
        const char *mode, *insecure;
        int want;
        const char *verified;
    } rows[] = {
        {"on", NULL, 0, "pin "},
        {"require", NULL, TLSOCK_E_DANE, ""},
        {"on", "no-chain: a test", TLSOCK_E_DANE, ""},
        {"on", "all: a test", 0, "insecure "},
    };

    (void)state;
    danes.records[0] = (struct danes_record){3, 1, 1, ca->b};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = danes_client(rows[i].mode, "1.3");
        char pin[96];
        struct danes_outcome o;

        assert_true(
            tlsock_cert_fingerprint(ca->a, "sha256", 0, pin, sizeof(pin)) > 0);
        if (rows[i].insecure == NULL)
            assert_int_equal(tlsock_config_add_pin(cc, pin), 0);
        else
            assert_int_equal(
                tlsock_config_set(cc, "insecure", rows[i].insecure), 0);
        danes_visit(&o, cc, ca->a, TLSOCK_OPTS(.name = "a.test"));
        assert_code(o.code, rows[i].want);
        assert_int_equal(
            strncmp(o.verified, rows[i].verified, strlen(rows[i].verified)), 0);
        tlsock_config_unref(cc);
    }
}

static void a_fault_that_is_forgiven_is_no_record(void **state)
{
    const struct test_ca *ca = ca_get();

    (void)state;
    for (int i = 0; i < 2; i++) {
        tlsock_config *cc = danes_client("on", "1.3");
        struct danes_outcome o;

        assert_int_equal(
            tlsock_config_set(cc, "insecure", "self-signed: a test"), 0);
        danes.records[0] =
            (struct danes_record){1, 1, 1, i == 0 ? ca->b : ca->self_signed};
        danes_visit(&o, cc, ca->self_signed, TLSOCK_OPTS(.name = "a.test"));
        assert_code(o.code, i == 0 ? TLSOCK_E_DANE : TLSOCK_OK);
        if (i == 1)
            assert_string_equal(o.verified, "insecure self-signed: a test");
        tlsock_config_unref(cc);
    }
}

static void a_lookup_that_takes_long_is_bounded_and_polled(void **state)
{
    tlsock_config *cc = danes_client("on", "1.3");
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct sock_server server;
    tlsock_error err;
    sem_t gate;
    tlsock *s;
    int rc = TLSOCK_AGAIN, turns = 0;

    (void)state;
    sem_init(&gate, 0, 0);
    danes.wait = &gate;
    danes.records[0] = (struct danes_record){3, 1, 1, ca_get()->a};
    sock_serve(&server, 2, sock_echo, sc);
    assert_null(tlsock_connect(server.target, cc,
                               TLSOCK_OPTS(.name = "a.test", .timeout_ms = 100),
                               &err));
    assert_code(err.code, TLSOCK_E_TIMEOUT);
    assert_tells(err.message, "TLSA records of a.test");
    assert_int_equal(err.phase, TLSOCK_PHASE_RESOLVE);
    s = tlsock_connect(
        server.target, cc,
        TLSOCK_OPTS(.name = "a.test", .nonblocking = 1, .timeout_ms = 60000),
        &err);
    assert_non_null(s);
    /* two lookups of two questions each, that of the first one given up */
    while ((rc = tlsock_handshake(s)) == TLSOCK_AGAIN) {
        struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

        if (++turns == 3)
            for (int i = 0; i < 4; i++)
                sem_post(&gate);
        poll(&pfd, 1, turns < 3 ? 10 : tlsock_timeout(s));
    }
    if (rc != 0)
        fail_msg("%s", tlsock_last_error(s)->message);
    assert_string_equal(tlsock_info(s, TLSOCK_INFO_DANE), "secure 3 1 1");
    tlsock_close(s);
    sock_join(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void no_starttls(int fd, void *unused)
{
    char line[256];

    (void)unused;
    if (sock_send(fd, "220 mx ESMTP\r\n", 14) == 0 &&
        read(fd, line, sizeof(line)) > 0 && sock_send(fd, "250 mx\r\n", 8) == 0)
        while (read(fd, line, sizeof(line)) > 0)
            sock_send(fd, "502 no\r\n", 8);
}

static void records_promise_tls(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) { /* 2: one that nobody can use */
        tlsock_config *cc =
            ca_client("dane", "on", "dane.anchor", ca_get()->root_pem,
                      "starttls", "opportunistic", NULL);
        struct sock_server server;
        tlsock_error err;
        tlsock *s;

        if (i > 0)
            danes.records[0] =
                (struct danes_record){i == 1 ? 3 : 9, 1, 1, ca_get()->a};
        sock_serve(&server, 1, no_starttls, NULL);
        s = tlsock_connect(server.target, cc,
                           TLSOCK_OPTS(.name = "a.test", .starttls = "smtp"),
                           &err);
        if (i == 0)
            assert_non_null(s);
        else
            assert_code(err.code, TLSOCK_E_STARTTLS_UNAVAILABLE);
        tlsock_close(s);
        sock_join(&server);
        tlsock_config_unref(cc);
    }
}

#define T(test)                                                                \
    cmocka_unit_test_setup_teardown(test, danes_setup, danes_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_config_without_an_anchor_is_no_config),
        T(sessions_end_with_the_records_they_were_won_under),
        T(without_a_host_name_there_is_nothing_to_ask),
        T(pins_and_forgiveness_do_not_get_around_require),
        T(a_fault_that_is_forgiven_is_no_record),
        T(a_lookup_that_takes_long_is_bounded_and_polled),
        T(records_promise_tls),
    };

    return cmocka_run_group_tests(tests, ca_setup, ca_teardown);
}
