/* Through proxies: each kind, chains of them, TLS to a proxy with a config and
 * a verdict of its own, and proxies that refuse, lie or say nothing. */
#include "ca.h"
#include "proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct scene {
    tlsock_config *cc, *sc, *bc; /* bc: servers that are b.test */
    struct sock_server server;
    tlsock_error err;
};

static void stage(struct scene *t, sock_script *script, int connections)
{
    memset(t, 0, sizeof(*t));
    t->cc = ca_client(NULL);
    t->sc = ca_server(ca_get()->a, NULL);
    t->bc = ca_server(ca_get()->ip, NULL);
    sock_serve(&t->server, connections, script,
               script == sock_echo ? (void *)t->sc
                                   : (void *)(uintptr_t) "220 x\r\n");
}

static void clear(struct scene *t)
{
    sock_join(&t->server);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc);
    tlsock_config_unref(t->bc);
}

/* Nobody comes: the accept that waits gets its connection. */
static void nobody(struct scene *t)
{
    tlsock_abandon(
        tlsock_connect(t->server.target, t->cc, TLSOCK_OPTS(.plain = 1), NULL));
}

static tlsock *reach(struct scene *t, const char *proxies, int nonblocking)
{
    return tlsock_connect(t->server.target, t->cc,
                          TLSOCK_OPTS(.name = "a.test", .proxy = proxies,
                                      .proxy_config = t->cc,
                                      .nonblocking = nonblocking),
                          &t->err);
}

static void finish(tlsock *s)
{
    int rc = tlsock_handshake(s);

    while (rc == TLSOCK_AGAIN) {
        tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN | POLLOUT};

        assert_int_equal(tlsock_poll(&item, 1, 20000), 1);
        rc = tlsock_handshake(s);
    }
    if (rc != 0)
        fail_msg("%s", tlsock_last_error(s)->message);
    assert_code(tlsock_set_nonblocking(s, 0), TLSOCK_OK);
}

static void echo_through(tlsock *s)
{
    char big[40000], got[40000];

    assert_code(tlsock_set_timeout(s, 20000), TLSOCK_OK);
    memset(big, 'b', sizeof(big));
    assert_int_equal(tlsock_write(s, big, sizeof(big)), sizeof(big));
    assert_int_equal(tlsock_read_full(s, got, sizeof(got)), sizeof(got));
    assert_memory_equal(got, big, sizeof(got));
    assert_code(tlsock_shutdown(s, SHUT_RDWR), TLSOCK_OK);
    assert_code(tlsock_close(s), TLSOCK_OK);
}

static const struct {
    const char *name, *url; /* without its port */
    sock_script *script;
    const char *auth;
    int tls;
} kinds[] = {
    {"http", "http://127.0.0.1", proxy_http, NULL, 0},
    {"http with a password", "http://u:p%40ss@127.0.0.1", proxy_http, "u:p@ss",
     0},
    {"https", "https://127.0.0.1", proxy_http, NULL, 1},
    {"https with a password", "https://u:p@127.0.0.1", proxy_http, "u:p", 1},
    {"socks5", "socks5://127.0.0.1", proxy_socks5, NULL, 0},
    {"socks5h", "socks5h://127.0.0.1", proxy_socks5, NULL, 0},
    {"socks5 with a password", "socks5h://u:p@127.0.0.1", proxy_socks5, "u:p",
     0},
};

static void each_kind_leads_to_the_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(kinds); i++) {
        struct test_proxy p = {.auth = kinds[i / 2].auth};
        struct sock_server proxy;
        struct scene t;
        char url[64];
        tlsock *s;

        stage(&t, sock_echo, 1);
        p.tls = kinds[i / 2].tls ? t.bc : NULL;
        sock_serve(&proxy, 1, kinds[i / 2].script, &p);
        snprintf(url, sizeof(url), "%s:%d", kinds[i / 2].url, proxy.port);
        s = reach(&t, url, i % 2);
        if (s == NULL)
            fail_msg("%s: %s", kinds[i / 2].name, t.err.message);
        finish(s);
        assert_string_equal(p.asked, t.server.target);
        assert_string_equal(tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS),
                            t.server.target);
        echo_through(s);
        sock_join(&proxy);
        clear(&t);
    }
}

