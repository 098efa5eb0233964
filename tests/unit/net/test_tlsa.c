#include "net_help.h"

#include "core/mem.h"
#include "net/tlsa.h"

#include <poll.h>

#define HASH "0123456789abcdef0123456789abcdef"

static void records_are_taken_apart(void **state)
{
    static const struct {
        const char *claim, *rdata;
        size_t len;
        int rc, usage, selector, matching;
    } rows[] = {
        {"3 1 1", "\3\1\1" HASH, 35, 0, 3, 1, 1},
        {"whatever the numbers", "\377\376\375x", 4, 0, 255, 254, 253},
        {"no data", "\3\1\1", 3, -1, 0, 0, 0},
        {"no header", "\3\1", 2, -1, 0, 0, 0},
        {"nothing", "", 0, -1, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tsk_tlsa t = {0};

        if (tsk_tlsa_parse(&t, rows[i].rdata, rows[i].len) != rows[i].rc)
            fail_msg("%s", rows[i].claim);
        assert_int_equal(t.usage, rows[i].usage);
        assert_int_equal(t.selector, rows[i].selector);
        assert_int_equal(t.matching, rows[i].matching);
        if (rows[i].rc == 0)
            assert_int_equal(t.len, rows[i].len - 3);
    }
}

static void what_is_unusable_is_told_apart(void **state)
{
    static const struct {
        struct tsk_tlsa t;
        int port;
        const char *fault; /* NULL: usable */
    } rows[] = {
        {{3, 1, 1, NULL, 32}, 443, NULL},
        {{0, 0, 2, NULL, 64}, 443, NULL},
        {{2, 0, 0, NULL, 900}, 25, NULL},
        {{1, 1, 1, NULL, 32}, 25, "SMTP"},
        {{1, 1, 1, NULL, 32}, 587, NULL},
        {{4, 1, 1, NULL, 32}, 443, "usage"},
        {{255, 1, 1, NULL, 32}, 443, "usage"},
        {{3, 2, 1, NULL, 32}, 443, "selector"},
        {{3, 1, 3, NULL, 32}, 443, "matching type"},
        {{3, 1, 1, NULL, 31}, 443, "length"},
        {{3, 1, 1, NULL, 33}, 443, "length"},
        {{3, 1, 2, NULL, 32}, 443, "length"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *fault = tsk_tlsa_fault(&rows[i].t, rows[i].port);

        if ((fault == NULL) != (rows[i].fault == NULL) ||
            (fault != NULL && strstr(fault, rows[i].fault) == NULL))
            fail_msg("row %zu: %s", i, fault != NULL ? fault : "usable");
    }
}

static void texts_fit_where_they_go(void **state)
{
    static const uint8_t data[] = {0x0a, 0xb1, 0xff};
    const struct tsk_tlsa t = {3, 1, 1, data, 3};
    char text[32], tiny[8];

    (void)state;
    tsk_tlsa_text(text, sizeof(text), &t, 8);
    assert_string_equal(text, "3 1 1 0ab1ff");
    tsk_tlsa_text(text, sizeof(text), &t, 2);
    assert_string_equal(text, "3 1 1 0ab1...");
    tsk_tlsa_text(tiny, sizeof(tiny), &t, 8);
    assert_true(strlen(tiny) < sizeof(tiny));
    assert_string_equal(tsk_tlsa_usage(0), "PKIX-TA");
    assert_string_equal(tsk_tlsa_usage(3), "DANE-EE");
    assert_string_equal(tsk_tlsa_usage(4), "unknown");
    assert_string_equal(tsk_tlsa_usage(-1), "unknown");
}

static void the_anchor_is_the_first_that_can_be_used(void **state)
{
    static const char *const there[] = {
        "/nowhere/root.key", "/dev/null",   "/",
        "/proc/self/exe",    "/etc/passwd", NULL};
    static const char *const none[] = {"/nowhere/root.key", "/", NULL};
    const char *const *before = tsk_dns_places;
    char path[256], tried[512];
    tlsock_error err;

    (void)state;
    assert_string_equal(before[0], "/usr/share/dns/root.key");
    tsk_dns_places = there;
    assert_int_equal(
        tsk_dns_anchor(path, sizeof(path), tried, sizeof(tried), &err), 0);
    assert_string_equal(path, "/proc/self/exe");
    assert_string_equal(tried, "/nowhere/root.key (missing), /dev/null (no "
                               "file), / (no file)");
    tsk_dns_places = none;
    assert_int_equal(
        tsk_dns_anchor(path, sizeof(path), tried, sizeof(tried), &err),
        TLSOCK_E_TRUST_STORE);
    assert_non_null(strstr(err.message, "/nowhere/root.key (missing)"));
    assert_non_null(strstr(err.hint, "dane.anchor"));
    tsk_dns_places = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_taken_apart),
        cmocka_unit_test(what_is_unusable_is_told_apart),
        cmocka_unit_test(texts_fit_where_they_go),
        cmocka_unit_test(the_anchor_is_the_first_that_can_be_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
