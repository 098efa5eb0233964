/* The n-th allocation fails while hooks are asked: a ClientHello that is
 * answered later, a signature by a key that is elsewhere, later as well, and a
 * password. What must hold at every n: a clear code or success, no leak, and no
 * peer that is accepted with a signature that nobody made. */
#include "ca.h"
#include "cert/cert.h"
#include "ends.h"
#include "hellos.h"

#include <openssl/pem.h>
#include <tlsock/trace.h>
#include <tlsock/prints.h>
#include <unistd.h>

struct late {
    struct tlsock_op *hello, *sign;
    unsigned char digest[64];
    size_t len;
};

static int hello(const tlsock_event *e, void *arg)
{
    int rc = tlsock_use_alpn(e->conn, "");

    if (rc == 0)
        rc = tlsock_use_client_auth(e->conn, "ask");
    if (rc != 0)
        return rc;
    ((struct late *)arg)->hello = e->op;
    return TLSOCK_AGAIN;
}

static int sign(const tlsock_event *e, void *arg)
{
    struct late *l = arg;

    if (e->len > sizeof(l->digest))
        return TLSOCK_E_LIMIT;
    memcpy(l->digest, e->data, e->len);
    l->len = e->len;
    l->sign = e->op;
    return TLSOCK_AGAIN;
}

/* All answers that are awaited; what is short of memory here is told there. */
static void answer(struct late *l)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ca_get()->a->key, NULL);
    unsigned char sig[200];
    size_t n = sizeof(sig);

    if (l->hello != NULL)
        (void)tlsock_op_done(l->hello, 0, NULL, 0);
    if (l->sign != NULL && ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
        EVP_PKEY_sign(ctx, sig, &n, l->digest, l->len) == 1)
        (void)tlsock_op_done(l->sign, 0, sig, n);
    else if (l->sign != NULL)
        (void)tlsock_op_done(l->sign, TLSOCK_E_NOMEM, NULL, 0);
    EVP_PKEY_CTX_free(ctx);
    l->hello = l->sign = NULL;
}

static tlsock_cert *bare;

static int serve(struct world *w, struct late *l)
{
    tlsock_config *c = w->sc = tlsock_config_new();
    int rc;

    if (c == NULL)
        return note(w, &(tlsock_error){0}, TLSOCK_E_NOMEM);
    rc = tlsock_config_on(c, TLSOCK_ON_HELLO, hello, l);
    if (rc == 0)
        rc = tlsock_config_on(c, TLSOCK_ON_SIGN, sign, l);
    if (rc == 0)
        rc = tlsock_config_add_cert(c, bare);
    return rc != 0 ? note(w, tlsock_config_error(c), rc) : 0;
}

/* HELLO waits, SIGN waits: the handshake stops twice. */
static int answered_later(struct world *w)
{
    struct late l = {0};
    struct peer p;
    int rc;

    peer_init(&p);
    w->sc = NULL;
    rc = serve(w, &l);
    if (rc == 0)
        rc = ends_open(w, &p, TLSOCK_OPTS(.nonblocking = 1));
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = peer_shake(&p);
        if (rc == TLSOCK_AGAIN && (l.hello != NULL || l.sign != NULL)) {
            answer(&l);
            rc = 0;
        }
    }
    /* whose memory it was; the other side sees only that it went */
    if (rc != 0)
        rc = note(w,
                  &p.err[p.err[SERVER].code != 0 &&
                                 p.err[CLIENT].code != TLSOCK_E_NOMEM
                             ? SERVER
                             : CLIENT],
                  rc);
    if (rc == 0)
        rc = ends_talk(w, &p, TLSOCK_STATE_TLS);
    peer_free(&p);
    tlsock_config_unref(w->sc);
    w->sc = NULL;
    return rc;
}

/* It goes while it waits. */
static int given_up(struct world *w)
{
    struct late l = {0};
    struct peer p;
    int rc;

    peer_init(&p);
    w->sc = NULL;
    rc = serve(w, &l);
    if (rc == 0)
        rc = ends_open(w, &p, TLSOCK_OPTS(.nonblocking = 1));
    if (rc == 0 && peer_shake(&p) == TLSOCK_AGAIN && l.hello != NULL) {
        answer(&l);
        (void)peer_shake(&p);
    }
    peer_free(&p);
    tlsock_config_unref(w->sc);
    w->sc = NULL;
    return rc;
}

/* A hello that is kept is lost without memory; no more than that. */
static int printed(struct world *w)
{
    uint8_t bytes[HELLO_LONG];
    struct peer p;
    int rc;

    hello_long(bytes);
    peer_init(&p);
    rc = ends_open(w, &p, TLSOCK_OPTS(.nonblocking = 1));
    if (rc == 0) {
        pipe_inject(&p.pipes[CLIENT], bytes, sizeof(bytes));
        (void)peer_step(&p, SERVER);
        if (strlen(tlsock_info(p.conn[SERVER], TLSOCK_INFO_JA4)) < 36 ||
            strlen(tlsock_info(p.conn[SERVER], TLSOCK_INFO_JA3_RAW)) < 512)
            rc = note(w, &(tlsock_error){0}, TLSOCK_E_NOMEM);
    }
    peer_free(&p);
    return rc;
}

static void with_prints(enum fault_kind kind)
{
    struct world w = {.cc = ca_client(NULL),
                      .sc = ca_server(ca_get()->a, "prints", "on", NULL),
                      .name = "a.test"};

    each("prints", printed, &w, kind, 0);
    tlsock_config_unref(w.cc);
    tlsock_config_unref(w.sc);
}

