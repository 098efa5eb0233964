/* System calls that fail on order: each of these calls of the library can be
 * made to fail, with any errno, at its n-th use (linked with --wrap). */
#include "net_help.h"

#include "net/dial.h"
#include "net/fd.h"
#include "net/resolve.h"
#include "net/wait.h"

#include <pthread.h>

enum call {
    SOCKET,
    CONNECT,
    RECV,
    SEND,
    ACCEPT4,
    POLL,
    GETSOCKOPT,
    SETSOCKOPT,
    FCNTL,
    EVENTFD,
    PTHREAD_CREATE,
    CALLS
};

/* Skip so many uses, then fail so many with errnum. */
static struct {
    int skip, times, errnum;
} faults[CALLS];

static int fault(enum call c)
{
    if (faults[c].times == 0)
        return 0;
    if (faults[c].skip > 0) {
        faults[c].skip--;
        return 0;
    }
    faults[c].times--;
    errno = faults[c].errnum;
    return 1;
}

static void order(enum call c, int skip, int times, int errnum)
{
    faults[c].skip = skip;
    faults[c].times = times;
    faults[c].errnum = errnum;
}

static int clean(void **state)
{
    (void)state;
    memset(faults, 0, sizeof(faults));
    return 0;
}

#define WRAP(type, name, c, params, args)     \
    type __real_##name params;                \
    type __wrap_##name params;                \
    type __wrap_##name params                 \
    {                                         \
        return fault(c) ? -1 : __real_##name args; \
    }

WRAP(int, socket, SOCKET, (int d, int t, int p), (d, t, p))
WRAP(ssize_t, recv, RECV, (int fd, void *b, size_t n, int f), (fd, b, n, f))
WRAP(ssize_t, send, SEND, (int fd, const void *b, size_t n, int f),
     (fd, b, n, f))
WRAP(int, accept4, ACCEPT4,
     (int fd, struct sockaddr *a, socklen_t *l, int f), (fd, a, l, f))
WRAP(int, poll, POLL, (struct pollfd *p, nfds_t n, int ms), (p, n, ms))
WRAP(int, getsockopt, GETSOCKOPT,
     (int fd, int level, int o, void *v, socklen_t *l), (fd, level, o, v, l))
WRAP(int, setsockopt, SETSOCKOPT,
     (int fd, int level, int o, const void *v, socklen_t l),
     (fd, level, o, v, l))
WRAP(int, fcntl64, FCNTL, (int fd, int c, long v), (fd, c, v))
WRAP(int, eventfd, EVENTFD, (unsigned v, int f), (v, f))

int __real_connect(int fd, const struct sockaddr *a, socklen_t l);
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t l);
/* EINTR: the connection goes on, as POSIX has it. */
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t l)
{
    if (!fault(CONNECT))
        return __real_connect(fd, a, l);
    if (errno == EINTR) {
        (void)__real_connect(fd, a, l);
        errno = EINTR;
    }
    return -1;
}

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*f)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*f)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*f)(void *), void *arg)
{
    return fault(PTHREAD_CREATE) ? faults[PTHREAD_CREATE].errnum
                                 : __real_pthread_create(t, a, f, arg);
}

static int connect_to(const char *ip, int port, tlsock_error *err)
{
    struct tsk_target t;
    struct tsk_dial *d;
    struct pollfd fds[TSK_DIAL_FDS];
    char text[64];
    size_t n;
    int rc;

    snprintf(text, sizeof(text), "%s:%d", ip, port);
    assert_int_equal(tsk_target_parse(&t, text, 0, err), 0);
    d = tsk_dial_new(&t, 4, NULL, err);
    assert_non_null(d);
    for (rc = tsk_dial_step(d, err); rc == TLSOCK_AGAIN;
         rc = tsk_dial_step(d, err)) {
        n = tsk_dial_pollfds(d, fds, TSK_DIAL_FDS);
        __real_poll(fds, n, tsk_dial_wait_ms(d));
    }
    if (rc == TLSOCK_OK)
        rc = tsk_dial_take_fd(d);
    tsk_dial_free(d);
    return rc;
}

static void an_interrupted_connect_goes_on(void **state)
{
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), fd;

    (void)state;
    order(CONNECT, 0, 1, EINTR);
    order(POLL, 0, 1, EINTR);
    fd = connect_to("127.0.0.1", port, NULL);
    assert_int_equal(faults[CONNECT].times + faults[POLL].times, 0);
    assert_true(fd >= 0);
    close(fd);
    close(listener);
}

