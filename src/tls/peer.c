#include "cert/cert.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/ocsp.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "verify/trust.h"

#include <stdio.h>
#include <string.h>

static void tell_crl(tlsock *s)
{
    ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)s->facts.verdict.crl_as_of);
    char date[32] = "?";

    if (t != NULL)
        tsk_cert_date(t, date);
    ASN1_TIME_free(t);
    snprintf(s->facts.revocation, sizeof(s->facts.revocation),
             "good by CRL, as of %s", date);
}

/* libssl asks once per handshake, with leaf and sent chain in store_ctx. */
int tsk_peer_verify(X509_STORE_CTX *store_ctx, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx,
                                          SSL_get_ex_data_X509_STORE_CTX_idx());
    tlsock *s = tsk_conn_of(ssl);
    struct tsk_verify_req req;
    int rc;

    (void)arg;
    tsk_ctx_request(s->ctx, s->server, &req);
    if (!s->server)
        req.name = s->name;
    if (s->scheme != NULL)
        req.scheme = s->scheme;
    memset(&s->facts, 0, sizeof(s->facts));
    rc = tsk_policy_verify(store_ctx, &req, &s->facts.verdict, &s->err);
    if (rc < 0)
        tsk_phase(&s->err, TLSOCK_PHASE_VERIFY);
    else if (s->facts.verdict.crl_as_of != 0)
        tell_crl(s);
    if (rc >= 0 && s->set->insecure != 0 && s->set->insecure_text != NULL &&
             strncmp(s->facts.verdict.verified, "insecure", 8) == 0)
        snprintf(s->facts.verdict.verified, sizeof(s->facts.verdict.verified),
                 "insecure %.100s", s->set->insecure_text);
    return rc == TLSOCK_OK;
}

/* The issuer, for a response about the leaf: from the verified chain. */
static X509 *issuer_of_leaf(SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);

    if (sk_X509_num(chain) > 1)
        return sk_X509_value(chain, 1);
    return sk_X509_num(chain) == 1 ? sk_X509_value(chain, 0) : NULL;
}

/* By chain alone: what was accepted by pin or insecurely has no issuer whose
 * word on revocation would count. */
static int judges_staples(const tlsock *s)
{
    return strncmp(s->facts.verdict.verified, "chain", 5) == 0;
}

int tsk_peer_staple(SSL *ssl, void *arg)
{
    tlsock *s = tsk_conn_of(ssl);
    static const struct tsk_ocsp_source from = {
        .what = "the stapled OCSP response", .code = TLSOCK_E_STAPLE};
    const unsigned char *der = NULL;
    struct tsk_status st;
    long len;
    int rc;

    (void)arg;
    if (s->server)
        return SSL_TLSEXT_ERR_NOACK;
    len = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    if (der == NULL || len <= 0 || SSL_session_reused(ssl) ||
        !judges_staples(s))
        return 1;
    rc = tsk_ocsp_judge(
        der, (size_t)len, SSL_get0_peer_certificate(ssl), issuer_of_leaf(ssl),
        s->set->verify_time != 0 ? s->set->verify_time : tsk_wall_time(), &from,
        &st, &s->err);
    if (rc < 0)
        tsk_phase(&s->err, TLSOCK_PHASE_VERIFY);
    else
        tsk_status_text(&st, s->facts.revocation);
    return rc == TLSOCK_E_NOMEM ? -1 : rc == TLSOCK_OK;
}

int tsk_peer_no_staple(tlsock *s)
{
    X509 *leaf = SSL_get0_peer_certificate(s->ssl);

    if (leaf == NULL || !judges_staples(s))
        return TLSOCK_OK;
    if (s->set->revocation != TSK_REVOKE_MUST_STAPLE &&
        !tsk_ocsp_must_staple(leaf)) {
        snprintf(s->facts.revocation, sizeof(s->facts.revocation),
                 "not checked: no staple was sent");
        return TLSOCK_OK;
    }
    tsk_fail(&s->err, TLSOCK_E_MUST_STAPLE,
             "the server sent no OCSP staple, though %s",
             s->set->revocation == TSK_REVOKE_MUST_STAPLE
                 ? "revocation = must-staple asks for one"
                 : "its certificate promises one (RFC 7633)");
    tsk_hint(&s->err, "switch OCSP stapling on at the server, or reissue the "
                      "certificate without the must-staple extension");
    return TLSOCK_E_MUST_STAPLE;
}

int tsk_peer_new_session(SSL *ssl, SSL_SESSION *ses)
{
    tlsock *s = tsk_conn_of(ssl);
    int64_t now = tsk_wall_time(), expires;
    long life;

    if (s == NULL || s->server || s->session_key == NULL ||
        !SSL_SESSION_is_resumable(ses))
        return 0;
    life = SSL_SESSION_get_timeout(ses);
    if (life > s->set->session_timeout_s)
        life = s->set->session_timeout_s;
    expires = now + life;
    /* resumption skips the certificate, so it ends with the certificate */
    if (s->facts.verdict.expires != 0 && expires > s->facts.verdict.expires)
        expires = s->facts.verdict.expires;
    if (expires > now) {
        struct tsk_session_facts facts = s->facts;
        char *resumed = strstr(facts.verdict.verified, " (resumed)");

        if (resumed != NULL)
            *resumed = '\0';
        tsk_sessions_put(s->ctx->sessions, s->session_key, ses, &facts,
                         expires);
    }
    return 0; /* the store has its own reference */
}
