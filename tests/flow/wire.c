/* What goes over the wire by default, read from the bytes themselves. */
#include "ca.h"
#include "raw.h"

struct hello {
    const uint8_t *session_id, *suites, *methods;
    size_t n_session_id, n_suites, n_methods;
    const uint8_t *ext[65536 / 256][256]; /* by type: [high][low] */
    size_t ext_len[65536 / 256][256];
    const uint8_t *end;
};

static size_t be16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

/* RFC 8446, 4.1.2. The library made it: assertions are enough. */
static void parse(struct hello *h, const struct test_pipe *pipe)
{
    const uint8_t *p = pipe->data, *exts;

    memset(h, 0, sizeof(*h));
    assert_true(pipe->len > 60);
    assert_int_equal(p[0], 22);
    assert_int_equal(p[1], 3);
    h->end = p + 5 + be16(p + 3);
    assert_true(h->end <= pipe->data + pipe->len);
    p += 5;
    assert_int_equal(p[0], 1); /* client_hello */
    p += 4;
    assert_int_equal(be16(p), 0x0303);
    p += 2 + 32;
    h->n_session_id = *p++;
    h->session_id = p;
    p += h->n_session_id;
    h->n_suites = be16(p) / 2;
    h->suites = p + 2;
    p += 2 + 2 * h->n_suites;
    h->n_methods = *p++;
    h->methods = p;
    p += h->n_methods;
    exts = p + 2 + be16(p);
    assert_ptr_equal(exts, h->end);
    for (p += 2; p < exts; p += 4 + be16(p + 2)) {
        h->ext[p[0]][p[1]] = p + 4;
        h->ext_len[p[0]][p[1]] = be16(p + 2);
    }
    assert_ptr_equal(p, exts);
}

static const uint8_t *ext(const struct hello *h, unsigned type, size_t *len)
{
    *len = h->ext_len[type >> 8][type & 255];
    return h->ext[type >> 8][type & 255];
}

/* The first flight of a client; the pair is to be freed by the caller. */
static void hello_for(struct peer *p, struct hello *h, tlsock_config *cc,
                      const tlsock_opts *opts, const char *name)
{
    peer_init(p);
    assert_int_equal(peer_open_opts(p, cc, opts, NULL, NULL, name), 0);
    assert_code(peer_step(p, CLIENT), TLSOCK_AGAIN);
    parse(h, &p->pipes[CLIENT]);
}

