/* epoll_server TARGET CERT KEY - one thread echoes to many; prints its port */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <tlsock.h>
#include <tlsock/config.h>
struct client {
    tlsock *s;
    struct client *next;
    int op, ready; /* op: how the set is told of it */
};
/* Nothing is taken that could not be sent. AGAIN: later; else it is over. */
static ssize_t echo(tlsock *s)
{
    char buf[16384];
    ssize_t n;
    while ((n = tlsock_peek(s, buf, sizeof(buf))) > 0) {
        n = tlsock_write(s, buf, (size_t)n);
        if (n < 0 || tlsock_read(s, buf, (size_t)n) != n)
            return n;
    }
    return n == 0 ? tlsock_shutdown(s, SHUT_WR) : n;
}
/* All that are ready or whose time is up get on; how long to wait for more. */
static int step_all(int set, struct client **at)
{
    int ms = -1; /* no limit: the most there is, as an unsigned number */
    while (*at != NULL) {
        struct client *c = *at;
        struct epoll_event ev = {.data.ptr = c};
        int due = c->ready || tlsock_timeout(c->s) == 0;
        if (due && echo(c->s) != TLSOCK_AGAIN) {
            *at = c->next;
            tlsock_close(c->s);
            free(c);
            continue;
        }
        ev.events = (tlsock_events(c->s) & POLLIN ? EPOLLIN : 0) |
                    (tlsock_events(c->s) & POLLOUT ? EPOLLOUT : 0);
        if (due)
            epoll_ctl(set, c->op, tlsock_fd(c->s), &ev);
        *c = (struct client){c->s, c->next, EPOLL_CTL_MOD, 0};
        if ((unsigned)tlsock_timeout(c->s) < (unsigned)ms)
            ms = tlsock_timeout(c->s);
        at = &c->next;
    }
    return ms;
}

int main(int argc, char **argv)
{
    struct epoll_event evs[64] = {{.events = EPOLLIN}};
    tlsock_config *cfg = tlsock_config_new();
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct client *all = NULL, *c;
    tlsock_error err = {0};
    tlsock_listener *l = NULL;
    if (argc != 4 || tlsock_config_add_identity(cfg, argv[2], argv[3], NULL))
        err = *tlsock_config_error(cfg);
    else
        l = tlsock_listen(argv[1], cfg, TLSOCK_OPTS(.nonblocking = 1), &err);
    tlsock_config_unref(cfg);
    if (l == NULL)
        return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1;
    printf("%d\n", tlsock_listener_port(l));
    fflush(stdout);
    epoll_ctl(set, EPOLL_CTL_ADD, tlsock_listener_fd(l), evs);
    for (tlsock *s;;) {
        for (int n = epoll_wait(set, evs, 64, step_all(set, &all)); n-- > 0;)
            if ((c = evs[n].data.ptr) != NULL)
                c->ready = 1;
        while ((s = tlsock_accept(l, &err)) != NULL) {
            c = malloc(sizeof(*c));
            *c = (struct client){s, all, EPOLL_CTL_ADD, 1};
            all = c;
        }
    }
}
