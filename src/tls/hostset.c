#include "tls/hostset.h"

#include "core/mem.h"
#include "ossl/queue.h"
#include "tls/ctx_private.h"
#include "tls/hello.h"
#include "tls/hosts.h"
#include "tls/psk.h"
#include "verify/trust.h"

#include <string.h>

/* One host: a ctx without SSL_CTX, which lends it all else from its owner. */
struct tsk_hostset {
    struct tsk_ctx ctx; /* set, trust, lists and revcache alone */
    struct tsk_settings set;
    STACK_OF(X509_NAME) * cas;
    unsigned char sid[32];
};

void tsk_hostset_view(const struct tsk_settings *set,
                      const struct tsk_host_set *host, struct tsk_settings *out)
{
    *out = *set;
    if (host->ciphers != NULL)
        out->ciphers = host->ciphers;
    if (host->ciphersuites != NULL)
        out->ciphersuites = host->ciphersuites;
    if (host->client_auth >= 0)
        out->client_auth = host->client_auth;
    if (host->allow != NULL)
        out->allow = host->allow;
    if (out->client_auth == TSK_CLIENT_NONE)
        out->allow = NULL; /* of all others: here nobody is asked */
    if (host->n_trust == 0)
        return;
    out->trust = host->trust;
    out->n_trust = host->n_trust;
}

static int make(struct tsk_ctx *c, const struct tsk_host_set *from,
                struct tsk_hostset *h, tlsock_error *err)
{
    struct tsk_trust *trust = NULL;

    pthread_mutex_init(&h->ctx.lock, NULL);
    tsk_hostset_view(c->set, from, &h->set);
    h->ctx.set = &h->set;
    h->ctx.lists = c->lists;
    h->ctx.revcache = c->revcache;
    if (h->set.client_auth == TSK_CLIENT_NONE)
        return tsk_ctx_session_id(&h->ctx, h->sid, err);
    /* the same CAs are not read twice */
    if (from->n_trust == 0 && (trust = tsk_ctx_trust(c, err)) != NULL)
        h->ctx.trust = tsk_trust_ref(trust);
    else if (from->n_trust != 0)
        trust = tsk_ctx_trust(&h->ctx, err);
    if (trust == NULL)
        return err != NULL ? err->code : TLSOCK_E_TRUST_STORE;
    h->cas = tsk_ctx_ca_names(trust);
    return tsk_ctx_session_id(&h->ctx, h->sid, err);
}

int tsk_hostset_setup(struct tsk_ctx *c, tlsock_error *err)
{
    size_t n = c->set->n_host_sets;
    int rc;

    if (n == 0)
        return TLSOCK_OK;
    c->hostsets = tsk_alloc(n * sizeof(*c->hostsets));
    if (c->hostsets == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_hosts_of_sets(c->set, &c->hostset_names, err);
    for (size_t i = 0; i < n && rc == TLSOCK_OK; i++) {
        c->n_hostsets++;
        rc = make(c, &c->set->host_sets[i], &c->hostsets[i], err);
    }
    if (rc < 0)
        return rc;
    SSL_CTX_set_client_hello_cb(c->ssl, tsk_hello_cb, NULL);
    return TLSOCK_OK;
}

void tsk_hostset_drop(struct tsk_ctx *c)
{
    for (size_t i = 0; i < c->n_hostsets; i++) {
        sk_X509_NAME_pop_free(c->hostsets[i].cas, X509_NAME_free);
        tsk_trust_unref(c->hostsets[i].ctx.trust);
        pthread_mutex_destroy(&c->hostsets[i].ctx.lock);
    }
    tsk_free(c->hostsets);
    tsk_hosts_free(c->hostset_names);
}

static struct tsk_hostset *find(const struct tsk_ctx *c, SSL *ssl)
{
    char sni[TSK_HELLO_TEXT] = "";
    struct tsk_hosts_at at;
    const unsigned char *ext;
    size_t len, i;

    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len))
        return NULL;
    tsk_hello_sni(ext, len, sni);
    at = tsk_hosts_exact(c->hostset_names, sni);
    if (!tsk_hosts_next(&at, &i)) {
        at = tsk_hosts_wild(c->hostset_names, sni);
        if (!tsk_hosts_next(&at, &i))
            return NULL;
    }
    return &c->hostsets[i];
}

static int use_ciphers(tlsock *s, SSL *ssl, const struct tsk_settings *base)
{
    const struct tsk_settings *set = s->set;

    if (set->ciphers != base->ciphers &&
        !SSL_set_cipher_list(ssl, tsk_psk_ciphers(set)))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_OPTION, "ciphers \"%s\"",
                             set->ciphers);
    if (set->ciphersuites != base->ciphersuites &&
        !SSL_set_ciphersuites(ssl, tsk_psk_suites(set)))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_OPTION, "ciphersuites \"%s\"",
                             set->ciphersuites);
    return TLSOCK_OK;
}

/* RFC 8446, 4.2.4: whom this host trusts is no other host's business. */
static int use_cas(tlsock *s, SSL *ssl, const STACK_OF(X509_NAME) * cas)
{
    STACK_OF(X509_NAME) *copy =
        cas != NULL ? SSL_dup_CA_list(cas) : sk_X509_NAME_new_null();

    if (copy == NULL)
        return tsk_fail_nomem(tsk_err(s));
    SSL_set0_CA_list(ssl, copy);
    return TLSOCK_OK;
}

int tsk_hostset_enter(tlsock *s, SSL *ssl)
{
    struct tsk_hostset *h;
    int rc;

    if (s->ctx->n_hostsets == 0 || s->host != NULL)
        return TLSOCK_OK;
    h = find(s->ctx, ssl);
    if (h == NULL)
        return TLSOCK_OK;
    s->host = &h->ctx;
    s->set = &h->set;
    if (!SSL_set_session_id_context(ssl, h->sid, sizeof(h->sid)))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "session id context");
    rc = use_ciphers(s, ssl, s->ctx->set);
    if (rc == TLSOCK_OK)
        rc = use_cas(s, ssl, h->cas);
    if (rc < 0)
        return rc;
    SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    return tsk_hand_ask_client(s);
}
