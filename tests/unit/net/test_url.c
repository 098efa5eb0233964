#include "test.h"

#include "net/url.h"

static const struct {
    const char *text, *host;
    int port;
    const char *authority, *path;
} good[] = {
    {"http://A.Test", "a.test", 80, "a.test", ""},
    {"HTTP://a.test/", "a.test", 80, "a.test", "/"},
    {"http://a.test:80/x", "a.test", 80, "a.test", "/x"},
    {"http://a.test:/x", "a.test", 80, "a.test", "/x"},
    {"http://a.test:8080/x?y=%2f&z#frag", "a.test", 8080, "a.test:8080",
     "/x?y=%2f&z"},
    {"http://a.test?q", "a.test", 80, "a.test", "?q"},
    {"http://a.test#f", "a.test", 80, "a.test", ""},
    {"http://192.0.2.1/x", "192.0.2.1", 80, "192.0.2.1", "/x"},
    {"http://[2001:DB8::1]/x", "2001:db8::1", 80, "[2001:db8::1]", "/x"},
    {"http://[::1]:81", "::1", 81, "[::1]:81", ""},
    {"http://unix:81/x", "unix", 81, "unix:81", "/x"},
    {"http://a.test/u@b:c", "a.test", 80, "a.test", "/u@b:c"},
};

static void urls_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        tlsock_error err = {0};
        struct tsk_url u;

        if (tsk_url_parse(&u, good[i].text, &err) != TLSOCK_OK)
            fail_msg("%s: %s", good[i].text, err.message);
        assert_string_equal(u.host, good[i].host);
        assert_int_equal(u.port, good[i].port);
        assert_string_equal(u.authority, good[i].authority);
        assert_int_equal(u.path_len, strlen(good[i].path));
        assert_memory_equal(u.path, good[i].path, u.path_len);
    }
}

static const char *const bad[] = {
    "",
    "a.test/x",
    "https://a.test/",
    "ldap://a.test/",
    "http:/a.test/",
    "http://",
    "http:///x",
    "http://?x",
    "http://:80/",
    "http://a.test:0/",
    "http://a.test:65536/",
    "http://a.test:http/",
    "http://a.test:80:80/",
    "http://::1/",
    "http://[::1/",
    "http://[::1]x/",
    "http://[a.test]/",
    "http://u@a.test/",
    "http://u:secret@a.test/",
    "http://a..test/",
    "http://a.test/ x",
    "http://a.test/\tx",
    "http://a.test/\rX: y",
    "http://a.test/\nX: y",
    "http://a.test/\x7f",
    "http://m\xc3\xbcller.test/",
};

static void nonsense_is_refused_with_a_hint(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        tlsock_error err = {0};
        struct tsk_url u;

        if (tsk_url_parse(&u, bad[i], &err) != TLSOCK_E_ARGUMENT)
            fail_msg("%s is taken", bad[i]);
        assert_code(err.code, TLSOCK_E_ARGUMENT);
        assert_true(err.hint[0] != '\0');
        assert_null(strstr(err.message, "secret"));
    }
}

static void the_longest_url_is_4000_bytes(void **state)
{
    char text[TSK_URL_MOST + 2], out[TSK_URL_MOST + 1];
    struct tsk_url u;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "http://a.test/", 14);
    text[TSK_URL_MOST] = '\0';
    assert_code(tsk_url_parse(&u, text, NULL), TLSOCK_OK);
    assert_code(tsk_url_resolve(out, "http://b.test/", text + 14, NULL),
                TLSOCK_OK);
    assert_code(tsk_url_resolve(out, "http://a.test/xxx/", text + 13, NULL),
                TLSOCK_OK);
    text[TSK_URL_MOST] = 'x';
    text[TSK_URL_MOST + 1] = '\0';
    assert_code(tsk_url_parse(&u, text, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tsk_url_resolve(out, "http://b.test/x", text, NULL),
                TLSOCK_E_ARGUMENT);
}

#define BASE "http://a/b/c/d;p?q"

/* Most are the examples of RFC 3986, 5.4. */
static const struct {
    const char *base, *to, *is;
} refs[] = {
    {BASE, "g:h", "g:h"},
    {BASE, "g", "http://a/b/c/g"},
    {BASE, "./g", "http://a/b/c/g"},
    {BASE, "g/", "http://a/b/c/g/"},
    {BASE, "/g", "http://a/g"},
    {BASE, "//g", "http://g"},
    {BASE, "?y", "http://a/b/c/d;p?y"},
    {BASE, "g?y", "http://a/b/c/g?y"},
    {BASE, "#s", "http://a/b/c/d;p?q"},
    {BASE, "g#s", "http://a/b/c/g"},
    {BASE, ";x", "http://a/b/c/;x"},
    {BASE, "", "http://a/b/c/d;p?q"},
    {BASE, ".", "http://a/b/c/"},
    {BASE, "./", "http://a/b/c/"},
    {BASE, "..", "http://a/b/"},
    {BASE, "../", "http://a/b/"},
    {BASE, "../g", "http://a/b/g"},
    {BASE, "../..", "http://a/"},
    {BASE, "../../g", "http://a/g"},
    {BASE, "../../../g", "http://a/g"},
    {BASE, "/./g", "http://a/g"},
    {BASE, "/../g", "http://a/g"},
    {BASE, "g.", "http://a/b/c/g."},
    {BASE, "..g", "http://a/b/c/..g"},
    {BASE, "./g/.", "http://a/b/c/g/"},
    {BASE, "g/../h", "http://a/b/c/h"},
    {BASE, "g?y/../x", "http://a/b/c/g?y/../x"},
    {"http://a", "g", "http://a/g"},
    {"http://a", "?y", "http://a?y"},
    {"http://a?q", "g", "http://a/g"},
    {"http://a#f", "", "http://a"},
    {"http://a/b#f/x", "c", "http://a/c"},
    {"http://a:1/b", "//c:2/d", "http://c:2/d"},
    {"http://a/b", "HTTP://c/../d", "HTTP://c/d"},
    {"http://a/b", "https://c/x", "https://c/x"},
    {"http://a/b", "1:2", "http://a/1:2"},
};

static void references_are_resolved_as_the_rfc_has_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refs); i++) {
        char out[TSK_URL_MOST + 1];

        assert_code(tsk_url_resolve(out, refs[i].base, refs[i].to, NULL),
                    TLSOCK_OK);
        if (strcmp(out, refs[i].is) != 0)
            fail_msg("%s at %s is %s", refs[i].to, refs[i].base, out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(nonsense_is_refused_with_a_hint),
        cmocka_unit_test(the_longest_url_is_4000_bytes),
        cmocka_unit_test(references_are_resolved_as_the_rfc_has_them),
    };

    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
