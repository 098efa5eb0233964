/* One measurement: a server process and a client process, each counting its
 * own CPU time from the end of the warm-up on. */
#include "bench.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM 4
#define PING 1024

const char *const bench_keys[BENCH_MODES] = {"full", "resumed", "loop",
                                             "bulk", "small",   "idle",
                                             "ping", "first",   "parts"};

struct meter {
    struct timespec t0;
    struct rusage r0;
};

double bench_cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

void bench_die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("bench: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    _exit(1);
}

void bench_nodelay(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int bench_dial(int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons((uint16_t)port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
        bench_die("cannot connect to port %d", port);
    bench_nodelay(fd);
    return fd;
}

static int listen_any(int *port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
        listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        bench_die("cannot listen");
    bench_nodelay(fd); /* accepted sockets inherit it */
    *port = ntohs(sa.sin_port);
    return fd;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void meter_start(struct meter *m)
{
    clock_gettime(CLOCK_MONOTONIC, &m->t0);
    getrusage(RUSAGE_SELF, &m->r0);
}

static void meter_stop(const struct meter *m, struct bench_result *r)
{
    struct timespec t1;
    struct rusage r1;

    getrusage(RUSAGE_SELF, &r1);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    r->wall_s = (double)(t1.tv_sec - m->t0.tv_sec) +
                (double)(t1.tv_nsec - m->t0.tv_nsec) / 1e9;
    r->cpu_s = seconds(r1.ru_utime) + seconds(r1.ru_stime) -
               seconds(m->r0.ru_utime) - seconds(m->r0.ru_stime);
}

/* Pages that several processes have count in part. */
static double pss_kib(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[128];
    double kib = -1;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "Pss: %lf kB", &kib) == 1)
            break;
    if (kib < 0)
        bench_die("no /proc/self/smaps_rollup");
    fclose(f);
    return kib;
}

static void many_descriptors(long n)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if ((rlim_t)n + 100 > limit.rlim_cur)
        bench_die("%ld connections need more descriptors than ulimit -n", n);
}

static void *take(const struct bench_job *job, void *server, int listener)
{
    int fd = -1;

    if (job->lib->listen == NULL) {
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            bench_die("accept");
    }
    return job->lib->accept(server, fd);
}

static void one_byte(const struct bench_lib *lib, void *conn, int client)
{
    char byte = 'x';

    if (client) {
        lib->write(conn, &byte, 1);
        lib->flush(conn);
    }
    if (lib->read(conn, &byte, 1) != 1)
        bench_die("%s: no byte came", lib->name);
    if (!client) {
        lib->write(conn, &byte, 1);
        lib->flush(conn);
    }
}

static void serve_connections(const struct bench_job *job, void *server,
                              int listener, struct bench_result *r)
{
    struct meter m;
    char byte;

    for (long i = -WARM; i < job->count; i++) {
        void *conn;

        if (i == 0)
            meter_start(&m);
        conn = take(job, server, listener);
        one_byte(job->lib, conn, 0);
        if (job->lib->read(conn, &byte, 1) != 0)
            bench_die("%s: no close_notify came", job->lib->name);
        job->lib->finish(conn, 0);
    }
    meter_stop(&m, r);
}

static void make_connections(const struct bench_job *job, void *client,
                             int port, struct bench_result *r)
{
    struct meter m;

    for (long i = -WARM; i < job->count; i++) {
        void *conn;

        if (i == 0)
            meter_start(&m);
        conn = job->lib->connect(client, port);
        one_byte(job->lib, conn, 1);
        if (i == job->count - 1)
            job->lib->describe(conn, r->text, sizeof(r->text));
        job->lib->finish(conn, 1);
    }
    meter_stop(&m, r);
}

static void drain(const struct bench_job *job, void *server, int listener,
                  struct bench_result *r)
{
    size_t left = (size_t)job->count << 20;
    static char buf[65536];
    void *conn = take(job, server, listener);
    struct meter m;

    one_byte(job->lib, conn, 0);
    meter_start(&m);
    while (left > 0) {
        ssize_t n = job->lib->read(conn, buf, sizeof(buf));

        if (n <= 0 || (size_t)n > left)
            bench_die("%s: the bulk stopped", job->lib->name);
        left -= (size_t)n;
    }
    job->lib->write(conn, "k", 1);
    job->lib->flush(conn);
    meter_stop(&m, r);
    if (job->lib->read(conn, buf, 1) != 0)
        bench_die("%s: no close_notify came", job->lib->name);
    job->lib->finish(conn, 0);
}

static void pour(const struct bench_job *job, void *client, int port,
                 struct bench_result *r)
{
    size_t piece = job->mode == BENCH_BULK ? 16384 : 100;
    size_t left = (size_t)job->count << 20;
    static char buf[16384];
    void *conn = job->lib->connect(client, port);
    struct meter m;

