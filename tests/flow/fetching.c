/* While somebody is asked about revocation: descriptors, ends, forks, signals,
 * and what a session is worth after. */
#include "ca.h"
#include "netweb.h"
#include "sock.h"

#include "core/clock.h"
#include "tls/conn.h"

#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
    struct netweb net; /* first: pages get it */
    tlsock_config *client, *server;
    int gate[2]; /* each answer costs a byte; -1: none */
};

static const struct net good = {NET_GOOD, NET_NONE, NET_GOOD, NET_NONE};

/* The web server's threads call this. */
static void answer(const struct httpd_request *q, struct httpd_page *p,
                   unsigned char *room)
{
    struct world *w = p->arg;
    char byte;

    if (w->gate[0] >= 0)
        (void)!read(w->gate[0], &byte, 1);
    netweb_answer(q, p, room);
}

static void trust(tlsock_config *c, const struct world *w)
{
    assert_code(tlsock_config_add_trust(c, w->net.root), 0);
    assert_code(tlsock_config_set(c, "revocation", "full"), 0);
}

static void world_start(struct world *w, int gated)
{
    struct httpd_page leaf = {.path = "/leaf*", .make = answer, .arg = w},
                      inter = {.path = "/inter*", .make = answer, .arg = w};

    w->gate[0] = w->gate[1] = -1;
    if (gated)
        assert_int_equal(pipe(w->gate), 0);
    netweb_start(&w->net, &good);
    httpd_set(&w->net.web, &leaf);
    httpd_set(&w->net.web, &inter);
    w->server = tlsock_config_new();
    assert_code(tlsock_config_set(w->server, "staple", "off"), 0);
    assert_code(tlsock_config_add_cert(w->server, w->net.pki.leaf), 0);
    w->client = tlsock_config_new();
    trust(w->client, w);
}

static void open_gate(struct world *w)
{
    assert_int_equal(write(w->gate[1], "1234", 4), 4);
}

static void world_stop(struct world *w)
{
    tlsock_config_unref(w->client);
    tlsock_config_unref(w->server);
    if (w->gate[0] >= 0)
        open_gate(w);
    netweb_stop(&w->net);
    if (w->gate[0] >= 0) {
        close(w->gate[0]);
        close(w->gate[1]);
    }
}

static int turn_within(tlsock *s, int ms)
{
    struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

    assert_true(pfd.fd >= 0);
    assert_true(poll(&pfd, 1, ms) >= 0);
    return tlsock_handshake(s);
}

static int turn(tlsock *s)
{
    return turn_within(s, tlsock_timeout(s));
}

/* One that has asked for the first list, and waits. */
static tlsock *waiting(struct world *w, struct sock_thread *t)
{
    int fds[2];
    tlsock *s;

    sock_pair(fds);
    sock_run(t, fds[1], sock_echo, w->server);
    s = tlsock_client_fd(fds[0], "a.test", w->client,
                         TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = 30000),
                         NULL);
    assert_non_null(s);
    while (httpd_asked(&w->net.web, NULL) ==
           0) /* it may be seen later than sent */
        assert_code(turn_within(s, 5), TLSOCK_AGAIN);
    return s;
}

static void functions_without_a_descriptor_get_one_for_it(void **state)
{
    int rc = TLSOCK_AGAIN, seen = 0;
    struct world w;
    struct peer p;
    tlsock *s;

    (void)state;
    world_start(&w, 0);
    peer_init(&p);
    assert_code(peer_open(&p, w.client, w.server, "a.test"), 0);
    s = p.conn[CLIENT];
    while (rc == TLSOCK_AGAIN) {
        (void)!tlsock_handshake(p.conn[SERVER]);
        if (tlsock_fd(s) >= 0) {
            seen = 1;
            rc = turn(s);
        } else {
            rc = tlsock_handshake(s);
        }
    }
    assert_code(rc, 0);
    assert_true(seen);
    assert_int_equal(tlsock_fd(s), -1);
    peer_free(&p);
    world_stop(&w);
}

static void tls_that_begins_later_is_driven_by_poll(void **state)
{
    struct sock_thread t;
    struct world w;
    int fds[2], rc;
    tlsock *s;

    (void)state;
    world_start(&w, 0);
    sock_pair(fds);
    sock_run(&t, fds[1], sock_echo, w.server);
    s = tlsock_client_fd(
        fds[0], "a.test", w.client,
        TLSOCK_OPTS(.nonblocking = 1, .plain = 1, .timeout_ms = 30000), NULL);
    assert_non_null(s);
    assert_code(tlsock_handshake(s), 0); /* it is PLAIN */
    rc = tlsock_start_tls(s, NULL);
    while (rc == TLSOCK_AGAIN)
        rc = turn(s);
    assert_code(rc, 0);
    assert_int_equal(httpd_asked(&w.net.web, NULL), 2);
    assert_int_equal(tlsock_fd(s), fds[0]);
    tlsock_close(s);
    sock_wait(&t);
    world_stop(&w);
}

