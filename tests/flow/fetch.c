/* Requests of the library's own: each kind of response, each kind of fault, by
 * proxies, and never a wait. */
#include "ca.h"
#include "httpd.h"
#include "proxy.h"

#include "api/fetch.h"
#include "core/mem.h"

#include <poll.h>
#include <tlsock/revoke.h>
#include <unistd.h>

#define PATIENT 20000

static const char body[2500] = "some bytes";

static const struct httpd_page pages[] = {
    {"/sized", 0, NULL, body, sizeof(body), HTTPD_SIZED, NULL, NULL},
    {"/chunked", 0, NULL, body, sizeof(body), HTTPD_CHUNKED, NULL, NULL},
    {"/to-end", 0, NULL, body, sizeof(body), HTTPD_TO_END, NULL, NULL},
    {"/early", 0, NULL, body, sizeof(body), HTTPD_EARLY, NULL, NULL},
    {"/reset", 0, NULL, body, sizeof(body), HTTPD_RESET, NULL, NULL},
    {"/silent", 0, NULL, NULL, 0, HTTPD_SILENT, NULL, NULL},
    {"/drip", 0, NULL, NULL, 0, HTTPD_DRIP, NULL, NULL},
    {"/endless", 0, NULL, NULL, 0, HTTPD_ENDLESS, NULL, NULL},
    {"/not-found", 404, NULL, "no", 2, HTTPD_SIZED, NULL, NULL},
    {"/a/b/moved", 302, "Location: ../../sized\r\n", NULL, 0, HTTPD_SIZED, NULL,
     NULL},
    {"/see-other", 303, "Location: /sized\r\n", NULL, 0, HTTPD_SIZED, NULL,
     NULL},
    {"/round", 301, "Location: /round\r\n", NULL, 0, HTTPD_SIZED, NULL, NULL},
    {"/secure", 301, "Location: https://a.test/x\r\n", NULL, 0, HTTPD_SIZED,
     NULL, NULL},
    {"/user", 307, "Location: http://u:secret@a.test/x\r\n", NULL, 0,
     HTTPD_SIZED, NULL, NULL},
    {"/keeps", 308, "Location: /sized\r\n", NULL, 0, HTTPD_SIZED, NULL, NULL},
    {"/other", 0, NULL, "SSH-2.0-x\r\n", 11, HTTPD_RAW, NULL, NULL},
};

struct scene {
    struct httpd web;
    tlsock_error err;
    size_t len;
    unsigned char got[4096];
};

static void stage(struct scene *t)
{
    memset(t, 0, sizeof(*t));
    httpd_start(&t->web, pages, COUNT(pages));
}

/* Driven by its descriptors and timer alone, as an outer connection does. */
static int drive(struct tsk_fetching *f, tlsock_error *err)
{
    for (;;) {
        struct pollfd fds[16];
        int wait_ms, rc = tsk_fetching_step(f, err);
        size_t n;

        if (rc != TLSOCK_AGAIN)
            return rc;
        n = tsk_fetching_pollfds(f, fds, COUNT(fds), &wait_ms);
        assert_true(n > 0 || wait_ms >= 0);
        if (poll(fds, n, wait_ms >= 0 ? wait_ms : PATIENT) == 0)
            assert_true(wait_ms >= 0);
    }
}

static int fetch(struct scene *t, const tlsock_fetch *what,
                 const struct tsk_fetch_limits *limits)
{
    struct tsk_fetching *f;
    const void *p;
    int rc;

    memset(&t->err, 0, sizeof(t->err));
    t->len = 0;
    f = tsk_fetching_new(what, limits, &t->err);
    if (f == NULL)
        return t->err.code;
    rc = drive(f, &t->err);
    if (rc == TLSOCK_OK) {
        assert_int_equal(tsk_fetching_step(f, NULL), TLSOCK_OK);
        p = tsk_fetching_body(f, &t->len);
        assert_true(t->len <= sizeof(t->got));
        memcpy(t->got, p, t->len);
    } else {
        assert_int_equal(t->err.code, rc);
        assert_int_equal(tsk_fetching_step(f, NULL), rc); /* it stays so */
    }
    tsk_fetching_free(f);
    return rc;
}

static int get(struct scene *t, const char *path)
{
    struct tsk_fetch_limits limits = {sizeof(t->got), PATIENT, NULL, NULL};
    tlsock_fetch what = {.size = sizeof(what), .method = "GET"};
    char url[128];

    snprintf(url, sizeof(url), "%s%s", t->web.url, path);
    what.url = url;
    return fetch(t, &what, &limits);
}

