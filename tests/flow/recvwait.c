/* A blocking call waits in recv(2) itself, for a moment, before it polls. What
 * that must not change: interrupts, deadlines, signals, and the descriptor. */
#include "ca.h"
#include "core/clock.h"
#include "net/fd.h"
#include "sock.h"
#include "tls/conn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct sides {
    tlsock_config *cc, *sc;
    tlsock *client, *server;
};

/* Both over TCP and shaken hands with, blocking; flags are the client's. */
static void setup(struct sides *t, unsigned flags, int plain)
{
    const tlsock_opts *o =
        TLSOCK_OPTS(.nonblocking = 1, .flags = flags, .plain = plain);
    int fds[2], done = 0;

    t->cc = ca_client("handshake-timeout", "10s", NULL);
    t->sc = ca_server(ca_get()->a, "handshake-timeout", "10s", NULL);
    sock_tcp_pair(fds);
    t->client = tlsock_client_fd(fds[0], "a.test", t->cc, o, NULL);
    t->server = tlsock_server_fd(
        fds[1], t->sc, TLSOCK_OPTS(.nonblocking = 1, .plain = plain), NULL);
    for (int i = 0; i < 100000 && done != 2 && !plain; i++) {
        done = (tlsock_handshake(t->client) == 0) +
               (tlsock_handshake(t->server) == 0);
        sched_yield();
    }
    assert_true(plain || done == 2);
    assert_code(tlsock_flush(t->server), TLSOCK_OK);
    tlsock_set_nonblocking(t->client, 0);
    tlsock_set_nonblocking(t->server, 0);
}

static void teardown(struct sides *t)
{
    tlsock_abandon(t->client);
    tlsock_abandon(t->server);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc);
}

static ssize_t reads(tlsock *s)
{
    char byte;

    return tlsock_read(s, &byte, 1);
}

static ssize_t fills(tlsock *s)
{
    char got[8];

    return tlsock_read_full(s, got, sizeof(got));
}

static ssize_t peeks(tlsock *s)
{
    char byte;

    return tlsock_peek(s, &byte, 1);
}

static ssize_t lines(tlsock *s)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = tlsock_getline(s, &line, &cap, 100000);

    free(line);
    return n;
}

static ssize_t shuts(tlsock *s)
{
    return tlsock_shutdown(s, SHUT_RDWR);
}

static ssize_t stops(tlsock *s)
{
    return tlsock_stop_tls(s);
}

struct waiter {
    ssize_t (*call)(tlsock *);
    tlsock *s;
    ssize_t got;
};

static void *wait_in_thread(void *arg)
{
    struct waiter *w = arg;

    w->got = w->call(w->s);
    return NULL;
}

/* It has waited in recv(2) in vain, and polls. */
static void until_it_polls(tlsock *s)
{
    int polls = 0;

    while (!polls) {
        sched_yield();
        pthread_mutex_lock(&s->wake_lock);
        polls = s->wake_fd >= 0;
        pthread_mutex_unlock(&s->wake_lock);
    }
}

static void interrupt_it(struct sides *t, ssize_t (*call)(tlsock *), int late)
{
    struct waiter w = {call, t->client, 0};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wait_in_thread, &w), 0);
    while (!atomic_load(&t->client->in_call))
        sched_yield();
    if (late)
        until_it_polls(t->client);
    assert_code(tlsock_interrupt(t->client), TLSOCK_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_code(w.got, TLSOCK_E_INTERRUPTED);
    assert_code(reads(t->client), TLSOCK_E_INTERRUPTED);
}

/* In recv(2) or in poll(2), in TLS or in plaintext, and where only poll(2) is
 * allowed: it ends, and whoever shares the descriptor has lost nothing. */
