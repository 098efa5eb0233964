/* conn - what one connection is inside. Its expected name and every verdict
 * live here, never in anything shared. */
#ifndef TSK_TLS_CONN_H
#define TSK_TLS_CONN_H

#include "core/clock.h"
#include "core/talk.h"
#include "net/dial.h"
#include "net/wait.h"
#include "ossl/bio.h"
#include "session/facts.h"
#include "tls/ctx.h"
#include "verify/dane.h"

#include <pthread.h>
#include <stdatomic.h>

/* The way up. READY and PLAIN carry data; all between DIAL and READY are
 * climbed one after the other, those that are not needed skipped. */
enum tsk_rung {
    TSK_RUNG_DIAL,
    TSK_RUNG_PROXY,    /* s->path */
    TSK_RUNG_DANE,     /* s->dane: its lookup, which began beside DIAL */
    TSK_RUNG_STARTTLS, /* s->dialogue */
    TSK_RUNG_TLS,
    TSK_RUNG_CHECK, /* TLS is up; is the peer still trusted? s->check, s->op */
    TSK_RUNG_AFTER, /* s->after */
    TSK_RUNG_READY,
    TSK_RUNG_PLAIN,
    TSK_RUNG_DEAD
};

/* What became of the server's request for a certificate after the handshake. */
enum tsk_pha {
    TSK_PHA_IDLE,
    TSK_PHA_ASKED,
    TSK_PHA_FINISHED, /* the last message of the answer is being judged */
    TSK_PHA_DONE      /* it is proven; good once the rung is READY again */
};

#define TSK_CONN_TEXT 512

struct tsk_path;
struct tsk_check;
struct tsk_errand;
struct tsk_starttls;
struct tsk_op;
struct tsk_fiber;
struct tsk_prints;
struct tsk_hello_use;

/* What a client has of sessions. */
struct tsk_resume {
    int wanted; /* peer and key are there: sessions may be kept and offered */
    uint8_t peer[TSK_SESSION_KEY]; /* digest of who: name, SNI, scheme, TLSA */
    uint8_t key[TSK_SESSION_KEY];  /* and where */
    struct tsk_session_item *from; /* opts.resume_from's newest, or NULL */
    int follows;                   /* it is what was offered */
    struct tsk_session_item *newest; /* won here; NULL: none */
    int64_t until;   /* end of what was offered, or kept last; Unix seconds */
    const char *why; /* why the newest is not; or NULL */
};

struct tlsock {
    enum tsk_rung rung;
    int server, nonblocking;
    int plain_first; /* PLAIN comes before TLS, when the transport is there */
    int in_dialogue; /* a hook was told of it, and not yet of its end */
    int was_plain;   /* plaintext was carried: foreign bytes are injected */
    int fd_is_known; /* tlsock_fd() gives the transport's own descriptor */
    int fd_asked;    /* the caller knows the private one */
    int fd_told;     /* and the transport's since */
    unsigned flags;
    struct tsk_ctx *ctx;
    struct tsk_ctx *host; /* a host's own part of ctx, see tls/hostset.h; or
                             NULL */
    const struct tsk_settings *set; /* ctx's, or host's, borrowed */
    struct tsk_dial *dial;          /* while connecting */
    struct tsk_path *path;          /* proxies to pass, or NULL */
    struct tsk_dane *dane;          /* TLSA records of the peer, or NULL */
    struct tsk_starttls *dialogue;  /* before TLS, or NULL */
    struct tsk_starttls *after;     /* what follows within TLS, or NULL */
    struct tsk_talk talk;           /* of a dialogue or proxy */
    struct tsk_layer *layer;        /* the transport, once there is one */
    struct tsk_waitfd *waitfd;      /* private descriptor, nonblocking only */
    SSL *ssl;                       /* from the first handshake step on */
    int ssl_known;                  /* the user has it, and may change it */
    struct tsk_bio io;
    struct tsk_prints *prints; /* hellos kept, see tls/prints.h; or NULL */
    const char *ktls_why_not;  /* the kernel is not asked to encrypt; or NULL */
    int ktls_errno;            /* what it said to that, or 0 */
    struct tsk_fiber *fiber;   /* the handshake's, see tls/sign.h; or NULL */
    int hand_ret, giving_up;
    struct {
        unsigned char *data; /* the message as it came, until told */
        size_t len;
        int told;                  /* the hook has answered */
        int choosing;              /* tlsock_use_cert() may; wake_lock */
        tlsock_cert *chosen;       /* by it, or NULL; wake_lock */
        struct tsk_hello_use *use; /* the others', or NULL; wake_lock */
    } hello;
    struct {
        int wanted;         /* this call goes no further than the rung TLS */
        int began, over;    /* a server reads it; has read it all */
        unsigned char *buf; /* where to, while it is read */
        size_t len, got;
        size_t sent;
    } early;              /* see early.h */
    struct tsk_buf plain; /* received, held for peek and getline */
    struct tsk_buf hold;  /* not yet encrypted: write.buffer */
    struct tsk_op *op;    /* a hook's answer, awaited or there; see tls/op.h */

