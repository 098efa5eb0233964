#include "net_help.h"

#include "net/dial.h"
#include "net/fd.h"
#include "net/resolve.h"

#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/un.h>

int64_t fake_now;

int64_t fake_clock(void)
{
    return fake_now;
}

/* A resolver that knows one name, with these addresses. */
static struct {
    struct {
        const char *ip;
        int port;
    } list[400];
    size_t n;
} answers;

static int answer(const char *host, const char *service,
                  const struct addrinfo *hints, struct addrinfo **out)
{
    struct addrinfo **tail = out;

    (void)host;
    (void)service;
    (void)hints;
    for (size_t i = 0; i < answers.n; i++) {
        struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST,
                                   .ai_socktype = SOCK_STREAM}, *one;
        struct addrinfo *copy = calloc(1, sizeof(*copy) +
                                              sizeof(struct sockaddr_in6));
        char port[8];

        snprintf(port, sizeof(port), "%d", answers.list[i].port);
        if (copy == NULL ||
            getaddrinfo(answers.list[i].ip, port, &numeric, &one) != 0)
            abort();
        *copy = *one;
        copy->ai_addr = (struct sockaddr *)(copy + 1);
        copy->ai_next = NULL;
        memcpy(copy->ai_addr, one->ai_addr, one->ai_addrlen);
        freeaddrinfo(one);
        *tail = copy;
        tail = &copy->ai_next;
    }
    return 0;
}

static void answer_free(struct addrinfo *a)
{
    while (a != NULL) {
        struct addrinfo *next = a->ai_next;

        free(a);
        a = next;
    }
}

static void add(const char *ip, int port)
{
    answers.list[answers.n].ip = ip;
    answers.list[answers.n++].port = port;
}

static int setup(void **state)
{
    (void)state;
    answers.n = 0;
    tsk_resolve_getaddrinfo = answer;
    tsk_resolve_freeaddrinfo = answer_free;
    fake_now = 1000000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tsk_clock_monotonic = NULL;
    tsk_resolve_getaddrinfo = getaddrinfo;
    tsk_resolve_freeaddrinfo = freeaddrinfo;
    return 0;
}

static struct tsk_dial *dial(const char *text, int family, const char *local,
                             tlsock_error *err)
{
    struct tsk_target t;

    assert_int_equal(tsk_target_parse(&t, text, 0, err), TLSOCK_OK);
    return tsk_dial_new(&t, family, local, err);
}

/* Step until it is connected, has failed, or waits for its timer alone. With
 * a clock that stands still the timer never comes. */
static int run(struct tsk_dial *d, tlsock_error *err)
{
    int rc;

    for (;;) {
        struct pollfd fds[TSK_DIAL_FDS];
        size_t n;
        int ms;

        rc = tsk_dial_step(d, err);
        if (rc != TLSOCK_AGAIN)
            return rc;
        n = tsk_dial_pollfds(d, fds, TSK_DIAL_FDS);
        ms = tsk_dial_wait_ms(d);
        assert_true(n > 0 || ms >= 0); /* something will wake the caller */
        if (poll(fds, n, ms >= 0 && ms < 20 ? ms : 20) == 0 &&
            tsk_clock_monotonic != NULL &&
            tsk_dial_phase(d) == TLSOCK_PHASE_CONNECT)
            return TLSOCK_AGAIN;
    }
}

static int run_to_end(const char *text, int family, const char *local,
                      tlsock_error *err)
{
    struct tsk_dial *d = dial(text, family, local, err);
    int rc = d != NULL ? run(d, err) : err->code;

    if (rc == TLSOCK_OK) {
        rc = tsk_dial_take_fd(d);
        assert_int_equal(tsk_dial_take_fd(d), -1);
        assert_int_equal(tsk_dial_step(d, err), TLSOCK_OK);
    }
    tsk_dial_free(d);
    return rc;
}

static void one_address_connects(void **state)
{
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), fd, on = 0;
    socklen_t len = sizeof(on);
    char text[64];
    tlsock_error err;

    (void)state;
    snprintf(text, sizeof(text), "127.0.0.1:%d", port);
    fd = run_to_end(text, 0, NULL, &err);
    assert_true(fd >= 0);
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len);
    assert_true(on != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(tsk_fd_check_stream(fd, NULL, 0, &err), TLSOCK_OK);
    close(fd);
    close(listener);
}

