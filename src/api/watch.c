#include "api/watch.h"

#include "api/daemon.h"
#include "core/clock.h"
#include "core/mem.h"
#include "net/wait.h"
#include "ossl/queue.h"
#include "tls/conn.h"

#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

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

/* life: who has the thread; before working, which the thread holds as long as
 * it does not wait. The list is for who has working. */
static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t working = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct tsk_watch *all;
static struct {
    unsigned generation; /* of the process that the thread is in; 0: none */
    int wake;            /* eventfd, if there is a generation */
    atomic_int end;
    pthread_t id;
} thread;

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

/* What is registered last is called first: a reload takes the locks of
 * other threads of ours
 * while it holds working. */
static void watch_forks(void)
{
    tsk_daemon_watch_forks();
    pthread_atfork(before_fork, after_fork, after_fork);
}

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

static int64_t look_at_all(void)
{
    int64_t until = TSK_NEVER;

    for (struct tsk_watch *w = all; w != NULL; w = w->next) {
        if (tsk_now_ms() >= w->due)
            look(w);
        if (w->due < until)
            until = w->due;
    }
    return until;
}

static void *run(void *arg)
{
    struct pollfd wake = {thread.wake, POLLIN, 0};
    uint64_t count;
    int64_t until;

    (void)arg;
    pthread_setname_np(pthread_self(), "tlsock-reload");
    while (!atomic_load(&thread.end)) {
        pthread_mutex_lock(&working);
        tsk_ossl_enter();
        until = look_at_all();
        tsk_ossl_leave();
        pthread_mutex_unlock(&working);
        wake.revents = 0;
        if (tsk_wait(&wake, 1, until, NULL) > 0 &&
            read(wake.fd, &count, sizeof(count)) < 0) {
            /* taken by nobody else: it was readable */
        }
    }
    return NULL;
}

/* life. Signals are the program's, for its own threads. */
static int start_thread(void)
{
    sigset_t every, old;
    int rc;

    if (thread.generation != 0)
        close(thread.wake); /* the parent's, shared with it */
    thread.generation = 0;
    thread.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (thread.wake < 0)
        return 0;
    atomic_store(&thread.end, 0);
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &old);
    rc = pthread_create(&thread.id, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0) {
        close(thread.wake);
        return 0;
    }
    thread.generation = tsk_fork_generation();
    return 1;
}

static void wake_thread(void)
{
    static const uint64_t one = 1;

    if (write(thread.wake, &one, sizeof(one)) < 0) {
        /* full: then it is awake */
    }
}

/* life */
static void stop_thread(void)
{
    if (thread.generation != tsk_fork_generation())
        return;
    atomic_store(&thread.end, 1);
    wake_thread();
    pthread_join(thread.id, NULL);
    close(thread.wake);
    thread.generation = 0;
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
    unsigned now = tsk_fork_generation();
    int ok;

    if (atomic_load(&c->watched) == now)
        return;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&life);
    pthread_mutex_lock(&working);
    ok = add(c);
    pthread_mutex_unlock(&working);
    if (ok && thread.generation == now)
        wake_thread();
    else if (ok)
        ok = start_thread();
    if (ok)
        atomic_store(&c->watched, now);
    pthread_mutex_unlock(&life);
}

void tsk_watch_do(tlsock_config *c)
{
    if (atomic_exchange(&c->due, 0))
        (void)tlsock_config_reload(c);
}

void tsk_watch_end(tlsock_config *c)
{
    struct tsk_watch **at = &all;

    if (c->watch == NULL)
        return;
    pthread_mutex_lock(&life);
    pthread_mutex_lock(&working);
    while (*at != c->watch)
        at = &(*at)->next;
    *at = c->watch->next;
    pthread_mutex_unlock(&working);
    if (all == NULL)
        stop_thread();
    pthread_mutex_unlock(&life);
    tsk_free(c->watch);
    c->watch = NULL;
}
