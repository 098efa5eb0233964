/* Bytes both ways, each direction at the pace of who takes them, each ended by
 * itself. */
#include "intercept_private.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct chan *chan_of(struct conn *c, int from)
{
    if (c->from[from] == NULL) {
        c->from[from] = malloc(sizeof(struct chan));
        if (c->from[from] == NULL)
            return NULL;
        c->from[from]->off = c->from[from]->len = 0;
        c->from[from]->over = 0;
        c->to[from] = c->from[from];
    }
    return c->from[from];
}

static void tap(struct conn *c, int from, const void *bytes, size_t len)
{
    c->bytes[from] += len;
    for (size_t i = 0; i < INTERCEPT_TAPS; i++)
        if (c->taps[i] != NULL)
            c->o->taps[i].data(c->taps[i], from == CLIENT, bytes, len);
}

static void open_taps(struct conn *c, struct intercept_event *e)
{
    for (size_t i = 0; i < INTERCEPT_TAPS; i++) {
        const struct intercept_tap *t = &c->o->taps[i];

        if (c->taps[i] != NULL && t->turn != NULL)
            t->turn(c->taps[i], e);
        else if (c->taps[i] == NULL && t->open != NULL)
            c->taps[i] = t->open(t->arg, e);
    }
}

/* What was read before there was anybody to send it to. */
static int put_first(struct conn *c)
{
    struct chan *to = chan_of(c, CLIENT);
    size_t n = c->entry.head_len + c->wire.len;

    if (to == NULL)
        return conn_fail(c, INTERCEPT_FAIL, NULL, "out of memory");
    _Static_assert(WIRE_MOST + ENTRY_GROWS <= CHAN_SIZE, "all of it has room");
    (void)chan_put(to, c->entry.head, c->entry.head_len);
    (void)chan_put(to, c->wire.seen, c->wire.len);
    c->client_spoke = c->client_spoke || n > 0;
    tap(c, CLIENT, to->buf, n);
    c->wire.len = 0;
    return 0;
}

static int start_hook(struct conn *c)
{
    char why[200];
    int rc = hook_start(c);

    if (rc == 0)
        return 0;
    snprintf(why, sizeof(why), "%.100s: %s", c->o->argv[0], strerror(rc));
    return conn_fail(c, INTERCEPT_FAIL, NULL, why);
}

int relay_begin(struct conn *c, int kind, const char *reason, time_t until)
{
    struct intercept_event e = {.kind = kind, .reason = reason, .until = until};

    conn_event(c, &e);
    c->o->on_event(c->o->arg, &e);
    c->opened = 1;
    c->phase = PH_RELAY;
    conn_clock(c, -1);
    if (kind != INTERCEPT_PASS)
        open_taps(c, &e);
    if (kind == INTERCEPT_PLAIN && c->entry.kind != ENTRY_HTTP &&
        c->wire.len == 0 && !c->client_spoke)
        c->watch = calloc(1, sizeof(*c->watch));
    if (c->o->argv != NULL && kind != INTERCEPT_PASS && c->watch == NULL &&
        start_hook(c) < 0)
        return -1;
    if (kind != INTERCEPT_OPEN && put_first(c) < 0)
        return -1;
    if (kind != INTERCEPT_PLAIN) {
        free(c->wire.seen);
        c->wire.seen = NULL;
        c->wire.len = c->wire.given = 0;
    }
    return 1;
}

static ssize_t read_side(struct conn *c, int from, void *buf, size_t len)
{
    if (from == SERVER)
        return tlsock_read(c->up, buf, len);
    return c->down != NULL ? tlsock_read(c->down, buf, len)
                           : wire_recv(c->fd, buf, len);
}

