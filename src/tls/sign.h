/* sign - private keys that are elsewhere: the SIGN hook is asked.
 *
 * libssl cannot leave a signature open, so where there is a SIGN hook the
 * handshake runs on a fiber, which pauses until the answer is there. Each
 * signature is checked against the certificate before it is sent. */
#ifndef TSK_TLS_SIGN_H
#define TSK_TLS_SIGN_H

#include "tls/conn.h"

/* The key of an identity: its own, or one that asks the hook; borrowed, lives
 * as long as the identity. NULL: OpenSSL's queue says why. */
EVP_PKEY *tsk_sign_key(const tlsock_cert *id);
/* SSL_do_handshake(), or what reads early data: 0, *ret is what it gave; AGAIN: s->op waits; E_NOMEM. */
int tsk_sign_handshake(tlsock *s, int *ret);
/* Around calls of libssl after the handshake, in which a server may ask for a
 * certificate: a signature is asked for, too, but it cannot come later. */
tlsock *tsk_sign_begin(tlsock *s);
void tsk_sign_over(tlsock *before);
/* Give up what is under way, without a byte on the wire. */
void tsk_sign_end(tlsock *s);

#endif
