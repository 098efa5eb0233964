#include "revoke/cachemem.h"

#include "core/mem.h"
#include "revoke/cache.h"

#include <string.h>

#define SKEW 300 /* seconds that clocks may differ */

struct verdict {
    struct tsk_lru_node node;
    struct tsk_status st;
};

struct avoided {
    struct tsk_lru_node node;
    int64_t until_ms;
};

struct list {
    struct tsk_lru_node node;
    struct tsk_crls *l; /* one reference */
    int64_t until;
};

void tsk_cachemem_init(struct tsk_cachemem *m)
{
    memset(m, 0, sizeof(*m));
    pthread_mutex_init(&m->verdict_lock, NULL);
    pthread_mutex_init(&m->list_lock, NULL);
    pthread_mutex_init(&m->avoid_lock, NULL);
    m->avoided_max = TSK_CACHE_AVOIDED;
    m->verdicts_max = TSK_CACHE_VERDICTS;
    m->lists_max = TSK_CACHE_MEMORY_MAX;
}

static void free_list(struct list *e)
{
    tsk_crls_unref(e->l);
    tsk_free(e);
}

void tsk_cachemem_free(struct tsk_cachemem *m)
{
    struct tsk_lru_node *n;

    while ((n = m->verdicts.oldest) != NULL) {
        tsk_lru_drop(&m->verdicts, n);
        tsk_free(n);
    }
    while ((n = m->lists.oldest) != NULL) {
        tsk_lru_drop(&m->lists, n);
        free_list((struct list *)n);
    }
    while ((n = m->avoided.oldest) != NULL) {
        tsk_lru_drop(&m->avoided, n);
        tsk_free(n);
    }
    tsk_lru_free(&m->avoided);
    tsk_lru_free(&m->verdicts);
    tsk_lru_free(&m->lists);
    pthread_mutex_destroy(&m->verdict_lock);
    pthread_mutex_destroy(&m->list_lock);
    pthread_mutex_destroy(&m->avoid_lock);
}

int tsk_cachemem_status(struct tsk_cachemem *m, const uint8_t key[32],
                        int64_t now, struct tsk_status *out)
{
    const struct verdict *v;
    int found;

    pthread_mutex_lock(&m->verdict_lock);
    v = (const struct verdict *)tsk_lru_find(&m->verdicts, key);
    found = v != NULL && v->st.until > now && v->st.as_of <= now + SKEW;
    if (found)
        *out = v->st;
    pthread_mutex_unlock(&m->verdict_lock);
    return found;
}

/* The oldest go to *dead, to be freed without the lock. */
static void bound(struct tsk_lru *l, size_t count, size_t cost,
                  struct tsk_lru_node **dead)
{
    while (l->count > count || l->cost > cost) {
        struct tsk_lru_node *n = l->oldest;

        tsk_lru_drop(l, n);
        n->chain = *dead;
        *dead = n;
    }
}

void tsk_cachemem_keep_status(struct tsk_cachemem *m, const uint8_t key[32],
                              const struct tsk_status *st)
{
    struct verdict *fresh = tsk_alloc(sizeof(*fresh)), *old;
    struct tsk_lru_node *dead = NULL;

    if (fresh == NULL)
        return;
    memcpy(fresh->node.key, key, 32);
    fresh->st = *st;
    pthread_mutex_lock(&m->verdict_lock);
    old = (struct verdict *)tsk_lru_find(&m->verdicts, key);
    if (old != NULL) {
        old->st = *st;
        dead = &fresh->node;
    } else if (tsk_lru_add(&m->verdicts, &fresh->node) != TLSOCK_OK) {
        dead = &fresh->node;
    } else {
        bound(&m->verdicts, m->verdicts_max, SIZE_MAX, &dead);
    }
    pthread_mutex_unlock(&m->verdict_lock);
    tsk_free(dead);
}

struct tsk_crls *tsk_cachemem_crls(struct tsk_cachemem *m,
                                   const uint8_t key[32], int64_t now)
{
    struct tsk_crls *l = NULL;
    const struct list *e;

    pthread_mutex_lock(&m->list_lock);
    e = (const struct list *)tsk_lru_find(&m->lists, key);
    if (e != NULL && e->until > now)
        l = tsk_crls_ref(e->l);
    pthread_mutex_unlock(&m->list_lock);
    return l;
}

void tsk_cachemem_keep_crls(struct tsk_cachemem *m, const uint8_t key[32],
                            struct tsk_crls *l, int64_t until)
{
    struct list *fresh = tsk_alloc(sizeof(*fresh));
    struct tsk_lru_node *dead = NULL, *old;

    if (fresh == NULL)
        return;
    memcpy(fresh->node.key, key, 32);
    fresh->node.cost = tsk_crls_memory(l);
    fresh->l = tsk_crls_ref(l);
    fresh->until = until;
    pthread_mutex_lock(&m->list_lock);
    old = tsk_lru_find(&m->lists, key);
    if (old != NULL) {
        tsk_lru_drop(&m->lists, old);
        old->chain = NULL;
        dead = old;
    }
    if (fresh->node.cost > m->lists_max ||
        tsk_lru_add(&m->lists, &fresh->node) != TLSOCK_OK) {
        fresh->node.chain = dead;
        dead = &fresh->node;
    }
    bound(&m->lists, SIZE_MAX, m->lists_max, &dead);
    pthread_mutex_unlock(&m->list_lock);
    while (dead != NULL) { /* a list may have millions of entries */
        struct tsk_lru_node *next = dead->chain;

        free_list((struct list *)dead);
        dead = next;
    }
}

void tsk_cachemem_avoid(struct tsk_cachemem *m, const uint8_t key[32],
                        int64_t until_ms)
{
    struct avoided *fresh = tsk_alloc(sizeof(*fresh)), *old;
    struct tsk_lru_node *dead = NULL;

    if (fresh == NULL)
        return;
    memcpy(fresh->node.key, key, 32);
    fresh->until_ms = until_ms;
    pthread_mutex_lock(&m->avoid_lock);
    old = (struct avoided *)tsk_lru_find(&m->avoided, key);
    if (old != NULL) {
        old->until_ms = until_ms;
        dead = &fresh->node;
    } else if (tsk_lru_add(&m->avoided, &fresh->node) != TLSOCK_OK) {
        dead = &fresh->node;
    } else {
        bound(&m->avoided, m->avoided_max, SIZE_MAX, &dead);
    }
    pthread_mutex_unlock(&m->avoid_lock);
    tsk_free(dead);
}

int tsk_cachemem_avoids(struct tsk_cachemem *m, const uint8_t key[32],
                        int64_t now_ms)
{
    const struct avoided *a;
    int found;

    pthread_mutex_lock(&m->avoid_lock);
    a = (const struct avoided *)tsk_lru_find(&m->avoided, key);
    found = a != NULL && a->until_ms > now_ms;
    pthread_mutex_unlock(&m->avoid_lock);
    return found;
}
