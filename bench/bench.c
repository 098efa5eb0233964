/* Libraries side by side: alternating, several rounds, medians. A ratio is the
 * median of the ratios within each round, for the machine's mood changes. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_MOST 64

static const struct bench_lib *const libs[] = {
    &bench_openssl_well, &bench_tlsock, &bench_openssl_naive,
#ifdef HAVE_LIBTLS
    &bench_libtls,
#endif
#ifdef HAVE_GNUTLS
    &bench_gnutls,
#endif
#ifdef HAVE_WOLFSSL
    &bench_wolfssl,
#endif
    &bench_perl,
};
#define LIBS (sizeof(libs) / sizeof(libs[0]))

static const struct row {
    const char *key, *title, *unit;
    long count;
    enum bench_mode mode;
    int tls12, rsa;
} rows[] = {
    {"full", "full TLS 1.3 handshakes, ECDSA P-256", "conn/s", 200, BENCH_FULL,
     0, 0},
    {"full-rsa", "full TLS 1.3 handshakes, RSA 2048", "conn/s", 200, BENCH_FULL,
     0, 1},
    {"full-1.2", "full TLS 1.2 handshakes, ECDSA P-256", "conn/s", 200,
     BENCH_FULL, 1, 0},
    {"full-rsa-1.2", "full TLS 1.2 handshakes, RSA 2048", "conn/s", 200,
     BENCH_FULL, 1, 1},
    {"resumed", "resumed TLS 1.3 handshakes", "conn/s", 400, BENCH_RESUMED, 0,
     0},
    {"resumed-1.2", "resumed TLS 1.2 handshakes", "conn/s", 400, BENCH_RESUMED,
     1, 0},
    {"loop", "plain connects in a loop, system trust store", "conn/s", 400,
     BENCH_LOOP, 0, 0},
    {"bulk", "16 KiB writes", "MiB/s", 256, BENCH_BULK, 0, 0},
    {"small", "100-byte writes (write.buffer where there is one)", "MiB/s", 16,
     BENCH_SMALL, 0, 0},
    {"ping", "1 KiB there and back", "us", 4000, BENCH_PING, 0, 0},
    {"parts", "1 KiB in two writes (write.buffer where there is one), and back",
     "us", 4000, BENCH_PARTS, 0, 0},
    {"first", "first connect of a process over a later one, system trust store",
     "ms", 10, BENCH_FIRST, 0, 0},
    {"idle", "memory per idle connection", "KiB", 2000, BENCH_IDLE, 0, 0},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct column {
    double of[ROUNDS_MOST];
    int n;
};

struct line {
    struct column rate, client, server, both;
    struct column xrate, xclient, xserver, xboth; /* of the reference */
    char text[96];
};

static struct line lines[ROWS][LIBS];
static const char *only; /* this library alone, or NULL */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(struct column *c)
{
    if (c->n == 0)
        return 0;
    qsort(c->of, (size_t)c->n, sizeof(double), by_value);
    return c->n % 2 ? c->of[c->n / 2]
                    : (c->of[c->n / 2 - 1] + c->of[c->n / 2]) / 2;
}

static void add(struct column *c, double v)
{
    c->of[c->n++] = v;
}

static double last(const struct column *c)
{
    return c->of[c->n - 1];
}

static void add_ratio(struct column *to, const struct column *of,
                      const struct column *ref)
{
    if (ref->n > 0 && last(ref) > 0)
        add(to, last(of) / last(ref));
}

/* rate is what the row is about: connections, MiB, or time and memory. */
static void add_result(const struct row *row, double count,
                       const struct bench_result *client,
                       const struct bench_result *server, struct line *line)
{
    switch (row->mode) {
    case BENCH_IDLE:
        add(&line->rate, server->per_conn_kib);
        add(&line->client, client->per_conn_kib);
        add(&line->server, server->per_conn_kib);
        break;
    case BENCH_PARTS:
    case BENCH_PING: /* client, server: p50, p99 */
        add(&line->rate, client->p50_us);
        add(&line->client, client->p50_us);
        add(&line->server, client->p99_us);
        break;
    case BENCH_FIRST:
        add(&line->rate, client->first_ms);
        add(&line->client, client->wall_s * 1e3);
        add(&line->server, client->first_ms);
        break;
    default:
        add(&line->rate, count / client->wall_s);
        add(&line->client, client->cpu_s / count * 1e6);
        add(&line->server, server->cpu_s / count * 1e6);
        break;
    }
    add(&line->both, last(&line->client) + last(&line->server));
}

static void measure(const struct row *row, const struct bench_lib *lib,
                    const struct bench_files *files, long count, int one_core,
                    struct line *line, const struct line *ref)
{
    struct bench_job job = {lib, row->mode, files, count, one_core};
    struct bench_result client, server;

