/* conn - shared by the calls on one connection: the ladder, and waiting. */
#ifndef TSK_API_CONN_H
#define TSK_API_CONN_H

#include "api/config.h"
#include "tls/conn.h"

struct tsk_target;

void tsk_conn_free(tlsock *s, int graceful);
/* A caller's options of any size, as a whole struct: 0 or E_ARGUMENT. */
int tsk_opts_take(tlsock_opts *out, const tlsock_opts *opts, tlsock_error *err);
/* Expected name, SNI and scheme; host: the target's, or NULL. */
int tsk_conn_set_name(tlsock *s, const char *name, const char *host,
                      const tlsock_opts *opts, tlsock_error *err);
/* A connection over a transport, which it owns on success. opts was copied by
 * tsk_opts_take(). Clients that block come back ready. */
tlsock *tsk_conn_over_layer(struct tsk_layer *layer, int server,
                            const char *name, tlsock_config *config,
                            const tlsock_opts *o, tlsock_error *err);
/* E_ARGUMENT for what only tlsock_connect() can do. */
int tsk_opts_no_dial(const tlsock_opts *o, tlsock_error *err);

/* What is known of a transport beforehand; NULL, "": nothing. */
struct tsk_origin {
    const char *target; /* of the listener that accepted it */
    int limited;        /* it inherited its time limit for recv(2) */
    char address[64];   /* of the peer */
};
/* As tlsock_server_fd(), for what accept() gave. */
tlsock *tsk_conn_accepted(int fd, const struct tsk_origin *from,
                          tlsock_config *config, const tlsock_opts *opts,
                          tlsock_error *err);

/* The transport is there: owned from here on, unless this fails. */
int tsk_ladder_begin(tlsock *s, struct tsk_layer *layer);
/* PLAIN -> STARTTLS, if s->dialogue is set, or TLS: 0 or code. */
int tsk_ladder_go_on(tlsock *s);
/* One step up: 0 data may flow, AGAIN, code. Never waits. */
int tsk_ladder_step(tlsock *s);

/* dialogue.c: the dialogue of a protocol, copied: 0, or E_ARGUMENT... */
int tsk_dialogue_set(tlsock *s, const char *protocol, const char *arg,
                     tlsock_error *err);
int tsk_dialogue_set_after(tlsock *s, const char *protocol, const char *arg);
/* One step of it, or of a proxy's (see core/talk.h), over what s is now. */
typedef int tsk_dialogue_step(void *d, struct tsk_talk *t, tlsock_error *err);
void tsk_dialogue_begin(tlsock *s);
/* The same of one that whoever watches s may see: it is not within TLS. */
void tsk_dialogue_begin_shown(tlsock *s);
int tsk_dialogue_run(tlsock *s, tsk_dialogue_step *step, void *d);
int tsk_dialogue_before(tlsock *s); /* 0: rung is TLS, or PLAIN; AGAIN, code */
int tsk_dialogue_after(tlsock *s);  /* 0: rung is READY, or PLAIN; ... */
void tsk_dialogue_free(tlsock *s);

/* path.c: through proxies. config: for https:// ones, or NULL. */
int tsk_path_set(tlsock *s, const char *urls, const struct tsk_target *t,
                 const tlsock_opts *o, tlsock_error *err);
const struct tsk_target *tsk_path_first(const struct tsk_path *p);
int tsk_path_step(tlsock *s); /* 0: all are passed; AGAIN, code */
size_t tsk_path_pollfds(const tlsock *s, struct pollfd *fds, size_t max);
void tsk_path_adopt(struct tsk_path *p); /* as tlsock_adopt() */
void tsk_path_free(struct tsk_path *p);

/* over.c: a connection as the transport of another one. owned: closed with
 * it. NULL: no memory. */
struct tsk_layer *tsk_over_layer_new(tlsock *outer, int owned);

/* One job on a connection that is ready: > 0, 0, AGAIN, code; never waits. */
typedef ssize_t tsk_job(tlsock *s, void *arg);
/* Climb, then do the job; on a blocking handle wait between tries, bounded by
 * the deadlines. Looks after errno, OpenSSL's queue, forks and error state.
 * job NULL: just climb. */
ssize_t tsk_run(tlsock *s, int phase, tsk_job *job, void *arg);
/* early.c: as a constructor climbs, but the handshake is left to come. */
int tsk_conn_until_tls(tlsock *s);
ssize_t tsk_job_flush(tlsock *s, void *arg); /* of tlsock_flush() */
/* What to poll now: count, and events of its own timer in *wait_ms (-1 none) */
size_t tsk_conn_pollfds(const tlsock *s, struct pollfd *fds, size_t max,
                        int *wait_ms);
short tsk_conn_wants(const tlsock *s); /* POLLIN, POLLOUT of its transport */
int64_t tsk_conn_deadline(const tlsock *s);
/* Wait for these, until interrupted: fds has room for one more. > 0: go on, 0:
 * time is up, or code. */
int tsk_conn_wait_on(tlsock *s, struct pollfd *fds, size_t n, int64_t until);
/* interrupt.c: E_INTERRUPTED, recorded, or 0. */
int tsk_interrupted(tlsock *s);
/* This thread waits for s: *fd (-1: there is none, do not wait long) becomes
 * readable when it is interrupted. begin and end surround each wait. */
#define TSK_UNWOKEN_MS 100 /* longest wait where there is none */
int tsk_wake_fd(void);
void tsk_wake_begin(tlsock *s, int fd);
void tsk_wake_end(tlsock *s);
void tsk_wake_drain(int fd);
/* A nonblocking handle on its way gets one, if it needs it: 0, or code. */
int tsk_conn_prepare_waiting(tlsock *s);
/* The private descriptor tells of what to poll now: 0, or code. */
int tsk_conn_sync_waitfd(tlsock *s);

#endif
