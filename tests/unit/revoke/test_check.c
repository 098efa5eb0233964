#include "test.h"

#include "cert/cert.h"
#include "dir.h"
#include "fault.h"
#include "net.h"
#include "revoke/check.h"

#include <limits.h>
#include <time.h>
#include <unistd.h>

#define WHOLE 1
#define CRL 2
#define OCSP 4
#define SOFT 8
#define FULL (WHOLE | CRL | OCSP)

static const struct row {
    const char *name;
    int rules;
    struct net says;
    int want, fetches;
    const char *tells; /* of how, or of the message */
} rows[] = {
    /* lists of the whole chain */
    {"both lists are good", WHOLE | CRL, {NET_GOOD, NET_NONE, NET_GOOD, 0},
     0, 2, "good by CRL, as of"},
    {"the leaf is on its list", WHOLE | CRL,
     {NET_REVOKED, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOKED, -1,
     "a.test"},
    {"the intermediate is on its list", WHOLE | CRL,
     {NET_GOOD, NET_NONE, NET_REVOKED, NET_NONE}, TLSOCK_E_REVOKED, 2,
     "Net Inter"},
    {"a list is overdue", WHOLE | CRL,
     {NET_OLD, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN, 2,
     "a.test"},
    {"a list is forged", WHOLE | CRL,
     {NET_FORGED, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN,
     2, "a.test"},
    {"a list is noise", WHOLE | CRL,
     {NET_GARBAGE, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN,
     2, "http://net/leaf.crl"},
    {"nobody has the list", WHOLE | CRL,
     {NET_DOWN, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN, 2,
     "http://net/leaf.crl"},
    {"no list is named", WHOLE | CRL,
     {NET_NONE, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN, 1,
     "names no list"},
    {"no responder is asked where lists are wanted", WHOLE | CRL,
     {NET_DOWN, NET_GOOD, NET_GOOD, NET_GOOD}, TLSOCK_E_REVOCATION_UNKNOWN, 2,
     "http://net/leaf.crl"},
    {"soft: nobody has the list", WHOLE | CRL | SOFT,
     {NET_DOWN, NET_NONE, NET_GOOD, NET_NONE}, 0, 2, "not checked: "},
    {"soft: the leaf is on its list all the same", WHOLE | CRL | SOFT,
     {NET_REVOKED, NET_NONE, NET_DOWN, NET_NONE}, TLSOCK_E_REVOKED, -1,
     "a.test"},
    /* a responder about the leaf */
    {"the responder says good", OCSP,
     {NET_NONE, NET_GOOD, NET_NONE, NET_NONE}, 0, 1, "good by OCSP, as of"},
    {"the responder says revoked", OCSP,
     {NET_NONE, NET_REVOKED, NET_NONE, NET_NONE}, TLSOCK_E_REVOKED, 1,
     "a.test"},
    {"its answer is old: GET, then POST", OCSP,
     {NET_NONE, NET_OLD, NET_NONE, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN, 2,
     "expired"},
    {"its answer is forged", OCSP,
     {NET_NONE, NET_FORGED, NET_NONE, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN,
     2, "OCSP response of http://net/leaf.ocsp"},
    {"its answer is noise", OCSP,
     {NET_NONE, NET_GARBAGE, NET_NONE, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN,
     2, "OCSP response of http://net/leaf.ocsp"},
    {"it is down: it is asked once", OCSP,
     {NET_NONE, NET_DOWN, NET_NONE, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN, 1,
     "down"},
    {"no list is asked where a responder is wanted", OCSP,
     {NET_REVOKED, NET_GOOD, NET_REVOKED, NET_NONE}, 0, 1, "good by OCSP"},
    {"there is no responder", OCSP,
     {NET_GOOD, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOCATION_UNKNOWN, 0,
     "names no list and no responder"},
    {"soft: it is down", OCSP | SOFT,
     {NET_NONE, NET_DOWN, NET_NONE, NET_NONE}, 0, 1, "not checked: "},
    /* both, lists first */
    {"lists spare the responders", FULL,
     {NET_GOOD, NET_REVOKED, NET_GOOD, NET_REVOKED}, 0, 2, "good by CRL"},
    {"responders where lists are down", FULL,
     {NET_DOWN, NET_GOOD, NET_DOWN, NET_GOOD}, 0, 4, "good by OCSP"},
    {"a responder where the list is forged", FULL,
     {NET_FORGED, NET_GOOD, NET_GOOD, NET_NONE}, 0, 3, "good by OCSP"},
    {"the responder knows better than a list that is old", FULL,
     {NET_OLD, NET_REVOKED, NET_GOOD, NET_NONE}, TLSOCK_E_REVOKED, -1,
     "a.test"},
    {"the intermediate has a responder alone", FULL,
     {NET_GOOD, NET_NONE, NET_NONE, NET_REVOKED}, TLSOCK_E_REVOKED, 2,
     "Net Inter"},
    {"nobody knows anything, and a dead host is asked once", FULL,
     {NET_DOWN, NET_DOWN, NET_DOWN, NET_DOWN}, TLSOCK_E_REVOCATION_UNKNOWN, 2,
     "a.test"},
};

struct world {
    struct net_pki pki;
    STACK_OF(X509) * chain;
    const struct net *says;
    struct tsk_crls *given; /* a list that is there already, or NULL */
    int fetches;
};

static void world_make(struct world *w, const struct net *says)
{
    memset(w, 0, sizeof(*w));
    net_make(&w->pki, "http://net", says);
    w->says = says;
    w->chain = sk_X509_new_null();
    sk_X509_push(w->chain, w->pki.leaf->leaf);
    sk_X509_push(w->chain, w->pki.inter->leaf);
    sk_X509_push(w->chain, w->pki.root->leaf);
}

static void world_free(struct world *w)
{
    sk_X509_free(w->chain);
    net_free(&w->pki);
}

static struct tsk_check *begin(struct world *w, int rules,
                               struct tsk_revcache *cache, tlsock_error *err)
{
    struct tsk_check_rules r = {.whole = (rules & WHOLE) != 0,
                                .crl = (rules & CRL) != 0,
                                .ocsp = (rules & OCSP) != 0,
                                .soft = (rules & SOFT) != 0,
                                .lists = &w->given,
                                .n_lists = w->given != NULL,
                                .cache = cache,
                                .now = time(NULL)};

    return tsk_check_new(&r, w->chain, NULL, err);
}

/* All requests go to the world: 0, or a code that is no verdict. */
static int play(struct world *w, struct tsk_check *k, tlsock_error *err)
{
    tlsock_fetch f = {.size = sizeof(f)};
    tlsock_error down = {0};
    int rc;

    while ((rc = tsk_check_next(k, &f, err)) == 1) {
        unsigned char *data;
        size_t len;

        w->fetches++;
        assert_true(w->fetches < 20);
        assert_int_equal(strncmp(f.url, "http://net/", 11), 0);
        assert_int_equal(f.body != NULL, strcmp(f.method, "POST") == 0);
        fault_hold(1); /* the network has memory */
        data = net_answer(&w->pki, w->says, f.url + 10, f.body, f.body_len,
                          &len);
        fault_hold(0);
        /* no list there; nobody to talk to, on the same host */
        down.code = strstr(f.url, ".crl") != NULL ? TLSOCK_E_PROTOCOL
                                                  : TLSOCK_E_CONNECT;
        snprintf(down.message, sizeof(down.message), "%s is down", f.url);
        rc = tsk_check_answer(k, f.id, data, len, &down, err);
        free(data);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static void each_world_gets_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        tlsock_error err = {0};
        struct tsk_check *k;
        struct world w;
        char how[128];
        int64_t until;
        int rc;

        world_make(&w, &row->says);
        k = begin(&w, row->rules, NULL, &err);
        assert_non_null(k);
        assert_int_equal(play(&w, k, &err), 0);
        rc = tsk_check_verdict(k, how, &until, &err);
        if (rc != row->want)
            fail_msg("%s: %s, not %s: %s %s", row->name, tlsock_errname(rc),
                     tlsock_errname(row->want), err.message, how);
        if (row->fetches >= 0 && w.fetches != row->fetches)
            fail_msg("%s: %d fetches, not %d", row->name, w.fetches,
                     row->fetches);
        if (strstr(rc == 0 ? how : err.message, row->tells) == NULL)
            fail_msg("%s: \"%s\" does not tell \"%s\"", row->name,
                     rc == 0 ? how : err.message, row->tells);
        assert_int_equal(rc == 0 || err.hint[0] != '\0', 1);
        tsk_check_free(k);
        world_free(&w);
    }
}

static void what_is_cached_is_not_fetched_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct tsk_revcache *cache = tsk_revcache_open(NULL, NULL);
        tlsock_error err = {0};
        struct world w;
        char how[128];
        int64_t until;
        int rc[2];

        assert_non_null(cache);
        world_make(&w, &row->says);
        for (int turn = 0; turn < 2; turn++) {
            struct tsk_check *k = begin(&w, row->rules, cache, &err);

            w.fetches = 0;
            assert_int_equal(play(&w, k, &err), 0);
            rc[turn] = tsk_check_verdict(k, how, &until, &err);
            tsk_check_free(k);
        }
        if (rc[0] != row->want || rc[1] != row->want)
            fail_msg("%s: %s, then %s", row->name, tlsock_errname(rc[0]),
                     tlsock_errname(rc[1]));
        if (row->want == 0 && (row->rules & SOFT) == 0 && w.fetches != 0)
            fail_msg("%s: %d fetches the second time", row->name, w.fetches);
        world_free(&w);
        tsk_revcache_unref(cache);
    }
}

/* Verdicts are in memory alone; lists and responses are judged again. Sources
 * that were down are asked anew: they may be up by then. */
static void a_later_process_has_from_disk_what_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        char dir[] = "/tmp/tlsock-check-XXXXXX", how[128];
        int down = (row->says.leaf_list == NET_DOWN) +
                   (row->says.inter_list == NET_DOWN) +
                   (row->says.leaf_list == NET_FORGED);
        int64_t until;
        struct world w;

        assert_non_null(mkdtemp(dir));
        world_make(&w, &row->says);
        for (int turn = 0; turn < 2; turn++) {
            struct tsk_revcache *cache = tsk_revcache_open(dir, NULL);
            tlsock_error err = {0};
            struct tsk_check *k = begin(&w, row->rules, cache, &err);

            w.fetches = 0;
            assert_int_equal(play(&w, k, &err), 0);
            if (tsk_check_verdict(k, how, &until, &err) != row->want)
                fail_msg("%s, turn %d: %s", row->name, turn, err.message);
            tsk_check_free(k);
            tsk_revcache_unref(cache);
        }
        if (row->want == 0 && (row->rules & SOFT) == 0 && w.fetches != down)
            fail_msg("%s: %d fetches the second time", row->name, w.fetches);
        world_free(&w);
        dir_remove(dir);
    }
}

static const struct net all_good = {NET_GOOD, NET_GOOD, NET_GOOD, NET_GOOD};

static void a_staple_spares_the_leafs_requests(void **state)
{
    struct tsk_status st = {.state = TSK_GOOD, .by = TSK_BY_STAPLE};
    tlsock_error err = {0};
    struct tsk_check *k;
    struct world w;
    char how[128];
    int64_t until;

    (void)state;
    world_make(&w, &all_good);
    st.as_of = st.until = time(NULL);
    k = begin(&w, FULL, NULL, &err);
    assert_int_equal(tsk_check_look(k, &err), 1);
    tsk_check_told(k, &st);
    assert_int_equal(play(&w, k, &err), 0);
    assert_int_equal(w.fetches, 1);
    assert_code(tsk_check_verdict(k, how, &until, &err), 0);
    assert_tells(how, "staple");
    tsk_check_free(k);
    world_free(&w);
}

static void only_open_requests_are_answered(void **state)
{
    tlsock_fetch f = {.size = sizeof(f)};
    tlsock_error err = {0};
    struct tsk_check *k;
    struct world w;
    char how[128];
    int64_t until;

    (void)state;
    world_make(&w, &all_good);
    k = begin(&w, FULL, NULL, &err);
    assert_code(tsk_check_answer(k, 1, "x", 1, NULL, &err),
                TLSOCK_E_ARGUMENT);
    assert_int_equal(tsk_check_next(k, &f, &err), 1);
    assert_code(tsk_check_verdict(k, how, &until, &err), TLSOCK_AGAIN);
    assert_code(tsk_check_answer(k, 0, "x", 1, NULL, &err),
                TLSOCK_E_ARGUMENT);
    assert_code(tsk_check_answer(k, 99, "x", 1, NULL, &err),
                TLSOCK_E_ARGUMENT);
    assert_code(tsk_check_answer(k, f.id, NULL, 0, NULL, &err), 0);
    assert_code(tsk_check_answer(k, f.id, "x", 1, NULL, &err),
                TLSOCK_E_ARGUMENT);
    tsk_check_free(k);
    tsk_check_free(NULL);
    world_free(&w);
}

/* A check and its verdict, with the n-th of a kind failing. 1: it has. */
static int once(struct world *w, const struct row *row,
                struct tsk_revcache *cache, enum fault_kind kind, long n,
                int *rc, tlsock_error *err)
{
    struct tsk_check *k;
    char how[128];
    int64_t until;
    int fired;

    w->fetches = 0;
    *rc = TLSOCK_E_NOMEM;
    fault_arm(kind, n, 0);
    k = begin(w, row->rules, cache, err);
    if (k != NULL) {
        *rc = play(w, k, err);
        if (*rc == 0)
            *rc = tsk_check_verdict(k, how, &until, err);
    }
    fired = fault_disarm();
    tsk_check_free(k);
    return fired;
}

/* Each allocation fails, and each call of OpenSSL: no crash, no leak, no false
 * "good"; nor does the cache learn one. dir: where another process has kept
 * what it fetched, or NULL. */
static void each_of(struct world *w, const struct row *row, const char *dir,
                    enum fault_kind kind)
{
    char what[128];
    int fired = 1, rc;
    long n, stride = 1;

    /* of OpenSSL's many allocations some; where the network is not asked, all */
    if (kind == FAULT_OPENSSL && dir == NULL && w->given == NULL)
        stride = 13;
    for (n = 1; fired; n += n > 20 ? stride : 1) {
        struct tsk_revcache *cache = tsk_revcache_open(dir, NULL);
        tlsock_error err = {0};

        assert_non_null(cache);
        fired = once(w, row, cache, kind, n, &rc, &err);
        if (rc == 0)
            fail_msg("%s, %s %ld (%s): good", row->name, fault_name(kind), n,
                     fault_refused());
        if (!fired)
            assert_code(rc, row->want);
        snprintf(what, sizeof(what), "%s %ld (%s)", fault_name(kind), n,
                 fault_refused());
        (void)once(w, row, cache, kind, LONG_MAX, &rc, &err);
        /* what is refused may say that a list is damaged, which is kept */
        if (rc != row->want && kind != FAULT_REFUSED)
            fail_msg("%s, behind %s: %s: %s", row->name, what,
                     tlsock_errname(rc), err.message);
        tsk_revcache_unref(cache);
    }
    assert_true(n > 3 || !fault_is_there(kind));
}

static struct tsk_crls *list_of_leaf(struct world *w)
{
    size_t len;
    unsigned char *der =
        net_answer(&w->pki, w->says, "/leaf.crl", NULL, 0, &len);
    struct tsk_crls *l;

    assert_non_null(der);
    l = tsk_crls_parse(der, len, "given", NULL);
    assert_non_null(l);
    free(der);
    return l;
}

static void what_fails_is_no_verdict(void **state)
{
    static const struct row faulty[] = {
        {"both know of the leaf", FULL,
         {NET_REVOKED, NET_REVOKED, NET_GOOD, NET_GOOD}, TLSOCK_E_REVOKED, 0,
         ""},
        {"a list knows", WHOLE | CRL,
         {NET_REVOKED, NET_NONE, NET_GOOD, NET_NONE}, TLSOCK_E_REVOKED, 0, ""},
        {"a responder knows", OCSP, {NET_NONE, NET_REVOKED, NET_NONE, NET_NONE},
         TLSOCK_E_REVOKED, 0, ""},
        {"the list of the issuer knows", WHOLE | CRL,
         {NET_GOOD, NET_NONE, NET_REVOKED, NET_NONE}, TLSOCK_E_REVOKED, 0, ""},
        {"nobody knows", FULL, {NET_FORGED, NET_OLD, NET_OLD, NET_NONE},
         TLSOCK_E_REVOCATION_UNKNOWN, 0, ""},
    };
    static const enum fault_kind kinds[] = {FAULT_OWN, FAULT_OPENSSL,
                                            FAULT_REFUSED};

    (void)state;
    for (size_t i = 0; i < COUNT(faulty); i++) {
        char dir[] = "/tmp/tlsock-check-XXXXXX";
        struct world w;

        world_make(&w, &faulty[i].says);
        assert_non_null(mkdtemp(dir));
        for (size_t k = 0; k < COUNT(kinds); k++) {
            each_of(&w, &faulty[i], NULL, kinds[k]);
            if (i == 1) /* the first one fills it */
                each_of(&w, &faulty[i], dir, kinds[k]);
            w.given = i == 1 ? list_of_leaf(&w) : NULL;
            if (w.given != NULL)
                each_of(&w, &faulty[i], NULL, kinds[k]);
            tsk_crls_unref(w.given);
            w.given = NULL;
        }
        dir_remove(dir);
        world_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_world_gets_its_verdict),
        cmocka_unit_test(what_is_cached_is_not_fetched_again),
        cmocka_unit_test(a_later_process_has_from_disk_what_counts),
        cmocka_unit_test(a_staple_spares_the_leafs_requests),
        cmocka_unit_test(only_open_requests_are_answered),
        cmocka_unit_test(what_fails_is_no_verdict),
    };

    fault_init();
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
