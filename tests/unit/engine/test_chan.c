#include "test.h"

#include "chan.h"

/* A buffer from off to len: where the next bytes belong, and how many. */
static const struct {
    const char *claim;
    size_t off, len, place, room, left; /* left: where the old ones begin */
} rows[] = {
    {"empty", 0, 0, 0, CHAN_SIZE, 0},
    {"behind what waits", 0, 10, 10, CHAN_SIZE - 10, 0},
    {"drained: from the front again", 10, 10, 0, CHAN_SIZE, 0},
    {"drained when full", CHAN_SIZE, CHAN_SIZE, 0, CHAN_SIZE, 0},
    {"room behind: nothing is moved", 9, 10, 10, CHAN_SIZE - 10, 9},
    {"full, most of it gone: the rest moves", CHAN_SIZE - 3, CHAN_SIZE, 3,
     CHAN_SIZE - 3, 0},
    {"full, half of it gone: not yet", CHAN_SIZE / 2, CHAN_SIZE, CHAN_SIZE, 0,
     CHAN_SIZE / 2},
    {"full", 0, CHAN_SIZE, CHAN_SIZE, 0, 0},
};

static void there_is_a_place(void **state)
{
    struct chan *c = calloc(1, sizeof(*c));

    (void)state;
    assert_non_null(c);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t room = 0, waiting = rows[i].len - rows[i].off;
        unsigned char *place;

        c->off = rows[i].off;
        c->len = rows[i].len;
        for (size_t k = 0; k < waiting; k++)
            c->buf[c->off + k] = (unsigned char)(k * 7 + 1);
        place = chan_place(c, &room);
        if (place != c->buf + rows[i].place || room != rows[i].room ||
            c->off != rows[i].left || c->len - c->off != waiting)
            fail_msg("%s: place %zd, room %zu, from %zu to %zu", rows[i].claim,
                     place - c->buf, room, c->off, c->len);
        for (size_t k = 0; k < waiting; k++)
            assert_int_equal(c->buf[c->off + k], (unsigned char)(k * 7 + 1));
    }
    free(c);
}

/* Pieces of every size go in and come out as one stream. */
static void a_stream_stays_one(void **state)
{
    static unsigned char sent, seen;
    struct chan *c = calloc(1, sizeof(*c));

    (void)state;
    assert_non_null(c);
    for (size_t i = 1; i < 4000; i++) {
        size_t room, n = i * 37 % 9000, take = i * 91 % 9500;
        unsigned char *place = chan_place(c, &room);

        for (size_t k = 0; k < n && k < room; k++, c->len++)
            place[k] = sent++;
        for (size_t k = 0; k < take && c->off < c->len; k++)
            assert_int_equal(c->buf[c->off++], seen++);
    }
    free(c);
}

static void what_does_not_fit_stays_out(void **state)
{
    struct chan *c = calloc(1, sizeof(*c));
    unsigned char *much = calloc(1, CHAN_SIZE + 1);

    (void)state;
    assert_non_null(c);
    assert_non_null(much);
    assert_int_equal(chan_put(c, much, CHAN_SIZE + 1), CHAN_SIZE);
    assert_int_equal(chan_put(c, much, 1), 0);
    free(much);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_a_place),
        cmocka_unit_test(a_stream_stays_one),
        cmocka_unit_test(what_does_not_fit_stays_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
