#include "pump.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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
    size_t out_max;
    struct pump_result *result;
};

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
    return 0;
}

static int to_stdout(struct pump *p)
{
    struct chan *c = &p->down;
    size_t n = c->len - c->off;
    ssize_t rc;

    if (n == 0)
        return 0;
    rc = write(STDOUT_FILENO, c->buf + c->off, n < p->out_max ? n : p->out_max);
    if (rc < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (rc < 0) {
        p->result->errnum = errno;
        return errno == EPIPE ? PUMP_NO_STDOUT : PUMP_NO_STDIN;
    }
    c->off += (size_t)rc;
    return 0;
}

static int from_peer(struct pump *p)
{
    struct chan *c = &p->down;
    ssize_t n;

    if (p->peer_over || c->off < c->len)
        return 0;
    n = tlsock_read(p->s, c->buf, sizeof(c->buf));
    if (n == TLSOCK_AGAIN)
        return 0;
    if (n < 0)
        return (int)n;
    c->off = 0;
    c->len = (size_t)n;
    p->result->received += (uint64_t)n;
    p->peer_over = n == 0;
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

static int to_peer(struct pump *p)
{
    struct chan *c = &p->up;
    ssize_t n;

    if (c->off < c->len) {
        n = tlsock_write(p->s, c->buf + c->off, c->len - c->off);
        if (n == TLSOCK_AGAIN)
            return 0;
        if (n < 0)
            return stop_sending(p);
        c->off += (size_t)n;
        return 0;
    }
    if (!p->in_over || p->said_over)
        return 0;
    n = tlsock_shutdown(p->s, SHUT_WR);
    if (n == TLSOCK_AGAIN)
        return 0;
    if (n < 0)
        return stop_sending(p);
    p->said_over = 1;
    return 0;
}

static int wait_for_any(struct pump *p, tlsock_pollitem items[4])
{
    int sending = p->up.off < p->up.len || (p->in_over && !p->said_over);
    int reading = !p->peer_over && p->down.off == p->down.len;
    int filled = p->down.off < p->down.len;

    items[0] = (tlsock_pollitem){.s = p->s, .fd = -1};
    items[0].events = (short)((reading ? POLLIN : 0) | (sending ? POLLOUT : 0));
    if (items[0].events == 0)
        items[0].s = NULL;
    items[1] = (tlsock_pollitem){.fd = -1, .events = POLLIN};
    if (!p->in_over && p->up.off == p->up.len)
        items[1].fd = STDIN_FILENO;
    items[2] =
        (tlsock_pollitem){.fd = filled ? STDOUT_FILENO : -1, .events = POLLOUT};
    /* the peer said that it is done, and has left too: nobody is there to
     * read what we might still send */
    items[3] = (tlsock_pollitem){.fd = p->peer_over ? tlsock_fd(p->s) : -1,
                                 .events = POLLRDHUP};
    return tlsock_poll(items, 4, -1);
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
            rc = to_peer(p);
        if (rc == 0 && !over(p))
            rc = one_round(p);
    }
    return rc;
}

int pump_run(tlsock *s, struct pump_result *result)
{
    struct pump *p = calloc(1, sizeof(*p));
    struct stat st;
    int rc;

    *result = (struct pump_result){0};
    if (p == NULL) {
        result->err.code = TLSOCK_E_NOMEM;
        return TLSOCK_E_NOMEM;
    }
    p->s = s;
    p->result = result;
    /* poll() promises room for PIPE_BUF bytes, not for more */
    p->out_max = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode)
                     ? sizeof(p->down.buf)
                     : PIPE_BUF;
    rc = run(p);
    free(p);
    if (rc < 0)
        result->err = *tlsock_last_error(s);
    return rc == 0 ? result->err.code : rc;
}
