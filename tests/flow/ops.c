/* Events that are answered later, seen through HELLO. */
#include "ca.h"
#include "sock.h"

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct told {
    int calls, answer;
    struct tlsock_op *op;
    char name[256], text[256];
    unsigned char data[4096];
    size_t len;
    tlsock_cert *cert; /* to be chosen */
    int chose;
};

static int hello(const tlsock_event *e, void *arg)
{
    struct told *t = arg;

    t->calls++;
    t->op = e->op;
    assert_int_equal(e->kind, TLSOCK_ON_HELLO);
    assert_non_null(e->conn);
    snprintf(t->name, sizeof(t->name), "%s", e->name);
    snprintf(t->text, sizeof(t->text), "%s", e->text);
    assert_true(e->len <= sizeof(t->data));
    if (e->len != 0)
        memcpy(t->data, e->data, e->len);
    t->len = e->len;
    if (t->cert != NULL)
        t->chose = tlsock_use_cert(e->conn, t->cert);
    return t->answer;
}

struct world {
    tlsock_config *cc, *sc;
    struct told t;
    struct peer p;
};

static int set_up(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    w->cc = ca_client("alpn", "h2,http/1.1", NULL);
    w->sc = ca_server(ca_get()->a, NULL);
    assert_code(tlsock_config_on(w->sc, TLSOCK_ON_HELLO, hello, &w->t), 0);
    peer_init(&w->p);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    peer_free(&w->p);
    tlsock_config_unref(w->cc);
    tlsock_config_unref(w->sc);
    test_free(w);
    return 0;
}

/* RFC 8446, 4.1.2: type 1, length of three bytes, legacy_version 0x0303; in
 * the log of the pipe the same bytes stand behind the record's header. */
static void hello_tells_name_protocols_and_the_exact_message(void **state)
{
    struct world *w = *state;

    peer_connect(&w->p, w->cc, w->sc, "a.test");
    peer_pingpong(&w->p);
    assert_int_equal(w->t.calls, 1);
    assert_non_null(w->t.op);
    assert_string_equal(w->t.name, "a.test");
    assert_string_equal(w->t.text, "h2,http/1.1");
    assert_true(w->t.len > 100);
    assert_int_equal(w->t.data[0], 1);
    assert_int_equal(w->t.len - 4, w->t.data[2] << 8 | w->t.data[3]);
    assert_memory_equal(w->t.data, w->p.pipes[CLIENT].data + 5, w->t.len);
}

static void hello_without_name_and_protocols_has_empty_texts(void **state)
{
    struct world *w = *state;
    tlsock_config *cc = ca_client(NULL);

    assert_code(peer_open_opts(&w->p, cc,
                               TLSOCK_OPTS(.nonblocking = 1, .sni = ""), w->sc,
                               TLSOCK_OPTS(.nonblocking = 1), "a.test"),
                0);
    assert_code(peer_shake(&w->p), 0);
    assert_string_equal(w->t.name, "");
    assert_string_equal(w->t.text, "");
    tlsock_config_unref(cc);
}

/* The client's group is not ours: there are two ClientHellos. */
static void a_second_hello_is_not_told(void **state)
{
    struct world *w = *state;
    tlsock_config *cc = ca_client("groups", "X25519:P-256", NULL);

    assert_code(tlsock_config_set(w->sc, "groups", "P-256"), 0);
    peer_connect(&w->p, cc, w->sc, "a.test");
    assert_int_equal(w->t.calls, 1);
    tlsock_config_unref(cc);
}

