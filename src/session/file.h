/* file - sessions in a file that processes share, so that a restart does not
 * lose them. Holds bytes under digests; what they are is codec.h's.
 *
 * The file has a table of as many places as there may be sessions, and behind
 * it the places. Each call opens the file, locks it, looks at the table, reads
 * or writes one place, and closes it: so a file that was replaced is seen, a
 * child after fork() shares no lock, and nothing is held while a peer is
 * waited for. The lock is waited for TSK_SESSION_LOCK_MS at most. What is taken
 * or over is overwritten with zeros. A kill amid a write leaves a place whose
 * digest is wrong, which is no session; nothing is synced, since a session that
 * is lost costs a full handshake.
 *
 *   0  4  "tskf"      1 byte version, 1      3 bytes 0
 *   8  4  places      4 bytes of each (TSK_SESSION_BYTES_MAX)     48 bytes 0
 *  64 64  of each place: 32 bytes key, expires 8, order 8, length 4, 1: to be
 *         given out once, 11 bytes 0          (big endian; length 0: empty)
 *         places
 *
 * The file is the trust: who can write to it can make a session that says it
 * was verified. So it has to be a regular file of this user that nobody else
 * may read or write; it is made with mode 0600. A file of another format is
 * left alone. */
#ifndef TSK_SESSION_FILE_H
#define TSK_SESSION_FILE_H

#include "core/err.h"
#include "session/codec.h"

#define TSK_SESSION_PLACES 256 /* most of them: 4 MiB */
#define TSK_SESSION_LOCK_MS 20

struct tsk_session_file;

/* path is made absolute; the file need not be there yet. most: sessions, as
 * far as TSK_SESSION_PLACES go. NULL: E_OWN_FILE if it is there and not fit,
 * E_NOMEM. */
struct tsk_session_file *tsk_session_file_new(const char *path, size_t most,
                                              tlsock_error *err);
void tsk_session_file_free(struct tsk_session_file *f);

/* Keeps a copy until expires. once: it is given out to one taker alone, of all
 * processes. At most four of a key; the oldest gives way. 1, 0: not kept. */
int tsk_session_file_put(struct tsk_session_file *f,
                         const uint8_t key[TSK_SESSION_KEY], const void *data,
                         size_t len, int64_t expires, int once, int64_t now);
/* The newest for this key: its length, or 0. */
size_t tsk_session_file_take(struct tsk_session_file *f,
                             const uint8_t key[TSK_SESSION_KEY], int64_t now,
                             uint8_t out[TSK_SESSION_BYTES_MAX]);
void tsk_session_file_forget(struct tsk_session_file *f,
                             const uint8_t key[TSK_SESSION_KEY]);
/* Why the file is of no use, once for each reason; NULL: nothing new. Static,
 * a %s of the path to be put in by the caller. */
const char *tsk_session_file_trouble(struct tsk_session_file *f);
const char *tsk_session_file_path(const struct tsk_session_file *f);

#endif
