/* HTTP/2 as it goes by. A conversation is written in lines
 *     SIDE TYPE STREAM FLAGS ARGUMENTS
 * FLAGS: e END_STREAM, p padded, r with a priority, k in CONTINUATIONs of three
 * bytes, o its last one is missing, - none. Header blocks are made by nghttp2.
 */
#include "test.h"

#include "httprec_run.h"

#include <nghttp2/nghttp2.h>

#define PIECES 64

struct talk {
    struct said said[PIECES];
    size_t n;
    nghttp2_hd_deflater *hd[2];
};

static unsigned char *piece(struct talk *t, int from, size_t len)
{
    struct said *s = &t->said[t->n++];

    assert_true(t->n < PIECES);
    s->from_client = from;
    s->len = len;
    s->bytes = calloc(1, len + 1);
    assert_non_null(s->bytes);
    return s->bytes;
}

static void put32(unsigned char *p, unsigned long v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void frame(struct talk *t, int from, int type, int flags,
                  unsigned long stream, const void *bytes, size_t len)
{
    unsigned char *p = piece(t, from, len + 9);

    put32(p, (unsigned long)len << 8);
    p[3] = (unsigned char)type;
    p[4] = (unsigned char)flags;
    put32(p + 5, stream);
    if (len > 0)
        memcpy(p + 9, bytes, len);
}

/* name=value pairs; "_" in a value is a space */
static size_t block(struct talk *t, int from, char *args, unsigned char *out,
                    size_t room)
{
    nghttp2_nv nv[16];
    size_t n = 0;
    char *at = args;
    ssize_t len;

    while (at != NULL && *at != '\0') {
        char *end = strchr(at, ' '), *eq = strchr(at + 1, '=');

        if (end != NULL)
            *end++ = '\0';
        nv[n].name = (uint8_t *)at;
        nv[n].namelen = (size_t)(eq - at);
        nv[n].value = (uint8_t *)eq + 1;
        nv[n].valuelen = strlen(eq + 1);
        nv[n++].flags = 0;
        at = end;
    }
    len = nghttp2_hd_deflate_hd(t->hd[from], out, room, nv, n);
    assert_true(len >= 0);
    return (size_t)len;
}

static void headers(struct talk *t, int from, int type, unsigned long stream,
                    const char *flags, char *args)
{
    unsigned char buf[4096];
    size_t n = 0, len, first, at;
    int bits = 0, many = strchr(flags, 'k') != NULL;

    if (strchr(flags, 'p') != NULL) {
        buf[n++] = 5;
        bits |= NGHTTP2_FLAG_PADDED;
    }
    if (type == NGHTTP2_PUSH_PROMISE) {
        put32(buf + n, strtoul(args, &args, 10));
        args++;
        n += 4;
    }
    if (strchr(flags, 'r') != NULL) {
        memset(buf + n, 1, 5);
        n += 5;
        bits |= NGHTTP2_FLAG_PRIORITY;
    }
    if (strchr(flags, 'e') != NULL)
        bits |= NGHTTP2_FLAG_END_STREAM;
    len = block(t, from, args, buf + n, sizeof(buf) - n - 5);
    first = many ? 3 : len;
    at = n + first;
    if ((bits & NGHTTP2_FLAG_PADDED) != 0) {
        memmove(buf + at + 5, buf + at, len - first);
        memset(buf + at, 0, 5);
        at += 5;
    }
    frame(t, from, type, bits | (many ? 0 : NGHTTP2_FLAG_END_HEADERS), stream,
          buf, at);
    for (len -= first; many && len > 0; at += 3) {
        size_t k = len < 3 ? len : 3;
        int last = len == k && strchr(flags, 'o') == NULL;

        frame(t, from, NGHTTP2_CONTINUATION,
              last ? NGHTTP2_FLAG_END_HEADERS : 0, stream, buf + at, k);
        len -= k;
    }
}

static void data(struct talk *t, int from, unsigned long stream,
                 const char *flags, const char *text)
{
    unsigned char buf[4096] = {0};
    size_t n = 0, pad = 0;
    int bits = strchr(flags, 'e') != NULL ? NGHTTP2_FLAG_END_STREAM : 0;

    if (strchr(flags, 'p') != NULL) {
        bits |= NGHTTP2_FLAG_PADDED;
        buf[n++] = (unsigned char)(pad = 7);
    }
    memcpy(buf + n, text, strlen(text));
    frame(t, from, NGHTTP2_DATA, bits, stream, buf, n + strlen(text) + pad);
}

static void settings(struct talk *t, int from, const char *args)
{
    unsigned char buf[6] = {0, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE};

    if (strcmp(args, "ack") == 0) {
        frame(t, from, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
        return;
    }
    put32(buf + 2, strtoul(args, NULL, 10));
    frame(t, from, NGHTTP2_SETTINGS, 0, 0, buf, args[0] != '\0' ? 6 : 0);
}

static void numbers(struct talk *t, int from, int type, unsigned long stream,
                    const char *args)
{
    unsigned char buf[8] = {0};
    unsigned long v = strtoul(args, NULL, 10);

    if (type == NGHTTP2_GOAWAY) {
        put32(buf, v);
        frame(t, from, type, 0, stream, buf, 8);
        return;
    }
    put32(buf, v);
    frame(t, from, type, 0, stream, buf, 4);
}

static void raw(struct talk *t, int from, const char *hex)
{
    unsigned char buf[512];
    size_t n = 0;

    for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
        char two[3] = {hex[0], hex[1], '\0'};

        buf[n++] = (unsigned char)strtoul(two, NULL, 16);
    }
    memcpy(piece(t, from, n), buf, n);
}

static void say_line(struct talk *t, char *line)
{
    char type[16], flags[8];
    unsigned long stream;
    int from = line[0] == 'C', at = 0;
    char *args;

    assert_int_equal(
        sscanf(line + 1, " %15s %lu %7s%n", type, &stream, flags, &at), 3);
    args = line + 1 + at + (line[1 + at] == ' ');
    switch (type[0]) {
    case 'H':
        headers(t, from, NGHTTP2_HEADERS, stream, flags, args);
        break;
    case 'P':
        headers(t, from, NGHTTP2_PUSH_PROMISE, stream, flags, args);
        break;
    case 'D':
        data(t, from, stream, flags, args);
        break;
    case 'S':
        settings(t, from, args);
        break;
    case 'T': /* of what compresses there, from now on */
        assert_int_equal(nghttp2_hd_deflate_change_table_size(
                             t->hd[from], strtoul(args, NULL, 10)),
                         0);
        break;
    case 'R':
        numbers(t, from, NGHTTP2_RST_STREAM, stream, args);
        break;
    case 'G':
        numbers(t, from, NGHTTP2_GOAWAY, stream, args);
        break;
    case 'W':
        numbers(t, from, NGHTTP2_WINDOW_UPDATE, stream, args);
        break;
    default:
        raw(t, from, args);
    }
}

static void begin(struct talk *t)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    t->n = 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(nghttp2_hd_deflate_new(&t->hd[i], 65536), 0);
    memcpy(piece(t, 1, sizeof(preface) - 1), preface, sizeof(preface) - 1);
}

