#include "intercept_entry.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void wrong(struct entry *e, const char *why, const char *answer)
{
    e->kind = ENTRY_WRONG;
    e->wrong = why;
    e->answer_len = strlen(answer);
    memcpy(e->answer, answer, e->answer_len);
}

#define BAD "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n" \
            "Content-Length: 0\r\n\r\n"

/* "host:port" or "[v6]:port"; port 0: the default, or there must be one. */
static int take_target(struct entry *e, const char *text, size_t len, int dflt)
{
    const char *end = text + len, *colon = NULL;
    size_t host;
    long port = dflt;

    if (len > 0 && text[0] == '[') {
        const char *close = memchr(text, ']', len);

        if (close == NULL || (close + 1 < end && close[1] != ':'))
            return -1;
        colon = close + 1 < end ? close + 1 : NULL;
        host = (size_t)(close - text) + 1;
    } else {
        colon = memchr(text, ':', len);
        host = colon != NULL ? (size_t)(colon - text) : len;
    }
    if (host == 0 || host >= sizeof(e->host))
        return -1;
    if (colon != NULL) {
        port = 0;
        for (const char *p = colon + 1; p < end && port <= 65535; p++) {
            if (*p < '0' || *p > '9')
                return -1;
            port = port * 10 + (*p - '0');
        }
    }
    for (size_t i = 0; i < host; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 127 ||
            strchr("/@?#%\\\"<>", text[i]) != NULL)
            return -1;
    if (port < 1 || port > 65535)
        return -1;
    memcpy(e->host, text, host);
    e->host[host] = '\0';
    e->port = (int)port;
    return 0;
}

/* Fields that are between the client and us. */
static int is_ours(const char *line, size_t len)
{
    static const char *const names[] = {"proxy-connection:", "connection:",
                                        "proxy-authorization:", "keep-alive:"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i]);

        if (len >= n && strncasecmp(line, names[i], n) == 0)
            return 1;
    }
    return 0;
}

/* "GET http://host/path HTTP/1.1" becomes "GET /path HTTP/1.1"; one request
 * for each connection, so that the next may go elsewhere. */
static int rewrite(struct entry *e, const char *buf, size_t len,
                   size_t method, const char *path, size_t path_len)
{
    static const char last[] = "Connection: close\r\n\r\n";
    const char *at = memchr(buf, '\n', len), *end = buf + len;
    char *out = malloc(len + sizeof(last) + 1);

    if (out == NULL)
        return -1;
    e->head = out;
    memcpy(out, buf, method + 1);
    out += method + 1;
    if (path_len == 0 || *path != '/')
        *out++ = '/';
    memcpy(out, path, path_len);
    out += path_len;
    memcpy(out, " HTTP/1.1\r\n", 11);
    out += 11;
    for (at++; at < end;) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)(eol - at) + 1;

        if (n <= 2 && (at[0] == '\r' || at[0] == '\n'))
            break;
        if (!is_ours(at, n)) {
            memcpy(out, at, n);
            out += n;
        }
        at += n;
    }
    memcpy(out, last, sizeof(last) - 1);
    out += sizeof(last) - 1;
    e->head_len = (size_t)(out - e->head);
    return 0;
}

static void absolute(struct entry *e, const char *buf, size_t len,
                     size_t method, const char *url, size_t url_len)
{
    static const char scheme[] = "http://";
    size_t authority = 0;

    if (url_len < sizeof(scheme) ||
        strncasecmp(url, scheme, sizeof(scheme) - 1) != 0) {
        wrong(e, "no http:// URL and no CONNECT", BAD);
        return;
    }
    url += sizeof(scheme) - 1;
    url_len -= sizeof(scheme) - 1;
    while (authority < url_len && strchr("/?", url[authority]) == NULL)
        authority++;
    if (take_target(e, url, authority, 80) < 0) {
        wrong(e, "the URL has no host, or a wrong one", BAD);
        return;
    }
    if (rewrite(e, buf, len, method, url + authority, url_len - authority) < 0) {
        wrong(e, "out of memory", "");
        return;
    }
    e->kind = ENTRY_HTTP;
}

