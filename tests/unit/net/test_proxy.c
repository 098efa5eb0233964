#include "net_help.h"

#include "net/proxy.h"

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X50 X50 X50 X50 X50 "xxxxx"
#define X1023 X255 X255 X255 X255 "xxx"

static const struct {
    const char *url;
    enum tsk_proxy_kind kind;
    int tls;
    const char *host, *service, *user, *password;
} good[] = {
    {"http://p.example", TSK_PROXY_HTTP, 0, "p.example", "80", NULL, NULL},
    {"HTTP://p.example/", TSK_PROXY_HTTP, 0, "p.example", "80", NULL, NULL},
    {"https://p.example", TSK_PROXY_HTTP, 1, "p.example", "443", NULL, NULL},
    {"socks5://p.example", TSK_PROXY_SOCKS5, 0, "p.example", "1080", NULL,
     NULL},
    {"Socks5H://p.example", TSK_PROXY_SOCKS5H, 0, "p.example", "1080", NULL,
     NULL},
    {"http://p.example:3128/", TSK_PROXY_HTTP, 0, "p.example", "3128", NULL,
     NULL},
    {"https://p.example:443", TSK_PROXY_HTTP, 1, "p.example", "443", NULL,
     NULL},
    {"http://p.example:443", TSK_PROXY_HTTP, 0, "p.example", "443", NULL,
     NULL},
    {"http://p.example:http-alt", TSK_PROXY_HTTP, 0, "p.example", "http-alt",
     NULL, NULL},
    {"http://unix:8080", TSK_PROXY_HTTP, 0, "unix", "8080", NULL, NULL},
    {"http://192.0.2.1:8080", TSK_PROXY_HTTP, 0, "192.0.2.1", "8080", NULL,
     NULL},
    {"http://[::1]", TSK_PROXY_HTTP, 0, "::1", "80", NULL, NULL},
    {"socks5h://[2001:db8::1]:9050", TSK_PROXY_SOCKS5H, 0, "2001:db8::1",
     "9050", NULL, NULL},
    {"http://m\xc3\xbcnchen.de", TSK_PROXY_HTTP, 0, "m\xc3\xbcnchen.de", "80",
     NULL, NULL},
    {"http://me:secret@p.example", TSK_PROXY_HTTP, 0, "p.example", "80", "me",
     "secret"},
    {"http://me@p.example:1", TSK_PROXY_HTTP, 0, "p.example", "1", "me", ""},
    {"http://me:@p.example", TSK_PROXY_HTTP, 0, "p.example", "80", "me", ""},
    {"http://:token@p.example", TSK_PROXY_HTTP, 0, "p.example", "80", "",
     "token"},
    {"http://me:a:b@p.example", TSK_PROXY_HTTP, 0, "p.example", "80", "me",
     "a:b"},
    {"http://me:a%3ab@p.example", TSK_PROXY_HTTP, 0, "p.example", "80", "me",
     "a:b"},
    {"http://m%65:%2C%2f%3F%23%40%25%7e%C2%a3@p.example", TSK_PROXY_HTTP, 0,
     "p.example", "80", "me", ",/?#@%~\xc2\xa3"},
    {"socks5://a%3Ab:c@[::1]:1", TSK_PROXY_SOCKS5, 0, "::1", "1", "a:b", "c"},
    {"socks5://" X255 ":" X255 "@p.example", TSK_PROXY_SOCKS5, 0, "p.example",
     "1080", X255, X255},
    {"http://" X1023 ":" X1023 "@p.example", TSK_PROXY_HTTP, 0, "p.example",
     "80", X1023, X1023},
};

static int same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void urls_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct tsk_proxy *p = NULL;
        tlsock_error err = {0};
        size_t n = 7;

        if (tsk_proxies_parse(&p, &n, good[i].url, &err) != TLSOCK_OK)
            fail_msg("%s: %s", good[i].url, err.message);
        assert_int_equal(n, 1);
        if (p->kind != good[i].kind || p->tls != good[i].tls ||
            strcmp(p->target.host, good[i].host) != 0 ||
            strcmp(p->target.service, good[i].service) != 0 ||
            p->target.path[0] != '\0' || p->target.scheme[0] != '\0' ||
            !same(p->user, good[i].user) ||
            !same(p->password, good[i].password))
            fail_msg("%s: got %d %d \"%s\" \"%s\"", good[i].url, p->kind,
                     p->tls, p->target.host, p->target.service);
        tsk_proxies_free(p, n);
    }
}

