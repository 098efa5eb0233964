/* A chain that was accepted is remembered; each twin of the question differs
 * in one thing, and is verified anew. */
#include "pki.h"

#include "core/clock.h"
#include "fault.h"
#include "verify/remember.h"

#include <openssl/pem.h>
#include <time.h>

static X509 *root, *inter, *leaf, *stranger, *other_leaf;
static struct tsk_crls *none_revoked, *leaf_revoked;
static struct tsk_allow *anybody, *others;
static struct tsk_pin right_pin, wrong_pin;
static int64_t skew_wall, skew_ms;

static int64_t wall(void)
{
    return (int64_t)time(NULL) + skew_wall;
}

static int64_t monotonic(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + skew_ms;
}

/* A list of inter's that has crt in it, or nobody. */
static struct tsk_crls *list_of(X509 *by, enum pki_key key, X509 *crt,
                                X509 *other)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct tsk_crls *got;
    tlsock_error err;
    char *text;
    long n;

    for (int i = 0; i < 2; i++) { /* one of each CA */
        X509_CRL *crl = X509_CRL_new();
        ASN1_TIME *t = ASN1_TIME_new();
        X509 *issuer = i == 0 ? by : other;

        X509_CRL_set_version(crl, 1);
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
        X509_CRL_set1_lastUpdate(crl, X509_time_adj_ex(t, -1, 0, NULL));
        X509_CRL_set1_nextUpdate(crl, X509_time_adj_ex(t, 7, 0, NULL));
        if (i == 0 && crt != NULL) {
            X509_REVOKED *r = X509_REVOKED_new();

            X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(crt));
            X509_REVOKED_set_revocationDate(r,
                                            X509_time_adj_ex(t, -1, 0, NULL));
            X509_CRL_add0_revoked(crl, r);
        }
        X509_CRL_sort(crl);
        X509_CRL_sign(crl, pki_key(i == 0 ? key : KEY_ROOT), EVP_sha256());
        PEM_write_bio_X509_CRL(bio, crl);
        ASN1_TIME_free(t);
        X509_CRL_free(crl);
    }
    n = BIO_get_mem_data(bio, &text);
    got = tsk_crls_parse(text, (size_t)n, "memory", &err);
    assert_non_null(got);
    BIO_free(bio);
    return got;
}

static X509 *leaf_of(const char *cn)
{
    return pki_make(&(struct pki_spec){.cn = cn,
                                       .san = "DNS:a.test,DNS:*.w.test",
                                       .bc = PKI_LEAF_BC,
                                       .ku = "critical,digitalSignature",
                                       .eku = "serverAuth,clientAuth",
                                       .key = KEY_LEAF,
                                       .issuer = inter,
                                       .issuer_key = KEY_INTER});
}

