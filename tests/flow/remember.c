/* Accepted chains are not verified again: when, and when all the same. */
#include "ca.h"
#include "peer.h"

#include "tls/ctx_private.h"
#include "tls/conn.h"
#include "verify/remember.h"

#include <openssl/ssl.h>
#include <tlsock/openssl.h>

static int yes(const tlsock_event *e, void *arg)
{
    (void)e;
    (void)arg;
    return 0;
}

static void plain(tlsock_config *c)
{
    (void)c;
}
static void off(tlsock_config *c)
{
    assert_code(tlsock_config_set(c, "verify.cache", "off"), 0);
}
static void verify_hook(tlsock_config *c)
{
    assert_code(tlsock_config_on(c, TLSOCK_ON_VERIFY, yes, NULL), 0);
}
static void name_hook(tlsock_config *c)
{
    assert_code(tlsock_config_on(c, TLSOCK_ON_NAME, yes, NULL), 0);
}
static void insecure(tlsock_config *c)
{
    assert_code(tlsock_config_set(c, "insecure", "expired: a test"), 0);
}
static void at_a_time(tlsock_config *c)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)time(NULL));
    assert_code(tlsock_config_set(c, "verify.time", text), 0);
}
static void ctx_is_known(tlsock_config *c)
{
    assert_non_null(tlsock_config_get_ctx(c));
}

static const struct row {
    const char *claim;
    void (*change)(tlsock_config *c);
    int used, kept;
} rows[] = {
    {"by default the second is remembered", plain, 1, 1},
    {"verify.cache = off", off, -1, -1},
    {"a hook for VERIFY", verify_hook, 0, 0},
    {"a hook for NAME", name_hook, 0, 0},
    {"insecure", insecure, 0, 0},
    {"verify.time", at_a_time, 0, 0},
    {"the SSL_CTX was given out", ctx_is_known, 0, 0},
};

static void counts(const tlsock *s, int *kept, int *used)
{
    size_t k, u;

    *kept = *used = -1;
    if (s->ctx->remember == NULL)
        return;
    tsk_remember_count(s->ctx->remember, &k, &u);
    *kept = (int)k;
    *used = (int)u;
}

/* Twice, not resumed; what the verifying side has kept then. */
static void twice(tlsock_config *cc, tlsock_config *sc, enum peer_side who,
                  const char *claim, int want_kept, int want_used)
{
    STACK_OF(X509) * chain[2];
    X509 *peer[2];
    int kept, used;

    for (int i = 0; i < 2; i++) {
        struct peer p;

        peer_init(&p);
        peer_connect(&p, cc, sc, "a.test");
        peer_pingpong(&p);
        assert_int_equal(tlsock_info_int(p.conn[who], TLSOCK_INFO_RESUMED), 0);
        counts(p.conn[who], &kept, &used);
        assert_int_equal(
            strncmp(tlsock_info(p.conn[who], TLSOCK_INFO_VERIFIED), "chain", 5),
            0);
        chain[i] = SSL_get0_verified_chain(p.conn[who]->ssl);
        assert_int_equal(sk_X509_num(chain[i]), 3);
        peer[i] = SSL_get0_peer_certificate(p.conn[who]->ssl);
        assert_ptr_equal(sk_X509_value(chain[i], 0), peer[i]);
        peer_close(&p);
        peer_free(&p);
    }
    if (kept != want_kept || used != want_used)
        fail_msg("%s: %d kept, %d used", claim, kept, used);
}

static void clients_remember_servers(void **state)
{
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        const struct row *row = &rows[i / 2];
        tlsock_config *cc =
            ca_client("tls.max", versions[i % 2], "session", "off", NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);

        row->change(cc);
        twice(cc, sc, CLIENT, row->claim, row->kept, row->used);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void servers_remember_clients(void **state)
{
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        const struct row *row = &rows[i / 2];
        tlsock_config *cc, *sc;

        if (row->change == name_hook) /* names are the business of clients */
            continue;
        cc = ca_client("tls.max", versions[i % 2], "session", "off", NULL);
        sc = ca_server(ca_get()->a, "client-auth", "require", NULL);

        assert_code(tlsock_config_add_cert(cc, ca_get()->client), 0);
        assert_code(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
        row->change(sc);
        twice(cc, sc, SERVER, row->claim, row->kept, row->used);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* 0, or the client's code. */
static int visit(tlsock_config *cc, tlsock_cert *server, const char *name,
                 int *used)
{
    tlsock_config *sc = ca_server(server, NULL);
    struct peer p;
    int rc, kept;

    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, name), 0);
    peer_shake(&p);
    rc = p.rc[CLIENT];
    counts(p.conn[CLIENT], &kept, used);
    peer_free(&p);
    tlsock_config_unref(sc);
    return rc;
}

static void what_was_good_for_one_is_not_for_another(void **state)
{
    tlsock_config *cc = ca_client("session", "off", NULL);
    const struct test_ca *ca = ca_get();
    int used;

    (void)state;
    assert_code(visit(cc, ca->a, "a.test", &used), 0);
    assert_code(visit(cc, ca->a, "b.test", &used), TLSOCK_E_NAME_MISMATCH);
    assert_code(visit(cc, ca->b, "a.test", &used), TLSOCK_E_NAME_MISMATCH);
    assert_code(visit(cc, ca->stranger, "a.test", &used),
                TLSOCK_E_CHAIN_INCOMPLETE);
    assert_int_equal(used, 0);
    assert_code(visit(cc, ca->a, "a.test", &used), 0);
    assert_int_equal(used, 1);
    tlsock_config_unref(cc);
}

/* A new snapshot has new trust: nothing of the old one is left. */
static void a_reload_forgets(void **state)
{
    tlsock_config *cc = ca_client("session", "off", NULL);
    int used;

    (void)state;
    assert_code(visit(cc, ca_get()->a, "a.test", &used), 0);
    assert_code(tlsock_config_reload(cc), 0);
    assert_code(visit(cc, ca_get()->a, "a.test", &used), 0);
    assert_int_equal(used, 0);
    tlsock_config_unref(cc);
}

/* Whoever has the SSL may have changed it before the certificate came. */
static void an_ssl_that_was_given_out_is_verified(void **state)
{
    tlsock_config *cc = ca_client("session", "off", NULL);
    tlsock_config *sc = ca_server(ca_get()->a, NULL);

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct peer p;
        int kept, used;

        peer_init(&p);
        assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
        peer_step(&p, CLIENT);
        if (i == 1)
            assert_non_null(tlsock_get_ssl(p.conn[CLIENT]));
        assert_int_equal(peer_shake(&p), 0);
        counts(p.conn[CLIENT], &kept, &used);
        assert_int_equal(kept, 1);
        assert_int_equal(used, i / 2);
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_remember_servers),
        cmocka_unit_test(servers_remember_clients),
        cmocka_unit_test(what_was_good_for_one_is_not_for_another),
        cmocka_unit_test(a_reload_forgets),
        cmocka_unit_test(an_ssl_that_was_given_out_is_verified),
    };

    return cmocka_run_group_tests(tests, ca_setup, ca_teardown);
}
