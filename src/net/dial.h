/* dial - from a target to one connected socket: resolve off the caller's
 * thread, then race all addresses (RFC 8305). Never waits; the caller polls
 * what tsk_dial_pollfds() says, for at most tsk_dial_wait_ms(). */
#ifndef TSK_NET_DIAL_H
#define TSK_NET_DIAL_H

#include "core/err.h"
#include "net/target.h"

#include <poll.h>

#define TSK_DIAL_FDS 16 /* most descriptors it ever polls at once */

struct tsk_dial;

/* local: numeric address to bind, or NULL. family 0, 4, 6. */
struct tsk_dial *tsk_dial_new(const struct tsk_target *t, int family,
                              const char *local, tlsock_error *err);
/* OK: connected, see tsk_dial_take_fd(). AGAIN. Or a code: E_RESOLVE,
 * E_CONNECT (the message lists each address tried and why), E_SYSTEM... */
int tsk_dial_step(struct tsk_dial *d, tlsock_error *err);
/* From the next step on, an attempt without a rival may wait in connect(2) for
 * TSK_LAYER_WAIT_MS: then the socket is a blocking one. */
void tsk_dial_may_wait(struct tsk_dial *d, int on);
int tsk_dial_phase(const struct tsk_dial *d); /* TLSOCK_PHASE_RESOLVE, ... */
size_t tsk_dial_pollfds(const struct tsk_dial *d, struct pollfd *out,
                        size_t max);
int tsk_dial_wait_ms(const struct tsk_dial *d); /* -1: no timer of its own */
int tsk_dial_take_fd(struct tsk_dial *d);       /* yours: TCP_NODELAY set */
/* Of the one that was taken: is it a blocking one (its SO_SNDTIMEO is set),
 * and where does it lead to? As tsk_fd_address() says it. */
int tsk_dial_blocking(const struct tsk_dial *d);
void tsk_dial_address(const struct tsk_dial *d, char *out, size_t size);
int tsk_dial_resolve_ms(const struct tsk_dial *d);
int tsk_dial_connect_ms(const struct tsk_dial *d);
/* What was tried so far and what is under way, for the message of a deadline
 * that passed: "192.0.2.1:443: no answer; [::1]:443: Connection refused". */
void tsk_dial_describe(const struct tsk_dial *d, char *out, size_t size);
void tsk_dial_free(struct tsk_dial *d); /* losers closed, lookup cancelled */

#endif
