#include "hop_help.h"

#include "net/resolve.h"

#include <semaphore.h>

#define URL "socks5h://proxy.example"
#define HERE "socks5://proxy.example"
#define HOST "www.example.com:443"
#define PROXY "proxy.example:1080"

#define NONE "\x05\x00"
#define OK4 "\x05\x00\x00\x01\xc0\x00\x02\x01\x04\x38"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X50 X50 X50 X50 X50 "xxxxx"

/* The resolver of these tests: what it was asked, and what it answers. */
static struct {
    char host[256], service[64];
    int family, flags, answer, calls;
    const char *first; /* numeric */
    int slow;          /* tells that it came, waits for go, tells it is gone */
    sem_t came, go, gone;
} resolver;

static int resolve(const char *host, const char *service,
                   const struct addrinfo *hints, struct addrinfo **out)
{
    struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST,
                               .ai_socktype = SOCK_STREAM};
    int rc;

    resolver.calls++;
    snprintf(resolver.host, sizeof(resolver.host), "%s", host);
    snprintf(resolver.service, sizeof(resolver.service), "%s", service);
    resolver.family = hints->ai_family;
    resolver.flags = hints->ai_flags;
    if (resolver.answer != 0)
        return resolver.answer;
    if (strcmp(service, "imaps") == 0)
        service = "993";
    if (resolver.slow)
        sem_post(&resolver.came);
    while (resolver.slow && sem_wait(&resolver.go) != 0)
        ;
    rc = getaddrinfo(resolver.first, service, &numeric, out);
    if (resolver.slow)
        sem_post(&resolver.gone);
    return rc;
}

static int set_up(void **state)
{
    (void)state;
    memset(&resolver, 0, sizeof(resolver));
    resolver.first = "192.0.2.7";
    tsk_resolve_getaddrinfo = resolve;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tsk_resolve_getaddrinfo = getaddrinfo;
    return 0;
}

static const struct {
    int family;
    const char *first, *host, *sent;
    size_t sent_len;
    int asked;
} families[] = {
    {4, "192.0.2.7", "a.example",
     BYTES("\x01\xc0\x00\x02\x07\x01\xbb"), AF_INET},
    {6, "2001:db8::7", "a.example",
     BYTES("\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
           "\x07\x01\xbb"), AF_INET6},
    {0, "2001:db8::7", "a.example",
     BYTES("\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
           "\x07\x01\xbb"), AF_UNSPEC},
};

static void names_are_resolved_in_the_wanted_family(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(families); i++) {
        struct tsk_target to = {.service = "443"};
        struct played r;

        snprintf(to.host, sizeof(to.host), "%s", families[i].host);
        resolver.first = families[i].first;
        play_to(&r, HERE, &to, families[i].family, BYTES(NONE OK4), 0);
        assert_int_equal(r.code, TLSOCK_OK);
        assert_string_equal(resolver.host, families[i].host);
        assert_int_equal(resolver.family, families[i].asked);
        assert_int_equal(r.sent_len, 6 + families[i].sent_len);
        assert_memory_equal(r.sent + 6, families[i].sent, r.sent_len - 6);
    }
}

static void a_service_is_looked_up_without_asking_for_the_name(void **state)
{
    struct played r;

    (void)state;
    play(&r, URL, "a.example:imaps", BYTES(NONE OK4), 0);
    assert_int_equal(r.code, TLSOCK_OK);
    assert_string_equal(resolver.host, "127.0.0.1");
    assert_string_equal(resolver.service, "imaps");
    assert_true((resolver.flags & AI_NUMERICHOST) != 0);
    assert_int_equal(resolver.calls, 1);
    play(&r, "http://proxy.example", "[2001:db8::1]:imaps",
         BYTES("HTTP/1.1 200\r\n\r\n"), 0);
    assert_int_equal(r.code, TLSOCK_OK);
    assert_true(has(r.sent, r.sent_len, "CONNECT [2001:db8::1]:993 HTTP/"));
    assert_string_equal(resolver.host, "127.0.0.1");
}

static const struct {
    const char *url, *target;
    int answer, code;
    const char *message, *hint;
} unresolved[] = {
    {HERE, HOST, EAI_NONAME, TLSOCK_E_RESOLVE, "\"www.example.com\" (port 443)",
     "socks5h://"},
    {HERE, HOST, EAI_AGAIN, TLSOCK_E_RESOLVE, "proxy " PROXY, "socks5h://"},
    {HERE, HOST, EAI_MEMORY, TLSOCK_E_NOMEM, "out of memory", ""},
    {HERE, "192.0.2.1:imaps", EAI_SERVICE, TLSOCK_E_RESOLVE,
     "no port is known for 192.0.2.1:imaps", "/etc/services"},
    {URL, "a.example:imaps", EAI_SERVICE, TLSOCK_E_RESOLVE,
     "proxy " PROXY ": no port is known for a.example:imaps", "/etc/services"},
    {"http://proxy.example:1080", "a.example:imaps", EAI_SERVICE,
     TLSOCK_E_RESOLVE, "proxy " PROXY ": no port is known", "/etc/services"},
};

