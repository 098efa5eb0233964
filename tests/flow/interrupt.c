/* tlsock_interrupt(): from another thread, at any time, and for good. */
#include "ca.h"
#include "sock.h"
#include "tls/conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct sides {
    tlsock_config *cc, *sc;
    tlsock *client, *server;
};

static void setup(struct sides *t)
{
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1);
    int fds[2], done = 0;

    t->cc = ca_client(NULL);
    t->sc = ca_server(ca_get()->a, NULL);
    sock_pair(fds);
    t->client = tlsock_client_fd(fds[0], "a.test", t->cc, o, NULL);
    t->server = tlsock_server_fd(fds[1], t->sc, o, NULL);
    for (int i = 0; i < 20 && done != 2; i++)
        done = (tlsock_handshake(t->client) == 0) +
               (tlsock_handshake(t->server) == 0);
    assert_int_equal(done, 2);
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

static ssize_t writes(tlsock *s)
{
    static const char zeros[65536];
    ssize_t n;

    do
        n = tlsock_write(s, zeros, sizeof(zeros));
    while (n > 0); /* until the socket is full */
    return n;
}

static ssize_t polls(tlsock *s)
{
    tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN};
    int n = tlsock_poll(&item, 1, -1);

    return n < 0 ? n : reads(s);
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

static void a_call_that_waits_is_woken(void **state)
{
    static ssize_t (*const calls[])(tlsock *) = {reads, writes, polls, shuts,
                                                 stops};

    (void)state;
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct sides t;
        struct waiter w;
        pthread_t thread;

        setup(&t);
        w = (struct waiter){calls[i], t.client, 0};
        assert_int_equal(pthread_create(&thread, NULL, wait_in_thread, &w), 0);
        /* before, while or after it begins to wait: all the same to it */
        assert_code(tlsock_interrupt(t.client), TLSOCK_OK);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_code(w.got, TLSOCK_E_INTERRUPTED);
        assert_code(reads(t.client), TLSOCK_E_INTERRUPTED);
        assert_code(tlsock_write(t.client, "x", 1), TLSOCK_E_INTERRUPTED);
        assert_code(tlsock_handshake(t.client), TLSOCK_E_INTERRUPTED);
        teardown(&t);
    }
}

static ssize_t shakes(tlsock *s)
{
    return tlsock_handshake(s);
}

/* It polls, and no longer waits in the call itself. */
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

static void interrupt_it(tlsock *s, ssize_t (*call)(tlsock *), int late)
{
    struct waiter w = {call, s, 0};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wait_in_thread, &w), 0);
    while (!atomic_load(&s->in_call))
        sched_yield();
    if (late)
        until_it_polls(s);
    assert_code(tlsock_interrupt(s), TLSOCK_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_code(w.got, TLSOCK_E_INTERRUPTED);
    assert_code(call(s), TLSOCK_E_INTERRUPTED);
}

/* A listener that answers nobody any more: its queue is full. The descriptors
 * that fill it, the listener first; how many. */
static int fill_listener(int fds[16], int *port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof(sa);
    int n = 0, full = 0;

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fds[n++] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    getsockname(fds[0], (struct sockaddr *)&sa, &len);
    *port = ntohs(sa.sin_port);
    while (!full) {
        struct pollfd p = {.events = POLLOUT};

        assert_true(n < 16);
        p.fd = fds[n++] =
            socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(p.fd, (struct sockaddr *)&sa, sizeof(sa));
        full = poll(&p, 1, 100) == 0;
    }
    return n;
}

/* In connect(2), and in the poll(2) after it. */
static void a_dial_that_waits_is_woken(void **state)
{
    int fds[16], port, n = fill_listener(fds, &port);
    char target[32];

    (void)state;
    snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    for (int late = 0; late < 2; late++) {
        tlsock_config *cc = ca_client(NULL);
        tlsock *s = tlsock_connect(
            target, cc, TLSOCK_OPTS(.nonblocking = 1, .name = "a.test"), NULL);

        assert_non_null(s);
        tlsock_set_nonblocking(s, 0);
        interrupt_it(s, shakes, late);
        tlsock_abandon(s);
        tlsock_config_unref(cc);
    }
    while (n > 0)
        close(fds[--n]);
}

/* A transport of the caller's own, over a socket that it polls by. */
static ssize_t own_read(void *arg, void *buf, size_t len)
{
    ssize_t n = recv(*(int *)arg, buf, len, MSG_DONTWAIT);

    return n >= 0 ? n : TLSOCK_AGAIN;
}

