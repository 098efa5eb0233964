/* What is fresh is found and what is not is not: in memory, on disk, and by
 * whatever the clock shows. */
#include "stash.h"

#include "core/clock.h"
#include "fault.h"

#include <limits.h>
#include <openssl/err.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct tsk_status good = {.state = TSK_GOOD,
                                       .by = TSK_BY_OCSP,
                                       .as_of = NOW,
                                       .until = NOW + DAY,
                                       .reason = -1};

static const struct {
    const char *claim;
    enum tsk_state state;
    enum tsk_by by;
    int64_t as_of, until, now;
    int found;
} verdicts[] = {
    {"fresh", TSK_GOOD, TSK_BY_OCSP, 0, DAY, 0, 1},
    {"fresh, revoked", TSK_REVOKED, TSK_BY_CRL, 0, DAY, 0, 1},
    {"its last second", TSK_GOOD, TSK_BY_OCSP, 0, DAY, DAY - 1, 1},
    {"over", TSK_GOOD, TSK_BY_OCSP, 0, DAY, DAY, 0},
    {"over, revoked", TSK_REVOKED, TSK_BY_OCSP, 0, DAY, DAY, 0},
    {"over long ago", TSK_GOOD, TSK_BY_OCSP, 0, DAY, 1000 * DAY, 0},
    {"the clock went back a bit", TSK_GOOD, TSK_BY_OCSP, 0, DAY, -200, 1},
    {"the clock went back a lot", TSK_GOOD, TSK_BY_OCSP, 0, DAY, -400, 0},
    {"not known", TSK_UNKNOWN, TSK_BY_OCSP, 0, DAY, 0, 0},
    {"for years, day 10", TSK_GOOD, TSK_BY_OCSP, 0, 9999 * DAY, 10 * DAY - 1,
     1},
    {"for years, day 11", TSK_GOOD, TSK_BY_STAPLE, 0, 9999 * DAY, 10 * DAY, 0},
    {"a list for years, day 30", TSK_GOOD, TSK_BY_CRL, 0, 9999 * DAY,
     30 * DAY - 1, 1},
    {"a list for years, day 31", TSK_GOOD, TSK_BY_CRL, 0, 9999 * DAY, 30 * DAY,
     0},
};

static void verdicts_are_found_while_they_are_fresh(void **state)
{
    struct tsk_revcache *c = stash_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(verdicts); i++) {
        const struct tsk_status in = {.state = verdicts[i].state,
                                      .by = verdicts[i].by,
                                      .as_of = NOW + verdicts[i].as_of,
                                      .until = NOW + verdicts[i].until,
                                      .reason = 4};
        struct tsk_status out;

        tsk_revcache_keep_status(c, stash_key((int)i), &in);
        if (tsk_revcache_status(c, stash_key((int)i), NOW + verdicts[i].now,
                                &out) != verdicts[i].found)
            fail_msg("%s", verdicts[i].claim);
        if (!verdicts[i].found)
            continue;
        assert_int_equal(out.state, in.state);
        assert_int_equal(out.by, in.by);
        assert_int_equal(out.as_of, in.as_of);
        assert_int_equal(out.reason, in.reason);
    }
    tsk_revcache_unref(c);
}

static void the_later_verdict_stands(void **state)
{
    struct tsk_revcache *c = stash_open(NULL);
    struct tsk_status revoked = good, out;

    (void)state;
    revoked.state = TSK_REVOKED;
    tsk_revcache_keep_status(c, stash_key(1), &good);
    tsk_revcache_keep_status(c, stash_key(1), &revoked);
    assert_int_equal(tsk_revcache_status(c, stash_key(1), NOW, &out), 1);
    assert_int_equal(out.state, TSK_REVOKED);
    assert_int_equal(tsk_revcache_status(c, stash_key(2), NOW, &out), 0);
    assert_int_equal(c->mem.verdicts.count, 1);
    tsk_revcache_unref(c);
}

