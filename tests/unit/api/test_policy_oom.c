/* The n-th allocation fails, for every n: a policy is in force as a whole or
 * not at all, what fails for lack of memory works when there is some, and no
 * connection is let through in between. */
#include "config_help.h"

#include "api/config.h"
#include "api/policy.h"
#include "fault.h"

static char etc[128], env[128], more[128];

static int step_load(void)
{
    return tlsock_policy_load(more, NULL);
}

/* Rules of each kind, read and applied. */
static int step_use(void)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx = NULL;
    int rc;

    if (c == NULL)
        return TLSOCK_E_NOMEM;
    rc = tsk_config_snapshot(c, 0, &ctx, NULL);
    if (rc == TLSOCK_OK) {
        const struct tsk_settings *set = tsk_ctx_settings(ctx);

        /* the whole of both files, whatever failed */
        assert_int_equal(set->tls_min, 0x0304);
        assert_int_equal(set->psl, 1);
        assert_int_equal(set->n_trust, 2);
        assert_string_equal(set->groups, "P-256");
        assert_non_null(set->policy[TSK_RULE_CIPHERS]);
    }
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
    return rc;
}

static int hook(const char *target, int is_server, tlsock_config *c, void *arg)
{
    int rc = tlsock_config_set(c, "tls.min", "1.3");

    (void)target;
    (void)is_server;
    (void)arg;
    if (rc == TLSOCK_OK)
        rc = tlsock_config_set(c, "groups", "P-256");
    return rc;
}

static int step_ask(void)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx = NULL;
    tlsock_error err = {0};
    int rc;

    if (c == NULL)
        return TLSOCK_E_NOMEM;
    rc = tsk_config_snapshot(c, 0, &ctx, &err);
    if (rc == TLSOCK_OK)
        rc = tsk_policy_ask(c, 0, "a.test", &ctx, &err);
    assert_int_equal(rc, err.code);
    if (rc == TLSOCK_OK) {
        assert_int_equal(tsk_ctx_settings(ctx)->tls_min, 0x0304);
        assert_string_equal(tsk_ctx_settings(ctx)->groups, "P-256");
    }
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
    return rc;
}

static const struct {
    const char *name;
    int (*step)(void);
    int files, hooks;
} steps[] = {
    {"load", step_load, 0, 0},
    {"use", step_use, 1, 0},
    {"ask", step_ask, 0, 1},
};

static void prepare(size_t i)
{
    tsk_policy_forget();
    tsk_policy_system_file = steps[i].files ? etc : "/nowhere/policy.conf";
    if (steps[i].files)
        setenv("TLSOCK_POLICY", env, 1);
    else
        unsetenv("TLSOCK_POLICY");
    if (steps[i].hooks)
        assert_int_equal(tlsock_policy_on(hook, NULL), 0);
}

static int once(size_t i, enum fault_kind kind, long n)
{
    int rc, hit;

    prepare(i);
    fault_arm(kind, n, 0);
    rc = steps[i].step();
    hit = fault_disarm();
    if (rc != TLSOCK_OK && kind == FAULT_OWN)
        assert_code(rc, TLSOCK_E_NOMEM);
    if (!hit || rc == TLSOCK_OK)
        assert_code(rc, TLSOCK_OK);
    else if (kind != FAULT_OWN)
        return 0; /* a file may count as wrong then: that is for good */
    assert_code(steps[i].step(), TLSOCK_OK); /* it only was the memory */
    return !hit;
}

/* The library's own: each. OpenSSL's: the 1st, 2nd, 4th, ... of each line. */
static void all_or_nothing(enum fault_kind kind)
{
    for (size_t i = 0; i < COUNT(steps); i++) {
        long n = 1;

        prepare(i);
        fault_watch();
        assert_code(steps[i].step(), TLSOCK_OK);
        fault_disarm();
        while (!once(i, kind, n)) {
            do
                n++;
            while (kind == FAULT_OPENSSL && !fault_tells(n));
        }
        assert_true(n > 3 || !fault_is_there(kind));
    }
}

static void each_of_our_allocations_may_fail(void **state)
{
    (void)state;
    all_or_nothing(FAULT_OWN);
}

static void openssls_may_fail_too(void **state)
{
    (void)state;
    all_or_nothing(FAULT_OPENSSL);
    all_or_nothing(FAULT_REFUSED);
}

static int setup(void **state)
{
    char cwd[300], text[1024];

    if (help_setup(state) != 0 || getcwd(cwd, sizeof(cwd)) == NULL)
        return -1;
    snprintf(etc, sizeof(etc), "%s", help_path("etc.conf"));
    snprintf(env, sizeof(env), "%s", help_path("env.conf"));
    snprintf(more, sizeof(more), "%s", help_path("more.conf"));
    snprintf(text, sizeof(text),
             "tls.min = 1.3\ntrust = none, %.300s/%.100s\n[client]\n"
             "groups = P-256:X448\n",
             cwd, help_path("a.pem"));
    help_write("etc.conf", text);
    help_write("more.conf", text);
    help_write("env.conf", "ciphers = ECDHE+AESGCM\nverify.psl = on\n"
                           "sigalgs = ed25519:ecdsa_secp256r1_sha256\n");
    return 0;
}

static int teardown(void **state)
{
    unsetenv("TLSOCK_POLICY");
    tsk_policy_forget();
    unlink(etc);
    unlink(env);
    unlink(more);
    return help_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_our_allocations_may_fail),
        cmocka_unit_test(openssls_may_fail_too),
    };

    fault_init();
    return cmocka_run_group_tests_name("policy without memory", tests, setup,
                                       teardown);
}
