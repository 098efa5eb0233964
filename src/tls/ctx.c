#include "tls/ctx.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "ossl/compat.h"
#include "ossl/queue.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "verify/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Forward secrecy and AEAD, nothing else (RFC 9325, 4.2). TLS 1.3 has only
 * such suites. */
#define CIPHERS                                                                \
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!PSK:!SRP:!"   \
    "DSS"
#define SUITES                                                                 \
    "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"                           \
    "TLS_CHACHA20_POLY1305_SHA256"
#define SIGALGS                                                                \
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:"                           \
    "ecdsa_secp521r1_sha512:ed25519:ed448:rsa_pss_rsae_sha256:"                \
    "rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pss_pss_sha256:"              \
    "rsa_pss_pss_sha384:rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512"

static int set_protocol(SSL_CTX *ctx, const struct tsk_settings *set,
                        tlsock_error *err)
{
    SSL_CTX_set_security_level(ctx, 2);
    if (!SSL_CTX_set_min_proto_version(ctx, set->tls_min) ||
        !SSL_CTX_set_max_proto_version(ctx, set->tls_max))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "tls.min, tls.max");
    if (!SSL_CTX_set_cipher_list(ctx,
                                 set->ciphers != NULL ? set->ciphers : CIPHERS))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "ciphers \"%s\"",
                             set->ciphers);
    if (!SSL_CTX_set_ciphersuites(
            ctx, set->ciphersuites != NULL ? set->ciphersuites : SUITES))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "ciphersuites \"%s\"",
                             set->ciphersuites);
    if (set->groups != NULL ? !SSL_CTX_set1_groups_list(ctx, set->groups)
                            : !tsk_compat_default_groups(ctx))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "groups \"%s\"",
                             set->groups != NULL ? set->groups : "default");
    if (!SSL_CTX_set1_sigalgs_list(ctx, set->sigalgs != NULL ? set->sigalgs
                                                             : SIGALGS))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "sigalgs \"%s\"",
                             set->sigalgs != NULL ? set->sigalgs : "default");
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    if (set->server_order)
        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_dh_auto(ctx, 1);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (set->release_buffers)
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (set->alpn != NULL) {
        if (SSL_CTX_set_alpn_protos(ctx, set->alpn,
                                    (unsigned int)set->alpn_len) != 0)
            return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "alpn");
        SSL_CTX_set_alpn_select_cb(ctx, tsk_server_alpn, NULL);
    }
    return TLSOCK_OK;
}

/* Which sessions a server may resume: those made under the same demands on
 * the client's certificate (RFC 5077, 5.1 leaves it to us). */
static int set_session_context(SSL_CTX *ctx, const struct tsk_settings *set,
                               tlsock_error *err)
{
    unsigned char id[32];
    unsigned int len = 0;
    const char *text = set->session_id_context;
    EVP_MD_CTX *md;
    int ok;

    if (text != NULL)
        return SSL_CTX_set_session_id_context(ctx, (const unsigned char *)text,
                                              (unsigned int)strlen(text))
                   ? TLSOCK_OK
                   : tsk_fail_ossl(err, TLSOCK_E_OPTION, "session-id-context");
    md = EVP_MD_CTX_new();
    ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
         EVP_DigestUpdate(md, "tlsock", 6) &&
         EVP_DigestUpdate(md, &set->client_auth, sizeof(set->client_auth));
    for (size_t i = 0; ok && i < set->n_trust; i++)
        ok = EVP_DigestUpdate(md, set->trust[i], strlen(set->trust[i]) + 1);
    ok = ok && EVP_DigestFinal_ex(md, id, &len) &&
         SSL_CTX_set_session_id_context(ctx, id, len);
    EVP_MD_CTX_free(md);
    return ok ? TLSOCK_OK
              : tsk_fail_ossl(err, TLSOCK_E_NOMEM, "session id context");
}

