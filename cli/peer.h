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
/* The same, and what the two hellos tell; "" what is not known. */
struct peer_prints {
    char ja3[40], ja3s[40], ja4[64];
};
int peer_look(struct opts *o, const char *target, tlsock_cert **out,
              struct peer_prints *prints);

#endif
