/* What "tlsock intercept" makes of bytes and names: rules, the ways in, the
 * watch for STARTTLS, frames, pins. */
#include "test.h"

#include "intercept_entry.h"
#include "intercept_frames.h"
#include "intercept_pins.h"
#include "intercept_rules.h"
#include "intercept_watch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

static const struct {
    const char *rules, *host, *sni, *ja4, *from, *to;
    int early, verdict;
} rule_cases[] = {
    {"", "a.test", "", "", NULL, NULL, 0, RULE_INTERCEPT},
    {"deny a.test", "a.test", "", "", NULL, NULL, 0, RULE_DENY},
    {"deny a.test", "A.TEST.", "", "", NULL, NULL, 0, RULE_DENY},
    {"deny a.test", "aa.test", "", "", NULL, NULL, 0, RULE_INTERCEPT},
    {"deny a.test", "10.0.0.1", "a.test", "", NULL, NULL, 0, RULE_DENY},
    {"pass *.test", "a.b.test", "", "", NULL, NULL, 0, RULE_PASS},
    {"pass *.test", "test", "", "", NULL, NULL, 0, RULE_INTERCEPT},
    {"pass *.test", "xtest", "", "", NULL, NULL, 0, RULE_INTERCEPT},
    {"pass *", "x", "", "", NULL, NULL, 0, RULE_PASS},
    {"pass a\ndeny *", "a", "", "", NULL, NULL, 0, RULE_PASS},
    {"deny *\npass a", "a", "", "", NULL, NULL, 0, RULE_DENY},
    {"deny 10.0.0.0/8", "10.2.3.4", "", "", NULL, NULL, 0, RULE_DENY},
    {"deny 10.0.0.0/8", "11.2.3.4", "", "", NULL, NULL, 0, RULE_INTERCEPT},
    {"deny 10.0.0.4/31", "a", "", "", NULL, "10.0.0.5", 0, RULE_DENY},
    {"deny 10.0.0.4/31", "a", "", "", NULL, "10.0.0.6", 0, RULE_INTERCEPT},
    {"deny 10.0.0.4", "a", "", "", NULL, "::ffff:10.0.0.4", 0, RULE_DENY},
    {"deny 10.0.0.4", "a", "", "", NULL, NULL, 0, RULE_UNKNOWN},
    {"deny 0.0.0.0/0", "a", "", "", NULL, "::1", 0, RULE_INTERCEPT},
    {"deny 2001:db8::/32", "[2001:db8::9]", "", "", NULL, NULL, 0, RULE_DENY},
    {"deny 2001:db8::/32", "[2001:db9::9]", "", "", NULL, NULL, 0,
     RULE_INTERCEPT},
    {"deny from:10.0.0.1", "a", "", "", "10.0.0.1", NULL, 0, RULE_DENY},
    {"deny from:10.0.0.1", "10.0.0.1", "", "", "10.0.0.2", NULL, 0,
     RULE_INTERCEPT},
    {"pass ja4:t13d_a", "a", "", "t13d_a", NULL, NULL, 0, RULE_PASS},
    {"pass ja4:t13d_a", "a", "", "t13d_ab", NULL, NULL, 0, RULE_INTERCEPT},
    {"pass ja4:t13*", "a", "", "t13d_ab", NULL, NULL, 0, RULE_PASS},
    {"pass ja4:*", "a", "", "", NULL, NULL, 0, RULE_INTERCEPT},
    /* before the hello: what may still come goes first */
    {"pass ja4:x\ndeny *", "a", "", "", NULL, NULL, 1, RULE_UNKNOWN},
    {"pass b\ndeny *", "a", "", "", NULL, NULL, 1, RULE_UNKNOWN},
    {"deny ja4:x\ndeny *", "a", "", "", NULL, NULL, 1, RULE_DENY},
    {"deny b", "a", "", "", NULL, NULL, 1, RULE_INTERCEPT},
    {"# x\n\n deny\ta # y\r", "a", "", "", NULL, NULL, 0, RULE_DENY},
};

