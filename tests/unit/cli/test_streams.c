/* TCP put together again: the same bytes in any order, in any pieces, twice;
 * what is too much is let go. */
#include "streams.h"
#include "test.h"

#include "hellos.h"
#include "records.h"

#include <stdlib.h>

#define LEN 3000

static uint8_t bytes[LEN];

/* What the last call was told, and how often all of it was there. */
struct heard {
    uint8_t all[STREAMS_BYTES];
    size_t len;
    int wholes, calls, enough;
};

static int told(const struct packet_ends *ends, const uint8_t *p, size_t len,
                size_t *seen, void *arg)
{
    struct heard *h = arg;

    (void)ends;
    assert_true(len <= STREAMS_BYTES);
    assert_int_equal(*seen, h->calls != 0 && h->len < len ? h->len : 0);
    *seen = len;
    memcpy(h->all, p, len);
    h->len = len;
    h->calls++;
    h->wholes += len == LEN;
    return h->enough;
}

static struct packet of(uint32_t isn, size_t at, size_t len)
{
    struct packet p = {
        .seq = isn + 1 + (uint32_t)at, .data = bytes + at, .len = len};

    p.ends.from_port = 50000;
    p.ends.to_port = 443;
    return p;
}

static struct packet syn(uint32_t isn)
{
    struct packet p = of(isn, 0, 0);

    p.seq = isn;
    p.syn = 1;
    return p;
}

static void add(struct streams *s, struct packet p)
{
    assert_int_equal(streams_add(s, &p), 0);
}

/* A generator of our own: the same runs each time. */
static uint32_t dice(uint32_t *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

static void shuffle(size_t *order, size_t n, uint32_t *state)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = dice(state) % i, swap = order[i - 1];

        order[i - 1] = order[j];
        order[j] = swap;
    }
}

/* Pieces of up to 150 bytes that overlap, each once or twice, in any order. */
static void any_order_gives_the_same(void **state)
{
    struct heard *h = test_calloc(1, sizeof(*h));
    uint32_t seed = 1;

    (void)state;
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (uint8_t)dice(&seed);
    bytes[0] = 22;
    for (int round = 0; round < 200; round++) {
        struct streams *s = streams_new(told, h);
        size_t order[60], n = LEN / 100;
        uint32_t isn = dice(&seed) << 16 | dice(&seed);

        memset(h, 0, sizeof(*h));
        if (round % 2 == 0)
            isn = 0xffffff00u; /* the numbers begin anew within it */
        for (size_t i = 0; i < 2 * n; i++)
            order[i] = i % n;
        shuffle(order, 2 * n, &seed);
        add(s, syn(isn));
        for (size_t i = 0; i < 2 * n; i++) {
            size_t len = 100 + dice(&seed) % 50;

            if (order[i] * 100 + len > LEN)
                len = LEN - order[i] * 100;
            add(s, of(isn, order[i] * 100, len));
        }
        assert_int_equal(h->wholes, 1);
        assert_memory_equal(h->all, bytes, LEN);
        assert_int_equal(streams_lost(s), 1); /* nobody said it was enough */
        streams_free(s);
    }
    test_free(h);
}

/* What more would be of use of, but need not come, is not lost; what is wanted
 * in the end is. */
