/* Forking servers as people write them: the right way and the wrong ways. */
#include "ca.h"
#include "sock.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 200
#define WORKERS 4
#define BYTES 3000

/* The child's exit status: the number of the first claim that failed. */
#define CLAIM(n, truth)                                                        \
    do {                                                                       \
        if (!(truth))                                                          \
            test_exit(n);                                                      \
    } while (0)

static tlsock_config *cc, *sc;

static pid_t must_fork(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    return pid;
}

static void assert_child(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("a child ended with status %x", (unsigned)status);
}

/* 0: all children of this process are reaped, and all of them are content. */
static int reap(int n)
{
    int status, bad = 0;

    for (; n > 0; n--)
        bad |= wait(&status) < 0 || status != 0;
    return bad || waitpid(-1, NULL, WNOHANG) != -1;
}

/* A child's whole life: one connection, which sends it all back. */
static int serve(tlsock *s)
{
    char buf[BYTES];
    ssize_t n;

    tlsock_set_timeout(s, 60000);
    n = tlsock_read_full(s, buf, sizeof(buf));
    if (n != BYTES || tlsock_write(s, buf, sizeof(buf)) != BYTES)
        return 1;
    if (tlsock_read(s, buf, 1) != 0)
        return 2;
    return tlsock_close(s) == 0 ? 0 : 3;
}

static void fill(char *buf, int seed)
{
    for (int i = 0; i < BYTES; i++)
        buf[i] = (char)(i * 7 + seed);
}

struct client {
    tlsock *s;
    size_t sent, got;
    char msg[BYTES], back[BYTES];
    int done;
};

static void begin(struct client *c, int port, int seed)
{
    char target[64];

    memset(c, 0, sizeof(*c));
    fill(c->msg, seed);
    snprintf(target, sizeof(target), "localhost:%d", port);
    c->s = tlsock_connect(
        target, cc,
        TLSOCK_OPTS(.nonblocking = 1, .family = 4, .timeout_ms = 60000), NULL);
    assert_non_null(c->s);
}

/* As far as it goes now. 1: it is through. */
static int go_on(struct client *c)
{
    ssize_t n = 0;

    while (c->sent < BYTES && n >= 0) {
        n = tlsock_write(c->s, c->msg + c->sent, BYTES - c->sent);
        c->sent += n > 0 ? (size_t)n : 0;
    }
    while (c->got < BYTES && n >= 0) {
        n = tlsock_read(c->s, c->back + c->got, BYTES - c->got);
        assert_true(n != 0);
        c->got += n > 0 ? (size_t)n : 0;
    }
    if (n >= 0)
        n = tlsock_shutdown(c->s, SHUT_RDWR);
    if (n < TLSOCK_AGAIN)
        fail_msg("client: %s", tlsock_last_error(c->s)->message);
    return n == 0;
}

static void finish(struct client *c)
{
    assert_memory_equal(c->back, c->msg, BYTES);
    assert_int_equal(
        strncmp(tlsock_info(c->s, TLSOCK_INFO_VERIFIED), "chain", 5), 0);
    assert_code(tlsock_close(c->s), TLSOCK_OK);
    c->done = 1;
}

/* n clients at once, each to its end. */
static void run_clients(int port, int n)
{
    struct client *c = calloc((size_t)n, sizeof(*c));
    tlsock_pollitem *items = calloc((size_t)n, sizeof(*items));
    int left = n;

    assert_non_null(c);
    assert_non_null(items);
    for (int i = 0; i < n; i++)
        begin(&c[i], port, i);
    while (left > 0) {
        for (int i = 0; i < n; i++) {
            if (!c[i].done && go_on(&c[i])) {
                finish(&c[i]);
                left--;
            }
            items[i] = (tlsock_pollitem){.fd = -1};
            if (!c[i].done) {
                items[i].s = c[i].s;
                items[i].events = tlsock_events(c[i].s);
            }
        }
        if (left > 0)
            assert_true(tlsock_poll(items, (size_t)n, 60000) > 0);
    }
    free(items);
    free(c);
}

static tlsock_listener *listening(const tlsock_opts *o)
{
    tlsock_listener *l = tlsock_listen("127.0.0.1:0", sc, o, NULL);

    assert_non_null(l);
    return l;
}

