/* hello - the ClientHello, told to a hook before anything is made of it.
 *
 * The hook sees it once, also where the server asks for a second one
 * (HelloRetryRequest), and may choose our certificate. Knows the two
 * extensions it shows, and no other. */
#ifndef TSK_TLS_HELLO_H
#define TSK_TLS_HELLO_H

#include "tls/conn.h"

#define TSK_HELLO_TEXT 512

/* libssl's callback; set only where there is a HELLO hook. */
int tsk_hello_cb(SSL *ssl, int *alert, void *arg);
/* A handshake message came, and there is a HELLO hook. */
void tsk_hello_seen(tlsock *s, const void *bytes, size_t len);
/* The bytes of the two extensions (RFC 6066, 3; RFC 7301, 3.1) as text; "" if
 * they are none, or malformed: libssl refuses those afterwards. */
void tsk_hello_sni(const unsigned char *ext, size_t len,
                   char out[TSK_HELLO_TEXT]);
void tsk_hello_alpn(const unsigned char *ext, size_t len,
                    char out[TSK_HELLO_TEXT]);
/* What tlsock_use_cert() does: 0, E_STATE. Takes a reference. */
int tsk_hello_choose(tlsock *s, tlsock_cert *cert);
void tsk_hello_free(tlsock *s); /* what is left of it */

/* hellouse.c: what else a hook chose. */
struct tsk_hello_use {
    int alpn;        /* protocol counts; "": none */
    int min, max;    /* 0: as the config has it */
    int client;      /* TSK_CLIENT_NONE, _ASK: of whomever; -1: as ... */
    char protocol[256];
};
/* What the calls of these names do, the text checked already: 0, E_STATE,
 * E_NOMEM, E_OPTION, E_POLICY. Nothing is recorded. */
int tsk_hello_use_alpn(tlsock *s, const char *protocol);
int tsk_hello_use_version(tlsock *s, int min, int max);
int tsk_hello_use_client(tlsock *s, int client);
int tsk_hello_apply(tlsock *s, SSL *ssl); /* 0, or code, recorded */
/* The versions of this connection, as the config or the hook has them. */
void tsk_hello_versions(const tlsock *s, int *min, int *max);
/* Any client certificate is taken, verified or not. */
int tsk_hello_any_client(const tlsock *s);

#endif
