#include "api/conn.h"
#include "api/dane.h"
#include "api/errand.h"
#include "api/policy_rules.h"
#include "ossl/queue.h"
#include "tls/op.h"

#include <errno.h>
#include <stdio.h>

int64_t tsk_conn_deadline(const tlsock *s)
{
    int64_t d = s->deadline;

    if ((!tsk_conn_open(s) || s->stopping || s->asking) && s->hs_deadline < d)
        d = s->hs_deadline;
    if (s->call_timeout_ms >= 0) {
        int64_t call = tsk_deadline_in(s->call_timeout_ms);

        if (call < d)
            d = call;
    }
    return d;
}

static int phase_now(const tlsock *s, int phase)
{
    switch (s->rung) {
    case TSK_RUNG_DIAL:
        return tsk_dial_phase(s->dial);
    case TSK_RUNG_PROXY:
        return TLSOCK_PHASE_PROXY;
    case TSK_RUNG_DANE:
        return TLSOCK_PHASE_RESOLVE;
    case TSK_RUNG_STARTTLS:
    case TSK_RUNG_AFTER:
        return TLSOCK_PHASE_STARTTLS;
    case TSK_RUNG_TLS:
        return TLSOCK_PHASE_HANDSHAKE;
    case TSK_RUNG_CHECK:
        return TLSOCK_PHASE_VERIFY;
    default:
        return phase;
    }
}

static int unanswered(tlsock *s)
{
    tsk_err_clear(s);
    tsk_fail(tsk_err(s), TLSOCK_E_TIMEOUT,
             "%s%stime is up while waiting for the answer of the %s hook",
             s->address, s->address[0] != '\0' ? ": " : "", tsk_op_name(s->op));
    tsk_hint(tsk_err(s), "whoever keeps the event's op has to call "
                         "tlsock_op_done(); give it longer with timeout or "
                         "tlsock_set_deadline()");
    tsk_err(s)->phase = TLSOCK_PHASE_HANDSHAKE;
    return TLSOCK_E_TIMEOUT;
}

static int timed_out(tlsock *s, int phase)
{
    static const char *const doing[] = {
        [TLSOCK_PHASE_RESOLVE] = "looking up its name",
        [TLSOCK_PHASE_CONNECT] = "connecting",
        [TLSOCK_PHASE_PROXY] = "asking the proxy",
        [TLSOCK_PHASE_STARTTLS] = "the STARTTLS dialogue",
        [TLSOCK_PHASE_HANDSHAKE] = "the TLS handshake",
        [TLSOCK_PHASE_VERIFY] = "finding out whether the peer is trusted",
        [TLSOCK_PHASE_READ] = "waiting for data",
        [TLSOCK_PHASE_WRITE] = "writing",
        [TLSOCK_PHASE_CLOSE] = "closing",
    };
    const char *what, *url = tsk_errand_url(s);

    if (tsk_op_waits(s))
        return unanswered(s);
    phase = phase_now(s, phase);
    what =
        (size_t)phase < sizeof(doing) / sizeof(doing[0]) ? doing[phase] : NULL;
    tsk_err_clear(s);
    tsk_fail(tsk_err(s), TLSOCK_E_TIMEOUT, "%s%stime is up while %s",
             s->address, s->address[0] != '\0' ? ": " : "",
             what != NULL ? what : "waiting");
    if (s->rung == TSK_RUNG_DIAL) { /* which addresses were silent */
        char tried[200] = "";

        tsk_dial_describe(s->dial, tried, sizeof(tried));
        tsk_fail(tsk_err(s), TLSOCK_E_TIMEOUT, "time is up while %s%s%s",
                 what != NULL ? what : "waiting", tried[0] != '\0' ? ": " : "",
                 tried);
    }
    if (s->rung == TSK_RUNG_DANE) {
        tsk_fail(tsk_err(s), TLSOCK_E_TIMEOUT,
                 "time is up while asking for TLSA records of %.200s",
                 s->dane->host);
        tsk_hint(tsk_err(s), "the resolver is slow or silent: name one that "
                             "answers (dane.resolver)");
        tsk_err(s)->phase = phase;
        return TLSOCK_E_TIMEOUT;
    }
    if (url != NULL)
        tsk_fail(tsk_err(s), TLSOCK_E_TIMEOUT,
                 "time is up while waiting for %s", url);
    tsk_hint(tsk_err(s),
             "%s is slow or silent%s Give it longer with timeout or "
             "tlsock_set_deadline()",
             url != NULL ? "that server" : "the peer",
             url != NULL ? "." : ": is it the right port?");
    tsk_err(s)->phase = phase;
    return TLSOCK_E_TIMEOUT;
}

short tsk_conn_wants(const tlsock *s)
{
    short want = s->io.want != 0 ? s->io.want : POLLIN;

    /* "write.buffer" holds back on purpose; all else wants to go */
    if (tsk_bio_must_send(&s->io) ||
        (s->hold.len != 0 && s->set->write_buffer == 0))
        want |= POLLOUT;
    return want;
}

