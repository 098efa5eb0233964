/* stateful - the sessions that a server remembers, where it gives out no
 * tickets: in memory that its config has (session/idcache.h), or in the
 * program's store, which other processes and machines have, too.
 *
 * What a store cannot do is not done: a full handshake follows. */
#ifndef TSK_TLS_STATEFUL_H
#define TSK_TLS_STATEFUL_H

#include "tls/conn.h"

int tsk_stateful(const struct tsk_settings *set); /* does it remember any? */
void tsk_stateful_setup(struct tsk_ctx *c);       /* into the SSL_CTX of c */
/* Of a server's connection: borrowed. */
void tsk_stateful_put(tlsock *s, SSL_SESSION *ses);
/* RFC 5246, 7.2.2: nobody resumes what a fatal alert ended. */
void tsk_stateful_drop(tlsock *s);
/* RFC 8446, 8.1: may this session, which s resumes, bring early data? Of all
 * that share a store, one is told 1. */
int tsk_stateful_first(tlsock *s);

#endif