static void to_sockaddr(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

    memset(out, 0, sizeof(*out));
    if (text != NULL && inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        v4->sin_family = AF_INET;
    else if (text != NULL && inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        v6->sin6_family = AF_INET6;
}

static void the_first_rule_that_fits_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rule_cases); i++) {
        struct intercept_rules *r = rules_new();
        struct sockaddr_storage from, to;
        const char *why, *what;
        struct rule_facts f = {.host = rule_cases[i].host,
                               .sni = rule_cases[i].sni,
                               .ja4 = rule_cases[i].ja4,
                               .early = rule_cases[i].early};
        int verdict;

        to_sockaddr(rule_cases[i].from, &from);
        to_sockaddr(rule_cases[i].to, &to);
        f.from = rule_cases[i].from != NULL ? (struct sockaddr *)&from : NULL;
        f.to = rule_cases[i].to != NULL ? (struct sockaddr *)&to : NULL;
        assert_int_equal(rules_parse(r, rule_cases[i].rules,
                                     strlen(rule_cases[i].rules), &why),
                         0);
        verdict = rules_match(r, &f, &what);
        if (verdict != rule_cases[i].verdict)
            fail_msg("%s of %s: %d", rule_cases[i].rules, rule_cases[i].host,
                     verdict);
        rules_free(r);
    }
}

static void a_rule_that_is_none_is_named_by_its_line(void **state)
{
    static const struct {
        const char *text;
        int line;
    } rows[] = {
        {"deny a\nhide b", 2},   {"deny", 1},
        {"deny a b", 1},         {"\n\npass /8", 3},
        {"pass 10.0.0.0/33", 1}, {"pass ::/129", 1},
        {"pass 10.0.0.0/", 1},   {"pass from:a.test", 1},
        {"pass ja4:", 1},        {"pass *a.test", 1},
        {"pass a.test:443", 1},  {"pass .test", 1},
    };
    char longest[700];
    const char *why;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct intercept_rules *r = rules_new();

        assert_int_equal(
            rules_parse(r, rows[i].text, strlen(rows[i].text), &why),
            rows[i].line);
        assert_true(why[0] != '\0');
        rules_free(r);
    }
    memset(longest, 'a', sizeof(longest));
    for (size_t n = 261; n < sizeof(longest); n += 300) {
        struct intercept_rules *r = rules_new();

        memcpy(longest, "deny ", 5);
        assert_int_equal(rules_parse(r, longest, n, &why), 1);
        rules_free(r);
    }
}

static const struct {
    const char *claim, *text;
    size_t len; /* 0: strlen */
    int kind;
    const char *host;
    int port;
    const char *head; /* HTTP */
} entry_cases[] = {
    {"nothing", "", 0, ENTRY_MORE, "", 0, NULL},
    {"TLS", "\x16\x03\x01", 0, ENTRY_TLS, "", 0, NULL},
    {"something else", "hello", 0, ENTRY_WRONG, "", 0, NULL},
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 0, ENTRY_CONNECT,
     "a", 443, NULL},
    {"CONNECT, half", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n", 0, ENTRY_MORE,
     "", 0, NULL},
    {"CONNECT of IPv6", "CONNECT [::1]:443 HTTP/1.1\n\n", 0, ENTRY_CONNECT,
     "[::1]", 443, NULL},
    {"CONNECT without a port", "CONNECT a HTTP/1.1\r\n\r\n", 0, ENTRY_WRONG, "",
     0, NULL},
    {"port 0", "CONNECT a:0 HTTP/1.1\r\n\r\n", 0, ENTRY_WRONG, "", 0, NULL},
    {"port 65536", "CONNECT a:65536 HTTP/1.1\r\n\r\n", 0, ENTRY_WRONG, "", 0,
     NULL},
    {"a user in it", "CONNECT u@a:1 HTTP/1.1\r\n\r\n", 0, ENTRY_WRONG, "", 0,
     NULL},
    {"no version", "CONNECT a:1\r\n\r\n", 0, ENTRY_WRONG, "", 0, NULL},
    {"a request",
     "GET http://a:8/b?c HTTP/1.0\r\nHost: a\r\nProxy-Connection: x\r\n\r\n", 0,
     ENTRY_HTTP, "a", 8,
     "GET /b?c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"no path", "GET HTTP://a HTTP/1.1\r\n\r\n", 0, ENTRY_HTTP, "a", 80,
     "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"},
    {"a query alone", "GET http://a?q HTTP/1.1\r\n\r\n", 0, ENTRY_HTTP, "a", 80,
     "GET /?q HTTP/1.1\r\nConnection: close\r\n\r\n"},
    {"an origin's", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, ENTRY_WRONG, "", 0,
     NULL},
    {"https in plaintext", "GET https://a/ HTTP/1.1\r\n\r\n", 0, ENTRY_WRONG,
     "", 0, NULL},
    {"no host", "GET http:///x HTTP/1.1\r\n\r\n", 0, ENTRY_WRONG, "", 0, NULL},
    {"SOCKS5 greeting", "\5\1\0", 3, ENTRY_SAY, "", 0, NULL},
    {"half of it", "\5\2\0", 3, ENTRY_MORE, "", 0, NULL},
    {"only with a password", "\5\1\2", 3, ENTRY_WRONG, "", 0, NULL},
};