size_t tsk_conn_pollfds(const tlsock *s, struct pollfd *fds, size_t max,
                        int *wait_ms)
{
    short want = tsk_conn_wants(s);

    *wait_ms = -1;
    if (s->rung == TSK_RUNG_DIAL) {
        *wait_ms = tsk_dial_wait_ms(s->dial);
        return tsk_dial_pollfds(s->dial, fds, max);
    }
    if (s->rung == TSK_RUNG_DANE)
        return tsk_dane_pollfds(s, fds, max);
    if (s->rung == TSK_RUNG_PROXY) {
        size_t n = tsk_path_pollfds(s, fds, max);

        if (n != 0)
            return n;
    }
    if (s->errand != NULL)
        return tsk_errand_pollfds(s, fds, max, wait_ms);
    if (s->layer == NULL || max == 0)
        return 0;
    if (tsk_op_waits(s)) { /* nothing else can bring it on */
        fds[0] = (struct pollfd){tsk_op_fd(s->op), POLLIN, 0};
        return 1;
    }
    fds[0].fd = s->layer->ops->fd(s->layer);
    fds[0].events = s->layer->ops->events != NULL
                        ? s->layer->ops->events(s->layer, want)
                        : want;
    fds[0].revents = 0;
    return fds[0].fd >= 0 ? 1 : 0;
}

/* A wait that goes well needs no record of how it went. */
static int wait_now(tlsock *s, struct pollfd *fds, size_t n, int64_t until)
{
    tlsock_error why;
    int rc;

    why.phase = TLSOCK_PHASE_NONE;
    rc = tsk_wait(fds, n, until, &why);
    if (rc < 0)
        *tsk_err(s) = why;
    return rc;
}

int tsk_conn_wait_on(tlsock *s, struct pollfd *fds, size_t n, int64_t until)
{
    int wake = tsk_wake_fd(), rc;
    int64_t slice = until;

    if (wake >= 0)
        fds[n] = (struct pollfd){wake, POLLIN, 0};
    else
        slice = tsk_deadline_in(TSK_UNWOKEN_MS);
    tsk_wake_begin(s, wake);
    rc = tsk_interrupted(s);
    if (rc == TLSOCK_OK)
        rc = wait_now(s, fds, n + (wake >= 0), slice < until ? slice : until);
    tsk_wake_end(s);
    if (wake >= 0 && rc > 0 && fds[n].revents != 0)
        tsk_wake_drain(wake);
    return rc == 0 && slice < until ? 1 : rc;
}

static int conn_wait(tlsock *s, int64_t deadline)
{
    struct pollfd fds[TSK_DIAL_FDS + 1];
    int wait_ms, rc;
    size_t n = tsk_conn_pollfds(s, fds, TSK_DIAL_FDS, &wait_ms);
    int64_t until = deadline;

    if (n == 0 && wait_ms < 0)
        return tsk_fail(tsk_err(s), TLSOCK_E_STATE,
                        "the transport has no descriptor to wait for: use it "
                        "with a nonblocking connection");
    if (wait_ms >= 0) {
        int64_t timer = tsk_deadline_in(wait_ms);

        if (timer < until)
            until = timer;
    }
    rc = tsk_conn_wait_on(s, fds, n, until);
    if (rc < 0)
        return rc;
    return rc == 0 && until == deadline ? TLSOCK_E_TIMEOUT : TLSOCK_OK;
}

/* A descriptor more for each idle connection is not to be had for nothing: the
 * private one goes with the first call after the caller could take it out of
 * its loop, or at once if it was never in one. */
static void drop_waitfd(tlsock *s)
{
    if (!s->fd_is_known || (s->flags & TLSOCK_F_STABLE_FD) != 0 ||
        (s->fd_asked && !s->fd_told))
        return;
    tsk_waitfd_free(s->waitfd);
    s->waitfd = NULL;
}

/* A set that lacks a member would never wake whoever polls it. */
int tsk_conn_sync_waitfd(tlsock *s)
{
    struct pollfd fds[TSK_DIAL_FDS];
    int wait_ms, rc;
    size_t n;

    if (s->waitfd == NULL)
        return TLSOCK_OK;
    n = tsk_conn_pollfds(s, fds, TSK_DIAL_FDS, &wait_ms);
    if (s->fd_is_known && (s->flags & TLSOCK_F_STABLE_FD) == 0) {
        (void)tsk_waitfd_set(s->waitfd, fds, n, NULL); /* nobody polls it */
        return TLSOCK_OK;
    }
    rc = tsk_waitfd_set(s->waitfd, fds, n, tsk_err(s));
    if (rc < 0)
        tsk_hint(tsk_err(s), "call again; if it stays so, close descriptors or "
                             "raise fs.epoll.max_user_watches");
    return rc;
}

/* A fetch has descriptors of its own, which come and go. One private one stands
 * for them, also where there was none so far: the transport has none, the
 * handle was a blocking one, or its TLS began, or a certificate came, later. */
static int give_waitfd(tlsock *s)
{
    if (s->errand == NULL)
        return TLSOCK_OK;
    if (s->waitfd == NULL)
        s->waitfd = tsk_waitfd_new(tsk_err(s));
    if (s->waitfd == NULL)
        return tsk_err_of(s)->code;
    s->fd_is_known = s->fd_told = 0;
    return TLSOCK_OK;
}

