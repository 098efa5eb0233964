/* Private keys that are elsewhere: the SIGN hook. */
#include "ca.h"
#include "cert/cert.h"
#include "sock.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <tlsock/openssl.h>
#include <unistd.h>

/* What a key server does with an event; 0 is failure. */
static size_t sign_with(EVP_PKEY *key, const char *scheme, const void *data,
                        size_t len, unsigned char *sig, size_t room)
{
    const char *hash = strstr(scheme, "_sha");
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    int pss = strstr(scheme, "pss") != NULL, ok;

    if (hash == NULL) {
        ok = EVP_DigestSignInit(md, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestSign(md, sig, &room, data, len) == 1;
    } else {
        const EVP_MD *of = EVP_get_digestbyname(hash + 1);

        ok = of != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
             EVP_PKEY_CTX_set_signature_md(ctx, of) == 1 &&
             (strncmp(scheme, "rsa", 3) != 0 ||
              EVP_PKEY_CTX_set_rsa_padding(
                  ctx, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1) &&
             (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(
                          ctx, RSA_PSS_SALTLEN_DIGEST) == 1) &&
             EVP_PKEY_sign(ctx, sig, &room, data, len) == 1;
    }
    EVP_MD_CTX_free(md);
    EVP_PKEY_CTX_free(ctx);
    return ok ? room : 0;
}

struct ask {
    struct tlsock_op *op;
    char scheme[40];
    unsigned char data[8192]; /* TLS 1.2, ed25519: all messages until then */
    size_t len;
};

enum way { AT_ONCE, LATER, WRONG, NOTHING, LONG, REFUSE, STRANGER_KEY };

struct keeper {
    enum way way;
    EVP_PKEY *key; /* in the hook's hands alone */
    int calls;
    const tlsock_cert *cert;
    struct ask ask;
};

static void keep(struct ask *a, const tlsock_event *e)
{
    assert_true(e->len <= sizeof(a->data));
    a->op = e->op;
    snprintf(a->scheme, sizeof(a->scheme), "%s", e->name);
    memcpy(a->data, e->data, e->len);
    a->len = e->len;
}

static void answer(const struct ask *a, EVP_PKEY *key)
{
    unsigned char sig[1024];
    size_t n = sign_with(key, a->scheme, a->data, a->len, sig, sizeof(sig));

    assert_true(n > 0);
    assert_code(tlsock_op_done(a->op, 0, sig, n), 0);
}

static int keeper(const tlsock_event *e, void *arg)
{
    static unsigned char junk[2000];
    struct keeper *k = arg;

    k->calls++;
    k->cert = e->cert;
    assert_int_equal(e->kind, TLSOCK_ON_SIGN);
    keep(&k->ask, e);
    switch (k->way) {
    case LATER:
        return TLSOCK_AGAIN;
    case REFUSE:
        return TLSOCK_E_LIMIT;
    case NOTHING:
        return 0;
    case WRONG:
    case LONG:
        assert_code(tlsock_op_done(e->op, 0, junk, k->way == LONG ? 2000 : 70),
                    0);
        return 0;
    default:
        answer(&k->ask, k->way == STRANGER_KEY ? ca_get()->b->key : k->key);
        return 0;
    }
}

/* Certificates of each kind of key, and the same without their keys. */
static const struct {
    const char *kind, *scheme_12, *scheme_13;
} kinds[] = {
    {"ec:P-256", "ecdsa_secp256r1_sha256", "ecdsa_secp256r1_sha256"},
    {"ec:P-384", "ecdsa_", "ecdsa_secp384r1_sha384"},
    {"ed25519", "ed25519", "ed25519"},
    {"rsa:2048", "rsa_pss_rsae_sha", "rsa_pss_rsae_sha"},
    {"rsa-pss:2048", "rsa_pss_pss_sha", "rsa_pss_pss_sha"},
};
static tlsock_cert *whole[COUNT(kinds)], *bare[COUNT(kinds)];

static tlsock_cert *without_key(tlsock_cert *c)
{
    char pem[16384];
    tlsock_cert *b;

    assert_within(tlsock_cert_pem(c, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, pem,
                                  sizeof(pem)),
                  1, sizeof(pem) - 1);
    b = tlsock_cert_parse(pem, strlen(pem), NULL, NULL);
    assert_non_null(b);
    assert_false(tlsock_cert_has_key(b));
    return b;
}

/* Of a key that agrees on secrets, and signs nothing. */
static tlsock_cert *of_x25519(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    X509 *x = X509_dup(ca_get()->a->leaf);
    unsigned char *der = NULL;
    tlsock_cert *c;
    int len;

    assert_int_equal(X509_set_pubkey(x, key), 1);
    assert_true(X509_sign(x, ca_get()->inter->key, EVP_sha256()) > 0);
    len = i2d_X509(x, &der);
    c = tlsock_cert_parse(der, (size_t)len, NULL, NULL);
    assert_non_null(c);
    OPENSSL_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
    return c;
}

static int make_all(void **state)
{
    const char *sans[] = {"a.test"};

    ca_setup(state);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        tlsock_error err = {0};

        whole[i] = tlsock_cert_create(
            TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1, .key = kinds[i].kind,
                             .issuer = ca_get()->inter, .subject = "CN=a.test",
                             .purpose = "server,client"),
            &err);
        if (whole[i] == NULL)
            fail_msg("%s: %s", kinds[i].kind, err.message);
        bare[i] = without_key(whole[i]);
    }
    return 0;
}

