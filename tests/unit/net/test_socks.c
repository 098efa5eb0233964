#include "hop_help.h"

#include "net/resolve.h"

#define URL "socks5h://proxy.example"
#define URL_LOGIN "socks5h://me:secret@proxy.example"
#define HERE "socks5://proxy.example"
#define HOST "www.example.com:443"
#define PROXY "proxy.example:1080"

#define NONE "\x05\x00"
#define OK4 "\x05\x00\x00\x01\xc0\x00\x02\x01\x04\x38"
#define ZERO4 "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define OK6                                                                    \
    "\x05\x00\x00\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00"         \
    "\x00\x00\x00\x01\x04\x38"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X50 X50 X50 X50 X50 "xxxxx"
#define OK_NAME "\x05\x00\x00\x03\x03" "abc" "\x04\x38"
#define OK_NO_NAME "\x05\x00\x00\x03\x00\x04\x38"
#define REST "\x05x" /* no NUL in it: it is compared as text */
#define OK_NAME_255 "\x05\x00\x00\x03\xff" X255 "\x04\x38"

/* The resolver of these tests: what it was asked, and what it answers. */
static struct {
    char host[256], service[64];
    int family, flags, answer, calls;
    const char *first; /* numeric; the loopback address is second */
} resolver;

static int resolve(const char *host, const char *service,
                   const struct addrinfo *hints, struct addrinfo **out)
{
    struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST,
                               .ai_socktype = SOCK_STREAM};

    resolver.calls++;
    snprintf(resolver.host, sizeof(resolver.host), "%s", host);
    snprintf(resolver.service, sizeof(resolver.service), "%s", service);
    resolver.family = hints->ai_family;
    resolver.flags = hints->ai_flags;
    if (resolver.answer != 0)
        return resolver.answer;
    if (strcmp(service, "imaps") == 0)
        service = "993";
    return getaddrinfo(resolver.first, service, &numeric, out);
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
    const char *name, *url, *target, *answer;
    size_t answer_len;
    const char *sent;
    size_t sent_len;
    int lookups;
} requests[] = {
    {"name", URL, "WWW.Example.com.:443", BYTES(NONE OK4),
     BYTES("\x05\x01\x00"
           "\x05\x01\x00\x03\x0fwww.example.com\x01\xbb"), 0},
    {"IDN", URL, "m\xc3\xbcnchen.de:1", BYTES(NONE OK4),
     BYTES("\x05\x01\x00"
           "\x05\x01\x00\x03\x11xn--mnchen-3ya.de\x00\x01"), 0},
    {"IPv4", URL, "192.0.2.1:65535", BYTES(NONE OK4),
     BYTES("\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x01\xff\xff"), 0},
    {"IPv6", URL, "[2001:db8::1]:25", BYTES(NONE OK4),
     BYTES("\x05\x01\x00\x05\x01\x00\x04"
           "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
           "\x00\x19"), 0},
    {"IPv4, resolved here", HERE, "192.0.2.1:65535", BYTES(NONE OK4),
     BYTES("\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x01\xff\xff"), 0},
    {"name, resolved here", HERE, HOST, BYTES(NONE OK4),
     BYTES("\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb"), 1},
    {"name and service, resolved here", HERE, "www.example.com:imaps",
     BYTES(NONE OK4),
     BYTES("\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x07\x03\xe1"), 1},
    {"service of a name", URL, "a.example:imaps", BYTES(NONE OK4),
     BYTES("\x05\x01\x00\x05\x01\x00\x03\x09"
           "a.example\x03\xe1"), 1},
    {"service of an address", HERE, "192.0.2.1:imaps", BYTES(NONE OK4),
     BYTES("\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x01\x03\xe1"), 1},
    {"login", URL_LOGIN, "192.0.2.1:1", BYTES("\x05\x02\x01\x00" OK4),
     BYTES("\x05\x02\x00\x02"
           "\x01\x02me\x06secret"
           "\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x01"), 0},
    {"login that is not needed", URL_LOGIN, "192.0.2.1:1", BYTES(NONE OK4),
     BYTES("\x05\x02\x00\x02\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x01"), 0},
    {"longest login", "socks5h://" X255 ":" X255 "@proxy.example",
     "192.0.2.1:1", BYTES("\x05\x02\x01\x00" OK4),
     BYTES("\x05\x02\x00\x02\x01\xff" X255 "\xff" X255
           "\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x01"), 0},
};

