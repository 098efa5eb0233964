#include "misbehave.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define PATH 4096

struct mis_tls {
    SSL_CTX *ctx;
    unsigned char *staple;
    int staple_len;
};

static X509 *load_cert(const char *pki, const char *name)
{
    char path[PATH];
    X509 *x = NULL;
    BIO *bio;

    snprintf(path, sizeof(path), "%s/%s.pem", pki, name);
    bio = BIO_new_file(path, "r");
    if (bio != NULL)
        x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x;
}

static EVP_PKEY *load_key(const char *pki, const char *name)
{
    char path[PATH];
    EVP_PKEY *key = NULL;
    BIO *bio;

    snprintf(path, sizeof(path), "%s/%s.key", pki, name);
    bio = BIO_new_file(path, "r");
    if (bio != NULL)
        key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

/* What inter says of a certificate, from so many days to so many from now. */
static OCSP_RESPONSE *answer(X509 *x, X509 *by, EVP_PKEY *key, int status,
                             int from, int to)
{
    time_t now = time(NULL);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), x, by);
    ASN1_TIME *begin = ASN1_TIME_adj(NULL, now, from, 0);
    ASN1_TIME *end = ASN1_TIME_adj(NULL, now, to, 0);
    OCSP_RESPONSE *out = NULL;

    if (basic != NULL && id != NULL && begin != NULL && end != NULL &&
        OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_NOSTATUS,
                               status == V_OCSP_CERTSTATUS_REVOKED ? begin
                                                                   : NULL,
                               begin, end) != NULL &&
        OCSP_basic_sign(basic, by, key, EVP_sha256(), NULL, 0) == 1)
        out = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    return out;
}

static int make_staple(struct mis_tls *t, const struct mis_row *row,
                       const char *pki)
{
    const char *cert = row->staple == MIS_STAPLE_OTHER ? "server2"
                       : row->cert != NULL             ? row->cert
                                                       : "good";
    X509 *x = load_cert(pki, cert), *by = load_cert(pki, "inter");
    EVP_PKEY *key = load_key(pki, "inter");
    int old = row->staple == MIS_STAPLE_OLD, ok = 0;
    OCSP_RESPONSE *out = NULL;

    if (x != NULL && by != NULL && key != NULL)
        out =
            answer(x, by, key,
                   row->staple == MIS_STAPLE_REVOKED ? V_OCSP_CERTSTATUS_REVOKED
                                                     : V_OCSP_CERTSTATUS_GOOD,
                   old ? -30 : -1, old ? -20 : 6);
    if (out != NULL)
        t->staple_len = i2d_OCSP_RESPONSE(out, &t->staple);
    ok = t->staple_len > 0;
    if (ok && row->staple == MIS_STAPLE_GARBAGE)
        memset(t->staple, 0xa5, (size_t)t->staple_len);
    OCSP_RESPONSE_free(out);
    X509_free(x);
    X509_free(by);
    EVP_PKEY_free(key);
    return ok;
}

static int give_staple(SSL *ssl, void *arg)
{
    const struct mis_tls *t = arg;
    unsigned char *copy;

    if (t->staple == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    copy = OPENSSL_memdup(t->staple, (size_t)t->staple_len);
    if (copy == NULL)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, t->staple_len);
    return SSL_TLSEXT_ERR_OK;
}

static int identity(SSL_CTX *ctx, const struct mis_row *row, const char *pki)
{
    const char *cert = row->cert != NULL ? row->cert : "good";
    char path[PATH];
    EVP_PKEY *key = load_key(pki, row->key != NULL ? row->key : cert);
    X509 *more = row->wire == MIS_TLS && row->number != 0
                     ? load_cert(pki, "inter")
                     : NULL;
    int ok = key != NULL;

    snprintf(path, sizeof(path), "%s/%s.pem", pki, cert);
    ok = ok && SSL_CTX_use_certificate_chain_file(ctx, path) == 1 &&
         SSL_CTX_use_PrivateKey(ctx, key) == 1;
    for (size_t i = 0; ok && more != NULL && i < row->number; i++)
        ok = SSL_CTX_add1_chain_cert(ctx, more) == 1;
    EVP_PKEY_free(key);
    X509_free(more);
    return ok;
}

static int protocol(SSL_CTX *ctx, const struct mis_row *row)
{
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_verify(ctx, row->ask, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(
               ctx, row->min != 0 ? row->min : TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, row->max) == 1 &&
           (row->ciphers == NULL ||
            SSL_CTX_set_cipher_list(ctx, row->ciphers) == 1);
}

void mis_tls_free(struct mis_tls *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->ctx);
    OPENSSL_free(t->staple);
    free(t);
}

struct mis_tls *mis_tls_new(const struct mis_row *row, const char *pki,
                            char why[256])
{
    struct mis_tls *t = calloc(1, sizeof(*t));

    ERR_clear_error();
    if (t != NULL)
        t->ctx = SSL_CTX_new(TLS_server_method());
    if (t != NULL && t->ctx != NULL && protocol(t->ctx, row) &&
        identity(t->ctx, row, pki) &&
        (row->staple == MIS_NO_STAPLE || make_staple(t, row, pki))) {
        SSL_CTX_set_tlsext_status_cb(t->ctx, give_staple);
        SSL_CTX_set_tlsext_status_arg(t->ctx, t);
        return t;
    }
    ERR_error_string_n(ERR_peek_error(), why, 256);
    ERR_clear_error();
    mis_tls_free(t);
    return NULL;
}

SSL *mis_tls_ssl(struct mis_tls *t)
{
    SSL *ssl = SSL_new(t->ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

    if (ssl == NULL || in == NULL || out == NULL) {
        SSL_free(ssl);
        BIO_free(in);
        BIO_free(out);
        return NULL;
    }
    SSL_set_bio(ssl, in, out);
    SSL_set_accept_state(ssl);
    return ssl;
}
