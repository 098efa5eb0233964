/* Text of the network never steers a terminal, and is always JSON. */
#include "out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name, *in, *want;
} rows[] = {
    {"plain", "mx.example.com", "mx.example.com"},
    {"escape", "\x1b[2J\x1b]0;t\x07", "\\x1b[2J\\x1b]0;t\\x07"},
    {"line ends", "a\r\nSet-Cookie: b", "a\\x0d\\x0aSet-Cookie: b"},
    {"tab, backspace", "a\tb\b", "a\\x09b\\x08"},
    {"delete", "a\x7f", "a\\x7f"},
    {"C1 as UTF-8: CSI", "\xc2\x9b", "\\xc2\\x9b"},
    {"C1 as a byte",
     "\x9b"
     "31m",
     "\\x9b"
     "31m"},
    {"letters", "l\xc3\xb6we \xe6\xbc\xa2 \xf0\x9f\x94\x92",
     "l\xc3\xb6we \xe6\xbc\xa2 \xf0\x9f\x94\x92"},
    {"overlong slash", "\xc0\xaf", "\\xc0\\xaf"},
    {"overlong escape", "\xe0\x80\x9b", "\\xe0\\x80\\x9b"},
    {"overlong in four", "\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b"},
    {"a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
    {"beyond Unicode", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
    {"cut off", "a\xe2\x80", "a\\xe2\\x80"},
    {"right to left", "\xe2\x80\xae", "\\xe2\\x80\\xae"},
    {"an isolate", "\xe2\x81\xa7", "\\xe2\\x81\\xa7"},
    {"Arabic letter mark", "\xd8\x9c", "\\xd8\\x9c"},
    {"an Arabic letter", "\xd8\xa7", "\xd8\xa7"},
    {"zero width", "\xe2\x80\x8b", "\\xe2\\x80\\x8b"},
    {"line separator", "\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
    {"byte order mark", "\xef\xbb\xbf", "\\xef\\xbb\\xbf"},
    {"soft hyphen", "\xc2\xad", "\\xc2\\xad"},
    {"a tag", "\xf3\xa0\x80\xa1", "\\xf3\\xa0\\x80\\xa1"},
};

static void hostile_text_is_shown_as_what_it_is(void **state)
{
    char out[128];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        out_clean(out, sizeof(out), rows[i].in);
        if (strcmp(out, rows[i].want) != 0)
            fail_msg("%s: \"%s\"", rows[i].name, out);
    }
}

static void it_is_json_as_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *value = out_json_text(rows[i].in);
        char *text = json_dumps(value, JSON_ENCODE_ANY);

        assert_non_null(text);
        assert_string_equal(json_string_value(value), rows[i].want);
        for (const char *p = text; *p != '\0'; p++)
            if ((unsigned char)*p < 0x20 || *p == 0x7f)
                fail_msg("%s: a control character", rows[i].name);
        free(text);
        json_decref(value);
    }
    assert_true(json_is_null(out_json_text(NULL)));
}

static void no_cut_halves_a_character_or_an_escape(void **state)
{
    static const char in[] = "\x1b\xc3\xb6\xf0\x9f\x94\x92z";
    char whole[64], out[64];

    (void)state;
    out_clean(whole, sizeof(whole), in);
    for (size_t size = 1; size < sizeof(whole); size++) {
        size_t n = strlen(out_clean(out, size, in));

        assert_true(n < size && strncmp(out, whole, n) == 0);
        assert_true(n == 0 || n == 4 || n == 6 || n == 10 || n == 11);
    }
}

static void what_is_no_time_has_no_age(void **state)
{
    static const struct {
        const char *text;
        int is_time;
        const char *age;                                 /* NULL: it grows */
    } times[] = {{"9999-12-31T23:59:59Z", 1, "0 s old"}, /* their clock */
                 {"2000-01-01T00:00:00Z", 1, NULL},
                 {"2000-01-01T00:00:00Z ", 0, NULL},
                 {"2000-01-01 00:00:00", 0, NULL},
                 {"unknown", 0, NULL},
                 {"", 0, NULL}};
    char text[32];
    int ok;

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        long days = out_days_until(times[i].text, &ok);

        assert_int_equal(out_age(text, times[i].text),
                         times[i].is_time ? 0 : -1);
        assert_int_equal(ok, times[i].is_time);
        if (!ok)
            assert_int_equal(days, 0);
        if (times[i].age != NULL)
            assert_string_equal(text, times[i].age);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text_is_shown_as_what_it_is),
        cmocka_unit_test(it_is_json_as_well),
        cmocka_unit_test(no_cut_halves_a_character_or_an_escape),
        cmocka_unit_test(what_is_no_time_has_no_age),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
