/* The n-th allocation fails, for every n: each call says so or succeeds, the
 * config stays usable, and nothing leaks (LeakSanitizer looks). */
#include "config_help.h"

#include "api/config.h"
#include "api/config_box.h"
#include "fault.h"

#include <tlsock/session.h>

static tlsock_config *config;

/* Each step is one call on a fresh copy of a config that has it all. */
static int do_set(void)
{
    return tlsock_config_set(config, "groups", "P-256:X25519");
}

static int do_alpn(void)
{
    return tlsock_config_set(config, "alpn", "h2,http/1.1");
}

static int do_ciphers(void)
{
    return tlsock_config_set(config, "ciphers", "ECDHE+AESGCM");
}

static int do_insecure(void)
{
    return tlsock_config_set(config, "insecure", "no-name: test");
}

static int do_trust(void)
{
    return tlsock_config_add_trust(config, "none");
}

static int do_identity(void)
{
    return tlsock_config_add_identity_for(config, "x.test", help_path("b.pem"),
                                          help_path("b.pem.key"), NULL);
}

static int do_pin(void)
{
    return tlsock_config_add_pin(
        config, "sha256:0123456789abcdef0123456789abcdef0123456789abcdef012345"
                "6789abcdef");
}

static int do_load(void)
{
    return tlsock_config_load(config, help_path("f.ini"), "s");
}

static int do_rules(void)
{
    return tlsock_config_load(config, help_path("f.ini"), "t");
}

/* Not decoded before it is asked for. */
static int do_lazy(void)
{
    size_t was = tsk_identities_at_once;
    int rc;

    tsk_identities_at_once = 0;
    rc = tlsock_config_add_identity(config, help_path("b.pem"),
                                    help_path("b.pem.key"), NULL);
    tsk_identities_at_once = was;
    return rc;
}

/* Which asks for it. */
static int do_lazy_check(void)
{
    int rc = do_lazy();

    return rc == 0 ? tlsock_config_check(config) : rc;
}

/* The settings are made ready first, which is what may fail here. */
static int do_session(void)
{
    int rc = tlsock_session_load(config, "x", 1);

    return rc == TLSOCK_E_ARGUMENT ? TLSOCK_OK : rc;
}

static int do_copy(void)
{
    tlsock_config *c = tlsock_config_copy(config);

    tlsock_config_unref(c);
    return c != NULL ? TLSOCK_OK : TLSOCK_E_NOMEM;
}

static int do_new(void)
{
    tlsock_config *c = tlsock_config_new();

    tlsock_config_unref(c);
    return c != NULL ? TLSOCK_OK : TLSOCK_E_NOMEM;
}

static int do_check(void)
{
    return tlsock_config_check(config);
}

static int do_reload(void)
{
    return tlsock_config_reload(config);
}

static int do_host(void)
{
    return tlsock_config_set(config, "trust@one.test", help_path("a.pem"));
}

static int do_snapshot(void)
{
    struct tsk_ctx *ctx = NULL;
    tlsock_error err = {0};
    int rc = tsk_config_snapshot(config, 1, &ctx, &err);

    assert_int_equal(err.code, rc);
    tsk_ctx_unref(ctx);
    return rc;
}

static const struct {
    const char *name;
    int (*step)(void);
    int makes_error; /* the config tells why */
} steps[] = {
    {"set groups", do_set, 1},      {"set alpn", do_alpn, 1},
    {"set ciphers", do_ciphers, 1}, {"set insecure", do_insecure, 1},
    {"add_trust", do_trust, 1},     {"add_identity", do_identity, 1},
    {"add_pin", do_pin, 1},         {"load", do_load, 1},
    {"copy", do_copy, 0},           {"new", do_new, 0},
    {"check", do_check, 1},         {"reload", do_reload, 1},
    {"snapshot", do_snapshot, 1},   {"host", do_host, 1},
    {"load rules", do_rules, 1},    {"add lazily", do_lazy, 1},
    {"session", do_session, 1},     {"check lazily", do_lazy_check, 1},
};

static void full_config(void)
{
    config = tlsock_config_new();
    assert_non_null(config);
    assert_int_equal(tlsock_config_set(config, "alpn", "a"), 0);
    assert_int_equal(tlsock_config_set(config, "groups", "P-256"), 0);
    assert_int_equal(tlsock_config_set(config, "verify.scheme", "smtp"), 0);
    assert_int_equal(tlsock_config_add_trust(config, help_path("a.pem")), 0);
    assert_int_equal(do_pin(), 0);
    assert_int_equal(tlsock_config_set(config, "client-auth@x.test", "ask"), 0);
    assert_int_equal(
        tlsock_config_set(config, "trust@x.test", help_path("b.pem")), 0);
    assert_int_equal(
        tlsock_config_set(config, "ciphers@x.test", "ECDHE+AESGCM"), 0);
    assert_int_equal(tlsock_config_add_identity(config, help_path("a.pem"),
                                                help_path("a.pem.key"), NULL),
                     0);
}