static void assert_body(const struct scene *t)
{
    assert_int_equal(t->len, sizeof(body));
    assert_memory_equal(t->got, body, sizeof(body));
}

static void a_body_comes_whole_however_it_is_sent(void **state)
{
    static const char *const paths[] = {"/sized", "/chunked", "/to-end",
                                        "/sized#fragment"};
    struct scene t;

    (void)state;
    stage(&t);
    for (size_t i = 0; i < COUNT(paths); i++) {
        if (get(&t, paths[i]) != TLSOCK_OK)
            fail_msg("%s: %s", paths[i], t.err.message);
        assert_body(&t);
    }
    httpd_stop(&t.web);
}

static const struct {
    const char *path;
    int timeout_ms, code;
    const char *tells;
} faults[] = {
    {"/early", PATIENT, TLSOCK_E_TRUNCATED, "whole"},
    {"/reset", PATIENT, TLSOCK_E_RESET, "/reset"},
    {"/silent", 60, TLSOCK_E_TIMEOUT, "time is up"},
    {"/drip", 60, TLSOCK_E_TIMEOUT, "time is up"},
    {"/endless", PATIENT, TLSOCK_E_LIMIT, "4096 bytes"},
    {"/not-found", PATIENT, TLSOCK_E_PROTOCOL, "404"},
    {"/unknown", PATIENT, TLSOCK_E_PROTOCOL, "404"},
    {"/round", PATIENT, TLSOCK_E_LIMIT, "3 redirections"},
    {"/secure", PATIENT, TLSOCK_E_PROTOCOL, "https://a.test/x"},
    {"/user", PATIENT, TLSOCK_E_PROTOCOL, "not followed"},
    {"/other", PATIENT, TLSOCK_E_PROTOCOL, "SSH-2.0"},
};

static void a_fault_names_the_url_and_what_happened(void **state)
{
    struct scene t;

    (void)state;
    stage(&t);
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct tsk_fetch_limits limits = {sizeof(t.got), faults[i].timeout_ms,
                                          NULL, NULL};
        tlsock_fetch what = {.size = sizeof(what), .method = "GET"};
        char url[128];

        snprintf(url, sizeof(url), "%s%s", t.web.url, faults[i].path);
        what.url = url;
        if (fetch(&t, &what, &limits) != faults[i].code)
            fail_msg("%s: %d, %s", faults[i].path, t.err.code, t.err.message);
        assert_tells(t.err.message, faults[i].tells);
        assert_tells(t.err.message, url);
        assert_null(strstr(t.err.message, "secret"));
    }
    assert_int_equal(httpd_asked(&t.web, "/round"), 4);
    httpd_stop(&t.web);
}

static void a_limit_is_exact(void **state)
{
    struct tsk_fetch_limits limits = {sizeof(body), PATIENT, NULL, NULL};
    tlsock_fetch what = {.size = sizeof(what), .method = "GET"};
    static const char *const paths[] = {"/sized", "/chunked", "/to-end"};
    struct scene t;
    char url[128];

    (void)state;
    stage(&t);
    what.url = url;
    for (size_t i = 0; i < COUNT(paths); i++) {
        snprintf(url, sizeof(url), "%s%s", t.web.url, paths[i]);
        limits.bytes = sizeof(body);
        assert_code(fetch(&t, &what, &limits), TLSOCK_OK);
        limits.bytes--;
        assert_code(fetch(&t, &what, &limits), TLSOCK_E_LIMIT);
    }
    httpd_stop(&t.web);
}

static const struct {
    const char *path, *method; /* what arrives */
} moves[] = {
    {"/sized", "POST"},
    {"/a/b/moved", "POST"},
    {"/see-other", "GET"},
    {"/keeps", "POST"},
};

