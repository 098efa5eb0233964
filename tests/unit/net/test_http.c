#include "hop_help.h"

#define URL "http://proxy.example:3128"
#define URL_LOGIN "http://me:secret@proxy.example:3128"
#define HOST "www.example.com:443"
#define OK "HTTP/1.1 200 OK\r\n\r\n"

static const struct {
    const char *name, *url, *target, *sent;
} requests[] = {
    {"name", URL, "WWW.Example.com.:443",
     "CONNECT www.example.com:443 HTTP/1.1\r\n"
     "Host: www.example.com:443\r\n\r\n"},
    {"IDN", URL, "m\xc3\xbcnchen.de:1",
     "CONNECT xn--mnchen-3ya.de:1 HTTP/1.1\r\nHost: xn--mnchen-3ya.de:1\r\n"
     "\r\n"},
    {"IPv4", URL, "192.0.2.1:65535",
     "CONNECT 192.0.2.1:65535 HTTP/1.1\r\nHost: 192.0.2.1:65535\r\n\r\n"},
    {"IPv6", URL, "[2001:DB8::1]:25",
     "CONNECT [2001:db8::1]:25 HTTP/1.1\r\nHost: [2001:db8::1]:25\r\n\r\n"},
    {"https", "https://proxy.example", HOST,
     "CONNECT " HOST " HTTP/1.1\r\nHost: " HOST "\r\n\r\n"},
    {"login", "http://Aladdin:open%20sesame@proxy.example", HOST,
     /* the example of RFC 7617, 2 */
     "CONNECT " HOST " HTTP/1.1\r\nHost: " HOST "\r\nProxy-Authorization: "
     "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"},
    {"login in UTF-8", "http://test:123%C2%A3@proxy.example", HOST,
     /* the example of RFC 7617, 2.1 */
     "CONNECT " HOST " HTTP/1.1\r\nHost: " HOST "\r\nProxy-Authorization: "
     "Basic dGVzdDoxMjPCow==\r\n\r\n"},
    {"no padding", "http://ab:def@proxy.example", HOST,
     "CONNECT " HOST " HTTP/1.1\r\nHost: " HOST "\r\nProxy-Authorization: "
     "Basic YWI6ZGVm\r\n\r\n"},
    {"padding of one", "http://a:bcd@proxy.example", HOST,
     "CONNECT " HOST " HTTP/1.1\r\nHost: " HOST "\r\nProxy-Authorization: "
     "Basic YTpiY2Q=\r\n\r\n"},
    {"empty password", "http://me@proxy.example", HOST,
     "CONNECT " HOST " HTTP/1.1\r\nHost: " HOST "\r\nProxy-Authorization: "
     "Basic bWU6\r\n\r\n"},
    {"empty user", "http://:token@proxy.example", HOST,
     "CONNECT " HOST " HTTP/1.1\r\nHost: " HOST "\r\nProxy-Authorization: "
     "Basic OnRva2Vu\r\n\r\n"},
};

static void requests_are_as_the_rfc_has_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct played r;

        play(&r, requests[i].url, requests[i].target, BYTES(OK), 0);
        if (r.code != TLSOCK_OK)
            fail_msg("%s: %s", requests[i].name, r.err.message);
        r.sent[r.sent_len] = '\0';
        assert_string_equal((char *)r.sent, requests[i].sent);
    }
}

#define H(text) URL, HOST, BYTES(text)
#define L(text) URL_LOGIN, HOST, BYTES(text)

