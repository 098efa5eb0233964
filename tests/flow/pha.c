/* Certificates that are asked for after the handshake (RFC 8446, 4.6.2). */
#include "ca.h"
#include "sock.h"

#include <sys/socket.h>
#include <tlsock/openssl.h>

struct duo {
    tlsock_config *cc, *sc;
    struct peer p;
};

static void open_duo(struct duo *d, const char *mode, const char *rules,
                     tlsock_cert *cert)
{
    d->cc = ca_client(NULL);
    d->sc = ca_server(ca_get()->a, "client-auth", mode, NULL);
    assert_int_equal(tlsock_config_add_trust(d->sc, ca_get()->root_pem), 0);
    if (rules != NULL)
        assert_int_equal(
            tlsock_config_set(d->sc, "client-auth.allow", rules), 0);
    if (cert != NULL)
        assert_int_equal(tlsock_config_add_cert(d->cc, cert), 0);
    peer_init(&d->p);
    peer_connect(&d->p, d->cc, d->sc, "a.test");
    peer_pingpong(&d->p);
}

static void close_duo(struct duo *d)
{
    peer_free(&d->p);
    tlsock_config_unref(d->cc);
    tlsock_config_unref(d->sc);
}

/* Steps both sides; what the client reads goes to waste. */
static int request(struct peer *p)
{
    char scrap[64];
    int rc = TLSOCK_AGAIN;

    for (int i = 0; i < 50 && rc == TLSOCK_AGAIN; i++) {
        rc = tlsock_request_client_cert(p->conn[SERVER]);
        p->rc[CLIENT] = (int)tlsock_read(p->conn[CLIENT], scrap, sizeof(scrap));
    }
    return rc;
}

static void a_certificate_is_asked_for_later(void **state)
{
    tlsock_cert *seen;
    struct duo d;

    (void)state;
    open_duo(&d, "later", NULL, ca_get()->client);
    assert_null(tlsock_peer_cert(d.p.conn[SERVER]));
    assert_string_equal(tlsock_info(d.p.conn[SERVER], TLSOCK_INFO_VERIFIED),
                        "");
    for (int i = 0; i < 3; i++) { /* as often as wanted */
        assert_code(request(&d.p), TLSOCK_OK);
        seen = tlsock_peer_cert(d.p.conn[SERVER]);
        assert_non_null(seen);
        assert_string_equal(tlsock_cert_field(seen, TLSOCK_CERT_CN),
                            "Test Client");
        assert_string_equal(
            tlsock_info(d.p.conn[SERVER], TLSOCK_INFO_VERIFIED), "chain");
        tlsock_cert_unref(seen);
        peer_pingpong(&d.p);
    }
    close_duo(&d);
}

static void data_on_the_way_stays_in_order(void **state)
{
    char got[16] = "";
    struct duo d;

    (void)state;
    open_duo(&d, "later", "cn:Test Client", ca_get()->client);
    assert_int_equal(tlsock_write(d.p.conn[CLIENT], "one ", 4), 4);
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_AGAIN);
    assert_int_equal(tlsock_write(d.p.conn[CLIENT], "two ", 4), 4);
    assert_code(request(&d.p), TLSOCK_OK);
    assert_int_equal(tlsock_write(d.p.conn[CLIENT], "three", 5), 5);
    for (size_t n = 0; n < 13;) {
        ssize_t rc = tlsock_read(d.p.conn[SERVER], got + n, sizeof(got) - n);

        assert_true(rc > 0);
        n += (size_t)rc;
    }
    assert_string_equal(got, "one two three");
    close_duo(&d);
}

/* A read may be the one that hears the answer. */
static void the_answer_comes_with_reads_too(void **state)
{
    char byte;
    struct duo d;

    (void)state;
    open_duo(&d, "later", NULL, ca_get()->client);
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_AGAIN);
    assert_code(tlsock_read(d.p.conn[CLIENT], &byte, 1), TLSOCK_AGAIN);
    assert_code(tlsock_read(d.p.conn[SERVER], &byte, 1), TLSOCK_AGAIN);
    assert_string_equal(tlsock_info(d.p.conn[SERVER], TLSOCK_INFO_VERIFIED),
                        "chain");
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_OK);
    close_duo(&d);
}

