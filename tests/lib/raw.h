/* raw - the other end as plain OpenSSL, with behaviour the library refuses to
 * have: old versions, missing intermediates, expired certificates, tiny keys.
 * Runs over one end of a test_pipe pair, or over a descriptor. */
#ifndef TEST_RAW_H
#define TEST_RAW_H

#include "peer.h"

#include <openssl/ssl.h>

struct raw_opts {
    const tlsock_cert *cert; /* what to show, or NULL */
    int no_chain;            /* the leaf alone */
    const tlsock_cert *also; /* a certificate more, at the chain's end */
    int min, max;            /* TLS1_VERSION...; 0: OpenSSL's */
    const char *ciphers;     /* TLS 1.2 and below; with @SECLEVEL=0 */
    const char *ciphersuites;
    int want_client;      /* server: SSL_VERIFY_... for clients */
    const tlsock_cert *trust; /* whom to believe; NULL: anybody */
    const char *name;     /* client: SNI */
    const char *alpn;     /* one protocol, without its length */
    const unsigned char *staple; /* server: an OCSP response */
    size_t staple_len;
};

/* Yours to raw_free(); asserts. */
SSL *raw_new(enum peer_side side, const struct raw_opts *o);
void raw_free(SSL *ssl);
/* Put it on one end of a pair of pipes, or on a descriptor (not owned). */
void raw_on_end(SSL *ssl, struct peer_end *end);

/* One SSL_do_handshake(): 0 done, TLSOCK_AGAIN, TLSOCK_E_PROTOCOL. */
int raw_step(SSL *ssl);
/* Library on one side of p, raw on the other: until done, failed or stuck.
 * Gives the library's result; raw's is in *raw_rc if that is not NULL. A side
 * that fails hangs up. */
int raw_shake(struct peer *p, enum peer_side ours, SSL *ssl, int *raw_rc);

#endif