static void only_forward_secret_aead_suites_are_offered(void **state)
{
    static const uint16_t fit[] = {
        0x1301, 0x1302, 0x1303,                 /* TLS 1.3 */
        0xc02b, 0xc02c, 0xc02f, 0xc030,         /* ECDHE, AES-GCM */
        0xcca8, 0xcca9, 0x009e, 0x009f, 0xccaa, /* ChaCha20; DHE */
        0x00ff};                                /* RFC 5746, no suite */
    tlsock_config *cc = ca_client(NULL);
    struct hello h;
    struct peer p;

    (void)state;
    hello_for(&p, &h, cc, TLSOCK_OPTS(.nonblocking = 1), "a.test");
    assert_true(h.n_suites >= 6);
    for (size_t i = 0; i < h.n_suites; i++) {
        size_t suite = be16(h.suites + 2 * i), k = 0;

        while (k < COUNT(fit) && fit[k] != suite)
            k++;
        if (k == COUNT(fit))
            fail_msg("suite %04zx is offered", suite);
    }
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void only_tls_12_and_13_are_offered(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    const uint8_t *v;
    struct hello h;
    struct peer p;
    size_t len;

    (void)state;
    hello_for(&p, &h, cc, TLSOCK_OPTS(.nonblocking = 1), "a.test");
    v = ext(&h, 43, &len);
    assert_non_null(v);
    assert_int_equal(len, 5);
    assert_int_equal(be16(v + 1), 0x0304);
    assert_int_equal(be16(v + 3), 0x0303);
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void no_weak_signature_is_offered(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    const uint8_t *a;
    struct hello h;
    struct peer p;
    size_t len;

    (void)state;
    hello_for(&p, &h, cc, TLSOCK_OPTS(.nonblocking = 1), "a.test");
    a = ext(&h, 13, &len);
    assert_non_null(a);
    assert_int_equal(be16(a) + 2, len);
    for (size_t i = 2; i < len; i += 2) {
        int md5_sha1_sha224 = a[i] >= 1 && a[i] <= 3;
        int dsa = a[i] < 8 && a[i + 1] == 2;

        if (md5_sha1_sha224 || dsa)
            fail_msg("signature %02x%02x is offered", a[i], a[i + 1]);
    }
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void only_modern_groups_are_offered(void **state)
{
    static const uint16_t fit[] = {0x11ec, 0x001d, 0x0017, 0x0018};
    tlsock_config *cc = ca_client(NULL);
    const uint8_t *g;
    struct hello h;
    struct peer p;
    size_t len;

    (void)state;
    hello_for(&p, &h, cc, TLSOCK_OPTS(.nonblocking = 1), "a.test");
    g = ext(&h, 10, &len);
    assert_non_null(g);
    assert_true(len >= 2 + 2 * 3);
    for (size_t i = 2; i < len; i += 2) {
        size_t k = 0;

        while (k < COUNT(fit) && fit[k] != be16(g + i))
            k++;
        if (k == COUNT(fit))
            fail_msg("group %04zx is offered", be16(g + i));
    }
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void the_hello_asks_for_what_protects(void **state)
{
    tlsock_config *cc = ca_client(NULL);
    struct hello h;
    struct peer p;
    size_t len;

    (void)state;
    hello_for(&p, &h, cc, TLSOCK_OPTS(.nonblocking = 1), "a.test");
    assert_int_equal(h.n_methods, 1); /* no compression */
    assert_int_equal(h.methods[0], 0);
    assert_non_null(ext(&h, 5, &len));   /* a stapled OCSP response */
    assert_non_null(ext(&h, 23, &len));  /* extended master secret */
    assert_non_null(ext(&h, 35, &len));  /* session tickets */
    assert_null(ext(&h, 16, &len));      /* ALPN: nobody asked for it */
    assert_null(ext(&h, 42, &len));      /* no early data */
    assert_null(ext(&h, 15, &len));      /* no heartbeat */
    assert_int_equal(p.pipes[CLIENT].sends, 1);
    peer_free(&p);
    tlsock_config_unref(cc);
}

static void sni_is_a_host_name_or_nothing(void **state)
{
    static const struct {
        const char *name, *sni, *sent;
    } rows[] = {
        {"a.test", NULL, "a.test"},
        {"A.TEST", NULL, "a.test"},
        {"a.test.", NULL, "a.test"},
        {"b\xc3\xbc" "cher.test", NULL, "xn--bcher-kva.test"},
        {"127.0.0.1", NULL, NULL},
        {"::1", NULL, NULL},
        {"a.test", "front.test", "front.test"},
        {"a.test", "", NULL},
        {"127.0.0.1", "a.test", "a.test"},
    };
    tlsock_config *cc = ca_client(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint8_t *sni;
        struct hello h;
        struct peer p;
        size_t len;

        hello_for(&p, &h, cc,
                  TLSOCK_OPTS(.nonblocking = 1, .sni = rows[i].sni),
                  rows[i].name);
        sni = ext(&h, 0, &len);
        if (rows[i].sent == NULL) {
            assert_null(sni);
        } else {
            assert_non_null(sni);
            assert_int_equal(len, 5 + strlen(rows[i].sent));
            assert_memory_equal(sni + 5, rows[i].sent, len - 5);
        }
        peer_free(&p);
    }
    tlsock_config_unref(cc);
}

static void the_servers_order_yields_to_chacha_first(void **state)
{
    static const struct {
        const char *suites, *picked;
    } rows[] = {
        {"TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
         "TLS_CHACHA20_POLY1305_SHA256"},
        {"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
         "TLS_AES_128_GCM_SHA256"},
    };
    tlsock_config *sc = ca_server(ca_get()->a, NULL);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct raw_opts raw = {.ciphersuites = rows[i].suites,
                               .name = "a.test"};
        SSL *ssl = raw_new(CLIENT, &raw);
        struct peer p;

        peer_init(&p);
        raw_on_end(ssl, &p.ends[CLIENT]);
        p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                          TLSOCK_OPTS(.nonblocking = 1), NULL);
        assert_code(raw_shake(&p, SERVER, ssl, NULL), TLSOCK_OK);
        assert_string_equal(tlsock_info(p.conn[SERVER], TLSOCK_INFO_CIPHER),
                            rows[i].picked);
        raw_free(ssl);
        peer_free(&p);
    }
    tlsock_config_unref(sc);
}

static int tickets;

static int count_ticket(SSL *ssl, SSL_SESSION *ses)
{
    (void)ssl;
    (void)ses;
    tickets++;
    return 0;
}

static void a_server_gives_one_ticket(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct raw_opts raw = {.name = "a.test"};
    SSL *ssl = raw_new(CLIENT, &raw);
    struct peer p;
    char got[8];

    (void)state;
    SSL_CTX_set_session_cache_mode(SSL_get_SSL_CTX(ssl), SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(SSL_get_SSL_CTX(ssl), count_ticket);
    peer_init(&p);
    raw_on_end(ssl, &p.ends[CLIENT]);
    p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                      TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_code(raw_shake(&p, SERVER, ssl, NULL), TLSOCK_OK);
    assert_int_equal(tlsock_write(p.conn[SERVER], "hi", 2), 2);
    assert_int_equal(SSL_read(ssl, got, 8), 2);
    assert_int_equal(tickets, 1);
    raw_free(ssl);
    peer_free(&p);
    tlsock_config_unref(sc);
}

static void nobody_renegotiates(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct raw_opts raw = {.max = TLS1_2_VERSION, .name = "a.test"};
    SSL *ssl = raw_new(CLIENT, &raw);
    struct peer p;
    char got[8];

    (void)state;
    peer_init(&p);
    raw_on_end(ssl, &p.ends[CLIENT]);
    p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                      TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_code(raw_shake(&p, SERVER, ssl, NULL), TLSOCK_OK);
    assert_int_equal(SSL_renegotiate(ssl), 1);
    for (int i = 0; i < 10; i++) {
        raw_step(ssl);
        assert_true(tlsock_read(p.conn[SERVER], got, 8) <= 0);
    }
    assert_true(SSL_in_init(ssl)); /* it never got its new handshake */
    raw_free(ssl);
    peer_free(&p);
    tlsock_config_unref(sc);
}

static void flights_leave_in_few_sends(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    peer_close(&p);
    /* hello; finished; ping; close_notify */
    assert_true(p.pipes[CLIENT].sends <= 4);
    /* hello to finished; ticket and pong; close_notify */
    assert_true(p.pipes[SERVER].sends <= 3);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_forward_secret_aead_suites_are_offered),
        cmocka_unit_test(only_tls_12_and_13_are_offered),
        cmocka_unit_test(no_weak_signature_is_offered),
        cmocka_unit_test(only_modern_groups_are_offered),
        cmocka_unit_test(the_hello_asks_for_what_protects),
        cmocka_unit_test(sni_is_a_host_name_or_nothing),
        cmocka_unit_test(the_servers_order_yields_to_chacha_first),
        cmocka_unit_test(a_server_gives_one_ticket),
        cmocka_unit_test(nobody_renegotiates),
        cmocka_unit_test(flights_leave_in_few_sends),
    };

    return cmocka_run_group_tests_name("wire", tests, ca_setup, ca_teardown);
}
