/* What a connection has only while it needs it: the record of a failure, its
 * text of information, and what was found out about the peer. */
#include "core/mem.h"
#include "test.h"
#include "tls/conn.h"

#include <pthread.h>
#include <string.h>

static int none_left(void)
{
    return 1;
}

static void record_is_made_and_given_back(void **state)
{
    tlsock s = {0};

    (void)state;
    assert_int_equal(tsk_err_of(&s)->code, 0);
    assert_null(s.err);
    tsk_err(&s);
    assert_non_null(s.err);
    tsk_err_settle(&s);
    assert_null(s.err);
    tsk_fail(tsk_err(&s), TLSOCK_E_ALPN, "no protocol");
    tsk_err_settle(&s); /* a failure stays */
    assert_int_equal(tsk_err_of(&s)->code, TLSOCK_E_ALPN);
    tsk_err_clear(&s);
    tsk_err_settle(&s);
    assert_null(s.err);
}

static void *code_elsewhere(void *conn)
{
    static int code;

    code = tsk_err_of(conn)->code;
    return &code;
}

/* The thread that failed is told all of it, others that memory was out. */
static void record_without_memory(void **state)
{
    tlsock a = {0}, b = {0};
    pthread_t t;
    void *code;

    (void)state;
    tsk_mem_fail = none_left;
    tsk_fail(tsk_err(&a), TLSOCK_E_NAME_MISMATCH, "not %s", "a.test");
    assert_int_equal(tsk_err_of(&a)->code, TLSOCK_E_NAME_MISMATCH);
    assert_string_equal(tsk_err_of(&a)->message, "not a.test");
    tsk_hint(tsk_err(&a), "the same record");
    assert_string_equal(tsk_err_of(&a)->message, "not a.test");
    assert_int_equal(pthread_create(&t, NULL, code_elsewhere, &a), 0);
    assert_int_equal(pthread_join(t, &code), 0);
    assert_int_equal(*(int *)code, TLSOCK_E_NOMEM);
    tsk_fail(tsk_err(&b), TLSOCK_E_ALPN, "no protocol");
    assert_int_equal(tsk_err_of(&b)->code, TLSOCK_E_ALPN);
    assert_int_equal(tsk_err_of(&a)->code, TLSOCK_E_NOMEM);
    tsk_hint(tsk_err(&a), "never without a code");
    assert_int_equal(tsk_err_of(&a)->code, TLSOCK_E_NOMEM);
    tsk_mem_fail = NULL;
    tsk_err_clear(&a);
    assert_int_equal(tsk_err_of(&a)->code, 0);
    tsk_fail(tsk_err(&a), TLSOCK_E_ALPN, "again with memory");
    assert_non_null(a.err);
    tsk_free(a.err);
}

static void text_without_memory(void **state)
{
    tlsock s = {0};
    char *scrap;

    (void)state;
    tsk_mem_fail = none_left;
    scrap = tsk_conn_text(&s);
    tsk_mem_fail = NULL;
    assert_non_null(scrap);
    memset(scrap, 'x', TSK_CONN_TEXT);
    assert_null(s.text);
    assert_ptr_not_equal(tsk_conn_text(&s), scrap);
    assert_ptr_equal(tsk_conn_text(&s), s.text);
    tsk_free(s.text);
}

static void facts_are_kept_if_there_are_any(void **state)
{
    tlsock s = {0};
    struct tsk_session_facts *none;

    (void)state;
    tsk_facts_init(&s);
    none = s.facts;
    tsk_facts_wipe(&s);
    assert_ptr_equal(s.facts, none);
    assert_int_equal(tsk_facts_begin(&s), 0);
    assert_ptr_not_equal(s.facts, none);
    tsk_facts_settle(&s);
    assert_ptr_equal(s.facts, none);
    assert_int_equal(tsk_facts_begin(&s), 0);
    strcpy(s.facts->verdict.verified, "chain");
    tsk_facts_settle(&s);
    assert_int_equal(tsk_facts_begin(&s), 0); /* nothing of it is lost */
    assert_string_equal(s.facts->verdict.verified, "chain");
    tsk_facts_free(&s);
    assert_string_equal(s.facts->verdict.verified, "");
    tsk_mem_fail = none_left;
    assert_int_equal(tsk_facts_begin(&s), TLSOCK_E_NOMEM);
    tsk_mem_fail = NULL;
    assert_ptr_equal(s.facts, none);
    tsk_free(s.err);
}

/* Most of an idle connection is libssl's: what is ours beside it is small. */
static void connection_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(tlsock) <= 1408);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_is_made_and_given_back),
        cmocka_unit_test(record_without_memory),
        cmocka_unit_test(text_without_memory),
        cmocka_unit_test(facts_are_kept_if_there_are_any),
        cmocka_unit_test(connection_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
