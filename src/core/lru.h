/* lru - what was last used, by a 32-byte key: a hash table of nodes that are
 * part of their owners, and the order of their use.
 *
 * Knows nothing of what it keeps, owns none of it, locks nothing. Keys are
 * digests, so their first bytes are as good as any hash. Finding allocates
 * nothing and costs the same whatever is in it. */
#ifndef TSK_CORE_LRU_H
#define TSK_CORE_LRU_H

#include <stddef.h>
#include <stdint.h>

#define TSK_LRU_KEY 32

struct tsk_lru_node {           /* first member of what is kept */
    struct tsk_lru_node *chain; /* in one bucket */
    struct tsk_lru_node *newer, *older;
    size_t cost;
    uint8_t key[TSK_LRU_KEY];
};

struct tsk_lru { /* all zero: empty */
    struct tsk_lru_node **buckets;
    size_t n_buckets; /* a power of two, or 0 */
    struct tsk_lru_node *newest, *oldest;
    size_t count, cost; /* sum of the nodes' */
};

/* The node, now the newest; NULL: none. */
struct tsk_lru_node *tsk_lru_find(struct tsk_lru *l,
                                  const uint8_t key[TSK_LRU_KEY]);
/* Adds one with key and cost set, whose key is not in it; it is the newest.
 * 0, E_NOMEM: it is not in it. */
int tsk_lru_add(struct tsk_lru *l, struct tsk_lru_node *n);
/* Takes one out; it is the caller's again. */
void tsk_lru_drop(struct tsk_lru *l, struct tsk_lru_node *n);
/* The table alone; to be called when nothing is left in it. */
void tsk_lru_free(struct tsk_lru *l);

#endif
