/* Whose session is it? Of a name at one address, of the connection that a data
 * connection follows, and of what was left after every way to end. */
#include "ca.h"
#include "peer.h"
#include "sock.h"

#include "tls/conn.h"

#include <poll.h>
#include <sys/wait.h>
#include <tlsock/session.h>
#include <unistd.h>

static const char *const versions[] = {"1.2", "1.3"};

static int resumed(const struct peer *p)
{
    return (int)tlsock_info_int(p->conn[CLIENT], TLSOCK_INFO_RESUMED);
}

/* A control connection that is open and has its session. */
static void control(struct peer *p, tlsock_config *cc, tlsock_config *sc)
{
    peer_init(p);
    peer_connect(p, cc, sc, "a.test");
    peer_pingpong(p);
}

/* A data connection that follows it: 1 resumed, 0 in full, or a code */
static int data(const struct peer *of, tlsock_config *cc, tlsock_config *sc,
                const char *name)
{
    struct peer p;
    int rc;

    peer_init(&p);
    rc = peer_open_opts(
        &p, cc, TLSOCK_OPTS(.nonblocking = 1, .resume_from = of->conn[CLIENT]),
        sc, TLSOCK_OPTS(.nonblocking = 1), name);
    if (rc == 0)
        rc = peer_shake(&p);
    if (rc == 0) {
        peer_pingpong(&p);
        rc = resumed(&p);
        assert_memory_equal(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERIFIED),
                            "chain", 5);
        if (rc == 1 && strcmp(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_VERSION),
                              "TLSv1.3") == 0)
            assert_tells(tlsock_info(p.conn[CLIENT], TLSOCK_INFO_SESSION),
                         "resume_from");
        peer_close(&p);
    } else if (p.rc[CLIENT] < 0) {
        rc = p.rc[CLIENT];
    }
    peer_free(&p);
    return rc;
}

/* As many as there are files to fetch; the control connection's own session
 * each time, also if that was resumed itself. */
static void data_connections_follow_their_control_connection(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        tlsock_config *cc =
            ca_client("tls.max", versions[v], "session.size", "0", NULL);
        struct peer p;

        control(&p, cc, sc);
        for (int i = 0; i < 4; i++)
            assert_int_equal(data(&p, cc, sc, "a.test"), 1);
        peer_close(&p);
        peer_free(&p);
        tlsock_config_unref(cc);
        cc = ca_client("tls.max", versions[v], NULL);
        for (int i = 0; i < 2; i++) {
            control(&p, cc, sc);
            assert_int_equal(resumed(&p), i);
            assert_int_equal(data(&p, cc, sc, "a.test"), 1);
            peer_say(&p, SERVER, "226", 3);
            peer_close(&p);
            peer_free(&p);
            if (v == 1) /* the ticket was used up: another one for next time */
                control(&p, cc, sc), peer_close(&p), peer_free(&p);
        }
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void another_name_or_trust_does_not_follow(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        tlsock_config *same = ca_client("tls.max", versions[v], NULL);
        tlsock_config *alpn =
            ca_client("tls.max", versions[v], "alpn", "h2", NULL);
        tlsock_config *more = ca_client("tls.max", versions[v], NULL);
        tlsock_config *none = tlsock_config_new();
        struct peer p;

        assert_code(tlsock_config_add_trust(none, "none"), 0);
        assert_code(tlsock_config_add_trust(more, ca_get()->b_pem), 0);
        control(&p, cc, sc);
        assert_code(data(&p, cc, sc, "b.test"), TLSOCK_E_NAME_MISMATCH);
        assert_int_equal(data(&p, alpn, sc, "a.test"), 0);
        assert_int_equal(data(&p, more, sc, "a.test"), 0);
        assert_true(data(&p, none, sc, "a.test") <= TLSOCK_E_CHAIN_INCOMPLETE);
        assert_int_equal(data(&p, same, sc, "a.test"), 1);
        assert_int_equal(data(&p, cc, sc, "a.test"), 1);
        peer_close(&p);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(same);
        tlsock_config_unref(alpn);
        tlsock_config_unref(more);
        tlsock_config_unref(none);
        tlsock_config_unref(sc);
    }
}

