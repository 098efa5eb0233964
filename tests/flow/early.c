/* Data with the first flight: both sides ask for it, nobody reads it twice. */
#include "earlying.h"
#include "sock.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name, *client_max, *client, *server, *server_alpn;
    int again; /* there is a session */
    int reads; /* the server asks for early data */
    ssize_t writes;
    int outcome;
} rows[] = {
    {"both want it", "1.3", "1000", "1000", "h2", 1, 1, sizeof(ask),
     TLSOCK_EARLY_ACCEPTED},
    {"the server does not read it", "1.3", "1000", "1000", "h2", 1, 0,
     sizeof(ask), TLSOCK_EARLY_REJECTED},
    {"the server takes none", "1.3", "1000", "0", "h2", 1, 0, 0,
     TLSOCK_EARLY_NONE},
    {"the client sends none", "1.3", "0", "1000", "h2", 1, 1, TLSOCK_E_OPTION,
     TLSOCK_EARLY_NONE},
    {"no session yet", "1.3", "1000", "1000", "h2", 0, 1, 0, TLSOCK_EARLY_NONE},
    {"TLS 1.2", "1.2", "1000", "1000", "h2", 1, 1, 0, TLSOCK_EARLY_NONE},
    {"less than the server takes", "1.3", "7", "1000", "h2", 1, 1, 7,
     TLSOCK_EARLY_ACCEPTED},
    {"more than the server takes", "1.3", "1000", "9", "h2", 1, 1, 9,
     TLSOCK_EARLY_ACCEPTED},
};

static void both_sides_ask_for_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tlsock_config *cc =
            ca_client("tls.max", rows[i].client_max, "early-data",
                      rows[i].client, "alpn", "h2", NULL);
        tlsock_config *sc = ca_server(ca_get()->a, "early-data", rows[i].server,
                                      "alpn", rows[i].server_alpn, NULL);
        char got[200] = "";
        struct peer p;
        ssize_t n;

        if (rows[i].again)
            prepare(cc, sc);
        open_pair(&p, cc, sc);
        n = tlsock_write_early(p.conn[CLIENT], ask, sizeof(ask));
        if (n != rows[i].writes)
            fail_msg("%s: %zd bytes instead of %zd", rows[i].name, n,
                     rows[i].writes);
        if (rows[i].reads)
            assert_int_equal(drain(&p, got, sizeof(got)),
                             rows[i].outcome == TLSOCK_EARLY_ACCEPTED ? n : 0);
        assert_int_equal(peer_shake(&p), 0);
        told(&p, rows[i].outcome);
        if (rows[i].outcome == TLSOCK_EARLY_ACCEPTED)
            assert_memory_equal(got, ask, (size_t)n);
        peer_pingpong(&p); /* and none of it comes once more */
        peer_close(&p);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void an_answer_needs_no_round_trip(void **state)
{
    tlsock_config *cc, *sc;
    char got[200];
    struct peer p;

    (void)state;
    pair_of(&cc, &sc);
    prepare(cc, sc);
    open_pair(&p, cc, sc);
    assert_int_equal(tlsock_write_early(p.conn[CLIENT], ask, sizeof(ask)),
                     sizeof(ask));
    assert_int_equal(tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_EARLY_DATA),
                     TLSOCK_EARLY_SENT);
    assert_int_equal(tlsock_read_early(p.conn[SERVER], got, sizeof(got)),
                     sizeof(ask));
    assert_int_equal(tlsock_write_early(p.conn[SERVER], say, sizeof(say)),
                     sizeof(say));
    /* the client is heard for the first time after it has the answer */
    assert_int_equal(peer_step(&p, CLIENT), 0);
    assert_int_equal(tlsock_read(p.conn[CLIENT], got, sizeof(got)),
                     sizeof(say));
    assert_string_equal(got, say);
    /* what is left of early data does not come as other data */
    assert_code(tlsock_read(p.conn[SERVER], got, sizeof(got)), TLSOCK_E_STATE);
    assert_tells(tlsock_last_error(p.conn[SERVER])->hint, "read_early");
    assert_int_equal(drain(&p, got, sizeof(got)), 0);
    assert_int_equal(peer_shake(&p), 0);
    told(&p, TLSOCK_EARLY_ACCEPTED);
    peer_pingpong(&p);
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* A server that only a recording talks to: how much it lets in. */
static size_t play(tlsock_config *sc, const uint8_t *bytes, size_t len)
{
    tlsock_config *cc = ca_client(NULL);
    char got[200];
    struct peer p;
    ssize_t n;

    open_pair(&p, cc, sc);
    pipe_inject(&p.pipes[CLIENT], bytes, len);
    n = tlsock_read_early(p.conn[SERVER], got, sizeof(got));
    if (n > 0)
        assert_int_equal(
            tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_EARLY_DATA),
            TLSOCK_EARLY_ACCEPTED);
    peer_free(&p);
    tlsock_config_unref(cc);
    return n > 0 ? (size_t)n : 0;
}