/* 1: the failure was not reached any more */
static int once(size_t i, enum fault_kind kind, long n)
{
    int rc, hit;

    full_config();
    fault_arm(kind, n, 0);
    rc = steps[i].step();
    hit = fault_disarm();
    if (!hit && rc != 0)
        fail_msg("%s: %s", steps[i].name, tlsock_config_error(config)->message);
    if (rc != 0 && steps[i].makes_error)
        assert_int_equal(tlsock_config_error(config)->code, rc);
    if (kind == FAULT_OWN && hit && rc != 0)
        assert_code(rc, TLSOCK_E_NOMEM);
    rc = steps[i].step(); /* it only was the memory */
    if (rc != 0)
        fail_msg("%s, after failure %ld of %s: %s", steps[i].name, n,
                 fault_name(kind), tlsock_config_error(config)->message);
    tlsock_config_unref(config);
    config = NULL;
    return !hit;
}

static void every_step_survives(enum fault_kind kind)
{
    for (size_t i = 0; i < COUNT(steps); i++) {
        long n = 1;

        while (!once(i, kind, n) && n < 5000)
            n++;
        assert_true(n < 5000);
    }
}

/* Before anybody else has asked for it. */
static void without_memory_there_is_no_default_yet(void **state)
{
    struct tsk_ctx *ctx = NULL;
    tlsock_error err = {0};

    (void)state;
    fault_arm(FAULT_OWN, 1, 0);
    assert_code(tlsock_session_load(NULL, "x", 1), TLSOCK_E_NOMEM);
    assert_int_equal(fault_disarm(), 1);
    fault_arm(FAULT_OWN, 1, 0);
    assert_code(tsk_config_snapshot(NULL, 0, &ctx, &err), TLSOCK_E_NOMEM);
    assert_int_equal(fault_disarm(), 1);
    assert_code(err.code, TLSOCK_E_NOMEM);
    assert_null(ctx);
    assert_code(tlsock_session_load(NULL, "x", 1), TLSOCK_E_ARGUMENT);
}

static void any_allocation_of_the_library_may_fail(void **state)
{
    (void)state;
    every_step_survives(FAULT_OWN);
}

static void any_call_of_openssl_may_fail(void **state)
{
    (void)state;
    every_step_survives(FAULT_REFUSED);
}

static void an_option_survives_any_allocation_of_openssl(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) { /* the three that ask OpenSSL */
        long n = 1;

        while (!once(i, FAULT_OPENSSL, n) && n < 5000)
            n++;
        assert_true(n < 5000);
    }
}

static struct tsk_ctx *in_use(void)
{
    struct tsk_ctx *ctx = NULL;

    assert_int_equal(tsk_config_snapshot(config, 1, &ctx, NULL), 0);
    return ctx;
}

/* 1: the failure was not reached any more */
static int reload_once(enum fault_kind kind, long n)
{
    struct tsk_ctx *before, *after;
    int rc, hit;

    full_config();
    before = in_use();
    fault_arm(kind, n, 0);
    rc = tlsock_config_reload(config);
    hit = fault_disarm();
    after = in_use();
    assert_true(hit || rc == 0);
    assert_int_equal(before == after, rc != 0);
    assert_int_equal(tlsock_config_reload(config), 0);
    tsk_ctx_unref(before);
    tsk_ctx_unref(after);
    tlsock_config_unref(config);
    config = NULL;
    return !hit;
}

/* Of a server in use: what was read before stays, the very same. */
static void a_reload_that_starves_changes_nothing(void **state)
{
    (void)state;
    for (long n = 1; !reload_once(FAULT_OWN, n); n++)
        assert_true(n < 5000);
    for (long n = 1; !reload_once(FAULT_OPENSSL, n); n += 307)
        assert_true(n < 50000);
    for (long n = 1; !reload_once(FAULT_REFUSED, n); n++)
        assert_true(n < 5000);
}

static int setup(void **state)
{
    int rc = help_setup(state);

    if (rc == 0)
        help_write("f.ini", "[r]\n[s]\nalpn = h2\nkeylog = keys.log\n"
                            "trust = b.pem\ncert = b.pem\nkey = b.pem.key\n"
                            "host = b.test\ncert = a.pem\n"
                            "[t]\ncrl = a.crl\nclient-auth.allow = cn:a\n"
                            "client-auth.allow = cn:b\n");
    return rc;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_there_is_no_default_yet),
        cmocka_unit_test(any_allocation_of_the_library_may_fail),
        cmocka_unit_test(any_call_of_openssl_may_fail),
        cmocka_unit_test(an_option_survives_any_allocation_of_openssl),
        cmocka_unit_test(a_reload_that_starves_changes_nothing),
    };

    fault_init();
    return cmocka_run_group_tests(tests, setup, help_teardown);
}
