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
    assert_code(
        tlsock_config_add_pin(
            cc, tlsock_cert_field(ca_get()->self_signed, TLSOCK_CERT_PIN)),
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

static const char *pin_of(const tlsock_cert *c)
{
    return tlsock_cert_field(c, TLSOCK_CERT_PIN);
}

static int shake(tlsock_config *cc, tlsock_cert *shown, const char *name,
                 char verified[160], tlsock_error *err)
{
    tlsock_config *sc = ca_server(shown, NULL);
    struct peer p;
    int rc;

    peer_init(&p);
    rc = peer_open(&p, cc, sc, name);
    if (rc == 0) {
        peer_shake(&p);
        rc = p.rc[CLIENT];
    }
    *err = p.err[CLIENT];
    snprintf(verified, 160, "%s",
             rc == 0 ? tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED) : "");
    peer_free(&p);
    tlsock_config_unref(sc);
    return rc;
}

/* What one peer is accepted or refused for says nothing of the next. */
static void valid_and_pinned_peers_take_turns_on_one_config(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        tlsock_cert *shown;
        const char *name, *verified;
        int code;
    } turns[] = {
        {ca->a, "a.test", "chain", 0},
        {ca->self_signed, "a.test", "pin ", 0},
        {ca->b, "b.test", "chain", 0},
        {ca->stranger, "a.test", "", TLSOCK_E_CHAIN_INCOMPLETE},
        {ca->b, "b.test", "chain", 0},
        {ca->b, "a.test", "", TLSOCK_E_NAME_MISMATCH},
        {ca->self_signed, "other.test", "pin ", 0},
        {ca->a, "a.test", "chain", 0},
    };
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);

        assert_code(tlsock_config_add_pin(cc, pin_of(ca->self_signed)), 0);
        for (size_t i = 0; i < 3 * COUNT(turns); i++) {
            size_t at = i % COUNT(turns);
            char verified[160];
            tlsock_error err;
            int rc = shake(cc, turns[at].shown, turns[at].name, verified, &err);

            if (rc != turns[at].code)
                fail_msg("turn %zu: %s", i, err.message);
            assert_memory_equal(verified, turns[at].verified,
                                strlen(turns[at].verified));
        }
        tlsock_config_unref(cc);
    }
}

static void a_list_in_one_text_is_as_good_as_single_pins(void **state)
{
    const struct test_ca *ca = ca_get();
    tlsock_config *cc = ca_client("pin.mode", "require", NULL);
    char list[400], verified[160];
    tlsock_error err;

    (void)state;
    snprintf(list, sizeof(list), "%s; %s\n", pin_of(ca->b),
             pin_of(ca->self_signed));
    assert_code(tlsock_config_add_pin(cc, list), 0);
    assert_code(tlsock_config_add_pin(cc, ";,"), TLSOCK_E_ARGUMENT);
    /* one that is wrong, and none of them counts */
    snprintf(list, sizeof(list), "%s,sha256:12", pin_of(ca->a));
    assert_code(tlsock_config_add_pin(cc, list), TLSOCK_E_OPTION);
    assert_code(shake(cc, ca->b, "b.test", verified, &err), 0);
    assert_code(shake(cc, ca->self_signed, "a.test", verified, &err), 0);
    assert_code(shake(cc, ca->a, "a.test", verified, &err), TLSOCK_E_PIN);
    tlsock_config_unref(cc);
}

