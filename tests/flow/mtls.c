/* Client certificates beyond yes and no: whom the rules let in, which of
 * several is shown, what a refused client learns, sessions that must not get
 * around a rule, and certificates that are asked for after the handshake. */
#include "ca.h"
#include "sock.h"

#include "cert/cert.h"
#include "core/clock.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <time.h>
#include <tlsock/openssl.h>
#include <unistd.h>

static const char *const versions[] = {"1.2", "1.3"};

struct duo {
    tlsock_config *cc, *sc;
    struct peer p;
};

static void duo_make(struct duo *d, const char *version, const char *mode,
                     const char *rules)
{
    d->cc = ca_client("tls.max", version, NULL);
    d->sc = ca_server(ca_get()->a, "client-auth", mode, NULL);
    assert_int_equal(tlsock_config_add_trust(d->sc, ca_get()->root_pem), 0);
    if (rules != NULL)
        assert_int_equal(tlsock_config_set(d->sc, "client-auth.allow", rules),
                         0);
    peer_init(&d->p);
}

static void duo_free(struct duo *d)
{
    peer_free(&d->p);
    tlsock_config_unref(d->cc);
    tlsock_config_unref(d->sc);
}

/* The client's verdict is known once it has read. */
static int shake(struct duo *d)
{
    struct peer *p = &d->p;
    char byte;

    assert_int_equal(peer_open(p, d->cc, d->sc, "a.test"), 0);
    peer_shake(p);
    if (p->rc[CLIENT] == 0 && p->rc[SERVER] != 0) {
        p->rc[CLIENT] = (int)tlsock_read(p->conn[CLIENT], &byte, 1);
        p->err[CLIENT] = *tlsock_last_error(p->conn[CLIENT]);
    }
    return p->rc[SERVER];
}

static void rules_decide_who_comes_in(void **state)
{
    static const struct {
        const char *mode, *rules;
        int server;
    } rows[] = {
        {"require", "cn:Test Client", 0},
        {"require", "any", 0},
        {"ask", "cn:Test Client", 0},
        {"require", "cn:Somebody, dns:a.test", TLSOCK_E_CLIENT_CERT_DENIED},
        {"ask", "cn:Somebody, dns:a.test", TLSOCK_E_CLIENT_CERT_DENIED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct duo d;

        duo_make(&d, versions[i % 2], rows[i / 2].mode, rows[i / 2].rules);
        assert_int_equal(tlsock_config_add_cert(d.cc, ca_get()->client), 0);
        assert_code(shake(&d), rows[i / 2].server);
        if (rows[i / 2].server != 0) {
            assert_tells(d.p.err[SERVER].expected, "cn:Somebody");
            assert_tells(d.p.err[SERVER].presented, "cn:Test Client");
            assert_int_equal(d.p.err[SERVER].phase, TLSOCK_PHASE_VERIFY);
            assert_code(d.p.rc[CLIENT], TLSOCK_E_CLIENT_CERT_DENIED);
            assert_int_equal(d.p.err[CLIENT].alert, 46);
            assert_tells(d.p.err[CLIENT].message, "Test Client");
            assert_tells(d.p.err[CLIENT].hint, "client-auth.allow");
        }
        duo_free(&d);
    }
}

static void the_systems_cas_let_nobody_in_without_a_rule(void **state)
{
    static const struct {
        const char *mode, *trust, *rules;
        int want;
    } rows[] = {
        {"require", NULL, NULL, TLSOCK_E_OPTION},
        {"ask", "system", NULL, TLSOCK_E_OPTION},
        {"later", "system", NULL, TLSOCK_E_OPTION},
        {"require", "system", "dns:a.test", 0},
        {"require", "system", "any", 0},
        {"require", "own", NULL, 0},
        {"none", NULL, NULL, 0},
        {"none", "own", "any", TLSOCK_E_OPTION},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *sc =
            ca_server(ca_get()->a, "client-auth", rows[i].mode, NULL);
        tlsock_error err = {0};
        tlsock_listener *l;

        if (rows[i].trust != NULL)
            assert_int_equal(
                tlsock_config_add_trust(sc, strcmp(rows[i].trust, "own") == 0
                                                ? ca_get()->root_pem
                                                : rows[i].trust),
                0);
        if (rows[i].rules != NULL)
            assert_int_equal(
                tlsock_config_set(sc, "client-auth.allow", rows[i].rules), 0);
        l = tlsock_listen("127.0.0.1:0", sc, NULL, &err);
        assert_code(err.code, rows[i].want);
        if (rows[i].want != 0)
            assert_tells(err.hint, "client-auth");
        tlsock_listener_free(l);
        tlsock_config_unref(sc);
    }
}

/* Two identities: of a stranger first, then of the CA that is asked for. */
static void the_one_that_is_asked_for_is_shown(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct duo d;

        duo_make(&d, versions[v], "require", NULL);
        assert_int_equal(
            tlsock_config_add_cert(d.cc, ca_get()->stranger_client), 0);
        assert_int_equal(tlsock_config_add_cert(d.cc, ca_get()->client), 0);
        assert_code(shake(&d), TLSOCK_OK);
        assert_string_equal(
            tlsock_info(d.p.conn[CLIENT], TLSOCK_INFO_CLIENT_CAS),
            "CN=Test Root");
        assert_string_equal(
            tlsock_info(d.p.conn[SERVER], TLSOCK_INFO_CLIENT_CAS),
            "CN=Test Root");
        duo_free(&d);
    }
}

