#include "core/clock.h"
#include "test.h"

#include <limits.h>
#include <stddef.h>

static int64_t now;

static int64_t fake(void)
{
    return now;
}

static void deadlines_are_absolute_and_never_wrap(void **state)
{
    (void)state;
    tsk_clock_monotonic = fake;
    now = 1000;
    assert_int_equal(tsk_deadline_in(500), 1500);
    assert_true(tsk_deadline_in(-1) == TSK_NEVER);
    assert_true(tsk_deadline_in(INT64_MAX) == TSK_NEVER);
    assert_int_equal(tsk_ms_until(1500), 500);
    assert_int_equal(tsk_ms_until(1000), 0);
    assert_int_equal(tsk_ms_until(1), 0);
    assert_int_equal(tsk_ms_until(TSK_NEVER), -1);
    assert_int_equal(tsk_ms_until(TSK_NEVER - 1), INT_MAX);
    tsk_clock_monotonic = NULL;
}

static void without_a_fake_it_is_the_systems_clock(void **state)
{
    int64_t a = tsk_now_ms();

    (void)state;
    assert_true(a > 0);
    assert_true(tsk_now_ms() >= a);
    assert_true(tsk_wall_time() > 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_are_absolute_and_never_wrap),
        cmocka_unit_test(without_a_fake_it_is_the_systems_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
