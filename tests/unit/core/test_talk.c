#include "core/mem.h"
#include "core/talk.h"
#include "test.h"

struct fixture {
    struct tsk_buf in;
    struct tsk_talk t;
    tlsock_error err;
    char line[TSK_TALK_LINE];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->t.in = &f->in;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    tsk_buf_free(&f->in);
    tsk_talk_free(&f->t);
    free(f);
    return 0;
}

static void feed(struct fixture *f, const void *p, size_t n)
{
    assert_int_equal(tsk_buf_add(&f->in, p, n), 0);
}

static int line(struct fixture *f)
{
    return tsk_talk_line(&f->t, f->line, &f->err);
}

static void assert_failed(struct fixture *f, int rc, int want)
{
    assert_code(rc, want);
    assert_code(f->err.code, want);
    assert_true(f->err.message[0] != '\0' && f->err.hint[0] != '\0');
}

static void lines_end_with_lf_or_cr_lf_and_no_byte_beyond_is_taken(void **state)
{
    struct fixture *f = *state;

    feed(f, "ab\r\n\n\rc\r\r\nrest", 14);
    assert_int_equal(line(f), 3);
    assert_string_equal(f->line, "ab");
    assert_int_equal(line(f), 1);
    assert_string_equal(f->line, "");
    assert_int_equal(line(f), 4);
    assert_string_equal(f->line, "\rc\r");
    assert_int_equal(line(f), TLSOCK_AGAIN);
    assert_int_equal(f->in.len, 4);
    assert_int_equal(f->t.bytes, 10);
    f->t.ended = 1;
    assert_failed(f, line(f), TLSOCK_E_CLOSED_IN_HANDSHAKE);
}

static void a_line_of_4096_is_the_longest(void **state)
{
    struct fixture *f = *state;
    char text[TSK_TALK_LINE + 1];

    memset(text, 'x', sizeof(text));
    text[TSK_TALK_LINE - 1] = '\n';
    feed(f, text, TSK_TALK_LINE);
    assert_int_equal(line(f), TSK_TALK_LINE);
    text[TSK_TALK_LINE - 1] = 'x';
    text[TSK_TALK_LINE] = '\n';
    feed(f, text, TSK_TALK_LINE + 1);
    assert_failed(f, line(f), TLSOCK_E_LIMIT);
}

static void the_257th_line_is_one_too_many(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < TSK_TALK_LINES; i++) {
        feed(f, "x\n", 2);
        assert_int_equal(line(f), 2);
    }
    feed(f, "x\n", 2);
    assert_failed(f, line(f), TLSOCK_E_LIMIT);
}

static void a_nul_is_no_text(void **state)
{
    struct fixture *f = *state;

    feed(f, "a\0b\n", 4);
    assert_failed(f, line(f), TLSOCK_E_PROTOCOL);
}

static void bytes_stay_until_they_are_taken(void **state)
{
    struct fixture *f = *state;
    const uint8_t *p;
    int rc = 1;

    assert_null(tsk_talk_need(&f->t, 1, &rc, &f->err));
    assert_int_equal(rc, TLSOCK_AGAIN);
    feed(f, "abc", 3);
    p = tsk_talk_need(&f->t, 3, &rc, &f->err);
    assert_non_null(p);
    assert_int_equal(rc, 0);
    assert_memory_equal(p, "abc", 3);
    assert_int_equal(tsk_talk_take(&f->t, 2, &f->err), 0);
    assert_null(tsk_talk_need(&f->t, 2, &rc, &f->err));
    assert_int_equal(rc, TLSOCK_AGAIN);
    f->t.ended = 1;
    assert_null(tsk_talk_need(&f->t, 2, &rc, &f->err));
    assert_failed(f, rc, TLSOCK_E_CLOSED_IN_HANDSHAKE);
}

static void all_that_is_taken_is_bounded(void **state)
{
    struct fixture *f = *state;
    static const char zeros[TSK_TALK_MOST + 1];
    int rc = 0;

    feed(f, zeros, sizeof(zeros));
    assert_null(tsk_talk_need(&f->t, TSK_TALK_MOST + 1, &rc, &f->err));
    assert_failed(f, rc, TLSOCK_E_LIMIT);
    assert_int_equal(tsk_talk_take(&f->t, TSK_TALK_MOST, &f->err), 0);
    assert_non_null(tsk_talk_need(&f->t, 0, &rc, &f->err));
    assert_null(tsk_talk_need(&f->t, 1, &rc, &f->err));
    assert_failed(f, rc, TLSOCK_E_LIMIT);
    assert_failed(f, tsk_talk_take(&f->t, 1, &f->err), TLSOCK_E_LIMIT);
    assert_null(tsk_talk_need(&f->t, 0, &rc, &f->err)); /* and stays so */
    assert_failed(f, rc, TLSOCK_E_LIMIT);
    feed(f, "x\n", 2);
    assert_failed(f, line(f), TLSOCK_E_LIMIT);
}

static void what_is_said_is_queued_whole_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    char name[2048];

    assert_int_equal(tsk_talk_send(&f->t, "a\0", 2, &f->err), 0);
    assert_int_equal(tsk_talk_say(&f->t, &f->err, "%d\r\n", 5), 0);
    memset(name, 'n', sizeof(name));
    name[2047] = '\0';
    assert_int_equal(tsk_talk_say(&f->t, &f->err, "%s", name), 0);
    assert_int_equal(f->t.out.len, 2052);
    assert_memory_equal(tsk_buf_at(&f->t.out),
                        "a\0"
                        "5\r\nnn",
                        7);
    assert_failed(f, tsk_talk_say(&f->t, &f->err, "%s.", name), TLSOCK_E_LIMIT);
    assert_int_equal(f->t.out.len, 2052);
}

static int always(void)
{
    return 1;
}

static void without_memory_nothing_is_said(void **state)
{
    struct fixture *f = *state;
    int sent, said;

    tsk_mem_fail = always;
    sent = tsk_talk_send(&f->t, "a", 1, &f->err);
    said = tsk_talk_say(&f->t, &f->err, "a");
    tsk_mem_fail = NULL;
    assert_code(sent, TLSOCK_E_NOMEM);
    assert_code(said, TLSOCK_E_NOMEM);
    assert_code(f->err.code, TLSOCK_E_NOMEM);
    assert_int_equal(f->t.out.len, 0);
}

#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(lines_end_with_lf_or_cr_lf_and_no_byte_beyond_is_taken),
        WITH_FIXTURE(a_line_of_4096_is_the_longest),
        WITH_FIXTURE(the_257th_line_is_one_too_many),
        WITH_FIXTURE(a_nul_is_no_text),
        WITH_FIXTURE(bytes_stay_until_they_are_taken),
        WITH_FIXTURE(all_that_is_taken_is_bounded),
        WITH_FIXTURE(what_is_said_is_queued_whole_or_not_at_all),
        WITH_FIXTURE(without_memory_nothing_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
