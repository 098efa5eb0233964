/* A ClientHello by hand against OpenSSL's server in memory, and answers by hand
 * for what no OpenSSL says any more, or not yet. */
#include "test.h"

#include "hello.h"
#include "helloname.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/cert.h>
#include <unistd.h>

static SSL_CTX *server;

static int set_up(void **state)
{
    static const char *const names[] = {"app.test"};
    char dir[] = "/tmp/hello-XXXXXX", path[64];
    tlsock_error err = {0};
    tlsock_cert *c =
        tlsock_cert_create(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 1), &err);
    int ok;

    (void)state;
    if (c == NULL || mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/both.pem", dir);
    ok = tlsock_cert_save(c, TLSOCK_PART_CERT | TLSOCK_PART_KEY,
                          TLSOCK_FORMAT_PEM, path, NULL, &err) == 0;
    server = SSL_CTX_new(TLS_server_method());
    ok = ok && server != NULL &&
         SSL_CTX_use_certificate_file(server, path, SSL_FILETYPE_PEM) == 1 &&
         SSL_CTX_use_PrivateKey_file(server, path, SSL_FILETYPE_PEM) == 1;
    unlink(path);
    rmdir(dir);
    tlsock_cert_unref(c);
    return ok ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    SSL_CTX_free(server);
    return 0;
}

/* All that we know of. */
static struct hello_ask everything(int version, uint16_t *suites,
                                   uint16_t *groups)
{
    struct hello_ask ask = {.version = version,
                            .suites = suites,
                            .groups = groups,
                            .sni = "app.test"};
    int new = version == HELLO_TLS13;
    const struct helloname *from = new ? hello_suites13 : hello_suites;

    ask.n_suites = new ? hello_n_suites13 : hello_n_suites;
    for (size_t i = 0; i < ask.n_suites; i++)
        suites[i] = from[i].id;
    for (ask.n_groups = 0; ask.n_groups < hello_n_groups; ask.n_groups++)
        groups[ask.n_groups] = hello_groups[ask.n_groups].id;
    return ask;
}

/* What OpenSSL answers; its length. */
static size_t answer_of(SSL *ssl, const struct hello_ask *ask, uint8_t *out,
                        size_t size)
{
    uint8_t hello[HELLO_MAX];
    size_t len = hello_write(hello, sizeof(hello), ask);
    BIO *in = BIO_new(BIO_s_mem()), *from = BIO_new(BIO_s_mem());
    int n;

    assert_true(len > 0);
    SSL_set_bio(ssl, in, from);
    SSL_set_accept_state(ssl);
    assert_int_equal(BIO_write(in, hello, (int)len), (int)len);
    (void)SSL_do_handshake(ssl);
    n = BIO_read(from, out, (int)size);
    return n > 0 ? (size_t)n : 0;
}

static void each_version_is_told_from_the_others(void **state)
{
    (void)state;
    for (int has = HELLO_TLS10; has <= HELLO_TLS13; has++)
        for (int v = HELLO_SSL3; v <= HELLO_TLS13; v++) {
            uint16_t suites[256], groups[64];
            struct hello_ask ask = everything(v, suites, groups);
            struct hello_answer a;
            uint8_t data[HELLO_ANSWER_MAX];
            SSL *ssl = SSL_new(server);
            size_t len;

            SSL_set_security_level(ssl, 0);
            SSL_set_cipher_list(ssl, "ALL");
            SSL_set_min_proto_version(ssl, has);
            SSL_set_max_proto_version(ssl, has);
            len = answer_of(ssl, &ask, data, sizeof(data));
            hello_read(&a, 0, data, len);
            if (v == has)
                assert_int_equal(a.kind,
                                 v == HELLO_TLS13 ? HELLO_RETRY : HELLO_SERVER);
            /* an older one than asked for is an answer, and no yes */
            if ((a.kind != HELLO_ALERT && a.version == v) != (v == has))
                fail_msg("%x of a server of %x: kind %d, version %x",
                         (unsigned)v, (unsigned)has, a.kind,
                         (unsigned)a.version);
            SSL_free(ssl);
        }
}