/* The certificate alone is no proof: it is public. */
static void before_finished_the_client_is_nobody(void **state)
{
    struct test_pipe *up;
    size_t all, first;
    char byte, print[96];
    struct duo d;

    (void)state;
    open_duo(&d, "later", NULL, ca_get()->client);
    up = &d.p.pipes[CLIENT];
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_AGAIN);
    first = up->len;
    assert_code(tlsock_read(d.p.conn[CLIENT], &byte, 1), TLSOCK_AGAIN);
    all = up->len;
    assert_true(all > first + 5);
    /* the first record, with the certificate, and no more */
    up->len = first + 5 + ((size_t)up->data[first + 3] << 8) +
              up->data[first + 4];
    assert_true(up->len < all);
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_AGAIN);
    assert_null(tlsock_peer_cert(d.p.conn[SERVER]));
    assert_true(tlsock_fingerprint(d.p.conn[SERVER], "sha256", 0, print,
                                   sizeof(print)) < 0);
    assert_string_equal(tlsock_info(d.p.conn[SERVER], TLSOCK_INFO_VERIFIED),
                        "");
    up->len = all;
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_OK);
    close_duo(&d);
}

static void refusals_are_those_of_a_handshake(void **state)
{
    const struct {
        const char *mode, *rules;
        tlsock_cert *cert;
        int server, client;
    } rows[] = {
        {"later", "cn:Somebody", ca_get()->client, TLSOCK_E_CLIENT_CERT_DENIED,
         TLSOCK_E_CLIENT_CERT_DENIED},
        {"later", NULL, ca_get()->stranger_client, TLSOCK_E_CHAIN_INCOMPLETE,
         TLSOCK_E_CLIENT_CERT_REQUIRED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char byte;
        struct duo d;

        open_duo(&d, rows[i].mode, rows[i].rules, rows[i].cert);
        assert_code(request(&d.p), rows[i].server);
        assert_true(tlsock_last_error(d.p.conn[SERVER])->hint[0] != '\0');
        assert_code(tlsock_read(d.p.conn[CLIENT], &byte, 1), rows[i].client);
        assert_tells(tlsock_last_error(d.p.conn[CLIENT])->message,
                     "our certificate");
        close_duo(&d);
    }
}

/* Clients that offer it and have no certificate: raw ones. */
static void raw_client(const char *mode, int offers, int max, int want,
                       const char *says)
{
    struct raw_opts raw = {.name = "a.test", .max = max};
    tlsock_config *sc = ca_server(ca_get()->a, "client-auth", mode, NULL);
    SSL *ssl = raw_new(CLIENT, &raw);
    int rc = TLSOCK_AGAIN;
    char byte;
    struct peer p;

    SSL_set_post_handshake_auth(ssl, offers);
    assert_int_equal(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
    peer_init(&p);
    raw_on_end(ssl, &p.ends[CLIENT]);
    p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                      TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_code(raw_shake(&p, SERVER, ssl, NULL), TLSOCK_OK);
    for (int i = 0; i < 50 && rc == TLSOCK_AGAIN; i++) {
        rc = tlsock_request_client_cert(p.conn[SERVER]);
        (void)SSL_read(ssl, &byte, 1);
    }
    assert_code(rc, want);
    if (want < 0) {
        assert_tells(tlsock_last_error(p.conn[SERVER])->message, says);
        assert_true(tlsock_last_error(p.conn[SERVER])->hint[0] != '\0');
    }
    assert_null(tlsock_peer_cert(p.conn[SERVER]));
    raw_free(ssl);
    peer_free(&p);
    tlsock_config_unref(sc);
}

static void clients_without_a_certificate(void **state)
{
    (void)state;
    raw_client("ask", 1, 0, TLSOCK_OK, NULL);
    raw_client("later", 1, 0, TLSOCK_E_CLIENT_CERT_MISSING, "sent no");
    raw_client("later", 0, 0, TLSOCK_E_UNSUPPORTED, "does not offer");
    raw_client("later", 1, TLS1_2_VERSION, TLSOCK_E_UNSUPPORTED, "TLS 1.2");
    raw_client("none", 1, 0, TLSOCK_E_STATE, "client-auth = none");
}

static void who_may_not_ask_is_told(void **state)
{
    char byte;
    struct duo d;

    (void)state;
    assert_code(tlsock_request_client_cert(NULL), TLSOCK_E_ARGUMENT);
    open_duo(&d, "later", NULL, ca_get()->client);
    assert_code(tlsock_request_client_cert(d.p.conn[CLIENT]), TLSOCK_E_STATE);
    assert_code(tlsock_shutdown(d.p.conn[CLIENT], 1), TLSOCK_OK);
    assert_int_equal(tlsock_read(d.p.conn[SERVER], &byte, 1), 0);
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_E_STATE);
    close_duo(&d);
    d.cc = ca_client("post-handshake-auth", "off", NULL);
    d.sc = ca_server(ca_get()->a, "client-auth", "later", NULL);
    assert_int_equal(tlsock_config_add_trust(d.sc, ca_get()->root_pem), 0);
    assert_int_equal(tlsock_config_add_cert(d.cc, ca_get()->client), 0);
    peer_init(&d.p);
    peer_connect(&d.p, d.cc, d.sc, "a.test");
    assert_code(request(&d.p), TLSOCK_E_UNSUPPORTED);
    close_duo(&d);
}

static void an_end_is_no_answer(void **state)
{
    struct duo d;

    (void)state;
    open_duo(&d, "later", NULL, ca_get()->client);
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]), TLSOCK_AGAIN);
    assert_code(tlsock_shutdown(d.p.conn[CLIENT], 1), TLSOCK_OK);
    assert_code(tlsock_request_client_cert(d.p.conn[SERVER]),
                TLSOCK_E_CLIENT_CERT_MISSING);
    assert_null(tlsock_peer_cert(d.p.conn[SERVER]));
    close_duo(&d);
}