static int look(const tlsock_event *e, void *arg)
{
    char line[TLSOCK_TRACE_LINE];

    (void)arg;
    if ((e->kind == TLSOCK_ON_MESSAGE ||
         (e->kind == TLSOCK_ON_DIALOGUE && e->data != NULL)) &&
        tlsock_trace_line(e, line, sizeof(line)) < 0)
        return TLSOCK_E_HOOK;
    return e->conn != NULL ? 0 : TLSOCK_E_HOOK;
}

/* Messages, secrets and bytes are shown of a connection that fails somewhere:
 * the end of what was begun is shown as well. */
static int watched(struct world *w)
{
    static const int events[] = {TLSOCK_ON_MESSAGE, TLSOCK_ON_KEYLOG,
                                 TLSOCK_ON_WIRE, TLSOCK_ON_HELLO,
                                 TLSOCK_ON_DIALOGUE};
    struct peer p;
    int rc = TLSOCK_E_NOMEM;

    peer_init(&p);
    w->sc = tlsock_config_new();
    if (w->sc == NULL)
        return note(w, &(tlsock_error){0}, rc);
    rc = tlsock_config_add_cert(w->sc, ca_get()->a);
    for (size_t i = 0; i < COUNT(events) && rc == 0; i++)
        rc = tlsock_config_on(w->sc, events[i], look, NULL);
    if (rc != 0)
        (void)note(w, tlsock_config_error(w->sc), rc);
    if (rc == 0)
        rc =
            ends_open(w, &p, TLSOCK_OPTS(.nonblocking = 1, .starttls = "smtp"));
    if (rc == 0)
        rc = ends_shake(w, &p);
    if (rc == 0)
        rc = ends_talk(w, &p, TLSOCK_STATE_TLS);
    peer_free(&p);
    tlsock_config_unref(w->sc);
    w->sc = NULL;
    return rc;
}

static int password(const tlsock_event *e, void *arg)
{
    (void)arg;
    (void)tlsock_op_done(e->op, 0, "right", 5);
    return 0;
}

static int opened(struct world *w)
{
    tlsock_config *c = tlsock_config_new();
    int rc = TLSOCK_E_NOMEM;

    if (c == NULL)
        return note(w, &(tlsock_error){0}, rc);
    rc = tlsock_config_on(c, TLSOCK_ON_PASSWORD, password, NULL);
    if (rc == 0)
        rc = tlsock_config_add_identity(c, w->with, NULL, NULL);
    if (rc != 0)
        (void)note(w, tlsock_config_error(c), rc);
    tlsock_config_unref(c);
    return rc;
}

/* shows: it has a certificate, and the hook wants to see any. */
static void with_client(const char *what, scenario *run, int shows,
                        enum fault_kind kind)
{
    struct world w = {
        .cc = ca_client(NULL), .name = "a.test", .dense = 200, .stride = 41};

    if (shows)
        assert_code(tlsock_config_add_cert(w.cc, ca_get()->client), 0);
    each(what, run, &w, kind, 0);
    tlsock_config_unref(w.cc);
}

/* As the library saves a key its password is hashed a million times, each with
 * allocations: two thousand will do. */
static void save_sealed(const char *path)
{
    char pem[16384];
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_within(tlsock_cert_pem(ca_get()->a,
                                  TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, pem,
                                  sizeof(pem)),
                  1, sizeof(pem) - 1);
    fputs(pem, out);
    assert_int_equal(PEM_write_PKCS8PrivateKey(out, ca_get()->a->key,
                                               EVP_aes_256_cbc(), "right", 5,
                                               NULL, NULL),
                     1);
    fclose(out);
}

static void with_file(enum fault_kind kind)
{
    char path[128];
    struct world w = {.with = path, .dense = 10, .stride = 307};

    snprintf(path, sizeof(path), "%s/sealed.pem", ca_get()->dir);
    save_sealed(path);
    each("password", opened, &w, kind, 0);
    unlink(path);
}

static void own_memory_may_fail_while_hooks_are_asked(void **state)
{
    (void)state;
    with_client("later", answered_later, 0, FAULT_OWN);
    with_client("later, of any client", answered_later, 1, FAULT_OWN);
    with_client("given up", given_up, 0, FAULT_OWN);
    with_client("watched", watched, 0, FAULT_OWN);
    with_file(FAULT_OWN);
    with_prints(FAULT_OWN);
}

static void openssls_memory_may_fail_while_hooks_are_asked(void **state)
{
    (void)state;
    with_client("later", answered_later, 0, FAULT_OPENSSL);
    with_client("later, of any client", answered_later, 1, FAULT_OPENSSL);
    with_client("given up", given_up, 0, FAULT_OPENSSL);
    with_client("watched", watched, 0, FAULT_OPENSSL);
    with_file(FAULT_OPENSSL);
    with_prints(FAULT_OPENSSL);
}

static int set_up(void **state)
{
    char pem[16384];

    ca_setup(state);
    assert_within(tlsock_cert_pem(ca_get()->a,
                                  TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, pem,
                                  sizeof(pem)),
                  1, sizeof(pem) - 1);
    bare = tlsock_cert_parse(pem, strlen(pem), NULL, NULL);
    assert_non_null(bare);
    return 0;
}

static int tear_down(void **state)
{
    tlsock_cert_unref(bare);
    return ca_teardown(state);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest own[] = {
        cmocka_unit_test(own_memory_may_fail_while_hooks_are_asked)};
    static const struct CMUnitTest openssl[] = {
        cmocka_unit_test(openssls_memory_may_fail_while_hooks_are_asked)};

    fault_init();
    if (argc == 2 && strcmp(argv[1], "own") == 0)
        return cmocka_run_group_tests_name("hooks-own", own, set_up, tear_down);
    return cmocka_run_group_tests_name("hooks-openssl", openssl, set_up,
                                       tear_down);
}