static void verdicts_are_bounded_and_the_unused_go(void **state)
{
    struct tsk_revcache *c = stash_open(NULL);
    struct tsk_status out;

    (void)state;
    for (int i = 0; i < TSK_CACHE_VERDICTS; i++)
        tsk_revcache_keep_status(c, stash_key(i), &good);
    assert_int_equal(tsk_revcache_status(c, stash_key(0), NOW, &out), 1);
    tsk_revcache_keep_status(c, stash_key(TSK_CACHE_VERDICTS), &good);
    assert_int_equal(c->mem.verdicts.count, TSK_CACHE_VERDICTS);
    assert_int_equal(tsk_revcache_status(c, stash_key(0), NOW, &out), 1);
    assert_int_equal(tsk_revcache_status(c, stash_key(1), NOW, &out), 0);
    assert_int_equal(tsk_revcache_status(c, stash_key(2), NOW, &out), 1);
    tsk_revcache_unref(c);
}

/* A list is found in memory, by another cache of the same directory on disk,
 * and nowhere when it is over. */
static void lists_are_found_while_they_are_fresh(void **state)
{
    static const struct {
        const char *claim;
        int days;
        int64_t now;
        int found;
    } rows[] = {
        {"fresh", 7, 0, 1},
        {"its last second", 7, 7 * DAY - 1, 1},
        {"over", 7, 7 * DAY, 0},
        {"over long ago", 7, 1000 * DAY, 0},
        {"for years, day 30", 3000, 30 * DAY - 1, 1},
        {"for years, day 31", 3000, 30 * DAY, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *dir = stash_dir();
        struct tsk_revcache *c = stash_open(dir);
        int64_t now = NOW + rows[i].now;

        for (int disk = 0; disk < 2; disk++) {
            struct tsk_crls *l;

            if (disk == 0)
                stash_keep_crl(c, URL, 3, rows[i].days);
            stash_now = now;
            l = tsk_revcache_crls(c, URL, now);
            stash_now = NOW;
            if ((l != NULL) != rows[i].found)
                fail_msg("%s, %s", rows[i].claim, disk ? "disk" : "memory");
            assert_null(tsk_revcache_crls(c, URL "x", now));
            tsk_crls_unref(l);
            /* the process forgets */
            tsk_revcache_unref(c);
            c = stash_open(dir);
        }
        tsk_revcache_unref(c);
        assert_int_equal(stash_files(dir, NULL), rows[i].found);
    }
}

static void without_a_directory_lists_are_in_memory_alone(void **state)
{
    struct tsk_revcache *c = stash_open(NULL);
    struct tsk_buf der = {0};
    struct tsk_crls *l;

    (void)state;
    stash_keep_crl(c, URL, 3, 7);
    l = tsk_revcache_crls(c, URL, NOW);
    assert_non_null(l);
    tsk_crls_unref(l);
    tsk_revcache_keep_ocsp(c, stash_key(1), "der", 3, NOW + DAY);
    assert_int_equal(tsk_revcache_ocsp(c, stash_key(1), NOW, &der), 0);
    tsk_revcache_unref(c);
    c = stash_open(NULL);
    assert_null(tsk_revcache_crls(c, URL, NOW));
    tsk_revcache_unref(c);
}

/* Its memory, not to be read any more if that were wrong. */
static void a_list_that_is_used_outlives_the_cache(void **state)
{
    struct tsk_revcache *c = stash_open(NULL);
    struct tsk_crls *l, *other;
    size_t size;

    (void)state;
    stash_keep_crl(c, URL, 3, 7);
    l = tsk_revcache_crls(c, URL, NOW);
    size = tsk_crls_memory(l);
    stash_keep_crl(c, URL, 40, 7);
    other = tsk_revcache_crls(c, URL, NOW);
    assert_true(tsk_crls_memory(other) > size);
    tsk_revcache_unref(c);
    assert_int_equal(tsk_crls_memory(l), size);
    assert_int_equal(tsk_crls_until(l), NOW + 7 * DAY);
    tsk_crls_unref(l);
    tsk_crls_unref(other);
}

static void lists_in_memory_are_bounded(void **state)
{
    struct tsk_revcache *c = stash_open(NULL);
    struct tsk_crls *l;
    size_t one;
    char url[64];

    (void)state;
    stash_keep_crl(c, "http://a.test/0", 50, 7);
    one = c->mem.lists.cost;
    assert_true(one > 1000);
    c->mem.lists_max = 5 * one + one / 2;
    for (int i = 1; i < 9; i++) {
        snprintf(url, sizeof(url), "http://a.test/%d", i);
        stash_keep_crl(c, url, 50, 7);
        tsk_crls_unref(tsk_revcache_crls(c, "http://a.test/0", NOW));
        assert_true(c->mem.lists.cost <= c->mem.lists_max);
    }
    assert_int_equal(c->mem.lists.count, 5);
    l = tsk_revcache_crls(c, "http://a.test/0", NOW);
    assert_non_null(l);
    tsk_crls_unref(l);
    assert_null(tsk_revcache_crls(c, "http://a.test/1", NOW));
    /* one that would take all of it does not drive the others out */
    stash_keep_crl(c, "http://a.test/big", 600, 7);
    assert_null(tsk_revcache_crls(c, "http://a.test/big", NOW));
    assert_int_equal(c->mem.lists.count, 5);
    tsk_revcache_unref(c);
}

static void responses_are_found_while_they_are_fresh(void **state)
{
    static const struct {
        const char *claim;
        int64_t until, now;
        int found;
    } rows[] = {
        {"fresh", DAY, 0, 1},
        {"its last second", DAY, DAY - 1, 1},
        {"over", DAY, DAY, 0},
        {"over when it came", 0, 0, 0},
        {"for years, day 10", 9999 * DAY, 10 * DAY - 1, 1},
        {"for years, day 11", 9999 * DAY, 10 * DAY, 0},
        {"the clock went back a day", 9 * DAY, -DAY, 1},
        {"the clock went back a year", 9 * DAY, -365 * DAY, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *dir = stash_dir();
        struct tsk_revcache *c = stash_open(dir);
        struct tsk_buf der = {0};

        tsk_revcache_keep_ocsp(c, stash_key(1), "some DER", 8,
                               NOW + rows[i].until);
        assert_int_equal(tsk_revcache_ocsp(c, stash_key(2), NOW, &der), 0);
        stash_now = NOW + rows[i].now;
        if (tsk_revcache_ocsp(c, stash_key(1), stash_now, &der) !=
            rows[i].found)
            fail_msg("%s", rows[i].claim);
        stash_now = NOW;
        assert_int_equal(der.len, rows[i].found ? 8 : 0);
        assert_memory_equal(tsk_buf_at(&der), "some DER", der.len);
        /* and what is over is not there any more */
        assert_int_equal(stash_files(dir, NULL), rows[i].found);
        tsk_buf_free(&der);
        tsk_revcache_unref(c);
    }
}

/* now is the caller's: a config that verifies for next year finds nothing, and
 * takes nothing away from the others. */
static void another_time_than_the_clocks_removes_nothing(void **state)
{
    const char *dir = stash_dir();
    struct tsk_revcache *c = stash_open(dir);
    struct tsk_buf der = {0};

    (void)state;
    tsk_revcache_keep_ocsp(c, stash_key(1), "some DER", 8, NOW + DAY);
    assert_int_equal(tsk_revcache_ocsp(c, stash_key(1), NOW + 365 * DAY, &der),
                     0);
    assert_int_equal(tsk_revcache_ocsp(c, stash_key(1), NOW, &der), 1);
    tsk_buf_free(&der);
    tsk_revcache_unref(c);
}

static void what_is_no_response_is_not_kept(void **state)
{
    const char *dir = stash_dir();
    struct tsk_revcache *c = stash_open(dir);
    char *big = calloc(1, 65537);

    (void)state;
    tsk_revcache_keep_ocsp(c, stash_key(1), big, 65537, NOW + DAY);
    tsk_revcache_keep_ocsp(c, stash_key(1), big, 0, NOW + DAY);
    assert_int_equal(stash_files(dir, NULL), 0);
    tsk_revcache_keep_ocsp(c, stash_key(1), big, 65536, NOW + DAY);
    assert_int_equal(stash_files(dir, NULL), 1);
    tsk_revcache_unref(c);
    free(big);
}

static void a_directory_has_one_cache_whatever_its_name(void **state)
{
    const char *dir = stash_dir();
    struct tsk_revcache *a = stash_open(dir), *b, *none = stash_open(NULL);
    char longer[PATH_MAX];

    (void)state;
    snprintf(longer, sizeof(longer), "%s/./", dir);
    b = stash_open(longer);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, none);
    assert_ptr_equal(stash_open(NULL), none);
    assert_ptr_equal(tsk_revcache_ref(a), a);
    tsk_revcache_unref(a);
    tsk_revcache_unref(b);
    tsk_revcache_unref(none);
    tsk_revcache_unref(none);
    tsk_revcache_keep_status(a, stash_key(1), &good);
    tsk_revcache_unref(a);
    tsk_revcache_unref(NULL);
}

static void what_is_no_directory_of_ours_is_told(void **state)
{
    const char *dir = stash_dir();
    char path[PATH_MAX];
    tlsock_error err = {0};

    (void)state;
    snprintf(path, sizeof(path), "%s/none", dir);
    assert_null(tsk_revcache_open(path, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, path);
    assert_tells(err.message, "No such file");
    assert_true(err.hint[0] != '\0');
    stash_write(path, "x", 1);
    assert_null(tsk_revcache_open(path, &err));
    assert_tells(err.message, "Not a directory");
    assert_null(tsk_revcache_open(path, NULL));
    if (geteuid() != 0) {
        assert_int_equal(chmod(dir, 0555), 0);
        assert_null(tsk_revcache_open(dir, &err));
        assert_tells(err.message, "Permission denied");
        assert_int_equal(chmod(dir, 0755), 0);
    }
}

/* keeps and finds all there is; nothing of it can fail, it may only not be
 * there */
static void use_all(const char *dir)
{
    struct tsk_revcache *c = tsk_revcache_open(dir, NULL);
    struct tsk_buf der = {0};
    struct tsk_status out;
    static unsigned char *crl;
    static size_t len;
    struct tsk_crls *l;

    if (crl == NULL)
        crl = stash_crl(3, 7, &len);
    if (c == NULL)
        return;
    tsk_revcache_keep_status(c, stash_key(1), &good);
    if (tsk_revcache_status(c, stash_key(1), NOW, &out))
        assert_memory_equal(&out, &good, sizeof(out));
    l = tsk_crls_parse(crl, len, URL, NULL);
    if (l != NULL)
        tsk_revcache_keep_crls(c, URL, l, crl, len, NOW + DAY);
    tsk_crls_unref(l);
    tsk_crls_unref(tsk_revcache_crls(c, URL, NOW));
    tsk_revcache_keep_ocsp(c, stash_key(1), "some DER", 8, NOW + DAY);
    if (tsk_revcache_ocsp(c, stash_key(1), NOW, &der))
        assert_memory_equal(tsk_buf_at(&der), "some DER", 8);
    tsk_buf_free(&der);
    tsk_revcache_unref(c);
    c = tsk_revcache_open(dir, NULL);
    if (c != NULL)
        tsk_crls_unref(tsk_revcache_crls(c, URL, NOW));
    tsk_revcache_unref(c);
}

static void without_memory_less_is_kept(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL,
                                            FAULT_REFUSED};
    const char *dir = stash_dir();

    (void)state;
    stash_now = NOW;
    use_all(dir);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        int hit = 1;

        for (long n = 1; hit && n < 20000; n++) {
            fault_arm(kinds[i], n, 1);
            use_all(dir);
            hit = fault_disarm();
            assert_int_equal(ERR_peek_error(), 0);
        }
        assert_int_equal(hit, 0);
    }
    assert_int_equal(stash_files(dir, NULL), 2); /* nothing aside */
}

