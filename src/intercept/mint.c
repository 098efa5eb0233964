#include "intercept/mint.h"

#include "cert/clone.h"
#include "cert/make.h"
#include "core/clock.h"
#include "core/forklock.h"
#include "core/lru.h"
#include "core/mem.h"
#include "intercept/shelf.h"
#include "ossl/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HELD 1000 /* certificates in memory, unless set otherwise */
#define HELD_MOST 1000000
#define OVER_S 3600 /* a copy of an expired one is made anew after this */

struct leaf {
    struct tsk_lru_node node; /* first: see core/lru.h */
    tlsock_cert *cert;
    int64_t until; /* Unix seconds */
};

/* One that is being made, by a thread that holds no lock; whoever comes
 * meanwhile waits for it. */
struct flight {
    struct flight *next;
    uint8_t key[TSK_LRU_KEY];
    int done, waiting;
    tlsock_cert *cert; /* the result, or */
    tlsock_error why;
};

struct tlsock_intercept {
    tlsock_intercept *next; /* in all */
    tlsock_cert *ca;
    uint8_t ca_digest[32];
    struct tsk_shelf shelf;
    int own_key;     /* of each leaf */
    size_t most;     /* leaves in memory */
    int frozen;      /* lock, as all below */
    size_t n_signed; /* since it is there */
    struct tsk_lru held;
    struct flight *flights;
    unsigned forks; /* whose they are */
};

static tlsock_intercept *all; /* lock */
static pthread_cond_t landed = PTHREAD_COND_INITIALIZER;
static unsigned forks; /* lock */

/* Locks of directories are held for moments, and never with another. */
static void hold_shelves(void)
{
    for (tlsock_intercept *m = all; m != NULL; m = m->next)
        tsk_shelf_hold(&m->shelf);
}

static void let_go_of_shelves(void)
{
    for (tlsock_intercept *m = all; m != NULL; m = m->next)
        tsk_shelf_let_go(&m->shelf);
}

/* Nobody waits here, and nobody mints. */
static void in_child(void)
{
    static const pthread_cond_t none_waits = PTHREAD_COND_INITIALIZER;

    landed = none_waits;
    forks++;
}

/* Of all handles: it is held for moments. */
static struct tsk_forklock lock = TSK_FORKLOCK(
    TSK_FORK_LEAF, hold_shelves, let_go_of_shelves, in_child);

static void forget(tlsock_intercept *m, struct leaf *l)
{
    tsk_lru_drop(&m->held, &l->node);
    tlsock_cert_unref(l->cert);
    tsk_free(l);
}

/* In a child of fork() they are those of threads that it does not have. */
static void drop_flights(tlsock_intercept *m)
{
    while (m->flights != NULL) {
        struct flight *f = m->flights;

        m->flights = f->next;
        tsk_free(f);
    }
    m->forks = forks;
}

/* What is asked for: the upstream's certificate, our CA's, and whose key it is
 * to have. 1, 0 no memory. */
static int key_of(const tlsock_intercept *m, const tlsock_cert *upstream,
                  uint8_t key[TSK_LRU_KEY])
{
    uint8_t id[65];
    unsigned int n = 32;
    int ok;

    tsk_ossl_enter();
    ok = X509_digest(upstream->leaf, EVP_sha256(), id, &n) == 1;
    tsk_ossl_leave();
    memcpy(id + 32, m->ca_digest, 32);
    id[64] = (uint8_t)m->own_key;
    return ok && tsk_cachefile_key(TSK_CACHE_LEAF, id, sizeof(id), key);
}

/* Locked. A reference, or NULL. */
static tlsock_cert *look(tlsock_intercept *m, const uint8_t key[TSK_LRU_KEY])
{
    struct leaf *l = (struct leaf *)tsk_lru_find(&m->held, key);

    if (l != NULL && l->until <= tsk_wall_time()) {
        forget(m, l);
        l = NULL;
    }
    return l != NULL ? tlsock_cert_ref(l->cert) : NULL;
}

/* Locked. What there is no memory for is not kept. */
static void keep(tlsock_intercept *m, const uint8_t key[TSK_LRU_KEY],
                 tlsock_cert *c)
{
    int64_t ends = tsk_cert_time(X509_get0_notAfter(c->leaf)),
            now = tsk_wall_time();
    struct leaf *l = tsk_alloc(sizeof(*l));

    if (l == NULL)
        return;
    memcpy(l->node.key, key, TSK_LRU_KEY);
    l->node.cost = 1;
    l->until = ends > now ? ends : now + OVER_S;
    if (tsk_lru_add(&m->held, &l->node) < 0) {
        tsk_free(l);
        return;
    }
    l->cert = tlsock_cert_ref(c);
    while (m->held.count > m->most)
        forget(m, (struct leaf *)m->held.oldest);
}

static tlsock_cert *make(tlsock_intercept *m, const struct flight *f,
                         const tlsock_cert *upstream, int *was_signed,
                         tlsock_error *err)
{
    tlsock_cert *c = tsk_shelf_find(&m->shelf, f->key, upstream, m->ca);

    if (c != NULL)
        return c;
    c = tsk_cert_clone(upstream, m->ca, m->own_key, err);
    if (c != NULL)
        tsk_shelf_keep(&m->shelf, f->key, c);
    *was_signed = c != NULL;
    return c;
}

static void land(tlsock_intercept *m, struct flight *f)
{
    struct flight **at = &m->flights;

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    if (f->cert != NULL)
        keep(m, f->key, f->cert);
    f->done = 1;
    pthread_cond_broadcast(&landed);
}

