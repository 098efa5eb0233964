/* Hundreds of connections, in success and in each kind of failure: memory and
 * descriptors are back where they were. */
#include "ca.h"
#include "fault.h"
#include "raw.h"
#include "sock.h"

#include <openssl/err.h>
#include <unistd.h>

#define ROUNDS 300
#define WARM 100 /* caches fill, session stores reach their size */
#define SLACK 65536

typedef void round_fn(tlsock_config *cc, tlsock_config *sc);

static void good(tlsock_config *cc, tlsock_config *sc)
{
    struct peer p;

    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    peer_close(&p);
    peer_free(&p);
}

static void wrong_name(tlsock_config *cc, tlsock_config *sc)
{
    struct peer p;

    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "b.test"), 0);
    peer_shake(&p);
    assert_code(p.rc[CLIENT], TLSOCK_E_NAME_MISMATCH);
    peer_free(&p);
}

static void cut(tlsock_config *cc, tlsock_config *sc)
{
    struct peer p;
    char byte;

    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    p.pipes[SERVER].ended = 1;
    do
        p.rc[CLIENT] = (int)tlsock_read(p.conn[CLIENT], &byte, 1);
    while (p.rc[CLIENT] > 0);
    assert_code(p.rc[CLIENT], TLSOCK_E_TRUNCATED);
    peer_free(&p);
}

static void plaintext(tlsock_config *cc, tlsock_config *sc)
{
    struct peer p;

    (void)sc;
    peer_init(&p);
    pipe_inject(&p.pipes[SERVER], "220 mx\r\n", 8);
    assert_int_equal(peer_open(&p, cc, NULL, "a.test"), 0);
    for (int i = 0; i < 3; i++)
        peer_step(&p, CLIENT);
    assert_code(p.rc[CLIENT], TLSOCK_E_NOT_TLS);
    peer_free(&p);
}

static void hung_up(tlsock_config *cc, tlsock_config *sc)
{
    struct peer p;

    (void)sc;
    peer_init(&p);
    p.pipes[SERVER].ended = 1;
    assert_int_equal(peer_open(&p, cc, NULL, "a.test"), 0);
    for (int i = 0; i < 3; i++)
        peer_step(&p, CLIENT);
    assert_code(p.rc[CLIENT], TLSOCK_E_CLOSED_IN_HANDSHAKE);
    peer_free(&p);
}

static void refused(tlsock_config *cc, tlsock_config *sc)
{
    int port, fd = sock_listen(&port);
    char target[32];
    tlsock_error err;

    (void)sc;
    close(fd);
    snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    assert_null(tlsock_connect(target, cc, NULL, &err));
    assert_code(err.code, TLSOCK_E_CONNECT);
}

static void given_up(tlsock_config *cc, tlsock_config *sc)
{
    int port, fd = sock_listen(&port);
    char target[32];
    tlsock *s;

    (void)sc;
    snprintf(target, sizeof(target), "localhost:%d", port);
    s = tlsock_connect(target, cc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    assert_non_null(s);
    (void)!tlsock_handshake(s);
    tlsock_close(s);
    close(fd);
}

static void bad_config(tlsock_config *cc, tlsock_config *sc)
{
    tlsock_config *c = tlsock_config_copy(cc);

    (void)sc;
    assert_true(tlsock_config_set(c, "nonsense", "1") < 0);
    assert_true(tlsock_config_add_trust(c, "/nonexistent") <= 0);
    assert_true(tlsock_config_add_identity(c, ca_get()->a_pem,
                                           ca_get()->b_key, NULL) < 0);
    tlsock_config_unref(c);
}

static void run(round_fn *round)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    size_t heap = 0;
    int fds = 0;

    for (int i = 0; i < ROUNDS; i++) {
        if (i == WARM) {
            heap = fault_heap();
            fds = sock_count();
        }
        round(cc, sc);
    }
    if (fault_heap() > heap + SLACK)
        fail_msg("%zu bytes more after %d rounds", fault_heap() - heap,
                 ROUNDS - WARM);
    if (round == given_up) /* a resolver thread may still be at work */
        assert_within(sock_count(), 0, fds + 8);
    else
        assert_int_equal(sock_count(), fds);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

#define ROUND(name) \
    static void name##_leaves_nothing_behind(void **state) \
    { \
        (void)state; \
        run(name); \
    }

ROUND(good)
ROUND(wrong_name)
ROUND(cut)
ROUND(plaintext)
ROUND(hung_up)
ROUND(refused)
ROUND(given_up)
ROUND(bad_config)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_leaves_nothing_behind),
        cmocka_unit_test(wrong_name_leaves_nothing_behind),
        cmocka_unit_test(cut_leaves_nothing_behind),
        cmocka_unit_test(plaintext_leaves_nothing_behind),
        cmocka_unit_test(hung_up_leaves_nothing_behind),
        cmocka_unit_test(refused_leaves_nothing_behind),
        cmocka_unit_test(given_up_leaves_nothing_behind),
        cmocka_unit_test(bad_config_leaves_nothing_behind),
    };

    return cmocka_run_group_tests_name("growth", tests, ca_setup, ca_teardown);
}