static int setup(void **state)
{
    unsigned n;

    (void)state;
    root = pki_make(&(struct pki_spec){
        .cn = "Root CA", .bc = PKI_CA_BC, .ku = PKI_CA_KU, .key = KEY_ROOT});
    stranger = pki_make(&(struct pki_spec){.cn = "Stranger CA",
                                           .bc = PKI_CA_BC,
                                           .ku = PKI_CA_KU,
                                           .key = KEY_OTHER});
    inter = pki_make(&(struct pki_spec){.cn = "Inter CA",
                                        .bc = PKI_CA_BC,
                                        .ku = PKI_CA_KU,
                                        .key = KEY_INTER,
                                        .issuer = root,
                                        .issuer_key = KEY_ROOT,
                                        .from_days = -1,
                                        .to_days = 20});
    leaf = leaf_of("Leaf");
    other_leaf = leaf_of("Other Leaf");
    none_revoked = list_of(inter, KEY_INTER, NULL, root);
    leaf_revoked = list_of(inter, KEY_INTER, leaf, root);
    anybody = tsk_allow_new(NULL, "any", NULL);
    others = tsk_allow_new(NULL, "dns:b.test", NULL);
    right_pin.algo = wrong_pin.algo = 0;
    assert_int_equal(
        tsk_pin_parse(&wrong_pin,
                      "sha256:00000000000000000000000000000000000000000000000"
                      "00000000000000000",
                      NULL),
        0);
    right_pin = wrong_pin;
    assert_int_equal(X509_digest(leaf, EVP_sha256(), right_pin.hash, &n), 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tsk_clock_wall = tsk_clock_monotonic = NULL;
    X509_free(root);
    X509_free(stranger);
    X509_free(inter);
    X509_free(leaf);
    X509_free(other_leaf);
    tsk_crls_unref(none_revoked);
    tsk_crls_unref(leaf_revoked);
    tsk_allow_unref(anybody);
    tsk_allow_unref(others);
    pki_free();
    return 0;
}

/* All that a question is made of. */
struct question {
    struct tsk_verify_req req;
    X509_STORE *store;
    STACK_OF(X509) * sent; /* references of its own, as libssl has them */
    struct tsk_crls *lists[1];
};

static X509 *again(X509 *x) /* the same bytes, as another connection has them */
{
    return X509_dup(x);
}

static void question_make(struct question *q)
{
    memset(q, 0, sizeof(*q));
    q->store = X509_STORE_new();
    X509_STORE_add_cert(q->store, root);
    q->sent = sk_X509_new_null();
    sk_X509_push(q->sent, again(leaf));
    sk_X509_push(q->sent, again(inter));
    q->req = (struct tsk_verify_req){.name = "a.test",
                                     .psl = 1,
                                     .purpose = TLSOCK_PURPOSE_SERVER,
                                     .signs = 1,
                                     .partial_chain = 1};
    q->lists[0] = none_revoked;
    q->req.lists = q->lists;
    q->req.n_lists = 1;
}

static void question_free(struct question *q)
{
    X509_STORE_free(q->store);
    sk_X509_pop_free(q->sent, X509_free);
}

static int ask(struct tsk_remember *r, struct question *q,
               struct tsk_verdict *verdict)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    tlsock_error err = {0};
    int rc;

    X509_STORE_CTX_init(ctx, q->store, sk_X509_value(q->sent, 0), q->sent);
    rc = tsk_remember_verify(r, ctx, &q->req, verdict, &err);
    assert_code(err.code, rc);
    if (rc == 0) {
        STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);

        assert_int_equal(X509_STORE_CTX_get_error(ctx), X509_V_OK);
        assert_int_equal(sk_X509_num(chain), 3);
        assert_ptr_equal(sk_X509_value(chain, 0), sk_X509_value(q->sent, 0));
        assert_ptr_equal(X509_STORE_CTX_get0_cert(ctx),
                         sk_X509_value(q->sent, 0));
        assert_int_equal(X509_cmp(sk_X509_value(chain, 2), root), 0);
    }
    X509_STORE_CTX_free(ctx);
    return rc;
}

static int any_name(void *arg, const char *name, X509_STORE_CTX *ctx,
                    tlsock_error *err)
{
    (void)arg;
    (void)name;
    (void)ctx;
    (void)err;
    return TLSOCK_OK;
}

static void same(struct question *q)
{
    (void)q;
}
static void other_name(struct question *q)
{
    q->req.name = "b.test";
}
static void wild_name(struct question *q)
{
    q->req.name = "x.w.test";
}
static void no_name(struct question *q)
{
    q->req.name = NULL;
}
static void scheme(struct question *q)
{
    q->req.scheme = "smtp";
}
static void no_psl(struct question *q)
{
    q->req.psl = 0;
}
static void purpose(struct question *q)
{
    q->req.purpose = TLSOCK_PURPOSE_CLIENT;
}
static void signs(struct question *q)
{
    q->req.signs = 0;
}
static void no_depth(struct question *q)
{
    q->req.depth = -1;
}
static void depth(struct question *q)
{
    q->req.depth = 3;
}
static void whole_chain(struct question *q)
{
    q->req.partial_chain = 0;
}
static void no_lists(struct question *q)
{
    q->req.check_crls = 0;
}
static void fine(struct question *q)
{
    q->req.unknown_is_fine = 1;
}
static void revoked(struct question *q)
{
    q->lists[0] = leaf_revoked;
}
static void insecure(struct question *q)
{
    q->req.insecure = TSK_INSECURE_NO_NAME;
}
static void at_a_time(struct question *q)
{
    q->req.time = wall();
}
static void hook(struct question *q)
{
    q->req.name_rule = any_name;
}
static void stored(struct question *q)
{
    q->req.stored = 1;
}
static void allowed(struct question *q)
{
    q->req.allow = anybody;
}
static void denied(struct question *q)
{
    q->req.allow = others;
}
static void pinned(struct question *q)
{
    q->req.pins = &right_pin;
    q->req.n_pins = 1;
    q->req.pin_mode = TSK_PIN_REQUIRE_CHAIN;
}
static void mispinned(struct question *q)
{
    pinned(q);
    q->req.pins = &wrong_pin;
}
static void twin_store(struct question *q)
{
    X509_STORE_free(q->store);
    q->store = X509_STORE_new();
    X509_STORE_add_cert(q->store, root);
}
static void other_store(struct question *q)
{
    X509_STORE_free(q->store);
    q->store = X509_STORE_new();
    X509_STORE_add_cert(q->store, stranger);
}
static void one_more(struct question *q)
{
    sk_X509_push(q->sent, again(stranger));
}
static void twice(struct question *q)
{
    sk_X509_push(q->sent, again(inter));
}
static void too_many(struct question *q)
{
    while (sk_X509_num(q->sent) <= TSK_REMEMBER_CERTS)
        sk_X509_push(q->sent, again(inter));
}
static void other_peer(struct question *q)
{
    X509_free(sk_X509_value(q->sent, 0));
    sk_X509_set(q->sent, 0, again(other_leaf));
}
static void no_issuer(struct question *q)
{
    X509_free(sk_X509_pop(q->sent));
}
static void with_lists(struct question *q)
{
    q->req.check_crls = 1;
}
static void nearly_over(struct question *q)
{
    (void)q;
    skew_ms = (TSK_REMEMBER_LIFE - 60) * 1000;
}
static void over(struct question *q)
{
    (void)q;
    skew_ms = TSK_REMEMBER_LIFE * 1000;
}
static void set_back(struct question *q)
{
    (void)q;
    skew_wall = -3600;
}
static void before_all(struct question *q)
{
    (void)q;
    skew_wall = -3 * 86400;
}
static void inter_expired(struct question *q)
{
    (void)q;
    skew_wall = 21 * 86400; /* the leaf has 30 days */
}

