/* What the library promises to leave alone: OpenSSL's error queue, errno. */
#include "ca.h"
#include "sock.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

static void plant(void)
{
    ERR_clear_error();
    ERR_raise_data(ERR_LIB_USER, 77, "the caller's own");
    errno = 4711;
}

static void check(const char *after)
{
    int seen = errno;

    if (ERR_GET_REASON(ERR_peek_last_error()) != 77 ||
        ERR_GET_REASON(ERR_peek_error()) != 77)
        fail_msg("the queue has changed: %s", after);
    if (seen != 4711)
        fail_msg("errno is %d: %s", seen, after);
    ERR_clear_error();
}

static void failures_leave_queue_and_errno(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    tlsock_config *bare = tlsock_config_new();
    tlsock_error err;
    struct peer p;
    char byte;
    int port, fd = sock_listen(&port);
    char target[32];

    (void)state;
    close(fd);
    snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    plant();
    assert_null(tlsock_connect(target, cc, NULL, &err));
    check("refused connect");
    plant();
    assert_null(tlsock_connect("nonsense", cc, NULL, &err));
    check("bad target");
    plant();
    assert_null(tlsock_cert_load("/nonexistent", NULL, NULL, &err));
    check("missing file");
    plant();
    assert_null(tlsock_cert_parse("-----BEGIN CERTIFICATE-----\nx", 29, NULL,
                                  &err));
    check("bad PEM");
    plant();
    assert_true(tlsock_config_set(bare, "tls.min", "9") < 0);
    check("bad option");
    plant();
    assert_true(tlsock_config_set(bare, "ciphers", "NONSENSE") <= 0);
    check("bad ciphers");
    plant();
    assert_null(tlsock_listen("127.0.0.1:0", bare, NULL, &err));
    check("no identity");

    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "b.test"), 0);
    for (int i = 0; i < 10; i++) {
        plant();
        if (peer_step(&p, CLIENT) < TLSOCK_AGAIN)
            check("wrong name");
        plant();
        if (peer_step(&p, SERVER) < TLSOCK_AGAIN)
            check("alert");
    }
    plant();
    assert_true(tlsock_read(p.conn[CLIENT], &byte, 1) < 0);
    check("read after failure");
    peer_free(&p);

    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    p.pipes[SERVER].ended = 1;
    plant();
    assert_true(tlsock_read(p.conn[CLIENT], &byte, 1) < 0);
    check("truncated");
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
    tlsock_config_unref(bare);
}

static void success_leaves_the_queue(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    ERR_clear_error();
    ERR_raise_data(ERR_LIB_USER, 77, "the caller's own");
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    peer_close(&p);
    peer_free(&p);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), 77);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 77);
    ERR_clear_error();
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* A caller's stale error must not be taken for one of the connection. */
static void a_stale_error_in_the_queue_confuses_nobody(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;
    char byte;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    for (int i = 0; i < 3; i++) {
        ERR_raise_data(ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING,
                       "stale");
        assert_code(tlsock_read(p.conn[CLIENT], &byte, 1), TLSOCK_AGAIN);
        peer_pingpong(&p);
    }
    ERR_clear_error();
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_leave_queue_and_errno),
        cmocka_unit_test(success_leaves_the_queue),
        cmocka_unit_test(a_stale_error_in_the_queue_confuses_nobody),
    };

    return cmocka_run_group_tests_name("untouched", tests, ca_setup,
                                       ca_teardown);
}
