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

/* The resolver of these tests: one address for all; how often it was asked */
static int lookups;

static int resolve(const char *host, const char *service,
                   const struct addrinfo *hints, struct addrinfo **out)
{
    struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST,
                               .ai_socktype = SOCK_STREAM};

    (void)host;
    (void)hints;
    lookups++;
    return getaddrinfo("192.0.2.7",
                       strcmp(service, "imaps") == 0 ? "993" : service,
                       &numeric, out);
}

static int set_up(void **state)
{
    (void)state;
    lookups = 0;
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

            lookups = 0;
            play(&r, requests[i].url, requests[i].target, requests[i].answer,
                 requests[i].answer_len, chunk);
            if (r.code != TLSOCK_OK)
                fail_msg("%s: %s", requests[i].name, r.err.message);
            assert_int_equal(r.sent_len, requests[i].sent_len);
            assert_memory_equal(r.sent, requests[i].sent, r.sent_len);
            assert_int_equal(lookups, requests[i].lookups);
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

static void a_proxy_made_by_hand_is_checked(void **state)
{
    static char longer[] = X255 "x", longest[] = X255;
    static const struct {
        char *user, *password;
        int code;
    } logins[] = {
        {longer, longest, TLSOCK_E_ARGUMENT},
        {longest, longer, TLSOCK_E_ARGUMENT},
        {longest, longest, TLSOCK_OK},
    };
    struct tsk_target to = {.host = "a.example", .service = "1"};

    (void)state;
    for (size_t i = 0; i < COUNT(logins); i++) {
        struct tsk_proxy via = {.kind = TSK_PROXY_SOCKS5H,
                                .user = logins[i].user,
                                .password = logins[i].password};
        struct tsk_hop *h = tsk_hop_new(&via, &to, 0, NULL);
        struct played r = {.code = 0};

        talk(&r, h, BYTES("\x05\x02\x01\x00" OK4), 0);
        assert_int_equal(r.code, logins[i].code);
        if (r.code != TLSOCK_OK)
            assert_non_null(strstr(r.err.message, "over 255 bytes"));
        tsk_hop_free(h);
    }
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
    /* what a server that repeats all it hears would say */
    static const char echo[] = "\x05\x02\x00\x02\x01\x02me\x06secret";
    struct played e;

    (void)state;
    play(&e, URL_LOGIN, HOST, BYTES(echo), 0);
    assert_int_equal(e.code, TLSOCK_E_PROXY);
    assert_null(strstr(e.err.message, "secret"));
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
        T(a_proxy_made_by_hand_is_checked),
        T(a_talk_that_was_long_before_is_ended),
        T(the_password_is_in_no_message),
        T(without_memory_it_fails_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