static void hello_refuses_with_its_code_and_an_alert(void **state)
{
    static const struct {
        int answer, code, alert;
    } cases[] = {
        {TLSOCK_E_NO_NAME, TLSOCK_E_NO_NAME, 112},
        {TLSOCK_E_NAME_MISMATCH, TLSOCK_E_NAME_MISMATCH, 112},
        {TLSOCK_E_LIMIT, TLSOCK_E_LIMIT, 49},
        {1, TLSOCK_E_HOOK, 49},
        {-12345, TLSOCK_E_HOOK, 49},
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peer p;

        w->t.answer = cases[i].answer;
        peer_init(&p);
        assert_code(peer_open(&p, w->cc, w->sc, "a.test"), 0);
        peer_shake(&p);
        assert_code(p.rc[SERVER], cases[i].code);
        assert_tells(p.err[SERVER].message, "HELLO hook");
        assert_true(p.err[SERVER].hint[0] != '\0');
        assert_int_equal(p.err[SERVER].phase, TLSOCK_PHASE_HANDSHAKE);
        assert_true(p.rc[CLIENT] < TLSOCK_AGAIN);
        assert_int_equal(p.err[CLIENT].alert, cases[i].alert);
        peer_free(&p);
    }
}

static void the_answer_may_come_later(void **state)
{
    static const int answers[] = {0, TLSOCK_E_LIMIT, 7};
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(answers); i++) {
        struct peer p;

        w->t.answer = TLSOCK_AGAIN;
        w->t.calls = 0;
        peer_init(&p);
        assert_code(peer_open(&p, w->cc, w->sc, "a.test"), 0);
        assert_code(peer_shake(&p), TLSOCK_AGAIN);
        assert_code(peer_shake(&p), TLSOCK_AGAIN);
        assert_int_equal(w->t.calls, 1);
        assert_code(tlsock_op_done(w->t.op, answers[i], NULL, 0), 0);
        peer_shake(&p);
        assert_code(p.rc[SERVER], answers[i] == 7 ? TLSOCK_E_HOOK : answers[i]);
        assert_int_equal(w->t.calls, 1);
        peer_free(&p);
    }
}

/* As with any mistake that cannot be undone: said, and nothing else. */
static void answers_that_nobody_awaits_do_no_harm(void **state)
{
    struct world *w = *state;
    static char big[65537];

    w->t.answer = TLSOCK_AGAIN;
    assert_code(peer_open(&w->p, w->cc, w->sc, "a.test"), 0);
    assert_code(peer_shake(&w->p), TLSOCK_AGAIN);
    assert_code(tlsock_op_done(NULL, 0, NULL, 0), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_op_done((void *)UINTPTR_MAX, 0, NULL, 0),
                TLSOCK_E_ARGUMENT);
    assert_code(tlsock_op_done(w->t.op, 0, NULL, 0), 0);
    assert_code(tlsock_op_done(w->t.op, TLSOCK_E_HOOK, "x", 1), TLSOCK_E_STATE);
    assert_code(peer_shake(&w->p), 0); /* the first one counted */
    assert_code(tlsock_op_done(w->t.op, 0, NULL, 0), 0);
    peer_free(&w->p);

    peer_init(&w->p); /* gone before the answer */
    assert_code(peer_open(&w->p, w->cc, w->sc, "a.test"), 0);
    assert_code(peer_shake(&w->p), TLSOCK_AGAIN);
    peer_free(&w->p);
    assert_code(tlsock_op_done(w->t.op, 0, "secret", 6), 0);

    peer_init(&w->p); /* too much to hand over: it fails, and soon */
    assert_code(peer_open(&w->p, w->cc, w->sc, "a.test"), 0);
    assert_code(peer_shake(&w->p), TLSOCK_AGAIN);
    assert_code(tlsock_op_done(w->t.op, 0, big, sizeof(big)), TLSOCK_E_LIMIT);
    peer_shake(&w->p);
    assert_code(w->p.rc[SERVER], TLSOCK_E_LIMIT);
    peer_free(&w->p);

    peer_init(&w->p);
    assert_code(peer_open(&w->p, w->cc, w->sc, "a.test"), 0);
    assert_code(peer_shake(&w->p), TLSOCK_AGAIN);
    assert_code(tlsock_op_done(w->t.op, 0, NULL, 3), TLSOCK_E_ARGUMENT);
    peer_shake(&w->p);
    assert_code(w->p.rc[SERVER], TLSOCK_E_ARGUMENT);
}