static const struct script good[] = {
    {"plain", H(OK), 0, ""},
    {"with login", L(OK), 0, ""},
    {"1.0", H("HTTP/1.0 200 Connection established\r\n\r\n"), 0, ""},
    {"no reason", H("HTTP/1.1 200 \r\n\r\n"), 0, ""},
    {"no reason, no blank", H("HTTP/1.1 200\r\n\r\n"), 0, ""},
    {"204", H("HTTP/1.1 204 No Content\r\n\r\n"), 0, ""},
    {"299", H("HTTP/1.1 299 Fine\r\n\r\n"), 0, ""},
    {"LF alone", H("HTTP/1.1 200 OK\nVia: x\n\n"), 0, ""},
    {"LF and CR LF", H("HTTP/1.1 200 OK\nVia: x\r\n\nrest"), 0, "rest"},
    {"bytes of TLS after it", H(OK "\x16\x03\x01"), 0, "\x16\x03\x01"},
    {"empty lines after it", H(OK "\r\n\r\n"), 0, "\r\n\r\n"},
    {"a length, which means nothing",
     H("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), 0, "hello"},
    {"chunks, which mean nothing",
     H("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0,
     "0\r\n\r\n"},
    {"contradicting lengths",
     H("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n"
       "Transfer-Encoding: x\r\n\r\nxy"), 0, "xy"},
    {"empty value", H("HTTP/1.1 200 OK\r\nX:\r\n\r\n"), 0, ""},
    {"folded field", H("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\n\r\n"), 0, ""},
    {"interim 100", H("HTTP/1.1 100 Continue\r\n\r\n" OK "x"), 0, "x"},
    {"interim 103 and 102",
     H("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
       "HTTP/1.1 102 Processing\r\n\r\n" OK), 0, ""},
    {"second response is no part of it", H(OK OK), 0, OK},
};

static void success_ends_with_the_header_section(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        check_script(&good[i], "", "");
}

static void an_early_end_is_a_failure_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        check_early_end(&good[i], "proxy.example:3128", HOST);
}

#define STATUS(code) H("HTTP/1.1 " #code " Reason\r\n\r\n"), TLSOCK_E_PROXY

static const struct script refused[] = {
    {"101", STATUS(101), "nobody asked"},
    {"300", STATUS(300), "redirects"},
    {"302", STATUS(302), "login"},
    {"400", STATUS(400), "malformed"},
    {"401", STATUS(401), "web server"},
    {"402", STATUS(402), "refuses the request"},
    {"403", STATUS(403), "rules forbid"},
    {"404", STATUS(404), "knows no such target"},
    {"405", STATUS(405), "does not allow CONNECT"},
    {"408", STATUS(408), "too long"},
    {"429", STATUS(429), "too many"},
    {"451", STATUS(451), "legal"},
    {"499", STATUS(499), "refuses the request"},
    {"500", STATUS(500), "failed by itself"},
    {"501", STATUS(501), "does not know CONNECT"},
    {"502", STATUS(502), "could not connect"},
    {"503", STATUS(503), "overloaded"},
    {"504", STATUS(504), "in time"},
    {"511", STATUS(511), "login"},
    {"599", STATUS(599), "it failed"},
    {"600", STATUS(600), "no such status"},
    {"999", STATUS(999), "no such status"},
    {"reason is shown", H("HTTP/1.1 403 Go away\r\n"), TLSOCK_E_PROXY,
     "(status 403, \"HTTP/1.1 403 Go away\")"},
    {"reason is not shown where it may repeat a password",
     L("HTTP/1.1 403 Go away\r\n"), TLSOCK_E_PROXY, "(status 403, \"...\")"},
    {"reason is escaped", H("HTTP/1.1 403 \x1b[2J\xff\r\n\r\n"),
     TLSOCK_E_PROXY, "\\x1b[2J\\xff"},
    {"after an interim one",
     H("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 Bad\r\n\r\n"),
     TLSOCK_E_PROXY, "could not connect"},
};

static void every_refusal_is_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++)
        check_script(&refused[i], "proxy.example:3128", HOST);
}

#define S407 "HTTP/1.1 407 Auth\r\n"
#define AUTH(text) H(S407 text), TLSOCK_E_PROXY_AUTH