static void a_list_keeps_its_order_and_loses_its_blanks(void **state)
{
    struct tsk_proxy *p;
    size_t n;

    (void)state;
    assert_int_equal(tsk_proxies_parse(&p, &n,
                                       " http://a.example ,\tsocks5://b.example"
                                       "\r\n,https://u:p@c.example\n", NULL),
                     TLSOCK_OK);
    assert_int_equal(n, 3);
    assert_string_equal(p[0].target.host, "a.example");
    assert_string_equal(p[1].target.host, "b.example");
    assert_string_equal(p[2].target.host, "c.example");
    assert_null(p[1].user);
    assert_string_equal(p[2].password, "p");
    tsk_proxies_free(p, n);
}

#define TWO "http://a.example,http://a.example"
#define FOUR TWO "," TWO

static void as_many_as_can_be_passed_are_taken(void **state)
{
    struct tsk_proxy *p;
    size_t n;

    (void)state;
    assert_int_equal(tsk_proxies_parse(&p, &n, FOUR "," FOUR, NULL), TLSOCK_OK);
    assert_int_equal(n, TSK_PROXIES_MOST);
    tsk_proxies_free(p, n);
    tsk_proxies_free(NULL, 0);
}

static const struct {
    const char *urls, *says;
} refused[] = {
    {"", "nothing"},
    {"  \n", "nothing"},
    {",", "proxy 1"},
    {"http://a.example,", "proxy 2 \"\": nothing"},
    {"http://a.example,,http://b.example", "proxy 2"},
    {FOUR "," FOUR ",http://a.example",
     "proxy 9 \"http://a.example\": at most"},
    {"p.example:3128", "proxy 1 \"p.example:3128\": no scheme"},
    {"http:p.example", "no scheme"},
    {"http:/p.example", "no scheme"},
    {"://p.example", "unknown scheme"},
    {"socks4://p.example", "unknown scheme"},
    {"socks://p.example", "unknown scheme"},
    {"ftp://p.example", "unknown scheme"},
    {"httpss://p.example", "unknown scheme"},
    {"\x1b[1m://p.example", "control character"},
    {"http://", "no host"},
    {"http:///", "no host"},
    {"http://:3128", "host is empty"},
    {"http://p.example:", "port is empty"},
    {"http://p.example:0", "1 to 65535"},
    {"http://p.example:65536", "1 to 65535"},
    {"http://p.example:3128x!", "neither a port"},
    {"http://p.example/x", "/ ? or #"},
    {"http://p.example//", "/ ? or #"},
    {"http://p.example?x", "/ ? or #"},
    {"http://p.example#x", "/ ? or #"},
    {"http://p..example", "empty label"},
    {"http://p%2eexample", "'%'"},
    {"http://p ex", "space or control"},
    {"http://p\rex", "space or control"},
    {"http://p\x7f", "space or control"},
    {"http://::1", "needs brackets"},
    {"http://::1:3128", "needs brackets"},
    {"http://a:1:2", "needs brackets"},
    {"http://[::1", "needs brackets"},
    {"http://[::1]:1:2", "needs brackets"},
    {"http://[::1]x", "expected :PORT"},
    {"http://[a.example]", "no IPv6 address"},
    {"http://" X255 X50 X50 X50, "host too long"},
    {"http://" X255 X50, "over 255"},
    {"http://@p.example", "no user name"},
    {"http://me:secret@", "no host"},
    {"http://me:secret@/", "no host"},
    {"http://me:secret@:3128", "no valid host and port"},
    {"http://me:secret@p.example:0", "no valid host and port"},
    {"http://me:secret@p..example", "no valid host and port"},
    {"http://me:sec@ret@p.example", "written %40"},
    {"http://me:secret/x@p.example", "write it %XX"},
    {"http://me:secret?@p.example", "write it %XX"},
    {"http://me:secret#@p.example", "write it %XX"},
    {"http://me:secret,x@p.example", "proxy 2: no scheme"},
    {"http://me:secret!,x@p.example", "proxy 1: no valid host and port"},
    {"http://me:80,secret@p.example", "proxy 2: no scheme"},
    {"secret://me:x@p.example", "unknown scheme"},
    {"me:secret@p.example", "no scheme"},
    {"http://me:secret @p.example", "space or control"},
    {"http://me:secret%@p.example", "without two hex"},
    {"http://me:secret%2@p.example", "without two hex"},
    {"http://me:secret%2x@p.example", "without two hex"},
    {"http://me:secret%x2@p.example", "without two hex"},
    {"http://me:secret%-1@p.example", "without two hex"},
    {"http://me%:secret@p.example", "without two hex"},
    {"http://me:secret%0@p.example", "without two hex"},
    {"http://me:secret%00@p.example", "control character"},
    {"http://me:secret%0d%0aX:y@p.example", "control character"},
    {"http://me:secret%1f@p.example", "control character"},
    {"http://me:secret%7f@p.example", "control character"},
    {"http://m%0ae:secret@p.example", "control character"},
    {"http://m%3Ae:secret@p.example", "no colon"},
    {"https://m%3Ae:secret@p.example", "no colon"},
    {"socks5://me@p.example", "SOCKS5 password has 1"},
    {"socks5h://:secret@p.example", "SOCKS5 user name has 1"},
    {"socks5h://x" X255 ":secret@p.example", "SOCKS5 user name has 1"},
    {"socks5://me:secret" X255 "@p.example", "SOCKS5 password has 1"},
    {"http://me:secret" X1023 "@p.example", "over 1023"},
    {"http://x" X1023 ":secret@p.example", "over 1023"},
    {"http://u:ok@a.example,http://me:secret@p.example/x", "proxy 2: / ? or #"},
};

