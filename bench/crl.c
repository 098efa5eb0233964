/* A CRL of 100,000 entries: to load it, to hold it, to ask it, and a connection
 * that asks it; beside the same without.
 *
 *   tlsock-crl [ENTRIES]     100000 by default */
#include "bench.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <tlsock.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <tlsock/openssl.h>
#include <tlsock/revoke.h>
#include <unistd.h>

#define ROUNDS 15
#define VERIFIES 1000
#define CONNECTS 200

struct pki {
    struct bench_files files;
    char inter_crl[96], root_crl[96];
    tlsock_cert *leaf; /* as it came from its file */
};

static void save_list(const tlsock_cert *by, size_t n, const char *path)
{
    tlsock_revoked *all = calloc(n + 1, sizeof(*all));
    char(*serials)[33] = calloc(n + 1, 33);
    tlsock_error err;

    if (all == NULL || serials == NULL)
        bench_die("no memory");
    for (size_t i = 0; i < n; i++) { /* 16 octets, no two the same */
        snprintf(serials[i], 33, "5%07x%08zx%08x%08x",
                 (unsigned)random() & 0xfffffffu, i, (unsigned)random(),
                 (unsigned)random());
        all[i].size = sizeof(all[i]);
        all[i].serial = serials[i];
        all[i].when = (int64_t)time(NULL) - 1000;
        all[i].reason = i % 4 == 0 ? 1 : 0;
    }
    if (tlsock_crl_save(TLSOCK_CRL_OPTS(.issuer = by, .number = "1",
                                        .revoked = all, .n_revoked = n),
                        TLSOCK_FORMAT_DER, path, &err) != 0)
        bench_die("%s", err.message);
    free(all);
    free(serials);
}

static void make_pki(struct pki *p, size_t entries)
{
    const char *sans[] = {BENCH_NAME};
    struct bench_files *f = &p->files;
    tlsock_cert *root, *inter, *leaf;

    strcpy(f->dir, "/tmp/tlsock-bench-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        bench_die("no temporary directory");
    snprintf(f->root, sizeof(f->root), "%s/root.pem", f->dir);
    snprintf(f->chain, sizeof(f->chain), "%s/chain.pem", f->dir);
    snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
    snprintf(p->inter_crl, sizeof(p->inter_crl), "%s/inter.crl", f->dir);
    snprintf(p->root_crl, sizeof(p->root_crl), "%s/root.crl", f->dir);
    root = bench_cert(
        TLSOCK_CERT_OPTS(.subject = "CN=Bench Root", .ca = 1, .pathlen = -1));
    inter = bench_cert(TLSOCK_CERT_OPTS(.subject = "CN=Bench Intermediate", .ca = 1,
                                  .issuer = root));
    leaf = bench_cert(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 1, .issuer = inter,
                                 .purpose = "server"));
    bench_save(root, TLSOCK_PART_CERT, f->root);
    bench_save(leaf, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, f->chain);
    bench_save(leaf, TLSOCK_PART_KEY, f->key);
    save_list(inter, entries, p->inter_crl);
    save_list(root, 0, p->root_crl);
    p->leaf = tlsock_cert_load(f->chain, NULL, NULL, NULL);
    tlsock_cert_unref(leaf);
    tlsock_cert_unref(inter);
    tlsock_cert_unref(root);
}

static void remove_pki(struct pki *p)
{
    unlink(p->files.root);
    unlink(p->files.chain);
    unlink(p->files.key);
    unlink(p->inter_crl);
    unlink(p->root_crl);
    rmdir(p->files.dir);
    tlsock_cert_unref(p->leaf);
}

static void must(tlsock_config *c, int rc)
{
    if (rc != 0)
        bench_die("%s", tlsock_config_error(c)->message);
}

static tlsock_config *client(const struct pki *p, int with)
{
    tlsock_config *c = tlsock_config_new();

    must(c, tlsock_config_add_trust(c, p->files.root));
    must(c, tlsock_config_set(c, "session", "off"));
    if (!with)
        return c;
    must(c, tlsock_config_add_crl(c, p->inter_crl));
    must(c, tlsock_config_add_crl(c, p->root_crl));
    must(c, tlsock_config_set(c, "revocation", "crl"));
    return c;
}

