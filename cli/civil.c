#include "civil.h"

#include <stdio.h>

#define DAY INT64_C(86400)

/* Days from 1970 on, of a year's first day. */
static int64_t first_of(int64_t year)
{
    int64_t before = year - 1 + 400; /* year 0 has days as well */

    return 365 * (year - 1970) + before / 4 - before / 100 + before / 400 -
           (1969 / 4 - 1969 / 100 + 1969 / 400 + 97);
}

static int month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month] + (month == 1 && leap);
}

int64_t civil_seconds(const struct tm *tm)
{
    int64_t year = (int64_t)tm->tm_year + 1900, days = first_of(year);

    for (int month = 0; month < tm->tm_mon && month < 12; month++)
        days += month_days(year, month);
    return (days + tm->tm_mday - 1) * DAY + tm->tm_hour * 3600 +
           tm->tm_min * 60 + tm->tm_sec;
}

void civil_text(int64_t seconds, char text[32])
{
    int64_t days = seconds / DAY - (seconds % DAY < 0), year, day;
    unsigned rest = (unsigned)(seconds - days * DAY);
    int month = 0;

    if (days < first_of(0) || days >= first_of(10000)) {
        snprintf(text, 32, "-");
        return;
    }
    year = 1970 + days / 366 - (days < 0); /* never too late; near enough */
    if (year < 0)
        year = 0;
    while (days >= first_of(year + 1))
        year++;
    while (days < first_of(year))
        year--;
    day = days - first_of(year);
    while (day >= month_days(year, month))
        day -= month_days(year, month++);
    snprintf(text, 32, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000,
             (unsigned)month % 12 + 1, (unsigned)day % 31 + 1, rest / 3600 % 24,
             rest / 60 % 60, rest % 60);
}
