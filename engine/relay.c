#include "relay.h"

#include "child.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHAN_SIZE 32768 /* at most so much waits in each direction */
#define ROUNDS 16       /* then the others get their turn */
#define LINGER_MS 5000  /* we are done: how long the peer may take to close */

/* Bytes on their way: from off to len; over says that no more will come. */
struct chan {
    unsigned char buf[CHAN_SIZE];
    size_t off, len;
    int over;
};

struct relay {
    struct relay_link link;
    struct event_base *base;
    const struct engine_opts *opts;
    void (*done)(struct relay *r, int code, void *arg);
    void *arg;
    tlsock *s;
    unsigned long id;
    struct event *ev, *ev_to, *ev_from;
    int ev_fd;
    struct chan *up, *down; /* to the peer, from the peer */
    struct child child;     /* -1: none, or closed */
    size_t replied;
    uint64_t received, sent;
    int open, peer_over, said_over;
    tlsock_error err; /* a failure of our own */
};

static void go_on(evutil_socket_t fd, short what, void *arg);

struct relay_link *relay_link(struct relay *r)
{
    return &r->link;
}

static size_t chan_room(struct chan *c)
{
    if (c->off == c->len)
        c->off = c->len = 0;
    if (c->len == CHAN_SIZE && c->off > CHAN_SIZE / 2) {
        memmove(c->buf, c->buf + c->off, c->len - c->off);
        c->len -= c->off;
        c->off = 0;
    }
    return CHAN_SIZE - c->len;
}

static void close_to(struct relay *r)
{
    if (r->ev_to != NULL)
        event_free(r->ev_to);
    if (r->child.to >= 0)
        close(r->child.to);
    r->ev_to = NULL;
    r->child.to = -1;
}

static void close_from(struct relay *r)
{
    if (r->ev_from != NULL)
        event_free(r->ev_from);
    if (r->child.from >= 0)
        close(r->child.from);
    r->ev_from = NULL;
    r->child.from = -1;
}

static void free_relay(struct relay *r)
{
    close_to(r);
    close_from(r);
    if (r->ev != NULL)
        event_free(r->ev);
    tlsock_close(r->s);
    free(r->up);
    free(r->down);
    free(r);
}

static void end(struct relay *r, const tlsock_error *err)
{
    struct engine_end told = {err, r->received, r->sent, r->open};
    int code = err != NULL ? err->code : 0;

    r->opts->on_end(r->opts->arg, r->s, r->id, &told);
    r->done(r, code, r->arg);
    free_relay(r);
}

/* What the system refused us, in the words of the library's errors. */
static const tlsock_error *own_failure(struct relay *r, int code, int errnum,
                                       const char *what)
{
    r->err.code = code;
    r->err.sys_errno = errnum;
    snprintf(r->err.message, sizeof(r->err.message), "%s: %s", what,
             strerror(errnum));
    return &r->err;
}

static const tlsock_error *start(struct relay *r)
{
    int rc;

    r->open = 1;
    r->opts->on_open(r->opts->arg, r->s, r->id);
    r->up = calloc(1, sizeof(*r->up));
    r->down = calloc(1, sizeof(*r->down));
    if (r->up == NULL || r->down == NULL)
        return own_failure(r, TLSOCK_E_NOMEM, ENOMEM, "buffers");
    if (r->opts->mode != ENGINE_EXEC)
        return NULL;
    rc = child_start(&r->child, r->opts->argv);
    if (rc != 0)
        return own_failure(r, TLSOCK_E_SYSTEM, rc, r->opts->argv[0]);
    r->ev_to = event_new(r->base, r->child.to, EV_WRITE, go_on, r);
    r->ev_from = event_new(r->base, r->child.from, EV_READ, go_on, r);
    if (r->ev_to == NULL || r->ev_from == NULL)
        return own_failure(r, TLSOCK_E_NOMEM, ENOMEM, "events");
    return NULL;
}

