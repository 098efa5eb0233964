/* OpenSSL twice: written well (one shared SSL_CTX, read-ahead, released
 * buffers), and naive, with an SSL_CTX and a trust store per connection, as its
 * tutorials show. */
#include "bench.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct side {
    SSL_CTX *ctx; /* NULL: one per connection */
    SSL_SESSION *session;
    enum bench_mode mode;
    const struct bench_files *files;
};

static struct side *the_client; /* for the callback: one per process */

static void die(const char *what)
{
    char text[160];

    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    bench_die("openssl: %s: %s", what, text);
}

static SSL_CTX *new_ctx(const SSL_METHOD *method, const struct bench_files *f)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (ctx == NULL)
        die("context");
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    if (f->tls12)
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    return ctx;
}

static void be_well(SSL_CTX *ctx)
{
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
}

static struct side *new_side(enum bench_mode mode, const struct bench_files *f)
{
    struct side *side = calloc(1, sizeof(*side));

    side->mode = mode;
    side->files = f;
    return side;
}

static SSL_CTX *server_ctx(const struct side *side)
{
    SSL_CTX *ctx = new_ctx(TLS_server_method(), side->files);

    if (SSL_CTX_use_certificate_chain_file(ctx, side->files->chain) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, side->files->key, SSL_FILETYPE_PEM) !=
            1)
        die("identity");
    return ctx;
}

static SSL_CTX *client_ctx(const struct side *side)
{
    SSL_CTX *ctx = new_ctx(TLS_client_method(), side->files);
    int ok = side->mode == BENCH_LOOP || side->mode == BENCH_FIRST
                 ? SSL_CTX_set_default_verify_paths(ctx)
                 : SSL_CTX_load_verify_locations(ctx, side->files->root, NULL);

    if (ok != 1)
        die("trust store");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return ctx;
}

static void *server_new(enum bench_mode mode, const struct bench_files *f)
{
    struct side *side = new_side(mode, f);

    side->ctx = server_ctx(side);
    be_well(side->ctx);
    return side;
}

static void *naive_new(enum bench_mode mode, const struct bench_files *f)
{
    return new_side(mode, f);
}

static int keep_session(SSL *ssl, SSL_SESSION *ses)
{
    (void)ssl;
    SSL_SESSION_free(the_client->session);
    the_client->session = ses;
    return 1;
}

static void *client_new(enum bench_mode mode, const struct bench_files *f)
{
    struct side *client = new_side(mode, f);

    client->ctx = client_ctx(client);
    be_well(client->ctx);
    if (mode == BENCH_RESUMED) {
        the_client = client;
        SSL_CTX_set_session_cache_mode(client->ctx, SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(client->ctx, keep_session);
    }
    return client;
}

static void *accept_one(void *arg, int fd)
{
    struct side *server = arg;
    SSL_CTX *own = server->ctx == NULL ? server_ctx(server) : NULL;
    SSL *ssl = SSL_new(own != NULL ? own : server->ctx);

    SSL_CTX_free(own);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_accept(ssl) != 1)
        die("accept");
    return ssl;
}

static int dial_by_name(int port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    char service[8];
    int fd = -1;

    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(BENCH_NAME, service, &hints, &list) != 0)
        bench_die("openssl: " BENCH_NAME " has no address");
    for (struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        bench_die("openssl: cannot connect");
    bench_nodelay(fd);
    return fd;
}

static void *connect_one(void *arg, int port)
{
    struct side *client = arg;
    SSL_CTX *own = client->ctx == NULL ? client_ctx(client) : NULL;
    SSL *ssl = SSL_new(own != NULL ? own : client->ctx);
    int fd = client->mode == BENCH_LOOP ? dial_by_name(port) : bench_dial(port);

    SSL_CTX_free(own);
    if (ssl == NULL || SSL_set_tlsext_host_name(ssl, BENCH_NAME) != 1 ||
        SSL_set1_host(ssl, BENCH_NAME) != 1 || SSL_set_fd(ssl, fd) != 1)
        die("connection");
    if (client->session != NULL)
        SSL_set_session(ssl, client->session);
    if (SSL_connect(ssl) != 1)
        die("connect");
    return ssl;
}

static ssize_t read_some(void *conn, void *buf, size_t len)
{
    size_t n = 0;

    if (SSL_read_ex(conn, buf, len, &n) == 1)
        return (ssize_t)n;
    if (SSL_get_error(conn, 0) != SSL_ERROR_ZERO_RETURN)
        die("read");
    return 0;
}

static void write_all(void *conn, const void *buf, size_t len)
{
    size_t n;

    if (SSL_write_ex(conn, buf, len, &n) != 1)
        die("write");
}

static void flush(void *conn)
{
    (void)conn;
}

static void finish(void *conn, int client)
{
    int fd = SSL_get_fd(conn), rc = SSL_shutdown(conn);

    if (client && rc == 0)
        rc = SSL_shutdown(conn);
    if (rc != 1)
        die("shutdown");
    SSL_free(conn);
    close(fd);
}

static void describe(void *conn, char *out, size_t size)
{
    snprintf(out, size, "%s %s%s", SSL_get_version(conn), SSL_get_cipher(conn),
             SSL_session_reused(conn) ? ", resumed" : "");
}

const struct bench_lib bench_openssl_well = {
    .name = "OpenSSL well",
    .modes = ~0u,
    .slow = 1,
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

const struct bench_lib bench_openssl_naive = {
    .name = "OpenSSL naive",
    .modes = ~0u,
    .slow = 20,
    .slow_full = 4,
    .slow_idle = 10,
    .server_new = naive_new,
    .client_new = naive_new,
    .accept = accept_one,
    .connect = connect_one,
    .read = read_some,
    .write = write_all,
    .flush = flush,
    .finish = finish,
    .describe = describe,
};
