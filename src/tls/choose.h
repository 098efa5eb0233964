/* choose - which of a server's certificates a client gets: by the name it asks
 * for, and by the signatures it can verify. */
#ifndef TSK_TLS_CHOOSE_H
#define TSK_TLS_CHOOSE_H

#include "tls/ctx.h"

/* The identities into the SSL_CTX: its default, and the table of hosts. */
int tsk_choose_setup(struct tsk_ctx *c, tlsock_error *err);
/* Where in the settings' identities the one is that this connection was given;
 * beyond all of them: it is none of these. */
size_t tsk_choose_which(const struct tsk_ctx *c, SSL *ssl, const X509 *leaf);

#endif