static void none_is_shown_if_none_is_asked_for(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct duo d;

        duo_make(&d, versions[v], "require", NULL);
        assert_int_equal(
            tlsock_config_add_cert(d.cc, ca_get()->stranger_client), 0);
        assert_int_equal(
            tlsock_config_add_cert(d.cc, ca_get()->stranger_client), 0);
        assert_code(shake(&d), TLSOCK_E_CLIENT_CERT_MISSING);
        assert_code(d.p.rc[CLIENT], TLSOCK_E_CLIENT_CERT_REQUIRED);
        assert_tells(d.p.err[CLIENT].message, "CN=Test Root; we sent none");
        assert_tells(d.p.err[CLIENT].message, "none of ours");
        assert_string_equal(d.p.err[CLIENT].expected, "CN=Test Root");
        duo_free(&d);
    }
}

static tlsock_cert *keyed(const char *key)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=Keyed", .key = key,
                         .issuer = ca_get()->inter, .purpose = "client"),
        &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

/* P-384 first, Ed25519 second, RSA third: the server takes one of them. */
static void a_key_that_the_server_takes_is_shown(void **state)
{
    static const struct {
        const char *sigalgs, *type;
    } rows[] = {
        {"ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384", "ECDSA P-384"},
        {"ed25519:ecdsa_secp256r1_sha256", "Ed25519"},
        {"ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256", "RSA 2048"},
    };
    tlsock_cert *certs[] = {keyed("ec:P-384"), keyed("ed25519"),
                            keyed("rsa:2048")};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_cert *seen;
        struct duo d;

        duo_make(&d, "1.3", "require", NULL);
        assert_int_equal(tlsock_config_set(d.sc, "sigalgs", rows[i].sigalgs),
                         0);
        d.cc = (tlsock_config_unref(d.cc), ca_client(NULL));
        for (size_t k = 0; k < COUNT(certs); k++)
            assert_int_equal(tlsock_config_add_cert(d.cc, certs[k]), 0);
        assert_code(shake(&d), TLSOCK_OK);
        seen = tlsock_own_cert(d.p.conn[CLIENT]);
        assert_non_null(seen);
        assert_string_equal(tlsock_cert_field(seen, TLSOCK_CERT_KEY_TYPE),
                            rows[i].type);
        tlsock_cert_unref(seen);
        duo_free(&d);
    }
    for (size_t k = 0; k < COUNT(certs); k++)
        tlsock_cert_unref(certs[k]);
}

