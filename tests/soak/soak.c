/* soak MOST CONNECTIONS SECONDS ROUNDS - MOST connections at once, in each
 * round at least CONNECTIONS and at least SECONDS of them. Good if every echo
 * was right, every failure had a cause, and both processes hold at the end what
 * they held after the first round. */
#include "soak.h"
#include "ca.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLACK_HEAP                                                             \
    (96 * 1024) /* caches of the process, OpenSSL's own lists                  \
                 */

uint32_t soak_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

int soak_milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int)(t.tv_sec % 1000000) * 1000 + (int)(t.tv_nsec / 1000000);
}

int soak_wants(tlsock *s)
{
    short want = tlsock_events(s);

    return (want & POLLIN ? (int)EPOLLIN : 0) |
           (want & POLLOUT ? (int)EPOLLOUT : 0);
}

struct soak_held soak_held(void)
{
    struct soak_held held = {.heap = -1};
    char line[128];
    FILE *f;
    DIR *d;

#ifdef __GLIBC__
    malloc_trim(0);
#endif
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) &&                    \
    !defined(__SANITIZE_THREAD__)
    held.heap = (long)(mallinfo2().uordblks + mallinfo2().hblkhd);
#endif
    f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "VmRSS: %ld", &held.rss) == 1)
            break;
    if (f != NULL)
        fclose(f);
    d = opendir("/proc/self/fd");
    while (d != NULL && readdir(d) != NULL)
        held.fds++;
    if (d != NULL)
        closedir(d);
    return held;
}

static void print_round(int i, const struct soak_round *r,
                        const struct soak_report *s,
                        const struct soak_held *mine)
{
    print_message("# round %d: %ld opened, at most %ld at once; %ld whole, %ld "
                  "broken; faults: %ld of clients, %ld of the server\n",
                  i, r->opened, r->most, r->whole, r->broken, r->faults,
                  s->faults);
    print_message("#   client holds %ld B, RSS %ld KiB, %d descriptors; server "
                  "%ld B, %ld KiB, %d\n",
                  mine->heap, mine->rss, mine->fds, s->held.heap, s->held.rss,
                  s->held.fds);
}

static void check_flat(const char *who, const struct soak_held *first,
                       const struct soak_held *last)
{
    if (last->fds != first->fds || last->heap > first->heap + SLACK_HEAP)
        fail_msg(
            "%s holds %ld B and %d descriptors, %ld and %d after the first "
            "round",
            who, last->heap, last->fds, first->heap, first->fds);
}

static void visit(int port, int ask, const struct soak_plan *plan)
{
    static struct soak_held mine[1000], theirs[1000];
    tlsock_config *configs[3] = {ca_client(NULL),
                                 ca_client("tls.max", "1.2", NULL),
                                 tlsock_config_new()};
    struct soak_round round;
    struct soak_report report;
    uint32_t random = 0x50aced;

    for (int i = 0; i < plan->rounds; i++) {
        soak_visit(port, configs, plan, &random, &round);
        assert_int_equal(write(ask, "?", 1), 1);
        assert_int_equal(recv(ask, &report, sizeof(report), MSG_WAITALL),
                         sizeof(report));
        mine[i] = soak_held();
        theirs[i] = report.held;
        print_round(i, &round, &report, &mine[i]);
        assert_string_equal(round.odd, "");
        assert_string_equal(report.odd, "");
        assert_int_equal(round.whole + round.broken + round.faults,
                         round.opened);
        assert_within(round.whole, 1, round.opened);
        /* none that the server did no wrong */
        if (round.broken > report.faults)
            fail_msg("%ld good connections failed, %ld by a fault",
                     round.broken, report.faults);
    }
    check_flat("the client", &mine[0], &mine[plan->rounds - 1]);
    check_flat("the server", &theirs[0], &theirs[plan->rounds - 1]);
    for (int i = 0; i < 3; i++)
        tlsock_config_unref(configs[i]);
}

static void test_soak(void **state)
{
    const struct soak_plan *plan = *state;
    tlsock_config *config = ca_server(ca_get()->a, NULL);
    tlsock_error err;
    tlsock_listener *l =
        tlsock_listen("127.0.0.1:0", config,
                      TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = 40000), &err);
    int ends[2], status;
    pid_t pid;

    if (l == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        status = soak_serve(l, ends[1]);
        tlsock_listener_free(l);
        tlsock_config_unref(config);
        _exit(status);
    }
    close(ends[1]);
    visit(tlsock_listener_port(l), ends[0], plan);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    tlsock_listener_free(l);
    tlsock_config_unref(config);
}

int main(int argc, char **argv)
{
    struct soak_plan plan = {300, 600, 0, 3, 60, 300};
    struct rlimit files;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_soak, &plan),
    };

    if (argc == 5)
        plan = (struct soak_plan){atol(argv[1]), atol(argv[2]), atoi(argv[3]),
                                  atoi(argv[4]), 15000,         0};
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    /* a client has a stable descriptor beside its socket */
    if ((rlim_t)plan.most * 2 + 64 > files.rlim_max || plan.rounds > 1000 ||
        plan.rounds < 1)
        return fprintf(stderr, "at most %ld at once here\n",
                       ((long)files.rlim_max - 64) / 2);
    return cmocka_run_group_tests(tests, ca_setup, ca_teardown);
}
