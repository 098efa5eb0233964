#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

struct side {
    WOLFSSL_CTX *ctx;
    WOLFSSL_SESSION *session;
    enum bench_mode mode;
    int tls12;
};

struct conn {
    WOLFSSL *ssl;
    struct side *side;
    int fd;
};

static void die(WOLFSSL *ssl, const char *what)
{
    bench_die("wolfSSL: %s: %d", what,
              ssl != NULL ? wolfSSL_get_error(ssl, 0) : 0);
}

static struct side *side_new(WOLFSSL_METHOD *method, enum bench_mode mode)
{
    struct side *side = calloc(1, sizeof(*side));

    side->mode = mode;
    side->ctx = wolfSSL_CTX_new(method);
    if (side->ctx == NULL)
        die(NULL, "context");
    return side;
}

static void *server_new(enum bench_mode mode, const struct bench_files *f)
{
    struct side *side = side_new(f->tls12 ? wolfTLSv1_2_server_method()
                                          : wolfTLSv1_3_server_method(),
                                 mode);

    if (wolfSSL_CTX_use_certificate_chain_file(side->ctx, f->chain) !=
            WOLFSSL_SUCCESS ||
        wolfSSL_CTX_use_PrivateKey_file(
            side->ctx, f->key, WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
        die(NULL, "identity");
    return side;
}

static void *client_new(enum bench_mode mode, const struct bench_files *f)
{
    struct side *side = side_new(f->tls12 ? wolfTLSv1_2_client_method()
                                          : wolfTLSv1_3_client_method(),
                                 mode);
    int rc = wolfSSL_CTX_load_verify_locations(
        side->ctx,
        mode == BENCH_LOOP || mode == BENCH_FIRST ? f->bundle : f->root, NULL);

    /* some of the system's CAs it does not like; the test's is among the rest
     */
    if (rc != WOLFSSL_SUCCESS && mode != BENCH_LOOP && mode != BENCH_FIRST)
        die(NULL, "trust");
    side->tls12 = f->tls12;
    if (f->tls12)
        wolfSSL_CTX_UseSessionTicket(side->ctx);
    wolfSSL_CTX_set_verify(side->ctx, WOLFSSL_VERIFY_PEER, NULL);
    return side;
}

static struct conn *conn_new(struct side *side, int fd)
{
    struct conn *c = calloc(1, sizeof(*c));

    c->side = side;
    c->fd = fd;
    c->ssl = wolfSSL_new(side->ctx);
    if (c->ssl == NULL || wolfSSL_set_fd(c->ssl, fd) != WOLFSSL_SUCCESS)
        die(NULL, "connection");
    return c;
}

static void *accept_one(void *server, int fd)
{
    struct conn *c = conn_new(server, fd);

    if (wolfSSL_accept(c->ssl) != WOLFSSL_SUCCESS)
        die(c->ssl, "accept");
    return c;
}

static void *connect_one(void *client, int port)
{
    struct side *side = client;
    struct conn *c = conn_new(side, bench_dial(port));

    if (wolfSSL_UseSNI(c->ssl, WOLFSSL_SNI_HOST_NAME, BENCH_NAME,
                       (unsigned short)strlen(BENCH_NAME)) != WOLFSSL_SUCCESS ||
        wolfSSL_check_domain_name(c->ssl, BENCH_NAME) != WOLFSSL_SUCCESS)
        die(c->ssl, "name");
    if (!side->tls12 &&
        wolfSSL_UseKeyShare(c->ssl, WOLFSSL_ECC_X25519) != WOLFSSL_SUCCESS)
        die(c->ssl, "key share");
    if (side->session != NULL)
        wolfSSL_set_session(c->ssl, side->session);
    if (wolfSSL_connect(c->ssl) != WOLFSSL_SUCCESS)
        die(c->ssl, "connect");
    return c;
}

static ssize_t read_some(void *conn, void *buf, size_t len)
{
    struct conn *c = conn;
    int n = wolfSSL_read(c->ssl, buf, (int)len);

    if (n > 0)
        return n;
    if (wolfSSL_get_error(c->ssl, n) != WOLFSSL_ERROR_ZERO_RETURN)
        die(c->ssl, "read");
    return 0;
}

static void write_all(void *conn, const void *buf, size_t len)
{
    struct conn *c = conn;

    if (wolfSSL_write(c->ssl, buf, (int)len) != (int)len)
        die(c->ssl, "write");
}

static void flush(void *conn)
{
    (void)conn;
}

static void finish(void *conn, int client)
{
    struct conn *c = conn;
    int rc;

    if (client && c->side->mode == BENCH_RESUMED) {
        wolfSSL_SESSION_free(c->side->session);
        c->side->session = wolfSSL_get1_session(c->ssl);
    }
    rc = wolfSSL_shutdown(c->ssl);
    if (client && rc == WOLFSSL_SHUTDOWN_NOT_DONE)
        wolfSSL_shutdown(c->ssl);
    wolfSSL_free(c->ssl);
    close(c->fd);
    free(c);
}

static void describe(void *conn, char *out, size_t size)
{
    struct conn *c = conn;

    snprintf(out, size, "%s %s%s", wolfSSL_get_version(c->ssl),
             wolfSSL_get_cipher_name(c->ssl),
             wolfSSL_session_reused(c->ssl) ? ", resumed" : "");
}

const struct bench_lib bench_wolfssl = {
    .name = "wolfSSL",
    .modes = 1u << BENCH_FULL | 1u << BENCH_RESUMED | 1u << BENCH_LOOP |
             1u << BENCH_BULK | 1u << BENCH_SMALL | 1u << BENCH_IDLE |
             1u << BENCH_PING | 1u << BENCH_PARTS | 1u << BENCH_FIRST,
    .slow = 1,
    .slow_bulk = 32,
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