    if (lib->slow > 1 && row->mode == BENCH_LOOP)
        job.count = (count + lib->slow - 1) / lib->slow;
    if (lib->slow_full > 1 &&
        (row->mode == BENCH_FULL || row->mode == BENCH_RESUMED))
        job.count = (count + lib->slow_full - 1) / lib->slow_full;
    if (lib->slow_bulk > 1 && row->mode == BENCH_BULK)
        job.count = (count + lib->slow_bulk - 1) / lib->slow_bulk;
    if (lib->slow_idle > 1 && row->mode == BENCH_IDLE)
        job.count = (count + lib->slow_idle - 1) / lib->slow_idle;
    bench_run(&job, &client, &server);
    memcpy(line->text, client.text, sizeof(line->text));
    add_result(row, (double)job.count, &client, &server, line);
    add_ratio(&line->xrate, &line->rate, &ref->rate);
    add_ratio(&line->xclient, &line->client, &ref->client);
    add_ratio(&line->xserver, &line->server, &ref->server);
    add_ratio(&line->xboth, &line->both, &ref->both);
}

static void print_line(const char *name, struct line *line)
{
    double rate = median(&line->rate);

    printf("%-18s %10.1f [%9.1f %9.1f] %6.2f %10.1f %6.2f %10.1f %6.2f %6.2f "
           "  %s\n",
           name, rate, line->rate.of[0], line->rate.of[line->rate.n - 1],
           median(&line->xrate), median(&line->client), median(&line->xclient),
           median(&line->server), median(&line->xserver), median(&line->xboth),
           line->text);
}

static void print_head(const struct row *row, int rounds, int one_core)
{
    const char *a = "client us", *b = "server us", *both = "CPU x";

    if (row->mode == BENCH_IDLE)
        a = "client KiB", b = "server KiB", both = "x";
    else if (row->mode == BENCH_PING || row->mode == BENCH_PARTS)
        a = "p50 us", b = "p99 us", both = "x";
    else if (row->mode == BENCH_FIRST)
        a = "first ms", b = "over ms", both = "x";
    printf("\n%s; %d rounds, %s\n", row->title, rounds,
           one_core ? "both processes on one core" : "two cores");
    printf("%-18s %10s [%9s %9s] %6s %10s %6s %10s %6s %6s\n", "", row->unit,
           "min", "max", "x", a, "x", b, "x", both);
}

static int takes_part(const struct bench_lib *lib, const struct row *row)
{
    return (lib->modes & 1u << row->mode) != 0 &&
           (only == NULL || strcmp(only, lib->name) == 0);
}

static void run_row(const struct row *row, int rounds, int one_core,
                    double scale, const struct bench_files *all)
{
    struct line *of = lines[row - rows];
    long count = (long)((double)row->count * scale);
    struct bench_files files = *all;

    files.tls12 = row->tls12;
    if (row->rsa) {
        memcpy(files.chain, all->rsa_chain, sizeof(files.chain));
        memcpy(files.key, all->rsa_key, sizeof(files.key));
    }
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < LIBS; i++)
            if (takes_part(libs[i], row))
                measure(row, libs[i], &files, count < 10 ? 10 : count, one_core,
                        &of[i], &of[0]);
    print_head(row, rounds, one_core);
    for (size_t i = 0; i < LIBS; i++)
        if (of[i].rate.n != 0)
            print_line(libs[i]->name, &of[i]);
    fflush(stdout);
}

/* One number of each row and library: what it costs, in that of the first. */
static struct column *cost(const struct row *row, struct line *line)
{
    switch (row->mode) {
    case BENCH_IDLE:
    case BENCH_PING:
    case BENCH_PARTS:
    case BENCH_FIRST:
        return &line->xrate;
    default:
        return &line->xboth;
    }
}

static void print_summary(void)
{
    printf("\nCost as a multiple of %s (CPU of both sides; p50, time, memory "
           "of a server): below 1 is better\n%-14s",
           libs[0]->name, "");
    for (size_t i = 1; i < LIBS; i++)
        printf(" %14s", libs[i]->name);
    printf("\n");
    for (size_t r = 0; r < ROWS; r++) {
        if (lines[r][0].rate.n == 0)
            continue;
        printf("%-14s", rows[r].key);
        for (size_t i = 1; i < LIBS; i++) {
            struct column *c = cost(&rows[r], &lines[r][i]);

            if (c->n == 0)
                printf(" %14s", "-");
            else
                printf(" %14.2f", median(c));
        }
        printf("\n");
    }
}

/* What this is to reach (of the second library, as a multiple of the first,
 * unless said), in doc/design/performance.md's order. */
