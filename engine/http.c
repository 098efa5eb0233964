#include "http.h"

#include <string.h>
#include <strings.h>

/* What the header fields say that matters here alone. */
struct fields {
    int hosts, lengths, close, keep_alive, coded;
};

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {{200, "OK"},
                {201, "Created"},
                {204, "No Content"},
                {301, "Moved Permanently"},
                {304, "Not Modified"},
                {400, "Bad Request"},
                {401, "Unauthorized"},
                {403, "Forbidden"},
                {404, "Not Found"},
                {405, "Method Not Allowed"},
                {409, "Conflict"},
                {411, "Length Required"},
                {413, "Content Too Large"},
                {414, "URI Too Long"},
                {415, "Unsupported Media Type"},
                {417, "Expectation Failed"},
                {429, "Too Many Requests"},
                {431, "Request Header Fields Too Large"},
                {500, "Internal Server Error"},
                {501, "Not Implemented"},
                {503, "Service Unavailable"},
                {505, "HTTP Version Not Supported"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].status == status)
            return rows[i].reason;
    return "";
}

/* RFC 9110, 5.6.2 */
static size_t token_len(const char *p, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    size_t n = 0;

    while (n < len && ((p[n] >= '0' && p[n] <= '9') ||
                       ((p[n] | 32) >= 'a' && (p[n] | 32) <= 'z') ||
                       (p[n] != '\0' && strchr(others, p[n]) != NULL)))
        n++;
    return n;
}

static int is(const char *p, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(p, word, len) == 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int http_percent(const char *p)
{
    if (p[0] != '%' || hex(p[1]) < 0 || hex(p[2]) < 0)
        return -1;
    return hex(p[1]) * 16 + hex(p[2]);
}

static int decode(const char *p, char path[HTTP_PATH_MAX])
{
    size_t n = 0;

    for (; *p != '\0'; p++) {
        int c = (unsigned char)*p;

        if (c == '%') {
            c = http_percent(p);
            p += 2;
            if (c < 32 || c == 127 || c == '/')
                return 400;
        }
        if (n + 1 == HTTP_PATH_MAX)
            return 414;
        path[n++] = (char)c;
    }
    path[n] = '\0';
    return 0;
}

int http_path(const struct http_head *h, char path[HTTP_PATH_MAX])
{
    int status = decode(h->path, path);

    if (status != 0) {
        memcpy(path, h->path, HTTP_PATH_MAX - 1);
        path[HTTP_PATH_MAX - 1] = '\0';
    }
    return status;
}

/* What is after "?" is cut. A path fits: it is part of a line. */
static int take_path(struct http_head *h, const char *p, size_t len)
{
    size_t n = 0;

    for (; n < len && p[n] != '?'; n++) {
        int c = (unsigned char)p[n];

        if (c <= 32 || c == 127 || c == '#')
            return 400;
    }
    memcpy(h->path, p, n);
    h->path[n] = '\0';
    return 0;
}

/* RFC 9112, 3.2: "/path" or "https://host/path". */
static int parse_target(struct http_head *h, const char *p, size_t len)
{
    size_t skip = 0;

    if (len >= 7 && strncasecmp(p, "http://", 7) == 0)
        skip = 7;
    if (len >= 8 && strncasecmp(p, "https://", 8) == 0)
        skip = 8;
    if (skip > 0) {
        while (skip < len && p[skip] != '/' && p[skip] != '?')
            skip++;
        if (skip == len || p[skip] == '?')
            return take_path(h, "/", 1);
    }
    if (skip == len || p[skip] != '/')
        return 400;
    return take_path(h, p + skip, len - skip);
}

static int parse_version(struct http_head *h, const char *p, size_t len)
{
    if (len != 8 || memcmp(p, "HTTP/", 5) != 0 || p[6] != '.' || p[5] < '0' ||
        p[5] > '9' || p[7] < '0' || p[7] > '9')
        return 400;
    if (p[5] != '1')
        return 505;
    h->minor = p[7] > '0';
    return 0;
}

static int parse_line(struct http_head *h, const char *p, size_t len)
{
    size_t method = token_len(p, len), target;
    const char *end;
    int rc;

    if (method == 0 || method == len || p[method] != ' ')
        return 400;
    end = memchr(p + method + 1, ' ', len - method - 1);
    if (end == NULL)
        return 400;
    target = (size_t)(end - p) - method - 1;
    rc = parse_version(h, end + 1, len - method - 1 - target - 1);
    if (rc != 0)
        return rc;
    h->head = method == 4 && memcmp(p, "HEAD", 4) == 0;
    h->post = method == 4 && memcmp(p, "POST", 4) == 0;
    if (!h->head && !h->post && (method != 3 || memcmp(p, "GET", 3) != 0))
        return 405;
    return parse_target(h, p + method + 1, target);
}

/* RFC 9110, 7.6.1: a list of options. */
static void take_connection(struct fields *f, const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t n = token_len(p + i, len - i);

        f->close = f->close || is(p + i, n, "close");
        f->keep_alive = f->keep_alive || is(p + i, n, "keep-alive");
        i += n;
    }
}