static void what_cannot_be_resolved_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(unresolved); i++) {
        struct played r;

        resolver.answer = unresolved[i].answer;
        play(&r, unresolved[i].url, unresolved[i].target, "", 0, 0);
        assert_int_equal(r.code, unresolved[i].code);
        assert_int_equal(r.err.code, unresolved[i].code);
        assert_int_equal(r.err.phase, TLSOCK_PHASE_PROXY);
        assert_int_equal(r.sent_len, 0);
        if (strstr(r.err.message, unresolved[i].message) == NULL ||
            strstr(r.err.hint, unresolved[i].hint) == NULL)
            fail_msg("%s: \"%s\" (%s)", unresolved[i].target, r.err.message,
                     r.err.hint);
    }
}

static void nobody_need_hear_of_a_failure(void **state)
{
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in};
    struct tsk_proxy *via;
    struct tsk_target to;
    struct pollfd p = {.events = POLLIN};
    struct tsk_hop *h;
    size_t n;
    int rc;

    (void)state;
    resolver.answer = EAI_NONAME;
    assert_int_equal(tsk_proxies_parse(&via, &n, HERE, NULL), TLSOCK_OK);
    assert_int_equal(tsk_target_parse(&to, HOST, 0, NULL), TLSOCK_OK);
    h = tsk_hop_new(via, &to, 0, NULL);
    for (;;) {
        rc = tsk_hop_step(h, &t, NULL);
        if (rc != TLSOCK_AGAIN)
            break;
        p.fd = tsk_hop_fd(h);
        assert_int_equal(poll(&p, 1, 30000), 1);
    }
    assert_int_equal(rc, TLSOCK_E_RESOLVE);
    assert_int_equal(tsk_hop_fd(h), -1);
    tsk_hop_free(h);
    tsk_proxies_free(via, n);
}

static void a_hop_that_is_given_up_leaves_its_lookup(void **state)
{
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in};
    struct tsk_proxy *via;
    struct tsk_target to;
    struct tsk_hop *h;
    int before = count_fds();
    size_t n;

    (void)state;
    resolver.slow = 1;
    sem_init(&resolver.came, 0, 0);
    sem_init(&resolver.go, 0, 0);
    sem_init(&resolver.gone, 0, 0);
    assert_int_equal(tsk_proxies_parse(&via, &n, HERE, NULL), TLSOCK_OK);
    assert_int_equal(tsk_target_parse(&to, HOST, 0, NULL), TLSOCK_OK);
    h = tsk_hop_new(via, &to, 0, NULL);
    assert_int_equal(tsk_hop_fd(h), -1); /* nothing is asked yet */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tsk_hop_step(h, &t, NULL), TLSOCK_AGAIN);
        assert_true(tsk_hop_fd(h) >= 0);
        assert_int_equal(t.out.len, 0); /* nor said before the answer */
    }
    while (sem_wait(&resolver.came) != 0)
        ;
    tsk_hop_free(h);
    assert_int_equal(count_fds(), before);
    sem_post(&resolver.go);
    while (sem_wait(&resolver.gone) != 0)
        ;
    tsk_hop_free(NULL);
    tsk_proxies_free(via, n);
    tsk_talk_free(&t);
}

static const struct {
    const char *url;
    struct tsk_target to;
    int family;
    const char *says;
} nowhere[] = {
    {URL, {.path = "/run/x\n"}, 0, "UNIX socket /run/x\\x0a"},
    {"http://proxy.example:1080", {.path = "/run/x"}, 0, "UNIX socket /run/x"},
    {URL, {.host = "a.example", .service = "0"}, 0, "\"0\""},
    {URL, {.host = "a.example", .service = "65536"}, 0, "\"65536\""},
    {URL, {.host = "a.example"}, 0, "\"\""},
    {URL, {.host = X255, .service = "1"}, 0, "longer than 253"},
    {URL, {.host = X50 "xxxxxxxxxxxxxx.example", .service = "1"}, 0, "63"},
    {URL, {.host = "a.example", .service = "1"}, 5, "0 (any), 4 or 6, not 5"},
    {HERE, {.host = "192.0.2.1", .service = "1"}, 6, "no IPv6 address"},
    {HERE, {.host = "2001:db8::1", .service = "1"}, 4, "no IPv4 address"},
};

static void what_no_proxy_can_reach_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(nowhere); i++) {
        struct played r;

        play_to(&r, nowhere[i].url, &nowhere[i].to, nowhere[i].family, "", 0,
                0);
        if (r.code != TLSOCK_E_ARGUMENT || r.err.hint[0] == '\0' ||
            r.err.phase != TLSOCK_PHASE_PROXY ||
            strstr(r.err.message, nowhere[i].says) == NULL)
            fail_msg("%zu: %d \"%s\" (%s)", i, r.code, r.err.message,
                     r.err.hint);
    }
}

static void the_family_of_an_address_matters_only_where_names_do(void **state)
{
    struct tsk_target to = {.host = "192.0.2.1", .service = "1"};
    struct played r;

    (void)state;
    play_to(&r, URL, &to, 6, BYTES(NONE OK4), 0);
    assert_int_equal(r.code, TLSOCK_OK);
    play_to(&r, HERE, &to, 4, BYTES(NONE OK4), 0);
    assert_int_equal(r.code, TLSOCK_OK);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(names_are_resolved_in_the_wanted_family),
        T(a_service_is_looked_up_without_asking_for_the_name),
        T(what_cannot_be_resolved_is_told),
        T(nobody_need_hear_of_a_failure),
        T(a_hop_that_is_given_up_leaves_its_lookup),
        T(what_no_proxy_can_reach_is_refused),
        T(the_family_of_an_address_matters_only_where_names_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
