/* ctx_private - the inside of a tsk_ctx, for src/tls alone. */
#ifndef TSK_TLS_CTX_PRIVATE_H
#define TSK_TLS_CTX_PRIVATE_H

#include "session/store.h"
#include "tls/ctx.h"

#include <pthread.h>
#include <stdatomic.h>

#define TSK_NAMED_MOST 512

/* The peer whose sessions were asked for last: see tls/resumename.c. */
struct tsk_named {
    size_t len; /* 0: nobody's */
    char texts[TSK_NAMED_MOST];
    uint8_t peer[TSK_SESSION_KEY], key[TSK_SESSION_KEY];
};

struct tsk_ctx {
    atomic_int refs;
    SSL_CTX *ssl;
    const struct tsk_settings *set;
    void (*free_set)(void *);
    void *owner;
    pthread_mutex_t lock;    /* guards trust */
    struct tsk_trust *trust; /* NULL until somebody is to be verified */
    struct tsk_crls **lists; /* the settings' own, borrowed; or NULL */
    struct tsk_revcache *revcache; /* NULL: nothing is asked of anybody */
    struct tsk_remember *remember; /* accepted chains; NULL: none are kept */
    atomic_int opened; /* the user has its SSL_CTX, and may have changed it */
    struct tsk_sessions *sessions;
    unsigned char sid[32]; /* session id context of all but n_hostsets */
    struct tsk_session_file *file; /* NULL: the memory above, or a store */
    atomic_uint slot;              /* of the caller's store: the next */
    int bound;                     /* the digest below is made; lock */
    uint8_t binding[TSK_SESSION_KEY];
    struct tsk_named named; /* lock */
    EVP_CIPHER *ticket_cipher; /* fetched once */
    struct tsk_staples *staples; /* of the identities; NULL: none are sent */
    struct tsk_hosts *hosts; /* of several identities; NULL: there is one */
    struct tsk_hostset *hostsets; /* hosts with settings of their own */
    size_t n_hostsets;
    struct tsk_hosts *hostset_names;
    int default_is_whole; /* all that is default is in the SSL_CTX */
    struct tsk_dns *dns; /* who answers for TLSA records, or NULL */
    int keylog_fd; /* -1: none */
};

/* What of accepted chains may be used for s: NULL: all is verified anew. */
struct tsk_remember *tsk_ctx_remember(const tlsock *s);
/* Which sessions are resumed: see tsk_ctx's own. 0, or code */
int tsk_ctx_session_id(struct tsk_ctx *c, unsigned char id[32],
                       tlsock_error *err);
/* To be sent to clients; NULL: any. Yours. */
STACK_OF(X509_NAME) * tsk_ctx_ca_names(struct tsk_trust *trust);

#endif