static const struct script logins[] = {
    {"one scheme", AUTH("Proxy-Authenticate: Basic realm=\"x\"\r\n\r\n"),
     "offers: Basic)"},
    {"in small letters", AUTH("proxy-authenticate:basic\r\n\r\n"),
     "offers: basic)"},
    {"two fields",
     AUTH("Proxy-Authenticate: Negotiate\r\nVia: x\r\n"
          "Proxy-Authenticate: NTLM\r\n\r\n"), "offers: Negotiate, NTLM)"},
    {"a list with parameters",
     AUTH("Proxy-Authenticate: Digest realm=\"a, b=\\\"c, Evil\", nonce=1, "
          "qop = auth ,, Basic  realm=x,NTLM TlRM==\r\n\r\n"),
     "offers: Digest, Basic, NTLM)"},
    {"an open quote", AUTH("Proxy-Authenticate: Basic r=\"a, Evil\\\r\n\r\n"),
     "offers: Basic)"},
    {"no scheme", AUTH("\r\n"), "offers: nothing)"},
    {"an empty field", AUTH("Proxy-Authenticate: \r\n\r\n"),
     "offers: nothing)"},
    {"no token", AUTH("Proxy-Authenticate: \x1b[2J, \"x\"\r\n\r\n"),
     "offers: nothing)"},
    {"a web site's schemes", AUTH("WWW-Authenticate: Basic\r\n\r\n"),
     "offers: nothing)"},
    {"hint", AUTH("\r\n"), "USER:PASSWORD"},
    {"wrong password", L(S407 "Proxy-Authenticate: Basic\r\n\r\n"),
     TLSOCK_E_PROXY_AUTH, "refuses the user name or password"},
    {"wrong password, as a web server says it",
     L("HTTP/1.1 401 Unauthorized\r\n\r\n"), TLSOCK_E_PROXY_AUTH,
     "refuses the user name or password"},
    {"cut short", AUTH(""), "offers: nothing)"},
    {"cut within a field", AUTH("Proxy-Auth"), "offers: nothing)"},
    {"broken after it", AUTH("Proxy-Authenticate: Basic\r\n\rx\r\n"),
     "offers: Basic)"},
    {"no field after it", AUTH("Proxy-Authenticate: Basic\r\nno\r\n"),
     "offers: Basic)"},
};

static void a_407_tells_what_is_offered(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(logins); i++)
        check_script(&logins[i], "proxy.example:3128", HOST);
}

static void many_schemes_are_cut_to_fit(void **state)
{
    char text[2048];
    size_t len = (size_t)snprintf(text, sizeof(text), S407);
    struct played r;

    (void)state;
    for (int i = 0; i < 40; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "Proxy-Authenticate: Scheme%d\r\n", i);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n");
    play(&r, URL, HOST, text, len, 0);
    assert_int_equal(r.code, TLSOCK_E_PROXY_AUTH);
    assert_non_null(strstr(r.err.message, "Scheme0, Scheme1, "));
    assert_null(strstr(r.err.message, "Scheme39"));
}

#define BAD(text) H(text), TLSOCK_E_PROXY

