/* A build without libunbound says so, and never goes on without records. */
#include "net_help.h"

#include "net/dns.h"

#include <tlsock/config.h>

static void dane_is_unsupported_and_named(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    assert_int_equal(tlsock_has("dane"), 0);
    assert_string_equal(tlsock_dane_anchor(), "");
    assert_int_equal(tlsock_config_set(c, "dane", "off"), 0);
    assert_int_equal(tlsock_config_set(c, "dane", "perhaps"), TLSOCK_E_OPTION);
    assert_int_equal(tlsock_config_set(c, "dane", "on"), TLSOCK_E_UNSUPPORTED);
    assert_int_equal(tlsock_config_set(c, "dane", "require"),
                     TLSOCK_E_UNSUPPORTED);
    assert_non_null(strstr(tlsock_config_error(c)->hint, "libunbound"));
    assert_int_equal(tlsock_config_set(c, "?dane", "on"), 0);
    tlsock_config_unref(c);
}

static void nobody_answers(void **state)
{
    struct tsk_dns_answer a;
    tlsock_error err;

    (void)state;
    assert_null(tsk_dns_new("/dev/null", NULL, &err));
    assert_int_equal(err.code, TLSOCK_E_UNSUPPORTED);
    tsk_dns_query(NULL, "a.test", TSK_DNS_A, &a);
    assert_int_equal(a.state, TSK_DNS_FAILED);
    assert_non_null(strstr(a.why, "libunbound"));
    tsk_dns_unref(tsk_dns_ref(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dane_is_unsupported_and_named),
        cmocka_unit_test(nobody_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