static int drop_all(void **state)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        tlsock_cert_unref(whole[i]);
        tlsock_cert_unref(bare[i]);
    }
    return ca_teardown(state);
}

static tlsock_config *with_hook(tlsock_config *c, tlsock_hook *hook, void *arg,
                                tlsock_cert *id)
{
    assert_code(tlsock_config_on(c, TLSOCK_ON_SIGN, hook, arg), 0);
    assert_code(tlsock_config_add_cert(c, id), 0);
    return c;
}

static tlsock_config *server_of(size_t i, const char *max, struct keeper *k)
{
    tlsock_config *c = tlsock_config_new();

    assert_code(tlsock_config_set(c, "tls.max", max), 0);
    return with_hook(c, keeper, k, bare[i]);
}

static void shaken(struct peer *p, struct keeper *k, EVP_PKEY *key)
{
    peer_shake(p);
    while (k->way == LATER && k->ask.op != NULL) {
        assert_int_equal(
            p->rc[SERVER] == TLSOCK_AGAIN || p->rc[CLIENT] == TLSOCK_AGAIN, 1);
        answer(&k->ask, key);
        k->ask.op = NULL;
        peer_shake(p);
    }
    if (p->rc[CLIENT] != 0 || p->rc[SERVER] != 0)
        fail_msg("%s %s", p->err[CLIENT].message, p->err[SERVER].message);
    peer_pingpong(p);
}

