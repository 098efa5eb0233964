/* program - a child as the one who answers: bytes into its stdin, bytes out of
 * its stdout, and the events that say when.
 *
 * Knows channels and libevent; knows nothing of connections. */
#ifndef ENGINE_PROGRAM_H
#define ENGINE_PROGRAM_H

#include "chan.h"
#include "child.h"

struct event;
struct event_base;

struct program {
    struct child child; /* -1: closed */
    struct event *ev_to, *ev_from;
};

#define PROGRAM_NONE                                                           \
    {                                                                          \
        .child = {.to = -1, .from = -1 }                                       \
    }

/* 0, or the errno of what failed. when is called as libevent does, with arg,
 * when it is worth while to go on. */
int program_start(struct program *p, struct event_base *base, char *const *argv,
                  void (*when)(int, short, void *), void *arg);
/* 1: something moved; 0: not now. A program that reads no more gets no more;
 * what it would have got is dropped. */
int program_take(struct program *p, struct chan *from);
int program_give(struct program *p, struct chan *to);
/* Wait for what the next step needs: 0; -1: nothing would tell of it. */
int program_rearm(struct program *p, const struct chan *from, struct chan *to);
void program_close(struct program *p); /* it may live on, without us */

#endif