static void each_way_in_is_told_by_its_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(entry_cases); i++) {
        struct entry e = {.kind = ENTRY_MORE};
        size_t len = entry_cases[i].len;

        if (len == 0)
            len = strlen(entry_cases[i].text);
        entry_look(&e, entry_cases[i].text, len);
        if (e.kind != entry_cases[i].kind)
            fail_msg("%s: %d", entry_cases[i].claim, e.kind);
        assert_string_equal(e.host, entry_cases[i].host);
        assert_int_equal(e.port, entry_cases[i].port);
        if (e.kind == ENTRY_WRONG)
            assert_true(e.wrong[0] != '\0');
        if (e.kind == ENTRY_HTTP)
            assert_memory_equal(e.head, entry_cases[i].head, e.head_len);
        free(e.head);
    }
}

static void socks_requests_are_taken_or_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int kind;
        const char *host;
    } rows[] = {
        {"\5\1\0\1\177\0\0\1\1\273", 10, ENTRY_SOCKS, "127.0.0.1"},
        {"\5\1\0\3\6a.test\1\273", 13, ENTRY_SOCKS, "a.test"},
        {"\5\1\0\3\6a.test\1", 12, ENTRY_MORE, ""},
        {"\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\1\273", 22, ENTRY_SOCKS,
         "[::1]"},
        {"\5\2\0\1\177\0\0\1\1\273", 10, ENTRY_WRONG, ""},
        {"\5\1\0\2\177\0\0\1\1\273", 10, ENTRY_WRONG, ""},
        {"\5\1\0\3\0\1\273", 7, ENTRY_WRONG, ""},
        {"\5\1\0\3\3a:b\1\273", 10, ENTRY_WRONG, "a"},
        {"\5\1\0\1\177\0\0\1\0\0", 10, ENTRY_WRONG, "127.0.0.1"},
        {"\4\1\0\1\177\0\0\1\1\273", 10, ENTRY_WRONG, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct entry e = {.greeted = 1};
        char out[512];

        entry_look(&e, rows[i].bytes, rows[i].len);
        assert_int_equal(e.kind, rows[i].kind);
        if (e.kind != ENTRY_SOCKS)
            continue;
        assert_string_equal(e.host, rows[i].host);
        assert_int_equal(e.port, 443);
        assert_int_equal(entry_yes(&e, out), 10);
        assert_int_equal(out[1], 0);
        assert_int_equal(entry_no(&e, "x", out), 10);
        assert_int_equal(out[1], 2);
    }
}

