#include "hostile.h"

#include "bench.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>
#include <time.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>

static EVP_PKEY *key;

static void add(X509 *x, X509 *by, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, by, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (ext == NULL || !X509_add_ext(x, ext, -1))
        bench_die("cannot make a hostile certificate: %.60s", value);
    X509_EXTENSION_free(ext);
}

/* by NULL: self-signed. One key for all: only names and places differ. */
static X509 *make(const char *cn, int ca, X509 *by, int nid, const char *value)
{
    static long serial = 1;
    X509 *x = X509_new();
    X509 *issuer = by != NULL ? by : x;

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_pubkey(x, key);
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    add(x, issuer, NID_basic_constraints,
        ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add(x, issuer, NID_key_usage,
        ca ? "critical,keyCertSign" : "critical,digitalSignature");
    add(x, issuer, NID_subject_key_identifier, "hash");
    if (by != NULL)
        add(x, issuer, NID_authority_key_identifier, "keyid");
    if (value != NULL)
        add(x, issuer, nid, value);
    if (X509_sign(x, key, EVP_sha256()) <= 0)
        bench_die("cannot sign");
    return x;
}

/* "PREFIX0SUFFIX,PREFIX1SUFFIX,..." */
static char *list(const char *prefix, const char *suffix, int n)
{
    char *text = malloc((size_t)n * 48), *p = text;

    if (text == NULL)
        bench_die("out of memory");
    for (int i = 0; i < n; i++) {
        if (i > 0)
            *p++ = ',';
        p += snprintf(p, 47, "%s%d%s", prefix, i, suffix);
    }
    return text;
}

static void put(BIO *bio, X509 *x)
{
    PEM_write_bio_X509(bio, x);
}

static long status_kib(const char *field)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtol(line + strlen(field), NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib;
}

/* The peak of memory is counted from here on. */
static long reset_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");

    if (f != NULL) {
        fputs("5", f);
        fclose(f);
    }
    return status_kib("VmRSS:");
}

/* Read and verified once. */
static void once(const char *what, tlsock_config *config, BIO *sent)
{
    char *p;
    long n = BIO_get_mem_data(sent, &p), before = reset_peak();
    double t0 = bench_cpu_us(), t1;
    tlsock_error err;
    tlsock_cert *c = tlsock_cert_parse(p, (size_t)n, NULL, &err);
    int rc;

    if (c == NULL)
        bench_die("%s", err.message);
    t1 = bench_cpu_us();
    rc = tlsock_verify(c, config, NULL, &err);
    printf("%-46s read %6.1f ms, verified %6.1f ms, %5ld KiB  %s\n", what,
           (t1 - t0) / 1e3, (bench_cpu_us() - t1) / 1e3,
           status_kib("VmHWM:") - before,
           rc == 0 ? "good" : tlsock_errslug(rc));
    tlsock_cert_unref(c);
}

/* Each in a process of its own, so that none profits from another's memory. */
static void measure(const char *what, BIO *sent, X509 *anchor)
{
    BIO *bio = BIO_new(BIO_s_mem());
    tlsock_config *config = tlsock_config_new();
    char *p, *text;
    long n;
    pid_t pid;

    put(bio, anchor);
    n = BIO_get_mem_data(bio, &p);
    text = strndup(p, (size_t)n);
    tlsock_config_add_trust(config, "none");
    tlsock_config_add_trust(config, text);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        malloc_trim(0);
        once(what, config, sent);
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    tlsock_config_unref(config);
    free(text);
    BIO_free(bio);
    BIO_free(sent);
}

