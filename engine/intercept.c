#include "intercept_private.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <tlsock/hook.h>
#include <unistd.h>

#define ACCEPTS_PER_ROUND 8 /* the other loops get some, too */
#define REST_MS 50

static void rest(struct loop *l)
{
    struct timeval tv = {0, REST_MS * 1000};

    if (event_add(l->again, &tv) == 0) /* else there is no rest */
        event_del(l->accepting);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;

    (void)fd;
    (void)what;
    if (event_add(l->accepting, NULL) < 0)
        rest(l); /* nobody else would try it again */
}

static int accept_one(struct loop *l, int *fd, tlsock_error *err)
{
    tlsock *s = tlsock_accept(l->listener, err);

    if (s != NULL && tlsock_detach(s, fd) == 0)
        return 0;
    if (s != NULL)
        *err = *tlsock_last_error(s);
    tlsock_abandon(s);
    return err->code;
}

/* Its place is taken before it is there: other loops accept at this moment,
 * too. 1: there is none. */
static int take_in(struct loop *l, tlsock_error *err)
{
    int fd, rc = 1;

    if (atomic_fetch_add(&l->all->live, 1) < l->all->o->most) {
        rc = accept_one(l, &fd, err);
        if (rc == 0) {
            conn_new(l, fd);
            return 0;
        }
    }
    atomic_fetch_sub(&l->all->live, 1);
    return rc;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    const struct intercept_opts *o = l->all->o;

    (void)fd;
    (void)what;
    for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
        tlsock_error err = {0};
        int rc = take_in(l, &err);

        if (rc == 0)
            continue;
        if (rc == TLSOCK_AGAIN)
            return;
        if (rc < 0)
            o->on_trouble(o->arg, &err);
        rest(l); /* they wait in the system's queue */
        return;
    }
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;

    (void)fd;
    (void)what;
    event_base_loopbreak(l->base);
}

static void on_signal(int signo, void *arg)
{
    const struct loop *l = arg;

    if (signo != SIGCHLD)
        event_base_loopbreak(l->base);
    while (signo == SIGCHLD && waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

/* Why there is no loop, as a negative number. */
static int failure(void)
{
    return errno != 0 ? -errno : -EIO;
}

static int loop_open(struct loop *l, struct intercept *all)
{
    tlsock_error err = {0};
    int fd = fcntl(tlsock_listener_fd(all->o->listener), F_DUPFD_CLOEXEC, 0);

    l->all = all;
    l->base = event_base_new();
    if (fd < 0 || l->base == NULL || pipe2(l->stop_pipe, O_CLOEXEC) < 0) {
        if (fd >= 0)
            close(fd);
        l->stop_pipe[0] = l->stop_pipe[1] = -1;
        return failure();
    }
    l->listener = tlsock_listener_from_fd(
        fd, all->down, TLSOCK_OPTS(.nonblocking = 1, .plain = 1), &err);
    if (l->listener == NULL) {
        close(fd);
        return err.sys_errno != 0           ? -err.sys_errno
               : err.code == TLSOCK_E_NOMEM ? -ENOMEM
                                            : -EIO;
    }
    l->accepting = event_new(l->base, fd, EV_READ | EV_PERSIST, on_accept, l);
    l->again = evtimer_new(l->base, on_again, l);
    l->stop = event_new(l->base, l->stop_pipe[0], EV_READ, on_stop, l);
    return l->accepting != NULL && l->again != NULL && l->stop != NULL &&
                   event_add(l->accepting, NULL) == 0 &&
                   event_add(l->stop, NULL) == 0
               ? 0
               : failure();
}

static void drop(struct event *ev)
{
    if (ev != NULL)
        event_free(ev);
}

static void loop_close(struct loop *l)
{
    while (l->first != NULL)
        conn_end(l->first);
    drop(l->accepting);
    drop(l->again);
    drop(l->stop);
    tlsock_listener_free(l->listener);
    if (l->base != NULL)
        event_base_free(l->base);
    for (int i = 0; i < 2; i++)
        if (l->stop_pipe[i] >= 0)
            close(l->stop_pipe[i]);
}

static void *loop_run(void *arg)
{
    struct loop *l = arg;

    pthread_mutex_lock(&l->all->gate);
    pthread_mutex_unlock(&l->all->gate);
    (void)event_base_dispatch(l->base);
    return NULL;
}

/* Signals are for the first thread alone. */
static int start_threads(struct loop *loops, int n)
{
    sigset_t all, old;
    int rc = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    for (int i = 1; rc == 0 && i < n; i++) {
        rc = pthread_create(&loops[i].thread, NULL, loop_run, &loops[i]);
        loops[i].started = rc == 0;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -rc;
}

static void end_threads(struct loop *loops, int n)
{
    for (int i = 1; i < n; i++) {
        if (!loops[i].started)
            continue;
        close(loops[i].stop_pipe[1]); /* its end is readable there */
        loops[i].stop_pipe[1] = -1;
        pthread_join(loops[i].thread, NULL);
    }
}

/* Ready is said when all threads are there, and before they do anything. */
static int get_ready(struct loop *loops, int n)
{
    struct intercept *all = loops[0].all;
    int rc;

    pthread_mutex_lock(&all->gate);
    rc = start_threads(loops, n);
    if (rc == 0)
        rc = all->o->on_ready(all->o->arg);
    pthread_mutex_unlock(&all->gate);
    return rc;
}

static int run_loops(struct loop *loops, int n)
{
    static const int list[SIGNALS_MOST] = {SIGINT, SIGTERM, SIGCHLD};
    struct signals *signals =
        signals_new(loops[0].base, list, on_signal, &loops[0]);
    int rc = signals != NULL ? get_ready(loops, n) : failure();

    if (rc == 0)
        rc = event_base_dispatch(loops[0].base) < 0 ? failure() : 0;
    end_threads(loops, n);
    signals_free(signals);
    return rc;
}

static int prepare(struct intercept *all)
{
    all->pins = pins_new(all->o->pass_s);
    all->down = tlsock_config_copy(all->o->down);
    pthread_mutex_init(&all->ups_lock, NULL);
    pthread_mutex_init(&all->gate, NULL);
    if (all->pins == NULL || all->down == NULL)
        return -ENOMEM;
    return tlsock_config_on(all->down, TLSOCK_ON_HELLO, tls_on_hello, NULL) < 0
               ? -ENOMEM
               : 0;
}

int intercept_run(const struct intercept_opts *o)
{
    struct intercept all = {.o = o};
    struct loop *loops = calloc((size_t)o->threads, sizeof(*loops));
    int rc = loops != NULL ? prepare(&all) : -ENOMEM, made = 0;

    errno = 0;
    while (rc == 0 && made < o->threads)
        rc = loop_open(&loops[made++], &all);
    if (rc == 0)
        rc = run_loops(loops, o->threads);
    while (made > 0)
        loop_close(&loops[--made]);
    free(loops);
    upconf_free(&all);
    tlsock_config_unref(all.down);
    pins_free(all.pins);
    pthread_mutex_destroy(&all.ups_lock);
    pthread_mutex_destroy(&all.gate);
    return rc;
}
