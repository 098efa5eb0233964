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
    BENCH_MODES
};

struct bench_files {
    char dir[64];
    char root[96];   /* to trust */
    char chain[96];  /* leaf, intermediate */
    char key[96];
    char bundle[96]; /* the system's CAs and the root: SSL_CERT_FILE */
};

#define BENCH_NAME "localhost"

struct bench_lib {
    const char *name;
    unsigned modes; /* 1u << BENCH_*: where it takes part */
    int slow;       /* divide the number of connections by this (LOOP) */
    void *(*server_new)(enum bench_mode mode, const struct bench_files *f);
    void *(*client_new)(enum bench_mode mode, const struct bench_files *f);
    /* handshake on an accepted socket; the connection owns fd */
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
    bench_openssl_tutorial;
#ifdef HAVE_LIBTLS
extern const struct bench_lib bench_libtls;
#endif
#ifdef HAVE_GNUTLS
extern const struct bench_lib bench_gnutls;
#endif

void bench_die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));
int bench_dial(int port); /* 127.0.0.1, TCP_NODELAY, blocking */
void bench_nodelay(int fd);

double bench_cpu_us(void); /* of this process, all threads; run.c */

/* files.c. Each ends the process if it fails. */
tlsock_cert *bench_cert(const tlsock_cert_opts *o);
void bench_save(const tlsock_cert *c, unsigned parts, const char *path);
void bench_files_make(struct bench_files *f);
void bench_files_remove(const struct bench_files *f);

/* What one process found out. */
struct bench_result {
    double wall_s, cpu_s; /* of the measured part */
    double per_conn_kib;  /* BENCH_IDLE */
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
