#include "net/get.h"

#include "core/mem.h"
#include "core/str.h"
#include "net/get_private.h"
#include "net/httpline.h"

#include <string.h>

struct tsk_get *tsk_get_new(const struct tsk_get_ask *ask, tlsock_error *err)
{
    struct tsk_get *g;
    size_t len = strlen(ask->method);

    if (len == 0 || len > 20 || tsk_http_token(ask->method) != len ||
        (ask->content_type != NULL &&
         strpbrk(ask->content_type, "\r\n") != NULL)) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "the method or content type of a request is malformed");
        return NULL;
    }
    g = tsk_alloc(sizeof(*g));
    if (g == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    g->ask = ask;
    if (tsk_url_parse(&g->url, ask->url, err) < 0) {
        tsk_free(g);
        return NULL;
    }
    return g;
}

int tsk_get_broken(const char *what, const char *line, tlsock_error *err)
{
    char shown[80];

    tsk_printable(shown, sizeof(shown), line, strlen(line));
    tsk_fail(err, TLSOCK_E_PROTOCOL, "the answer has %s: \"%s\"", what, shown);
    tsk_hint(err, "the server breaks the rules of HTTP/1.1 (RFC 9112), or is "
                  "no web server: tell its owner");
    return TLSOCK_E_PROTOCOL;
}

int tsk_get_cut(tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_TRUNCATED,
             "the server closed the connection before its answer was whole");
    tsk_hint(err, "try again; if it stays so, tell the server's owner");
    return TLSOCK_E_TRUNCATED;
}

int tsk_get_too_long(const struct tsk_get *g, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_LIMIT, "the answer has more than %zu bytes",
             g->ask->most);
    tsk_hint(err, "no more are taken from this kind of URL");
    return TLSOCK_E_LIMIT;
}

/* RFC 9112, 3.2.1 and 3.2.2: the path alone, but the whole URL to a proxy. */
static int send_head(const struct tsk_get *g, struct tsk_talk *t,
                     tlsock_error *err)
{
    const struct tsk_get_ask *a = g->ask;
    int rc = tsk_talk_say(
        t, err, "%s %s%s%s", a->method, a->via != NULL ? "http://" : "",
        a->via != NULL ? g->url.authority : "",
        g->url.path_len == 0 || g->url.path[0] != '/' ? "/" : "");

    if (rc == TLSOCK_OK)
        rc = tsk_talk_send(t, g->url.path, g->url.path_len, err);
    if (rc == TLSOCK_OK)
        rc = tsk_talk_say(t, err,
                          " HTTP/1.1\r\nHost: %s\r\nUser-Agent: tlsock/%s\r\n"
                          "Accept: */*\r\nConnection: close\r\n",
                          g->url.authority, TSK_VERSION);
    if (rc == TLSOCK_OK && a->via != NULL && a->via->user != NULL)
        rc = tsk_http_login(t, a->via, err);
    return rc;
}

static int send_request(struct tsk_get *g, struct tsk_talk *t,
                        tlsock_error *err)
{
    const struct tsk_get_ask *a = g->ask;
    int rc = send_head(g, t, err);

    if (rc == TLSOCK_OK && a->content_type != NULL)
        rc = tsk_talk_say(t, err, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                          a->content_type, a->body_len);
    if (rc == TLSOCK_OK)
        rc = tsk_talk_say(t, err, "\r\n");
    if (rc == TLSOCK_OK && a->content_type != NULL)
        rc = tsk_talk_send(t, a->body, a->body_len, err);
    g->state = GET_STATUS;
    return rc;
}

