#include "test.h"

#include "origin.h"

static const struct {
    const char *peer, *origin;
} rows[] = {
    {"192.0.2.1:443", "192.0.2.1"},
    {"192.0.2.1", "192.0.2.1"},
    {"[2001:db8::1]:443", "2001:db8:0:0"},
    {"[2001:db8::2:3]:1", "2001:db8:0:0"}, /* the same host, perhaps */
    {"[2001:db8:0:1::1]:443", "2001:db8:0:1"},
    {"[fe80::1%eth0]:443", "fe80:0:0:0"},
    {"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "ffff:ffff:ffff:ffff"},
    {"[::ffff:192.0.2.1]:443", "192.0.2.1"}, /* IPv4 at a socket of both */
    {"[::1]:443", "0:0:0:0"},
    {"", ""},
    {"unix:/run/ca.sock", ""},
    {"/run/ca.sock", ""},
    {"[]:443", ""},
    {"[2001:db8::1", "2001:db8:0:0"},
    {"[192.0.2.1]:443", ""},
    {"2001:db8::1", ""}, /* without brackets it could be anything */
    {"192.0.2.256:1", ""},
    {"192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1:1",
     ""},
};

static void an_address_has_an_origin(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[ORIGIN] = "left";

        origin_of(got, rows[i].peer);
        if (strcmp(got, rows[i].origin) != 0)
            fail_msg("\"%s\": \"%s\"", rows[i].peer, got);
    }
}

/* Three at once, and one more every 10 seconds. */
static const struct {
    int64_t at;
    const char *origin;
    int64_t wait;
} steps[] = {
    {1, "a", 0},     {1, "a", 0},    {1, "a", 0},
    {1, "a", 10},                                  /* the fourth */
    {1, "b", 0},                                   /* is of nobody else */
    {5, "a", 6},     {10, "a", 1},   {11, "a", 0}, /* the time has gone */
    {11, "a", 10},   {30, "a", 0},   {30, "a", 1}, /* in part */
    {1000, "a", 0},  {1000, "a", 0}, {1000, "a", 0},
    {1000, "a", 10}, {1000, "b", 0},
};

static void one_may_have_so_many(void **state)
{
    struct origin_rate *r = calloc(1, sizeof(*r));

    (void)state;
    assert_non_null(r);
    r->burst = 3;
    r->step_s = 10;
    for (size_t i = 0; i < COUNT(steps); i++) {
        int64_t wait = origin_take(r, steps[i].origin, steps[i].at);

        if (wait != steps[i].wait)
            fail_msg("step %zu: %lld", i, (long long)wait);
    }
    free(r);
}

/* Who is longest back to all of it makes room; whoever has used it up stays. */
static void those_who_are_idle_are_forgotten_first(void **state)
{
    struct origin_rate *r = calloc(1, sizeof(*r));
    char name[ORIGIN];

    (void)state;
    assert_non_null(r);
    r->burst = 2;
    r->step_s = 10;
    assert_int_equal(origin_take(r, "busy", 1), 0);
    assert_int_equal(origin_take(r, "busy", 1), 0);
    assert_int_equal(origin_take(r, "busy", 1), 10);
    for (int i = 0; i < 3 * ORIGIN_RATES; i++) {
        snprintf(name, sizeof(name), "idle %d", i);
        assert_int_equal(origin_take(r, name, 1), 0);
    }
    assert_int_equal(origin_take(r, "busy", 1), 10);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_an_origin),
        cmocka_unit_test(one_may_have_so_many),
        cmocka_unit_test(those_who_are_idle_are_forgotten_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