static void every_wait_can_be_interrupted(void **state)
{
    static const struct {
        ssize_t (*call)(tlsock *);
        unsigned flags;
        int plain;
    } calls[] = {{reads, 0, 0},
                 {fills, 0, 0},
                 {peeks, 0, 0},
                 {lines, 0, 0},
                 {shuts, 0, 0},
                 {stops, 0, 0},
                 {reads, 0, 1},
                 {peeks, 0, 1},
                 {reads, TLSOCK_F_BORROW_FD, 0},
                 {reads, TLSOCK_F_BORROW_FD, 1}};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(calls); i++) {
        struct sides t;
        int fd, copy;
        char byte;

        setup(&t, calls[i / 2].flags, calls[i / 2].plain);
        fd = tlsock_fd(t.client);
        copy = dup(fd);
        interrupt_it(&t, calls[i / 2].call, i % 2 != 0);
        assert_int_equal(send(tlsock_fd(t.server), "x", 1, 0), 1);
        do /* behind what TLS may have sent */
            assert_int_equal(recv(copy, &byte, 1, 0), 1);
        while (byte != 'x');
        close(copy);
        teardown(&t);
        if (calls[i / 2].flags != 0)
            close(fd);
    }
}

static ssize_t shakes(tlsock *s)
{
    return tlsock_handshake(s);
}

/* A server that waits for a ClientHello, or for the rest of one. */
static void a_handshake_can_be_interrupted(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        struct sides t = {.sc = sc};
        int fds[2];

        sock_tcp_pair(fds);
        t.client = tlsock_server_fd(fds[0], sc, NULL, NULL);
        if (i / 2 != 0)
            assert_int_equal(send(fds[1], "\x16\x03\x01", 3, 0), 3);
        interrupt_it(&t, shakes, i % 2);
        close(fds[1]);
        teardown(&t);
    }
}

/* The one inside waits, for all of them. */
static void one_inside_another_can_be_interrupted(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct sides t, u = {0};

        setup(&t, 0, 0);
        u.client = tlsock_client_over(
            t.client, "a.test", t.cc,
            TLSOCK_OPTS(.nonblocking = 1, .flags = TLSOCK_F_BORROW_FD), NULL);
        assert_non_null(u.client);
        tlsock_set_nonblocking(u.client, 0);
        interrupt_it(&u, shakes, late);
        tlsock_abandon(u.client);
        teardown(&t);
    }
}

/* A clock that runs while somebody looks at it, and otherwise stands. */
static atomic_llong now_ms = 1000000;
static atomic_int tick_ms = 100;

static int64_t ticking(void)
{
    return atomic_fetch_add(&now_ms, tick_ms);
}

struct dripper {
    int fd, to;
    const void *head;
    size_t len;
    atomic_int over; /* a byte may be left that nobody takes any more */
};

/* One byte at a time, each as soon as the one before it was taken: there is
 * always more, and never all of it. */
static void *drip(void *arg)
{
    struct dripper *d = arg;
    int left = 0;

    send(d->fd, d->head, d->len, MSG_NOSIGNAL);
    while (!atomic_load(&d->over) && ioctl(d->to, FIONREAD, &left) == 0 &&
           (left != 0 || send(d->fd, "", 1, MSG_NOSIGNAL) == 1))
        sched_yield();
    return NULL;
}

static void drip_at(struct sides *t, ssize_t (*call)(tlsock *), int from,
                    const void *head, size_t len)
{
    int copy = dup(tlsock_fd(t->client));
    struct dripper d = {from, copy, head, len, 0};
    pthread_t thread;

    tsk_clock_monotonic = ticking;
    assert_int_equal(pthread_create(&thread, NULL, drip, &d), 0);
    assert_code(call(t->client), TLSOCK_E_TIMEOUT);
    tsk_clock_monotonic = NULL;
    atomic_store(&d.over, 1);
    shutdown(from, SHUT_RDWR);
    shutdown(copy, SHUT_RDWR);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close(copy);
}

/* A record of 16 KiB that comes byte by byte never lets recv(2) wait in vain,
 * and ends no call: the deadline has to. */
static void who_drips_holds_nobody_beyond_the_deadline(void **state)
{
    static ssize_t (*const calls[])(tlsock *) = {reads, fills, lines, shuts,
                                                 stops};
    struct sides t = {0};
    int fds[2];

    (void)state;
    for (size_t i = 0; i < COUNT(calls); i++) {
        setup(&t, 0, 0);
        tsk_clock_monotonic = ticking;
        if (calls[i] != stops) /* has a limit by itself */
            tlsock_set_deadline(t.client, 10000);
        drip_at(&t, calls[i], tlsock_fd(t.server), "\x17\x03\x03\x40\x00", 5);
        teardown(&t);
    }
    t = (struct sides){
        .sc = ca_server(ca_get()->a, "handshake-timeout", "10s", NULL)};
    sock_tcp_pair(fds);
    tsk_clock_monotonic = ticking;
    t.client = tlsock_server_fd(fds[0], t.sc, NULL, NULL);
    drip_at(&t, shakes, fds[1], "\x16\x03\x01\x40\x00\x01\x00\x3f\xfc", 9);
    teardown(&t);
    close(fds[1]);
}

