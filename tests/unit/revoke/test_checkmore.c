/* A check of certificates that the library itself does not make: deltas, those
 * that are never revoked, chains without end; and what a cache on disk tells a
 * process that comes later. */
#include "lists.h"

#include "core/clock.h"
#include "dir.h"
#include "fault.h"
#include "revoke/check.h"

#include <unistd.h>

#define BASE "http://a.test/crl"
#define DELTA "http://a.test/delta"

static int64_t clock_of_tests(void)
{
    return LISTS_NOW;
}

struct world {
    X509 *root, *leaf;
    STACK_OF(X509) * chain;
    unsigned char *base, *delta; /* NULL: it is not to be had */
    int base_len, delta_len, fetches;
};

static X509 *root_made(void)
{
    return pki_make(&(struct pki_spec){
        .cn = "Root CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT});
}

static void world_make(struct world *w, const char *more, const char *points)
{
    memset(w, 0, sizeof(*w));
    w->root = root_made();
    w->leaf = lists_cert(&(struct pki_spec){.cn = "a.test",
                                            .san = "DNS:a.test",
                                            .key = KEY_LEAF,
                                            .more = more,
                                            .issuer = w->root,
                                            .issuer_key = KEY_ROOT},
                         points);
    w->chain = sk_X509_new_null();
    sk_X509_push(w->chain, w->leaf);
    sk_X509_push(w->chain, w->root);
}

static void world_free(struct world *w)
{
    sk_X509_free(w->chain);
    X509_free(w->leaf);
    X509_free(w->root);
    OPENSSL_free(w->base);
    OPENSSL_free(w->delta);
}

static int play(struct world *w, struct tsk_check *k, tlsock_error *err)
{
    tlsock_fetch f = {.size = sizeof(f)};
    int rc;

    w->fetches = 0;
    while ((rc = tsk_check_next(k, &f, err)) == 1) {
        int base = strcmp(f.url, BASE) == 0;

        assert_true(base || strcmp(f.url, DELTA) == 0);
        assert_true(++w->fetches < 5);
        rc = tsk_check_answer(k, f.id, base ? w->base : w->delta,
                              (size_t)(base ? w->base_len : w->delta_len), NULL,
                              err);
        if (rc < 0)
            return rc;
    }
    return rc;
}

/* The verdict, or a code that is none. */
static int ask(struct world *w, struct tsk_revcache *cache, tlsock_error *err)
{
    struct tsk_check_rules r = {
        .crl = 1, .whole = 1, .cache = cache, .now = LISTS_NOW};
    struct tsk_check *k = tsk_check_new(&r, w->chain, NULL, err);
    int64_t until;
    char how[128];
    int rc;

    if (k == NULL)
        return err->code;
    rc = play(w, k, err);
    if (rc == 0)
        rc = tsk_check_verdict(k, how, &until, err);
    tsk_check_free(k);
    return rc;
}

enum says { NOBODY, NOTHING, GONE, NOISE };

static const struct {
    const char *claim;
    enum says base, delta;
    int want, fetches, again; /* again: by a process that comes later */
} rows[] = {
    {"a delta that is newer counts", NOTHING, GONE, TLSOCK_E_REVOKED, 2, 0},
    {"a delta without news", NOTHING, NOTHING, 0, 2, 0},
    {"without its delta the list counts", NOTHING, NOBODY, 0, 2, 1},
    {"a delta of noise is none", NOTHING, NOISE, 0, 2, 1},
    {"on the list: no delta is asked for", GONE, NOTHING, TLSOCK_E_REVOKED, 1,
     0},
    {"a delta alone is not asked for", NOBODY, GONE,
     TLSOCK_E_REVOCATION_UNKNOWN, 1, 1},
};

static unsigned char *list(const struct world *w, enum says says, int base,
                           int *len)
{
    struct list_spec s = {.by = w->root,
                          .key = KEY_ROOT,
                          .number = base ? 6 : 5,
                          .base = base,
                          .keyid = 1};

    if (says == NOBODY)
        return NULL;
    if (says == GONE)
        s.entries[0] = (struct list_entry){.who = w->leaf, .reason = 1};
    if (says != NOISE)
        return lists_der(&s, len);
    *len = 64;
    return OPENSSL_zalloc(64);
}

static void publish(struct world *w, size_t i)
{
    world_make(w, "freshestCRL=URI:" DELTA, "p_a");
    w->base = list(w, rows[i].base, 0, &w->base_len);
    w->delta = list(w, rows[i].delta, 5, &w->delta_len);
}

static void a_delta_is_asked_for_behind_its_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err = {0};
        struct world w;
        int rc;

        publish(&w, i);
        rc = ask(&w, NULL, &err);
        if (rc != rows[i].want || w.fetches != rows[i].fetches)
            fail_msg("%s: %s, %d fetches: %s", rows[i].claim,
                     tlsock_errname(rc), w.fetches, err.message);
        world_free(&w);
    }
}

