#include "net_help.h"

#include "net/fd.h"
#include "net/resolve.h"

#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

static int listen_on(const char *text, int family, tlsock_error *err)
{
    struct tsk_target t;
    int fd = -1, rc = tsk_target_parse(&t, text, 1, err);

    assert_int_equal(rc, TLSOCK_OK);
    rc = tsk_fd_listen(&t, family, 0, &fd, err);
    return rc == TLSOCK_OK ? fd : rc;
}

static int dial(const char *ip, int port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, ip, &sin.sin_addr);
    sin.sin_port = htons((uint16_t)port);
    if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int has_ipv6(void)
{
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6,
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0), ok;

    if (fd < 0)
        return 0;
    ok = bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) == 0;
    close(fd);
    return ok;
}

static void no_host_is_loopback_alone(void **state)
{
    tlsock_error err;
    char text[64];
    int fd = listen_on(":0", 0, &err), flags;

    (void)state;
    assert_true(fd >= 0);
    tsk_fd_address(fd, 0, text, sizeof(text));
    assert_int_equal(strncmp(text, "127.0.0.1:", 10), 0);
    assert_true(tsk_fd_port(fd) > 0);
    assert_int_equal(tsk_fd_check_listening(fd, &err), TLSOCK_OK);
    flags = fcntl(fd, F_GETFL);
    assert_true((flags & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    close(fd);
    if (has_ipv6()) {
        fd = listen_on(":0", 6, &err);
        assert_true(fd >= 0);
        tsk_fd_address(fd, 0, text, sizeof(text));
        assert_int_equal(strncmp(text, "[::1]:", 6), 0);
        close(fd);
    }
}

/* It waits in accept(2), for a moment; what it accepts may wait as long. */
static void a_listener_may_wait_for_a_moment(void **state)
{
    struct timeval limit;
    char peer[64], text[64];
    socklen_t len = sizeof(limit);
    tlsock_error err;
    int fd = listen_on(":0", 0, &err), c, s;

    (void)state;
    assert_int_equal(tsk_fd_listener_may_wait(-1), 0);
    assert_int_equal(tsk_fd_listener_may_wait(fd), 1);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(tsk_fd_accept(fd, 0, &s, NULL, &err), TLSOCK_AGAIN);
    assert_int_equal(tsk_fd_accept(fd, 1, &s, NULL, &err), TLSOCK_AGAIN);
    c = dial("127.0.0.1", tsk_fd_port(fd));
    assert_true(c >= 0);
    assert_int_equal(tsk_fd_accept(fd, 0, &s, peer, &err), TLSOCK_OK);
    tsk_fd_address(s, 1, text, sizeof(text));
    assert_string_equal(peer, text);
    assert_int_equal(fcntl(s, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, &len), 0);
    assert_int_equal(limit.tv_sec, 0);
    assert_int_not_equal(limit.tv_usec, 0);
    close(c);
    close(s);
    close(fd);
}

static void star_is_every_address_of_both_families(void **state)
{
    tlsock_error err;
    int fd = listen_on("*:0", 0, &err), c, s;
    char text[64];

    (void)state;
    assert_true(fd >= 0);
    c = dial("127.0.0.7", tsk_fd_port(fd));
    assert_true(c >= 0);
    assert_int_equal(tsk_fd_accept(fd, 1, &s, NULL, &err), TLSOCK_OK);
    tsk_fd_address(s, 1, text, sizeof(text));
    assert_int_equal(strncmp(text, "127.0.0.1:", 10), 0); /* not ::ffff: */
    close(c);
    close(s);
    close(fd);
    fd = listen_on("*:0", 4, &err);
    tsk_fd_address(fd, 0, text, sizeof(text));
    assert_int_equal(strncmp(text, "0.0.0.0:", 8), 0);
    close(fd);
    if (has_ipv6()) {
        fd = listen_on("*:0", 6, &err);
        assert_true(fd >= 0);
        assert_int_equal(dial("127.0.0.1", tsk_fd_port(fd)), -1);
        close(fd);
    }
}

static void names_of_hosts_and_services_are_resolved(void **state)
{
    tlsock_error err = {0};
    int fd = listen_on("localhost:0", 4, &err);

    (void)state;
    if (fd < 0)
        fail_msg("%s", err.message);
    close(fd);
    fd = listen_on("127.0.0.1:no-such-service", 0, &err);
    assert_int_equal(fd, TLSOCK_E_RESOLVE);
    assert_non_null(strstr(err.message, "no-such-service"));
    assert_non_null(strstr(err.hint, "/etc/services"));
    assert_int_equal(listen_on(":no-such-service", 0, NULL), TLSOCK_E_RESOLVE);
    assert_int_equal(listen_on("127.0.0.1:0", 6, &err), TLSOCK_E_ARGUMENT);
}

static int service_is_4_digits(const char *host, const char *service,
                               const struct addrinfo *hints,
                               struct addrinfo **out)
{
    assert_string_equal(host, "127.0.0.1");
    assert_string_equal(service, "myservice");
    return getaddrinfo(host, "0", hints, out);
}

static void a_named_service_works_without_a_host(void **state)
{
    int fd;

    (void)state;
    tsk_resolve_getaddrinfo = service_is_4_digits;
    fd = listen_on("*:myservice", 4, NULL);
    tsk_resolve_getaddrinfo = getaddrinfo;
    assert_true(fd >= 0);
    close(fd);
}

static void a_taken_port_is_named_with_advice(void **state)
{
    tlsock_error err = {0};
    char text[64];
    int port, fd = bound(INADDR_LOOPBACK, 1, &port), rc;

    (void)state;
    snprintf(text, sizeof(text), "127.0.0.1:%d", port);
    rc = listen_on(text, 0, &err);
    assert_int_equal(rc, TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EADDRINUSE);
    assert_non_null(strstr(err.message, text));
    assert_non_null(strstr(err.hint, "another program"));
    rc = listen_on("192.0.2.1:0", 0, &err);
    assert_int_equal(rc, TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EADDRNOTAVAIL);
    assert_non_null(strstr(err.hint, "no such address"));
    close(fd);
}

static void a_listener_can_be_restarted_at_once(void **state)
{
    tlsock_error err;
    char text[64];
    int fd = listen_on("127.0.0.1:0", 0, &err), c, s, port;

    (void)state;
    port = tsk_fd_port(fd);
    c = dial("127.0.0.1", port);
    assert_int_equal(tsk_fd_accept(fd, 1, &s, NULL, &err), TLSOCK_OK);
    close(s); /* the server ends first: its side lingers in TIME_WAIT */
    close(c);
    close(fd);
    snprintf(text, sizeof(text), "127.0.0.1:%d", port);
    fd = listen_on(text, 0, &err);
    assert_true(fd >= 0);
    close(fd);
}

static void unix_sockets_replace_only_what_nobody_uses(void **state)
{
    char dir[] = "/tmp/tsk-net-XXXXXX", path[64], target[80];
    tlsock_error err = {0};
    struct stat st;
    int fd, s;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/s", dir);
    snprintf(target, sizeof(target), "unix:%s", path);
    fd = listen_on(target, 0, &err);
    assert_true(fd >= 0);
    assert_int_equal(listen_on(target, 0, &err), TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EADDRINUSE);
    assert_non_null(strstr(err.message, path));
    /* that looked like a client */
    assert_int_equal(tsk_fd_accept(fd, 1, &s, NULL, &err), TLSOCK_OK);
    close(s);
    close(fd);
    fd = listen_on(target, 0, &err); /* stale now */
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(unlink(path), 0);
    file = fopen(path, "w");
    fclose(file);
    assert_int_equal(listen_on(target, 0, &err), TLSOCK_E_SYSTEM);
    assert_int_equal(stat(path, &st), 0); /* a file is never removed */
    unlink(path);
    snprintf(target, sizeof(target), "unix:%s/no/s", dir);
    assert_int_equal(listen_on(target, 0, &err), TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_non_null(strstr(err.hint, "directory"));
    rmdir(dir);
}

static void accept_never_waits_even_on_a_blocking_listener(void **state)
{
    tlsock_error err;
    int port, fd = bound(INADDR_LOOPBACK, 1, &port), c, s = 0, on = 0;
    socklen_t len = sizeof(on);

    (void)state;
    assert_int_equal(tsk_fd_check_listening(fd, &err), TLSOCK_OK);
    assert_int_equal(tsk_fd_accept(fd, 1, &s, NULL, &err), TLSOCK_AGAIN);
    assert_int_equal(s, -1);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    c = dial("127.0.0.1", port);
    assert_int_equal(tsk_fd_accept(fd, 1, &s, NULL, &err), TLSOCK_OK);
    assert_true((fcntl(s, F_GETFD) & FD_CLOEXEC) != 0);
    getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, &len);
    assert_true(on != 0);
    close(s);
    close(c);
    close(fd);
    assert_int_equal(tsk_fd_accept(-1, 1, &s, NULL, &err), TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EBADF);
}

static void out_of_descriptors_leaves_the_listener_usable(void **state)
{
    struct rlimit old, few;
    tlsock_error err = {0};
    int fd = listen_on("127.0.0.1:0", 0, &err), s, rc;
    int c = dial("127.0.0.1", tsk_fd_port(fd));

    (void)state;
    assert_true(c >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = (rlim_t)(c + 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    rc = tsk_fd_accept(fd, 1, &s, NULL, &err);
    assert_int_equal(listen_on("127.0.0.1:0", 0, NULL), TLSOCK_E_SYSTEM);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(rc, TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EMFILE);
    assert_non_null(strstr(err.hint, "ulimit"));
    assert_int_equal(tsk_fd_accept(fd, 1, &s, NULL, &err), TLSOCK_OK);
    close(s);
    close(c);
    close(fd);
}

static int refuse(void)
{
    return 1;
}

static void listening_without_memory_fails(void **state)
{
    tlsock_error err = {0};

    (void)state;
    tsk_mem_fail = refuse;
    assert_int_equal(listen_on(":0", 0, &err), TLSOCK_E_NOMEM);
    assert_int_equal(err.code, TLSOCK_E_NOMEM);
    assert_int_equal(listen_on("localhost:0", 0, &err), TLSOCK_E_NOMEM);
    tsk_mem_fail = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_host_is_loopback_alone),
        cmocka_unit_test(a_listener_may_wait_for_a_moment),
        cmocka_unit_test(star_is_every_address_of_both_families),
        cmocka_unit_test(names_of_hosts_and_services_are_resolved),
        cmocka_unit_test(a_named_service_works_without_a_host),
        cmocka_unit_test(a_taken_port_is_named_with_advice),
        cmocka_unit_test(a_listener_can_be_restarted_at_once),
        cmocka_unit_test(unix_sockets_replace_only_what_nobody_uses),
        cmocka_unit_test(accept_never_waits_even_on_a_blocking_listener),
        cmocka_unit_test(out_of_descriptors_leaves_the_listener_usable),
        cmocka_unit_test(listening_without_memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