/* In connect(2) itself; what it gives says so, and where it leads to. */
static void a_single_attempt_may_wait(void **state)
{
    static const struct {
        const char *ip;
        int may_wait;
    } rows[] = {{"127.0.0.1", 1}, {"127.0.0.1", 0}, {"0.0.0.0", 1}};
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), fd;
    char text[64], address[64], peer[64];
    tlsock_error err;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tsk_dial *d;

        snprintf(text, sizeof(text), "%s:%d", rows[i].ip, port);
        d = dial(text, 0, NULL, &err);
        tsk_dial_may_wait(d, rows[i].may_wait);
        assert_int_equal(run(d, &err), TLSOCK_OK);
        fd = tsk_dial_take_fd(d);
        assert_int_equal(tsk_dial_blocking(d), rows[i].may_wait);
        assert_int_equal((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0,
                         rows[i].may_wait);
        tsk_dial_address(d, address, sizeof(address));
        tsk_fd_address(fd, 1, peer, sizeof(peer));
        assert_string_equal(address, peer);
        tsk_dial_free(d);
        close(fd);
    }
    close(listener);
}

/* Nobody answers: it is back soon, races on, and the next one does not wait. */
static void who_waits_does_not_wait_long(void **state)
{
    struct blackhole hole;
    int port, listener = bound(INADDR_LOOPBACK, 5, &port);
    struct tsk_dial *d;
    tlsock_error err;

    (void)state;
    blackhole_open(&hole);
    add("127.0.0.2", hole.port);
    add("127.0.0.1", port);
    tsk_clock_monotonic = fake_clock;
    d = dial("a.example", 0, NULL, &err);
    tsk_dial_may_wait(d, 1);
    assert_int_equal(run(d, &err), TLSOCK_AGAIN);
    fake_now += 250;
    assert_int_equal(run(d, &err), TLSOCK_OK);
    assert_int_equal(tsk_dial_blocking(d), 0);
    tsk_clock_monotonic = NULL;
    tsk_dial_free(d);
    blackhole_close(&hole);
    close(listener);
}

static void a_name_is_resolved_first(void **state)
{
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), fd, before;
    struct tsk_dial *d;
    struct pollfd fds[TSK_DIAL_FDS];
    tlsock_error err;

    (void)state;
    add("127.0.0.1", port);
    before = count_fds();
    d = dial("a.example:443", 0, NULL, &err);
    assert_non_null(d);
    assert_int_equal(tsk_dial_phase(d), TLSOCK_PHASE_RESOLVE);
    assert_int_equal(tsk_dial_wait_ms(d), 0);
    assert_int_equal(tsk_dial_step(d, &err), TLSOCK_AGAIN);
    assert_int_equal(tsk_dial_pollfds(d, fds, TSK_DIAL_FDS), 1);
    assert_int_equal(fds[0].events, POLLIN);
    assert_int_equal(tsk_dial_wait_ms(d), -1);
    assert_int_equal(run(d, &err), TLSOCK_OK);
    assert_int_equal(tsk_dial_phase(d), TLSOCK_PHASE_CONNECT);
    assert_true(tsk_dial_resolve_ms(d) >= 0);
    assert_true(tsk_dial_connect_ms(d) >= 0);
    assert_int_equal(tsk_dial_wait_ms(d), 0);
    fd = tsk_dial_take_fd(d);
    tsk_dial_free(d);
    close(fd);
    assert_int_equal(count_fds(), before);
    close(listener);
}

static void refusal_names_the_address_and_what_to_do(void **state)
{
    int port, fd = bound(INADDR_LOOPBACK, -1, &port);
    char text[64], want[128];
    tlsock_error err = {0};

    (void)state;
    snprintf(text, sizeof(text), "127.0.0.1:%d", port);
    snprintf(want, sizeof(want),
             "cannot connect to 127.0.0.1: tried 127.0.0.1:%d: "
             "Connection refused", port);
    assert_int_equal(run_to_end(text, 0, NULL, &err), TLSOCK_E_CONNECT);
    assert_string_equal(err.message, want);
    assert_int_equal(err.sys_errno, ECONNREFUSED);
    assert_int_equal(err.phase, TLSOCK_PHASE_CONNECT);
    assert_non_null(strstr(err.hint, "is the server running"));
    close(fd);
}

