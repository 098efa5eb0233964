/* The index of a CA: what is written is read back, whatever the names are; and
 * memory that runs out leaves the index as it was. */
#include "cadb_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The n-th allocation fails; 0: none. Only what the tool itself asks for. */
static long fail_at, asked;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
FILE *__real_fopencookie(void *cookie, const char *mode,
                         cookie_io_functions_t calls);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
FILE *__wrap_fopencookie(void *cookie, const char *mode,
                         cookie_io_functions_t calls);

static int fails(void)
{
    return fail_at > 0 && ++asked == fail_at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

FILE *__wrap_fopencookie(void *cookie, const char *mode,
                         cookie_io_functions_t calls)
{
    return fails() ? NULL : __real_fopencookie(cookie, mode, calls);
}

static const char *const hostile[] = {
    "",
    " ",
    "\"",
    "\\",
    "\\\"",
    "\\x0a",
    "a\nend 0\n",
    "\r\n\t\x01\x7f",
    "V 00 - -",
    "B\303\244ckerei",
    "\xff\xfe not UTF-8",
    "# tlsock CA index 1",
    " = ",
};

static int add(struct cadb_index *x, const char *serial, const char *sans,
               const char *subject)
{
    struct cadb_entry *e = cadb_row_new(serial, sans, subject, "dir");
    int rc;

    if (e == NULL)
        return -1;
    e->issued = 1700000000;
    e->expires = 1800000000;
    rc = cadb_row_add(x, e);
    if (rc != 0)
        free(e);
    return rc;
}

static void fill(struct cadb_index *x)
{
    char serial[16];

    cadb_index_init(x);
    for (unsigned i = 0; i < COUNT(hostile); i++) {
        /* not in the order of their serials */
        snprintf(serial, sizeof(serial), "%02x", (i * 7 + 5) % 256 + 1);
        assert_int_equal(
            add(x, serial, hostile[i], hostile[COUNT(hostile) - 1 - i]), 0);
    }
    x->row[3]->revoked = 1;
    x->row[3]->revoked_at = 1750000000;
    x->row[3]->reason = 4;
    x->crl = (struct cadb_crl_state){77, 1750000001, 1750600000, 1, 9};
    x->url[CADB_URL_OCSP] = strdup("http://a.test/\"\n");
    assert_non_null(x->url[CADB_URL_OCSP]);
}

static void same_row(const struct cadb_entry *a, const struct cadb_entry *b)
{
    assert_string_equal(a->serial, b->serial);
    assert_string_equal(a->sans, b->sans);
    assert_string_equal(a->subject, b->subject);
    assert_string_equal(a->file, b->file);
    assert_int_equal(a->revoked, b->revoked);
    assert_int_equal(a->revoked_at, b->revoked_at);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->issued, b->issued);
    assert_int_equal(a->expires, b->expires);
}

