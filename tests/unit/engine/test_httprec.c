/* HTTP/1 as it goes by: each kind of message, and its hostile twin. */
#include "test.h"

#include "httprec_run.h"

#include <zlib.h>

#define GET "CGET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define GOT "GET https://x/ HTTP/1.1 "
#define OK0 "SHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define NO_HTTP_C "#what the client sends is no HTTP"
#define NO_HTTP_S "what the server sends is no HTTP"
#define ENDED "!the connection ended without a response\n"
#define SHORT "!the connection ended before the response did\n"
#define OTHER "another protocol follows, which is not recorded"

static const struct {
    const char *claim, *said[7], *expect;
} cases[] = {
    {"headers in their order, twice if they came twice, folded ones unfolded",
     {"CGET /a?b=1 HTTP/1.1\r\nHost: x\r\nA:1\r\na:  2 \r\nB: c\r\n\td\r\n\r\n",
      "SHTTP/1.1 200 All right\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
      "Content-Length: 5\r\n\r\nhello"},
     "GET https://x/a?b=1 HTTP/1.1 200 All right\n>Host: x\n>A: 1\n>a: 2\n"
     ">B: c  \td\n<Set-Cookie: a=1\n<Set-Cookie: b=2\n<Content-Length: 5\n"
     "<=hello\n#"},
    {"a header without a colon is one without a value",
     {"CGET / HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n", OK0},
     GOT "200 OK\n>Host: x\n>nothing: \n<Content-Length: 0\n#"},
    {"several on one connection",
     {GET, OK0, "CPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
      "SHTTP/1.1 201\r\nContent-Length: 1\r\n\r\nx"},
     GOT "200 OK\n>Host: x\n<Content-Length: 0\n"
         "POST https://x/2 HTTP/1.1 201\n>Host: x\n>Content-Length: 3\n>=abc\n"
         "<Content-Length: 1\n<=x\n#"},
    {"pipelined: the third without an answer",
     {"CGET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n",
      "SHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 404 No\r\n"
      "Content-Length: 1\r\n\r\n2"},
     "GET https://x/1 HTTP/1.1 200 OK\n>Host: x\n<Content-Length: 1\n<=1\n"
     "GET https://x/2 HTTP/1.1 404 No\n>Host: x\n<Content-Length: 1\n<=2\n"
     "GET https://x/3 HTTP/1.1 0\n>Host: x\n" ENDED "#"},
    {"chunked both ways, with trailers",
     {"CPOST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nT: x\r\n\r\n",
      "SHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nxyz\r\n"
      "2\r\nuv\r\n0\r\nU: y\r\n\r\n"},
     "POST https://x/ HTTP/1.1 200 OK\n>Host: x\n>Transfer-Encoding: chunked\n"
     ">+T: x\n>=abc\n<Transfer-Encoding: chunked\n<+U: y\n<=xyzuv\n#"},
    {"chunked, but cut off",
     {GET, "SHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"},
     GOT "200 OK\n>Host: x\n<Transfer-Encoding: chunked\n<=abc\n" SHORT "#"},
    {"100-continue",
     {"CPOST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 3\r\n\r\n",
      "SHTTP/1.1 100 Continue\r\nX: no\r\n\r\n", "Cabc",
      "SHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny"},
     "POST https://x/ HTTP/1.1 200 OK\n>Host: x\n>Expect: 100-continue\n"
     ">Content-Length: 3\n>=abc\n<Content-Length: 1\n<=y\n#"},
    {"early hints, more than once",
     {GET, "SHTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 103 Early\r\nLink: "
           "b\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 0\r\n\r\n"},
     GOT "200 OK\n>Host: x\n<X: y\n<Content-Length: 0\n#"},
    {"nothing behind early hints",
     {GET, "SHTTP/1.1 103 Early\r\nLink: a\r\n\r\n"},
     GOT "0\n>Host: x\n" ENDED "#"},
    {"HEAD, 304 and 204 have a length, but no body",
     {"CHEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "SHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 304 Same\r\n"
      "Content-Length: 8\r\n\r\nHTTP/1.1 204 None\r\n\r\n"},
     "HEAD https://x/ HTTP/1.1 200 OK\n>Host: x\n<Content-Length: 9\n" GOT
     "304 Same\n>Host: x\n<Content-Length: 8\n" GOT "204 None\n>Host: x\n#"},
    {"another protocol ends it",
     {"CGET /s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\n\r\n",
      "SHTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n\x81\x02hi",
      "C\x81\x82xxxx", "SHTTP/1.1 200 OK\r\n\r\n"},
     "GET https://x/s HTTP/1.1 101 Go\n>Host: x\n>Upgrade: websocket\n"
     ">Connection: Upgrade\n<Upgrade: websocket\n!" OTHER "\n#" OTHER},
    {"another protocol is refused: HTTP goes on",
     {"CGET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\n\r\n",
      OK0, GET, OK0},
     GOT "200 OK\n>Host: x\n>Upgrade: websocket\n>Connection: Upgrade\n"
         "<Content-Length: 0\n" GOT "200 OK\n>Host: x\n<Content-Length: 0\n#"},
    {"a tunnel ends it",
     {"CCONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
      "SHTTP/1.1 200 OK\r\n\r\n", "C\x16\x03\x01"},
     "CONNECT https://a:443/ HTTP/1.1 200 OK\n>Host: a:443\n!a tunnel follows, "
     "which is not recorded\n#a tunnel follows, which is not recorded"},
    {"a tunnel is refused: HTTP goes on",
     {"CCONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
      "SHTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", GET, OK0},
     "CONNECT https://a:443/ HTTP/1.1 407 No\n>Host: a:443\n"
     "<Content-Length: 2\n<=no\n" GOT "200 OK\n>Host: x\n"
     "<Content-Length: 0\n#"},
    {"the end of the connection ends the body",
     {"CGET / HTTP/1.0\r\n\r\n", "SHTTP/1.0 200 OK\r\nA: b\r\n\r\nabc", "Sdef"},
     "GET https://default.test/ HTTP/1.0 200 OK\n<A: b\n<=abcdef\n#"},
    {"the end of the connection cuts the body",
     {GET, "SHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"},
     GOT "200 OK\n>Host: x\n<Content-Length: 9\n<=abc\n" SHORT "#"},
    {"a status line that is cut",
     {GET, "SHTTP/1.1 200 O"},
     GOT "200 O\n>Host: x\n" SHORT "#"},
    {"a request that is cut",
     {"CGET / HTTP/1.1\r\nHos"},
     "GET https://default.test/ HTTP/1.1 0\n" ENDED "#"},
    {"an answer before the request has ended",
     {"CPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab",
      "SHTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n", "Ccd"},
     "POST https://x/ HTTP/1.1 413 No\n>Host: x\n>Content-Length: 4\n>=abcd\n"
     "<Content-Length: 0\n#"},
    {"the whole URL in the request",
     {"CGET http://y.test/q HTTP/1.1\r\nHost: x\r\n\r\n", OK0},
     "GET http://y.test/q HTTP/1.1 200 OK\n>Host: x\n<Content-Length: 0\n#"},
    {"lines without CR",
     {"CGET / HTTP/1.1\nHost: x\n\n",
      "SHTTP/1.1 200 OK\nContent-Length: 1\n\nx"},
     GOT "200 OK\n>Host: x\n<Content-Length: 1\n<=x\n#"},
    {"both a length and chunks: the chunks count",
     {"CPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      OK0},
     "POST https://x/ HTTP/1.1 200 OK\n>Host: x\n>Content-Length: 3\n"
     ">Transfer-Encoding: chunked\n<Content-Length: 0\n#"},
    {"an answer to nothing",
     {GET, OK0 "HTTP/1.1 200 OK\r\n\r\n"},
     GOT "200 OK\n>Host: x\n<Content-Length: 0\n#" NO_HTTP_S},
    {"an answer before there is a request line",
     {"CGET /", "SHTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n"},
     "#" NO_HTTP_S},
    {"no answer of HTTP",
     {GET, "Shello there\r\n\r\n"},
     GOT "0\n>Host: x\n!" NO_HTTP_S "\n#" NO_HTTP_S},
    {"HTTP/0.9 is not recorded", {"CGET /\r\n", "Shello\r\n"}, NO_HTTP_C},
    {"a client of SMTP", {"CEHLO x\r\n", "S220 hi\r\n"}, NO_HTTP_C},
    {"a server of SMTP",
     {"S220 hi\r\n", "CEHLO x\r\n"},
     "#the server speaks first: this is no HTTP"},
    {"garbage", {"C\x01\x02garbage", "S\x03"}, "#this is no HTTP"},
    {"a method of 33 letters",
     {"CAAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDD / HTTP/1.1\r\n\r\n"},
     "#this is no HTTP"},
    {"only a method", {"CGET"}, "#this is no HTTP"},
    {"nothing at all", {NULL}, "#"},
};

static void http_1_is_recorded_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct said s[7];
        size_t n = 0;

        for (; n < 7 && cases[i].said[n] != NULL; n++)
            s[n] = (struct said){cases[i].said[n][0] == 'C',
                                 (unsigned char *)cases[i].said[n] + 1,
                                 strlen(cases[i].said[n] + 1)};
        run_all(cases[i].claim, s, n, "", cases[i].expect);
    }
}

