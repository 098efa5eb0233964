/* Other paths than the first, and how much is done to find them. */
#include "pki.h"

#include "fault.h"
#include "verify/chain.h"
#include "verify/policy.h"

#include <time.h>

enum { MOST = 700 };

static X509 *root, *other, *leaf;
static X509 *by_root, *by_other, *old, *limited, *for_clients;

static X509 *inter_of(X509 *by, enum pki_key by_key, const char *more,
                      const char *eku, int to_days)
{
    return pki_make(&(struct pki_spec){.cn = "Inter CA",
                                       .bc = PKI_CA_BC,
                                       .ku = PKI_CA_KU,
                                       .eku = eku,
                                       .more = more,
                                       .key = KEY_INTER,
                                       .from_days = -20,
                                       .to_days = to_days,
                                       .issuer = by,
                                       .issuer_key = by_key});
}

static X509 *root_of(const char *cn, enum pki_key key)
{
    return pki_make(&(struct pki_spec){
        .cn = cn, .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = key});
}

static int setup(void **state)
{
    (void)state;
    root = root_of("Root CA", KEY_ROOT);
    other = root_of("Other Root", KEY_OTHER);
    by_root = inter_of(root, KEY_ROOT, NULL, NULL, 30);
    by_other = inter_of(other, KEY_OTHER, NULL, NULL, 60);
    old = inter_of(root, KEY_ROOT, NULL, NULL, -1);
    limited =
        inter_of(root, KEY_ROOT,
                 "nameConstraints=critical,permitted;DNS:b.test", NULL, 50);
    for_clients = inter_of(root, KEY_ROOT, NULL, "clientAuth", 50);
    leaf = pki_make(&(struct pki_spec){.cn = "Leaf",
                                       .san = "DNS:a.test",
                                       .bc = PKI_LEAF_BC,
                                       .ku = "critical,digitalSignature",
                                       .eku = "serverAuth",
                                       .key = KEY_LEAF,
                                       .from_days = -1,
                                       .to_days = 10,
                                       .issuer = by_root,
                                       .issuer_key = KEY_INTER});
    return 0;
}

static int teardown(void **state)
{
    X509 *all[] = {root,     other, leaf,    by_root,
                   by_other, old,   limited, for_clients};

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++)
        X509_free(all[i]);
    pki_free();
    return 0;
}

static int judge(X509 *const *sent, size_t n, X509 *const *anchors, size_t m,
                 struct tsk_chain_run *run, STACK_OF(X509) * *chain)
{
    static const struct tsk_verify_req req = {.partial_chain = 1};
    STACK_OF(X509) *untrusted = pki_stack(sent, n);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    tlsock_error err = {0};
    int rc;

    if (run->req == NULL)
        run->req = &req;
    for (size_t i = 0; i < m && anchors[i] != NULL; i++)
        X509_STORE_add_cert(store, anchors[i]);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, untrusted), 1);
    rc = tsk_chain_verify(ctx, run, &err);
    assert_int_equal(rc == 0, X509_STORE_CTX_get_error(ctx) == X509_V_OK);
    if (rc != 0)
        assert_true(err.code == rc && err.hint[0] != '\0');
    if (chain != NULL)
        *chain = X509_STORE_CTX_get1_chain(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_free(untrusted);
    return rc;
}

struct row {
    const char *claim;
    X509 **sent[4], **anchors[3];
    X509 **through; /* the intermediate of the good path; NULL: none */
};

static const struct row rows[] = {
    {"one path", {&by_root}, {&root}, &by_root},
    {"cross-signed by an unknown root, first",
     {&by_other, &by_root},
     {&root},
     &by_root},
    {"cross-signed by an unknown root, last",
     {&by_root, &by_other},
     {&root},
     &by_root},
    {"cross-signed, the unknown root was sent too",
     {&by_other, &other, &by_root},
     {&root},
     &by_root},
    {"an expired twin, first", {&old, &by_root}, {&root}, &by_root},
    {"an expired twin, last", {&by_root, &old}, {&root}, &by_root},
    {"a twin that may not sign the name",
     {&limited, &by_root},
     {&root},
     &by_root},
    {"a twin for another purpose", {&for_clients, &by_root}, {&root}, &by_root},
    {"all of them",
     {&limited, &for_clients, &by_other, &by_root},
     {&root},
     &by_root},
    {"both roots are trusted, one path is limited",
     {&limited, &by_other},
     {&root, &other},
     &by_other},
    {"an expired twin among the trusted ones",
     {&by_root},
     {&old, &root},
     &by_root},
    {"a limited twin among the trusted ones",
     {&by_root},
     {&limited, &root},
     &by_root},
    {"only the expired one", {&old}, {&root}, NULL},
    {"only the limited one", {&limited}, {&root}, NULL},
    {"none for servers", {&for_clients, &limited, &old}, {&root}, NULL},
    {"only unknown roots", {&by_other, &other}, {&root}, NULL},
    {"nobody is trusted", {&by_root, &by_other}, {NULL}, NULL},
};

