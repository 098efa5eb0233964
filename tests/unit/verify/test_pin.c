#include "pki.h"

#include "cert/cert.h"
#include "verify/pin.h"

#define HEX62 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"
#define HEX64 HEX62 "ef"
#define COLONS                                                                 \
    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:"                         \
    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF"
#define B64 "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8="

static const struct {
    const char *name, *text;
    int want, of_public_key;
} forms[] = {
    {"certificate", "sha256:" HEX64, 0, 0},
    {"public key", "sha256:pub:" HEX64, 0, 1},
    {"with colons", "sha256:" COLONS, 0, 0},
    {"upper case tag", "SHA256:" HEX64, 0, 0},
    {"base64", "sha256//" B64, 0, 1},
    {"with dollars", "sha256$pub$" HEX64, 0, 1},
    {"62 digits", "sha256:" HEX62, TLSOCK_E_OPTION, 0},
    {"63 digits", "sha256:" HEX62 "e", TLSOCK_E_OPTION, 0},
    {"65 digits", "sha256:" HEX64 "0", TLSOCK_E_OPTION, 0},
    {"a letter", "sha256:" HEX62 "eg", TLSOCK_E_OPTION, 0},
    {"colon within a byte", "sha256:0:1" HEX62, TLSOCK_E_OPTION, 0},
    {"colon at the end", "sha256:" COLONS ":", TLSOCK_E_OPTION, 0},
    {"weak hash", "sha1:" HEX64, TLSOCK_E_OPTION, 0},
    {"digits alone", HEX64, 0, 0},
    {"colons alone", COLONS, 0, 0},
    {"blanks between bytes",
     "SHA-256: 01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef "
     "01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef",
     0, 0},
    {"as openssl prints it", "SHA256 Fingerprint=" COLONS, 0, 0},
    {"as a newer openssl does", "sha256 Fingerprint=" COLONS, 0, 0},
    {"with a dollar", "sha256$" HEX64, 0, 0},
    {"key with one slash", "sha256/" B64, 0, 1},
    {"fingerprint of 40 digits", "0123456789abcdef0123456789abcdef01234567",
     TLSOCK_E_OPTION, 0},
    {"fingerprint of 32 digits", "0123456789abcdef0123456789abcdef",
     TLSOCK_E_OPTION, 0},
    {"as openssl prints SHA-1", "SHA1 Fingerprint=01:23", TLSOCK_E_OPTION, 0},
    {"MD5", "md5:0123456789abcdef0123456789abcdef", TLSOCK_E_OPTION, 0},
    {"62 digits alone", HEX62, TLSOCK_E_OPTION, 0},
    {"another hash", "sha224:" HEX62, TLSOCK_E_OPTION, 0},
    {"hash and a word", "sha256 of " HEX64, TLSOCK_E_OPTION, 0},
    {"nothing", "", TLSOCK_E_OPTION, 0},
    {"tag alone", "sha256:", TLSOCK_E_OPTION, 0},
    {"short base64", "sha256//ASNFZ4mrze8=", TLSOCK_E_OPTION, 0},
    {"base64 of 33 bytes",
     "sha256//ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8B", TLSOCK_E_OPTION,
     0},
    {"blanks in base64", "sha256//  NFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8=",
     TLSOCK_E_OPTION, 0},
};

static void pin_parse_takes_only_sha256_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        tlsock_error err = {0};
        struct tsk_pin pin;

        if (tsk_pin_parse(&pin, forms[i].text, &err) != forms[i].want)
            fail_msg("%s: got %d \"%s\"", forms[i].name, err.code, err.message);
        assert_int_equal(err.code, forms[i].want);
        assert_int_equal(tsk_pin_parse(&pin, forms[i].text, NULL),
                         forms[i].want);
        if (forms[i].want < 0) {
            assert_tells(err.hint, "sha256:HEX");
            assert_tells(err.hint, "tlsock fingerprint");
            continue;
        }
        assert_int_equal(pin.of_public_key, forms[i].of_public_key);
        assert_int_equal(pin.hash[0], 0x01);
        assert_int_equal(pin.hash[31], 0xef);
    }
}

