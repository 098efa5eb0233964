#include "misbehave.h"
#include "misbehave_seal.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define PATH 4096
#define OTHER "good-ed25519" /* of the same issuer, with another kind of key   \
                              */

struct mis_tls {
    SSL_CTX *ctx;
    unsigned char *staple;
    int staple_len;
    X509 *stapled; /* whom it is about, if that is somebody else */
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

/* How a staple differs from a good one; days are from now. */
struct staple {
    const char *of, *signer; /* NULL: the row's certificate, inter */
    int status, from, to;
};

static struct staple plan(const struct mis_row *row)
{
    struct staple p = {row->cert != NULL ? row->cert : "good", "inter",
                       V_OCSP_CERTSTATUS_GOOD, -1, 6};

    switch (row->staple) {
    case MIS_STAPLE_REVOKED:
        p.status = V_OCSP_CERTSTATUS_REVOKED;
        break;
    case MIS_STAPLE_UNKNOWN:
        p.status = V_OCSP_CERTSTATUS_UNKNOWN;
        break;
    case MIS_STAPLE_OLD:
        p.from = -30;
        p.to = -20;
        break;
    case MIS_STAPLE_FUTURE:
        p.from = 20;
        p.to = 30;
        break;
    case MIS_STAPLE_OTHER:
        p.of = OTHER;
        break;
    case MIS_STAPLE_SIGNER:
        p.signer = "other-root";
        break;
    default:
        break;
    }
    return p;
}

static OCSP_RESPONSE *answer(const struct staple *p, X509 *x, X509 *issuer,
                             X509 *by, EVP_PKEY *key)
{
    time_t now = time(NULL);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), x, issuer);
    ASN1_TIME *begin = ASN1_TIME_adj(NULL, now, p->from, 0);
    ASN1_TIME *end = ASN1_TIME_adj(NULL, now, p->to, 0);
    int revoked = p->status == V_OCSP_CERTSTATUS_REVOKED;
    OCSP_RESPONSE *out = NULL;

    if (basic != NULL && id != NULL && begin != NULL && end != NULL &&
        OCSP_basic_add1_status(basic, id, p->status,
                               OCSP_REVOKED_STATUS_NOSTATUS,
                               revoked ? begin : NULL, begin, end) != NULL &&
        OCSP_basic_sign(basic, by, key, EVP_sha256(), NULL, 0) == 1)
        out = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    return out;
}

static OCSP_RESPONSE *signed_answer(const struct mis_row *row, const char *pki)
{
    struct staple p = plan(row);
    X509 *x = load_cert(pki, p.of), *issuer = load_cert(pki, "inter");
    X509 *by = load_cert(pki, p.signer);
    EVP_PKEY *key = load_key(pki, p.signer);
    OCSP_RESPONSE *out = NULL;

    if (x != NULL && issuer != NULL && by != NULL && key != NULL)
        out = answer(&p, x, issuer, by, key);
    X509_free(x);
    X509_free(issuer);
    X509_free(by);
    EVP_PKEY_free(key);
    return out;
}

/* One bit of the signature, which has no length of its own to spoil. */
static int forge(const OCSP_RESPONSE *whole, unsigned char *der, int len)
{
    OCSP_BASICRESP *basic = OCSP_response_get1_basic((OCSP_RESPONSE *)whole);
    const ASN1_OCTET_STRING *sig =
        basic != NULL ? OCSP_resp_get0_signature(basic) : NULL;
    int n = sig != NULL ? ASN1_STRING_length(sig) : 0, ok = 0;

    for (int at = len - n; n > 0 && !ok && at >= 0; at--) {
        ok = memcmp(der + at, ASN1_STRING_get0_data(sig), (size_t)n) == 0;
        if (ok)
            der[at + n - 1] ^= 1;
    }
    OCSP_BASICRESP_free(basic);
    return ok;
}

/* The answer alone, as long as it was: without what is around it libssl would
 * not send it. */
static int garble(const OCSP_RESPONSE *whole, unsigned char *der, int len)
{
    OCSP_BASICRESP *basic = OCSP_response_get1_basic((OCSP_RESPONSE *)whole);
    int n = basic != NULL ? i2d_OCSP_BASICRESP(basic, NULL) : 0;
    int ok = n > 0 && n < len;

    if (ok)
        memset(der + len - n, 0xa5, (size_t)n);
    OCSP_BASICRESP_free(basic);
    return ok;
}

static int make_staple(struct mis_tls *t, const struct mis_row *row,
                       const char *pki)
{
    OCSP_RESPONSE *out =
        row->staple == MIS_STAPLE_LATER
            ? OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL)
            : signed_answer(row, pki);
    int ok;

    if (out != NULL)
        t->staple_len = i2d_OCSP_RESPONSE(out, &t->staple);
    ok = t->staple_len > 0;
    if (ok && row->staple == MIS_STAPLE_FORGED)
        ok = forge(out, t->staple, t->staple_len);
    if (ok && row->staple == MIS_STAPLE_GARBAGE)
        ok = garble(out, t->staple, t->staple_len);
    if (ok && row->staple == MIS_STAPLE_OTHER) {
        t->stapled = load_cert(pki, OTHER);
        ok = t->stapled != NULL;
    }
    OCSP_RESPONSE_free(out);
    return ok;
}

static int give_staple(SSL *ssl, void *arg)
{
    const struct mis_tls *t = arg;
    unsigned char *copy;

    if (t->staple == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    /* Since OpenSSL 3.6 a staple has to be about the certificate in use. Which
     * one is shown is settled by now, and does not change by this. */
    if (t->stapled != NULL && SSL_use_certificate(ssl, t->stapled) != 1)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    copy = OPENSSL_memdup(t->staple, (size_t)t->staple_len);
    if (copy != NULL &&
        SSL_set_tlsext_status_ocsp_resp(ssl, copy, t->staple_len) == 1)
        return SSL_TLSEXT_ERR_OK;
    OPENSSL_free(copy);
    return SSL_TLSEXT_ERR_ALERT_FATAL;
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

/* Tickets by keys that nobody has: those that come back are unknown. */
static int forget_key(SSL *ssl, unsigned char name[16], unsigned char *iv,
                      EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
    unsigned char key[32];
    char hash[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof(key)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash, 0),
        OSSL_PARAM_construct_end()};

    (void)ssl;
    if (!sealing)
        return 0;
    return RAND_bytes(name, 16) == 1 && RAND_bytes(iv, 16) == 1 &&
                   RAND_bytes(key, sizeof(key)) == 1 &&
                   EVP_EncryptInit_ex2(cipher, EVP_aes_256_cbc(), key, iv,
                                       NULL) == 1 &&
                   EVP_MAC_CTX_set_params(mac, params) == 1
               ? 1
               : -1;
}

static int seals(SSL_CTX *ctx)
{
    mis_seal_watch(ctx);
    return SSL_CTX_set_cipher_list(ctx, MIS_SEAL_12) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, MIS_SEAL_13) == 1;
}

static int protocol(SSL_CTX *ctx, const struct mis_row *row)
{
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_verify(ctx, row->ask, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (row->forgets &&
        SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, forget_key) != 1)
        return 0;
    if (row->wire >= MIS_FINISHED && !seals(ctx))
        return 0;
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
    X509_free(t->stapled);
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
        (row->staple == MIS_NO_STAPLE || make_staple(t, row, pki)) &&
        SSL_CTX_set_tlsext_status_arg(t->ctx, t) == 1 &&
        SSL_CTX_set_tlsext_status_cb(t->ctx, give_staple) == 1)
        return t;
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
