/* Client certificates: none, asked for, required; over TLS 1.2, where the
 * refusal comes in the handshake, and TLS 1.3, where it comes after it. */
#include "ca.h"
#include "raw.h"

static const char *const versions[] = {"1.2", "1.3"};

struct row {
    const char *mode;
    tlsock_cert *cert; /* the client's */
    int client, server;
    const char *verified; /* by the server */
};

/* The client's verdict is known once it has read. */
static int client_result(struct peer *p)
{
    char byte;

    if (p->rc[CLIENT] != 0)
        return p->rc[CLIENT];
    p->rc[CLIENT] = (int)tlsock_read(p->conn[CLIENT], &byte, 1);
    p->err[CLIENT] = *tlsock_last_error(p->conn[CLIENT]);
    return p->rc[CLIENT] == TLSOCK_AGAIN ? 0 : p->rc[CLIENT];
}

static void play(const struct row *row, const char *version)
{
    tlsock_config *cc = ca_client("tls.max", version, NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "client-auth", row->mode, NULL);
    struct peer p;

    assert_int_equal(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
    if (row->cert != NULL)
        assert_code(tlsock_config_add_cert(cc, row->cert), TLSOCK_OK);
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
    peer_shake(&p);
    assert_code(client_result(&p), row->client);
    assert_code(p.rc[SERVER], row->server);
    if (row->client != 0)
        assert_true(p.err[CLIENT].hint[0] != '\0');
    if (row->server != 0)
        assert_true(p.err[SERVER].hint[0] != '\0');
    else
        assert_memory_equal(
            tlsock_info(p.conn[SERVER], TLSOCK_INFO_VERIFIED), row->verified,
            strlen(row->verified) + 1 > 5 ? 5 : strlen(row->verified) + 1);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void certificates_are_asked_for_and_judged(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct row rows[] = {
        {"none", NULL, 0, 0, ""},
        {"none", ca->client, 0, 0, ""},
        {"ask", NULL, 0, 0, ""},
        {"ask", ca->client, 0, 0, "chain"},
        {"require", ca->client, 0, 0, "chain"},
        {"require", NULL, TLSOCK_E_CLIENT_CERT_REQUIRED,
         TLSOCK_E_CLIENT_CERT_MISSING, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++)
        play(&rows[i / 2], versions[i % 2]);
}

static void unfit_certificates_are_refused(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        tlsock_cert *cert;
        int server;
    } rows[] = {
        {ca->a, TLSOCK_E_PURPOSE}, /* for servers only */
        {ca->expired_client, TLSOCK_E_EXPIRED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct raw_opts raw = {.cert = rows[i / 2].cert,
                               .name = "a.test",
                               .max = i % 2 ? TLS1_3_VERSION : TLS1_2_VERSION};
        tlsock_config *sc = ca_server(ca->a, "client-auth", "require", NULL);
        SSL *ssl = raw_new(CLIENT, &raw);
        struct peer p;

        assert_int_equal(tlsock_config_add_trust(sc, ca->root_pem), 0);
        peer_init(&p);
        raw_on_end(ssl, &p.ends[CLIENT]);
        p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                          TLSOCK_OPTS(.nonblocking = 1), NULL);
        raw_shake(&p, SERVER, ssl, NULL);
        assert_code(p.rc[SERVER], rows[i / 2].server);
        assert_int_equal(p.err[SERVER].phase, TLSOCK_PHASE_VERIFY);
        raw_free(ssl);
        peer_free(&p);
        tlsock_config_unref(sc);
    }
}

static void a_stranger_gets_the_chain_s_code(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        tlsock_config *sc =
            ca_server(ca_get()->a, "client-auth", "require", NULL);
        struct peer p;

        assert_int_equal(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
        assert_code(tlsock_config_add_cert(cc, ca_get()->stranger_client),
                    TLSOCK_OK);
        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
        peer_shake(&p);
        assert_true(p.rc[SERVER] == TLSOCK_E_CHAIN_INCOMPLETE ||
                    p.rc[SERVER] == TLSOCK_E_UNTRUSTED_ROOT ||
                    p.rc[SERVER] == TLSOCK_E_CLIENT_CERT_MISSING);
        assert_code(client_result(&p), TLSOCK_E_CLIENT_CERT_REQUIRED);
        assert_true(p.err[CLIENT].hint[0] != '\0');
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_server_must_say_whom_it_trusts(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, "client-auth", "require", NULL);
    struct peer p;

    (void)state;
    /* nobody: then nobody gets in, and nothing crashes */
    assert_int_equal(tlsock_config_add_trust(sc, "none"), 0);
    peer_init(&p);
    p.conn[SERVER] =
        tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                         TLSOCK_OPTS(.nonblocking = 1), &p.err[SERVER]);
    if (p.conn[SERVER] != NULL) {
        struct raw_opts raw = {.cert = ca_get()->client, .name = "a.test"};
        SSL *ssl = raw_new(CLIENT, &raw);

        raw_on_end(ssl, &p.ends[CLIENT]);
        assert_true(raw_shake(&p, SERVER, ssl, NULL) < TLSOCK_AGAIN);
        raw_free(ssl);
    }
    assert_true(p.err[SERVER].hint[0] != '\0');
    peer_free(&p);
    tlsock_config_unref(sc);
}

static void who_has_shown_none_has_none(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_null(tlsock_own_cert(p.conn[CLIENT]));
    assert_null(tlsock_peer_cert(p.conn[SERVER]));
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void both_know_each_other_s_certificate(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "client-auth", "require", NULL);
    tlsock_cert *theirs, *own;
    struct peer p;

    (void)state;
    assert_int_equal(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
    assert_int_equal(tlsock_config_add_cert(cc, ca_get()->client), 0);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    for (int side = CLIENT; side <= SERVER; side++) {
        theirs = tlsock_peer_cert(p.conn[side]);
        own = tlsock_own_cert(p.conn[!side]);
        assert_non_null(theirs);
        assert_non_null(own);
        assert_string_equal(tlsock_cert_field(theirs, TLSOCK_CERT_SHA256),
                            tlsock_cert_field(own, TLSOCK_CERT_SHA256));
        tlsock_cert_unref(theirs);
        tlsock_cert_unref(own);
    }
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_are_asked_for_and_judged),
        cmocka_unit_test(unfit_certificates_are_refused),
        cmocka_unit_test(a_stranger_gets_the_chain_s_code),
        cmocka_unit_test(a_server_must_say_whom_it_trusts),
        cmocka_unit_test(who_has_shown_none_has_none),
        cmocka_unit_test(both_know_each_other_s_certificate),
    };

    return cmocka_run_group_tests_name("client auth", tests, ca_setup,
                                       ca_teardown);
}