static void requests_are_as_the_rfcs_have_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++)
        for (size_t chunk = 0; chunk < 2; chunk++) {
            struct played r;

            resolver.calls = 0;
            play(&r, requests[i].url, requests[i].target, requests[i].answer,
                 requests[i].answer_len, chunk);
            if (r.code != TLSOCK_OK)
                fail_msg("%s: %s", requests[i].name, r.err.message);
            assert_int_equal(r.sent_len, requests[i].sent_len);
            assert_memory_equal(r.sent, requests[i].sent, r.sent_len);
            assert_int_equal(resolver.calls, requests[i].lookups);
        }
}

#define H(text) URL, HOST, BYTES(text)
#define L(text) URL_LOGIN, HOST, BYTES(text)

static const struct script good[] = {
    {"IPv4", H(NONE OK4), 0, ""},
    {"IPv4 of zeros", H(NONE ZERO4), 0, ""},
    {"IPv6", H(NONE OK6), 0, ""},
    {"name", H(NONE OK_NAME), 0, ""},
    {"name without a byte", H(NONE OK_NO_NAME), 0, ""},
    {"longest name", H(NONE OK_NAME_255), 0, ""},
    {"bytes after IPv4", H(NONE OK4 "\x16\x03"), 0, "\x16\x03"},
    {"bytes after IPv6", H(NONE OK6 "\x05\x01"), 0, "\x05\x01"},
    {"bytes after a name", H(NONE OK_NAME "x"), 0, "x"},
    {"bytes after no name", H(NONE OK_NO_NAME "x"), 0, "x"},
    {"what looks like a reply after it", H(NONE OK6 REST), 0,
     REST},
    {"reserved byte is not looked at",
     H(NONE "\x05\x00\x7f\x01\x00\x00\x00\x00\x00\x00"), 0, ""},
    {"login", L("\x05\x02\x01\x00" OK4), 0, ""},
    {"login answered in another version", L("\x05\x02\x05\x00" OK4 "x"), 0,
     "x"},
    {"login not needed", L(NONE OK4), 0, ""},
};

static void replies_are_taken_to_their_last_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        check_script(&good[i], "", "");
}

static void an_early_end_is_a_failure_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        check_early_end(&good[i], PROXY, HOST);
}

#define REPLY(code) H(NONE "\x05" code), TLSOCK_E_PROXY

static const struct script refused[] = {
    {"1", REPLY("\x01"), "general failure"},
    {"2", REPLY("\x02"), "rules forbid"},
    {"3", REPLY("\x03"), "network is unreachable"},
    {"4", REPLY("\x04"), "host is unreachable"},
    {"5", REPLY("\x05"), "refused the connection"},
    {"6", REPLY("\x06"), "time to live"},
    {"7", REPLY("\x07"), "does not support CONNECT"},
    {"8", REPLY("\x08"), "type of address"},
    {"9", REPLY("\x09"), "RFC 1928 does not know"},
    {"91", REPLY("\x5b"), "(reply 91)"},
    {"255", REPLY("\xff"), "(reply 255)"},
    {"whole", REPLY("\x05\x00\x01\x00\x00\x00\x00\x00\x00"), "port"},
    {"type 0", REPLY("\x00\x00\x00\x00"), "unknown type 0"},
    {"type 2", REPLY("\x00\x00\x02\x00"), "unknown type 2"},
    {"type 5", REPLY("\x00\x00\x05\x00"), "unknown type 5"},
    {"type 255", REPLY("\x00\x00\xff\x00"), "unknown type 255"},
    {"no method", H("\x05\xff"), TLSOCK_E_PROXY_AUTH, "USER:PASSWORD"},
    {"wants a login", H("\x05\x02"), TLSOCK_E_PROXY_AUTH, "USER:PASSWORD"},
    {"wants another login", L("\x05\xff"), TLSOCK_E_PROXY_AUTH, "GSSAPI"},
    {"GSSAPI, not offered", H("\x05\x01"), TLSOCK_E_PROXY, "method 1"},
    {"private method", L("\x05\x80"), TLSOCK_E_PROXY, "method 128"},
    {"wrong login", L("\x05\x02\x01\x01"), TLSOCK_E_PROXY_AUTH, "(status 1)"},
    {"wrong login, 255", L("\x05\x02\x01\xff"), TLSOCK_E_PROXY_AUTH,
     "(status 255)"},
    {"wrong login, version 5", L("\x05\x02\x05\x01"), TLSOCK_E_PROXY_AUTH,
     "refuses the user name or password"},
};

static void every_refusal_is_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++)
        check_script(&refused[i], PROXY, HOST);
}

#define BAD(text) H(text), TLSOCK_E_PROXY

