/* cache_private - what a cache is inside; for its tests, which have no time for
 * 256 MB. */
#ifndef TSK_REVOKE_CACHE_PRIVATE_H
#define TSK_REVOKE_CACHE_PRIVATE_H

#include "revoke/cache.h"
#include "revoke/cachedisk.h"
#include "revoke/cachemem.h"

struct tsk_revcache {
    struct tsk_revcache *next; /* in the process; under its lock */
    int refs;                  /* under the same */
    struct tsk_cachemem mem;
    struct tsk_cachedisk disk; /* dir NULL: in memory alone */
};

#endif
