/* Settings for the server's side: one for each kind of client, kept for some of
 * them, and none that is half made. */
#include "test.h"

#include "fault.h"

#include "intercept_private.h"

#include "api/config_box.h"

#include <stdlib.h>

void *lacking_calloc(size_t n, size_t size); /* what intercept_upconf.c calls */

void *lacking_calloc(size_t n, size_t size)
{
    return fault_hit(FAULT_TOOL) != 0 ? NULL : calloc(n, size);
}

static struct intercept_opts opts;

static tlsock_config *get(struct intercept *all, const char *alpn, int oldest,
                          int newest, tlsock_error *err)
{
    struct conn c = {.oldest = oldest, .newest = newest};

    snprintf(c.alpn, sizeof(c.alpn), "%s", alpn);
    return upconf_get(all, &c, err);
}

static void what_the_client_offers_is_offered_on(void **state)
{
    static const struct {
        const char *alpn;
        int oldest, newest;
        size_t len; /* of alpn on the wire */
        int min, max;
    } rows[] = {{"", 0x0303, 0x0304, 0, 0x0303, 0x0304},
                {"h2,http/1.1", 0x0303, 0x0304, 12, 0x0303, 0x0304},
                {"h2", 0x0303, 0x0303, 3, 0x0303, 0x0303},
                {"h2", 0x0304, 0x0304, 3, 0x0304, 0x0304},
                {"h2", 0, 0, 3, 0x0303, 0x0304}};
    struct intercept all = {.o = &opts};

    (void)state;
    pthread_mutex_init(&all.ups_lock, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_error err = {0};
        tlsock_config *c =
            get(&all, rows[i].alpn, rows[i].oldest, rows[i].newest, &err);

        assert_non_null(c);
        assert_int_equal(c->box->set.alpn_len, rows[i].len);
        assert_int_equal(c->box->set.tls_min, rows[i].min);
        assert_int_equal(c->box->set.tls_max, rows[i].max);
        tlsock_config_unref(c);
    }
    upconf_free(&all);
    pthread_mutex_destroy(&all.ups_lock);
}

/* The last 65 kinds are kept, whoever asked for them. */
static void kinds_of_clients_are_kept_up_to_a_bound(void **state)
{
    struct intercept all = {.o = &opts};
    tlsock_error err = {0};
    tlsock_config *first, *last = NULL, *again;
    char alpn[16];

    (void)state;
    pthread_mutex_init(&all.ups_lock, NULL);
    first = get(&all, "p0", 0x0303, 0x0304, &err);
    assert_non_null(first);
    for (int i = 1; i < 80; i++) {
        tlsock_config_unref(last);
        snprintf(alpn, sizeof(alpn), "p%d", i);
        last = get(&all, alpn, 0x0303, 0x0304, &err);
        assert_non_null(last);
    }
    again = get(&all, "p79", 0x0303, 0x0304, &err);
    assert_ptr_equal(again, last);
    tlsock_config_unref(again);
    again = get(&all, "p20", 0x0303, 0x0304, &err);
    assert_non_null(again);
    tlsock_config_unref(again);
    again = get(&all, "p0", 0x0303, 0x0304, &err);
    assert_non_null(again);
    assert_ptr_not_equal(again, first);
    tlsock_config_unref(again);
    tlsock_config_unref(first);
    tlsock_config_unref(last);
    upconf_free(&all);
    pthread_mutex_destroy(&all.ups_lock);
}

static void without_memory_there_is_none_and_the_reason(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_TOOL, FAULT_OWN};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        long n, failed = 0;

        for (n = 1;; n++) {
            struct intercept all = {.o = &opts};
            tlsock_error err = {0};
            tlsock_config *c;

            pthread_mutex_init(&all.ups_lock, NULL);
            fault_arm(kinds[i], n, 0);
            c = get(&all, "h2", 0x0304, 0x0304, &err);
            if (c == NULL) {
                assert_int_equal(err.code, TLSOCK_E_NOMEM);
                assert_true(err.message[0] != '\0');
                assert_null(all.ups);
                failed++;
            }
            tlsock_config_unref(c);
            upconf_free(&all);
            pthread_mutex_destroy(&all.ups_lock);
            if (!fault_disarm())
                break;
        }
        assert_int_equal(failed, n - 1);
        assert_true(failed > 0);
    }
}

/* What is no list of protocols does not become one; keep_alpn() lets none of
 * these through. */
static void what_cannot_be_set_is_said(void **state)
{
    struct intercept all = {.o = &opts};
    tlsock_error err = {0};

    (void)state;
    pthread_mutex_init(&all.ups_lock, NULL);
    assert_null(get(&all, "a,,b", 0x0303, 0x0304, &err));
    assert_true(err.code < 0);
    assert_true(err.message[0] != '\0');
    assert_null(all.ups);
    pthread_mutex_destroy(&all.ups_lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_client_offers_is_offered_on),
        cmocka_unit_test(kinds_of_clients_are_kept_up_to_a_bound),
        cmocka_unit_test(without_memory_there_is_none_and_the_reason),
        cmocka_unit_test(what_cannot_be_set_is_said),
    };
    int rc;

    fault_init();
    opts.up = tlsock_config_new();
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    tlsock_config_unref(opts.up);
    return rc;
}
