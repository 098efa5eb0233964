/* Settings of one host alone: "ciphers@shop.test" and its kin. */
#include "ca.h"
#include "peer.h"

#include <unistd.h>

/* What a server serves, and key, value pairs of its hosts. */
static tlsock_config *server(const char *const *pairs)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL);

    for (; *pairs != NULL; pairs += 2)
        if (tlsock_config_set(sc, pairs[0], pairs[1]) < 0)
            fail_msg("%s = %s: %s", pairs[0], pairs[1],
                     tlsock_config_error(sc)->message);
    return sc;
}

struct met {
    int client, server, resumed;
    char cipher[64], trust[512];
};

static void meet(tlsock_config *cc, tlsock_config *sc, const char *sni,
                 struct met *m)
{
    struct peer p;

    memset(m, 0, sizeof(*m));
    peer_init(&p);
    assert_code(peer_open_opts(&p, cc,
                               TLSOCK_OPTS(.nonblocking = 1, .sni = sni), sc,
                               TLSOCK_OPTS(.nonblocking = 1), "a.test"),
                TLSOCK_OK);
    if (peer_shake(&p) == 0) {
        peer_pingpong(&p);
        m->resumed = (int)tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_RESUMED);
        snprintf(m->cipher, sizeof(m->cipher), "%s",
                 tlsock_info(p.conn[SERVER], TLSOCK_INFO_CIPHER));
        peer_close(&p);
    }
    m->client = p.rc[CLIENT];
    m->server = p.rc[SERVER];
    peer_free(&p);
}

static const char *const ciphers[] = {
    "ciphers@one.test", "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ciphersuites@one.test", "TLS_AES_128_GCM_SHA256",
    "ciphersuites@*.two.test", "TLS_CHACHA20_POLY1305_SHA256",
    "ciphers@*.two.test", "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ciphersuites@x.two.test", "TLS_AES_256_GCM_SHA384",
    "ciphers@b\xc3\xbc" "cher.test", "ECDHE-ECDSA-AES128-GCM-SHA256",
    NULL};

