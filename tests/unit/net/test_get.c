#include "test.h"

#include "core/mem.h"
#include "net/get.h"

#define BYTES(text) text, sizeof(text) - 1
#define OK "HTTP/1.1 200 OK\r\n"
#define MOST 20

struct played {
    int code;
    tlsock_error err;
    char sent[8192];
    size_t sent_len;
    unsigned char body[64];
    size_t len;
    int moved;
    char location[128];
};

static void keep(struct played *r, struct tsk_talk *t)
{
    assert_true(r->sent_len + t->out.len < sizeof(r->sent));
    memcpy(r->sent + r->sent_len, tsk_buf_at(&t->out), t->out.len);
    r->sent_len += t->out.len;
    r->sent[r->sent_len] = '\0';
    tsk_buf_take(&t->out, t->out.len);
}

static void talk(struct played *r, struct tsk_get *g, const char *script,
                 size_t len, size_t chunk)
{
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in};
    size_t fed = 0;

    for (;;) {
        size_t n = chunk > len - fed ? len - fed : chunk;

        r->code = tsk_get_step(g, &t, &r->err);
        keep(r, &t);
        if (r->code != TLSOCK_AGAIN)
            break;
        assert_false(t.ended); /* else it would wait for ever */
        if (tsk_buf_add(&in, script + fed, n) != TLSOCK_OK) {
            r->code = r->err.code = TLSOCK_E_NOMEM;
            break;
        }
        fed += n;
        t.ended = n == 0;
    }
    if (r->code == TLSOCK_OK)
        assert_int_equal(tsk_get_step(g, &t, NULL), TLSOCK_OK);
    tsk_buf_free(&in);
    tsk_talk_free(&t);
}

static void play_ask(struct played *r, const struct tsk_get_ask *ask,
                     const char *script, size_t len, size_t chunk)
{
    struct tsk_get *g;
    const char *location;
    const void *body;

    memset(r, 0, sizeof(*r));
    g = tsk_get_new(ask, &r->err);
    if (g == NULL) {
        r->code = r->err.code;
        return;
    }
    talk(r, g, script, len, chunk);
    body = tsk_get_body(g, &r->len);
    assert_true(r->len <= ask->most && r->len <= sizeof(r->body));
    memcpy(r->body, body, r->len);
    r->moved = r->code == TLSOCK_OK ? tsk_get_moved(g, &location) : 0;
    if (r->moved != 0)
        snprintf(r->location, sizeof(r->location), "%s", location);
    tsk_get_free(g);
}

static void play(struct played *r, const char *script, size_t len, size_t chunk)
{
    struct tsk_get_ask ask = {
        .method = "GET", .url = "http://a.test/x", .most = MOST};

    play_ask(r, &ask, script, len, chunk);
}

static const struct {
    const char *name, *script;
    size_t len;
    const char *body;
} good[] = {
    {"sized", BYTES(OK "Content-Length: 5\r\n\r\nhello"), "hello"},
    {"sized, more behind it", BYTES(OK "Content-Length: 5\r\n\r\nhello!"),
     "hello"},
    {"no body", BYTES(OK "Content-Length: 0\r\n\r\n"), ""},
    {"blanks", BYTES(OK "content-length:\t 5 \r\n\r\nhello"), "hello"},
    {"the same length twice",
     BYTES(OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), "hello"},
    {"to the end", BYTES(OK "\r\nhello"), "hello"},
    {"to the end, nothing", BYTES(OK "\r\n"), ""},
    {"HTTP/1.0", BYTES("HTTP/1.0 200 Fine\n\nhello"), "hello"},
    {"chunks",
     BYTES(OK "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n"
              "\r\n"),
     "hello"},
    {"chunks, LF alone",
     BYTES(OK "Transfer-Encoding: Chunked\n\n5\nhello\n0\n\n"), "hello"},
    {"chunk in hex",
     BYTES(OK "Transfer-Encoding: chunked\r\n\r\n0A;x=y\r\n0123456789\r\n"
              "000 \r\nX: y\r\nZ: z\r\n\r\n"),
     "0123456789"},
    {"no chunk", BYTES(OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), ""},
    {"identity", BYTES(OK "Content-Encoding: identity\r\n\r\nhello"), "hello"},
    {"folded field", BYTES(OK "X: a\r\n b\r\n\r\nhello"), "hello"},
    {"interim",
     BYTES("HTTP/1.1 103 Hints\r\nContent-Length: 9\r\n\r\n" OK "\r\nhello"),
     "hello"},
    {"as much as is taken", BYTES(OK "\r\n01234567890123456789"),
     "01234567890123456789"},
    {"a Location that means nothing",
     BYTES(OK "Location: /y\r\nContent-Length: 1\r\n\r\nx"), "x"},
};

