/* ends - both ends of a connection in memory, for scenarios whose n-th
 * allocation fails: what they do together, and what must hold whatever failed.
 * A promise that is broken goes to w->broken. */
#ifndef TEST_OOM_ENDS_H
#define TEST_OOM_ENDS_H

#include "each.h"
#include "peer.h"

typedef int ends_step_fn(tlsock *s, const void *arg);

/* 0, or the code of the constructor that failed, noted. */
int ends_open(struct world *w, struct peer *p, const tlsock_opts *o);
/* The handshakes of both. */
int ends_shake(struct world *w, struct peer *p);
/* The same step on both sides; the first failure of either is the outcome. */
int ends_step(struct world *w, struct peer *p, ends_step_fn *step,
              const void *arg);
/* A message each way, in the state that a step that succeeded has promised. */
int ends_talk(struct world *w, struct peer *p, int64_t state);
/* Something has failed: a handle that is not PLAIN sends nothing readable. */
void ends_insist(struct world *w, struct peer *p);
int ends_close(struct world *w, struct peer *p);

#endif
