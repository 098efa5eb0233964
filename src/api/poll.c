#include "api/conn.h"
#include "api/errand.h"
#include "core/mem.h"
#include "net/fd.h"
#include "ossl/queue.h"
#include "tls/op.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

static int uses_waitfd(const tlsock *s)
{
    if (s->waitfd == NULL ||
        (s->fd_is_known && (s->flags & TLSOCK_F_STABLE_FD) == 0))
        return 0;
    /* of functions of the caller's it cannot tell: of a fetch alone */
    return s->layer == NULL || s->errand != NULL ||
           s->layer->ops->fd(s->layer) >= 0;
}

int tlsock_fd(const tlsock *conn)
{
    tlsock *s = (tlsock *)(uintptr_t)conn; /* what it was told is noted */

    if (s == NULL)
        return -1;
    if (uses_waitfd(s)) {
        s->fd_asked = 1;
        return tsk_waitfd_fd(s->waitfd);
    }
    if (tsk_op_waits(s))
        return tsk_op_fd(s->op);
    s->fd_told = 1;
    return s->layer != NULL ? s->layer->ops->fd(s->layer) : -1;
}

short tlsock_events(const tlsock *s)
{
    struct pollfd fds[TSK_DIAL_FDS];
    int wait_ms;

    if (s == NULL)
        return 0;
    if (uses_waitfd(s) || s->layer == NULL)
        return POLLIN;
    if (tsk_conn_pollfds(s, fds, TSK_DIAL_FDS, &wait_ms) == 0)
        return tsk_conn_wants(s); /* of a transport without a descriptor */
    return fds[0].events;
}

/* Something to do that no descriptor will tell of: the client's first step,
 * or bytes that are decrypted already (unless the caller waits to write). */
static int acts_unasked(const tlsock *s)
{
    if (s->rung == TSK_RUNG_TLS)
        return s->ssl == NULL && !s->server;
    if (s->rung == TSK_RUNG_CHECK) /* came with a look at what is there */
        return s->errand == NULL && !tsk_op_unanswered(s);
    return tsk_io_stirs(s);
}

/* What has a time of its own, within that of the whole: -1 nothing. */
static int next_timer(const tlsock *s)
{
    struct pollfd fds[TSK_DIAL_FDS];
    int wait_ms = -1;

    if (s->rung == TSK_RUNG_DIAL)
        return tsk_dial_wait_ms(s->dial);
    if (s->errand != NULL)
        (void)tsk_errand_pollfds(s, fds, TSK_DIAL_FDS, &wait_ms);
    return wait_ms;
}

int tlsock_timeout(const tlsock *s)
{
    int wait_ms, ms;

    if (s == NULL)
        return -1;
    if (s->rung == TSK_RUNG_DEAD || atomic_load(&s->interrupted) ||
        acts_unasked(s))
        return 0;
    ms = tsk_ms_until(tsk_conn_deadline(s));
    wait_ms = next_timer(s);
    return wait_ms >= 0 && (ms < 0 || wait_ms < ms) ? wait_ms : ms;
}

int tlsock_set_nonblocking(tlsock *s, int on)
{
    int rc;

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    s->nonblocking = on != 0;
    if (!on || tsk_conn_open(s) || s->rung == TSK_RUNG_DEAD)
        return TLSOCK_OK;
    rc = tsk_conn_prepare_waiting(s);
    if (rc < 0)
        s->nonblocking = 0;
    return rc;
}

int tlsock_set_deadline(tlsock *s, int64_t ms_from_now)
{
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (ms_from_now < -1)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        "a deadline is in milliseconds from now, or -1");
    s->deadline = tsk_deadline_in(ms_from_now);
    return TLSOCK_OK;
}

int tlsock_set_timeout(tlsock *s, int ms_per_call)
{
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (ms_per_call < -1)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        "a timeout is in milliseconds, or -1");
    s->call_timeout_ms = ms_per_call;
    return TLSOCK_OK;
}

void tlsock_set_user(tlsock *s, void *user)
{
    if (s != NULL)
        s->user = user;
}

void *tlsock_user(const tlsock *s)
{
    return s != NULL ? s->user : NULL;
}

/* Would a call get on now, without any waiting? A ticket is not data, so the
 * answer comes from decrypting what is there. */
static short ready_now(tlsock *s, short events)
{
    short got = 0;
    char byte;

    if (s->rung == TSK_RUNG_DEAD || atomic_load(&s->interrupted) ||
        tsk_conn_foreign(s) || (s->rung == TSK_RUNG_CHECK && acts_unasked(s)))
        return events;
    if (!tsk_conn_open(s))
        return 0;
    if ((events & POLLIN) != 0 && s->ssl == NULL) {
        if (tsk_io_stirs(s)) /* of plaintext the descriptor tells all else */
            got |= POLLIN;
    } else if ((events & POLLIN) != 0) {
        int nonblocking = s->nonblocking;

        s->nonblocking = 1; /* look, do not be polite */
        if (tsk_io_peek(s, &byte, 1) != TLSOCK_AGAIN ||
            s->rung == TSK_RUNG_CHECK) /* a call has to go on with that */
            got |= POLLIN;
        s->nonblocking = nonblocking;
    }
    /* TLS has room in a queue of our own, plaintext goes to the socket */
    if ((events & POLLOUT) != 0 && !tsk_bio_must_send(&s->io) &&
        s->hold.len == 0 && (s->ssl != NULL || (s->io.want & POLLOUT) == 0))
        got |= POLLOUT;
    return got;
}