static void the_choice_is_read(void **state)
{
    static const struct {
        int version;
        const char *ciphers, *groups;
        const char *suite, *group;
        int want_key, dh;
    } cases[] = {{HELLO_TLS13, "TLS_CHACHA20_POLY1305_SHA256", "P-384",
                  "TLS_CHACHA20_POLY1305_SHA256", "P-384", 0, 0},
                 {HELLO_TLS13, "TLS_AES_128_GCM_SHA256", "X448",
                  "TLS_AES_128_GCM_SHA256", "X448", 1, 0},
                 {HELLO_TLS12, "ECDHE-ECDSA-AES128-SHA", "P-256",
                  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", NULL, 0, 0},
                 {HELLO_TLS12, "ECDHE-ECDSA-AES128-SHA", "X25519",
                  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "X25519", 1, 0},
                 {HELLO_TLS12, "ADH-AES128-SHA", "P-256",
                  "TLS_DH_anon_WITH_AES_128_CBC_SHA", NULL, 1, 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint16_t suites[256], groups[64];
        struct hello_ask ask = everything(cases[i].version, suites, groups);
        uint8_t data[HELLO_ANSWER_MAX];
        struct hello_answer a;
        SSL *ssl = SSL_new(server);
        char text[16];
        size_t len;

        SSL_set_security_level(ssl, 0);
        SSL_set_dh_auto(ssl, 1);
        assert_int_equal(cases[i].version == HELLO_TLS13
                             ? SSL_set_ciphersuites(ssl, cases[i].ciphers)
                             : SSL_set_cipher_list(ssl, cases[i].ciphers),
                         1);
        assert_int_equal(SSL_set1_groups_list(ssl, cases[i].groups), 1);
        len = answer_of(ssl, &ask, data, sizeof(data));
        hello_read(&a, cases[i].want_key, data, len);
        if (a.kind != HELLO_SERVER && a.kind != HELLO_RETRY)
            fail_msg("case %zu: kind %d, alert %d", i, a.kind, a.alert);
        assert_string_equal(hello_suite_name(a.suite, text), cases[i].suite);
        if (cases[i].group != NULL)
            assert_string_equal(hello_group_name(a.group, text),
                                cases[i].group);
        else
            assert_int_equal(a.group, 0);
        assert_int_equal(a.dh_bits >= 1024, cases[i].dh);
        SSL_free(ssl);
    }
}

/* However it comes in pieces, it is the same; and never read beyond. */
static void pieces_make_no_difference(void **state)
{
    (void)state;
    for (int want_key = 0; want_key < 2; want_key++) {
        uint16_t suites[256], groups[64];
        struct hello_ask ask = everything(HELLO_TLS12, suites, groups);
        uint8_t data[HELLO_ANSWER_MAX];
        struct hello_answer a, part;
        SSL *ssl = SSL_new(server);
        size_t len, more = 0;

        len = answer_of(ssl, &ask, data, sizeof(data));
        assert_int_equal(hello_read(&a, want_key, data, len), HELLO_SERVER);
        assert_int_equal(a.renegotiation, 1);
        assert_int_equal(a.extended_master, 1);
        assert_int_equal(a.group != 0, want_key);
        for (size_t n = 0; n <= len; n++) {
            uint8_t *exact = malloc(n + (n == 0));
            enum hello_kind kind;

            memcpy(exact, data, n);
            kind = hello_read(&part, want_key, exact, n);
            free(exact);
            assert_true(kind == HELLO_MORE || kind == HELLO_SERVER);
            more += kind == HELLO_MORE;
            if (kind == HELLO_SERVER)
                assert_memory_equal(&part, &a, sizeof(a));
        }
        assert_true(more > 60 && more < len);
        SSL_free(ssl);
    }
}

static void what_does_not_fit_is_not_written(void **state)
{
    uint16_t suites[256], groups[64];
    struct hello_ask ask = everything(HELLO_TLS13, suites, groups);
    uint8_t out[HELLO_MAX];
    size_t whole = hello_write(out, sizeof(out), &ask);
    char name[400];

    (void)state;
    assert_true(whole > 100 && whole < 600);
    for (size_t n = 0; n < whole; n++) {
        uint8_t *exact = malloc(n + (n == 0));

        assert_int_equal(hello_write(exact, n, &ask), 0);
        free(exact);
    }
    assert_int_equal(hello_write(out, whole, &ask), whole);
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ask.sni = name; /* no name is that long: none is sent */
    assert_true(hello_write(out, sizeof(out), &ask) < whole);
    ask = everything(HELLO_TLS12, suites, groups);
    assert_true(hello_write(out, sizeof(out), &ask) > 0);
}

/* One record around a handshake message around a hello. */
static size_t wrap(uint8_t *out, int version, const char *random,
                   const char *rest, size_t rest_len)
{
    size_t body = 2 + 32 + 1 + rest_len;
    uint8_t head[] = {22,
                      3,
                      3,
                      (uint8_t)((body + 4) >> 8),
                      (uint8_t)(body + 4),
                      2,
                      0,
                      (uint8_t)(body >> 8),
                      (uint8_t)body,
                      (uint8_t)(version >> 8),
                      (uint8_t)version};

    memcpy(out, head, sizeof(head));
    memset(out + sizeof(head), 7, 32);
    if (random != NULL)
        memcpy(out + sizeof(head), random, 32);
    out[sizeof(head) + 32] = 0;
    memcpy(out + sizeof(head) + 33, rest, rest_len);
    return sizeof(head) + 33 + rest_len;
}

static const char retry[] =
    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
    "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

static void answers_that_no_library_gives(void **state)
{
    static const struct {
        int version;
        const char *random, *rest;
        size_t len;
        struct hello_answer want;
    } cases[] = {
        {HELLO_SSL3,
         NULL,
         "\0\x05\0",
         3,
         {.kind = HELLO_SERVER, .version = HELLO_SSL3, .suite = 5}},
        {HELLO_TLS12,
         NULL,
         "\0\x0a\1",
         3,
         {.kind = HELLO_SERVER,
          .version = HELLO_TLS12,
          .suite = 0x0a,
          .compression = 1}},
        {HELLO_TLS12,
         retry,
         "\x13\1\0\0\x0c\0\x2b\0\2\3\4\0\x33\0\2\x11\xec",
         17,
         {.kind = HELLO_RETRY,
          .version = HELLO_TLS13,
          .suite = 0x1301,
          .group = 0x11ec}},
        {HELLO_TLS12,
         NULL,
         "\x13\1\0\0\6\0\x2b\0\2\3\4",
         11,
         {.kind = HELLO_SERVER, .version = HELLO_TLS13, .suite = 0x1301}},
        /* lengths that lie */
        {HELLO_TLS12,
         NULL,
         "\0\x0a\0\0\7\0\x2b\0\2\3\4",
         11,
         {.kind = HELLO_OTHER}},
        {HELLO_TLS12,
         NULL,
         "\0\x0a\0\0\5\0\x2b\0\2\3\4",
         11,
         {.kind = HELLO_OTHER}},
        {HELLO_TLS12,
         NULL,
         "\0\x0a\0\0\6\0\x2b\0\3\3\4",
         11,
         {.kind = HELLO_OTHER}},
        {HELLO_TLS12,
         NULL,
         "\0\x0a\0\0\5\0\x2b\0\1\3",
         10,
         {.kind = HELLO_OTHER}},
        {HELLO_TLS12, NULL, "\0\x0a", 2, {.kind = HELLO_OTHER}}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t data[256];
        size_t len = wrap(data, cases[i].version, cases[i].random,
                          cases[i].rest, cases[i].len);
        struct hello_answer a;

        if (hello_read(&a, 0, data, len) != cases[i].want.kind)
            fail_msg("case %zu: kind %d", i, a.kind);
        if (a.kind == HELLO_OTHER)
            continue;
        assert_int_equal(a.version, cases[i].want.version);
        assert_int_equal(a.suite, cases[i].want.suite);
        assert_int_equal(a.group, cases[i].want.group);
        assert_int_equal(a.compression, cases[i].want.compression);
    }
    assert_true(hello_is_pq(0x11ec) && !hello_is_pq(0x1d));
}

static void what_comes_before_or_instead(void **state)
{
    static const struct {
        const char *data;
        size_t len;
        enum hello_kind kind;
        int alert;
    } cases[] = {
        {"", 0, HELLO_MORE, 0},
        {"\x15", 1, HELLO_MORE, 0},
        {"\x15\3\3\0\2\2\x28", 7, HELLO_ALERT, 40},
        {"\x15\3\3\0\2\1\0", 7, HELLO_ALERT, 0},    /* close_notify */
        {"\x15\3\3\0\2\1\x70", 7, HELLO_MORE, 112}, /* unrecognized_name */
        {"\x15\3\3\0\2\1\x70\x15\3\3\0\2\2\x46", 14, HELLO_ALERT, 70},
        {"\x15\3\3\0\3\2\x28\0", 8, HELLO_OTHER, 0},
        {"\x15\3\3\0\1\2", 6, HELLO_OTHER, 0},
        {"220 mx.app.test ESMTP\r\n", 23, HELLO_OTHER, 0},
        {"HTTP/1.1 400 Bad Request\r\n", 26, HELLO_OTHER, 0},
        {"\x16\2\0\0\4\2\0\0\0", 9, HELLO_OTHER, 0}, /* no such version */
        {"\x16\3\3\0\0", 5, HELLO_OTHER, 0},         /* an empty record */
        {"\x16\3\3\0\1\1", 6, HELLO_OTHER, 0},       /* a ClientHello */
        {"\x16\3\3\0\4\2\1\0\0", 9, HELLO_OTHER, 0}, /* 64 KiB and more */
        {"\x16\3\3\0\1\2\x15\3\3\0\2\2\x28", 13, HELLO_OTHER, 0},
        {"\x17\3\3\0\1\2", 6, HELLO_OTHER, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hello_answer a;

        hello_read(&a, 0, (const uint8_t *)cases[i].data, cases[i].len);
        if (a.kind != cases[i].kind)
            fail_msg("case %zu: kind %d", i, a.kind);
        if (cases[i].alert != 0)
            assert_int_equal(a.alert, cases[i].alert);
    }
}

/* Whoever sends without end is not listened to without end. */
static void endless_answers_end(void **state)
{
    static uint8_t data[HELLO_ANSWER_MAX + 100];
    struct hello_answer a;

    (void)state;
    for (size_t i = 0; i + 7 <= sizeof(data); i += 7)
        memcpy(data + i, "\x15\3\3\0\2\1\x70", 7); /* warnings */
    assert_int_equal(hello_read(&a, 0, data, HELLO_ANSWER_MAX - 1), HELLO_MORE);
    assert_int_equal(hello_read(&a, 0, data, HELLO_ANSWER_MAX), HELLO_OTHER);
    assert_int_equal(hello_read(&a, 0, data, sizeof(data)), HELLO_OTHER);
}

static void suites_are_told_apart(void **state)
{
    static const struct {
        int id;
        const char *name;
        enum hello_worth worth;
        enum hello_key key;
    } cases[] = {
        {0x1301, "TLS_AES_128_GCM_SHA256", HELLO_GOOD, HELLO_KEY_NONE},
        {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", HELLO_GOOD,
         HELLO_KEY_CURVE},
        {0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", HELLO_GOOD,
         HELLO_KEY_DH},
        {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", HELLO_NO_SECRECY,
         HELLO_KEY_NONE},
        {0xc004, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", HELLO_NO_SECRECY,
         HELLO_KEY_NONE},
        {0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", HELLO_WEAK, HELLO_KEY_NONE},
        {0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", HELLO_WEAK,
         HELLO_KEY_CURVE},
        {0x0005, "TLS_RSA_WITH_RC4_128_SHA", HELLO_BROKEN, HELLO_KEY_NONE},
        {0x0009, "TLS_RSA_WITH_DES_CBC_SHA", HELLO_BROKEN, HELLO_KEY_NONE},
        {0x0008, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", HELLO_BROKEN,
         HELLO_KEY_NONE},
        {0x003b, "TLS_RSA_WITH_NULL_SHA256", HELLO_BROKEN, HELLO_KEY_NONE},
        {0x00a7, "TLS_DH_anon_WITH_AES_256_GCM_SHA384", HELLO_BROKEN,
         HELLO_KEY_DH},
        {0xfefe, "0xfefe", HELLO_NO_SECRECY, HELLO_KEY_NONE}};
    char text[16];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(hello_suite_name(cases[i].id, text), cases[i].name);
        assert_int_equal(hello_worth(cases[i].id), cases[i].worth);
        assert_int_equal(hello_key_kind(cases[i].id), cases[i].key);
    }
    for (size_t i = 0; i < hello_n_suites; i++)
        for (size_t k = i + 1; k < hello_n_suites; k++)
            assert_int_not_equal(hello_suites[i].id, hello_suites[k].id);
}

/* OpenSSL knows most of these by the same names and numbers. */
static void names_are_those_of_others(void **state)
{
    SSL *ssl = SSL_new(server);
    size_t known = 0;

    (void)state;
    for (size_t i = 0; i < hello_n_suites; i++) {
        const uint8_t id[2] = {(uint8_t)(hello_suites[i].id >> 8),
                               (uint8_t)hello_suites[i].id};
        const SSL_CIPHER *c = SSL_CIPHER_find(ssl, id);

        if (c == NULL)
            continue;
        known++;
        assert_string_equal(SSL_CIPHER_standard_name(c), hello_suites[i].name);
    }
    assert_true(known > 60);
    SSL_free(ssl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_is_told_from_the_others),
        cmocka_unit_test(the_choice_is_read),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(answers_that_no_library_gives),
        cmocka_unit_test(what_comes_before_or_instead),
        cmocka_unit_test(endless_answers_end),
        cmocka_unit_test(suites_are_told_apart),
        cmocka_unit_test(names_are_those_of_others),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
