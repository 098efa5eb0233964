#include "api/stapler.h"

#include "api/stapleorder.h"
#include "core/clock.h"
#include "core/mem.h"
#include "net/work.h"
#include "net/wait.h"
#include "ossl/queue.h"
#include "tls/conn.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AT_ONCE 8 /* requests */
#define FDS_EACH TSK_DIAL_FDS
#define LONGEST_MS 300000 /* of one wait: the wall clock may be set */

struct stapler {
    struct tsk_staples *staples;
    const char *dir; /* of the cache, or NULL */
    struct tsk_revcache *cache;
    struct tsk_order *orders;
    size_t n;
    atomic_int end; /* the thread is to go */
    /* life */
    unsigned generation; /* of the process that the thread is in; 0: none */
    int stopped;         /* for good */
    int wake;            /* eventfd, or -1 */
    pthread_t thread;
};

/* life: who has a thread; before working, which a thread holds as long as it
 * does not wait: fork() must find it nowhere within OpenSSL. */
static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t working = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void before_fork(void)
{
    pthread_mutex_lock(&life);
    pthread_mutex_lock(&working);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&working);
    pthread_mutex_unlock(&life);
}

/* What is registered last is called first, so that the locks which the thread
 * takes while it works come behind these. */
static void watch_forks(void)
{
    tsk_work_watch_forks();
    (void)tsk_fork_generation();
    pthread_atfork(before_fork, after_fork, after_fork);
}

void tsk_stapler_watch_forks(void)
{
    pthread_once(&once, watch_forks);
}

static void step_all(struct stapler *f)
{
    size_t asking = 0;

    for (size_t i = 0; i < f->n; i++)
        asking += f->orders[i].f != NULL;
    for (size_t i = 0; i < f->n && !atomic_load(&f->end); i++) {
        struct tsk_order *o = &f->orders[i];
        int was = o->f != NULL;

        tsk_order_step(o, asking < AT_ONCE);
        asking = asking + (o->f != NULL) - (size_t)was;
    }
}

static void wait_all(struct stapler *f)
{
    struct pollfd fds[1 + AT_ONCE * FDS_EACH];
    int64_t until = tsk_deadline_in(LONGEST_MS), one;
    size_t n = 1, asking = 0;
    uint64_t count;

    fds[0] = (struct pollfd){f->wake, POLLIN, 0};
    for (size_t i = 0; i < f->n; i++)
        asking += f->orders[i].f != NULL;
    for (size_t i = 0; i < f->n; i++) {
        struct tsk_order *o = &f->orders[i];

        if (o->f == NULL && asking >= AT_ONCE)
            continue; /* its turn comes when another one is through */
        n += tsk_order_pollfds(o, fds + n, sizeof(fds) / sizeof(fds[0]) - n,
                               &one);
        if (one < until)
            until = one;
    }
    pthread_mutex_unlock(&working);
    if (tsk_wait(fds, n, until, NULL) < 0) /* the system lacks something */
        (void)tsk_wait(fds, 1, tsk_deadline_in(1000), NULL);
    if (fds[0].revents != 0 && read(f->wake, &count, sizeof(count)) < 0) {
        /* taken by nobody else: it was readable */
    }
    pthread_mutex_lock(&working);
}

/* Before any lock of ours: the cache has its own. A directory that cannot be
 * used keeps nothing. */
static void open_cache(struct stapler *f)
{
    if (f->dir == NULL || f->cache != NULL)
        return;
    f->cache = tsk_revcache_open(f->dir, NULL);
    for (size_t i = 0; i < f->n; i++)
        f->orders[i].cache = f->cache;
}

static void *run(void *arg)
{
    struct stapler *f = arg;

    pthread_setname_np(pthread_self(), "tlsock-staple");
    open_cache(f);
    pthread_mutex_lock(&working);
    while (!atomic_load(&f->end)) {
        tsk_ossl_enter();
        step_all(f);
        tsk_ossl_leave();
        if (!atomic_load(&f->end))
            wait_all(f);
    }
    pthread_mutex_unlock(&working);
    return NULL;
}