/* Lines of both sides in turn, "C:" and "S:"; then the state. */
static const struct {
    const char *claim, *protocol;
    int state;
    const char *lines[9];
} dialogues[] = {
    {"smtp",
     "smtp",
     WATCH_TLS,
     {"S:220 mx", "C:EHLO a", "S:250-mx", "S:250 STARTTLS", "C:STARTTLS",
      "S:220 go"}},
    {"smtp, pipelined",
     "smtp",
     WATCH_TLS,
     {"S:220 mx", "C:EHLO a", "C:STARTTLS", "S:250-mx", "S:250 x", "S:220 go"}},
    {"smtp refuses", "smtp", WATCH_ON, {"S:220 mx", "C:STARTTLS", "S:454 no"}},
    {"smtp goes on without",
     "smtp",
     WATCH_OFF,
     {"S:220 mx", "C:EHLO a", "S:250 x", "C:MAIL FROM:<a>"}},
    {"smtp injection",
     "smtp",
     WATCH_BAD,
     {"S:220 mx", "C:STARTTLS", "C:EHLO a"}},
    {"ftp", "ftp", WATCH_TLS, {"S:220-a", "S:220 b", "C:AUTH TLS", "S:234 go"}},
    {"ftp refuses", "ftp", WATCH_ON, {"S:220 a", "C:AUTH TLS", "S:220 no"}},
    {"imap",
     "imap",
     WATCH_TLS,
     {"S:* OK a", "C:1 CAPABILITY", "S:* CAPABILITY x", "S:1 OK",
      "C:2 STARTTLS", "S:1 OK", "S:2 OK go"}},
    {"imap says no", "imap", WATCH_ON, {"S:* OK a", "C:2 STARTTLS", "S:2 NO"}},
    {"imap logs in", "imap", WATCH_OFF, {"S:* OK a", "C:1 LOGIN a b"}},
    {"pop3",
     "pop3",
     WATCH_TLS,
     {"S:+OK a", "C:CAPA", "S:+OK", "S:STLS", "S:.", "C:STLS", "S:+OK go"}},
    {"pop3 says no", "pop3", WATCH_ON, {"S:+OK a", "C:STLS", "S:-ERR"}},
    {"another protocol", "", WATCH_OFF, {"S:SSH-2.0-x"}},
    {"the client begins", "", WATCH_OFF, {"C:EHLO a"}},
};

static void starttls_is_seen_where_both_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(dialogues); i++) {
        struct watch w = {.state = WATCH_ON};

        for (size_t k = 0; k < 9 && dialogues[i].lines[k] != NULL; k++) {
            char line[80];

            snprintf(line, sizeof(line), "%s\r\n", dialogues[i].lines[k] + 2);
            (void)watch_bytes(&w, dialogues[i].lines[k][0] == 'C', line,
                              strlen(line));
        }
        if (w.state != dialogues[i].state)
            fail_msg("%s: %d", dialogues[i].claim, w.state);
        if (dialogues[i].protocol[0] != '\0')
            assert_string_equal(watch_protocol(&w), dialogues[i].protocol);
    }
}

static void nothing_behind_the_go_is_let_through(void **state)
{
    struct watch w = {.state = WATCH_ON};
    char big[2 * WATCH_LINE];

    (void)state;
    (void)watch_bytes(&w, 0, "220 a\r\n", 7);
    (void)watch_bytes(&w, 1, "STARTTLS\r\n", 10);
    assert_int_equal(watch_bytes(&w, 0, "220 go\r\n250 x\r\n", 15), 8);
    assert_int_equal(w.state, WATCH_TLS);
    w = (struct watch){.state = WATCH_ON};
    memset(big, 'a', sizeof(big));
    assert_int_equal(watch_bytes(&w, 0, big, sizeof(big)), sizeof(big));
    assert_int_equal(w.state, WATCH_OFF);
}

static void frames_come_back_in_any_portions(void **state)
{
    static const char said[] = "c\0\0\0\3abcs\0\0\0\2xyC\0\0\0\0S\0\0\0\0";
    struct chan *in = calloc(3, sizeof(*in));

    (void)state;
    for (size_t piece = 1; piece < sizeof(said); piece++) {
        struct frames f = {.kind = 0};

        memset(in, 0, 3 * sizeof(*in));
        for (size_t at = 0; at < sizeof(said) - 1; at += piece) {
            size_t n = sizeof(said) - 1 - at;

            (void)chan_put(&in[0], said + at, n < piece ? n : piece);
            while (frames_take(&f, &in[0], &in[1], &in[2]) > 0)
                continue;
        }
        assert_int_equal(in[1].len, 3);
        assert_memory_equal(in[1].buf, "abc", 3);
        assert_memory_equal(in[2].buf, "xy", 2);
        assert_true(in[1].over && in[2].over);
    }
    free(in);
}

