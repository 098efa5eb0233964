/* peer - the certificates that a server sends, unverified, and nothing else
 * said to it. */
#ifndef CLI_PEER_H
#define CLI_PEER_H

#include "opt.h"

#include <tlsock/cert.h>

/* 0 and *out, yours to tlsock_cert_unref(); or the exit code after having said
 * why. HOST alone is HOST:443, or the port of --starttls. */
int peer_certs(struct opts *o, const char *target, tlsock_cert **out);

/* HOST gets a port; anything that has one, or a scheme, stays as it is. Lives
 * as long as the options; NULL: out of memory. */
const char *peer_target(struct opts *o, const char *target);

#endif
