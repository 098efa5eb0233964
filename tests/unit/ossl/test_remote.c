/* Keys that are elsewhere: of which kinds there are any. */
#include "ossl/queue.h"
#include "ossl/remote.h"
#include "test.h"

#include <openssl/ec.h>
#include <openssl/evp.h>

static int nobody(const struct tsk_remote_ask *ask, unsigned char *sig,
                  size_t *len)
{
    (void)ask;
    (void)sig;
    (void)len;
    return 0;
}

static EVP_PKEY *make(const char *kind)
{
    if (strncmp(kind, "RSA", 3) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, kind, (size_t)2048);
    if (strcmp(kind, "EC") == 0)
        return EVP_EC_gen("P-256");
    return EVP_PKEY_Q_keygen(NULL, NULL, kind);
}

static void what_signs_in_tls_may_be_elsewhere(void **state)
{
    static const struct {
        const char *kind;
        int may;
    } rows[] = {{"RSA", 1},   {"EC", 1},     {"ED25519", 1},
                {"ED448", 1}, {"X25519", 0}, {"X448", 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        EVP_PKEY *whole = make(rows[i].kind), *key;

        assert_non_null(whole);
        tsk_ossl_enter();
        key = tsk_remote_key_new(whole, nobody, NULL);
        tsk_ossl_leave();
        if ((key != NULL) != rows[i].may)
            fail_msg("%s: %s", rows[i].kind, key != NULL ? "made" : "none");
        assert_int_equal(tsk_remote_is(key), rows[i].may);
        assert_int_equal(tsk_remote_is(whole), 0);
        EVP_PKEY_free(key);
        EVP_PKEY_free(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_signs_in_tls_may_be_elsewhere)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
