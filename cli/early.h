/* early - what stdin begins with, sent before the handshake where a session
 * allows it (0-RTT), and after it where none does. */
#ifndef CLI_EARLY_H
#define CLI_EARLY_H

#include <stddef.h>
#include <tlsock.h>

#define EARLY_MAX 16384

struct early {
    unsigned char buf[EARLY_MAX];
    size_t len, sent;
};

/* Waits for stdin to begin, and for the connection: 0, or a code of s; 1:
 * stdin cannot be read, see errno. */
int early_send(struct early *e, tlsock *s);
/* After the handshake: what the server has not got. */
const unsigned char *early_left(const struct early *e, const tlsock *s,
                                size_t *len);

#endif
