/* resume - the sessions of one client: which it may offer, and what becomes of
 * those it wins. Where they are kept is keep.h's.
 *
 * A session is offered only to whom it was verified for: the same name, SNI,
 * name rules and TLSA records, under the same settings. Its verdict goes with
 * it, and it ends with the first of: the server's lifetime, session.timeout,
 * the certificate, what is known of its revocation, 7 days since the server
 * last proved that it has its key. */
#ifndef TSK_TLS_RESUME_H
#define TSK_TLS_RESUME_H

#include "tls/conn.h"

/* Who and where it is, known before TLS begins; records: digest of its TLSA
 * records, or "". 0, E_NOMEM */
int tsk_resume_name(tlsock *s, const char *records);
/* opts.resume_from, or NULL: what it has won is held for s. 0, E_ARGUMENT,
 * E_NOMEM */
int tsk_resume_follow(tlsock *s, const tlsock *from, tlsock_error *err);
void tsk_resume_offer(tlsock *s); /* s->ssl is there, and has not begun */
/* libssl's callback: one was won. */
int tsk_resume_won(SSL *ssl, SSL_SESSION *ses);
void tsk_resume_settle(tlsock *s); /* the peer is good: so is s->held */
/* Before the SSL is freed: what shall not be resumed is forgotten. */
void tsk_resume_end(tlsock *s);
void tsk_resume_reset(tlsock *s); /* a new handshake begins */
void tsk_resume_free(tlsock *s);
/* For TLSOCK_INFO_SESSION: what became of the newest. */
const char *tsk_resume_text(tlsock *s);
/* A session of s as bytes, which are yours, secret: 1, 0: too large, or no
 * memory. */
int tsk_resume_encode(tlsock *s, struct tsk_session_item *item, uint8_t **out,
                      size_t *len);
/* The newest as bytes, which are yours, secret: 0, E_STATE, E_NOMEM, recorded.
 */
int tsk_resume_save(tlsock *s, uint8_t **out, size_t *len);
/* It was handed to the caller: one that is used once is not ours any more. */
void tsk_resume_give_away(const tlsock *s);
/* 0, E_ARGUMENT, E_STATE, E_NOMEM */
int tsk_resume_load(struct tsk_ctx *c, const void *data, size_t len,
                    tlsock_error *err);

#endif