struct round {
    struct pollfd *fds;
    size_t *first; /* of each item in fds; the next item's is its end */
    size_t n;
    int64_t until;
    int ready;
};

static void wait_no_longer_than(struct round *r, int ms)
{
    int64_t at;

    if (ms < 0)
        return;
    at = tsk_deadline_in(ms);
    if (at < r->until)
        r->until = at;
}

/* A caller that does not want to read is not to be woken by what it could. */
static size_t add_fds(const tlsock *s, short events, struct pollfd *fds,
                      int *wait_ms)
{
    size_t n = tsk_conn_pollfds(s, fds, TSK_DIAL_FDS, wait_ms);

    for (size_t i = 0; i < n && tsk_conn_open(s); i++) {
        if ((events & POLLIN) == 0)
            fds[i].events &= (short)~POLLIN;
        else if (s->ssl == NULL)
            fds[i].events |= POLLIN;
    }
    return n;
}

static void gather(tlsock_pollitem *items, size_t n, struct round *r)
{
    r->n = 0;
    r->ready = 0;
    for (size_t i = 0; i < n; i++) {
        tlsock *s = items[i].s;
        int wait_ms;

        r->first[i] = r->n;
        items[i].revents = s != NULL ? ready_now(s, items[i].events) : 0;
        if (items[i].revents != 0) {
            r->ready++;
            continue;
        }
        if (s == NULL) {
            r->fds[r->n].fd = items[i].fd;
            r->fds[r->n].events = items[i].events;
            r->fds[r->n++].revents = 0;
            continue;
        }
        r->n += add_fds(s, items[i].events, r->fds + r->n, &wait_ms);
        wait_no_longer_than(r, wait_ms);
        wait_no_longer_than(r, tsk_ms_until(tsk_conn_deadline(s)));
    }
    r->first[n] = r->n;
}

/* A handle that is on its way is reported whenever it can get on: the next
 * call takes it there. One that is ready is asked again. */
static int report(tlsock_pollitem *items, size_t n, const struct round *r)
{
    int count = 0;

    for (size_t i = 0; i < n; i++) {
        tlsock *s = items[i].s;
        short seen = 0;

        for (size_t k = r->first[i]; k < r->first[i + 1]; k++)
            seen |= r->fds[k].revents;
        if (s == NULL)
            items[i].revents = seen;
        else if (items[i].revents == 0 && tsk_conn_open(s)) {
            if ((seen & POLLOUT) != 0) {
                s->io.want &= (short)~POLLOUT;
                (void)tsk_io_flush(s);
            }
            if (seen != 0 || !tsk_conn_open(s))
                items[i].revents = ready_now(s, items[i].events);
            if (s->ssl == NULL && (seen & ~POLLOUT) != 0)
                items[i].revents |= items[i].events & POLLIN;
        } else if (items[i].revents == 0 &&
                   (seen != 0 || tlsock_timeout(s) == 0)) {
            items[i].revents = items[i].events;
        }
        count += items[i].revents != 0;
    }
    return count;
}

/* tlsock_interrupt() wakes this thread as long as fd is theirs; -1: no more. */
static void be_woken(tlsock_pollitem *items, size_t n, int fd)
{
    for (size_t i = 0; i < n; i++)
        if (items[i].s != NULL)
            tsk_wake_begin(items[i].s, fd);
}

static int wait_round(struct round *r, int wake)
{
    int rc;

    if (wake >= 0)
        r->fds[r->n] = (struct pollfd){wake, POLLIN, 0};
    else
        wait_no_longer_than(r, TSK_UNWOKEN_MS);
    rc = tsk_wait(r->fds, r->n + (wake >= 0), r->until, NULL);
    if (rc > 0 && wake >= 0 && r->fds[r->n].revents != 0)
        tsk_wake_drain(wake);
    return rc;
}

static int poll_loop(tlsock_pollitem *items, size_t n, struct round *r,
                     int64_t deadline)
{
    int wake = tsk_wake_fd(), rc;

    for (;;) {
        be_woken(items, n, wake); /* before the look at what is there */
        r->until = deadline;
        gather(items, n, r);
        if (r->ready != 0)
            r->until = tsk_now_ms(); /* look at the others, do not wait */
        rc = wait_round(r, wake);
        be_woken(items, n, -1);
        if (rc < 0)
            return rc;
        rc = report(items, n, r);
        if (rc != 0 || (deadline != TSK_NEVER && tsk_now_ms() >= deadline))
            return rc;
    }
}

int tlsock_poll(tlsock_pollitem *items, size_t n, int timeout_ms)
{
    struct round r = {NULL, NULL, 0, 0, 0};
    int saved = errno, rc;

    if ((items == NULL && n != 0) || n > INT_MAX / TSK_DIAL_FDS)
        return TLSOCK_E_ARGUMENT;
    r.fds = tsk_alloc((n + 1) * TSK_DIAL_FDS * sizeof(*r.fds));
    r.first = tsk_alloc((n + 1) * sizeof(*r.first));
    if (r.fds == NULL || r.first == NULL) {
        rc = TLSOCK_E_NOMEM;
    } else {
        tsk_ossl_enter();
        rc = poll_loop(items, n, &r, tsk_deadline_in(timeout_ms));
        tsk_ossl_leave();
    }
    tsk_free(r.fds);
    tsk_free(r.first);
    errno = saved;
    return rc;
}

int tlsock_sniff(int fd, int timeout_ms)
{
    int saved = errno, rc = tsk_fd_sniff(fd, timeout_ms);

    errno = saved;
    return rc;
}
