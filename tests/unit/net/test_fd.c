#include "net_help.h"

#include "net/fd.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/un.h>

/* A connected pair of TCP sockets. */
static void tcp_pair(int s[2])
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    int port, listener = bound(INADDR_LOOPBACK, 1, &port);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons((uint16_t)port);
    s[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(s[0], (struct sockaddr *)&sin, sizeof(sin)), 0);
    s[1] = accept(listener, NULL, NULL);
    assert_true(s[1] >= 0);
    close(listener);
}

static void unix_pair(int s[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
}

static void reset_by(int fd)
{
    struct linger l = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    close(fd);
}

static void layer_never_waits_and_leaves_the_flags_alone(void **state)
{
    int s[2], flags;
    char buf[65536] = "ping";
    struct tsk_layer *a, *b;
    ssize_t n;

    (void)state;
    unix_pair(s);
    flags = fcntl(s[0], F_GETFL);
    a = tsk_fd_layer_new(s[0], 1);
    b = tsk_fd_layer_new(s[1], 0);
    assert_int_equal(a->ops->fd(a), s[0]);
    assert_int_equal(a->ops->events(a, POLLIN), POLLIN);
    assert_int_equal(a->ops->recv(a, buf, 1), TLSOCK_AGAIN);
    assert_int_equal(a->ops->send(a, "ping", 4), 4);
    assert_int_equal(b->ops->recv(b, buf, sizeof(buf)), 4);
    assert_memory_equal(buf, "ping", 4);
    do
        n = a->ops->send(a, buf, sizeof(buf));
    while (n > 0);
    assert_int_equal(n, TLSOCK_AGAIN);
    assert_int_equal(fcntl(s[0], F_GETFL), flags);
    while (b->ops->recv(b, buf, sizeof(buf)) > 0)
        ;
    a->ops->free(a, 1);
    assert_int_equal(fcntl(s[0], F_GETFL), -1); /* owned: closed */
    assert_int_equal(b->ops->recv(b, buf, 1), 0);
    b->ops->free(b, 0);
    assert_true(fcntl(s[1], F_GETFL) >= 0); /* borrowed: open */
    close(s[1]);
}

static void layer_reports_a_vanished_peer_without_a_signal(void **state)
{
    struct sigaction sa = {.sa_handler = SIG_DFL}, old;
    struct tsk_layer *l;
    char buf[4];
    int s[2];

    (void)state;
    sigaction(SIGPIPE, &sa, &old);
    unix_pair(s);
    l = tsk_fd_layer_new(s[0], 1);
    close(s[1]);
    assert_int_equal(l->ops->send(l, "x", 1), TLSOCK_E_RESET);
    assert_int_equal(l->sys_errno, EPIPE);
    l->ops->free(l, 0);

    tcp_pair(s);
    l = tsk_fd_layer_new(s[0], 1);
    reset_by(s[1]);
    assert_int_equal(l->ops->recv(l, buf, 4), TLSOCK_E_RESET);
    assert_int_equal(l->sys_errno, ECONNRESET);
    l->ops->free(l, 0);
    sigaction(SIGPIPE, &old, NULL);
}

static void layer_on_a_bad_descriptor_is_a_system_error(void **state)
{
    struct tsk_layer *l = tsk_fd_layer_new(-1, 0);
    char buf[4];

    (void)state;
    assert_int_equal(l->ops->recv(l, buf, 4), TLSOCK_E_SYSTEM);
    assert_int_equal(l->sys_errno, EBADF);
    assert_int_equal(l->ops->send(l, buf, 4), TLSOCK_E_SYSTEM);
    l->ops->free(l, 0);
}

static int refuse(void)
{
    return 1;
}

static void layer_without_memory_leaves_the_descriptor_open(void **state)
{
    int s[2];

    (void)state;
    unix_pair(s);
    tsk_mem_fail = refuse;
    assert_null(tsk_fd_layer_new(s[0], 1));
    tsk_mem_fail = NULL;
    assert_true(fcntl(s[0], F_GETFL) >= 0);
    close(s[0]);
    close(s[1]);
}

static void check_stream_takes_connected_streams(void **state)
{
    socklen_t len = sizeof(int);
    int s[2], on = 0;

    (void)state;
    unix_pair(s);
    assert_int_equal(tsk_fd_check_stream(s[0], NULL, 0, NULL), TLSOCK_OK);
    close(s[0]);
    close(s[1]);
    tcp_pair(s);
    assert_int_equal(tsk_fd_check_stream(s[0], NULL, 0, NULL), TLSOCK_OK);
    getsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &on, &len);
    assert_true(on != 0);
    close(s[0]);
    close(s[1]);
}

