/* relay - one accepted connection: handshake, then bytes both ways between
 * the peer and what answers it (an echo, a fixed reply, a program, files).
 *
 * Bounded buffers push back on whoever is too fast; each direction ends by
 * itself. Never waits: libevent says when to go on. Knows nothing of
 * listening. */
#ifndef ENGINE_RELAY_H
#define ENGINE_RELAY_H

#include "listen.h"

struct event_base;
struct relay;

/* Takes s over, freed in all outcomes; done is called when it has ended, after
 * the owner's on_end. NULL: out of memory (s is gone). */
struct relay *relay_new(struct event_base *base, tlsock *s, unsigned long id,
                        const struct engine_opts *opts,
                        void (*done)(struct relay *r, int code, void *arg),
                        void *arg);
/* End it now, with close_notify; done is not called. */
void relay_stop(struct relay *r);
/* A list the owner keeps: where r stands in it. */
struct relay_link {
    struct relay *next, *prev;
};
struct relay_link *relay_link(struct relay *r);

#endif