static void a_server_signs_with_a_key_that_is_elsewhere(void **state)
{
    static const enum way ways[] = {AT_ONCE, LATER};

    (void)state;
    for (size_t n = 0; n < COUNT(kinds) * 4; n++) {
        size_t i = n / 4;
        const char *max = n & 1 ? "1.2" : "1.3";
        struct keeper k = {.way = ways[n / 2 % 2], .key = whole[i]->key};
        tlsock_config *cc = ca_client(NULL), *sc = server_of(i, max, &k);
        tlsock_cert *own;
        struct peer p;

        peer_init(&p);
        assert_code(peer_open(&p, cc, sc, "a.test"), 0);
        shaken(&p, &k, whole[i]->key);
        assert_int_equal(k.calls, 1);
        assert_tells(k.ask.scheme,
                     n & 1 ? kinds[i].scheme_12 : kinds[i].scheme_13);
        assert_non_null(k.cert);
        assert_ptr_equal(k.cert->leaf, bare[i]->leaf);
        own = tlsock_own_cert(p.conn[SERVER]);
        assert_non_null(own);
        assert_false(tlsock_cert_has_key(own));
        tlsock_cert_unref(own);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_client_signs_with_a_key_that_is_elsewhere(void **state)
{
    static const enum way ways[] = {AT_ONCE, LATER};

    (void)state;
    for (size_t n = 0; n < COUNT(kinds) * 4; n++) {
        size_t i = n / 4;
        struct keeper k = {.way = ways[n / 2 % 2], .key = whole[i]->key};
        tlsock_config *cc =
            with_hook(ca_client("tls.max", n & 1 ? "1.2" : "1.3", NULL), keeper,
                      &k, bare[i]);
        tlsock_config *sc =
            ca_server(ca_get()->a, "client-auth", "require", NULL);
        struct peer p;

        assert_code(tlsock_config_add_trust(sc, ca_get()->root_pem), 0);
        peer_init(&p);
        assert_code(peer_open(&p, cc, sc, "a.test"), 0);
        shaken(&p, &k, whole[i]->key);
        assert_int_equal(k.calls, 1);
        assert_string_equal(tlsock_info(p.conn[SERVER], TLSOCK_INFO_VERIFIED),
                            "chain");
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void what_is_no_signature_is_told_here_not_at_the_peer(void **state)
{
    static const struct {
        enum way way;
        int code;
        const char *told;
    } cases[] = {
        {WRONG, TLSOCK_E_HOOK, "the 70 bytes that the SIGN hook gave"},
        {LONG, TLSOCK_E_HOOK, "the 2000 bytes"},
        {STRANGER_KEY, TLSOCK_E_HOOK, "by the key of certificate \"a.test\""},
        {NOTHING, TLSOCK_E_HOOK, "gave no signature"},
        {REFUSE, TLSOCK_E_LIMIT, "SIGN hook of this program refused"},
    };

    (void)state;
    for (size_t n = 0; n < COUNT(cases) * 2; n++) {
        struct keeper k = {.way = cases[n / 2].way, .key = whole[0]->key};
        tlsock_config *cc = ca_client(NULL),
                      *sc = server_of(0, n & 1 ? "1.2" : "1.3", &k);
        struct peer p;

        peer_init(&p);
        assert_code(peer_open(&p, cc, sc, "a.test"), 0);
        peer_shake(&p);
        assert_code(p.rc[SERVER], cases[n / 2].code);
        assert_tells(p.err[SERVER].message, cases[n / 2].told);
        assert_true(p.err[SERVER].hint[0] != '\0');
        assert_int_equal(p.err[SERVER].phase, TLSOCK_PHASE_HANDSHAKE);
        assert_code(p.rc[CLIENT], TLSOCK_E_ALERT); /* internal_error */
        assert_int_equal(p.err[CLIENT].alert, 80);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_late_wrong_or_refused_answer_fails_alike(void **state)
{
    static const int codes[] = {0, TLSOCK_E_OWN_FILE, 5};

    (void)state;
    for (size_t n = 0; n < COUNT(codes); n++) {
        struct keeper k = {.way = LATER};
        tlsock_config *cc = ca_client(NULL), *sc = server_of(3, "1.3", &k);
        struct peer p;

        peer_init(&p);
        assert_code(peer_open(&p, cc, sc, "a.test"), 0);
        assert_code(peer_shake(&p), TLSOCK_AGAIN);
        assert_code(tlsock_op_done(k.ask.op, codes[n], "junk", 4), 0);
        peer_shake(&p);
        assert_code(p.rc[SERVER], codes[n] < 0 ? codes[n] : TLSOCK_E_HOOK);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void a_key_that_the_hook_cannot_sign_with_is_refused(void **state)
{
    struct keeper k = {.way = AT_ONCE};
    tlsock_cert *c = of_x25519();
    tlsock_config *sc = tlsock_config_new();

    (void)state;
    assert_code(tlsock_config_on(sc, TLSOCK_ON_SIGN, keeper, &k), 0);
    assert_code(tlsock_config_add_cert(sc, c), TLSOCK_E_OWN_FILE);
    assert_tells(tlsock_config_error(sc)->message, "kind X25519");
    assert_tells(tlsock_config_error(sc)->hint, "Ed25519 and Ed448");
    assert_code(tlsock_config_add_cert(sc, bare[0]), 0);
    tlsock_cert_unref(c);
    tlsock_config_unref(sc);
}

/* Freed, interrupted: what libssl has under way must not leak. */
static void a_connection_may_go_while_it_waits(void **state)
{
    struct keeper k = {.way = LATER};
    tlsock_config *cc = ca_client(NULL), *sc = server_of(0, "1.3", &k);

    (void)state;
    for (int n = 0; n < 3; n++) {
        struct peer p;
        size_t sent;

        peer_init(&p);
        assert_code(peer_open(&p, cc, sc, "a.test"), 0);
        assert_code(peer_shake(&p), TLSOCK_AGAIN);
        sent = p.pipes[SERVER].len;
        if (n == 1) {
            tlsock_interrupt(p.conn[SERVER]);
            assert_code(tlsock_handshake(p.conn[SERVER]), TLSOCK_E_INTERRUPTED);
        }
        if (n == 2)
            tlsock_abandon(p.conn[SERVER]);
        else
            (void)tlsock_close(p.conn[SERVER]);
        p.conn[SERVER] = NULL;
        assert_int_equal(p.pipes[SERVER].len, sent);
        answer(&k.ask, whole[0]->key); /* to nobody */
        peer_free(&p);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void client(int fd, void *config)
{
    char byte;
    tlsock *s = tlsock_client_fd(
        fd, "a.test", config, TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD), NULL);

    if (s != NULL)
        (void)!tlsock_read(s, &byte, 1);
    tlsock_close(s);
}

static void an_answer_that_never_comes_is_a_timeout(void **state)
{
    struct keeper k = {.way = LATER};
    tlsock_config *cc = ca_client(NULL), *sc = server_of(0, "1.3", &k);
    struct sock_thread peer;
    tlsock *s;
    int fds[2];

    (void)state;
    sock_tcp_pair(fds);
    sock_run(&peer, fds[1], client, cc);
    s = tlsock_server_fd(fds[0], sc, TLSOCK_OPTS(.timeout_ms = 300), NULL);
    assert_code(tlsock_handshake(s), TLSOCK_E_TIMEOUT);
    assert_tells(tlsock_last_error(s)->message, "answer of the SIGN hook");
    tlsock_close(s);
    sock_wait(&peer);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

struct threaded {
    pthread_t thread;
    struct ask ask;
    EVP_PKEY *key;
};

static void *thread_answers(void *arg)
{
    struct threaded *t = arg;

    answer(&t->ask, t->key);
    return NULL;
}

static int to_a_thread(const tlsock_event *e, void *arg)
{
    struct threaded *t = arg;

    keep(&t->ask, e);
    assert_int_equal(pthread_create(&t->thread, NULL, thread_answers, t), 0);
    return TLSOCK_AGAIN;
}

static void a_thread_may_hold_the_key(void **state)
{
    struct threaded t = {.key = whole[3]->key};
    tlsock_config *cc = ca_client(NULL),
                  *sc =
                      with_hook(tlsock_config_new(), to_a_thread, &t, bare[3]);
    struct sock_thread peer;
    tlsock *s;
    int fds[2];

    (void)state;
    sock_tcp_pair(fds);
    sock_run(&peer, fds[1], client, cc);
    s = tlsock_server_fd(fds[0], sc, NULL, NULL);
    assert_code(tlsock_handshake(s), 0);
    pthread_join(t.thread, NULL);
    assert_int_equal(tlsock_write(s, "x", 1), 1);
    tlsock_close(s);
    sock_wait(&peer);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* The handshake goes on in another thread than it waited in. */
static void *step_it(void *arg)
{
    peer_shake(arg);
    return NULL;
}

static void another_thread_may_go_on(void **state)
{
    struct keeper k = {.way = LATER};
    tlsock_config *cc = ca_client(NULL), *sc = server_of(3, "1.2", &k);
    pthread_t thread;
    struct peer p;

    (void)state;
    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, "a.test"), 0);
    assert_int_equal(pthread_create(&thread, NULL, step_it, &p), 0);
    pthread_join(thread, NULL);
    assert_code(p.rc[SERVER], TLSOCK_AGAIN);
    answer(&k.ask, whole[3]->key);
    assert_code(peer_shake(&p), 0);
    peer_pingpong(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_thousand_wait_at_once(void **state)
{
    enum { MANY = 1000 };
    struct peer *p = test_calloc(MANY, sizeof(*p));
    struct ask *asks = test_calloc(MANY, sizeof(*asks));
    struct keeper k = {.way = LATER};
    tlsock_config *cc = ca_client("timeout", "none", NULL),
                  *sc = server_of(0, "1.3", &k);

    (void)state;
    /* the first one waits for all the others, however slow the machine */
    assert_code(tlsock_config_set(cc, "handshake-timeout", "none"), 0);
    assert_code(tlsock_config_set(sc, "handshake-timeout", "none"), 0);
    for (int i = 0; i < MANY; i++) {
        peer_init(&p[i]);
        assert_code(peer_open(&p[i], cc, sc, "a.test"), 0);
        assert_code(peer_shake(&p[i]), TLSOCK_AGAIN);
        asks[i] = k.ask;
    }
    assert_int_equal(k.calls, MANY);
    for (int i = MANY - 1; i >= 0; i--) {
        answer(&asks[i], whole[0]->key);
        assert_code(peer_shake(&p[i]), 0);
    }
    for (int i = 0; i < MANY; i++) {
        peer_pingpong(&p[i]);
        peer_free(&p[i]);
    }
    test_free(p);
    test_free(asks);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* A process that has the key, and one that serves and never had it. */
struct wire {
    unsigned char data[256];
    size_t len;
    char scheme[40];
};

static void key_server(int fd, EVP_PKEY *key)
{
    unsigned char sig[1024];
    struct wire w;

    while (recv(fd, &w, sizeof(w), MSG_WAITALL) == (ssize_t)sizeof(w)) {
        size_t n = sign_with(key, w.scheme, w.data, w.len, sig, sizeof(sig));

        if (send(fd, sig, n, 0) < 0)
            break;
    }
    test_exit(0);
}

static int over_the_wire(const tlsock_event *e, void *arg)
{
    struct wire w = {.len = e->len};
    unsigned char sig[1024];
    ssize_t n;

    if (e->len > sizeof(w.data))
        return TLSOCK_E_LIMIT;
    memcpy(w.data, e->data, e->len);
    snprintf(w.scheme, sizeof(w.scheme), "%s", e->name);
    if (send(*(int *)arg, &w, sizeof(w), 0) != (ssize_t)sizeof(w))
        return TLSOCK_E_HOOK;
    n = recv(*(int *)arg, sig, sizeof(sig), 0);
    if (n <= 0)
        return TLSOCK_E_HOOK;
    return tlsock_op_done(e->op, 0, sig, (size_t)n);
}

static void the_key_may_be_in_another_process(void **state)
{
    int fds[2], status = -1;
    tlsock_config *cc = ca_client(NULL), *sc = tlsock_config_new();
    struct peer p;
    pid_t pid;

    (void)state;
    sock_pair(fds);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        key_server(fds[1], whole[1]->key);
    }
    close(fds[1]);
    with_hook(sc, over_the_wire, &fds[0], bare[1]);
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    /* what this end signs with has no private half to give */
    {
        EVP_PKEY *key = SSL_get_privatekey(tlsock_get_ssl(p.conn[SERVER]));
        BIGNUM *private = NULL;

        assert_non_null(key);
        assert_int_equal(
            EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &private), 0);
        assert_null(private);
    }
    peer_free(&p);
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void no_key_and_no_hook_is_refused_and_the_hook_named(void **state)
{
    struct keeper k = {.way = AT_ONCE, .key = whole[0]->key};
    tlsock_config *c = tlsock_config_new();
    tlsock_error err = {0};
    struct peer p;

    (void)state;
    assert_code(tlsock_config_add_cert(c, bare[0]), TLSOCK_E_OWN_FILE);
    assert_tells(tlsock_config_error(c)->hint, "TLSOCK_ON_SIGN");
    with_hook(c, keeper, &k, bare[0]);
    assert_code(tlsock_config_on(c, TLSOCK_ON_SIGN, NULL, NULL), 0);
    assert_code(tlsock_config_add_trust(c, ca_get()->root_pem), 0);
    peer_init(&p);
    p.conn[CLIENT] = tlsock_client_io(&peer_io, &p.ends[CLIENT], "a.test", c,
                                      TLSOCK_OPTS(.nonblocking = 1), &err);
    assert_null(p.conn[CLIENT]);
    assert_code(err.code, TLSOCK_E_OWN_FILE);
    assert_tells(err.message, "TLSOCK_ON_SIGN");
    peer_free(&p);
    tlsock_config_unref(c);
}

/* Whose key is here is not asked for. */
static void identities_with_keys_use_these(void **state)
{
    struct keeper k = {.way = REFUSE};
    tlsock_config *cc = ca_client(NULL),
                  *sc = with_hook(tlsock_config_new(), keeper, &k, ca_get()->a);
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_int_equal(k.calls, 0);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static int choose_bare(const tlsock_event *e, void *arg)
{
    return tlsock_use_cert(e->conn, arg);
}

static void a_chosen_certificate_may_have_its_key_elsewhere(void **state)
{
    struct keeper k = {.way = LATER};
    tlsock_config *cc = ca_client(NULL),
                  *sc = with_hook(tlsock_config_new(), keeper, &k, ca_get()->b);
    struct peer p;

    (void)state;
    assert_code(tlsock_config_on(sc, TLSOCK_ON_HELLO, choose_bare, bare[0]), 0);
    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, "a.test"), 0);
    shaken(&p, &k, whole[0]->key);
    assert_int_equal(k.calls, 1);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_signs_with_a_key_that_is_elsewhere),
        cmocka_unit_test(a_client_signs_with_a_key_that_is_elsewhere),
        cmocka_unit_test(what_is_no_signature_is_told_here_not_at_the_peer),
        cmocka_unit_test(a_late_wrong_or_refused_answer_fails_alike),
        cmocka_unit_test(a_key_that_the_hook_cannot_sign_with_is_refused),
        cmocka_unit_test(a_connection_may_go_while_it_waits),
        cmocka_unit_test(an_answer_that_never_comes_is_a_timeout),
        cmocka_unit_test(a_thread_may_hold_the_key),
        cmocka_unit_test(another_thread_may_go_on),
        cmocka_unit_test(a_thousand_wait_at_once),
        cmocka_unit_test(the_key_may_be_in_another_process),
        cmocka_unit_test(no_key_and_no_hook_is_refused_and_the_hook_named),
        cmocka_unit_test(identities_with_keys_use_these),
        cmocka_unit_test(a_chosen_certificate_may_have_its_key_elsewhere),
    };

    return cmocka_run_group_tests_name("sign", tests, make_all, drop_all);
}