static void end(struct talk *t)
{
    for (int i = 0; i < 2; i++)
        nghttp2_hd_deflate_del(t->hd[i]);
    for (size_t i = 0; i < t->n; i++)
        free(t->said[i].bytes);
}

static void talk(struct talk *t, const char *lines)
{
    char *all = strdup(lines), *rest = all, *line;

    assert_non_null(all);
    begin(t);
    while ((line = strsep(&rest, "\n")) != NULL)
        if (line[0] != '\0')
            say_line(t, line);
    free(all);
}

#define GET(stream, path, flags)                                               \
    "C H " stream " " flags " :method=GET :scheme=https :authority=h.test "    \
    ":path=" path "\n"
#define POST(stream, flags)                                                    \
    "C H " stream " " flags                                                    \
    " :method=POST :scheme=https :authority=h.test :path=/p a=b\n"
#define GOT(path) "GET https://h.test" path " HTTP/2 "
#define WRONG "HTTP/2 that cannot be followed"
#define HPACK "HPACK that cannot be followed"

static const struct {
    const char *claim, *lines, *expect;
} cases[] = {
    {"one request",
     "C S 0 -\nS S 0 -\nS S 0 - ack\n" GET(
         "1", "/a", "e") "S H 1 - :status=200 a=1 a=2\nS D 1 - hel\nC W 0 - "
                         "5\nS D 1 e lo\n",
     GOT("/a") "200\n<a: 1\n<a: 2\n<=hello\n#"},
    {"padding, priority, CONTINUATION, trailers both ways",
     POST("1", "rpk") "C D 1 p body\nC H 1 e t=1\n"
                      "S H 1 pk :status=201 long=value_of_it\nS D 1 p \n"
                      "S D 1 p xyz\nS H 1 ke u=2\n",
     "POST https://h.test/p HTTP/2 201\n>a: b\n>+t: 1\n>=body\n"
     "<long: value_of_it\n<+u: 2\n<=xyz\n#"},
    {"streams that cross",
     GET("1", "/1", "e") GET("3", "/3", "e")
         GET("5", "/5", "e") "S H 5 - :status=200\nS H 1 - :status=404\nS D 5 "
                             "- five\nS D 1 - o\n"
                             "S D 5 e .\nS D 1 e ne\n",
     GOT("/5") "200\n<=five.\n" GOT("/1") "404\n<=one\n" GOT(
         "/3") "0\n!the connection ended without a response\n#"},
    {"interim responses",
     POST("1", "-") "S H 1 - :status=103 link=x\nS H 1 - :status=100\n"
                    "C D 1 e b\nS H 1 e :status=204 y=z\n",
     "POST https://h.test/p HTTP/2 204\n>a: b\n>=b\n<y: z\n#"},
    {"an interim response that ends the stream",
     GET("1", "/", "e") "S H 1 e :status=103\n",
     GOT("/") "0\n!it ended without a response\n#"},
    {"a response before the request has ended",
     POST("1", "-") "S H 1 e :status=413\nS R 1 - 0\n",
     "POST https://h.test/p HTTP/2 413\n>a: b\n#"},
    {"a push",
     GET("1", "/", "e") "S P 1 p 2 :method=GET :scheme=https "
                        ":authority=h.test :path=/pushed\nS H 1 e "
                        ":status=200\nS H 2 - :status=200\nS D 2 e p\n",
     GOT("/") "200\n" GOT("/pushed") "200\n<=p\n#"},
    {"the server resets",
     GET("1", "/", "e") "S H 1 - :status=200\nS D 1 - ab\nS R 1 - 2\n" GET(
         "3", "/3", "e") "S H 3 e :status=200\n",
     GOT("/") "200\n<=ab\n!the server reset the stream\n" GOT("/3") "200\n#"},
    {"the client resets",
     GET("1", "/", "-") "C R 1 - 8\nS H 1 - :status=200\nS D 1 e late\n",
     GOT("/") "0\n!the client reset the stream\n#"},
    {"a path that is said twice",
     "C H 1 e :method=GET :scheme=https :path=/a :path=/a\n", "#" WRONG},
    {"a method in a response, twice",
     GET("1", "/", "e") "S H 1 e :status=200 :method=A :method=B\n",
     GOT("/") "0\n!" WRONG "\n#" WRONG},
    {"a reset of what is not there",
     "S R 7 - 8\n" GET("1", "/", "e") "S H 1 e "
                                      ":status=200\n",
     GOT("/") "200\n#"},
    {"the server goes away, after the first",
     GET("1", "/", "e") GET("3", "/3", "e") "S G 0 - 1\nS H 1 e "
                                            ":status=200\n",
     GOT("/3") "0\n!refused: the other side goes away\n" GOT("/") "200\n#"},
    {"names that are cookies come as they came",
     "C H 1 e :method=GET :scheme=https :authority=h :path=/ cookie=a=1 "
     "cookie=b=2\nS H 1 e :status=200 set-cookie=c=3\n",
     "GET https://h/ HTTP/2 200\n>cookie: a=1\n>cookie: b=2\n"
     "<set-cookie: c=3\n#"},
    {"no :authority: the name that is known",
     "C H 1 e :method=GET :scheme=https :path=/\nS H 1 e :status=200\n",
     "GET https://default.test/ HTTP/2 200\n#"},
    {"host in its place",
     "C H 1 e :method=GET :scheme=https :path=/ host=o.test\n"
     "S H 1 e :status=200\n",
     "GET https://o.test/ HTTP/2 200\n>host: o.test\n#"},
    {"a tunnel is a stream like others",
     "C H 1 - :method=CONNECT :authority=a:1\nS H 1 - :status=200\n"
     "C D 1 e q\nS D 1 e r\n",
     "CONNECT https://a:1/ HTTP/2 200\n>=q\n<=r\n#"},
    {"the table grows once that is acknowledged",
     "S S 0 - 65536\nC S 0 - ack\nC T 0 - 65536\n" GET("1", "/1", "e")
         GET("3", "/1", "e") "S H 1 e :status=200\nS H 3 e :status=200\n",
     GOT("/1") "200\n" GOT("/1") "200\n#"},
    {"the table grows, though nobody said it may",
     "C T 0 - 65536\n" GET("1", "/1", "e"), "#" HPACK},
    {"the table grows without being acknowledged",
     "S S 0 - 65536\nC T 0 - 65536\n" GET("1", "/1", "e"), "#" HPACK},
    {"the table shrinks",
     GET("1", "/1", "e") "S S 0 - 0\nC S 0 - ack\nC T 0 - 0\n" GET(
         "3", "/1", "e") "S H 1 e :status=200\nS H 3 e :status=200\n",
     GOT("/1") "200\n" GOT("/1") "200\n#"},
    {"frames that nobody knows are skipped",
     "C x 0 - 0000050bff00000001aabbccddee\n" GET("1", "/",
                                                  "e") "S H 1 e :status=200\n",
     GOT("/") "200\n#"},
    {"a header block that never ends", POST("1", "ko") "S H 1 e :status=200\n",
     "#"},
    {"something within a header block", POST("1", "ko") "C W 0 - 5\n",
     "#" WRONG},
    {"CONTINUATION of nothing", "C x 0 - 000001090400000001ff\n", "#" WRONG},
    {"CONTINUATION of another stream",
     POST("1", "ko") "C x 0 - 000001090400000003ff\n", "#" WRONG},
    {"no HPACK", "C x 0 - 000001010500000001ff\n", "#" HPACK},
    {"HPACK that is cut",
     "C x 0 - 000001010500000001"
     "40\n",
     "#" HPACK},
    {"more padding than frame, of HEADERS",
     "C x 0 - 000002010d00000001"
     "0582\n",
     "#" WRONG},
    {"more padding than frame, of DATA",
     GET("1", "/", "e") "S H 1 - :status=200\nS x 0 - "
                        "000002000800000001"
                        "0561\n",
     GOT("/") "200\n!" WRONG "\n#" WRONG},
    {"padding without its length", "C x 0 - 000000010d00000001\n", "#" WRONG},
    {"DATA as well", "C x 0 - 000000000800000001\n", "#" WRONG},
    {"a priority that is cut",
     "C x 0 - 000003012400000001"
     "010101\n",
     "#" WRONG},
    {"an empty header block", "C x 0 - 000000010500000001\n", "#" WRONG},
    {"HEADERS of stream 0", "C x 0 - 00000101050000000082\n", "#" WRONG},
    {"a request without a method", "C H 1 e :path=/\n", "#" WRONG},
    {"a response without a status", GET("1", "/", "e") "S H 1 e a=b\n",
     GOT("/") "0\n!" WRONG "\n#" WRONG},
    {"a status of letters", GET("1", "/", "e") "S H 1 e :status=2x0\n",
     GOT("/") "0\n!" WRONG "\n#" WRONG},
    {"a client that pushes", "C P 1 - 2 :method=GET :scheme=https :path=/\n",
     "#" WRONG},
    {"HEADERS of 65,537 bytes", "C x 0 - 010001010500000001\n", "#" WRONG},
    {"a reset of three bytes", "C x 0 - 000003030000000001000000\n", "#" WRONG},
    {"GOAWAY of four", "C x 0 - 00000407000000000000000001\n", "#" WRONG},
    {"DATA for nobody",
     "S D 9 e abc\n" GET("1", "/", "e") "S H 1 e "
                                        ":status=200\n",
     GOT("/") "200\n#"},
};

