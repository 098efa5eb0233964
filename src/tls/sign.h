/* sign - private keys that are elsewhere: the SIGN hook is asked.
 *
 * libssl cannot leave a signature open, nor the key of a ticket, so where there
 * is a SIGN hook, or a server's TICKET_KEY hook, the handshake runs on a fiber,
 * which pauses until the answer is there. Each signature is checked against the
 * certificate before it is sent. */
#ifndef TSK_TLS_SIGN_H
#define TSK_TLS_SIGN_H

#include "tls/op.h"

/* The key of an identity: its own, or one that asks the hook; borrowed, lives
 * as long as the identity. NULL: OpenSSL's queue says why. */
EVP_PKEY *tsk_sign_key(const tlsock_cert *id);
/* SSL_do_handshake(), or what reads early data: 0, *ret is what it gave; AGAIN:
 * s->op waits; E_NOMEM. */
int tsk_sign_handshake(tlsock *s, int *ret);
/* Within a callback of libssl: is it on a fiber? Else nothing can wait. */
int tsk_sign_can_wait(const tlsock *s);
/* There: tsk_op_event(), and the answer is waited for. AGAIN: the connection is
 * given up. tsk_op_end() when the answer was used. */
int tsk_sign_ask(tlsock *s, tlsock_event *e, enum tsk_op_mode mode);
/* Around calls of libssl after the handshake, in which a server may ask for a
 * certificate: a signature is asked for, too, but it cannot come later. */
tlsock *tsk_sign_begin(tlsock *s);
void tsk_sign_over(tlsock *before);
/* Give up what is under way, without a byte on the wire. */
void tsk_sign_end(tlsock *s);

#endif
