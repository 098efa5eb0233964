/* What a hook is shown of a ClientHello. */
#include "tls/hello.h"
#include "test.h"

struct bytes {
    const char *name, *bytes;
    size_t len;
    const char *text;
};
#define B(literal) literal, sizeof(literal) - 1

/* RFC 6066, 3 */
static const struct bytes names[] = {
    {"one", B("\0\x09\0\0\x06" "a.test"), "a.test"},
    {"two, the first counts", B("\0\x0d\0\0\x06" "a.test" "\0\0\x01" "b"),
     "a.test"},
    {"controls are escaped", B("\0\x06\0\0\x03" "a\x1b" "b"), "a\\x1bb"},
    {"no list", B(""), ""},
    {"cut", B("\0\x09\0\0"), ""},
    {"the list is longer than all", B("\0\x0a\0\0\x06" "a.test"), ""},
    {"the list is shorter", B("\0\x08\0\0\x06" "a.test"), ""},
    {"the name is longer than the list", B("\0\x09\0\0\x07" "a.test"), ""},
    {"another type", B("\0\x09\x01\0\x06" "a.test"), ""},
};

/* RFC 7301, 3.1 */
static const struct bytes protocols[] = {
    {"one", B("\0\x03\x02" "h2"), "h2"},
    {"two", B("\0\x0c\x02" "h2" "\x08" "http/1.1"), "h2,http/1.1"},
    {"controls are escaped", B("\0\x04\x03" "a\0b"), "a\\x00b"},
    {"none", B("\0\0"), ""},
    {"no list", B("\0"), ""},
    {"a name is empty", B("\0\x04\x02" "h2\0"), ""},
    {"a name is longer than the list", B("\0\x04\x02" "h2\x02"), ""},
    {"the list is shorter", B("\0\x02\x02" "h2"), ""},
};

static void check(const struct bytes *t,
                  void (*show)(const unsigned char *, size_t,
                               char out[TSK_HELLO_TEXT]))
{
    char out[TSK_HELLO_TEXT];

    memset(out, 'x', sizeof(out));
    show((const unsigned char *)t->bytes, t->len, out);
    if (strcmp(out, t->text) != 0)
        fail_msg("%s: \"%s\"", t->name, out);
}

static void a_name_is_shown_or_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        check(&names[i], tsk_hello_sni);
}

static void protocols_are_listed_or_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(protocols); i++)
        check(&protocols[i], tsk_hello_alpn);
}

static void a_long_list_is_cut(void **state)
{
    unsigned char ext[2 + 300 * 4] = {1200 >> 8, 1200 & 0xff};
    char out[TSK_HELLO_TEXT];

    (void)state;
    for (size_t i = 2; i < sizeof(ext); i += 4)
        memcpy(ext + i, "\x03" "abc", 4);
    tsk_hello_alpn(ext, sizeof(ext), out);
    assert_int_equal(strlen(out), TSK_HELLO_TEXT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_shown_or_nothing),
        cmocka_unit_test(protocols_are_listed_or_nothing),
        cmocka_unit_test(a_long_list_is_cut),
    };

    return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