/* The order is that of the list; each is asked for the next one. */
static void chains_of_them_lead_to_the_server(void **state)
{
    static const char *const schemes[] = {"http", "socks5h", "https", "https"};

    (void)state;
    for (size_t n = 2; n <= COUNT(schemes); n++) {
        struct test_proxy p[4] = {{0}};
        struct sock_server proxy[4];
        struct scene t;
        char urls[300] = "";
        tlsock *s;

        stage(&t, sock_echo, 1);
        for (size_t i = 0; i < n; i++) {
            size_t len = strlen(urls);

            p[i].tls = schemes[i][4] == 's' && i >= 2 ? t.bc : NULL;
            sock_serve(&proxy[i], 1, i == 1 ? proxy_socks5 : proxy_http, &p[i]);
            snprintf(urls + len, sizeof(urls) - len, "%s%s://127.0.0.1:%d",
                     i > 0 ? ", " : "", schemes[i], proxy[i].port);
        }
        s = reach(&t, urls, n % 2 == 1);
        if (s == NULL)
            fail_msg("%s: %s", urls, t.err.message);
        finish(s);
        for (size_t i = 0; i < n; i++)
            assert_string_equal(p[i].asked, i + 1 < n ? proxy[i + 1].target
                                                      : t.server.target);
        echo_through(s);
        for (size_t i = 0; i < n; i++)
            sock_join(&proxy[i]);
        clear(&t);
    }
}

static const struct {
    const char *name, *url;
    sock_script *script;
    const char *auth, *answer;
    int code;
    const char *tells;
} refusals[] = {
    {"no password", "http://127.0.0.1", proxy_http, "u:p", NULL,
     TLSOCK_E_PROXY_AUTH, "127.0.0.1"},
    {"wrong password", "http://u:secret@127.0.0.1", proxy_http, "u:p", NULL,
     TLSOCK_E_PROXY_AUTH, "127.0.0.1"},
    {"socks: no password", "socks5://127.0.0.1", proxy_socks5, "u:p", NULL,
     TLSOCK_E_PROXY_AUTH, "127.0.0.1"},
    {"socks: wrong password", "socks5://u:secret@127.0.0.1", proxy_socks5,
     "u:p", NULL, TLSOCK_E_PROXY_AUTH, "127.0.0.1"},
    {"forbidden", "http://127.0.0.1", proxy_http, NULL,
     "HTTP/1.1 403 No\r\n\r\n", TLSOCK_E_PROXY, "403"},
    {"socks: forbidden", "socks5://127.0.0.1", proxy_socks5, NULL,
     "\5\2\0\1\0\0\0\0\0\0", TLSOCK_E_PROXY, "rules forbid"},
    {"hangs up", "http://127.0.0.1", proxy_http, NULL, "", TLSOCK_E_PROXY,
     "closed"},
    {"no proxy", "http://127.0.0.1", proxy_http, NULL, "SSH-2.0-x\r\n",
     TLSOCK_E_PROXY, "SSH"},
};

static void a_refusal_is_told_with_cause_and_fix(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct test_proxy p = {.auth = refusals[i].auth,
                               .answer = refusals[i].answer};
        struct sock_server proxy;
        struct scene t;
        char url[64];

        stage(&t, sock_mute, 1);
        sock_serve(&proxy, 1, refusals[i].script, &p);
        snprintf(url, sizeof(url), "%s:%d", refusals[i].url, proxy.port);
        assert_null(reach(&t, url, 0));
        if (t.err.code != refusals[i].code)
            fail_msg("%s: %s", refusals[i].name, t.err.message);
        assert_int_equal(t.err.phase, TLSOCK_PHASE_PROXY);
        assert_tells(t.err.message, refusals[i].tells);
        assert_true(t.err.hint[0] != '\0');
        assert_null(strstr(t.err.message, "secret"));
        sock_join(&proxy);
        nobody(&t);
        clear(&t);
    }
}

static void a_dead_or_mute_proxy_is_named(void **state)
{
    struct sock_server proxy;
    struct scene t;
    char url[64];
    int port, fd = sock_listen(&port);

    (void)state;
    close(fd);
    stage(&t, sock_mute, 1);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
    assert_null(reach(&t, url, 0));
    assert_code(t.err.code, TLSOCK_E_CONNECT);
    assert_tells(t.err.message, "the proxy: ");
    sock_serve(&proxy, 1, sock_mute, NULL);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", proxy.port);
    assert_null(tlsock_connect(
        t.server.target, t.cc,
        TLSOCK_OPTS(.name = "a.test", .proxy = url, .timeout_ms = 50), &t.err));
    assert_code(t.err.code, TLSOCK_E_TIMEOUT);
    assert_int_equal(t.err.phase, TLSOCK_PHASE_PROXY);
    assert_tells(t.err.message, "proxy");
    sock_join(&proxy);
    nobody(&t);
    clear(&t);
}

/* An https:// proxy is verified like any server, by its own name and config. */
static void a_proxy_is_verified_too(void **state)
{
    struct test_proxy p = {0};
    struct sock_server proxy;
    struct scene t;
    char url[64];

    (void)state;
    stage(&t, sock_mute, 1);
    p.tls = t.sc; /* a.test, not 127.0.0.1 */
    sock_serve(&proxy, 1, proxy_http, &p);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d", proxy.port);
    assert_null(reach(&t, url, 0));
    assert_code(t.err.code, TLSOCK_E_NAME_MISMATCH);
    assert_tells(t.err.message, "TLS to the proxy 127.0.0.1");
    sock_join(&proxy);
    p.tls = t.bc;
    sock_serve(&proxy, 1, proxy_http, &p);
    snprintf(url, sizeof(url), "https://127.0.0.1:%d", proxy.port);
    assert_null(tlsock_connect(
        t.server.target, t.cc, /* the proxy's config is the default one */
        TLSOCK_OPTS(.name = "a.test", .proxy = url), &t.err));
    assert_code(t.err.code, TLSOCK_E_CHAIN_INCOMPLETE);
    sock_join(&proxy);
    nobody(&t);
    clear(&t);
}

