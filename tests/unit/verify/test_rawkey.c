/* A key without a certificate: a pin of it lets it in, nothing else does. What
 * connections do with it needs OpenSSL 3.2 (flow/rawkeys.c); the verdict itself
 * does not. */
#include "pki.h"

#include "cert/cert.h"
#include "core/clock.h"
#include "fault.h"
#include "verify/policy.h"

#include <openssl/err.h>

enum { OF_KEY, OF_WEAK, OF_OTHER, OF_CERT, NO_PIN };
static struct tsk_pin pins[NO_PIN];

static const struct row {
    const char *what;
    enum pki_key key;
    int pins[3]; /* which; ended by NO_PIN */
    int want;
    const char *tells;
} rows[] = {
    {"its pin", KEY_LEAF, {OF_KEY, NO_PIN}, 0, ""},
    {"one of two", KEY_LEAF, {OF_OTHER, OF_KEY, NO_PIN}, 0, ""},
    {"another pin",
     KEY_LEAF,
     {OF_OTHER, NO_PIN},
     TLSOCK_E_PIN,
     "the pin does not fit"},
    {"two other pins",
     KEY_LEAF,
     {OF_OTHER, OF_WEAK, NO_PIN},
     TLSOCK_E_PIN,
     "none of the pins fits"},
    {"a certificate with that key is pinned",
     KEY_LEAF,
     {OF_CERT, NO_PIN},
     TLSOCK_E_PIN,
     "does not fit"},
    {"no pin at all", KEY_LEAF, {NO_PIN}, TLSOCK_E_PIN, "none of the pins"},
    {"pinned, and weak",
     KEY_WEAK,
     {OF_WEAK, NO_PIN},
     TLSOCK_E_WEAK,
     "too weak"},
};

static int judge(const struct row *row, struct tsk_verdict *v, int *said,
                 tlsock_error *err)
{
    struct tsk_pin given[3];
    struct tsk_verify_req req = {.pins = given, .pin_mode = TSK_PIN_REQUIRE};
    X509_STORE_CTX *ctx;
    int rc;

    fault_hold(1); /* this one is ours */
    ctx = X509_STORE_CTX_new();
    fault_hold(0);
    while (row->pins[req.n_pins] != NO_PIN) {
        given[req.n_pins] = pins[row->pins[req.n_pins]];
        req.n_pins++;
    }
    rc = tsk_policy_key(ctx, pki_key(row->key), &req, v, err);
    *said = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    return rc;
}

static void only_its_pin_lets_a_key_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err = {0};
        struct tsk_verdict v;
        int said, rc = judge(&rows[i], &v, &said, &err);

        if (rc != rows[i].want || err.code != rc ||
            (said == X509_V_OK) != (rc == 0))
            fail_msg("%s: %s %s, OpenSSL is told %d", rows[i].what,
                     tlsock_errname(rc), err.message, said);
        assert_tells(rc == 0 ? v.verified : err.message,
                     rc == 0 ? "(raw public key)" : rows[i].tells);
        if (rc == TLSOCK_E_PIN && rows[i].pins[1] == NO_PIN)
            assert_true(strcmp(err.expected, err.presented) != 0);
        assert_true(rc == 0 || err.hint[0] != '\0');
        assert_true(rc == 0 || v.verified[0] == '\0');
    }
}

static void what_fails_lets_nobody_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int kind = FAULT_OWN; kind <= FAULT_REFUSED; kind++)
            for (long n = 1, more = 1; more; n++) {
                tlsock_error err = {0};
                struct tsk_verdict v;
                int said, rc;

                fault_arm((enum fault_kind)kind, n, 0);
                rc = judge(&rows[i], &v, &said, &err);
                more = fault_disarm();
                assert_int_equal(err.code, rc);
                assert_int_equal(said == X509_V_OK, rc == 0);
                if (rows[i].want != 0 || !more)
                    assert_int_equal(rc == 0, rows[i].want == 0);
                assert_int_equal(ERR_peek_error(), 0);
            }
}

static void pin_of(int which, X509 *x, int of_key)
{
    char text[TSK_PIN_TEXT];
    tlsock_error err;

    assert_true(tsk_cert_fingerprint(x, "sha256", of_key, text, sizeof(text)) >
                0);
    assert_code(tsk_pin_parse(&pins[which], text, &err), 0);
}

static int set_up(void **state)
{
    static const struct {
        enum pki_key key;
        int pin;
    } made[] = {{KEY_LEAF, OF_KEY}, {KEY_WEAK, OF_WEAK}, {KEY_OTHER, OF_OTHER}};

    (void)state;
    for (size_t i = 0; i < COUNT(made); i++) {
        X509 *x =
            pki_make(&(struct pki_spec){.cn = "a.test", .key = made[i].key});

        pin_of(made[i].pin, x, 1);
        if (made[i].pin == OF_KEY)
            pin_of(OF_CERT, x, 0);
        X509_free(x);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pki_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_pin_lets_a_key_in),
        cmocka_unit_test(what_fails_lets_nobody_in),
    };

    fault_init();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
