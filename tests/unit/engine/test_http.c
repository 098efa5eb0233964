#include "test.h"

#include "http.h"

#define H "Host: a.test:8\r\n"

static const struct {
    const char *claim, *text;
    int status;
    size_t length; /* of the body */
    int persist;
    const char *path, *host, *type;
} cases[] = {
    {"GET", "GET /a/b HTTP/1.1\r\n" H "\r\n", 0, 0, 1, "/a/b", "a.test:8", ""},
    {"a query is cut", "GET /a?b=c HTTP/1.1\r\n" H "\r\n", 0, 0, 1, "/a",
     "a.test:8", ""},
    {"escapes stay", "GET /a%2Fb%00 HTTP/1.1\r\n" H "\r\n", 0, 0, 1,
     "/a%2Fb%00", "a.test:8", ""},
    {"an absolute address", "GET http://x/y HTTP/1.1\r\n" H "\r\n", 0, 0, 1,
     "/y", "a.test:8", ""},
    {"one without a path", "GET HTTPS://x HTTP/1.1\r\n" H "\r\n", 0, 0, 1, "/",
     "a.test:8", ""},
    {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0, 0, 0, "/", "", ""},
    {"HTTP/1.0, to go on", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
     0, 0, 1, "/", "", ""},
    {"the end announced", "GET / HTTP/1.1\r\n" H "Connection: x, close\r\n\r\n",
     0, 0, 0, "/", "a.test:8", ""},
    {"POST",
     "POST / HTTP/1.1\r\n" H "Content-Length: 12\r\n"
     "Content-Type: Application/JOSE+json; x=y\r\n\r\n",
     0, 12, 1, "/", "a.test:8", "application/jose+json"},
    {"lines without CR", "GET / HTTP/1.1\nHost: a\n\n", 0, 0, 1, "/", "a", ""},
    {"empty lines before it", "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 0, 0, 1,
     "/", "a.test:8", ""},
    {"the longest body",
     "POST / HTTP/1.1\r\n" H "Content-Length: 131072\r\n\r\n", 0, 131072, 1,
     "/", "a.test:8", ""},
    {"a body too long",
     "POST / HTTP/1.1\r\n" H "Content-Length: 131073\r\n\r\n", 413, 0, 0, NULL,
     NULL, NULL},
    {"no length", "POST / HTTP/1.1\r\n" H "\r\n", 411, 0, 0, NULL, NULL, NULL},
    {"a control in the path", "GET /\x01 HTTP/1.1\r\n" H "\r\n", 400, 0, 0,
     NULL, NULL, NULL},
    {"a fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", 400, 0, 0, NULL, NULL,
     NULL},
    {"no path", "GET a HTTP/1.1\r\n" H "\r\n", 400, 0, 0, NULL, NULL, NULL},
    {"lower case", "get / HTTP/1.1\r\n" H "\r\n", 405, 0, 0, NULL, NULL, NULL},
    {"a CR in a field", "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", 400, 0, 0,
     NULL, NULL, NULL},
    {"a blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, 0,
     0, NULL, NULL, NULL},
    {"a name that is none, but in use",
     "GET / HTTP/1.1\r\nHost: my_app:8\r\n\r\n", 0, 0, 1, "/", "my_app:8", ""},
    {"bytes beyond ASCII stay", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 0, 0, 1,
     "/\xc3\xa4", "a.test:8", ""},
    {"chunks", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: x\r\n\r\n", 411, 0,
     0, NULL, NULL, NULL},
    {"a DEL in the path", "GET /\x7f HTTP/1.1\r\n" H "\r\n", 400, 0, 0, NULL,
     NULL, NULL},
    {"a host with a slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, 0, 0,
     NULL, NULL, NULL},
};