static void an_issuers_pin_needs_its_mode_and_the_error_says_so(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        const char *mode;
        tlsock_cert *shown, *pinned;
        const char *name;
        int code;
        const char *tells; /* the hint, or VERIFIED */
    } rows[] = {
        {"require-chain", ca->a, ca->inter, "a.test", 0, "chain and pin sha2"},
        {"require-chain", ca->a, ca->root, "a.test", 0, "chain and pin sha2"},
        {"require-chain", ca->a, ca->stranger_root, "a.test", TLSOCK_E_PIN,
         "sha256:"},
        {"require", ca->a, ca->inter, "a.test", TLSOCK_E_PIN,
         "intermediate \"Test Inter"},
        {"require", ca->a, ca->root, "a.test", TLSOCK_E_PIN, "CA \"Test Root"},
        {"require", ca->a, ca->stranger_root, "a.test", TLSOCK_E_PIN,
         "changed its certificate"},
        {"accept", ca->a, ca->inter, "b.test", TLSOCK_E_NAME_MISMATCH,
         "require-chain"},
        {"accept", ca->a, ca->b, "b.test", TLSOCK_E_NAME_MISMATCH,
         "use one of these names"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("pin.mode", rows[i].mode, NULL);
        char verified[160];
        tlsock_error err;
        int rc;

        assert_code(tlsock_config_add_pin(cc, pin_of(rows[i].pinned)), 0);
        rc = shake(cc, rows[i].shown, rows[i].name, verified, &err);
        if (rc != rows[i].code)
            fail_msg("row %zu: %s %s", i, tlsock_errname(rc), err.message);
        if (rc == 0)
            assert_tells(verified, rows[i].tells);
        else
            assert_tells(err.hint, rows[i].tells);
        if (rc == TLSOCK_E_PIN)
            assert_tells(err.hint, "sha256:");
        tlsock_config_unref(cc);
    }
}

/* The error's pin works when it is pasted. */
static void the_pin_in_an_error_can_be_used(void **state)
{
    const struct test_ca *ca = ca_get();
    tlsock_config *cc = ca_client(NULL), *with;
    char verified[160], pin[80];
    tlsock_error err;
    const char *at;

    (void)state;
    assert_code(shake(cc, ca->self_signed, "a.test", verified, &err),
                TLSOCK_E_UNTRUSTED_ROOT);
    at = strstr(err.hint, "sha256:");
    assert_non_null(at);
    snprintf(pin, sizeof(pin), "%.71s", at);
    with = ca_client(NULL);
    assert_code(tlsock_config_add_pin(with, pin), 0);
    assert_code(shake(with, ca->self_signed, "a.test", verified, &err), 0);
    tlsock_config_unref(with);
    tlsock_config_unref(cc);
}

/* --- anchors of every kind */

static tlsock_config *trusting(const tlsock_cert *anchor)
{
    tlsock_config *c = tlsock_config_new();
    char pem[4096];

    assert_true(tlsock_cert_pem(anchor, TLSOCK_PART_CERT, pem, sizeof(pem)) >
                0);
    assert_code(tlsock_config_add_trust(c, pem), 0);
    return c;
}

static void any_certificate_may_be_trusted_and_names_still_count(void **state)
{
    const struct test_ca *ca = ca_get();
    const struct {
        tlsock_cert *anchor, *shown;
        const char *name;
        int code;
    } rows[] = {
        {ca->self_signed, ca->self_signed, "a.test", 0},
        {ca->self_signed, ca->self_signed, "b.test", TLSOCK_E_NAME_MISMATCH},
        {ca->self_signed, ca->a, "a.test", TLSOCK_E_CHAIN_INCOMPLETE},
        {ca->a, ca->a, "a.test", 0},
        {ca->a, ca->a, "b.test", TLSOCK_E_NAME_MISMATCH},
        {ca->inter, ca->a, "a.test", 0},
        {ca->inter, ca->a, "b.test", TLSOCK_E_NAME_MISMATCH},
        {ca->inter, ca->stranger, "a.test", TLSOCK_E_CHAIN_INCOMPLETE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = trusting(rows[i].anchor);
        char verified[160];
        tlsock_error err;
        int rc = shake(cc, rows[i].shown, rows[i].name, verified, &err);

        if (rc != rows[i].code)
            fail_msg("row %zu: %s %s", i, tlsock_errname(rc), err.message);
        if (rc == 0)
            assert_string_equal(verified, "chain");
        tlsock_config_unref(cc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pins_do_what_their_mode_says),
        cmocka_unit_test(a_pin_is_named_in_info),
        cmocka_unit_test(valid_and_pinned_peers_take_turns_on_one_config),
        cmocka_unit_test(a_list_in_one_text_is_as_good_as_single_pins),
        cmocka_unit_test(an_issuers_pin_needs_its_mode_and_the_error_says_so),
        cmocka_unit_test(the_pin_in_an_error_can_be_used),
        cmocka_unit_test(any_certificate_may_be_trusted_and_names_still_count),
    };

    return cmocka_run_group_tests_name("pins", tests, ca_setup, ca_teardown);
}
