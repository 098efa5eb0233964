/* ctx - a config's snapshot made ready: SSL_CTX, trust, identities, sessions.
 * Immutable but for the session cache, counted, shared by connections. */
#ifndef TSK_TLS_CTX_H
#define TSK_TLS_CTX_H

#include "core/err.h"
#include "tls/settings.h"

#include <openssl/ssl.h>

struct tsk_ctx;

/* settings are borrowed for as long as the ctx lives: the caller hands over
 * a free function with them, called when the last reference goes. On failure
 * the settings stay the caller's. */
struct tsk_ctx *tsk_ctx_new(const struct tsk_settings *set,
                            void (*free_set)(void *), void *owner,
                            tlsock_error *err);
struct tsk_ctx *tsk_ctx_ref(struct tsk_ctx *c);
void tsk_ctx_unref(struct tsk_ctx *c);
SSL_CTX *tsk_ctx_ssl(struct tsk_ctx *c);
const struct tsk_settings *tsk_ctx_settings(const struct tsk_ctx *c);
/* The trust store, opened at the first call, then shared; borrowed. */
struct tsk_trust *tsk_ctx_trust(struct tsk_ctx *c, tlsock_error *err);
struct tsk_trust *tsk_ctx_trust_open(struct tsk_ctx *c); /* NULL: not yet */
/* What the settings ask of a peer's certificate; name and purpose are left to
 * the caller, and pins are the business of clients. */
void tsk_ctx_request(const struct tsk_ctx *c, int of_client,
                     struct tsk_verify_req *req);

#endif
