#include "test.h"

#include "http_head.h"

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
        n = http_head_parse(&h, text, len);
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
                assert_int_equal(http_head_parse(&h, text, part), 0);
        }
        free(text);
    }
}

static void too_much_is_refused_before_its_end(void **state)
{
    char *text = malloc(HTTP_HEAD_BYTES + 1);
    struct http_head h;

    (void)state;
    memset(text, 'a', HTTP_HEAD_BYTES);
    memcpy(text, "GET /", 5);
    assert_int_equal(http_head_parse(&h, text, HTTP_TARGET), 0);
    http_head_parse(&h, text, HTTP_TARGET + 1);
    assert_int_equal(h.status, 414);
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    assert_int_equal(http_head_parse(&h, text, HTTP_HEAD_BYTES - 1), 0);
    http_head_parse(&h, text, HTTP_HEAD_BYTES);
    assert_int_equal(h.status, 431);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_understood_or_refused),
        cmocka_unit_test(too_much_is_refused_before_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
