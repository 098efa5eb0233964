#include "harjson.h"

#include "civil.h"
#include "out.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <tlsock.h>

#define DECODED_MOST 16777216
#define COOKIES_MOST 512

json_t *har_text(const char *text)
{
    json_t *as_is = json_string(text);

    return as_is != NULL ? as_is : out_json_text(text);
}

static json_t *text_n(const char *text, size_t len)
{
    char *copy = strndup(text, len);
    json_t *value = copy != NULL ? har_text(copy) : NULL;

    free(copy);
    return value;
}

static json_t *stamp(int64_t us)
{
    char date[32], text[40];

    civil_text(us / 1000000, date);
    snprintf(text, sizeof(text), "%.19s.%03dZ", date, (int)(us / 1000 % 1000));
    return json_string(text);
}

static json_t *pair(json_t *name, json_t *value)
{
    json_t *obj = json_object();

    json_object_set_new(obj, "name", name);
    json_object_set_new(obj, "value", value);
    return obj;
}

static json_t *headers(const struct httprec_part *p, int trailers)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n; i++)
        if (p->headers[i].is_trailer == trailers)
            json_array_append_new(list, pair(har_text(p->headers[i].name),
                                             har_text(p->headers[i].value)));
    return list;
}

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* The next of "a=b; c=d": its end, and where its value begins (or NULL). */
static const char *piece(const char *p, const char **value)
{
    const char *end = p + strcspn(p, ";");
    const char *eq = memchr(p, '=', (size_t)(end - p));

    *value = eq != NULL ? eq + 1 : NULL;
    return end;
}

static json_t *cookie(const char *p, const char *end, const char *value)
{
    const char *name_end = value != NULL ? value - 1 : end;

    return pair(text_n(p, (size_t)(name_end - p)),
                value != NULL ? text_n(value, (size_t)(end - value))
                              : json_string(""));
}

/* Whoever looks for the end of the text at each piece of it takes quadratic
 * time: a header may be nothing but semicolons. */
static void sent_cookies(json_t *list, const char *p)
{
    const char *all = p + strlen(p);

    while (json_array_size(list) < COOKIES_MOST) {
        const char *value, *end;

        p = skip_blank(p, all);
        end = piece(p, &value);
        if (end > p)
            json_array_append_new(list, cookie(p, end, value));
        if (*end == '\0')
            return;
        p = end + 1;
    }
}

/* "Wed, 21 Oct 2026 07:28:00 GMT", also with dashes, as HAR has times. */
static json_t *expiry(const char *text, size_t len)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
                                        "%a, %d-%b-%Y %H:%M:%S GMT"};
    char copy[64];
    struct tm tm;

    if (len >= sizeof(copy))
        return NULL;
    snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
    for (size_t i = 0; i < 2; i++) {
        memset(&tm, 0, sizeof(tm));
        if (strptime(copy, forms[i], &tm) != NULL)
            return stamp(civil_seconds(&tm) * 1000000);
    }
    return NULL;
}

static void attribute(json_t *c, const char *p, const char *end,
                      const char *value)
{
    static const char *const flags[][2] = {{"HttpOnly", "httpOnly"},
                                           {"Secure", "secure"}},
                             *const texts[][2] = {{"Path", "path"},
                                                  {"Domain", "domain"}};
    size_t n = (size_t)((value != NULL ? value - 1 : end) - p);

    for (size_t i = 0; i < 2; i++) {
        if (n == strlen(flags[i][0]) && strncasecmp(p, flags[i][0], n) == 0)
            json_object_set_new(c, flags[i][1], json_true());
        if (value != NULL && n == strlen(texts[i][0]) &&
            strncasecmp(p, texts[i][0], n) == 0)
            json_object_set_new(c, texts[i][1],
                                text_n(value, (size_t)(end - value)));
    }
    if (value != NULL && n == 7 && strncasecmp(p, "Expires", n) == 0) {
        json_t *at = expiry(value, (size_t)(end - value));

        if (at != NULL)
            json_object_set_new(c, "expires", at);
    }
}

static json_t *set_cookie(const char *p)
{
    const char *value, *all = p + strlen(p), *end = piece(p, &value);
    json_t *c = cookie(p, end, value);

    while (*end != '\0') {
        p = skip_blank(end + 1, all);
        end = piece(p, &value);
        attribute(c, p, end, value);
    }
    return c;
}

static json_t *cookies(const struct httprec_part *p, const char *header)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n; i++) {
        if (strcasecmp(p->headers[i].name, header) != 0)
            continue;
        if (strcasecmp(header, "cookie") == 0)
            sent_cookies(list, p->headers[i].value);
        else
            json_array_append_new(list, set_cookie(p->headers[i].value));
    }
    return list;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%41+" as "A "; a NUL stays written as it was. */
