#include "core/lru.h"
#include "core/mem.h"
#include "fault.h"

struct thing {
    struct tsk_lru_node node;
    int value;
};

static struct thing *thing(unsigned i, size_t cost)
{
    struct thing *t = tsk_alloc(sizeof(*t));

    assert_non_null(t);
    memcpy(t->node.key, &i, sizeof(i));
    t->node.cost = cost;
    t->value = (int)i;
    return t;
}

static struct thing *find(struct tsk_lru *l, unsigned i)
{
    uint8_t key[TSK_LRU_KEY] = {0};

    memcpy(key, &i, sizeof(i));
    return (struct thing *)tsk_lru_find(l, key);
}

static void drop_all(struct tsk_lru *l)
{
    while (l->oldest != NULL) {
        struct tsk_lru_node *n = l->oldest;

        tsk_lru_drop(l, n);
        tsk_free(n);
    }
    tsk_lru_free(l);
}

static void what_was_added_is_found_and_nothing_else(void **state)
{
    struct tsk_lru l = {0};

    (void)state;
    assert_null(find(&l, 0));
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(tsk_lru_add(&l, &thing(i, i)->node), 0);
    assert_int_equal(l.count, 1000);
    assert_int_equal(l.cost, 999 * 500);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(find(&l, i)->value, (int)i);
    assert_null(find(&l, 1000));
    drop_all(&l);
    assert_int_equal(l.count + l.cost, 0);
}

/* Keys that share a bucket differ in their later bytes alone. */
static void one_bucket_holds_many(void **state)
{
    struct tsk_lru l = {0};
    uint8_t key[TSK_LRU_KEY] = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct thing *t = thing(7, 1);

        t->node.key[31] = (uint8_t)i;
        t->value = i;
        assert_int_equal(tsk_lru_add(&l, &t->node), 0);
    }
    memcpy(key, &(unsigned){7}, sizeof(unsigned)); /* as thing() does */
    for (int i = 99; i >= 0; i -= 2) {
        struct tsk_lru_node *n;

        key[31] = (uint8_t)i;
        n = tsk_lru_find(&l, key);
        assert_int_equal(((struct thing *)n)->value, i);
        tsk_lru_drop(&l, n);
        tsk_free(n);
        assert_null(tsk_lru_find(&l, key));
    }
    assert_int_equal(l.count, 50);
    drop_all(&l);
}

static void the_oldest_is_what_was_not_used(void **state)
{
    static const unsigned order[] = {1, 3, 4, 0, 2};
    struct tsk_lru l = {0};

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        tsk_lru_add(&l, &thing(i, 1)->node);
    find(&l, 0);
    find(&l, 2);
    find(&l, 2);
    for (size_t i = 0; i < COUNT(order); i++) {
        struct thing *t = (struct thing *)l.oldest;

        assert_int_equal(t->value, (int)order[i]);
        tsk_lru_drop(&l, &t->node);
        tsk_free(t);
    }
    assert_null(l.newest);
    drop_all(&l);
}

static void
without_memory_it_is_not_in_it_or_the_table_does_not_grow(void **state)
{
    struct tsk_lru l = {0};
    struct thing *t = thing(1, 1);

    (void)state;
    fault_arm(FAULT_OWN, 1, 1);
    assert_code(tsk_lru_add(&l, &t->node), TLSOCK_E_NOMEM);
    assert_int_equal(fault_disarm(), 1);
    assert_null(find(&l, 1));
    assert_int_equal(tsk_lru_add(&l, &t->node), 0);
    for (unsigned i = 2; i < 500; i++) {
        t = thing(i, 1);
        fault_arm(FAULT_OWN, 1, 1);
        assert_int_equal(tsk_lru_add(&l, &t->node), 0);
        fault_disarm();
    }
    assert_int_equal(l.n_buckets, 64);
    for (unsigned i = 1; i < 500; i++)
        assert_non_null(find(&l, i));
    drop_all(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_and_nothing_else),
        cmocka_unit_test(one_bucket_holds_many),
        cmocka_unit_test(the_oldest_is_what_was_not_used),
        cmocka_unit_test(
            without_memory_it_is_not_in_it_or_the_table_does_not_grow),
    };

    fault_init();
    return cmocka_run_group_tests_name("lru", tests, NULL, NULL);
}