static void comes(int fd, void *config)
{
    tlsock *s = tlsock_client_fd(
        fd, "a.test", config,
        TLSOCK_OPTS(.flags = TLSOCK_F_BORROW_FD, .timeout_ms = 30000), NULL);
    char byte;

    if (s != NULL)
        (void)!tlsock_read(s, &byte, 1);
    tlsock_abandon(s);
}

static void a_handle_made_nonblocking_later_is_driven_by_poll(void **state)
{
    tlsock_config *cc = ca_client(NULL),
                  *sc = ca_server(ca_get()->a, "client-auth", "require", NULL);
    struct sock_thread t;
    struct world w;
    int fds[2], rc, first;
    tlsock *s;

    (void)state;
    world_start(&w, 0);
    trust(sc, &w);
    assert_code(tlsock_config_add_cert(cc, w.net.pki.leaf), 0);
    sock_pair(fds);
    sock_run(&t, fds[1], comes, cc);
    s = tlsock_server_fd(fds[0], sc, TLSOCK_OPTS(.timeout_ms = 30000), NULL);
    assert_non_null(s);
    assert_code(tlsock_set_nonblocking(s, 1), 0);
    first = tlsock_fd(s);
    assert_int_not_equal(first, fds[0]);
    rc = tlsock_handshake(s);
    while (rc == TLSOCK_AGAIN) {
        assert_int_equal(tlsock_fd(s), first); /* one, all the way */
        rc = turn(s);
    }
    assert_code(rc, 0);
    assert_int_equal(httpd_asked(&w.net.web, NULL), 2);
    tlsock_close(s);
    sock_wait(&t);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
    world_stop(&w);
}

static void an_end_in_the_middle_leaves_nothing(void **state)
{
    int before = sock_count();

    (void)state;
    for (int way = 0; way < 2; way++) {
        struct sock_thread t;
        struct world w;
        tlsock *s;

        world_start(&w, 1);
        s = waiting(&w, &t);
        if (way == 0)
            assert_code(tlsock_close(s), 0);
        else
            tlsock_abandon(s);
        sock_wait(&t);
        world_stop(&w);
    }
    assert_int_equal(sock_count(), before);
}

static void when_time_is_up_the_url_is_told(void **state)
{
    struct sock_thread t;
    struct world w;
    tlsock *s;

    (void)state;
    world_start(&w, 1);
    s = waiting(&w, &t);
    assert_code(tlsock_set_deadline(s, 0), 0);
    assert_code(tlsock_handshake(s), TLSOCK_E_TIMEOUT);
    assert_tells(tlsock_last_error(s)->message, w.net.web.url);
    assert_int_equal(tlsock_last_error(s)->phase, TLSOCK_PHASE_VERIFY);
    assert_code(tlsock_set_deadline(s, -1), 0); /* and it may go on */
    open_gate(&w);
    while (turn(s) == TLSOCK_AGAIN)
        continue;
    assert_code(tlsock_handshake(s), 0);
    tlsock_close(s);
    sock_wait(&t);
    world_stop(&w);
}

struct interrupter {
    struct httpd *web;
    tlsock *s;
};

static void *interrupt(void *arg)
{
    struct interrupter *i = arg;

    httpd_await(i->web, NULL, 1);
    (void)tlsock_interrupt(i->s);
    return NULL;
}

static void it_can_be_interrupted(void **state)
{
    struct interrupter i;
    struct sock_thread t;
    pthread_t thread;
    struct world w;
    tlsock *s;

    (void)state;
    world_start(&w, 1);
    s = waiting(&w, &t);
    assert_code(tlsock_set_nonblocking(s, 0), 0);
    i = (struct interrupter){&w.net.web, s};
    assert_int_equal(pthread_create(&thread, NULL, interrupt, &i), 0);
    assert_code(tlsock_handshake(s), TLSOCK_E_INTERRUPTED);
    pthread_join(thread, NULL);
    tlsock_close(s);
    sock_wait(&t);
    world_stop(&w);
}