/* Layers of width CAs, each signed by (any of) the layer above it. */
static void mesh(const char *what, int layers, int width, X509 *top,
                 X509 *anchor)
{
    X509 *below[16];
    BIO *sent = BIO_new(BIO_s_mem());
    char cn[32];

    below[layers] = top;
    for (int l = layers - 1; l >= 0; l--) {
        snprintf(cn, sizeof(cn), "Layer %d", l);
        below[l] = make(cn, 1, below[l + 1], 0, NULL);
    }
    put(sent,
        make("leaf.test", 0, below[0], NID_subject_alt_name, "DNS:leaf.test"));
    for (int l = 0; l < layers; l++) {
        snprintf(cn, sizeof(cn), "Layer %d", l);
        for (int w = 0; w < width; w++)
            put(sent, make(cn, 1, below[l + 1], 0, NULL));
    }
    measure(what, sent, anchor);
}

static void names(const char *what, int constraints, const char *constraint,
                  int sans, const char *san)
{
    X509 *top = make("Root", 1, NULL, 0, NULL);
    char *nc = list(constraint, ".test", constraints),
         *alt = list(san, ".test", sans);
    X509 *ca = make("Limited", 1, top, NID_name_constraints, nc);
    BIO *sent = BIO_new(BIO_s_mem());

    put(sent, make("leaf", 0, ca, NID_subject_alt_name, alt));
    put(sent, ca);
    measure(what, sent, top);
    free(nc);
    free(alt);
}

/* OpenSSL's text form of these wants a file of configuration. */
static X509 *with_policies(const char *cn, int ca, X509 *by, int n)
{
    CERTIFICATEPOLICIES *list = CERTIFICATEPOLICIES_new();
    X509 *x = make(cn, ca, by, 0, NULL);

    for (int i = 0; i < n; i++) {
        POLICYINFO *info = POLICYINFO_new();
        char oid[32];

        snprintf(oid, sizeof(oid), "1.2.3.%d", i);
        info->policyid = OBJ_txt2obj(oid, 1);
        sk_POLICYINFO_push(list, info);
    }
    X509_add1_ext_i2d(x, NID_certificate_policies, list, 0, 0);
    CERTIFICATEPOLICIES_free(list);
    if (X509_sign(x, key, EVP_sha256()) <= 0)
        bench_die("cannot sign");
    return x;
}

static void policies(void)
{
    X509 *top = make("Root", 1, NULL, 0, NULL), *by = top;
    X509 *chain[6];
    BIO *sent = BIO_new(BIO_s_mem());

    for (int i = 5; i >= 0; i--) {
        char cn[16];

        snprintf(cn, sizeof(cn), "CA %d", i);
        by = chain[i] = with_policies(cn, 1, by, 1000);
    }
    put(sent, with_policies("leaf", 0, chain[0], 1000));
    for (int i = 0; i < 6; i++)
        put(sent, chain[i]);
    measure("1,000 policies in each of 7", sent, top);
}

void hostile_run(void)
{
    X509 *root, *narrow;

    key = EVP_EC_gen("P-256");
    root = make("Root", 1, NULL, 0, NULL);
    narrow = make("Root", 1, NULL, NID_name_constraints,
                  "critical,permitted;DNS:b.test");
    printf("\nhostile chains, CPU time of one verification\n");
    mesh("500 twins of one CA, unknown root", 1, 500, root,
         make("Other", 1, NULL, 0, NULL));
    mesh("500 twins of one CA, none may sign the name", 1, 500, root, narrow);
    mesh("6 layers of 20 CAs, unknown root", 6, 20, root,
         make("Other", 1, NULL, 0, NULL));
    mesh("6 layers of 20 CAs, none may sign the name", 6, 20, root, narrow);
    mesh("8 layers of 60 CAs, none may sign the name", 8, 60, root, narrow);
    names("1,000 names, 1,000 constraints", 1000, "permitted;DNS:n", 1000,
          "DNS:n");
    names("5,000 names, 1,000 constraints", 1000, "permitted;DNS:n", 5000,
          "DNS:n");
    names("1,000 wildcards, 1,000 exclusions", 1000, "excluded;DNS:x.n", 1000,
          "DNS:*.m");
    policies();
    /* this process ends here: what was made is not freed */
}