/* Locked. Takes what came of it: the last one frees it. */
static tlsock_cert *take(struct flight *f, tlsock_error *err)
{
    tlsock_cert *c = f->cert != NULL ? tlsock_cert_ref(f->cert) : NULL;

    if (c == NULL && err != NULL)
        *err = f->why;
    if (--f->waiting > 0)
        return c;
    tlsock_cert_unref(f->cert);
    tsk_free(f);
    return c;
}

/* Locked, and locked again when it returns. */
static tlsock_cert *fly(tlsock_intercept *m, const uint8_t key[TSK_LRU_KEY],
                        const tlsock_cert *upstream, tlsock_error *err)
{
    struct flight *f = tsk_alloc(sizeof(*f));
    int was_signed = 0;

    if (f == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    memcpy(f->key, key, TSK_LRU_KEY);
    f->waiting = 1;
    f->next = m->flights;
    m->flights = f;
    tsk_forklock_let_go(&lock);
    f->cert = make(m, f, upstream, &was_signed, &f->why);
    tsk_forklock_hold(&lock);
    m->n_signed += (size_t)was_signed;
    land(m, f);
    return take(f, err);
}

/* Locked, but while it waits. */
static tlsock_cert *get(tlsock_intercept *m, const uint8_t key[TSK_LRU_KEY],
                        const tlsock_cert *upstream, tlsock_error *err)
{
    tlsock_cert *c = look(m, key);
    struct flight *f = m->flights;

    if (c != NULL)
        return c;
    while (f != NULL && memcmp(f->key, key, TSK_LRU_KEY) != 0)
        f = f->next;
    if (f == NULL)
        return fly(m, key, upstream, err);
    f->waiting++;
    while (!f->done)
        pthread_cond_wait(&landed, &lock.mutex);
    return take(f, err);
}

tlsock_cert *tsk_mint_leaf(tlsock_intercept *m, const tlsock_cert *upstream,
                           tlsock_error *err)
{
    uint8_t key[TSK_LRU_KEY];
    tlsock_cert *c;

    tsk_forklock_hold(&lock);
    m->frozen = 1;
    if (m->forks != forks)
        drop_flights(m);
    tsk_forklock_let_go(&lock);
    if (!key_of(m, upstream, key)) {
        tsk_fail_nomem(err);
        return NULL;
    }
    tsk_forklock_hold(&lock);
    c = get(m, key, upstream, err);
    tsk_forklock_let_go(&lock);
    return c;
}

static void enlist(tlsock_intercept *m, int yes)
{
    tlsock_intercept **at = &all;

    tsk_forklock_hold(&lock);
    m->forks = forks;
    while (*at != NULL && *at != m)
        at = &(*at)->next;
    if (yes)
        *at = m;
    else if (*at == m)
        *at = m->next;
    tsk_forklock_let_go(&lock);
}

void tsk_mint_free(tlsock_intercept *m)
{
    if (m == NULL)
        return;
    enlist(m, 0);
    while (m->held.oldest != NULL)
        forget(m, (struct leaf *)m->held.oldest);
    drop_flights(m);
    tsk_lru_free(&m->held);
    tsk_shelf_close(&m->shelf);
    tlsock_cert_unref(m->ca);
    tsk_free(m);
}

/* What a CA has to be is said once, not at each connection. */
static int take_ca(tlsock_intercept *m, tlsock_cert *ca, tlsock_error *err)
{
    const tlsock_cert_opts o = {.size = sizeof(o), .issuer = ca};
    const struct tsk_make make = {.o = &o, .now = tsk_wall_time()};
    unsigned int n = sizeof(m->ca_digest);
    int rc = tsk_issuer_check(&make, err);

    if (rc < 0)
        return rc;
    if (X509_digest(ca->leaf, EVP_sha256(), m->ca_digest, &n) != 1)
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "digest of the CA");
    m->ca = tlsock_cert_ref(ca);
    return TLSOCK_OK;
}

tlsock_intercept *tsk_mint_new(tlsock_cert *ca, const char *dir,
                               tlsock_error *err)
{
    tlsock_intercept *m = tsk_alloc(sizeof(*m));
    int rc;

    if (m == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    m->most = HELD;
    tsk_ossl_enter();
    rc = take_ca(m, ca, err);
    tsk_ossl_leave();
    if (rc == TLSOCK_OK)
        rc = tsk_shelf_open(&m->shelf, dir, err);
    if (rc == TLSOCK_OK) {
        enlist(m, 1);
        return m;
    }
    tsk_mint_free(m);
    return NULL;
}

static int set_most(tlsock_intercept *m, const char *value)
{
    char *end;
    long n;

    if (*value < '0' || *value > '9')
        return TLSOCK_E_OPTION;
    n = strtol(value, &end, 10);
    if (*end != '\0' || n < 1 || n > HELD_MOST)
        return TLSOCK_E_OPTION;
    m->most = (size_t)n;
    return TLSOCK_OK;
}

int tsk_mint_set(tlsock_intercept *m, const char *option, const char *value)
{
    int rc = TLSOCK_E_OPTION;

    tsk_forklock_hold(&lock);
    if (m->frozen) {
        rc = TLSOCK_E_FROZEN;
    } else if (strcmp(option, "cache-size") == 0) {
        rc = set_most(m, value);
    } else if (strcmp(option, "leaf-key") == 0 &&
               (strcmp(value, "leaf") == 0 || strcmp(value, "process") == 0)) {
        m->own_key = strcmp(value, "leaf") == 0;
        rc = TLSOCK_OK;
    }
    tsk_forklock_let_go(&lock);
    return rc;
}

size_t tsk_mint_signed(const tlsock_intercept *m)
{
    return m->n_signed;
}

size_t tsk_mint_held(const tlsock_intercept *m)
{
    return m->held.count;
}