static void what_is_no_frame_is_refused(void **state)
{
    static const char *const rows[] = {"x\0\0\0\0", "i\0\0\0\0", "C\0\0\0\1",
                                       "c\377\0\0\0"};
    struct chan *in = calloc(3, sizeof(*in));

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct frames f = {.kind = 0};

        memset(in, 0, 3 * sizeof(*in));
        (void)chan_put(&in[0], rows[i], 5);
        assert_int_equal(frames_take(&f, &in[0], &in[1], &in[2]), -1);
    }
    free(in);
}

static void two_refusals_pass_one_client_for_a_time(void **state)
{
    struct intercept_pins *p = pins_new(60);
    char name[32];
    time_t until;

    (void)state;
    assert_int_equal(pins_refused(p, "a", "n", 1000, &until), 1);
    assert_int_equal(until, 0);
    assert_int_equal(pins_passed(p, "a", "n", 1000), 0);
    assert_int_equal(pins_refused(p, "a", "n", 1001, &until), 2);
    assert_int_equal(until, 1061);
    assert_int_equal(pins_passed(p, "a", "n", 1060), 1061);
    assert_int_equal(pins_passed(p, "b", "n", 1060), 0);
    assert_int_equal(pins_passed(p, "a", "m", 1060), 0);
    assert_int_equal(pins_passed(p, "a", "n", 1061), 0);
    /* over: it has to refuse anew, and taking it once is a new beginning */
    assert_int_equal(pins_refused(p, "a", "n", 1062, &until), 1);
    pins_accepted(p, "a", "n");
    assert_int_equal(pins_refused(p, "a", "n", 1063, &until), 1);
    /* long ago does not count */
    assert_int_equal(pins_refused(p, "a", "n", 9000, &until), 1);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        (void)pins_refused(p, "c", name, 9001 + i, &until);
    }
    assert_int_equal(pins_refused(p, "a", "n", 12002, &until), 1);
    pins_free(p);
    p = pins_new(0);
    (void)pins_refused(p, "a", "n", 1000, &until);
    assert_int_equal(pins_refused(p, "a", "n", 1001, &until), 2);
    assert_int_equal(until, 0);
    pins_free(p);
}

/* What the line before had there does not count. */
static void a_tag_alone_is_no_answer(void **state)
{
    static const struct {
        int from_client;
        const char *bytes;
    } said[] = {{0, "* OK a\n"},
                {1, "1 CAPABILITY\n"},
                {0, "1 OK done\n"},
                {1, "1 STARTTLS\n"},
                {0, "1\n"}};
    struct watch w = {.state = WATCH_ON};

    (void)state;
    for (size_t i = 0; i < COUNT(said); i++)
        (void)watch_bytes(&w, said[i].from_client, said[i].bytes,
                          strlen(said[i].bytes));
    assert_int_equal(w.state, WATCH_ON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_fits_decides),
        cmocka_unit_test(a_rule_that_is_none_is_named_by_its_line),
        cmocka_unit_test(each_way_in_is_told_by_its_bytes),
        cmocka_unit_test(socks_requests_are_taken_or_refused),
        cmocka_unit_test(starttls_is_seen_where_both_agree),
        cmocka_unit_test(nothing_behind_the_go_is_let_through),
        cmocka_unit_test(frames_come_back_in_any_portions),
        cmocka_unit_test(what_is_no_frame_is_refused),
        cmocka_unit_test(two_refusals_pass_one_client_for_a_time),
        cmocka_unit_test(a_tag_alone_is_no_answer),
    };

    return cmocka_run_group_tests_name("engine_intercept", tests, NULL, NULL);
}
