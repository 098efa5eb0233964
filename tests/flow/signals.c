/* Signals that interrupt system calls change nothing: every byte is right and
 * no call fails, blocking or not. */
#include "ca.h"
#include "fault.h"
#include "sock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST (1u << 20)

static volatile sig_atomic_t alarms;

static void count(int sig)
{
    (void)sig;
    alarms = alarms + 1;
}

/* Every 200 us, and system calls are not restarted. */
static void storm(int on)
{
    struct itimerval every = {{0, on ? 200 : 0}, {0, on ? 200 : 0}};
    struct sigaction act = {.sa_handler = count};

    if (on)
        sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)((i * 2654435761u) >> 13);
}

/* These run in other threads and processes, too: no assertions. */
static int complain(const char *doing, const tlsock_error *err)
{
    fprintf(stderr, "# %s: %s\n", doing, err->message);
    return 1;
}

static int right(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != byte_at(i))
            return 0;
    return 1;
}

static int give_back(tlsock *s, uint8_t *all, size_t len)
{
    size_t have = 0;
    ssize_t n;

    if (tlsock_sniff(tlsock_fd(s), -1) != TLSOCK_SNIFF_TLS)
        return complain("sniff", tlsock_last_error(s));
    while ((n = tlsock_read(s, all + have, len + 1 - have)) > 0)
        have += (size_t)n;
    if (n < 0 || have != len || !right(all, len))
        return complain("server: read", tlsock_last_error(s));
    if (tlsock_write(s, all, len) != (ssize_t)len)
        return complain("server: write", tlsock_last_error(s));
    if (tlsock_shutdown(s, SHUT_RDWR) != 0)
        return complain("server: shutdown", tlsock_last_error(s));
    return 0;
}

/* One client: take all until its end, give it back. 0: well. */
static int serve(tlsock_listener *l, size_t len)
{
    tlsock_error err;
    tlsock *s = tlsock_accept(l, &err);
    uint8_t *all;
    int bad = 1;

    if (s == NULL)
        return complain("accept", &err);
    all = malloc(len + 1);
    if (all != NULL)
        bad = give_back(s, all, len);
    free(all);
    if (tlsock_close(s) != 0)
        return complain("server: close", tlsock_last_error(NULL));
    return bad;
}

static int file_of(size_t len)
{
    int fd = memfd_create("tlsock", MFD_CLOEXEC);

    for (size_t i = 0; i < len;) {
        uint8_t part[1024];
        size_t n = 0;

        for (; n < sizeof(part) && i + n < len; n++)
            part[n] = byte_at(i + n);
        if (write(fd, part, n) == (ssize_t)n)
            i += n;
    }
    return fd;
}

/* The second half is sent from the file, the first from memory. */
static int say(tlsock *c, int file, uint8_t *all, size_t len)
{
    tlsock_pollitem item = {.s = c, .events = POLLOUT};
    int64_t offset = (int64_t)len / 2;
    size_t half = len / 2;

    for (size_t i = 0; i < half; i++)
        all[i] = byte_at(i);
    if (tlsock_poll(&item, 1, -1) != 1)
        return complain("poll", tlsock_last_error(c));
    if (tlsock_write(c, all, half) != (ssize_t)half ||
        tlsock_sendfile(c, file, &offset, len - half) !=
            (ssize_t)(len - half) ||
        tlsock_flush(c) != 0)
        return complain("client: write", tlsock_last_error(c));
    if (tlsock_shutdown(c, SHUT_WR) != 0)
        return complain("client: shutdown", tlsock_last_error(c));
    return 0;
}

static int hear(tlsock *c, uint8_t *all, size_t len)
{
    tlsock_pollitem item = {.s = c, .events = POLLIN};
    size_t have = 0;
    ssize_t n;

    memset(all, 0, len);
    do {
        if (tlsock_poll(&item, 1, -1) != 1)
            return complain("poll", tlsock_last_error(c));
        n = tlsock_read(c, all + have, len + 1 - have);
        have += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    if (n < 0 || have != len || !right(all, len))
        return complain("client: read", tlsock_last_error(c));
    return 0;
}

static int ask(const char *target, tlsock_config *cc, int file, size_t len)
{
    tlsock_error err;
    tlsock *c =
        tlsock_connect(target, cc, TLSOCK_OPTS(.name = "localhost"), &err);
    uint8_t *all;
    int bad = 1;

    if (c == NULL)
        return complain(target, &err);
    all = malloc(len + 1);
    if (all != NULL)
        bad = say(c, file, all, len) || hear(c, all, len);
    free(all);
    if (tlsock_close(c) != 0)
        return complain("client: close", tlsock_last_error(NULL));
    return bad;
}

struct sides {
    tlsock_config *cc, *sc;
    tlsock_listener *l;
    char target[120];
    size_t len;
    int bad;
};

static void open_sides(struct sides *t, const char *where, size_t len)
{
    tlsock_error err;

    memset(t, 0, sizeof(*t));
    t->cc = ca_client(NULL);
    t->sc = ca_server(ca_get()->ip, NULL);
    t->len = len;
    t->l = tlsock_listen(where, t->sc, NULL, &err);
    if (t->l == NULL)
        fail_msg("%s: %s", where, err.message);
    if (strncmp(where, "unix:", 5) == 0)
        snprintf(t->target, sizeof(t->target), "%s", where);
    else
        snprintf(t->target, sizeof(t->target), "localhost:%d",
                 tlsock_listener_port(t->l));
}

static void close_sides(struct sides *t)
{
    tlsock_listener_free(t->l);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc);
}