static const struct script strange[] = {
    {"HTTP", BAD("HTTP/1.1 400 Bad Request\r\n\r\n"), "http://"},
    {"TLS", BAD("\x15\x03\x01\x00\x02\x02\x46"), "TLS"},
    {"SSH", BAD("SSH-2.0-x\r\n"), "does not speak SOCKS5"},
    {"SOCKS4", BAD("\x00\x5b"), "SOCKS4"},
    {"one byte", BAD("\x04"), "\"\\x04\""},
    {"reply of another version", BAD(NONE "\x04\x00\x00\x01"),
     "does not speak SOCKS5"},
    {"login's version where no login was", BAD(NONE "\x01\x00"),
     "does not speak SOCKS5"},
    {"version of a login", L("\x05\x02\x02\x00" OK4), TLSOCK_E_PROXY,
     "does not speak SOCKS5"},
    {"first answer in the version of a login", L("\x01\x02"), TLSOCK_E_PROXY,
     "does not speak SOCKS5"},
};

static void what_is_no_socks_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strange); i++)
        check_script(&strange[i], PROXY, HOST);
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
    assert_int_equal(tsk_proxies_parse(&via, &n, HERE, NULL), TLSOCK_OK);
    assert_int_equal(tsk_target_parse(&to, HOST, 0, NULL), TLSOCK_OK);
    h = tsk_hop_new(via, &to, 0, NULL);
    assert_int_equal(tsk_hop_fd(h), -1); /* nothing is asked yet */
    if (tsk_hop_step(h, &t, NULL) == TLSOCK_AGAIN && tsk_hop_fd(h) >= 0)
        assert_int_equal(t.out.len, 0); /* nor said before the answer */
    tsk_hop_free(h);
    assert_int_equal(count_fds(), before);
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

static void a_proxy_made_by_hand_is_checked(void **state)
{
    char user[] = X255 "x", password[] = "secret";
    struct tsk_proxy via = {.kind = TSK_PROXY_SOCKS5H, .user = user,
                            .password = password};
    struct tsk_target to = {.host = "a.example", .service = "1"};
    struct tsk_hop *h = tsk_hop_new(&via, &to, 0, NULL);
    struct played r = {.code = 0};

    (void)state;
    talk(&r, h, BYTES("\x05\x02"), 0);
    assert_int_equal(r.code, TLSOCK_E_ARGUMENT);
    assert_non_null(strstr(r.err.message, "over 255 bytes"));
    tsk_hop_free(h);
}

static void a_talk_that_was_long_before_is_ended(void **state)
{
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in, .bytes = TSK_TALK_MOST - 5};
    struct tsk_proxy *via;
    struct tsk_target to;
    tlsock_error err = {0};
    struct tsk_hop *h;
    size_t n;

    (void)state;
    assert_int_equal(tsk_proxies_parse(&via, &n, URL, NULL), TLSOCK_OK);
    assert_int_equal(tsk_target_parse(&to, HOST, 0, NULL), TLSOCK_OK);
    h = tsk_hop_new(via, &to, 0, NULL);
    assert_int_equal(tsk_buf_add(&in, BYTES(NONE OK4)), TLSOCK_OK);
    assert_int_equal(tsk_hop_step(h, &t, &err), TLSOCK_E_LIMIT);
    assert_int_equal(err.phase, TLSOCK_PHASE_PROXY);
    assert_non_null(strstr(err.message, "endless"));
    tsk_hop_free(h);
    tsk_proxies_free(via, n);
    tsk_buf_free(&in);
    tsk_talk_free(&t);
}

static void the_password_is_in_no_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct played r;

        play(&r, URL_LOGIN, HOST, refused[i].text, refused[i].len, 0);
        assert_true(r.code < TLSOCK_AGAIN);
        assert_null(strstr(r.err.message, "secret"));
        assert_null(strstr(r.err.hint, "secret"));
    }
}

static void without_memory_it_fails_and_leaves_nothing(void **state)
{
    struct script here = {"here", HERE, HOST, BYTES(NONE OK4), 0, ""};

    (void)state;
    check_memory(&good[COUNT(good) - 3], 6);
    check_memory(&here, 6); /* with the lookup */
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(requests_are_as_the_rfcs_have_them),
        T(replies_are_taken_to_their_last_byte),
        T(an_early_end_is_a_failure_at_every_byte),
        T(every_refusal_is_explained),
        T(what_is_no_socks_is_refused),
        T(names_are_resolved_in_the_wanted_family),
        T(a_service_is_looked_up_without_asking_for_the_name),
        T(what_cannot_be_resolved_is_told),
        T(a_hop_that_is_given_up_leaves_its_lookup),
        T(what_no_proxy_can_reach_is_refused),
        T(the_family_of_an_address_matters_only_where_names_do),
        T(a_proxy_made_by_hand_is_checked),
        T(a_talk_that_was_long_before_is_ended),
        T(the_password_is_in_no_message),
        T(without_memory_it_fails_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
