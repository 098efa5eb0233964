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

/* What is said of a file whose name is a piece of so many characters. */
static void said_of(size_t len, char *text, size_t size)
{
    const struct out o = {.color = 0};
    char name[6000];
    FILE *to = tmpfile();
    int err = dup(2);
    size_t n;

    assert_true(to != NULL && err >= 0 && len < sizeof(name));
    memset(name, 'x', len);
    name[len] = '\0';
    assert_int_equal(dup2(fileno(to), 2), 2);
    assert_int_equal(
        err_plain(&o, "it", EXIT_OWN, "own-file", "", "%s: No room", name),
        EXIT_OWN);
    assert_int_equal(dup2(err, 2), 2);
    close(err);
    rewind(to);
    n = fread(text, 1, size - 1, to);
    text[n] = '\0';
    fclose(to);
}

static void a_long_name_does_not_hide_why(void **state)
{
    static const size_t lengths[] = {1, 400, 476, 477, 478, 500, 1000, 5999};
    char text[9000];

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        said_of(lengths[i], text, sizeof(text));
        assert_tells(text, "xx: No room\n" + (lengths[i] == 1));
        assert_tells(text, "  cause: x");
        assert_int_equal(strstr(text, "x ... x") != NULL, lengths[i] > 477);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_has_an_exit_code),
        cmocka_unit_test(a_long_name_does_not_hide_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