/* A client that took its time, but speaks TLS after all. */
static int is_late_tls(const struct conn *c)
{
    unsigned char first;

    return c->watch != NULL && !c->client_spoke && !c->server_spoke &&
           recv(c->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1 &&
           first == 0x16;
}

static int wants(const struct conn *c, int from)
{
    const struct chan *ch = c->from[from];

    if (c->cut[from] || c->turning ||
        (from == CLIENT && c->watch != NULL && c->watch->asked))
        return 0;
    if (ch == NULL)
        return 1;
    return !ch->over && (ch->off == ch->len || ch->len < CHAN_SIZE ||
                         ch->off > CHAN_SIZE / 2);
}

static int unwatch(struct conn *c)
{
    free(c->watch);
    c->watch = NULL;
    return c->o->argv != NULL ? start_hook(c) : 0;
}

/* Plaintext is looked at before it goes on. */
static int watched(struct conn *c, int from, const void *buf, size_t n)
{
    size_t good = watch_bytes(c->watch, from == CLIENT, buf, n);

    if (c->watch->state == WATCH_BAD ||
        (c->watch->state == WATCH_TLS && good < n))
        return conn_fail(c, INTERCEPT_DENY, NULL,
                         "plaintext behind the request for TLS, which would "
                         "count as protected");
    if (c->watch->state == WATCH_TLS) {
        c->turning = 1;
        snprintf(c->starttls, sizeof(c->starttls), "%s",
                 watch_protocol(c->watch));
    }
    return 0;
}

static int is_over(const struct chan *ch)
{
    return ch != NULL && ch->over;
}

static int take(struct conn *c, int from)
{
    struct chan *ch;
    unsigned char *place;
    size_t room;
    ssize_t n;

    if (!wants(c, from))
        return 0;
    if (from == CLIENT && is_late_tls(c)) {
        free(c->watch);
        c->watch = NULL;
        return tls_begin(c);
    }
    ch = chan_of(c, from);
    if (ch == NULL)
        return conn_fail(c, INTERCEPT_FAIL, NULL, "out of memory");
    place = chan_place(ch, &room);
    n = read_side(c, from, place, room);
    if (n == TLSOCK_AGAIN)
        return 0;
    if (n <= 0) {
        if (from == CLIENT && c->down != NULL && !is_over(c->from[SERVER]))
            refusal_gone(c, n);
        c->cut[from] = n < 0;
        ch->over = 1;
        return 1;
    }
    if (from == CLIENT)
        c->client_spoke = 1;
    else
        c->server_spoke = 1;
    if (c->down != NULL)
        refusal_heard(c, from);
    if (c->watch != NULL && watched(c, from, place, (size_t)n) < 0)
        return -1;
    tap(c, from, place, (size_t)n);
    ch->len += (size_t)n;
    if (c->watch != NULL && c->watch->state == WATCH_OFF && unwatch(c) < 0)
        return -1;
    return 1;
}

static ssize_t write_side(struct conn *c, int from, const void *buf, size_t len)
{
    if (from == CLIENT)
        return tlsock_write(c->up, buf, len);
    return c->down != NULL ? tlsock_write(c->down, buf, len)
                           : wire_send(c->fd, buf, len);
}

static int say_over(struct conn *c, int from)
{
    int rc = 0;

    if (from == CLIENT)
        rc = tlsock_shutdown(c->up, SHUT_WR);
    else if (c->down != NULL)
        rc = tlsock_shutdown(c->down, SHUT_WR);
    else
        (void)shutdown(c->fd, SHUT_WR);
    if (rc == TLSOCK_AGAIN)
        return 0;
    c->over_said[from] = 1;
    return rc < 0 ? -1 : 1;
}

static int flush(tlsock *s)
{
    int rc = s != NULL ? tlsock_flush(s) : 0;

    return rc == TLSOCK_AGAIN ? 0 : rc;
}

/* -1: who should take it is gone, which ends both directions. */
static int give(struct conn *c, int from)
{
    struct chan *ch = c->to[from];
    ssize_t n;

    if (ch != NULL && ch->off < ch->len) {
        n = write_side(c, from, ch->buf + ch->off, ch->len - ch->off);
        if (n == TLSOCK_AGAIN)
            return 0;
        if (n < 0)
            return -1;
        ch->off += (size_t)n;
        return 1;
    }
    if (ch == NULL || !ch->over || c->over_said[from])
        return flush(from == CLIENT ? c->up : c->down) < 0 ? -1 : 0;
    if (c->cut[from])
        return -1;
    return say_over(c, from);
}

static int is_empty(const struct conn *c)
{
    for (int i = 0; i < 2; i++)
        if (c->to[i] != NULL && c->to[i]->off < c->to[i]->len)
            return 0;
    return 1;
}

/* All of the plaintext has arrived on both sides: TLS begins on both. */
static int turn(struct conn *c)
{
    c->turning = 0;
    free(c->watch);
    c->watch = NULL;
    c->wire.len = c->wire.given = 0;
    c->up_is_plain = c->dialled = 1;
    return tls_begin(c);
}

int relay_step(struct conn *c)
{
    int moved = 0, rc;

    for (int from = 0; from < 2; from++) {
        rc = take(c, from);
        if (rc < 0 || c->phase != PH_RELAY)
            return rc;
        moved |= rc;
    }
    rc = c->hook != NULL ? hook_step(c) : 0;
    if (rc < 0)
        return -1;
    moved |= rc;
    for (int from = 0; from < 2; from++) {
        rc = give(c, from);
        if (rc < 0)
            return -1;
        moved |= rc;
    }
    if (c->turning && is_empty(c))
        return turn(c);
    return c->over_said[0] && c->over_said[1] ? -1 : moved;
}

/* An idle connection keeps no buffers. */
static void release(struct conn *c)
{
    for (int i = 0; c->hook == NULL && i < 2; i++) {
        if (c->to[i] == NULL || c->to[i]->off < c->to[i]->len || c->to[i]->over)
            continue;
        free(c->to[i]);
        c->to[i] = c->from[i] = NULL;
    }
}

static short wish(const struct conn *c, int in, int out, const tlsock *s)
{
    const struct chan *ch = c->to[out];
    short want = wants(c, in) ? POLLIN : 0;

    if ((ch != NULL && ch->off < ch->len) ||
        (s != NULL && (tlsock_events(s) & POLLOUT) != 0))
        want |= POLLOUT;
    return want;
}

void relay_rearm(struct conn *c, int busy)
{
    int ready = 0;

    release(c);
    conn_watch(c, &c->cl, c->down != NULL ? tlsock_fd(c->down) : c->fd,
               wish(c, CLIENT, SERVER, c->down));
    conn_watch(c, &c->up_side, tlsock_fd(c->up),
               wish(c, SERVER, CLIENT, c->up));
    if (c->hook != NULL)
        hook_rearm(c);
    /* decrypted bytes that wait here wake nobody */
    ready =
        (wants(c, SERVER) && tlsock_pending(c->up) > 0) ||
        (c->down != NULL && wants(c, CLIENT) && tlsock_pending(c->down) > 0);
    if (!busy)
        conn_clock(c, ready ? 0 : -1);
}