static int lines;

static int hear(const tlsock_event *e, void *arg)
{
    (void)arg;
    if (strstr(e->text, "used before") != NULL)
        lines++;
    return 0;
}

static void a_recording_is_refused_here_and_in_forks(void **state)
{
    tlsock_config *cc, *sc;
    uint8_t recording[4096];
    struct peer p;
    size_t len;
    int status;
    pid_t child;

    (void)state;
    pair_of(&cc, &sc);
    assert_int_equal(tlsock_config_on(sc, TLSOCK_ON_LOG, hear, NULL), 0);
    prepare(cc, sc);
    open_pair(&p, cc, sc);
    assert_int_equal(tlsock_write_early(p.conn[CLIENT], ask, sizeof(ask)),
                     sizeof(ask));
    len = p.pipes[CLIENT].len;
    assert_true(len < sizeof(recording));
    memcpy(recording, p.pipes[CLIENT].data, len);
    peer_free(&p);
    child = fork(); /* the first time is there, the second one here */
    assert_true(child >= 0);
    if (child == 0)
        test_exit(play(sc, recording, len) == sizeof(ask) ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    lines = 0;
    assert_int_equal(play(sc, recording, len), 0);
    assert_int_equal(play(sc, recording, len), 0);
    assert_int_equal(lines, 2);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        test_exit(play(sc, recording, len) == 0 ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

struct seen {
    uint8_t id[4][32];
    int n, answer;
};

static int shared_store(const tlsock_event *e, void *arg)
{
    struct seen *s = arg;

    assert_int_equal(e->kind, TLSOCK_ON_EARLY_DATA);
    assert_int_equal(e->len, 32);
    assert_null(e->op);
    assert_true(s->n < 4);
    memcpy(s->id[s->n++], e->data, 32);
    return s->answer;
}

static void a_store_that_machines_share_has_a_say(void **state)
{
    static const int answers[] = {0, TLSOCK_E_POLICY, TLSOCK_AGAIN, 1};
    struct seen s = {.n = 0};
    tlsock_config *cc, *sc;
    char got[200];
    struct peer p;

    (void)state;
    pair_of(&cc, &sc);
    assert_int_equal(
        tlsock_config_on(sc, TLSOCK_ON_EARLY_DATA, shared_store, &s), 0);
    for (size_t i = 0; i < COUNT(answers); i++) {
        prepare(cc, sc);
        s.answer = answers[i];
        open_pair(&p, cc, sc);
        assert_int_equal(tlsock_write_early(p.conn[CLIENT], ask, sizeof(ask)),
                         sizeof(ask));
        assert_int_equal(drain(&p, got, sizeof(got)),
                         answers[i] == 0 ? sizeof(ask) : 0);
        assert_int_equal(peer_shake(&p), 0);
        told(&p,
             answers[i] == 0 ? TLSOCK_EARLY_ACCEPTED : TLSOCK_EARLY_REJECTED);
        peer_pingpong(&p);
        peer_close(&p);
        peer_free(&p);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(s.id[j], s.id[i], 32);
    }
    assert_int_equal(s.n, COUNT(answers));
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void it_is_refused_when_it_is_too_late(void **state)
{
    tlsock_config *cc, *sc;
    char got[20];
    struct peer p;

    (void)state;
    pair_of(&cc, &sc);
    open_pair(&p, cc, sc);
    assert_code(tlsock_read_early(p.conn[CLIENT], got, sizeof(got)),
                TLSOCK_E_STATE);
    assert_code(tlsock_write_early(p.conn[CLIENT], NULL, 4), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_write_early(p.conn[CLIENT], ask, 0), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_read_early(p.conn[SERVER], NULL, 4), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_read_early(p.conn[SERVER], got, 0), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_write_early(NULL, ask, 4), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_read_early(NULL, got, 4), TLSOCK_E_ARGUMENT);
    assert_int_equal(peer_shake(&p), 0);
    assert_code(tlsock_write_early(p.conn[CLIENT], ask, 4), TLSOCK_E_STATE);
    assert_code(tlsock_write_early(p.conn[SERVER], ask, 4), TLSOCK_E_STATE);
    assert_code(tlsock_read_early(p.conn[SERVER], got, 4), TLSOCK_E_STATE);
    peer_pingpong(&p); /* none of which harms the connection */
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* Nothing was accepted: there is nobody yet to whom an answer belongs. */
static void a_server_answers_early_data_alone(void **state)
{
    tlsock_config *cc, *sc;
    char got[20];
    struct peer p;

    (void)state;
    pair_of(&cc, &sc);
    open_pair(&p, cc, sc);
    peer_step(&p, CLIENT);
    assert_int_equal(tlsock_read_early(p.conn[SERVER], got, sizeof(got)), 0);
    assert_int_equal(tlsock_write_early(p.conn[SERVER], say, sizeof(say)), 0);
    assert_int_equal(peer_shake(&p), 0);
    told(&p, TLSOCK_EARLY_NONE);
    peer_close(&p);
    peer_free(&p);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void *serve_one(void *arg)
{
    tlsock *s = arg;
    char got[200];
    ssize_t n = tlsock_read_early(s, got, sizeof(got));

    while (n > 0 && tlsock_read_early(s, got + n, sizeof(got) - (size_t)n) > 0)
        ;
    if (tlsock_handshake(s) < 0)
        n = -1;
    if (n == (ssize_t)sizeof(ask) && memcmp(got, ask, sizeof(ask)) == 0 &&
        tlsock_write(s, say, sizeof(say)) != (ssize_t)sizeof(say))
        n = -1;
    tlsock_close(s);
    return (void *)(intptr_t)n;
}

static void a_blocking_client_leaves_the_handshake_for_later(void **state)
{
    tlsock_config *cc, *sc;
    tlsock_error err = {0};
    tlsock *c, *s;
    char got[200];
    pthread_t thread;
    void *result;
    int fds[2];

    (void)state;
    pair_of(&cc, &sc);
    prepare(cc, sc);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    c = tlsock_client_fd(fds[0], "a.test", cc,
                         TLSOCK_OPTS(.flags = TLSOCK_F_EARLY), &err);
    assert_non_null(c);
    assert_int_equal(tlsock_info_int(c, TLSOCK_INFO_STATE),
                     TLSOCK_STATE_HANDSHAKING);
    assert_int_equal(tlsock_write_early(c, ask, sizeof(ask)), sizeof(ask));
    s = tlsock_server_fd(fds[1], sc, NULL, &err);
    assert_non_null(s);
    assert_int_equal(pthread_create(&thread, NULL, serve_one, s), 0);
    assert_int_equal(tlsock_handshake(c), 0);
    assert_int_equal(tlsock_info_int(c, TLSOCK_INFO_EARLY_DATA),
                     TLSOCK_EARLY_ACCEPTED);
    assert_int_equal(tlsock_read(c, got, sizeof(got)), sizeof(say));
    assert_string_equal(got, say);
    tlsock_close(c);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, sizeof(ask));
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

static void serve_socket(int fd, void *arg)
{
    tlsock_config *sc = arg;
    tlsock *s = tlsock_server_fd(
        fd, sc, TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD), NULL);

    assert_non_null(s);
    serve_one(s);
}

static ssize_t write_early(tlsock *s)
{
    ssize_t n = tlsock_write_early(s, ask, sizeof(ask));

    while (n == TLSOCK_AGAIN) {
        tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN | POLLOUT};

        assert_true(tlsock_poll(&item, 1, 30000) > 0);
        n = tlsock_write_early(s, ask, sizeof(ask));
    }
    return n;
}

/* It goes with the ClientHello also where the call comes before the
 * connection, or after a constructor that waited for it. */
static void it_waits_for_the_connection(void **state)
{
    tlsock_config *cc = ca_client("early-data", "1000", NULL);
    tlsock_config *sc = ca_server(ca_get()->ip, "early-data", "1000", NULL);
    struct sock_server server;
    char got[200];

    (void)state;
    sock_serve(&server, 3, serve_socket, sc);
    for (int i = 0; i < 3; i++) {
        tlsock_error err = {0};
        tlsock *s = tlsock_connect(
            server.target, cc,
            TLSOCK_OPTS(.nonblocking = i == 1, .flags = TLSOCK_F_EARLY), &err);

        assert_non_null(s);
        assert_int_equal(write_early(s), i == 0 ? 0 : sizeof(ask));
        assert_int_equal(tlsock_set_nonblocking(s, 0), 0);
        assert_int_equal(tlsock_handshake(s), 0);
        assert_int_equal(tlsock_info_int(s, TLSOCK_INFO_EARLY_DATA),
                         i == 0 ? TLSOCK_EARLY_NONE : TLSOCK_EARLY_ACCEPTED);
        /* what is read has the tickets before it */
        assert_int_equal(tlsock_read(s, got, sizeof(got)),
                         i == 0 ? 0 : sizeof(say));
        if (i > 0)
            assert_string_equal(got, say);
        tlsock_close(s);
    }
    sock_join(&server);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_ask_for_it),
        cmocka_unit_test(an_answer_needs_no_round_trip),
        cmocka_unit_test(a_recording_is_refused_here_and_in_forks),
        cmocka_unit_test(a_store_that_machines_share_has_a_say),
        cmocka_unit_test(it_is_refused_when_it_is_too_late),
        cmocka_unit_test(a_server_answers_early_data_alone),
        cmocka_unit_test(a_blocking_client_leaves_the_handshake_for_later),
        cmocka_unit_test(it_waits_for_the_connection),
    };

    return cmocka_run_group_tests_name("early", tests, ca_setup, ca_teardown);
}
