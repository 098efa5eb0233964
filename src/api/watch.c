#include "api/watch.h"

#include "api/daemon.h"
#include "core/clock.h"
#include "core/mem.h"
#include "tls/conn.h"

#define REST_MS 200    /* most time between two looks at what has changed */
#define MOST_RESTS 50  /* of what changes at each look */
#define AGAIN_MS 60000 /* what was no good may be now: time, rights, memory */

struct tsk_watch {
    struct tsk_watch *next;
    tlsock_config *c; /* its owner: who ends it takes this out first */
    struct tsk_look known, seen;
    int64_t due, again; /* tsk_now_ms(): next look; next try; TSK_NEVER */
    int rests;
    int begun; /* known is */
};

/* The list is for who has working, the thread for who has life (daemon.h). */
static struct tsk_watch *all;
static struct tsk_daemon *thread; /* NULL: nobody is watched */

static struct tsk_box *box_of(tlsock_config *c)
{
    struct tsk_box *box;

    pthread_mutex_lock(&c->lock);
    box = tsk_box_ref(c->box);
    pthread_mutex_unlock(&c->lock);
    return box;
}

static int same(struct tsk_look x, struct tsk_look y)
{
    return x.a == y.a && x.b == y.b;
}

static int shorter(int a, int b)
{
    return a < b ? a : b;
}

/* By the next caller where hooks may be asked, else here and now. */
static void reload(struct tsk_watch *w, const struct tsk_settings *set,
                   struct tsk_look now)
{
    tlsock_error err;

    w->known = now;
    w->again = TSK_NEVER;
    if (set->on[TLSOCK_ON_PASSWORD].call != NULL)
        atomic_store(&w->c->due, 1);
    else if (tsk_config_reload_quietly(w->c, &err) < 0)
        w->again = tsk_deadline_in(AGAIN_MS);
}

static void look(struct tsk_watch *w)
{
    struct tsk_box *box = box_of(w->c);
    const struct tsk_settings *set = &box->set;
    struct tsk_look now = tsk_watch_look(set);
    int changed = w->begun ? !same(now, w->known) : now.newest >= w->c->made_at;
    int rested = same(now, w->seen) || w->rests >= MOST_RESTS;

    w->due = tsk_deadline_in(set->reload_ms);
    w->seen = now;
    if (changed && !rested) {
        w->rests++;
        w->due = tsk_deadline_in(shorter(set->reload_ms, REST_MS));
    } else if (changed || tsk_now_ms() >= w->again) {
        w->rests = 0;
        reload(w, set, now);
    } else if (!w->begun) {
        w->known = now;
    }
    w->begun |= !changed || rested;
    tsk_box_unref(box);
}

static void look_at_all(void *arg)
{
    (void)arg;
    for (struct tsk_watch *w = all; w != NULL; w = w->next)
        if (tsk_now_ms() >= w->due)
            look(w);
}

static size_t until_the_next(void *arg, struct pollfd *fds, size_t max,
                             int64_t *until)
{
    (void)arg;
    (void)fds;
    (void)max;
    for (const struct tsk_watch *w = all; w != NULL; w = w->next)
        if (w->due < *until)
            *until = w->due;
    return 0;
}

static void nothing_to_drop(void *arg)
{
    (void)arg;
}

/* life. NULL: no memory */
static struct tsk_daemon *new_thread(void)
{
    struct tsk_daemon *d = tsk_alloc(sizeof(*d));

    if (d == NULL)
        return NULL;
    *d = (struct tsk_daemon){.name = "tlsock-reload",
                             .kind = TSK_DAEMON_RELOADS,
                             .step = look_at_all,
                             .pollfds = until_the_next,
                             .drop = nothing_to_drop};
    tsk_daemon_init(d);
    return d;
}

/* life. 1: the thread knows of what is new. */
static int start_thread(void)
{
    if (thread == NULL)
        thread = new_thread();
    if (thread == NULL || !tsk_daemon_begin(thread))
        return 0;
    tsk_daemon_wake(thread);
    return 1;
}

/* What the files were when they were read is not known: what is younger than
 * the config is read once more. */
static int add(tlsock_config *c)
{
    struct tsk_watch *w;

    if (c->watch != NULL)
        return 1;
    w = tsk_alloc(sizeof(*w));
    if (w == NULL)
        return 0;
    w->c = c;
    w->again = TSK_NEVER;
    w->next = all;
    all = w;
    c->watch = w;
    return 1;
}

void tsk_watch_begin(tlsock_config *c)
{
    pthread_mutex_t *working = tsk_daemon_working(TSK_DAEMON_RELOADS);
    unsigned now = tsk_fork_generation();
    int ok;

    if (atomic_load(&c->watched) == now)
        return;
    tsk_daemon_lock(TSK_DAEMON_RELOADS);
    pthread_mutex_lock(working);
    ok = add(c);
    pthread_mutex_unlock(working);
    if (ok && start_thread())
        atomic_store(&c->watched, now);
    tsk_daemon_unlock(TSK_DAEMON_RELOADS);
}

void tsk_watch_do(tlsock_config *c)
{
    if (atomic_exchange(&c->due, 0))
        (void)tlsock_config_reload(c);
}

/* The thread is waited for without a lock: another config may begin meanwhile,
 * and has one of its own then. */
void tsk_watch_end(tlsock_config *c)
{
    pthread_mutex_t *working = tsk_daemon_working(TSK_DAEMON_RELOADS);
    struct tsk_watch **at = &all;
    struct tsk_daemon *last = NULL;

    if (c->watch == NULL)
        return;
    tsk_daemon_lock(TSK_DAEMON_RELOADS);
    pthread_mutex_lock(working);
    while (*at != c->watch)
        at = &(*at)->next;
    *at = c->watch->next;
    pthread_mutex_unlock(working);
    if (all == NULL) {
        last = thread;
        thread = NULL;
    }
    tsk_daemon_unlock(TSK_DAEMON_RELOADS);
    if (last != NULL)
        tsk_daemon_stop(last);
    tsk_free(last);
    tsk_free(c->watch);
    c->watch = NULL;
}