static json_t *unescaped(const char *p, size_t len)
{
    char *to = malloc(len + 1);
    json_t *value;
    size_t n = 0;

    if (to == NULL) {
        out_lack();
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        int high = i + 2 < len && p[i] == '%' ? hex(p[i + 1]) : -1,
            low = high >= 0 ? hex(p[i + 2]) : -1;

        if (low >= 0 && (high | low) != 0) {
            to[n++] = (char)(high << 4 | low);
            i += 2;
        } else {
            to[n++] = p[i];
            if (p[i] == '+')
                to[n - 1] = ' ';
        }
    }
    to[n] = '\0';
    value = har_text(to);
    free(to);
    return value;
}

static json_t *query(const char *url)
{
    const char *p = strchr(url, '?');
    json_t *list = json_array();

    while (p != NULL && json_array_size(list) < COOKIES_MOST) {
        size_t len, name;

        p++;
        len = strcspn(p, "&#");
        name = strcspn(p, "=&#");
        if (len > 0)
            json_array_append_new(
                list, pair(unescaped(p, name),
                           name < len ? unescaped(p + name + 1, len - name - 1)
                                      : json_string("")));
        p = p[len] == '&' ? p + len : NULL;
    }
    return list;
}

static char *base64(const unsigned char *p, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = malloc((len + 2) / 3 * 4 + 1);
    size_t n = 0;

    for (size_t i = 0; out != NULL && i < len; i += 3) {
        unsigned long v = (unsigned long)p[i] << 16;

        v |= i + 1 < len ? (unsigned long)p[i + 1] << 8 : 0;
        v |= i + 2 < len ? p[i + 2] : 0;
        out[n++] = digits[v >> 18 & 63];
        out[n++] = digits[v >> 12 & 63];
        out[n++] = i + 1 < len ? digits[v >> 6 & 63] : '=';
        out[n++] = i + 2 < len ? digits[v & 63] : '=';
    }
    if (out != NULL)
        out[n] = '\0';
    return out;
}

/* Text if it is UTF-8, else base64, and that is said under key. */
static void put_bytes(json_t *obj, const unsigned char *p, size_t len,
                      const char *key)
{
    json_t *text = memchr(p, '\0', len) == NULL
                       ? json_stringn((const char *)p, len)
                       : NULL;
    char *coded;

    if (text == NULL) {
        coded = base64(p, len);
        if (coded == NULL)
            out_lack();
        text = json_string(coded != NULL ? coded : "");
        free(coded);
        json_object_set_new(obj, key, json_string("base64"));
    }
    json_object_set_new(obj, "text", text);
}

static void say_cut(json_t *obj, const struct httprec_part *p)
{
    char text[100];

    if (p->kept == p->body_size)
        return;
    snprintf(text, sizeof(text), "cut: the first %zu of %llu bytes", p->kept,
             (unsigned long long)p->body_size);
    json_object_set_new(obj, "comment", json_string(text));
}

static const char *type_of(const struct httprec_part *p)
{
    const char *type = httprec_get(p, "content-type");

    return type != NULL ? type : "";
}

static json_t *content(const struct httprec_part *p)
{
    json_t *obj = json_object();
    const char *coding = httprec_get(p, "content-encoding");
    unsigned char *plain = NULL;
    size_t len = 0;
    int decoded = httprec_decode(p, DECODED_MOST, &plain, &len) == 0;

    json_object_set_new(
        obj, "size",
        json_integer(decoded ? (json_int_t)len : (json_int_t)p->body_size));
    if (decoded)
        json_object_set_new(
            obj, "compression",
            json_integer((json_int_t)len - (json_int_t)p->body_size));
    json_object_set_new(obj, "mimeType", har_text(type_of(p)));
    if (decoded)
        put_bytes(obj, plain, len, "encoding");
    else if (p->kept > 0)
        put_bytes(obj, p->body, p->kept, "encoding");
    if (!decoded && p->kept > 0 && coding != NULL &&
        strcasecmp(coding, "identity") != 0)
        json_object_set_new(obj, "_contentEncoding", har_text(coding));
    say_cut(obj, p);
    free(plain);
    return obj;
}

static void common(json_t *obj, const struct httprec_part *p,
                   const char *cookie_header)
{
    json_t *trailers = headers(p, 1);

    json_object_set_new(obj, "cookies", cookies(p, cookie_header));
    json_object_set_new(obj, "headers", headers(p, 0));
    if (json_array_size(trailers) > 0)
        json_object_set(obj, "_trailers", trailers);
    json_decref(trailers);
    if (p->headers_cut)
        json_object_set_new(obj, "comment",
                            json_string("there were more headers"));
    json_object_set_new(obj, "headersSize", json_integer(p->head_size));
}

static json_t *request(const struct httprec_tx *tx)
{
    json_t *obj = json_object(), *post;

    json_object_set_new(obj, "method", har_text(tx->method));
    json_object_set_new(obj, "url", har_text(tx->url));
    json_object_set_new(obj, "httpVersion", json_string(tx->version));
    common(obj, &tx->req, "cookie");
    json_object_set_new(obj, "queryString", query(tx->url));
    json_object_set_new(obj, "bodySize",
                        json_integer((json_int_t)tx->req.body_size));
    if (tx->req.body_size == 0)
        return obj;
    post = json_object();
    json_object_set_new(post, "mimeType", har_text(type_of(&tx->req)));
    json_object_set_new(post, "params", json_array());
    if (tx->req.kept > 0)
        put_bytes(post, tx->req.body, tx->req.kept, "_encoding");
    else
        json_object_set_new(post, "text", json_string(""));
    say_cut(post, &tx->req);
    json_object_set_new(obj, "postData", post);
    return obj;
}

