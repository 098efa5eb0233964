#include "raw.h"

#include "cert/cert.h"
#include "staple.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>

static BIO_METHOD *method;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int bio_read(BIO *bio, char *buf, int len)
{
    struct peer_end *end = BIO_get_data(bio);
    ssize_t n = pipe_read(end->in, buf, (size_t)len);

    BIO_clear_retry_flags(bio);
    if (n == TLSOCK_AGAIN)
        BIO_set_retry_read(bio);
    return n < 0 ? -1 : (int)n;
}

static int bio_write(BIO *bio, const char *buf, int len)
{
    struct peer_end *end = BIO_get_data(bio);
    ssize_t n = pipe_write(end->out, buf, (size_t)len);

    BIO_clear_retry_flags(bio);
    if (n == TLSOCK_AGAIN)
        BIO_set_retry_write(bio);
    return n < 0 ? -1 : (int)n;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    struct peer_end *end = BIO_get_data(bio);

    (void)num;
    (void)ptr;
    if (cmd == BIO_CTRL_EOF)
        return end->in->ended && end->in->len == end->in->taken;
    return cmd == BIO_CTRL_FLUSH;
}

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pipe");
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
}

__attribute__((destructor)) static void free_method(void)
{
    BIO_meth_free(method);
    method = NULL;
}

static void show_cert(SSL_CTX *ctx, const struct raw_opts *o)
{
    int n = o->no_chain ? 0 : sk_X509_num(o->cert->chain);

    /* 1024 bits are below OpenSSL's own default */
    SSL_CTX_set_security_level(ctx, 0);
    assert_int_equal(SSL_CTX_use_certificate(ctx, o->cert->leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, o->cert->key), 1);
    for (int i = 0; i < n; i++)
        assert_int_equal(
            SSL_CTX_add1_chain_cert(ctx, sk_X509_value(o->cert->chain, i)), 1);
    if (o->also != NULL)
        assert_int_equal(SSL_CTX_add1_chain_cert(ctx, o->also->leaf), 1);
    if (n == 0 && o->also == NULL)
        SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
}

static int believe(X509_STORE_CTX *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    return 1;
}

static int staple(SSL *ssl, void *arg)
{
    const struct raw_opts *o = arg;

    return staple_bytes(ssl, o->staple, o->staple_len);
}

static int pick_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                     const unsigned char *in, unsigned int inlen, void *arg)
{
    const char *want = arg;
    size_t len = strlen(want);

    (void)ssl;
    for (unsigned int i = 0; i + 1 < inlen; i += 1u + in[i]) {
        if (in[i] != len || memcmp(in + i + 1, want, len) != 0)
            continue;
        *out = in + i + 1;
        *outlen = in[i];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void set_peers(SSL_CTX *ctx, enum peer_side side,
                      const struct raw_opts *o)
{
    if (o->trust != NULL) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), o->trust->leaf);
        SSL_CTX_set_verify(
            ctx, side == SERVER ? o->want_client : SSL_VERIFY_PEER, NULL);
        if (side == SERVER)
            SSL_CTX_add_client_CA(ctx, o->trust->leaf);
        return;
    }
    SSL_CTX_set_cert_verify_callback(ctx, believe, NULL);
    SSL_CTX_set_verify(ctx, o->want_client, NULL);
}

static void set_protocol(SSL_CTX *ctx, enum peer_side side,
                         const struct raw_opts *o)
{
    if (o->min != 0)
        assert_int_equal(SSL_CTX_set_min_proto_version(ctx, o->min), 1);
    if (o->max != 0)
        assert_int_equal(SSL_CTX_set_max_proto_version(ctx, o->max), 1);
    if (o->ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, o->ciphers), 1);
    if (o->ciphersuites != NULL)
        assert_int_equal(SSL_CTX_set_ciphersuites(ctx, o->ciphersuites), 1);
    if (o->alpn != NULL && side == SERVER)
        SSL_CTX_set_alpn_select_cb(ctx, pick_alpn, (void *)(uintptr_t)o->alpn);
    if (o->staple != NULL) {
        SSL_CTX_set_tlsext_status_cb(ctx, staple);
        SSL_CTX_set_tlsext_status_arg(ctx, (void *)(uintptr_t)o);
    }
}

static void set_client(SSL *ssl, const struct raw_opts *o)
{
    unsigned char wire[64];

    if (o->name != NULL)
        assert_int_equal(SSL_set_tlsext_host_name(ssl, o->name), 1);
    if (o->alpn == NULL)
        return;
    wire[0] = (unsigned char)strlen(o->alpn);
    memcpy(wire + 1, o->alpn, wire[0]);
    assert_int_equal(SSL_set_alpn_protos(ssl, wire, 1u + wire[0]), 0);
}

SSL *raw_new(enum peer_side side, const struct raw_opts *o)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl;

    assert_non_null(ctx);
    if (o->cert != NULL)
        show_cert(ctx, o);
    set_peers(ctx, side, o);
    set_protocol(ctx, side, o);
    ssl = SSL_new(ctx);
    assert_non_null(ssl);
    SSL_CTX_free(ctx);
    if (side == SERVER) {
        SSL_set_accept_state(ssl);
        return ssl;
    }
    SSL_set_connect_state(ssl);
    set_client(ssl, o);
    return ssl;
}

void raw_free(SSL *ssl)
{
    SSL_free(ssl);
    ERR_clear_error();
}

void raw_on_end(SSL *ssl, struct peer_end *end)
{
    BIO *bio;

    pthread_once(&once, make_method);
    bio = BIO_new(method);
    assert_non_null(bio);
    BIO_set_data(bio, end);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
}

int raw_step(SSL *ssl)
{
    int rc = SSL_do_handshake(ssl);
    int why;

    if (rc == 1)
        return 0;
    why = SSL_get_error(ssl, rc);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return TLSOCK_AGAIN;
    ERR_clear_error();
    return TLSOCK_E_PROTOCOL;
}

int raw_shake(struct peer *p, enum peer_side ours, SSL *ssl, int *raw_rc)
{
    enum peer_side theirs = ours == CLIENT ? SERVER : CLIENT;
    int rc = TLSOCK_AGAIN;

    for (int i = 0; i < 40; i++) {
        peer_step(p, ours);
        if (rc == TLSOCK_AGAIN)
            rc = raw_step(ssl);
        if (rc != 0 && rc != TLSOCK_AGAIN)
            p->pipes[theirs].ended = 1;
    }
    if (raw_rc != NULL)
        *raw_rc = rc;
    return p->rc[ours];
}