static void a_redirection_keeps_the_method_but_for_303(void **state)
{
    struct tsk_fetch_limits limits = {sizeof(body), PATIENT, NULL, NULL};
    struct httpd_request *last = test_malloc(sizeof(*last));
    tlsock_fetch what = {.size = sizeof(what),
                         .method = "POST",
                         .content_type = "application/ocsp-request",
                         .body = "a\0b",
                         .body_len = 3};
    struct scene t;
    char url[128];

    (void)state;
    stage(&t);
    what.url = url;
    for (size_t i = 0; i < COUNT(moves); i++) {
        snprintf(url, sizeof(url), "%s%s", t.web.url, moves[i].path);
        if (fetch(&t, &what, &limits) != TLSOCK_OK)
            fail_msg("%s: %s", moves[i].path, t.err.message);
        assert_body(&t);
        httpd_last(&t.web, last);
        assert_string_equal(last->path, "/sized");
        assert_string_equal(last->method, moves[i].method);
        assert_int_equal(last->len, strcmp(last->method, "POST") == 0 ? 3 : 0);
        if (last->len != 0) {
            assert_memory_equal(last->body, "a\0b", 3);
            assert_tells(last->head,
                         "Content-Type: application/ocsp-request\r\n");
        }
    }
    httpd_stop(&t.web);
    test_free(last);
}

static void the_request_is_polite(void **state)
{
    struct httpd_request *last = test_malloc(sizeof(*last));
    struct scene t;
    char host[64];

    (void)state;
    stage(&t);
    assert_code(get(&t, "/sized"), TLSOCK_OK);
    httpd_last(&t.web, last);
    snprintf(host, sizeof(host), "Host: %s\r\n", t.web.target);
    assert_tells(last->head, host);
    assert_tells(last->head, "GET /sized HTTP/1.1\r\n");
    assert_tells(last->head, "User-Agent: tlsock/" TSK_VERSION "\r\n");
    assert_tells(last->head, "Connection: close\r\n");
    assert_null(strstr(last->head, "Content-"));
    assert_code(get(&t, "?q=%2f//x#f"), TLSOCK_E_PROTOCOL); /* a 404 */
    httpd_last(&t.web, last);
    assert_string_equal(last->path, "/?q=%2f//x");
    httpd_stop(&t.web);
    test_free(last);
}

static void who_is_not_there_is_told(void **state)
{
    struct tsk_fetch_limits limits = {100, PATIENT, NULL, NULL};
    tlsock_fetch what = {.size = sizeof(what), .method = "GET"};
    struct scene t = {.len = 0};
    int port, fd = sock_listen(&port);
    char url[128];

    (void)state;
    close(fd);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", port);
    what.url = url;
    assert_code(fetch(&t, &what, &limits), TLSOCK_E_CONNECT);
    assert_tells(t.err.message, url);
    limits.timeout_ms = 0;
    assert_code(fetch(&t, &what, &limits), TLSOCK_E_TIMEOUT);
}

static void nonsense_is_refused_before_a_byte(void **state)
{
    static const char *const urls[] = {
        "",
        "https://a.test/",
        "http://u:secret@a.test/",
        "http://a.test/\r\nX: y",
        "http:///x",
        "ftp://a.test/",
        "/x",
        "http://::1/",
        "http://a.test:0/",
        "http://a.test:http/",
    };
    struct tsk_fetch_limits limits = {100, PATIENT, NULL, NULL};
    tlsock_fetch what = {.size = sizeof(what), .method = "GET"};
    struct scene t = {.len = 0};

    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        what.url = urls[i];
        if (fetch(&t, &what, &limits) != TLSOCK_E_ARGUMENT)
            fail_msg("%s: %s", urls[i], t.err.message);
        assert_null(strstr(t.err.message, "secret"));
        assert_true(t.err.hint[0] != '\0');
    }
    what.url = NULL;
    assert_code(fetch(&t, &what, &limits), TLSOCK_E_ARGUMENT);
    what.url = "http://a.test/";
    what.method = "GET /";
    assert_code(fetch(&t, &what, &limits), TLSOCK_E_ARGUMENT);
    what.method = "GET";
    limits.proxy = "nonsense";
    assert_code(fetch(&t, &what, &limits), TLSOCK_E_ARGUMENT);
}