/* However the bytes come. */
static void a_body_comes_as_it_was_sent(void **state)
{
    static const size_t chunks[] = {1, 2, 7, 10000};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        for (size_t c = 0; c < COUNT(chunks); c++) {
            struct played r;

            play(&r, good[i].script, good[i].len, chunks[c]);
            if (r.code != TLSOCK_OK)
                fail_msg("%s: %s", good[i].name, r.err.message);
            assert_int_equal(r.len, strlen(good[i].body));
            assert_memory_equal(r.body, good[i].body, r.len);
            assert_int_equal(r.moved, 0);
        }
    }
}

/* Where the end does not mean anything itself. */
static void an_early_end_is_told_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        size_t head = (size_t)(strstr(good[i].script, "\n\r\n") != NULL
                                   ? strstr(good[i].script, "\n\r\n") + 3
                                   : strstr(good[i].script, "\n\n") + 2) -
                      (size_t)good[i].script;
        int to_end = strstr(good[i].script, "ength") == NULL &&
                     strstr(good[i].script, "unked") == NULL;

        if (strstr(good[i].script, "behind") != NULL ||
            strcmp(good[i].name, "sized, more behind it") == 0 ||
            strcmp(good[i].name, "interim") == 0)
            continue;
        for (size_t n = 0; n < (to_end ? head : good[i].len); n++) {
            struct played r;

            play(&r, good[i].script, n, 10000);
            if (r.code != TLSOCK_E_TRUNCATED)
                fail_msg("%s at %zu: %s %s", good[i].name, n,
                         tlsock_errname(r.code), r.err.message);
            assert_true(r.err.hint[0] != '\0');
        }
    }
}

#define CHUNKS OK "Transfer-Encoding: chunked\r\n\r\n"
#define NO TLSOCK_E_PROTOCOL

