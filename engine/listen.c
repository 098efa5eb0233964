#include "listen.h"

#include "relay.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define ACCEPTS_PER_ROUND 32 /* then those who are connected get their turn */
#define REST_MS 100          /* out of descriptors: let some end */

struct engine {
    const struct engine_opts *opts;
    struct event_base *base;
    struct event *accepting, *again, *on_int, *on_term, *on_child,
        *on_hup;
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

static void take_in(struct engine *e, tlsock *s)
{
    struct relay *r;

    e->accepted++;
    e->live++;
    r = relay_new(e->base, s, e->accepted, e->opts, on_done, e);
    if (r == NULL) {
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

    event_del(e->accepting);
    event_add(e->again, &tv);
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
    event_add(e->accepting, NULL);
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
    struct engine *e = arg;

    (void)signo;
    (void)what;
    event_base_loopbreak(e->base);
}

static void on_hangup(evutil_socket_t signo, short what, void *arg)
{
    struct engine *e = arg;

    (void)signo;
    (void)what;
    if (e->opts->on_hangup(e->opts->arg) != 0)
        event_base_loopbreak(e->base);
}

static void on_child(evutil_socket_t signo, short what, void *arg)
{
    (void)signo;
    (void)what;
    (void)arg;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

static int set_up(struct engine *e)
{
    e->base = event_base_new();
    if (e->base == NULL)
        return -1;
    e->accepting = event_new(e->base, tlsock_listener_fd(e->opts->listener),
                             EV_READ | EV_PERSIST, on_accept, e);
    e->again = evtimer_new(e->base, on_again, e);
    e->on_int = evsignal_new(e->base, SIGINT, on_signal, e);
    e->on_term = evsignal_new(e->base, SIGTERM, on_signal, e);
    e->on_child = evsignal_new(e->base, SIGCHLD, on_child, e);
    if (e->accepting == NULL || e->again == NULL || e->on_int == NULL ||
        e->on_term == NULL || e->on_child == NULL)
        return -1;
    if (event_add(e->accepting, NULL) < 0 || event_add(e->on_int, NULL) < 0 ||
        event_add(e->on_term, NULL) < 0 || event_add(e->on_child, NULL) < 0)
        return -1;
    if (e->opts->on_hangup == NULL)
        return 0;
    e->on_hup = evsignal_new(e->base, SIGHUP, on_hangup, e);
    return e->on_hup != NULL && event_add(e->on_hup, NULL) == 0 ? 0 : -1;
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
    drop_event(e->on_int);
    drop_event(e->on_term);
    drop_event(e->on_child);
    drop_event(e->on_hup);
    if (e->base != NULL)
        event_base_free(e->base);
}

int engine_run(const struct engine_opts *opts, int *first_error)
{
    struct engine e = {.opts = opts};
    int rc = set_up(&e);

    if (rc == 0)
        rc = opts->on_ready(opts->arg);
    if (rc == 0)
        rc = event_base_dispatch(e.base) < 0 ? -1 : 0;
    tear_down(&e);
    *first_error = e.first_error;
    return rc;
}
