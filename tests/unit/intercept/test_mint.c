#include "mints.h"

#include "cert/cert.h"
#include "fault.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400
#define DENSE 40
#define STRIDE 61

static int same_key(const tlsock_cert *a, const tlsock_cert *b)
{
    return EVP_PKEY_eq(a->key, b->key) == 1;
}

/* One is given out again and again, by whatever CA; the chain goes along. */
static void a_leaf_is_minted_once_by_any_kind_of_ca(void **state)
{
    tlsock_cert *seen = mints_seen("a.test", 30),
                *other = mints_seen("b.test", 30);

    (void)state;
    for (int i = 0; i < MINTS_CAS; i++) {
        tlsock_intercept *m = mints_open(i, NULL);
        tlsock_cert *c = mints_leaf(m, seen), *again = mints_leaf(m, seen),
                    *b = mints_leaf(m, other);

        assert_ptr_equal(c, again);
        assert_int_equal(tsk_mint_signed(m), 2);
        assert_int_equal(
            X509_verify(c->leaf, X509_get0_pubkey(mints_ca[i]->leaf)), 1);
        assert_int_equal(tlsock_cert_chain_len(c), i == MINTS_BELOW ? 1 : 0);
        assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_SANS),
                            "DNS:a.test");
        assert_true(ASN1_INTEGER_cmp(X509_get0_serialNumber(c->leaf),
                                     X509_get0_serialNumber(b->leaf)) != 0);
        assert_true(same_key(c, b));
        assert_true(ERR_peek_error() == 0);
        tlsock_intercept_free(m); /* what was handed out lives on */
        assert_int_equal(X509_check_private_key(c->leaf, c->key), 1);
        tlsock_cert_unref(c);
        tlsock_cert_unref(again);
        tlsock_cert_unref(b);
    }
    tlsock_cert_unref(seen);
    tlsock_cert_unref(other);
}

/* The CA may be let go, and used for another one. */
static void the_ca_is_counted_and_not_consumed(void **state)
{
    tlsock_cert *ca = tlsock_cert_create(
                    TLSOCK_CERT_OPTS(.subject = "CN=Once", .ca = 1), NULL),
                *seen = mints_seen("a.test", 30), *a, *b;
    tlsock_intercept *m = tlsock_intercept_new(ca, NULL, NULL),
                     *n = tlsock_intercept_new(ca, NULL, NULL);

    (void)state;
    tlsock_cert_unref(ca);
    a = mints_leaf(m, seen);
    tlsock_intercept_free(m);
    b = mints_leaf(n, seen);
    tlsock_intercept_free(n);
    assert_ptr_not_equal(a, b);
    tlsock_cert_unref(a);
    tlsock_cert_unref(b);
    tlsock_cert_unref(seen);
}

static void refused(tlsock_cert *ca, const char *dir, int code,
                    const char *tells)
{
    tlsock_error err;

    errno = 77;
    assert_null(tlsock_intercept_new(ca, dir, &err));
    assert_code(err.code, code);
    assert_tells(err.message, tells);
    assert_true(err.hint[0] != '\0');
    assert_null(tlsock_intercept_new(ca, dir, NULL));
    assert_int_equal(errno, 77);
    assert_true(ERR_peek_error() == 0);
}

static void what_is_no_ca_is_refused_at_once(void **state)
{
    tlsock_cert *leaf = mints_seen("a.test", 30);
    tlsock_cert *keyless =
                    tsk_cert_new(mints_ca[MINTS_EC]->leaf, NULL, NULL, NULL),
                *wrong = tsk_cert_new(mints_ca[MINTS_EC]->leaf, NULL, leaf->key,
                                      NULL),
                *old = tlsock_cert_create(
                    TLSOCK_CERT_OPTS(.subject = "CN=Old", .ca = 1,
                                     .not_before = 1000000000,
                                     .not_after = 1100000000),
                    NULL);

    (void)state;
    refused(NULL, NULL, TLSOCK_E_ARGUMENT, "no CA");
    refused(leaf, NULL, TLSOCK_E_PURPOSE, "is no CA");
    refused(keyless, NULL, TLSOCK_E_ARGUMENT, "without its private key");
    refused(wrong, NULL, TLSOCK_E_KEY_MISMATCH, "does not belong");
    refused(old, NULL, TLSOCK_E_EXPIRED, "expired");
    refused(mints_ca[0], "/nowhere/at/all", TLSOCK_E_OWN_FILE, "/nowhere");
    refused(mints_ca[0], "/dev/null", TLSOCK_E_OWN_FILE, "minted certificates");
    tlsock_cert_unref(leaf);
    tlsock_cert_unref(keyless);
    tlsock_cert_unref(wrong);
    tlsock_cert_unref(old);
}

