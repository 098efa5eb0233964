#include "listen.h"

#include "relay.h"
#include "signals.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define ACCEPTS_PER_ROUND 32 /* then those who are connected get their turn */
#define REST_MS 100          /* out of descriptors: let some end */

struct engine {
    const struct engine_opts *opts;
    struct event_base *base;
    struct event *accepting, *again;
    struct signals *signals;
    struct relay *first;
    unsigned long accepted, live;
    int first_error;
};

static void end_if_done(struct engine *e)
{
    if (e->opts->count != 0 && e->accepted >= e->opts->count && e->live == 0)
        event_base_loopbreak(e->base);
}

static void unlink_relay(struct engine *e, struct relay *r)
{
    struct relay_link *at = relay_link(r);

    if (at->next != NULL)
        relay_link(at->next)->prev = at->prev;
    if (at->prev != NULL)
        relay_link(at->prev)->next = at->next;
    else
        e->first = at->next;
    e->live--;
}

static void on_done(struct relay *r, int code, void *arg)
{
    struct engine *e = arg;

    unlink_relay(e, r);
    if (e->first_error == 0)
        e->first_error = code;
    end_if_done(e);
}

/* Memory or the system: errno says. */
static void say_lost(const struct engine *e)
{
    tlsock_error err = {.code =
                            errno == ENOMEM ? TLSOCK_E_NOMEM : TLSOCK_E_SYSTEM,
                        .sys_errno = errno};

    snprintf(err.message, sizeof(err.message), "a client was sent away: %s",
             strerror(errno));
    e->opts->on_trouble(e->opts->arg, &err);
}

static void take_in(struct engine *e, tlsock *s)
{
    struct relay *r;

    e->accepted++;
    e->live++;
    r = relay_new(e->base, s, e->accepted, e->opts, on_done, e);
    if (r == NULL) {
        say_lost(e);
        e->live--;
        end_if_done(e);
        return;
    }
    relay_link(r)->prev = NULL;
    relay_link(r)->next = e->first;
    if (e->first != NULL)
        relay_link(e->first)->prev = r;
    e->first = r;
}

static void rest(struct engine *e, int ms)
{
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

    if (event_add(e->again, &tv) == 0) /* else there is no rest */
        event_del(e->accepting);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;

    (void)fd;
    (void)what;
    for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
        tlsock_error err = {0};
        tlsock *s;

        if (e->opts->count != 0 && e->accepted >= e->opts->count) {
            event_del(e->accepting);
            end_if_done(e);
            return;
        }
        s = tlsock_accept(e->opts->listener, &err);
        if (s != NULL) {
            take_in(e, s);
            continue;
        }
        if (err.code == TLSOCK_AGAIN)
            return;
        e->opts->on_trouble(e->opts->arg, &err);
        /* a connection that is gone again costs nothing; a full table of
         * descriptors would make us spin */
        if (err.sys_errno == EMFILE || err.sys_errno == ENFILE ||
            err.sys_errno == ENOBUFS || err.code == TLSOCK_E_NOMEM)
            rest(e, REST_MS);
        return;
    }
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;

    (void)fd;
    (void)what;
    if (event_add(e->accepting, NULL) < 0)
        rest(e, REST_MS); /* nobody else would try it again */
}

static void on_signal(int signo, void *arg)
{
    struct engine *e = arg;

    if (signo == SIGCHLD) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    } else if (signo != SIGHUP || e->opts->on_hangup(e->opts->arg) != 0) {
        event_base_loopbreak(e->base);
    }
}

static int set_up(struct engine *e)
{
    const int list[SIGNALS_MOST] = {SIGINT, SIGTERM, SIGCHLD,
                                    e->opts->on_hangup != NULL ? SIGHUP : 0};

    e->base = event_base_new();
    if (e->base == NULL)
        return -1;
    e->accepting = event_new(e->base, tlsock_listener_fd(e->opts->listener),
                             EV_READ | EV_PERSIST, on_accept, e);
    e->again = evtimer_new(e->base, on_again, e);
    if (e->accepting == NULL || e->again == NULL ||
        event_add(e->accepting, NULL) < 0)
        return -1;
    e->signals = signals_new(e->base, list, on_signal, e);
    return e->signals != NULL ? 0 : -1;
}

static void drop_event(struct event *ev)
{
    if (ev != NULL)
        event_free(ev);
}

static void tear_down(struct engine *e)
{
    while (e->first != NULL) {
        struct relay *r = e->first;

        unlink_relay(e, r);
        relay_stop(r);
    }
    drop_event(e->accepting);
    drop_event(e->again);
    signals_free(e->signals);
    if (e->base != NULL)
        event_base_free(e->base);
}

int engine_run(const struct engine_opts *opts, int *first_error)
{
    struct engine e = {.opts = opts};
    int rc, failed;

    errno = 0;
    failed = set_up(&e) < 0;
    rc = failed ? 0 : opts->on_ready(opts->arg);
    if (!failed && rc == 0)
        failed = event_base_dispatch(e.base) < 0;
    if (failed)
        rc = errno != 0 ? -errno : -EIO;
    tear_down(&e);
    *first_error = e.first_error;
    return rc;
}
