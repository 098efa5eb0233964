#include "relay.h"

#include "chan.h"
#include "program.h"
#include "site.h"
#include "sniff.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 16      /* then the others get their turn */
#define LINGER_MS 5000 /* we are done: how long the peer may take to close */
#define FILE_PIECE 262144

struct relay {
    struct relay_link link;
    struct event_base *base;
    const struct engine_opts *opts;
    void (*done)(struct relay *r, int code, void *arg);
    void *arg;
    tlsock *s;
    unsigned long id;
    struct event *ev;
    int ev_fd;
    struct sniff *sniff;    /* waits for what tells TLS from plaintext */
    int told_apart;         /* and that has been seen */
    struct chan *up, *down; /* to the peer, from the peer */
    struct program program;
    struct site *site;
    size_t replied;
    uint64_t received, sent;
    int open, peer_over, said_over;
    int answering;    /* files: an answer is on its way */
    tlsock_error err; /* a failure of our own */
};

static void go_on(evutil_socket_t fd, short what, void *arg);

struct relay_link *relay_link(struct relay *r)
{
    return &r->link;
}

static void free_relay(struct relay *r)
{
    program_close(&r->program);
    site_free(r->site);
    sniff_free(r->sniff);
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
    if (r->opts->mode == ENGINE_FILES) {
        r->site = site_new(r->opts->root);
        if (r->site == NULL)
            return own_failure(r, TLSOCK_E_NOMEM, ENOMEM, "buffers");
        tlsock_set_deadline(r->s, r->opts->patience_ms);
    }
    if (r->opts->mode != ENGINE_EXEC)
        return NULL;
    rc = program_start(&r->program, r->base, r->opts->argv, go_on, r);
    if (rc != 0)
        return own_failure(r, TLSOCK_E_SYSTEM, rc, r->opts->argv[0]);
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
    unsigned char *place;
    size_t room;
    ssize_t n;

    if (!wants_input(r))
        return 0;
    place = chan_place(c, &room);
    n = tlsock_read(r->s, place, room);
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

static int from_reply(struct relay *r)
{
    struct chan *c = r->up;
    size_t n;

    r->down->off = r->down->len = 0;
    if (c->over || (r->received == 0 && !r->peer_over))
        return 0;
    n = chan_put(c, (const char *)r->opts->reply + r->replied,
                 r->opts->reply_len - r->replied);
    r->replied += n;
    c->over = r->replied == r->opts->reply_len;
    return n > 0 || c->over;
}

static int from_program(struct relay *r)
{
    int moved = program_take(&r->program, r->down);

    return program_give(&r->program, r->up) || moved;
}

static uint64_t file_left(const struct relay *r)
{
    int64_t offset;
    int fd;

    return r->site != NULL ? site_file(r->site, &fd, &offset) : 0;
}

/* A request has its time from the end of the last answer on, byte by byte or
 * not; an answer has as long as it moves. */
static int from_site(struct relay *r)
{
    struct site_entry entry;
    int moved = site_step(r->site, r->down, r->up, &entry);

    if (entry.status != 0)
        r->opts->on_request(r->opts->arg, r->id, entry.path, entry.status,
                            entry.length);
    if (r->answering && !r->said_over && r->up->off == r->up->len &&
        !site_answering(r->site)) {
        r->answering = 0;
        tlsock_set_deadline(r->s, r->opts->patience_ms);
    }
    return moved;
}

/* What answers moves on. */
static int answer(struct relay *r)
{
    switch (r->opts->mode) {
    case ENGINE_EXEC:
        return from_program(r);
    case ENGINE_REPLY:
        return from_reply(r);
    case ENGINE_FILES:
        return from_site(r);
    default:
        return 0;
    }
}

/* What the connection has taken over may still wait for the socket. */
static int flush(struct relay *r)
{
    int rc = tlsock_flush(r->s);

    return rc == TLSOCK_AGAIN ? 0 : rc;
}

static void count_sent(struct relay *r, ssize_t n)
{
    r->sent += (uint64_t)n;
    if (r->site == NULL)
        return;
    r->answering = 1;
    tlsock_set_deadline(r->s, r->opts->patience_ms);
}

static int send_file(struct relay *r)
{
    int fd;
    int64_t offset;
    uint64_t left = site_file(r->site, &fd, &offset);
    ssize_t n = tlsock_sendfile(r->s, fd, &offset,
                                left < FILE_PIECE ? (size_t)left : FILE_PIECE);

    if (n == TLSOCK_AGAIN)
        return 0;
    if (n < 0)
        return (int)n;
    if (n == 0) { /* no end of it may look like the end of the file */
        own_failure(r, TLSOCK_E_SYSTEM, EIO,
                    "a file became shorter while it "
                    "was sent");
        return TLSOCK_E_SYSTEM;
    }
    site_sent(r->site, (uint64_t)n);
    count_sent(r, n);
    return 1;
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
        count_sent(r, n);
        return 1;
    }
    if (file_left(r) > 0)
        return send_file(r);
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

/* All is sent and said, or nothing was asked for: a peer that just vanishes now
 * has missed nothing, and one that stays silent is let go. */
static int is_fault(const struct relay *r, int code)
{
    int idle = r->said_over || (r->site != NULL && !r->answering &&
                                r->down->off == r->down->len);

    return !(idle && (code == TLSOCK_E_TRUNCATED || code == TLSOCK_E_RESET ||
                      code == TLSOCK_E_TIMEOUT));
}

static int move(struct relay *r)
{
    int (*const steps[])(struct relay *) = {from_peer, answer, to_peer};
    int moved = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int rc = steps[i](r);

        if (rc < 0)
            return rc;
        moved |= rc;
    }
    return moved;
}