/* As tsk_talk_line(), told of this request; CR alone ends nothing. */
int tsk_get_line(struct tsk_talk *t, char out[TSK_TALK_LINE], tlsock_error *err)
{
    int rc = tsk_talk_line(t, out, err);

    if (rc == TLSOCK_E_CLOSED_IN_HANDSHAKE)
        return tsk_get_cut(err);
    if (rc == TLSOCK_E_PROTOCOL)
        return tsk_get_broken("a NUL byte", "", err);
    if (rc == TLSOCK_E_LIMIT) {
        tsk_fail(err, rc, "the header section is endless");
        tsk_hint(err, "at most %d bytes in %d lines of at most %d are read",
                 TSK_TALK_MOST, TSK_TALK_LINES, TSK_TALK_LINE);
        return rc;
    }
    if (rc < 0)
        return rc; /* AGAIN, or no memory */
    return strchr(out, '\r') != NULL
               ? tsk_get_broken("a CR without LF", out, err)
               : TLSOCK_OK;
}

static int refused(const struct tsk_get *g, const char *line, tlsock_error *err)
{
    char shown[80];

    tsk_printable(shown, sizeof(shown), line, strlen(line));
    if (g->status == 407 && g->ask->via != NULL) {
        tsk_fail(err, TLSOCK_E_PROXY_AUTH, "the proxy %s %s",
                 g->ask->via->target.host,
                 g->ask->via->user != NULL
                     ? "refuses the user name or password"
                     : "wants a user name and a password");
        tsk_hint(err, "check http://USER:PASSWORD@HOST:PORT in the proxy's "
                      "URL; only Basic is supported");
        return TLSOCK_E_PROXY_AUTH;
    }
    tsk_fail(err, TLSOCK_E_PROTOCOL, "the answer is status %d, \"%s\"",
             g->status, shown);
    tsk_hint(err, "only a 200 is of use: ask who runs that server, or whether "
                  "a proxy stands in between");
    return TLSOCK_E_PROTOCOL;
}