static void nonsense_is_refused_and_no_password_repeated(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct tsk_proxy *p = (void *)&p;
        tlsock_error err = {0};
        size_t n = 7;
        int rc = tsk_proxies_parse(&p, &n, refused[i].urls, &err);

        if (rc != TLSOCK_E_ARGUMENT || err.code != rc ||
            err.phase != TLSOCK_PHASE_PROXY || err.hint[0] == '\0' ||
            strstr(err.message, refused[i].says) == NULL ||
            strstr(err.message, "secret") != NULL ||
            strstr(err.hint, "secret") != NULL)
            fail_msg("\"%s\": got %d \"%s\"", refused[i].urls, rc,
                     err.message);
        assert_null(p);
        assert_int_equal(n, 0);
        assert_non_null(strstr(err.hint, "socks5h://"));
        rc = tsk_proxies_parse(&p, &n, refused[i].urls, NULL);
        assert_int_equal(rc, TLSOCK_E_ARGUMENT);
    }
}

static int countdown;

static int nth(void)
{
    return countdown-- == 0;
}

static void without_memory_it_fails_and_leaves_nothing(void **state)
{
    int n = 0;

    (void)state;
    for (;; n++) {
        struct tsk_proxy *p;
        tlsock_error err = {0};
        size_t count;
        int rc;

        assert_true(n < 20);
        countdown = n;
        tsk_mem_fail = nth;
        rc = tsk_proxies_parse(&p, &count, "http://a:b@c,socks5://d:e@f", &err);
        tsk_mem_fail = NULL;
        tsk_proxies_free(p, count);
        if (rc == TLSOCK_OK)
            break;
        assert_int_equal(rc, TLSOCK_E_NOMEM);
        assert_int_equal(err.phase, TLSOCK_PHASE_PROXY);
        assert_null(p);
    }
    assert_int_equal(n, 5); /* the list, two names, two passwords */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(a_list_keeps_its_order_and_loses_its_blanks),
        cmocka_unit_test(as_many_as_can_be_passed_are_taken),
        cmocka_unit_test(nonsense_is_refused_and_no_password_repeated),
        cmocka_unit_test(without_memory_it_fails_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
