/* Certificates in what stores and programs show of themselves: what is found,
 * under which name, and in linear time. */
#include "trust.h"

#include "ca.h"

#include <stdlib.h>
#include <string.h>

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"

/* One that anybody takes: the test's own CA. */
static char *pem;

static const struct {
    const char *name, *text; /* @: the certificate */
    size_t n;
    const char *last; /* the name of the last one */
} rows[] = {
    {"one", "@", 1, "x"},
    {"two", "@@", 2, "x"},
    {"with text around it", "# here\n@and there\n", 1, "x"},
    {"the ends of lines of another system", "a\r\n@\r\n", 1, "x"},
    {"one that has no end", BEGIN "MIIB\n", 0, ""},
    {"behind one that has no end", BEGIN "MIIB\n@", 1, "x"},
    {"behind one that is none", BEGIN "!!\n" END "@", 1, "x"},
    {"behind one that is empty", BEGIN END "@", 1, "x"},
    {"a key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
     0, ""},
    {"an end alone", END, 0, ""},
    {"a beginning alone", BEGIN, 0, ""},
    {"a beginning that is cut", "-----BEGIN CERTIFICATE----", 0, ""},
    {"nothing", "", 0, ""},
};

static char *with_cert(const char *text)
{
    size_t size = 2 * strlen(pem) + strlen(text) + 1, used = 0;
    char *whole = calloc(1, size);

    assert_non_null(whole);
    for (; *text != '\0'; text++) {
        size_t n = *text == '@' ? strlen(pem) : 1;

        assert_true(used + n < size);
        memcpy(whole + used, *text == '@' ? pem : text, n);
        used += n;
    }
    return whole;
}

static void what_is_there_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct trust_found f = {0};
        char *text = with_cert(rows[i].text);

        assert_int_equal(trust_scan_pem(&f, text, NULL, "x", 1), 0);
        if (f.n != rows[i].n ||
            (f.n > 0 && strcmp(f.v[f.n - 1].name, rows[i].last) != 0))
            fail_msg("%s: %zu found", rows[i].name, f.n);
        free(f.v);
        free(text);
    }
}

static void names_are_those_of_the_lines_before(void **state)
{
    struct trust_found f = {0};
    char *text = with_cert("Alias name: one\n@Alias name: two\r\nx\n@");

    (void)state;
    assert_int_equal(trust_scan_pem(&f, text, "Alias name:", NULL, 1), 0);
    assert_int_equal(f.n, 2);
    assert_string_equal(f.v[0].name, "one");
    assert_string_equal(f.v[1].name, "two");
    assert_string_equal(f.v[0].sha256, f.v[1].sha256);
    free(f.v);
    free(text);
}

/* Whoever looks for the end of each block in all that follows needs hours for
 * what a store of an image may hold. */
static void a_store_full_of_beginnings_takes_no_longer(void **state)
{
    static const char *const fills[] = {BEGIN, BEGIN "MIIB\n" END};
    const size_t size = 16 << 20;

    (void)state;
    for (size_t i = 0; i < COUNT(fills); i++) {
        struct trust_found f = {0};
        size_t len = strlen(fills[i]), used = 0;
        char *text = malloc(size + strlen(pem) + 1);

        assert_non_null(text);
        for (; used + len < size; used += len)
            memcpy(text + used, fills[i], len);
        strcpy(text + used, pem);
        assert_int_equal(trust_scan_pem(&f, text, NULL, "x", 1), 0);
        assert_int_equal(f.n, 1);
        free(f.v);
        free(text);
    }
}

static int set_up(void **state)
{
    int len;

    if (ca_setup(state) != 0)
        return -1;
    len = tlsock_cert_pem(ca_get()->root, TLSOCK_PART_CERT, NULL, 0);
    pem = len > 0 ? malloc((size_t)len + 1) : NULL;
    return pem != NULL && tlsock_cert_pem(ca_get()->root, TLSOCK_PART_CERT, pem,
                                          (size_t)len + 1) == len
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    free(pem);
    return ca_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_found),
        cmocka_unit_test(names_are_those_of_the_lines_before),
        cmocka_unit_test(a_store_full_of_beginnings_takes_no_longer),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
