#include "api/conn.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/fd.h"
#include "ossl/queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Sessions may be offered to whoever has this name at this address; what they
 * mean is bound to the config, which owns the store. */
static char *make_session_key(const tlsock *s, const char *given)
{
    char key[1024];

    snprintf(key, sizeof(key), "%s\n%s\n%s\n%s", s->name != NULL ? s->name : "",
             s->sni != NULL ? s->sni : "", s->scheme != NULL ? s->scheme : "",
             given != NULL ? given : s->address);
    return tsk_strdup(key);
}

int tsk_conn_set_layer(tlsock *s, struct tsk_layer *layer,
                       const char *session_key)
{
    int fd = layer->ops->fd(layer);
    int64_t hs = tsk_deadline_in(s->set->handshake_timeout_ms);

    s->rung = TSK_RUNG_TLS;
    if (hs < s->hs_deadline)
        s->hs_deadline = hs;
    if (fd >= 0)
        tsk_fd_address(fd, 1, s->address, sizeof(s->address));
    if (!s->server && s->set->session) {
        char *key = make_session_key(s, session_key != NULL ? session_key
                                                            : s->session_key);

        if (key == NULL)
            return tsk_fail_nomem(&s->err);
        tsk_free(s->session_key);
        s->session_key = key;
    }
    s->layer = layer; /* owned from here on */
    return TLSOCK_OK;
}

static int dialled(tlsock *s)
{
    int fd = tsk_dial_take_fd(s->dial), rc;
    struct tsk_layer *layer = tsk_fd_layer_new(fd, 1);

    if (layer == NULL) {
        close(fd);
        return tsk_fail_nomem(&s->err);
    }
    s->resolve_ms = tsk_dial_resolve_ms(s->dial);
    s->tcp_ms = tsk_dial_connect_ms(s->dial);
    rc = tsk_conn_set_layer(s, layer, NULL);
    if (rc < 0) {
        layer->ops->free(layer, 0);
        return rc;
    }
    if (s->waitfd != NULL) /* before the losers' descriptors are closed */
        tsk_waitfd_set(s->waitfd, NULL, 0, NULL);
    tsk_dial_free(s->dial);
    s->dial = NULL;
    return TLSOCK_OK;
}

int tsk_ladder_step(tlsock *s)
{
    int rc;

    if (s->rung == TSK_RUNG_DIAL) {
        rc = tsk_dial_step(s->dial, &s->err);
        if (rc == TLSOCK_OK)
            rc = dialled(s);
        if (rc < 0 && rc != TLSOCK_AGAIN) {
            if (s->err.phase == 0)
                s->err.phase = tsk_dial_phase(s->dial);
            s->rung = TSK_RUNG_DEAD;
        }
        if (rc < 0)
            return rc;
    }
    if (s->rung == TSK_RUNG_TLS) {
        rc = tsk_hand_step(s);
        if (rc < 0 && rc != TLSOCK_AGAIN)
            s->rung = TSK_RUNG_DEAD;
        return rc;
    }
    return s->rung == TSK_RUNG_DEAD ? s->err.code : TLSOCK_OK;
}

int64_t tsk_conn_deadline(const tlsock *s)
{
    int64_t d = s->deadline;

    if (s->rung != TSK_RUNG_READY && s->hs_deadline < d)
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
    if (s->rung == TSK_RUNG_DIAL)
        return tsk_dial_phase(s->dial);
    return s->rung == TSK_RUNG_TLS ? TLSOCK_PHASE_HANDSHAKE : phase;
}

static int timed_out(tlsock *s, int phase)
{
    static const char *const doing[] = {
        [TLSOCK_PHASE_RESOLVE] = "looking up its name",
        [TLSOCK_PHASE_CONNECT] = "connecting",
        [TLSOCK_PHASE_HANDSHAKE] = "the TLS handshake",
        [TLSOCK_PHASE_READ] = "waiting for data",
        [TLSOCK_PHASE_WRITE] = "writing",
        [TLSOCK_PHASE_CLOSE] = "closing",
    };
    const char *what;

    phase = phase_now(s, phase);
    what =
        (size_t)phase < sizeof(doing) / sizeof(doing[0]) ? doing[phase] : NULL;
    tsk_clear(&s->err);
    tsk_fail(&s->err, TLSOCK_E_TIMEOUT, "%s%stime is up while %s", s->address,
             s->address[0] != '\0' ? ": " : "",
             what != NULL ? what : "waiting");
    if (s->rung == TSK_RUNG_DIAL) { /* which addresses were silent */
        char tried[200] = "";

        tsk_dial_describe(s->dial, tried, sizeof(tried));
        tsk_fail(&s->err, TLSOCK_E_TIMEOUT, "time is up while %s%s%s",
                 what != NULL ? what : "waiting",
                 tried[0] != '\0' ? ": " : "", tried);
    }
    tsk_hint(&s->err, "the peer is slow or silent: is it the right port? "
                      "Give it longer with timeout or tlsock_set_deadline()");
    s->err.phase = phase;
    return TLSOCK_E_TIMEOUT;
}

