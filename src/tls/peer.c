#include "cert/cert.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/ocsp.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/hello.h"
#include "tls/hook_name.h"
#include "tls/psk.h"
#include "tls/rawkey.h"
#include "tls/staple.h"
#include "verify/remember.h"
#include "verify/trust.h"

#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

/* All do, but servers with the key exchange RSA, where "ciphers" allows it. */
static int peer_signs(const tlsock *s)
{
    const SSL_CIPHER *c = s->server ? NULL : SSL_get_pending_cipher(s->ssl);

    return c == NULL || SSL_CIPHER_get_kx_nid(c) != NID_kx_rsa;
}

/* Chain and name, with the issuers that were fetched for it. */
static int by_policy(tlsock *s, X509_STORE_CTX *store_ctx)
{
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store_ctx), *all;
    struct tsk_verify_req req;
    struct tsk_hook_name own;
    int rc;

    if (tsk_psk_alone(s)) {
        X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_HOSTNAME_MISMATCH);
        return tsk_psk_no_name(s);
    }
    tsk_ctx_request(tsk_conn_rules(s), s->server, &req);
    if (!s->server)
        req.name = s->name;
    if (s->scheme != NULL)
        req.scheme = s->scheme;
    req.dane = tsk_dane_in_use(s->dane);
    req.signs = peer_signs(s);
    tsk_hook_name_set(&own, s->set, s, &req);
    tsk_facts_wipe(s);
    if (s->issuers == NULL)
        return tsk_remember_verify(tsk_ctx_remember(s), store_ctx, &req,
                                   &s->facts->verdict, tsk_err(s));
    all = sent != NULL ? sk_X509_dup(sent) : sk_X509_new_null();
    for (int i = 0; all != NULL && i < sk_X509_num(s->issuers); i++) {
        if (sk_X509_push(all, sk_X509_value(s->issuers, i)) <= 0) {
            sk_X509_free(all);
            all = NULL;
        }
    }
    if (all == NULL)
        return tsk_fail_nomem(tsk_err(s));
    X509_STORE_CTX_set0_untrusted(store_ctx, all);
    rc = tsk_policy_verify(store_ctx, &req, &s->facts->verdict, tsk_err(s));
    X509_STORE_CTX_set0_untrusted(store_ctx, sent);
    sk_X509_free(all);
    return rc;
}

static void tell_insecure(tlsock *s)
{
    if (s->set->insecure != 0 && s->set->insecure_text != NULL &&
        strncmp(s->facts->verdict.verified, "insecure", 8) == 0)
        snprintf(s->facts->verdict.verified, sizeof(s->facts->verdict.verified),
                 "insecure %.100s", s->set->insecure_text);
}

/* The HELLO hook wants to know who the client says that it is, whoever has
 * issued that: what is wrong is told, and nothing else is made of it. */
static int take_anyway(tlsock *s, int rc)
{
    if (rc == TLSOCK_E_NOMEM)
        return rc;
    snprintf(s->facts->verdict.verified, sizeof(s->facts->verdict.verified),
             "insecure any client: %s", tlsock_errslug(rc));
    tsk_err_clear(s);
    return TLSOCK_OK;
}

/* libssl asks with leaf and sent chain in store_ctx; again, if the last answer
 * was that something has to be known first. */
