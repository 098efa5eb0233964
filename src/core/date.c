#include "core/date.h"

#include <stdio.h>

#define DAY 86400
#define ERA 146097     /* days of 400 years, after which all is as before */
#define TO_1970 719468 /* days from 0000-03-01 on */
#define YEAR_ZERO (-62167219200)
#define YEAR_10000 253402300800

/* Years begin in March here, so that the day that some do not have is the last
 * one. */
int tsk_date_of(int64_t seconds, struct tm *out)
{
    int64_t days, era, day, year, rest;
    int month, weekday;

    if (seconds < YEAR_ZERO || seconds >= YEAR_10000)
        return -1;
    days = (seconds - YEAR_ZERO) / DAY + YEAR_ZERO / DAY; /* rounded down */
    rest = seconds - days * DAY;
    weekday = (int)((days + 4 + 7 * ERA) % 7);
    days += TO_1970 + ERA; /* from 400 years before that on: never negative */
    era = days / ERA;
    day = days % ERA;
    year = (day - day / 1460 + day / 36524 - day / (ERA - 1)) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (int)((5 * day + 2) / 153);
    *out = (struct tm){.tm_mday = (int)(day - (153 * month + 2) / 5 + 1),
                       .tm_mon = (month + 2) % 12,
                       .tm_year =
                           (int)(year + 400 * (era - 1) + (month >= 10) - 1900),
                       .tm_wday = weekday,
                       .tm_hour = (int)(rest / 3600),
                       .tm_min = (int)(rest / 60 % 60),
                       .tm_sec = (int)(rest % 60)};
    return 0;
}

int64_t tsk_date_seconds(const struct tm *tm)
{
    int64_t year = (int64_t)tm->tm_year + 1900, month = tm->tm_mon, era, days;

    year += month / 12 - (month % 12 < 0);
    month = (month % 12 + 12) % 12;
    year -= month < 2;
    month = (month + 10) % 12; /* from March on */
    era = (year >= 0 ? year : year - 399) / 400;
    year -= 400 * era;
    days = era * ERA + 365 * year + year / 4 - year / 100 +
           (153 * month + 2) / 5 + tm->tm_mday - 1 - TO_1970;
    return days * DAY + (int64_t)tm->tm_hour * 3600 + (int64_t)tm->tm_min * 60 +
           tm->tm_sec;
}

int tsk_date_text(int64_t seconds, char out[32])
{
    struct tm tm;

    out[0] = '\0';
    return tsk_date_of(seconds, &tm) == 0 &&
           strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) != 0;
}

time_t tsk_date_system(int64_t seconds)
{
    const int64_t last = sizeof(time_t) < 8 ? INT32_MAX : INT64_MAX;

    return (time_t)(seconds > last ? last : seconds < -last ? -last : seconds);
}
