/* Each allocation of the recorder fails once: what is not told, or not all of
 * it, is said to be so. */
#include "test.h"

#include "fault.h"
#include "httprec_run.h"

#include <htp/htp.h>
#include <nghttp2/nghttp2.h>

/* What the recorder calls, see meson.build. */
void *lacking_malloc(size_t size);
void *lacking_calloc(size_t n, size_t size);
void *lacking_realloc(void *old, size_t size);
char *lacking_strdup(const char *text);
htp_cfg_t *lacking_config(void);
htp_connp_t *lacking_parser(htp_cfg_t *config);
int lacking_inflater(nghttp2_hd_inflater **to);

void *lacking_malloc(size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : malloc(size);
}

void *lacking_calloc(size_t n, size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : calloc(n, size);
}

void *lacking_realloc(void *old, size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : realloc(old, size);
}

char *lacking_strdup(const char *text)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : strdup(text);
}

htp_cfg_t *lacking_config(void)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : htp_config_create();
}

htp_connp_t *lacking_parser(htp_cfg_t *config)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : htp_connp_create(config);
}

int lacking_inflater(nghttp2_hd_inflater **to)
{
    return fault_hit(FAULT_TOOL) != 0 ? NGHTTP2_ERR_NOMEM
                                      : nghttp2_hd_inflate_new(to);
}

#define SAID(from, text)                                                       \
    {                                                                          \
        from, (unsigned char *)(text), sizeof(text) - 1                        \
    }
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
/* frames: length, type, flags, stream 1 */
#define HEADERS(len, flags) "\0\0" len "\x01" flags "\0\0\0\x01"
#define DATA(len, flags) "\0\0" len "\0" flags "\0\0\0\x01"

static const struct {
    const char *claim, *alpn;
    struct said said[2];
    const char *expect;
} cases[] = {
    {"HTTP/1, with an interim response and trailers",
     "",
     {SAID(1, "POST /p HTTP/1.1\r\nHost: x\r\nA: b\r\n"
              "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"
              "GET /2 HTTP/1.1\r\n\r\n"),
      SAID(0, "HTTP/1.1 103 Early\r\nL: a\r\n\r\nHTTP/1.1 200 OK\r\n"
              "Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\nend")},
     "POST https://x/p HTTP/1.1 200 OK\n>Host: x\n>A: b\n"
     ">Transfer-Encoding: chunked\n>+T: x\n>=abc\n<Content-Length: 5\n<=hello\n"
     "GET https://default.test/2 HTTP/1.1 200 OK\n<=end\n#"},
    {"HTTP/1, with what waits for the answer",
     "",
     {SAID(1, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nmore"),
      SAID(0, "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno")},
     "CONNECT https://a:1/ HTTP/1.1 407 No\n>Host: a:1\n>=more\n"
     "<Content-Length: 2\n<=no\n#"},
    {"HTTP/2, with trailers",
     "h2",
     {SAID(1, PREFACE HEADERS("\x10", "\x04") "\x83\x87\x84\x41\x06h.test\x00"
                                              "\x01"
                                              "a\x01"
                                              "b" DATA("\x04", "\x01") "body"),
      SAID(0, HEADERS("\x06", "\x04") "\x88\x00\x01"
                                      "c\x01"
                                      "d" DATA("\x05", "\0") "hello" HEADERS(
                                          "\x05", "\x05") "\x00\x01u\x01"
                                                          "2")},
     "POST https://h.test/ HTTP/2 200\n>a: b\n>=body\n<c: d\n<+u: 2\n"
     "<=hello\n#"},
};

/* All, or a recorder that says what it lacks; a body alone is counted. */
static int is_honest(const char *text, const char *whole)
{
    return strcmp(text, whole) == 0 || strcmp(text, "#no recorder") == 0 ||
           strstr(text, "#no memory") != NULL ||
           strstr(text, "\n>...") != NULL || strstr(text, "\n<...") != NULL;
}

/* cut: 0 in one piece, 1 byte by byte */
static void each_lacks(size_t i, size_t cut)
{
    char text[RUN_TEXT];
    long n, gone = 0;

    run_said(cases[i].said, 2, cases[i].alpn, cut, 0, text);
    assert_string_equal(text, cases[i].expect);
    for (n = 1;; n++) {
        fault_arm(FAULT_TOOL, n, 0);
        run_said(cases[i].said, 2, cases[i].alpn, cut, 0, text);
        if (!fault_disarm())
            break;
        if (!is_honest(text, cases[i].expect))
            fail_msg("%s, allocation %ld:\n%s", cases[i].claim, n, text);
        gone += strcmp(text, cases[i].expect) != 0;
    }
    assert_string_equal(text, cases[i].expect);
    print_message("# %s: %ld allocations, %ld missed\n", cases[i].claim, n - 1,
                  gone);
    assert_true(gone > 10);
}

static void what_lacks_memory_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        each_lacks(i, 0);
        each_lacks(i, 1);
    }
}

static void count(void *arg, const struct httprec_tx *tx)
{
    (void)tx;
    ++*(int *)arg;
}

/* After a thousand the next one has a new parser, or is not recorded. */
static void a_parser_that_cannot_be_renewed_ends_it(void **state)
{
    static const char get[] = "GET / HTTP/1.1\r\n\r\n",
                      ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    int told = 0;
    struct httprec_opts o = {.scheme = "http",
                             .host = "d",
                             .alpn = "",
                             .on_done = count,
                             .arg = &told};
    struct httprec *r = httprec_new(&o);

    (void)state;
    assert_non_null(r);
    for (int i = 0; i < 1001; i++) {
        if (i == 1000)
            fault_arm(FAULT_TOOL, 1, 0);
        httprec_data(r, 1, get, sizeof(get) - 1, 1);
        httprec_data(r, 0, ok, sizeof(ok) - 1, 2);
    }
    assert_true(fault_disarm());
    assert_string_equal(httprec_note(r), "no memory");
    assert_int_equal(told, 1000);
    httprec_close(r, 3);
    httprec_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lacks_memory_says_so),
        cmocka_unit_test(a_parser_that_cannot_be_renewed_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
