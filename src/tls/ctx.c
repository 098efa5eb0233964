#include "tls/ctx.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "net/dns.h"
#include "ossl/compat.h"
#include "ossl/queue.h"
#include "revoke/check.h"
#include "core/clock.h"
#include "tls/choose.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/early.h"
#include "tls/evidence.h"
#include "tls/hello.h"
#include "tls/hosts.h"
#include "tls/hostset.h"
#include "tls/keep.h"
#include "tls/psk.h"
#include "tls/resume.h"
#include "tls/sign.h"
#include "tls/staple.h"
#include "tls/stateful.h"
#include "tls/ticket.h"
#include "verify/remember.h"
#include "verify/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static int set_protocol(SSL_CTX *ctx, const struct tsk_settings *set,
                        tlsock_error *err)
{
    SSL_CTX_set_security_level(ctx, 2);
    if (!SSL_CTX_set_min_proto_version(ctx, set->tls_min) ||
        !SSL_CTX_set_max_proto_version(ctx, set->tls_max))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "tls.min, tls.max");
    if (!SSL_CTX_set_cipher_list(ctx, tsk_psk_ciphers(set)))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "ciphers \"%s\"",
                             set->ciphers);
    if (!SSL_CTX_set_ciphersuites(ctx, tsk_psk_suites(set)))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "ciphersuites \"%s\"",
                             set->ciphersuites);
    if (set->groups != NULL ? !SSL_CTX_set1_groups_list(ctx, set->groups)
                            : !tsk_compat_default_groups(ctx))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "groups \"%s\"",
                             set->groups != NULL ? set->groups : "default");
    if (!SSL_CTX_set1_sigalgs_list(
            ctx, set->sigalgs != NULL ? set->sigalgs : TSK_DEFAULT_SIGALGS))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "sigalgs \"%s\"",
                             set->sigalgs != NULL ? set->sigalgs : "default");
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    if (set->server_order)
        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    if (!SSL_CTX_set_max_send_fragment(ctx, set->record_size))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "record.size");
    SSL_CTX_set_dh_auto(ctx, 1);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (set->release_buffers)
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (set->alpn != NULL &&
        SSL_CTX_set_alpn_protos(ctx, set->alpn, (unsigned int)set->alpn_len) !=
            0)
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "alpn");
    if (set->alpn != NULL || set->on[TLSOCK_ON_HELLO].call != NULL)
        SSL_CTX_set_alpn_select_cb(ctx, tsk_server_alpn, NULL);
    return TLSOCK_OK;
}

/* Texts that follow each other stay apart. */
static int digest_text(EVP_MD_CTX *md, const char *text)
{
    return text == NULL || EVP_DigestUpdate(md, text, strlen(text) + 1);
}

/* Who may come in by a certificate: the CAs, and the lists that take some back.
 * Whoever came in when these were others has to show it again. */
static int digest_trust(struct tsk_ctx *c, EVP_MD_CTX *md, tlsock_error *err)
{
    struct tsk_trust *trust;
    uint8_t sum[32];
    int ok;

    if (c->set->client_auth == TSK_CLIENT_NONE)
        return TLSOCK_OK;
    trust = tsk_ctx_trust(c, err);
    if (trust == NULL)
        return err != NULL ? err->code : TLSOCK_E_TRUST_STORE;
    /* by content: the same on every machine */
    ok = tsk_trust_digest(trust, 1, sum) &&
         EVP_DigestUpdate(md, sum, sizeof(sum));
    for (size_t i = 0; ok && i < c->set->n_crls; i++)
        ok = tsk_crls_digest(c->lists[i], sum) &&
             EVP_DigestUpdate(md, sum, sizeof(sum));
    return ok ? TLSOCK_OK : tsk_fail_nomem(err);
}

