/* Servers staple by themselves: fetched ahead, refreshed, never stale. */
#include "fault.h"
#include "lines.h"
#include "stapling.h"

#include "api/config.h"
#include "api/stapler.h"
#include "tls/staple.h"

#include <poll.h>
#include <pthread.h>

static void a_staple_arrives_in_both_versions(void **state)
{
    static const char *const versions[] = {"1.2", "1.3"};
    struct stapling *t = *state;

    for (size_t i = 0; i < COUNT(versions); i++) {
        tlsock_config *sc = ca_server(t->a, "tls.max", versions[i], NULL);
        char told[128];

        stapling_serve(sc);
        stapling_await(sc, 0, 1);
        assert_code(stapling_shake(t, sc, "a.test", told), TLSOCK_OK);
        assert_tells(told, "good by staple");
        tlsock_config_unref(sc);
    }
    assert_int_equal(httpd_asked(&t->web, NULL), 2);
}

/* One that has not begun: how often does OpenSSL lack memory before it has? */
static long begin_starving(struct tsk_ctx *ctx)
{
    long n = 0;

    while (atomic_load(&tsk_ctx_staples(ctx)->begun) == 0) {
        assert_true(n < 1000);
        fault_arm_here(FAULT_OPENSSL, ++n, 0);
        tsk_stapler_begin(ctx);
        fault_disarm();
    }
    return n;
}

/* Who serves is not held up by it: the next one begins it. */
static void without_memory_it_begins_later(void **state)
{
    struct stapling *t = *state;
    long failed = 0;
    int hit = 1;

    for (long n = 1; hit; n++) {
        tlsock_config *sc = ca_server(t->a, NULL);
        struct tsk_ctx *ctx = NULL;
        tlsock_error err = {0};
        int rc;

        fault_arm_here(FAULT_OWN, n, 0);
        rc = tsk_config_snapshot(sc, 1, &ctx, &err);
        hit = fault_disarm();
        if (rc != 0)
            assert_code(rc, TLSOCK_E_NOMEM);
        assert_true(rc == 0 || hit);
        if (rc == 0) {
            failed += begin_starving(ctx);
            stapling_await(sc, 0, 1);
        }
        tsk_ctx_unref(ctx);
        tlsock_config_unref(sc);
        assert_true(n < 2000);
    }
    assert_true(failed > 1);
}

static void off_is_off_and_others_need_no_thread(void **state)
{
    struct stapling *t = *state;
    tlsock_config *off = ca_server(t->a, "staple", "off", NULL),
                  *none = ca_server(ca_get()->a, NULL);
    char told[128];

    stapling_serve(off);
    stapling_serve(none);
    assert_null(tsk_ctx_staples(stapling_ctx_of(off)));
    assert_code(stapling_shake(t, off, "a.test", told), TLSOCK_OK);
    assert_tells(told, "no staple");
    assert_code(stapling_shake(t, none, "a.test", told), TLSOCK_OK);
    assert_tells(told, "no staple");
    assert_int_equal(httpd_asked(&t->web, NULL), 0);
    tlsock_config_unref(off);
    tlsock_config_unref(none);
}

static void it_is_refreshed_past_half_of_its_validity(void **state)
{
    struct stapling *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    int64_t first;

    stapling_serve(sc);
    stapling_await(sc, 0, 1);
    first = stapling_as_of(sc, 0);
    stapling_advance(sc, STAPLING_VALID_S / 2 - 60);
    stapling_advance(sc,
                     STAPLING_VALID_S / 8 + 120); /* the spread of a fleet */
    httpd_await(&t->web, NULL, 2);
    stapling_await(sc, 0, first + STAPLING_VALID_S / 2);
    assert_int_equal(httpd_asked(&t->web, NULL), 2);
    tlsock_config_unref(sc);
}

/* Down from then on: the staple is sent until it is all but over. */
static void it_is_dropped_before_it_is_over(void **state)
{
    struct stapling *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    char told[128];

    stapling_serve(sc);
    stapling_await(sc, 0, 1);
    atomic_store(&t->r.garbage, 1);
    stapling_advance(sc, STAPLING_VALID_S * 9 / 10);
    assert_code(stapling_shake(t, sc, "a.test", told), TLSOCK_OK);
    assert_tells(told, "good by staple");
    stapling_advance(sc, STAPLING_VALID_S / 10 - 60);
    assert_code(stapling_shake(t, sc, "a.test", told), TLSOCK_OK);
    assert_tells(told, "no staple");
    atomic_store(&t->r.garbage, 0);
    stapling_await_retry(sc);
    tlsock_config_unref(sc);
}

static const struct {
    const char *name;
    enum httpd_how how;
    int garbage, status, older_s;
} bad[] = {
    {"garbage", HTTPD_SIZED, 1, TLSOCK_STATUS_GOOD, 0},
    {"unknown", HTTPD_SIZED, 0, TLSOCK_STATUS_UNKNOWN, 0},
    {"over", HTTPD_SIZED, 0, TLSOCK_STATUS_GOOD, 2 * STAPLING_VALID_S},
    {"of the future", HTTPD_SIZED, 0, TLSOCK_STATUS_GOOD, -7200},
    {"cut", HTTPD_EARLY, 0, TLSOCK_STATUS_GOOD, 0},
    {"reset", HTTPD_RESET, 0, TLSOCK_STATUS_GOOD, 0},
};