static void hostile_names_come_back_as_they_were(void **state)
{
    struct cadb_index x, y;
    tlsock_error err = {0};
    size_t len, lines = 0;
    char *text;

    (void)state;
    fill(&x);
    text = cadb_index_text(&x, &len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines, 4 + 6 + COUNT(hostile) + 1);
    if (cadb_index_parse(&y, "index", text, len, "dir", &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(y.n, COUNT(hostile));
    for (size_t i = 0; i < y.n; i++)
        same_row(x.row[i], y.row[i]);
    assert_memory_equal(&x.crl, &y.crl, sizeof(x.crl));
    assert_string_equal(x.url[CADB_URL_OCSP], y.url[CADB_URL_OCSP]);
    assert_null(y.url[CADB_URL_CRL]);
    free(text);
    cadb_index_free(&x);
    cadb_index_free(&y);
}

static void serials_are_found_as_people_write_them(void **state)
{
    static const struct {
        const char *text, *found;
    } cases[] = {
        {"0a1b", "0a1b"},
        {"A1B", "0a1b"},
        {"0A:1B", "0a1b"},
        {"00:00:0a:1b", "0a1b"},
        {"a1b0", NULL},
        {"", NULL},
        {"0", NULL},
        {"0a1bg", NULL},
        {"0a1b ", NULL},
        {"0x0a1b", NULL},
        {"7fffffffffffffffffffffffffffffffffffffff",
         "7fffffffffffffffffffffffffffffffffffffff"},
        {"7fffffffffffffffffffffffffffffffffffffff00", NULL},
        {"00000000000000000000000000000000000000000000000000000000a1b", NULL},
    };
    struct cadb_index x;

    (void)state;
    cadb_index_init(&x);
    assert_int_equal(add(&x, "0a1b", "", ""), 0);
    assert_int_equal(
        add(&x, "7fffffffffffffffffffffffffffffffffffffff", "", ""), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct cadb_entry *e = cadb_row_find(&x, cases[i].text);

        if (cases[i].found == NULL
                ? e != NULL
                : e == NULL || strcmp(e->serial, cases[i].found) != 0)
            fail_msg("\"%s\": %s", cases[i].text, e != NULL ? e->serial : "");
    }
    assert_int_equal(add(&x, "0a1b", "", ""), -2);
    cadb_row_drop_last(&x);
    assert_null(cadb_row_find(&x, "7fffffffffffffffffffffffffffffffffffffff"));
    assert_non_null(cadb_row_find(&x, "0a1b"));
    cadb_index_free(&x);
}

static void many_rows_stay_sorted(void **state)
{
    struct cadb_index x;
    char serial[16];

    (void)state;
    cadb_index_init(&x);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(serial, sizeof(serial), "%08x",
                 (i + 1) * 2654435761u | 1u << 28);
        assert_int_equal(add(&x, serial, "", ""), 0);
    }
    for (size_t i = 0; i < x.n; i++) {
        assert_ptr_equal(cadb_row_find(&x, x.row[i]->serial), x.row[i]);
        assert_true(i == 0 ||
                    strcmp(x.sorted[i - 1]->serial, x.sorted[i]->serial) < 0);
    }
    cadb_index_free(&x);
}

static void memory_that_runs_out_is_said_and_nothing_leaks(void **state)
{
    struct cadb_index x, y;
    tlsock_error err;
    char *text, *again, *copy;
    size_t len, n;
    long at = 0;
    int rc;

    (void)state;
    fill(&x);
    text = cadb_index_text(&x, &len);
    assert_non_null(text);
    copy = malloc(len + 1);
    assert_non_null(copy);
    do {
        memcpy(copy, text, len);
        memset(&err, 0, sizeof(err));
        asked = 0;
        fail_at = ++at;
        rc = cadb_index_parse(&y, "index", copy, len, "dir", &err);
        again = rc == 0 ? cadb_index_text(&y, &n) : NULL;
        fail_at = 0;
        if (rc != 0) {
            assert_int_equal(err.code, TLSOCK_E_NOMEM);
            continue;
        }
        cadb_index_free(&y);
        if (again == NULL)
            rc = -1;
        free(again);
    } while (rc != 0 && at < 1000);
    assert_int_equal(rc, 0);
    assert_true(at > (long)COUNT(hostile));
    free(copy);
    free(text);
    cadb_index_free(&x);
}

/* Whatever has no memory while it is written: all of it is there, or nothing.
 */
static void a_text_that_is_cut_is_none(void **state)
{
    struct cadb_index x;
    size_t len, n, gone = 0;
    char *text, *again, serial[16];

    (void)state;
    fill(&x);
    for (int i = 0; i < 300; i++) {
        snprintf(serial, sizeof(serial), "%06x", 0x10000 + i);
        assert_int_equal(add(&x, serial, "DNS:app.test", "CN=app.test"), 0);
    }
    text = cadb_index_text(&x, &len);
    assert_non_null(text);
    for (long at = 1; at == 1 || asked >= at - 1; at++) {
        asked = 0;
        fail_at = at;
        again = cadb_index_text(&x, &n);
        fail_at = 0;
        gone += again == NULL;
        if (again != NULL) {
            assert_int_equal(n, len);
            assert_memory_equal(again, text, len);
        }
        free(again);
    }
    assert_true(gone > 2);
    free(text);
    cadb_index_free(&x);
}

static void a_row_without_memory_is_not_taken(void **state)
{
    struct cadb_index x;
    struct cadb_entry *e = cadb_row_new("01", "", "CN=a", "dir");

    (void)state;
    assert_non_null(e);
    cadb_index_init(&x);
    for (long at = 1; at <= 3; at++) {
        asked = 0;
        fail_at = at;
        assert_int_equal(cadb_row_add(&x, e), at <= 2 ? -1 : 0);
        fail_at = 0;
        assert_int_equal(x.n, at <= 2 ? 0 : 1);
    }
    cadb_index_free(&x);
}

static void times_are_exactly_those_of_rfc_3339(void **state)
{
    static const struct {
        const char *text;
        int good;
        int64_t when;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 1, 0},
        {"2026-11-26T21:38:38Z", 1, 1795729118},
        {"9999-12-31T23:59:59Z", 1, 253402300799},
        {"2026-02-29T00:00:00Z", 0, 0},
        {"2026-13-01T00:00:00Z", 0, 0},
        {"2026-11-26T24:00:00Z", 0, 0},
        {"2026-11-26T21:38:38", 0, 0},
        {"2026-11-26T21:38:38Zx", 0, 0},
        {"2026-11-26 21:38:38Z", 0, 0},
        {" 2026-11-26T21:38:38Z", 0, 0},
        {"2026-1-1T1:1:1Z", 0, 0},
        {"", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t when = 0;
        int good = cadb_time_parse(&when, cases[i].text) == 0;

        if (good != cases[i].good || (good && when != cases[i].when))
            fail_msg("%s: %d, %lld", cases[i].text, good, (long long)when);
    }
}

static void reasons_have_words_both_ways(void **state)
{
    (void)state;
    for (int i = -1; i < 20; i++) {
        const char *word = cadb_reason_name(i);

        if (word != NULL)
            assert_int_equal(cadb_reason_of(word), i);
    }
    assert_int_equal(cadb_reason_of("KEYCOMPROMISE"), 1);
    assert_int_equal(cadb_reason_of("certificateHold"), -1);
    assert_null(cadb_reason_name(6));
    assert_null(cadb_reason_name(7));
    assert_null(cadb_reason_name(8));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_names_come_back_as_they_were),
        cmocka_unit_test(serials_are_found_as_people_write_them),
        cmocka_unit_test(many_rows_stay_sorted),
        cmocka_unit_test(memory_that_runs_out_is_said_and_nothing_leaks),
        cmocka_unit_test(a_text_that_is_cut_is_none),
        cmocka_unit_test(a_row_without_memory_is_not_taken),
        cmocka_unit_test(times_are_exactly_those_of_rfc_3339),
        cmocka_unit_test(reasons_have_words_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