/* The child's close says nothing, and asks nobody. */
static void a_fork_in_the_middle_disturbs_nothing(void **state)
{
    struct sock_thread t;
    struct world w;
    int status;
    pid_t pid;
    tlsock *s;

    (void)state;
    world_start(&w, 1);
    s = waiting(&w, &t);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int ok = tlsock_handshake(s) == TLSOCK_E_FORKED;

        ok = ok && tlsock_close(s) == 0;
        test_exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    open_gate(&w);
    while (turn(s) == TLSOCK_AGAIN)
        continue;
    assert_code(tlsock_handshake(s), 0);
    assert_int_equal(httpd_asked(&w.net.web, NULL), 2);
    tlsock_close(s);
    sock_wait(&t);
    world_stop(&w);
}

static void ignore(int sig)
{
    (void)sig;
}

/* Every 200 us in this thread alone; system calls are not restarted. */
static void storm(int on)
{
    struct itimerval every = {{0, on ? 200 : 0}, {0, on ? 200 : 0}};
    struct sigaction act = {.sa_handler = ignore};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigaction(SIGALRM, &act, NULL);
    pthread_sigmask(on ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

static void signals_change_nothing(void **state)
{
    (void)state;
    storm(0); /* blocked in all threads that begin now */
    for (int i = 0; i < 5; i++) {
        struct sock_thread t;
        struct world w;
        tlsock_error err = {0};
        int fds[2];
        tlsock *s;

        world_start(&w, 0);
        sock_pair(fds);
        sock_run(&t, fds[1], sock_echo, w.server);
        storm(1);
        s = tlsock_client_fd(fds[0], "a.test", w.client,
                             TLSOCK_OPTS(.timeout_ms = 30000), &err);
        storm(0);
        if (s == NULL)
            fail_msg("%s", err.message);
        assert_int_equal(httpd_asked(&w.net.web, NULL), 2);
        tlsock_close(s);
        sock_wait(&t);
        world_stop(&w);
    }
}

static int64_t today;

static int64_t wall(void)
{
    return today;
}

/* 1 resumed, 0 in full, or the code that it failed with */
static int visit(struct world *w, tlsock_config *c, int64_t *until)
{
    tlsock_error err = {0};
    struct sock_thread t;
    int fds[2], rc;
    char got[4];
    tlsock *s;

    sock_pair(fds);
    sock_run(&t, fds[1], sock_echo, w->server);
    s = tlsock_client_fd(fds[0], "a.test", c, TLSOCK_OPTS(.timeout_ms = 30000),
                         &err);
    if (s == NULL) {
        close(fds[0]);
        sock_wait(&t);
        return err.code;
    }
    assert_int_equal(tlsock_write(s, "ping", 4), 4);
    assert_int_equal(tlsock_read_full(s, got, 4), 4);
    rc = (int)tlsock_info_int(s, TLSOCK_INFO_RESUMED);
    if (until != NULL)
        *until = s->facts->revocation_until;
    tlsock_close(s);
    sock_wait(&t);
    return rc;
}

/* What was known about revocation is over: so is what it was good for. */
static void a_session_ends_with_what_was_known(void **state)
{
    static const char *const versions[] = {"1.2", "1.3"};

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        int64_t until = 0;
        tlsock_config *c;
        struct world w;

        world_start(&w, 0);
        today = time(NULL);
        tsk_clock_wall = wall;
        c = tlsock_config_new();
        trust(c, &w);
        assert_code(tlsock_config_set(c, "tls.max", versions[v]), 0);
        assert_code(tlsock_config_set(c, "session.timeout", "1d"), 0);
        assert_int_equal(visit(&w, w.client, &until), 0);
        assert_true(until > today);
        today = until - 60;
        assert_int_equal(visit(&w, c, NULL), 0);
        today = until - 1;
        assert_int_equal(visit(&w, c, NULL), 1);
        today = until + 1;
        assert_int_not_equal(visit(&w, c, NULL), 1);
        tsk_clock_wall = NULL;
        tlsock_config_unref(c);
        world_stop(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_without_a_descriptor_get_one_for_it),
        cmocka_unit_test(tls_that_begins_later_is_driven_by_poll),
        cmocka_unit_test(a_handle_made_nonblocking_later_is_driven_by_poll),
        cmocka_unit_test(an_end_in_the_middle_leaves_nothing),
        cmocka_unit_test(when_time_is_up_the_url_is_told),
        cmocka_unit_test(it_can_be_interrupted),
        cmocka_unit_test(a_fork_in_the_middle_disturbs_nothing),
        cmocka_unit_test(signals_change_nothing),
        cmocka_unit_test(a_session_ends_with_what_was_known),
    };

    return cmocka_run_group_tests_name("fetching", tests, ca_setup,
                                       ca_teardown);
}
