/* hostset - a host that has settings of its own, made ready with the ctx: found
 * by the ClientHello's SNI, before anything is chosen or resumed. */
#ifndef TSK_TLS_HOSTSET_H
#define TSK_TLS_HOSTSET_H

#include "tls/conn.h"

/* The settings as one host has them: a view, whose pointers are theirs. */
void tsk_hostset_view(const struct tsk_settings *set,
                      const struct tsk_host_set *host,
                      struct tsk_settings *out);
/* All of a ctx, whose own session context and trust are there. 0 or code */
int tsk_hostset_setup(struct tsk_ctx *c, tlsock_error *err);
void tsk_hostset_drop(struct tsk_ctx *c);
/* Within libssl's callback of the ClientHello: 0, or a code, recorded. */
int tsk_hostset_enter(tlsock *s, SSL *ssl);

#endif
