/* What 10,000 hosts cost a server beside one: time and memory to load, to
 * become ready and to reload, to check all of them; handshakes per second, and
 * what the first one to a host takes. Certificates are made first, with one key
 * each, below one intermediate. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <tlsock.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <unistd.h>

#define MOST 100000
#define SHAKES 400

static char dir[] = "/tmp/tlsock-hosts-XXXXXX";

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long rss_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
        bench_die("no /proc");
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void path_of(char out[96], long i, const char *ext)
{
    snprintf(out, 96, "%s/%ld.%s", dir, i, ext);
}

static tlsock_cert *make(const tlsock_cert_opts *o)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(o, &err);

    if (c == NULL)
        bench_die("no certificate: %s", err.message);
    return c;
}

static void make_hosts(long n)
{
    tlsock_cert *root, *inter;

    root = make(TLSOCK_CERT_OPTS(.subject = "CN=Root", .ca = 1, .pathlen = -1));
    inter = make(TLSOCK_CERT_OPTS(.subject = "CN=Inter", .ca = 1,
                                  .issuer = root));
    for (long i = 0; i < n; i++) {
        char name[64], cert[96], key[96];
        const char *sans[] = {name};
        tlsock_cert *c;

        snprintf(name, sizeof(name), "h%ld.test", i);
        c = make(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1, .issuer = inter));
        path_of(cert, i, "pem");
        path_of(key, i, "key");
        if (tlsock_cert_save(c, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN,
                             TLSOCK_FORMAT_PEM, cert, NULL, NULL) < 0 ||
            tlsock_cert_save(c, TLSOCK_PART_KEY, TLSOCK_FORMAT_PEM, key, NULL,
                             NULL) < 0)
            bench_die("cannot write %s", cert);
        tlsock_cert_unref(c);
    }
    tlsock_cert_unref(inter);
    tlsock_cert_unref(root);
}

static void drop_hosts(long n)
{
    for (long i = 0; i < n; i++) {
        char path[96];

        path_of(path, i, "pem");
        unlink(path);
        path_of(path, i, "key");
        unlink(path);
    }
    rmdir(dir);
}

static tlsock_config *load(long n)
{
    tlsock_config *c = tlsock_config_new();

    for (long i = 0; i < n; i++) {
        char cert[96], key[96];

        path_of(cert, i, "pem");
        path_of(key, i, "key");
        if (tlsock_config_add_identity(c, cert, key, NULL) < 0)
            bench_die("%s", tlsock_config_error(c)->message);
    }
    return c;
}

/* Both ends in this process, each with the time of its own calls. */
static double shake(tlsock_config *cc, tlsock_config *sc, const char *sni)
{
    double spent = 0, start;
    int fds[2], a, b;
    tlsock *c, *s;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
        bench_die("no sockets");
    c = tlsock_client_fd(fds[0], "h0.test", cc,
                         TLSOCK_OPTS(.nonblocking = 1, .sni = sni), NULL);
    s = tlsock_server_fd(fds[1], sc, TLSOCK_OPTS(.nonblocking = 1), NULL);
    if (c == NULL || s == NULL)
        bench_die("no connection");
    do {
        a = tlsock_handshake(c);
        start = now(CLOCK_PROCESS_CPUTIME_ID);
        b = tlsock_handshake(s);
        spent += now(CLOCK_PROCESS_CPUTIME_ID) - start;
    } while (a == TLSOCK_AGAIN || b == TLSOCK_AGAIN);
    if (a < 0 || b < 0)
        bench_die("handshake: %s", tlsock_last_error(a < 0 ? c : s)->message);
    tlsock_close(c);
    tlsock_close(s);
    return spent;
}

static double shake_all(tlsock_config *cc, tlsock_config *sc, long hosts)
{
    double spent = 0;

    for (long i = 0; i < SHAKES; i++) {
        char sni[64];

        snprintf(sni, sizeof(sni), "h%ld.test", (i * 7919) % hosts);
        spent += shake(cc, sc, sni);
    }
    return spent / SHAKES * 1e6;
}

static void measure(long n)
{
    long before = rss_kib(), loaded;
    double start = now(CLOCK_MONOTONIC), load_ms, ready_ms, reload_ms, check_ms;
    double first, again;
    tlsock_config *sc = load(n), *cc = tlsock_config_new();
    tlsock_listener *l;

    load_ms = (now(CLOCK_MONOTONIC) - start) * 1e3;
    start = now(CLOCK_MONOTONIC);
    l = tlsock_listen("127.0.0.1:0", sc, NULL, NULL);
    if (l == NULL)
        bench_die("%s", tlsock_config_error(sc)->message);
    ready_ms = (now(CLOCK_MONOTONIC) - start) * 1e3;
    loaded = rss_kib();
    tlsock_config_set(cc, "insecure", "all: figures of the server alone");
    tlsock_config_set(cc, "session", "off");
    (void)shake(cc, sc, "h0.test");
    first = shake_all(cc, sc, n);
    again = shake_all(cc, sc, n);
    start = now(CLOCK_MONOTONIC);
    if (tlsock_config_reload(sc) < 0)
        bench_die("%s", tlsock_config_error(sc)->message);
    reload_ms = (now(CLOCK_MONOTONIC) - start) * 1e3;
    start = now(CLOCK_MONOTONIC);
    if (tlsock_config_check(sc) < 0)
        bench_die("%s", tlsock_config_error(sc)->message);
    check_ms = (now(CLOCK_MONOTONIC) - start) * 1e3;
    printf("%8ld %9.1f %9.1f %9.1f %9.1f %9ld %9.2f %10.0f %10.0f\n", n,
           load_ms, ready_ms, reload_ms, check_ms, loaded - before,
           (double)(loaded - before) / (double)n, first, again);
    fflush(stdout);
    tlsock_listener_free(l);
    tlsock_config_unref(sc);
    tlsock_config_unref(cc);
}

int main(int argc, char **argv)
{
    long most = argc > 1 ? atol(argv[1]) : 10000;

    if (most < 1 || most > MOST || mkdtemp(dir) == NULL)
        bench_die("usage: tlsock-hosts [HOSTS], at most %d", MOST);
    make_hosts(most);
    puts("   hosts   load ms  ready ms reload ms  check ms   RSS KiB  KiB/host "
         " first us   again us");
    for (long n = 1; n < most; n *= 100)
        measure(n);
    measure(most);
    drop_hosts(most);
    return 0;
}