static int set_sessions(struct tsk_ctx *c, tlsock_error *err)
{
    const struct tsk_settings *set = c->set;
    long mode = SSL_SESS_CACHE_NO_INTERNAL;

    if (set->session) {
        c->sessions = tsk_sessions_new((size_t)set->session_size);
        if (c->sessions == NULL)
            return tsk_fail_nomem(err);
        mode |= SSL_SESS_CACHE_CLIENT;
        SSL_CTX_sess_set_new_cb(c->ssl, tsk_peer_new_session);
        if (!set->tickets) /* then the server has to remember */
            mode = SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_AUTO_CLEAR;
    } else {
        mode = SSL_SESS_CACHE_OFF;
    }
    SSL_CTX_set_session_cache_mode(c->ssl, mode);
    /* 0 would mean "without limit" to libssl */
    SSL_CTX_sess_set_cache_size(c->ssl,
                                set->session_size > 0 ? set->session_size : 1);
    SSL_CTX_set_timeout(c->ssl, set->session_timeout_s);
    if (!set->tickets || !set->session)
        SSL_CTX_set_options(c->ssl, SSL_OP_NO_TICKET);
    if (!SSL_CTX_set_num_tickets(c->ssl,
                                 set->session ? (size_t)set->tickets_count : 0))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "tickets.count");
    return set_session_context(c->ssl, set, err);
}

static int set_identity(struct tsk_ctx *c, tlsock_error *err)
{
    for (size_t i = 0; i < c->set->n_identities; i++) {
        const tlsock_cert *id = c->set->identities[i].cert;

        if (i > 0 && !tsk_server_same_names(c->set->identities, i))
            continue; /* chosen by SNI: tsk_server_cert() */
        if (!SSL_CTX_use_cert_and_key(c->ssl, id->leaf, id->key, id->chain, 1))
            return tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                                 "cannot use certificate %s",
                                 c->set->identities[i].cert_uri != NULL
                                     ? c->set->identities[i].cert_uri
                                     : "in memory");
    }
    SSL_CTX_set_cert_cb(c->ssl, tsk_server_cert, c);
    return TLSOCK_OK;
}

/* A client certificate is asked for by the names of the CAs that we know. */
static int set_client_auth(struct tsk_ctx *c, tlsock_error *err)
{
    struct tsk_trust *trust;
    int rc = TLSOCK_OK;

    if (c->set->client_auth == TSK_CLIENT_NONE)
        return TLSOCK_OK;
    trust = tsk_ctx_trust(c, err);
    if (trust == NULL)
        return err != NULL ? err->code : TLSOCK_E_TRUST_STORE;
    SSL_CTX_set0_CA_list(c->ssl, tsk_trust_ca_names(trust));
    return rc;
}

static void keylog(const SSL *ssl, const char *line)
{
    const struct tsk_ctx *c = tsk_conn_of(ssl)->ctx;
    size_t len = strlen(line);
    char text[512];

    if (c->keylog_fd < 0 || len + 1 >= sizeof(text))
        return;
    memcpy(text, line, len);
    text[len] = '\n';
    if (write(c->keylog_fd, text, len + 1) < 0) {
        /* evidence for a debugger: nothing depends on it */
    }
    tsk_wipe(text, sizeof(text));
}

