#include "pki.h"

#include "verify/system.h"
#include "verify/trust.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static char file[128], empty[128], hashed[128], plain[128];

/* A machine on which some of the usual places are missing: wrapped by the
 * linker, under the name that the C library gives it. */
static const char *only_place; /* "": none at all; NULL: as it is */
int __real_stat(const char *path, struct stat *st);
int __real_stat64(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);

static int is_gone(const char *path)
{
    if (only_place == NULL || strcmp(path, only_place) == 0)
        return 0;
    errno = ENOENT;
    return 1;
}

int __wrap_stat(const char *path, struct stat *st)
{
    return is_gone(path) ? -1 : __real_stat(path, st);
}

int __wrap_stat64(const char *path, struct stat *st)
{
    return is_gone(path) ? -1 : __real_stat64(path, st);
}

static int setup(void **state)
{
    char name[160];

    (void)state;
    snprintf(file, sizeof(file), "%s/bundle.pem", pki_dir());
    snprintf(empty, sizeof(empty), "%s/empty.pem", pki_dir());
    snprintf(hashed, sizeof(hashed), "%s/hashed", pki_dir());
    snprintf(plain, sizeof(plain), "%s/plain", pki_dir());
    pki_write_text(file, "x", 1); /* where to look is asked, not what is in */
    pki_write_text(empty, "", 0);
    mkdir(hashed, 0700);
    mkdir(plain, 0700);
    snprintf(name, sizeof(name), "%s/0123abcd.0", hashed);
    pki_write_text(name, "x", 1);
    snprintf(name, sizeof(name), "%s/root.pem", plain);
    pki_write_text(name, "x", 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    pki_free();
    return 0;
}

static void with_env(const char *f, const char *dir)
{
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    if (f != NULL)
        setenv("SSL_CERT_FILE", f, 1);
    if (dir != NULL)
        setenv("SSL_CERT_DIR", dir, 1);
}

static void the_store_is_found_where_it_is_said_to_be(void **state)
{
    char path[1024], why[128], tried[768];
    tlsock_error err = {0};
    struct tsk_trust *t;

    (void)state;
    with_env(NULL, NULL);
    errno = 77;
    tsk_trust_find_system(path, sizeof(path), why, sizeof(why), tried,
                          sizeof(tried));
    assert_int_equal(errno, 77);
    t = tsk_trust_new(NULL, 0, &err);
    if (path[0] != '\0') { /* as on most machines */
        assert_int_equal(access(path, R_OK), 0);
        assert_true(why[0] != '\0');
        assert_non_null(t);
        assert_tells(tsk_trust_describe(t), path);
        assert_tells(tsk_trust_describe(t), why);
    } else {
        assert_null(t);
        assert_code(err.code, TLSOCK_E_TRUST_STORE);
        assert_tells(tried, "/etc/ssl/certs");
        assert_tells(err.hint, "ca-certificates");
    }
    tsk_trust_unref(t);
}

static void usual_places_are_looked_at_in_turn(void **state)
{
    static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt";
    struct tsk_system sys;
    tlsock_error err = {0};
    int rc;

    (void)state;
    with_env(NULL, NULL);
    only_place = bundle;
    rc = tsk_system_find(&sys, &err);
    if (access(bundle, R_OK) == 0) { /* the build installs ca-certificates */
        assert_code(rc, 0);
        assert_string_equal(sys.file, bundle);
        assert_string_equal(sys.why, "usual place");
        assert_tells(sys.tried, "(missing)");
    }
    only_place = "";
    errno = 77;
    rc = tsk_system_find(&sys, &err);
    only_place = NULL;
    assert_int_equal(errno, 77);
    assert_code(rc, TLSOCK_E_TRUST_STORE);
    assert_code(err.code, TLSOCK_E_TRUST_STORE);
    assert_string_equal(sys.file, "");
    assert_string_equal(sys.dirs, "");
    assert_tells(err.message, "no trust store");
    assert_tells(err.message, "/etc/ssl/certs (missing)");
    assert_tells(err.hint, "ca-certificates");
}

static void the_environment_decides_if_it_says_anything(void **state)
{
    const struct {
        const char *claim, *file, *dir, *want, *why;
    } cases[] = {
        {"file", file, NULL, file, "SSL_CERT_FILE is set"},
        {"directory", NULL, hashed, hashed, "SSL_CERT_DIR is set"},
        {"empty file", empty, NULL, NULL, "empty"},
        {"missing file", "/nonexistent/x", NULL, NULL, "missing"},
        {"directory as file", hashed, NULL, NULL, "SSL_CERT_FILE"},
        {"file as directory", NULL, file, NULL, "SSL_CERT_DIR"},
        {"no hash-named file", NULL, plain, NULL, "no hash-named file"},
        {"good directory, missing file", "/nonexistent/x", hashed, NULL,
         "SSL_CERT_FILE"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tsk_system sys;
        tlsock_error err = {0};
        int rc;

        with_env(cases[i].file, cases[i].dir);
        rc = tsk_system_find(&sys, &err);
        if (rc != (cases[i].want != NULL ? 0 : TLSOCK_E_TRUST_STORE))
            fail_msg("%s: got %d \"%s\"", cases[i].claim, rc, err.message);
        if (rc < 0) { /* nothing else is taken in its stead */
            assert_string_equal(sys.file, "");
            assert_string_equal(sys.dirs, "");
            assert_tells(err.message, cases[i].why);
            assert_true(err.hint[0] != '\0');
            continue;
        }
        assert_string_equal(sys.file[0] != '\0' ? sys.file : sys.dirs,
                            cases[i].want);
        assert_string_equal(sys.why, cases[i].why);
    }
    with_env("", "");
    the_store_is_found_where_it_is_said_to_be(state);
}

static void both_and_several_directories_are_taken(void **state)
{
    struct tsk_system sys;
    char list[512], path[1024], why[128], tried[768];

    (void)state;
    snprintf(list, sizeof(list), "/nonexistent::%s:%s", plain, hashed);
    with_env(file, list);
    assert_code(tsk_system_find(&sys, NULL), 0);
    assert_string_equal(sys.dirs, hashed);
    assert_string_equal(sys.file, file);
    assert_tells(sys.tried, "/nonexistent (missing)");
    tsk_trust_find_system(path, sizeof(path), why, sizeof(why), tried,
                          sizeof(tried));
    snprintf(list, sizeof(list), "%s:%s", hashed, file);
    assert_string_equal(path, list);
}

static void the_key_changes_with_what_is_there(void **state)
{
    struct tsk_system before, after;

    (void)state;
    with_env(file, NULL);
    assert_code(tsk_system_find(&before, NULL), 0);
    assert_code(tsk_system_find(&after, NULL), 0);
    assert_string_equal(before.key, after.key);
    with_env(NULL, hashed);
    assert_code(tsk_system_find(&after, NULL), 0);
    assert_string_not_equal(before.key, after.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_is_found_where_it_is_said_to_be),
        cmocka_unit_test(usual_places_are_looked_at_in_turn),
        cmocka_unit_test(the_environment_decides_if_it_says_anything),
        cmocka_unit_test(both_and_several_directories_are_taken),
        cmocka_unit_test(the_key_changes_with_what_is_there),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
