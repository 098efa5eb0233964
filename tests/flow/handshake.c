/* Connect, verify, data both ways: over every version and every bad habit a
 * transport can have. */
#include "ca.h"
#include "peer.h"
#include "sock.h"

#include <sys/socket.h>
#include <unistd.h>

static void versions_negotiate_as_set(void **state)
{
    static const struct {
        const char *cmin, *cmax, *smin, *smax, *got;
    } rows[] = {
        {"1.2", "1.3", "1.2", "1.3", "TLSv1.3"},
        {"1.2", "1.2", "1.2", "1.3", "TLSv1.2"},
        {"1.2", "1.3", "1.2", "1.2", "TLSv1.2"},
        {"1.3", "1.3", "1.2", "1.3", "TLSv1.3"},
        {"1.3", "1.3", "1.2", "1.2", NULL},
        {"1.2", "1.2", "1.3", "1.3", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc = ca_client("tls.min", rows[i].cmin, "tls.max",
                                      rows[i].cmax, NULL);
        tlsock_config *sc = ca_server(ca_get()->a, "tls.min", rows[i].smin,
                                      "tls.max", rows[i].smax, NULL);
        struct peer p;

        peer_init(&p);
        if (rows[i].got != NULL) {
            peer_connect(&p, cc, sc, "a.test");
            for (int side = CLIENT; side <= SERVER; side++)
                assert_string_equal(
                    tlsock_info(p.conn[side], TLSOCK_INFO_VERSION),
                    rows[i].got);
            peer_pingpong(&p);
            peer_close(&p);
        } else {
            assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
            peer_shake(&p);
            assert_code(p.rc[CLIENT], TLSOCK_E_VERSION_UNSUPPORTED);
            assert_code(p.rc[SERVER], TLSOCK_E_VERSION_UNSUPPORTED);
        }
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void any_transport_is_slow_but_right(void **state)
{
    static const struct {
        size_t capacity, max_read, max_write;
    } rows[] = {
        {0, 0, 0},  {0, 1, 0},    {0, 0, 1},     {0, 1, 1},
        {1, 1, 1},  {7, 0, 0},    {0, 3, 5},     {100, 13, 17},
        {512, 0, 0}, {16384, 0, 0}};
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        tlsock_config *cc = ca_client("tls.max", versions[i % 2], NULL);
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        uint8_t msg[3000];
        struct peer p;

        memset(msg, (int)i, sizeof(msg));
        peer_init(&p);
        for (int side = CLIENT; side <= SERVER; side++) {
            p.pipes[side].capacity = rows[i / 2].capacity;
            p.pipes[side].max_read = rows[i / 2].max_read;
            p.pipes[side].max_write = rows[i / 2].max_write;
        }
        peer_connect(&p, cc, sc, "a.test");
        peer_say(&p, CLIENT, msg, sizeof(msg));
        peer_say(&p, SERVER, msg, sizeof(msg));
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void both_sides_know_what_was_negotiated(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    static const int items[] = {TLSOCK_INFO_VERSION, TLSOCK_INFO_CIPHER,
                                TLSOCK_INFO_SNI};
    uint8_t key[2][32];
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    for (size_t i = 0; i < COUNT(items); i++) {
        char client[128];

        snprintf(client, sizeof(client), "%s",
                 tlsock_info(p.conn[CLIENT], items[i]));
        assert_true(client[0] != '\0');
        assert_string_equal(client, tlsock_info(p.conn[SERVER], items[i]));
    }
    assert_int_equal(tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_VERSION),
                     0x0304);
    assert_memory_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                        "chain", 5);
    assert_string_equal(tlsock_info(p.conn[SERVER], TLSOCK_INFO_VERIFIED), "");
    for (int side = CLIENT; side <= SERVER; side++) {
        assert_int_equal(tlsock_info_int(p.conn[side], TLSOCK_INFO_STATE),
                         TLSOCK_STATE_TLS);
        assert_code(tlsock_export(p.conn[side], "EXPERIMENTAL test", NULL, 0,
                                  key[side], 32),
                    TLSOCK_OK);
    }
    assert_memory_equal(key[CLIENT], key[SERVER], 32);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void handshake_is_harmless_when_done(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_code(tlsock_handshake(p.conn[CLIENT]), TLSOCK_OK);
    assert_code(tlsock_handshake(p.conn[SERVER]), TLSOCK_OK);
    peer_pingpong(&p);
    assert_code(tlsock_handshake(p.conn[CLIENT]), TLSOCK_OK);
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void reading_and_writing_finish_the_handshake(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    char got[8];
    ssize_t sent = TLSOCK_AGAIN, n = TLSOCK_AGAIN;
    struct peer p;

    (void)state;
    peer_init(&p);
    assert_int_equal(peer_open(&p, cc, sc, "a.test"), 0);
    for (int i = 0; i < 20 && n == TLSOCK_AGAIN; i++) {
        if (sent == TLSOCK_AGAIN)
            sent = tlsock_write(p.conn[CLIENT], "early", 5);
        n = tlsock_read(p.conn[SERVER], got, sizeof(got));
    }
    assert_int_equal(sent, 5);
    assert_int_equal(n, 5);
    assert_memory_equal(got, "early", 5);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void blocking_handles_never_say_again(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct sock_thread server;
    tlsock_error err;
    char got[4];
    int fds[2];
    tlsock *s;

    (void)state;
    sock_pair(fds);
    sock_run(&server, fds[1], sock_echo, sc);
    s = tlsock_client_fd(fds[0], "a.test", cc, NULL, &err);
    if (s == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(tlsock_info_int(s, TLSOCK_INFO_STATE), TLSOCK_STATE_TLS);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tlsock_write(s, "ping", 4), 4);
        assert_int_equal(tlsock_read_full(s, got, 4), 4);
        assert_memory_equal(got, "ping", 4);
    }
    assert_code(tlsock_shutdown(s, SHUT_RDWR), TLSOCK_OK);
    assert_code(tlsock_close(s), TLSOCK_OK);
    sock_wait(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void blocking_and_nonblocking_can_be_switched(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct sock_thread server;
    char got[4];
    int fds[2];
    tlsock *s;

    (void)state;
    sock_pair(fds);
    sock_run(&server, fds[1], sock_echo, sc);
    s = tlsock_client_fd(fds[0], "a.test", cc, TLSOCK_OPTS(.nonblocking = 1),
                         NULL);
    assert_non_null(s);
    assert_code(tlsock_set_nonblocking(s, 0), TLSOCK_OK);
    assert_code(tlsock_handshake(s), TLSOCK_OK);
    assert_code(tlsock_set_nonblocking(s, 1), TLSOCK_OK);
    assert_code(tlsock_read(s, got, 4), TLSOCK_AGAIN);
    assert_int_equal(tlsock_write(s, "ping", 4), 4);
    assert_code(tlsock_set_nonblocking(s, 0), TLSOCK_OK);
    assert_int_equal(tlsock_read_full(s, got, 4), 4);
    assert_code(tlsock_close(s), TLSOCK_OK);
    sock_wait(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_descriptor_is_closed_only_if_owned(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);

    (void)state;
    for (int borrow = 0; borrow <= 1; borrow++) {
        struct sock_thread server;
        int fds[2];
        tlsock *s;

        sock_pair(fds);
        sock_run(&server, fds[1], sock_echo, sc);
        s = tlsock_client_fd(
            fds[0], "a.test", cc,
            TLSOCK_OPTS(.flags = borrow ? TLSOCK_F_BORROW_FD : 0), NULL);
        assert_non_null(s);
        assert_code(tlsock_close(s), TLSOCK_OK);
        assert_int_equal(close(fds[0]), borrow ? 0 : -1);
        sock_wait(&server);
    }
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_descriptor_stays_the_callers_on_failure(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct sock_thread server;
    tlsock_error err;
    int fds[2];

    (void)state;
    sock_pair(fds);
    sock_run(&server, fds[1], sock_echo, sc);
    assert_null(tlsock_client_fd(fds[0], "b.test", cc, NULL, &err));
    assert_code(err.code, TLSOCK_E_NAME_MISMATCH);
    assert_int_equal(close(fds[0]), 0);
    sock_wait(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void a_transport_is_closed_once_and_never_on_failure(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    struct peer p;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    assert_int_equal(p.ends[CLIENT].closes, 0);
    peer_close(&p);
    assert_int_equal(p.ends[CLIENT].closes, 1);
    assert_int_equal(p.ends[SERVER].closes, 1);
    peer_free(&p);

    peer_init(&p);
    assert_code(peer_open(&p, cc, sc, ""), TLSOCK_E_NO_NAME);
    assert_int_equal(p.ends[CLIENT].closes, 0);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_negotiate_as_set),
        cmocka_unit_test(any_transport_is_slow_but_right),
        cmocka_unit_test(both_sides_know_what_was_negotiated),
        cmocka_unit_test(handshake_is_harmless_when_done),
        cmocka_unit_test(reading_and_writing_finish_the_handshake),
        cmocka_unit_test(blocking_handles_never_say_again),
        cmocka_unit_test(blocking_and_nonblocking_can_be_switched),
        cmocka_unit_test(a_descriptor_is_closed_only_if_owned),
        cmocka_unit_test(a_descriptor_stays_the_callers_on_failure),
        cmocka_unit_test(a_transport_is_closed_once_and_never_on_failure),
    };

    return cmocka_run_group_tests_name("handshake", tests, ca_setup,
                                       ca_teardown);
}
