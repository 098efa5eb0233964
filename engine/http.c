#include "http.h"

#include <string.h>
#include <strings.h>

/* What the header fields say that matters here. */
struct fields {
    int hosts, lengths, close, keep_alive, content;
};

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {{200, "OK"},
                {301, "Moved Permanently"},
                {400, "Bad Request"},
                {403, "Forbidden"},
                {404, "Not Found"},
                {405, "Method Not Allowed"},
                {413, "Content Too Large"},
                {414, "URI Too Long"},
                {431, "Request Header Fields Too Large"},
                {500, "Internal Server Error"},
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

/* A path that names no control characters, no NUL and no hidden slash. */
static int decode(struct http_request *req, const char *p, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len && p[i] != '?'; i++) {
        int c = (unsigned char)p[i];

        if (c == '%') {
            if (i + 2 >= len || hex(p[i + 1]) < 0 || hex(p[i + 2]) < 0)
                return 400;
            c = hex(p[i + 1]) * 16 + hex(p[i + 2]);
            i += 2;
            if (c == '/')
                return 400;
        } else if (c == '#') {
            return 400;
        }
        if (c < 32 || c == 127)
            return 400;
        if (n + 1 == sizeof(req->path))
            return 414;
        req->path[n++] = (char)c;
    }
    req->path[n] = '\0';
    return 0;
}

/* RFC 9112, 3.2: "/path" or "https://host/path". */
static int parse_target(struct http_request *req, const char *p, size_t len)
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
            return decode(req, "/", 1);
    }
    if (skip == len || p[skip] != '/')
        return 400;
    return decode(req, p + skip, len - skip);
}

static int parse_version(struct http_request *req, const char *p, size_t len)
{
    if (len != 8 || memcmp(p, "HTTP/", 5) != 0 || p[6] != '.' || p[5] < '0' ||
        p[5] > '9' || p[7] < '0' || p[7] > '9')
        return 400;
    if (p[5] != '1')
        return 505;
    req->minor = p[7] > '0';
    return 0;
}

static int parse_line(struct http_request *req, const char *p, size_t len)
{
    size_t method = token_len(p, len), target;
    const char *end;
    int rc;

    if (len > HTTP_LINE_MAX)
        return 414;
    if (method == 0 || method == len || p[method] != ' ')
        return 400;
    end = memchr(p + method + 1, ' ', len - method - 1);
    if (end == NULL)
        return 400;
    target = (size_t)(end - p) - method - 1;
    rc = parse_version(req, end + 1, len - method - 1 - target - 1);
    if (rc != 0)
        return rc;
    req->head = method == 4 && memcmp(p, "HEAD", 4) == 0;
    if (!req->head && (method != 3 || memcmp(p, "GET", 3) != 0))
        return 405;
    return parse_target(req, p + method + 1, target);
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

static int take_length(struct fields *f, const char *p, size_t len)
{
    if (len == 0 || f->lengths++ > 0)
        return 400;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9')
            return 400;
        f->content = f->content || p[i] != '0';
    }
    return 0;
}

static int parse_field(struct fields *f, const char *p, size_t len)
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
        f->hosts++;
    if (is(p, name, "connection"))
        take_connection(f, p + from, len - from);
    if (is(p, name, "transfer-encoding"))
        f->content = 1;
    return is(p, name, "content-length") ? take_length(f, p + from, len - from)
                                         : 0;
}

/* What is not complete may be too much already. */
static int too_much(const char *buf, size_t len)
{
    if (memchr(buf, '\n', len) == NULL)
        return len > HTTP_LINE_MAX ? 414 : 0;
    return len >= HTTP_HEAD_MAX ? 431 : 0;
}

static int conclude(struct http_request *req, const struct fields *f)
{
    if (f->hosts > 1 || (f->hosts == 0 && req->minor > 0))
        return 400; /* RFC 9112, 3.2 */
    if (f->content)
        return 413; /* nothing here takes any */
    req->persist = !f->close && (req->minor > 0 || f->keep_alive);
    return 0;
}

size_t http_parse(struct http_request *req, const char *buf, size_t len)
{
    struct fields f = {0};
    size_t at = 0, most = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
    int lines = 0;

    memset(req, 0, sizeof(*req));
    while (req->status == 0) {
        const char *line = buf + at, *lf = memchr(line, '\n', most - at);
        size_t n;

        if (lf == NULL) {
            req->status = too_much(buf, len);
            return req->status != 0 ? len : 0;
        }
        n = (size_t)(lf - line);
        at += n + 1;
        if (n > 0 && line[n - 1] == '\r')
            n--;
        if (n == 0 && lines > 0) {
            req->status = conclude(req, &f);
            return at;
        }
        if (n > 0) /* RFC 9112, 2.2: empty lines before a request */
            req->status = lines++ == 0 ? parse_line(req, line, n)
                                       : parse_field(&f, line, n);
    }
    return at;
}
