#include "test.h"

#include "fault.h"
#include "memfile.h"

void *tool_realloc(void *old, size_t size); /* what memfile.c calls */

void *tool_realloc(void *old, size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : realloc(old, size);
}

/* As text and as one character after the other: n lines. NULL: no memory. */
static char *lines(size_t n, size_t *len)
{
    struct memfile m;
    FILE *f = memfile_open(&m);

    for (size_t i = 0; f != NULL && i < n; i++) {
        fprintf(f, "%s %zu", "line", i);
        fputc('\n', f);
    }
    return memfile_close(&m, f, len);
}

static void all_is_there(void **state)
{
    static const struct {
        const char *claim;
        size_t lines, len;
    } rows[] = {{"nothing", 0, 0},
                {"a line", 1, 7},
                {"more than a buffer", 1000, 8890},
                {"much more", 100000, 1088890}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = 1;
        char *text = lines(rows[i].lines, &len);

        print_message("%s\n", rows[i].claim);
        assert_non_null(text);
        assert_int_equal(len, rows[i].len);
        assert_int_equal(strlen(text), len);
        free(text);
    }
}

/* Each allocation lacks once: all of it is there, or nothing. */
static void nothing_is_passed_over(void **state)
{
    size_t len, gone = 0;
    int fired = 1;

    (void)state;
    for (long n = 1; fired; n++) {
        char *text;

        len = 0;
        fault_arm(FAULT_TOOL, n, 0);
        text = lines(10000, &len);
        fired = fault_disarm();
        assert_true(fired || text != NULL);
        assert_true(text == NULL || len == 98890);
        gone += text == NULL;
        free(text);
    }
    assert_true(gone > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_there),
        cmocka_unit_test(nothing_is_passed_over),
    };

    fault_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