/* Signals are the program's, for its own threads. 0, or errno. */
static int start_thread(struct stapler *f)
{
    sigset_t all, old;
    int rc;

    f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->wake < 0)
        return errno;
    atomic_store(&f->end, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&f->thread, NULL, run, f);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc == 0)
        return 0;
    close(f->wake);
    f->wake = -1;
    return rc;
}

/* Joined already, or of a process that this one was forked from. */
static void drop_thread(struct stapler *f)
{
    for (size_t i = 0; i < f->n; i++)
        tsk_order_drop(&f->orders[i]);
    if (f->wake >= 0)
        close(f->wake);
    f->wake = -1;
    f->generation = 0;
}

static void halt(struct stapler *f)
{
    static const uint64_t one = 1;
    int runs;

    pthread_mutex_lock(&life);
    runs = f->generation == tsk_fork_generation();
    f->stopped = 1;
    pthread_mutex_unlock(&life);
    if (runs) {
        atomic_store(&f->end, 1);
        if (write(f->wake, &one, sizeof(one)) < 0) {
            /* full: then it is awake */
        }
        pthread_join(f->thread, NULL);
    }
    pthread_mutex_lock(&life);
    drop_thread(f);
    pthread_mutex_unlock(&life);
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
    halt(fetcher);
    stapler_free(fetcher);
}

static int take_orders(struct stapler *f, struct tsk_ctx *c)
{
    const struct tsk_settings *set = tsk_ctx_settings(c);

    for (size_t i = 0; i < set->n_identities; i++) {
        struct tsk_order *o = &f->orders[f->n];
        int rc = tsk_order_init(o, c, i);

        if (rc < 0)
            return rc;
        o->working = &working;
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
    atomic_init(&f->end, 0);
    f->wake = -1;
    f->staples = tsk_ctx_staples(c);
    f->orders = tsk_alloc(set->n_identities * sizeof(*f->orders));
    f->dir = set->revocation_cache;
    if (f->orders != NULL && take_orders(f, c) == TLSOCK_OK)
        return f;
    stapler_free(f);
    return NULL;
}

/* life. 1: a thread runs, or none is needed. */
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
    if (f->stopped || f->n == 0 || f->generation == tsk_fork_generation())
        return 1;
    drop_thread(f);
    if (start_thread(f) != 0)
        return 0;
    f->generation = tsk_fork_generation();
    return 1;
}

void tsk_stapler_begin(struct tsk_ctx *c)
{
    struct tsk_staples *st = tsk_ctx_staples(c);
    unsigned now = tsk_fork_generation();

    if (st == NULL || atomic_load(&st->begun) == now)
        return;
    pthread_once(&once, watch_forks);
    tsk_ossl_enter();
    pthread_mutex_lock(&life);
    if (begin(c, st))
        atomic_store(&st->begun, now);
    pthread_mutex_unlock(&life);
    tsk_ossl_leave();
}

void tsk_stapler_move(struct tsk_ctx *from, struct tsk_ctx *to)
{
    struct tsk_staples *st = tsk_ctx_staples(from);

    if (st == NULL || atomic_load(&st->begun) != tsk_fork_generation())
        return;
    if (st->fetcher != NULL)
        halt(st->fetcher);
    tsk_stapler_begin(to);
}

void tsk_stapler_poke(struct tsk_ctx *c)
{
    static const uint64_t one = 1;
    struct tsk_staples *st = tsk_ctx_staples(c);

    pthread_mutex_lock(&life);
    if (st->fetcher != NULL &&
        write(((struct stapler *)st->fetcher)->wake, &one, sizeof(one)) < 0) {
        /* full: then it is awake */
    }
    pthread_mutex_unlock(&life);
}
