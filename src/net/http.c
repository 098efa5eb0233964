#include "net/http.h"

#include "core/mem.h"
#include "core/str.h"
#include "net/httpline.h"

#include <stdio.h>
#include <string.h>

enum { REQUEST, STATUS, FIELDS, DONE };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct meaning {
    int status;
    const char *text, *hint;
} meanings[] = {
    {101, "it switches to a protocol nobody asked for",
     "this is no proxy: check host and port"},
    {400, "it finds the request malformed",
     "it may be a web server rather than a proxy: check host and port"},
    {401, "it asks for a web site's password",
     "it is a web server rather than a proxy: check host and port"},
    {403, "its rules forbid this target",
     "its owner must allow this host and port; many allow port 443 alone"},
    {404, "it knows no such target",
     "it may be a web server rather than a proxy, or cannot resolve the name"},
    {405, "it does not allow CONNECT",
     "it may be a web server rather than a proxy: check host and port"},
    {408, "it waited too long for the request", "try again"},
    {429, "it has had too many requests", "try again later"},
    {451, "legal reasons forbid this target", "use another way to the target"},
    {500, "it failed by itself", "its log says why"},
    {501, "it does not know CONNECT",
     "it may be a web server rather than a proxy: check host and port"},
    {502, "it could not connect to the target",
     "check the target's host and port; the proxy must be able to resolve the "
     "name and reach the address"},
    {503, "it is overloaded, or could not reach the target",
     "check the target's host and port, or try again later"},
    {504, "the target did not answer it in time",
     "check the target's host and port; a firewall may drop the packets"},
    {511, "the network wants a login first",
     "log in on the page that the network shows in a browser"},
};

/* For all others, by their class: RFC 9110, 15: a client treats a status it
 * does not know as the x00 of its class. */
static const struct meaning classes[] = {
    {3, "it redirects, which is not followed for CONNECT",
     "use the proxy's real address; the network may want a login first"},
    {4, "it refuses the request", "its log says why"},
    {5, "it failed", "its log says why; try again later"},
    {0, "no such status exists", "it may be no proxy: check host and port"},
};

static const struct meaning *meaning_of(int status)
{
    const struct meaning *c = classes;

    for (size_t i = 0; i < COUNT(meanings); i++)
        if (meanings[i].status == status)
            return &meanings[i];
    while (c->status != 0 && c->status != status / 100)
        c++;
    return c;
}

/* RFC 9112, 3.2.3: authority-form, whose port is never left out; 3.2: Host
 * says the same. */
