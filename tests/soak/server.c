/* The echo: each connection until its peer has ended. Every eleventh is done a
 * wrong by the server itself. */
#include "soak.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum wrong { NONE, AT_ONCE, IN_HANDSHAKE, IN_DATA, GARBAGE, WRONGS };

struct client {
    tlsock *s;
    struct client *next;
    enum wrong wrong;
    int op, ready, steps;
};

struct server {
    tlsock_listener *l;
    int set, looked; /* looked: when all time limits were */
    struct client *all;
    uint32_t random;
    struct soak_report report;
};

static void reset(tlsock *s)
{
    struct linger now = {1, 0};

    setsockopt(tlsock_fd(s), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    tlsock_abandon(s);
}

/* Whether the connection was ended by the server's own wrong. */
static int do_wrong(struct client *c)
{
    const char *garbage =
        "\x17\x03\x03\x00\x20 this is no record of TLS at all";
    int handshaken =
        tlsock_info_int(c->s, TLSOCK_INFO_STATE) == TLSOCK_STATE_TLS;

    c->steps++;
    switch (c->wrong) {
    case AT_ONCE:
        break;
    case IN_HANDSHAKE:
        if (c->steps < 2)
            return 0;
        break;
    case GARBAGE:
        if (!handshaken)
            return 0;
        send(tlsock_fd(c->s), garbage, strlen(garbage + 5) + 5, MSG_NOSIGNAL);
        tlsock_abandon(c->s);
        c->s = NULL;
        return 1;
    case IN_DATA:
        if (!handshaken || c->steps < 4)
            return 0;
        break;
    default:
        return 0;
    }
    reset(c->s);
    c->s = NULL;
    return 1;
}

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

/* Whether it is over. */
static int step(struct server *v, struct client *c)
{
    struct epoll_event ev = {.data.ptr = c};
    ssize_t rc;

    if (c->wrong != NONE && do_wrong(c)) {
        v->report.faults++;
        return 1;
    }
    c->ready = 0;
    rc = echo(c->s);
    if (rc != TLSOCK_AGAIN) {
        v->report.echoed += rc == 0;
        v->report.failed += rc < 0;
        if (rc == TLSOCK_E_STATE || rc == TLSOCK_E_NOMEM)
            snprintf(v->report.odd, sizeof(v->report.odd), "%.150s",
                     tlsock_last_error(c->s)->message);
        tlsock_close(c->s);
        return 1;
    }
    ev.events = (uint32_t)soak_wants(c->s);
    epoll_ctl(v->set, c->op, tlsock_fd(c->s), &ev);
    c->op = EPOLL_CTL_MOD;
    return 0;
}

static void step_all(struct server *v)
{
    int now = soak_milliseconds(), look = now - v->looked >= 100;

    if (look)
        v->looked = now;
    for (struct client **at = &v->all, *c; (c = *at) != NULL;) {
        int due = c->ready || (look && tlsock_timeout(c->s) == 0);

        if (due && step(v, c)) {
            *at = c->next;
            free(c);
        } else {
            at = &c->next;
        }
    }
}

static void take_all(struct server *v)
{
    tlsock_error err;
    tlsock *s;

    while ((s = tlsock_accept(v->l, &err)) != NULL) {
        struct client *c = calloc(1, sizeof(*c));

        v->report.accepted++;
        if (v->report.accepted % 11 == 0)
            c->wrong = 1 + soak_random(&v->random) % (WRONGS - 1);
        c->s = s;
        c->next = v->all;
        c->op = EPOLL_CTL_ADD;
        c->ready = 1;
        v->all = c;
    }
    if (err.code != TLSOCK_AGAIN)
        snprintf(v->report.odd, sizeof(v->report.odd), "%.150s", err.message);
}

int soak_serve(tlsock_listener *l, int ask)
{
    struct server v = {.l = l, .random = 7};
    struct epoll_event evs[256], ev = {.events = EPOLLIN, .data.ptr = &ask};
    int asked = 0;
    char byte;

    v.set = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(v.set, EPOLL_CTL_ADD, ask, &ev);
    ev.data.ptr = NULL;
    epoll_ctl(v.set, EPOLL_CTL_ADD, tlsock_listener_fd(l), &ev);
    for (;;) {
        int n = epoll_wait(v.set, evs, 256, 100);

        for (int i = 0; i < n; i++) {
            if (evs[i].data.ptr == &ask) {
                if (read(ask, &byte, 1) != 1) {
                    close(v.set);
                    return 0;
                }
                asked = 1;
            } else if (evs[i].data.ptr != NULL) {
                ((struct client *)evs[i].data.ptr)->ready = 1;
            }
        }
        take_all(&v);
        step_all(&v);
        if (asked && v.all == NULL) {
            v.report.held = soak_held();
            if (write(ask, &v.report, sizeof(v.report)) !=
                (ssize_t)sizeof(v.report))
                return 1;
            memset(&v.report, 0, sizeof(v.report));
            asked = 0;
        }
    }
}
