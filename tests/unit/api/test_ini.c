#include "test.h"

#include "api/ini.h"

/* What the reader said, as one text: "[s]", "s.key=value@line". */
struct seen {
    char text[2048];
    int fail_at; /* the line that the caller refuses */
    int blame;   /* and the one it blames instead */
};

static int note(void *arg, struct tsk_ini_item *item, tlsock_error *err)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text), left = sizeof(seen->text) - len;

    if (item->line == seen->fail_at) {
        if (seen->blame != 0)
            item->line = seen->blame;
        return tsk_fail(err, TLSOCK_E_OPTION, "refused");
    }
    if (item->key == NULL)
        snprintf(seen->text + len, left, "[%s]@%d ", item->section,
                 item->line);
    else
        snprintf(seen->text + len, left, "%s.%s=%s@%d ", item->section,
                 item->key, item->value, item->line);
    return TLSOCK_OK;
}

static void sections_keys_and_comments_are_told_apart(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"\n\n  \n", ""},
        {"a=b", ".a=b@1 "},
        {"a = b\r\nc=d\r\n", ".a=b@1 .c=d@2 "},
        {"\xef\xbb\xbf" "a = b\n", ".a=b@1 "},
        {"; x = y\n# [z]\n  # w\na=b\n", ".a=b@4 "},
        {"[ s ]\n\ta\t=\tb c \n", "[s]@1 s.a=b c@2 "},
        {"[s]\na=1\n[t]\na=2\n[s]\na=3", "[s]@1 s.a=1@2 [t]@3 t.a=2@4 [s]@5 "
                                         "s.a=3@6 "},
        {"a = \"b\"\n", ".a=\"b\"@1 "},
        {"a = b ; c # d\n", ".a=b ; c # d@1 "},
        {"a = b = c\n", ".a=b = c@1 "},
        {"?tls.min = 1.3\n", ".?tls.min=1.3@1 "},
        {"[a.b:c d]\n", "[a.b:c d]@1 "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct seen seen = {0};
        tlsock_error err = {0};

        if (tsk_ini_parse(cases[i].text, strlen(cases[i].text), "f", note,
                          &seen, &err) != 0)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_string_equal(seen.text, cases[i].want);
    }
}

#define TEXT(t) t, sizeof(t) - 1

static void bad_lines_are_refused_by_number(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *tells;
    } cases[] = {
        {TEXT("word\n"), "f:1: \"word\" is neither"},
        {TEXT("a=b\n\nword\n"), "f:3: "},
        {TEXT("a=\n"), "f:1: a has no value"},
        {TEXT("a=b\n  a =  \t\n"), "f:2: a has no value"},
        {TEXT("=b\n"), "f:1: \"=b\" does not begin with a key"},
        {TEXT("a b = c\n"), "does not begin with a key"},
        {TEXT("a\xc3\xa4 = c\n"), "does not begin with a key"},
        {TEXT("[s\n"), "f:1: a section line ends with"},
        {TEXT("[s] x\n"), "a section line ends with"},
        {TEXT("[\n"), "a section line ends with"},
        {TEXT("[]\n"), "a section's name"},
        {TEXT("[ ]\n"), "a section's name"},
        {TEXT("[a]b]\n"), "a section's name"},
        {TEXT("a=b\0c\n"), "f:1: a NUL byte"},
        {TEXT("a=b\n\0"), "f:2: a NUL byte"},
        {TEXT("a=b\x1b[0m\n"), "f:1: control character \\x1b"},
        {TEXT("a=b\rc=d\n"), "f:1: control character \\x0d"},
        {TEXT("a=b\x7f\n"), "control character \\x7f"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct seen seen = {0};
        tlsock_error err = {0};
        int rc = tsk_ini_parse(cases[i].text, cases[i].len, "f", note, &seen,
                               &err);

        assert_code(rc, TLSOCK_E_CONFIG_FILE);
        assert_code(err.code, rc);
        assert_tells(err.message, cases[i].tells);
    }
}

static void lines_have_a_longest_one(void **state)
{
    static char text[TSK_INI_LINE + 8];
    struct seen seen = {0};
    tlsock_error err = {0};

    (void)state;
    memset(text, 'x', sizeof(text));
    text[0] = '#';
    text[TSK_INI_LINE] = '\n';
    assert_int_equal(
        tsk_ini_parse(text, TSK_INI_LINE + 1, "f", note, &seen, &err), 0);
    text[TSK_INI_LINE] = 'x';
    assert_code(tsk_ini_parse(text, TSK_INI_LINE + 1, "f", note, &seen, &err),
                TLSOCK_E_CONFIG_FILE);
    assert_tells(err.message, "f:1: the line is longer than 8192 bytes");
}

static void keys_and_sections_have_a_longest_one(void **state)
{
    char text[256];
    tlsock_error err = {0};
    struct seen seen = {0};

    (void)state;
    memset(text, 'k', sizeof(text));
    memcpy(text + 65, "=v", 3);
    assert_code(tsk_ini_parse(text, 67, "f", note, &seen, &err),
                TLSOCK_E_CONFIG_FILE);
    assert_int_equal(tsk_ini_parse(text + 1, 66, "f", note, &seen, &err), 0);
    memset(text, 's', sizeof(text));
    text[0] = '[';
    text[130] = ']';
    assert_code(tsk_ini_parse(text, 131, "f", note, &seen, &err),
                TLSOCK_E_CONFIG_FILE);
    text[1] = '[';
    assert_int_equal(
        tsk_ini_parse("[s]", 3, "f", note, &seen, &err), 0);
}

static void the_callers_refusal_gets_the_place(void **state)
{
    struct seen seen = {.fail_at = 3};
    tlsock_error err = {0};

    (void)state;
    assert_code(tsk_ini_parse("a=b\n[s]\nc=d\ne=f\n", 16, "f", note, &seen,
                              &err),
                TLSOCK_E_CONFIG_FILE);
    assert_string_equal(err.message, "f:3: refused");
    assert_string_equal(seen.text, ".a=b@1 [s]@2 ");
    seen.blame = 1;
    assert_code(tsk_ini_parse("a=b\n[s]\nc=d\ne=f\n", 16, "f", note, &seen,
                              NULL),
                TLSOCK_E_CONFIG_FILE);
    assert_code(tsk_ini_parse("a=b\n[s]\nc=d\ne=f\n", 16, "f", note, &seen,
                              &err),
                TLSOCK_E_CONFIG_FILE);
    assert_string_equal(err.message, "f:1: refused");
}

static void names_are_shown_escaped_and_by_their_end(void **state)
{
    char name[301];
    tlsock_error err = {0};
    struct seen seen = {0};

    (void)state;
    memset(name, 'd', sizeof(name));
    strcpy(name + 280, "\x1b/the.ini");
    assert_code(tsk_ini_parse("x", 1, name, note, &seen, &err),
                TLSOCK_E_CONFIG_FILE);
    assert_tells(err.message, "\\x1b/the.ini:1: \"x\" is neither");
    assert_memory_equal(err.message, "...ddd", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_keys_and_comments_are_told_apart),
        cmocka_unit_test(bad_lines_are_refused_by_number),
        cmocka_unit_test(lines_have_a_longest_one),
        cmocka_unit_test(keys_and_sections_have_a_longest_one),
        cmocka_unit_test(the_callers_refusal_gets_the_place),
        cmocka_unit_test(names_are_shown_escaped_and_by_their_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