static void a_failure_stays(void **state)
{
    int port, fd = bound(INADDR_LOOPBACK, -1, &port);
    tlsock_error err = {0}, again = {0};
    struct tsk_dial *d;

    (void)state;
    add("127.0.0.1", port);
    d = dial("a.example", 0, NULL, &err);
    assert_int_equal(run(d, NULL), TLSOCK_E_CONNECT);
    assert_int_equal(tsk_dial_step(d, &err), TLSOCK_E_CONNECT);
    assert_int_equal(tsk_dial_step(d, &again), TLSOCK_E_CONNECT);
    assert_memory_equal(&err, &again, sizeof(err));
    assert_int_equal(tsk_dial_take_fd(d), -1);
    assert_int_equal(tsk_dial_wait_ms(d), 0);
    tsk_dial_free(d);
    close(fd);
}

static void a_refused_address_lets_the_next_in_at_once(void **state)
{
    int closed, open, port, port2, fd;
    tlsock_error err;

    (void)state;
    closed = bound(INADDR_LOOPBACK, -1, &port);
    open = bound(INADDR_LOOPBACK, 5, &port2);
    add("127.0.0.1", port);
    add("127.0.0.1", port2);
    tsk_clock_monotonic = fake_clock; /* no time passes */
    fd = run_to_end("a.example", 0, NULL, &err);
    assert_true(fd >= 0);
    close(fd);
    close(closed);
    close(open);
}

static void a_silent_address_gets_250_ms_alone(void **state)
{
    struct blackhole hole;
    struct tsk_dial *d;
    struct pollfd fds[TSK_DIAL_FDS];
    char text[300], want[64], peer[64];
    tlsock_error err;
    int port, open = bound(INADDR_LOOPBACK, 5, &port), before, fd;

    (void)state;
    blackhole_open(&hole);
    add("127.0.0.2", hole.port);
    add("127.0.0.1", port);
    tsk_clock_monotonic = fake_clock;
    before = count_fds();
    d = dial("a.example", 0, NULL, &err);
    assert_int_equal(run(d, &err), TLSOCK_AGAIN);
    assert_int_equal(tsk_dial_pollfds(d, fds, TSK_DIAL_FDS), 1);
    assert_int_equal(tsk_dial_wait_ms(d), 250);
    fake_now += 249;
    assert_int_equal(run(d, &err), TLSOCK_AGAIN);
    assert_int_equal(tsk_dial_wait_ms(d), 1);
    tsk_dial_describe(d, text, sizeof(text));
    snprintf(want, sizeof(want), "127.0.0.2:%d: no answer", hole.port);
    assert_string_equal(text, want);
    fake_now += 1;
    assert_int_equal(run(d, &err), TLSOCK_OK);
    assert_int_equal(tsk_dial_connect_ms(d), 250);
    assert_int_equal(tsk_dial_pollfds(d, fds, TSK_DIAL_FDS), 0);
    fd = tsk_dial_take_fd(d);
    assert_int_equal(count_fds(), before + 1); /* the loser is gone */
    snprintf(want, sizeof(want), "127.0.0.1:%d", port);
    tsk_fd_address(fd, 1, peer, sizeof(peer));
    assert_string_equal(peer, want);
    tsk_dial_free(d);
    close(fd);
    blackhole_close(&hole);
    close(open);
}

static void what_was_tried_can_be_told_at_any_time(void **state)
{
    struct blackhole hole;
    struct tsk_dial *d;
    char text[300], want[128];
    tlsock_error err;
    int port, closed = bound(INADDR_LOOPBACK, -1, &port);

    (void)state;
    blackhole_open(&hole);
    add("127.0.0.1", port);
    add("127.0.0.2", hole.port);
    tsk_clock_monotonic = fake_clock;
    d = dial("a.example", 0, NULL, &err);
    tsk_dial_describe(d, text, sizeof(text));
    assert_string_equal(text, "");
    assert_int_equal(run(d, &err), TLSOCK_AGAIN);
    tsk_dial_describe(d, text, sizeof(text));
    snprintf(want, sizeof(want), "127.0.0.2:%d: no answer; 127.0.0.1:%d: "
             "Connection refused", hole.port, port);
    assert_string_equal(text, want);
    tsk_dial_describe(d, NULL, 0);
    tsk_dial_free(d);
    blackhole_close(&hole);
    close(closed);
}