/* As browsers have it when none came. */
static json_t *no_response(const char *why)
{
    return json_pack(
        "{s:i, s:s, s:s, s:[], s:[], s:{s:i, s:s}, s:s, s:i, s:i, s:o}",
        "status", 0, "statusText", "", "httpVersion", "", "cookies", "headers",
        "content", "size", 0, "mimeType", "x-unknown", "redirectURL", "",
        "headersSize", -1, "bodySize", -1, "_error", har_text(why));
}

static json_t *response(const struct httprec_tx *tx)
{
    const char *to = httprec_get(&tx->res, "location");
    json_t *obj;

    if (tx->status == 0)
        return no_response(tx->note);
    obj = json_object();
    json_object_set_new(obj, "status", json_integer(tx->status));
    json_object_set_new(obj, "statusText", har_text(tx->reason));
    json_object_set_new(obj, "httpVersion", json_string(tx->answered));
    common(obj, &tx->res, "set-cookie");
    json_object_set_new(obj, "content", content(&tx->res));
    json_object_set_new(obj, "redirectURL", har_text(to != NULL ? to : ""));
    json_object_set_new(obj, "bodySize",
                        json_integer((json_int_t)tx->res.body_size));
    if (tx->note[0] != '\0')
        json_object_set_new(obj, "_error", json_string(tx->note));
    return obj;
}

static double ms(int64_t from, int64_t to)
{
    return to > from ? (double)(to - from) / 1000 : 0;
}

/* The connection was there before: what HAR has of making it is -1. */
static json_t *timings(const struct httprec_tx *tx, double *all)
{
    int64_t sent = tx->sent != 0 ? tx->sent : tx->begun,
            first = tx->first != 0 ? tx->first : tx->done;
    double send, wait, receive;

    if (sent > first)
        sent = first; /* it was answered before it had ended */
    send = ms(tx->begun, sent);
    wait = ms(sent, first);
    receive = ms(first, tx->done);
    *all = send + wait + receive;
    return json_pack("{s:i, s:i, s:i, s:i, s:f, s:f, s:f}", "blocked", -1,
                     "dns", -1, "connect", -1, "ssl", -1, "send", send, "wait",
                     wait, "receive", receive);
}

static json_t *entry(const struct har_conn *c, int64_t begun, double all,
                     json_t *req, json_t *res, json_t *times)
{
    json_t *obj = json_object();
    char id[32];

    snprintf(id, sizeof(id), "#%lu", c->id);
    json_object_set_new(obj, "startedDateTime", stamp(begun));
    json_object_set_new(obj, "time", json_real(all));
    json_object_set_new(obj, "request", req);
    json_object_set_new(obj, "response", res);
    json_object_set_new(obj, "cache", json_object());
    json_object_set_new(obj, "timings", times);
    if (c->server[0] != '\0')
        json_object_set_new(obj, "serverIPAddress", har_text(c->server));
    json_object_set_new(obj, "connection", json_string(id));
    json_object_set_new(obj, "_client", har_text(c->client));
    if (c->tls != NULL)
        json_object_set(obj, "_tls", c->tls);
    return obj;
}

json_t *har_entry_json(const struct har_conn *c, const struct httprec_tx *tx)
{
    double all;
    json_t *times = timings(tx, &all), *obj;

    obj = entry(c, tx->begun, all, request(tx), response(tx), times);
    if (tx->stream != 0)
        json_object_set_new(obj, "_stream", json_integer(tx->stream));
    if (tx->pushed)
        json_object_set_new(obj, "_pushed", json_true());
    if (tx->reset != 0)
        json_object_set_new(obj, "_reset", json_integer(tx->reset));
    return obj;
}

json_t *har_failure_json(const struct har_conn *c, const char *why, int64_t now)
{
    char url[300];
    json_t *req, *times;

    snprintf(url, sizeof(url),
             c->target[0] != '\0' ? "https://%s/" : "about:blank%s", c->target);
    req =
        json_pack("{s:s, s:o, s:s, s:[], s:[], s:[], s:i, s:i}", "method",
                  "CONNECT", "url", har_text(url), "httpVersion", "", "cookies",
                  "headers", "queryString", "headersSize", -1, "bodySize", 0);
    times = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "blocked", -1,
                      "dns", -1, "connect", -1, "ssl", -1, "send", 0, "wait", 0,
                      "receive", 0);
    return entry(c, now, 0, req, no_response(why), times);
}

json_t *har_log_json(void)
{
    return json_pack("{s:{s:s, s:{s:s, s:s}, s:[]}}", "log", "version", "1.2",
                     "creator", "name", "tlsock", "version", tlsock_version(),
                     "entries");
}
