#include "tls/conn.h"

#include <pthread.h>
#include <stdatomic.h>

/* Counting forks costs nothing per call, where getpid() is a system call. */
static atomic_uint generation = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void)
{
    atomic_fetch_add(&generation, 1);
}

static void watch(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

unsigned tsk_fork_generation(void)
{
    pthread_once(&once, watch);
    return atomic_load_explicit(&generation, memory_order_relaxed);
}