/* A key that is gone or another one takes its sessions along. In any order. */
static int digest_keys(const struct tsk_settings *set, EVP_MD_CTX *md)
{
    uint8_t sum[32] = {0}, one[32];
    EVP_MD_CTX *each = EVP_MD_CTX_new();
    int ok = each != NULL;

    for (size_t i = 0; ok && i < set->n_psks; i++) {
        const struct tsk_psk *psk = &set->psks[i];

        ok = EVP_DigestInit_ex(each, EVP_sha256(), NULL) &&
             digest_text(each, psk->identity) &&
             EVP_DigestUpdate(each, psk->key, psk->len) &&
             EVP_DigestFinal_ex(each, one, NULL);
        for (size_t k = 0; k < sizeof(one); k++)
            sum[k] = (uint8_t)(sum[k] + one[k]);
    }
    EVP_MD_CTX_free(each);
    ok = ok && EVP_DigestUpdate(md, sum, sizeof(sum));
    tsk_wipe(one, sizeof(one));
    tsk_wipe(sum, sizeof(sum));
    return ok;
}

/* Which sessions a server may resume: those made under the same demands on
 * the client's certificate (RFC 5077, 5.1 leaves it to us), whatever the user
 * calls them. */
int tsk_ctx_session_id(struct tsk_ctx *c, unsigned char id[32],
                       tlsock_error *err)
{
    const struct tsk_settings *set = c->set;
    const char *text = set->session_id_context;
    unsigned char auth = (unsigned char)set->client_auth;
    unsigned int len = 0;
    EVP_MD_CTX *md;
    int ok, rc = TLSOCK_OK;

    md = EVP_MD_CTX_new();
    ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
         EVP_DigestUpdate(md, "tlsock", 6) &&
         EVP_DigestUpdate(md, &auth, 1) && /* the same on every machine */
         digest_text(md, set->allow != NULL ? tsk_allow_text(set->allow) : "");
    /* servers that share a name for it may have their files in other places */
    for (size_t i = 0; ok && text == NULL && i < set->n_trust; i++)
        ok = digest_text(md, set->trust[i]);
    if (ok && set->n_psks != 0)
        ok = digest_keys(set, md);
    if (ok)
        rc = digest_trust(c, md, err);
    ok = ok && rc == TLSOCK_OK && digest_text(md, text) &&
         EVP_DigestFinal_ex(md, id, &len);
    EVP_MD_CTX_free(md);
    if (rc < 0)
        return rc;
    return ok ? TLSOCK_OK
              : tsk_fail_ossl(err, TLSOCK_E_NOMEM, "session id context");
}

/* Of a server only if it gives out no tickets. Each that keeps it has a
 * reference of its own. */
static int session_won(SSL *ssl, SSL_SESSION *ses)
{
    tlsock *s = tsk_conn_of(ssl);

    if (s == NULL || !s->server)
        return tsk_resume_won(ssl, ses);
    tsk_stateful_put(s, ses);
    return 0;
}

static int set_server_sessions(struct tsk_ctx *c, tlsock_error *err)
{
    const struct tsk_settings *set = c->set;
    int tickets = set->session && (set->tickets || tsk_stateful(set));

    if (!set->tickets || !set->session)
        SSL_CTX_set_options(c->ssl, SSL_OP_NO_TICKET);
    if (!SSL_CTX_set_num_tickets(c->ssl,
                                 tickets ? (size_t)set->tickets_count : 0))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "tickets.count");
    tsk_stateful_setup(c);
    return set->session && set->tickets ? tsk_ticket_setup(c, err) : TLSOCK_OK;
}

static int set_session_context(struct tsk_ctx *c, tlsock_error *err)
{
    int rc = tsk_ctx_session_id(c, c->sid, err);

    if (rc < 0 ||
        SSL_CTX_set_session_id_context(c->ssl, c->sid, sizeof(c->sid)))
        return rc;
    return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "session id context");
}

static int set_sessions(struct tsk_ctx *c, tlsock_error *err)
{
    const struct tsk_settings *set = c->set;
    long mode = SSL_SESS_CACHE_OFF;
    int rc;

    if (!SSL_CTX_set_app_data(c->ssl, (char *)c)) /* for callbacks */
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "SSL_CTX");
    if (set->session) {
        c->sessions = tsk_sessions_new((size_t)set->session_size);
        if (c->sessions == NULL)
            return tsk_fail_nomem(err);
        mode = SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_CLIENT;
        if (tsk_stateful(set))
            mode |= SSL_SESS_CACHE_SERVER;
        SSL_CTX_sess_set_new_cb(c->ssl, session_won);
    }
    SSL_CTX_set_session_cache_mode(c->ssl, mode);
    SSL_CTX_set_timeout(c->ssl, set->session_timeout_s);
    rc = set_server_sessions(c, err);
    return rc == TLSOCK_OK ? set_session_context(c, err) : rc;
}

