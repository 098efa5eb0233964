/* Pre-shared keys in place of certificates, in both versions. */
#include "ca.h"
#include "raw.h"

#include <tlsock/openssl.h>
#include <unistd.h>

static const char *const versions[] = {"1.2", "1.3"};
static const char key_a[] = "0123456789abcdef0123456789abcdef";
static const char key_b[] = "another key of sixteen bytes or more";

static void add(tlsock_config *c, const char *identity, const char *key)
{
    assert_code(tlsock_config_add_psk(c, identity, key, strlen(key)),
                TLSOCK_OK);
}

static tlsock_config *config(const char *version)
{
    tlsock_config *c = tlsock_config_new();

    assert_non_null(c);
    assert_code(tlsock_config_set(c, "tls.max", version), TLSOCK_OK);
    return c;
}

/* The client's verdict: what the server refuses may come after its end. */
static int client_result(struct peer *p)
{
    char byte;

    if (p->rc[CLIENT] != 0)
        return p->rc[CLIENT];
    p->rc[CLIENT] = (int)tlsock_read(p->conn[CLIENT], &byte, 1);
    p->err[CLIENT] = *tlsock_last_error(p->conn[CLIENT]);
    return p->rc[CLIENT] == TLSOCK_AGAIN ? 0 : p->rc[CLIENT];
}

static const struct row {
    const char *what;
    const char *client[2];    /* identity, key; NULL: none */
    const char *server[3][2]; /* the same */
    int cert, named;          /* the server has one; the client has a name */
    int client_rc, server_rc;
    const char *client_by, *identity;
} rows[] = {
    {"one key",
     {"dev1", key_a},
     {{"dev1", key_a}},
     0,
     0,
     0,
     0,
     "psk dev1",
     "dev1"},
    {"the second of several",
     {"dev2", key_b},
     {{"dev1", key_a}, {"dev2", key_b}},
     0,
     0,
     0,
     0,
     "psk dev2",
     "dev2"},
    {"the default key",
     {"who?", key_b},
     {{"dev1", key_a}, {"", key_b}},
     0,
     0,
     0,
     0,
     "psk who?",
     "who?"},
    {"a name is no harm",
     {"dev1", key_a},
     {{"dev1", key_a}},
     0,
     1,
     0,
     0,
     "psk dev1",
     "dev1"},
    {"key and certificate",
     {"dev1", key_a},
     {{"dev1", key_a}},
     1,
     0,
     0,
     0,
     "psk dev1",
     "dev1"},
    {"no key, but a certificate",
     {NULL, NULL},
     {{"dev1", key_a}},
     1,
     1,
     0,
     0,
     "chain",
     ""},
    {"unknown, but a certificate",
     {"dev9", key_a},
     {{"dev1", key_a}},
     1,
     1,
     0,
     0,
     "chain",
     ""},
    {"a certificate of whom?",
     {"dev9", key_a},
     {{"dev1", key_a}},
     1,
     0,
     TLSOCK_E_NO_NAME,
     1,
     NULL,
     NULL},
    {"wrong key",
     {"dev1", key_b},
     {{"dev1", key_a}},
     0,
     0,
     TLSOCK_E_PSK,
     TLSOCK_E_PSK,
     NULL,
     NULL},
    {"wrong default key",
     {"dev9", key_b},
     {{"", key_a}},
     0,
     0,
     TLSOCK_E_PSK,
     TLSOCK_E_PSK,
     NULL,
     NULL},
    {"wrong key, certificate at hand",
     {"dev1", key_b},
     {{"dev1", key_a}},
     1,
     1,
     TLSOCK_E_PSK,
     TLSOCK_E_PSK,
     NULL,
     NULL},
    {"unknown identity",
     {"dev9", key_a},
     {{"dev1", key_a}},
     0,
     0,
     TLSOCK_E_PSK,
     TLSOCK_E_PSK,
     NULL,
     NULL},
    {"a prefix is another identity",
     {"dev", key_a},
     {{"dev1", key_a}},
     0,
     0,
     TLSOCK_E_PSK,
     TLSOCK_E_PSK,
     NULL,
     NULL},
    {"a client without a key",
     {NULL, NULL},
     {{"dev1", key_a}},
     0,
     1,
     TLSOCK_E_NO_COMMON_PARAMETERS,
     TLSOCK_E_PSK,
     NULL,
     NULL},
    {"a server without keys",
     {"dev1", key_a},
     {{NULL, NULL}},
     1,
     1,
     0,
     0,
     "chain",
     ""},
};

/* In TLS 1.2 an unknown identity ends it: the server has chosen by then. */
static int not_in_12(const struct row *row)
{
    return strcmp(row->what, "unknown, but a certificate") == 0 ||
           strcmp(row->what, "a certificate of whom?") == 0;
}