/* accept, fork; the parent closes, the child handshakes and talks. */
static int server_of_children(tlsock_listener *l, int n)
{
    for (int i = 0; i < n; i++) {
        tlsock *s = tlsock_accept(l, NULL);
        pid_t pid;

        if (s == NULL)
            return 1;
        pid = fork();
        if (pid == 0) {
            tlsock_listener_free(l);
            test_exit(serve(s));
        }
        if (pid < 0 || tlsock_close(s) != 0)
            return 2;
    }
    return reap(n) ? 3 : 0;
}

static void accept_fork_close_is_right_as_it_stands(void **state)
{
    tlsock_listener *l = listening(NULL);
    int port = tlsock_listener_port(l);
    pid_t pid = must_fork();

    (void)state;
    if (pid == 0)
        test_exit(server_of_children(l, CHILDREN));
    tlsock_listener_free(l);
    run_clients(port, CHILDREN);
    assert_child(pid);
}

static void pre_forked_workers_share_a_listener(void **state)
{
    tlsock_listener *l = listening(NULL);
    int port = tlsock_listener_port(l);
    pid_t workers[WORKERS];

    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = must_fork();
        if (workers[i] == 0)
            for (;;) {
                tlsock *s = tlsock_accept(l, NULL);

                CLAIM(9, s != NULL);
                CLAIM(8, serve(s) == 0);
            }
    }
    tlsock_listener_free(l);
    run_clients(port, 10 * WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        int status = 0;

        /* still there, in accept(): none of them has failed */
        assert_int_equal(kill(workers[i], SIGKILL), 0);
        assert_int_equal(waitpid(workers[i], &status, 0), workers[i]);
        assert_true(WIFSIGNALED(status));
    }
}