int tsk_peer_verify(X509_STORE_CTX *store_ctx, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx,
                                          SSL_get_ex_data_X509_STORE_CTX_idx());
    tlsock *s = tsk_conn_of(ssl);
    int rc;

    (void)arg;
    if (tsk_rawkey_verify(s, store_ctx, &rc))
        return rc == TLSOCK_OK;
    rc = by_policy(s, store_ctx);
    if (rc == TLSOCK_E_CHAIN_INCOMPLETE) {
        int wanted = tsk_trust_wants_issuer(s, store_ctx);

        if (wanted == 1) {
            SSL_set_retry_verify(ssl);
            return 1;
        }
        rc = wanted < 0 ? wanted : rc;
    }
    if (rc < TLSOCK_AGAIN && tsk_hello_any_client(s))
        rc = take_anyway(s, rc);
    else if (rc == TLSOCK_OK && !tsk_hello_any_client(s))
        rc = tsk_trust_check(s, store_ctx);
    if (rc == TLSOCK_OK)
        tell_insecure(s);
    else
        tsk_phase(tsk_err(s), TLSOCK_PHASE_VERIFY);
    rc = tsk_hook_verify(s, store_ctx, rc);
    if (rc < TLSOCK_AGAIN)
        tsk_phase(tsk_err(s), TLSOCK_PHASE_VERIFY);
    if (rc == TLSOCK_AGAIN && !s->server)
        SSL_set_retry_verify(ssl); /* before we say who we are */
    return rc == TLSOCK_OK || rc == TLSOCK_AGAIN;
}

/* The issuer, for a response about the leaf: from the verified chain. */
static X509 *issuer_of_leaf(SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);

    if (sk_X509_num(chain) > 1)
        return sk_X509_value(chain, 1);
    return sk_X509_num(chain) == 1 ? sk_X509_value(chain, 0) : NULL;
}

int tsk_peer_staple(SSL *ssl, void *arg)
{
    tlsock *s = tsk_conn_of(ssl);
    static const struct tsk_ocsp_source from = {
        .what = "the stapled OCSP response", .code = TLSOCK_E_STAPLE};
    const unsigned char *der = NULL;
    long len;
    int rc;

    (void)arg;
    if (s->server)
        return tsk_staple_send(ssl);
    len = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    if (SSL_session_reused(ssl) || !tsk_trust_by_chain(s))
        return 1;
    rc = tsk_hook_staple(s, der, der != NULL && len > 0 ? (size_t)len : 0);
    if (rc < 0)
        tsk_phase(tsk_err(s), TLSOCK_PHASE_VERIFY);
    if (rc != 0)
        return rc == TLSOCK_E_NOMEM ? -1 : rc > 0;
    if (der == NULL || len <= 0)
        return 1;
    rc = tsk_ocsp_judge(
        der, (size_t)len, SSL_get0_peer_certificate(ssl), issuer_of_leaf(ssl),
        s->set->verify_time != 0 ? s->set->verify_time : tsk_wall_time(), &from,
        &s->facts->staple, tsk_err(s));
    if (rc < 0)
        tsk_phase(tsk_err(s), TLSOCK_PHASE_VERIFY);
    else if (s->facts->revocation[0] == '\0') {
        tsk_status_text(&s->facts->staple, s->facts->revocation);
        s->facts->revocation_until = s->facts->staple.until;
    }
    return rc == TLSOCK_E_NOMEM ? -1 : rc == TLSOCK_OK;
}

int tsk_peer_no_staple(tlsock *s)
{
    X509 *leaf = SSL_get0_peer_certificate(s->ssl);
    int must;

    if (leaf == NULL || !tsk_trust_by_chain(s))
        return TLSOCK_OK;
    must = s->set->revocation == TSK_REVOKE_MUST_STAPLE
               ? 1
               : tsk_ocsp_must_staple(leaf);
    if (must < 0)
        return tsk_fail_nomem(tsk_err(s));
    if (!must) {
        if (s->facts->revocation[0] == '\0')
            snprintf(s->facts->revocation, sizeof(s->facts->revocation),
                     "not checked: no staple was sent");
        return TLSOCK_OK;
    }
    tsk_fail(tsk_err(s), TLSOCK_E_MUST_STAPLE,
             "the server sent no OCSP staple, though %s",
             s->set->revocation == TSK_REVOKE_MUST_STAPLE
                 ? "revocation = must-staple asks for one"
                 : "its certificate promises one (RFC 7633)");
    tsk_hint(tsk_err(s),
             "switch OCSP stapling on at the server, or reissue the "
             "certificate without the must-staple extension");
    return TLSOCK_E_MUST_STAPLE;
}
