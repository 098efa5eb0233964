/* civil - Unix seconds and dates in UTC, of every year that a certificate can
 * name: also where the system's time_t ends in 2038. */
#ifndef CIVIL_H
#define CIVIL_H

#include <stdint.h>
#include <time.h>

int64_t civil_seconds(const struct tm *tm); /* as timegm() */
/* "2026-01-31T12:00:00Z"; "-": not in years 0 to 9999 */
void civil_text(int64_t seconds, char text[32]);

#endif