    char starttls[16]; /* the dialogue that comes first, or "" */
    char *name;        /* expected, as the user gave it; NULL: none */
    char *sni;         /* A-label to send, NULL: none */
    int sni_given;     /* by the caller: the name is not ours to choose */
    char *scheme;      /* NULL: RFC 9525 */
    char address[64];
    char *session_for; /* what the caller calls the peer's sessions, or NULL */
    struct tsk_resume resume; /* tls/resume.c */

    int64_t hs_deadline, deadline; /* absolute, TSK_NEVER: none */
    int call_timeout_ms;           /* -1: none */
    int budget_ms;                 /* of connect and handshake; -1: none */

    int sent_close, got_close; /* close_notify; in PLAIN, the stream's end */
    int told_end;              /* a read has given 0 */
    int stopping;              /* tlsock_stop_tls() is under way */
    int dead;                  /* why the rung is DEAD: its code */
    atomic_int interrupted;
    atomic_int in_call;        /* a call is under way */
    pthread_mutex_t wake_lock; /* over wake_fd */
    int wake_fd;               /* of the thread that waits, or -1 */
    int cert_requested;        /* the server asked for our certificate */
    int cert_unfit;            /* and none of ours is what it asked for */
    int offered;               /* a session was offered */
    int late_tickets;          /* a server's tickets wait for s->check */
    int psk_tried, psk_found;  /* a key was offered or asked for; is there */
    int by_psk;                /* it made the handshake, and no session did */
    char *psk_identity;        /* whose key it is, or NULL */
    enum tsk_pha pha;
    int asking; /* tlsock_request_client_cert() is under way */
    int alert, alert_from_peer;
    struct {
        int kind, code; /* of a hook of tls/evidence.h; kind 0: none did */
    } refusal;
    int change_told; /* of a ChangeCipherSpec that came: by its record's head */
    unsigned fork_generation;
    struct tsk_session_facts *facts; /* never NULL: see tsk_facts_begin() */
    struct tsk_check *check;         /* of the peer's chain, until it is over */
    SSL_SESSION *held;               /* won before that; kept if it ends well */
    struct tsk_errand *errand;       /* api/errand.c: a fetch under way */
    int for_fetch;            /* it is itself a fetch's: it starts none */
    char *issuer_url;         /* to be fetched for the verification, or NULL */
    STACK_OF(X509) * issuers; /* what was fetched */
    unsigned issuers_tried;
    int issuers_known, issuer_at; /* when, and which, URL was tried last */
    char *via; /* proxies of this connection, for fetches; NULL: none */
    tlsock_config *via_config;
    int64_t t_start, t_connected, t_ready; /* tsk_now_ms() */
    int resolve_ms, tcp_ms, tls_ms;
    uint64_t bytes_read; /* application data */
    void *user;
    tlsock_error *err; /* of the last call; NULL: none. See tsk_err() */
    int err_lost;      /* there is one, and no memory for it */
    char *text; /* last answer of tlsock_info(), TSK_CONN_TEXT; or NULL */
};

