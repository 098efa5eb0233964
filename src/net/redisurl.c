/* Where a value in Redis is: the URL. */
#include "net/redis.h"

#include "core/mem.h"
#include "core/str.h"
#include "net/target.h"

#include <stdio.h>
#include <string.h>

static int bad(tlsock_error *err, const char *why)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "the redis:// URL: %s", why);
    tsk_hint(err, "valid: redis://HOST:PORT/DB?key=NAME, rediss:// with TLS, "
                  "USER:PASSWORD@ before HOST, or &pass=file:PATH|env:NAME "
                  "behind; with TLS &ca=FILE and &cert=FILE; [IPV6] in "
                  "brackets, %%XX for a special character");
    return TLSOCK_E_ARGUMENT;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 1, or 0: too long, no %XX, or a byte that is none of text. */
static int decode(char *out, size_t size, const char *p, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)p[i];

        if (c == '%') {
            int high = i + 2 < len ? hex(p[i + 1]) : -1;
            int low = i + 2 < len ? hex(p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return 0;
            c = high * 16 + low;
            i += 2;
        }
        if (c < 0x20 || c == 0x7f || n + 1 >= size)
            return 0;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return 1;
}

static int take_login(struct tsk_redis_where *w, const char *p, size_t len)
{
    const char *colon = memchr(p, ':', len);
    size_t user = colon != NULL ? (size_t)(colon - p) : len;

    if (!decode(w->user, sizeof(w->user), p, user))
        return 0;
    return colon == NULL ||
           decode(w->password, sizeof(w->password), colon + 1, len - user - 1);
}

/* The parser of targets knows hosts, addresses and ports. */
static int take_host(struct tsk_redis_where *w, const char *p, size_t len)
{
    const char *bracket = memchr(p, ']', len), *end = p + len;
    const char *from = bracket != NULL ? bracket : p;
    const char *colon = memchr(from, ':', (size_t)(end - from));
    struct tsk_target t;
    char url[400];

    if (len == 0 || len > 360 || memchr(p, '%', len) != NULL)
        return 0;
    if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
        return 0; /* an address of IPv6 without brackets */
    snprintf(url, sizeof(url), "https://%.*s%s", (int)len, p,
             colon == NULL ? ":6379" : "");
    if (tsk_target_parse(&t, url, 0, NULL) < 0 || t.host[0] == '\0')
        return 0;
    memcpy(w->host, t.host, sizeof(w->host));
    memcpy(w->service, t.service, sizeof(w->service));
    return 1;
}

static int take_db(struct tsk_redis_where *w, const char *p, size_t len)
{
    char text[8] = "";
    int64_t db = 0;

    if (len >= sizeof(text))
        return 0;
    memcpy(text, p, len);
    if (len != 0 && tsk_number(text, 0, 65535, &db) != 0)
        return 0;
    w->db = (int)db;
    return 1;
}

/* One "name=value" of the query: 1, or 0. */
static int take_pair(struct tsk_redis_where *w, const char *p, size_t len)
{
    const struct {
        const char *name;
        char *to;
        size_t size;
        int with_tls;
    } rows[] = {{"key=", w->key, sizeof(w->key), 0},
                {"pass=", w->pass, sizeof(w->pass), 0},
                {"ca=", w->ca, sizeof(w->ca), 1},
                {"cert=", w->cert, sizeof(w->cert), 1}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i].name);

        if (len <= n || memcmp(p, rows[i].name, n) != 0)
            continue;
        return rows[i].to[0] == '\0' && (w->tls || !rows[i].with_tls) &&
               decode(rows[i].to, rows[i].size, p + n, len - n);
    }
    return 0;
}

static int take_query(struct tsk_redis_where *w, const char *p)
{
    for (;;) {
        size_t len = strcspn(p, "&");

        if (!take_pair(w, p, len))
            return 0;
        if (p[len] == '\0')
            return 1;
        p += len + 1;
    }
}

static const char *take(struct tsk_redis_where *w, const char *url)
{
    const char *p, *at, *end, *query;

    memset(w, 0, sizeof(*w));
    if (strlen(url) > TSK_REDIS_URL)
        return "too long";
    w->tls = strncmp(url, "rediss://", 9) == 0;
    if (!w->tls && strncmp(url, "redis://", 8) != 0)
        return "another scheme";
    p = url + (w->tls ? 9 : 8);
    query = strchr(p, '?');
    if (query == NULL)
        return "no ?key=NAME";
    end = p + strcspn(p, "/?");
    at = memchr(p, '@', (size_t)(end - p));
    if (at != NULL && !take_login(w, p, (size_t)(at - p)))
        return "user or password";
    if (at != NULL)
        p = at + 1;
    if (!take_host(w, p, (size_t)(end - p)))
        return "host or port";
    if (end < query && !take_db(w, end + 1, (size_t)(query - end - 1)))
        return "the number of the database";
    if (!take_query(w, query + 1))
        return "what follows the ?";
    if (w->key[0] == '\0')
        return "no key=NAME";
    if (w->password[0] != '\0' && w->pass[0] != '\0')
        return "two passwords";
    return NULL;
}

int tsk_redis_where(struct tsk_redis_where *w, const char *url,
                    tlsock_error *err)
{
    const char *why = take(w, url);

    if (why == NULL)
        return TLSOCK_OK;
    tsk_wipe(w, sizeof(*w));
    return bad(err, why);
}