static void a_flood_before_the_answer_is_bounded(void **state)
{
    static char data[65536];
    size_t sent = 0, got = 0;
    int rc = TLSOCK_AGAIN;
    struct duo d;

    (void)state;
    open_duo(&d, "later", NULL, ca_get()->client);
    for (int i = 0; i < 100 && rc == TLSOCK_AGAIN; i++) {
        ssize_t n = tlsock_write(d.p.conn[CLIENT], data, sizeof(data));

        assert_true(n > 0);
        sent += (size_t)n;
        rc = tlsock_request_client_cert(d.p.conn[SERVER]);
    }
    assert_code(rc, TLSOCK_E_LIMIT);
    while (got < sent) {
        ssize_t n = tlsock_read(d.p.conn[SERVER], data, sizeof(data));

        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_code(request(&d.p), TLSOCK_OK);
    close_duo(&d);
}

/* The blocking form waits, within handshake-timeout. */
static void client_reads(int fd, void *config)
{
    tlsock *s = tlsock_client_fd(fd, "a.test", config,
                                 TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD),
                                 NULL);
    char byte;

    assert_non_null(s);
    assert_int_equal(tlsock_read(s, &byte, 1), 1);
    assert_int_equal(tlsock_read(s, &byte, 1), 0);
    assert_code(tlsock_close(s), TLSOCK_OK);
}

static void a_blocking_server_waits_for_the_answer(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "client-auth", "later", NULL);
    struct sock_thread client;
    tlsock_cert *seen;
    int fds[2];
    tlsock *s;

    (void)state;
    assert_int_equal(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
    assert_int_equal(tlsock_config_add_cert(cc, ca_get()->client), 0);
    sock_pair(fds);
    sock_run(&client, fds[1], client_reads, cc);
    s = tlsock_server_fd(fds[0], sc, NULL, NULL);
    assert_non_null(s);
    assert_code(tlsock_request_client_cert(s), TLSOCK_OK); /* handshake, too */
    seen = tlsock_peer_cert(s);
    assert_non_null(seen);
    tlsock_cert_unref(seen);
    assert_int_equal(tlsock_write(s, "x", 1), 1);
    /* its close_notify must find somebody */
    assert_code(tlsock_shutdown(s, SHUT_RDWR), TLSOCK_OK);
    tlsock_close(s);
    sock_wait(&client);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_asked_for_later),
        cmocka_unit_test(data_on_the_way_stays_in_order),
        cmocka_unit_test(the_answer_comes_with_reads_too),
        cmocka_unit_test(before_finished_the_client_is_nobody),
        cmocka_unit_test(refusals_are_those_of_a_handshake),
        cmocka_unit_test(clients_without_a_certificate),
        cmocka_unit_test(who_may_not_ask_is_told),
        cmocka_unit_test(an_end_is_no_answer),
        cmocka_unit_test(a_flood_before_the_answer_is_bounded),
        cmocka_unit_test(a_blocking_server_waits_for_the_answer),
    };

    return cmocka_run_group_tests_name("post-handshake authentication", tests,
                                       ca_setup, ca_teardown);
}
