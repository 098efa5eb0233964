#include "api/conn.h"
#include "core/mem.h"
#include "net/fd.h"
#include "ossl/queue.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

static int uses_waitfd(const tlsock *s)
{
    return s->waitfd != NULL &&
           (s->rung == TSK_RUNG_DIAL || s->rung == TSK_RUNG_TLS ||
            (s->flags & TLSOCK_F_STABLE_FD) != 0);
}

int tlsock_fd(const tlsock *s)
{
    if (s == NULL)
        return -1;
    if (uses_waitfd(s))
        return tsk_waitfd_fd(s->waitfd);
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
        return tsk_bio_must_send(&s->io) ? POLLIN | POLLOUT : POLLIN;
    return fds[0].events;
}

/* Something to do that no descriptor will tell of: the client's first step,
 * or bytes that are decrypted already (unless the caller waits to write). */
static int acts_unasked(const tlsock *s)
{
    if (s->rung == TSK_RUNG_TLS)
        return s->ssl == NULL && !s->server;
    return s->rung == TSK_RUNG_READY && (s->io.want & POLLOUT) == 0 &&
           tlsock_pending(s) != 0;
}

int tlsock_timeout(const tlsock *s)
{
    int wait_ms = -1, ms;

    if (s == NULL)
        return -1;
    if (s->rung == TSK_RUNG_DEAD || acts_unasked(s))
        return 0;
    ms = tsk_ms_until(tsk_conn_deadline(s));
    if (s->rung == TSK_RUNG_DIAL)
        wait_ms = tsk_dial_wait_ms(s->dial);
    return wait_ms >= 0 && (ms < 0 || wait_ms < ms) ? wait_ms : ms;
}

int tlsock_set_nonblocking(tlsock *s, int on)
{
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (on && s->rung == TSK_RUNG_DIAL && s->waitfd == NULL) {
        s->waitfd = tsk_waitfd_new(&s->err);
        if (s->waitfd == NULL)
            return s->err.code;
        tsk_conn_sync_waitfd(s);
    }
    s->nonblocking = on != 0;
    return TLSOCK_OK;
}

int tlsock_set_deadline(tlsock *s, int64_t ms_from_now)
{
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (ms_from_now < -1)
        return tsk_fail(&s->err, TLSOCK_E_ARGUMENT,
                        "a deadline is in milliseconds from now, or -1");
    s->deadline = tsk_deadline_in(ms_from_now);
    return TLSOCK_OK;
}

int tlsock_set_timeout(tlsock *s, int ms_per_call)
{
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (ms_per_call < -1)
        return tsk_fail(&s->err, TLSOCK_E_ARGUMENT,
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

    if (s->rung == TSK_RUNG_DEAD || tsk_conn_foreign(s))
        return events;
    if (s->rung != TSK_RUNG_READY)
        return 0;
    if ((events & POLLIN) != 0) {
        int nonblocking = s->nonblocking;

        s->nonblocking = 1; /* look, do not be polite */
        if (tsk_io_peek(s, &byte, 1) != TLSOCK_AGAIN)
            got |= POLLIN;
        s->nonblocking = nonblocking;
    }
    if ((events & POLLOUT) != 0 && !tsk_bio_must_send(&s->io) &&
        s->hold.len == 0)
        got |= POLLOUT; /* there is room in our own queue */
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
        r->n += tsk_conn_pollfds(s, r->fds + r->n, TSK_DIAL_FDS, &wait_ms);
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
        else if (items[i].revents == 0 && s->rung == TSK_RUNG_READY) {
            if ((seen & POLLOUT) != 0)
                (void)tsk_io_flush(s);
            if (seen != 0 || s->rung != TSK_RUNG_READY)
                items[i].revents = ready_now(s, items[i].events);
        } else if (items[i].revents == 0 &&
                   (seen != 0 || tlsock_timeout(s) == 0)) {
            items[i].revents = items[i].events;
        }
        count += items[i].revents != 0;
    }
    return count;
}

static int poll_loop(tlsock_pollitem *items, size_t n, struct round *r,
                     int64_t deadline)
{
    int rc;

    for (;;) {
        r->until = deadline;
        gather(items, n, r);
        if (r->ready != 0)
            r->until = tsk_now_ms(); /* look at the others, do not wait */
        rc = tsk_wait(r->fds, r->n, r->until, NULL);
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