static void play(const struct row *row, const char *version)
{
    tlsock_config *cc = config(version), *sc = config(version);
    struct peer p;

    if (row->client[0] != NULL)
        add(cc, row->client[0], row->client[1]);
    for (size_t i = 0; i < 3 && row->server[i][0] != NULL; i++)
        add(sc, row->server[i][0], row->server[i][1]);
    if (row->cert)
        assert_code(tlsock_config_add_cert(sc, ca_get()->a), TLSOCK_OK);
    assert_code(tlsock_config_add_trust(cc, ca_get()->root_pem), TLSOCK_OK);
    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, row->named ? "a.test" : NULL), TLSOCK_OK);
    peer_shake(&p);
    if (client_result(&p) != row->client_rc)
        fail_msg("%s, TLS %s: client %s: %s", row->what, version,
                 tlsock_errname(p.rc[CLIENT]), p.err[CLIENT].message);
    if (row->server_rc <= 0 && p.rc[SERVER] != row->server_rc)
        fail_msg("%s, TLS %s: server %s: %s", row->what, version,
                 tlsock_errname(p.rc[SERVER]), p.err[SERVER].message);
    if (row->client_rc == 0) {
        assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                            row->client_by);
        assert_string_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_RESUMED),
                            "no");
        for (int side = CLIENT; side <= SERVER; side++)
            assert_string_equal(
                tlsock_info(p.conn[side], TLSOCK_INFO_PSK_IDENTITY),
                row->identity);
        assert_string_equal(tlsock_info(p.conn[SERVER], TLSOCK_INFO_VERIFIED),
                            row->identity[0] != '\0' ? row->client_by : "");
        assert_true(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_GROUP)[0] != '\0' ||
                    strstr(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_CIPHER),
                           "DHE") != NULL);
        peer_pingpong(&p);
    } else {
        for (int side = CLIENT; side <= SERVER; side++)
            if (p.rc[side] < TLSOCK_AGAIN)
                assert_true(p.err[side].hint[0] != '\0');
        assert_null(strstr(p.err[CLIENT].message, key_a));
    }
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void keys_open_what_they_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t v = 0; v < COUNT(versions); v++)
            if (v == 1 || !not_in_12(&rows[i]))
                play(&rows[i], versions[v]);
}

static void an_unknown_identity_ends_tls_12(void **state)
{
    struct row row = rows[6];

    (void)state;
    row.client_rc = row.server_rc = TLSOCK_E_PSK;
    play(&row, "1.2");
}

static void a_resumed_session_stays_one_of_the_key(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++)
        for (int dflt = 0; dflt < 2; dflt++) {
            tlsock_config *cc = config(versions[v]), *sc = config(versions[v]);

            add(cc, "dev1", key_a);
            add(sc, dflt ? "" : "dev1", key_a);
            for (int i = 0; i < 4; i++) {
                struct peer p;

                peer_init(&p);
                peer_connect(&p, cc, sc, NULL);
                peer_pingpong(&p);
                for (int side = CLIENT; side <= SERVER; side++) {
                    assert_string_equal(
                        tlsock_info(p.conn[side], TLSOCK_INFO_VERIFIED),
                        i == 0 ? "psk dev1" : "psk dev1 (resumed)");
                    assert_string_equal(
                        tlsock_info(p.conn[side], TLSOCK_INFO_PSK_IDENTITY),
                        "dev1");
                    assert_int_equal(
                        tlsock_info_int(p.conn[side], TLSOCK_INFO_RESUMED),
                        i != 0);
                }
                peer_close(&p);
                peer_free(&p);
            }
            tlsock_config_unref(cc);
            tlsock_config_unref(sc);
        }
}

static void what_is_no_key_is_refused(void **state)
{
    static char large[257], name[257];
    static const struct {
        const char *identity, *key;
        size_t len;
        const char *tells;
    } cases[] = {
        {"x", key_a, 15, "15 bytes"},     {"x", key_a, 0, "0 bytes"},
        {"x", NULL, 16, "0 bytes"},       {"x", large, 257, "257 bytes"},
        {NULL, key_a, 16, "NULL"},        {name, key_a, 16, "255"},
        {"a\nb", key_a, 16, "printable"}, {"\xc3\xa4", key_a, 16, "ASCII"},
        {"dev1", key_a, 16, "already"},
    };
    tlsock_config *c = tlsock_config_new();

    (void)state;
    memset(name, 'n', 256);
    add(c, "dev1", key_a);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_code(tlsock_config_add_psk(c, cases[i].identity, cases[i].key,
                                          cases[i].len),
                    TLSOCK_E_ARGUMENT);
        assert_tells(tlsock_config_error(c)->message, cases[i].tells);
    }
    name[255] = '\0';
    assert_code(tlsock_config_add_psk(c, name, large, 256), TLSOCK_OK);
    assert_code(tlsock_config_add_psk(c, "m", large, 16), TLSOCK_OK);
    assert_code(tlsock_config_add_psk(NULL, "m", large, 16), TLSOCK_E_ARGUMENT);
    tlsock_config_unref(c);
}