static inline tlsock *tsk_conn_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* room.c: the record of what fails, made when first asked for: never NULL. Few
 * connections fail, and one that is idle has no room to spare. */
tlsock_error *tsk_err(tlsock *s);
/* The same to read, and nothing is made; never NULL. */
const tlsock_error *tsk_err_of(const tlsock *s);
void tsk_err_clear(tlsock *s);
/* Nothing is recorded: its memory is given back. */
void tsk_err_settle(tlsock *s);
/* Room for TSK_CONN_TEXT bytes of tlsock_info(): never NULL. */
char *tsk_conn_text(tlsock *s);
/* What is found out about the peer, to read. Before it is written to:
 * tsk_facts_begin(), 0 or E_NOMEM, recorded; a server that asks for no
 * certificate finds out nothing, and keeps no room for it. */
void tsk_facts_init(tlsock *s);
int tsk_facts_begin(tlsock *s);
void tsk_facts_wipe(tlsock *s);
void tsk_facts_settle(tlsock *s);
void tsk_facts_free(tlsock *s);
/* hand.c: 0 verified and ready, AGAIN, or code; makes the SSL when needed */
int tsk_hand_step(tlsock *s);
int tsk_hand_start(tlsock *s); /* the SSL is made: 0 or code; phase set */
/* fail.c: what a failed libssl call means; records it. phase: what was done */
int tsk_tls_fail(tlsock *s, int ret, int phase);
/* The peer's first bytes are no TLS: no need to wait for more of them. */
int tsk_tls_fail_foreign(tlsock *s);
/* hook.c: what the hook of the config says: 0, or a code, recorded */
int tsk_hook_close_notify(tlsock *s);
/* What went wrong is recorded, and stays so. 0, or: say nothing of it. */
int tsk_hook_handshake_fail(tlsock *s);
/* hand.c: of a server, as s->set says: 0, or code */
int tsk_hand_ask_client(tlsock *s);
/* hand.c: whatever the config says, ask for a certificate and take any; or ask
 * for none. Nobody comes back to that by a session. 0, or code */
int tsk_hand_any_client(tlsock *s, int ask);
/* hand.c: the peer is who it should be: data may flow, or s->after. */
void tsk_hand_done(tlsock *s);
/* hand.c: it is not: what is recorded is its end. */
void tsk_hand_refuse(tlsock *s);
/* trust.c: begin to ask about revocation, by what is known: 0 or code. */
int tsk_trust_check(tlsock *s, X509_STORE_CTX *store_ctx);
int tsk_trust_by_chain(const tlsock *s);
/* trust.c: nobody was asked about revocation: say so, and why. */
void tsk_trust_say_unchecked(tlsock *s);
/* trust.c: the check is over, or not yet: 0, AGAIN, code, recorded */
int tsk_trust_verdict(tlsock *s);
/* trust.c: 1: the chain lacks an issuer, and s->issuer_url may have it; 0; or
 * E_NOMEM, recorded */
int tsk_trust_wants_issuer(tlsock *s, X509_STORE_CTX *store_ctx);
int tsk_trust_add_issuers(tlsock *s, const void *data, size_t len);
/* hookverify.c: VERIFY. rc: our own verdict. 0, AGAIN: s->op waits, or code */
int tsk_hook_verify(tlsock *s, X509_STORE_CTX *store_ctx, int rc);
int tsk_hook_verified(tlsock *s); /* its late answer: 0, AGAIN, code */
/* peer.c: libssl's callbacks on certificates and staples */
int tsk_peer_verify(X509_STORE_CTX *store_ctx, void *arg);
int tsk_peer_staple(SSL *ssl, void *arg);
/* hookverify.c: STAPLE; der NULL: none came. 0 judge it, 1 it is good, code */
int tsk_hook_staple(tlsock *s, const unsigned char *der, size_t len);
int tsk_peer_no_staple(tlsock *s); /* 0 none is due, or E_MUST_STAPLE */
/* dane.c: the records into the SSL: 0, or code; makes use of none if OpenSSL
 * cannot read any. Replaces SNI by the name they were found at. */
