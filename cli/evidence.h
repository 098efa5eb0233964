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
/* The same of connections that o's evidence does not see, since they are PLAIN
 * and we speak TLS on them by hand. Bytes of a dialogue (version 0), or records
 * that are not encrypted: one whole ClientHello, or what has been heard. */
void evidence_hand(const struct opts *o, const tlsock *s, int sent, int version,
                   const void *bytes, size_t len);
/* Before s goes, whether it was shown or not. */
void evidence_hand_end(const struct opts *o, const tlsock *s);
/* What --trace makes of a message, for who has a hook of its own. */
int evidence_message(const struct opts *o, const tlsock_event *e);
/* What is written is complete; says so if it is not. NULL is a no-op. */
void evidence_free(struct evidence *v);
/* What a command exits with, once its evidence is free: a recording that is not
 * complete is no success. */
int evidence_exit(int rc);

#endif
