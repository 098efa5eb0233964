/* Dates of all years that a certificate can name, both ways, held against the
 * system's own where it can. */
#include "core/date.h"

#include "test.h"

static const struct {
    const char *text; /* "": none */
    int64_t seconds;
} rows[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1969-12-31T23:59:59Z", -1},
    {"1900-02-28T23:59:59Z", -2203891201},
    {"1900-03-01T00:00:00Z", -2203891200}, /* no leap year */
    {"2000-02-29T12:34:56Z", 951827696},   /* one */
    {"2038-01-19T03:14:07Z", INT32_MAX},
    {"2038-01-19T03:14:08Z", (int64_t)INT32_MAX + 1},
    {"2049-12-31T23:59:59Z", 2524607999},
    {"2050-01-01T00:00:00Z", 2524608000},
    {"2100-02-28T00:00:00Z", 4107456000},
    {"2100-03-01T00:00:00Z", 4107542400},
    {"9999-12-31T23:59:59Z", 253402300799},
    {"", 253402300800},
    {"", INT64_MAX},
    {"", INT64_MIN},
};

static void dates_are_told_both_ways(void **state)
{
    char text[32];
    struct tm tm;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int there = rows[i].text[0] != '\0';

        assert_int_equal(tsk_date_text(rows[i].seconds, text), there);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(tsk_date_of(rows[i].seconds, &tm), there ? 0 : -1);
        if (there)
            assert_int_equal(tsk_date_seconds(&tm), rows[i].seconds);
    }
    assert_int_equal(tsk_date_of(-62167219200, &tm), 0); /* year 0 */
    assert_int_equal(tm.tm_year, -1900);
    assert_int_equal(tsk_date_seconds(&tm), -62167219200);
    assert_int_equal(tsk_date_of(-62167219201, &tm), -1);
}

/* Each day of four hundred years, at odd hours. */
static void the_system_says_the_same(void **state)
{
    (void)state;
    for (int64_t day = -100 * 366; day < 300 * 366; day++) {
        int64_t seconds = day * 86400 + (day % 86400 + 86400) % 86400;
        time_t t = tsk_date_system(seconds);
        struct tm ours, theirs;

        if (t != seconds)
            continue; /* it ends before that */
        assert_non_null(gmtime_r(&t, &theirs));
        assert_int_equal(tsk_date_of(seconds, &ours), 0);
        assert_int_equal(ours.tm_year, theirs.tm_year);
        assert_int_equal(ours.tm_mon, theirs.tm_mon);
        assert_int_equal(ours.tm_mday, theirs.tm_mday);
        assert_int_equal(ours.tm_wday, theirs.tm_wday);
        assert_int_equal(ours.tm_hour, theirs.tm_hour);
        assert_int_equal(ours.tm_min, theirs.tm_min);
        assert_int_equal(ours.tm_sec, theirs.tm_sec);
        assert_int_equal(tsk_date_seconds(&ours), seconds);
    }
}

/* As timegm(): a month has as many days as it is said to have. */
static void what_is_out_of_bounds_is_carried(void **state)
{
    struct tm tm = {.tm_year = 126, .tm_mon = 1, .tm_mday = 30}, back;

    (void)state;
    assert_int_equal(tsk_date_of(tsk_date_seconds(&tm), &back), 0);
    assert_true(back.tm_mon == 2 && back.tm_mday == 2);
    tm = (struct tm){.tm_year = 126, .tm_mon = 14, .tm_mday = 1, .tm_sec = -1};
    assert_int_equal(tsk_date_of(tsk_date_seconds(&tm), &back), 0);
    assert_true(back.tm_year == 127 && back.tm_mon == 1 && back.tm_mday == 28);
    tm = (struct tm){.tm_year = 126, .tm_mon = -1, .tm_mday = 31};
    assert_int_equal(tsk_date_of(tsk_date_seconds(&tm), &back), 0);
    assert_true(back.tm_year == 125 && back.tm_mon == 11 && back.tm_mday == 31);
}

static void a_system_is_given_the_nearest_it_can_hold(void **state)
{
    const int64_t late = (int64_t)1 << 33;

    (void)state;
    assert_true(tsk_date_system(1767225600) == 1767225600);
    assert_true(tsk_date_system(late) ==
                (sizeof(time_t) == 8 ? (time_t)late : (time_t)INT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_told_both_ways),
        cmocka_unit_test(the_system_says_the_same),
        cmocka_unit_test(what_is_out_of_bounds_is_carried),
        cmocka_unit_test(a_system_is_given_the_nearest_it_can_hold),
    };

    return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
