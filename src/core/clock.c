#include "core/clock.h"

#include <limits.h>
#include <stddef.h>
#include <time.h>

int64_t (*tsk_clock_monotonic)(void);
int64_t (*tsk_clock_wall)(void);

int64_t tsk_now_ms(void)
{
    struct timespec ts;

    if (tsk_clock_monotonic != NULL)
        return tsk_clock_monotonic();
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t tsk_wall_time(void)
{
    if (tsk_clock_wall != NULL)
        return tsk_clock_wall();
    return (int64_t)time(NULL);
}

int64_t tsk_deadline_in(int64_t ms)
{
    int64_t now;

    if (ms < 0)
        return TSK_NEVER;
    now = tsk_now_ms();
    return ms > TSK_NEVER - 1 - now ? TSK_NEVER : now + ms;
}

int tsk_ms_until(int64_t deadline_ms)
{
    int64_t left;

    if (deadline_ms == TSK_NEVER)
        return -1;
    left = deadline_ms - tsk_now_ms();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}