static void a_later_process_has_the_lists_from_disk(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char dir[] = "/tmp/tlsock-check-XXXXXX";
        struct world w;

        assert_non_null(mkdtemp(dir));
        publish(&w, i);
        for (int turn = 0; turn < 2; turn++) {
            struct tsk_revcache *cache = tsk_revcache_open(dir, NULL);
            tlsock_error err = {0};
            int rc;

            assert_non_null(cache);
            rc = ask(&w, cache, &err);
            tsk_revcache_unref(cache);
            if (rc != rows[i].want ||
                w.fetches != (turn ? rows[i].again : rows[i].fetches))
                fail_msg("%s, turn %d: %s, %d fetches: %s", rows[i].claim, turn,
                         tlsock_errname(rc), w.fetches, err.message);
        }
        world_free(&w);
        dir_remove(dir);
    }
}

/* RFC 9608 */
static void who_is_never_revoked_is_not_asked_about(void **state)
{
    tlsock_error err = {0};
    struct world w;

    (void)state;
    world_make(&w, "2.5.29.56=DER:0500", "p_a");
    assert_code(ask(&w, NULL, &err), 0);
    assert_int_equal(w.fetches, 0);
    world_free(&w);
}

static void a_chain_without_end_is_not_asked_about(void **state)
{
    tlsock_error err = {0};
    struct world w;

    (void)state;
    world_make(&w, NULL, "p_a");
    while (sk_X509_num(w.chain) < TSK_CHECK_CERTS + 2)
        sk_X509_push(w.chain, w.root);
    assert_code(ask(&w, NULL, &err), TLSOCK_E_REVOCATION_UNKNOWN);
    assert_tells(err.message, "more than 16");
    world_free(&w);
}

/* Of either kind: no crash, no leak, and nobody who is on a list gets by. */
static void no_failed_allocation_hides_a_delta(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL,
                                            FAULT_REFUSED};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct world w;
        long n = 0;
        int fired = 1;

        publish(&w, 0);
        while (fired) {
            tlsock_error err = {0};
            int rc;

            fault_arm(kinds[i], ++n, 0);
            rc = ask(&w, NULL, &err);
            fired = fault_disarm();
            /* not decoded is noise, and a delta of noise is none */
            if (rc == 0 && strncmp(fault_refused(), "d2i_", 4) != 0)
                fail_msg("%s %ld (%s): good", fault_name(kinds[i]), n,
                         fault_refused());
            if (!fired)
                assert_code(rc, TLSOCK_E_REVOKED);
        }
        assert_true(n > 3 || !fault_is_there(kinds[i]));
        world_free(&w);
    }
}

static int set_up(void **state)
{
    (void)state;
    tsk_clock_wall = clock_of_tests;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tsk_clock_wall = NULL;
    pki_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delta_is_asked_for_behind_its_list),
        cmocka_unit_test(a_later_process_has_the_lists_from_disk),
        cmocka_unit_test(who_is_never_revoked_is_not_asked_about),
        cmocka_unit_test(a_chain_without_end_is_not_asked_about),
        cmocka_unit_test(no_failed_allocation_hides_a_delta),
    };

    fault_init();
    return cmocka_run_group_tests_name("checkmore", tests, set_up, tear_down);
}
