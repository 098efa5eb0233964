/* Libraries side by side: alternating, several rounds, medians. A ratio is the
 * median of the ratios within each round, for the machine's mood changes. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_MOST 64

static const struct bench_lib *const libs[] = {
    &bench_openssl_well, &bench_tlsock, &bench_openssl_tutorial,
#ifdef HAVE_LIBTLS
    &bench_libtls,
#endif
#ifdef HAVE_GNUTLS
    &bench_gnutls,
#endif
};
#define LIBS (sizeof(libs) / sizeof(libs[0]))

static const struct {
    const char *key, *title, *unit;
    long count;
} modes[BENCH_MODES] = {
    {"full", "full TLS 1.3 handshakes, ECDSA P-256", "conn/s", 200},
    {"resumed", "resumed handshakes", "conn/s", 400},
    {"loop", "plain connects in a loop, system trust store", "conn/s", 400},
    {"bulk", "16 KiB writes", "MiB/s", 256},
    {"small", "100-byte writes (write.buffer where there is one)", "MiB/s",
     16},
    {"idle", "memory per idle connection", "KiB", 200},
};

struct column {
    double of[ROUNDS_MOST];
    int n;
};

struct line {
    struct column rate, client, server, both;
    struct column xrate, xboth; /* of the reference, within one round */
    char text[96];
};

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

static void measure(enum bench_mode mode, const struct bench_lib *lib,
                    const struct bench_files *files, long count, int one_core,
                    struct line *line, const struct line *ref)
{
    struct bench_job job = {lib, mode, files, count, one_core};
    struct bench_result client, server;

    if (mode == BENCH_LOOP && lib->slow > 1)
        job.count = (count + lib->slow - 1) / lib->slow;
    bench_run(&job, &client, &server);
    memcpy(line->text, client.text, sizeof(line->text));
    if (mode == BENCH_IDLE) {
        add(&line->rate, server.per_conn_kib);
        add(&line->client, client.per_conn_kib);
        add(&line->server, server.per_conn_kib);
    } else {
        add(&line->rate, (double)job.count / client.wall_s);
        add(&line->client, client.cpu_s / (double)job.count * 1e6);
        add(&line->server, server.cpu_s / (double)job.count * 1e6);
    }
    add(&line->both, last(&line->client) + last(&line->server));
    add(&line->xrate, last(&line->rate) / last(&ref->rate));
    add(&line->xboth, last(&line->both) / last(&ref->both));
}

static void print_line(enum bench_mode mode, const char *name,
                       struct line *line)
{
    double rate = median(&line->rate);

    if (mode == BENCH_IDLE) {
        printf("%-18s %10.1f %10.1f %25.2f   %s\n", name,
               median(&line->server), median(&line->client),
               median(&line->xrate), line->text);
        return;
    }
    printf("%-18s %10.1f [%9.1f %9.1f] %6.2f %10.1f %10.1f %6.2f   %s\n", name,
           rate, line->rate.of[0], line->rate.of[line->rate.n - 1],
           median(&line->xrate), median(&line->client), median(&line->server),
           median(&line->xboth), line->text);
}

static void print_head(enum bench_mode mode, int rounds, int one_core)
{
    printf("\n%s; %d rounds, %s\n", modes[mode].title, rounds,
           one_core ? "both processes on one core" : "two cores");
    if (mode == BENCH_IDLE)
        printf("%-18s %10s %10s %25s\n", "", "server KiB", "client KiB",
               "server, x of well");
    else
        printf("%-18s %10s [%9s %9s] %6s %10s %10s %6s\n", "",
               modes[mode].unit, "min", "max", "x", "client us", "server us",
               "CPU x");
}

static void run_mode(enum bench_mode mode, int rounds, int one_core,
                     double scale, const struct bench_files *files)
{
    static struct line lines[LIBS];
    long count = (long)((double)modes[mode].count * scale);

    memset(lines, 0, sizeof(lines));
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < LIBS; i++)
            if (libs[i]->modes & 1u << mode)
                measure(mode, libs[i], files, count < 10 ? 10 : count,
                        one_core, &lines[i], &lines[0]);
    print_head(mode, rounds, one_core);
    for (size_t i = 0; i < LIBS; i++)
        if (libs[i]->modes & 1u << mode)
            print_line(mode, libs[i]->name, &lines[i]);
    fflush(stdout);
}

static void usage(void)
{
    fputs("usage: bench [-1] [-n ROUNDS] [-s SCALE] [MODE...]\n"
          "  -1  both processes on one core (least noise)\n"
          "  -n  rounds, 1 to 64 (7)\n"
          "  -s  scale of the number of connections or bytes (1)\n"
          "modes:",
          stderr);
    for (int m = 0; m < BENCH_MODES; m++)
        fprintf(stderr, " %s", modes[m].key);
    fputs("; all of them by default\n", stderr);
    exit(2);
}

static int mode_of(const char *key)
{
    for (int m = 0; m < BENCH_MODES; m++)
        if (strcmp(modes[m].key, key) == 0)
            return m;
    usage();
    return -1;
}

int main(int argc, char **argv)
{
    int rounds = 7, one_core = 0, opt;
    struct bench_files files;
    double scale = 1;

    while ((opt = getopt(argc, argv, "1n:s:")) != -1) {
        if (opt == '1')
            one_core = 1;
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
        mode_of(argv[i]);
    bench_files_make(&files);
    setenv("SSL_CERT_FILE", files.bundle, 1);
    for (int m = 0; m < BENCH_MODES && optind == argc; m++)
        run_mode((enum bench_mode)m, rounds, one_core, scale, &files);
    for (int i = optind; i < argc; i++)
        run_mode((enum bench_mode)mode_of(argv[i]), rounds, one_core, scale,
                 &files);
    bench_files_remove(&files);
    return 0;
}
