/* get - what web servers may answer, and where they may redirect to. The first
 * byte says which: even is a response, odd a reference after a base URL and a
 * newline. However the bytes come, in one piece or one by one, what comes of
 * them is the same, and it comes. */
#include "core/err.h"
#include "net/get.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST 5000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct result {
    int code, moved;
    size_t len;
    uint8_t body[MOST];
};

static void must(int claim)
{
    if (!claim)
        abort();
}

static int run(struct tsk_get *g, const uint8_t *data, size_t len, size_t chunk)
{
    struct tsk_buf in = {NULL, 0, 0, 0};
    struct tsk_talk t = {.in = &in};
    tlsock_error err = {0};
    size_t fed = 0;
    int rc;

    for (;;) {
        size_t n = len - fed < chunk ? len - fed : chunk;

        rc = tsk_get_step(g, &t, &err);
        tsk_buf_take(&t.out, t.out.len);
        if (rc != TLSOCK_AGAIN)
            break;
        must(!t.ended);
        must(tsk_buf_add(&in, data + fed, n) == TLSOCK_OK);
        fed += n;
        t.ended = n == 0;
    }
    must(rc == TLSOCK_OK || rc == TLSOCK_E_PROTOCOL || rc == TLSOCK_E_LIMIT ||
         rc == TLSOCK_E_TRUNCATED);
    must(err.code == rc && (rc == TLSOCK_OK || err.hint[0] != '\0'));
    tsk_buf_free(&in);
    tsk_talk_free(&t);
    return rc;
}

static void response(const uint8_t *data, size_t len)
{
    static const struct tsk_get_ask ask = {
        .method = "GET", .url = "http://a.test/x", .most = MOST};
    static struct result r[2];

    for (int i = 0; i < 2; i++) {
        struct tsk_get *g = tsk_get_new(&ask, NULL);
        const char *location;
        const void *body;

        must(g != NULL);
        r[i].code = run(g, data, len, i == 0 ? len + 1 : 1);
        body = tsk_get_body(g, &r[i].len);
        must(r[i].len <= MOST);
        memcpy(r[i].body, body, r[i].len);
        r[i].moved = tsk_get_moved(g, &location);
        must((r[i].moved != 0) == (location != NULL));
        tsk_get_free(g);
    }
    must(r[0].code == r[1].code);
    must(r[0].code != TLSOCK_OK ||
         (r[0].moved == r[1].moved && r[0].len == r[1].len &&
          memcmp(r[0].body, r[1].body, r[0].len) == 0));
}

/* What is resolved once is its own meaning. */
static void reference(const uint8_t *data, size_t len)
{
    char text[8192], out[TSK_URL_MOST + 1], again[TSK_URL_MOST + 1], shown[160];
    struct tsk_url u;
    char *to;

    if (len >= sizeof(text))
        return;
    memcpy(text, data, len);
    text[len] = '\0';
    to = strchr(text, '\n');
    if (to != NULL)
        *to++ = '\0';
    tsk_url_show(shown, text);
    if (tsk_url_parse(&u, text, NULL) != TLSOCK_OK || to == NULL)
        return;
    must(u.host[0] != '\0' && u.port > 0 && u.port < 65536);
    must(strpbrk(u.authority, " \r\n/@") == NULL);
    if (tsk_url_resolve(out, text, to, NULL) != TLSOCK_OK)
        return;
    must(strlen(out) <= TSK_URL_MOST && strchr(out, '#') == NULL);
    if (tsk_url_parse(&u, out, NULL) != TLSOCK_OK)
        return;
    must(tsk_url_resolve(again, out, "", NULL) == TLSOCK_OK);
    must(strlen(again) <= strlen(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    if (data[0] % 2 == 0)
        response(data + 1, len - 1);
    else
        reference(data + 1, len - 1);
    return 0;
}
