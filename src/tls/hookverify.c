/* The events about who the peer is: VERIFY, once on the chain as it was built,
 * and STAPLE, in place of our own judgement. */
#include "cert/cert.h"
#include "core/mem.h"
#include "revoke/check.h"
#include "tls/conn.h"
#include "tls/op.h"

#include <stdio.h>
#include <string.h>

/* The chain that was built, or as far as it could be. */
static tlsock_cert *chain_of(X509_STORE_CTX *store_ctx)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);
    X509 *leaf = X509_STORE_CTX_get0_cert(store_ctx);
    STACK_OF(X509) *rest = sk_X509_new_null();
    tlsock_cert *cert = NULL;
    int i = 1;

    while (rest != NULL && i < sk_X509_num(chain) &&
           sk_X509_push(rest, sk_X509_value(chain, i)) > 0)
        i++;
    if (rest != NULL && (i >= sk_X509_num(chain)))
        cert = tsk_cert_new(leaf, rest, NULL, NULL);
    sk_X509_free(rest);
    return cert;
}

/* A client's session says so, too: whoever resumes it is no better. */
static int mark_session(tlsock *s)
{
    const char *how = s->facts->verdict.verified;
    SSL_SESSION *ses = SSL_get_session(s->ssl);

    return !s->server || ses == NULL ||
           SSL_SESSION_set1_ticket_appdata(ses, how, strlen(how));
}

/* The hook goes against our own verdict: said wherever the result is. */
static int accept(tlsock *s)
{
    char was[64] = "";

    if (tsk_err_of(s)->code != 0)
        snprintf(was, sizeof(was), ": %s", tlsock_errslug(tsk_err_of(s)->code));
    snprintf(s->facts->verdict.verified, sizeof(s->facts->verdict.verified),
             "insecure by hook%s", was);
    tsk_err_clear(s);
    tsk_check_free(s->check); /* what it would say does not count any more */
    s->check = NULL;
    return mark_session(s) ? TLSOCK_OK : tsk_fail_nomem(tsk_err(s));
}

/* said: what the hook said in the end. ours: our own verdict. */
static int settle(tlsock *s, int said, int ours)
{
    if (said == TLSOCK_ACCEPT && ours < 0 && ours != TLSOCK_E_NOMEM &&
        s->set->policy[TSK_RULE_INSECURE] == NULL &&
        s->set->policy[TSK_RULE_TRUST] == NULL)
        return accept(s);
    if (said >= 0 || ours < 0) /* no hook makes a bad peer worse */
        return ours;
    if (tsk_err_of(s)->hint[0] == '\0')
        tsk_hint(tsk_err(s), "the program's own rule about peers refuses this "
                             "one: see TLSOCK_ON_VERIFY");
    tsk_err(s)->phase = TLSOCK_PHASE_VERIFY;
    return said;
}

/* libssl asks the same again once a late answer is there. */
static int late_answer(tlsock *s, int rc)
{
    tlsock_error ours = *tsk_err_of(s);
    int said = tsk_op_poll(s);

    if (said == TLSOCK_AGAIN)
        return said;
    tsk_op_end(s);
    if (rc < 0) /* our own reason stays, whatever is said of it */
        *tsk_err(s) = ours;
    return settle(s, said, rc);
}

int tsk_hook_verify(tlsock *s, X509_STORE_CTX *store_ctx, int rc)
{
    tlsock_event e = {.kind = TLSOCK_ON_VERIFY, .fd = -1};
    tlsock_error ours = *tsk_err_of(s);
    tlsock_cert *chain;
    int said;

    if (s->set->on[TLSOCK_ON_VERIFY].call == NULL || rc == TLSOCK_E_NOMEM)
        return rc;
    if (tsk_op_waits(s))
        return late_answer(s, rc);
    chain = chain_of(store_ctx);
    if (chain == NULL)
        return tsk_fail_nomem(tsk_err(s));
    e.name = s->name;
    e.text = s->facts->verdict.verified;
    e.cert = chain;
    e.error = rc < 0 ? &ours : NULL;
    /* a server cannot hold its handshake back, so a bad client is refused
     * before an answer can come late */
    said = tsk_op_event(
        s, &e, !s->server || rc == TLSOCK_OK ? TSK_OP_LATER : TSK_OP_NONE);
    tlsock_cert_unref(chain);
    if (said != TLSOCK_AGAIN)
        tsk_op_end(s);
    if (rc < 0)
        *tsk_err(s) = ours;
    return said == TLSOCK_AGAIN ? said : settle(s, said, rc);
}

int tsk_hook_verified(tlsock *s)
{
    return tsk_op_waits(s) ? late_answer(s, TLSOCK_OK) : TLSOCK_OK;
}

static tlsock_cert *leaf_and_issuer(tlsock *s)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(s->ssl), *rest;
    tlsock_cert *cert = NULL;
    int ok = 1;

    rest = sk_X509_new_null();
    if (rest != NULL && sk_X509_num(chain) > 1)
        ok = sk_X509_push(rest, sk_X509_value(chain, 1)) > 0;
    if (rest != NULL && ok)
        cert =
            tsk_cert_new(SSL_get0_peer_certificate(s->ssl), rest, NULL, NULL);
    sk_X509_free(rest);
    return cert;
}

int tsk_hook_staple(tlsock *s, const unsigned char *der, size_t len)
{
    tlsock_event e = {.kind = TLSOCK_ON_STAPLE, .fd = -1};
    tlsock_cert *cert;
    int said;

    if (s->set->on[TLSOCK_ON_STAPLE].call == NULL)
        return 0;
    cert = leaf_and_issuer(s);
    if (cert == NULL)
        return tsk_fail_nomem(tsk_err(s));
    e.data = len != 0 ? der : NULL;
    e.len = len;
    e.name = s->name;
    e.cert = cert;
    said = tsk_op_event(s, &e, TSK_OP_NONE);
    tlsock_cert_unref(cert);
    /* where a policy asks for it, a hook's word is not enough */
    if (said == TLSOCK_ACCEPT && s->set->policy[TSK_RULE_REVOCATION] == NULL) {
        s->facts->staple.state = TSK_GOOD;
        s->facts->staple.by = TSK_BY_STAPLE;
        snprintf(s->facts->revocation, sizeof(s->facts->revocation),
                 "good, says a hook");
        return 1;
    }
    if (said >= 0)
        return 0;
    if (tsk_err_of(s)->hint[0] == '\0')
        tsk_hint(tsk_err(s),
                 "the program's own rule about staples refuses this "
                 "one: see TLSOCK_ON_STAPLE");
    tsk_err(s)->phase = TLSOCK_PHASE_VERIFY;
    return said;
}
