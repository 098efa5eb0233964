#include "api/daemon.h"

#include "core/clock.h"
#include "core/forklock.h"
#include "net/wait.h"
#include "ossl/queue.h"
#include "tls/conn.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LONGEST_MS 300000 /* of one wait: the wall clock may be set */

/* life: who has a thread; before working. Fetchers' come after those of who
 * reloads, and before the locks which a thread takes while it works. */
static struct {
    struct tsk_forklock life, working;
} locks[] = {
    [TSK_DAEMON_RELOADS] = {TSK_FORKLOCK(0, NULL, NULL, NULL),
                            TSK_FORKLOCK(1, NULL, NULL, NULL)},
    [TSK_DAEMON_FETCHES] = {TSK_FORKLOCK(2, NULL, NULL, NULL),
                            TSK_FORKLOCK(3, NULL, NULL, NULL)},
};

_Static_assert(TSK_FORK_LEAF > 3, "a thread that works takes other locks");

static void begin_work(const struct tsk_daemon *d)
{
    tsk_forklock_hold(&locks[d->kind].working);
}

static void end_work(const struct tsk_daemon *d)
{
    tsk_forklock_let_go(&locks[d->kind].working);
}

void tsk_daemon_init(struct tsk_daemon *d)
{
    atomic_init(&d->end, 0);
    d->generation = 0;
    d->stopped = 0;
    d->wake = -1;
}

void tsk_daemon_lock(enum tsk_daemon_kind kind)
{
    tsk_forklock_hold(&locks[kind].life);
}

void tsk_daemon_unlock(enum tsk_daemon_kind kind)
{
    tsk_forklock_let_go(&locks[kind].life);
}

pthread_mutex_t *tsk_daemon_working(enum tsk_daemon_kind kind)
{
    return &locks[kind].working.mutex;
}

int tsk_daemon_ends(const struct tsk_daemon *d)
{
    return atomic_load(&d->end);
}

/* working, and not meanwhile. */
static void wait_all(struct tsk_daemon *d)
{
    struct pollfd fds[1 + TSK_DAEMON_FDS];
    int64_t until = tsk_deadline_in(LONGEST_MS), due = until;
    size_t n = 1;
    uint64_t count;

    fds[0] = (struct pollfd){d->wake, POLLIN, 0};
    n += d->pollfds(d->arg, fds + 1, TSK_DAEMON_FDS, &due);
    if (due < until)
        until = due;
    end_work(d);
    if (tsk_wait(fds, n, until, NULL) < 0) /* the system lacks something */
        (void)tsk_wait(fds, 1, tsk_deadline_in(1000), NULL);
    if (fds[0].revents != 0 && read(d->wake, &count, sizeof(count)) < 0) {
        /* taken by nobody else: it was readable */
    }
    begin_work(d);
}

static void *run(void *arg)
{
    struct tsk_daemon *d = arg;

    pthread_setname_np(pthread_self(), d->name);
    if (d->open != NULL)
        d->open(d->arg);
    begin_work(d);
    while (!tsk_daemon_ends(d)) {
        tsk_ossl_enter();
        d->step(d->arg);
        tsk_ossl_leave();
        if (!tsk_daemon_ends(d))
            wait_all(d);
    }
    end_work(d);
    return NULL;
}

/* Signals are the program's, for its own threads. 0, or errno. */
static int start_thread(struct tsk_daemon *d)
{
    sigset_t all, old;
    int rc;

    d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->wake < 0)
        return errno;
    atomic_store(&d->end, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&d->thread, NULL, run, d);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc == 0)
        return 0;
    close(d->wake);
    d->wake = -1;
    return rc;
}

/* Joined already, or of a process that this one was forked from. */
static void drop_thread(struct tsk_daemon *d)
{
    d->drop(d->arg);
    if (d->wake >= 0)
        close(d->wake);
    d->wake = -1;
    d->generation = 0;
}

int tsk_daemon_begin(struct tsk_daemon *d)
{
    if (d->stopped || d->generation == tsk_fork_generation())
        return 1;
    drop_thread(d);
    if (start_thread(d) != 0)
        return 0;
    d->generation = tsk_fork_generation();
    return 1;
}

void tsk_daemon_wake(struct tsk_daemon *d)
{
    static const uint64_t one = 1;

    if (write(d->wake, &one, sizeof(one)) < 0) {
        /* full: then it is awake */
    }
}

void tsk_daemon_stop(struct tsk_daemon *d)
{
    int runs;

    tsk_daemon_lock(d->kind);
    runs = d->generation == tsk_fork_generation();
    d->stopped = 1;
    tsk_daemon_unlock(d->kind);
    if (runs) {
        atomic_store(&d->end, 1);
        tsk_daemon_wake(d);
        pthread_join(d->thread, NULL);
    }
    tsk_daemon_lock(d->kind);
    drop_thread(d);
    tsk_daemon_unlock(d->kind);
}