/* What the server says in the same breath as the proxy is the server's. */
static void a_banner_behind_the_answer_is_not_lost(void **state)
{
    struct test_proxy p = {.in_front = "220 early\r\n"};
    struct sock_server proxy;
    struct scene t;
    char url[64], got[32];
    tlsock *s;

    (void)state;
    stage(&t, sock_mute, 2);
    sock_serve(&proxy, 2, proxy_http, &p);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", proxy.port);
    s = tlsock_connect(t.server.target, t.cc,
                       TLSOCK_OPTS(.plain = 1, .proxy = url), &t.err);
    assert_non_null(s);
    assert_int_equal(tlsock_read_full(s, got, 11), 11);
    assert_memory_equal(got, "220 early\r\n", 11);
    tlsock_close(s);
    /* and where TLS was expected, it is told what came instead */
    assert_null(reach(&t, url, 0));
    assert_code(t.err.code, TLSOCK_E_NOT_TLS);
    assert_tells(t.err.message, "220 early");
    sock_join(&proxy);
    clear(&t);
}

/* Between two proxies nobody speaks but them, and only when asked. */
static void a_proxy_that_speaks_unasked_is_refused(void **state)
{
    struct test_proxy p[2] = {{.in_front = "HTTP/1.1 200 early\r\n\r\n"}};
    struct sock_server proxy[2];
    struct scene t;
    char urls[128];

    (void)state;
    stage(&t, sock_mute, 1);
    for (int i = 0; i < 2; i++)
        sock_serve(&proxy[i], 1, proxy_http, &p[i]);
    snprintf(urls, sizeof(urls), "http://%s,http://%s", proxy[0].target,
             proxy[1].target);
    assert_null(reach(&t, urls, 0));
    assert_code(t.err.code, TLSOCK_E_PROXY);
    assert_tells(t.err.message, "before it was asked");
    assert_true(t.err.hint[0] != '\0');
    sock_join(&proxy[0]);
    sock_join(&proxy[1]);
    nobody(&t);
    clear(&t);
}

static void nonsense_is_refused_before_a_byte(void **state)
{
    static const char *const urls[] = {
        "",           "ftp://x",     "http://",
        "http://a b", "127.0.0.1:1", "http://a,,http://b"};
    struct scene t;

    (void)state;
    stage(&t, sock_mute, 1);
    for (size_t i = 0; i < COUNT(urls); i++) {
        assert_null(reach(&t, urls[i], 0));
        assert_code(t.err.code, TLSOCK_E_ARGUMENT);
        assert_true(t.err.hint[0] != '\0');
    }
    assert_null(tlsock_connect(
        "unix:/tmp/x", t.cc,
        TLSOCK_OPTS(.name = "a.test", .proxy = "http://127.0.0.1:1"), &t.err));
    assert_code(t.err.code, TLSOCK_E_ARGUMENT);
    assert_tells(t.err.message, "UNIX");
    nobody(&t);
    clear(&t);
}

/* STARTTLS behind a proxy, resumed the second time: sessions are the server's,
 * not the proxy's. */
static void sessions_are_kept_by_target(void **state)
{
    struct test_proxy p = {0};
    struct sock_server proxy;
    struct scene t;
    char url[64];

    (void)state;
    stage(&t, sock_echo, 2);
    sock_serve(&proxy, 2, proxy_http, &p);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", proxy.port);
    for (int i = 0; i < 2; i++) {
        tlsock *s = reach(&t, url, 0);

        assert_non_null(s);
        assert_int_equal(tlsock_info_int(s, TLSOCK_INFO_RESUMED), i);
        echo_through(s);
    }
    sock_join(&proxy);
    clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_leads_to_the_server),
        cmocka_unit_test(chains_of_them_lead_to_the_server),
        cmocka_unit_test(a_refusal_is_told_with_cause_and_fix),
        cmocka_unit_test(a_dead_or_mute_proxy_is_named),
        cmocka_unit_test(a_proxy_is_verified_too),
        cmocka_unit_test(a_banner_behind_the_answer_is_not_lost),
        cmocka_unit_test(a_proxy_that_speaks_unasked_is_refused),
        cmocka_unit_test(nonsense_is_refused_before_a_byte),
        cmocka_unit_test(sessions_are_kept_by_target),
    };

    return cmocka_run_group_tests_name("proxy", tests, ca_setup, ca_teardown);
}
