/* conn - shared by the calls on one connection: the ladder, and waiting. */
#ifndef TSK_API_CONN_H
#define TSK_API_CONN_H

#include "api/config.h"
#include "tls/conn.h"

/* A new connection on a config; opts was copied by tsk_opts_take(). */
tlsock *tsk_conn_new(tlsock_config *config, int server, const tlsock_opts *opts,
                     tlsock_error *err);
void tsk_conn_free(tlsock *s, int graceful);
/* A caller's options of any size, as a whole struct: 0 or E_ARGUMENT. */
int tsk_opts_take(tlsock_opts *out, const tlsock_opts *opts, tlsock_error *err);
/* Expected name, SNI and scheme; host: the target's, or NULL. */
int tsk_conn_set_name(tlsock *s, const char *name, const char *host,
                      const tlsock_opts *opts, tlsock_error *err);
/* The transport is there: budget of the handshake, address, session key. */
int tsk_conn_set_layer(tlsock *s, struct tsk_layer *layer,
                       const char *session_key);

/* As tlsock_server_fd(), for what accept() gave. */
tlsock *tsk_conn_accepted(int fd, tlsock_config *config,
                          const tlsock_opts *opts, tlsock_error *err);

/* One step up: 0 ready, AGAIN, code. Never waits. */
int tsk_ladder_step(tlsock *s);

/* One job on a connection that is ready: > 0, 0, AGAIN, code; never waits. */
typedef ssize_t tsk_job(tlsock *s, void *arg);
/* Climb, then do the job; on a blocking handle wait between tries, bounded by
 * the deadlines. Looks after errno, OpenSSL's queue, forks and error state.
 * job NULL: just climb. */
ssize_t tsk_run(tlsock *s, int phase, tsk_job *job, void *arg);
/* What to poll now: count, and events of its own timer in *wait_ms (-1 none) */
size_t tsk_conn_pollfds(const tlsock *s, struct pollfd *fds, size_t max,
                        int *wait_ms);
int64_t tsk_conn_deadline(const tlsock *s);
int tsk_conn_wait(tlsock *s, int64_t deadline);
void tsk_conn_sync_waitfd(tlsock *s);

#endif
