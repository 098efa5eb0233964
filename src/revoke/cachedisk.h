/* cachedisk - a directory of files, one an entry, that processes share without
 * a lock: written aside and renamed, so a reader sees one that is whole or
 * none. What somebody else put there is no find.
 *
 * A file's name is its key in hex, and its time of modification is when it is
 * over: so the directory can be kept small without opening any. Files of other
 * names are not touched. Nothing here fails loudly: what cannot be written is
 * not kept. */
#ifndef TSK_REVOKE_CACHEDISK_H
#define TSK_REVOKE_CACHEDISK_H

#include "core/err.h"
#include "revoke/cachefile.h"

#include <pthread.h>
#include <stdatomic.h>

#define TSK_CACHE_NAME 64     /* hex digits of a file's name */
#define TSK_CACHE_BLOCK 4096u /* what a small file takes */

struct tsk_cachedisk {
    char *dir;  /* absolute */
    size_t max; /* bytes of all files, each counted as whole blocks */
    pthread_mutex_t lock;
    size_t written;     /* since it was last counted; SIZE_MAX: never was */
    atomic_int trouble; /* errno of a write that failed; -1: told; 0: none */
};

/* How far away the end of an entry may be, in seconds: of what says that it is
 * good for years, one has to be able to get rid. */
int64_t tsk_cache_longest(enum tsk_cachekind kind);

struct tsk_cached {
    uint8_t *file; /* yours: tsk_free(), or tsk_cachedisk_free() */
    const uint8_t *body;
    size_t len;
    int64_t until;
};

/* 1: an entry with a body of at most max bytes, whole and not over at now; 0
 * and out is empty. A file that is damaged, foreign, or over by the clock is
 * removed if it is ours. */
int tsk_cachedisk_read(const struct tsk_cachedisk *d, enum tsk_cachekind kind,
                       const uint8_t key[32], int64_t now, size_t max,
                       struct tsk_cached *out);
void tsk_cachedisk_free(struct tsk_cached *c); /* wiped first */
/* Keeps it until until at the latest, or not at all. */
void tsk_cachedisk_write(struct tsk_cachedisk *d, enum tsk_cachekind kind,
                         const uint8_t key[32], const void *body, size_t len,
                         int64_t until);

/* cachesweep.c: removes what is over, temporary files that somebody left an
 * hour ago, and then what is over soonest, until the rest takes no more than
 * 7/8 of max. */
void tsk_cachedisk_sweep(const struct tsk_cachedisk *d);

/* cachename.c: the one name that a directory has, which this process can read,
 * and write to unless its file system is read-only; yours to free(). NULL:
 * E_OWN_FILE or E_NOMEM; what: "revocation data"; option: what to change. */
char *tsk_cachedisk_name(const char *dir, const char *what, const char *option,
                         tlsock_error *err);

#endif