static size_t heap(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void verify(const struct pki *p, tlsock_config *c)
{
    tlsock_error err;

    if (tlsock_verify(p->leaf, c, TLSOCK_VERIFY_OPTS(.name = BENCH_NAME),
                      &err) != 0)
        bench_die("%s", err.message);
}

struct server {
    tlsock_config *config;
    int fd;
};

static void *serve(void *arg)
{
    struct server *v = arg;
    tlsock_error err;
    tlsock *s = tlsock_server_fd(v->fd, v->config, NULL, &err);
    char c;

    if (s == NULL || tlsock_read(s, &c, 1) != 1 ||
        tlsock_write(s, &c, 1) != 1 || tlsock_close(s) != 0)
        bench_die("server: %s", s != NULL ? "failed" : err.message);
    return NULL;
}

/* Handshake, a byte there and back, the end. */
static void connect_once(tlsock_config *sc, tlsock_config *cc)
{
    struct server v = {.config = sc};
    pthread_t thread;
    tlsock_error err;
    int fd[2];
    tlsock *s;
    char c = 'x';

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
        bench_die("socketpair");
    v.fd = fd[1];
    if (pthread_create(&thread, NULL, serve, &v) != 0)
        bench_die("thread");
    s = tlsock_client_fd(fd[0], BENCH_NAME, cc, NULL, &err);
    if (s == NULL)
        bench_die("%s", err.message);
    if (tlsock_write(s, &c, 1) != 1 || tlsock_read(s, &c, 1) != 1)
        bench_die("%s", tlsock_last_error(s)->message);
    pthread_join(thread, NULL);
    (void)tlsock_close(s);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof(*v), by_size);
    return v[ROUNDS / 2];
}

static void warm(const struct pki *p, tlsock_config *with, tlsock_config *plain)
{
    double a[ROUNDS], b[ROUNDS], t;

    for (int r = 0; r < ROUNDS; r++) {
        t = bench_cpu_us();
        for (int i = 0; i < VERIFIES; i++)
            verify(p, plain);
        a[r] = (bench_cpu_us() - t) / VERIFIES;
        t = bench_cpu_us();
        for (int i = 0; i < VERIFIES; i++)
            verify(p, with);
        b[r] = (bench_cpu_us() - t) / VERIFIES;
    }
    printf("verify, lists cached       %9.1f us; without %9.1f us\n", median(b),
           median(a));
}

static void connections(const struct pki *p, tlsock_config *with,
                        tlsock_config *plain)
{
    tlsock_config *sc = tlsock_config_new();
    double a[ROUNDS], b[ROUNDS], t;

    must(sc,
         tlsock_config_add_identity(sc, p->files.chain, p->files.key, NULL));
    for (int r = 0; r < ROUNDS; r++) {
        t = bench_cpu_us();
        for (int i = 0; i < CONNECTS; i++)
            connect_once(sc, plain);
        a[r] = (bench_cpu_us() - t) / CONNECTS;
        t = bench_cpu_us();
        for (int i = 0; i < CONNECTS; i++)
            connect_once(sc, with);
        b[r] = (bench_cpu_us() - t) / CONNECTS;
    }
    printf("connection, lists cached   %9.1f us; without %9.1f us\n", median(b),
           median(a));
    tlsock_config_unref(sc);
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 100000;
    size_t before;
    struct stat st;
    struct pki p;
    double t;
    tlsock_config *with, *plain;

    if (n < 0 || n > 5000000)
        bench_die("tlsock-crl [ENTRIES]");
    make_pki(&p, (size_t)n);
    if (stat(p.inter_crl, &st) != 0)
        bench_die("no list");
    plain = client(&p, 0);
    verify(&p, plain);
    before = heap();
    t = bench_cpu_us();
    with = client(&p, 1);
    printf("a CRL of %ld entries, %ld KiB; CPU time, medians of %d rounds\n", n,
           (long)st.st_size / 1024, ROUNDS);
    printf("load                       %9.1f us, %zu KiB kept\n", bench_cpu_us() - t,
           (heap() - before) / 1024);
    t = bench_cpu_us();
    verify(&p, with);
    printf("verify, first              %9.1f us\n", bench_cpu_us() - t);
    warm(&p, with, plain);
    connections(&p, with, plain);
    tlsock_config_unref(with);
    tlsock_config_unref(plain);
    remove_pki(&p);
    return 0;
}
