#include "cert_help.h"

#include <sys/stat.h>
#include <unistd.h>

#define CERT TLSOCK_PART_CERT
#define CHAIN TLSOCK_PART_CHAIN
#define KEY TLSOCK_PART_KEY

static int mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (int)(st.st_mode & 07777);
}

static const struct {
    const char *name;
    unsigned parts, format;
    const char *pass;
    int mode, chain, key; /* what comes back; key -1: not to be loaded */
} good[] = {
    {"certificate", CERT, TLSOCK_FORMAT_PEM, NULL, 0644, 0, 0},
    {"full chain", CERT | CHAIN, TLSOCK_FORMAT_PEM, NULL, 0644, 1, 0},
    {"chain alone", CHAIN, TLSOCK_FORMAT_PEM, NULL, 0644, 0, 0},
    {"all", CERT | CHAIN | KEY, TLSOCK_FORMAT_PEM, NULL, 0600, 1, 1},
    {"all, sealed", CERT | CHAIN | KEY, TLSOCK_FORMAT_PEM, "env:TEST_PASS",
     0600, 1, 1},
    {"key", KEY, TLSOCK_FORMAT_PEM, NULL, 0600, 0, -1},
    {"DER certificate", CERT, TLSOCK_FORMAT_DER, NULL, 0644, 0, 0},
    {"DER chain of one", CHAIN, TLSOCK_FORMAT_DER, NULL, 0644, 0, 0},
    {"DER key", KEY, TLSOCK_FORMAT_DER, NULL, 0600, 0, -1},
    {"DER key, sealed", KEY, TLSOCK_FORMAT_DER, "env:TEST_PASS", 0600, 0, -1},
    {"PKCS#12", CERT | CHAIN | KEY, TLSOCK_FORMAT_PKCS12, "env:TEST_PASS", 0600,
     1, 1},
    {"PKCS#12 without key", CERT, TLSOCK_FORMAT_PKCS12, "env:TEST_PASS", 0644,
     0, 0},
};

static void what_is_saved_loads_again(void **state)
{
    char *pem = help_pem(help_leaf(), CERT);

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    help_text("known.crt", pem);
    for (size_t i = 0; i < COUNT(good); i++) {
        const char *path = help_path("known.out");
        tlsock_error err = {0};
        tlsock_cert *c;

        if (tlsock_cert_save(help_leaf(), good[i].parts, good[i].format, path,
                             good[i].pass, &err) != 0)
            fail_msg("%s: %s", good[i].name, err.message);
        if (mode_of(path) != good[i].mode)
            fail_msg("%s: mode %o", good[i].name, (unsigned)mode_of(path));
        c = good[i].key >= 0
                ? tlsock_cert_load(path, NULL, good[i].pass, &err)
                : tlsock_cert_load(help_path("known.crt"), path, good[i].pass,
                                   &err);
        if (c == NULL)
            fail_msg("%s: %s", good[i].name, err.message);
        assert_int_equal(tlsock_cert_chain_len(c), good[i].chain);
        assert_int_equal(c->key != NULL, good[i].key != 0);
        tlsock_cert_unref(c);
    }
    assert_int_equal(help_strangers(), 0); /* no temporary file is left */
    free(pem);
}

static void modes_hold_against_umask_and_old_file(void **state)
{
    tlsock_error err = {0};
    const char *path = help_text("known.mode", "old");
    mode_t before = umask(0);

    (void)state;
    assert_int_equal(chmod(path, 0666), 0);
    assert_code(tlsock_cert_save(help_leaf(), KEY, 0, path, NULL, &err), 0);
    assert_int_equal(mode_of(path), 0600);
    umask(077);
    assert_code(tlsock_cert_save(help_leaf(), CERT, 0, path, NULL, &err), 0);
    assert_int_equal(mode_of(path), 0644);
    umask(before);
}

static const struct {
    const char *fault;
    unsigned parts, format;
    const char *pass;
    int code;
} bad[] = {
    {"nothing that can be saved", 0, 0, NULL, TLSOCK_E_ARGUMENT},
    {"nothing that can be saved", 8, 0, NULL, TLSOCK_E_ARGUMENT},
    {"the format is not known", CERT, 4, NULL, TLSOCK_E_ARGUMENT},
    {"for keys alone", CERT, TLSOCK_FORMAT_TRADITIONAL, NULL,
     TLSOCK_E_ARGUMENT},
    {"is not encrypted", KEY, TLSOCK_FORMAT_TRADITIONAL, "env:TEST_PASS",
     TLSOCK_E_ARGUMENT},
    {"exactly one part", CERT | KEY, TLSOCK_FORMAT_DER, NULL,
     TLSOCK_E_ARGUMENT},
    {"needs the certificate", KEY, TLSOCK_FORMAT_PKCS12, "env:TEST_PASS",
     TLSOCK_E_ARGUMENT},
    {"needs a password", CERT, TLSOCK_FORMAT_PKCS12, NULL, TLSOCK_E_PASSWORD},
    {"is empty", CERT | KEY, TLSOCK_FORMAT_PKCS12, "env:TEST_EMPTY",
     TLSOCK_E_PASSWORD},
    {"is empty", KEY, TLSOCK_FORMAT_PEM, "env:TEST_EMPTY", TLSOCK_E_PASSWORD},
    {"is not set", KEY, TLSOCK_FORMAT_PEM, "env:TEST_UNSET", TLSOCK_E_PASSWORD},
    {"of no known form", KEY, TLSOCK_FORMAT_PEM, "hunter2", TLSOCK_E_ARGUMENT},
};

