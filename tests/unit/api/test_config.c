#include "config_help.h"

#include "api/config.h"
#include "api/config_box.h"
#include "cert/cert.h"

#include <pthread.h>
#include <tlsock/openssl.h>

#define PIN                                                               \
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab" \
    "cdef"

static struct tsk_ctx *snapshot(tlsock_config *c, int server)
{
    tlsock_error err = {0};
    struct tsk_ctx *ctx = NULL;

    if (tsk_config_snapshot(c, server, &ctx, &err) != 0)
        fail_msg("%s", err.message);
    assert_non_null(ctx);
    return ctx;
}

static void a_new_config_has_the_defaults(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx = snapshot(c, 0);
    const struct tsk_settings *set = tsk_ctx_settings(ctx);

    (void)state;
    assert_int_equal(set->tls_min, 0x0303);
    assert_int_equal(set->timeout_ms, 30000);
    assert_int_equal(set->n_trust + set->n_identities + set->n_pins, 0);
    assert_int_equal(tlsock_config_error(c)->code, 0);
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void null_is_harmless_and_has_an_error_to_look_at(void **state)
{
    (void)state;
    assert_non_null(tlsock_config_error(NULL));
    assert_int_equal(tlsock_config_error(NULL)->code, 0);
    assert_null(tlsock_config_ref(NULL));
    tlsock_config_unref(NULL);
    assert_code(tlsock_config_set(NULL, "tls.min", "1.3"), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_load(NULL, "f", NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_check(NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_reload(NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_trust(NULL, "none"), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_identity(NULL, "a", NULL, NULL),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_identity_for(NULL, NULL, "a", NULL, NULL),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_cert(NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_pin(NULL, PIN), TLSOCK_E_ARGUMENT);
}

static void arguments_that_are_missing_are_named(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    assert_code(tlsock_config_add_trust(c, NULL), TLSOCK_E_ARGUMENT);
    assert_tells(tlsock_config_error(c)->message, "trust");
    assert_code(tlsock_config_add_trust(c, ""), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_identity(c, NULL, NULL, NULL),
                TLSOCK_E_ARGUMENT);
    assert_tells(tlsock_config_error(c)->message, "certificate");
    assert_code(tlsock_config_add_identity_for(c, NULL, "a", NULL, NULL),
                TLSOCK_E_ARGUMENT);
    assert_tells(tlsock_config_error(c)->message, "host");
    assert_code(tlsock_config_add_cert(c, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_pin(c, ""), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_load(c, NULL, NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_set(c, NULL, "1"), TLSOCK_E_ARGUMENT);
    tlsock_config_unref(c);
}

static void the_error_is_that_of_the_last_call(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    assert_code(tlsock_config_set(c, "tls.mim", "1.3"), TLSOCK_E_OPTION);
    assert_code(tlsock_config_error(c)->code, TLSOCK_E_OPTION);
    assert_int_equal(tlsock_config_error(c)->phase, TLSOCK_PHASE_CONFIG);
    assert_tells(tlsock_config_error(c)->message, "tls.min");
    assert_int_equal(tlsock_config_set(c, "tls.min", "1.3"), 0);
    assert_int_equal(tlsock_config_error(c)->code, 0);
    assert_string_equal(tlsock_config_error(c)->message, "");
    tlsock_config_unref(c);
}

static void every_setter_refuses_a_config_in_use(void **state)
{
    tlsock_config *c = tlsock_config_new();
    tlsock_cert *cert =
        tlsock_cert_load(help_path("a.pem"), NULL, NULL, NULL);
    int codes[7];

    (void)state;
    assert_non_null(cert);
    tsk_ctx_unref(snapshot(c, 0));
    codes[0] = tlsock_config_set(c, "tls.min", "1.3");
    codes[1] = tlsock_config_load(c, help_path("empty"), NULL);
    codes[2] = tlsock_config_add_trust(c, "none");
    codes[3] = tlsock_config_add_identity(c, help_path("a.pem"), NULL, NULL);
    codes[4] = tlsock_config_add_identity_for(c, "a.test", help_path("a.pem"),
                                              NULL, NULL);
    codes[5] = tlsock_config_add_cert(c, cert);
    codes[6] = tlsock_config_add_pin(c, PIN);
    for (size_t i = 0; i < COUNT(codes); i++)
        assert_code(codes[i], TLSOCK_E_FROZEN);
    assert_tells(tlsock_config_error(c)->hint, "tlsock_config_copy()");
    tlsock_cert_unref(cert);
    tlsock_config_unref(c);
}

static void a_copy_has_all_settings_and_is_not_frozen(void **state)
{
    tlsock_config *c = tlsock_config_new(), *copy, *fresh;
    const struct tsk_settings *set;
    struct tsk_ctx *ctx;

    (void)state;
    assert_int_equal(tlsock_config_set(c, "alpn", "h2"), 0);
    assert_int_equal(tlsock_config_set(c, "groups", "P-256"), 0);
    assert_int_equal(tlsock_config_add_trust(c, help_path("a.pem")), 0);
    assert_int_equal(tlsock_config_add_pin(c, PIN), 0);
    assert_int_equal(tlsock_config_add_identity_for(c, "", help_path("a.pem"),
                                                    help_path("a.pem.key"),
                                                    NULL), 0);
    tsk_ctx_unref(snapshot(c, 0));
    copy = tlsock_config_copy(c);
    tlsock_config_unref(c);
    assert_int_equal(tlsock_config_set(copy, "tls.min", "1.3"), 0);
    ctx = snapshot(copy, 1);
    set = tsk_ctx_settings(ctx);
    assert_int_equal(set->tls_min, 0x0304);
    assert_memory_equal(set->alpn, "\x02h2", 3);
    assert_string_equal(set->groups, "P-256");
    assert_int_equal(set->n_trust, 1);
    assert_string_equal(set->trust[0], help_path("a.pem"));
    assert_int_equal(set->n_pins, 1);
    assert_int_equal(set->n_identities, 1);
    assert_string_equal(set->identities[0].host, "");
    assert_string_equal(set->identities[0].key_uri, help_path("a.pem.key"));
    tsk_ctx_unref(ctx);
    tlsock_config_unref(copy);
    fresh = tlsock_config_copy(NULL);
    assert_int_equal(tlsock_config_set(fresh, "tls.min", "1.3"), 0);
    tlsock_config_unref(fresh);
}

static void a_snapshot_is_made_once_and_outlives_its_config(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *first = snapshot(c, 0), *second = snapshot(c, 0);

    (void)state;
    assert_ptr_equal(first, second);
    tlsock_config_unref(c);
    assert_int_equal(tsk_ctx_settings(first)->tls_min, 0x0303);
    tsk_ctx_unref(first);
    tsk_ctx_unref(second);
}

static void without_a_config_all_share_the_default_one(void **state)
{
    struct tsk_ctx *first = snapshot(NULL, 0), *second = snapshot(NULL, 0);

    (void)state;
    assert_ptr_equal(first, second);
    assert_int_equal(tsk_ctx_settings(first)->insecure, 0);
    tsk_ctx_unref(first);
    tsk_ctx_unref(second);
}

static void a_server_needs_an_identity_with_names(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx = NULL;
    tlsock_error err = {0};

    (void)state;
    assert_code(tsk_config_snapshot(c, 1, &ctx, &err), TLSOCK_E_OWN_FILE);
    assert_tells(err.hint, "tlsock_config_add_identity()");
    assert_null(ctx);
    assert_code(tlsock_config_error(c)->code, TLSOCK_E_OWN_FILE);
    assert_code(tsk_config_snapshot(NULL, 1, &ctx, NULL), TLSOCK_E_OWN_FILE);
    /* a client's certificate often has no name */
    assert_int_equal(
        tlsock_config_add_identity(c, help_path("nameless.pem"), NULL, NULL),
        0);
    assert_code(tsk_config_snapshot(c, 1, &ctx, &err), TLSOCK_E_NO_NAME);
    assert_tells(err.message, "nameless.pem");
    tsk_ctx_unref(snapshot(c, 0));
    assert_code(tsk_config_snapshot(c, 1, &ctx, &err), TLSOCK_E_NO_NAME);
    tlsock_config_unref(c);
}

static void read_text(const char *name, char *out, size_t size)
{
    FILE *f = fopen(help_path(name), "r");
    size_t n;

    assert_non_null(f);
    n = fread(out, 1, size - 1, f);
    assert_true(n > 0 && n < size - 1);
    out[n] = '\0';
    fclose(f);
}

static void identities_are_proven_when_they_are_added(void **state)
{
    static const struct {
        const char *cert, *key;
        int want;
        const char *tells;
    } cases[] = {
        {"a.pem", NULL, TLSOCK_OK, ""},
        {"a.pem", "a.pem.key", TLSOCK_OK, ""},
        {"a.pem", "b.pem.key", TLSOCK_E_KEY_MISMATCH, "a.pem"},
        {"no.pem", NULL, TLSOCK_E_OWN_FILE, "no.pem"},
        {"a.pem", "no.key", TLSOCK_E_OWN_FILE, "no.key"},
        {"empty", NULL, TLSOCK_E_OWN_FILE, "empty"},
        {"a.pem.key", NULL, TLSOCK_E_OWN_FILE, "a.pem.key"},
        {"old.pem", NULL, TLSOCK_E_EXPIRED, "old.pem"},
    };
    tlsock_config *c = tlsock_config_new();
    char uri[600], cert[4096], key[4096];
    struct tsk_ctx *ctx;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int rc = tlsock_config_add_identity(
            c, help_path(cases[i].cert),
            cases[i].key != NULL ? help_path(cases[i].key) : NULL, NULL);

        if (rc != cases[i].want)
            fail_msg("%s: %s", cases[i].cert,
                     tlsock_config_error(c)->message);
        assert_tells(tlsock_config_error(c)->message, cases[i].tells);
        assert_int_equal(tlsock_config_error(c)->code, rc);
    }
    /* told by its name, however it was given */
    snprintf(uri, sizeof(uri), "file:%s", help_path("old.pem"));
    assert_int_equal(tlsock_config_add_identity(c, uri, NULL, NULL),
                     TLSOCK_E_EXPIRED);
    assert_tells(tlsock_config_error(c)->message, "old.pem");
    assert_null(strstr(tlsock_config_error(c)->message, "file:"));
    read_text("old.pem", cert, sizeof(cert));
    read_text("old.pem.key", key, sizeof(key));
    assert_int_equal(tlsock_config_add_identity(c, cert, key, NULL),
                     TLSOCK_E_EXPIRED);
    assert_tells(tlsock_config_error(c)->message, "inline PEM");
    ctx = snapshot(c, 1);
    assert_int_equal(tsk_ctx_settings(ctx)->n_identities, 2);
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void a_certificate_in_memory_is_an_identity(void **state)
{
    tlsock_config *c = tlsock_config_new();
    tlsock_cert *cert =
        tlsock_cert_load(help_path("a.pem"), NULL, NULL, NULL);
    tlsock_cert *old = tlsock_cert_load(help_path("old.pem"), NULL, NULL, NULL);

    (void)state;
    assert_non_null(cert);
    assert_non_null(old);
    assert_int_equal(tlsock_config_add_cert(c, cert), 0);
    assert_code(tlsock_config_add_cert(c, old), TLSOCK_E_EXPIRED);
    assert_tells(tlsock_config_error(c)->message, "in memory");
    tlsock_cert_unref(cert);
    tlsock_cert_unref(old);
    tsk_ctx_unref(snapshot(c, 1));
    assert_int_equal(tlsock_config_reload(c), 0);
    tsk_ctx_unref(snapshot(c, 1));
    tlsock_config_unref(c);
}

static void trust_is_looked_at_when_it_is_added(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *ctx;

    (void)state;
    assert_true(tlsock_config_add_trust(c, help_path("no.pem")) < 0);
    assert_tells(tlsock_config_error(c)->message, "no.pem");
    assert_true(tlsock_config_add_trust(c, help_path("empty")) < 0);
    assert_tells(tlsock_config_error(c)->message, "empty");
    assert_int_equal(tlsock_config_add_trust(c, "none"), 0);
    assert_int_equal(tlsock_config_add_trust(c, help_path("a.pem")), 0);
    ctx = snapshot(c, 0);
    assert_int_equal(tsk_ctx_settings(ctx)->n_trust, 2);
    assert_string_equal(tsk_ctx_settings(ctx)->trust[0], "none");
    tsk_ctx_unref(ctx);
    tlsock_config_unref(c);
}

static void pins_are_parsed_when_they_are_added(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    assert_int_equal(tlsock_config_add_pin(c, PIN), 0);
    assert_true(tlsock_config_add_pin(c, "sha1:00") < 0);
    assert_string_not_equal(tlsock_config_error(c)->message, "");
    tlsock_config_unref(c);
}

static void check_finds_what_the_first_connection_would(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    help_cert("live.pem", "DNS:a.test", -HELP_DAY, HELP_DAY);
    assert_int_equal(tlsock_config_add_trust(c, help_path("live.pem")), 0);
    assert_int_equal(
        tlsock_config_add_identity(c, help_path("live.pem"), NULL, NULL), 0);
    assert_int_equal(tlsock_config_check(c), 0);
    /* not frozen by it */
    assert_int_equal(tlsock_config_set(c, "tls.min", "1.3"), 0);
    unlink(help_path("live.pem"));
    assert_code(tlsock_config_check(c), TLSOCK_E_OWN_FILE);
    assert_tells(tlsock_config_error(c)->message, "live.pem");
    tlsock_config_unref(c);

    c = tlsock_config_new();
    help_cert("live.pem", "DNS:a.test", -HELP_DAY, HELP_DAY);
    assert_int_equal(tlsock_config_add_trust(c, help_path("live.pem")), 0);
    unlink(help_path("live.pem"));
    assert_code(tlsock_config_check(c), TLSOCK_E_TRUST_STORE);
    tlsock_config_unref(c);
}

static void reload_takes_new_files_and_live_ones_keep_theirs(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *before, *after;
    const tlsock_cert *old, *fresh;

    (void)state;
    help_cert("live.pem", "DNS:a.test", -HELP_DAY, HELP_DAY);
    assert_int_equal(
        tlsock_config_add_identity(c, help_path("live.pem"), NULL, NULL), 0);
    assert_int_equal(tlsock_config_add_trust(c, help_path("a.pem")), 0);
    before = snapshot(c, 1);
    help_cert("live.pem", "DNS:b.test", -HELP_DAY, HELP_DAY);
    assert_int_equal(tlsock_config_reload(c), 0);
    after = snapshot(c, 1);
    assert_ptr_not_equal(before, after);
    old = tsk_ctx_settings(before)->identities[0].cert;
    fresh = tsk_ctx_settings(after)->identities[0].cert;
    assert_int_not_equal(X509_cmp(old->leaf, fresh->leaf), 0);
    assert_code(tlsock_config_set(c, "tls.min", "1.3"), TLSOCK_E_FROZEN);
    tsk_ctx_unref(before);
    tsk_ctx_unref(after);
    tlsock_config_unref(c);
}

static void reload_before_use_reads_again_and_does_not_freeze(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    assert_int_equal(
        tlsock_config_add_identity(c, help_path("a.pem"), NULL, NULL), 0);
    assert_int_equal(tlsock_config_add_trust(c, "none"), 0);
    assert_int_equal(tlsock_config_reload(c), 0);
    assert_int_equal(tlsock_config_set(c, "tls.min", "1.3"), 0);
    tlsock_config_unref(c);
}

static void a_reload_that_fails_leaves_all_as_it_was(void **state)
{
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *before, *after;

    (void)state;
    help_cert("live.pem", "DNS:a.test", -HELP_DAY, HELP_DAY);
    assert_int_equal(
        tlsock_config_add_identity(c, help_path("live.pem"), NULL, NULL), 0);
    assert_int_equal(tlsock_config_add_trust(c, help_path("a.pem")), 0);
    before = snapshot(c, 1);
    help_write("live.pem", "-----BEGIN nonsense");
    assert_code(tlsock_config_reload(c), TLSOCK_E_OWN_FILE);
    assert_tells(tlsock_config_error(c)->message, "live.pem");
    help_cert("live.pem", "DNS:a.test", -2 * HELP_DAY, -HELP_DAY);
    assert_code(tlsock_config_reload(c), TLSOCK_E_EXPIRED);
    help_cert("live.pem", NULL, -HELP_DAY, HELP_DAY);
    assert_code(tlsock_config_reload(c), TLSOCK_E_NO_NAME); /* it serves */
    after = snapshot(c, 1);
    assert_ptr_equal(before, after);
    tsk_ctx_unref(before);
    tsk_ctx_unref(after);
    tlsock_config_unref(c);
}

/* With many hosts most certificates wait until they are asked for: a reload
 * does not, so that it fails before anybody's handshake does. */
static void a_reload_proves_what_nobody_has_asked_for(void **state)
{
    size_t was = tsk_identities_at_once;
    tlsock_config *c = tlsock_config_new();
    struct tsk_ctx *before, *after;
    char other[1024];

    (void)state;
    tsk_identities_at_once = 0;
    help_cert("live.pem", "DNS:b.test", -HELP_DAY, HELP_DAY);
    assert_int_equal(tlsock_config_add_identity(c, help_path("a.pem"),
                                                help_path("a.pem.key"), NULL),
                     0);
    assert_int_equal(
        tlsock_config_add_identity_for(c, "b.test", help_path("live.pem"),
                                       help_path("live.pem.key"), NULL),
        0);
    assert_int_equal(tlsock_config_add_trust(c, help_path("a.pem")), 0);
    before = snapshot(c, 1);
    read_text("a.pem.key", other, sizeof(other));
    help_write("live.pem.key", other);
    assert_code(tlsock_config_reload(c), TLSOCK_E_KEY_MISMATCH);
    assert_tells(tlsock_config_error(c)->message, "live.pem");
    after = snapshot(c, 1);
    assert_ptr_equal(before, after);
    tsk_ctx_unref(before);
    tsk_ctx_unref(after);
    tlsock_config_unref(c);
    tsk_identities_at_once = was;
}

static void the_ssl_ctx_freezes_and_belongs_to_the_config(void **state)
{
    tlsock_config *c = tlsock_config_new();

    (void)state;
    assert_non_null(tlsock_config_get_ctx(c));
    assert_ptr_equal(tlsock_config_get_ctx(c), tlsock_config_get_ctx(c));
    assert_code(tlsock_config_set(c, "tls.min", "1.3"), TLSOCK_E_FROZEN);
    tlsock_config_unref(c);
}

static void *use(void *arg)
{
    for (int i = 0; i < 200; i++) {
        struct tsk_ctx *ctx = NULL;

        if (tsk_config_snapshot(arg, 0, &ctx, NULL) != 0)
            return arg;
        tsk_ctx_unref(ctx);
    }
    return NULL;
}

static void threads_share_one_config_while_it_is_reloaded(void **state)
{
    tlsock_config *c = tlsock_config_new();
    pthread_t threads[4];
    void *failed;

    (void)state;
    assert_int_equal(tlsock_config_add_trust(c, "none"), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, use,
                           i != 3 ? tlsock_config_ref(c) : NULL), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(tlsock_config_reload(c), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
        if (i != 3)
            tlsock_config_unref(c);
    }
    tlsock_config_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_config_has_the_defaults),
        cmocka_unit_test(null_is_harmless_and_has_an_error_to_look_at),
        cmocka_unit_test(arguments_that_are_missing_are_named),
        cmocka_unit_test(the_error_is_that_of_the_last_call),
        cmocka_unit_test(every_setter_refuses_a_config_in_use),
        cmocka_unit_test(a_copy_has_all_settings_and_is_not_frozen),
        cmocka_unit_test(a_snapshot_is_made_once_and_outlives_its_config),
        cmocka_unit_test(without_a_config_all_share_the_default_one),
        cmocka_unit_test(a_server_needs_an_identity_with_names),
        cmocka_unit_test(identities_are_proven_when_they_are_added),
        cmocka_unit_test(a_certificate_in_memory_is_an_identity),
        cmocka_unit_test(trust_is_looked_at_when_it_is_added),
        cmocka_unit_test(pins_are_parsed_when_they_are_added),
        cmocka_unit_test(check_finds_what_the_first_connection_would),
        cmocka_unit_test(reload_takes_new_files_and_live_ones_keep_theirs),
        cmocka_unit_test(reload_before_use_reads_again_and_does_not_freeze),
        cmocka_unit_test(a_reload_that_fails_leaves_all_as_it_was),
        cmocka_unit_test(a_reload_proves_what_nobody_has_asked_for),
        cmocka_unit_test(the_ssl_ctx_freezes_and_belongs_to_the_config),
        cmocka_unit_test(threads_share_one_config_while_it_is_reloaded),
    };

    return cmocka_run_group_tests(tests, help_setup, help_teardown);
}