/* An HTTP proxy is asked for the whole URL; the server here plays one. */
static void an_http_proxy_is_asked_for_the_url(void **state)
{
    static const struct httpd_page any = {
        "*", 0, NULL, body, sizeof(body), HTTPD_SIZED, NULL, NULL};
    struct tsk_fetch_limits limits = {sizeof(body), PATIENT, NULL, NULL};
    struct httpd_request *last = test_malloc(sizeof(*last));
    tlsock_fetch what = {
        .size = sizeof(what), .method = "GET", .url = "http://no.test:81/a?b"};
    struct scene t = {.len = 0};
    char url[128];

    (void)state;
    httpd_start(&t.web, &any, 1);
    snprintf(url, sizeof(url), "http://u:p@%s", t.web.target);
    limits.proxy = url;
    if (fetch(&t, &what, &limits) != TLSOCK_OK)
        fail_msg("%s", t.err.message);
    assert_body(&t);
    httpd_last(&t.web, last);
    assert_string_equal(last->path, "http://no.test:81/a?b");
    assert_tells(last->head, "Host: no.test:81\r\n");
    assert_tells(last->head, "Proxy-Authorization: Basic dTpw\r\n");
    what.url = "http://no.test";
    assert_code(fetch(&t, &what, &limits), TLSOCK_OK);
    httpd_last(&t.web, last);
    assert_string_equal(last->path, "http://no.test/");
    httpd_stop(&t.web);
    test_free(last);
}

static void a_proxy_that_wants_a_password_is_told(void **state)
{
    static const struct httpd_page any = {"*", 407,         NULL, NULL,
                                          0,   HTTPD_SIZED, NULL, NULL};
    struct tsk_fetch_limits limits = {sizeof(body), PATIENT, NULL, NULL};
    tlsock_fetch what = {
        .size = sizeof(what), .method = "GET", .url = "http://no.test/"};
    struct scene t = {.len = 0};
    char url[128];

    (void)state;
    httpd_start(&t.web, &any, 1);
    snprintf(url, sizeof(url), "http://u:secret@%s", t.web.target);
    limits.proxy = t.web.url;
    assert_code(fetch(&t, &what, &limits), TLSOCK_E_PROXY_AUTH);
    assert_tells(t.err.message, "wants");
    limits.proxy = url;
    assert_code(fetch(&t, &what, &limits), TLSOCK_E_PROXY_AUTH);
    assert_tells(t.err.message, "refuses");
    assert_null(strstr(t.err.message, "secret"));
    httpd_stop(&t.web);
}

/* The way to the proxy that is asked, and to a server behind SOCKS. */
static void other_proxies_lead_there(void **state)
{
    static const struct httpd_page any = {
        "*", 0, NULL, body, sizeof(body), HTTPD_SIZED, NULL, NULL};
    struct tsk_fetch_limits limits = {sizeof(body), PATIENT, NULL, NULL};
    tlsock_fetch what = {.size = sizeof(what), .method = "GET"};
    struct test_proxy p = {.auth = NULL};
    struct sock_server proxy;
    struct scene t = {.len = 0};
    char url[128], server[64];

    (void)state;
    httpd_start(&t.web, &any, 1);
    sock_serve(&proxy, 2, proxy_socks5, &p);
    snprintf(server, sizeof(server), "%s/x", t.web.url);
    snprintf(url, sizeof(url), "socks5h://%s", proxy.target);
    what.url = server;
    limits.proxy = url;
    if (fetch(&t, &what, &limits) != TLSOCK_OK)
        fail_msg("%s", t.err.message);
    assert_body(&t);
    assert_string_equal(p.asked, t.web.target);
    snprintf(url, sizeof(url), "socks5h://%s,http://%s", proxy.target,
             t.web.target);
    what.url = "http://no.test/";
    if (fetch(&t, &what, &limits) != TLSOCK_OK)
        fail_msg("%s", t.err.message);
    assert_body(&t);
    assert_int_equal(p.passed, 2);
    sock_join(&proxy);
    httpd_stop(&t.web);
}

struct secure_proxy {
    tlsock_config *config;
    char asked[512];
};

static void serve_tls(int fd, void *arg)
{
    struct secure_proxy *p = arg;
    tlsock *s = tlsock_server_fd(
        fd, p->config,
        TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD, .timeout_ms = PATIENT), NULL);
    char *line = NULL;
    size_t cap = 0;

    if (s == NULL)
        return;
    if (tlsock_getline(s, &line, &cap, 4096) > 0)
        snprintf(p->asked, sizeof(p->asked), "%s", line);
    while (tlsock_getline(s, &line, &cap, 4096) > 2)
        ;
    (void)!tlsock_printf(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    free(line);
    tlsock_close(s);
}

