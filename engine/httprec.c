/* Which protocol it is, and whom its bytes go to. */
#include "httprec_private.h"

#include <stdlib.h>
#include <string.h>

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* What begins so is HTTP/2, or HTTP/1: 1, 0 no, -1 not yet to be said. */
static int h2_is(const unsigned char *bytes, size_t len)
{
    size_t n = sizeof(preface) - 1;

    if (memcmp(bytes, preface, len < n ? len : n) != 0)
        return 0;
    return len < n ? -1 : 1;
}

/* A method and a space; the rest is the parser's. */
static int h1_is(const unsigned char *bytes, size_t len)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    size_t n = 0;

    for (; n < len && bytes[n] != ' '; n++) {
        unsigned char c = bytes[n] | 0x20;

        if (n == 32 ||
            !((c >= 'a' && c <= 'z') || (bytes[n] >= '0' && bytes[n] <= '9') ||
              (bytes[n] != '\0' && strchr(marks, bytes[n]) != NULL)))
            return 0;
    }
    if (n == len)
        return -1;
    return n > 0;
}

struct httprec *httprec_new(const struct httprec_opts *opts)
{
    struct httprec *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->o = *opts;
    r->note = "";
    r->scheme = strdup(opts->scheme);
    r->host = strdup(opts->host);
    r->is_h2 = strcmp(opts->alpn, "h2") == 0;
    r->o.scheme = r->scheme;
    r->o.host = r->host;
    r->o.alpn = NULL;
    if (r->scheme == NULL || r->host == NULL) {
        httprec_free(r);
        return NULL;
    }
    return r;
}

const char *httprec_note(const struct httprec *r)
{
    return r->note;
}

const char *httprec_protocol(const struct httprec *r)
{
    return r->was == REC_H1 ? "HTTP/1.1" : r->was == REC_H2 ? "HTTP/2" : "";
}

static void forget(struct pending *p)
{
    free(p->buf);
    *p = (struct pending){NULL, 0, 0};
}

void rec_stop(struct httprec *r, const char *why)
{
    if (r->state == REC_OFF)
        return;
    r->state = REC_OFF; /* httprec_data() tells what was under way */
    r->note = why;
}

static int keep(struct httprec *r, int from, const unsigned char *p, size_t len)
{
    struct pending *to = &r->pending[from];
    unsigned char *more;

    if (len == 0)
        return 0;
    if (to->len + len > to->room) {
        size_t room = to->room < 4096 ? 4096 : to->room * 2;

        if (room < to->len + len)
            room = to->len + len;
        if (room > PENDING_MOST && to->len + len <= PENDING_MOST)
            room = PENDING_MOST;
        more = room <= PENDING_MOST ? realloc(to->buf, room) : NULL;
        if (more == NULL) {
            rec_stop(r, room <= PENDING_MOST
                            ? "no memory"
                            : "one side is too far ahead of the other");
            return -1;
        }
        to->buf = more;
        to->room = room;
    }
    memcpy(to->buf + to->len, p, len);
    to->len += len;
    return 0;
}

/* By what the client sends first; a server of HTTP/1 never begins. */
static void find(struct httprec *r)
{
    const struct pending *c = &r->pending[CLIENT];
    int h2 = c->len > 0 ? h2_is(c->buf, c->len) : -1, h1;

    if (h2 < 0 && r->pending[SERVER].len > 0 && c->len == 0 && !r->is_h2) {
        rec_stop(r, "the server speaks first: this is no HTTP");
        return;
    }
    if (h2 < 0)
        return;
    h1 = h2 || r->is_h2 ? 0 : h1_is(c->buf, c->len);
    if (h1 < 0)
        return;
    if (!h2 && !h1) {
        rec_stop(r, r->is_h2 ? "no HTTP/2, though both agreed on h2"
                             : "this is no HTTP");
        return;
    }
    if (h2 ? !httprec_has_h2() : !httprec_has_h1()) {
        rec_stop(r, h2 ? "HTTP/2 is not recorded: built without libnghttp2"
                       : "HTTP/1.1 is not recorded: built without libhtp");
        return;
    }
    r->state = r->was = h2 ? REC_H2 : REC_H1;
    if ((h2 ? h2_start(r) : h1_start(r)) < 0)
        rec_stop(r, "no memory");
}

/* What waits, for as long as one side's going on lets the other's. */
static void pump(struct httprec *r)
{
    size_t moved = 1;

    while (moved > 0 && (r->state == REC_H1 || r->state == REC_H2)) {
        moved = 0;
        for (int from = CLIENT; from >= SERVER; from--) {
            struct pending *p = &r->pending[from];
            size_t n = p->len;

            if (n == 0)
                continue;
            if (r->state == REC_H2)
                h2_data(r, from, p->buf, n);
            else
                n = h1_data(r, from, p->buf, n);
            if (r->state == REC_OFF)
                return;
            memmove(p->buf, p->buf + n, p->len - n);
            p->len -= n;
            moved += n;
        }
    }
}

void httprec_data(struct httprec *r, int from_client, const void *bytes,
                  size_t len, int64_t now)
{
    int from = from_client ? CLIENT : SERVER;
    const unsigned char *p = bytes;

    if (len == 0 || r->state == REC_OFF)
        return;
    r->now = now;
    if (r->state == REC_H2) {
        h2_data(r, from, p, len);
    } else if (r->state == REC_H1 && r->pending[from].len == 0) {
        size_t n = h1_data(r, from, p, len);

        if (r->state == REC_OFF || keep(r, from, p + n, len - n) == 0)
            pump(r);
    } else if (keep(r, from, p, len) == 0) {
        if (r->state == REC_UNKNOWN)
            find(r);
        pump(r);
    }
    if (r->state == REC_OFF) {
        while (r->live != NULL)
            tx_done(r, r->live, r->note);
        forget(&r->pending[CLIENT]);
        forget(&r->pending[SERVER]);
        h1_free(r);
        h2_free(r);
    }
}

void httprec_close(struct httprec *r, int64_t now)
{
    r->now = now;
    if (r->state == REC_H1)
        h1_close(r);
    if (r->state == REC_UNKNOWN)
        r->note = r->pending[CLIENT].len > 0 ? "this is no HTTP" : "";
    while (r->live != NULL)
        tx_done(r, r->live,
                r->live->status == 0 ? "the connection ended without a response"
                                     : "the connection ended before the "
                                       "response did");
    r->state = REC_OFF;
}

void httprec_free(struct httprec *r)
{
    if (r == NULL)
        return;
    h1_free(r);
    h2_free(r);
    while (r->live != NULL)
        tx_drop(r, r->live);
    forget(&r->pending[CLIENT]);
    forget(&r->pending[SERVER]);
    free(r->scheme);
    free(r->host);
    free(r);
}
