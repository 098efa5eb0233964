#include "ossl/queue.h"
#include "test.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static void errors_of_the_caller_are_left_as_found(void **state)
{
    const char *data;
    int flags;

    (void)state;
    ERR_clear_error();
    ERR_raise_data(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER, "theirs %d", 1);
    ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
    tsk_ossl_enter();
    assert_int_equal(ERR_peek_error(), 0); /* SSL_get_error() must not see */
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    tsk_ossl_enter();
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    tsk_ossl_leave();
    tsk_ossl_leave();
    assert_int_equal(
        ERR_GET_REASON(ERR_get_error_all(NULL, NULL, NULL, &data, &flags)),
        SSL_R_NO_SHARED_CIPHER);
    assert_string_equal(data, "theirs 1");
    assert_int_equal(ERR_GET_REASON(ERR_get_error()),
                     X509_R_KEY_VALUES_MISMATCH);
    assert_int_equal(ERR_get_error(), 0);
}

static void an_empty_queue_stays_empty(void **state)
{
    (void)state;
    ERR_clear_error();
    tsk_ossl_enter();
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    tsk_ossl_leave();
    assert_int_equal(ERR_peek_error(), 0);
}

static void a_failure_tells_the_oldest_reason(void **state)
{
    tlsock_error e = {0};

    (void)state;
    tsk_ossl_enter();
    ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    assert_int_equal(tsk_fail_ossl(&e, TLSOCK_E_KEY_MISMATCH, "key of %s", "a"),
                     TLSOCK_E_KEY_MISMATCH);
    assert_string_equal(e.message, "key of a: key values mismatch");
    assert_int_equal(ERR_GET_REASON(e.ossl_code), X509_R_KEY_VALUES_MISMATCH);
    assert_int_equal(ERR_peek_error(), 0);
    tsk_ossl_leave();
}

static void an_allocation_failure_is_out_of_memory(void **state)
{
    tlsock_error e = {0};

    (void)state;
    tsk_ossl_enter();
    ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    assert_int_equal(tsk_fail_ossl(&e, TLSOCK_E_PROTOCOL, "x"),
                     TLSOCK_E_NOMEM);
    assert_int_equal(tsk_fail_ossl(NULL, TLSOCK_E_PROTOCOL, "x"),
                     TLSOCK_E_PROTOCOL);
    tsk_ossl_leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_the_caller_are_left_as_found),
        cmocka_unit_test(an_empty_queue_stays_empty),
        cmocka_unit_test(a_failure_tells_the_oldest_reason),
        cmocka_unit_test(an_allocation_failure_is_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
