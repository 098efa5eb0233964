/* What a verification costs: tlsock_verify() beside OpenSSL's own
 * X509_verify_cert() on the same chain, in turns. And what hostile chains cost:
 * one verification each. */
#include "bench.h"
#include "hostile.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <tlsock/openssl.h>
#include <unistd.h>

#define ROUNDS 15
#define NAME "www.bench.test"

struct chain {
    tlsock_cert *leaf; /* with the intermediate */
    char root_pem[8192];
    X509 *root, *inter, *end;
};

static tlsock_cert *make(const char *subject, const char *key, int ca,
                         const tlsock_cert *issuer)
{
    static const char *const sans[] = {NAME};
    tlsock_error err;
    tlsock_cert *c = tlsock_cert_create(
        TLSOCK_CERT_OPTS(.subject = subject, .key = key, .ca = ca,
                         .pathlen = -ca, .issuer = issuer, .sans = sans,
                         .n_sans = ca ? 0 : 1),
        &err);

    if (c == NULL)
        bench_die("%s", err.message);
    return c;
}

static X509 *reread(const tlsock_cert *c, char *pem, size_t size)
{
    char path[] = "/tmp/tlsock-bench-XXXXXX";
    int fd = mkstemp(path);
    FILE *f;
    X509 *x;

    if (fd < 0 || tlsock_cert_save(c, TLSOCK_PART_CERT, TLSOCK_FORMAT_PEM, path,
                                   NULL, NULL) < 0)
        bench_die("cannot save a certificate");
    close(fd);
    f = fopen(path, "r");
    x = f != NULL ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    if (x == NULL)
        bench_die("cannot read a certificate");
    if (pem != NULL) {
        rewind(f);
        pem[fread(pem, 1, size - 1, f)] = '\0';
    }
    fclose(f);
    unlink(path);
    return x;
}

/* As it comes from a file or a peer: one that was just made has no encoding
 * that OpenSSL would keep. */
static tlsock_cert *parsed(const tlsock_cert *c)
{
    char path[] = "/tmp/tlsock-bench-XXXXXX";
    int fd = mkstemp(path);
    tlsock_cert *p;

    if (fd < 0 || tlsock_cert_save(c, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN,
                                   TLSOCK_FORMAT_PEM, path, NULL, NULL) < 0)
        bench_die("cannot save a chain");
    close(fd);
    p = tlsock_cert_load(path, NULL, NULL, NULL);
    unlink(path);
    if (p == NULL)
        bench_die("cannot load a chain");
    return p;
}

static void make_chain(struct chain *c, const char *key)
{
    tlsock_cert *root = make("CN=Bench Root", key, 1, NULL);
    tlsock_cert *inter = make("CN=Bench CA", key, 1, root), *made;

    made = make("CN=" NAME, key, 0, inter);
    c->root = reread(root, c->root_pem, sizeof(c->root_pem));
    c->inter = reread(inter, NULL, 0);
    c->end = reread(made, NULL, 0);
    c->leaf = parsed(made);
    tlsock_cert_unref(made);
    tlsock_cert_unref(root);
    tlsock_cert_unref(inter);
}

/* As a program does that checks purpose and name. */
static void raw_once(X509_STORE *store, STACK_OF(X509) * sent, X509 *end)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *p;

    if (ctx == NULL || !X509_STORE_CTX_init(ctx, store, end, sent))
        bench_die("X509_STORE_CTX");
    p = X509_STORE_CTX_get0_param(ctx);
    X509_STORE_CTX_set_default(ctx, "ssl_server");
    X509_VERIFY_PARAM_set1_host(p, NAME, 0);
    if (X509_verify_cert(ctx) != 1)
        bench_die("not verified");
    X509_STORE_CTX_free(ctx);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void compare(const char *key, int n)
{
    struct chain c;
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *sent = sk_X509_new_null();
    tlsock_config *config = tlsock_config_new();
    double ours[ROUNDS], raw[ROUNDS], ratio[ROUNDS];
    tlsock_error err;

    make_chain(&c, key);
    X509_STORE_add_cert(store, c.root);
    sk_X509_push(sent, c.inter);
    tlsock_config_add_trust(config, "none");
    tlsock_config_add_trust(config, c.root_pem);
    for (int r = 0; r < ROUNDS; r++) {
        double t0 = bench_cpu_us(), t1;

        for (int i = 0; i < n; i++)
            raw_once(store, sent, c.end);
        t1 = bench_cpu_us();
        for (int i = 0; i < n; i++)
            if (tlsock_verify(c.leaf, config, TLSOCK_VERIFY_OPTS(.name = NAME),
                              &err) != 0)
                bench_die("%s", err.message);
        raw[r] = (t1 - t0) / n;
        ours[r] = (bench_cpu_us() - t1) / n;
        ratio[r] = ours[r] / raw[r];
    }
    qsort(ours, ROUNDS, sizeof(double), by_size);
    qsort(raw, ROUNDS, sizeof(double), by_size);
    qsort(ratio, ROUNDS, sizeof(double), by_size);
    printf("%-10s tlsock_verify %7.1f us  X509_verify_cert %7.1f us  ratio "
           "%.3f [%.3f-%.3f]\n",
           key, ours[ROUNDS / 2], raw[ROUNDS / 2], ratio[ROUNDS / 2], ratio[0],
           ratio[ROUNDS - 1]);
    tlsock_cert_unref(c.leaf);
    X509_free(c.root);
    X509_free(c.inter);
    X509_free(c.end);
    sk_X509_free(sent);
    X509_STORE_free(store);
    tlsock_config_unref(config);
}

int main(void)
{
    printf("verification of a chain of 3, CPU time, median of %d rounds\n",
           ROUNDS);
    compare("ec:P-256", 1000);
    compare("rsa:2048", 2000);
    hostile_run();
    return 0;
}
