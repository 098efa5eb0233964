/* What a program has to leave within reach of a config. */
#include "config_help.h"

#include <stdlib.h>
#include <string.h>

struct seen {
    char text[8192];
    int left; /* calls until it ends it; -1: never */
};

static int see(const char *path, int use, void *arg)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);

    snprintf(s->text + at, sizeof(s->text) - at, "%d %s\n", use, path);
    return s->left >= 0 && s->left-- == 0 ? 7 : 0;
}

static int has(const struct seen *s, int use, const char *path)
{
    char line[600];

    snprintf(line, sizeof(line), "%d %s\n", use, path);
    return strstr(s->text, line) != NULL;
}

static void every_file_is_told_with_its_use(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct seen s = {.left = -1};
    char uri[200];

    help_cert("a.pem", NULL, 0, 3600);
    help_cert("b.pem", NULL, 0, 3600);
    snprintf(uri, sizeof(uri), "file:%s", help_path("a.pem"));
    (void)state;
    assert_code(tlsock_config_set(c, "session.file", "kept.sessions"), 0);
    assert_code(tlsock_config_set(c, "keylog", "kept.keys"), 0);
    assert_code(tlsock_config_set(c, "revocation.cache", "."), 0);
    assert_code(tlsock_config_set(c, "tickets.secret",
                                  "rediss://localhost/?key=k&ca=red.pem"
                                  "&cert=us.pem&pass=file:red.pass"),
                0);
    assert_code(tlsock_config_add_trust(c, uri), 0);
    assert_code(tlsock_config_add_trust(c, help_path("b.pem")), 0);
    assert_code(tlsock_config_add_trust(c, "none"), 0);
    assert_code(tlsock_config_files(c, see, &s), 0);
    assert_true(has(&s, TLSOCK_FILE_WRITE, "kept.sessions"));
    assert_true(has(&s, TLSOCK_FILE_WRITE, "kept.keys"));
    assert_true(has(&s, TLSOCK_FILE_DIRECTORY, "."));
    assert_null(strstr(s.text, "rediss"));
    assert_true(has(&s, TLSOCK_FILE_READ, "red.pem"));
    assert_true(has(&s, TLSOCK_FILE_READ, "us.pem"));
    assert_true(has(&s, TLSOCK_FILE_READ, "red.pass"));
    assert_true(has(&s, TLSOCK_FILE_READ, help_path("a.pem")));
    assert_true(has(&s, TLSOCK_FILE_READ, help_path("b.pem")));
    assert_true(has(&s, TLSOCK_FILE_READ, "/etc/tlsock/policy.conf"));
    assert_null(strstr(s.text, " none"));
    assert_null(strstr(s.text, "/etc/ssl")); /* the system's is not trusted */
    tlsock_config_unref(c);
}

static void the_system_store_is_told_where_it_is_trusted(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct seen s = {.left = -1};

    (void)state;
    assert_int_equal(setenv("SSL_CERT_FILE", "/etc/passwd", 1), 0);
    assert_code(tlsock_config_files(c, see, &s), 0);
    assert_true(has(&s, TLSOCK_FILE_READ, "/etc/passwd"));
    assert_int_equal(setenv("SSL_CERT_FILE", "/nowhere", 1), 0);
    s.text[0] = '\0';
    assert_code(tlsock_config_files(c, see, &s), 0);
    assert_null(strstr(s.text, "/nowhere"));
    tlsock_config_unref(c);
    /* a Redis whose CA is not named */
    c = tlsock_config_new();
    assert_int_equal(setenv("SSL_CERT_FILE", "/etc/passwd", 1), 0);
    assert_code(tlsock_config_add_trust(c, "none"), 0);
    s.text[0] = '\0';
    assert_code(tlsock_config_files(c, see, &s), 0);
    assert_false(has(&s, TLSOCK_FILE_READ, "/etc/passwd"));
    assert_code(
        tlsock_config_set(c, "tickets.secret", "rediss://localhost/?key=k"), 0);
    assert_code(tlsock_config_files(c, see, &s), 0);
    assert_true(has(&s, TLSOCK_FILE_READ, "/etc/passwd"));
    unsetenv("SSL_CERT_FILE");
    tlsock_config_unref(c);
}

static void a_variable_may_name_the_key_log(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct seen s = {.left = -1};

    (void)state;
    assert_code(tlsock_config_set(c, "keylog", "env:TEST_KEYLOG"), 0);
    unsetenv("TEST_KEYLOG");
    assert_code(tlsock_config_files(c, see, &s), 0);
    assert_null(strstr(s.text, "TEST_KEYLOG"));
    assert_int_equal(setenv("TEST_KEYLOG", "by.env", 1), 0);
    assert_code(tlsock_config_files(c, see, &s), 0);
    assert_true(has(&s, TLSOCK_FILE_WRITE, "by.env"));
    unsetenv("TEST_KEYLOG");
    tlsock_config_unref(c);
}

static void the_hook_may_end_it_at_any_file(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct seen s = {.left = -1};
    char uri[200];
    int n = 0;

    help_cert("a.pem", NULL, 0, 3600);
    snprintf(uri, sizeof(uri), "file:%s", help_path("a.pem"));
    (void)state;
    assert_code(tlsock_config_set(c, "session.file", "kept.sessions"), 0);
    assert_code(tlsock_config_add_trust(c, uri), 0);
    assert_code(tlsock_config_add_trust(c, "system"), 0);
    assert_code(tlsock_config_files(c, see, &s), 0);
    for (const char *p = s.text; (p = strchr(p, '\n')) != NULL; p++)
        n++;
    assert_true(n >= 3);
    for (int i = 0; i < n; i++) {
        s = (struct seen){.left = i};
        assert_int_equal(tlsock_config_files(c, see, &s), 7);
    }
    s = (struct seen){.left = n};
    assert_code(tlsock_config_files(c, see, &s), 0);
    assert_code(tlsock_config_files(NULL, see, &s), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_files(c, NULL, &s), TLSOCK_E_ARGUMENT);
    tlsock_config_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_told_with_its_use),
        cmocka_unit_test(the_system_store_is_told_where_it_is_trusted),
        cmocka_unit_test(a_variable_may_name_the_key_log),
        cmocka_unit_test(the_hook_may_end_it_at_any_file),
    };

    return cmocka_run_group_tests(tests, help_setup, help_teardown);
}