static void match_finds_certificate_and_key_alone(void **state)
{
    X509 *a = pki_names("a", "a.test", NULL, NULL);
    X509 *b = pki_names("b", "b.test", NULL, NULL); /* of the same key */
    struct tsk_pin pins[3];
    tlsock_error err = {0};
    char text[96];

    (void)state;
    assert_true(tsk_cert_fingerprint(a, "sha256", 0, text, sizeof(text)) > 0);
    assert_code(tsk_pin_parse(&pins[0], text, &err), 0);
    assert_true(tsk_cert_fingerprint(a, "sha256", 1, text, sizeof(text)) > 0);
    assert_code(tsk_pin_parse(&pins[1], text, &err), 0);
    assert_code(tsk_pin_parse(&pins[2], "sha256:" HEX64, &err), 0);

    assert_int_equal(tsk_pin_match(&pins[0], 1, a, &err), 1);
    assert_int_equal(tsk_pin_match(&pins[0], 1, b, &err), 0);
    assert_int_equal(tsk_pin_match(&pins[1], 1, a, &err), 1);
    assert_int_equal(tsk_pin_match(&pins[1], 1, b, &err), 1);
    assert_int_equal(tsk_pin_match(&pins[2], 1, a, &err), 0);
    assert_int_equal(tsk_pin_match(pins, 3, b, &err), 1);
    assert_int_equal(tsk_pin_match(pins, 0, a, &err), 0);
    /* a certificate's hash is none of its key */
    pins[0].of_public_key = 1;
    assert_int_equal(tsk_pin_match(&pins[0], 1, a, &err), 0);
    X509_free(a);
    X509_free(b);
}

static void certificate_without_key_fits_no_pin(void **state)
{
    struct tsk_pin pin = {.of_public_key = 1};
    X509 *bare = X509_new();
    tlsock_error err = {0};

    (void)state;
    assert_true(tsk_pin_match(&pin, 1, bare, &err) <= 0);
    X509_free(bare);
}

static void lists_are_taken_apart(void **state)
{
    static const struct {
        const char *list;
        size_t n;
    } lists[] = {
        {"", 0},         {" ,;\n", 0},          {"a", 1},  {" a b ", 1},
        {"a,b;c\nd", 4}, {"a;\r\n b ,,c\t", 3}, {";a", 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        const char *rest = lists[i].list, *start;
        size_t n = 0, len;

        while ((start = tsk_pin_next(rest, &len, &rest)) != NULL) {
            assert_true(len > 0 && start[0] > ' ' && start[len - 1] > ' ');
            n++;
        }
        assert_int_equal(n, lists[i].n);
    }
}

static void other_hashes_fit_too(void **state)
{
    static const char *const names[] = {"sha256", "sha384", "sha512"};
    X509 *a = pki_names("a", "a.test", NULL, NULL);
    X509 *b = pki_names("b", "b.test", NULL, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        for (int of_key = 0; of_key < 2; of_key++) {
            struct tsk_pin pin;
            tlsock_error err = {0};
            char text[160];

            assert_true(tsk_cert_fingerprint(a, names[i], of_key, text,
                                             sizeof(text)) > 0);
            assert_code(tsk_pin_parse(&pin, text, &err), 0);
            assert_int_equal(tsk_pin_match(&pin, 1, a, &err), 1);
            assert_int_equal(tsk_pin_match(&pin, 1, b, &err), of_key);
            if (of_key == 0) { /* its digits alone tell the hash */
                assert_code(tsk_pin_parse(&pin, strrchr(text, ':') + 1, &err),
                            0);
                assert_int_equal(tsk_pin_match(&pin, 1, a, &err), 1);
            }
        }
    }
    X509_free(a);
    X509_free(b);
}

static void weak_hashes_are_refused_with_the_reason(void **state)
{
    static const char *const weak[] = {
        "sha1:0123456789abcdef0123456789abcdef01234567",
        "0123456789abcdef0123456789abcdef01234567",
        "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67",
        "SHA1 Fingerprint=01:23",
        "md5:0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef"};

    (void)state;
    for (size_t i = 0; i < COUNT(weak); i++) {
        struct tsk_pin pin;
        tlsock_error err = {0};

        assert_code(tsk_pin_parse(&pin, weak[i], &err), TLSOCK_E_OPTION);
        assert_tells(err.message, "too weak");
        assert_tells(err.hint, "SHA-256");
    }
}

static int teardown(void **state)
{
    (void)state;
    pki_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pin_parse_takes_only_sha256_forms),
        cmocka_unit_test(match_finds_certificate_and_key_alone),
        cmocka_unit_test(certificate_without_key_fits_no_pin),
        cmocka_unit_test(lists_are_taken_apart),
        cmocka_unit_test(other_hashes_fit_too),
        cmocka_unit_test(weak_hashes_are_refused_with_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