static void another_path_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        X509 *sent[4] = {NULL}, *anchors[3] = {NULL};
        struct tsk_chain_run run = {0};
        STACK_OF(X509) *chain = NULL;
        int rc, through;

        for (size_t k = 0; k < 4 && r->sent[k] != NULL; k++)
            sent[k] = *r->sent[k];
        for (size_t k = 0; k < 3 && r->anchors[k] != NULL; k++)
            anchors[k] = *r->anchors[k];
        rc = judge(sent, 4, anchors, 3, &run, &chain);
        through = r->through != NULL && sk_X509_num(chain) == 3 &&
                  X509_cmp(sk_X509_value(chain, 1), *r->through) == 0;
        if ((rc == 0) != (r->through != NULL) || (rc == 0 && !through))
            fail_msg("%s: %s, %d certificates", r->claim, tlsock_errname(rc),
                     sk_X509_num(chain));
        sk_X509_pop_free(chain, X509_free);
    }
}

static void what_holds_by_every_path_is_not_searched(void **state)
{
    struct tsk_verify_req req = {.partial_chain = 1};
    struct tsk_chain_run run = {.req = &req};
    X509 *sent[] = {by_root, by_other};

    (void)state;
    req.time = (int64_t)time(NULL) + 20 * 86400; /* the leaf is expired */
    assert_int_equal(judge(sent, 2, &root, 1, &run, NULL), TLSOCK_E_EXPIRED);
    assert_int_equal(run.steps, 0);
}

static void the_last_second_is_within(void **state)
{
    struct tsk_verify_req req = {.partial_chain = 1};
    struct tsk_chain_run run = {.req = &req};
    X509 *own = leaf;
    struct tm tm;

    (void)state;
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm), 1);
    req.time = (int64_t)timegm(&tm);
    assert_int_equal(judge(NULL, 0, &own, 1, &run, NULL), TLSOCK_OK);
    assert_int_equal(run.forgiven, 0);
    req.time++;
    run = (struct tsk_chain_run){.req = &req};
    assert_int_equal(judge(NULL, 0, &own, 1, &run, NULL), TLSOCK_E_EXPIRED);
}

/* Two CAs that signed each other, sent both ways. */
static void a_loop_of_cas_ends(void **state)
{
    X509 *up = pki_make(&(struct pki_spec){.cn = "Other Root",
                                           .bc = PKI_CA_BC,
                                           .ku = PKI_CA_KU,
                                           .key = KEY_OTHER,
                                           .issuer = by_root,
                                           .issuer_key = KEY_INTER});
    X509 *again = inter_of(other, KEY_OTHER, NULL, NULL, 40);
    X509 *sent[] = {by_other, up, again}, *anchor = leaf;
    X509 *stranger = root_of("Nobody", KEY_WEAK);
    struct tsk_chain_run run = {0};

    (void)state;
    assert_int_equal(judge(sent, 3, &stranger, 1, &run, NULL),
                     TLSOCK_E_CHAIN_INCOMPLETE);
    assert_true(run.signatures <= 8);
    assert_int_equal(run.tries, 0);
    /* a twin of the leaf's name is not the leaf */
    X509_free(stranger);
    stranger = root_of("Leaf", KEY_OTHER);
    run = (struct tsk_chain_run){0};
    assert_true(judge(sent, 3, &stranger, 1, &run, NULL) < 0);
    assert_int_equal(judge(sent, 3, &anchor, 1, &run, NULL), 0);
    X509_free(stranger);
    X509_free(again);
    X509_free(up);
}

static void a_depth_beyond_reason_is_bounded(void **state)
{
    struct tsk_verify_req req = {.partial_chain = 1, .depth = 1000};
    struct tsk_chain_run run = {.req = &req};
    X509 *sent[] = {old, by_root};

    (void)state;
    assert_int_equal(judge(sent, 2, &root, 1, &run, NULL), TLSOCK_OK);
    run = (struct tsk_chain_run){.req = &req};
    assert_int_equal(judge(sent, 1, &root, 1, &run, NULL), TLSOCK_E_EXPIRED);
}

/* layers of CAs, each of which every one of the layer below is signed by */
static size_t mesh(X509 **sent, int layers, int width)
{
    size_t n = 0;

    for (int l = layers; l > 0; l--) {
        char cn[32];
        X509 *by = NULL;

        snprintf(cn, sizeof(cn), "%s%d", l == 1 ? "Inter CA" : "Layer ", l);
        if (l == 1)
            cn[8] = '\0';
        if (l < layers)
            by = sent[n - 1];
        for (int w = 0; w < width; w++)
            sent[n++] = pki_make(&(struct pki_spec){
                .cn = cn,
                .bc = PKI_CA_BC,
                .ku = PKI_CA_KU,
                .key = KEY_INTER,
                .issuer = l == layers ? root : by,
                .issuer_key = l == layers ? KEY_ROOT : KEY_INTER});
    }
    return n;
}