static int at_once(const tlsock_event *e, void *arg)
{
    const int *what = arg;

    assert_code(tlsock_op_done(e->op, what[0], NULL, 0), 0);
    return what[1];
}

static void an_answer_within_the_call_counts(void **state)
{
    static const int cases[][3] = {
        {0, 0, 0},
        {0, TLSOCK_AGAIN, 0},
        {TLSOCK_E_LIMIT, 0, TLSOCK_E_LIMIT},
        {TLSOCK_E_LIMIT, TLSOCK_AGAIN, TLSOCK_E_LIMIT},
        {0, TLSOCK_E_STATE, TLSOCK_E_STATE},
        {TLSOCK_AGAIN, 0, TLSOCK_E_HOOK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
        struct peer p;

        assert_code(tlsock_config_on(sc, TLSOCK_ON_HELLO, at_once,
                                     (void *)(uintptr_t)cases[i]),
                    0);
        peer_init(&p);
        assert_code(peer_open(&p, cc, sc, "a.test"), 0);
        peer_shake(&p);
        assert_code(p.rc[SERVER], cases[i][2]);
        peer_free(&p);
        tlsock_config_unref(cc);
        tlsock_config_unref(sc);
    }
}

static void hello_may_choose_the_certificate(void **state)
{
    struct world *w = *state;
    tlsock_cert *bare = tlsock_cert_load(ca_get()->b_pem, "", NULL, NULL);

    assert_non_null(bare);
    w->t.cert = ca_get()->b; /* the config has a.test alone */
    peer_connect(&w->p, w->cc, w->sc, "b.test");
    assert_code(w->t.chose, 0);
    assert_code(tlsock_use_cert(w->p.conn[SERVER], w->t.cert), TLSOCK_E_STATE);
    assert_code(tlsock_use_cert(w->p.conn[SERVER], NULL), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_use_cert(NULL, w->t.cert), TLSOCK_E_ARGUMENT);
    assert_code(tlsock_use_cert(w->p.conn[SERVER], bare), TLSOCK_E_OWN_FILE);
    peer_free(&w->p);

    peer_init(&w->p); /* later, and once more: the last one counts */
    w->t.answer = TLSOCK_AGAIN;
    w->t.cert = ca_get()->a;
    assert_code(peer_open(&w->p, w->cc, w->sc, "b.test"), 0);
    assert_code(peer_shake(&w->p), TLSOCK_AGAIN);
    assert_code(tlsock_use_cert(w->p.conn[SERVER], ca_get()->b), 0);
    assert_code(tlsock_op_done(w->t.op, 0, NULL, 0), 0);
    assert_code(peer_shake(&w->p), 0);
    peer_free(&w->p);

    peer_init(&w->p); /* chosen, and then never asked for */
    assert_code(peer_open(&w->p, w->cc, w->sc, "b.test"), 0);
    assert_code(peer_shake(&w->p), TLSOCK_AGAIN);
    tlsock_cert_unref(bare);
}

struct late {
    pthread_t thread;
    struct told t;
    int fd;
};

static void *answer_it(void *arg)
{
    assert_code(tlsock_op_done(arg, 0, NULL, 0), 0);
    return NULL;
}

static int from_a_thread(const tlsock_event *e, void *arg)
{
    struct late *l = arg;

    l->t.calls++;
    assert_int_equal(pthread_create(&l->thread, NULL, answer_it, e->op), 0);
    return TLSOCK_AGAIN;
}

static void client(int fd, void *config)
{
    tlsock *s = tlsock_client_fd(
        fd, "a.test", config, TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD), NULL);

    if (s != NULL)
        (void)!tlsock_write(s, "x", 1);
    tlsock_close(s);
}

