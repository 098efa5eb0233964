/* op - an event whose answer may come later, from any thread.
 *
 * Counted twice: by the connection that waits, and by whoever has to call
 * tlsock_op_done(). Either may go first. The answer is wiped when it is freed.
 * A descriptor to wait on is made when the hook said AGAIN, not before. */
#ifndef TSK_TLS_OP_H
#define TSK_TLS_OP_H

#include "tls/conn.h"

/* Calls the hook of e->kind (a no-op, 0, if there is none), with an op if
 * may_wait. What it says: >= 0; AGAIN: s->op waits now, see tsk_op_poll();
 * or a code, recorded in s->err (E_HOOK if the hook gave nonsense). */
int tsk_op_event(tlsock *s, tlsock_event *e, int may_wait);
/* AGAIN: s->op is not answered yet. Else its answer, s->op stays until
 * tsk_op_end(): the code as the hook would have returned it. */
int tsk_op_poll(tlsock *s);
const void *tsk_op_data(const struct tlsock_op *op, size_t *len);
int tsk_op_fd(const struct tlsock_op *op); /* readable once it is answered */
void tsk_op_end(tlsock *s);                /* s->op: forgotten */

#endif