static const struct {
    int errnum;
    const char *hint;
} connects[] = {
    {ECONNREFUSED, "nobody listens"},   {ETIMEDOUT, "firewall"},
    {EHOSTUNREACH, "firewall"},         {ENETUNREACH, "route"},
    {EACCES, "not allowed"},            {EPERM, "not allowed"},
    {EADDRNOTAVAIL, "local address"},   {EAFNOSUPPORT, "address family"},
    {EPROTO, "all there is to know"},
};

static void each_way_to_fail_has_its_advice(void **state)
{
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), before;

    (void)state;
    for (size_t i = 0; i < COUNT(connects); i++) {
        enum call calls[] = {CONNECT, SOCKET};

        for (size_t c = 0; c < COUNT(calls); c++) {
            tlsock_error err = {0};

            before = count_fds();
            order(calls[c], 0, 1, connects[i].errnum);
            assert_int_equal(connect_to("127.0.0.1", port, &err),
                             TLSOCK_E_CONNECT);
            assert_int_equal(err.sys_errno, connects[i].errnum);
            assert_non_null(strstr(err.hint, connects[i].hint));
            assert_non_null(strstr(err.message, "tried 127.0.0.1:"));
            assert_int_equal(count_fds(), before);
        }
    }
    close(listener);
}

static void an_unreadable_outcome_is_a_failure(void **state)
{
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), rc;
    tlsock_error err = {0};

    (void)state;
    order(CONNECT, 0, 1, EINTR); /* so that there is an outcome to read */
    order(GETSOCKOPT, 0, 1, ENOMEM);
    rc = connect_to("127.0.0.1", port, &err);
    assert_int_equal(rc, TLSOCK_E_CONNECT);
    assert_int_equal(err.sys_errno, ENOMEM);
    close(listener);
}

int64_t fake_now = 1000000;

int64_t fake_clock(void)
{
    return fake_now;
}

static int hole_port, open_port;

static int two_ports(const char *host, const char *service,
                     const struct addrinfo *hints, struct addrinfo **out)
{
    char port[2][8];
    int rc;

    (void)host;
    (void)service;
    snprintf(port[0], sizeof(port[0]), "%d", hole_port);
    snprintf(port[1], sizeof(port[1]), "%d", open_port);
    rc = getaddrinfo("127.0.0.1", port[0], hints, out);
    if (rc == 0)
        rc = getaddrinfo("127.0.0.1", port[1], hints, &(*out)->ai_next);
    return rc;
}

static void a_race_goes_on_without_more_descriptors(void **state)
{
    struct blackhole hole;
    struct tsk_target t;
    struct tsk_dial *d;
    struct pollfd fds[TSK_DIAL_FDS];
    int listener = bound(INADDR_LOOPBACK, 5, &open_port), rc;
    tlsock_error err = {0};

    (void)state;
    order(SOCKET, 0, 1, ENOBUFS);
    assert_int_equal(connect_to("127.0.0.1", open_port, &err),
                     TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, ENOBUFS);
    blackhole_open(&hole);
    hole_port = hole.port;
    tsk_resolve_getaddrinfo = two_ports;
    tsk_clock_monotonic = fake_clock;
    assert_int_equal(tsk_target_parse(&t, "localhost", 0, NULL), 0);
    d = tsk_dial_new(&t, 4, NULL, &err);
    while (tsk_dial_phase(d) == TLSOCK_PHASE_RESOLVE) {
        assert_int_equal(tsk_dial_step(d, &err), TLSOCK_AGAIN);
        if (tsk_dial_phase(d) == TLSOCK_PHASE_RESOLVE)
            __real_poll(fds, tsk_dial_pollfds(d, fds, 1), -1);
    }
    fake_now += 250;
    order(SOCKET, 0, 1, EMFILE);
    assert_int_equal(tsk_dial_step(d, &err), TLSOCK_AGAIN);
    assert_int_equal(tsk_dial_wait_ms(d), 250); /* tried again then */
    fake_now += 250;
    for (rc = tsk_dial_step(d, &err); rc == TLSOCK_AGAIN;
         rc = tsk_dial_step(d, &err))
        __real_poll(fds, tsk_dial_pollfds(d, fds, TSK_DIAL_FDS), -1);
    assert_int_equal(rc, TLSOCK_OK);
    tsk_dial_free(d);
    tsk_clock_monotonic = NULL;
    tsk_resolve_getaddrinfo = getaddrinfo;
    blackhole_close(&hole);
    close(listener);
}

