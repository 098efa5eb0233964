#include "clock.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

time_t clock_ahead;
static const volatile int64_t *wrong_by;

/* Mapped before the tool gives up what it may open. */
__attribute__((constructor)) static void find_clock(void)
{
    const char *path = getenv("TLSOCK_CLOCK");
    long fd = path != NULL ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) : -1;

    if (fd < 0)
        return;
    wrong_by =
        mmap(NULL, 2 * sizeof(*wrong_by), PROT_READ, MAP_SHARED, (int)fd, 0);
    if (wrong_by == MAP_FAILED)
        abort();
    (void)syscall(SYS_close, fd);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    long rc = syscall(SYS_clock_gettime, id, now);

    if (rc != 0)
        return (int)rc;
    if (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE)
        now->tv_sec += clock_ahead + (wrong_by != NULL ? wrong_by[1] : 0);
    else if (wrong_by != NULL &&
             (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += wrong_by[0];
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *tv, void *zone)
{
    struct timespec now;

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    tv->tv_sec = now.tv_sec;
    tv->tv_usec = now.tv_nsec / 1000;
    return 0;
}
