#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <tls.h>
#include <unistd.h>

struct client {
    struct tls_config *config;
    enum bench_mode mode;
};

struct conn {
    struct tls *tls;
    int fd;
};

static void die(struct tls *tls, const char *what)
{
    const char *why = tls == NULL ? NULL : tls_error(tls);

    bench_die("libtls: %s: %s", what, why == NULL ? "?" : why);
}

static void *server_new(enum bench_mode mode, const struct bench_files *f)
{
    struct tls_config *config = tls_config_new();
    struct tls *server = tls_server();

    (void)mode;
    if (f->tls12)
        tls_config_set_protocols(config, TLS_PROTOCOL_TLSv1_2);
    if (config == NULL || server == NULL ||
        tls_config_set_keypair_file(config, f->chain, f->key) != 0 ||
        tls_configure(server, config) != 0)
        die(server, "server");
    return server;
}

static void *client_new(enum bench_mode mode, const struct bench_files *f)
{
    struct client *client = calloc(1, sizeof(*client));

    client->mode = mode;
    client->config = tls_config_new();
    if (client->config == NULL ||
        tls_config_set_ca_file(client->config,
                               mode == BENCH_LOOP || mode == BENCH_FIRST
                                   ? f->bundle
                                   : f->root) != 0)
        die(NULL, "client");
    if (f->tls12)
        tls_config_set_protocols(client->config, TLS_PROTOCOL_TLSv1_2);
    return client;
}

static struct conn *conn_new(struct tls *tls, int fd)
{
    struct conn *c = calloc(1, sizeof(*c));

    c->tls = tls;
    c->fd = fd;
    return c;
}

static void *accept_one(void *server, int fd)
{
    struct tls *tls = NULL;

    if (tls_accept_socket(server, &tls, fd) != 0)
        die(server, "accept");
    if (tls_handshake(tls) != 0)
        die(tls, "accept");
    return conn_new(tls, fd);
}

static void *connect_one(void *arg, int port)
{
    struct client *client = arg;
    struct tls *tls = tls_client();
    char service[8];
    int fd = -1;

    if (tls == NULL || tls_configure(tls, client->config) != 0)
        die(tls, "configure");
    if (client->mode == BENCH_LOOP) {
        snprintf(service, sizeof(service), "%d", port);
        if (tls_connect(tls, BENCH_NAME, service) != 0)
            die(tls, "connect");
    } else {
        fd = bench_dial(port);
        if (tls_connect_socket(tls, fd, BENCH_NAME) != 0)
            die(tls, "connect");
    }
    if (tls_handshake(tls) != 0)
        die(tls, "handshake");
    return conn_new(tls, fd);
}

static ssize_t read_some(void *conn, void *buf, size_t len)
{
    struct conn *c = conn;
    ssize_t n;

    do
        n = tls_read(c->tls, buf, len);
    while (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT);
    if (n < 0)
        die(c->tls, "read");
    return n;
}

static void write_all(void *conn, const void *buf, size_t len)
{
    struct conn *c = conn;
    const char *p = buf;

    while (len > 0) {
        ssize_t n = tls_write(c->tls, p, len);

        if (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT)
            continue;
        if (n < 0)
            die(c->tls, "write");
        p += n;
        len -= (size_t)n;
    }
}

static void flush(void *conn)
{
    (void)conn;
}

static void finish(void *conn, int client)
{
    struct conn *c = conn;
    char byte;
    int rc;

    do
        rc = tls_close(c->tls);
    while (rc == TLS_WANT_POLLIN || rc == TLS_WANT_POLLOUT);
    if (client && c->fd >= 0)
        while (read(c->fd, &byte, 1) > 0) /* the peer's close_notify */
            ;
    tls_free(c->tls);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

static void describe(void *conn, char *out, size_t size)
{
    struct conn *c = conn;

    snprintf(out, size, "%s %s%s", tls_conn_version(c->tls),
             tls_conn_cipher(c->tls),
             tls_conn_session_resumed(c->tls) ? ", resumed" : "");
}

const struct bench_lib bench_libtls = {
    .name = "libtls",
    .modes = 1u << BENCH_FULL | 1u << BENCH_LOOP | 1u << BENCH_BULK |
             1u << BENCH_SMALL | 1u << BENCH_IDLE | 1u << BENCH_PING |
             1u << BENCH_PARTS | 1u << BENCH_FIRST,
    .slow = 20,
    .server_new = server_new,
    .client_new = client_new,
    .accept = accept_one,
    .connect = connect_one,
    .read = read_some,
    .write = write_all,
    .flush = flush,
    .finish = finish,
    .describe = describe,
};