static const struct row {
    const char *claim;
    void (*first)(struct question *q); /* besides the plain question */
    void (*then)(struct question *q);
    int want, used;
} rows[] = {
    {"the same", NULL, same, 0, 1},
    {"the same with lists", with_lists, same, 0, 1},
    {"the same with pins", pinned, same, 0, 1},
    {"the same rules", allowed, same, 0, 1},
    {"the same without a name", no_name, same, 0, 1},
    {"four minutes later", NULL, nearly_over, 0, 1},
    {"five minutes later", NULL, over, 0, 0},
    {"the clock was set back", NULL, set_back, 0, 0},
    {"before it was valid", NULL, before_all, TLSOCK_E_NOT_YET_VALID, 0},
    {"a CA has expired", NULL, inter_expired, TLSOCK_E_EXPIRED, 0},
    {"a name that is not in it", NULL, other_name, TLSOCK_E_NAME_MISMATCH, 0},
    {"another name that is", NULL, wild_name, 0, 0},
    {"no name", NULL, no_name, 0, 0},
    {"a name after none", no_name, other_name, TLSOCK_E_NAME_MISMATCH, 0},
    {"other rules of names", NULL, scheme, 0, 0},
    {"without public suffixes", NULL, no_psl, 0, 0},
    {"another purpose", NULL, purpose, 0, 0},
    {"no signature", NULL, signs, 0, 0},
    {"no intermediates", NULL, no_depth, TLSOCK_E_CERT_INVALID, 0},
    {"three intermediates", NULL, depth, 0, 0},
    {"only whole chains", NULL, whole_chain, 0, 0},
    {"lists", NULL, with_lists, 0, 0},
    {"no lists", with_lists, no_lists, 0, 0},
    {"lists that need not know", with_lists, fine, 0, 0},
    {"revoked meanwhile", with_lists, revoked, TLSOCK_E_REVOKED, 1},
    {"a pin", NULL, pinned, 0, 0},
    {"a pin that does not fit", pinned, mispinned, TLSOCK_E_PIN, 0},
    {"rules", NULL, allowed, 0, 0},
    {"other rules", allowed, denied, TLSOCK_E_CLIENT_CERT_DENIED, 0},
    {"another store with the same root", NULL, twin_store, 0, 0},
    {"a store without it", NULL, other_store, TLSOCK_E_CHAIN_INCOMPLETE, 0},
    {"one more certificate", NULL, one_more, 0, 0},
    {"one of them twice", NULL, twice, 0, 0},
    {"more than are looked at", too_many, same, 0, 0},
    {"another leaf of the same key", NULL, other_peer, 0, 0},
    {"no issuer", NULL, no_issuer, TLSOCK_E_CHAIN_INCOMPLETE, 0},
    {"something is forgiven", NULL, insecure, 0, 0},
    {"something was forgiven", insecure, same, 0, 0},
    {"at a given time", NULL, at_a_time, 0, 0},
    {"at a given time, twice", at_a_time, same, 0, 0},
    {"a hook for names", NULL, hook, 0, 0},
    {"a hook for names, twice", hook, same, 0, 0},
    {"no peer sent it", NULL, stored, 0, 0},
    {"refused, twice", other_name, same, TLSOCK_E_NAME_MISMATCH, 0},
    {"refused, and now right", other_store, twin_store, 0, 0},
};

