#include "core/clock.h"
#include "core/forklock.h"
#include "core/mem.h"
#include "revoke/cache_private.h"
#include "revoke/ocsp.h"

#include <stdlib.h>
#include <string.h>

static struct tsk_revcache *caches;

static void hold_each(void)
{
    for (struct tsk_revcache *c = caches; c != NULL; c = c->next) {
        pthread_mutex_lock(&c->mem.verdict_lock);
        pthread_mutex_lock(&c->mem.list_lock);
        pthread_mutex_lock(&c->mem.avoid_lock);
        pthread_mutex_lock(&c->disk.lock);
    }
}

static void let_each_go(void)
{
    for (struct tsk_revcache *c = caches; c != NULL; c = c->next) {
        pthread_mutex_unlock(&c->disk.lock);
        pthread_mutex_unlock(&c->mem.avoid_lock);
        pthread_mutex_unlock(&c->mem.list_lock);
        pthread_mutex_unlock(&c->mem.verdict_lock);
    }
}

/* Before the locks of any cache. */
static struct tsk_forklock lock =
    TSK_FORKLOCK(TSK_FORK_LEAF, hold_each, let_each_go, NULL);

static struct tsk_revcache *find(const char *dir)
{
    struct tsk_revcache *c = caches;

    while (c != NULL &&
           (dir == NULL || c->disk.dir == NULL ? dir != c->disk.dir
                                               : strcmp(c->disk.dir, dir) != 0))
        c = c->next;
    return c;
}

static struct tsk_revcache *make(const char *dir)
{
    struct tsk_revcache *c = tsk_alloc(sizeof(*c));

    if (c == NULL)
        return NULL;
    if (dir != NULL) {
        c->disk.dir = tsk_strdup(dir);
        if (c->disk.dir == NULL) {
            tsk_free(c);
            return NULL;
        }
    }
    c->disk.max = TSK_CACHE_DISK_MAX;
    c->disk.written = SIZE_MAX; /* the first to write counts */
    pthread_mutex_init(&c->disk.lock, NULL);
    tsk_cachemem_init(&c->mem);
    c->next = caches;
    caches = c;
    return c;
}

struct tsk_revcache *tsk_revcache_open(const char *dir, tlsock_error *err)
{
    struct tsk_revcache *c;
    char *name = NULL;

    if (dir != NULL) {
        name = tsk_cachedisk_name(dir, "revocation data", "revocation.cache",
                                  err);
        if (name == NULL)
            return NULL;
    }
    tsk_forklock_hold(&lock);
    c = find(name);
    if (c == NULL)
        c = make(name);
    if (c != NULL)
        c->refs++;
    tsk_forklock_let_go(&lock);
    free(name);
    if (c == NULL)
        tsk_fail_nomem(err);
    return c;
}

struct tsk_revcache *tsk_revcache_ref(struct tsk_revcache *c)
{
    tsk_forklock_hold(&lock);
    c->refs++;
    tsk_forklock_let_go(&lock);
    return c;
}

void tsk_revcache_unref(struct tsk_revcache *c)
{
    struct tsk_revcache **at = &caches;
    int left;

    if (c == NULL)
        return;
    tsk_forklock_hold(&lock);
    left = --c->refs;
    if (left == 0) {
        while (*at != c)
            at = &(*at)->next;
        *at = c->next;
    }
    tsk_forklock_let_go(&lock);
    if (left != 0)
        return;
    tsk_cachemem_free(&c->mem);
    pthread_mutex_destroy(&c->disk.lock);
    tsk_free(c->disk.dir);
    tsk_free(c);
}

int tsk_revcache_status(struct tsk_revcache *c, const uint8_t key[32],
                        int64_t now, struct tsk_status *out)
{
    return tsk_cachemem_status(&c->mem, key, now, out);
}

void tsk_revcache_keep_status(struct tsk_revcache *c, const uint8_t key[32],
                              const struct tsk_status *st)
{
    enum tsk_cachekind kind =
        st->by == TSK_BY_CRL ? TSK_CACHE_CRL : TSK_CACHE_OCSP;
    int64_t last = tsk_wall_time() + tsk_cache_longest(kind);
    struct tsk_status bounded = *st;

    if (bounded.until > last)
        bounded.until = last;
    if (bounded.state != TSK_UNKNOWN)
        tsk_cachemem_keep_status(&c->mem, key, &bounded);
}

