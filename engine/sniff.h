/* sniff - does a client begin with TLS? Waits, without ever blocking and
 * without spinning, until there are bytes enough to tell; consumes nothing.
 *
 * Knows libevent and tlsock_sniff(); keeps no time. */
#ifndef ENGINE_SNIFF_H
#define ENGINE_SNIFF_H

struct event_base;
struct sniff;

/* when is called as libevent does, with arg, each time bytes have come. fd is
 * borrowed. NULL: out of memory. */
struct sniff *sniff_new(struct event_base *base, int fd,
                        void (*when)(int, short, void *), void *arg);
/* TLSOCK_SNIFF_*: NONE is not yet. A client that ended is TLS: its handshake
 * says what is wrong with it. */
int sniff_look(const struct sniff *s);
void sniff_free(struct sniff *s);

#endif
