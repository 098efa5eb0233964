/* ticket - what libssl asks about session tickets (RFC 5077; RFC 8446, 4.6.1):
 * with which key to seal one, and with which to open what a client brings. The
 * keys are the config's (session/ticket.h), or those of its TICKET_KEY hook. */
#ifndef TSK_TLS_TICKET_H
#define TSK_TLS_TICKET_H

#include "tls/conn.h"

/* Into the SSL_CTX of c: 0, or a code. */
int tsk_ticket_setup(struct tsk_ctx *c, tlsock_error *err);
/* Is there a key to issue with? Else no ticket is worth sending. */
int tsk_ticket_ready(const tlsock *s);

#endif