static void what_need_not_come_is_not_missed(void **state)
{
    static const struct {
        int first, last, lost;
    } rows[] = {{STREAMS_PERHAPS, STREAMS_PERHAPS, 0},
                {STREAMS_PERHAPS, STREAMS_WANTED, 1},
                {STREAMS_WANTED, STREAMS_PERHAPS, 0},
                {STREAMS_PERHAPS, STREAMS_ENOUGH, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct heard *h = test_calloc(1, sizeof(*h));
        struct streams *s = streams_new(told, h);

        add(s, syn(7));
        h->enough = rows[i].first;
        add(s, of(7, 0, 10));
        h->enough = rows[i].last;
        add(s, of(7, 10, 10));
        assert_int_equal(h->len, 20);
        assert_int_equal(streams_lost(s), rows[i].lost);
        streams_free(s);
        test_free(h);
    }
}

static void what_is_told_enough_is_forgotten(void **state)
{
    struct heard *h = test_calloc(1, sizeof(*h));
    struct streams *s = streams_new(told, h);

    (void)state;
    h->enough = 1;
    add(s, syn(7));
    add(s, of(7, 0, 10));
    add(s, of(7, 10, 10));
    add(s, of(7, 0, 10));
    assert_int_equal(h->calls, 1);
    assert_int_equal(streams_lost(s), 0);
    add(s, syn(7)); /* again: the same stream */
    add(s, of(7, 0, 10));
    assert_int_equal(h->calls, 1);
    add(s, syn(900000)); /* the port is used for another one */
    add(s, of(900000, 0, 10));
    assert_int_equal(h->calls, 2);
    streams_free(s);
    test_free(h);
}

static void what_comes_first_counts(void **state)
{
    struct heard *h = test_calloc(1, sizeof(*h));
    struct streams *s = streams_new(told, h);
    struct packet other = of(7, 0, 20);
    uint8_t else_[20] = {0};

    (void)state;
    add(s, syn(7));
    add(s, of(7, 0, 10));
    other.data = else_;
    add(s, other);
    assert_int_equal(h->len, 20);
    assert_memory_equal(h->all, bytes, 10);
    assert_memory_equal(h->all + 10, else_, 10);
    streams_free(s);
    test_free(h);
}

/* One that is not begun by TLS is of no use without its SYN. */
static void a_middle_is_taken_if_tls_begins_there(void **state)
{
    struct packet early = of(7, 0, 5);
    struct heard *h = test_calloc(1, sizeof(*h));
    struct streams *s = streams_new(told, h);

    (void)state;
    bytes[1] = 1;
    add(s, of(7, 1, 10));
    assert_int_equal(h->calls, 0);
    add(s, of(7, 0, 10));
    assert_int_equal(h->calls, 1);
    early.seq -= 4; /* from before its start */
    add(s, early);
    assert_int_equal(h->len, 10);
    streams_free(s);
    test_free(h);
}

static void one_stream_has_a_limit(void **state)
{
    struct heard *h = test_calloc(1, sizeof(*h));
    struct streams *s = streams_new(told, h);
    struct packet p = of(7, 0, LEN);

    (void)state;
    add(s, syn(7));
    for (int i = 0; i < 100; i++, p.seq += LEN)
        add(s, p);
    assert_int_equal(h->len, STREAMS_BYTES);
    assert_int_equal(h->calls, STREAMS_BYTES / LEN + 1);
    assert_int_equal(streams_lost(s), 0);
    streams_free(s);
    test_free(h);
}

/* Segments that wait for one that never comes. */
static void a_gap_holds_little(void **state)
{
    struct heard *h = test_calloc(1, sizeof(*h));
    struct streams *s = streams_new(told, h);

    (void)state;
    add(s, syn(7));
    for (size_t i = 0; i < 2 * STREAMS_AHEAD; i++)
        add(s, of(7, 1 + i, 1));
    assert_int_equal(h->calls, 0);
    add(s, of(7, 0, 1));
    assert_int_equal(h->len, 1 + STREAMS_AHEAD);
    streams_free(s);
    test_free(h);
}

static void all_streams_have_a_limit(void **state)
{
    struct heard *h = test_calloc(1, sizeof(*h));
    struct streams *s = streams_new(told, h);

    (void)state;
    for (size_t i = 0; i < STREAMS_MOST + 100; i++) {
        struct packet p = of(7, 0, 2500);

        p.ends.from[15] = (uint8_t)i;
        p.ends.from[14] = (uint8_t)(i >> 8);
        p.data = bytes;
        add(s, p);
    }
    /* the first have given way; they begin anew if they go on */
    assert_int_equal(streams_lost(s), STREAMS_MOST + 100);
    streams_free(s);
    test_free(h);
}

static void records_give_the_hello_and_its_name(void **state)
{
    static uint8_t hello[RECORDS_MOST];
    uint8_t wire[HELLO_LONG];
    char name[256];
    size_t n = 0;

    (void)state;
    hello_long(wire);
    for (size_t len = 0; len < HELLO_LONG; len++)
        assert_int_equal(records_hello(wire, len, hello, &n), RECORDS_MORE);
    assert_int_equal(records_hello(wire, HELLO_LONG, hello, &n), RECORDS_HELLO);
    assert_int_equal(n, HELLO_LONG - 5);
    assert_memory_equal(hello, wire + 5, n);
    records_name(hello, n, name);
    assert_string_equal(name, "");
    wire[5] = 11; /* a Certificate comes first */
    assert_int_equal(records_hello(wire, HELLO_LONG, hello, &n), RECORDS_NONE);
    wire[0] = 'G';
    assert_int_equal(records_hello(wire, 1, hello, &n), RECORDS_NONE);
}

/* Beginnings that turn out to be none: each is looked at once, however the
 * stream comes. */
static void false_beginnings_cost_once(void **state)
{
    static const uint8_t none[] = {22, 3, 1, 0, 8, 1, 0, 0, 40, 3, 1, 0, 0, 99};
    uint8_t *all = test_calloc(64, sizeof(none)), *hello;
    size_t n = 0, from = 0, before = 0;

    (void)state;
    hello = test_calloc(1, RECORDS_MOST);
    for (int i = 0; i < 64; i++)
        memcpy(all + (size_t)i * sizeof(none), none, sizeof(none));
    for (size_t len = 1; len <= 64 * sizeof(none); len++) {
        enum records_kind kind = records_find(all, len, &from, hello, &n);
        size_t whole = 0;

        assert_int_equal(kind, records_find(all, len, &whole, hello, &n));
        assert_int_equal(from, whole);
        assert_true(from >= before && len - from <= sizeof(none));
        before = from;
    }
    test_free(hello);
    test_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_same),
        cmocka_unit_test(what_need_not_come_is_not_missed),
        cmocka_unit_test(what_is_told_enough_is_forgotten),
        cmocka_unit_test(false_beginnings_cost_once),
        cmocka_unit_test(what_comes_first_counts),
        cmocka_unit_test(a_middle_is_taken_if_tls_begins_there),
        cmocka_unit_test(one_stream_has_a_limit),
        cmocka_unit_test(a_gap_holds_little),
        cmocka_unit_test(all_streams_have_a_limit),
        cmocka_unit_test(records_give_the_hello_and_its_name),
    };

    return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
