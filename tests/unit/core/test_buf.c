#include "core/buf.h"
#include "core/mem.h"
#include "test.h"

#include <tlsock.h>

static void takes_at_the_front_what_was_added_at_the_end(void **state)
{
    struct tsk_buf b = {0};
    uint8_t all[5000];

    (void)state;
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)(i * 7);
    assert_int_equal(tsk_buf_add(&b, all, 3000), 0);
    tsk_buf_take(&b, 1000);
    assert_int_equal(tsk_buf_add(&b, all + 3000, 2000), 0);
    assert_int_equal(b.len, 4000);
    assert_memory_equal(tsk_buf_at(&b), all + 1000, 4000);
    tsk_buf_take(&b, 4000);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.start, 0);
    tsk_buf_free(&b);
    assert_null(b.data);
}

static void room_in_front_is_used_before_memory_grows(void **state)
{
    struct tsk_buf b = {0};
    uint8_t bytes[1024] = {1};

    (void)state;
    assert_int_equal(tsk_buf_add(&b, bytes, 1024), 0);
    tsk_buf_take(&b, 1000);
    assert_int_equal(tsk_buf_add(&b, bytes, 1000), 0);
    assert_int_equal(b.cap, 1024);
    assert_int_equal(b.start, 0);
    tsk_buf_free(&b);
}

static int always(void)
{
    return 1;
}

static void without_memory_nothing_changes(void **state)
{
    struct tsk_buf b = {0};

    (void)state;
    assert_int_equal(tsk_buf_add(&b, "abc", 3), 0);
    tsk_mem_fail = always;
    assert_int_equal(tsk_buf_add(&b, (uint8_t[4096]){0}, 4096),
                     TLSOCK_E_NOMEM);
    assert_null(tsk_buf_room(&b, SIZE_MAX / 2));
    tsk_mem_fail = NULL;
    assert_int_equal(b.len, 3);
    assert_memory_equal(tsk_buf_at(&b), "abc", 3);
    tsk_buf_free(&b);
}

static void comparison_in_constant_time_compares(void **state)
{
    (void)state;
    assert_true(tsk_equal_ct("abc", "abc", 3));
    assert_true(tsk_equal_ct("abc", "xyz", 0));
    assert_false(tsk_equal_ct("abc", "abd", 3));
    assert_false(tsk_equal_ct("bbc", "abc", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_at_the_front_what_was_added_at_the_end),
        cmocka_unit_test(room_in_front_is_used_before_memory_grows),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(comparison_in_constant_time_compares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
