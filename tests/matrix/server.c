/* A libssl server that shows, says and does what its row tells: without any of
 * the scruples that a server should have. */
#include "matrix.h"
#include "staple.h"

#include <openssl/err.h>
#include <sys/socket.h>

static void push(SSL_CTX *ctx, X509 *x)
{
    assert_int_equal(SSL_CTX_add1_chain_cert(ctx, x), 1);
}

static void send_chain(SSL_CTX *ctx, const struct mx_world *w)
{
    enum mx_sent sent = w->row->sent;

    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
    if (sent == MX_NOTHING || sent == MX_SELF)
        return;
    if (sent == MX_MIXED)
        push(ctx, w->root);
    for (int i = 0; i < 3 && sent == MX_STRANGERS; i++)
        push(ctx, w->strangers[i]);
    if (sent == MX_TWIN || sent == MX_TWINS)
        push(ctx, w->twin);
    if (sent != MX_TWIN)
        push(ctx, w->inter);
}

static int staple(SSL *ssl, void *arg)
{
    const struct mx_world *w = arg;

    return staple_bytes(ssl, w->staple, w->staple_len);
}

static SSL *server(struct mx_world *w)
{
    int version = w->tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl;

    assert_non_null(ctx);
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_max_proto_version(ctx, version);
    assert_int_equal(SSL_CTX_use_certificate(ctx, w->leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, w->key), 1);
    send_chain(ctx, w);
    if (w->staple != NULL) {
        SSL_CTX_set_tlsext_status_cb(ctx, staple);
        SSL_CTX_set_tlsext_status_arg(ctx, w);
    }
    if (w->row->ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, w->row->ciphers), 1);
    if (w->row->tune != NULL)
        w->row->tune(ctx);
    ssl = SSL_new(ctx);
    assert_non_null(ssl);
    SSL_CTX_free(ctx);
    return ssl;
}

/* One answer to each message, and a polite end. */
static void echo(SSL *ssl)
{
    char buf[4096];
    int n;

    while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0)
        if (SSL_write(ssl, buf, n) <= 0)
            return;
    SSL_shutdown(ssl);
}

void mx_serve_tls(int fd, struct mx_world *w)
{
    SSL *ssl = server(w);
    BIO *bio = mx_way(fd, &w->row->bend);

    SSL_set_bio(ssl, bio, bio);
    if (SSL_accept(ssl) == 1) {
        if (w->row->after != NULL)
            w->row->after(ssl, fd);
        else
            echo(ssl);
    }
    SSL_free(ssl);
    ERR_clear_error();
    if (w->row->bend.how == MX_RESET)
        return;
    shutdown(fd, SHUT_WR);
    sock_mute(fd, NULL);
}
