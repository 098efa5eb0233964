/* What the libraries for names do not have: libpsl that was built without its
 * list, libidn2 without memory. */
#include "test.h"

#include "net/addr.h"
#include "verify/allow.h"
#include "verify/host.h"

#include <idn2.h>
#include <libpsl.h>

static int missing;

const psl_ctx_t *__real_psl_builtin(void);
const psl_ctx_t *__wrap_psl_builtin(void);
const psl_ctx_t *__wrap_psl_builtin(void)
{
    return missing ? NULL : __real_psl_builtin();
}

int __real_idn2_to_ascii_8z(const char *in, char **out, int flags);
int __wrap_idn2_to_ascii_8z(const char *in, char **out, int flags);
int __wrap_idn2_to_ascii_8z(const char *in, char **out, int flags)
{
    return missing ? IDN2_MALLOC : __real_idn2_to_ascii_8z(in, out, flags);
}

static void no_list_is_not_taken_for_one_without_the_name(void **state)
{
    char suffix[64];

    (void)state;
    for (missing = 0; missing < 2; missing++) {
        assert_int_equal(tsk_psl_built_in(), !missing);
        assert_int_equal(tsk_psl_is_suffix("co.uk"), !missing);
        if (missing)
            assert_code(tsk_psl_suffix("a.co.uk", 0, suffix, sizeof(suffix)),
                        TLSOCK_E_UNSUPPORTED);
        else
            assert_true(tsk_psl_suffix("a.co.uk", 0, suffix, sizeof(suffix)) >
                        0);
        assert_string_equal(suffix, missing ? "" : "co.uk");
    }
}

static void a_name_that_lacks_memory_is_not_called_wrong(void **state)
{
    (void)state;
    for (missing = 0; missing < 2; missing++) {
        tlsock_error err = {0};
        char name[256];

        assert_code(tsk_host_normalise(name, "\xc3\xa4.test", &err),
                    missing ? TLSOCK_E_NOMEM : 0);
        if (!missing)
            assert_string_equal(name, "xn--4ca.test");
    }
    missing = 0;
}

static void a_rule_that_lacks_memory_is_not_called_wrong(void **state)
{
    static const char *const rules[] = {
        "dns:\xc3\xa4.test", "dns:*.\xc3\xa4.test", "email:joe@\xc3\xa4.test"};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rules); i++) {
        tlsock_error err = {0};
        struct tsk_allow *a;

        missing = (int)(i % 2);
        a = tsk_allow_new(NULL, rules[i / 2], &err);
        assert_code(err.code, missing ? TLSOCK_E_NOMEM : 0);
        assert_int_equal(a == NULL, missing);
        tsk_allow_unref(a);
    }
    missing = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_list_is_not_taken_for_one_without_the_name),
        cmocka_unit_test(a_name_that_lacks_memory_is_not_called_wrong),
        cmocka_unit_test(a_rule_that_lacks_memory_is_not_called_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
