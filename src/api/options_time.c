/* Parsers of durations and points in time. */
#include "api/options.h"
#include "core/str.h"

#include <limits.h>
#include <string.h>

#define WEEK_S 604800 /* RFC 8446, 4.6.1: no ticket lives longer */

static const struct {
    const char *unit;
    int64_t ms;
} units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

/* "10s", "500ms", "2m" in milliseconds; -1: no duration. A bare number is
 * none: nobody can tell seconds from milliseconds. */
static int64_t duration_ms(const char *text)
{
    size_t len = strspn(text, "0123456789");
    int64_t n = 0;

    if (len == 0 || len > 10)
        return -1;
    for (size_t i = 0; i < len; i++)
        n = n * 10 + (text[i] - '0');
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(text + len, units[i].unit) == 0)
            return n * units[i].ms;
    return -1;
}

TSK_OPTION_PARSER(milliseconds)
{
    int64_t ms = duration_ms(value);

    if (strcmp(value, "none") == 0 || strcmp(value, "0") == 0 || ms == 0)
        ms = INT64_MAX;
    else if (ms < 0)
        return tsk_option_bad(err, row, value,
                              "a number with ms, s, m, h or d, or none");
    else if (ms > INT_MAX)
        return tsk_option_bad(err, row, value, "more than 24d");
    *(int *)tsk_option_field(row, set) = ms == INT64_MAX ? -1 : (int)ms;
    return TLSOCK_OK;
}

TSK_OPTION_PARSER(seconds)
{
    int64_t ms = duration_ms(value);

    if (ms < 0)
        return tsk_option_bad(err, row, value,
                              "a number with s, m, h or d");
    if (ms < 1000 || ms % 1000 != 0 || ms / 1000 > WEEK_S)
        return tsk_option_bad(err, row, value,
                              "whole seconds from 1s to 7d");
    *(int *)tsk_option_field(row, set) = (int)(ms / 1000);
    return TLSOCK_OK;
}

TSK_OPTION_PARSER(reload)
{
    int64_t ms = strcmp(value, "off") == 0         ? 0
                 : strcmp(value, "on-change") == 0 ? 1000
                                                   : duration_ms(value);

    if (ms < 0)
        return tsk_option_bad(err, row, value,
                              "off, on-change, or a number with ms, s, m or h");
    if (ms != 0 && (ms < 100 || ms > 86400000))
        return tsk_option_bad(err, row, value, "from 100ms to 1d");
    *(int *)tsk_option_field(row, set) = (int)ms;
    return TLSOCK_OK;
}

static int digits(const char *p, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        value = value * 10 + (p[i] - '0');
    }
    return value;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30,
                               31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static int64_t days_since_epoch(int year, int month, int day)
{
    int64_t days = day - 1;
    int y = year - 1;

    for (int m = 1; m < month; m++)
        days += month_days(year, m);
    return days + (int64_t)(year - 1970) * 365 + (y / 4 - y / 100 + y / 400) -
           (1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* "Z", "+01:00", "-05:30" in seconds east of UTC; INT_MIN: neither. */
static int zone(const char *p)
{
    int h, m;

    if (strcmp(p, "Z") == 0 || strcmp(p, "z") == 0)
        return 0;
    if ((*p != '+' && *p != '-') || strlen(p) != 6 || p[3] != ':')
        return INT_MIN;
    h = digits(p + 1, 2);
    m = digits(p + 4, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59)
        return INT_MIN;
    return (*p == '-' ? -1 : 1) * (h * 3600 + m * 60);
}

/* RFC 3339, 5.6, from 1970 on; -1: it is not. A fraction is cut off. */
static int64_t rfc3339(const char *p)
{
    int year, month, day, h, m, s, east;
    const char *rest;

    if (strlen(p) < 20 || p[4] != '-' || p[7] != '-' ||
        strchr("Tt ", p[10]) == NULL || p[13] != ':' || p[16] != ':')
        return -1;
    year = digits(p, 4);
    month = digits(p + 5, 2);
    day = digits(p + 8, 2);
    h = digits(p + 11, 2);
    m = digits(p + 14, 2);
    s = digits(p + 17, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month) || h < 0 || h > 23 || m < 0 || m > 59 ||
        s < 0 || s > 60)
        return -1;
    rest = p + 19;
    if (*rest == '.') {
        size_t n = strspn(rest + 1, "0123456789");

        if (n == 0)
            return -1;
        rest += 1 + n;
    }
    east = zone(rest);
    if (east == INT_MIN)
        return -1;
    return days_since_epoch(year, month, day) * 86400 + h * 3600 + m * 60 + s -
           east;
}

TSK_OPTION_PARSER(time)
{
    int64_t t;

    if (tsk_number(value, 0, INT64_C(253402300799), &t) != 0) {
        t = rfc3339(value);
        if (t <= 0)
            return tsk_option_bad(err, row, value,
                                  "Unix seconds, or as in "
                                  "2026-01-31T12:00:00Z");
    }
    *(int64_t *)tsk_option_field(row, set) = t;
    return TLSOCK_OK;
}
