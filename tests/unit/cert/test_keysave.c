/* tlsock_key_save and tlsock_key_pin. */
#include "cert_help.h"

#include <openssl/pem.h>
#include <sys/stat.h>

static const char *key_file(const char *kind, const char *name)
{
    const char *names[] = {"a.test"};
    tlsock_cert *c =
        help_make(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1, .key = kind));
    tlsock_error err = {0};
    const char *path = help_path(name);

    assert_code(tlsock_cert_save(c, TLSOCK_PART_KEY | TLSOCK_PART_CERT,
                                 TLSOCK_FORMAT_PEM, path, NULL, &err),
                0);
    tlsock_cert_unref(c);
    return path;
}

static void pin(const char *uri, const char *pass, char out[128])
{
    tlsock_error err = {0};
    int n = tlsock_key_pin(uri, pass, out, 128, &err);

    if (n < 0)
        fail_msg("%s: %s", uri, err.message);
    assert_int_equal(n, strlen(out));
}

static void each_form_is_read_back_as_the_same_key(void **state)
{
    static const struct {
        const char *kind;
        unsigned format;
        const char *pass, *begin;
    } cases[] = {
        {"ec:P-256", TLSOCK_FORMAT_PEM, NULL, "-----BEGIN PRIVATE KEY-----"},
        {"ec:P-256", TLSOCK_FORMAT_PEM, "env:TEST_PASS",
         "-----BEGIN ENCRYPTED PRIVATE KEY-----"},
        {"ec:P-256", TLSOCK_FORMAT_DER, NULL, "0"},
        {"ec:P-256", TLSOCK_FORMAT_DER, "env:TEST_PASS", "0"},
        {"ec:P-256", TLSOCK_FORMAT_TRADITIONAL, NULL,
         "-----BEGIN EC PRIVATE KEY-----"},
        {"rsa:2048", TLSOCK_FORMAT_TRADITIONAL, NULL,
         "-----BEGIN RSA PRIVATE KEY-----"},
        {"ed25519", TLSOCK_FORMAT_PEM, "env:TEST_PASS",
         "-----BEGIN ENCRYPTED PRIVATE KEY-----"},
    };
    char before[128], after[128];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *from = key_file(cases[i].kind, "known.key"),
                   *to = help_path("known.out");
        tlsock_error err = {0};
        struct stat st;
        size_t n;
        char *data;

        pin(from, NULL, before);
        assert_code(tlsock_key_save(from, NULL, cases[i].format, to,
                                    cases[i].pass, &err),
                    0);
        pin(to, cases[i].pass, after);
        assert_string_equal(before, after);
        data = help_read(to, &n);
        assert_memory_equal(data, cases[i].begin, strlen(cases[i].begin));
        free(data);
        assert_int_equal(stat(to, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void the_pin_is_that_of_the_certificate(void **state)
{
    const char *path = key_file("rsa:2048", "known.both");
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_load(path, NULL, NULL, &err);
    char text[128], small[20];

    (void)state;
    assert_non_null(c);
    pin(path, NULL, text);
    assert_string_equal(text, tlsock_cert_field(c, TLSOCK_CERT_PIN));
    assert_int_equal(tlsock_key_pin(path, NULL, NULL, 0, &err), strlen(text));
    assert_code(tlsock_key_pin(path, NULL, small, sizeof(small), &err),
                TLSOCK_E_LIMIT);
    assert_string_equal(small, "");
    tlsock_cert_unref(c);
}

static void a_password_is_changed_and_a_key_decrypted(void **state)
{
    const char *from = key_file("ec:P-384", "known.key"),
               *one = help_path("known.one"), *two = help_path("known.two");
    tlsock_error err = {0};
    char a[128], b[128];

    (void)state;
    setenv("TEST_NEW", "new sesame", 1);
    pin(from, NULL, a);
    assert_code(tlsock_key_save(from, NULL, TLSOCK_FORMAT_PEM, one,
                                "env:TEST_PASS", &err),
                0);
    assert_code(tlsock_key_save(one, "env:TEST_PASS", TLSOCK_FORMAT_PEM, two,
                                "env:TEST_NEW", &err),
                0);
    pin(two, "env:TEST_NEW", b);
    assert_string_equal(a, b);
    assert_code(tlsock_key_pin(two, "env:TEST_PASS", b, sizeof(b), &err),
                TLSOCK_E_PASSWORD);
    assert_code(tlsock_key_save(two, "env:TEST_NEW", TLSOCK_FORMAT_TRADITIONAL,
                                two, NULL, &err),
                0); /* onto itself */
    pin(two, NULL, b);
    assert_string_equal(a, b);
}

static void what_cannot_be_done_is_said(void **state)
{
    char *ec = strdup(key_file("ec:P-256", "known.ec")),
         *ed = strdup(key_file("ed25519", "known.ed"));
    char *one, *both, uri[64] = "pem:";
    size_t n, m;
    const struct {
        const char *from, *pass, *to, *new_pass;
        unsigned format;
        int code;
        const char *fact;
    } cases[] = {
        {NULL, NULL, "x", NULL, 0, TLSOCK_E_ARGUMENT, "no private key"},
        {ec, NULL, NULL, NULL, 0, TLSOCK_E_ARGUMENT, "no file"},
        {ec, NULL, "", NULL, 0, TLSOCK_E_ARGUMENT, "no file"},
        {ec, NULL, "x", NULL, 9, TLSOCK_E_ARGUMENT, "format is not known"},
        {ec, NULL, "x", NULL, TLSOCK_FORMAT_PKCS12, TLSOCK_E_ARGUMENT,
         "needs the certificate"},
        {ec, NULL, "x", "env:TEST_PASS", TLSOCK_FORMAT_TRADITIONAL,
         TLSOCK_E_ARGUMENT, "not encrypted"},
        {ed, NULL, "x", NULL, TLSOCK_FORMAT_TRADITIONAL, TLSOCK_E_UNSUPPORTED,
         "ED25519"},
        {ec, "literal", "x", NULL, 0, TLSOCK_E_ARGUMENT, "place of the"},
        {ec, NULL, "x", "literal", 0, TLSOCK_E_ARGUMENT, "place of the"},
        {ec, NULL, "x", "env:TEST_EMPTY", 0, TLSOCK_E_PASSWORD, "is empty"},
        {ec, NULL, "x", "env:TEST_NONE", 0, TLSOCK_E_PASSWORD, "not set"},
        {"/nowhere", NULL, "x", NULL, 0, TLSOCK_E_OWN_FILE, "No such file"},
        {ec, NULL, "/nowhere/x", NULL, 0, TLSOCK_E_OWN_FILE, "/nowhere/x"},
    };

    (void)state;
    setenv("TEST_EMPTY", "", 1);
    unsetenv("TEST_NONE");
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_error err = {0};
        const char *to = cases[i].to;

        if (to != NULL && strcmp(to, "x") == 0)
            to = help_path("x");
        assert_code(tlsock_key_save(cases[i].from, cases[i].pass,
                                    cases[i].format, to, cases[i].new_pass,
                                    &err),
                    cases[i].code);
        assert_tells(err.message, cases[i].fact);
        assert_true(err.hint[0] != '\0');
    }
    assert_int_equal(help_strangers(), 0);
    one = help_read(ec, &n);
    both = help_read(ed, &m);
    memcpy(both + m, one, n + 1);
    free(one);
    help_text("known.two-keys", both);
    free(both);
    {
        tlsock_error err = {0};
        char out[128];

        assert_code(tlsock_key_pin(help_path("known.two-keys"), NULL, out,
                                   sizeof(out), &err),
                    TLSOCK_E_OWN_FILE);
        assert_tells(err.message, "more than one private key");
        assert_code(tlsock_key_pin(NULL, NULL, out, sizeof(out), &err),
                    TLSOCK_E_ARGUMENT);
        assert_code(tlsock_key_pin(ec, NULL, NULL, 5, &err), TLSOCK_E_ARGUMENT);
        assert_code(tlsock_key_pin(uri, NULL, out, sizeof(out), &err),
                    TLSOCK_E_OWN_FILE);
    }
    free(ec);
    free(ed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_read_back_as_the_same_key),
        cmocka_unit_test(the_pin_is_that_of_the_certificate),
        cmocka_unit_test(a_password_is_changed_and_a_key_decrypted),
        cmocka_unit_test(what_cannot_be_done_is_said),
    };
    int rc;

    setenv("TEST_PASS", "sesame", 1);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    help_end();
    return rc;
}
