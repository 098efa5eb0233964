/* rawkey - keys in place of certificates (RFC 7250), as far as a config lets
 * them: whether they are offered, and what is made of one that comes. */
#ifndef TSK_TLS_RAWKEY_H
#define TSK_TLS_RAWKEY_H

#include "tls/conn.h"

/* Before the handshake, either side. 0, or a code. */
int tsk_rawkey_offer(tlsock *s);
/* The verdict on what libssl asks about, if it is a bare key: 1, and rc is the
 * verdict; 0: it is a certificate. */
int tsk_rawkey_verify(tlsock *s, X509_STORE_CTX *store_ctx, int *rc);

#endif
