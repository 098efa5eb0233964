/* Pins: a fingerprint may stand in for a chain, or be asked for on top. */
#include "ca.h"
#include "peer.h"

static void pins_do_what_their_mode_says(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        const char *mode;
        tlsock_cert *shown, *pinned;
        int of_key;
        const char *name;
        int code;
    } rows[] = {
        {"accept", ca->self_signed, ca->self_signed, 0, "a.test", 0},
        {"accept", ca->self_signed, ca->self_signed, 1, "a.test", 0},
        {"accept", ca->self_signed, ca->self_signed, 1, "other.test", 0},
        {"accept", ca->self_signed, ca->self_signed, 1, NULL, 0},
        {"accept", ca->self_signed, ca->b, 0, "a.test",
         TLSOCK_E_UNTRUSTED_ROOT},
        {"accept", ca->a, ca->b, 0, "a.test", 0}, /* its chain is good */
        {"accept", ca->a, ca->b, 0, "b.test", TLSOCK_E_NAME_MISMATCH},
        {"require", ca->a, ca->a, 1, "a.test", 0},
        {"require", ca->stranger, ca->stranger, 0, "a.test", 0},
        {"require", ca->a, ca->b, 1, "a.test", TLSOCK_E_PIN},
        {"require-chain", ca->a, ca->a, 1, "a.test", 0},
        {"require-chain", ca->a, ca->b, 1, "a.test", TLSOCK_E_PIN},
        {"require-chain", ca->self_signed, ca->self_signed, 1, "a.test",
         TLSOCK_E_UNTRUSTED_ROOT},
        {"require-chain", ca->a, ca->a, 1, "b.test", TLSOCK_E_NAME_MISMATCH},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("pin.mode", rows[i].mode, NULL);
        tlsock_config *sc = ca_server(rows[i].shown, NULL);
        char pin[128];
        struct peer p;

        assert_true(tlsock_cert_fingerprint(rows[i].pinned, "sha256",
                                            rows[i].of_key, pin,
                                            sizeof(pin)) > 0);
        assert_code(tlsock_config_add_pin(cc, pin), TLSOCK_OK);
        for (int again = 0; again < 2; again++) { /* resumed, too */
            peer_init(&p);
            assert_int_equal(peer_open(&p, cc, sc, rows[i].name), 0);
            peer_shake(&p);
            if (p.rc[CLIENT] != rows[i].code)
                fail_msg("row %zu: %s %s", i, tlsock_errname(p.rc[CLIENT]),
                         p.err[CLIENT].message);
            if (rows[i].code == 0)
                peer_pingpong(&p);
            else
                assert_true(p.err[CLIENT].hint[0] != '\0');
            peer_free(&p);
        }
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_pin_is_named_in_info(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    tlsock_config *sc = ca_server(ca_get()->self_signed, NULL);
    struct peer p;

    (void)state;
    assert_code(tlsock_config_add_pin(cc,
                                      tlsock_cert_field(ca_get()->self_signed,
                                                        TLSOCK_CERT_PIN)),
                TLSOCK_OK);
    for (int i = 0; i < 2; i++) {
        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        assert_memory_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                            "pin", 3);
        peer_pingpong(&p);
        peer_close(&p);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_do_what_their_mode_says),
        cmocka_unit_test(a_pin_is_named_in_info),
    };

    return cmocka_run_group_tests_name("pins", tests, ca_setup, ca_teardown);
}