    one_byte(job->lib, conn, 1);
    meter_start(&m);
    while (left > 0) {
        size_t n = left < piece ? left : piece;

        job->lib->write(conn, buf, n);
        left -= n;
    }
    job->lib->flush(conn);
    if (job->lib->read(conn, buf, 1) != 1)
        bench_die("%s: no answer to the bulk", job->lib->name);
    meter_stop(&m, r);
    job->lib->describe(conn, r->text, sizeof(r->text));
    job->lib->finish(conn, 1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void read_whole(const struct bench_job *job, void *conn, char *buf,
                       size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = job->lib->read(conn, buf + got, len - got);

        if (n <= 0)
            bench_die("%s: the ping stopped", job->lib->name);
        got += (size_t)n;
    }
}

static void echo(const struct bench_job *job, void *server, int listener,
                 struct bench_result *r)
{
    void *conn = take(job, server, listener);
    struct meter m;
    char buf[PING];

    one_byte(job->lib, conn, 0);
    meter_start(&m);
    for (long i = -WARM; i < job->count; i++) {
        read_whole(job, conn, buf, sizeof(buf));
        job->lib->write(conn, buf, sizeof(buf));
        job->lib->flush(conn);
    }
    meter_stop(&m, r);
    if (job->lib->read(conn, buf, 1) != 0)
        bench_die("%s: no close_notify came", job->lib->name);
    job->lib->finish(conn, 0);
}

static void ping(const struct bench_job *job, void *client, int port,
                 struct bench_result *r)
{
    double *took = calloc((size_t)job->count, sizeof(*took));
    void *conn = job->lib->connect(client, port);
    struct meter m;
    char buf[PING] = "";
    size_t first = job->mode == BENCH_PARTS ? PING / 2 : PING;

    one_byte(job->lib, conn, 1);
    meter_start(&m);
    for (long i = -WARM; i < job->count; i++) {
        double t0 = now_us();

        job->lib->write(conn, buf, first);
        if (first < sizeof(buf))
            job->lib->write(conn, buf + first, sizeof(buf) - first);
        job->lib->flush(conn);
        read_whole(job, conn, buf, sizeof(buf));
        if (i >= 0)
            took[i] = now_us() - t0;
    }
    meter_stop(&m, r);
    qsort(took, (size_t)job->count, sizeof(*took), by_value);
    r->p50_us = took[job->count / 2];
    r->p99_us = took[job->count * 99 / 100];
    free(took);
    job->lib->describe(conn, r->text, sizeof(r->text));
    job->lib->finish(conn, 1);
}

/* A process that has done nothing yet: making the client counts, too. What
 * every connection costs is taken off, as the fastest of the later ones. */
static void connect_first(const struct bench_job *job, int port,
                          struct bench_result *r)
{
    double start = now_us(), first = 0, later = 1e12;
    void *client = job->lib->client_new(job->mode, job->files);

