#include "place.h"

#include "core/mem.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A C library that tells no calls has no places. */
#if defined(__has_include) && __has_include(<execinfo.h>)
#include <execinfo.h>
#else
static int backtrace(void **calls, int most)
{
    (void)calls;
    (void)most;
    return 0;
}
#endif

#define CALLS 6      /* so deep a place is told from others */
#define PLACES 16384 /* a power of 2, far more than there are */

extern const char __executable_start[], etext[]; /* of the linker */

struct place {
    uint64_t key; /* 0: free */
    const char *kind;
    uintptr_t calls[CALLS];
    size_t n;
};

static struct place *places; /* NULL: nobody wants to know */
static uint64_t wanted;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void take(void)
{
    pthread_mutex_lock(&lock);
}

static void give(void)
{
    pthread_mutex_unlock(&lock);
}

static uint64_t key_of(const uintptr_t *calls, size_t n)
{
    uint64_t key = 14695981039346656037u;

    for (size_t i = 0; i < n; i++)
        key = (key ^ calls[i]) * 1099511628211u;
    return key | 1;
}

/* Locked. 1: it is the one that is to fail, and has not yet. */
static int reached(const char *kind, uintptr_t *calls, size_t n)
{
    uint64_t key = key_of(calls, n);
    size_t i = key % PLACES;
    int fails;

    while (places[i].key != 0 && places[i].key != key)
        i = (i + 1) % PLACES;
    fails = places[i].key == 0 && key == wanted;
    places[i].key = key;
    places[i].kind = kind;
    memcpy(places[i].calls, calls, n * sizeof(*calls));
    places[i].n = n;
    return fails;
}

static uintptr_t in_program(const void *call)
{
    return (uintptr_t)call - (uintptr_t)__executable_start;
}

int place_starves(void)
{
    void *stack[CALLS + 2];
    uintptr_t calls[CALLS];
    int n, fails;

    if (places == NULL)
        return 0;
    take(); /* what backtrace() itself locks is not fit for fork(), either */
    n = backtrace(stack, CALLS + 2) - 2; /* we, and who asked us */
    for (int i = 0; i < n; i++) {
        calls[i] = in_program(stack[i + 2]);
        if (calls[i] > in_program(etext)) /* a library's: elsewhere each time */
            n = i;
    }
    fails = n > 0 && reached("own", calls, (size_t)n);
    give();
    return fails;
}

int place_refuses(const void *to)
{
    uintptr_t call = in_program(to);
    int fails;

    if (places == NULL)
        return 0;
    take();
    fails = reached("no", &call, 1);
    give();
    return fails;
}

static void tell(void)
{
    int fd = open(getenv("TLSOCK_PLACES"),
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    for (size_t i = 0; fd >= 0 && i < PLACES; i++) {
        const struct place *p = &places[i];

        if (p->key == 0)
            continue;
        dprintf(fd, "%s %" PRIx64 " ", p->kind, p->key);
        for (size_t k = 0; k < p->n; k++)
            dprintf(fd, "%s%" PRIxPTR, k > 0 ? "," : "", p->calls[k]);
        dprintf(fd, "\n");
    }
    if (fd >= 0)
        close(fd);
}

__attribute__((constructor)) static void listen_to_the_environment(void)
{
    const char *key = getenv("TLSOCK_PLACE");
    void *warm[1];

    if (key == NULL && getenv("TLSOCK_PLACES") == NULL)
        return;
    setvbuf(stdout, NULL, _IOLBF, 0); /* who ends at once has said it, too */
    (void)backtrace(warm, 1);         /* it allocates the first time */
    places = calloc(PLACES, sizeof(*places));
    if (places == NULL)
        abort();
    pthread_atfork(take, give, give);
    wanted = key != NULL ? strtoull(key, NULL, 16) : 0;
    tsk_mem_fail = place_starves;
    if (getenv("TLSOCK_PLACES") != NULL)
        atexit(tell);
}
