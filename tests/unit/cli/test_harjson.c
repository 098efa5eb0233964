/* Entries of HAR out of what clients and servers may send. */
#include "test.h"

#include "harjson.h"

/* A transaction with one header each way, and what becomes of a part of it. */
static const struct {
    const char *claim, *url, *sent, *got; /* "name: value" or NULL */
    const char *body;                     /* the response's, or NULL */
    size_t len;
    const char *part, *key, *expect;
} cases[] = {
    {"a query", "https://a/?x=1&y=a%20b+c", NULL, NULL, NULL, 0, "request",
     "queryString",
     "[{\"name\":\"x\",\"value\":\"1\"},{\"name\":\"y\",\"value\":\"a b c\"}]"},
    {"names without values, values without names, nothing between",
     "https://a/?x&=1&&y=", NULL, NULL, NULL, 0, "request", "queryString",
     "[{\"name\":\"x\",\"value\":\"\"},{\"name\":\"\",\"value\":\"1\"},"
     "{\"name\":\"y\",\"value\":\"\"}]"},
    {"a query ends at the fragment", "https://a/?x=1#y=2&z", NULL, NULL, NULL,
     0, "request", "queryString", "[{\"name\":\"x\",\"value\":\"1\"}]"},
    {"escapes that are none", "https://a/?%=%4&%zz=%", NULL, NULL, NULL, 0,
     "request", "queryString",
     "[{\"name\":\"%\",\"value\":\"%4\"},{\"name\":\"%zz\",\"value\":\"%\"}]"},
    {"an escape at the very end", "https://a/?x=%41", NULL, NULL, NULL, 0,
     "request", "queryString", "[{\"name\":\"x\",\"value\":\"A\"}]"},
    {"an escaped NUL stays escaped, a byte that is no UTF-8 is shown",
     "https://a/?x=%00%ff", NULL, NULL, NULL, 0, "request", "queryString",
     "[{\"name\":\"x\",\"value\":\"%00\\\\xff\"}]"},
    {"no query", "https://a/", NULL, NULL, NULL, 0, "request", "queryString",
     "[]"},
    {"cookies", "https://a/", "Cookie: a=1; b=\"x=y\";c; ;d=", NULL, NULL, 0,
     "request", "cookies",
     "[{\"name\":\"a\",\"value\":\"1\"},{\"name\":\"b\",\"value\":"
     "\"\\\"x=y\\\"\"},{\"name\":\"c\",\"value\":\"\"},{\"name\":\"d\","
     "\"value\":\"\"}]"},
    {"an empty header of cookies", "https://a/", "cookie: ", NULL, NULL, 0,
     "request", "cookies", "[]"},
    {"a cookie with all there is", "https://a/", NULL,
     "Set-Cookie: a=1;path=/x;DOMAIN=b.c;Secure;httponly;"
     "Expires=Wed, 21-Oct-2026 07:28:00 GMT;SameSite=None",
     NULL, 0, "response", "cookies",
     "[{\"name\":\"a\",\"value\":\"1\",\"path\":\"/x\",\"domain\":\"b.c\","
     "\"secure\":true,\"httpOnly\":true,\"expires\":"
     "\"2026-10-21T07:28:00.000Z\"}]"},
    {"the time of a cookie that is taken back", "https://a/", NULL,
     "Set-Cookie: a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", NULL, 0,
     "response", "cookies",
     "[{\"name\":\"a\",\"value\":\"\",\"expires\":"
     "\"1970-01-01T00:00:00.000Z\"}]"},
    {"a time before all clocks", "https://a/", NULL,
     "Set-Cookie: a=; Expires=Mon, 01-Jan-1601 00:00:01 GMT", NULL, 0,
     "response", "cookies",
     "[{\"name\":\"a\",\"value\":\"\",\"expires\":"
     "\"1601-01-01T00:00:01.000Z\"}]"},
    {"the last time of four digits", "https://a/", NULL,
     "Set-Cookie: a=; Expires=Fri, 31 Dec 9999 23:59:59 GMT", NULL, 0,
     "response", "cookies",
     "[{\"name\":\"a\",\"value\":\"\",\"expires\":"
     "\"9999-12-31T23:59:59.000Z\"}]"},
    {"no time of more digits", "https://a/", NULL,
     "Set-Cookie: a=; Expires=Fri, 31 Dec 99999 23:59:59 GMT", NULL, 0,
     "response", "cookies", "[{\"name\":\"a\",\"value\":\"\"}]"},
    {"a time that is none is left out", "https://a/", NULL,
     "Set-Cookie: a=1; Expires=soon; Pathway=/x; Secured", NULL, 0, "response",
     "cookies", "[{\"name\":\"a\",\"value\":\"1\"}]"},
    {"a time longer than any", "https://a/", NULL,
     "Set-Cookie: a; Expires=Wed, 21 Oct 2026 07:28:00 GMT, or some other time "
     "that is much longer than that",
     NULL, 0, "response", "cookies", "[{\"name\":\"a\",\"value\":\"\"}]"},
    {"an empty one", "https://a/", NULL, "Set-Cookie: ", NULL, 0, "response",
     "cookies", "[{\"name\":\"\",\"value\":\"\"}]"},
    {"a header that is no UTF-8", "https://a/", "X: \xe4\xff", NULL, NULL, 0,
     "request", "headers", "[{\"name\":\"X\",\"value\":\"\\\\xe4\\\\xff\"}]"},
    {"a header with quotes and controls", "https://a/", "X: \"\\\x1b[31m", NULL,
     NULL, 0, "request", "headers",
     "[{\"name\":\"X\",\"value\":\"\\\"\\\\\\u001B[31m\"}]"},
    {"a redirect", "https://a/", NULL, "Location: /b?c", NULL, 0, "response",
     "redirectURL", "\"/b?c\""},
    {"text", "https://a/", NULL, "Content-Type: text/plain", "\xc3\xa4\"", 3,
     "response", "content",
     "{\"size\":3,\"mimeType\":\"text/plain\",\"text\":\"\xc3\xa4\\\"\"}"},
    {"a body with a NUL is bytes", "https://a/", NULL, NULL, "a\0b", 3,
     "response", "content",
     "{\"size\":3,\"mimeType\":\"\",\"encoding\":\"base64\",\"text\":"
     "\"YQBi\"}"},
    {"one byte", "https://a/", NULL, NULL, "\xff", 1, "response", "content",
     "{\"size\":1,\"mimeType\":\"\",\"encoding\":\"base64\",\"text\":"
     "\"/w==\"}"},
    {"two", "https://a/", NULL, NULL, "\xff\xfe", 2, "response", "content",
     "{\"size\":2,\"mimeType\":\"\",\"encoding\":\"base64\",\"text\":"
     "\"//4=\"}"},
    {"none", "https://a/", NULL, "Content-Type: text/css", NULL, 0, "response",
     "content", "{\"size\":0,\"mimeType\":\"text/css\"}"},
    {"said to be packed, but it is not", "https://a/", NULL,
     "Content-Encoding: gzip", "plain", 5, "response", "content",
     "{\"size\":5,\"mimeType\":\"\",\"text\":\"plain\","
     "\"_contentEncoding\":\"gzip\"}"},
    {"packed in a way of today", "https://a/", NULL, "Content-Encoding: zstd",
     "\x28\xb5", 2, "response", "content",
     "{\"size\":2,\"mimeType\":\"\",\"encoding\":\"base64\",\"text\":"
     "\"KLU=\",\"_contentEncoding\":\"zstd\"}"},
};

