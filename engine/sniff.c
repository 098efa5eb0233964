#include "sniff.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <tlsock.h>

struct sniff {
    struct event *ev;
    int fd;
};

struct sniff *sniff_new(struct event_base *base, int fd,
                        void (*when)(int, short, void *), void *arg)
{
    struct sniff *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->fd = fd;
    /* one byte stays readable for as long as it is looked at only: an edge
     * tells of the next one, a level would tell for ever */
    s->ev = event_new(base, fd, EV_READ | EV_ET | EV_PERSIST, when, arg);
    if (s->ev == NULL || event_add(s->ev, NULL) < 0) {
        sniff_free(s);
        return NULL;
    }
    return s;
}

int sniff_look(const struct sniff *s)
{
    int verdict = tlsock_sniff(s->fd, 0);
    char byte;

    if (verdict != TLSOCK_SNIFF_NONE)
        return verdict < 0 ? TLSOCK_SNIFF_TLS : verdict;
    return recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0
               ? TLSOCK_SNIFF_TLS
               : TLSOCK_SNIFF_NONE;
}

void sniff_free(struct sniff *s)
{
    if (s == NULL)
        return;
    if (s->ev != NULL)
        event_free(s->ev);
    free(s);
}
