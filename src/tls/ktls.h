/* ktls - does the kernel encrypt this connection, and why not?
 *
 * It is asked when TLS begins, and takes over when libssl gives it keys. What
 * it does not do, libssl does: that is no failure, and only told here. */
#ifndef TSK_TLS_KTLS_H
#define TSK_TLS_KTLS_H

#include "tls/conn.h"

/* The SSL and its BIO are new: shall the kernel be asked? */
void tsk_ktls_begin(tlsock *s);
/* The handshake is over: it is known who does what. */
void tsk_ktls_settle(tlsock *s);
/* New keys were due, and the kernel has only the old ones: records it. */
int tsk_ktls_fail(tlsock *s);
/* Such a socket never carries plaintext again: records it. */
int tsk_ktls_stays(tlsock *s);
/* What there is to say of it; "": nobody asked, or TLS is not up. */
void tsk_ktls_text(const tlsock *s, char *out, size_t size);

#endif
