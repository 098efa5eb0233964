/* evidence - what --keylog, --pcap and --trace show of the connections of a
 * command's configs.
 *
 * Knows hooks and capture.h; a connection is its pointer, from its first event
 * to its last one. */
#ifndef CLI_EVIDENCE_H
#define CLI_EVIDENCE_H

#include "opt.h"

struct evidence;

/* Before c's first connection; makes o->evidence if there is something to be
 * shown. 0, or an exit code after having said why. */
int evidence_watch(struct opts *o, tlsock_config *c);
/* What is written is complete; says so if it is not. NULL is a no-op. */
void evidence_free(struct evidence *v);

#endif