static const struct {
    const char *name, *script;
    size_t len;
    int code;
    const char *tells;
} bad[] = {
    {"other protocol", BYTES("SSH-2.0-x\r\n"), NO, "SSH-2.0"},
    {"TLS", BYTES("\x15\x03\x03\x00\x02\x02\x46"), NO, "\\x15"},
    {"HTTP/2", BYTES("HTTP/2 200\r\n\r\n"), NO, "no status line"},
    {"no status", BYTES("HTTP/1.1 OK\r\n\r\n"), NO, "no status line"},
    {"101", BYTES("HTTP/1.1 101 Switch\r\n\r\n"), NO, "101"},
    {"204", BYTES("HTTP/1.1 204 No\r\n\r\n"), NO, "204"},
    {"206", BYTES("HTTP/1.1 206 Part\r\n\r\n"), NO, "206"},
    {"304", BYTES("HTTP/1.1 304 Same\r\n\r\n"), NO, "304"},
    {"404", BYTES("HTTP/1.1 404 No \x1b[2J\r\n\r\n"), NO, "404 No \\x1b"},
    {"407 of a server", BYTES("HTTP/1.1 407 Who\r\n\r\n"), NO, "407"},
    {"500", BYTES("HTTP/1.1 500 Oh\r\n\r\n"), NO, "500"},
    {"both lengths",
     BYTES(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), NO,
     "both"},
    {"both lengths, the other way",
     BYTES(OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"), NO,
     "both"},
    {"two lengths", BYTES(OK "Content-Length: 5\r\nContent-Length: 6\r\n"), NO,
     "Content-Length"},
    {"a list of lengths", BYTES(OK "Content-Length: 5, 5\r\n"), NO, "5, 5"},
    {"negative length", BYTES(OK "Content-Length: -1\r\n"), NO, "-1"},
    {"plus", BYTES(OK "Content-Length: +1\r\n"), NO, "+1"},
    {"hex length", BYTES(OK "Content-Length: 0x5\r\n"), NO, "0x5"},
    {"no length", BYTES(OK "Content-Length:\r\n"), NO, "Content-Length"},
    {"huge length", BYTES(OK "Content-Length: 99999999999999999999\r\n"), NO,
     "Content-Length"},
    {"folded length", BYTES(OK "Content-Length: 5\r\n 6\r\n"), NO,
     "no header field"},
    {"gzip", BYTES(OK "Content-Encoding: gzip\r\n"), NO, "gzip"},
    {"coding", BYTES(OK "Transfer-Encoding: gzip, chunked\r\n"), NO, "gzip"},
    {"chunked twice",
     BYTES(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     NO, "Transfer-Encoding"},
    {"no field", BYTES(OK "nonsense\r\n\r\n"), NO, "no header field"},
    {"blank before the colon", BYTES(OK "Content-Length : 5\r\n\r\n"), NO,
     "no header field"},
    {"fold first", BYTES(OK " x\r\n\r\n"), NO, "no header field"},
    {"CR alone", BYTES(OK "X: y\rZ: z\r\n\r\n"), NO, "CR"},
    {"NUL", BYTES(OK "X: \0\r\n\r\n"), NO, "NUL"},
    {"moved to nowhere", BYTES("HTTP/1.1 302 Found\r\n\r\n"), NO, "nowhere"},
    {"moved twice",
     BYTES("HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\n\r\n"), NO,
     "second"},
    {"no size", BYTES(CHUNKS "\r\n"), NO, "without a size"},
    {"no hex", BYTES(CHUNKS "x\r\n"), NO, "without a size"},
    {"minus", BYTES(CHUNKS "-1\r\n"), NO, "without a size"},
    {"0x", BYTES(CHUNKS "0x1\r\na\r\n"), NO, "without a size"},
    {"nine digits", BYTES(CHUNKS "000000001\r\na\r\n"), NO, "without a size"},
    {"chunk too long", BYTES(CHUNKS "1\r\nab\r\n0\r\n\r\n"), NO, "longer"},
    {"too long by its length", BYTES(OK "Content-Length: 21\r\n\r\n"),
     TLSOCK_E_LIMIT, "20 bytes"},
    {"too long to the end", BYTES(OK "\r\n012345678901234567890"),
     TLSOCK_E_LIMIT, "20 bytes"},
    {"chunk over the limit", BYTES(CHUNKS "15\r\n"), TLSOCK_E_LIMIT,
     "20 bytes"},
    {"chunks over the limit",
     BYTES(CHUNKS "a\r\n0123456789\r\nb\r\n01234567890\r\n"), TLSOCK_E_LIMIT,
     "20 bytes"},
    {"ffffffff", BYTES(CHUNKS "ffffffff\r\n"), TLSOCK_E_LIMIT, "20 bytes"},
};

static void what_breaks_the_rules_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        for (size_t chunk = 1; chunk < 20000; chunk += 10000) {
            struct played r;

            play(&r, bad[i].script, bad[i].len, chunk);
            if (r.code != bad[i].code || r.err.code != r.code)
                fail_msg("%s: %s %s", bad[i].name, tlsock_errname(r.code),
                         r.err.message);
            if (chunk > 1) /* what else would have come is not waited for */
                assert_tells(r.err.message, bad[i].tells);
            assert_true(r.err.hint[0] != '\0');
        }
    }
}

