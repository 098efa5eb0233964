#include "session/idcache.h"

#include "core/forklock.h"
#include "core/lru.h"
#include "core/mem.h"

#include <stdatomic.h>
#include <string.h>

struct entry {
    struct tsk_lru_node node; /* first */
    SSL_SESSION *ses;
};

struct tsk_idcache {
    atomic_int refs;
    struct tsk_lru table;
};

/* Over all of them; held for a look-up. */
static struct tsk_forklock lock = TSK_FORKLOCK(TSK_FORK_LEAF, NULL, NULL, NULL);

struct tsk_idcache *tsk_idcache_new(void)
{
    struct tsk_idcache *c = tsk_alloc(sizeof(*c));

    if (c == NULL)
        return NULL;
    atomic_init(&c->refs, 1);
    return c;
}

struct tsk_idcache *tsk_idcache_ref(struct tsk_idcache *c)
{
    if (c != NULL)
        atomic_fetch_add(&c->refs, 1);
    return c;
}

static void entry_free(struct entry *e)
{
    if (e == NULL)
        return;
    SSL_SESSION_free(e->ses);
    tsk_free(e);
}

/* Locked, or alone. */
static struct entry *take_out(struct tsk_idcache *c, struct tsk_lru_node *n)
{
    tsk_lru_drop(&c->table, n);
    return (struct entry *)n;
}

void tsk_idcache_unref(struct tsk_idcache *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    while (c->table.oldest != NULL)
        entry_free(take_out(c, c->table.oldest));
    tsk_lru_free(&c->table);
    tsk_free(c);
}

/* libssl draws ids of this length; a shorter one is a peer's, and nobody's.
 * They are random, as good as a digest. */
static int key_of(uint8_t key[TSK_LRU_KEY], const unsigned char *id, size_t len)
{
    if (len != TSK_LRU_KEY)
        return 0;
    memcpy(key, id, len);
    return 1;
}

static int key_of_session(uint8_t key[TSK_LRU_KEY], const SSL_SESSION *ses)
{
    unsigned int len;
    const unsigned char *id = SSL_SESSION_get_id(ses, &len);

    return key_of(key, id, len);
}

void tsk_idcache_put(struct tsk_idcache *c, SSL_SESSION *ses, size_t most)
{
    struct entry *e, *gone[2] = {NULL, NULL};
    struct tsk_lru_node *old;

    if (most == 0)
        return;
    e = tsk_alloc(sizeof(*e));
    if (e == NULL || !key_of_session(e->node.key, ses) ||
        !SSL_SESSION_up_ref(ses)) {
        tsk_free(e);
        return;
    }
    e->ses = ses;
    tsk_forklock_hold(&lock);
    old = tsk_lru_find(&c->table, e->node.key);
    if (old != NULL)
        gone[0] = take_out(c, old);
    if (c->table.count >= most)
        gone[1] = take_out(c, c->table.oldest);
    if (tsk_lru_add(&c->table, &e->node) == 0)
        e = NULL;
    tsk_forklock_let_go(&lock);
    entry_free(gone[0]);
    entry_free(gone[1]);
    entry_free(e); /* no memory to keep it */
}

SSL_SESSION *tsk_idcache_get(struct tsk_idcache *c, const unsigned char *id,
                             size_t len)
{
    uint8_t key[TSK_LRU_KEY];
    struct tsk_lru_node *n;
    SSL_SESSION *ses = NULL;

    if (!key_of(key, id, len))
        return NULL;
    tsk_forklock_hold(&lock);
    n = tsk_lru_find(&c->table, key);
    if (n != NULL && SSL_SESSION_up_ref(((struct entry *)n)->ses))
        ses = ((struct entry *)n)->ses;
    tsk_forklock_let_go(&lock);
    return ses;
}

void tsk_idcache_drop(struct tsk_idcache *c, const SSL_SESSION *ses)
{
    struct entry *gone = NULL;
    uint8_t key[TSK_LRU_KEY];
    struct tsk_lru_node *n;

    if (!key_of_session(key, ses))
        return;
    tsk_forklock_hold(&lock);
    n = tsk_lru_find(&c->table, key);
    if (n != NULL)
        gone = take_out(c, n);
    tsk_forklock_let_go(&lock);
    entry_free(gone);
}

size_t tsk_idcache_count(struct tsk_idcache *c)
{
    size_t n;

    tsk_forklock_hold(&lock);
    n = c->table.count;
    tsk_forklock_let_go(&lock);
    return n;
}