static int set_keylog(struct tsk_ctx *c, tlsock_error *err)
{
    if (c->set->keylog == NULL)
        return TLSOCK_OK;
    c->keylog_fd =
        open(c->set->keylog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (c->keylog_fd < 0) {
        tsk_fail_sys(err, TLSOCK_E_OWN_FILE, errno, "keylog file %s",
                     c->set->keylog);
        tsk_hint(err, "name a file that this process may write");
        return TLSOCK_E_OWN_FILE;
    }
    SSL_CTX_set_keylog_callback(c->ssl, keylog);
    return TLSOCK_OK;
}

static void note_alert(const SSL *ssl, int where, int value)
{
    tlsock *s;

    if ((where & SSL_CB_ALERT) == 0)
        return;
    s = tsk_conn_of(ssl);
    if (s == NULL || (value >> 8) != SSL3_AL_FATAL)
        return;
    s->alert = value & 0xff;
    s->alert_from_peer = (where & SSL_CB_READ) != 0;
}

static int gather_crls(struct tsk_ctx *c, tlsock_error *err)
{
    if (c->set->n_crls == 0)
        return TLSOCK_OK;
    c->crls = sk_X509_CRL_new_null();
    if (c->crls == NULL)
        return tsk_fail_nomem(err);
    for (size_t i = 0; i < c->set->n_crls; i++) {
        if (tsk_crls_push(c->set->crls[i].crls, c->crls) < 0)
            return tsk_fail_nomem(err);
    }
    return TLSOCK_OK;
}

static int build(struct tsk_ctx *c, tlsock_error *err)
{
    int rc;

    c->ssl = SSL_CTX_new(TLS_method());
    if (c->ssl == NULL)
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "SSL_CTX");
    SSL_CTX_set_cert_verify_callback(c->ssl, tsk_peer_verify, NULL);
    SSL_CTX_set_info_callback(c->ssl, note_alert);
    if (c->set->revocation != TSK_REVOKE_OFF)
        SSL_CTX_set_tlsext_status_cb(c->ssl, tsk_peer_staple);
    rc = set_protocol(c->ssl, c->set, err);
    if (rc == TLSOCK_OK)
        rc = gather_crls(c, err);
    if (rc == TLSOCK_OK)
        rc = set_sessions(c, err);
    if (rc == TLSOCK_OK)
        rc = set_identity(c, err);
    if (rc == TLSOCK_OK)
        rc = set_client_auth(c, err);
    if (rc == TLSOCK_OK)
        rc = set_keylog(c, err);
    return rc;
}

struct tsk_ctx *tsk_ctx_new(const struct tsk_settings *set,
                            void (*free_set)(void *), void *owner,
                            tlsock_error *err)
{
    struct tsk_ctx *c = tsk_alloc(sizeof(*c));
    int rc;

    if (c == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    atomic_init(&c->refs, 1);
    c->set = set;
    c->keylog_fd = -1;
    tsk_ossl_enter();
    rc = build(c, err);
    tsk_ossl_leave();
    if (rc < 0) {
        tsk_ctx_unref(c); /* free_set is not there yet */
        return NULL;
    }
    c->free_set = free_set;
    c->owner = owner;
    return c;
}

struct tsk_ctx *tsk_ctx_ref(struct tsk_ctx *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void tsk_ctx_unref(struct tsk_ctx *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    tsk_sessions_free(c->sessions);
    SSL_CTX_free(c->ssl);
    sk_X509_CRL_free(c->crls);
    tsk_trust_unref(c->trust);
    if (c->keylog_fd >= 0)
        close(c->keylog_fd);
    pthread_mutex_destroy(&c->lock);
    if (c->free_set != NULL)
        c->free_set(c->owner);
    tsk_free(c);
}

SSL_CTX *tsk_ctx_ssl(struct tsk_ctx *c)
{
    return c->ssl;
}

const struct tsk_settings *tsk_ctx_settings(const struct tsk_ctx *c)
{
    return c->set;
}

void tsk_ctx_request(const struct tsk_ctx *c, int of_client,
                     struct tsk_verify_req *req)
{
    const struct tsk_settings *set = c->set;

    memset(req, 0, sizeof(*req));
    req->scheme = set->verify_scheme;
    req->psl = set->psl;
    req->purpose = of_client ? TLSOCK_PURPOSE_CLIENT : set->verify_purpose;
    req->depth = set->verify_depth;
    req->time = set->verify_time;
    req->partial_chain = set->partial_chain;
    req->pins = set->pins;
    req->n_pins = of_client ? 0 : set->n_pins;
    req->pin_mode = set->pin_mode;
    req->insecure = set->insecure;
    req->crls = c->crls;
    req->check_crls = set->revocation == TSK_REVOKE_CRL;
}

struct tsk_trust *tsk_ctx_trust(struct tsk_ctx *c, tlsock_error *err)
{
    struct tsk_trust *t;

    pthread_mutex_lock(&c->lock);
    if (c->trust == NULL)
        c->trust = tsk_trust_new((const char *const *)c->set->trust,
                                 c->set->n_trust, err);
    t = c->trust;
    pthread_mutex_unlock(&c->lock);
    return t;
}

struct tsk_trust *tsk_ctx_trust_open(struct tsk_ctx *c)
{
    struct tsk_trust *t;

    pthread_mutex_lock(&c->lock);
    t = c->trust;
    pthread_mutex_unlock(&c->lock);
    return t;
}