size_t tsk_conn_pollfds(const tlsock *s, struct pollfd *fds, size_t max,
                        int *wait_ms)
{
    short want = s->io.want;

    *wait_ms = -1;
    if (s->rung == TSK_RUNG_DIAL) {
        *wait_ms = tsk_dial_wait_ms(s->dial);
        return tsk_dial_pollfds(s->dial, fds, max);
    }
    if (s->layer == NULL || max == 0)
        return 0;
    if (want == 0)
        want = POLLIN;
    if (tsk_bio_must_send(&s->io))
        want |= POLLOUT;
    fds[0].fd = s->layer->ops->fd(s->layer);
    fds[0].events = s->layer->ops->events != NULL
                        ? s->layer->ops->events(s->layer, want)
                        : want;
    fds[0].revents = 0;
    return fds[0].fd >= 0 ? 1 : 0;
}

int tsk_conn_wait(tlsock *s, int64_t deadline)
{
    struct pollfd fds[TSK_DIAL_FDS];
    int wait_ms, rc;
    size_t n = tsk_conn_pollfds(s, fds, TSK_DIAL_FDS, &wait_ms);
    int64_t until = deadline;

    if (n == 0 && wait_ms < 0)
        return tsk_fail(&s->err, TLSOCK_E_STATE,
                        "the transport has no descriptor to wait for: use it "
                        "with a nonblocking connection");
    if (wait_ms >= 0) {
        int64_t timer = tsk_deadline_in(wait_ms);

        if (timer < until)
            until = timer;
    }
    rc = tsk_wait(fds, n, until, &s->err);
    if (rc < 0)
        return rc;
    return rc == 0 && until == deadline ? TLSOCK_E_TIMEOUT : TLSOCK_OK;
}

void tsk_conn_sync_waitfd(tlsock *s)
{
    struct pollfd fds[TSK_DIAL_FDS];
    int wait_ms;
    size_t n;

    if (s->waitfd == NULL)
        return;
    n = tsk_conn_pollfds(s, fds, TSK_DIAL_FDS, &wait_ms);
    tsk_waitfd_set(s->waitfd, fds, n, NULL);
}

/* AGAIN: wait if we may. 0: try again, else what to return. */
static int after_again(tlsock *s, int phase, int64_t deadline)
{
    int rc;

    if (s->set->release_buffers)
        tsk_bio_idle(&s->io);
    if (s->nonblocking) {
        tsk_conn_sync_waitfd(s);
        if (deadline != TSK_NEVER && tsk_now_ms() >= deadline)
            return timed_out(s, phase);
        return TLSOCK_AGAIN;
    }
    rc = tsk_conn_wait(s, deadline);
    return rc == TLSOCK_E_TIMEOUT ? timed_out(s, phase) : rc;
}

static ssize_t climb_and_do(tlsock *s, int phase, tsk_job *job, void *arg)
{
    int64_t deadline = tsk_conn_deadline(s);
    ssize_t rc;

    for (;;) {
        int was = s->rung, wait;

        rc = tsk_ladder_step(s);
        if (rc == TLSOCK_OK && job != NULL)
            rc = job(s, arg);
        if (rc != TLSOCK_AGAIN)
            return rc;
        if (was != TSK_RUNG_READY) /* rungs have deadlines of their own */
            deadline = tsk_conn_deadline(s);
        wait = after_again(s, phase, deadline);
        if (wait < 0)
            return wait;
    }
}

ssize_t tsk_run(tlsock *s, int phase, tsk_job *job, void *arg)
{
    int saved = errno;
    ssize_t rc;

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (tsk_conn_foreign(s)) {
        tsk_clear(&s->err);
        tsk_fail(&s->err, TLSOCK_E_FORKED,
                 "another process owns this connection's TLS state");
        tsk_hint(&s->err, "call tlsock_adopt() in the process that goes on "
                          "with it, tlsock_abandon() in the other one");
        return TLSOCK_E_FORKED;
    }
    if (s->rung == TSK_RUNG_DEAD)
        return s->err.code;
    tsk_clear(&s->err);
    tsk_ossl_enter();
    rc = climb_and_do(s, phase, job, arg);
    tsk_ossl_leave();
    if (rc < 0 && rc != TLSOCK_AGAIN) {
        if (s->err.code != rc) { /* recorded nowhere: say at least what */
            tsk_clear(&s->err);
            tsk_fail(&s->err, (int)rc, "%s", tlsock_errslug((int)rc));
        }
        if (s->err.phase == 0)
            s->err.phase = phase;
        if (s->err.address[0] == '\0')
            snprintf(s->err.address, sizeof(s->err.address), "%s", s->address);
    }
    errno = saved;
    return rc;
}
