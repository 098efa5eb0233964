/* bench - one library behind the few calls that every run needs.
 *
 * Client and server are two single-threaded processes with blocking sockets;
 * everybody verifies leaf < intermediate < root and the host name. Failures
 * end the process with a message: a benchmark that is wrong must not go on. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <tlsock/cert.h>

enum bench_mode {
    BENCH_FULL,    /* full handshakes, sessions off */
    BENCH_RESUMED, /* the client keeps what it was given */
    BENCH_LOOP,    /* plain connects with the system's trust store */
    BENCH_BULK,    /* 16 KiB writes on one connection */
    BENCH_SMALL,   /* 100-byte writes on one connection */
    BENCH_IDLE,    /* memory of connections that do nothing */
    BENCH_PING,    /* 1 KiB there and back on one connection */
    BENCH_FIRST,   /* the first connect of a process, system trust store */
    BENCH_PARTS,   /* the same as PING, each request in two writes */
    BENCH_MODES
};

struct bench_files {
    char dir[64];
    char root[96];  /* to trust */
    char chain[96]; /* leaf, intermediate */
    char key[96];
    char rsa_chain[96], rsa_key[96]; /* the same leaf with RSA 2048 */
    int tls12;                       /* TLS 1.2 instead of 1.3 */
    char bundle[96]; /* the system's CAs and the root: SSL_CERT_FILE */
};

#define BENCH_NAME "localhost"

/* A library is the calls below, or a program that does the same by itself:
 *   perl SCRIPT MODE SIDE FD COUNT TLS12 CHAIN KEY TRUST OUT
 * SIDE is "server" with a listening FD, or "client" with a port; it writes
 * "wall cpu kib p50 p99 first text" to the descriptor OUT. */
struct bench_lib {
    const char *name;
    unsigned modes; /* 1u << BENCH_*: where it takes part */
    const char *script;
    int slow;      /* divide the number of connections by this (LOOP) */
    int slow_full; /* of FULL and RESUMED */
    int slow_bulk; /* the same of what BULK moves */
    int slow_idle; /* the same of IDLE */
    void *(*server_new)(enum bench_mode mode, const struct bench_files *f);
    void *(*client_new)(enum bench_mode mode, const struct bench_files *f);
    /* on a free port of 127.0.0.1, by the library's own means; NULL: run.c
     * listens */
    void (*listen)(void *server, int *port);
    /* handshake on an accepted socket; the connection owns fd. -1: accept one,
     * see listen */
    void *(*accept)(void *server, int fd);
    /* TCP to the loopback port, handshake, verification */
    void *(*connect)(void *client, int port);
    ssize_t (*read)(void *conn, void *buf, size_t len);     /* 0: the end */
    void (*write)(void *conn, const void *buf, size_t len); /* all of it */
    void (*flush)(void *conn);
    /* close_notify both ways, then everything is freed. The server calls it
     * after a read that gave 0. */
    void (*finish)(void *conn, int client);
    /* "TLSv1.3 TLS_AES_256_GCM_SHA384" */
    void (*describe)(void *conn, char *out, size_t size);
};

extern const struct bench_lib bench_tlsock, bench_openssl_well,
    bench_openssl_naive, bench_perl;
#ifdef HAVE_LIBTLS
extern const struct bench_lib bench_libtls;
#endif
#ifdef HAVE_GNUTLS
extern const struct bench_lib bench_gnutls;
#endif
#ifdef HAVE_WOLFSSL
extern const struct bench_lib bench_wolfssl;
#endif

void bench_die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));
int bench_dial(int port); /* 127.0.0.1, TCP_NODELAY, blocking */
void bench_nodelay(int fd);

extern const char *const bench_keys[BENCH_MODES]; /* by enum bench_mode */
double bench_cpu_us(void); /* of this process, all threads; run.c */

/* files.c. Each ends the process if it fails. */
tlsock_cert *bench_cert(const tlsock_cert_opts *o);
void bench_save(const tlsock_cert *c, unsigned parts, const char *path);
void bench_files_make(struct bench_files *f);
void bench_files_remove(const struct bench_files *f);

/* What one process found out. */
struct bench_result {
    double wall_s, cpu_s;  /* of the measured part */
    double per_conn_kib;   /* BENCH_IDLE */
    double p50_us, p99_us; /* BENCH_PING, BENCH_PARTS */
    double first_ms;       /* BENCH_FIRST: over a later one */
    char text[96];
};
/* run.c: one server process and one client process */
struct bench_job {
    const struct bench_lib *lib;
    enum bench_mode mode;
    const struct bench_files *files;
    long count;   /* connections, or MiB */
    int one_core; /* pin both to one core */
};
void bench_run(const struct bench_job *job, struct bench_result *client,
               struct bench_result *server);

#endif
