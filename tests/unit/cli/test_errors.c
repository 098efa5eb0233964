/* Every code of the library has one exit code, and a long name does not hide
 * why. */
#include "errors.h"

#include "test.h"

#include <string.h>
#include <unistd.h>

static const struct {
    int code, phase, own, alert_from_peer, exit;
} rows[] = {
    {TLSOCK_OK, 0, 0, 0, EXIT_GOOD},
    {-1, 0, 0, 0, EXIT_INTERNAL}, /* no code at all */
    {TLSOCK_AGAIN, 0, 0, 0, EXIT_INTERNAL},
    {TLSOCK_E_ARGUMENT, 0, 0, 0, EXIT_USAGE},
    {TLSOCK_E_OPTION, 0, 0, 0, EXIT_USAGE},
    {TLSOCK_E_CONFIG_FILE, 0, 0, 0, EXIT_USAGE},
    {TLSOCK_E_STATE, 0, 0, 0, EXIT_INTERNAL},
    {TLSOCK_E_INTERRUPTED, 0, 0, 0, EXIT_INTERNAL},
    {TLSOCK_E_NOMEM, 0, 0, 0, EXIT_INTERNAL},
    {TLSOCK_E_TIMEOUT, 0, 0, 0, EXIT_TIMEOUT},
    {TLSOCK_E_SYSTEM, 0, 0, 0, EXIT_NETWORK},
    {TLSOCK_E_SYSTEM, 0, 1, 0, EXIT_OWN},
    {TLSOCK_E_SYSTEM, TLSOCK_PHASE_CONFIG, 0, 0, EXIT_OWN},
    {TLSOCK_E_RESET, 0, 0, 0, EXIT_TLS},
    {TLSOCK_E_RESET, TLSOCK_PHASE_PROXY, 0, 0, EXIT_NETWORK},
    {TLSOCK_E_LIMIT, 0, 1, 0, EXIT_OWN},
    {TLSOCK_E_RESOLVE, 0, 0, 0, EXIT_NETWORK},
    {TLSOCK_E_PROXY, 0, 0, 0, EXIT_NETWORK},
    {TLSOCK_E_PROXY_AUTH, 0, 0, 0, EXIT_NETWORK},
    {TLSOCK_E_STARTTLS_REFUSED, 0, 0, 0, EXIT_TLS},
    {TLSOCK_E_PROTOCOL, 0, 0, 0, EXIT_TLS},
    {TLSOCK_E_EXPIRED, 0, 0, 0, EXIT_PEER},
    {TLSOCK_E_EXPIRED, 0, 1, 0, EXIT_OWN},
    {TLSOCK_E_CLIENT_CERT_DENIED, 0, 0, 1, EXIT_TLS},
    {TLSOCK_E_CLIENT_CERT_DENIED, 0, 0, 0, EXIT_PEER},
    {TLSOCK_E_OWN_FILE, 0, 0, 0, EXIT_OWN},
    {TLSOCK_E_POLICY, 0, 0, 0, EXIT_POLICY},
    {TLSOCK_E_HOOK, 0, 0, 0, EXIT_POLICY},
    {-700, 0, 0, 0, EXIT_INTERNAL}, /* of a library that is newer */
    {-12345, 0, 0, 0, EXIT_INTERNAL},
};

static void each_code_has_an_exit_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const tlsock_error err = {.code = rows[i].code,
                                  .phase = rows[i].phase,
                                  .alert_from_peer = rows[i].alert_from_peer};
        int exit_code = err_exit_code(&err, rows[i].own);

        if (exit_code != rows[i].exit)
            fail_msg("%d (%s), row %zu: %d", rows[i].code,
                     tlsock_errslug(rows[i].code), i, exit_code);
    }
}

/* What a call says on stderr, and the exit code that it gives. */
static int said(int (*call)(const void *arg), const void *arg, char *text,
                size_t size)
{
    FILE *to = tmpfile();
    int err = dup(2), rc;
    size_t n;

    assert_true(to != NULL && err >= 0);
    assert_int_equal(dup2(fileno(to), 2), 2);
    rc = call(arg);
    assert_int_equal(dup2(err, 2), 2);
    close(err);
    rewind(to);
    n = fread(text, 1, size - 1, to);
    text[n] = '\0';
    fclose(to);
    return rc;
}

static int no_room(const void *name)
{
    const struct out o = {.color = 0};

    return err_plain(&o, "it", EXIT_OWN, "own-file", "", "%s: No room",
                     (const char *)name);
}

static void a_long_name_does_not_hide_why(void **state)
{
    static const size_t lengths[] = {1, 400, 476, 477, 478, 500, 1000, 5999};
    char name[6000], text[9000];

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        memset(name, 'x', lengths[i]);
        name[lengths[i]] = '\0';
        assert_int_equal(said(no_room, name, text, sizeof(text)), EXIT_OWN);
        assert_tells(text, &"xx: No room\n"[lengths[i] == 1]);
        assert_tells(text, "  cause: x");
        assert_int_equal(strstr(text, "x ... x") != NULL, lengths[i] > 477);
    }
}

static int report(const void *err)
{
    const struct out o = {.color = 0};

    return err_report(&o, "it", err, 1);
}

/* Who has no memory may have none for the words, either. */
static void no_memory_is_always_said(void **state)
{
    static const tlsock_error errors[] = {
        {.code = TLSOCK_OK},
        {.code = TLSOCK_E_NOMEM},
        {.code = TLSOCK_E_NOMEM, .message = "out of memory"}};
    char text[400];

    (void)state;
    for (size_t i = 0; i < COUNT(errors); i++) {
        assert_int_equal(said(report, &errors[i], text, sizeof(text)),
                         EXIT_INTERNAL);
        assert_tells(text, "tlsock: it: nomem\n  cause: out of memory\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_has_an_exit_code),
        cmocka_unit_test(a_long_name_does_not_hide_why),
        cmocka_unit_test(no_memory_is_always_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