static void lookups_that_cannot_begin_say_why(void **state)
{
    tlsock_error err = {0};
    int before = count_fds(), fd, port;
    int listener = bound(INADDR_LOOPBACK, 5, &port);

    (void)state;
    order(PTHREAD_CREATE, 0, 1, EAGAIN);
    assert_int_equal(connect_to("localhost", port, &err), TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EAGAIN);
    assert_non_null(strstr(err.message, "thread"));
    order(EVENTFD, 0, 1, EMFILE);
    assert_int_equal(connect_to("localhost", port, &err), TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EMFILE);
    order(PTHREAD_CREATE, 0, 1, EINVAL); /* stack too small here: another */
    fd = connect_to("localhost", port, &err);
    assert_true(fd >= 0);
    close(fd);
    close(listener);
    assert_int_equal(count_fds(), before);
}

static void interrupted_io_is_repeated(void **state)
{
    struct tsk_layer *l;
    char buf[4];
    int s[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    l = tsk_fd_layer_new(s[0], 1);
    order(SEND, 0, 3, EINTR);
    assert_int_equal(l->ops->send(l, "hi", 2), 2);
    assert_int_equal(write(s[1], "ho", 2), 2);
    order(RECV, 0, 3, EINTR);
    assert_int_equal(l->ops->recv(l, buf, 4), 2);
    order(SEND, 0, 1, ENOBUFS);
    assert_int_equal(l->ops->send(l, "hi", 2), TLSOCK_E_SYSTEM);
    assert_int_equal(l->sys_errno, ENOBUFS);
    order(RECV, 0, 1, ETIMEDOUT);
    assert_int_equal(l->ops->recv(l, buf, 4), TLSOCK_E_SYSTEM);
    assert_int_equal(l->sys_errno, ETIMEDOUT);
    l->ops->free(l, 0);
    close(s[1]);
}

static void accept_outlives_the_errors_of_its_clients(void **state)
{
    static const int transient[] = {ECONNABORTED, EINTR, EPROTO, ENETDOWN,
                                    EHOSTUNREACH, ECONNRESET};
    static const int hard[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS};
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), fd, client;
    tlsock_error err = {0};

    (void)state;
    client = connect_to("127.0.0.1", port, &err);
    for (size_t i = 0; i < COUNT(transient); i++) {
        order(ACCEPT4, 0, 1000, transient[i]);
        assert_int_equal(tsk_fd_accept(listener, 1, &fd, NULL, &err), TLSOCK_AGAIN);
    }
    order(ACCEPT4, 0, 1, EAGAIN);
    assert_int_equal(tsk_fd_accept(listener, 1, &fd, NULL, &err), TLSOCK_AGAIN);
    for (size_t i = 0; i < COUNT(hard); i++) {
        order(ACCEPT4, 0, 1, hard[i]);
        assert_int_equal(tsk_fd_accept(listener, 1, &fd, NULL, &err), TLSOCK_E_SYSTEM);
        assert_int_equal(err.sys_errno, hard[i]);
    }
    order(ACCEPT4, 0, 3, ECONNABORTED);
    assert_int_equal(tsk_fd_accept(listener, 1, &fd, NULL, &err), TLSOCK_OK);
    close(fd);
    close(client);
    close(listener);
}

