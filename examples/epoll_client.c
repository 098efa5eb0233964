/* epoll_client TARGET... - hello to all at once in one thread; 1: one failed */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <tlsock.h>
struct job {
    tlsock *s;    /* NULL: done */
    int fd, said; /* fd: what the set has; -1: nothing yet */
};
static int set, failed;

/* AGAIN: later; 0 done; else a code */
static ssize_t talk(struct job *j)
{
    char in[4096];
    ssize_t n = j->said ? 0 : tlsock_printf(j->s, "hello\n");
    j->said |= n > 0; /* AGAIN: this one again, before any other */
    if (n >= 0)
        n = tlsock_shutdown(j->s, SHUT_WR);
    if (n < 0)
        return n;
    /* decrypted bytes make no descriptor readable: read until AGAIN */
    while ((n = tlsock_read(j->s, in, sizeof(in))) > 0)
        fwrite(in, 1, (size_t)n, stdout);
    return n;
}

/* The descriptor changes once, when the handshake is done; a closed one has
 * left the set by itself. */
static void advance(struct job *j)
{
    ssize_t rc = talk(j);
    int fd = tlsock_fd(j->s), same = fd == j->fd;
    short want = tlsock_events(j->s);
    struct epoll_event ev = {.data.ptr = j};
    ev.events = (want & POLLIN ? EPOLLIN : 0) | (want & POLLOUT ? EPOLLOUT : 0);
    if (!same && j->fd >= 0)
        epoll_ctl(set, EPOLL_CTL_DEL, j->fd, &ev);
    epoll_ctl(set, same ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev);
    j->fd = fd;
    if (rc == TLSOCK_AGAIN)
        return;
    if (rc < 0)
        failed = fprintf(stderr, "%s\n", tlsock_last_error(j->s)->message);
    tlsock_close(j->s);
    j->s = NULL;
}

int main(int argc, char **argv)
{
    struct job *jobs = calloc((size_t)argc, sizeof(*jobs)), *end = jobs + argc;
    struct epoll_event evs[64];
    tlsock_error err;
    int ms = 0;
    set = epoll_create1(EPOLL_CLOEXEC);
    for (struct job *j = jobs + 1; j < end; j++) {
        j->fd = -1;
        j->s = tlsock_connect(argv[j - jobs], NULL,
                              TLSOCK_OPTS(.nonblocking = 1), &err);
        if (j->s == NULL)
            failed = fprintf(stderr, "%s\n", err.message);
    }
    for (int left = 1; left;) {
        for (int n = epoll_wait(set, evs, 64, ms); n-- > 0;)
            advance(evs[n].data.ptr);
        left = 0;
        ms = -1; /* no limit: the most there is, as an unsigned number */
        for (struct job *j = jobs + 1; j < end; j++) {
            while (j->s != NULL && (j->fd < 0 || tlsock_timeout(j->s) == 0))
                advance(j); /* it begins, or its time is up */
            left += j->s != NULL;
            if (j->s != NULL && (unsigned)tlsock_timeout(j->s) < (unsigned)ms)
                ms = tlsock_timeout(j->s);
        }
    }
    free(jobs);
    return failed != 0;
}