static void redirections_are_given_back(void **state)
{
    static const int codes[] = {301, 302, 303, 307, 308};

    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct played r;
        char script[128];

        snprintf(script, sizeof(script),
                 "HTTP/1.1 %d Moved\r\nlocation:  //b.test/y \r\n"
                 "Content-Length: 20\r\n\r\n",
                 codes[i]);
        play(&r, script, strlen(script), 1);
        assert_code(r.code, TLSOCK_OK);
        assert_int_equal(r.moved, codes[i]);
        assert_string_equal(r.location, "//b.test/y");
    }
}

/* Whatever comes without end is cut off: by memory, lines, or both. */
static void nothing_goes_on_for_ever(void **state)
{
    static const struct {
        const char *start, *again;
    } rows[] = {
        {OK, "X: y\r\n"},
        {OK "X: ", "y"},
        {"", "HTTP/1.1 103 Hints\r\n\r\n"},
        {CHUNKS "0\r\n", "X: y\r\n"},
        {CHUNKS "0\r\nX: ", "y"},
        {CHUNKS "1;", "x"},
        {CHUNKS, "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\na\r\n"},
        {OK "\r\n", "x"},
    };
    const size_t len = (size_t)1 << 20;
    char *script = test_malloc(len);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t at = strlen(rows[i].start), n = strlen(rows[i].again);
        struct tsk_get_ask ask = {
            .method = "GET", .url = "http://a.test/x", .most = 60};
        struct played r;

        memcpy(script, rows[i].start, at);
        for (; at + n <= len; at += n)
            memcpy(script + at, rows[i].again, n);
        play_ask(&r, &ask, script, at, 1000);
        if (r.code != TLSOCK_E_LIMIT)
            fail_msg("%zu: %s", i, r.err.message);
        assert_true(r.err.hint[0] != '\0');
    }
    test_free(script);
}

/* Tiny chunks with long lines between them have a bound of their own. */
static void lines_between_chunks_are_bounded(void **state)
{
    const size_t len = (size_t)1 << 20;
    struct tsk_get_ask ask = {
        .method = "GET", .url = "http://a.test/x", .most = len};
    char *script = test_malloc(len);
    struct played r;
    struct tsk_get *g;
    size_t at;

    (void)state;
    memset(&r, 0, sizeof(r));
    at = (size_t)sprintf(script, "%s", CHUNKS);
    while (at + 1020 < len)
        at += (size_t)sprintf(script + at, "1;%01000d\r\na\r\n", 0);
    g = tsk_get_new(&ask, NULL);
    talk(&r, g, script, at, 1000);
    assert_code(r.code, TLSOCK_E_LIMIT);
    tsk_get_free(g);
    test_free(script);
}

static const struct {
    const char *method, *url, *type, *body, *sent;
} asks[] = {
    {"GET", "http://A.test", NULL, "", "GET / HTTP/1.1\r\nHost: a.test\r\n"},
    {"GET", "http://a.test:81/b%20c?d#e", NULL, "",
     "GET /b%20c?d HTTP/1.1\r\nHost: a.test:81\r\n"},
    {"GET", "http://[::1]?d", NULL, "", "GET /?d HTTP/1.1\r\nHost: [::1]\r\n"},
    {"POST", "http://a.test/", "a/b", "xyz",
     "POST / HTTP/1.1\r\nHost: a.test\r\n"},
};

