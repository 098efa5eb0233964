#include "net/wait.h"

#include "core/clock.h"
#include "core/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/epoll.h>
#else
#error "tsk_waitfd is written for epoll: other systems need their own"
#endif

int tsk_wait(struct pollfd *fds, size_t n, int64_t deadline_ms,
             tlsock_error *err)
{
    for (;;) {
        int ms = tsk_ms_until(deadline_ms);
        int ready = poll(fds, (nfds_t)n, ms);

        if (ready > 0)
            return ready;
        if (ready == 0 && ms != INT_MAX)
            return 0;
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            return tsk_fail_sys(err, TLSOCK_E_SYSTEM, errno, "cannot wait");
    }
}

/* One number for the whole process: a close anywhere makes each set ask the
 * kernel again, once. That is rare, and a missed event would be for ever. */
static atomic_uint closed;

void tsk_wait_close(int fd)
{
    int saved = errno;

    close(fd);
    atomic_fetch_add(&closed, 1);
    errno = saved;
}

struct tsk_waitfd {
    int fd;
    unsigned closed; /* value of the counter when members were right */
    size_t n;
    struct pollfd *members;
};

struct tsk_waitfd *tsk_waitfd_new(tlsock_error *err)
{
    struct tsk_waitfd *w = tsk_alloc(sizeof(*w));

    if (w == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    w->fd = epoll_create1(EPOLL_CLOEXEC);
    if (w->fd < 0) {
        tsk_fail_sys(err, TLSOCK_E_SYSTEM, errno,
                     "cannot create a descriptor to wait with");
        tsk_free(w);
        return NULL;
    }
    return w;
}

int tsk_waitfd_fd(const struct tsk_waitfd *w)
{
    return w->fd;
}

static uint32_t epoll_events(short events)
{
    uint32_t e = 0;

    if (events & POLLIN)
        e |= EPOLLIN;
    if (events & POLLOUT)
        e |= EPOLLOUT;
    if (events & POLLPRI)
        e |= EPOLLPRI;
    if (events & POLLRDHUP)
        e |= EPOLLRDHUP;
    return e;
}

/* op is what should be right; the kernel may know better after a close. */
static int ctl(struct tsk_waitfd *w, int op, int fd, short events,
               tlsock_error *err)
{
    struct epoll_event e;

    memset(&e, 0, sizeof(e));
    e.events = epoll_events(events);
    e.data.fd = fd;
    if (epoll_ctl(w->fd, op, fd, &e) == 0)
        return TLSOCK_OK;
    if (op == EPOLL_CTL_DEL)
        return TLSOCK_OK; /* closed meanwhile: gone already */
    if (op == EPOLL_CTL_MOD && errno == ENOENT &&
        epoll_ctl(w->fd, EPOLL_CTL_ADD, fd, &e) == 0)
        return TLSOCK_OK;
    if (op == EPOLL_CTL_ADD && errno == EEXIST &&
        epoll_ctl(w->fd, EPOLL_CTL_MOD, fd, &e) == 0)
        return TLSOCK_OK;
    return tsk_fail_sys(err, TLSOCK_E_SYSTEM, errno,
                        "cannot wait for descriptor %d", fd);
}

static struct pollfd *find(struct pollfd *list, size_t n, int fd)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].fd == fd)
            return &list[i];
    return NULL;
}

/* The wish list without gaps and doubles, into out; its length. */
static size_t merge(struct pollfd *out, const struct pollfd *fds, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        struct pollfd *same;

        if (fds[i].fd < 0)
            continue;
        same = find(out, len, fds[i].fd);
        if (same != NULL)
            same->events = (short)(same->events | fds[i].events);
        else
            out[len++] = (struct pollfd){fds[i].fd, fds[i].events, 0};
    }
    return len;
}

/* Does the list stand as it is? The common case: no memory, no system call. */
static int unchanged(const struct tsk_waitfd *w, const struct pollfd *fds,
                     size_t n, unsigned now)
{
    if (now != w->closed || n != w->n)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (w->members[i].fd != fds[i].fd ||
            w->members[i].events != fds[i].events)
            return 0;
    return 1;
}

int tsk_waitfd_set(struct tsk_waitfd *w, const struct pollfd *fds, size_t n,
                   tlsock_error *err)
{
    unsigned now = atomic_load(&closed);
    struct pollfd *want;
    size_t len;
    int rc = TLSOCK_OK;

    if (unchanged(w, fds, n, now))
        return TLSOCK_OK;
    want = tsk_alloc((n + 1) * sizeof(*want));
    if (want == NULL)
        return tsk_fail_nomem(err);
    len = merge(want, fds, n);
    for (size_t i = 0; i < w->n; i++)
        if (find(want, len, w->members[i].fd) == NULL)
            ctl(w, EPOLL_CTL_DEL, w->members[i].fd, 0, NULL);
    for (size_t i = 0; i < len && rc == TLSOCK_OK; i++) {
        const struct pollfd *had = find(w->members, w->n, want[i].fd);

        if (had == NULL)
            rc = ctl(w, EPOLL_CTL_ADD, want[i].fd, want[i].events, err);
        else if (had->events != want[i].events || now != w->closed)
            rc = ctl(w, EPOLL_CTL_MOD, want[i].fd, want[i].events, err);
    }
    /* After a failure some are in and some not: what is listed is tried
     * again with the next set, because the counter differs. */
    tsk_free(w->members);
    w->members = want;
    w->n = len;
    w->closed = rc == TLSOCK_OK ? now : now - 1;
    return rc;
}

void tsk_waitfd_free(struct tsk_waitfd *w)
{
    if (w == NULL)
        return;
    tsk_wait_close(w->fd);
    tsk_free(w->members);
    tsk_free(w);
}