/* 700 CAs of 100 bytes and more are more than the message can hold. */
static void a_list_too_long_is_left_out(void **state)
{
    char path[] = "/tmp/tlsock-mtls-XXXXXX", cn[65];
    X509 *x = X509_dup(ca_get()->root->leaf);
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    struct duo d;

    (void)state;
    memset(cn, 'x', 64);
    for (int i = 0; i < 700; i++) {
        X509_NAME *name = X509_get_subject_name(x);

        snprintf(cn, sizeof(cn), "%060d", i);
        while (X509_NAME_entry_count(name) > 0)
            X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 0));
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (unsigned char *)cn,
                                   -1, -1, 0);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   (unsigned char *)cn, -1, -1, 0);
        X509_set_issuer_name(x, name);
        ASN1_INTEGER_set(X509_get_serialNumber(x), i + 1);
        assert_true(X509_sign(x, ca_get()->root->key, EVP_sha256()) > 0);
        assert_int_equal(PEM_write_X509(f, x), 1);
    }
    assert_int_equal(fclose(f), 0);
    for (size_t v = 0; v < COUNT(versions); v++) {
        duo_make(&d, versions[v], "require", NULL);
        assert_int_equal(tlsock_config_add_trust(d.sc, path), 0);
        assert_int_equal(tlsock_config_add_cert(d.cc, ca_get()->client), 0);
        assert_code(shake(&d), TLSOCK_OK);
        assert_string_equal(
            tlsock_info(d.p.conn[CLIENT], TLSOCK_INFO_CLIENT_CAS), "");
        duo_free(&d);
    }
    unlink(path);
    X509_free(x);
}

/* A server that refuses with an alert of the test's choice: libssl makes it of
 * the error that a verify callback leaves. */
static int refuse(X509_STORE_CTX *ctx, void *arg)
{
    X509_STORE_CTX_set_error(ctx, *(int *)arg);
    return 0;
}

static const struct alert_row {
    int x509, alert, code;
    const char *says;
} alerts[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, 45, TLSOCK_E_CLIENT_CERT_DENIED, "clocks"},
    {X509_V_ERR_CERT_REVOKED, 44, TLSOCK_E_CLIENT_CERT_DENIED, "revoked"},
    {X509_V_ERR_INVALID_PURPOSE, 43, TLSOCK_E_CLIENT_CERT_DENIED, "purpose"},
    {X509_V_ERR_PERMITTED_VIOLATION, 46, TLSOCK_E_CLIENT_CERT_DENIED,
     "let it in"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, 51, TLSOCK_E_CLIENT_CERT_DENIED,
     "signature"},
    {X509_V_ERR_HOSTNAME_MISMATCH, 42, TLSOCK_E_CLIENT_CERT_REQUIRED, "log"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, 48, TLSOCK_E_CLIENT_CERT_REQUIRED,
     "trusts"},
    {X509_V_ERR_APPLICATION_VERIFICATION, 40, TLSOCK_E_CLIENT_CERT_REQUIRED,
     "log"},
};

static void play_alert(const struct alert_row *row, int tls13)
{
    struct raw_opts raw = {.cert = ca_get()->a,
                           .want_client = SSL_VERIFY_PEER,
                           .max = tls13 ? 0 : TLS1_2_VERSION};
    SSL *ssl = raw_new(SERVER, &raw);
    tlsock_config *cc = ca_client(NULL);
    int x509 = row->x509;
    struct peer p;
    char byte;

    SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(ssl), refuse, &x509);
    assert_int_equal(tlsock_config_add_cert(cc, ca_get()->client), 0);
    peer_init(&p);
    raw_on_end(ssl, &p.ends[SERVER]);
    p.conn[CLIENT] = tlsock_client_io(&peer_io, &p.ends[CLIENT], "a.test", cc,
                                      TLSOCK_OPTS(.nonblocking = 1), NULL);
    raw_shake(&p, CLIENT, ssl, NULL);
    if (tls13) { /* said after our handshake was done */
        assert_code(p.rc[CLIENT], TLSOCK_OK);
        p.rc[CLIENT] = (int)tlsock_read(p.conn[CLIENT], &byte, 1);
        p.err[CLIENT] = *tlsock_last_error(p.conn[CLIENT]);
    }
    assert_code(p.rc[CLIENT], row->code);
    assert_int_equal(p.err[CLIENT].alert, row->alert);
    assert_int_equal(p.err[CLIENT].alert_from_peer, 1);
    assert_tells(p.err[CLIENT].message, "our certificate \"Test Client\"");
    assert_tells(p.err[CLIENT].message, "issued by \"Test Intermediate\"");
    assert_tells(p.err[CLIENT].hint, row->says);
    raw_free(ssl);
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void each_alert_is_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(alerts) * 2; i++)
        play_alert(&alerts[i / 2], i % 2);
}