static void the_request_is_as_the_rfc_has_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(asks); i++) {
        struct tsk_get_ask ask = {.method = asks[i].method,
                                  .url = asks[i].url,
                                  .content_type = asks[i].type,
                                  .body = asks[i].body,
                                  .body_len = strlen(asks[i].body),
                                  .most = MOST};
        char want[512];
        struct played r;

        play_ask(&r, &ask, BYTES(OK "\r\n"), 1);
        assert_code(r.code, TLSOCK_OK);
        snprintf(want, sizeof(want),
                 "%sUser-Agent: tlsock/" TSK_VERSION "\r\nAccept: */*\r\n"
                 "Connection: close\r\n%s\r\n%s",
                 asks[i].sent,
                 asks[i].type != NULL
                     ? "Content-Type: a/b\r\nContent-Length: 3\r\n"
                     : "",
                 asks[i].body);
        assert_string_equal(r.sent, want);
    }
}

static void a_proxy_is_asked_for_all_of_it(void **state)
{
    struct tsk_get_ask ask = {
        .method = "GET", .url = "http://a.test:81?b", .most = MOST};
    struct tsk_proxy *via;
    struct played r;
    size_t n;

    (void)state;
    assert_code(tsk_proxies_parse(&via, &n, "http://u:p@proxy.test", NULL),
                TLSOCK_OK);
    ask.via = via;
    play_ask(&r, &ask, BYTES(OK "\r\n"), 1);
    assert_code(r.code, TLSOCK_OK);
    assert_tells(r.sent, "GET http://a.test:81/?b HTTP/1.1\r\n"
                         "Host: a.test:81\r\n");
    assert_tells(r.sent, "\r\nProxy-Authorization: Basic dTpw\r\n");
    play_ask(&r, &ask, BYTES("HTTP/1.1 407 Who\r\n\r\n"), 1);
    assert_code(r.code, TLSOCK_E_PROXY_AUTH);
    assert_tells(r.err.message, "proxy.test refuses");
    tsk_proxies_free(via, n);
}

static void what_cannot_be_asked_is_refused(void **state)
{
    static const struct tsk_get_ask asks_not[] = {
        {.method = "", .url = "http://a.test/"},
        {.method = "GE T", .url = "http://a.test/"},
        {.method = "GET\r\n", .url = "http://a.test/"},
        {.method = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", .url = "http://a.test/"},
        {.method = "POST", .url = "http://a.test/", .content_type = "a\r\nb"},
        {.method = "GET", .url = "https://a.test/"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(asks_not); i++) {
        tlsock_error err = {0};

        assert_null(tsk_get_new(&asks_not[i], &err));
        assert_code(err.code, TLSOCK_E_ARGUMENT);
    }
    tsk_get_free(NULL);
}

static int countdown;

static int nth_fails(void)
{
    return --countdown == 0;
}

static void without_memory_it_fails_and_leaves_nothing(void **state)
{
    static const char *const scripts[] = {
        CHUNKS "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /a\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct played r = {.code = TLSOCK_E_NOMEM};

        for (int n = 1; r.code == TLSOCK_E_NOMEM; n++) {
            countdown = n;
            tsk_mem_fail = nth_fails;
            play(&r, scripts[i], strlen(scripts[i]), 7);
            tsk_mem_fail = NULL;
            assert_true(n < 100);
            assert_true(n > 1 || r.code == TLSOCK_E_NOMEM);
        }
        assert_code(r.code, TLSOCK_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_as_it_was_sent),
        cmocka_unit_test(an_early_end_is_told_at_every_byte),
        cmocka_unit_test(what_breaks_the_rules_is_named),
        cmocka_unit_test(redirections_are_given_back),
        cmocka_unit_test(nothing_goes_on_for_ever),
        cmocka_unit_test(lines_between_chunks_are_bounded),
        cmocka_unit_test(the_request_is_as_the_rfc_has_it),
        cmocka_unit_test(a_proxy_is_asked_for_all_of_it),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(without_memory_it_fails_and_leaves_nothing),
    };

    return cmocka_run_group_tests_name("get", tests, NULL, NULL);
}
