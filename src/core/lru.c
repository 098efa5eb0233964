#include "core/lru.h"

#include "core/mem.h"

#include <string.h>
#include <tlsock.h>

#define FIRST_BUCKETS 64u

static struct tsk_lru_node **bucket(const struct tsk_lru *l,
                                    const uint8_t key[TSK_LRU_KEY])
{
    uint64_t hash;

    memcpy(&hash, key, sizeof(hash));
    return &l->buckets[hash & (l->n_buckets - 1)];
}

static void put(struct tsk_lru *l, struct tsk_lru_node *n)
{
    struct tsk_lru_node **at = bucket(l, n->key);

    n->chain = *at;
    *at = n;
}

/* Without memory the chains get longer, and nothing else happens: unless there
 * is no table at all. */
static int grow(struct tsk_lru *l)
{
    size_t n = l->n_buckets != 0 ? 2 * l->n_buckets : FIRST_BUCKETS;
    struct tsk_lru_node **more = tsk_alloc(n * sizeof(struct tsk_lru_node *));

    if (more == NULL)
        return l->n_buckets != 0 ? TLSOCK_OK : TLSOCK_E_NOMEM;
    tsk_free(l->buckets);
    l->buckets = more;
    l->n_buckets = n;
    for (struct tsk_lru_node *e = l->newest; e != NULL; e = e->older)
        put(l, e);
    return TLSOCK_OK;
}

static void link_newest(struct tsk_lru *l, struct tsk_lru_node *n)
{
    n->newer = NULL;
    n->older = l->newest;
    if (l->newest != NULL)
        l->newest->newer = n;
    else
        l->oldest = n;
    l->newest = n;
}

static void unlink_use(struct tsk_lru *l, struct tsk_lru_node *n)
{
    if (n->newer != NULL)
        n->newer->older = n->older;
    else
        l->newest = n->older;
    if (n->older != NULL)
        n->older->newer = n->newer;
    else
        l->oldest = n->newer;
}

struct tsk_lru_node *tsk_lru_find(struct tsk_lru *l,
                                  const uint8_t key[TSK_LRU_KEY])
{
    struct tsk_lru_node *n = l->n_buckets != 0 ? *bucket(l, key) : NULL;

    while (n != NULL && memcmp(n->key, key, TSK_LRU_KEY) != 0)
        n = n->chain;
    if (n != NULL && n != l->newest) {
        unlink_use(l, n);
        link_newest(l, n);
    }
    return n;
}

int tsk_lru_add(struct tsk_lru *l, struct tsk_lru_node *n)
{
    if (l->count >= l->n_buckets && grow(l) != TLSOCK_OK)
        return TLSOCK_E_NOMEM;
    put(l, n);
    link_newest(l, n);
    l->count++;
    l->cost += n->cost;
    return TLSOCK_OK;
}

void tsk_lru_drop(struct tsk_lru *l, struct tsk_lru_node *n)
{
    struct tsk_lru_node **at = bucket(l, n->key);

    while (*at != n)
        at = &(*at)->chain;
    *at = n->chain;
    unlink_use(l, n);
    l->count--;
    l->cost -= n->cost;
}

void tsk_lru_free(struct tsk_lru *l)
{
    tsk_free(l->buckets);
    memset(l, 0, sizeof(*l));
}
