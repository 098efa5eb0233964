/* evidence - what a connection shows to whoever watches it: its messages, its
 * secrets, the bytes of its transport, and what was said before them.
 *
 * Hooks ask for them, and the option keylog; where nobody does, nothing of this
 * is called. Judges nothing: a hook's refusal ends the connection as soon as
 * libssl reads or writes again. */
#ifndef TSK_TLS_EVIDENCE_H
#define TSK_TLS_EVIDENCE_H

#include "tls/conn.h"

/* For all connections of c: its keylog file is opened. 0, or code */
int tsk_evidence_setup(struct tsk_ctx *c, tlsock_error *err);
void tsk_evidence_start(tlsock *s); /* s->ssl and its BIO are there */
/* Of what is said before TLS: does anybody want to see it? */
int tsk_evidence_wants_dialogue(const tlsock *s);
void tsk_evidence_dialogue(tlsock *s, int sent, const void *bytes, size_t len);
/* The HELLO hook has answered: nobody else may want messages. */
void tsk_evidence_told(tlsock *s);
void tsk_evidence_end(tlsock *s); /* TLS, or all of it, goes: the last event */
/* 0, or the code of a hook that refused, recorded in s */
int tsk_evidence_refused(tlsock *s);

#endif