/* "Name: value" into room for both. */
static void header(struct httprec_part *p, struct httprec_header *h,
                   char room[256], const char *line)
{
    char *colon;

    if (line == NULL)
        return;
    snprintf(room, 256, "%s", line);
    colon = strstr(room, ": ");
    assert_non_null(colon);
    *colon = '\0';
    *h = (struct httprec_header){room, colon + 2, 0};
    p->headers = h;
    p->n = 1;
}

static void what_was_sent_becomes_what_browsers_read(void **state)
{
    static const struct har_conn c = {.id = 7};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char url[256], rooms[2][256], method[] = "GET", body[64];
        struct httprec_header h[2];
        struct httprec_tx tx = {.method = method,
                                .url = url,
                                .version = "HTTP/1.1",
                                .status = 200,
                                .note = ""};
        json_t *entry;
        char *text;

        snprintf(url, sizeof(url), "%s", cases[i].url);
        header(&tx.req, &h[0], rooms[0], cases[i].sent);
        header(&tx.res, &h[1], rooms[1], cases[i].got);
        if (cases[i].body != NULL) {
            memcpy(body, cases[i].body, cases[i].len);
            tx.res.body = (unsigned char *)body;
            tx.res.kept = tx.res.body_size = cases[i].len;
        }
        entry = har_entry_json(&c, &tx);
        assert_non_null(entry);
        text = json_dumps(json_object_get(json_object_get(entry, cases[i].part),
                                          cases[i].key),
                          JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
        assert_non_null(text);
        if (strcmp(text, cases[i].expect) != 0)
            fail_msg("%s\n--- found\n%s\n--- expected\n%s", cases[i].claim,
                     text, cases[i].expect);
        free(text);
        json_decref(entry);
    }
}

static void times_are_told_in_milliseconds(void **state)
{
    static const struct {
        int64_t begun, sent, first, done;
        double send, wait, receive;
    } rows[] = {{1000000, 1002000, 1005000, 1009000, 2, 3, 4},
                {1000000, 0, 1005000, 1005000, 0, 5, 0},
                /* answered before it had ended */
                {1000000, 1007000, 1005000, 1009000, 5, 0, 4},
                /* not answered at all */
                {1000000, 1001000, 0, 1009000, 1, 8, 0}};
    static const char *const keys[] = {"send", "wait", "receive"};
    static const struct har_conn c = {.id = 7};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char word[] = "x";
        const double expect[] = {rows[i].send, rows[i].wait, rows[i].receive};
        struct httprec_tx tx = {.method = word,
                                .url = word,
                                .note = "",
                                .status = rows[i].first != 0 ? 200 : 0,
                                .begun = rows[i].begun,
                                .sent = rows[i].sent,
                                .first = rows[i].first,
                                .done = rows[i].done};
        json_t *e = har_entry_json(&c, &tx), *t = json_object_get(e, "timings");

        assert_string_equal(
            json_string_value(json_object_get(e, "startedDateTime")),
            "1970-01-01T00:00:01.000Z");
        for (size_t k = 0; k < 3; k++)
            assert_float_equal(json_number_value(json_object_get(t, keys[k])),
                               expect[k], 0.0001);
        assert_float_equal(json_number_value(json_object_get(e, "time")),
                           rows[i].send + rows[i].wait + rows[i].receive,
                           0.0001);
        json_decref(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_becomes_what_browsers_read),
        cmocka_unit_test(times_are_told_in_milliseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
