#include "config_help.h"

#include "api/config.h"
#include "api/ini.h"

#define PIN                                                                    \
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"      \
    "cdef"

static const char whole[] = "; what all share\n"
                            "tls.min = 1.3\n"
                            "trust = a.pem\n"
                            "[server]\n"
                            "alpn = h2\n"
                            "cert = a.pem\n"
                            "key = file:a.pem.key\n"
                            "cert = b.pem\n"
                            "host = *\n"
                            "keylog = keys.log\n"
                            "pin = " PIN "\n"
                            "[client]\n"
                            "no-such-option = is not looked at\n"
                            "[server]\n"
                            "cert = nameless.pem\n"
                            "host = c.test\n";

static void lines_before_the_first_section_are_the_plain_ones(void **state)
{
    tlsock_config *c = tlsock_config_new();
    const struct tsk_settings *set;
    struct tsk_ctx *ctx = NULL;

    (void)state;
    help_write("f.ini", whole);
    assert_int_equal(tlsock_config_load(c, help_path("f.ini"), NULL), 0);
    assert_int_equal(tsk_config_snapshot(c, 0, &ctx, NULL), 0);
    set = tsk_ctx_settings(ctx);
    assert_int_equal(set->tls_min, 0x0304);
    assert_int_equal(set->n_trust, 1);
    assert_string_equal(set->trust[0], help_path("a.pem"));
    assert_null(set->alpn);
    assert_int_equal(set->n_identities, 0);
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void a_section_makes_identities_of_cert_key_and_host(void **state)
{
    tlsock_config *c = tlsock_config_new();
    const struct tsk_settings *set;
    struct tsk_ctx *ctx = NULL;

    (void)state;
    help_write("f.ini", whole);
    assert_int_equal(tlsock_config_load(c, help_path("f.ini"), "server"), 0);
    assert_int_equal(tsk_config_snapshot(c, 0, &ctx, NULL), 0);
    set = tsk_ctx_settings(ctx);
    assert_int_equal(set->tls_min, 0x0303);
    assert_int_equal(set->alpn_len, 3);
    assert_int_equal(set->n_pins, 1);
    assert_string_equal(set->keylog, help_path("keys.log"));
    assert_int_equal(set->n_identities, 3);
    assert_null(set->identities[0].host);
    assert_string_equal(set->identities[0].cert_uri, help_path("a.pem"));
    assert_memory_equal(set->identities[0].key_uri, "file:", 5);
    assert_string_equal(set->identities[0].key_uri + 5, help_path("a.pem.key"));
    assert_string_equal(set->identities[1].host, "");
    assert_null(set->identities[1].key_uri);
    assert_string_equal(set->identities[2].host, "c.test");
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void faults_are_named_by_line_and_change_nothing(void **state)
{
    static const struct {
        const char *text, *section, *tells, *hint;
    } cases[] = {
        {"tls.mim = 1.3\n", NULL, "f.ini:1: unknown option \"tls.mim\"",
         "tls.max"},
        {"alpn = h2\ntls.min = 1.1\n", NULL, "f.ini:2: tls.min: \"1.1\"", ""},
        {"alpn = h2\n\nalpn\n", NULL, "f.ini:3: \"alpn\" is neither", ""},
        {"alpn = h2\n[s]\nx\n", NULL, "f.ini:3: ", ""},
        {"alpn = \n", NULL, "f.ini:1: alpn has no value", ""},
        {"verify = off\n", NULL, "cannot be switched off", "insecure"},
        {"verify = i-accept-mitm \nverify = none\n", NULL, "f.ini:2: ", ""},
        {"insecure = all: lab box\n", NULL, "f.ini:1: insecure = all is not",
         "verify = i-accept-mitm"},
        {"insecure = no-name,all: lab box\n", NULL,
         "f.ini:1: ", "verify = i-accept-mitm"},
        {"trust = +no.pem\n", NULL, "f.ini:1: ", ""},
        {"trust = +\n", NULL, "f.ini:1: ", ""},
        {"insecure = no-name\n", NULL, "f.ini:1: insecure", ""},
        {"key = a.pem.key\n", NULL, "f.ini:1: key without a cert", "cert ="},
        {"host = a.test\n", NULL, "f.ini:1: host without a cert", "cert ="},
        {"cert = a.pem\n[s]\nkey = a.pem.key\n", "s", "f.ini:3: key without",
         ""},
        {"cert = a.pem\nkey = a.pem.key\nkey = x\n", NULL,
         "f.ini:3: key is there twice", ""},
        {"cert = no.pem\nalpn = h2\n", NULL, "f.ini:1: ", ""},
        {"alpn = h2\ncert = no.pem\ncert = a.pem\n", NULL, "f.ini:2: ", ""},
        {"cert = no.pem\nalpn = h2\n[s]\n", NULL, "f.ini:1: ", ""},
        {"alpn = h2\ncert = a.pem\n\nkey = b.pem.key\n", NULL, "f.ini:2: ", ""},
        {"trust = no.pem\n", NULL, "f.ini:1: ", ""},
        {"pin = sha1:00\n", NULL, "f.ini:1: ", ""},
        {"[a]\nalpn=h2\n[b]\n", "c", "f.ini:3: there is no section [c]",
         "[a], [b]"},
        {"alpn=h2\n", "c", "there is no section [c]", "no sections at all"},
        {"", "c", "there is no section [c]", "no sections at all"},
    };
    struct tsk_ctx *ctx = NULL;
    tlsock_config *c = tlsock_config_new();

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const tlsock_error *err = tlsock_config_error(c);

        help_write("f.ini", cases[i].text);
        assert_code(tlsock_config_load(c, help_path("f.ini"), cases[i].section),
                    TLSOCK_E_CONFIG_FILE);
        assert_code(err->code, TLSOCK_E_CONFIG_FILE);
        assert_int_equal(err->phase, TLSOCK_PHASE_CONFIG);
        assert_tells(err->message, cases[i].tells);
        assert_tells(err->hint, cases[i].hint);
    }
    assert_int_equal(tsk_config_snapshot(c, 0, &ctx, NULL), 0);
    assert_null(tsk_ctx_settings(ctx)->alpn);
    assert_int_equal(tsk_ctx_settings(ctx)->n_identities, 0);
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void mitm_has_to_be_spelled_out(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx = NULL;

    (void)state;
    /* not by the setter, whatever the word */
    assert_code(tlsock_config_set(c, "verify", "i-accept-mitm"),
                TLSOCK_E_OPTION);
    help_write("f.ini", "verify = i-accept-mitm\n");
    assert_code(tlsock_config_load(c, help_path("f.ini"), NULL), 0);
    assert_int_equal(tsk_config_snapshot(c, 0, &ctx, NULL), 0);
    assert_int_equal(tsk_ctx_settings(ctx)->insecure, TSK_INSECURE_ALL);
    assert_string_equal(tsk_ctx_settings(ctx)->insecure_text,
                        "all: verify = i-accept-mitm");
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void a_plus_adds_to_the_systems_store(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx = NULL;
    const struct tsk_settings *set;

    (void)state;
    help_write("f.ini", "trust = +a.pem\ntrust = +b.pem\n");
    assert_code(tlsock_config_load(c, help_path("f.ini"), NULL), 0);
    assert_int_equal(tsk_config_snapshot(c, 0, &ctx, NULL), 0);
    set = tsk_ctx_settings(ctx);
    assert_int_equal(set->n_trust, 3);
    assert_string_equal(set->trust[0], "system");
    assert_string_equal(set->trust[1], help_path("a.pem"));
    assert_string_equal(set->trust[2], help_path("b.pem"));
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);

    c = tlsock_config_new();
    assert_code(tlsock_config_add_trust(c, "+no such file"),
                TLSOCK_E_TRUST_STORE);
    assert_code(tlsock_config_add_trust(c, "none"), 0);
    assert_code(tlsock_config_add_trust(c, "+none"), 0);
    assert_int_equal(tsk_config_snapshot(c, 0, &ctx, NULL), 0);
    set = tsk_ctx_settings(ctx);
    assert_int_equal(set->n_trust, 2); /* nothing was left of the failure */
    assert_string_equal(set->trust[0], "none");
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

/* A path is one beside the file, and the rules of a file are one list. */
static void revocations_and_rules_are_taken_from_a_file(void **state)
{
    static const struct {
        const char *text, *tells;
    } bad[] = {
        {"crl = no.crl\n", "f.ini:1: "},
        {"crl = a.pem\n", "f.ini:1: "},
        {"crl = pkcs11:object=x\n", "f.ini:1: "},
        {"client-auth.allow = cn:x\nclient-auth.allow = x\n", "f.ini:2: "},
    };
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        help_write("f.ini", bad[i].text);
        assert_code(tlsock_config_load(c, help_path("f.ini"), NULL),
                    TLSOCK_E_CONFIG_FILE);
        assert_tells(tlsock_config_error(c)->message, bad[i].tells);
        assert_true(tlsock_config_error(c)->hint[0] != '\0');
    }
    assert_code(tlsock_config_add_crl(c, "pkcs11:object=x;pin-value=1234"),
                TLSOCK_E_UNSUPPORTED);
    assert_tells(tlsock_config_error(c)->message, "on a token");
    help_write("f.ini", "crl = a.crl\nclient-auth.allow = cn:a\n"
                        "client-auth.allow = cn:b\n");
    assert_code(tlsock_config_load(c, help_path("f.ini"), NULL), 0);
    assert_int_equal(tsk_config_snapshot(c, 0, &ctx, NULL), 0);
    assert_int_equal(tsk_ctx_settings(ctx)->n_crls, 1);
    assert_string_equal(tsk_ctx_settings(ctx)->crls[0].uri, help_path("a.crl"));
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void a_load_needs_a_config_and_a_path(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    assert_code(tlsock_config_load(NULL, "f.ini", NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_load(NULL, NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_load(c, NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_tells(tlsock_config_error(c)->message, "path");
    tlsock_config_unref(c);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    tlsock_config *c = tlsock_config_new();
    FILE *f;

    (void)state;
    assert_code(tlsock_config_load(c, help_path("no.ini"), NULL),
                TLSOCK_E_CONFIG_FILE);
    assert_tells(tlsock_config_error(c)->message, "no.ini");
    assert_tells(tlsock_config_error(c)->message, "No such file");
    assert_code(tlsock_config_load(c, help_dir, NULL), TLSOCK_E_CONFIG_FILE);
    assert_tells(tlsock_config_error(c)->message, "directory");
    f = fopen(help_path("big.ini"), "w");
    assert_non_null(f);
    for (int i = 0; i <= TSK_INI_FILE / 8; i++)
        fputs("#234567\n", f);
    fclose(f);
    assert_code(tlsock_config_load(c, help_path("big.ini"), NULL),
                TLSOCK_E_CONFIG_FILE);
    assert_tells(tlsock_config_error(c)->message, "1 MiB");
    assert_int_equal(truncate(help_path("big.ini"), TSK_INI_FILE), 0);
    assert_int_equal(tlsock_config_load(c, help_path("big.ini"), NULL), 0);
    tlsock_config_unref(c);
}

static void loads_add_up(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx = NULL;

    (void)state;
    help_write("f.ini", "?groups = no-such-group\nsession = off\n"
                        "[more]\ntimeout = 5s\ntrust = none\n");
    assert_int_equal(tlsock_config_set(c, "tls.min", "1.3"), 0);
    assert_int_equal(tlsock_config_load(c, help_path("f.ini"), NULL), 0);
    assert_int_equal(tlsock_config_load(c, help_path("f.ini"), "more"), 0);
    assert_int_equal(tsk_config_snapshot(c, 0, &ctx, NULL), 0);
    assert_int_equal(tsk_ctx_settings(ctx)->tls_min, 0x0304);
    assert_int_equal(tsk_ctx_settings(ctx)->session, 0);
    assert_int_equal(tsk_ctx_settings(ctx)->timeout_ms, 5000);
    assert_string_equal(tsk_ctx_settings(ctx)->trust[0], "none");
    assert_null(tsk_ctx_settings(ctx)->groups);
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_before_the_first_section_are_the_plain_ones),
        cmocka_unit_test(a_section_makes_identities_of_cert_key_and_host),
        cmocka_unit_test(faults_are_named_by_line_and_change_nothing),
        cmocka_unit_test(mitm_has_to_be_spelled_out),
        cmocka_unit_test(a_plus_adds_to_the_systems_store),
        cmocka_unit_test(revocations_and_rules_are_taken_from_a_file),
        cmocka_unit_test(a_load_needs_a_config_and_a_path),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(loads_add_up),
    };

    return cmocka_run_group_tests(tests, help_setup, help_teardown);
}