/* What is wrong with our certificate we can see ourselves. */
static void our_own_fault_is_told_first(void **state)
{
    const struct {
        tlsock_cert *cert;
        const char *says;
    } rows[] = {
        {ca_get()->stranger_client, "which the server does not ask for"},
        {ca_get()->a, "not made for clients"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct duo d;

        duo_make(&d, versions[i % 2], "require", NULL);
        assert_int_equal(tlsock_config_add_cert(d.cc, rows[i / 2].cert), 0);
        assert_true(shake(&d) < TLSOCK_AGAIN);
        assert_true(d.p.rc[CLIENT] == TLSOCK_E_CLIENT_CERT_REQUIRED ||
                    d.p.rc[CLIENT] == TLSOCK_E_CLIENT_CERT_DENIED);
        assert_tells(d.p.err[CLIENT].hint, rows[i / 2].says);
        duo_free(&d);
    }
}

/* The server has refused and is gone: our next write fails, and tells why. */
static void refuse_and_reset(int fd, void *config)
{
    tlsock_error err = {0};
    tlsock *s = tlsock_server_fd(
        fd, config, TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD), &err);

    assert_non_null(s);
    assert_code(tlsock_handshake(s), TLSOCK_E_CLIENT_CERT_MISSING);
    tlsock_close(s);
    sock_reset(dup(fd));
    shutdown(fd, SHUT_RDWR);
}

static void a_failed_write_still_tells_the_refusal(void **state)
{
    struct sock_thread server;
    struct duo d;
    char data[65536] = "";
    ssize_t n = 0;
    int fds[2];
    tlsock *s;

    (void)state;
    duo_make(&d, "1.3", "require", NULL);
    sock_tcp_pair(fds);
    sock_run(&server, fds[1], refuse_and_reset, d.sc);
    s = tlsock_client_fd(fds[0], "a.test", d.cc, NULL, NULL);
    assert_non_null(s);
    sock_wait(&server); /* by now it has refused, and closed */
    for (int i = 0; i < 1000 && n >= 0; i++)
        n = tlsock_write(s, data, sizeof(data));
    assert_code(n, TLSOCK_E_CLIENT_CERT_REQUIRED);
    assert_int_equal(tlsock_last_error(s)->alert, 116);
    assert_int_equal(tlsock_last_error(s)->phase, TLSOCK_PHASE_WRITE);
    tlsock_close(s);
    duo_free(&d);
}

static void share_secret(tlsock_config *sc)
{
    assert_int_equal(setenv("SECRET", "9d7c1a5be0f34286bb17e7c5d20a4f6e", 1),
                     0);
    assert_int_equal(tlsock_config_set(sc, "tickets.secret", "env:SECRET"), 0);
}

/* The same client config twice; the second time against other rules. */
static int resumed_under(const char *version, const char *rules, int *resumed)
{
    struct duo d;
    int rc;

    duo_make(&d, version, "require", "any");
    share_secret(d.sc);
    assert_int_equal(tlsock_config_add_cert(d.cc, ca_get()->client), 0);
    assert_code(shake(&d), TLSOCK_OK);
    peer_pingpong(&d.p);
    peer_close(&d.p);
    peer_free(&d.p);
    peer_init(&d.p);
    if (rules != NULL) { /* another one that opens the old one's tickets */
        tlsock_config *sc = ca_server(ca_get()->a, "client-auth", "require",
                                      "client-auth.allow", rules, NULL);

        assert_int_equal(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
        share_secret(sc);
        tlsock_config_unref(d.sc);
        d.sc = sc;
    }
    rc = shake(&d);
    *resumed =
        rc == 0 && tlsock_info_int(d.p.conn[SERVER], TLSOCK_INFO_RESUMED) == 1;
    if (*resumed)
        assert_string_equal(tlsock_info(d.p.conn[SERVER], TLSOCK_INFO_VERIFIED),
                            "chain (resumed)");
    duo_free(&d);
    return rc;
}

static void a_ticket_does_not_get_around_a_rule(void **state)
{
    int resumed;

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        assert_code(resumed_under(versions[v], NULL, &resumed), TLSOCK_OK);
        assert_int_equal(resumed, 1);
        assert_code(resumed_under(versions[v], "any", &resumed), TLSOCK_OK);
        assert_int_equal(resumed, 1); /* the same rules */
        assert_code(resumed_under(versions[v], "cn:Test Client", &resumed),
                    TLSOCK_OK);
        assert_int_equal(resumed, 0); /* judged anew, and welcome */
        assert_code(resumed_under(versions[v], "cn:Somebody", &resumed),
                    TLSOCK_E_CLIENT_CERT_DENIED);
    }
}

