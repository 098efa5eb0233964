/* op - an event whose answer may come later, from any thread.
 *
 * What a hook gets is a number that is never used again, dressed as a pointer
 * and never followed: an answer that comes twice, or after the connection went,
 * finds nothing and does no harm. The connection alone owns the op; its answer
 * is wiped when it is freed. A descriptor to wait on is made when the hook said
 * AGAIN, not before. An op belongs to the process whose hook was called.
 *
 * One lock for all of them guards the table and every answer; it is held for a
 * look-up and a wake-up, never over a hook. */
#ifndef TSK_TLS_OP_H
#define TSK_TLS_OP_H

#include "tls/conn.h"

#define TSK_OP_DATA_MAX 65536 /* bytes of an answer */

enum tsk_op_mode {
    TSK_OP_NONE,  /* the event has no op: the hook's value is the answer */
    TSK_OP_LATER, /* an answer with data, now or later */
    TSK_OP_NOW    /* an answer with data, which cannot wait */
};

struct tsk_op;

/* Calls the hook of e->kind (a no-op, 0, if there is none), with an op as the
 * mode says. What it says: >= 0; AGAIN: s->op waits now, see tsk_op_poll(); or
 * a code, recorded in s, phase HANDSHAKE if there is none yet (E_HOOK if
 * the hook gave nonsense). With >= 0 s->op may hold data: tsk_op_end(). */
int tsk_op_event(tlsock *s, tlsock_event *e, enum tsk_op_mode mode);
/* AGAIN: s->op is not answered yet. Else its answer, s->op stays until
 * tsk_op_end(): the code as the hook would have returned it. */
int tsk_op_poll(tlsock *s);
/* Does s wait for an answer that it has not taken yet? */
int tsk_op_waits(const tlsock *s);
/* And that is not there: a step can only say AGAIN. Cheap. */
int tsk_op_unanswered(const tlsock *s);
/* Which event it is about, for texts: "HELLO". */
const char *tsk_op_name(const struct tsk_op *op);
const void *tsk_op_data(const struct tsk_op *op, size_t *len);
int tsk_op_fd(const struct tsk_op *op); /* readable once it is answered */
void tsk_op_end(tlsock *s);             /* s->op: forgotten */

/* The same without a connection: *op is yours, tsk_op_free(), or NULL. */
int tsk_op_ask(const struct tsk_hook *on, tlsock_event *e,
               enum tsk_op_mode mode, struct tsk_op **op, tlsock_error *err);
void tsk_op_free(struct tsk_op *op);
/* The hook, which is there, on the stack that its caller gave us. */
int tsk_op_call(const struct tsk_hook *on, const tlsock_event *e);
/* What the value of a hook without an op means: >= 0, or a code, recorded. */
int tsk_op_judge(int kind, int code, tlsock_error *err);
/* What tlsock_op_done() does. */
int tsk_op_answer(struct tlsock_op *handle, int code, const void *data,
                  size_t len);

#endif