static int is_redirect(int status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* Whoever speaks another protocol may never end a line. */
static int check_start(const struct tsk_talk *t, tlsock_error *err)
{
    size_t n = t->in->len < 5 ? t->in->len : 5;
    char shown[24];

    if (memcmp(tsk_buf_at(t->in), "HTTP/", n) == 0)
        return TLSOCK_OK;
    n = t->in->len < sizeof(shown) - 1 ? t->in->len : sizeof(shown) - 1;
    memcpy(shown, tsk_buf_at(t->in), n);
    shown[n] = '\0';
    return tsk_get_broken("no HTTP in it", shown, err);
}

static int read_status(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int rc = check_start(t, err);

    if (rc == TLSOCK_OK)
        rc = tsk_get_line(t, line, err);
    if (rc != TLSOCK_OK)
        return rc;
    g->status = tsk_http_status(line);
    if (g->status < 0)
        return tsk_get_broken("no status line of HTTP/1", line, err);
    if (g->status == 101 ||
        (g->status >= 200 && g->status != 200 && !is_redirect(g->status)))
        return refused(g, line, err);
    g->fields = 0;
    g->ours = 0;
    g->state = GET_FIELDS;
    return TLSOCK_OK;
}

/* RFC 9110, 8.6: decimal digits; said twice, it has to be the same. */
static int length_field(struct tsk_get *g, const char *value, tlsock_error *err)
{
    int64_t n;

    if (tsk_number(value, 0, INT64_MAX, &n) != 0 ||
        (g->sized && (uint64_t)n != g->left))
        return tsk_get_broken("a Content-Length that is none", value, err);
    if ((uint64_t)n > g->ask->most)
        return tsk_get_too_long(g, err);
    g->sized = 1;
    g->left = (size_t)n;
    return TLSOCK_OK;
}

static int coding_field(struct tsk_get *g, const char *value, tlsock_error *err)
{
    if (g->chunked || tsk_casecmp(value, "chunked") != 0)
        return tsk_get_broken("a Transfer-Encoding that nobody asked for",
                              value, err);
    g->chunked = 1;
    return TLSOCK_OK;
}

static int content_coding(struct tsk_get *g, const char *value,
                          tlsock_error *err)
{
    (void)g;
    if (tsk_casecmp(value, "identity") == 0)
        return TLSOCK_OK;
    return tsk_get_broken("a Content-Encoding that nobody asked for", value,
                          err);
}

static int location_field(struct tsk_get *g, const char *value,
                          tlsock_error *err)
{
    if (!is_redirect(g->status))
        return TLSOCK_OK;
    if (g->location != NULL)
        return tsk_get_broken("a second Location", value, err);
    g->location = tsk_strdup(value);
    return g->location != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

static const struct {
    const char *name;
    int (*take)(struct tsk_get *g, const char *value, tlsock_error *err);
} ours[] = {
    {"Content-Length", length_field},
    {"Transfer-Encoding", coding_field},
    {"Content-Encoding", content_coding},
    {"Location", location_field},
};

/* line: name ":" value; what an interim response says is of no concern. */
static int take_field(struct tsk_get *g, char *line, tlsock_error *err)
{
    size_t len = tsk_http_token(line), end;
    char *value;

    if (len == 0 || line[len] != ':')
        return tsk_get_broken("no header field", line, err);
    line[len] = '\0';
    value = line + len + 1;
    value += strspn(value, " \t");
    end = strlen(value);
    while (end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t'))
        value[--end] = '\0';
    g->ours = 0;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (g->status < 200 || tsk_casecmp(line, ours[i].name) != 0)
            continue;
        g->ours = 1;
        return ours[i].take(g, value, err);
    }
    return TLSOCK_OK;
}

/* The header section is over. RFC 9112, 6.3: two lengths are one too many. */
static int begin_body(struct tsk_get *g, tlsock_error *err)
{
    if (g->status < 200) {
        g->state = GET_STATUS;
        return TLSOCK_OK;
    }
    if (is_redirect(g->status)) {
        if (g->location == NULL)
            return tsk_get_broken("a redirection to nowhere", "", err);
        g->state = GET_DONE;
        return TLSOCK_OK;
    }
    if (g->sized && g->chunked)
        return tsk_get_broken("both Content-Length and Transfer-Encoding", "",
                              err);
    g->state = g->chunked ? GET_CHUNK : g->sized ? GET_SIZED : GET_TO_END;
    return TLSOCK_OK;
}

/* RFC 9112, 5.2: a folded line continues the one before; of fields that do not
 * count nothing is needed. */
static int read_field(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int rc = tsk_get_line(t, line, err);

    if (rc != TLSOCK_OK)
        return rc;
    if (line[0] == '\0')
        return begin_body(g, err);
    if (g->fields++ > 0 && !g->ours && (line[0] == ' ' || line[0] == '\t'))
        return TLSOCK_OK;
    return take_field(g, line, err);
}

int tsk_get_step(struct tsk_get *g, struct tsk_talk *t, tlsock_error *err)
{
    static int (*const steps[])(struct tsk_get *, struct tsk_talk *,
                                tlsock_error *) = {
        [GET_REQUEST] = send_request,     [GET_STATUS] = read_status,
        [GET_FIELDS] = read_field,        [GET_SIZED] = tsk_get_sized,
        [GET_TO_END] = tsk_get_to_end,    [GET_CHUNK] = tsk_get_chunk,
        [GET_DATA] = tsk_get_chunk_data,  [GET_DATA_END] = tsk_get_chunk_end,
        [GET_TRAILERS] = tsk_get_trailer,
    };
    int rc = TLSOCK_OK;

    while (rc == TLSOCK_OK && g->state != GET_DONE)
        rc = steps[g->state](g, t, err);
    return rc;
}

const struct tsk_url *tsk_get_url(const struct tsk_get *g)
{
    return &g->url;
}

int tsk_get_moved(const struct tsk_get *g, const char **location)
{
    *location = g->location;
    return g->location != NULL ? g->status : 0;
}

const void *tsk_get_body(const struct tsk_get *g, size_t *len)
{
    *len = g->body.len;
    return tsk_buf_at(&g->body);
}

void tsk_get_free(struct tsk_get *g)
{
    if (g == NULL)
        return;
    tsk_free(g->location);
    tsk_buf_free(&g->body);
    tsk_free(g);
}
