#include "session/store.h"

#include "core/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define BUCKETS 256u /* a power of two */
#define PER_KEY 4u   /* sessions kept of one peer: parallel connections */

struct entry {
    struct entry *newer, *older; /* by use */
    struct entry *chain;         /* in one bucket, newest first */
    struct tsk_session_item item;
    uint32_t hash;
};

struct tsk_sessions {
    atomic_int refs;
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest;
    size_t count, most;
};

static uint32_t hash_of(const uint8_t key[TSK_SESSION_KEY]) /* a digest */
{
    uint32_t h;

    memcpy(&h, key, sizeof(h));
    return h;
}

static int is_of(const struct entry *e, const uint8_t key[TSK_SESSION_KEY])
{
    return memcmp(e->item.key, key, TSK_SESSION_KEY) == 0;
}

static void drop(struct tsk_sessions *c, struct entry *e)
{
    struct entry **at = &c->buckets[e->hash % BUCKETS];

    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    if (e->newer != NULL)
        e->newer->older = e->older;
    else
        c->newest = e->older;
    if (e->older != NULL)
        e->older->newer = e->newer;
    else
        c->oldest = e->newer;
    c->count--;
    SSL_SESSION_free(e->item.ses);
    tsk_free(e);
}

struct tsk_sessions *tsk_sessions_new(size_t most)
{
    struct tsk_sessions *c = tsk_alloc(sizeof(*c));

    if (c == NULL)
        return NULL;
    atomic_init(&c->refs, 1);
    c->most = most;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

struct tsk_sessions *tsk_sessions_ref(struct tsk_sessions *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void tsk_sessions_unref(struct tsk_sessions *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    while (c->oldest != NULL)
        drop(c, c->oldest);
    pthread_mutex_destroy(&c->lock);
    tsk_free(c);
}

/* The oldest of a key beyond PER_KEY goes. */
static void bound_key(struct tsk_sessions *c,
                      const uint8_t key[TSK_SESSION_KEY], uint32_t hash)
{
    struct entry *e, *last = NULL;
    size_t n = 0;

    for (e = c->buckets[hash % BUCKETS]; e != NULL; e = e->chain)
        if (is_of(e, key)) {
            last = e;
            n++;
        }
    if (n > PER_KEY)
        drop(c, last);
}

void tsk_sessions_put(struct tsk_sessions *c,
                      const struct tsk_session_item *item)
{
    struct entry *e;

    if (c->most == 0)
        return;
    e = tsk_alloc(sizeof(*e));
    if (e == NULL || !SSL_SESSION_up_ref(item->ses)) {
        tsk_free(e);
        return;
    }
    e->item = *item;
    e->hash = hash_of(item->key);
    pthread_mutex_lock(&c->lock);
    e->chain = c->buckets[e->hash % BUCKETS];
    c->buckets[e->hash % BUCKETS] = e;
    e->older = c->newest;
    if (c->newest != NULL)
        c->newest->newer = e;
    c->newest = e;
    if (c->oldest == NULL)
        c->oldest = e;
    c->count++;
    bound_key(c, item->key, e->hash);
    while (c->count > c->most)
        drop(c, c->oldest);
    pthread_mutex_unlock(&c->lock);
}

int tsk_sessions_take(struct tsk_sessions *c,
                      const uint8_t key[TSK_SESSION_KEY], int64_t now,
                      struct tsk_session_item *item)
{
    struct entry *e, *next;
    int found = 0;

    pthread_mutex_lock(&c->lock);
    for (e = c->buckets[hash_of(key) % BUCKETS]; e != NULL && !found;
         e = next) {
        SSL_SESSION *ses = e->item.ses;

        next = e->chain;
        if (!is_of(e, key))
            continue;
        if (tsk_session_fresh(&e->item.facts, e->item.expires, now) &&
            SSL_SESSION_up_ref(ses)) {
            *item = e->item;
            found = 1;
            if (SSL_SESSION_get_protocol_version(ses) < TLS1_3_VERSION)
                continue; /* stays: may be offered again */
        }
        drop(c, e);
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

void tsk_sessions_forget(struct tsk_sessions *c,
                         const uint8_t key[TSK_SESSION_KEY],
                         const SSL_SESSION *ses)
{
    struct entry *e, *next;

    pthread_mutex_lock(&c->lock);
    for (e = c->buckets[hash_of(key) % BUCKETS]; e != NULL; e = next) {
        next = e->chain;
        if (is_of(e, key) && (ses == NULL || e->item.ses == ses))
            drop(c, e);
    }
    pthread_mutex_unlock(&c->lock);
}

size_t tsk_sessions_count(struct tsk_sessions *c)
{
    size_t n;

    pthread_mutex_lock(&c->lock);
    n = c->count;
    pthread_mutex_unlock(&c->lock);
    return n;
}