/* The server is another process, in a storm of its own. */
static pid_t start_server(struct sides *t, int rounds)
{
    pid_t pid = fork();
    int bad = 0;

    if (pid != 0)
        return pid;
    storm(1);
    for (int i = 0; i < rounds; i++)
        bad |= serve(t->l, t->len);
    storm(0);
    test_exit(bad || alarms == 0);
}

static void signals_interrupt_nothing(void **state)
{
    char path[120];
    const char *where[] = {"127.0.0.1:0", path};
    const size_t lens[] = {1, 10000, MOST};

    (void)state;
    snprintf(path, sizeof(path), "unix:%s/storm", ca_get()->dir);
    for (size_t i = 0; i < COUNT(where) * COUNT(lens); i++) {
        size_t len = lens[i / 2];
        int rounds = len == MOST ? 5 : 20, file = file_of(len), status = 0;
        int bad = 0;
        struct sides t;
        pid_t pid;

        open_sides(&t, where[i % 2], len);
        alarms = 0;
        pid = start_server(&t, rounds);
        assert_true(pid > 0);
        storm(1);
        for (int k = 0; k < rounds; k++)
            bad |= ask(t.target, t.cc, file, len);
        storm(0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(bad, 0);
        assert_true(alarms > 0);
        print_message("# %s: %d signals in %d rounds of %zu bytes\n", t.target,
                      (int)alarms, rounds, len);
        close_sides(&t);
        unlink(path + strlen("unix:"));
        close(file);
    }
}

static void *serve_one(void *arg)
{
    struct sides *t = arg;

    t->bad = serve(t->l, t->len);
    return NULL;
}

/* The n-th call of each kind that a signal may interrupt. */
static void each_call_may_be_interrupted(void **state)
{
    static const enum fault_kind kinds[] = {
        FAULT_RECV, FAULT_SEND, FAULT_CONNECT, FAULT_ACCEPT,
        FAULT_POLL, FAULT_READ, FAULT_WRITE,   FAULT_CLOSE};
    const size_t len = 300000;
    int file = file_of(len);
    struct sides t;

    (void)state;
    open_sides(&t, "127.0.0.1:0", len);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        int fired = 1;
        long n;

        for (n = 0; fired; n++) {
            pthread_t server;
            int bad;

            fault_arm(kinds[i], n + 1, EINTR);
            assert_int_equal(pthread_create(&server, NULL, serve_one, &t), 0);
            bad = ask(t.target, t.cc, file, len);
            pthread_join(server, NULL);
            fired = fault_disarm();
            if (bad || t.bad)
                fail_msg("%s %ld: interrupted", fault_name(kinds[i]), n + 1);
        }
        print_message("# %s interrupted at each of %ld places\n",
                      fault_name(kinds[i]), n - 1);
        assert_true(n > 1);
    }
    close_sides(&t);
    close(file);
}

/* A listener of somebody else that blocks, a handle that must not. */
static void an_interrupted_look_does_not_make_accept_wait(void **state)
{
    tlsock_config *sc = ca_server(ca_get()->ip, NULL);
    tlsock_error err = {0};
    int port, fd = sock_listen(&port);
    tlsock_listener *l =
        tlsock_listener_from_fd(fd, sc, TLSOCK_OPTS(.nonblocking = 1), &err);

    (void)state;
    assert_non_null(l);
    fault_arm(FAULT_POLL, 1, EINTR);
    assert_null(tlsock_accept(l, &err));
    assert_int_equal(fault_disarm(), 1);
    assert_code(err.code, TLSOCK_AGAIN);
    tlsock_listener_free(l);
    tlsock_config_unref(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_interrupt_nothing),
        cmocka_unit_test(each_call_may_be_interrupted),
        cmocka_unit_test(an_interrupted_look_does_not_make_accept_wait),
    };

    fault_init();
    return cmocka_run_group_tests_name("signals", tests, ca_setup, ca_teardown);
}
