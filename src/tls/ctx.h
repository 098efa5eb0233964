/* ctx - a config's snapshot made ready: SSL_CTX, trust, identities, sessions.
 * Immutable but for the session cache, counted, shared by connections. */
#ifndef TSK_TLS_CTX_H
#define TSK_TLS_CTX_H

#include "core/err.h"
#include "tls/settings.h"

#include <openssl/ssl.h>

/* Forward secrecy and AEAD, nothing else (RFC 9325, 4.2). TLS 1.3 has only
 * such suites. */
#define TSK_DEFAULT_CIPHERS                                                    \
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!PSK:!SRP:!"   \
    "DSS"
#define TSK_DEFAULT_SUITES                                                     \
    "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"                           \
    "TLS_CHACHA20_POLY1305_SHA256"
#define TSK_DEFAULT_SIGALGS                                                    \
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:"                           \
    "ecdsa_secp521r1_sha512:ed25519:ed448:rsa_pss_rsae_sha256:"                \
    "rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pss_pss_sha256:"              \
    "rsa_pss_pss_sha384:rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512"

struct tsk_ctx;
struct tsk_staples;

/* settings are borrowed for as long as the ctx lives: the caller hands over
 * a free function with them, called when the last reference goes. On failure
 * the settings stay the caller's. */
struct tsk_ctx *tsk_ctx_new(const struct tsk_settings *set,
                            void (*free_set)(void *), void *owner,
                            tlsock_error *err);
struct tsk_ctx *tsk_ctx_ref(struct tsk_ctx *c);
void tsk_ctx_unref(struct tsk_ctx *c);
/* `to` is made of what the files hold now: it gets what `from` has learned and
 * is still of use: keys of tickets, staples. */
void tsk_ctx_inherit(struct tsk_ctx *to, struct tsk_ctx *from);
SSL_CTX *tsk_ctx_ssl(struct tsk_ctx *c);
const struct tsk_settings *tsk_ctx_settings(const struct tsk_ctx *c);
/* The trust store, opened at the first call, then shared; borrowed. */
struct tsk_trust *tsk_ctx_trust(struct tsk_ctx *c, tlsock_error *err);
struct tsk_trust *tsk_ctx_trust_open(struct tsk_ctx *c); /* NULL: not yet */
/* Of the identities; NULL: the settings want none. Borrowed. */
struct tsk_staples *tsk_ctx_staples(const struct tsk_ctx *c);
/* Who answers for TLSA records; borrowed; NULL with dane = off. */
struct tsk_dns *tsk_ctx_dns(const struct tsk_ctx *c);
/* What the settings ask of a peer's certificate; name and purpose are left to
 * the caller, and pins are the business of clients. */
void tsk_ctx_request(const struct tsk_ctx *c, int of_client,
                     struct tsk_verify_req *req);
/* Whoever changes it by himself has each chain verified. */
void tsk_ctx_opened(struct tsk_ctx *c);
/* What they ask about revocation; lists, cache and store are borrowed. */
struct tsk_check_rules;
void tsk_ctx_rules(const struct tsk_ctx *c, struct tsk_check_rules *rules);

#endif
