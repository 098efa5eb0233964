/* intercept_wire - the client's socket below TLS: first what was read from it
 * already, then the rest; and a record of what came until it is known whether
 * TLS is ours to speak. Knows nothing of TLS. */
#ifndef ENGINE_INTERCEPT_WIRE_H
#define ENGINE_INTERCEPT_WIRE_H

#include <tlsock.h>

#define WIRE_MOST 32000 /* of a client, before it is known what becomes of it:
                         * it has to fit into a channel */

struct wire {
    int fd; /* borrowed */
    unsigned char *seen; /* WIRE_MOST of them, or NULL; malloc'd, yours */
    size_t len;          /* of seen */
    size_t given;        /* and so much of it was given to TLS */
    int recording;       /* append to seen what is read */
    int full;            /* there was more than seen can take */
};

extern const tlsock_io wire_io; /* arg is a struct wire */

/* As read(2) and write(2) with the library's codes. */
ssize_t wire_recv(int fd, void *buf, size_t len);
ssize_t wire_send(int fd, const void *buf, size_t len);

#endif
