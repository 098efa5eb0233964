#include "signals.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signals {
    struct event *ev;
    int fd;
    sigset_t before;
    int list[SIGNALS_MOST];
    struct sigaction actions[SIGNALS_MOST];
    void (*on)(int signo, void *arg);
    void *arg;
};

static pthread_t owner;

/* In a thread that somebody else's library began, and that blocks nothing. */
static void forward(int signo)
{
    int saved = errno;

    (void)pthread_kill(owner, signo);
    errno = saved;
}

/* 0: none is there. What cannot be read now stays readable, so that the loop
 * comes back for it. */
static int next(const struct signals *s)
{
    struct signalfd_siginfo info;

    return read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)
               ? (int)info.ssi_signo
               : 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    const struct signals *s = arg;
    int signo = next(s);

    (void)fd;
    (void)what;
    if (signo != 0)
        s->on(signo, s->arg);
}

struct signals *signals_new(struct event_base *base,
                            const int list[SIGNALS_MOST],
                            void (*on)(int signo, void *arg), void *arg)
{
    const struct sigaction action = {.sa_handler = forward,
                                     .sa_flags = SA_RESTART};
    struct signals *s = calloc(1, sizeof(*s));
    sigset_t set;
    int saved;

    if (s == NULL)
        return NULL;
    s->on = on;
    s->arg = arg;
    memcpy(s->list, list, sizeof(s->list));
    owner = pthread_self();
    sigemptyset(&set);
    for (int i = 0; i < SIGNALS_MOST && list[i] != 0; i++)
        sigaddset(&set, list[i]);
    pthread_sigmask(SIG_BLOCK, &set, &s->before);
    for (int i = 0; i < SIGNALS_MOST && list[i] != 0; i++)
        (void)sigaction(list[i], &action, &s->actions[i]);
    s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->fd >= 0)
        s->ev = event_new(base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
    if (s->ev != NULL && event_add(s->ev, NULL) == 0)
        return s;
    saved = errno;
    signals_free(s);
    errno = saved;
    return NULL;
}

void signals_free(struct signals *s)
{
    if (s == NULL)
        return;
    if (s->ev != NULL)
        event_free(s->ev);
    if (s->fd >= 0) {
        /* the end was asked for twice: it is the same end */
        while (next(s) != 0)
            continue;
        close(s->fd);
    }
    for (int i = 0; i < SIGNALS_MOST && s->list[i] != 0; i++)
        (void)sigaction(s->list[i], &s->actions[i], NULL);
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    free(s);
}
