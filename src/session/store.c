#include "session/store.h"

#include "core/mem.h"

#include <pthread.h>
#include <string.h>

#define BUCKETS 256u /* a power of two */
#define PER_KEY 4u   /* sessions kept of one peer: parallel connections */

struct entry {
    struct entry *newer, *older; /* by use */
    struct entry *chain;         /* in one bucket, newest first */
    SSL_SESSION *ses;
    int64_t expires;
    struct tsk_session_facts facts;
    uint32_t hash;
    char key[];
};

struct tsk_sessions {
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest;
    size_t count, most;
};

static uint32_t hash_of(const char *key) /* FNV-1a */
{
    uint32_t h = 2166136261u;

    for (; *key != '\0'; key++)
        h = (h ^ (uint8_t)*key) * 16777619u;
    return h;
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
    SSL_SESSION_free(e->ses);
    tsk_free(e);
}

struct tsk_sessions *tsk_sessions_new(size_t most)
{
    struct tsk_sessions *c = tsk_alloc(sizeof(*c));

    if (c == NULL)
        return NULL;
    c->most = most;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void tsk_sessions_free(struct tsk_sessions *c)
{
    if (c == NULL)
        return;
    while (c->oldest != NULL)
        drop(c, c->oldest);
    pthread_mutex_destroy(&c->lock);
    tsk_free(c);
}

/* The oldest of a key beyond PER_KEY goes. */
static void bound_key(struct tsk_sessions *c, const char *key, uint32_t hash)
{
    struct entry *e, *last = NULL;
    size_t n = 0;

    for (e = c->buckets[hash % BUCKETS]; e != NULL; e = e->chain)
        if (e->hash == hash && strcmp(e->key, key) == 0) {
            last = e;
            n++;
        }
    if (n > PER_KEY)
        drop(c, last);
}

void tsk_sessions_put(struct tsk_sessions *c, const char *key, SSL_SESSION *ses,
                      const struct tsk_session_facts *facts, int64_t expires)
{
    size_t len = strlen(key) + 1;
    struct entry *e;

    if (c->most == 0)
        return;
    e = tsk_alloc(sizeof(*e) + len);
    if (e == NULL || !SSL_SESSION_up_ref(ses)) {
        tsk_free(e);
        return;
    }
    memcpy(e->key, key, len);
    e->ses = ses;
    e->facts = *facts;
    e->expires = expires;
    e->hash = hash_of(key);
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
    bound_key(c, key, e->hash);
    while (c->count > c->most)
        drop(c, c->oldest);
    pthread_mutex_unlock(&c->lock);
}

SSL_SESSION *tsk_sessions_take(struct tsk_sessions *c, const char *key,
                               struct tsk_session_facts *facts, int64_t now)
{
    uint32_t hash = hash_of(key);
    struct entry *e, *next;
    SSL_SESSION *ses = NULL;

    pthread_mutex_lock(&c->lock);
    for (e = c->buckets[hash % BUCKETS]; e != NULL && ses == NULL; e = next) {
        next = e->chain;
        if (e->hash != hash || strcmp(e->key, key) != 0)
            continue;
        if (e->expires > now && SSL_SESSION_up_ref(e->ses)) {
            ses = e->ses;
            *facts = e->facts;
            if (SSL_SESSION_get_protocol_version(ses) < TLS1_3_VERSION)
                continue; /* stays: may be offered again */
        }
        drop(c, e);
    }
    pthread_mutex_unlock(&c->lock);
    return ses;
}

size_t tsk_sessions_count(struct tsk_sessions *c)
{
    size_t n;

    pthread_mutex_lock(&c->lock);
    n = c->count;
    pthread_mutex_unlock(&c->lock);
    return n;
}
