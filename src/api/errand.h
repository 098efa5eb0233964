/* errand - what a handshake needs from elsewhere: an issuer that the server
 * did not send, lists and answers about revocation. One fetch at a time, within
 * the handshake's own deadline. */
#ifndef TSK_API_ERRAND_H
#define TSK_API_ERRAND_H

#include "tls/conn.h"

#include <tlsock/revoke.h>

/* The rung TLS: the handshake, with what it has to wait for. */
int tsk_errand_tls(tlsock *s);
/* The rung CHECK: 0 the peer is trusted, AGAIN, code. */
int tsk_errand_check(tlsock *s);
/* A fetch is under way: how many descriptors it has; 0: none is. */
size_t tsk_errand_pollfds(const tlsock *s, struct pollfd *fds, size_t max,
                          int *wait_ms);
const char *tsk_errand_url(const tlsock *s); /* for messages; NULL: none */
void tsk_errand_free(tlsock *s);

#endif