static const struct script strange[] = {
    {"TLS alert", BAD("\x15\x03\x01\x00\x02\x02\x46"), "https://"},
    {"TLS handshake", BAD("\x16\x03\x03\x00\x31"), "https://"},
    {"SSH", BAD("SSH-2.0-OpenSSH_9\r\n"), "SSH"},
    {"SMTP", BAD("220 mail.example ESMTP\r\n"), "mail"},
    {"HTTP/0.9", BAD("<html>no</html>"), "web server"},
    {"SOCKS5", BAD("\x05\xff"), "socks5h://"},
    {"SOCKS4", BAD("\x00\x5b\x00\x00\x00\x00\x00\x00"), "SOCKS4"},
    {"few bytes", BAD("hm\n"), "does not speak HTTP"},
    {"anything is escaped", BAD("\x1b[2J\n\n"), "\"\\x1b[2J\\x0a"},
    {"empty line first", BAD("\r\n" OK), "does not speak HTTP"},
    {"small letters", BAD("http/1.1 200 OK\r\n\r\n"), "does not speak HTTP"},
    {"HTTP/2", BAD("HTTP/2 200\r\n\r\n"), "no status line"},
    {"HTTP/2.0", BAD("HTTP/2.0 200 OK\r\n\r\n"), "no status line"},
    {"HTTP/1.10", BAD("HTTP/1.10 200 OK\r\n\r\n"), "no status line"},
    {"two digits", BAD("HTTP/1.1 20\r\n\r\n"), "no status line"},
    {"four digits", BAD("HTTP/1.1 2000 OK\r\n\r\n"), "no status line"},
    {"no digit", BAD("HTTP/1.1 2x0 OK\r\n\r\n"), "no status line"},
    {"sign", BAD("HTTP/1.1 +20 OK\r\n\r\n"), "no status line"},
    {"below 100", BAD("HTTP/1.1 099 OK\r\n\r\n"), "no status line"},
    {"two blanks", BAD("HTTP/1.1  200 OK\r\n\r\n"), "no status line"},
    {"tab", BAD("HTTP/1.1 200\tOK\r\n\r\n"), "no status line"},
    {"nothing else", BAD("HTTP/\r\n\r\n"), "no status line"},
    {"CR in the status line", BAD("HTTP/1.1 200 O\rK\r\n\r\n"), "CR without"},
    {"CR in a field", BAD("HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n"),
     "CR without"},
    {"two CR before LF", BAD("HTTP/1.1 200 OK\r\n\r\r\n"), "CR without"},
    {"NUL in the status line", BAD("HTTP/1.1 200 \0\r\n\r\n"), "NUL"},
    {"NUL in a field", BAD("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"), "NUL"},
    {"fold first", BAD("HTTP/1.1 200 OK\r\n A: b\r\n\r\n"), "no header field"},
    {"fold first, with a tab", BAD("HTTP/1.1 200 OK\r\n\t\r\n\r\n"),
     "no header field"},
    {"no colon", BAD("HTTP/1.1 200 OK\r\nabc\r\n\r\n"), "no header field"},
    {"no name", BAD("HTTP/1.1 200 OK\r\n: x\r\n\r\n"), "no header field"},
    {"blank before the colon", BAD("HTTP/1.1 200 OK\r\nA : x\r\n\r\n"),
     "no header field"},
    {"a response within a header section",
     BAD("HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\n\r\n"), "no header field"},
    {"broken interim response", BAD("HTTP/1.1 100 C\r\nx\r\n\r\n" OK),
     "no header field"},
    {"TLS after an interim response",
     BAD("HTTP/1.1 100 C\r\n\r\n\x16\x03\x01\x00\x05"), "https://"},
};

static void what_is_no_http_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(strange); i++)
        check_script(&strange[i], "proxy.example:3128", HOST);
}

/* Without the end of the connection: nobody waits for what will not come. */
static void a_stranger_is_known_by_five_bytes(void **state)
{
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in};
    struct tsk_target to;
    struct tsk_proxy *via;
    struct tsk_hop *h;
    size_t n;

    (void)state;
    assert_int_equal(tsk_proxies_parse(&via, &n, URL, NULL), TLSOCK_OK);
    assert_int_equal(tsk_target_parse(&to, HOST, 0, NULL), TLSOCK_OK);
    h = tsk_hop_new(via, &to, 0, NULL);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(tsk_hop_step(h, &t, NULL), TLSOCK_AGAIN);
        assert_int_equal(tsk_buf_add(&in, &"\x15\x03\x01\x00\x02"[i], 1), 0);
    }
    assert_int_equal(tsk_hop_step(h, &t, NULL), TLSOCK_E_PROXY);
    assert_int_equal(in.len, 5);
    tsk_hop_free(h);
    tsk_proxies_free(via, n);
    tsk_buf_free(&in);
    tsk_talk_free(&t);
}

#define ENDLESS 70000

/* head, then piece until the script is full */
static void endless(const char *head, const char *piece, int code,
                    const char *says)
{
    char *text = malloc(ENDLESS);
    size_t len = strlen(head);
    struct script s = {head, URL, HOST, text, 0, code, says};

    assert_non_null(text);
    memcpy(text, head, len);
    while (len + strlen(piece) <= ENDLESS) {
        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
    }
    s.len = len;
    check_script(&s, "proxy.example:3128", HOST);
    free(text);
}