/* Length of the head with its empty line; 0: it is not complete. */
static size_t head_end(const char *buf, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (buf[i] != '\n')
            continue;
        if (buf[i + 1] == '\n')
            return i + 2;
        if (i + 2 < len && buf[i + 1] == '\r' && buf[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

static void look_http(struct entry *e, const char *buf, size_t len)
{
    size_t head = head_end(buf, len), line, method, url;

    if (head == 0) {
        if (len >= ENTRY_MOST)
            wrong(e, "the request's head is too long", BAD);
        return;
    }
    line = strcspn(buf, "\r\n"); /* there is a line end before any end */
    method = strcspn(buf, " \r\n");
    url = method < line ? strcspn(buf + method + 1, " \r\n") : 0;
    if (memchr(buf, 0, head) != NULL || method == 0 || method > 32 ||
        url == 0 || line < method + 1 + url + 9 ||
        strncmp(buf + method + 1 + url, " HTTP/1.", 8) != 0) {
        wrong(e, "no HTTP request", BAD);
        return;
    }
    e->used = head;
    if (method != 7 || memcmp(buf, "CONNECT", 7) != 0) {
        absolute(e, buf, head, method, buf + method + 1, url);
        return;
    }
    if (take_target(e, buf + 8, url, 0) < 0)
        wrong(e, "CONNECT needs host:port", BAD);
    else
        e->kind = ENTRY_CONNECT;
}

/* RFC 1928, 4 and 5; 3 is the greeting with its methods. */
static void socks_no(struct entry *e, int code, const char *why)
{
    const char no[10] = {5, (char)code, 0, 1};

    e->kind = ENTRY_WRONG;
    e->wrong = why;
    memcpy(e->answer, no, sizeof(no));
    e->answer_len = sizeof(no);
}

static void socks_greeting(struct entry *e, const char *buf, size_t len)
{
    size_t n;

    if (len < 2 || len < 2 + (size_t)(unsigned char)buf[1])
        return;
    n = (unsigned char)buf[1];
    e->answer[0] = 5;
    e->answer[1] = 0;
    e->answer_len = 2;
    e->used = 2 + n;
    e->greeted = 1;
    e->kind = ENTRY_SAY;
    if (memchr(buf + 2, 0, n) != NULL)
        return;
    e->answer[1] = (char)0xff;
    e->kind = ENTRY_WRONG;
    e->wrong = "SOCKS5 with a password";
}

static int socks_name(struct entry *e, const char *buf, size_t n)
{
    char text[264];

    if (memchr(buf, 0, n) != NULL || memchr(buf, ':', n) != NULL)
        return -1;
    snprintf(text, sizeof(text), "%.*s", (int)n, buf);
    return take_target(e, text, n, 1);
}

static void socks_request(struct entry *e, const char *buf, size_t len)
{
    const unsigned char *p = (const unsigned char *)buf;
    size_t size;
    int rc = 0;

    if (len < 5)
        return;
    size = p[3] == 1 ? 4 : p[3] == 4 ? 16 : p[3] == 3 ? 1 + (size_t)p[4] : 0;
    if (p[0] != 5 || size < 2) {
        socks_no(e, 8, "SOCKS5: no kind of address that is known");
        return;
    }
    if (len < 4 + size + 2)
        return;
    if (p[1] != 1) {
        socks_no(e, 7, "SOCKS5: only CONNECT is served");
        return;
    }
    if (p[3] == 1)
        inet_ntop(AF_INET, p + 4, e->host, sizeof(e->host));
    if (p[3] == 4) {
        e->host[0] = '[';
        inet_ntop(AF_INET6, p + 4, e->host + 1, sizeof(e->host) - 2);
        strcat(e->host, "]");
    }
    if (p[3] == 3)
        rc = socks_name(e, buf + 5, p[4]);
    e->port = p[4 + size] << 8 | p[4 + size + 1];
    if (rc < 0 || e->port == 0) {
        socks_no(e, 1, "SOCKS5: no usable name or port");
        return;
    }
    e->used = 4 + size + 2;
    e->kind = ENTRY_SOCKS;
}

void entry_look(struct entry *e, const char *buf, size_t len)
{
    e->kind = ENTRY_MORE;
    e->used = e->answer_len = 0;
    if (len == 0)
        return;
    if (e->greeted)
        socks_request(e, buf, len);
    else if (buf[0] == 0x16)
        e->kind = ENTRY_TLS;
    else if (buf[0] == 5)
        socks_greeting(e, buf, len);
    else if (buf[0] >= 'A' && buf[0] <= 'Z')
        look_http(e, buf, len);
    else
        wrong(e, "no TLS, no HTTP, no SOCKS5", "");
}

size_t entry_yes(const struct entry *e, char out[256])
{
    static const char good[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    static const char socks[10] = {5, 0, 0, 1};

    if (e->kind == ENTRY_CONNECT) {
        memcpy(out, good, sizeof(good) - 1);
        return sizeof(good) - 1;
    }
    if (e->kind != ENTRY_SOCKS)
        return 0;
    memcpy(out, socks, sizeof(socks));
    return sizeof(socks);
}

size_t entry_no(const struct entry *e, const char *why, char out[512])
{
    static const char socks[10] = {5, 2, 0, 1}; /* not allowed by ruleset */
    int n;

    if (e->kind == ENTRY_SOCKS) {
        memcpy(out, socks, sizeof(socks));
        return sizeof(socks);
    }
    if (e->kind != ENTRY_CONNECT && e->kind != ENTRY_HTTP)
        return 0;
    n = snprintf(out, 512,
                 "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\n"
                 "Content-Length: %zu\r\n\r\n%.300s\n",
                 strnlen(why, 300) + 1, why);
    return (size_t)n;
}