/* Of what goes in: how much is kept, and is it said? */
struct kept {
    size_t n, headers, body, kept;
    int cut;
    const char *note;
};

static void count(void *arg, const struct httprec_tx *tx)
{
    struct kept *k = arg;

    k->n++;
    k->headers = tx->req.n;
    k->body = (size_t)tx->res.body_size;
    k->kept = tx->res.kept;
    k->cut = tx->req.headers_cut;
    k->note = tx->note;
}

static struct httprec *recorder(struct kept *k, atomic_size_t *left)
{
    struct httprec_opts o = {.scheme = "http",
                             .host = "d",
                             .alpn = "",
                             .on_done = count,
                             .arg = k,
                             .left = left};
    struct httprec *r = httprec_new(&o);

    assert_non_null(r);
    return r;
}

static void say(struct httprec *r, int from, const char *text)
{
    httprec_data(r, from, text, strlen(text), 1);
}

static void answer(struct httprec *r, size_t body)
{
    char head[80], *many = calloc(1, 65536);

    assert_non_null(many);
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body);
    say(r, 0, head);
    for (size_t n; body > 0; body -= n) {
        n = body < 65536 ? body : 65536;
        httprec_data(r, 0, many, n, 2);
    }
    free(many);
}

static void a_long_body_is_cut_and_counted(void **state)
{
    static const struct {
        size_t left, body, kept;
    } rows[] = {{SIZE_MAX / 2, HTTPREC_BODY, HTTPREC_BODY},
                {SIZE_MAX / 2, HTTPREC_BODY + 1, HTTPREC_BODY},
                {SIZE_MAX / 2, 3 * HTTPREC_BODY, HTTPREC_BODY},
                {65536, 65536, 65536},
                {65536, 100000, 65536},
                {100, 5000, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        atomic_size_t left = rows[i].left;
        struct kept k = {0};
        struct httprec *r = recorder(&k, &left);

        say(r, 1, "GET / HTTP/1.1\r\n\r\n");
        answer(r, rows[i].body);
        assert_int_equal(k.n, 1);
        assert_int_equal(k.body, rows[i].body);
        assert_int_equal(k.kept, rows[i].kept);
        httprec_free(r);
        assert_true(left == rows[i].left);
    }
}

static void what_is_under_way_is_given_back_when_it_ends(void **state)
{
    atomic_size_t left = 1000000;
    struct kept k = {0};
    struct httprec *r = recorder(&k, &left);

    (void)state;
    say(r, 1, "GET / HTTP/1.1\r\n\r\n");
    say(r, 0, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    assert_true(left < 1000000);
    httprec_free(r);
    assert_int_equal(k.n, 0);
    assert_true(left == 1000000);
}

/* A connection's bodies that wait for their end have a bound, too. */
static void more_bodies_under_way_than_fit_are_cut(void **state)
{
    struct kept k = {0};
    struct httprec *r = recorder(&k, NULL);
    char head[80], *body = calloc(1, HTTPREC_BODY);

    (void)state;
    assert_non_null(body);
    snprintf(head, sizeof(head),
             "POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n", HTTPREC_BODY);
    for (size_t i = 0; i < HTTPREC_HELD / HTTPREC_BODY; i++) {
        say(r, 1, head);
        httprec_data(r, 1, body, HTTPREC_BODY, 1);
    }
    answer(r, 9);
    assert_int_equal(k.body, 9);
    assert_int_equal(k.kept, 0);
    answer(r, 9); /* the first is told: there is room again */
    assert_int_equal(k.n, 2);
    assert_int_equal(k.kept, 9);
    httprec_free(r);
    free(body);
}

static void more_headers_than_fit_are_left_out_and_told(void **state)
{
    static const struct {
        int n, size, told, cut;
    } rows[] = {{HTTPREC_HEADERS, 1, HTTPREC_HEADERS, 0},
                {10, 12000, 10, 0},
                {20, 12000, 10, 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kept k = {0};
        struct httprec *r = recorder(&k, NULL);
        char *value = calloc(1, (size_t)rows[i].size + 1);

        assert_non_null(value);
        memset(value, 'v', (size_t)rows[i].size);
        say(r, 1, "GET / HTTP/1.1\r\n");
        for (int h = 0; h < rows[i].n; h++) {
            say(r, 1, "N: ");
            say(r, 1, value);
            say(r, 1, "\r\n");
        }
        say(r, 1, "\r\n");
        answer(r, 0);
        assert_int_equal(k.n, 1);
        assert_int_equal(k.headers, rows[i].told);
        assert_int_equal(k.cut, rows[i].cut);
        free(value);
        httprec_free(r);
    }
}

/* No side can have us keep what the other never asked for. */
static void who_is_too_far_ahead_ends_the_recording(void **state)
{
    static const struct {
        const char *claim, *first, *again;
        int from;
        const char *note;
    } rows[] = {
        {"a line without end", "GET / HTTP/1.1\r\nA: ", "aaaaaaaaaaaaaaaaaaaa",
         1, "HTTP/1 that cannot be followed"},
        {"requests without answers", "", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1,
         "too many requests at once"},
        {"behind a question for a tunnel", "CONNECT a:1 HTTP/1.1\r\n\r\n",
         "xxxxxxxxxxxxxxxxxxxxx", 1, "one side is too far ahead of the other"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kept k = {0};
        struct httprec *r = recorder(&k, NULL);

        say(r, 1, rows[i].first);
        for (int n = 0; n < 40000; n++)
            say(r, rows[i].from, rows[i].again);
        assert_string_equal(httprec_note(r), rows[i].note);
        assert_true(k.n > 0);
        assert_string_equal(k.note, rows[i].note);
        httprec_close(r, 3);
        httprec_free(r);
    }
}

static void thousands_on_one_connection_are_all_told(void **state)
{
    struct kept k = {0};
    struct httprec *r = recorder(&k, NULL);

    (void)state;
    for (size_t n = 1; n <= 3500; n++) {
        say(r, 1, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        answer(r, 10);
        assert_int_equal(k.n, n);
        assert_int_equal(k.kept, 10);
    }
    httprec_free(r);
}

static size_t packed(int bits, size_t len, unsigned char *out, size_t room)
{
    unsigned char *plain = malloc(len);
    z_stream z;

    assert_non_null(plain);
    memset(plain, 'p', len);
    memset(&z, 0, sizeof(z));
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, 0), Z_OK);
    z.next_in = plain;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    free(plain);
    return room - z.avail_out;
}

static void a_body_is_unpacked_if_it_is_whole_and_not_too_long(void **state)
{
    enum { GZIP = MAX_WBITS + 16, ZLIB = MAX_WBITS, RAW = -MAX_WBITS };
    static const struct {
        const char *claim, *coding;
        int bits;
        size_t plain, most, lost; /* lost: bytes at its end */
        int damaged, rc;
    } rows[] = {
        {"gzip", "gzip", GZIP, 1000, 1000, 0, 0, 0},
        {"in capitals", "GZip", GZIP, 100000, 200000, 0, 0, 0},
        {"its older name", "x-gzip", GZIP, 10, 1000, 0, 0, 0},
        {"deflate", "deflate", ZLIB, 1000, 1000, 0, 0, 0},
        {"deflate without its head", "deflate", RAW, 1000, 1000, 0, 0, 0},
        {"a byte too long", "gzip", GZIP, 1001, 1000, 0, 0, -1},
        {"a bomb", "gzip", GZIP, 10000000, 1000000, 0, 0, -1},
        {"cut", "gzip", GZIP, 1000, 1000, 1, 0, -1},
        {"damaged", "gzip", GZIP, 1000, 1000, 0, 1, -1},
        {"raw, but said to be gzip", "gzip", RAW, 1000, 1000, 0, 0, -1},
        {"a coding that is not known here", "br", GZIP, 100, 1000, 0, 0, -1},
        {"several of them", "gzip, gzip", GZIP, 100, 1000, 0, 0, -1},
        {"none", NULL, GZIP, 100, 1000, 0, 0, -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[] = "Content-Encoding";
        struct httprec_header h = {name, (char *)rows[i].coding, 0};
        unsigned char body[32768], *out = NULL;
        struct httprec_part p = {.headers = &h, .body = body};
        size_t len = 0;

        p.n = rows[i].coding != NULL;
        p.kept = packed(rows[i].bits, rows[i].plain, body, sizeof(body)) -
                 rows[i].lost;
        p.body_size = p.kept;
        if (rows[i].damaged)
            body[p.kept - 5] ^= 1;
        if (httprec_decode(&p, rows[i].most, &out, &len) != rows[i].rc)
            fail_msg("%s", rows[i].claim);
        if (rows[i].rc == 0) {
            assert_int_equal(len, rows[i].plain);
            assert_true(out[0] == 'p' && out[len - 1] == 'p');
            free(out);
            p.body_size++; /* some of it was not kept */
            assert_int_equal(httprec_decode(&p, rows[i].most, &out, &len), -1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_1_is_recorded_however_it_is_cut),
        cmocka_unit_test(a_long_body_is_cut_and_counted),
        cmocka_unit_test(what_is_under_way_is_given_back_when_it_ends),
        cmocka_unit_test(more_bodies_under_way_than_fit_are_cut),
        cmocka_unit_test(more_headers_than_fit_are_left_out_and_told),
        cmocka_unit_test(who_is_too_far_ahead_ends_the_recording),
        cmocka_unit_test(thousands_on_one_connection_are_all_told),
        cmocka_unit_test(a_body_is_unpacked_if_it_is_whole_and_not_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
