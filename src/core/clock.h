/* clock - deadlines and wall time, replaceable in tests. */
#ifndef TSK_CORE_CLOCK_H
#define TSK_CORE_CLOCK_H

#include <stdint.h>

#define TSK_NEVER INT64_MAX

int64_t tsk_now_ms(void);    /* monotonic, milliseconds */
int64_t tsk_wall_time(void); /* Unix seconds */
/* now + ms; ms < 0: TSK_NEVER */
int64_t tsk_deadline_in(int64_t ms);
/* What poll() takes: 0 if past, -1 if never, rounded up, at most INT_MAX. */
int tsk_ms_until(int64_t deadline_ms);

/* Tests only; NULL: the system's clocks. */
extern int64_t (*tsk_clock_monotonic)(void);
extern int64_t (*tsk_clock_wall)(void);

#endif