/* No time limit, no waiting: poll() it is, as everywhere else. */
static void without_a_limit_nobody_waits(void **state)
{
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), s[2];
    struct tsk_layer *l;
    struct tsk_target t;
    struct tsk_dial *d;
    char text[32], byte;

    (void)state;
    snprintf(text, sizeof(text), "127.0.0.1:%d", port);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tsk_target_parse(&t, text, 0, NULL), 0);
        d = tsk_dial_new(&t, 4, NULL, NULL);
        tsk_dial_may_wait(d, 1);
        order(SETSOCKOPT, 0, i, ENOBUFS);
        s[0] = tsk_dial_step(d, NULL);
        for (int k = 0; k < 100 && s[0] == TLSOCK_AGAIN; k++) {
            struct pollfd p;

            tsk_dial_pollfds(d, &p, 1);
            __real_poll(&p, 1, 100);
            s[0] = tsk_dial_step(d, NULL);
        }
        assert_int_equal(s[0], TLSOCK_OK);
        assert_int_equal(tsk_dial_blocking(d), !i);
        tsk_dial_free(d);
    }
    close(listener);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    l = tsk_fd_layer_new(s[0], 0);
    tsk_fd_layer_may_wait(l, 0);
    order(SETSOCKOPT, 0, 1, ENOBUFS);
    assert_int_equal(l->ops->recv_wait(l, &byte, 1), TLSOCK_AGAIN);
    assert_int_equal(l->waits, 0);
    tsk_fd_layer_may_wait(l, 0);
    order(RECV, 0, 1, EINTR); /* time goes on: the caller looks at it */
    assert_int_equal(l->ops->recv_wait(l, &byte, 1), TLSOCK_AGAIN);
    assert_int_equal(l->waits, 1);
    order(RECV, 0, 1, ECONNRESET);
    assert_int_equal(l->ops->recv_wait(l, &byte, 1), TLSOCK_E_RESET);
    l->ops->free(l, 0);
    for (int i = 0; i < 2; i++) {
        order(FCNTL, i, 1, EPERM);
        assert_int_equal(tsk_fd_listener_may_wait(s[0]), 0);
    }
    order(SETSOCKOPT, 0, 1, ENOBUFS);
    assert_int_equal(tsk_fd_listener_may_wait(s[0]), 0);
    l = tsk_fd_layer_new(s[0], 0);
    tsk_fd_layer_may_wait(l, 1);
    order(FCNTL, 0, 1, EPERM);
    assert_int_equal(tsk_fd_layer_nonblock(l), 0);
    order(FCNTL, 1, 1, EPERM);
    assert_int_equal(tsk_fd_layer_nonblock(l), 0);
    assert_int_equal(l->waits, 1);
    assert_int_equal(tsk_fd_layer_nonblock(l), 1);
    assert_int_equal(l->waits, 0);
    l->ops->free(l, 0);
    close(s[0]);
    close(s[1]);
}

static void a_failing_poll_is_reported(void **state)
{
    tlsock_error err = {0};
    struct pollfd p = {0, 0, 0};
    int s[2];

    (void)state;
    order(POLL, 0, 1, ENOMEM);
    assert_int_equal(tsk_wait(&p, 0, TSK_NEVER, &err), TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, ENOMEM);
    order(POLL, 0, 3, EINTR);
    assert_int_equal(tsk_wait(&p, 0, 0, &err), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    order(POLL, 0, 1, ENOMEM);
    assert_int_equal(tsk_fd_sniff(s[0], -1), TLSOCK_E_SYSTEM);
    order(RECV, 0, 1, ENOMEM);
    assert_int_equal(tsk_fd_sniff(s[0], -1), TLSOCK_E_SYSTEM);
    assert_int_equal(write(s[1], "\x16\x03\x01", 3), 3);
    order(RECV, 0, 2, EINTR);
    assert_int_equal(tsk_fd_sniff(s[0], -1), TLSOCK_SNIFF_TLS);
    order(GETSOCKOPT, 0, 1, ENOMEM);
    assert_int_equal(tsk_fd_check_stream(s[0], NULL, 0, &err), TLSOCK_E_SYSTEM);
    close(s[0]);
    close(s[1]);
}

static void star_falls_back_to_ipv4(void **state)
{
    struct tsk_target t;
    tlsock_error err = {0};
    char text[64];
    int fd = -1;

    (void)state;
    assert_int_equal(tsk_target_parse(&t, "*:0", 1, NULL), 0);
    order(SOCKET, 0, 1, EAFNOSUPPORT);
    assert_int_equal(tsk_fd_listen(&t, 0, 5, &fd, &err), TLSOCK_OK);
    assert_int_equal(err.code, TLSOCK_OK);
    tsk_fd_address(fd, 0, text, sizeof(text));
    assert_int_equal(strncmp(text, "0.0.0.0:", 8), 0);
    close(fd);
    order(SOCKET, 0, 2, EAFNOSUPPORT);
    assert_int_equal(tsk_fd_listen(&t, 0, 5, &fd, &err), TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EAFNOSUPPORT);
}

#define T(f) cmocka_unit_test_setup(f, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_interrupted_connect_goes_on),
        T(each_way_to_fail_has_its_advice),
        T(an_unreadable_outcome_is_a_failure),
        T(a_race_goes_on_without_more_descriptors),
        T(lookups_that_cannot_begin_say_why),
        T(interrupted_io_is_repeated),
        T(accept_outlives_the_errors_of_its_clients),
        T(without_a_limit_nobody_waits),
        T(a_failing_poll_is_reported),
        T(star_falls_back_to_ipv4),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