/* Rules of the same name for their sessions are still other rules. */
static void a_context_of_ones_own_does_not_hide_rules(void **state)
{
    unsigned char ids[2][32];

    (void)state;
    for (int i = 0; i < 2; i++) {
        tlsock_config *sc = ca_server(
            ca_get()->a, "client-auth", "require", "session-id-context", "x",
            "client-auth.allow", i ? "any" : "cn:Test Client", NULL);
        tlsock_config *cc = ca_client(NULL);
        const unsigned char *id;
        unsigned int len = 0;
        struct peer p;

        assert_int_equal(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
        assert_int_equal(tlsock_config_add_cert(cc, ca_get()->client), 0);
        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        id = SSL_SESSION_get0_id_context(
            SSL_get_session(tlsock_get_ssl(p.conn[SERVER])), &len);
        assert_int_equal(len, 32);
        memcpy(ids[i], id, 32);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
    assert_memory_not_equal(ids[0], ids[1], 32);
}

static int64_t later;

static int64_t wall(void)
{
    return later;
}

static tlsock_cert *client_until(int64_t when)
{
    tlsock_error err;
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = "CN=Test Client", .purpose = "client",
                         .issuer = ca_get()->inter, .not_after = when),
        &err);

    if (c == NULL)
        fail_msg("%s", err.message);
    return c;
}

/* By a ticket, or by an id that the server remembers (TLS 1.2): the chain was
 * judged when the session was made, and what has expired since is out. */
static void a_session_does_not_outlive_the_clients_certificate(void **state)
{
    static const char *const rows[][2] = {
        {"1.3", "on"}, {"1.3", "off"}, {"1.2", "on"}, {"1.2", "off"}};
    tlsock_cert *shown = client_until(time(NULL) + 600);

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        int expired = i % 2 == 1;
        struct duo d;

        duo_make(&d, rows[i / 2][0], "require", "any");
        assert_code(tlsock_config_set(d.sc, "tickets", rows[i / 2][1]), 0);
        assert_int_equal(tlsock_config_add_cert(d.cc, shown), 0);
        assert_code(shake(&d), TLSOCK_OK);
        peer_pingpong(&d.p);
        peer_close(&d.p);
        peer_free(&d.p);
        peer_init(&d.p);
        later = time(NULL) + (expired ? 1200 : 60);
        tsk_clock_wall = wall;
        assert_code(shake(&d), expired ? TLSOCK_E_EXPIRED : TLSOCK_OK);
        tsk_clock_wall = NULL;
        if (expired)
            assert_tells(d.p.err[SERVER].message, "expired");
        else
            assert_int_equal(
                tlsock_info_int(d.p.conn[SERVER], TLSOCK_INFO_RESUMED), 1);
        duo_free(&d);
    }
    tlsock_cert_unref(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_decide_who_comes_in),
        cmocka_unit_test(the_systems_cas_let_nobody_in_without_a_rule),
        cmocka_unit_test(the_one_that_is_asked_for_is_shown),
        cmocka_unit_test(none_is_shown_if_none_is_asked_for),
        cmocka_unit_test(a_key_that_the_server_takes_is_shown),
        cmocka_unit_test(a_list_too_long_is_left_out),
        cmocka_unit_test(each_alert_is_a_reason),
        cmocka_unit_test(our_own_fault_is_told_first),
        cmocka_unit_test(a_failed_write_still_tells_the_refusal),
        cmocka_unit_test(a_ticket_does_not_get_around_a_rule),
        cmocka_unit_test(a_session_does_not_outlive_the_clients_certificate),
        cmocka_unit_test(a_context_of_ones_own_does_not_hide_rules),
    };

    return cmocka_run_group_tests_name("mtls", tests, ca_setup, ca_teardown);
}