static void what_never_ends_is_ended(void **state)
{
    char field[1024];

    (void)state;
    memset(field, 'x', sizeof(field));
    memcpy(field, "A: ", 3);
    memcpy(field + sizeof(field) - 3, "\r\n", 3);
    endless("HTTP/1.1 200 ", "x", TLSOCK_E_LIMIT, "endless");
    endless("HTTP/1.1 200 OK\r\n", "x", TLSOCK_E_LIMIT, "endless");
    endless("HTTP/1.1 200 OK\r\n", "A: b\r\n", TLSOCK_E_LIMIT, "endless");
    endless("HTTP/1.1 200 OK\r\nA: b\r\n", " \n", TLSOCK_E_LIMIT, "endless");
    endless("HTTP/1.1 200 OK\r\n", field, TLSOCK_E_LIMIT, "endless");
    endless("", "HTTP/1.1 100 C\r\n\r\n", TLSOCK_E_LIMIT, "endless");
    endless(S407, "A: b\r\n", TLSOCK_E_LIMIT, "endless");
    endless("HTTP/1.1 502 B\r\n", "A: b\r\n", TLSOCK_E_PROXY, "not connect");
}

static const char *const hosts[] = {
    "a.example\r\nX: y", "a.example\r\n\r\n", "a.example\n",
    "a.example HTTP/1.1", "a\tb", "a.example:80", "a/b", "user@a.example", "",
    "a.example\xc2\x85", ("\xe2\x80\xa8" "a.example"),
};

static void no_host_name_can_add_to_the_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct tsk_target to = {.service = "443"};
        struct played r;

        snprintf(to.host, sizeof(to.host), "%s", hosts[i]);
        play_to(&r, URL, &to, 0, BYTES(OK), 0);
        if (r.code == TLSOCK_OK) { /* mapped to nothing, not passed on */
            r.sent[r.sent_len] = '\0';
            assert_non_null(strstr((char *)r.sent, "CONNECT a.example:443 "));
            continue;
        }
        assert_int_equal(r.code, TLSOCK_E_ARGUMENT);
        assert_int_equal(r.err.phase, TLSOCK_PHASE_PROXY);
        assert_int_equal(r.sent_len, 0);
    }
}

static void the_password_is_in_no_message(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 403 no\r\n\r\n", S407 "\r\n", "x\n", "", "HTTP/1.1 \r\n",
        "HTTP/1.1 200 OK\r\nx\r\n", "HTTP/1.1 403 me:secret\r\n",
        "me:secret\n", "HTTP/1.1 200 OK\r\nbWU6c2VjcmV0\r\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct played r;

        play(&r, URL_LOGIN, HOST, answers[i], strlen(answers[i]), 0);
        assert_true(r.code < TLSOCK_AGAIN);
        assert_true(has(r.sent, r.sent_len, "bWU6c2VjcmV0\r\n"));
        assert_null(strstr(r.err.message, "secret"));
        assert_null(strstr(r.err.hint, "secret"));
        assert_null(strstr(r.err.message, "bWU6c2VjcmV0"));
        assert_null(strstr(r.err.hint, "bWU6c2VjcmV0"));
    }
}

static void without_memory_it_fails_and_leaves_nothing(void **state)
{
    char long_login[1200] = "http://me:", *p = long_login + 10;
    struct script s = good[COUNT(good) - 3];

    (void)state;
    check_memory(&good[1], 5);
    memset(p, 'x', 1000); /* the request outgrows its first buffer */
    snprintf(p + 1000, 100, "@proxy.example:3128");
    s.url = long_login;
    check_memory(&s, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_as_the_rfc_has_them),
        cmocka_unit_test(success_ends_with_the_header_section),
        cmocka_unit_test(an_early_end_is_a_failure_at_every_byte),
        cmocka_unit_test(every_refusal_is_explained),
        cmocka_unit_test(a_407_tells_what_is_offered),
        cmocka_unit_test(many_schemes_are_cut_to_fit),
        cmocka_unit_test(what_is_no_http_is_refused),
        cmocka_unit_test(a_stranger_is_known_by_five_bytes),
        cmocka_unit_test(what_never_ends_is_ended),
        cmocka_unit_test(no_host_name_can_add_to_the_request),
        cmocka_unit_test(the_password_is_in_no_message),
        cmocka_unit_test(without_memory_it_fails_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