static void keys_come_from_files_and_the_environment(void **state)
{
    tlsock_config *c = tlsock_config_new(), *sc = tlsock_config_new();
    char ini[128], text[400];
    struct peer p;
    FILE *f;

    (void)state;
    setenv("TEST_PSK", "00112233445566778899AABBCCDDEEFF", 1);
    assert_code(tlsock_config_add_psk_uri(sc, "a:b", "env:TEST_PSK"),
                TLSOCK_OK);
    snprintf(ini, sizeof(ini), "%s/psk.ini", ca_get()->dir);
    f = fopen(ini, "w");
    fputs("psk = a:b:env:TEST_PSK\n", f);
    fclose(f);
    assert_code(tlsock_config_load(c, ini, NULL), TLSOCK_OK);
    peer_init(&p);
    peer_connect(&p, c, sc, NULL);
    assert_string_equal(tlsock_info(p.conn[SERVER], TLSOCK_INFO_PSK_IDENTITY),
                        "a:b");
    peer_free(&p);
    tlsock_config_unref(c);
    tlsock_config_unref(sc);

    c = tlsock_config_new();
    f = fopen(ini, "w");
    fputs("tls.min = 1.2\npsk = dev1:00112233445566778899aabbccddeeff\n", f);
    fclose(f);
    assert_code(tlsock_config_load(c, ini, NULL), TLSOCK_E_CONFIG_FILE);
    snprintf(text, sizeof(text), "%s:2: ", ini);
    assert_tells(tlsock_config_error(c)->message, text);
    assert_null(strstr(tlsock_config_error(c)->message, "0011"));
    setenv("TEST_PSK", "00112233445566778899aabbccddeefg", 1);
    assert_code(tlsock_config_add_psk_uri(c, "x", "env:TEST_PSK"),
                TLSOCK_E_OWN_FILE);
    setenv("TEST_PSK", "00112233445566778899aabbccddeef", 1);
    assert_code(tlsock_config_add_psk_uri(c, "x", "env:TEST_PSK"),
                TLSOCK_E_OWN_FILE);
    setenv("TEST_PSK", "0011", 1);
    assert_code(tlsock_config_add_psk_uri(c, "x", "env:TEST_PSK"),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_psk_uri(c, "x", NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_config_add_psk_uri(NULL, "x", NULL), TLSOCK_E_ARGUMENT);
    unsetenv("TEST_PSK");
    unlink(ini);
    tlsock_config_unref(c);
}

static void a_server_with_keys_alone_may_listen(void **state)
{
    tlsock_config *sc = tlsock_config_new(), *none = tlsock_config_new();
    tlsock_listener *l;
    tlsock_error err;

    (void)state;
    add(sc, "dev1", key_a);
    l = tlsock_listen("127.0.0.1:0", sc, NULL, &err);
    assert_non_null(l);
    tlsock_listener_free(l);
    assert_null(tlsock_listen("127.0.0.1:0", none, NULL, &err));
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    tlsock_config_unref(sc);
    tlsock_config_unref(none);
}

static void without_keys_no_suite_for_them_is_offered(void **state)
{
    tlsock_config *plain = tlsock_config_new(), *keyed = tlsock_config_new();
    int with = 0, wrong = 0;

    (void)state;
    add(keyed, "dev1", key_a);
    for (int i = 0; i < 2; i++) {
        STACK_OF(SSL_CIPHER) *suites =
            SSL_CTX_get_ciphers(tlsock_config_get_ctx(i ? keyed : plain));

        for (int k = 0; k < sk_SSL_CIPHER_num(suites); k++) {
            const char *name =
                SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, k));

            if (strstr(name, "PSK") == NULL)
                continue;
            with += i;
            wrong += !i || strstr(name, "DHE-PSK") == NULL ||
                     strstr(name, "CBC") != NULL || strstr(name, "CCM") != NULL;
        }
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(with, 4);
    tlsock_config_unref(plain);
    tlsock_config_unref(keyed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_open_what_they_fit),
        cmocka_unit_test(an_unknown_identity_ends_tls_12),
        cmocka_unit_test(a_resumed_session_stays_one_of_the_key),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(keys_come_from_files_and_the_environment),
        cmocka_unit_test(a_server_with_keys_alone_may_listen),
        cmocka_unit_test(without_keys_no_suite_for_them_is_offered),
    };

    return cmocka_run_group_tests_name("psk", tests, ca_setup, ca_teardown);
}
