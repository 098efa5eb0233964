#include "net/work.h"

#include "core/forklock.h"
#include "net/wait.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* NSS modules use buffers of 64 KiB, and a validating resolver some more */
#define STACK_SIZE ((size_t)512 * 1024)

static struct {
    struct tsk_work *first, *last;
    int threads;
} pool;

/* Nobody is left to do what the parent asked for; new jobs start afresh. */
static void in_child(void)
{
    pool.first = NULL;
    pool.last = NULL;
    pool.threads = 0;
}

static struct tsk_forklock lock =
    TSK_FORKLOCK(TSK_FORK_LEAF, NULL, NULL, in_child);

static void destroy(struct tsk_work *w)
{
    if (w->fd >= 0)
        tsk_wait_close(w->fd);
    w->free(w);
}

static void wake(int fd)
{
    static const uint64_t one = 1;
    ssize_t n;

    do /* an eventfd at 0 takes it at once: it is only written here */
        n = write(fd, &one, sizeof(one));
    while (n < 0 && errno == EINTR);
}

/* Takes jobs until the line is empty. */
static void *work(void *unused)
{
    struct tsk_work *w;

    (void)unused;
    tsk_forklock_hold(&lock);
    while (pool.first != NULL) {
        w = pool.first;
        pool.first = w->next;
        w->queued = 0;
        tsk_forklock_let_go(&lock);
        w->run(w);
        tsk_forklock_hold(&lock);
        w->done = 1;
        if (w->abandoned)
            destroy(w);
        else
            wake(w->fd);
    }
    pool.threads--;
    tsk_forklock_let_go(&lock);
    return NULL;
}

/* stack 0: the usual one */
static int spawn_with(size_t stack)
{
    pthread_attr_t attr;
    pthread_t thread;
    int rc = pthread_attr_init(&attr);

    if (rc == 0) {
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        if (stack != 0)
            pthread_attr_setstacksize(&attr, stack);
        rc = pthread_create(&thread, &attr, work, NULL);
        pthread_attr_destroy(&attr);
    }
    return rc;
}

/* A thread that takes no signal: handlers are the program's, for its own. */
static int spawn(void)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = spawn_with(STACK_SIZE);
    if (rc == EINVAL) /* much thread-local memory */
        rc = spawn_with(0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

static void dequeue(struct tsk_work *w)
{
    struct tsk_work **p = &pool.first, *before = NULL;

    while (*p != NULL && *p != w) {
        before = *p;
        p = &(*p)->next;
    }
    if (*p == w)
        *p = w->next;
    if (pool.last == w)
        pool.last = before;
}

/* In line, with a thread to take it. errno value, 0 is good. */
static int enqueue(struct tsk_work *w)
{
    int rc = 0;

    tsk_forklock_hold(&lock);
    w->queued = 1;
    if (pool.first == NULL)
        pool.first = w;
    else
        pool.last->next = w;
    pool.last = w;
    if (pool.threads < TSK_WORK_THREADS) {
        rc = spawn();
        if (rc == 0)
            pool.threads++;
        else if (pool.threads > 0)
            rc = 0; /* one of those that run will come to it */
        else
            dequeue(w);
    }
    tsk_forklock_let_go(&lock);
    return rc;
}

void tsk_work_init(struct tsk_work *w, void (*run)(struct tsk_work *),
                   void (*release)(struct tsk_work *))
{
    w->run = run;
    w->free = release;
    w->fd = -1;
}

int tsk_work_start(struct tsk_work *w, const char *host, tlsock_error *err)
{
    int rc;

    w->pid = getpid();
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0) {
        tsk_fail_sys(err, TLSOCK_E_SYSTEM, errno,
                     "cannot wait for the resolver");
        tsk_hint(err, "close descriptors or raise the limit (ulimit -n)");
        return TLSOCK_E_SYSTEM;
    }
    rc = enqueue(w);
    if (rc == 0)
        return TLSOCK_OK;
    tsk_wait_close(w->fd);
    w->fd = -1;
    return tsk_fail_sys(err, TLSOCK_E_SYSTEM, rc,
                        "cannot start a thread to resolve \"%s\"", host);
}

int tsk_work_fd(const struct tsk_work *w)
{
    return w->fd;
}

int tsk_work_done(struct tsk_work *w, const char *host, tlsock_error *err)
{
    int done;

    if (w->pid != getpid())
        return tsk_fail(err, TLSOCK_E_FORKED,
                        "\"%s\" is being resolved by another process", host);
    tsk_forklock_hold(&lock);
    done = w->done;
    tsk_forklock_let_go(&lock);
    return done ? TLSOCK_OK : TLSOCK_AGAIN;
}

void tsk_work_end(struct tsk_work *w)
{
    int ours = 1;

    tsk_forklock_hold(&lock);
    if (w->pid != getpid()) {
        w->torn = !w->done;
    } else if (w->queued) {
        dequeue(w);
    } else if (!w->done) {
        tsk_wait_close(w->fd);
        w->fd = -1;
        w->abandoned = 1;
        ours = 0;
    }
    tsk_forklock_let_go(&lock);
    if (ours)
        destroy(w);
}