/* The list and each name in it have lengths of two bytes, and the message has
 * other things in it (RFC 5246, 7.4.4; RFC 8446, 4.2.4). */
#define CA_LIST_MOST (65535 - 2048)

/* An empty list stands for "any": the client chooses by itself. */
static int list_fits(const STACK_OF(X509_NAME) * names)
{
    size_t total = 0;

    for (int i = 0; i < sk_X509_NAME_num(names) && total <= CA_LIST_MOST; i++) {
        int len = i2d_X509_NAME(sk_X509_NAME_value(names, i), NULL);

        total += len > 0 ? (size_t)len + 2 : 0;
    }
    return total <= CA_LIST_MOST;
}

/* A client certificate is asked for by the names of the CAs that we know. */
STACK_OF(X509_NAME) * tsk_ctx_ca_names(struct tsk_trust *trust)
{
    STACK_OF(X509_NAME) *names = tsk_trust_ca_names(trust);

    if (names == NULL || list_fits(names))
        return names;
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return NULL;
}

static int set_client_auth(struct tsk_ctx *c, tlsock_error *err)
{
    struct tsk_trust *trust;

    if (c->set->client_auth == TSK_CLIENT_NONE)
        return TLSOCK_OK;
    trust = tsk_ctx_trust(c, err);
    if (trust == NULL)
        return err != NULL ? err->code : TLSOCK_E_TRUST_STORE;
    SSL_CTX_set0_CA_list(c->ssl, tsk_ctx_ca_names(trust));
    return TLSOCK_OK;
}

static void note(const SSL *ssl, int where, int value)
{
    tlsock *s;

    tsk_pha_watch(ssl, where, value);
    if ((where & SSL_CB_ALERT) == 0)
        return;
    s = tsk_conn_of(ssl);
    if (s == NULL || (value >> 8) != SSL3_AL_FATAL)
        return;
    s->alert = value & 0xff;
    s->alert_from_peer = (where & SSL_CB_READ) != 0;
    /* libssl would forget a session for a close without good-bye as well, which
     * RFC 5246, 7.2.1 has given up */
    tsk_stateful_drop(s);
}

static int gather_crls(struct tsk_ctx *c, tlsock_error *err)
{
    if (c->set->n_crls == 0)
        return TLSOCK_OK;
    c->lists = tsk_alloc(c->set->n_crls * sizeof(struct tsk_crls *));
    if (c->lists == NULL)
        return tsk_fail_nomem(err);
    for (size_t i = 0; i < c->set->n_crls; i++)
        c->lists[i] = c->set->crls[i].crls;
    return TLSOCK_OK;
}

static int open_revcache(struct tsk_ctx *c, tlsock_error *err)
{
    if (c->set->revocation < TSK_REVOKE_CRL && c->set->revocation_cache == NULL)
        return TLSOCK_OK;
    c->revcache = tsk_revcache_open(c->set->revocation_cache, err);
    return c->revcache != NULL ? TLSOCK_OK
           : err != NULL       ? err->code
                               : TLSOCK_E_OWN_FILE;
}

static int set_dane(struct tsk_ctx *c, tlsock_error *err)
{
    if (c->set->dane == TSK_DANE_OFF)
        return TLSOCK_OK;
    if (!SSL_CTX_dane_enable(c->ssl))
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "DANE");
    c->dns = tsk_dns_new(c->set->dane_anchor, c->set->dane_resolver, err);
    return c->dns != NULL ? TLSOCK_OK : err->code;
}