static void refused(int fd, int listening, const char *says)
{
    tlsock_error err = {0};
    int rc = listening ? tsk_fd_check_listening(fd, &err)
                       : tsk_fd_check_stream(fd, NULL, 0, &err);

    assert_int_equal(rc, TLSOCK_E_ARGUMENT);
    assert_int_equal(err.code, rc);
    if (strstr(err.message, says) == NULL || err.hint[0] == '\0')
        fail_msg("\"%s\" lacks \"%s\"", err.message, says);
}

static void other_descriptors_are_refused_and_named(void **state)
{
    int s[2], p[2], port, fd, udp;
    char name[64];

    (void)state;
    refused(-1, 0, "descriptor -1 is not a connected stream socket: it is not "
                   "open");
    refused(-1, 1, "descriptor -1 is not a listening stream socket");
    assert_int_equal(pipe(p), 0);
    snprintf(name, sizeof(name), "descriptor %d is", p[0]);
    refused(p[0], 0, name);
    refused(p[0], 0, "no socket");
    refused(p[0], 1, "no socket");
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    refused(udp, 0, "datagrams");
    refused(udp, 1, "datagrams");
    fd = bound(INADDR_LOOPBACK, 1, &port);
    refused(fd, 0, "it listens");
    assert_int_equal(tsk_fd_check_listening(fd, NULL), TLSOCK_OK);
    close(fd);
    fd = bound(INADDR_LOOPBACK, -1, &port);
    refused(fd, 0, "no peer");
    refused(fd, 1, "does not listen");
    close(fd);
    unix_pair(s);
    refused(s[0], 1, "does not listen");
    close(s[0]);
    close(s[1]);
    close(p[0]);
    close(p[1]);
    close(udp);
}

static void addresses_are_shown_as_they_are_typed(void **state)
{
    char text[128], want[128];
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    socklen_t len = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 9;
    int s[2], fd;

    (void)state;
    tcp_pair(s);
    snprintf(want, sizeof(want), "127.0.0.1:%d", tsk_fd_port(s[1]));
    tsk_fd_address(s[0], 1, text, sizeof(text));
    assert_string_equal(text, want);
    tsk_fd_address(s[1], 0, text, sizeof(text));
    assert_string_equal(text, want);
    tsk_fd_address(s[1], 0, text, 5);
    assert_string_equal(text, "127.");
    close(s[0]);
    close(s[1]);
    unix_pair(s);
    tsk_fd_address(s[0], 1, text, sizeof(text));
    assert_string_equal(text, "");
    assert_int_equal(tsk_fd_port(s[0]), 0);
    close(s[0]);
    close(s[1]);
    tsk_fd_address(-1, 1, text, sizeof(text));
    assert_string_equal(text, "");
    tsk_fd_address(-1, 1, NULL, 0);
    assert_int_equal(tsk_fd_port(-1), 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memcpy(sun.sun_path, "\0net-\x1b[1m", 9); /* abstract, and hostile */
    assert_int_equal(bind(fd, (struct sockaddr *)&sun, len), 0);
    tsk_fd_address(fd, 0, text, sizeof(text));
    assert_string_equal(text, "unix:\\x00net-\\x1b[1m");
    close(fd);
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd >= 0) {
        tsk_fd_address(fd, 0, text, sizeof(text));
        assert_string_equal(text, "[::]:0");
        close(fd);
    }
}