enum figure { X_CLIENT, X_SERVER, X_BOTH, X_RATE, ABSOLUTE, OF_PING };
static const struct target {
    const char *key, *what;
    enum figure figure;
    double must, goal;
    int more; /* is better */
} targets[] = {
    {"full", "full TLS 1.3, ECDSA: client's CPU", X_CLIENT, 0.90, 0.75, 0},
    {"full", "full TLS 1.3, ECDSA: server's CPU", X_SERVER, 1.00, 0.88, 0},
    {"full", "full TLS 1.3, ECDSA: both", X_BOTH, 0.92, 0.80, 0},
    {"full-rsa", "full TLS 1.3, RSA: both", X_BOTH, 0.97, 0.92, 0},
    {"resumed", "resumed TLS 1.3: both", X_BOTH, 1.00, 0.90, 0},
    {"resumed-1.2", "resumed TLS 1.2: both", X_BOTH, 1.00, 0.90, 0},
    {"loop", "connects in a loop: both", X_BOTH, 0.55, 0.40, 0},
    {"first", "first connect over a later one, ms", ABSOLUTE, 3, 1, 0},
    {"bulk", "16 KiB writes: rate", X_RATE, 1.15, 1.30, 1},
    {"small", "100-byte writes: rate", X_RATE, 10, 19, 1},
    {"parts", "request in two parts: p50, of one part's", OF_PING, 1.1, 1.0, 0},
    {"ping", "round trip of 1 KiB: p50", X_RATE, 1.05, 1.00, 0},
    {"idle", "idle server connection, KiB", ABSOLUTE, 15, 12, 0},
};

static struct line *ours(const char *key)
{
    size_t r = 0;

    while (strcmp(rows[r].key, key) != 0)
        r++;
    return &lines[r][1];
}

static double reached(const struct target *t)
{
    struct line *line = ours(t->key);
    struct column *of[] = {&line->xclient, &line->xserver, &line->xboth,
                           &line->xrate, &line->rate};

    if (t->figure != OF_PING)
        return median(of[t->figure]);
    return median(&line->rate) / median(&ours("ping")->rate);
}

static void print_targets(void)
{
    printf("\n%-42s %8s %8s %8s\n", "target", "reached", "must", "goal");
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        const struct target *t = &targets[i];
        double x, sign = t->more ? -1 : 1;

        if (ours(t->key)->rate.n == 0 ||
            (t->figure == OF_PING && ours("ping")->rate.n == 0))
            continue;
        x = reached(t);
        printf("%-42s %8.2f %8.2f %8.2f  %s\n", t->what, x, t->must, t->goal,
               sign * x <= sign * t->goal   ? "goal reached"
               : sign * x <= sign * t->must ? "met"
                                            : "not met");
    }
}

static void usage(void)
{
    fputs("usage: bench [-1] [-l LIBRARY] [-n ROUNDS] [-s SCALE] [MODE...]\n"
          "  -1  both processes on one core (least noise)\n"
          "  -l  this library alone\n"
          "  -n  rounds, 1 to 64 (7)\n"
          "  -s  scale of the number of connections or bytes (1)\n"
          "modes:",
          stderr);
    for (size_t r = 0; r < ROWS; r++)
        fprintf(stderr, " %s", rows[r].key);
    fputs("; all of them by default\n", stderr);
    exit(2);
}

static const struct row *row_of(const char *key)
{
    for (size_t r = 0; r < ROWS; r++)
        if (strcmp(rows[r].key, key) == 0)
            return &rows[r];
    usage();
    return NULL;
}

int main(int argc, char **argv)
{
    int rounds = 7, one_core = 0, opt;
    struct bench_files files = {0};
    double scale = 1;

    while ((opt = getopt(argc, argv, "1l:n:s:")) != -1) {
        if (opt == '1')
            one_core = 1;
        else if (opt == 'l')
            only = optarg;
        else if (opt == 'n')
            rounds = atoi(optarg);
        else if (opt == 's')
            scale = atof(optarg);
        else
            usage();
    }
    if (rounds < 1 || rounds > ROUNDS_MOST || scale <= 0)
        usage();
    for (int i = optind; i < argc; i++)
        row_of(argv[i]);
    bench_files_make(&files);
    setenv("SSL_CERT_FILE", files.bundle, 1);
    for (size_t r = 0; r < ROWS && optind == argc; r++)
        run_row(&rows[r], rounds, one_core, scale, &files);
    for (int i = optind; i < argc; i++)
        run_row(row_of(argv[i]), rounds, one_core, scale, &files);
    if (only == NULL) {
        print_summary();
        print_targets();
    }
    bench_files_remove(&files);
    return 0;
}
