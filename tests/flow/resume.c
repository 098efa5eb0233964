/* Sessions are offered again by default, and only to whom they belong. */
#include "ca.h"
#include "peer.h"

#include <sys/socket.h>

static const char *const versions[] = {"1.2", "1.3"};

/* One connection with data both ways and a clean end: was it resumed? */
static int once(tlsock_config *cc, tlsock_config *sc, const char *name)
{
    struct peer p;
    int resumed;

    peer_init(&p);
    peer_connect(&p, cc, sc, name);
    peer_pingpong(&p);
    resumed = (int)tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED);
    assert_int_equal(tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_RESUMED),
                     resumed);
    assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_RESUMED),
                        resumed ? "yes" : "no");
    assert_memory_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                        "chain", 5);
    peer_close(&p);
    peer_free(&p);
    return resumed;
}

static void the_second_connection_resumes(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);

        assert_int_equal(once(cc, sc, "a.test"), 0);
        for (int i = 0; i < 5; i++)
            assert_int_equal(once(cc, sc, "a.test"), 1);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void sessions_can_be_switched_off(void **state)
{
    static const struct {
        const char *session, *tickets;
        int want;
    } rows[] = {{"on", "on", 1}, {"off", "on", 0}, {"on", "off", 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        tlsock_config *cc = ca_client("tls.max", versions[i % 2], "session",
                                      rows[i / 2].session, NULL);
        tlsock_config *sc = ca_server(ca_get()->a, "tickets",
                                      rows[i / 2].tickets, NULL);

        once(cc, sc, "a.test");
        /* without tickets a TLS 1.2 server may still keep state */
        if (rows[i / 2].want || strcmp(rows[i / 2].session, "off") == 0)
            assert_int_equal(once(cc, sc, "a.test"), rows[i / 2].want);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_session_of_one_name_is_not_for_another(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        struct peer p;

        once(cc, sc, "a.test");
        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, "b.test"), 0);
        peer_shake(&p);
        assert_code(p.rc[CLIENT], TLSOCK_E_NAME_MISMATCH);
        peer_free(&p);
        assert_int_equal(once(cc, sc, "a.test"), 1);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_session_of_one_trust_is_not_for_another(void **state)
{
    tlsock_config *cc = ca_client(NULL), *none = tlsock_config_new();
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    once(cc, sc, "a.test");
    assert_int_equal(tlsock_config_add_trust(none, "none"), 0);
    peer_init(&p);
    assert_int_equal(peer_open(&p, none, sc, "a.test"), 0);
    peer_shake(&p);
    assert_true(p.rc[CLIENT] <= TLSOCK_E_CHAIN_INCOMPLETE);
    peer_free(&p);
    tlsock_config_unref(none);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_tls13_ticket_is_used_once(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p[2];
    int resumed = 0;

    (void)state;
    once(cc, sc, "a.test");
    for (int i = 0; i < 2; i++) {
        peer_init(&p[i]);
        assert_int_equal(peer_open(&p[i], cc, sc, "a.test"), 0);
        peer_step(&p[i], CLIENT); /* both hellos are out before any ticket */
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(peer_shake(&p[i]), 0);
        resumed +=
            (int)tlsock_info_int(p[i].conn[CLIENT], TLSOCK_INFO_RESUMED);
        peer_free(&p[i]);
    }
    assert_int_equal(resumed, 1);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_server_that_forgot_is_asked_in_full(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        tlsock_config *one = ca_server(ca_get()->a, NULL);
        tlsock_config *two = ca_server(ca_get()->a, NULL);

        once(cc, one, "a.test");
        assert_int_equal(once(cc, two, "a.test"), 0);
        assert_int_equal(once(cc, two, "a.test"), 1);
        tlsock_config_unref(cc);
        tlsock_config_unref(one);
        tlsock_config_unref(two);
    }
}

/* close() without reading the reply, abandon(), a failed verification */
static void every_way_to_end_leaves_a_usable_config(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);

        for (int way = 0; way < 4; way++) {
            struct peer p;

            peer_init(&p);
            peer_connect(&p, cc, sc, "a.test");
            if (way & 1)
                peer_pingpong(&p);
            if (way & 2) {
                tlsock_close(p.conn[CLIENT]);
                p.conn[CLIENT] = NULL;
            }
            peer_free(&p);
            once(cc, sc, "a.test");
            assert_int_equal(once(cc, sc, "a.test"), 1);
        }
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_ticket_that_waits_unread_is_kept_at_close(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_say(&p, CLIENT, "only there", 10);
    assert_code(tlsock_flush(p.conn[SERVER]), TLSOCK_OK);
    assert_code(tlsock_close(p.conn[CLIENT]), TLSOCK_OK);
    p.conn[CLIENT] = NULL;
    peer_free(&p);
    assert_int_equal(once(cc, sc, "a.test"), 1);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void resumption_survives_client_authentication(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, "client-auth", "require",
                                      NULL);

        assert_int_equal(tlsock_config_add_cert(cc, ca_get()->client), 0);
        assert_int_equal(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
        assert_int_equal(once(cc, sc, "a.test"), 0);
        assert_int_equal(once(cc, sc, "a.test"), 1);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_connection_resumes),
        cmocka_unit_test(sessions_can_be_switched_off),
        cmocka_unit_test(a_session_of_one_name_is_not_for_another),
        cmocka_unit_test(a_session_of_one_trust_is_not_for_another),
        cmocka_unit_test(a_tls13_ticket_is_used_once),
        cmocka_unit_test(a_server_that_forgot_is_asked_in_full),
        cmocka_unit_test(every_way_to_end_leaves_a_usable_config),
        cmocka_unit_test(a_ticket_that_waits_unread_is_kept_at_close),
        cmocka_unit_test(resumption_survives_client_authentication),
    };

    return cmocka_run_group_tests_name("resume", tests, ca_setup, ca_teardown);
}