static int take_length(struct http_head *h, struct fields *f, const char *p,
                       size_t len)
{
    if (len == 0 || f->lengths++ > 0)
        return 400;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9')
            return 400;
        if (h->length <= HTTP_CONTENT_MAX)
            h->length = h->length * 10 + (size_t)(p[i] - '0');
    }
    return h->length > HTTP_CONTENT_MAX ? 413 : 0;
}

static int take_host(struct http_head *h, struct fields *f, const char *p,
                     size_t len)
{
    if (f->hosts++ > 0 || len >= sizeof(h->host))
        return 400;
    memcpy(h->host, p, len);
    h->host[len] = '\0';
    /* it comes back in addresses: a name, an address, a port, no more */
    return strspn(h->host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
                           "YZ_0123456789-._:[]") == len
               ? 0
               : 400;
}

static void take_type(struct http_head *h, const char *p, size_t len)
{
    size_t n = 0;

    while (n < len && p[n] != ';' && p[n] != ' ' && n + 1 < sizeof(h->type)) {
        h->type[n] = p[n];
        if (p[n] >= 'A' && p[n] <= 'Z')
            h->type[n] = (char)(p[n] | 32);
        n++;
    }
    h->type[n] = '\0';
}

static int parse_field(struct http_head *h, struct fields *f, const char *p,
                       size_t len)
{
    size_t name = token_len(p, len), from = name + 1;

    if (name == 0 || name == len || p[name] != ':')
        return 400;
    while (from < len && (p[from] == ' ' || p[from] == '\t'))
        from++;
    while (len > from && (p[len - 1] == ' ' || p[len - 1] == '\t'))
        len--;
    for (size_t i = from; i < len; i++)
        if (p[i] == '\0' || p[i] == '\r')
            return 400;
    if (is(p, name, "host"))
        return take_host(h, f, p + from, len - from);
    if (is(p, name, "content-length"))
        return take_length(h, f, p + from, len - from);
    if (is(p, name, "transfer-encoding"))
        f->coded = 1;
    if (is(p, name, "connection"))
        take_connection(f, p + from, len - from);
    if (is(p, name, "content-type"))
        take_type(h, p + from, len - from);
    if (is(p, name, "expect")) {
        if (!is(p + from, len - from, "100-continue"))
            return 417;
        h->expect = 1;
    }
    return 0;
}

/* What is not complete may be too much already. */
static int too_much(const char *buf, size_t len)
{
    if (memchr(buf, '\n', len) == NULL)
        return len > HTTP_LINE_MAX ? 414 : 0;
    return len >= HTTP_HEAD_MAX ? 431 : 0;
}

static int conclude(struct http_head *h, const struct fields *f)
{
    if (f->hosts == 0 && h->minor > 0)
        return 400; /* RFC 9112, 3.2 */
    h->content = f->coded || h->length > 0;
    if (f->coded) /* and a length beside it may be an attack: 6.1 */
        return f->lengths > 0 ? 400 : 411;
    if (h->post && f->lengths == 0)
        return 411;
    h->persist = !f->close && (h->minor > 0 || f->keep_alive);
    return 0;
}

size_t http_parse(struct http_head *h, const char *buf, size_t len)
{
    struct fields f = {0};
    size_t at = 0, most = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
    int lines = 0;

    memset(h, 0, sizeof(*h));
    while (h->status == 0) {
        const char *line = buf + at, *lf = memchr(line, '\n', most - at);
        size_t n;

        if (lf == NULL) {
            h->status = too_much(buf, len);
            return h->status != 0 ? len : 0;
        }
        n = (size_t)(lf - line);
        at += n + 1;
        if (n > 0 && line[n - 1] == '\r')
            n--;
        if (n == 0 && lines > 0) {
            h->status = conclude(h, &f);
            return at;
        }
        if (lines == 0 && lf - line > HTTP_LINE_MAX)
            h->status = 414;
        else if (n > 0) /* RFC 9112, 2.2: empty lines before a request */
            h->status = lines++ == 0 ? parse_line(h, line, n)
                                     : parse_field(h, &f, line, n);
    }
    return at;
}