    for (long i = -WARM; i < job->count; i++) {
        double t0 = i == -WARM ? start : now_us();
        void *conn = job->lib->connect(client, port);

        one_byte(job->lib, conn, 1);
        if (i == -WARM)
            first = now_us() - t0;
        else if (now_us() - t0 < later)
            later = now_us() - t0;
        if (i == job->count - 1)
            job->lib->describe(conn, r->text, sizeof(r->text));
        job->lib->finish(conn, 1);
    }
    r->wall_s = r->cpu_s = first / 1e6;
    r->first_ms = (first - later) / 1e3;
}

/* Every connection is made, says a byte each way, and stays. The first tenth
 * warms the heap up. */
static void hoard(const struct bench_job *job, void *side, int fd_or_port,
                  int client, struct bench_result *r)
{
    long warm = job->count / 10;
    void **conns;
    double before = 0;
    char byte;

    many_descriptors(job->count);
    conns = calloc((size_t)job->count, sizeof(*conns));
    for (long i = 0; i < job->count; i++) {
        if (i == warm)
            before = pss_kib();
        conns[i] = client ? job->lib->connect(side, fd_or_port)
                          : take(job, side, fd_or_port);
        one_byte(job->lib, conns[i], client);
    }
    r->per_conn_kib = (pss_kib() - before) / (double)(job->count - warm);
    if (client)
        job->lib->describe(conns[0], r->text, sizeof(r->text));
    for (long i = 0; i < job->count; i++) {
        if (!client && job->lib->read(conns[i], &byte, 1) != 0)
            bench_die("%s: no close_notify came", job->lib->name);
        job->lib->finish(conns[i], client);
    }
    free(conns);
}

static void pin(const struct bench_job *job)
{
    cpu_set_t set;

    if (!job->one_core)
        return;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* not inline: tools that count instructions begin here */
__attribute__((noinline)) static void run_server(const struct bench_job *job,
                                                 int listener, int out,
                                                 struct bench_result *r)
{
    void *server = job->lib->server_new(job->mode, job->files);
    int port;

    if (job->lib->listen != NULL) { /* the parent waits for it */
        job->lib->listen(server, &port);
        if (write(out, &port, sizeof(port)) != sizeof(port))
            bench_die("port");
    }

    if (job->mode == BENCH_IDLE)
        hoard(job, server, listener, 0, r);
    else if (job->mode == BENCH_BULK || job->mode == BENCH_SMALL)
        drain(job, server, listener, r);
    else if (job->mode == BENCH_PING || job->mode == BENCH_PARTS)
        echo(job, server, listener, r);
    else
        serve_connections(job, server, listener, r);
}

__attribute__((noinline)) static void
run_client(const struct bench_job *job, int port, struct bench_result *r)
{
    void *client;

    if (job->mode == BENCH_FIRST) {
        connect_first(job, port, r);
        return;
    }
    client = job->lib->client_new(job->mode, job->files);
    if (job->mode == BENCH_IDLE)
        hoard(job, client, port, 1, r);
    else if (job->mode == BENCH_BULK || job->mode == BENCH_SMALL)
        pour(job, client, port, r);
    else if (job->mode == BENCH_PING || job->mode == BENCH_PARTS)
        ping(job, client, port, r);
    else
        make_connections(job, client, port, r);
}

/* The other kind of library: see struct bench_lib. */
static void run_script(const struct bench_job *job, int client, int fd_or_port,
                       int out)
{
    const struct bench_files *f = job->files;
    const char *trust =
        job->mode == BENCH_LOOP || job->mode == BENCH_FIRST ? "" : f->root;
    char where[16], count[24], to[16];

    snprintf(where, sizeof(where), "%d", fd_or_port);
    snprintf(count, sizeof(count), "%ld", job->count);
    snprintf(to, sizeof(to), "%d", out);
    if (!client)
        fcntl(fd_or_port, F_SETFD, 0);
    execlp("perl", "perl", job->lib->script, bench_keys[job->mode],
           client ? "client" : "server", where, count, f->tls12 ? "1" : "0",
           f->chain, f->key, trust, to, (char *)NULL);
    bench_die("perl cannot be run");
}

static void take_script(const struct bench_job *job, int fd,
                        struct bench_result *r)
{
    char line[256] = "";
    size_t got = 0;
    ssize_t n;

    while (got < sizeof(line) - 1 &&
           (n = read(fd, line + got, sizeof(line) - 1 - got)) > 0)
        got += (size_t)n;
    if (sscanf(line, "%lf %lf %lf %lf %lf %lf %95[^\n]", &r->wall_s, &r->cpu_s,
               &r->per_conn_kib, &r->p50_us, &r->p99_us, &r->first_ms,
               r->text) != 7)
        bench_die("%s: \"%s\"", job->lib->name, line);
}

/* fork, run one side, send what it found through a pipe */
static int start(const struct bench_job *job, int client, int listener,
                 int port, pid_t *pid)
{
    struct bench_result r = {0};
    int fds[2];

    if (pipe(fds) != 0)
        bench_die("pipe");
    *pid = fork();
    if (*pid != 0) {
        close(fds[1]);
        return fds[0];
    }
    signal(SIGPIPE, SIG_IGN);
    alarm(300);
    pin(job);
    if (job->lib->script != NULL)
        run_script(job, client, client ? port : listener, fds[1]);
    if (client) {
        close(listener);
        run_client(job, port, &r);
    } else {
        run_server(job, listener, fds[1], &r);
    }
    if (write(fds[1], &r, sizeof(r)) != sizeof(r))
        bench_die("result");
    _exit(0);
}

static void gather(const struct bench_job *job, int fd, pid_t pid,
                   struct bench_result *r)
{
    ssize_t n = sizeof(*r);
    int status;

    memset(r, 0, sizeof(*r));
    if (job->lib->script != NULL)
        take_script(job, fd, r);
    else
        n = read(fd, r, sizeof(*r));

    close(fd);
    if (waitpid(pid, &status, 0) != pid || status != 0 ||
        n != (ssize_t)sizeof(*r))
        bench_die("%s: a side failed", job->lib->name);
}

void bench_run(const struct bench_job *job, struct bench_result *client,
               struct bench_result *server)
{
    int port, listener = listen_any(&port), cfd, sfd;
    struct bench_job serving = *job;
    pid_t cpid, spid;

    /* A client's first connect is to be all that is new: another process has
     * connected before it, so that the server has done what it does once. */
    if (job->mode == BENCH_FIRST)
        serving.count += WARM + job->count;
    sfd = start(&serving, 0, listener, port, &spid);
    if (job->lib->listen != NULL && read(sfd, &port, sizeof(port)) <= 0)
        bench_die("%s: no port", job->lib->name);
    if (job->mode == BENCH_FIRST) {
        cfd = start(job, 1, listener, port, &cpid);
        gather(job, cfd, cpid, client);
    }
    cfd = start(job, 1, listener, port, &cpid);
    close(listener);
    gather(job, cfd, cpid, client);
    gather(job, sfd, spid, server);
}