static void options_are_checked_and_then_frozen(void **state)
{
    static const struct {
        const char *option, *value;
        int code;
    } rows[] = {
        {"leaf-key", "leaf", 0},
        {"leaf-key", "process", 0},
        {"leaf-key", "Leaf", TLSOCK_E_OPTION},
        {"leaf-key", "", TLSOCK_E_OPTION},
        {"cache-size", "1", 0},
        {"cache-size", "1000000", 0},
        {"cache-size", "1000001", TLSOCK_E_OPTION},
        {"cache-size", "0", TLSOCK_E_OPTION},
        {"cache-size", "-1", TLSOCK_E_OPTION},
        {"cache-size", " 1", TLSOCK_E_OPTION},
        {"cache-size", "1k", TLSOCK_E_OPTION},
        {"cache-size", "", TLSOCK_E_OPTION},
        {"cache-size", "99999999999999999999", TLSOCK_E_OPTION},
        {"Cache-Size", "1", TLSOCK_E_OPTION},
        {NULL, "1", TLSOCK_E_ARGUMENT},
        {"cache-size", NULL, TLSOCK_E_ARGUMENT},
    };
    tlsock_intercept *m = mints_open(0, NULL);
    tlsock_cert *seen = mints_seen("a.test", 30);
    tlsock_error err;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_code(tlsock_intercept_set(m, rows[i].option, rows[i].value),
                    rows[i].code);
    assert_code(tlsock_intercept_set(NULL, "cache-size", "1"),
                TLSOCK_E_ARGUMENT);
    assert_null(tlsock_intercept_leaf(m, NULL, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_null(tlsock_intercept_leaf(NULL, seen, &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_code(tlsock_intercept_set(m, "cache-size", "2"), 0);
    tlsock_cert_unref(mints_leaf(m, seen));
    assert_code(tlsock_intercept_set(m, "cache-size", "3"), TLSOCK_E_FROZEN);
    tlsock_intercept_free(m);
    tlsock_intercept_free(NULL);
    tlsock_cert_unref(seen);
}

static void memory_is_bounded_and_the_least_used_goes(void **state)
{
    tlsock_intercept *m = mints_open(0, NULL);
    tlsock_cert *seen[4];
    char name[24];

    (void)state;
    assert_code(tlsock_intercept_set(m, "cache-size", "3"), 0);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof(name), "%d.test", i);
        seen[i] = mints_seen(name, 30);
        if (i == 3) /* 1 is now the one that was used longest ago */
            tlsock_cert_unref(mints_leaf(m, seen[0]));
        tlsock_cert_unref(mints_leaf(m, seen[i]));
    }
    assert_int_equal(tsk_mint_held(m), 3);
    assert_int_equal(tsk_mint_signed(m), 4);
    tlsock_cert_unref(mints_leaf(m, seen[0]));
    assert_int_equal(tsk_mint_signed(m), 4);
    tlsock_cert_unref(mints_leaf(m, seen[1]));
    assert_int_equal(tsk_mint_signed(m), 5);
    for (int i = 0; i < 4; i++)
        tlsock_cert_unref(seen[i]);
    tlsock_intercept_free(m);
}

static void each_leaf_has_a_key_of_its_own_if_told_so(void **state)
{
    tlsock_intercept *m = mints_open(0, NULL);
    tlsock_cert *x = mints_seen("a.test", 30), *y = mints_seen("b.test", 30),
                *a, *b;

    (void)state;
    assert_code(tlsock_intercept_set(m, "leaf-key", "leaf"), 0);
    a = mints_leaf(m, x);
    b = mints_leaf(m, y);
    assert_false(same_key(a, b));
    assert_int_equal(X509_check_private_key(a->leaf, a->key), 1);
    tlsock_cert_unref(a);
    tlsock_cert_unref(b);
    tlsock_cert_unref(x);
    tlsock_cert_unref(y);
    tlsock_intercept_free(m);
}

/* It ends with the upstream's or the CA's, and then another one is minted. */
static void what_has_expired_is_minted_anew(void **state)
{
    const char *dirs[] = {NULL, mints_dir()};

    (void)state;
    for (size_t i = 0; i < COUNT(dirs); i++) {
        tlsock_intercept *m = mints_open(0, dirs[i]);
        tlsock_cert *brief = mints_seen("a.test", 2),
                    *lasting = mints_seen("b.test", 5000), *a, *b;

        a = mints_leaf(m, brief);
        b = mints_leaf(m, lasting);
        assert_string_equal(tlsock_cert_field(a, TLSOCK_CERT_NOT_AFTER),
                            tlsock_cert_field(brief, TLSOCK_CERT_NOT_AFTER));
        assert_string_equal(
            tlsock_cert_field(b, TLSOCK_CERT_NOT_AFTER),
            tlsock_cert_field(mints_ca[0], TLSOCK_CERT_NOT_AFTER));
        tlsock_cert_unref(b);
        tlsock_cert_unref(a);
        mints_now = (int64_t)time(NULL) + 3 * (int64_t)DAY;
        a = mints_leaf(m, brief); /* the upstream's is over as well */
        assert_int_equal(tsk_mint_signed(m), 3);
        b = mints_leaf(m, brief);
        assert_ptr_equal(a, b); /* and yet not each time */
        tlsock_cert_unref(b);
        mints_now += 3601;
        b = mints_leaf(m, brief);
        assert_ptr_not_equal(a, b);
        mints_now = 0;
        tlsock_cert_unref(a);
        tlsock_cert_unref(b);
        tlsock_cert_unref(brief);
        tlsock_cert_unref(lasting);
        tlsock_intercept_free(m);
    }
}

/* What cannot be imitated is said to each who asks, and kept by nobody. */
static void a_failure_is_told_and_not_kept(void **state)
{
    tlsock_intercept *m = mints_open(0, NULL);
    tlsock_cert *seen = mints_seen("a.test", 30);
    tlsock_error err;

    (void)state;
    mints_now = (int64_t)time(NULL) + 4000 * (int64_t)DAY;
    for (int i = 0; i < 2; i++) {
        assert_null(tlsock_intercept_leaf(m, seen, &err));
        assert_code(err.code, TLSOCK_E_EXPIRED);
        assert_tells(err.message, "Mint");
        assert_true(err.hint[0] != '\0');
    }
    assert_null(tlsock_intercept_leaf(m, seen, NULL));
    mints_now = 0;
    assert_int_equal(tsk_mint_held(m), 0);
    tlsock_cert_unref(mints_leaf(m, seen));
    tlsock_cert_unref(seen);
    tlsock_intercept_free(m);
}

static void a_child_goes_on_by_itself(void **state)
{
    tlsock_intercept *m = mints_open(0, NULL);
    tlsock_cert *seen = mints_seen("a.test", 30),
                *other = mints_seen("b.test", 30);
    int status = -1;
    pid_t pid;

    (void)state;
    tlsock_cert_unref(mints_leaf(m, seen));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        tlsock_cert *a = tlsock_intercept_leaf(m, seen, NULL),
                    *b = tlsock_intercept_leaf(m, other, NULL);

        test_exit(a != NULL && b != NULL && tsk_mint_signed(m) == 2 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    tlsock_cert_unref(seen);
    tlsock_cert_unref(other);
    tlsock_intercept_free(m);
}

/* 0, or the code: what is wrong with it is E_NOMEM alone, and a directory that
 * nothing can be kept in, or read from, is no failure. */
static int mint_one(const char *dir, const tlsock_cert *seen, tlsock_error *err)
{
    tlsock_intercept *m = tlsock_intercept_new(mints_ca[MINTS_BELOW], dir, err);
    tlsock_cert *c = m != NULL ? tlsock_intercept_leaf(m, seen, err) : NULL;
    int rc = c != NULL ? 0 : err->code;

    fault_hold(1);
    if (c != NULL)
        assert_int_equal(X509_check_private_key(c->leaf, c->key), 1);
    fault_hold(0);
    tlsock_cert_unref(c);
    tlsock_intercept_free(m);
    return rc;
}

static void fail_each(enum fault_kind kind)
{
    tlsock_cert *seen = mints_seen("a.test", 30);
    const char *dir = mints_dir();
    tlsock_error err;

    for (int found = 0; found < 2; found++) {
        int more = 1;

        /* OpenSSL's are many, and alike */
        for (long n = 1; more;
             n += kind == FAULT_OPENSSL && n > DENSE ? STRIDE : 1) {
            char path[256];
            int rc;

            if (!found && mints_files(dir, 64, path) != 0)
                unlink(path);
            memset(&err, 0, sizeof(err));
            fault_arm_here(kind, n, 0);
            rc = mint_one(dir, seen, &err);
            more = fault_disarm();
            if (rc != 0 && rc != TLSOCK_E_NOMEM && kind != FAULT_REFUSED)
                fail_msg("%s %ld: %s", fault_name(kind), n, err.message);
            assert_int_equal(rc == 0, err.code == 0);
        }
    }
    tlsock_cert_unref(seen);
}

static void own_memory_may_fail_anywhere(void **state)
{
    (void)state;
    fail_each(FAULT_OWN);
}

static void openssls_memory_may_fail_anywhere(void **state)
{
    (void)state;
    fail_each(FAULT_OPENSSL);
    fail_each(FAULT_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_is_minted_once_by_any_kind_of_ca),
        cmocka_unit_test(the_ca_is_counted_and_not_consumed),
        cmocka_unit_test(what_is_no_ca_is_refused_at_once),
        cmocka_unit_test(options_are_checked_and_then_frozen),
        cmocka_unit_test(memory_is_bounded_and_the_least_used_goes),
        cmocka_unit_test(each_leaf_has_a_key_of_its_own_if_told_so),
        cmocka_unit_test(what_has_expired_is_minted_anew),
        cmocka_unit_test(a_failure_is_told_and_not_kept),
        cmocka_unit_test(a_child_goes_on_by_itself),
        cmocka_unit_test(own_memory_may_fail_anywhere),
        cmocka_unit_test(openssls_memory_may_fail_anywhere),
    };

    fault_init();
    return cmocka_run_group_tests_name("mint", tests, mints_setup,
                                       mints_teardown);
}
