/* ALPN: the server's order decides; without a common protocol it goes on, but
 * not where somebody insists on one. */
#include "ca.h"
#include "raw.h"

static void protocols_are_agreed(void **state)
{
    static const struct {
        const char *client, *server, *creq, *sreq, *got;
        int ccode, scode;
    } rows[] = {
        {"h2,http/1.1", "http/1.1,h2", NULL, NULL, "http/1.1", 0, 0},
        {"h2", "h2", NULL, NULL, "h2", 0, 0},
        {"h2", "h2", "on", "on", "h2", 0, 0},
        {"h2", NULL, NULL, NULL, "", 0, 0},
        {NULL, "h2", NULL, NULL, "", 0, 0},
        {NULL, NULL, NULL, NULL, "", 0, 0},
        {"h2", "imap", NULL, NULL, "", 0, 0},
        {"h2", "imap", NULL, "on", NULL, TLSOCK_E_ALPN, TLSOCK_E_ALPN},
        {NULL, "imap", NULL, "on", NULL, 0, TLSOCK_E_ALPN},
        {"h2", "imap", "on", NULL, NULL, TLSOCK_E_ALPN, 0},
        {"h2", NULL, "on", NULL, NULL, TLSOCK_E_ALPN, 0},
    };
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        const size_t r = i / 2;
        tlsock_config *cc = ca_client("tls.max", versions[i % 2], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        struct peer p;

        if (rows[r].client != NULL)
            assert_code(tlsock_config_set(cc, "alpn", rows[r].client), 0);
        if (rows[r].creq != NULL)
            assert_code(tlsock_config_set(cc, "alpn.required", rows[r].creq),
                        0);
        if (rows[r].sreq != NULL)
            assert_code(tlsock_config_set(sc, "alpn.required", rows[r].sreq),
                        0);
        if (rows[r].server != NULL)
            assert_code(tlsock_config_set(sc, "alpn", rows[r].server), 0);
        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
        peer_shake(&p);
        assert_code(p.rc[CLIENT], rows[r].ccode);
        if (rows[r].scode != 0)
            assert_code(p.rc[SERVER], rows[r].scode);
        if (rows[r].got != NULL)
            for (int side = CLIENT; side <= SERVER; side++)
                assert_string_equal(
                    tlsock_info(p.conn[side], TLSOCK_INFO_ALPN), rows[r].got);
        else
            assert_true(p.err[rows[r].ccode == 0].hint[0] != '\0');
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_foreign_server_s_choice_is_seen(void **state)
{
    tlsock_config *cc = ca_client("alpn", "h2,http/1.1", NULL);
    struct raw_opts raw = {.cert = ca_get()->a, .alpn = "http/1.1"};
    SSL *ssl = raw_new(SERVER, &raw);
    struct peer p;

    (void)state;
    peer_init(&p);
    raw_on_end(ssl, &p.ends[SERVER]);
    assert_int_equal(peer_open(&p, cc, NULL, "a.test"), 0);
    assert_code(raw_shake(&p, CLIENT, ssl, NULL), TLSOCK_OK);
    assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_ALPN),
                        "http/1.1");
    raw_free(ssl);
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void a_resumed_session_agrees_anew(void **state)
{
    tlsock_config *cc = ca_client("alpn", "h2", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "alpn", "h2", NULL);

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct peer p;

        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        peer_pingpong(&p);
        assert_int_equal(tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED),
                         i > 0);
        assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_ALPN),
                            "h2");
        peer_close(&p);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocols_are_agreed),
        cmocka_unit_test(a_foreign_server_s_choice_is_seen),
        cmocka_unit_test(a_resumed_session_agrees_anew),
    };

    return cmocka_run_group_tests_name("alpn", tests, ca_setup, ca_teardown);
}
