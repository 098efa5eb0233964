/* daemon - a thread of the library's own, for what has to go on while nobody
 * calls: fetching ahead, looking at files. It takes no signals, and ends when it
 * is told to.
 *
 * After fork() a child has none; its own begins when it is wanted there. Who
 * forks waits until no such thread is within OpenSSL or holds a lock of ours:
 * each holds the lock "working" of its kind as long as it does not wait. Knows
 * nothing of what is done. */
#ifndef TSK_API_DAEMON_H
#define TSK_API_DAEMON_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define TSK_DAEMON_FDS 128 /* most that one waits for */

/* Who reloads begins and wakes those that fetch, and so takes their locks. */
enum tsk_daemon_kind { TSK_DAEMON_RELOADS, TSK_DAEMON_FETCHES };

struct tsk_daemon {
    const char *name;        /* of the thread */
    enum tsk_daemon_kind kind;
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
/* Over who of a kind has a thread and who has not: held around
 * tsk_daemon_begin(), and before the other one. */
void tsk_daemon_lock(enum tsk_daemon_kind kind);
void tsk_daemon_unlock(enum tsk_daemon_kind kind);
/* Locked. 1: a thread runs in this process, or it was stopped; 0. */
int tsk_daemon_begin(struct tsk_daemon *d);
/* Not locked. For good; waits for the thread. */
void tsk_daemon_stop(struct tsk_daemon *d);
/* Locked. Something has changed: step. */
void tsk_daemon_wake(struct tsk_daemon *d);
int tsk_daemon_ends(const struct tsk_daemon *d);
/* What is held within step(). For who has to wait for a disk there: unlocks,
 * locks; or has to keep all threads of a kind out of it. */
pthread_mutex_t *tsk_daemon_working(enum tsk_daemon_kind kind);

#endif
