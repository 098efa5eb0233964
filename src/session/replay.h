/* replay - has this early data been seen before? (RFC 8446, 8)
 *
 * One table for the whole process and all that it forks afterwards, in memory
 * that they share: whoever of them is sent a recorded ClientHello knows it.
 * Entries outlive the time within which libssl takes early data; when there is
 * no room, the answer is "seen", which costs the client a round trip and
 * nobody anything else. */
#ifndef TSK_SESSION_REPLAY_H
#define TSK_SESSION_REPLAY_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

#define TSK_REPLAY_ID 32 /* bytes, evenly distributed: a hash */
/* libssl takes early data if the ticket's age is right within 10 s either way
 * (RFC 8446, 8.3), so that the same bytes are good for 20 s at most. */
#define TSK_REPLAY_KEEP_S 60

/* Made at the first call, which belongs before any fork: 0, or a code. */
int tsk_replay_open(tlsock_error *err);
/* 1: the first time, and noted; 0: seen, or it cannot be told. */
int tsk_replay_first(const uint8_t id[TSK_REPLAY_ID], int64_t now_s);

#endif
