/* psk - keys that both ends had before (RFC 8446, 4.2.11; RFC 4279), in place
 * of certificates.
 *
 * Only with an exchange of fresh keys beside them: psk_dhe_ke, and in TLS 1.2
 * suites with ECDHE or DHE and an AEAD cipher. Both sides' keys are for
 * SHA-256. Identities are text and no secrets; keys are never compared: that
 * is the binder's and Finished's business, in libssl. */
#ifndef TSK_TLS_PSK_H
#define TSK_TLS_PSK_H

#include "tls/conn.h"

/* Callbacks and suites, where the settings have keys. */
void tsk_psk_setup(SSL_CTX *ctx, const struct tsk_settings *set);
/* The suites of TLS 1.2 and 1.3 that go with the settings. */
const char *tsk_psk_ciphers(const struct tsk_settings *set);
const char *tsk_psk_suites(const struct tsk_settings *set);
/* The handshake is done: if a key made it so, s->facts say so. 0, E_NOMEM. */
int tsk_psk_finish(tlsock *s);
/* 1: there is nothing to check a certificate against, only a key. */
int tsk_psk_alone(const tlsock *s);
/* E_NO_NAME: the server answered with a certificate all the same. */
int tsk_psk_no_name(tlsock *s);
/* If the failure is one of keys, records E_PSK and gives it; else 0. reason:
 * of libssl's error, or 0. */
int tsk_psk_fail(tlsock *s, int reason);

#endif