static void hostile_chains_cost_a_limited_amount(void **state)
{
    static const struct {
        int layers, width, end; /* 0: no anchor, 1: it is limited, 2: good */
    } shapes[] = {{1, 600, 0}, {1, 600, 1}, {6, 20, 0}, {6, 20, 1},
                  {3, 200, 0}, {3, 200, 1}, {8, 2, 2},  {9, 60, 1}};
    X509 *narrow = pki_make(&(struct pki_spec){
        .cn = "Root CA",
        .bc = PKI_CA_BC,
        .ku = PKI_CA_KU,
        .more = "nameConstraints=critical,permitted;DNS:b.test",
        .key = KEY_ROOT});

    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        X509 *sent[MOST];
        size_t n = mesh(sent, shapes[i].layers, shapes[i].width);
        X509 *anchor = shapes[i].end == 0   ? other
                       : shapes[i].end == 1 ? narrow
                                            : root;
        struct tsk_chain_run run = {0};
        int rc = judge(sent, n, &anchor, 1, &run, NULL);

        if ((rc == 0) != (shapes[i].end == 2) ||
            run.signatures > TSK_PATH_SIGNATURES ||
            run.tries > TSK_PATH_TRIES || run.steps > TSK_PATH_STEPS)
            fail_msg("%d x %d: %s, %u tries, %u signatures, %u steps",
                     shapes[i].layers, shapes[i].width, tlsock_errname(rc),
                     run.tries, run.signatures, run.steps);
        for (size_t k = 0; k < n; k++)
            X509_free(sent[k]);
    }
    X509_free(narrow);
}

/* Whatever cannot be had: no, or yes by the right path, never anything else. */
static void any_failed_allocation_is_a_no(void **state)
{
    X509 *sent[] = {by_other, by_root};
    enum fault_kind kind = FAULT_OPENSSL;

    (void)state;
    for (long n = 1;; n += 1 + n / 50) {
        struct tsk_chain_run run = {0};
        static const struct tsk_verify_req req = {.partial_chain = 1};
        STACK_OF(X509) *untrusted = pki_stack(sent, 2);
        X509_STORE *store = X509_STORE_new();
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        tlsock_error err = {0};
        int rc, hit;

        run.req = &req;
        X509_STORE_add_cert(store, root);
        X509_STORE_CTX_init(ctx, store, leaf, untrusted);
        fault_arm(kind, n, 1);
        rc = tsk_chain_verify(ctx, &run, &err);
        hit = fault_disarm();
        assert_true(rc == 0 || err.code == rc);
        assert_int_equal(rc == 0, X509_STORE_CTX_get_error(ctx) == X509_V_OK);
        X509_STORE_CTX_free(ctx);
        X509_STORE_free(store);
        sk_X509_free(untrusted);
        if (!hit) {
            assert_int_equal(rc, 0);
            assert_true(n > (kind == FAULT_OPENSSL ? 100 : 0));
            if (kind == FAULT_REFUSED)
                break;
            kind = FAULT_REFUSED;
            n = 0;
        }
    }
}

static void a_flood_of_policies_is_named(void **state)
{
    struct tsk_verify_req req = {.partial_chain = 1};
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509 *by = root, *x = NULL;
    struct tsk_chain_run run = {.req = &req};
    tlsock_error err = {0};

    (void)state;
    for (int i = 0; i < 6; i++) {
        CERTIFICATEPOLICIES *list = CERTIFICATEPOLICIES_new();
        char cn[16];

        snprintf(cn, sizeof(cn), "CA %d", i);
        x = pki_make(
            &(struct pki_spec){.cn = cn,
                               .bc = i < 5 ? PKI_CA_BC : PKI_LEAF_BC,
                               .ku = i < 5 ? PKI_CA_KU : NULL,
                               .key = KEY_INTER,
                               .issuer = by,
                               .issuer_key = i == 0 ? KEY_ROOT : KEY_INTER});
        for (int k = 0; k < 1000; k++) {
            POLICYINFO *info = POLICYINFO_new();
            char oid[32];

            snprintf(oid, sizeof(oid), "1.2.3.%d", k);
            info->policyid = OBJ_txt2obj(oid, 1);
            sk_POLICYINFO_push(list, info);
        }
        X509_add1_ext_i2d(x, NID_certificate_policies, list, 0, 0);
        CERTIFICATEPOLICIES_free(list);
        X509_sign(x, pki_key(i == 0 ? KEY_ROOT : KEY_INTER), EVP_sha256());
        sk_X509_push(untrusted, x);
        by = x;
    }
    X509_STORE_add_cert(store, root);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, x, untrusted), 1);
    assert_int_equal(tsk_chain_verify(ctx, &run, &err), TLSOCK_E_CERT_INVALID);
    assert_tells(err.message, "6000 policies");
    assert_true(err.hint[0] != '\0');
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_pop_free(untrusted, X509_free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_path_is_found),
        cmocka_unit_test(what_holds_by_every_path_is_not_searched),
        cmocka_unit_test(the_last_second_is_within),
        cmocka_unit_test(a_loop_of_cas_ends),
        cmocka_unit_test(a_depth_beyond_reason_is_bounded),
        cmocka_unit_test(hostile_chains_cost_a_limited_amount),
        cmocka_unit_test(any_failed_allocation_is_a_no),
        cmocka_unit_test(a_flood_of_policies_is_named),
    };

    fault_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