static void what_is_no_good_is_not_sent_and_asked_for_again(void **state)
{
    struct stapling *t = *state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        tlsock_config *sc = ca_server(t->a, NULL);
        int before = httpd_asked(&t->web, NULL);
        char told[128];

        atomic_store(&t->r.garbage, bad[i].garbage);
        atomic_store(&t->r.status, bad[i].status);
        atomic_store(&t->r.older_s, bad[i].older_s);
        stapling_how(t, bad[i].how);
        stapling_serve(sc);
        httpd_await(&t->web, NULL, before + 1);
        assert_code(stapling_shake(t, sc, "a.test", told), TLSOCK_OK);
        if (strstr(told, "no staple") == NULL)
            fail_msg("%s: %s", bad[i].name, told);
        stapling_advance(sc, 5); /* never before 10 s */
        assert_int_equal(httpd_asked(&t->web, NULL), before + 1);
        atomic_store(&t->r.garbage, 0);
        atomic_store(&t->r.status, TLSOCK_STATUS_GOOD);
        atomic_store(&t->r.older_s, 0);
        stapling_how(t, HTTPD_SIZED);
        stapling_await_retry(sc);
        tlsock_config_unref(sc);
    }
}

/* That is what clients have to know. */
static void a_revoked_certificate_is_stapled_as_such(void **state)
{
    struct stapling *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    char told[128];

    atomic_store(&t->r.status, TLSOCK_STATUS_REVOKED);
    stapling_serve(sc);
    stapling_await(sc, 0, 1);
    assert_code(stapling_shake(t, sc, "a.test", told), TLSOCK_E_REVOKED);
    tlsock_config_unref(sc);
}

/* By the thread that makes the next connection: never by our own. */
static void what_is_wrong_is_told_to_whoever_serves(void **state)
{
    static const char *const says[] = {"no OCSP response to staple: ",
                                       "it is revoked, says its CA"};
    struct stapling *t = *state;

    for (int i = 0; i < 2; i++) {
        tlsock_config *sc = ca_server(t->a, NULL);
        struct lines l;
        char told[128];

        lines_of(sc, &l);
        atomic_store(&t->r.garbage, i == 0);
        atomic_store(&t->r.status, TLSOCK_STATUS_REVOKED);
        stapling_serve(sc);
        for (int k = 0; k < 400 && l.calls == 0; k++) {
            poll(NULL, 0, 20);
            (void)stapling_shake(t, sc, "a.test", told);
        }
        assert_int_equal(l.calls, 1);
        assert_tells(l.text, "our certificate of \"");
        assert_tells(l.text, says[i]);
        assert_true(pthread_equal(l.thread, pthread_self()));
        (void)stapling_shake(t, sc, "a.test", told);
        assert_int_equal(l.calls, 1); /* once */
        tlsock_config_unref(sc);
    }
}

static void each_identity_has_its_own(void **state)
{
    struct stapling *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    char told[128];

    snprintf(t->r.revoked, sizeof(t->r.revoked), "%s",
             tlsock_cert_field(t->b, TLSOCK_CERT_SERIAL));
    assert_code(tlsock_config_add_cert(sc, t->b), TLSOCK_OK);
    stapling_serve(sc);
    stapling_await(sc, 0, 1);
    stapling_await(sc, 1, 1);
    assert_code(stapling_shake(t, sc, "a.test", told), TLSOCK_OK);
    assert_tells(told, "good by staple");
    assert_code(stapling_shake(t, sc, "b.test", told), TLSOCK_E_REVOKED);
    tlsock_config_unref(sc);
}

/* An older answer than the one at hand is of no use: it may be a replay. */
static void an_older_answer_is_not_taken(void **state)
{
    struct stapling *t = *state;
    tlsock_config *sc = ca_server(t->a, NULL);
    int64_t first;

    stapling_serve(sc);
    stapling_await(sc, 0, 1);
    first = stapling_as_of(sc, 0);
    atomic_store(&t->r.older_s, STAPLING_VALID_S * 7 / 8);
    stapling_advance(sc, STAPLING_VALID_S * 3 / 4);
    for (int i = 0; i < 60 && httpd_asked(&t->web, NULL) < 4; i++) {
        stapling_advance(sc, 10);
        poll(NULL, 0, 50);
    }
    assert_true(httpd_asked(&t->web, NULL) >= 3); /* twice it was refused */
    assert_int_equal(stapling_as_of(sc, 0), first);
    tlsock_config_unref(sc);
}

/* Nothing ends in time by itself here: the fetch has no limit of its own. */
static void the_end_does_not_wait_for_a_fetch(void **state)
{
    struct stapling *t = *state;
    tlsock_config *sc = ca_server(t->a, "revocation.timeout", "1h", NULL);

    stapling_how(t, HTTPD_SILENT);
    stapling_serve(sc);
    httpd_await(&t->web, NULL, 1);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAPLING(a_staple_arrives_in_both_versions),
        STAPLING(without_memory_it_begins_later),
        STAPLING(off_is_off_and_others_need_no_thread),
        STAPLING(it_is_refreshed_past_half_of_its_validity),
        STAPLING(it_is_dropped_before_it_is_over),
        STAPLING(what_is_no_good_is_not_sent_and_asked_for_again),
        STAPLING(a_revoked_certificate_is_stapled_as_such),
        STAPLING(what_is_wrong_is_told_to_whoever_serves),
        STAPLING(each_identity_has_its_own),
        STAPLING(an_older_answer_is_not_taken),
        STAPLING(the_end_does_not_wait_for_a_fetch),
    };

    fault_init();
    return cmocka_run_group_tests_name("stapler", tests, ca_setup, ca_teardown);
}