static void heads_are_understood_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t len = strlen(cases[i].text), n;
        char *text = malloc(len); /* without a NUL: no byte behind is read */
        struct http_head h;

        memcpy(text, cases[i].text, len);
        n = http_parse(&h, text, len);
        if (h.status != cases[i].status || n == 0)
            fail_msg("%s: %d", cases[i].claim, h.status);
        if (h.status == 0) {
            assert_int_equal(n, len);
            assert_int_equal(h.length, cases[i].length);
            assert_int_equal(h.persist, cases[i].persist);
            assert_string_equal(h.path, cases[i].path);
            assert_string_equal(h.host, cases[i].host);
            assert_string_equal(h.type, cases[i].type);
            /* any part of it is not complete, and says so */
            for (size_t part = 0; part < len; part++)
                assert_int_equal(http_parse(&h, text, part), 0);
        }
        free(text);
    }
}

static void too_much_is_refused_before_its_end(void **state)
{
    char *text = malloc(HTTP_HEAD_MAX + 1);
    struct http_head h;

    (void)state;
    memset(text, 'a', HTTP_HEAD_MAX);
    memcpy(text, "GET /", 5);
    assert_int_equal(http_parse(&h, text, HTTP_LINE_MAX), 0);
    http_parse(&h, text, HTTP_LINE_MAX + 1);
    assert_int_equal(h.status, 414);
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    assert_int_equal(http_parse(&h, text, HTTP_HEAD_MAX - 1), 0);
    http_parse(&h, text, HTTP_HEAD_MAX);
    assert_int_equal(h.status, 431);
    free(text);
}

static void length_of_a_line_is_the_same_in_pieces(void **state)
{
    char *text = calloc(1, HTTP_HEAD_MAX);
    struct http_head h;
    size_t len;

    (void)state;
    for (int more = 0; more < 2; more++) { /* with its CR */
        memset(text, 'a', HTTP_LINE_MAX);
        memcpy(text, "GET /", 5);
        strcpy(text + HTTP_LINE_MAX - 10 + more, " HTTP/1.0\r\n\r\n");
        len = strlen(text);
        assert_int_equal(http_parse(&h, text, len) == len, !more);
        assert_int_equal(h.status, more ? 414 : 0);
        http_parse(&h, text, HTTP_LINE_MAX + (size_t)more);
        assert_int_equal(h.status, more ? 414 : 0);
    }
    free(text);
}

static void paths_are_decoded_or_refused(void **state)
{
    static const struct {
        const char *path, *decoded;
        int status;
    } rows[] = {
        {"/a/b", "/a/b", 0},     {"/%41%2e%C3%a4%25", "/A.\xc3\xa4%", 0},
        {"/a%20b", "/a b", 0},   {"/a%2Fb", "/a%2Fb", 400},
        {"/a%00", "/a%00", 400}, {"/a%0a", "/a%0a", 400},
        {"/a%7f", "/a%7f", 400}, {"/a%4", "/a%4", 400},
        {"/a%", "/a%", 400},     {"/a%g1", "/a%g1", 400},
        {"/a%1g", "/a%1g", 400}};
    struct http_head h = {0};
    char path[HTTP_PATH_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        strcpy(h.path, rows[i].path);
        assert_int_equal(http_path(&h, path), rows[i].status);
        assert_string_equal(path, rows[i].decoded);
    }
    memset(h.path, 'a', HTTP_PATH_MAX);
    h.path[HTTP_PATH_MAX - 1] = '\0';
    assert_int_equal(http_path(&h, path), 0);
    h.path[HTTP_PATH_MAX - 1] = 'a';
    h.path[HTTP_PATH_MAX] = '\0';
    assert_int_equal(http_path(&h, path), 414);
    assert_int_equal(strlen(path), HTTP_PATH_MAX - 1);
}

static void each_status_has_its_words(void **state)
{
    (void)state;
    assert_string_equal(http_reason(404), "Not Found");
    assert_string_equal(http_reason(301), "Moved Permanently");
    assert_string_equal(http_reason(999), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_understood_or_refused),
        cmocka_unit_test(too_much_is_refused_before_its_end),
        cmocka_unit_test(length_of_a_line_is_the_same_in_pieces),
        cmocka_unit_test(paths_are_decoded_or_refused),
        cmocka_unit_test(each_status_has_its_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