static int is_past(int64_t deadline)
{
    return deadline != TSK_NEVER && tsk_now_ms() >= deadline;
}

/* AGAIN: wait if we may. 0: try again, else what to return. */
static int after_again(tlsock *s, int phase, int64_t deadline)
{
    int rc, flood = s->io.turn_over;

    s->io.turn_over = 0;
    if (s->set->release_buffers)
        tsk_bio_idle(&s->io);
    if (s->nonblocking) {
        rc = give_waitfd(s);
        if (rc == TLSOCK_OK)
            rc = tsk_conn_sync_waitfd(s);
        if (rc < 0)
            return rc;
        return is_past(deadline) ? timed_out(s, phase) : TLSOCK_AGAIN;
    }
    /* a wait would end at once, however late it is */
    if (flood && is_past(deadline))
        return timed_out(s, phase);
    rc = conn_wait(s, deadline);
    return rc == TLSOCK_E_TIMEOUT ? timed_out(s, phase) : rc;
}

static ssize_t climb_and_do(tlsock *s, int phase, tsk_job *job, void *arg)
{
    int64_t deadline = tsk_conn_deadline(s);
    ssize_t rc;

    s->io.turn = 0;
    for (;;) {
        int was = s->rung, up, wait;

        s->io.until = s->hold.len == 0 ? deadline : 0; /* then poll for both */
        rc = tsk_ladder_step(s);
        up = rc == TLSOCK_OK;
        if (up && job != NULL)
            rc = job(s, arg);
        if (rc != TLSOCK_AGAIN)
            return rc;
        up = up && s->rung == TSK_RUNG_CHECK; /* a late client certificate */
        if (up || was < TSK_RUNG_READY) /* rungs have deadlines of their own */
            deadline = tsk_conn_deadline(s);
        if (s->stopping && s->hs_deadline < deadline) /* it began just now */
            deadline = s->hs_deadline;
        if (up) /* nobody was asked about it yet: nothing to wait for */
            continue;
        wait = after_again(s, phase, deadline);
        if (wait < 0)
            return wait;
    }
}

/* The reason stays, whatever was said of wrong arguments since. */
static int as_before(tlsock *s)
{
    if (tsk_err_of(s)->code != s->dead) {
        tsk_err_clear(s);
        tsk_fail(tsk_err(s), s->dead, "the connection has failed before: %s",
                 tlsock_errslug(s->dead));
    }
    return s->dead;
}

static int foreign(tlsock *s)
{
    tsk_err_clear(s);
    tsk_fail(tsk_err(s), TLSOCK_E_FORKED,
             "another process owns this connection's TLS state");
    tsk_hint(tsk_err(s), "call tlsock_adopt() in the process that goes on "
                         "with it, tlsock_abandon() in the other one");
    return TLSOCK_E_FORKED;
}

static ssize_t run(tlsock *s, int phase, tsk_job *job, void *arg)
{
    ssize_t rc;

    if (s->ssl == NULL) /* whoever talks is whose plaintext it is */
        s->fork_generation = tsk_fork_generation();
    tsk_err_clear(s);
    if (s->waitfd != NULL)
        drop_waitfd(s);
    tsk_ossl_enter();
    rc = climb_and_do(s, phase, job, arg);
    s->io.until = 0;
    if (rc >= 0 && s->nonblocking) /* it may have left something to send */
        tsk_conn_sync_waitfd(s);
    tsk_ossl_leave();
    if (rc >= 0 || rc == TLSOCK_AGAIN)
        return rc;
    if (tsk_err_of(s)->code != rc) { /* recorded nowhere: say at least what */
        tsk_err_clear(s);
        tsk_fail(tsk_err(s), (int)rc, "%s", tlsock_errslug((int)rc));
    }
    tsk_rule_explain(s->set, tsk_err(s));
    if (tsk_err_of(s)->phase == 0)
        tsk_err(s)->phase = phase;
    if (tsk_err_of(s)->address[0] == '\0')
        snprintf(tsk_err(s)->address, sizeof(tsk_err(s)->address), "%s",
                 s->address);
    return rc;
}

ssize_t tsk_run(tlsock *s, int phase, tsk_job *job, void *arg)
{
    int saved = errno;
    ssize_t rc;

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    /* A hook that comes back, or a second thread: told as far as it is seen,
     * without a lock, and without touching what the first call works on. */
    if (atomic_load_explicit(&s->in_call, memory_order_relaxed))
        return TLSOCK_E_STATE;
    if (tsk_conn_foreign(s))
        return foreign(s);
    if (tsk_interrupted(s))
        return TLSOCK_E_INTERRUPTED;
    if (s->rung == TSK_RUNG_DEAD)
        return as_before(s);
    atomic_store_explicit(&s->in_call, 1, memory_order_relaxed);
    rc = run(s, phase, job, arg);
    tsk_err_settle(s);
    atomic_store_explicit(&s->in_call, 0, memory_order_relaxed);
    errno = saved;
    return rc;
}