static void http_2_is_recorded_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct talk t;

        talk(&t, cases[i].lines);
        run_all(cases[i].claim, t.said, t.n, "h2", cases[i].expect);
        end(&t);
    }
}

static void it_is_known_by_its_preface_as_well(void **state)
{
    static const char lines[] = GET("1", "/", "e") "S H 1 e :status=200\n";
    struct said http1 = {1, (unsigned char *)"GET / HTTP/1.1\r\n\r\n", 18};
    struct talk t;

    (void)state;
    talk(&t, lines);
    run_all("without ALPN", t.said, t.n, "", GOT("/") "200\n#");
    end(&t);
    run_all("agreed on, but not spoken", &http1, 1, "h2",
            "#no HTTP/2, though both agreed on h2");
}

static void count(void *arg, const struct httprec_tx *tx)
{
    size_t *n = arg;

    assert_int_equal(tx->stream % 2, 1);
    ++*n;
}

static void streams_at_once_are_bounded(void **state)
{
    static const struct {
        unsigned long streams;
        size_t told; /* before the end */
        const char *note;
    } rows[] = {
        {HTTPREC_STREAMS, 0, ""},
        {HTTPREC_STREAMS + 1, HTTPREC_STREAMS, "too many requests at once"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t told = 0;
        struct httprec_opts o = {"https", "d", "h2", count, &told, NULL};
        struct httprec *r = httprec_new(&o);

        assert_non_null(r);
        for (unsigned long s = 0; s < rows[i].streams; s++) {
            char line[] = ":method=GET :scheme=https :path=/";
            struct talk t;

            begin(&t); /* with an empty table each time */
            headers(&t, 1, NGHTTP2_HEADERS, 2 * s + 1, "e", line);
            for (size_t k = s == 0 ? 0 : 1; k < t.n; k++)
                httprec_data(r, 1, t.said[k].bytes, t.said[k].len, 1);
            end(&t);
            if (s == 0)
                continue;
        }
        assert_int_equal(told, rows[i].told);
        assert_string_equal(httprec_note(r), rows[i].note);
        httprec_close(r, 2);
        assert_int_equal(told, HTTPREC_STREAMS);
        httprec_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_2_is_recorded_however_it_is_cut),
        cmocka_unit_test(it_is_known_by_its_preface_as_well),
        cmocka_unit_test(streams_at_once_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