static void a_blocking_handle_waits_for_the_answer(void **state)
{
    struct world *w = *state;
    tlsock_config *sc = ca_server(ca_get()->a, NULL);
    struct late l = {.fd = -1};
    struct sock_thread peer;
    tlsock *s;
    int fds[2];

    assert_code(tlsock_config_on(sc, TLSOCK_ON_HELLO, from_a_thread, &l), 0);
    sock_tcp_pair(fds);
    sock_run(&peer, fds[1], client, w->cc);
    s = tlsock_server_fd(fds[0], sc, NULL, NULL);
    assert_code(tlsock_handshake(s), 0);
    assert_int_equal(l.t.calls, 1);
    pthread_join(l.thread, NULL);
    tlsock_close(s);
    sock_wait(&peer);
    tlsock_config_unref(sc);
}

static void an_answer_that_never_comes_is_a_timeout(void **state)
{
    struct world *w = *state;
    struct sock_thread peer;
    tlsock *s;
    int fds[2];

    w->t.answer = TLSOCK_AGAIN;
    sock_tcp_pair(fds);
    sock_run(&peer, fds[1], client, w->cc);
    s = tlsock_server_fd(fds[0], w->sc, TLSOCK_OPTS(.timeout_ms = 200), NULL);
    assert_code(tlsock_handshake(s), TLSOCK_E_TIMEOUT);
    assert_tells(tlsock_last_error(s)->message, "answer of the HELLO hook");
    assert_tells(tlsock_last_error(s)->hint, "tlsock_op_done");
    tlsock_close(s);
    sock_wait(&peer);
    assert_code(tlsock_op_done(w->t.op, 0, NULL, 0), 0);
}

static void *interrupt_it(void *arg)
{
    tlsock_interrupt(arg);
    return NULL;
}

static void waiting_for_an_answer_can_be_interrupted(void **state)
{
    struct world *w = *state;
    struct sock_thread peer;
    pthread_t thread;
    tlsock *s;
    int fds[2];

    w->t.answer = TLSOCK_AGAIN;
    sock_tcp_pair(fds);
    sock_run(&peer, fds[1], client, w->cc);
    s = tlsock_server_fd(fds[0], w->sc, NULL, NULL);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_it, s), 0);
    assert_code(tlsock_handshake(s), TLSOCK_E_INTERRUPTED);
    pthread_join(thread, NULL);
    tlsock_close(s);
    sock_wait(&peer);
}

static int readable(int fd, int ms)
{
    struct pollfd p = {fd, POLLIN, 0};

    return poll(&p, 1, ms) == 1;
}