static int open_remember(struct tsk_ctx *c, tlsock_error *err)
{
    if (!c->set->verify_cache)
        return TLSOCK_OK;
    c->remember = tsk_remember_new();
    return c->remember != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

static int build(struct tsk_ctx *c, tlsock_error *err)
{
    int rc;

    c->ssl = SSL_CTX_new(TLS_method());
    if (c->ssl == NULL)
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "SSL_CTX");
    SSL_CTX_set_cert_verify_callback(c->ssl, tsk_peer_verify, NULL);
    SSL_CTX_set_info_callback(c->ssl, note);
    if (c->set->on[TLSOCK_ON_HELLO].call != NULL)
        SSL_CTX_set_client_hello_cb(c->ssl, tsk_hello_cb, NULL);
    if (c->set->revocation != TSK_REVOKE_OFF || c->set->staple)
        SSL_CTX_set_tlsext_status_cb(c->ssl, tsk_peer_staple);
    tsk_psk_setup(c->ssl, c->set);
    rc = set_protocol(c->ssl, c->set, err);
    if (rc == TLSOCK_OK)
        rc = gather_crls(c, err);
    if (rc == TLSOCK_OK)
        rc = open_revcache(c, err);
    if (rc == TLSOCK_OK)
        rc = open_remember(c, err);
    if (rc == TLSOCK_OK)
        rc = set_sessions(c, err);
    if (rc == TLSOCK_OK)
        rc = tsk_early_setup(c->ssl, c->set, err);
    if (rc == TLSOCK_OK)
        rc = tsk_keep_open(c, err);
    if (rc == TLSOCK_OK)
        rc = tsk_choose_setup(c, err);
    if (rc == TLSOCK_OK)
        rc = set_client_auth(c, err);
    if (rc == TLSOCK_OK)
        rc = tsk_hostset_setup(c, err);
    if (rc == TLSOCK_OK)
        rc = tsk_evidence_setup(c, err);
    if (rc == TLSOCK_OK)
        rc = set_dane(c, err);
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
    tsk_staples_free(c->staples); /* first: who fills them looks at all else */
    tsk_sessions_unref(c->sessions);
    tsk_keep_close(c);
    tsk_remember_free(c->remember);
    tsk_revcache_unref(c->revcache);
    SSL_CTX_free(c->ssl);
    EVP_CIPHER_free(c->ticket_cipher);
    tsk_free(c->lists);
    tsk_hosts_free(c->hosts);
    tsk_hostset_drop(c);
    tsk_dns_unref(c->dns);
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

void tsk_ctx_opened(struct tsk_ctx *c)
{
    atomic_store(&c->opened, 1);
}

struct tsk_remember *tsk_ctx_remember(const tlsock *s)
{
    if (s->set->on[TLSOCK_ON_VERIFY].call != NULL || s->ssl_known ||
        s->dane != NULL || s->issuers != NULL || atomic_load(&s->ctx->opened))
        return NULL;
    return s->ctx->remember;
}

struct tsk_staples *tsk_ctx_staples(const struct tsk_ctx *c)
{
    return c->staples;
}

struct tsk_dns *tsk_ctx_dns(const struct tsk_ctx *c)
{
    return c->dns;
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
    req->lists = c->lists;
    req->n_lists = set->n_crls;
    req->allow = of_client ? set->allow : NULL;
    req->check_crls = set->revocation == TSK_REVOKE_CRL ||
                      (set->revocation == TSK_REVOKE_FULL && set->n_crls != 0);
    req->unknown_is_fine =
        set->revocation == TSK_REVOKE_FULL || set->revocation_soft;
}

void tsk_ctx_rules(const struct tsk_ctx *c, struct tsk_check_rules *rules)
{
    const struct tsk_settings *set = c->set;

    memset(rules, 0, sizeof(*rules));
    rules->whole = set->revocation != TSK_REVOKE_OCSP;
    rules->crl = set->revocation != TSK_REVOKE_OCSP;
    rules->ocsp = set->revocation != TSK_REVOKE_CRL;
    rules->soft = set->revocation_soft;
    rules->lists = c->lists;
    rules->n_lists = set->n_crls;
    rules->cache = c->revcache;
    rules->store = c->trust != NULL ? tsk_trust_store(c->trust) : NULL;
    rules->now = set->verify_time != 0 ? set->verify_time : tsk_wall_time();
}

void tsk_ctx_inherit(struct tsk_ctx *to, struct tsk_ctx *from)
{
    tsk_staples_inherit(to, from);
    tsk_keep_inherit(to, from);
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