/* Where the peer's bytes go: an echo sends them straight back. */
static struct chan *inbox(struct relay *r)
{
    return r->opts->mode == ENGINE_ECHO ? r->up : r->down;
}

static int wants_input(struct relay *r)
{
    return !r->peer_over && chan_room(inbox(r)) > 0;
}

/* 1: something moved; 0: not now; negative: failed. */
static int from_peer(struct relay *r)
{
    struct chan *c = inbox(r);
    ssize_t n;

    if (!wants_input(r))
        return 0;
    n = tlsock_read(r->s, c->buf + c->len, chan_room(c));
    if (n == TLSOCK_AGAIN)
        return 0;
    if (n < 0)
        return (int)n;
    if (n == 0) {
        r->peer_over = 1;
        c->over = 1;
        return 1;
    }
    c->len += (size_t)n;
    r->received += (uint64_t)n;
    return 1;
}

/* The program's end of the peer's bytes. A program that reads no more gets
 * no more; what it would have got is dropped. */
static int to_program(struct relay *r)
{
    struct chan *c = r->down;
    ssize_t n;

    if (r->opts->mode == ENGINE_ECHO)
        return 0;
    if (r->child.to < 0) {
        n = (ssize_t)(c->len - c->off);
        c->off = c->len = 0;
        return n > 0 && r->opts->mode == ENGINE_EXEC;
    }
    if (c->off < c->len) {
        n = write(r->child.to, c->buf + c->off, c->len - c->off);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0)
            close_to(r);
        else
            c->off += (size_t)n;
        return 1;
    }
    if (c->over)
        close_to(r);
    return 0;
}

static int from_program(struct relay *r)
{
    struct chan *c = r->up;
    ssize_t n;

    if (r->child.from < 0 || chan_room(c) == 0)
        return 0;
    n = read(r->child.from, c->buf + c->len, chan_room(c));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n > 0) {
        c->len += (size_t)n;
        return 1;
    }
    close_from(r);
    c->over = 1;
    return 1;
}

static int from_reply(struct relay *r)
{
    struct chan *c = r->up;
    size_t n = r->opts->reply_len - r->replied;

    if (c->over || (r->received == 0 && !r->peer_over))
        return 0;
    if (n > chan_room(c))
        n = chan_room(c);
    if (n > 0)
        memcpy(c->buf + c->len, (const char *)r->opts->reply + r->replied, n);
    c->len += n;
    r->replied += n;
    c->over = r->replied == r->opts->reply_len;
    return n > 0 || c->over;
}

static int fill_up(struct relay *r)
{
    if (r->opts->mode == ENGINE_EXEC)
        return from_program(r);
    return r->opts->mode == ENGINE_REPLY ? from_reply(r) : 0;
}

/* What the connection has taken over may still wait for the socket. */
static int flush(struct relay *r)
{
    int rc = tlsock_flush(r->s);

    return rc == TLSOCK_AGAIN ? 0 : rc;
}

static int to_peer(struct relay *r)
{
    struct chan *c = r->up;
    ssize_t n;

    if (c->off < c->len) {
        n = tlsock_write(r->s, c->buf + c->off, c->len - c->off);
        if (n == TLSOCK_AGAIN)
            return 0;
        if (n < 0)
            return (int)n;
        c->off += (size_t)n;
        r->sent += (uint64_t)n;
        return 1;
    }
    if (!c->over || r->said_over)
        return flush(r);
    n = tlsock_shutdown(r->s, SHUT_WR);
    if (n == TLSOCK_AGAIN)
        return 0;
    if (n < 0)
        return (int)n;
    r->said_over = 1;
    tlsock_set_deadline(r->s, LINGER_MS);
    return 1;
}

/* All is sent and said: a peer that just vanishes now has missed nothing, and
 * one that stays silent is let go. */
