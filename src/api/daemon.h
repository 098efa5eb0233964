/* daemon - a thread of the library's own, for what has to go on while nobody
 * calls: fetching ahead. It takes no signals, and ends when it is told to.
 *
 * After fork() a child has none; its own begins when it is wanted there. Who
 * forks waits until no such thread is within OpenSSL or holds a lock of ours:
 * each holds one lock, "working", as long as it does not wait. Knows nothing of
 * what is done. */
#ifndef TSK_API_DAEMON_H
#define TSK_API_DAEMON_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define TSK_DAEMON_FDS 128 /* most that one waits for */

struct tsk_daemon {
    const char *name;        /* of the thread */
    void (*open)(void *arg); /* first, not yet working; or NULL */
    void (*step)(void *arg); /* working: all that can be done now */
    /* What to wait for, and until when (tsk_now_ms()). */
    size_t (*pollfds)(void *arg, struct pollfd *fds, size_t max,
                      int64_t *until);
    /* No thread goes on with it: it ended, or is another process's. */
    void (*drop)(void *arg);
    void *arg;
    /* its own */
    atomic_int end;
    unsigned generation; /* of the process that the thread is in; 0: none */
    int stopped;         /* for good */
    int wake;            /* eventfd, or -1 */
    pthread_t thread;
};

void tsk_daemon_init(struct tsk_daemon *d); /* its own fields */
/* For who registers a handler that has to come before, when a fork comes. */
void tsk_daemon_watch_forks(void);
/* Over who has a thread and who has not: held around tsk_daemon_begin(). */
void tsk_daemon_lock(void);
void tsk_daemon_unlock(void);
/* Locked. 1: a thread runs in this process, or it was stopped; 0. */
int tsk_daemon_begin(struct tsk_daemon *d);
/* Not locked. For good; waits for the thread. */
void tsk_daemon_stop(struct tsk_daemon *d);
/* Locked. Something has changed: step. */
void tsk_daemon_wake(struct tsk_daemon *d);
int tsk_daemon_ends(const struct tsk_daemon *d);
/* For who is within step() and has to wait for a disk: unlocks, locks. */
pthread_mutex_t *tsk_daemon_working(void);

#endif
