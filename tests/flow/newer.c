/* What only newer releases of OpenSSL have is used where it is there, with no
 * option set, and is told to be missing where it is not. */
#include "ca.h"
#include "peer.h"

#include <openssl/crypto.h>
#include <string.h>

static int at_least(int major, int minor)
{
    unsigned long wanted = (unsigned long)major << 28 | (unsigned long)minor
                                                            << 20;

    return OpenSSL_version_num() >= wanted;
}

/* The pair is connected, tickets are read. */
static void connect_with(struct peer *p, tlsock_config *cc, tlsock_config *sc)
{
    peer_init(p);
    peer_connect(p, cc, sc, "a.test");
    peer_pingpong(p);
}

static void expect_group(struct peer *p, const char *name, int id)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        assert_string_equal(tlsock_info(p->conn[side], TLSOCK_INFO_GROUP),
                            name);
        assert_int_equal(tlsock_info_int(p->conn[side], TLSOCK_INFO_GROUP), id);
    }
}

static void two_of_us_take_the_hybrid_by_themselves(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    assert_int_equal(tlsock_has("pq"), at_least(3, 5));
    connect_with(&p, cc, sc);
    if (tlsock_has("pq"))
        expect_group(&p, "X25519MLKEM768", 0x11ec);
    else
        expect_group(&p, "X25519", 0x1d);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Who has none is served as ever, whichever side it is. */
static void who_has_none_of_it_is_a_peer_all_the_same(void **state)
{
    (void)state;
    for (int old = CLIENT; old <= SERVER; old++) {
        tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
        struct peer p;

        assert_code(tlsock_config_set(old == CLIENT ? cc : sc, "groups",
                                      "X25519:P-256"),
                    0);
        connect_with(&p, cc, sc);
        expect_group(&p, "X25519", 0x1d);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void whoever_insists_on_it_is_told_what_has_it(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    int rc = tlsock_config_set(cc, "groups", "X25519MLKEM768");
    const tlsock_error *err = tlsock_config_error(cc);
    struct peer p;

    (void)state;
    if (!at_least(3, 5)) {
        assert_code(rc, TLSOCK_E_UNSUPPORTED);
        assert_tells(err->message, "3.5");
        assert_tells(err->message, OpenSSL_version(OPENSSL_VERSION_STRING));
    } else {
        assert_code(rc, 0);
        connect_with(&p, cc, sc);
        expect_group(&p, "X25519MLKEM768", 0x11ec);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

struct seen {
    int plain, compressed;
};

static int count_certificates(const tlsock_event *e, void *arg)
{
    struct seen *seen = arg;
    const unsigned char *p = e->data;

    if (e->type == 22 && e->len != 0 && p[0] == 11)
        seen->plain++;
    if (e->type == 22 && e->len != 0 && p[0] == 25)
        seen->compressed++;
    return 0;
}

/* RFC 8879 */
static void certificates_are_compressed_where_openssl_can(void **state)
{
    static const char *const versions[] = {"1.3", "1.2"};

    (void)state;
    assert_true(!tlsock_has("cert-compression") || at_least(3, 2));
    for (size_t i = 0; i < COUNT(versions); i++) {
        tlsock_config *cc = ca_client("tls.max", versions[i], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        int want = tlsock_has("cert-compression") && i == 0;
        struct seen seen = {0};
        struct peer p;

        assert_code(
            tlsock_config_on(cc, TLSOCK_ON_MESSAGE, count_certificates, &seen),
            0);
        connect_with(&p, cc, sc);
        assert_int_equal(seen.compressed, want);
        assert_int_equal(seen.plain, !want);
        assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                            "chain");
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_of_us_take_the_hybrid_by_themselves),
        cmocka_unit_test(who_has_none_of_it_is_a_peer_all_the_same),
        cmocka_unit_test(whoever_insists_on_it_is_told_what_has_it),
        cmocka_unit_test(certificates_are_compressed_where_openssl_can),
    };

    return cmocka_run_group_tests_name("newer", tests, ca_setup, ca_teardown);
}
