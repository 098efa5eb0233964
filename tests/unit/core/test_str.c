#include "core/str.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static void printable_text_cannot_reach_the_terminal_raw(void **state)
{
    static const struct {
        const char *in;
        size_t len;
        const char *want;
    } cases[] = {
        {"abc", 3, "abc"},
        {"a\x1b[31mb", 7, "a\\x1b[31mb"},
        {"a\0b", 3, "a\\x00b"},
        {"l\xc3\xb6we", 5, "l\xc3\xb6we"},
        {"\xff\xfe", 2, "\\xff\\xfe"},
        {"\xc2\x9b", 2, "\\xc2\\x9b"}, /* C1: CSI */
        {"\xe2\x80\xae"
         "x",
         4, "\\xe2\\x80\\xaex"},                /* right-to-left */
        {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80"}, /* a surrogate */
        {"\xc0\xaf", 2, "\\xc0\\xaf"},          /* overlong */
        {"\xd8\x9c", 2, "\\xd8\\x9c"},         /* Arabic letter mark */
        {"\xc2\xad", 2, "\\xc2\\xad"},         /* soft hyphen */
        {"\xef\xbf\xb9", 3, "\\xef\\xbf\\xb9"}, /* interlinear */
        {"\xf3\xa0\x81\x81", 4, "\\xf3\\xa0\\x81\\x81"}, /* a tag */
        {"\xd8\xa7", 2, "\xd8\xa7"},           /* a letter beside them */
        {"a\\b", 3, "a\\x5cb"},
        {"\x7f", 1, "\\x7f"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tsk_printable(out, sizeof(out), cases[i].in, cases[i].len);
        assert_string_equal(out, cases[i].want);
    }
    tsk_printable(out, 5, "abcdefgh", 8);
    assert_string_equal(out, "abcd");
    tsk_printable(out, 4, "\x1b\x1b", 2); /* no half an escape */
    assert_string_equal(out, "");
}

static void json_strings_are_escaped(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\x01", "\"\\u000a\\u0001\""},
        {"\xff", "\"\\u00ff\""},
        {"\xc3\xb6", "\"\xc3\xb6\""},
        {NULL, "null"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[64] = "";
        size_t pos = 0;

        tsk_append_json(out, sizeof(out), &pos, cases[i].in);
        assert_string_equal(out, cases[i].want);
        assert_int_equal(pos, strlen(out));
    }
}

static void append_counts_what_does_not_fit(void **state)
{
    char out[4] = "";
    size_t pos = 0;

    (void)state;
    tsk_append(out, sizeof(out), &pos, "ab%s", "cdef");
    assert_int_equal(pos, 6);
    assert_string_equal(out, "abc");
    tsk_append(out, sizeof(out), &pos, "gh");
    assert_int_equal(pos, 8);
    assert_string_equal(out, "abc");
}

static void numbers_are_strict(void **state)
{
    static const struct {
        const char *in;
        int rc;
        int64_t want;
    } cases[] = {
        {"0", 0, 0},
        {"100", 0, 100},
        {"-5", 0, -5},
        {"101", -1, 0},
        {"", -1, 0},
        {"-", -1, 0},
        {"+1", -1, 0},
        {"1 ", -1, 0},
        {"0x10", -1, 0},
        {"-6", -1, 0},
        {"9999999999999999999", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t v = 0;

        assert_int_equal(tsk_number(cases[i].in, -5, 100, &v), cases[i].rc);
        assert_int_equal(v, cases[i].want);
    }
}

static void case_and_hex(void **state)
{
    char hex[7];

    (void)state;
    assert_int_equal(tsk_casecmp("AbC", "aBc"), 0);
    assert_true(tsk_casecmp("abc", "abd") < 0);
    assert_true(tsk_casecmp("abc", "ab") > 0);
    assert_int_equal(tsk_casencmp("abX", "aby", 2), 0);
    tsk_hex(hex, "\x00\xab\xff", 3);
    assert_string_equal(hex, "00abff");
}

static void decimal_is_what_printf_writes(void **state)
{
    static const uint32_t rows[] = {0,   1,     9,        10,         99,
                                    255, 65535, 1u << 20, 4294967295u};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char want[16], got[16];
        int len = snprintf(want, sizeof(want), "%u", rows[i]);

        memset(got, 'x', sizeof(got));
        assert_int_equal(tsk_decimal(got, rows[i]), len);
        assert_string_equal(got, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printable_text_cannot_reach_the_terminal_raw),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(append_counts_what_does_not_fit),
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(case_and_hex),
        cmocka_unit_test(decimal_is_what_printf_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
