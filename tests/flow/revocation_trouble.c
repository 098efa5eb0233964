/* Who is asked about the peer is slow, silent, endless or gone, and what is
 * learned cannot be kept. */
#include "asking.h"
#include "lines.h"

#include "core/clock.h"
#include "tls/conn.h"

#include <time.h>

static void a_silent_responder_costs_its_own_time_alone(void **state)
{
    static const struct {
        const char *fail;
        int timeout_ms, want;
        const char *tells;
    } cases[] = {
        {"hard", 30000, TLSOCK_E_REVOCATION_UNKNOWN, "leaf.ocsp"},
        {"soft", 30000, 0, "not checked"},
        {"soft", 100, TLSOCK_E_TIMEOUT, "leaf.ocsp"},
    };
    static const enum httpd_how hows[] = {HTTPD_SILENT, HTTPD_DRIP};
    static const struct net says = {NET_NONE, NET_GOOD, NET_NONE, NET_NONE};
    struct asking w;

    (void)state;
    asking_start(&w, &says);
    for (size_t h = 0; h < COUNT(hows); h++) {
        struct httpd_page page = {.path = "/leaf*", .how = hows[h]};

        httpd_set(&w.net.web, &page);
        for (size_t i = 0; i < COUNT(cases); i++) {
            tlsock_config *c = asking_client(
                &w, "revocation", "ocsp", "revocation.fail", cases[i].fail,
                "revocation.timeout",
                cases[i].timeout_ms == 100 ? "60s" : "200ms", NULL);
            struct sock_thread t;
            tlsock_error err = {0};
            tlsock *s = asking_open(
                &w, c, "a.test",
                TLSOCK_OPTS(.timeout_ms = cases[i].timeout_ms == 100
                                              ? 2000
                                              : cases[i].timeout_ms),
                &t, &err);

            assert_code(s != NULL ? 0 : err.code, cases[i].want);
            assert_tells(s != NULL ? tlsock_info(s, TLSOCK_INFO_REVOCATION)
                                   : err.message,
                         cases[i].tells);
            tlsock_close(s);
            sock_wait(&t);
            tlsock_config_unref(c);
        }
    }
    asking_stop(&w);
}

static void what_is_too_large_is_not_taken(void **state)
{
    static const struct net says = {NET_NONE, NET_GOOD, NET_NONE, NET_NONE};
    struct httpd_page page = {.path = "/leaf*", .how = HTTPD_ENDLESS};
    struct sock_thread t;
    tlsock_error err = {0};
    tlsock_config *c;
    struct asking w;

    (void)state;
    asking_start(&w, &says);
    httpd_set(&w.net.web, &page);
    c = asking_client(&w, "revocation", "ocsp", NULL);
    assert_null(asking_visit(&w, c, "a.test", &t, &err));
    assert_code(err.code, TLSOCK_E_REVOCATION_UNKNOWN);
    sock_wait(&t);
    tlsock_config_unref(c);
    asking_stop(&w);
}

/* Else a proxy could ask for itself through itself, for ever. */
static void what_fetches_does_not_fetch_for_that(void **state)
{
    struct sock_thread t;
    struct asking w;
    tlsock_config *c;
    tlsock *s;

    (void)state;
    asking_start(&w, &asking_good);
    c = asking_client(&w, "revocation", "full", NULL);
    s = asking_begin(&w, c, 0, &t);
    s->for_fetch = 1; /* as api/fetch.c and api/path.c mark theirs */
    assert_code(asking_shake(s), TLSOCK_E_REVOCATION_UNKNOWN);
    assert_tells(tlsock_last_error(s)->message, "through that proxy");
    assert_int_equal(httpd_asked(&w.net.web, NULL), 0);
    tlsock_close(s);
    sock_wait(&t);
    tlsock_config_unref(c);
    asking_stop(&w);
}

static int64_t shift_ms;

static int64_t later(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + shift_ms;
}

static void pass_by(struct asking *w, tlsock_config *c, int want, int asked)
{
    struct sock_thread t;
    tlsock_error err = {0};
    tlsock *s = asking_visit(w, c, "a.test", &t, &err);

    assert_code(s != NULL ? 0 : err.code, want);
    if (s != NULL)
        assert_tells(tlsock_info(s, TLSOCK_INFO_REVOCATION), "not checked");
    assert_int_equal(httpd_asked(&w->net.web, NULL), asked);
    tlsock_close(s);
    sock_wait(&t);
}