static void what_makes_no_sense_is_refused(void **state)
{
    const char *path = help_path("known.none");
    tlsock_error err = {0};

    (void)state;
    setenv("TEST_PASS", "sesame", 1);
    setenv("TEST_EMPTY", "", 1);
    unsetenv("TEST_UNSET");
    for (size_t i = 0; i < COUNT(bad); i++) {
        int rc = tlsock_cert_save(help_leaf(), bad[i].parts, bad[i].format,
                                  path, bad[i].pass, &err);

        assert_code(rc, bad[i].code);
        assert_code(err.code, bad[i].code);
        assert_tells(err.message, bad[i].fault);
        assert_true(err.hint[0] != '\0');
        assert_int_not_equal(access(path, F_OK), 0);
    }
    assert_code(tlsock_cert_save(NULL, CERT, 0, path, NULL, &err),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_cert_save(help_leaf(), CERT, 0, NULL, NULL, &err),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_cert_save(help_leaf(), CERT, 0, "", NULL, NULL),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_cert_save(help_root(), CHAIN, 0, path, NULL, &err),
                TLSOCK_E_ARGUMENT);
    assert_tells(err.message, "no chain");
}

static void a_certificate_without_key_saves_none(void **state)
{
    tlsock_cert *c = tsk_cert_new(help_leaf()->leaf, NULL, NULL, NULL);
    tlsock_error err = {0};

    (void)state;
    assert_code(tlsock_cert_save(c, KEY, 0, help_path("known.none"), NULL,
                                 &err), TLSOCK_E_ARGUMENT);
    assert_tells(err.message, "without a private key");
    tlsock_cert_unref(c);
}

static void a_failed_save_leaves_all_as_it_was(void **state)
{
    static const char *const places[] = {"known-no-such-dir/x",
                                         "known.file/x"};
    tlsock_error err = {0};
    char name[300], *text;
    size_t n;

    (void)state;
    help_text("known.file", "old");
    for (size_t i = 0; i < COUNT(places); i++) {
        assert_code(tlsock_cert_save(help_leaf(), KEY, 0, help_path(places[i]),
                                     NULL, &err), TLSOCK_E_OWN_FILE);
        assert_tells(err.message, places[i]);
        assert_true(err.sys_errno != 0);
        assert_true(err.hint[0] != '\0');
    }
    assert_int_equal(mkdir(help_path("known.dir"), 0700), 0);
    assert_code(tlsock_cert_save(help_leaf(), KEY, 0, help_path("known.dir"),
                                 NULL, &err), TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "known.dir");
    memset(name, 'x', sizeof(name)); /* longer than a name may be: rename */
    memcpy(name, "known", 5);
    name[280] = '\0';
    assert_code(tlsock_cert_save(help_leaf(), KEY, 0, help_path(name), NULL,
                                 &err), TLSOCK_E_OWN_FILE);
    text = help_read(help_path("known.file"), &n);
    assert_string_equal(text, "old");
    free(text);
    assert_int_equal(help_strangers(), 0);
}

static void devices_are_not_replaced(void **state)
{
    tlsock_error err = {0};

    (void)state;
    assert_code(tlsock_cert_save(help_leaf(), CERT, 0, "/dev/null", NULL, &err),
                TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "/dev/null");
}

static void a_symbolic_link_is_replaced_not_followed(void **state)
{
    const char *target = help_text("known.target", "old"),
               *link = help_path("known.link");
    tlsock_error err = {0};
    struct stat st;
    size_t n;
    char *text;

    (void)state;
    assert_int_equal(symlink(target, link), 0);
    assert_code(tlsock_cert_save(help_leaf(), KEY, 0, link, NULL, &err), 0);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    text = help_read(target, &n);
    assert_string_equal(text, "old");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_loads_again),
        cmocka_unit_test(modes_hold_against_umask_and_old_file),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_certificate_without_key_saves_none),
        cmocka_unit_test(a_failed_save_leaves_all_as_it_was),
        cmocka_unit_test(devices_are_not_replaced),
        cmocka_unit_test(a_symbolic_link_is_replaced_not_followed),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    help_end();
    return rc;
}
