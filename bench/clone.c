/* Certificates cloned per second, beside what OpenSSL needs for the signature
 * alone: one core, one CA, by kind of the CA's key and of the clone's. */
#include "bench.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <tlsock/cert.h>

#define SECONDS 1.0

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static tlsock_cert *make(const tlsock_cert_opts *o)
{
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_create(o, &err);

    if (c == NULL)
        bench_die("no certificate: %s", err.message);
    return c;
}

/* Per second, of the calls that job makes in a second of CPU time. */
static double rate(void (*job)(void *arg), void *arg)
{
    double start = cpu(), spent;
    long n = 0;

    do {
        for (int i = 0; i < 16; i++)
            job(arg);
        n += 16;
        spent = cpu() - start;
    } while (spent < SECONDS);
    return (double)n / spent;
}

static void sign_once(void *arg)
{
    static const unsigned char data[900]; /* what a certificate has */
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char sig[1024];
    size_t len = sizeof(sig);

    if (ctx == NULL ||
        EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, arg) != 1 ||
        EVP_DigestSign(ctx, sig, &len, data, sizeof(data)) != 1)
        bench_die("cannot sign");
    EVP_MD_CTX_free(ctx);
}

struct pair {
    tlsock_cert *seen, *ca;
};

static void clone_once(void *arg)
{
    const struct pair *p = arg;
    tlsock_error err = {0};
    tlsock_cert *c = tlsock_cert_clone(p->seen, p->ca, &err);

    if (c == NULL)
        bench_die("no clone: %s", err.message);
    tlsock_cert_unref(c);
}

/* Of a kind that tlsock_cert_create() makes; the signature is what counts. */
static EVP_PKEY *key_of(const char *kind)
{
    EVP_PKEY *key = kind[0] == 'e'
                        ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                        : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);

    if (key == NULL)
        bench_die("no key");
    return key;
}

static void run(const char *kind, const char *ca_kind)
{
    static const char *const names[] = {"www.example.test", "example.test",
                                        "*.example.test"};
    struct pair p = {
        .seen = make(TLSOCK_CERT_OPTS(.sans = names, .n_sans = 3, .key = kind)),
        .ca = make(
            TLSOCK_CERT_OPTS(.subject = "CN=CA", .ca = 1, .key = ca_kind))};
    EVP_PKEY *key = key_of(ca_kind);
    double clones, signs;

    clone_once(&p); /* makes the key */
    clones = rate(clone_once, &p);
    signs = rate(sign_once, key);
    printf("%-9s under %-9s %8.0f clones/s %8.0f signatures/s  %5.1f us "
           "besides the signature\n",
           kind, ca_kind, clones, signs, 1e6 / clones - 1e6 / signs);
    EVP_PKEY_free(key);
    tlsock_cert_unref(p.seen);
    tlsock_cert_unref(p.ca);
}

int main(void)
{
    run("ec:P-256", "ec:P-256");
    run("rsa:2048", "ec:P-256");
    run("ec:P-256", "rsa:2048");
    run("rsa:2048", "rsa:2048");
    return 0;
}