int tsk_dane_enable(tlsock *s);
/* client.c: the server asks for our certificate, which one is it? 1, 0 */
int tsk_client_cert(SSL *ssl);
/* "CN=A, CN=B": the CAs whose certificates the server asked for, escaped, as
 * many as fit; "": any, or it has not asked. */
void tsk_client_cas(const tlsock *s, char *out, size_t size);
/* Is our certificate issued by one of them? 1 also if any will do. */
int tsk_client_listed(const tlsock *s);
/* refused.c: the alert in s->alert is about our certificate; records it. */
int tsk_refused(tlsock *s);
/* pha.c: ask the client now: 0 its answer comes with the data; or a code */
int tsk_pha_ask(tlsock *s);
/* What libssl's info callback is told. */
void tsk_pha_watch(const SSL *ssl, int where, int value);
/* server.c: ALPN protocol; who may resume; see tls/choose.h */
int tsk_server_use(SSL *ssl, const tlsock_cert *id); /* 1, or 0 */
int tsk_server_tickets(struct tsk_ctx *c, tlsock_error *err);
int tsk_server_resumed(tlsock *s); /* 0, or the code that refuses it */
int tsk_server_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                    const unsigned char *in, unsigned int inlen, void *arg);
/* Whose rules peers have to obey. */
static inline struct tsk_ctx *tsk_conn_rules(const tlsock *s)
{
    return s->host != NULL ? s->host : s->ctx;
}
/* What came before this handshake, not a key, made it short. */
static inline int tsk_conn_resumed(const tlsock *s)
{
    return SSL_session_reused(s->ssl) && !s->by_psk;
}
/* The client has been asked, and what it answers is not proven yet, or not
 * accepted yet. */
static inline int tsk_conn_unproven(const tlsock *s)
{
    return s->pha == TSK_PHA_ASKED || s->pha == TSK_PHA_FINISHED ||
           (s->pha == TSK_PHA_DONE && s->rung == TSK_RUNG_CHECK);
}
/* Data may flow. */
static inline int tsk_conn_open(const tlsock *s)
{
    return s->rung == TSK_RUNG_READY || s->rung == TSK_RUNG_PLAIN;
}
/* The way up or down ends by then, for a call that is under way, too. */
static inline void tsk_conn_hurry(tlsock *s, int64_t until)
{
    s->hs_deadline = until;
    if (until < s->io.until)
        s->io.until = until;
}
/* io.c: plaintext or TLS; never wait; > 0, 0 end, AGAIN, code */
ssize_t tsk_io_read(tlsock *s, void *buf, size_t len);
ssize_t tsk_io_peek(tlsock *s, void *buf, size_t len);
/* > 0: up to `most` more bytes are now in s->plain; 0 end; AGAIN, code */
int tsk_io_more(tlsock *s, size_t most);
/* Send bytes now, past s->hold: > 0 taken, AGAIN, code */
ssize_t tsk_io_send(tlsock *s, const void *p, size_t len);
size_t tsk_io_pending(tlsock *s);  /* what a read gives from memory */
int tsk_io_stirs(const tlsock *s); /* is something to be read from memory? */
ssize_t tsk_io_write(tlsock *s, const struct iovec *iov, int n, size_t skip);
int tsk_io_flush(tlsock *s);
/* close.c: AGAIN until close_notify (PLAIN: the stream's end) is with the
 * system */
int tsk_close_notify(tlsock *s);
void tsk_close_drain(tlsock *s);
/* One step of TLS -> PLAIN: 0 it is PLAIN now, AGAIN, code. */
int tsk_close_tls(tlsock *s);
/* What a handshake needed beside libssl is freed. */
void tsk_hand_forget(tlsock *s);
/* PLAIN -> TLS begins: nothing of an earlier session is left. */
void tsk_hand_reset(tlsock *s);
/* fork.c */
unsigned tsk_fork_generation(void);
static inline int tsk_conn_foreign(const tlsock *s)
{
    return s->ssl != NULL && s->fork_generation != tsk_fork_generation();
}

#endif
