/* cache - what responders and distribution points said, kept until it has to be
 * asked anew: in the memory of the process, and in a directory that processes
 * share. Trusts nothing that it reads back: who takes something from here
 * judges it as if it had just come from the network.
 *
 * Nothing is found at or after its end, nor before the time that it is of;
 * what says that it is good for longer is good for 10 days if it is of OCSP,
 * for 30 if it is a list. Times are Unix seconds; now is the caller's.
 *
 * Thread-safe; no lock is held over I/O. After fork() the child has what was in
 * memory, a copy of its own. A directory is bounded in size (each process may
 * write 1/16 more before it looks again); files are written aside, synced and
 * renamed, so a kill at any moment leaves old or new; what is damaged or of a
 * foreign format or owner is no find. No call but open fails, for want of
 * memory, space or rights neither: then less is kept. */
#ifndef TSK_REVOKE_CACHE_H
#define TSK_REVOKE_CACHE_H

#include "core/buf.h"
#include "core/err.h"
#include "revoke/crl.h"
#include "revoke/status.h"

#define TSK_CACHE_DISK_MAX                                                     \
    ((size_t)256 * 1024 * 1024) /* bytes in a directory */
#define TSK_CACHE_MEMORY_MAX ((size_t)64 * 1024 * 1024) /* of decoded lists */
#define TSK_CACHE_VERDICTS 10000 /* most certificates remembered */
#define TSK_CACHE_AVOID_MS 30000
#define TSK_CACHE_AVOIDED 1000 /* most of them */

struct tsk_revcache;

/* The process's own for this directory, by whatever name; made when first asked
 * for, forgotten with its last reference. dir NULL: in memory alone. NULL with
 * E_OWN_FILE: not a directory, not ours to write; E_NOMEM. One on a read-only
 * file system is fine: nothing is added to it. */
struct tsk_revcache *tsk_revcache_open(const char *dir, tlsock_error *err);
struct tsk_revcache *tsk_revcache_ref(struct tsk_revcache *c);
void tsk_revcache_unref(struct tsk_revcache *c);

/* What was found out about a certificate. key: a digest of it and its issuer.
 * Memory alone, no system call, no allocation. 1 found and not over, 0. The
 * last one kept stands; what was used least gives way. TSK_UNKNOWN is not
 * kept. */
int tsk_revcache_status(struct tsk_revcache *c, const uint8_t key[32],
                        int64_t now, struct tsk_status *out);
void tsk_revcache_keep_status(struct tsk_revcache *c, const uint8_t key[32],
                              const struct tsk_status *st);

/* Whom it was no use to ask, by a digest of host or URL: remembered for
 * TSK_CACHE_AVOID_MS by the monotonic clock, in memory alone. */
void tsk_revcache_avoid(struct tsk_revcache *c, const uint8_t key[32]);
int tsk_revcache_avoids(struct tsk_revcache *c, const uint8_t key[32]);

/* Decoded lists by the URL they come from; yours to unref; NULL: none that is
 * not over. Looked for in memory, then on disk (and decoded: reads a file). */
struct tsk_crls *tsk_revcache_crls(struct tsk_revcache *c, const char *url,
                                   int64_t now);
/* A list that was found good: kept in memory, its bytes on disk (waits for the
 * disk). l and bytes are borrowed. */
void tsk_revcache_keep_crls(struct tsk_revcache *c, const char *url,
                            struct tsk_crls *l, const void *bytes, size_t len,
                            int64_t until);

/* 0, or why the directory cannot be written to (errno): told once, until a
 * write went well again. */
int tsk_revcache_trouble(struct tsk_revcache *c);

/* A response of an OCSP responder, DER, by the same key as a verdict: into out;
 * 1 found, 0. Of disk alone, since memory has the verdict. */
int tsk_revcache_ocsp(struct tsk_revcache *c, const uint8_t key[32],
                      int64_t now, struct tsk_buf *out);
void tsk_revcache_keep_ocsp(struct tsk_revcache *c, const uint8_t key[32],
                            const void *der, size_t len, int64_t until);

#endif