static ssize_t own_write(void *arg, const void *buf, size_t len)
{
    ssize_t n = send(*(int *)arg, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    return n >= 0 ? n : TLSOCK_AGAIN;
}

static int own_fd(void *arg)
{
    return *(int *)arg;
}

static void a_transport_of_functions_is_woken(void **state)
{
    static const tlsock_io io = {
        .size = sizeof(io), .read = own_read, .write = own_write, .fd = own_fd};

    (void)state;
    for (int late = 0; late < 2; late++) {
        tlsock_config *sc = ca_server(ca_get()->a, NULL);
        int fds[2];
        tlsock *s;

        sock_pair(fds);
        s = tlsock_server_io(&io, &fds[0], sc, NULL, NULL);
        assert_non_null(s);
        interrupt_it(s, late ? reads : shakes, late);
        tlsock_abandon(s);
        assert_int_equal(send(fds[0], "x", 1, 0), 1); /* still the caller's */
        close(fds[0]);
        close(fds[1]);
        tlsock_config_unref(sc);
    }
}

/* The other connections of the thread, and its later waits, go on. */
static void nobody_else_is_disturbed(void **state)
{
    struct sides t, u;
    tlsock_pollitem items[2];

    (void)state;
    setup(&t);
    setup(&u);
    assert_code(tlsock_interrupt(t.client), TLSOCK_OK);
    items[0] = (tlsock_pollitem){.s = t.client, .fd = -1, .events = POLLIN};
    items[1] = (tlsock_pollitem){.s = u.client, .fd = -1, .events = POLLIN};
    assert_int_equal(tlsock_poll(items, 2, -1), 1);
    assert_int_equal(items[0].revents, POLLIN);
    assert_int_equal(items[1].revents, 0);
    assert_code(reads(t.client), TLSOCK_E_INTERRUPTED);
    assert_int_equal(tlsock_write(u.server, "y", 1), 1);
    assert_int_equal(reads(u.client), 1);
    teardown(&t);
    teardown(&u);
}

/* A handle is one thread's at a time: the second one is told, and the first
 * goes on undisturbed. */
static void a_second_thread_is_refused(void **state)
{
    struct sides t;
    struct waiter w;
    pthread_t thread;

    (void)state;
    setup(&t);
    w = (struct waiter){reads, t.client, 0};
    assert_int_equal(pthread_create(&thread, NULL, wait_in_thread, &w), 0);
    while (!atomic_load(&t.client->in_call))
        sched_yield();
    assert_code(tlsock_write(t.client, "x", 1), TLSOCK_E_STATE);
    assert_int_equal(tlsock_write(t.server, "y", 1), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(w.got, 1);
    teardown(&t);
}

/* Where the system has no descriptor left to be woken by, the thread looks by
 * itself from time to time: a bit later, but not never. */
static void without_a_descriptor_it_is_noticed_all_the_same(void **state)
{
    static ssize_t (*const calls[])(tlsock *) = {reads, polls};
    struct rlimit before, none;
    int next;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &before);
    for (size_t i = 0; i < 2 * COUNT(calls); i++) {
        struct sides t;
        struct waiter w;
        pthread_t thread;

        setup(&t);
        next = dup(0);
        close(next);
        none = (struct rlimit){(rlim_t)next, before.rlim_max};
        w = (struct waiter){calls[i / 2], t.client, 0};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        assert_int_equal(pthread_create(&thread, NULL, wait_in_thread, &w), 0);
        while (i / 2 == 0 && !atomic_load(&t.client->in_call))
            sched_yield();
        if (i % 2 == 0)
            assert_code(tlsock_interrupt(t.client), TLSOCK_OK);
        else
            assert_int_equal(tlsock_write(t.server, "y", 1), 1);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (i % 2 == 0)
            assert_code(w.got, TLSOCK_E_INTERRUPTED);
        else
            assert_int_equal(w.got, 1);
        teardown(&t);
    }
}

/* Nobody reads, and the socket is full: close does not wait for that again. */
static void close_waits_for_nobody(void **state)
{
    struct sides t;

    (void)state;
    setup(&t);
    assert_code(tlsock_set_timeout(t.client, 100), TLSOCK_OK);
    assert_code(writes(t.client), TLSOCK_E_TIMEOUT);
    assert_code(tlsock_set_timeout(t.client, -1), TLSOCK_OK);
    assert_code(tlsock_interrupt(t.client), TLSOCK_OK);
    assert_true(tlsock_close(t.client) < 0); /* bytes were dropped */
    t.client = NULL;
    teardown(&t);
}

/* Who closes may still say good-bye. */
static void close_ends_it_as_it_should(void **state)
{
    struct sides t;

    (void)state;
    setup(&t);
    assert_code(tlsock_interrupt(t.client), TLSOCK_OK);
    assert_code(tlsock_close(t.client), TLSOCK_OK);
    t.client = NULL;
    assert_int_equal(reads(t.server), 0);
    assert_code(tlsock_interrupt(NULL), TLSOCK_E_ARGUMENT);
    teardown(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_waits_is_woken),
        cmocka_unit_test(a_dial_that_waits_is_woken),
        cmocka_unit_test(a_transport_of_functions_is_woken),
        cmocka_unit_test(nobody_else_is_disturbed),
        cmocka_unit_test(a_second_thread_is_refused),
        cmocka_unit_test(without_a_descriptor_it_is_noticed_all_the_same),
        cmocka_unit_test(close_waits_for_nobody),
        cmocka_unit_test(close_ends_it_as_it_should),
    };

    return cmocka_run_group_tests_name("interrupt", tests, ca_setup,
                                       ca_teardown);
}
