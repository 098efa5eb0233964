#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/cert.h>
#include <unistd.h>

tlsock_cert *bench_cert(const tlsock_cert_opts *o)
{
    tlsock_error err;
    tlsock_cert *c = tlsock_cert_create(o, &err);

    if (c == NULL)
        bench_die("certificate: %s", err.message);
    return c;
}

void bench_save(const tlsock_cert *c, unsigned parts, const char *path)
{
    tlsock_error err;

    if (tlsock_cert_save(c, parts, TLSOCK_FORMAT_PEM, path, NULL, &err) != 0)
        bench_die("%s", err.message);
}

static void append(FILE *to, const char *path)
{
    FILE *from = fopen(path, "r");
    char buf[8192];
    size_t n;

    if (from == NULL)
        return;
    while ((n = fread(buf, 1, sizeof(buf), from)) > 0)
        fwrite(buf, 1, n, to);
    fclose(from);
}

static void make_bundle(const struct bench_files *f)
{
    static const char system_cas[] = "/etc/ssl/certs/ca-certificates.crt";
    FILE *out = fopen(f->bundle, "w");

    if (out == NULL)
        bench_die("%s cannot be written", f->bundle);
    if (access(system_cas, R_OK) != 0)
        fprintf(stderr, "note: no %s, the trust store is the test CA alone\n",
                system_cas);
    append(out, system_cas);
    append(out, f->root);
    fclose(out);
}

/* RSA all the way: its own intermediate, below a root that is trusted, too. */
static void make_rsa(const struct bench_files *f)
{
    const char *sans[] = {BENCH_NAME, "127.0.0.1"};
    tlsock_cert *root =
        bench_cert(TLSOCK_CERT_OPTS(.subject = "CN=Bench RSA Root", .ca = 1,
                                    .pathlen = -1, .key = "rsa:2048"));
    tlsock_cert *inter = bench_cert(
        TLSOCK_CERT_OPTS(.subject = "CN=Bench RSA Intermediate", .ca = 1,
                         .issuer = root, .key = "rsa:2048"));
    tlsock_cert *leaf =
        bench_cert(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 2, .issuer = inter,
                                    .purpose = "server", .key = "rsa:2048"));
    char path[128];
    FILE *to;

    bench_save(leaf, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, f->rsa_chain);
    bench_save(leaf, TLSOCK_PART_KEY, f->rsa_key);
    snprintf(path, sizeof(path), "%s/rsaroot.pem", f->dir);
    bench_save(root, TLSOCK_PART_CERT, path);
    to = fopen(f->root, "a");
    if (to == NULL)
        bench_die("%s cannot be written", f->root);
    append(to, path);
    fclose(to);
    unlink(path);
    tlsock_cert_unref(leaf);
    tlsock_cert_unref(inter);
    tlsock_cert_unref(root);
}

void bench_files_make(struct bench_files *f)
{
    const char *sans[] = {BENCH_NAME, "127.0.0.1"};
    tlsock_cert *root, *inter, *leaf;

    strcpy(f->dir, "/tmp/tlsock-bench-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        bench_die("no temporary directory");
    snprintf(f->root, sizeof(f->root), "%s/root.pem", f->dir);
    snprintf(f->chain, sizeof(f->chain), "%s/chain.pem", f->dir);
    snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
    snprintf(f->rsa_chain, sizeof(f->rsa_chain), "%s/rsa.pem", f->dir);
    snprintf(f->rsa_key, sizeof(f->rsa_key), "%s/rsakey.pem", f->dir);
    snprintf(f->bundle, sizeof(f->bundle), "%s/bundle.pem", f->dir);
    root = bench_cert(
        TLSOCK_CERT_OPTS(.subject = "CN=Bench Root", .ca = 1, .pathlen = -1));
    inter = bench_cert(TLSOCK_CERT_OPTS(.subject = "CN=Bench Intermediate",
                                        .ca = 1, .issuer = root));
    leaf = bench_cert(TLSOCK_CERT_OPTS(.sans = sans, .n_sans = 2,
                                       .issuer = inter, .purpose = "server"));
    bench_save(root, TLSOCK_PART_CERT, f->root);
    bench_save(leaf, TLSOCK_PART_CERT | TLSOCK_PART_CHAIN, f->chain);
    bench_save(leaf, TLSOCK_PART_KEY, f->key);
    tlsock_cert_unref(leaf);
    tlsock_cert_unref(inter);
    tlsock_cert_unref(root);
    make_rsa(f);
    make_bundle(f);
}

void bench_files_remove(const struct bench_files *f)
{
    unlink(f->root);
    unlink(f->chain);
    unlink(f->key);
    unlink(f->rsa_chain);
    unlink(f->rsa_key);
    unlink(f->bundle);
    rmdir(f->dir);
}
