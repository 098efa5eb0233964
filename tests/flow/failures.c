/* Every failure users meet: its code, its phase, the facts in the message and
 * a hint. The other end is raw OpenSSL where the library would refuse to be. */
#include "ca.h"
#include "cert/cert.h"
#include "raw.h"
#include "sock.h"

#include <sys/socket.h>
#include <unistd.h>

struct row {
    const char *claim;
    tlsock_cert *const *cert; /* what the raw server shows */
    struct raw_opts raw;
    const char *name; /* asked for; NULL: a.test */
    const char *tls_max;
    int code, phase;
    const char *tells[3]; /* in the message */
    const char *hints;    /* in the hint */
    int alert;            /* what the server is told; 0: not looked at */
};

static void check_error(const char *claim, const tlsock_error *err, int code,
                        int phase, const char *const tells[3],
                        const char *hints)
{
    if (err->code != code)
        fail_msg("%s: %s: %s", claim, tlsock_errname(err->code), err->message);
    if (phase != 0 && err->phase != phase)
        fail_msg("%s: phase %d: %s", claim, err->phase, err->message);
    for (int i = 0; i < 3 && tells[i] != NULL; i++)
        if (strstr(err->message, tells[i]) == NULL)
            fail_msg("%s: no \"%s\" in: %s", claim, tells[i], err->message);
    if (err->hint[0] == '\0')
        fail_msg("%s: no hint: %s", claim, err->message);
    if (hints != NULL && strstr(err->hint, hints) == NULL)
        fail_msg("%s: no \"%s\" in hint: %s", claim, hints, err->hint);
}

