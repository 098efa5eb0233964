#include "api/stapler.h"

#include "api/daemon.h"
#include "api/stapleorder.h"
#include "core/clock.h"
#include "core/mem.h"
#include "net/wait.h"
#include "ossl/queue.h"
#include "tls/conn.h"

#define AT_ONCE 8 /* requests */
#define FDS_EACH TSK_DIAL_FDS

_Static_assert(AT_ONCE *FDS_EACH <= TSK_DAEMON_FDS, "all can be waited for");

struct stapler {
    struct tsk_daemon thread;
    struct tsk_staples *staples;
    const char *dir; /* of the cache, or NULL */
    struct tsk_revcache *cache;
    struct tsk_order *orders;
    size_t n;
};

static void step_all(void *arg)
{
    struct stapler *f = arg;
    size_t asking = 0;

    for (size_t i = 0; i < f->n; i++)
        asking += f->orders[i].f != NULL;
    for (size_t i = 0; i < f->n && !tsk_daemon_ends(&f->thread); i++) {
        struct tsk_order *o = &f->orders[i];
        int was = o->f != NULL;

        tsk_order_step(o, asking < AT_ONCE);
        asking = asking + (o->f != NULL) - (size_t)was;
    }
}

static size_t pollfds_all(void *arg, struct pollfd *fds, size_t max,
                          int64_t *until)
{
    const struct stapler *f = arg;
    size_t n = 0, asking = 0;
    int64_t one;

    for (size_t i = 0; i < f->n; i++)
        asking += f->orders[i].f != NULL;
    for (size_t i = 0; i < f->n; i++) {
        const struct tsk_order *o = &f->orders[i];

        if (o->f == NULL && asking >= AT_ONCE)
            continue; /* its turn comes when another one is through */
        n += tsk_order_pollfds(o, fds + n, max - n, &one);
        if (one < *until)
            *until = one;
    }
    return n;
}

/* Before any lock of ours: the cache has its own. A directory that cannot be
 * used keeps nothing. */
static void open_cache(void *arg)
{
    struct stapler *f = arg;

    if (f->dir == NULL || f->cache != NULL)
        return;
    f->cache = tsk_revcache_open(f->dir, NULL);
    for (size_t i = 0; i < f->n; i++)
        f->orders[i].cache = f->cache;
}

static void drop_all(void *arg)
{
    struct stapler *f = arg;

    for (size_t i = 0; i < f->n; i++)
        tsk_order_drop(&f->orders[i]);
}

static void stapler_free(struct stapler *f)
{
    for (size_t i = 0; i < f->n; i++)
        tsk_order_end(&f->orders[i]);
    tsk_revcache_unref(f->cache);
    tsk_free(f->orders);
    tsk_free(f);
}

static void stop(void *fetcher)
{
    struct stapler *f = fetcher;

    tsk_daemon_stop(&f->thread);
    stapler_free(f);
}

static int take_orders(struct stapler *f, struct tsk_ctx *c)
{
    const struct tsk_settings *set = tsk_ctx_settings(c);

    for (size_t i = 0; i < set->n_identities; i++) {
        struct tsk_order *o = &f->orders[f->n];
        int rc = tsk_order_init(o, c, i);

        if (rc < 0)
            return rc;
        o->working = tsk_daemon_working(TSK_DAEMON_FETCHES);
        f->n += (size_t)rc;
    }
    return TLSOCK_OK;
}

/* NULL: no memory. */
static struct stapler *stapler_new(struct tsk_ctx *c)
{
    const struct tsk_settings *set = tsk_ctx_settings(c);
    struct stapler *f = tsk_alloc(sizeof(*f));

    if (f == NULL)
        return NULL;
    f->thread = (struct tsk_daemon){.name = "tlsock-staple",
                                    .kind = TSK_DAEMON_FETCHES,
                                    .open = open_cache,
                                    .step = step_all,
                                    .pollfds = pollfds_all,
                                    .drop = drop_all,
                                    .arg = f};
    tsk_daemon_init(&f->thread);
    f->staples = tsk_ctx_staples(c);
    f->orders = tsk_alloc(set->n_identities * sizeof(*f->orders));
    f->dir = set->revocation_cache;
    if (f->orders != NULL && take_orders(f, c) == TLSOCK_OK)
        return f;
    stapler_free(f);
    return NULL;
}

/* Locked. 1: a thread runs, or none is needed. */
static int begin(struct tsk_ctx *c, struct tsk_staples *st)
{
    struct stapler *f = st->fetcher;

    if (f == NULL) {
        f = stapler_new(c);
        if (f == NULL)
            return 0;
        st->stop = stop;
        st->fetcher = f;
    }
    return f->n == 0 || tsk_daemon_begin(&f->thread);
}

void tsk_stapler_begin(struct tsk_ctx *c)
{
    struct tsk_staples *st = tsk_ctx_staples(c);
    unsigned now = tsk_fork_generation();

    if (st == NULL || atomic_load(&st->begun) == now)
        return;
    tsk_ossl_enter();
    tsk_daemon_lock(TSK_DAEMON_FETCHES);
    if (begin(c, st))
        atomic_store(&st->begun, now);
    tsk_daemon_unlock(TSK_DAEMON_FETCHES);
    tsk_ossl_leave();
}

void tsk_stapler_move(struct tsk_ctx *from, struct tsk_ctx *to)
{
    struct tsk_staples *st = tsk_ctx_staples(from);

    if (st == NULL || atomic_load(&st->begun) != tsk_fork_generation())
        return;
    if (st->fetcher != NULL)
        tsk_daemon_stop(&((struct stapler *)st->fetcher)->thread);
    tsk_stapler_begin(to);
}

void tsk_stapler_poke(struct tsk_ctx *c)
{
    struct tsk_staples *st = tsk_ctx_staples(c);

    tsk_daemon_lock(TSK_DAEMON_FETCHES);
    if (st->fetcher != NULL)
        tsk_daemon_wake(&((struct stapler *)st->fetcher)->thread);
    tsk_daemon_unlock(TSK_DAEMON_FETCHES);
}
