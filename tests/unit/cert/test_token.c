/* Objects on tokens. Most of it needs one: tests/cli/pkcs11.sh makes it and
 * runs this program again with TOKEN_URI, TOKEN_PIN and TOKEN_CERT. */
#include "cert_help.h"

#include "cert/load.h"

static const char *uri, *pin, *file;

static void the_pin_is_in_no_name(void **state)
{
    static const struct {
        const char *uri, *name;
    } cases[] = {
        {"pkcs11:object=a", "pkcs11:object=a"},
        {"pkcs11:object=a?pin-value=1234", "pkcs11:object=a?pin-value=..."},
        {"pkcs11:a?pin-value=12&module-name=x",
         "pkcs11:a?pin-value=...&module-name=x"},
        {"pkcs11:a?pin-source=file:/p", "pkcs11:a?pin-source=file:/p"},
    };
    char name[256];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tsk_token_name(cases[i].uri, name);
        assert_string_equal(name, cases[i].name);
    }
    assert_true(tsk_token_is("PKCS11:x"));
    assert_false(tsk_token_is("./pkcs11:x"));
}

static void without_a_provider_it_is_named(void **state)
{
    tlsock_error err = {0};
    char pin_text[128];

    (void)state;
    assert_null(
        tlsock_cert_load("pkcs11:object=a?pin-value=8642", NULL, NULL, &err));
    assert_code(err.code, TLSOCK_E_UNSUPPORTED);
    assert_tells(err.message, "provider \"pkcs11\"");
    assert_tells(err.message, "/nowhere");
    assert_tells(err.hint, "pkcs11-provider");
    assert_null(strstr(err.message, "8642"));
    assert_code(tlsock_key_pin("pkcs11:object=a", NULL, pin_text,
                               sizeof(pin_text), &err),
                TLSOCK_E_UNSUPPORTED);
    assert_code(tlsock_key_save("pkcs11:object=a", NULL, TLSOCK_FORMAT_PEM,
                                help_path("x"), NULL, &err),
                TLSOCK_E_UNSUPPORTED);
    assert_null(tlsock_cert_load("pkcs11:type=public", NULL, NULL, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_int_equal(help_strangers(), 0);
}

static void calls_with_a_key_on_a_token(void **state)
{
    tlsock_cert *c, *ordered, *plain;
    tlsock_error err = {0};
    char text[128];

    (void)state;
    c = tlsock_cert_load(uri, NULL, pin, &err);
    if (c == NULL)
        fail_msg("%s", err.message);
    plain = tlsock_cert_load(file, NULL, NULL, &err);
    assert_non_null(plain);
    assert_string_equal(tlsock_cert_field(c, TLSOCK_CERT_PIN),
                        tlsock_cert_field(plain, TLSOCK_CERT_PIN));
    assert_true(tlsock_key_pin(uri, pin, text, sizeof(text), &err) > 0);
    assert_string_equal(text, tlsock_cert_field(c, TLSOCK_CERT_PIN));
    ordered = tlsock_cert_order(c, &err);
    assert_non_null(ordered);
    assert_non_null(ordered->key);
    assert_code(tlsock_key_save(uri, pin, TLSOCK_FORMAT_PEM, help_path("x"),
                                NULL, &err),
                TLSOCK_E_UNSUPPORTED);
    assert_tells(err.message, "cannot leave its token");
    assert_code(tlsock_cert_save(c, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM,
                                 help_path("x"), NULL, &err),
                TLSOCK_E_UNSUPPORTED);
    assert_tells(err.message, "cannot leave its token");
    assert_int_equal(help_strangers(), 0);
    tlsock_cert_unref(c);
    tlsock_cert_unref(plain);
    tlsock_cert_unref(ordered);
}

int main(void)
{
    const struct CMUnitTest without[] = {
        cmocka_unit_test(the_pin_is_in_no_name),
        cmocka_unit_test(without_a_provider_it_is_named),
    };
    const struct CMUnitTest with[] = {
        cmocka_unit_test(calls_with_a_key_on_a_token),
    };
    int rc;

    uri = getenv("TOKEN_URI");
    pin = getenv("TOKEN_PIN");
    file = getenv("TOKEN_CERT");
    if (uri != NULL && pin != NULL && file != NULL) {
        rc = cmocka_run_group_tests(with, NULL, NULL);
    } else {
        setenv("OPENSSL_MODULES", "/nowhere", 1);
        rc = cmocka_run_group_tests(without, NULL, NULL);
    }
    help_end();
    return rc;
}
