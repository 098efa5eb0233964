/* forklock - a mutex that who forks holds: so a child of fork() finds it free,
 * and what it guards whole, though the thread that had it is not there.
 *
 * Known from its first use on, without a call for that. Who forks takes all of
 * them by rank, lowest first, whatever the order of their first use was; who
 * holds one takes only those of a higher rank. Knows nothing of what they
 * guard. */
#ifndef TSK_CORE_FORKLOCK_H
#define TSK_CORE_FORKLOCK_H

#include <pthread.h>
#include <stdatomic.h>

#define TSK_FORK_LEAF 4 /* under it no other is taken; the highest rank */

struct tsk_forklock { /* static: lives as long as the process */
    pthread_mutex_t mutex;
    int rank;
    void (*more)(void);  /* before a fork, held: takes what else there is */
    void (*less)(void);  /* after it, in both processes: gives that back */
    void (*child)(void); /* the same, in the child; NULL: nothing is done */
    atomic_int known;
    int held; /* by who forks */
    struct tsk_forklock *next;
};

#define TSK_FORKLOCK(rank, more, less, child)                                  \
    {                                                                          \
        PTHREAD_MUTEX_INITIALIZER, rank, more, less, child, 0, 0, NULL         \
    }

void tsk_forklock_hold(struct tsk_forklock *l);
void tsk_forklock_let_go(struct tsk_forklock *l);

#endif