static int is_fault(const struct relay *r, int code)
{
    return !(r->said_over &&
             (code == TLSOCK_E_TRUNCATED || code == TLSOCK_E_RESET ||
              code == TLSOCK_E_TIMEOUT));
}

static int move(struct relay *r)
{
    int (*const steps[])(struct relay *) = {from_peer, to_program, fill_up,
                                            to_peer};
    int moved = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int rc = steps[i](r);

        if (rc < 0)
            return rc;
        moved |= rc;
    }
    return moved;
}

static void add(struct event *ev, int ms)
{
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

    event_add(ev, ms >= 0 ? &tv : NULL);
}

/* The connection's descriptor changes once; its event follows. */
static int watch(struct relay *r, short want, int ms)
{
    short ev = (short)((want & POLLIN ? EV_READ : 0) |
                       (want & POLLOUT ? EV_WRITE : 0));
    int fd = tlsock_fd(r->s);

    if (r->ev == NULL || fd != r->ev_fd) {
        if (r->ev != NULL)
            event_free(r->ev);
        r->ev = event_new(r->base, fd, ev, go_on, r);
        r->ev_fd = fd;
    } else {
        event_del(r->ev);
        event_assign(r->ev, r->base, fd, ev, go_on, r);
    }
    if (r->ev == NULL)
        return -1;
    if (ev != 0 || ms >= 0)
        add(r->ev, ms);
    return 0;
}

static int rearm(struct relay *r, int busy)
{
    short want = tlsock_events(r->s);
    int ms = tlsock_timeout(r->s);

    if (r->open) {
        int in = wants_input(r);

        /* a peer we cannot take more from is not listened to */
        want = (short)((in ? POLLIN : 0) | (want & POLLOUT));
        if (r->up->off < r->up->len)
            want |= POLLOUT;
        /* "now" is for a reader; without room to read it would spin */
        if (!in && ms == 0 && !busy)
            ms = -1;
        if (r->child.to >= 0 && r->down->off < r->down->len)
            add(r->ev_to, -1);
        if (r->child.from >= 0 && chan_room(r->up) > 0)
            add(r->ev_from, -1);
    }
    return watch(r, want, busy ? 0 : ms);
}

/* Both sides have said so, and the program has got all it was sent. */
static int finished(const struct relay *r)
{
    return r->peer_over && r->said_over && r->child.to < 0;
}

static void go_on(evutil_socket_t fd, short what, void *arg)
{
    struct relay *r = arg;
    const tlsock_error *err = NULL;
    int rc = 1;

    (void)fd;
    (void)what;
    if (!r->open) {
        rc = tlsock_handshake(r->s);
        if (rc == 0) {
            err = start(r);
            rc = 1;
        } else if (rc == TLSOCK_AGAIN) {
            rc = 0;
        }
    }
    for (int i = 0; rc > 0 && err == NULL && r->open && i < ROUNDS; i++)
        rc = move(r);
    if (rc < 0)
        err = is_fault(r, rc) ? tlsock_last_error(r->s) : NULL;
    if (rc < 0 || err != NULL || finished(r)) {
        end(r, err);
        return;
    }
    if (rearm(r, rc > 0) < 0)
        end(r, own_failure(r, TLSOCK_E_NOMEM, ENOMEM, "events"));
}

struct relay *relay_new(struct event_base *base, tlsock *s, unsigned long id,
                        const struct engine_opts *opts,
                        void (*done)(struct relay *r, int code, void *arg),
                        void *arg)
{
    struct relay *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        tlsock_abandon(s);
        return NULL;
    }
    r->base = base;
    r->opts = opts;
    r->done = done;
    r->arg = arg;
    r->s = s;
    r->id = id;
    r->child.to = r->child.from = -1;
    if (watch(r, POLLIN, 0) < 0) { /* the first step comes from the loop */
        free_relay(r);
        return NULL;
    }
    return r;
}

void relay_stop(struct relay *r)
{
    free_relay(r);
}