static void a_silent_peer_cannot_stop_tls_from_ending(void **state)
{
    struct sides t;

    (void)state;
    setup(&t, 0, 0);
    tick_ms = 4900; /* what is left for poll(2) of ten seconds is not much */
    tsk_clock_monotonic = ticking;
    assert_code(tlsock_stop_tls(t.client), TLSOCK_E_TIMEOUT);
    tsk_clock_monotonic = NULL;
    tick_ms = 100;
    teardown(&t);
}

static void nothing(int sig)
{
    (void)sig;
}

/* More often than recv(2) may wait, so that it never waits to its end. */
static void signals_do_not_keep_it_from_its_deadline(void **state)
{
    struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
    struct sigaction act = {.sa_handler = nothing}, before;
    struct sides t;

    (void)state;
    setup(&t, 0, 0);
    assert_code(tlsock_set_timeout(t.client, 100), TLSOCK_OK);
    sigaction(SIGALRM, &act, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    assert_code(reads(t.client), TLSOCK_E_TIMEOUT);
    assert_int_equal(tlsock_write(t.server, "12345678", 8), 8);
    assert_int_equal(fills(t.client), 8);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    teardown(&t);
}

static long limit_us(int fd, int option)
{
    struct timeval tv = {0};
    socklen_t len = sizeof(tv);

    assert_int_equal(getsockopt(fd, SOL_SOCKET, option, &tv, &len), 0);
    return tv.tv_sec * 1000000 + tv.tv_usec;
}

static int is_nonblocking(int fd)
{
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

/* Waits in vain, with a deadline that is far enough away. */
static void wait_in_vain(tlsock *s)
{
    assert_code(tlsock_set_timeout(s, 50), TLSOCK_OK);
    assert_code(reads(s), TLSOCK_E_TIMEOUT);
    assert_code(tlsock_set_timeout(s, -1), TLSOCK_OK);
}

static void what_is_borrowed_is_not_touched(void **state)
{
    struct sides t;
    int fd;

    (void)state;
    setup(&t, TLSOCK_F_BORROW_FD, 0);
    fd = tlsock_fd(t.client);
    wait_in_vain(t.client);
    assert_int_equal(limit_us(fd, SO_RCVTIMEO), 0);
    assert_false(is_nonblocking(fd));
    assert_int_equal(tlsock_write(t.server, "y", 1), 1);
    assert_int_equal(reads(t.client), 1);
    assert_int_equal(limit_us(fd, SO_RCVTIMEO), 0);
    teardown(&t);
    close(fd);
}

/* Given, and taken back: by a failed constructor, and by tlsock_detach(). */
static void what_was_given_comes_back_with_its_own_limit(void **state)
{
    static const struct timeval own = {.tv_sec = 7};
    tlsock_config *cc = ca_client(NULL);
    tlsock_error err;
    struct sides t;
    int fds[2], fd;

    (void)state;
    sock_tcp_pair(fds);
    setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &own, sizeof(own));
    assert_null(tlsock_client_fd(fds[0], "a.test", cc,
                                 TLSOCK_OPTS(.timeout_ms = 50), &err));
    assert_code(err.code, TLSOCK_E_TIMEOUT);
    assert_int_equal(limit_us(fds[0], SO_RCVTIMEO), 7000000);
    assert_false(is_nonblocking(fds[0]));
    close(fds[0]);
    close(fds[1]);
    tlsock_config_unref(cc);

    setup(&t, 0, 1);
    wait_in_vain(t.client);
    assert_int_not_equal(limit_us(tlsock_fd(t.client), SO_RCVTIMEO), 0);
    assert_code(tlsock_detach(t.client, &fd), TLSOCK_OK);
    t.client = NULL;
    assert_int_equal(limit_us(fd, SO_RCVTIMEO), 0);
    assert_false(is_nonblocking(fd));
    close(fd);
    teardown(&t);
}

/* The caller may have made it so, before or later: then it is polled. */
static void a_nonblocking_socket_is_waited_for_all_the_same(void **state)
{
    struct sides t;
    int fd;

    (void)state;
    setup(&t, 0, 0);
    fd = tlsock_fd(t.client);
    assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
    for (int i = 0; i < 2; i++) {
        wait_in_vain(t.client);
        assert_int_equal(t.client->layer->waits, 0);
        assert_int_equal(tlsock_write(t.server, "y", 1), 1);
        assert_int_equal(reads(t.client), 1);
    }
    assert_true(is_nonblocking(fd));
    teardown(&t);
}

/* What this library made: blocking inside, and O_NONBLOCK as soon as it leaves
 * the handle, or the system has to copy into it. */
static void what_was_made_here_leaves_as_a_nonblocking_one(void **state)
{
    tlsock_config *cc = ca_client(NULL), *sc = ca_server(ca_get()->a, NULL);
    tlsock_listener *l =
        tlsock_listen("127.0.0.1:0", sc, TLSOCK_OPTS(.plain = 1), NULL);
    char target[32];

    (void)state;
    assert_non_null(l);
    snprintf(target, sizeof(target), "127.0.0.1:%d", tlsock_listener_port(l));
    for (int i = 0; i < 3; i++) {
        tlsock *ends[2];
        int fds[2];

        ends[0] = tlsock_connect(
            target, cc, TLSOCK_OPTS(.plain = 1, .name = "a.test"), NULL);
        ends[1] = tlsock_accept(l, NULL);
        assert_non_null(ends[1]); /* has it from its listener */
        assert_int_not_equal(limit_us(tlsock_fd(ends[1]), SO_RCVTIMEO), 0);
        for (int k = 0; k < 2; k++) {
            assert_non_null(ends[k]);
            assert_false(is_nonblocking(tlsock_fd(ends[k])));
            if (i != 0)
                wait_in_vain(ends[k]);
            if (i == 2) {
                assert_true(tsk_fd_layer_nonblock(ends[k]->layer));
                assert_true(is_nonblocking(tlsock_fd(ends[k])));
                wait_in_vain(ends[k]);
            }
            assert_code(tlsock_detach(ends[k], &fds[k]), TLSOCK_OK);
            assert_true(is_nonblocking(fds[k]));
            assert_int_equal(limit_us(fds[k], SO_RCVTIMEO), 0);
            assert_int_equal(limit_us(fds[k], SO_SNDTIMEO), 0);
        }
        close(fds[0]);
        close(fds[1]);
    }
    tlsock_listener_free(l);
    tlsock_config_unref(cc);
    tlsock_config_unref(sc);
}

/* The parent's handle is interrupted while the child reads by its own. */
static void an_interrupt_stays_in_its_process(void **state)
{
    struct sides t;
    int status = -1;
    pid_t pid;

    (void)state;
    setup(&t, 0, 0);
    wait_in_vain(t.client);
    pid = fork();
    if (pid == 0) {
        alarm(60);
        tlsock_adopt(t.client);
        tlsock_abandon(t.server);
        test_exit(fills(t.client) == 8 ? 0 : 1);
    }
    assert_code(tlsock_interrupt(t.client), TLSOCK_OK);
    assert_code(reads(t.client), TLSOCK_E_INTERRUPTED);
    assert_int_equal(tlsock_write(t.server, "12345678", 8), 8);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    teardown(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interrupt_stays_in_its_process), /* no threads */
        cmocka_unit_test(every_wait_can_be_interrupted),
        cmocka_unit_test(a_handshake_can_be_interrupted),
        cmocka_unit_test(one_inside_another_can_be_interrupted),
        cmocka_unit_test(who_drips_holds_nobody_beyond_the_deadline),
        cmocka_unit_test(a_silent_peer_cannot_stop_tls_from_ending),
        cmocka_unit_test(signals_do_not_keep_it_from_its_deadline),
        cmocka_unit_test(what_is_borrowed_is_not_touched),
        cmocka_unit_test(what_was_given_comes_back_with_its_own_limit),
        cmocka_unit_test(a_nonblocking_socket_is_waited_for_all_the_same),
        cmocka_unit_test(what_was_made_here_leaves_as_a_nonblocking_one),
    };

    return cmocka_run_group_tests_name("recvwait", tests, ca_setup,
                                       ca_teardown);
}