static void a_parent_may_exit_before_its_child(void **state)
{
    tlsock_listener *l = listening(NULL);
    int port = tlsock_listener_port(l);
    pid_t pid;

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid = must_fork();
    if (pid == 0) {
        tlsock *s = tlsock_accept(l, NULL);
        pid_t parent = getpid(), child = fork();

        CLAIM(1, s != NULL && child >= 0);
        if (child != 0)
            test_exit(0);
        while (getppid() == parent)
            sched_yield(); /* it begins when the parent is gone */
        test_exit(serve(s));
    }
    tlsock_listener_free(l);
    run_clients(port, 1);
    assert_int_equal(reap(2), 0); /* the orphan is ours now */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

/* A listener without TLS: fork first, start TLS in the child. */
static void a_child_may_start_tls_on_what_was_accepted_plain(void **state)
{
    tlsock_listener *l = listening(TLSOCK_OPTS(.plain = 1));
    char target[64], got[BYTES], msg[BYTES];
    pid_t pid = must_fork();
    tlsock *s;

    (void)state;
    if (pid == 0) {
        pid_t child;

        s = tlsock_accept(l, NULL);
        CLAIM(1, s != NULL && tlsock_write(s, "220 go\n", 7) == 7);
        child = fork();
        if (child == 0) {
            CLAIM(2, tlsock_start_tls(s, NULL) == 0);
            test_exit(serve(s));
        }
        CLAIM(3, child > 0 && tlsock_close(s) == 0);
        test_exit(reap(1));
    }
    snprintf(target, sizeof(target), "localhost:%d", tlsock_listener_port(l));
    tlsock_listener_free(l);
    s = tlsock_connect(target, cc, TLSOCK_OPTS(.plain = 1, .family = 4), NULL);
    assert_non_null(s);
    assert_code(tlsock_set_timeout(s, 60000), TLSOCK_OK);
    assert_int_equal(tlsock_read_full(s, got, 7), 7);
    assert_code(tlsock_start_tls(s, NULL), TLSOCK_OK);
    fill(msg, 1);
    assert_int_equal(tlsock_write(s, msg, BYTES), BYTES);
    assert_int_equal(tlsock_read_full(s, got, BYTES), BYTES);
    assert_memory_equal(got, msg, BYTES);
    assert_code(tlsock_shutdown(s, SHUT_RDWR), TLSOCK_OK);
    assert_code(tlsock_close(s), TLSOCK_OK);
    assert_child(pid);
}

static int is_refused(tlsock *s)
{
    char byte;

    return tlsock_read(s, &byte, 1) == TLSOCK_E_FORKED &&
           tlsock_write(s, "x", 1) == TLSOCK_E_FORKED &&
           tlsock_shutdown(s, SHUT_WR) == TLSOCK_E_FORKED &&
           strstr(tlsock_last_error(s)->hint, "tlsock_adopt()") != NULL;
}

/* The handshake before the fork: the child is refused until it adopts, and
 * then goes on, however many layers there are, if the parent abandons. */
static int handshake_then_fork(tlsock_listener *l, int layers)
{
    tlsock *s = tlsock_accept(l, NULL);
    pid_t pid;

    for (int i = 1; i < layers && s != NULL; i++) {
        if (tlsock_handshake(s) != 0)
            return 1;
        s = tlsock_server_over(s, sc, NULL, NULL);
    }
    if (s == NULL || tlsock_handshake(s) != 0)
        return 2;
    pid = fork();
    if (pid == 0) {
        CLAIM(11, is_refused(s));
        CLAIM(12, tlsock_adopt(s) == 0);
        test_exit(serve(s));
    }
    tlsock_abandon(s);
    return pid < 0 || reap(1) ? 3 : 0;
}

static void a_child_adopts_what_its_parent_began(void **state)
{
    (void)state;
    for (int layers = 1; layers <= 3; layers++) {
        tlsock_listener *l = listening(NULL);
        pid_t pid = must_fork();
        struct client c;

        if (pid == 0)
            test_exit(handshake_then_fork(l, layers));
        begin(&c, tlsock_listener_port(l), layers);
        tlsock_listener_free(l);
        assert_code(tlsock_set_nonblocking(c.s, 0), TLSOCK_OK);
        assert_code(tlsock_handshake(c.s), TLSOCK_OK);
        for (int i = 1; i < layers; i++) {
            c.s = tlsock_client_over(c.s, "localhost", cc, NULL, NULL);
            assert_non_null(c.s);
        }
        assert_int_equal(go_on(&c), 1);
        finish(&c);
        assert_child(pid);
    }
}

/* The wrong way: handshake, fork, and the owner just closes. That is a
 * good-bye: its client sees a proper end. The child, which never adopted,
 * disturbs nothing: not by calls, not by its close. */
static int handshake_fork_close(tlsock_listener *l)
{
    tlsock *s = tlsock_accept(l, NULL);
    char got[4];
    pid_t pid;

    if (s == NULL || tlsock_read_full(s, got, 4) != 4)
        return 1;
    pid = fork();
    if (pid == 0) {
        CLAIM(11, is_refused(s));
        CLAIM(12, tlsock_close(s) == 0);
        test_exit(0);
    }
    if (pid < 0 || reap(1) != 0) /* first the child's close, then ours */
        return 2;
    if (tlsock_write(s, got, 4) != 4)
        return 3;
    return tlsock_close(s) == 0 ? 0 : 4;
}

static void a_close_in_either_process_harms_nobody(void **state)
{
    tlsock_listener *l = listening(NULL);
    char target[64], got[8];
    pid_t pid = must_fork();
    tlsock *s;

    (void)state;
    if (pid == 0)
        test_exit(handshake_fork_close(l));
    snprintf(target, sizeof(target), "localhost:%d", tlsock_listener_port(l));
    tlsock_listener_free(l);
    s = tlsock_connect(target, cc, TLSOCK_OPTS(.family = 4), NULL);
    assert_non_null(s);
    assert_code(tlsock_set_timeout(s, 60000), TLSOCK_OK);
    assert_int_equal(tlsock_write(s, "ping", 4), 4);
    assert_int_equal(tlsock_read_full(s, got, 4), 4);
    assert_int_equal(tlsock_read(s, got, 4), 0); /* the end, and no cut */
    assert_code(tlsock_close(s), TLSOCK_OK);
    assert_child(pid);
}

static int start(void **state)
{
    if (ca_setup(state) != 0)
        return -1;
    cc = ca_client(NULL);
    sc = ca_server(ca_get()->ip, NULL);
    return 0;
}

static int put_away(void **state)
{
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
    return ca_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_fork_close_is_right_as_it_stands),
        cmocka_unit_test(pre_forked_workers_share_a_listener),
        cmocka_unit_test(a_parent_may_exit_before_its_child),
        cmocka_unit_test(a_child_may_start_tls_on_what_was_accepted_plain),
        cmocka_unit_test(a_child_adopts_what_its_parent_began),
        cmocka_unit_test(a_close_in_either_process_harms_nobody),
    };

    return cmocka_run_group_tests_name("forkserver", tests, start, put_away);
}