void tsk_revcache_avoid(struct tsk_revcache *c, const uint8_t key[32])
{
    tsk_cachemem_avoid(&c->mem, key, tsk_now_ms() + TSK_CACHE_AVOID_MS);
}

int tsk_revcache_avoids(struct tsk_revcache *c, const uint8_t key[32])
{
    return tsk_cachemem_avoids(&c->mem, key, tsk_now_ms());
}

/* Another thread may have had a list while this one decoded: then all have
 * that one, which may be newer, and takes memory once. */
static struct tsk_crls *settle(struct tsk_revcache *c, const uint8_t key[32],
                               int64_t now, struct tsk_crls *l, int64_t until)
{
    struct tsk_crls *theirs = tsk_cachemem_crls(&c->mem, key, now);

    if (theirs == NULL) {
        tsk_cachemem_keep_crls(&c->mem, key, l, until);
        return l;
    }
    tsk_crls_unref(l);
    return theirs;
}

static struct tsk_crls *from_disk(struct tsk_revcache *c, const char *url,
                                  const uint8_t key[32], int64_t now)
{
    struct tsk_crls *l;
    struct tsk_cached got;

    if (c->disk.dir == NULL || !tsk_cachedisk_read(&c->disk, TSK_CACHE_CRL, key,
                                                   now, TSK_CRL_FILE_MAX, &got))
        return NULL;
    l = tsk_crls_parse(got.body, got.len, url, NULL);
    tsk_free(got.file);
    return l != NULL ? settle(c, key, now, l, got.until) : NULL;
}

struct tsk_crls *tsk_revcache_crls(struct tsk_revcache *c, const char *url,
                                   int64_t now)
{
    struct tsk_crls *l;
    uint8_t key[32];

    if (!tsk_cachefile_key(TSK_CACHE_CRL, url, strlen(url), key))
        return NULL;
    l = tsk_cachemem_crls(&c->mem, key, now);
    return l != NULL ? l : from_disk(c, url, key, now);
}

void tsk_revcache_keep_crls(struct tsk_revcache *c, const char *url,
                            struct tsk_crls *l, const void *bytes, size_t len,
                            int64_t until)
{
    int64_t last = tsk_wall_time() + tsk_cache_longest(TSK_CACHE_CRL);
    uint8_t key[32];

    if (!tsk_cachefile_key(TSK_CACHE_CRL, url, strlen(url), key))
        return;
    until = until > last ? last : until;
    tsk_cachemem_keep_crls(&c->mem, key, l, until);
    if (c->disk.dir != NULL)
        tsk_cachedisk_write(&c->disk, TSK_CACHE_CRL, key, bytes, len, until);
}

int tsk_revcache_trouble(struct tsk_revcache *c)
{
    int errnum = atomic_load_explicit(&c->disk.trouble, memory_order_relaxed);

    if (errnum <= 0 ||
        !atomic_compare_exchange_strong(&c->disk.trouble, &errnum, -1))
        return 0;
    return errnum;
}

int tsk_revcache_ocsp(struct tsk_revcache *c, const uint8_t key[32],
                      int64_t now, struct tsk_buf *out)
{
    struct tsk_cached got;
    uint8_t name[32];
    int rc;

    if (c->disk.dir == NULL ||
        !tsk_cachefile_key(TSK_CACHE_OCSP, key, 32, name) ||
        !tsk_cachedisk_read(&c->disk, TSK_CACHE_OCSP, name, now, TSK_OCSP_MAX,
                            &got))
        return 0;
    rc = tsk_buf_add(out, got.body, got.len) == TLSOCK_OK;
    tsk_free(got.file);
    return rc;
}

void tsk_revcache_keep_ocsp(struct tsk_revcache *c, const uint8_t key[32],
                            const void *der, size_t len, int64_t until)
{
    uint8_t name[32];

    if (c->disk.dir != NULL && len <= TSK_OCSP_MAX &&
        tsk_cachefile_key(TSK_CACHE_OCSP, key, 32, name))
        tsk_cachedisk_write(&c->disk, TSK_CACHE_OCSP, name, der, len, until);
}
