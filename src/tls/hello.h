/* hello - the ClientHello, told to a hook before anything is made of it.
 *
 * The hook sees it once, also where the server asks for a second one
 * (HelloRetryRequest), and may choose our certificate. Knows the two
 * extensions it shows, and no other. */
#ifndef TSK_TLS_HELLO_H
#define TSK_TLS_HELLO_H

#include "tls/conn.h"

#define TSK_HELLO_TEXT 512

/* libssl's callbacks; set only where there is a HELLO hook. */
int tsk_hello_cb(SSL *ssl, int *alert, void *arg);
void tsk_hello_seen(int sent, int version, int type, const void *bytes,
                    size_t len, SSL *ssl, void *arg);
/* The bytes of the two extensions (RFC 6066, 3; RFC 7301, 3.1) as text; "" if
 * they are none, or malformed: libssl refuses those afterwards. */
void tsk_hello_sni(const unsigned char *ext, size_t len,
                   char out[TSK_HELLO_TEXT]);
void tsk_hello_alpn(const unsigned char *ext, size_t len,
                    char out[TSK_HELLO_TEXT]);
/* What tlsock_use_cert() does: 0, E_STATE. Takes a reference. */
int tsk_hello_choose(tlsock *s, tlsock_cert *cert);
void tsk_hello_free(tlsock *s); /* what is left of it */

#endif
