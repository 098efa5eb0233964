/* conn - what one connection is inside. Its expected name and every verdict
 * live here, never in anything shared. */
#ifndef TSK_TLS_CONN_H
#define TSK_TLS_CONN_H

#include "core/clock.h"
#include "net/dial.h"
#include "net/wait.h"
#include "ossl/bio.h"
#include "session/store.h"
#include "tls/ctx.h"

enum tsk_rung { TSK_RUNG_DIAL, TSK_RUNG_TLS, TSK_RUNG_READY, TSK_RUNG_DEAD };

struct tlsock {
    enum tsk_rung rung;
    int server, nonblocking;
    unsigned flags;
    struct tsk_ctx *ctx;
    const struct tsk_settings *set; /* ctx's, borrowed */
    struct tsk_dial *dial;          /* while connecting */
    struct tsk_layer *layer;        /* the transport, once there is one */
    struct tsk_waitfd *waitfd;      /* private descriptor, nonblocking only */
    SSL *ssl;                       /* from the first handshake step on */
    struct tsk_bio io;
    struct tsk_buf plain; /* decrypted, held for peek and getline */
    struct tsk_buf hold;  /* not yet encrypted: write.buffer */

    char *name;   /* expected, as the user gave it; NULL: none */
    char *sni;    /* A-label to send, NULL: none */
    char *scheme; /* NULL: RFC 9525 */
    char address[64];
    char *session_key; /* NULL: sessions are not kept */

    int64_t hs_deadline, deadline; /* absolute, TSK_NEVER: none */
    int call_timeout_ms;           /* -1: none */
    int handshake_ms_left;         /* budget that begins with the TLS rung */

    int sent_close, got_close; /* close_notify */
    int cert_requested;        /* the server asked for our certificate */
    int offered;               /* a session was offered */
    int alert, alert_from_peer;
    unsigned fork_generation;
    struct tsk_session_facts facts;
    int64_t t_start, t_connected, t_ready; /* tsk_now_ms() */
    int resolve_ms, tcp_ms, tls_ms;
    uint64_t bytes_read;                   /* application data */
    void *user;
    tlsock_error err;
    char text[512]; /* last answer of tlsock_info() */
};

static inline tlsock *tsk_conn_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* hand.c: 0 verified and ready, AGAIN, or code; makes the SSL when needed */
int tsk_hand_step(tlsock *s);
/* fail.c: what a failed libssl call means; records it. phase: what was done */
int tsk_tls_fail(tlsock *s, int ret, int phase);
/* peer.c: libssl's callbacks on certificates and staples */
int tsk_peer_verify(X509_STORE_CTX *store_ctx, void *arg);
int tsk_peer_staple(SSL *ssl, void *arg);
int tsk_peer_new_session(SSL *ssl, SSL_SESSION *ses);
int tsk_peer_no_staple(tlsock *s); /* 0 none is due, or E_MUST_STAPLE */
void tsk_peer_request(tlsock *s, struct tsk_verify_req *req);
/* server.c: choice of certificate and ALPN protocol */
int tsk_server_cert(SSL *ssl, void *arg);
int tsk_server_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                    const unsigned char *in, unsigned int inlen, void *arg);
/* io.c: never wait; > 0, 0 end, AGAIN, code */
ssize_t tsk_io_read(tlsock *s, void *buf, size_t len);
ssize_t tsk_io_peek(tlsock *s, void *buf, size_t len);
int tsk_io_more(tlsock *s); /* > 0 more bytes now in s->plain, 0 end, ... */
ssize_t tsk_io_write(tlsock *s, const struct iovec *iov, int n, size_t skip);
int tsk_io_flush(tlsock *s);
/* close.c: AGAIN until close_notify is with the system */
int tsk_close_notify(tlsock *s);
void tsk_close_drain(tlsock *s);
/* fork.c */
unsigned tsk_fork_generation(void);
static inline int tsk_conn_foreign(const tlsock *s)
{
    return s->ssl != NULL && s->fork_generation != tsk_fork_generation();
}

#endif