static void the_first_may_still_win_after_the_second_began(void **state)
{
    struct blackhole hole, other;
    struct tsk_dial *d;
    tlsock_error err;
    int before, fd;

    (void)state;
    blackhole_open(&hole);
    blackhole_open(&other);
    add("127.0.0.2", hole.port);
    add("127.0.0.2", other.port);
    tsk_clock_monotonic = fake_clock;
    before = count_fds();
    d = dial("a.example", 0, NULL, &err);
    assert_int_equal(run(d, &err), TLSOCK_AGAIN);
    fake_now += 250;
    assert_int_equal(run(d, &err), TLSOCK_AGAIN);
    assert_int_equal(tsk_dial_wait_ms(d), -1);
    /* Drained, the first listener takes the next SYN that is sent again. */
    for (int i = 0; i < FILLERS; i++) {
        close(hole.fillers[i]);
        hole.fillers[i] = -1;
    }
    fcntl(hole.fd, F_SETFL, O_NONBLOCK);
    for (fd = accept(hole.fd, NULL, NULL); fd >= 0;
         fd = accept(hole.fd, NULL, NULL))
        close(fd);
    tsk_clock_monotonic = NULL;
    assert_int_equal(run(d, &err), TLSOCK_OK);
    tsk_dial_free(d); /* not taken: closed too */
    close(hole.fd);
    blackhole_close(&other);
    assert_true(count_fds() < before);
}

static void families_take_turns(void **state)
{
    struct blackhole hole;
    char want[300];
    tlsock_error err = {0};
    int port, closed = bound(INADDR_ANY, -1, &port);

    (void)state;
    blackhole_open(&hole);
    add("::1", port); /* ::1, too, has nobody listening at that port */
    add("::ffff:127.0.0.2", port);
    add("::ffff:127.0.0.3", port);
    add("127.0.0.4", port);
    add("127.0.0.5", port);
    run_to_end("a.example", 0, NULL, &err);
    assert_int_equal(err.code, TLSOCK_E_CONNECT);
    snprintf(want, sizeof(want), "tried [::1]:%d: ", port);
    assert_non_null(strstr(err.message, want));
    {
        const char *a = strstr(err.message, "[::1]:");
        const char *b = strstr(err.message, "127.0.0.4:");
        const char *c = strstr(err.message, "127.0.0.2:");
        const char *e = strstr(err.message, "127.0.0.5:");
        const char *f = strstr(err.message, "127.0.0.3:");

        if (a == NULL || b < a || c < b || e < c || (f != NULL && f < e))
            fail_msg("%s", err.message);
    }
    blackhole_close(&hole);
    close(closed);
}

static void every_failure_is_told_or_counted(void **state)
{
    int port, closed = bound(INADDR_LOOPBACK, -1, &port);
    tlsock_error err = {0};

    (void)state;
    for (size_t i = 0; i < 200; i++)
        add("127.0.0.1", port);
    assert_int_equal(run_to_end("a.example", 0, NULL, &err), TLSOCK_E_CONNECT);
    assert_non_null(strstr(err.message, "; and 19"));
    assert_string_equal(err.message + strlen(err.message) - 5, " more");
    for (size_t i = 0; i < 200; i++)
        add("127.0.0.1", port);
    assert_int_equal(run_to_end("a.example", 0, NULL, &err), TLSOCK_E_CONNECT);
    assert_non_null(strstr(err.message, "; and 25")); /* 256 are tried */
    close(closed);
}

static void at_most_sixteen_race(void **state)
{
    static const char *const ips[] = {
        "127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4", "127.0.1.5"};
    struct pollfd fds[TSK_DIAL_FDS];
    struct blackhole hole;
    struct tsk_dial *d;
    tlsock_error err;

    (void)state;
    blackhole_open(&hole);
    for (size_t i = 0; i < 20; i++)
        add(ips[i % COUNT(ips)], hole.port);
    tsk_clock_monotonic = fake_clock;
    d = dial("a.example", 0, NULL, &err);
    assert_int_equal(run(d, &err), TLSOCK_AGAIN);
    for (size_t i = 2; i <= 20; i++) {
        fake_now += 250;
        assert_int_equal(tsk_dial_step(d, &err), TLSOCK_AGAIN);
        assert_int_equal(tsk_dial_pollfds(d, fds, TSK_DIAL_FDS),
                         i < TSK_DIAL_FDS ? i : TSK_DIAL_FDS);
        assert_int_equal(tsk_dial_pollfds(d, fds, 1), 1);
        assert_int_equal(tsk_dial_wait_ms(d), i < TSK_DIAL_FDS ? 250 : -1);
    }
    tsk_dial_free(d);
    blackhole_close(&hole);
}