static void
a_control_connection_without_a_session_is_followed_in_full(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL), *cc = ca_client(NULL);
    struct peer p;
    tlsock_error err;

    (void)state;
    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test"); /* TLS 1.3: nothing was read yet */
    assert_int_equal(data(&p, cc, sc, "a.test"), 0);
    assert_null(tlsock_server_io(
        &peer_io, &p.ends[SERVER], sc,
        TLSOCK_OPTS(.nonblocking = 1, .resume_from = p.conn[CLIENT]), &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    assert_null(tlsock_client_io(
        &peer_io, &p.ends[CLIENT], "a.test", cc,
        TLSOCK_OPTS(.nonblocking = 1, .resume_from = p.conn[SERVER]), &err));
    assert_code(err.code, TLSOCK_E_ARGUMENT);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Held from the start: the control connection may be gone when TLS begins. */
static void the_control_connection_may_go_first(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL), *cc = ca_client(NULL);
    struct peer p, d;

    (void)state;
    control(&p, cc, sc);
    peer_init(&d);
    assert_int_equal(peer_open_opts(&d, cc,
                                    TLSOCK_OPTS(.nonblocking = 1,
                                                .resume_from = p.conn[CLIENT]),
                                    sc, TLSOCK_OPTS(.nonblocking = 1),
                                    "a.test"),
                     0);
    peer_free(&p);
    assert_int_equal(peer_shake(&d), 0);
    assert_int_equal(resumed(&d), 1);
    peer_free(&d);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Real sockets, one listener, two names, in both kinds of handle: what was won
 * as a.test is not what other.test is. */
static int dial(const struct sock_server *server, tlsock_config *cc,
                const char *name, int nonblocking)
{
    tlsock_error err = {0};
    tlsock *s = tlsock_connect(server->target, cc,
                               TLSOCK_OPTS(.name = name, .timeout_ms = 30000,
                                           .nonblocking = nonblocking),
                               &err);
    int rc = s == NULL ? err.code : tlsock_handshake(s);
    char byte;

    while (rc == TLSOCK_AGAIN) {
        tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN | POLLOUT};

        tlsock_poll(&item, 1, -1);
        rc = tlsock_handshake(s);
    }
    if (rc == 0) {
        tlsock_set_nonblocking(s, 0);
        assert_int_equal(tlsock_write(s, "x", 1), 1);
        assert_int_equal(tlsock_read(s, &byte, 1), 1);
        rc = (int)tlsock_info_int(s, TLSOCK_INFO_RESUMED);
    }
    tlsock_close(s);
    return rc;
}

static void another_name_at_the_same_address_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(versions) * 2; i++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        tlsock_config *cc = ca_client("tls.max", versions[i % 2], NULL);
        struct sock_server server;
        int later = (int)i / 2;

        sock_serve(&server, 5, sock_echo, sc);
        assert_int_equal(dial(&server, cc, "a.test", later), 0);
        assert_int_equal(dial(&server, cc, "a.test", later), 1);
        for (int k = 0; k < 2; k++)
            assert_code(dial(&server, cc, "other.test", later),
                        TLSOCK_E_NAME_MISMATCH);
        assert_int_equal(dial(&server, cc, "a.test", later), 1);
        sock_join(&server);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* One name at two addresses: each has sessions of its own, unless the caller
 * says that they are one. */
static int keyed(tlsock_config *cc, tlsock_config *sc, const char *key)
{
    struct peer p;
    int rc;

    peer_init(&p);
    assert_int_equal(
        peer_open_opts(&p, cc,
                       TLSOCK_OPTS(.nonblocking = 1, .session_key = key), sc,
                       TLSOCK_OPTS(.nonblocking = 1), "a.test"),
        0);
    assert_int_equal(peer_shake(&p), 0);
    peer_pingpong(&p);
    rc = resumed(&p);
    peer_close(&p);
    peer_free(&p);
    return rc;
}

static void the_caller_may_name_the_place(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->a, NULL), *cc = ca_client(NULL);
    char long_one[601], long_two[601];

    (void)state;
    memset(long_one, 'k', sizeof(long_one));
    long_one[600] = '\0';
    memcpy(long_two, long_one, sizeof(long_two));
    long_two[599] = 'l';
    assert_int_equal(keyed(cc, sc, long_one), 0);
    assert_int_equal(keyed(cc, sc, long_two), 0);
    assert_int_equal(keyed(cc, sc, long_two), 1);
    assert_int_equal(keyed(cc, sc, long_one), 1);
    assert_int_equal(keyed(cc, sc, "one"), 0);
    assert_int_equal(keyed(cc, sc, "two"), 0);
    assert_int_equal(keyed(cc, sc, NULL), 0);
    assert_int_equal(keyed(cc, sc, "one"), 1);
    assert_int_equal(keyed(cc, sc, "two"), 1);
    assert_int_equal(keyed(cc, sc, NULL), 1);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* RFC 5246, 7.2.1: a missing close_notify does not spoil a session. A fatal
 * alert does: 7.2.2. */
enum end { CLEAN, ABANDONED, TRUNCATED, UNREAD, ALERTED };

static void end(struct peer *p, enum end how)
{
    char got[8];

    switch (how) {
    case CLEAN:
        peer_close(p);
        return;
    case ABANDONED:
        tlsock_abandon(p->conn[CLIENT]);
        break;
    case TRUNCATED:
        p->pipes[SERVER].ended = 1;
        assert_code(tlsock_read(p->conn[CLIENT], got, 1), TLSOCK_E_TRUNCATED);
        tlsock_close(p->conn[CLIENT]);
        break;
    case UNREAD:
        peer_say(p, CLIENT, "more", 4);
        assert_int_equal(tlsock_write(p->conn[SERVER], "never", 5), 5);
        tlsock_close(p->conn[CLIENT]);
        break;
    case ALERTED:
        pipe_inject(&p->pipes[SERVER], "\x17\x03\x03\0\x20", 5);
        pipe_inject(&p->pipes[SERVER], "01234567890123456789012345678901", 32);
        assert_true(tlsock_read(p->conn[CLIENT], got, 1) < TLSOCK_AGAIN);
        tlsock_close(p->conn[CLIENT]);
        break;
    }
    p->conn[CLIENT] = NULL;
}

static void every_end_but_an_alert_leaves_the_session(void **state)
{
    static const struct {
        enum end how;
        int want;
    } rows[] = {
        {CLEAN, 1}, {ABANDONED, 1}, {TRUNCATED, 1}, {UNREAD, 1}, {ALERTED, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        tlsock_config *cc = ca_client("tls.max", versions[i % 2], NULL);
        struct peer p;

        control(&p, cc, sc);
        end(&p, rows[i / 2].how);
        peer_free(&p);
        control(&p, cc, sc);
        if (resumed(&p) != rows[i / 2].want)
            fail_msg("TLS %s, end %d: resumed: %d", versions[i % 2],
                     rows[i / 2].how, resumed(&p));
        peer_close(&p);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

/* A child has what its parent had, and may use it as little as anybody else. */
static void a_ticket_is_not_used_by_a_child_as_well(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        tlsock_config *cc = ca_client("tls.max", versions[v], NULL);
        struct peer p;
        int status, child;

        control(&p, cc, sc);
        peer_close(&p);
        peer_free(&p);
        child = fork();
        if (child == 0) {
            control(&p, cc, sc);
            test_exit(resumed(&p));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WEXITSTATUS(status), v == 0);
        control(&p, cc, sc);
        assert_int_equal(resumed(&p), 1);
        peer_close(&p);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_connections_follow_their_control_connection),
        cmocka_unit_test(another_name_or_trust_does_not_follow),
        cmocka_unit_test(
            a_control_connection_without_a_session_is_followed_in_full),
        cmocka_unit_test(the_control_connection_may_go_first),
        cmocka_unit_test(another_name_at_the_same_address_is_refused),
        cmocka_unit_test(the_caller_may_name_the_place),
        cmocka_unit_test(every_end_but_an_alert_leaves_the_session),
        cmocka_unit_test(a_ticket_is_not_used_by_a_child_as_well),
    };

    return cmocka_run_group_tests_name("resume_from", tests, ca_setup,
                                       ca_teardown);
}