static const struct {
    const char *name, *bytes;
    size_t len;
    int end, want;
} sniffs[] = {
    {"TLS 1.0 record", "\x16\x03\x01", 3, 0, TLSOCK_SNIFF_TLS},
    {"SSL 3.0 record", "\x16\x03\x00", 3, 0, TLSOCK_SNIFF_TLS},
    {"TLS 1.3 record", "\x16\x03\x04xyz", 6, 0, TLSOCK_SNIFF_TLS},
    {"TLS, then the end", "\x16\x03\x03", 3, 1, TLSOCK_SNIFF_TLS},
    {"version 3.5", "\x16\x03\x05", 3, 0, TLSOCK_SNIFF_PLAIN},
    {"version 2", "\x16\x02", 2, 0, TLSOCK_SNIFF_PLAIN},
    {"an alert", "\x15\x03\x01", 3, 0, TLSOCK_SNIFF_PLAIN},
    {"one letter", "G", 1, 0, TLSOCK_SNIFF_PLAIN},
    {"a request", "GET / HTTP/1.1", 14, 0, TLSOCK_SNIFF_PLAIN},
    {"a NUL", "\0", 1, 0, TLSOCK_SNIFF_PLAIN},
    {"silence", "", 0, 0, TLSOCK_SNIFF_NONE},
    {"the end", "", 0, 1, TLSOCK_SNIFF_NONE},
    {"one fitting byte", "\x16", 1, 0, TLSOCK_SNIFF_NONE},
    {"two fitting bytes", "\x16\x03", 2, 0, TLSOCK_SNIFF_NONE},
    {"one fitting byte, then the end", "\x16", 1, 1, TLSOCK_SNIFF_PLAIN},
    {"two fitting bytes, then the end", "\x16\x03", 2, 1, TLSOCK_SNIFF_PLAIN},
};

static void sniffed(void (*pair)(int s[2]))
{
    char buf[32];

    for (size_t i = 0; i < COUNT(sniffs); i++) {
        int s[2], got;

        pair(s);
        assert_int_equal(send(s[1], sniffs[i].bytes, sniffs[i].len, 0),
                         (ssize_t)sniffs[i].len);
        if (sniffs[i].end)
            shutdown(s[1], SHUT_WR);
        got = tsk_fd_sniff(s[0], sniffs[i].want == TLSOCK_SNIFF_NONE ? 3
                                                                     : 10000);
        if (got != sniffs[i].want)
            fail_msg("%s: got %d", sniffs[i].name, got);
        got = (int)recv(s[0], buf, sizeof(buf), MSG_DONTWAIT);
        assert_int_equal(got <= 0 ? 0 : got, sniffs[i].len); /* not consumed */
        close(s[0]);
        close(s[1]);
    }
}

static void sniff_tells_tls_from_plaintext_and_takes_nothing(void **state)
{
    (void)state;
    sniffed(unix_pair);
    sniffed(tcp_pair);
}

static void *drip(void *arg)
{
    static const char hello[] = "\x16\x03\x01";
    int fd = *(int *)arg;

    for (int i = 0; i < 3; i++) {
        struct pollfd p = {fd, 0, 0};

        (void)!send(fd, hello + i, 1, MSG_NOSIGNAL);
        poll(&p, 0, 5);
    }
    return NULL;
}

static void sniff_waits_for_bytes_that_come_one_by_one(void **state)
{
    pthread_t thread;
    int s[2];

    (void)state;
    tcp_pair(s);
    assert_int_equal(pthread_create(&thread, NULL, drip, &s[1]), 0);
    assert_int_equal(tsk_fd_sniff(s[0], -1), TLSOCK_SNIFF_TLS);
    pthread_join(thread, NULL);
    close(s[0]);
    close(s[1]);
}

static void sniff_reports_what_is_no_stream(void **state)
{
    int s[2], p[2], port, fd;

    (void)state;
    assert_int_equal(tsk_fd_sniff(-1, 0), TLSOCK_E_ARGUMENT);
    assert_int_equal(pipe(p), 0);
    assert_int_equal(tsk_fd_sniff(p[0], 0), TLSOCK_E_ARGUMENT);
    fd = bound(INADDR_LOOPBACK, 1, &port);
    assert_int_equal(tsk_fd_sniff(fd, 0), TLSOCK_E_ARGUMENT);
    tcp_pair(s);
    reset_by(s[1]);
    assert_int_equal(tsk_fd_sniff(s[0], -1), TLSOCK_E_RESET);
    close(s[0]);
    close(fd);
    close(p[0]);
    close(p[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_never_waits_and_leaves_the_flags_alone),
        cmocka_unit_test(layer_reports_a_vanished_peer_without_a_signal),
        cmocka_unit_test(layer_on_a_bad_descriptor_is_a_system_error),
        cmocka_unit_test(layer_without_memory_leaves_the_descriptor_open),
        cmocka_unit_test(check_stream_takes_connected_streams),
        cmocka_unit_test(other_descriptors_are_refused_and_named),
        cmocka_unit_test(addresses_are_shown_as_they_are_typed),
        cmocka_unit_test(sniff_tells_tls_from_plaintext_and_takes_nothing),
        cmocka_unit_test(sniff_waits_for_bytes_that_come_one_by_one),
        cmocka_unit_test(sniff_reports_what_is_no_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
