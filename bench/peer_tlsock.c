#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <tlsock.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

struct client {
    tlsock_config *config; /* NULL: the defaults, nothing set */
};

struct server {
    tlsock_config *config;
    tlsock_listener *listener;
};

static int coalesces; /* this process: it has "write.buffer" */

static void must(tlsock_config *c, int rc)
{
    if (rc != 0)
        bench_die("tlsock: %s", tlsock_config_error(c)->message);
}

static void *server_new(enum bench_mode mode, const struct bench_files *f)
{
    struct server *server = calloc(1, sizeof(*server));
    tlsock_config *c = server->config = tlsock_config_new();

    (void)mode;
    must(c, tlsock_config_add_identity(c, f->chain, f->key, NULL));
    return server;
}

static void listen_any(void *arg, int *port)
{
    struct server *server = arg;
    tlsock_error err;

    server->listener = tlsock_listen("127.0.0.1:0", server->config, NULL, &err);
    if (server->listener == NULL)
        bench_die("tlsock: %s", err.message);
    *port = tlsock_listener_port(server->listener);
}

static void *client_new(enum bench_mode mode, const struct bench_files *f)
{
    struct client *client = calloc(1, sizeof(*client));

    if (mode == BENCH_LOOP)
        return client;
    client->config = tlsock_config_new();
    if (mode != BENCH_FIRST)
        must(client->config, tlsock_config_add_trust(client->config, f->root));
    if (f->tls12)
        must(client->config,
             tlsock_config_set(client->config, "tls.max", "1.2"));
    if (mode == BENCH_FULL || mode == BENCH_FIRST)
        must(client->config,
             tlsock_config_set(client->config, "session", "off"));
    coalesces = mode == BENCH_SMALL || mode == BENCH_PARTS;
    if (coalesces)
        must(client->config,
             tlsock_config_set(client->config, "write.buffer", "16384"));
    return client;
}

static void *accept_one(void *arg, int fd)
{
    struct server *server = arg;
    tlsock_error err;
    tlsock *s = tlsock_accept(server->listener, &err);

    (void)fd;
    if (s == NULL)
        bench_die("tlsock: %s", err.message);
    return s;
}

static void *connect_one(void *arg, int port)
{
    struct client *client = arg;
    tlsock_error err;
    char target[64];
    tlsock *s;

    if (client->config == NULL) {
        snprintf(target, sizeof(target), BENCH_NAME ":%d", port);
        s = tlsock_connect(target, NULL, NULL, &err);
    } else {
        snprintf(target, sizeof(target), "127.0.0.1:%d", port);
        s = tlsock_connect(target, client->config,
                           TLSOCK_OPTS(.name = BENCH_NAME), &err);
    }
    if (s == NULL)
        bench_die("tlsock: %s", err.message);
    return s;
}

static ssize_t read_some(void *conn, void *buf, size_t len)
{
    ssize_t n = tlsock_read(conn, buf, len);

    if (n < 0)
        bench_die("tlsock: %s", tlsock_last_error(conn)->message);
    return n;
}

static void write_all(void *conn, const void *buf, size_t len)
{
    if (tlsock_write(conn, buf, len) != (ssize_t)len)
        bench_die("tlsock: %s", tlsock_last_error(conn)->message);
}

/* What is written leaves at once, but with write.buffer. */
static void flush(void *conn)
{
    if (coalesces && tlsock_flush(conn) != 0)
        bench_die("tlsock: %s", tlsock_last_error(conn)->message);
}

static void finish(void *conn, int client)
{
    if (client && tlsock_shutdown(conn, SHUT_RDWR) != 0)
        bench_die("tlsock: %s", tlsock_last_error(conn)->message);
    if (tlsock_close(conn) != 0)
        bench_die("tlsock: close");
}

static void describe(void *conn, char *out, size_t size)
{
    const char *resumed =
        tlsock_info_int(conn, TLSOCK_INFO_RESUMED) ? ", resumed" : "";
    char version[16];

    snprintf(version, sizeof(version), "%s",
             tlsock_info(conn, TLSOCK_INFO_VERSION));
    snprintf(out, size, "%s %s%s", version,
             tlsock_info(conn, TLSOCK_INFO_CIPHER), resumed);
}

const struct bench_lib bench_tlsock = {
    .name = "tlsock",
    .modes = ~0u,
    .slow = 1,
    .server_new = server_new,
    .client_new = client_new,
    .listen = listen_any,
    .accept = accept_one,
    .connect = connect_one,
    .read = read_some,
    .write = write_all,
    .flush = flush,
    .finish = finish,
    .describe = describe,
};
