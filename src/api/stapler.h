/* stapler - a server's staples, fetched ahead: one thread for each snapshot of
 * a config that serves and has certificates with responders. No handshake ever
 * waits for it.
 *
 * The thread runs from the first listener or accepted connection on, until the
 * last reference of the ctx is gone, or another snapshot takes its place. It
 * takes no signals. After fork() a child has what the parent had got; its own
 * thread starts with the first connection it accepts. Who forks waits until no
 * such thread is within OpenSSL. */
#ifndef TSK_API_STAPLER_H
#define TSK_API_STAPLER_H

#include "tls/ctx.h"

/* A server needs staples now: cheap once it was called. Without memory or a
 * thread nothing happens; the next call tries again. */
void tsk_stapler_begin(struct tsk_ctx *c);
/* `to` serves from now on, instead of `from`. */
void tsk_stapler_move(struct tsk_ctx *from, struct tsk_ctx *to);
/* For who registers a handler that has to come before, when a fork comes. */
void tsk_stapler_watch_forks(void);
/* Tests only: look at the clock again. */
void tsk_stapler_poke(struct tsk_ctx *c);

#endif