static int add(struct event *ev, int ms)
{
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

    return event_add(ev, ms >= 0 ? &tv : NULL);
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
    return ev != 0 || ms >= 0 ? add(r->ev, ms) : 0;
}

static int rearm_open(struct relay *r, int busy)
{
    short want = tlsock_events(r->s);
    int ms = tlsock_timeout(r->s);

    if (r->open) {
        int in = wants_input(r);

        /* a peer we cannot take more from is not listened to */
        want = (short)((in ? POLLIN : 0) | (want & POLLOUT));
        if (r->up->off < r->up->len || file_left(r) > 0)
            want |= POLLOUT;
        /* "now" is for a reader; without room to read it would spin */
        if (!in && ms == 0 && !busy)
            ms = -1;
        if (program_rearm(&r->program, r->down, r->up) < 0)
            return -1;
    }
    return watch(r, want, busy ? 0 : ms);
}

/* Both sides have said so, and the program has got all it was sent. */
static int finished(const struct relay *r)
{
    return r->peer_over && r->said_over && r->program.child.to < 0;
}

/* The client speaks no TLS, and may: another handle takes its socket over. */
static const tlsock_error *become_plain(struct relay *r)
{
    int fd = fcntl(tlsock_fd(r->s), F_DUPFD_CLOEXEC, 0);
    tlsock *plain;

    if (fd < 0)
        return own_failure(r, TLSOCK_E_SYSTEM, errno, "descriptor");
    plain =
        tlsock_server_fd(fd, r->opts->config,
                         TLSOCK_OPTS(.nonblocking = 1, .plain = 1), &r->err);
    if (plain == NULL) {
        close(fd);
        return &r->err;
    }
    if (r->ev != NULL)
        event_free(r->ev);
    r->ev = NULL;
    tlsock_abandon(r->s);
    r->s = plain;
    return NULL;
}

/* 1: known now; 0: not yet. */
static int tell_apart(struct relay *r, const tlsock_error **err)
{
    int verdict;

    if (r->sniff == NULL) {
        r->sniff = sniff_new(r->base, tlsock_fd(r->s), go_on, r);
        if (r->sniff == NULL) {
            *err = own_failure(r, TLSOCK_E_NOMEM, ENOMEM, "events");
            return 0;
        }
    }
    verdict = sniff_look(r->sniff);
    /* who says nothing in time fails as any handshake does */
    if (verdict == TLSOCK_SNIFF_NONE && tlsock_timeout(r->s) != 0)
        return 0;
    sniff_free(r->sniff);
    r->sniff = NULL;
    r->told_apart = 1;
    if (verdict == TLSOCK_SNIFF_PLAIN)
        *err = become_plain(r);
    return *err == NULL;
}

/* 1: data may flow; 0: not yet; negative: failed. */
static int open_up(struct relay *r, const tlsock_error **err)
{
    int rc;

    if (r->opts->plain_too && !r->told_apart && !tell_apart(r, err))
        return 0;
    rc = tlsock_handshake(r->s);
    if (rc == TLSOCK_AGAIN)
        return 0;
    if (rc < 0)
        return rc;
    *err = start(r);
    return 1;
}

static const tlsock_error *failure(struct relay *r, int rc)
{
    if (!is_fault(r, rc))
        return NULL;
    return r->err.code == rc ? &r->err : tlsock_last_error(r->s);
}

static int rearm(struct relay *r, int busy)
{
    if (r->sniff !=
        NULL) /* it has an event of its own: this one is the clock */
        return watch(r, 0, tlsock_timeout(r->s));
    return rearm_open(r, busy);
}

/* Nothing would ever wake it. */
static const tlsock_error *unwatched(struct relay *r)
{
    int errnum = errno != 0 ? errno : ENOMEM;

    return own_failure(r, errnum == ENOMEM ? TLSOCK_E_NOMEM : TLSOCK_E_SYSTEM,
                       errnum, "events");
}

static void go_on(evutil_socket_t fd, short what, void *arg)
{
    struct relay *r = arg;
    const tlsock_error *err = NULL;
    int rc = 1;

    (void)fd;
    (void)what;
    if (!r->open)
        rc = open_up(r, &err);
    for (int i = 0; rc > 0 && err == NULL && r->open && i < ROUNDS; i++)
        rc = move(r);
    if (rc < 0)
        err = failure(r, rc);
    if (rc < 0 || err != NULL || finished(r)) {
        end(r, err);
        return;
    }
    errno = 0;
    if (rearm(r, rc > 0) < 0)
        end(r, unwatched(r));
}

struct relay *relay_new(struct event_base *base, tlsock *s, unsigned long id,
                        const struct engine_opts *opts,
                        void (*done)(struct relay *r, int code, void *arg),
                        void *arg)
{
    struct relay *r = calloc(1, sizeof(*r));
    int saved;

    if (r == NULL) {
        tlsock_abandon(s);
        errno = ENOMEM;
        return NULL;
    }
    r->base = base;
    r->opts = opts;
    r->done = done;
    r->arg = arg;
    r->s = s;
    r->id = id;
    r->program = (struct program)PROGRAM_NONE;
    if (watch(r, POLLIN, 0) < 0) { /* the first step comes from the loop */
        saved = errno;
        free_relay(r);
        errno = saved;
        return NULL;
    }
    return r;
}

void relay_stop(struct relay *r)
{
    free_relay(r);
}
