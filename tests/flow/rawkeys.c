/* Keys in place of certificates (RFC 7250): a pin says whose it is, and nothing
 * else does. */
#include "ca.h"
#include "peer.h"

#include <openssl/crypto.h>
#include <string.h>

static char pin_a[96], pin_b[96], pin_cert[96];

static void read_pins(void)
{
    const struct test_ca *ca = ca_get();

    assert_true(tlsock_cert_fingerprint(ca->a, "sha256", 1, pin_a, 96) > 0);
    assert_true(tlsock_cert_fingerprint(ca->b, "sha256", 1, pin_b, 96) > 0);
    assert_true(tlsock_cert_fingerprint(ca->a, "sha256", 0, pin_cert, 96) > 0);
}

static int certificates; /* messages with one, compressed or not */

static int count(const tlsock_event *e, void *arg)
{
    const unsigned char *p = e->data;

    (void)arg;
    /* a bare key of this kind is shorter than any certificate */
    if (e->type == 22 && e->len > 200 && (p[0] == 11 || p[0] == 25))
        certificates++;
    return 0;
}

static int pass(const tlsock_event *e, void *arg)
{
    (void)e;
    (void)arg;
    return 0;
}

static const struct row {
    const char *claim;
    int of_client, of_server; /* raw-public-keys = on */
    const char *pin;
    const char *key, *value; /* of the client's, in addition */
    int hook;
    int bare; /* a key alone comes */
    int code;
} rows[] = {
    {"both want it", 1, 1, pin_a, NULL, NULL, 0, 1, TLSOCK_OK},
    {"and the pin has to fit", 1, 1, pin_b, "pin.mode", "require", 0, 1,
     TLSOCK_E_PIN},
    {"no chain stands in for it", 1, 1, pin_b, NULL, NULL, 0, 1, TLSOCK_E_PIN},
    {"the server does not", 1, 0, pin_a, NULL, NULL, 0, 0, TLSOCK_OK},
    {"the client does not", 0, 1, pin_a, NULL, NULL, 0, 0, TLSOCK_OK},
    {"without a pin nobody could be trusted", 1, 1, NULL, NULL, NULL, 0, 0,
     TLSOCK_OK},
    {"a certificate's pin is of no key", 1, 1, pin_cert, NULL, NULL, 0, 0,
     TLSOCK_OK},
    {"a chain is wanted as well", 1, 1, pin_a, "pin.mode", "require-chain", 0,
     0, TLSOCK_OK},
    {"a hook wants to see who it is", 1, 1, pin_a, NULL, NULL, 1, 0, TLSOCK_OK},
};

static void try(const struct row *row, const char *version)
{
    tlsock_config *cc = ca_client("tls.max", version, NULL);
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    int rc;

    if (row->of_client)
        assert_code(tlsock_config_set(cc, "raw-public-keys", "on"), 0);
    if (row->of_server)
        assert_code(tlsock_config_set(sc, "raw-public-keys", "on"), 0);
    if (row->pin != NULL)
        assert_code(tlsock_config_add_pin(cc, row->pin), 0);
    if (row->key != NULL)
        assert_code(tlsock_config_set(cc, row->key, row->value), 0);
    if (row->hook)
        assert_code(tlsock_config_on(cc, TLSOCK_ON_VERIFY, pass, NULL), 0);
    assert_code(tlsock_config_on(cc, TLSOCK_ON_MESSAGE, count, NULL), 0);
    certificates = 0;
    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, "a.test"), 0);
    rc = peer_shake(&p);
    if (p.rc[CLIENT] != row->code || (rc == 0) != (row->code == 0))
        fail_msg("%s, TLS %s: %d %s", row->claim, version, p.rc[CLIENT],
                 p.err[CLIENT].message);
    if (certificates != !row->bare)
        fail_msg("%s, TLS %s: %d certificates", row->claim, version,
                 certificates);
    if (rc == 0) {
        const char *how = tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED);

        if ((strstr(how, "(raw public key)") != NULL) != row->bare)
            fail_msg("%s, TLS %s: %s", row->claim, version, how);
        peer_pingpong(&p);
    } else {
        assert_int_equal(p.err[CLIENT].phase, TLSOCK_PHASE_VERIFY);
        assert_tells(p.err[CLIENT].presented, pin_a);
        assert_tells(p.err[CLIENT].hint, pin_a);
        assert_tells(p.err[CLIENT].expected, pin_b);
    }
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_key_is_taken_for_its_pin_and_for_nothing_else(void **state)
{
    static const char *const versions[] = {"1.3", "1.2"};

    (void)state;
    read_pins();
    for (size_t v = 0; v < COUNT(versions); v++)
        for (size_t i = 0; i < COUNT(rows); i++)
            try(&rows[i], versions[v]);
}

/* The session says by what it was won. */
static void whoever_was_known_by_a_key_comes_back_as_that(void **state)
{
    tlsock_config *cc = ca_client("raw-public-keys", "on", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, "raw-public-keys", "on", NULL);
    struct peer p;

    (void)state;
    assert_code(tlsock_config_add_pin(cc, pin_a), 0);
    for (int again = 0; again < 2; again++) {
        const char *how;

        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        peer_pingpong(&p);
        assert_int_equal(tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED),
                         again);
        how = tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED);
        assert_tells(how, "(raw public key)");
        assert_int_equal(strstr(how, "(resumed)") != NULL, again);
        assert_null(tlsock_peer_cert(p.conn[CLIENT]));
        peer_close(&p);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void an_older_openssl_says_what_has_them(void **state)
{
    tlsock_config *c = tlsock_config_new();
    const tlsock_error *err = tlsock_config_error(c);

    (void)state;
    assert_code(tlsock_config_set(c, "raw-public-keys", "on"),
                TLSOCK_E_UNSUPPORTED);
    assert_tells(err->message, "3.2");
    assert_tells(err->message, OpenSSL_version(OPENSSL_VERSION_STRING));
    assert_tells(err->hint, "?raw-public-keys");
    assert_code(tlsock_config_set(c, "raw-public-keys", "off"), 0);
    assert_code(tlsock_config_set(c, "?raw-public-keys", "on"), 0);
    tlsock_config_unref(c);
}

int main(void)
{
    const struct CMUnitTest there[] = {
        cmocka_unit_test(a_key_is_taken_for_its_pin_and_for_nothing_else),
        cmocka_unit_test(whoever_was_known_by_a_key_comes_back_as_that),
    };
    const struct CMUnitTest missing[] = {
        cmocka_unit_test(an_older_openssl_says_what_has_them),
    };

    if (tlsock_has("raw-public-keys") !=
        (OpenSSL_version_num() >= 0x30200000UL))
        return 1;
    return tlsock_has("raw-public-keys")
               ? cmocka_run_group_tests_name("rawkeys", there, ca_setup,
                                             ca_teardown)
               : cmocka_run_group_tests_name("rawkeys", missing, ca_setup,
                                             ca_teardown);
}
