/* Many idle connections in one process, all nonblocking, one thread: what each
 * costs in memory and descriptors, on the server's side and on the client's.
 *
 *   tlsock-idle [CONNECTIONS]     10000 by default */
#include "bench.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <tlsock.h>
#include <tlsock/config.h>
#include <unistd.h>

#define AT_ONCE 64 /* handshakes under way, so that no queue overflows */

/* One connection on its way: ping there and pong back, then it is idle. */
struct one {
    tlsock *s;
    int fd; /* in the epoll set, or -1 */
    int said, idle;
};

struct crowd {
    int epoll, server;
    struct one *list;
    size_t n, begun, idle;
};

static long pss_kib(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    long kib = -1;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "Pss: %ld", &kib) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return kib;
}

static size_t descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        closedir(dir);
    return n;
}

static void watch(struct crowd *c, struct one *o)
{
    struct epoll_event e = {.events = 0, .data.ptr = o};
    int fd = tlsock_fd(o->s);
    short want = tlsock_events(o->s);

    e.events = (want & POLLIN ? EPOLLIN : 0) | (want & POLLOUT ? EPOLLOUT : 0);
    if (o->fd >= 0 && o->fd != fd)
        epoll_ctl(c->epoll, EPOLL_CTL_DEL, o->fd, NULL);
    if (epoll_ctl(c->epoll, o->fd == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
                  &e) != 0)
        bench_die("epoll_ctl: descriptor %d", fd);
    o->fd = fd;
}

/* The server waits for "ping" and answers, the client the other way round. */
static int advance(struct crowd *c, struct one *o)
{
    char got[8];
    ssize_t n;

    if (!c->server && !o->said) {
        n = tlsock_write(o->s, "ping", 4);
        if (n < 0)
            return (int)n;
        o->said = 1;
    }
    n = o->idle ? 1 : tlsock_read(o->s, got, sizeof(got));
    if (n <= 0)
        return n == 0 ? TLSOCK_E_TRUNCATED : (int)n;
    if (c->server && !o->said) {
        n = tlsock_write(o->s, "pong", 4);
        if (n < 0)
            return (int)n;
        o->said = 1;
    }
    if (!o->idle)
        c->idle++;
    o->idle = 1;
    n = tlsock_read(o->s, got, sizeof(got)); /* as a loop would: until AGAIN */
    return n == TLSOCK_AGAIN ? TLSOCK_AGAIN : TLSOCK_E_STATE;
}

static void go_on(struct crowd *c, struct one *o)
{
    int rc = advance(c, o);

    if (rc != TLSOCK_AGAIN)
        bench_die("connection: %s", tlsock_last_error(o->s)->message);
    watch(c, o);
}

static void begin(struct crowd *c, tlsock *s)
{
    struct one *o = &c->list[c->begun++];

    o->s = s;
    o->fd = -1;
    go_on(c, o);
}

static void accept_all(struct crowd *c, tlsock_listener *l)
{
    tlsock_error err;
    tlsock *s;

    while (c->begun < c->n && (s = tlsock_accept(l, &err)) != NULL)
        begin(c, s);
}

static void run(struct crowd *c, tlsock_listener *l, const char *target,
                tlsock_config *config)
{
    struct epoll_event events[256];
    tlsock_error err;

    while (c->idle < c->n) {
        int n;

        while (l == NULL && c->begun < c->n && c->begun - c->idle < AT_ONCE) {
            tlsock *s =
                tlsock_connect(target, config,
                               TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = -1,
                                           .name = BENCH_NAME),
                               &err);

            if (s == NULL)
                bench_die("connect: %s", err.message);
            begin(c, s);
        }
        n = epoll_wait(c->epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL)
                accept_all(c, l);
            else
                go_on(c, events[i].data.ptr);
        }
    }
}

static struct crowd crowd_new(size_t n, int server)
{
    struct crowd c = {
        .epoll = epoll_create1(EPOLL_CLOEXEC), .server = server, .n = n};

    c.list = calloc(n, sizeof(*c.list));
    if (c.list == NULL || c.epoll < 0)
        bench_die("out of memory");
    memset(c.list, 0, n * sizeof(*c.list)); /* resident before it counts */
    return c;
}

static void report(const char *who, const struct crowd *c, long before,
                   size_t fds)
{
    printf("%-7s %zu idle connections, %.1f KiB each, %.2f descriptors each\n",
           who, c->n, (double)(pss_kib() - before) / (double)c->n,
           (double)(descriptors() - fds) / (double)c->n);
    fflush(stdout);
}

static void client(const struct bench_files *f, int port, size_t n, int done)
{
    tlsock_config *config = tlsock_config_new();
    struct crowd c = crowd_new(n, 0);
    char target[32];
    size_t fds = descriptors();
    long before = pss_kib();

    snprintf(target, sizeof(target), "127.0.0.1:%d", port);
    if (tlsock_config_add_trust(config, f->root) < 0)
        bench_die("trust: %s", tlsock_config_error(config)->message);
    run(&c, NULL, target, config);
    report("client", &c, before, fds);
    (void)!write(done, "x", 1);
    pause(); /* they stay open until the server has counted, too */
}

static void serve(const struct bench_files *f, tlsock_listener *l, size_t n,
                  int done)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    struct crowd c = crowd_new(n, 1);
    size_t fds = descriptors();
    long before = pss_kib();
    char byte;

    (void)f;
    if (epoll_ctl(c.epoll, EPOLL_CTL_ADD, tlsock_listener_fd(l), &e) != 0)
        bench_die("epoll_ctl");
    run(&c, l, NULL, NULL);
    if (read(done, &byte, 1) != 1)
        bench_die("the client failed");
    report("server", &c, before, fds);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    tlsock_config *config = tlsock_config_new();
    struct bench_files f;
    struct rlimit limit;
    tlsock_listener *l;
    tlsock_error err;
    int done[2];
    pid_t pid;

    if (n == 0 || pipe(done) != 0)
        bench_die("usage: tlsock-idle [CONNECTIONS]");
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (n + 100 > limit.rlim_cur)
        bench_die("%zu connections need more descriptors than ulimit -n %lu", n,
                  (unsigned long)limit.rlim_cur);
    bench_files_make(&f);
    if (tlsock_config_add_identity(config, f.chain, f.key, NULL) < 0)
        bench_die("identity: %s", tlsock_config_error(config)->message);
    l = tlsock_listen("127.0.0.1:0", config, TLSOCK_OPTS(.nonblocking = 1),
                      &err);
    if (l == NULL)
        bench_die("listen: %s", err.message);
    pid = fork();
    if (pid == 0) {
        close(done[0]);
        client(&f, tlsock_listener_port(l), n, done[1]);
        _exit(0);
    }
    close(done[1]);
    serve(&f, l, n, done[0]);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    bench_files_remove(&f);
    return 0;
}