static void visit(const struct row *row)
{
    struct tsk_remember *r = tsk_remember_new();
    struct tsk_verdict first, then;
    struct question q, next;
    size_t kept, used;
    int rc;

    skew_wall = skew_ms = 0;
    tsk_clock_wall = wall;
    tsk_clock_monotonic = monotonic;
    question_make(&q);
    if (row->first != NULL)
        row->first(&q);
    rc = ask(r, &q, &first);
    question_make(&next); /* as it comes with the next connection */
    X509_STORE_free(next.store);
    X509_STORE_up_ref(q.store);
    next.store = q.store;
    if (row->first != NULL && row->first != too_many &&
        row->first != other_store)
        row->first(&next);
    if (row->first == too_many)
        too_many(&next);
    row->then(&next);
    rc = ask(r, &next, &then);
    tsk_remember_count(r, &kept, &used);
    if (rc != row->want || used != (size_t)row->used)
        fail_msg("%s: %s, used %zu times", row->claim, tlsock_errname(rc),
                 used);
    if (row->used && rc == 0) {
        assert_string_equal(then.verified, first.verified);
        assert_int_equal(then.expires, first.expires);
        assert_int_equal(then.crl_as_of, first.crl_as_of);
        assert_ptr_equal(sk_X509_value(q.sent, 0), sk_X509_value(next.sent, 0));
        assert_ptr_equal(sk_X509_value(q.sent, 1), sk_X509_value(next.sent, 1));
    }
    question_free(&next);
    question_free(&q);
    tsk_remember_free(r);
}

static void only_the_same_question_is_remembered(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        visit(&rows[i]);
}

/* Who was first goes first, but not what is in use. */
static void it_is_bounded(void **state)
{
    struct tsk_remember *r = tsk_remember_new();
    size_t kept, used;

    (void)state;
    skew_wall = skew_ms = 0;
    for (int i = 0; i <= TSK_REMEMBER_MOST; i++) {
        struct tsk_verdict v;
        struct question q;
        char name[32];

        question_make(&q);
        X509_STORE_free(q.store);
        q.store = X509_STORE_new();
        X509_STORE_add_cert(q.store, root);
        snprintf(name, sizeof(name), "n%d.w.test", i);
        q.req.name = name;
        assert_code(ask(r, &q, &v), 0);
        question_free(&q);
    }
    tsk_remember_count(r, &kept, &used);
    assert_int_equal(kept, TSK_REMEMBER_MOST);
    assert_int_equal(used, 0);
    tsk_remember_free(r);
}

static void none_is_verification_as_ever(void **state)
{
    struct tsk_verdict v;
    struct question q;

    (void)state;
    skew_wall = skew_ms = 0;
    question_make(&q);
    assert_code(ask(NULL, &q, &v), 0);
    assert_code(ask(NULL, &q, &v), 0);
    other_name(&q);
    assert_code(ask(NULL, &q, &v), TLSOCK_E_NAME_MISMATCH);
    question_free(&q);
}

/* What has no memory for its key is verified anew: the verdict stays. */
static void without_memory_for_its_key_it_is_verified(void **state)
{
    static struct tsk_pin pins[60];
    static const struct {
        int right, want;
    } ends[] = {{1, TLSOCK_OK}, {0, TLSOCK_E_PIN}};

    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        for (size_t k = 0; k < COUNT(pins); k++)
            pins[k] = wrong_pin;
        if (ends[i].right)
            pins[COUNT(pins) - 1] = right_pin;
        for (long n = 1, fired = 1; fired; n++) {
            struct tsk_remember *r = tsk_remember_new();
            struct tsk_verdict verdict;
            struct question q;
            int rc;

            question_make(&q);
            pinned(&q);
            q.req.pins = pins;
            q.req.n_pins = COUNT(pins);
            fault_arm(FAULT_OWN, n, 0);
            rc = ask(r, &q, &verdict);
            fired = fault_disarm();
            if (rc != ends[i].want && (!fired || rc != TLSOCK_E_NOMEM))
                fail_msg("allocation %ld: %d", n, rc);
            assert_code(ask(r, &q, &verdict), ends[i].want);
            question_free(&q);
            tsk_remember_free(r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_question_is_remembered),
        cmocka_unit_test(it_is_bounded),
        cmocka_unit_test(none_is_verification_as_ever),
        cmocka_unit_test(without_memory_for_its_key_it_is_verified),
    };

    fault_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