static int send_request(struct tsk_hop *h, struct tsk_talk *t,
                        tlsock_error *err)
{
    char to[272];
    int rc;

    snprintf(to, sizeof(to), h->is_ip == 6 ? "[%s]:%d" : "%s:%d", h->host,
             h->port);
    rc = tsk_talk_say(t, err, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", to, to);
    if (rc == TLSOCK_OK && h->via->user != NULL)
        rc = tsk_http_login(t, h->via, err);
    if (rc == TLSOCK_OK)
        rc = tsk_talk_say(t, err, "\r\n");
    h->state = STATUS;
    return rc;
}

static int malformed(const struct tsk_hop *h, const char *line,
                     const char *what, tlsock_error *err)
{
    char shown[100];

    tsk_hop_quote(h, shown, sizeof(shown), line, strlen(line));
    tsk_fail(err, TLSOCK_E_PROXY, "proxy %s, asked for %s, sent %s: \"%s\"",
             h->where, h->goal, what, shown);
    tsk_hint(err, "it breaks the rules of HTTP/1.1 (RFC 9112): check host, "
                  "port and scheme of the proxy");
    return TLSOCK_E_PROXY;
}

/* Whoever speaks another protocol may never end a line: its first bytes tell.
 * OK: it may be HTTP. */
static int check_start(const struct tsk_hop *h, const struct tsk_talk *t,
                       tlsock_error *err)
{
    const uint8_t *p = tsk_buf_at(t->in);
    size_t n = t->in->len < 5 ? t->in->len : 5;

    if (memcmp(p, "HTTP/", n) == 0)
        return TLSOCK_OK;
    if (n < 5 && !t->ended)
        return TLSOCK_AGAIN;
    return tsk_hop_stranger(h, t, "HTTP", err);
}

/* The line without its end, in out; RFC 9112, 2.2: LF alone may end it, CR
 * alone is part of nothing. */
static int next_line(const struct tsk_hop *h, struct tsk_talk *t,
                     char out[TSK_TALK_LINE], tlsock_error *err)
{
    int rc = tsk_talk_line(t, out, err);

    if (rc < 0)
        return tsk_hop_cut(h, rc, err);
    if (strchr(out, '\r') != NULL)
        return malformed(h, out, "a CR without LF", err);
    return TLSOCK_OK;
}

static int refused(const struct tsk_hop *h, const char *line, tlsock_error *err)
{
    const struct meaning *m = meaning_of(h->status);
    char shown[80];

    tsk_hop_quote(h, shown, sizeof(shown), line, strlen(line));
    tsk_fail(err, TLSOCK_E_PROXY,
             "proxy %s does not connect to %s: %s (status %d, \"%s\")",
             h->where, h->goal, m->text, h->status, shown);
    tsk_hint(err, "%s", m->hint);
    return TLSOCK_E_PROXY;
}

/* RFC 9110, 15.5.8; some proxies answer a wrong password with a web server's
 * 401, where it can only be ours. */
static int is_login(const struct tsk_hop *h)
{
    return h->status == 407 || (h->status == 401 && h->via->user != NULL);
}

static int read_status(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int rc = check_start(h, t, err);

    if (rc == TLSOCK_OK)
        rc = next_line(h, t, line, err);
    if (rc != TLSOCK_OK)
        return rc;
    h->status = tsk_http_status(line);
    if (h->status < 0)
        return malformed(h, line, "no status line of HTTP/1", err);
    if (!is_login(h) && (h->status >= 300 || h->status == 101))
        return refused(h, line, err);
    h->fields = 0;
    h->state = FIELDS;
    return TLSOCK_OK;
}

/* The end of a list's element; commas in quotes are part of it. */
static const char *skip_element(const char *p)
{
    int quoted = 0;

    for (; *p != '\0' && (quoted || *p != ','); p++) {
        if (quoted && *p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    return p;
}

/* RFC 9110, 11.6.1: challenges and their parameters are elements of one list;
 * a parameter is a token with = after it, a scheme is one without. */
static void add_schemes(struct tsk_hop *h, const char *p)
{
    size_t pos = strlen(h->schemes);

    while (*p != '\0') {
        size_t len;
        const char *after;

        p += strspn(p, ", \t");
        len = tsk_http_token(p);
        after = p + len + strspn(p + len, " \t");
        if (len > 0 && *after != '=')
            tsk_append(h->schemes, sizeof(h->schemes), &pos, "%s%.*s",
                       pos > 0 ? ", " : "", (int)len, p);
        p = skip_element(p);
    }
}

static int unauthorised(const struct tsk_hop *h, tlsock_error *err)
{
    int known = h->via->user != NULL;

    tsk_fail(err, TLSOCK_E_PROXY_AUTH,
             "proxy %s %s before it connects to %s "
             "(%d; it offers: %s)",
             h->where,
             known ? "refuses the user name or password it needs"
                   : "wants a user name and a password",
             h->goal, h->status,
             h->schemes[0] != '\0' ? h->schemes : "nothing");
    if (known)
        tsk_hint(err, "check user name and password in the proxy's URL; only "
                      "Basic is supported");
    else
        tsk_hint(err, "write http://USER:PASSWORD@HOST:PORT; only Basic is "
                      "supported");
    return TLSOCK_E_PROXY_AUTH;
}

/* The header section is over: what follows on success is the tunnel, whatever
 * lengths it spoke of (RFC 9110, 9.3.6). */
static int finish(struct tsk_hop *h, tlsock_error *err)
{
    if (is_login(h))
        return unauthorised(h, err);
    h->state = h->status < 200 ? STATUS : DONE;
    return TLSOCK_OK;
}

/* RFC 9112, 5: field-name ":" value. Of an obs-fold (5.2) nothing is needed,
 * but before the first field there is nothing that it may continue (2.2). */
static int read_field(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err)
{
    char line[TSK_TALK_LINE];
    int rc = next_line(h, t, line, err);
    size_t len;

    if (rc != TLSOCK_OK)
        return rc;
    if (line[0] == '\0')
        return finish(h, err);
    if (h->fields++ > 0 && (line[0] == ' ' || line[0] == '\t'))
        return TLSOCK_OK;
    len = tsk_http_token(line);
    if (len == 0 || line[len] != ':')
        return malformed(h, line, "no header field", err);
    line[len] = '\0';
    if (h->status == 407 && tsk_casecmp(line, "Proxy-Authenticate") == 0)
        add_schemes(h, line + len + 1);
    return TLSOCK_OK;
}

int tsk_http_step(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err)
{
    int rc = TLSOCK_OK;

    while (rc == TLSOCK_OK && h->state != DONE) {
        if (h->state == REQUEST)
            rc = send_request(h, t, err);
        else if (h->state == STATUS)
            rc = read_status(h, t, err);
        else
            rc = read_field(h, t, err);
    }
    /* A refused login is said, and stays so, however its header section breaks
     * off. */
    if (rc == TLSOCK_E_PROXY && h->state == FIELDS && is_login(h))
        return unauthorised(h, err);
    return rc;
}