static void a_host_has_its_own_ciphers(void **state)
{
    static const struct {
        const char *sni, *tls, *want;
    } rows[] = {
        {"a.test", "1.3", "TLS_AES_256_GCM_SHA384"}, /* all others */
        {"a.test", "1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {"", "1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {"one.test", "1.3", "TLS_AES_128_GCM_SHA256"},
        {"ONE.test", "1.3", "TLS_AES_128_GCM_SHA256"},
        {"one.test", "1.2", "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {"y.two.test", "1.3", "TLS_CHACHA20_POLY1305_SHA256"},
        {"y.two.test", "1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {"two.test", "1.3", "TLS_AES_256_GCM_SHA384"},
        {"x.two.test", "1.3", "TLS_AES_256_GCM_SHA384"},
        /* a host in full has nothing of "*": as all others */
        {"x.two.test", "1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {"xn--bcher-kva.test", "1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {"xn--bcher-kva.test", "1.3", "TLS_AES_256_GCM_SHA384"},
    };
    tlsock_config *sc = server(ciphers);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc =
            ca_client("tls.max", rows[i].tls, "session", "off", NULL);
        struct met m;

        meet(cc, sc, rows[i].sni, &m);
        if (strcmp(m.cipher, rows[i].want) != 0)
            fail_msg("%s, TLS %s: %s instead of %s", rows[i].sni, rows[i].tls,
                     m.cipher, rows[i].want);
        tlsock_config_unref(cc);
    }
    tlsock_config_unref(sc);
}

static void no_cipher_in_common_is_no_handshake(void **state)
{
    tlsock_config *sc = server(ciphers);
    tlsock_config *cc = ca_client("ciphersuites", "TLS_AES_256_GCM_SHA384",
                                  "tls.min", "1.3", NULL);
    struct met m;

    (void)state;
    meet(cc, sc, "one.test", &m);
    assert_code(m.server, TLSOCK_E_NO_COMMON_PARAMETERS);
    meet(cc, sc, "a.test", &m);
    assert_code(m.server, TLSOCK_OK);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static char stranger_pem[96];

/* Who may come in where; the client shows what the row says. */
static void a_host_lets_in_whom_it_trusts(void **state)
{
    const struct test_ca *ca = ca_get();
    const char *const pairs[] = {
        "client-auth@in.test",        "require",
        "trust@in.test",              ca->root_pem,
        "client-auth@rules.test",     "require",
        "trust@rules.test",           ca->root_pem,
        "client-auth.allow@rules.test", "cn:Somebody Else",
        "client-auth@other.test",     "require",
        "trust@other.test",           stranger_pem,
        "client-auth@may.test",       "ask",
        "trust@may.test",             ca->root_pem,
        NULL};
    const struct {
        const char *sni;
        tlsock_cert *shows;
        int code;
    } rows[] = {
        {"a.test", NULL, 0}, /* nobody is asked here */
        {"a.test", ca->stranger_client, 0},
        {"in.test", NULL, TLSOCK_E_CLIENT_CERT_MISSING},
        {"in.test", ca->client, 0},
        {"in.test", ca->stranger_client, TLSOCK_E_CHAIN_INCOMPLETE},
        {"rules.test", ca->client, TLSOCK_E_CLIENT_CERT_DENIED},
        {"other.test", ca->client, TLSOCK_E_CHAIN_INCOMPLETE},
        {"other.test", ca->stranger_client, 0},
        {"may.test", NULL, 0},
        {"may.test", ca->client, 0},
    };

    (void)state;
    for (size_t v = 0; v < 2 * COUNT(rows); v++) {
        size_t i = v / 2;
        tlsock_config *cc =
            ca_client("tls.max", v % 2 == 0 ? "1.2" : "1.3", NULL);
        tlsock_config *sc = server(pairs);
        struct met m;

        if (rows[i].shows != NULL)
            assert_code(tlsock_config_add_cert(cc, rows[i].shows), 0);
        meet(cc, sc, rows[i].sni, &m);
        if (m.server != rows[i].code)
            fail_msg("row %zu, %s: %s instead of %s", i, rows[i].sni,
                     tlsock_errname(m.server), tlsock_errname(rows[i].code));
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* The other way round: all are asked, but not at one host. */
static void a_host_may_ask_nobody(void **state)
{
    const struct test_ca *ca = ca_get();
    const char *const pairs[] = {"client-auth", "require",
                                 "client-auth.allow", "cn:Test Client",
                                 "client-auth@open.test", "none", NULL};
    tlsock_config *sc = server(pairs), *cc = ca_client(NULL);
    struct met m;

    (void)state;
    assert_code(tlsock_config_add_trust(sc, ca->root_pem), 0);
    meet(cc, sc, "a.test", &m);
    assert_code(m.server, TLSOCK_E_CLIENT_CERT_MISSING);
    meet(cc, sc, "open.test", &m);
    assert_code(m.server, TLSOCK_OK);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* What was won where nobody is asked opens no door where somebody is. */
static void sessions_stay_with_their_host(void **state)
{
    const char *const pairs[] = {"client-auth@in.test", "require",
                                 "trust@in.test", ca_get()->root_pem, NULL};

    (void)state;
    for (int v = 0; v < 2; v++) {
        tlsock_config *sc = server(pairs);
        tlsock_config *cc = ca_client("tls.max", v == 0 ? "1.2" : "1.3", NULL);
        struct met m;

        meet(cc, sc, "a.test", &m);
        meet(cc, sc, "a.test", &m);
        assert_int_equal(m.resumed, 1);
        meet(cc, sc, "in.test", &m); /* the same name for its sessions */
        assert_code(m.server, TLSOCK_E_CLIENT_CERT_MISSING);
        tlsock_config_unref(cc);
        cc = ca_client("tls.max", v == 0 ? "1.2" : "1.3", NULL);
        assert_code(tlsock_config_add_cert(cc, ca_get()->client), 0);
        meet(cc, sc, "in.test", &m);
        meet(cc, sc, "in.test", &m);
        assert_int_equal(m.resumed, 1);
        meet(cc, sc, "a.test", &m);
        assert_code(m.server, TLSOCK_OK);
        assert_int_equal(m.resumed, 0);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void what_is_wrong_is_told_at_once(void **state)
{
    static const struct {
        const char *key, *value, *tells;
    } rows[] = {
        {"alpn@a.test", "h2", "no such option of one host"},
        {"@a.test", "h2", "no such option of one host"},
        {"ciphers@", "ECDHE+AESGCM", "no host behind the @"},
        {"ciphers@a b.test", "ECDHE+AESGCM", "a b.test"},
        {"ciphers@a.test", "NONSENSE", "NONSENSE"},
        {"ciphers@a.test", "", "a value is needed"},
        {"client-auth@a.test", "perhaps", "perhaps"},
        {"client-auth.allow@a.test", "nobody", "nobody"},
        {"trust@a.test", "/no/such/file", "/no/such/file"},
    };
    const char *const none[] = {NULL};
    tlsock_config *sc = server(none);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(tlsock_config_set(sc, rows[i].key, rows[i].value) < 0);
        assert_tells(tlsock_config_error(sc)->message, rows[i].tells);
        assert_true(tlsock_config_error(sc)->hint[0] != '\0');
    }
    /* who may come in has to be said for a host, too */
    assert_code(tlsock_config_set(sc, "client-auth@a.test", "require"), 0);
    assert_null(tlsock_listen("127.0.0.1:0", sc, NULL, NULL));
    assert_code(tlsock_config_error(sc)->code, TLSOCK_E_OPTION);
    assert_tells(tlsock_config_error(sc)->message, "host a.test: ");
    tlsock_config_unref(sc);
}

static void files_and_copies_have_them(void **state)
{
    char path[128];
    tlsock_config *sc = ca_server(ca_get()->a, NULL), *copy;
    tlsock_config *cc = ca_client("session", "off", NULL);
    struct met m;
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/hosts.ini", ca_get()->dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "ciphersuites@*.w.test = TLS_AES_128_GCM_SHA256\n"
               "client-auth@in.test = require\ntrust@in.test = root.pem\n");
    assert_int_equal(fclose(f), 0);
    if (tlsock_config_load(sc, path, NULL) < 0)
        fail_msg("%s", tlsock_config_error(sc)->message);
    unlink(path);
    copy = tlsock_config_copy(sc);
    tlsock_config_unref(sc);
    meet(cc, copy, "x.w.test", &m);
    assert_string_equal(m.cipher, "TLS_AES_128_GCM_SHA256");
    meet(cc, copy, "in.test", &m);
    assert_code(m.server, TLSOCK_E_CLIENT_CERT_MISSING);
    assert_code(tlsock_config_reload(copy), 0);
    meet(cc, copy, "in.test", &m);
    assert_code(m.server, TLSOCK_E_CLIENT_CERT_MISSING);
    tlsock_config_unref(cc);
    tlsock_config_unref(copy);
}

static int tighten(const char *target, int is_server, tlsock_config *c,
                   void *arg)
{
    (void)target;
    return is_server && *(int *)arg
               ? tlsock_config_set(c, "ciphersuites", "TLS_AES_256_GCM_SHA384")
               : 0;
}

/* A policy that a host's own setting could get round would be none. */
static void policies_tighten_hosts_as_well(void **state)
{
    const char *const pairs[] = {
        "ciphersuites@one.test",
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", NULL};
    tlsock_config *sc = server(pairs);
    tlsock_config *cc = ca_client("session", "off", NULL);
    static int on;
    struct met m;

    (void)state;
    meet(cc, sc, "one.test", &m);
    assert_string_equal(m.cipher, "TLS_AES_128_GCM_SHA256");
    on = 1;
    assert_code(tlsock_policy_on(tighten, &on), 0);
    meet(cc, sc, "one.test", &m);
    on = 0;
    assert_string_equal(m.cipher, "TLS_AES_256_GCM_SHA384");
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static int set_up(void **state)
{
    tlsock_error err;

    snprintf(stranger_pem, sizeof(stranger_pem), "%s/stranger.pem",
             ca_get()->dir);
    assert_code(tlsock_cert_save(ca_get()->stranger_root, TLSOCK_PART_CERT,
                                 TLSOCK_FORMAT_PEM, stranger_pem, NULL, &err),
                0);
    return ca_setup(state);
}

static int tear_down(void **state)
{
    unlink(stranger_pem);
    return ca_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_has_its_own_ciphers),
        cmocka_unit_test(no_cipher_in_common_is_no_handshake),
        cmocka_unit_test(a_host_lets_in_whom_it_trusts),
        cmocka_unit_test(a_host_may_ask_nobody),
        cmocka_unit_test(sessions_stay_with_their_host),
        cmocka_unit_test(what_is_wrong_is_told_at_once),
        cmocka_unit_test(files_and_copies_have_them),
        cmocka_unit_test(policies_tighten_hosts_as_well),
    };

    return cmocka_run_group_tests_name("hostsets", tests, set_up, tear_down);
}