static void local_address_is_bound(void **state)
{
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), fd;
    char text[64];
    tlsock_error err = {0};

    (void)state;
    snprintf(text, sizeof(text), "127.0.0.1:%d", port);
    fd = run_to_end(text, 0, "127.0.0.9", &err);
    assert_true(fd >= 0);
    tsk_fd_address(fd, 0, text, sizeof(text));
    assert_int_equal(strncmp(text, "127.0.0.9:", 10), 0);
    close(fd);
    add("127.0.0.1", port);
    assert_int_equal(run_to_end("a.example", 0, "192.0.2.1", &err),
                     TLSOCK_E_CONNECT);
    assert_int_equal(err.sys_errno, EADDRNOTAVAIL);
    assert_non_null(strstr(err.message, "cannot bind the local address"));
    close(listener);
}

static const struct {
    const char *target;
    int family;
    const char *local, *says;
} refused[] = {
    {"127.0.0.1:1", 0, "localhost", "\"localhost\" is no numeric"},
    {"127.0.0.1:1", 0, "", "\"\" is no numeric"},
    {"127.0.0.1:1", 0, "127.0.0.1:5", "no numeric"},
    {"127.0.0.1:1", 0, "::1", "is IPv6, the connection is not"},
    {"[::1]:1", 0, "127.0.0.1", "is IPv4, the connection is not"},
    {"a.example", 6, "127.0.0.1", "is IPv4, the connection is not"},
    {"unix:/x", 0, "127.0.0.1", "UNIX sockets have none"},
    {"a.example", 5, NULL, "not 5"},
};

static void unusable_arguments_are_refused_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        tlsock_error err = {0};

        assert_null(dial(refused[i].target, refused[i].family,
                         refused[i].local, &err));
        assert_int_equal(err.code, TLSOCK_E_ARGUMENT);
        if (strstr(err.message, refused[i].says) == NULL)
            fail_msg("%s", err.message);
    }
}

static void a_target_of_the_other_family_is_refused(void **state)
{
    tlsock_error err = {0};

    (void)state;
    assert_int_equal(run_to_end("127.0.0.1:1", 6, NULL, &err),
                     TLSOCK_E_ARGUMENT);
    assert_int_equal(run_to_end("[::1]:1", 4, NULL, &err), TLSOCK_E_ARGUMENT);
}

static int fails(const char *host, const char *service,
                 const struct addrinfo *hints, struct addrinfo **out)
{
    (void)host;
    (void)service;
    (void)hints;
    (void)out;
    return EAI_NONAME;
}

static void a_failed_lookup_ends_it(void **state)
{
    tlsock_error err = {0};
    int before = count_fds();

    (void)state;
    tsk_resolve_getaddrinfo = fails;
    assert_int_equal(run_to_end("a.example", 0, NULL, &err), TLSOCK_E_RESOLVE);
    assert_int_equal(err.phase, TLSOCK_PHASE_RESOLVE);
    assert_non_null(strstr(err.message, "a.example"));
    assert_int_equal(count_fds(), before);
}

static void freed_at_any_point_it_leaves_nothing(void **state)
{
    int port, listener = bound(INADDR_LOOPBACK, 5, &port), before;
    struct tsk_dial *d;

    (void)state;
    add("127.0.0.1", port);
    before = count_fds();
    for (int steps = 0; steps < 4; steps++) {
        d = dial("a.example", 0, NULL, NULL);
        for (int i = 0; i < steps; i++)
            tsk_dial_step(d, NULL);
        tsk_dial_free(d);
        assert_int_equal(count_fds(), before);
    }
    tsk_dial_free(NULL);
    close(listener);
}

