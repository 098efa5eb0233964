#include "core/err.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static void a_failure_replaces_all_but_the_phase(void **state)
{
    tlsock_error e;

    (void)state;
    memset(&e, 'x', sizeof(e));
    e.phase = TLSOCK_PHASE_READ;
    assert_int_equal(tsk_fail(&e, TLSOCK_E_STATE, "no %d", 7),
                     TLSOCK_E_STATE);
    assert_int_equal(e.code, TLSOCK_E_STATE);
    assert_int_equal(e.phase, TLSOCK_PHASE_READ);
    assert_string_equal(e.message, "no 7");
    assert_string_equal(e.hint, "");
    assert_int_equal(e.alert, 0);
}

static void a_message_may_quote_the_error_it_replaces(void **state)
{
    tlsock_error e = {0};

    (void)state;
    tsk_fail(&e, TLSOCK_E_SYSTEM, "first");
    tsk_fail(&e, TLSOCK_E_CONNECT, "second after %s", e.message);
    assert_string_equal(e.message, "second after first");
}

static void a_system_failure_names_its_reason(void **state)
{
    tlsock_error e = {0};

    (void)state;
    tsk_fail_sys(&e, TLSOCK_E_OWN_FILE, ENOENT, "cannot open %s", "a.pem");
    assert_int_equal(e.sys_errno, ENOENT);
    assert_string_equal(e.message,
                        "cannot open a.pem: No such file or directory");
}

static void every_call_takes_no_error_struct(void **state)
{
    (void)state;
    assert_int_equal(tsk_fail(NULL, TLSOCK_E_STATE, "x"), TLSOCK_E_STATE);
    assert_int_equal(tsk_fail_sys(NULL, TLSOCK_E_SYSTEM, 1, "x"),
                     TLSOCK_E_SYSTEM);
    assert_int_equal(tsk_fail_nomem(NULL), TLSOCK_E_NOMEM);
    tsk_hint(NULL, "x");
    tsk_facts(NULL, "x", "y", "z");
    tsk_phase(NULL, 1);
    tsk_clear(NULL);
}

static void long_texts_are_cut_and_terminated(void **state)
{
    tlsock_error e = {0};
    char text[2000];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    tsk_fail(&e, TLSOCK_E_STATE, "%s", text);
    tsk_hint(&e, "%s", text);
    tsk_facts(&e, text, text, text);
    assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
    assert_int_equal(strlen(e.hint), sizeof(e.hint) - 1);
    assert_true(strlen(e.expected) < sizeof(e.expected));
}

static void every_code_has_a_name_and_a_slug(void **state)
{
    static const struct {
        int code;
        const char *name, *slug;
    } cases[] = {
        {TLSOCK_E_ARGUMENT, "TLSOCK_E_ARGUMENT", "argument"},
        {TLSOCK_E_NAME_MISMATCH, "TLSOCK_E_NAME_MISMATCH", "name-mismatch"},
        {TLSOCK_E_HOOK, "TLSOCK_E_HOOK", "hook"},
        {TLSOCK_E_NOT_TLS, "TLSOCK_E_NOT_TLS", "not-tls"},
        {-999, "TLSOCK_E_unknown", "unknown"},
    };
    static const int last_of_hundred[] = {8, 7, 5, 9, 18, 6};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(tlsock_errname(cases[i].code), cases[i].name);
        assert_string_equal(tlsock_errslug(cases[i].code), cases[i].slug);
    }
    for (int h = 1; h <= 6; h++) {
        for (int i = 1; i <= last_of_hundred[h - 1]; i++)
            assert_string_not_equal(tlsock_errslug(-(100 * h + i)), "unknown");
        assert_string_equal(
            tlsock_errslug(-(100 * h + last_of_hundred[h - 1] + 1)), "unknown");
    }
}

static void formats_are_line_full_and_json(void **state)
{
    tlsock_error e = {0};
    char out[2048], small[8];
    int len;

    (void)state;
    tsk_fail(&e, TLSOCK_E_NAME_MISMATCH, "say \"hi\"");
    tsk_hint(&e, "do");
    e.phase = TLSOCK_PHASE_VERIFY;
    len = tlsock_error_format(&e, TLSOCK_ERROR_LINE, out, sizeof(out));
    assert_string_equal(out, "name-mismatch: say \"hi\"; do");
    assert_int_equal(len, strlen(out));
    assert_int_equal(tlsock_error_format(&e, TLSOCK_ERROR_LINE, small,
                                         sizeof(small)),
                     len);
    assert_string_equal(small, "name-mi");
    tlsock_error_format(&e, TLSOCK_ERROR_JSON, out, sizeof(out));
    assert_non_null(strstr(out, "\"message\":\"say \\\"hi\\\"\""));
    assert_non_null(strstr(out, "\"phase\":\"verify\""));
    tlsock_error_format(&e, TLSOCK_ERROR_FULL, out, sizeof(out));
    assert_non_null(strstr(out, "fix:   do"));
    assert_int_equal(tlsock_error_format(&e, 9, out, sizeof(out)),
                     TLSOCK_E_ARGUMENT);
    assert_int_equal(tlsock_error_format(NULL, 0, out, sizeof(out)),
                     TLSOCK_E_ARGUMENT);
}

/* An error is copied whole, also to where it is shown: nothing is behind the
 * texts. */
static void nothing_is_left_behind_the_texts(void **state)
{
    static const tlsock_error none;
    tlsock_error err;

    (void)state;
    memset(&err, 0x55, sizeof(err));
    err.phase = 0;
    tsk_fail(&err, TLSOCK_E_PIN, "short");
    assert_memory_equal(err.message + 5, none.message + 5,
                        sizeof(err.message) - 5);
    assert_memory_equal(err.hint, none.hint, sizeof(err.hint));
}

static void words_are_put_before_a_message(void **state)
{
    tlsock_error err = {0};
    char longest[400];

    (void)state;
    tsk_fail(&err, TLSOCK_E_CONNECT, "no way");
    tsk_about(&err, "the %s: ", "proxy");
    assert_string_equal(err.message, "the proxy: no way");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    tsk_about(&err, "%s", longest);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    tsk_about(NULL, "nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_behind_the_texts),
        cmocka_unit_test(words_are_put_before_a_message),
        cmocka_unit_test(a_failure_replaces_all_but_the_phase),
        cmocka_unit_test(a_message_may_quote_the_error_it_replaces),
        cmocka_unit_test(a_system_failure_names_its_reason),
        cmocka_unit_test(every_call_takes_no_error_struct),
        cmocka_unit_test(long_texts_are_cut_and_terminated),
        cmocka_unit_test(every_code_has_a_name_and_a_slug),
        cmocka_unit_test(formats_are_line_full_and_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
