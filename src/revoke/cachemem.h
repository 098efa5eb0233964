/* cachemem - what the cache has in memory: verdicts, decoded lists, and whom
 * not to ask. Three tables, each with a lock of its own that is held for
 * nothing but the table. Nothing is over before it says so, by the time that
 * the caller gives. */
#ifndef TSK_REVOKE_CACHEMEM_H
#define TSK_REVOKE_CACHEMEM_H

#include "core/lru.h"
#include "revoke/crl.h"
#include "revoke/status.h"

#include <pthread.h>

struct tsk_cachemem {
    pthread_mutex_t verdict_lock, list_lock, avoid_lock;
    struct tsk_lru verdicts, lists, avoided;
    size_t verdicts_max, avoided_max;
    size_t lists_max; /* bytes */
};

void tsk_cachemem_init(struct tsk_cachemem *m);
void tsk_cachemem_free(struct tsk_cachemem *m); /* what is in it */

int tsk_cachemem_status(struct tsk_cachemem *m, const uint8_t key[32],
                        int64_t now, struct tsk_status *out);
void tsk_cachemem_keep_status(struct tsk_cachemem *m, const uint8_t key[32],
                              const struct tsk_status *st);

struct tsk_crls *tsk_cachemem_crls(struct tsk_cachemem *m,
                                   const uint8_t key[32], int64_t now);
void tsk_cachemem_keep_crls(struct tsk_cachemem *m, const uint8_t key[32],
                            struct tsk_crls *l, int64_t until);

/* until and now: of the monotonic clock */
void tsk_cachemem_avoid(struct tsk_cachemem *m, const uint8_t key[32],
                        int64_t until_ms);
int tsk_cachemem_avoids(struct tsk_cachemem *m, const uint8_t key[32],
                        int64_t now_ms);

#endif
