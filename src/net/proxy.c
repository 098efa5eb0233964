#include "net/proxy.h"

#include "core/mem.h"
#include "core/str.h"

#include <stdio.h>
#include <string.h>

static const struct row {
    const char *scheme;
    enum tsk_proxy_kind kind;
    int tls, port;
} rows[] = {
    {"http", TSK_PROXY_HTTP, 0, 80},
    {"https", TSK_PROXY_HTTP, 1, 443},
    {"socks5", TSK_PROXY_SOCKS5, 0, 1080},
    {"socks5h", TSK_PROXY_SOCKS5H, 0, 1080},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One URL of the list. */
struct item {
    const char *text;
    size_t len;
    size_t number; /* from 1 */
    int secret;    /* the list may hold a password: repeat nothing of it */
};

static int fail(const struct item *it, tlsock_error *err, const char *what)
{
    char shown[100] = "";

    if (!it->secret)
        tsk_printable(shown, sizeof(shown), it->text, it->len);
    tsk_fail(err, TLSOCK_E_ARGUMENT, "proxy %zu%s%s%s: %s", it->number,
             it->secret ? "" : " \"", shown, it->secret ? "" : "\"", what);
    tsk_hint(err, "valid: http://HOST:PORT, https://, socks5://, socks5h://, "
                  "with USER:PASSWORD@ before HOST if needed; [IPV6] in "
                  "brackets; commas between proxies; %%XX for a special "
                  "character in a password");
    return TLSOCK_E_ARGUMENT;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What the bytes stand for at *i, which moves on to their last. -1: no %XX */
static int decode_one(const char *p, size_t len, size_t *i)
{
    int hi, lo;

    if (p[*i] != '%')
        return (unsigned char)p[*i];
    if (len - *i < 3)
        return -1;
    hi = hex(p[*i + 1]);
    lo = hex(p[*i + 2]);
    *i += 2;
    return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

static int decode(char **to, const struct item *it, const char *p, size_t len,
                  tlsock_error *err)
{
    char *out = tsk_alloc(len + 1);
    size_t n = 0;
    int c = 0;

    if (out == NULL)
        return tsk_fail_nomem(err);
    *to = out; /* the list frees it, whatever comes */
    for (size_t i = 0; i < len && c >= 0; i++) {
        c = decode_one(p, len, &i);
        if (c >= 0 && (c < 0x20 || c == 0x7f))
            return fail(it, err, "control character in user or password");
        out[n++] = (char)c;
    }
    if (c < 0)
        return fail(it, err, "a % without two hexadecimal digits after it");
    if (n > TSK_PROXY_SECRET_MOST)
        return fail(it, err, "user or password over 1023 bytes");
    return TLSOCK_OK;
}

/* RFC 1929, 2: both have 1 to 255 bytes. RFC 7617, 2: the first colon ends the
 * user name, so that none can be part of it. */
static int check_login(const struct tsk_proxy *p, const struct item *it,
                       tlsock_error *err)
{
    size_t user = strlen(p->user), password = strlen(p->password);

    if (p->kind == TSK_PROXY_HTTP)
        return strchr(p->user, ':') == NULL
                   ? TLSOCK_OK
                   : fail(it, err, "HTTP allows no colon in a user name");
    if (user < 1 || user > 255)
        return fail(it, err, "a SOCKS5 user name has 1 to 255 bytes");
    if (password < 1 || password > 255)
        return fail(it, err, "a SOCKS5 password has 1 to 255 bytes");
    return TLSOCK_OK;
}

/* RFC 3986, 3.2.1: what comes before the @ */
static int set_login(struct tsk_proxy *p, const struct item *it,
                     const char *text, size_t len, tlsock_error *err)
{
    const char *colon = memchr(text, ':', len);
    size_t user = colon != NULL ? (size_t)(colon - text) : len;
    size_t rest = colon != NULL ? user + 1 : len;
    int rc;

    if (len == 0)
        return fail(it, err, "no user name before the @");
    rc = decode(&p->user, it, text, user, err);
    if (rc == TLSOCK_OK)
        rc = decode(&p->password, it, text + rest, len - rest, err);
    return rc == TLSOCK_OK ? check_login(p, it, err) : rc;
}

/* The parser of targets does it: its messages are kept where nothing in them
 * can be secret. */
static int parse_host(struct tsk_proxy *p, const struct item *it,
                      const char *url, tlsock_error *err)
{
    static const char prefix[] = "target: ";
    tlsock_error why = {0};
    const char *message = why.message;
    int rc;

    if (tsk_target_parse(&p->target, url, 0, &why) == TLSOCK_OK)
        return TLSOCK_OK;
    if (strncmp(message, prefix, sizeof(prefix) - 1) == 0)
        message += sizeof(prefix) - 1;
    rc = fail(it, err, it->secret ? "no valid host and port" : message);
    tsk_wipe(&why, sizeof(why));
    return rc;
}

static int set_host(struct tsk_proxy *p, const struct item *it, int port,
                    const char *text, size_t len, tlsock_error *err)
{
    char url[400];
    const char *bracket = memchr(text, ']', len);
    const char *after = bracket != NULL ? bracket : text;
    const char *end = text + len;
    const char *colon = memchr(after, ':', (size_t)(end - after));
    int rc;

    if (len == 0)
        return fail(it, err, "no host");
    if (len > sizeof(url) - 9)
        return fail(it, err, "host too long");
    if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
        return fail(it, err, "an IPv6 address needs brackets");
    snprintf(url, sizeof(url), "https://%.*s", (int)len, text);
    rc = parse_host(p, it, url, err);
    if (rc != TLSOCK_OK)
        return rc;
    p->target.scheme[0] = '\0'; /* how to get there is said by kind and tls */
    if (colon == NULL)
        snprintf(p->target.service, sizeof(p->target.service), "%d", port);
    return TLSOCK_OK;
}

static const struct row *find_row(const char *scheme, size_t len)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strlen(rows[i].scheme) == len &&
            tsk_casencmp(rows[i].scheme, scheme, len) == 0)
            return &rows[i];
    return NULL;
}

static const char *find(const struct item *it, const char *what)
{
    size_t len = strlen(what);

    for (size_t i = 0; i + len <= it->len; i++)
        if (memcmp(it->text + i, what, len) == 0)
            return it->text + i;
    return NULL;
}

/* What follows the scheme: user and password, host and port. */
static int parse_authority(struct tsk_proxy *p, const struct item *it, int port,
                           const char *text, size_t len, tlsock_error *err)
{
    const char *at = memchr(text, '@', len);
    size_t login = at != NULL ? (size_t)(at - text) : 0;
    int rc;

    if (len > 0 && text[len - 1] == '/')
        len--;
    for (size_t i = 0; i < len; i++)
        if (strchr("/?#", text[i]) != NULL)
            return fail(it, err,
                        "/ ? or # after the host, or in a password "
                        "that must write it %XX");
    if (at == NULL)
        return set_host(p, it, port, text, len, err);
    if (memchr(at + 1, '@', len - login - 1) != NULL)
        return fail(it, err, "an @ in user name or password is written %40");
    rc = set_login(p, it, text, login, err);
    if (rc != TLSOCK_OK)
        return rc;
    return set_host(p, it, port, at + 1, len - login - 1, err);
}

static int parse_item(struct tsk_proxy *p, const struct item *it,
                      tlsock_error *err)
{
    const char *sep = find(it, "://");
    const struct row *row;
    size_t len;

    if (it->len == 0)
        return fail(it, err, "nothing between commas");
    for (size_t i = 0; i < it->len; i++)
        if ((unsigned char)it->text[i] <= 0x20 || it->text[i] == 0x7f)
            return fail(it, err, "space or control character");
    if (sep == NULL)
        return fail(it, err, "no scheme such as http:// or socks5h://");
    len = (size_t)(sep - it->text);
    row = find_row(it->text, len);
    if (row == NULL)
        return fail(it, err,
                    "unknown scheme: not http, https, socks5 or "
                    "socks5h");
    p->kind = row->kind;
    p->tls = row->tls;
    return parse_authority(p, it, row->port, sep + 3, it->len - len - 3, err);
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The item that begins at p, without the blanks around it; the next one begins
 * after *end, unless that is the end. */
static void cut(struct item *it, const char *p, const char **end)
{
    *end = p + strcspn(p, ",");
    it->len = (size_t)(*end - p);
    while (it->len > 0 && is_blank(p[0]))
        p++, it->len--;
    while (it->len > 0 && is_blank(p[it->len - 1]))
        it->len--;
    it->text = p;
    it->number++;
}

static int parse_list(struct tsk_proxy *list, size_t *n, const char *urls,
                      tlsock_error *err)
{
    struct item it = {.secret = strchr(urls, '@') != NULL};
    const char *p = urls, *end;
    int rc;

    for (;; p = end + 1) {
        cut(&it, p, &end);
        if (it.number > TSK_PROXIES_MOST)
            return fail(&it, err, "at most 8 are passed in a row");
        (*n)++; /* what a failure leaves of it is freed, too */
        rc = parse_item(&list[it.number - 1], &it, err);
        if (rc != TLSOCK_OK || *end == '\0')
            return rc;
    }
}

int tsk_proxies_parse(struct tsk_proxy **list, size_t *n, const char *urls,
                      tlsock_error *err)
{
    struct tsk_proxy *made = tsk_alloc(TSK_PROXIES_MOST * sizeof(*made));
    size_t count = 0;
    int rc;

    *list = NULL;
    *n = 0;
    rc = made != NULL ? parse_list(made, &count, urls, err)
                      : tsk_fail_nomem(err);
    if (rc != TLSOCK_OK) {
        tsk_proxies_free(made, count);
        tsk_phase(err, TLSOCK_PHASE_PROXY);
        return rc;
    }
    *list = made;
    *n = count;
    return TLSOCK_OK;
}

static void free_secret(char *text)
{
    if (text != NULL)
        tsk_free_secret(text, strlen(text));
}

void tsk_proxies_free(struct tsk_proxy *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free_secret(list[i].user);
        free_secret(list[i].password);
    }
    tsk_free(list);
}
