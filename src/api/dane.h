/* dane - the part that TLSA records have in a connection's way up. What they
 * mean for a certificate is verify/dane.h's. */
#ifndef TSK_API_DANE_H
#define TSK_API_DANE_H

#include "tls/conn.h"

struct tsk_target;

/* s->dane, if the config asks for it and there is a name and a port to ask
 * for; t NULL: no target. 0, or E_UNSUPPORTED with dane = require. */
int tsk_dane_prepare(tlsock *s, const struct tsk_target *t,
                     const tlsock_opts *o, tlsock_error *err);
int tsk_dane_begin(tlsock *s); /* 0, or code; harmless when it has begun */
/* 0: what is there is known, and the way goes on; AGAIN; code */
int tsk_dane_step(tlsock *s);
size_t tsk_dane_pollfds(const tlsock *s, struct pollfd *fds, size_t max);
/* Signed records promise TLS: RFC 7672, 2.2. */
int tsk_dane_forbids_plaintext(const tlsock *s);
const char *tsk_dane_text(tlsock *s); /* of TLSOCK_INFO_DANE */
void tsk_dane_free(tlsock *s);

#endif
