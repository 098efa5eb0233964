#include "core/forklock.h"

#include <stddef.h>

static _Atomic(struct tsk_forklock *) all;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void call(void (*f)(void))
{
    if (f != NULL)
        f();
}

static void take(int rank)
{
    for (struct tsk_forklock *l = atomic_load(&all); l != NULL; l = l->next)
        if (l->rank == rank && !l->held) {
            pthread_mutex_lock(&l->mutex);
            l->held = 1;
            call(l->more);
        }
}

static void give_back(int rank, int in_child)
{
    for (struct tsk_forklock *l = atomic_load(&all); l != NULL; l = l->next)
        if (l->rank == rank && l->held) {
            call(l->less);
            if (in_child)
                call(l->child);
            l->held = 0;
            pthread_mutex_unlock(&l->mutex);
        }
}

static void before(void)
{
    for (int rank = 0; rank <= TSK_FORK_LEAF; rank++)
        take(rank);
}

static void in_parent(void)
{
    for (int rank = TSK_FORK_LEAF; rank >= 0; rank--)
        give_back(rank, 0);
}

static void in_child(void)
{
    for (int rank = TSK_FORK_LEAF; rank >= 0; rank--)
        give_back(rank, 1);
}

static void watch(void)
{
    pthread_atfork(before, in_parent, in_child);
}

/* Without a lock: another forklock may be held by this thread, and wanted by
 * one that forks. */
static void add(struct tsk_forklock *l)
{
    int none = 0;

    pthread_once(&once, watch);
    if (!atomic_compare_exchange_strong(&l->known, &none, 1))
        return;
    l->next = atomic_load(&all);
    while (!atomic_compare_exchange_weak(&all, &l->next, l))
        continue;
}

void tsk_forklock_hold(struct tsk_forklock *l)
{
    if (!atomic_load_explicit(&l->known, memory_order_relaxed))
        add(l);
    pthread_mutex_lock(&l->mutex);
}

void tsk_forklock_let_go(struct tsk_forklock *l)
{
    pthread_mutex_unlock(&l->mutex);
}
