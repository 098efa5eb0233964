/* date - Unix seconds and the civil dates they stand for, in UTC, for every
 * year that a certificate can name: also where the system's time_t ends in
 * 2038. */
#ifndef TSK_CORE_DATE_H
#define TSK_CORE_DATE_H

#include <stdint.h>
#include <time.h>

/* As gmtime_r(), without tm_yday. 0, or -1: not in years 0 to 9999 */
int tsk_date_of(int64_t seconds, struct tm *out);
/* As timegm(), which changes nothing in tm; fields may be out of bounds. */
int64_t tsk_date_seconds(const struct tm *tm);
/* "2026-01-31T12:00:00Z": 1; 0 and "": no such year */
int tsk_date_text(int64_t seconds, char out[32]);
/* What an interface that takes the system's time is given: the nearest. */
time_t tsk_date_system(int64_t seconds);

#endif
