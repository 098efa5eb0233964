#include "mints.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "intercept/entry.h"

static uint8_t *whole;
static size_t whole_len;

static int set_up(void **state)
{
    tlsock_cert *c;

    mints_setup(state);
    c = mints_seen("a.test", 30);
    assert_int_equal(tsk_entry_encode(c->leaf, c->key, &whole, &whole_len), 1);
    tlsock_cert_unref(c);
    return 0;
}

static int tear_down(void **state)
{
    tsk_free_secret(whole, whole_len);
    return mints_teardown(state);
}

static int parses(const uint8_t *p, size_t len)
{
    X509 *x = (void *)1;
    EVP_PKEY *key = (void *)1;
    int ok = tsk_entry_parse(p, len, &x, &key);

    if (!ok) {
        assert_null(x);
        assert_null(key);
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

static void an_entry_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (int i = 0; i < MINTS_CAS; i++) {
        uint8_t *out;
        size_t len;
        X509 *x;
        EVP_PKEY *key;

        assert_int_equal(tsk_entry_encode(mints_ca[i]->leaf, mints_ca[i]->key,
                                          &out, &len),
                         1);
        assert_int_equal(tsk_entry_parse(out, len, &x, &key), 1);
        assert_int_equal(X509_cmp(x, mints_ca[i]->leaf), 0);
        assert_int_equal(EVP_PKEY_eq(key, mints_ca[i]->key), 1);
        X509_free(x);
        EVP_PKEY_free(key);
        tsk_free_secret(out, len);
    }
}

static void what_is_cut_or_longer_is_none(void **state)
{
    uint8_t *more = test_malloc(TSK_ENTRY_MAX + 1);

    (void)state;
    assert_int_equal(parses(whole, whole_len), 1);
    for (size_t n = 0; n < whole_len; n++) {
        uint8_t *exact = test_malloc(n + 1); /* reads beyond are seen */

        memcpy(exact + 1, whole, n);
        assert_int_equal(parses(exact + 1, n), 0);
        test_free(exact);
    }
    memset(more, 0, TSK_ENTRY_MAX + 1);
    memcpy(more, whole, whole_len);
    assert_int_equal(parses(more, whole_len + 1), 0);
    assert_int_equal(parses(more, TSK_ENTRY_MAX + 1), 0);
    test_free(more);
}

/* Lengths that lie, and a key of somebody else. */
static void what_does_not_fit_together_is_none(void **state)
{
    static const uint8_t lengths[][4] = {
        {0, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff}, {0x80, 0, 0, 0}, {0, 0, 0, 1}};
    uint8_t *copy = test_malloc(whole_len), *out;
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        memcpy(copy, whole, whole_len);
        memcpy(copy, lengths[i], 4);
        assert_int_equal(parses(copy, whole_len), 0);
    }
    test_free(copy);
    assert_int_equal(tsk_entry_encode(mints_ca[MINTS_EC]->leaf,
                                      mints_ca[MINTS_BELOW]->key, &out, &len),
                     1);
    assert_int_equal(parses(out, len), 0);
    tsk_free_secret(out, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_read_as_it_was_written),
        cmocka_unit_test(what_is_cut_or_longer_is_none),
        cmocka_unit_test(what_does_not_fit_together_is_none),
    };

    return cmocka_run_group_tests_name("entry", tests, set_up, tear_down);
}
