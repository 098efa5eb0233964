#include "pump.h"

#include "errors.h"
#include "replies.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <tlsock/info.h>
#include <unistd.h>

/* PUMP_QUIET: the peer is done when it has been silent for so long, */
#define ANSWERED_MS 300    /* having answered, */
#define UNANSWERED_MS 1000 /* or not; */
#define PATIENCE_MS 5000   /* and this is the end of all waiting */

struct chan {
    unsigned char buf[65536];
    size_t off, len;
};

struct pump {
    tlsock *s;
    struct chan up, down;
    int in_over;   /* stdin has ended */
    int said_over; /* and the peer has been told */
    int peer_over; /* the peer has said so */
    int left;      /* and is gone */
    int to_leave;  /* TLS is to end here: nothing is sent any more */
    int tls_over;  /* the peer's close_notify is there */
    int stepwise;  /* a line waits for the answer to the one before it */
    int due;       /* which has not come */
    unsigned long answered;
    int heard;     /* the peer has said something since we last did */
    int64_t moved; /* when something last did, ms */
    int64_t ended; /* and when stdin did */
    int out;       /* stdout, or another way to the same pipe */
    size_t out_max;
    const struct pump_opts *opts;
    struct replies replies;
    struct pump_result *result;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int is_plain(const struct pump *p)
{
    return tlsock_info_int(p->s, TLSOCK_INFO_STATE) == TLSOCK_STATE_PLAIN;
}

static int from_stdin(struct pump *p)
{
    ssize_t n = read(STDIN_FILENO, p->up.buf, sizeof(p->up.buf));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n < 0) {
        p->result->errnum = errno;
        return PUMP_NO_STDIN;
    }
    p->up.off = 0;
    p->up.len = (size_t)n;
    p->in_over = n == 0;
    p->ended = now_ms();
    return 0;
}

