#include "test.h"

#include "httprec_run.h"

struct text {
    char *at;
    size_t len;
};

static void put(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(t->at + t->len, RUN_TEXT - t->len, format, ap);
    va_end(ap);
    assert_true(n >= 0 && t->len + (size_t)n < RUN_TEXT);
    t->len += (size_t)n;
}

static void put_part(struct text *t, char mark, const struct httprec_part *p)
{
    for (size_t i = 0; i < p->n; i++)
        put(t, "%c%s%s: %s\n", mark, p->headers[i].is_trailer ? "+" : "",
            p->headers[i].name, p->headers[i].value);
    if (p->headers_cut)
        put(t, "%c...\n", mark);
    if (p->kept > 0)
        put(t, "%c=%.*s\n", mark, (int)p->kept, (const char *)p->body);
    if (p->kept < p->body_size)
        put(t, "%c...%llu\n", mark, (unsigned long long)p->body_size);
}

static void told(void *arg, const struct httprec_tx *tx)
{
    struct text *t = arg;

    assert_true(tx->begun > 0 && tx->done >= tx->begun);
    assert_true(tx->sent == 0 || tx->sent >= tx->begun);
    assert_true((tx->first != 0) == (tx->status != 0));
    assert_true(tx->first == 0 || tx->first <= tx->done);
    put(t, "%s %s %s %d%s%s\n", tx->method, tx->url, tx->version, tx->status,
        tx->reason[0] != '\0' ? " " : "", tx->reason);
    put_part(t, '>', &tx->req);
    put_part(t, '<', &tx->res);
    if (tx->note[0] != '\0')
        put(t, "!%s\n", tx->note);
}

/* Memory of exactly their size: a byte too far is seen. */
static void give(struct httprec *r, int from, const unsigned char *bytes,
                 size_t len, int64_t *now)
{
    unsigned char *copy = malloc(len);

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    httprec_data(r, from, copy, len, ++*now);
    free(copy);
}

void run_said(const struct said *s, size_t n, const char *alpn, size_t cut,
              size_t at, char text[RUN_TEXT])
{
    struct text t = {text, 0};
    struct httprec_opts o = {.scheme = "https",
                             .host = "default.test",
                             .alpn = alpn,
                             .on_done = told,
                             .arg = &t};
    struct httprec *r = httprec_new(&o);
    int64_t now = 0;
    size_t all = 0;

    text[0] = '\0';
    if (r == NULL) {
        put(&t, "#no recorder");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t off = 0, k; off < s[i].len; off += k, all += k) {
            k = s[i].len - off;
            if (cut > 0 && k > cut)
                k = cut;
            if (at > all && k > at - all)
                k = at - all;
            give(r, s[i].from_client, s[i].bytes + off, k, &now);
        }
    }
    httprec_close(r, ++now);
    put(&t, "#%s", httprec_note(r));
    httprec_free(r);
}

static void same(const char *claim, const char *how, size_t at,
                 const char *text, const char *expect)
{
    if (strcmp(text, expect) == 0)
        return;
    fail_msg("%s (%s %zu)\n--- found\n%s\n--- expected\n%s", claim, how, at,
             text, expect);
}

void run_all(const char *claim, const struct said *s, size_t n,
             const char *alpn, const char *expect)
{
    char text[RUN_TEXT];
    size_t all = 0;

    for (size_t i = 0; i < n; i++)
        all += s[i].len;
    run_said(s, n, alpn, 0, 0, text);
    same(claim, "whole", all, text, expect);
    run_said(s, n, alpn, 1, 0, text);
    same(claim, "each byte of", all, text, expect);
    for (size_t at = 1; at < all; at++) {
        run_said(s, n, alpn, 0, at, text);
        same(claim, "cut at", at, text, expect);
    }
}