/* Until TLS is there, one descriptor stands for the socket and the answer. */
static void the_descriptor_wakes_with_the_answer(void **state)
{
    struct world *w = *state;
    struct sock_thread peer;
    int fds[2], before = sock_count(), fd, rc;
    tlsock *s;

    w->t.answer = TLSOCK_AGAIN;
    sock_tcp_pair(fds);
    sock_run(&peer, fds[1], client, w->cc);
    s = tlsock_server_fd(fds[0], w->sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    fd = tlsock_fd(s);
    do {
        assert_true(readable(fd, 30000));
        rc = tlsock_handshake(s);
    } while (rc == TLSOCK_AGAIN && w->t.calls == 0);
    assert_code(rc, TLSOCK_AGAIN);
    assert_int_equal(tlsock_fd(s), fd);
    assert_int_equal(tlsock_events(s), POLLIN);
    assert_false(readable(fd, 0));
    assert_code(tlsock_handshake(s), TLSOCK_AGAIN);
    assert_false(readable(fd, 0));
    assert_code(tlsock_op_done(w->t.op, 0, NULL, 0), 0);
    assert_true(readable(fd, 0));
    while (rc == TLSOCK_AGAIN) {
        assert_true(readable(tlsock_fd(s), 30000));
        rc = tlsock_handshake(s);
    }
    assert_code(rc, 0);
    tlsock_close(s);
    sock_wait(&peer);
    assert_int_equal(sock_count(), before);
}

static void tlsock_poll_knows_of_the_answer(void **state)
{
    struct world *w = *state;
    struct sock_thread peer;
    tlsock_pollitem item = {.events = POLLIN};
    int fds[2], rc;

    w->t.answer = TLSOCK_AGAIN;
    sock_tcp_pair(fds);
    sock_run(&peer, fds[1], client, w->cc);
    item.s =
        tlsock_server_fd(fds[0], w->sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    while ((rc = tlsock_handshake(item.s)) == TLSOCK_AGAIN && w->t.calls == 0)
        assert_int_equal(tlsock_poll(&item, 1, 30000), 1);
    assert_int_equal(tlsock_poll(&item, 1, 0), 0);
    assert_code(tlsock_op_done(w->t.op, 0, NULL, 0), 0);
    while ((rc = tlsock_handshake(item.s)) == TLSOCK_AGAIN)
        assert_int_equal(tlsock_poll(&item, 1, 30000), 1);
    assert_code(rc, 0);
    tlsock_close(item.s);
    sock_wait(&peer);
}

static struct rlimit usual;

static int takes_all_descriptors(const tlsock_event *e, void *arg)
{
    struct rlimit none;

    (void)e;
    (void)arg;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = usual;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    return TLSOCK_AGAIN;
}

static void who_has_no_descriptor_to_wait_with_is_told(void **state)
{
    struct world *w = *state;

    assert_code(
        tlsock_config_on(w->sc, TLSOCK_ON_HELLO, takes_all_descriptors, NULL),
        0);
    assert_code(peer_open(&w->p, w->cc, w->sc, "a.test"), 0);
    peer_shake(&w->p);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_code(w->p.rc[SERVER], TLSOCK_E_SYSTEM);
    assert_int_equal(w->p.err[SERVER].sys_errno, EMFILE);
    assert_tells(w->p.err[SERVER].message, "HELLO hook");
    assert_tells(w->p.err[SERVER].hint, "limit on open files");
}

/* In the child the connection and the op are those of another process. */
static int in_child(struct world *w)
{
    if (tlsock_op_done(w->t.op, TLSOCK_E_HOOK, NULL, 0) != TLSOCK_E_FORKED)
        return 1;
    if (tlsock_adopt(w->p.conn[SERVER]) != 0 ||
        tlsock_handshake(w->p.conn[SERVER]) != TLSOCK_E_FORKED)
        return 2;
    if (strstr(tlsock_last_error(w->p.conn[SERVER])->message, "HELLO") == NULL)
        return 3;
    tlsock_abandon(w->p.conn[SERVER]);
    return 0;
}

static void an_op_belongs_to_its_process(void **state)
{
    struct world *w = *state;
    int status = -1;
    pid_t pid;

    w->t.answer = TLSOCK_AGAIN;
    assert_code(peer_open(&w->p, w->cc, w->sc, "a.test"), 0);
    assert_code(peer_shake(&w->p), TLSOCK_AGAIN);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        test_exit(in_child(w));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_code(tlsock_op_done(w->t.op, 0, NULL, 0), 0);
    assert_code(peer_shake(&w->p), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hello_tells_name_protocols_and_the_exact_message),
        TEST(hello_without_name_and_protocols_has_empty_texts),
        TEST(a_second_hello_is_not_told),
        TEST(hello_refuses_with_its_code_and_an_alert),
        TEST(the_answer_may_come_later),
        TEST(answers_that_nobody_awaits_do_no_harm),
        TEST(an_answer_within_the_call_counts),
        TEST(hello_may_choose_the_certificate),
        TEST(a_blocking_handle_waits_for_the_answer),
        TEST(an_answer_that_never_comes_is_a_timeout),
        TEST(waiting_for_an_answer_can_be_interrupted),
        TEST(the_descriptor_wakes_with_the_answer),
        TEST(tlsock_poll_knows_of_the_answer),
        TEST(who_has_no_descriptor_to_wait_with_is_told),
        TEST(an_op_belongs_to_its_process),
    };

    return cmocka_run_group_tests_name("ops", tests, ca_setup, ca_teardown);
}
