/* The files that rules come from, and where a process looks for them. */
#include "policy_help.h"

#include "api/policy_file.h"

#include <errno.h>
#include <sys/wait.h>

static void faults_of_a_file_name_its_line(void **state)
{
    static const struct {
        const char *text;
        int line;
        const char *tells, *hint;
    } cases[] = {
        {"tls.mni = 1.3", 1, "no key \"tls.mni\"", "tls.min"},
        {"\n\ntls.max = 1.2", 3, "cannot tighten \"tls.max\"", "tls.min"},
        {"timeout = 3s", 1, "cannot tighten \"timeout\"", "tls.min"},
        {"tls.min = 1.1", 1, "1.2|1.3", "tls.min"},
        {"tls.min = 1.3\ntls.min = 1.2", 2, "twice", ":1: tls.min = 1.3"},
        {"insecure = no-name: lab", 1, "forbid", "insecure"},
        {"truncation = allow", 1, "refuse", "truncation"},
        {"verify.psl = off", 1, "on", "psl"},
        {"revocation = off", 1, "staple", "revocation"},
        {"client-auth = none", 1, "ask|require", "client-auth"},
        {"groups = P-257", 1, "P-257", "groups"},
        {"trust = ca.pem", 1, "absolute", "system"},
        {"trust = system,", 1, "empty", "absolute"},
        {"trust = /nowhere/ca.pem", 1, "/nowhere/ca.pem", ""},
        {"[lab]\ntls.min = 1.3", 1, "[lab]", "[client]"},
        {"[client]\nclient-auth = ask", 2, "client", "client-auth"},
        {"[server]\npin.mode = require", 2, "server", "pin.mode"},
        {"tls.min", 1, "key = value", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_error err;
        char place[200];

        help_write("p.conf", cases[i].text);
        assert_code(tlsock_policy_load(help_path("p.conf"), &err),
                    TLSOCK_E_CONFIG_FILE);
        snprintf(place, sizeof(place), "%s:%d: ", help_path("p.conf"),
                 cases[i].line);
        assert_memory_equal(err.message, place, strlen(place));
        assert_tells(err.message, cases[i].tells);
        assert_tells(err.hint, cases[i].hint);
        assert_string_equal(tlsock_policy_text(), "");
    }
}

static void too_much_is_refused(void **state)
{
    tlsock_error err;
    char text[400] = "trust = system";

    (void)state;
    for (int i = 0; i < 32; i++)
        strcat(text, ",none");
    help_write("p.conf", text);
    assert_code(tlsock_policy_load(help_path("p.conf"), &err),
                TLSOCK_E_CONFIG_FILE);
    assert_tells(err.message, "32 stores");
    assert_code(tlsock_policy_load(NULL, &err), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_policy_load("", NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_policy_load(help_path("no.conf"), NULL),
                TLSOCK_E_CONFIG_FILE);
}

static void nothing_is_in_force_by_default(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx;
    tlsock_error err;

    (void)state;
    ctx = use(c, 0, &err);
    assert_non_null(ctx);
    assert_string_equal(tlsock_policy_text(), "");
    assert_ptr_equal(tsk_box_of(ctx), c->box); /* and costs no copy */
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void the_environment_adds_to_the_machine(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx;
    tlsock_error err;

    (void)state;
    help_write("etc.conf", "tls.min = 1.3\nsession = off\n");
    help_write("env.conf", "tls.min = 1.2\n[client]\ntruncation = refuse\n");
    machine("etc.conf");
    setenv("TLSOCK_POLICY", help_path("env.conf"), 1);
    assert_code(tlsock_config_set(c, "truncation", "allow"), TLSOCK_OK);
    ctx = use(c, 0, &err);
    assert_non_null(ctx);
    assert_int_equal(tsk_ctx_settings(ctx)->tls_min, 0x0304);
    assert_int_equal(tsk_ctx_settings(ctx)->session, 0);
    assert_int_equal(tsk_ctx_settings(ctx)->truncation_allowed, 0);
    assert_tells(tlsock_policy_text(), "etc.conf (2 rules)");
    assert_tells(tlsock_policy_text(), "env.conf (2 rules)");
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void closed(const char *place, const char *tells)
{
    for (int i = 0; i < 2; i++) { /* and it stays so */
        tlsock_config *c = tlsock_config_new();
        struct tsk_ctx *ctx = NULL;
        tlsock_error err;

        assert_null(use(c, 0, &err));
        assert_code(err.code, TLSOCK_E_POLICY);
        assert_tells(err.message, place);
        assert_tells(err.message, tells);
        assert_true(err.hint[0] != '\0');
        assert_code(tsk_config_snapshot(NULL, 0, &ctx, &err), TLSOCK_E_POLICY);
        assert_code(tlsock_config_check(c), TLSOCK_E_POLICY);
        tlsock_config_unref(c);
    }
    assert_tells(tlsock_policy_text(), "nothing connects");
    assert_tells(tlsock_policy_text(), place);
}

static void what_cannot_be_read_closes_everything(void **state)
{
    setenv("TLSOCK_POLICY", help_path("no.conf"), 1);
    closed("no.conf:0: ", "No such file");

    forget(state);
    help_write("env.conf", "tls.min = 1.3\nnonsense\n");
    setenv("TLSOCK_POLICY", help_path("env.conf"), 1);
    closed("env.conf:2: ", "nonsense");

    forget(state);
    setenv("TLSOCK_POLICY", help_dir, 1);
    closed(help_dir, "directory");

    forget(state);
    help_write("etc.conf", "tls.mni = 1.3\n");
    machine("etc.conf");
    closed("etc.conf:1: ", "tls.mni");

    forget(state);
    tsk_policy_system_file = help_dir; /* it is there */
    closed(help_dir, "directory");
}

static void an_empty_name_is_no_policy(void **state)
{
    (void)state;
    setenv("TLSOCK_POLICY", "", 1);
    assert_code(tsk_policy_ready(NULL), TLSOCK_OK);
    assert_string_equal(tlsock_policy_text(), "");
}

static int yes(void)
{
    return 1;
}

static void set_user_id_programs_do_not_read_the_callers_file(void **state)
{
    int (*was)(void) = tsk_policy_privileged;
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx;
    tlsock_error err;

    (void)state;
    assert_false(was());
    help_write("etc.conf", "tls.min = 1.3\n");
    machine("etc.conf");
    setenv("TLSOCK_POLICY", help_path("a.pem"), 1);
    tsk_policy_privileged = yes;
    ctx = use(c, 0, &err);
    tsk_policy_privileged = was;
    assert_non_null(ctx);
    assert_int_equal(tsk_ctx_settings(ctx)->tls_min, 0x0304);
    assert_string_equal(strstr(tlsock_policy_text(), "etc.conf"),
                        "etc.conf (1 rule)");
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void a_child_is_bound_as_its_parent_was(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    load("tls.min = 1.3");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct tsk_ctx *ctx = NULL;
        int rc = tsk_config_snapshot(NULL, 0, &ctx, NULL);

        test_exit(rc == 0 && tsk_ctx_settings(ctx)->tls_min == 0x0304 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void errno_and_the_queue_stay(void **state)
{
    tlsock_error err;

    (void)state;
    setenv("TLSOCK_POLICY", help_path("no.conf"), 1);
    errno = 4711;
    assert_code(tsk_policy_ready(&err), TLSOCK_E_POLICY);
    assert_int_equal(errno, 4711);
    assert_code(tlsock_policy_load(help_path("no.conf"), &err),
                TLSOCK_E_CONFIG_FILE);
    assert_int_equal(errno, 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(faults_of_a_file_name_its_line),
        T(too_much_is_refused),
        T(nothing_is_in_force_by_default),
        T(the_environment_adds_to_the_machine),
        T(what_cannot_be_read_closes_everything),
        T(an_empty_name_is_no_policy),
        T(set_user_id_programs_do_not_read_the_callers_file),
        T(a_child_is_bound_as_its_parent_was),
        T(errno_and_the_queue_stay),
    };

    return cmocka_run_group_tests_name("policy files", tests, help_setup,
                                       policy_teardown);
}