/* https:// proxies are verified with their own config. */
static void an_https_proxy_is_verified_then_asked(void **state)
{
    struct tsk_fetch_limits limits = {100, PATIENT, NULL, NULL};
    tlsock_fetch what = {
        .size = sizeof(what), .method = "GET", .url = "http://no.test/"};
    struct secure_proxy p = {.config = ca_server(ca_get()->ip, NULL)};
    tlsock_config *trusting = ca_client(NULL);
    struct sock_server proxy;
    struct scene t = {.len = 0};
    char url[128];

    (void)state;
    sock_serve(&proxy, 2, serve_tls, &p);
    snprintf(url, sizeof(url), "https://%s", proxy.target);
    limits.proxy = url;
    limits.proxy_config = trusting;
    if (fetch(&t, &what, &limits) != TLSOCK_OK)
        fail_msg("%s", t.err.message);
    assert_int_equal(t.len, 2);
    assert_string_equal(p.asked, "GET http://no.test/ HTTP/1.1\r\n");
    limits.proxy_config = NULL; /* the default one does not know that CA */
    assert_code(fetch(&t, &what, &limits), TLSOCK_E_CHAIN_INCOMPLETE);
    sock_join(&proxy);
    tlsock_config_unref(trusting);
    tlsock_config_unref(p.config);
}

static int countdown;

static int nth_fails(void)
{
    return --countdown == 0;
}

/* Own allocations, all of them on this thread: the server has none. */
static void without_memory_it_fails_and_leaves_nothing(void **state)
{
    static const char *const paths[] = {"/chunked", "/a/b/moved"};
    struct tsk_fetch_limits limits = {sizeof(body), PATIENT, NULL, NULL};
    tlsock_fetch what = {.size = sizeof(what),
                         .method = "POST",
                         .content_type = "a/b",
                         .body = "x",
                         .body_len = 1};
    struct scene t;
    char url[128];

    (void)state;
    stage(&t);
    what.url = url;
    for (size_t i = 0; i < COUNT(paths); i++) {
        int rc = TLSOCK_E_NOMEM, n = 0;

        snprintf(url, sizeof(url), "%s%s", t.web.url, paths[i]);
        while (rc == TLSOCK_E_NOMEM) {
            assert_true(n < 300);
            countdown = ++n;
            tsk_mem_fail = nth_fails;
            rc = fetch(&t, &what, &limits);
            tsk_mem_fail = NULL;
        }
        if (rc != TLSOCK_OK)
            fail_msg("%s, allocation %d: %s", paths[i], n, t.err.message);
        assert_true(n > 10);
    }
    httpd_stop(&t.web);
}

/* Nobody accepts: no descriptor is of anybody else. */
static void nothing_is_left_of_one_that_is_dropped(void **state)
{
    struct tsk_fetch_limits limits = {100, PATIENT, NULL, NULL};
    tlsock_fetch what = {.size = sizeof(what), .method = "GET"};
    int port, listener = sock_listen(&port), before = sock_count(), wait_ms;
    struct tsk_fetching *f;
    struct pollfd fds[16];
    char url[128];

    (void)state;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    what.url = url;
    tsk_fetching_free(NULL);
    f = tsk_fetching_new(&what, &limits, NULL);
    assert_non_null(f);
    assert_int_equal(tsk_fetching_pollfds(f, fds, 16, &wait_ms), 0);
    assert_int_equal(wait_ms, 0);
    assert_int_equal(tsk_fetching_step(f, NULL), TLSOCK_AGAIN);
    assert_true(sock_count() > before);
    tsk_fetching_free(f);
    assert_int_equal(sock_count(), before);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_whole_however_it_is_sent),
        cmocka_unit_test(a_fault_names_the_url_and_what_happened),
        cmocka_unit_test(a_limit_is_exact),
        cmocka_unit_test(a_redirection_keeps_the_method_but_for_303),
        cmocka_unit_test(the_request_is_polite),
        cmocka_unit_test(who_is_not_there_is_told),
        cmocka_unit_test(nonsense_is_refused_before_a_byte),
        cmocka_unit_test(an_http_proxy_is_asked_for_the_url),
        cmocka_unit_test(a_proxy_that_wants_a_password_is_told),
        cmocka_unit_test(other_proxies_lead_there),
        cmocka_unit_test(an_https_proxy_is_verified_then_asked),
        cmocka_unit_test(without_memory_it_fails_and_leaves_nothing),
        cmocka_unit_test(nothing_is_left_of_one_that_is_dropped),
    };

    return cmocka_run_group_tests_name("fetch", tests, ca_setup, ca_teardown);
}