static void no_memory_to_open_is_told(void **state)
{
    tlsock_error err = {0};
    int hit = 1;

    (void)state;
    for (long n = 1; hit; n++) {
        struct tsk_revcache *c;

        fault_arm(FAULT_OWN, n, 1);
        c = tsk_revcache_open(stash_dir(), &err);
        hit = fault_disarm();
        assert_int_equal(c == NULL, hit);
        if (hit)
            assert_code(err.code, TLSOCK_E_NOMEM);
        tsk_revcache_unref(c);
    }
}

static int64_t at_ms;

static int64_t by_hand(void)
{
    return at_ms;
}

static void who_gave_no_answer_is_avoided_for_a_while(void **state)
{
    struct tsk_revcache *c = tsk_revcache_open(NULL, NULL);
    uint8_t key[32] = {7}, other[32] = {8};

    (void)state;
    assert_non_null(c);
    at_ms = 1000;
    tsk_clock_monotonic = by_hand;
    assert_int_equal(tsk_revcache_avoids(c, key), 0);
    tsk_revcache_avoid(c, key);
    assert_int_equal(tsk_revcache_avoids(c, key), 1);
    assert_int_equal(tsk_revcache_avoids(c, other), 0);
    at_ms += TSK_CACHE_AVOID_MS - 1;
    assert_int_equal(tsk_revcache_avoids(c, key), 1);
    at_ms += 1;
    assert_int_equal(tsk_revcache_avoids(c, key), 0);
    tsk_revcache_avoid(c, key); /* once more, from now on */
    assert_int_equal(tsk_revcache_avoids(c, key), 1);
    for (int i = 0; i < TSK_CACHE_AVOIDED; i++) { /* the oldest one goes */
        other[1] = (uint8_t)(i >> 8);
        other[2] = (uint8_t)i;
        tsk_revcache_avoid(c, other);
    }
    assert_int_equal(tsk_revcache_avoids(c, key), 0);
    assert_int_equal(tsk_revcache_avoids(c, other), 1);
    tsk_clock_monotonic = NULL;
    tsk_revcache_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_found_while_they_are_fresh),
        cmocka_unit_test(the_later_verdict_stands),
        cmocka_unit_test(verdicts_are_bounded_and_the_unused_go),
        cmocka_unit_test(lists_are_found_while_they_are_fresh),
        cmocka_unit_test(without_a_directory_lists_are_in_memory_alone),
        cmocka_unit_test(a_list_that_is_used_outlives_the_cache),
        cmocka_unit_test(lists_in_memory_are_bounded),
        cmocka_unit_test(responses_are_found_while_they_are_fresh),
        cmocka_unit_test(another_time_than_the_clocks_removes_nothing),
        cmocka_unit_test(what_is_no_response_is_not_kept),
        cmocka_unit_test(who_gave_no_answer_is_avoided_for_a_while),
        cmocka_unit_test(a_directory_has_one_cache_whatever_its_name),
        cmocka_unit_test(what_is_no_directory_of_ours_is_told),
        cmocka_unit_test(without_memory_less_is_kept),
        cmocka_unit_test(no_memory_to_open_is_told),
    };

    fault_init();
    return cmocka_run_group_tests_name("cache", tests, stash_setup,
                                       stash_teardown);
}