static void play(const struct row *row)
{
    tlsock_config *cc = ca_client(NULL);
    struct raw_opts raw = row->raw;
    tlsock_error *err;
    struct peer p;
    SSL *ssl;

    if (row->tls_max != NULL)
        assert_int_equal(tlsock_config_set(cc, "tls.max", row->tls_max), 0);
    raw.cert = *row->cert;
    peer_init(&p);
    ssl = raw_new(SERVER, &raw);
    raw_on_end(ssl, &p.ends[SERVER]);
    assert_int_equal(
        peer_open(&p, cc, NULL, row->name == NULL ? "a.test" : row->name), 0);
    raw_shake(&p, CLIENT, ssl, NULL);
    err = &p.err[CLIENT];
    check_error(row->claim, err, row->code, row->phase, row->tells, row->hints);
    if (row->alert != 0) {
        assert_int_equal(err->alert, row->alert);
        assert_int_equal(err->alert_from_peer, 0);
    }
    raw_free(ssl);
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void certificates_are_refused_with_cause_and_fix(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct row rows[] = {
        {.claim = "a missing intermediate is named", .cert = &ca->a,
         .raw = {.no_chain = 1}, .code = TLSOCK_E_CHAIN_INCOMPLETE,
         .phase = TLSOCK_PHASE_VERIFY, .tells = {"Test Intermediate"},
         .alert = SSL_AD_UNKNOWN_CA},
        {.claim = "an untrusted root is named", .cert = &ca->stranger,
         .raw = {.also = ca->stranger_root}, .code = TLSOCK_E_UNTRUSTED_ROOT,
         .phase = TLSOCK_PHASE_VERIFY, .tells = {"Stranger Root"},
         .alert = SSL_AD_UNKNOWN_CA},
        {.claim = "a self-signed leaf comes with its pin",
         .cert = &ca->self_signed, .code = TLSOCK_E_UNTRUSTED_ROOT,
         .phase = TLSOCK_PHASE_VERIFY, .tells = {"a.test"},
         .hints = "sha256:"},
        {.claim = "a wrong name tells both", .cert = &ca->a, .name = "b.test",
         .code = TLSOCK_E_NAME_MISMATCH, .phase = TLSOCK_PHASE_VERIFY,
         .tells = {"b.test", "a.test"}, .alert = SSL_AD_BAD_CERTIFICATE},
        {.claim = "an address needs an address", .cert = &ca->a,
         .name = "127.0.0.1", .code = TLSOCK_E_NAME_MISMATCH,
         .phase = TLSOCK_PHASE_VERIFY, .tells = {"127.0.0.1", "a.test"}},
        {.claim = "a wildcard is one label", .cert = &ca->wild,
         .name = "x.y.w.test", .code = TLSOCK_E_NAME_MISMATCH,
         .phase = TLSOCK_PHASE_VERIFY, .tells = {"x.y.w.test", "*.w.test"}},
        {.claim = "expired since days", .cert = &ca->expired,
         .code = TLSOCK_E_EXPIRED, .phase = TLSOCK_PHASE_VERIFY,
         .tells = {"3 days"}, .alert = SSL_AD_CERTIFICATE_EXPIRED},
        {.claim = "not yet valid", .cert = &ca->not_yet,
         .code = TLSOCK_E_NOT_YET_VALID, .phase = TLSOCK_PHASE_VERIFY,
         .hints = "clock"},
        {.claim = "not made for servers", .cert = &ca->client,
         .name = "a.test", .code = TLSOCK_E_PURPOSE,
         .phase = TLSOCK_PHASE_VERIFY, .tells = {"Test Client"}},
        {.claim = "RSA 1024 is too weak", .cert = &ca->weak,
         .code = TLSOCK_E_WEAK, .tells = {"1024"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        play(&rows[i]);
}

static void parameters_are_refused_with_cause_and_fix(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct row rows[] = {
        {.claim = "an old server's version", .cert = &ca->a,
         .raw = {.min = TLS1_VERSION, .max = TLS1_1_VERSION,
                 .ciphers = "ALL:@SECLEVEL=0"},
         .code = TLSOCK_E_VERSION_UNSUPPORTED,
         .phase = TLSOCK_PHASE_HANDSHAKE},
        {.claim = "no forward secrecy", .cert = &ca->rsa,
         .raw = {.max = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256"},
         .code = TLSOCK_E_NO_COMMON_PARAMETERS,
         .phase = TLSOCK_PHASE_HANDSHAKE},
        {.claim = "CBC only", .cert = &ca->a,
         .raw = {.max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA"},
         .code = TLSOCK_E_NO_COMMON_PARAMETERS,
         .phase = TLSOCK_PHASE_HANDSHAKE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        play(&rows[i]);
}

static void what_is_no_tls_is_quoted(void **state)
{
    static const struct {
        const char *claim, *bytes, *tells, *hints;
    } rows[] = {
        {"SMTP", "220 mx ESMTP ready\r\n", "220 mx ESMTP", "STARTTLS"},
        {"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400", NULL},
        {"POP3", "+OK ready\r\n", "+OK ready", "pop3s"},
        {"IMAP", "* OK IMAP4rev1\r\n", "* OK IMAP4rev1", "imaps"},
        {"SSH", "SSH-2.0-x\r\n", "SSH-2.0-x", NULL},
        {"terminal codes", "220 \033[2Jboo\r\n", "\\x1b[2Jboo", NULL},
    };
    tlsock_config *cc = ca_client(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *tells[3] = {rows[i].tells};
        struct peer p;

        peer_init(&p);
        pipe_inject(&p.pipes[SERVER], rows[i].bytes, strlen(rows[i].bytes));
        assert_int_equal(peer_open(&p, cc, NULL, "a.test"), 0);
        for (int k = 0; k < 5; k++)
            peer_step(&p, CLIENT);
        check_error(rows[i].claim, &p.err[CLIENT], TLSOCK_E_NOT_TLS,
                    TLSOCK_PHASE_HANDSHAKE, tells, rows[i].hints);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
}

static void a_server_names_a_client_that_speaks_no_tls(void **state)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
    const char *tells[3] = {"GET / HTTP/1.1"};
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                      TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_non_null(p.conn[SERVER]);
    pipe_inject(&p.pipes[CLIENT], http, sizeof(http) - 1);
    for (int k = 0; k < 5; k++)
        peer_step(&p, SERVER);
    check_error("HTTP to a server", &p.err[SERVER], TLSOCK_E_NOT_TLS,
                TLSOCK_PHASE_HANDSHAKE, tells, NULL);
    peer_free(&p);
    tlsock_config_unref(sc);
}

static void a_peer_that_hangs_up_after_hello_is_told_apart(void **state)
{
    sock_script *const scripts[] = {sock_hello_close, sock_hello_reset};
    const char *tells[3] = {NULL};
    tlsock_config *cc = ca_client(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct sock_server server;
        tlsock_error err;

        sock_serve(&server, 1, scripts[i], NULL);
        assert_null(tlsock_connect(server.target, cc,
                                   TLSOCK_OPTS(.name = "a.test"), &err));
        sock_join(&server);
        check_error(i == 0 ? "FIN" : "RST", &err,
                    TLSOCK_E_CLOSED_IN_HANDSHAKE, TLSOCK_PHASE_HANDSHAKE,
                    tells, NULL);
        assert_string_equal(err.address, server.target);
    }
    tlsock_config_unref(cc);
}

static void nobody_listening_is_told_with_the_address(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    const char *tells[3] = {"127.0.0.1", "refused"};
    char target[32];
    tlsock_error err;
    int port, fd = sock_listen(&port);

    (void)state;
    close(fd);
    snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    assert_null(tlsock_connect(target, cc, NULL, &err));
    check_error("refused", &err, TLSOCK_E_CONNECT, TLSOCK_PHASE_CONNECT, tells,
                NULL);
    tlsock_config_unref(cc);
}

static void a_wrong_key_names_both_files(void **state)
{
    const struct test_ca *ca = ca_get();
    tlsock_config *c = tlsock_config_new();
    const char *tells[3] = {"b.key", "a.pem"};

    (void)state;
    assert_code(tlsock_config_add_identity(c, ca->a_pem, ca->b_key, NULL),
                TLSOCK_E_KEY_MISMATCH);
    check_error("key mismatch", tlsock_config_error(c), TLSOCK_E_KEY_MISMATCH,
                TLSOCK_PHASE_CONFIG, tells, NULL);
    tlsock_config_unref(c);
}

static void a_server_hears_why_it_was_refused(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    for (int v = 0; v < 2; v++) {
        tlsock_config *old = tlsock_config_copy(cc);

        assert_int_equal(
            tlsock_config_set(old, "tls.max", v == 0 ? "1.2" : "1.3"), 0);
        peer_init(&p);
        assert_int_equal(peer_open(&p, old, sc, "b.test"), 0);
        peer_shake(&p);
        assert_code(p.rc[CLIENT], TLSOCK_E_NAME_MISMATCH);
        assert_string_equal(p.err[CLIENT].expected, "b.test");
        assert_tells(p.err[CLIENT].presented, "a.test");
        assert_code(p.rc[SERVER], TLSOCK_E_ALERT);
        assert_int_equal(p.err[SERVER].alert, SSL_AD_BAD_CERTIFICATE);
        assert_int_equal(p.err[SERVER].alert_from_peer, 1);
        peer_free(&p);
        tlsock_config_unref(old);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_server_refuses_old_and_foreign_clients(void **state)
{
    static const struct {
        struct raw_opts raw;
        int code;
    } rows[] = {
        {{.max = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0"},
         TLSOCK_E_VERSION_UNSUPPORTED},
        {{.max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA"},
         TLSOCK_E_NO_COMMON_PARAMETERS},
        {{.max = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256"},
         TLSOCK_E_NO_COMMON_PARAMETERS},
    };
    tlsock_config *sc = ca_server(ca_get()->a, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        SSL *ssl = raw_new(CLIENT, &rows[i].raw);
        const char *tells[3] = {NULL};
        struct peer p;

        peer_init(&p);
        raw_on_end(ssl, &p.ends[CLIENT]);
        p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                          TLSOCK_OPTS(.nonblocking = 1), NULL);
        raw_shake(&p, SERVER, ssl, NULL);
        check_error("client", &p.err[SERVER], rows[i].code,
                    TLSOCK_PHASE_HANDSHAKE, tells, NULL);
        raw_free(ssl);
        peer_free(&p);
    }
    tlsock_config_unref(sc);
}

static void failed_connections_stay_failed(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char byte;

    (void)state;
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "b.test"), 0);
    peer_shake(&p);
    assert_code(tlsock_handshake(p.conn[CLIENT]), TLSOCK_E_NAME_MISMATCH);
    assert_true(tlsock_write(p.conn[CLIENT], "secret", 6) < TLSOCK_AGAIN);
    assert_true(tlsock_read(p.conn[CLIENT], &byte, 1) < TLSOCK_AGAIN);
    assert_int_equal(tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_STATE),
                     TLSOCK_STATE_CLOSED);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* The version in the header of a record that is not encrypted yet is the one
 * thing that TLS itself neither reads nor protects (RFC 8446, 5.1). */
static int is_dead_byte(const struct test_pipe *pipe, size_t at)
{
    for (size_t rec = 0; rec + 5 <= pipe->len;) {
        const uint8_t *head = pipe->data + rec;

        if (at == rec + 1 || at == rec + 2)
            return head[0] != 23;
        rec += 5 + ((size_t)head[3] << 8 | head[4]);
    }
    return 0;
}

static void noise_is_never_taken_for_a_peer(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    uint32_t seed = 1;

    (void)state;
    for (int i = 0; i < 300; i++) {
        struct peer p;
        uint8_t noise;
        size_t at;

        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
        peer_step(&p, CLIENT);
        peer_step(&p, SERVER);
        /* one bit of the server's flight is turned */
        seed = seed * 1664525u + 1013904223u;
        noise = (uint8_t)(1u << (seed >> 8 & 7));
        at = (seed >> 11) % p.pipes[SERVER].len;
        if (!is_dead_byte(&p.pipes[SERVER], at)) {
            p.pipes[SERVER].data[at] ^= noise;
            p.pipes[SERVER].ended = 1;
            peer_shake(&p);
            if (p.rc[CLIENT] == 0)
                fail_msg("bit %02x of byte %zu", noise, at);
        }
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_are_refused_with_cause_and_fix),
        cmocka_unit_test(parameters_are_refused_with_cause_and_fix),
        cmocka_unit_test(what_is_no_tls_is_quoted),
        cmocka_unit_test(a_server_names_a_client_that_speaks_no_tls),
        cmocka_unit_test(a_peer_that_hangs_up_after_hello_is_told_apart),
        cmocka_unit_test(nobody_listening_is_told_with_the_address),
        cmocka_unit_test(a_wrong_key_names_both_files),
        cmocka_unit_test(a_server_hears_why_it_was_refused),
        cmocka_unit_test(a_server_refuses_old_and_foreign_clients),
        cmocka_unit_test(failed_connections_stay_failed),
        cmocka_unit_test(noise_is_never_taken_for_a_peer),
    };

    return cmocka_run_group_tests_name("failures", tests, ca_setup_rsa,
                                       ca_teardown);
}