static int unix_server(const char *path, int backlog)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static void unix_sockets_connect_and_wait_for_a_full_queue(void **state)
{
    char dir[] = "/tmp/tsk-net-XXXXXX", path[64], text[80];
    tlsock_error err = {0};
    struct tsk_dial *d = NULL;
    int server, fds[8], n = 0, rc;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/s", dir);
    snprintf(text, sizeof(text), "unix:%s", path);
    assert_int_equal(run_to_end(text, 0, NULL, &err), TLSOCK_E_CONNECT);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_non_null(strstr(err.message, text));
    assert_non_null(strstr(err.hint, "path"));
    server = unix_server(path, 0);
    tsk_clock_monotonic = fake_clock;
    for (rc = TLSOCK_OK; rc == TLSOCK_OK && n < 8;) {
        d = dial(text, 0, NULL, &err);
        rc = tsk_dial_step(d, &err);
        if (rc == TLSOCK_OK) {
            fds[n++] = tsk_dial_take_fd(d);
            tsk_dial_free(d);
        }
    }
    assert_int_equal(rc, TLSOCK_AGAIN);
    assert_int_equal(tsk_dial_wait_ms(d), 20);
    close(accept(server, NULL, NULL));
    assert_int_equal(tsk_dial_step(d, &err), TLSOCK_AGAIN);
    fake_now += 20;
    assert_int_equal(tsk_dial_step(d, &err), TLSOCK_OK);
    tsk_dial_free(d);
    while (n > 0)
        close(fds[--n]);
    close(server);
    tsk_clock_monotonic = NULL;
    assert_int_equal(run_to_end(text, 0, NULL, &err), TLSOCK_E_CONNECT);
    assert_int_equal(err.sys_errno, ECONNREFUSED);
    unlink(path);
    rmdir(dir);
}

static void out_of_descriptors_is_a_system_error(void **state)
{
    struct rlimit old, few;
    tlsock_error err = {0}, err2 = {0};
    int rc, rc2;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    rc = run_to_end("127.0.0.1:1", 0, NULL, &err);
    rc2 = run_to_end("a.example", 0, NULL, &err2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(rc, TLSOCK_E_SYSTEM);
    assert_int_equal(err.sys_errno, EMFILE);
    assert_non_null(strstr(err.hint, "ulimit"));
    assert_int_equal(rc2, TLSOCK_E_SYSTEM);
    assert_non_null(strstr(err2.hint, "ulimit"));
}

static int countdown;

static int nth(void)
{
    return countdown-- == 0;
}

static void oom(const char *text, const char *local, int least)
{
    int rc = -2, n;

    for (n = 0; rc < 0; n++) {
        tlsock_error err = {0};
        int before = count_fds();

        assert_true(n < 20);
        countdown = n;
        tsk_mem_fail = nth;
        rc = run_to_end(text, 0, local, &err);
        tsk_mem_fail = NULL;
        if (rc >= 0)
            close(rc);
        else if (rc != TLSOCK_E_NOMEM || err.code != rc)
            fail_msg("%s: allocation %d: %d \"%s\"", text, n, rc, err.message);
        assert_int_equal(count_fds(), before);
    }
    assert_true(n > least);
}

static void each_allocation_may_fail(void **state)
{
    int port, listener = bound(INADDR_LOOPBACK, 50, &port);
    char text[64];

    (void)state;
    add("127.0.0.1", port);
    snprintf(text, sizeof(text), "127.0.0.1:%d", port);
    oom(text, NULL, 2);
    oom(text, "127.0.0.1", 3);
    oom("a.example", NULL, 3);
    oom("a.example", "127.0.0.1", 4);
    close(listener);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_address_connects),
        T(a_single_attempt_may_wait),
        T(who_waits_does_not_wait_long),
        T(a_name_is_resolved_first),
        T(refusal_names_the_address_and_what_to_do),
        T(a_failure_stays),
        T(a_refused_address_lets_the_next_in_at_once),
        T(a_silent_address_gets_250_ms_alone),
        T(what_was_tried_can_be_told_at_any_time),
        T(the_first_may_still_win_after_the_second_began),
        T(families_take_turns),
        T(every_failure_is_told_or_counted),
        T(at_most_sixteen_race),
        T(local_address_is_bound),
        T(unusable_arguments_are_refused_at_once),
        T(a_target_of_the_other_family_is_refused),
        T(a_failed_lookup_ends_it),
        T(freed_at_any_point_it_leaves_nothing),
        T(unix_sockets_connect_and_wait_for_a_full_queue),
        T(out_of_descriptors_is_a_system_error),
        T(each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
