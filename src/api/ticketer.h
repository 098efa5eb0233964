/* ticketer - the secret of tickets, where it is in Redis: fetched ahead, by one
 * thread for each config that names one. No handshake ever waits for it.
 *
 * Asked at once when the first listener or connection wants it, then every 30
 * seconds; while Redis cannot be reached, after 5, 10, 20, 40, 60, 60, ...
 * seconds. Each time over a new connection of our own, with TLS if the URL
 * says rediss://, all of it within 10 seconds. */
#ifndef TSK_API_TICKETER_H
#define TSK_API_TICKETER_H

#include "tls/ctx.h"

/* A server needs tickets' keys now: cheap once it was called. Without memory or
 * a thread nothing happens; the next call tries again. Looks at a file, too. */
void tsk_ticketer_begin(struct tsk_ctx *c);
/* Tests only: look at the clock again. */
void tsk_ticketer_poke(struct tsk_ctx *c);

#endif
