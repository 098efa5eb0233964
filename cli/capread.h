/* capread - the hellos of a capture: a file that libpcap reads (pcap, pcapng).
 * Where the tool is built without it, a capture is still known as one. */
#ifndef CLI_CAPREAD_H
#define CLI_CAPREAD_H

#include "out.h"

/* Does a file of this name begin like a capture? "-" never does. */
int capread_is(const char *path);
/* Says each hello, and what was left out: an exit code. */
int capread_say(const struct out *o, const char *path);

#endif