static int to_stdout(struct pump *p)
{
    struct chan *c = &p->down;
    size_t n = c->len - c->off;
    ssize_t rc;

    if (n == 0)
        return 0;
    rc = write(p->out, c->buf + c->off, n < p->out_max ? n : p->out_max);
    if (rc < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (rc < 0) {
        p->result->errnum = errno;
        return errno == EPIPE ? PUMP_NO_STDOUT : PUMP_NO_STDIN;
    }
    c->off += (size_t)rc;
    return 0;
}

static void read_along(struct pump *p, const void *bytes, size_t n)
{
    if (!p->stepwise)
        return;
    replies_feed(&p->replies, bytes, n);
    if (p->replies.n != p->answered)
        p->due = 0;
    p->answered = p->replies.n;
    p->to_leave = p->replies.seen;
}

static int from_peer(struct pump *p)
{
    struct chan *c = &p->down;
    ssize_t n;

    if (p->peer_over || p->tls_over || c->off < c->len)
        return 0;
    n = tlsock_read(p->s, c->buf, sizeof(c->buf));
    if (n == TLSOCK_AGAIN)
        return 0;
    if (n < 0)
        return (int)n;
    c->off = 0;
    c->len = (size_t)n;
    p->result->received += (uint64_t)n;
    p->moved = now_ms();
    p->heard = 1;
    read_along(p, c->buf, c->len);
    /* the end of TLS is not the end of what goes on in plaintext */
    p->tls_over = n == 0 && p->to_leave;
    p->peer_over = n == 0 && !p->to_leave;
    return 0;
}

/* The peer has said the word: TLS ends on both sides, the session goes on. */
static int leave_tls(struct pump *p)
{
    int rc;

    if (!p->to_leave || p->down.off < p->down.len)
        return 0;
    rc = tlsock_stop_tls(p->s);
    if (rc == TLSOCK_AGAIN)
        return 0;
    if (rc == TLSOCK_E_STATE && !p->tls_over) /* the peer has more to say */
        return 0;
    if (rc < 0)
        return rc;
    p->tls_over = p->to_leave = p->stepwise = p->due = p->said_over = 0;
    p->opts->on_plain(p->opts->arg);
    return 0;
}

/* A peer that refuses us, or has heard enough, says why before it closes: no
 * more is sent, but what it says is read to the end. */
static int stop_sending(struct pump *p)
{
    p->result->err = *tlsock_last_error(p->s);
    p->up.off = p->up.len;
    p->in_over = p->said_over = 1;
    return 0;
}

/* How much of what stdin gave may go out now. */
static size_t may_send(const struct pump *p)
{
    const struct chan *c = &p->up;
    const unsigned char *lf;

    if (p->to_leave || p->due || c->off == c->len)
        return 0;
    if (!p->stepwise)
        return c->len - c->off;
    lf = memchr(c->buf + c->off, '\n', c->len - c->off);
    return lf != NULL ? (size_t)(lf - c->buf) + 1 - c->off : c->len - c->off;
}

/* Whether to say that we are done: 0 now, -1 not at all, or in so many ms.
 *
 * Servers that close right after their last word have not read our
 * close_notify by then: TCP answers that with a reset, and a reset may take
 * their last word with it. Before TLS 1.3 they even MUST close at once when
 * they read it, "discarding any pending writes" (RFC 5246, 7.2.1). So a peer
 * is not told while it may be about to answer. The end of plaintext is no data,
 * and resets nothing. */
static int64_t until_said(const struct pump *p)
{
    int64_t now, quiet, patience;

    if (!p->in_over || p->said_over || p->to_leave || p->up.off < p->up.len ||
        (p->opts->half_close == PUMP_NEVER && !p->peer_over))
        return -1;
    if (p->opts->half_close != PUMP_QUIET || p->peer_over || is_plain(p))
        return 0;
    now = now_ms();
    quiet = p->moved + (p->heard ? ANSWERED_MS : UNANSWERED_MS) - now;
    patience = p->ended + PATIENCE_MS - now;
    if (patience < quiet)
        quiet = patience;
    return quiet > 0 ? quiet : 0;
}

static int say_over(struct pump *p)
{
    int rc;

    if (until_said(p) != 0)
        return 0;
    rc = tlsock_shutdown(p->s, SHUT_WR);
    if (rc == TLSOCK_AGAIN)
        return 0;
    if (rc < 0)
        return stop_sending(p);
    p->said_over = 1;
    return 0;
}

static int to_peer(struct pump *p)
{
    struct chan *c = &p->up;
    size_t most = may_send(p);
    ssize_t n;

    if (most == 0)
        return say_over(p);
    n = tlsock_write(p->s, c->buf + c->off, most);
    if (n == TLSOCK_AGAIN)
        return 0;
    if (n < 0)
        return stop_sending(p);
    c->off += (size_t)n;
    p->moved = now_ms();
    p->heard = 0;
    p->due = p->stepwise && c->buf[c->off - 1] == '\n';
    return 0;
}

static int wait_for_any(struct pump *p, tlsock_pollitem items[4])
{
    int64_t ms = until_said(p);
    int sending = may_send(p) > 0 || ms == 0 || p->tls_over;
    int reading = !p->peer_over && !p->tls_over && p->down.off == p->down.len;
    int filled = p->down.off < p->down.len;

    items[0] = (tlsock_pollitem){.s = p->s, .fd = -1};
    items[0].events = (short)((reading ? POLLIN : 0) | (sending ? POLLOUT : 0));
    if (items[0].events == 0)
        items[0].s = NULL;
    items[1] = (tlsock_pollitem){.fd = -1, .events = POLLIN};
    if (!p->in_over && p->up.off == p->up.len)
        items[1].fd = STDIN_FILENO;
    items[2] = (tlsock_pollitem){.fd = filled ? p->out : -1, .events = POLLOUT};
    /* the peer said that it is done, and has left too: nobody is there to
     * read what we might still send */
    items[3] = (tlsock_pollitem){.fd = p->peer_over ? tlsock_fd(p->s) : -1,
                                 .events = POLLRDHUP};
    return tlsock_poll(items, 4, ms > 0 ? (int)ms : -1);
}

static int one_round(struct pump *p)
{
    tlsock_pollitem items[4];
    int rc = wait_for_any(p, items);

    if (rc < 0)
        return rc;
    rc = 0;
    p->left = p->left || items[3].revents != 0;
    if (items[1].revents != 0)
        rc = from_stdin(p);
    if (rc == 0 && items[2].revents != 0)
        rc = to_stdout(p);
    return rc;
}

static int over(const struct pump *p)
{
    if (!p->peer_over || p->down.off < p->down.len)
        return 0;
    return p->said_over || p->left || isatty(STDIN_FILENO);
}

static int run(struct pump *p)
{
    int rc = 0;

    while (rc == 0 && !over(p)) {
        rc = from_peer(p);
        if (rc == 0)
            rc = leave_tls(p);
        if (rc == 0)
            rc = to_peer(p);
        if (rc == 0 && !over(p))
            rc = one_round(p);
    }
    return rc;
}

/* poll() promises room for PIPE_BUF bytes, not for more. A pipe is opened once
 * more where the system can: then the flag that makes long writes safe is ours
 * alone, and not that of everyone who shares stdout with us. */
static void open_out(struct pump *p)
{
    struct stat st;
    int fd = -1;

    p->out = STDOUT_FILENO;
    p->out_max = PIPE_BUF;
    if (fstat(STDOUT_FILENO, &st) < 0)
        return;
    if (S_ISFIFO(st.st_mode))
        fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        p->out = fd;
    if (fd >= 0 || S_ISREG(st.st_mode))
        p->out_max = sizeof(p->down.buf);
}

int pump_run(tlsock *s, const struct pump_opts *opts,
             struct pump_result *result)
{
    struct pump *p = calloc(1, sizeof(*p));
    int rc;

    *result = (struct pump_result){0};
    if (p == NULL) {
        result->err.code = TLSOCK_E_NOMEM;
        snprintf(result->err.message, sizeof(result->err.message),
                 "out of memory");
        return TLSOCK_E_NOMEM;
    }
    p->s = s;
    p->result = result;
    p->opts = opts;
    p->replies.text = opts->downgrade_after;
    p->stepwise = opts->downgrade_after != NULL && !is_plain(p);
    p->moved = now_ms();
    if (opts->first_len > 0 && opts->first_len <= sizeof(p->up.buf)) {
        memcpy(p->up.buf, opts->first, opts->first_len);
        p->up.len = opts->first_len;
    }
    open_out(p);
    rc = run(p);
    if (p->out != STDOUT_FILENO)
        close(p->out);
    free(p);
    if (rc < 0)
        result->err = err_of_call(s, rc);
    return rc == 0 ? result->err.code : rc;
}
