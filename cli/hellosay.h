/* hellosay - what a hello tells of its sender, as a line or as JSON
 * (tlsock.hello/1). The prints are the library's; knows nothing of where the
 * message came from. */
#ifndef CLI_HELLOSAY_H
#define CLI_HELLOSAY_H

#include "out.h"

#include <stdint.h>

/* One that was seen. */
struct hello_seen {
    const char *from, *to; /* addresses with ports */
    const char *time;      /* RFC 3339 */
    const uint8_t *message;
    size_t len;
};

/* 1: it was a client's; 2: a server's; 0: it is malformed, nothing was said;
 * -1: stdout is gone, or there is no memory, which was said. */
int hello_say(const struct out *o, const struct hello_seen *seen);

#endif