/* Where no answer is needed nobody waits for one again and again; where one is
 * needed it is asked for. */
static void soft_mode_lets_a_dead_responder_be(void **state)
{
    static const struct net says = {NET_NONE, NET_DOWN, NET_NONE, NET_NONE};
    tlsock_config *soft, *hard;
    struct lines told;
    struct asking w;

    (void)state;
    asking_start(&w, &says);
    soft = asking_client(&w, "revocation", "ocsp", "revocation.fail", "soft",
                         "session", "off", NULL);
    hard = asking_client(&w, "revocation", "ocsp", "revocation.fail", "hard",
                         "session", "off", NULL);
    lines_of(soft, &told);
    pass_by(&w, soft, 0, 2); /* by GET and by POST */
    assert_int_equal(told.calls, 1);
    assert_tells(told.text, "is accepted, and its revocation not checked");
    pass_by(&w, soft, 0, 2);
    assert_int_equal(told.calls, 2);
    pass_by(&w, hard, TLSOCK_E_REVOCATION_UNKNOWN, 4);
    pass_by(&w, soft, 0, 4);
    shift_ms = 29000;
    tsk_clock_monotonic = later;
    pass_by(&w, soft, 0, 4);
    shift_ms = 31000;
    pass_by(&w, soft, 0, 6);
    tsk_clock_monotonic = NULL;
    tlsock_config_unref(soft);
    tlsock_config_unref(hard);
    asking_stop(&w);
}

/* Told once, until it goes well again; and what is known is known. */
static void a_cache_that_cannot_be_written_is_told_once(void **state)
{
    char dir[] = "/tmp/tlsock-cache-XXXXXX";
    tlsock_config *c;
    struct lines told;
    struct asking w;

    (void)state;
    asking_start(&w, &asking_good);
    assert_non_null(mkdtemp(dir));
    c = asking_client(&w, "revocation", "full", "session", "off",
                      "revocation.cache", dir, NULL);
    lines_of(c, &told);
    assert_code(tlsock_config_check(c), 0);
    for (int i = 0; i < 2; i++) {
        struct sock_thread t;
        tlsock *s = asking_begin(&w, c, 0, &t);

        if (i == 0) /* gone, now that it is open */
            assert_int_equal(rmdir(dir), 0);
        assert_code(tlsock_set_nonblocking(s, 0), 0);
        assert_code(tlsock_handshake(s), 0);
        assert_tells(tlsock_info(s, TLSOCK_INFO_REVOCATION), "good by CRL");
        tlsock_close(s);
        sock_wait(&t);
    }
    assert_int_equal(told.calls, 1);
    assert_tells(told.text, "nothing can be kept in revocation.cache");
    assert_tells(told.text, dir);
    tlsock_config_unref(c);
    asking_stop(&w);
}

/* Four of its URLs are in the chain. */
static void a_dead_host_is_asked_once_for_all(void **state)
{
    struct httpd_page leaf = {.path = "/leaf*", .how = HTTPD_SILENT},
                      inter = {.path = "/inter*", .how = HTTPD_SILENT};
    struct sock_thread t;
    tlsock_error err = {0};
    tlsock_config *c;
    struct asking w;

    (void)state;
    asking_start(&w, &asking_good);
    httpd_set(&w.net.web, &leaf);
    httpd_set(&w.net.web, &inter);
    c = asking_client(&w, "revocation", "full", "revocation.fail", "hard",
                      "revocation.timeout", "200ms", NULL);
    assert_null(asking_visit(&w, c, "a.test", &t, &err));
    assert_code(err.code, TLSOCK_E_REVOCATION_UNKNOWN);
    assert_tells(err.message, "leaf.crl");
    assert_int_equal(httpd_asked(&w.net.web, NULL), 1);
    sock_wait(&t);
    tlsock_config_unref(c);
    asking_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_responder_costs_its_own_time_alone),
        cmocka_unit_test(what_is_too_large_is_not_taken),
        cmocka_unit_test(what_fetches_does_not_fetch_for_that),
        cmocka_unit_test(soft_mode_lets_a_dead_responder_be),
        cmocka_unit_test(a_cache_that_cannot_be_written_is_told_once),
        cmocka_unit_test(a_dead_host_is_asked_once_for_all),
    };

    return cmocka_run_group_tests_name("revocation in trouble", tests, ca_setup,
                                       ca_teardown);
}
