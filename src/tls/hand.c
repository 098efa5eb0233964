#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"
#include "revoke/check.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/evidence.h"
#include "tls/fail.h"
#include "tls/hello.h"
#include "tls/ktls.h"
#include "tls/log.h"
#include "tls/sign.h"
#include "tls/ticket.h"
#include "tls/op.h"
#include "tls/prints.h"
#include "tls/psk.h"
#include "tls/rawkey.h"
#include "tls/resume.h"
#include "verify/trust.h"

#include <stdio.h>
#include <string.h>

static int use_trust(tlsock *s)
{
    struct tsk_trust *trust = tsk_ctx_trust(tsk_conn_rules(s), tsk_err(s));

    if (trust == NULL)
        return tsk_err_of(s)->code;
    if (!SSL_set1_verify_cert_store(s->ssl, tsk_trust_store(trust)))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "trust store");
    return TLSOCK_OK;
}

static int start_client(tlsock *s)
{
    int rc = use_trust(s);

    /* with a key no store is needed; without one a chain then ends nowhere */
    if (rc == TLSOCK_E_TRUST_STORE && s->set->n_psks != 0)
        tsk_err_clear(s);
    else if (rc < 0)
        return rc;
    SSL_set_verify(s->ssl, SSL_VERIFY_PEER, NULL);
    if (s->sni != NULL && !SSL_set_tlsext_host_name(s->ssl, s->sni))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "SNI \"%s\"", s->sni);
    if (s->set->revocation != TSK_REVOKE_OFF &&
        !SSL_set_tlsext_status_type(s->ssl, TLSEXT_STATUSTYPE_ocsp))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "status request");
    rc = tsk_dane_enable(s);
    if (rc < 0)
        return rc;
    /* libssl compares a session, or a key, with the context that servers have
     * in the SSL_CTX; a client needs none */
    if (!SSL_set_session_id_context(s->ssl, (const unsigned char *)"", 0))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "session id context");
    SSL_set_post_handshake_auth(s->ssl, s->set->post_handshake_auth &&
                                            s->set->n_identities != 0);
    tsk_resume_offer(s);
    SSL_set_connect_state(s->ssl);
    return TLSOCK_OK;
}

static int not_resumable(SSL *ssl, int forward_secret)
{
    (void)forward_secret;
    return SSL_version(ssl) < TLS1_3_VERSION;
}

/* A client whose certificate turns out to be revoked, or whom a hook refuses,
 * after the handshake must not come back with a session that says it was
 * verified. */
static void hold_tickets(tlsock *s)
{
    s->late_tickets = s->set->session;
    SSL_set_num_tickets(s->ssl, 0);
    SSL_set_not_resumable_session_callback(s->ssl, not_resumable);
}

static int start_server(tlsock *s)
{
    SSL_set_accept_state(s->ssl);
    if (s->set->tickets && !tsk_ticket_ready(s))
        SSL_set_num_tickets(s->ssl, 0);
    return tsk_hand_ask_client(s);
}

int tsk_hand_ask_client(tlsock *s)
{
    int mode = SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, rc;

    if (s->set->client_auth == TSK_CLIENT_NONE)
        return TLSOCK_OK;
    if (s->set->client_auth != TSK_CLIENT_LATER &&
        (s->set->revocation >= TSK_REVOKE_CRL ||
         s->set->on[TLSOCK_ON_VERIFY].call != NULL))
        hold_tickets(s);
    if (s->set->client_auth == TSK_CLIENT_REQUIRE)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    rc = use_trust(s);
    if (rc < 0 || s->set->client_auth == TSK_CLIENT_LATER)
        return rc;
    SSL_set_verify(s->ssl, mode, NULL);
    return TLSOCK_OK;
}

/* RFC 8446, 4.3.2: an empty list of CAs asks for any. Sessions are kept apart:
 * the config's own demands on a client are others. */
int tsk_hand_any_client(tlsock *s, int ask)
{
    static const unsigned char apart[] = "any client";
    STACK_OF(X509_NAME) * none;

    if (!ask && s->set->client_auth == TSK_CLIENT_NONE)
        return TLSOCK_OK;
    hold_tickets(s);
    s->late_tickets = 0;
    if (!SSL_set_session_id_context(s->ssl, apart, sizeof(apart) - 1))
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "session id context");
    if (!ask) {
        SSL_set_verify(s->ssl, SSL_VERIFY_NONE, NULL);
        return TLSOCK_OK;
    }
    none = sk_X509_NAME_new_null();
    if (none == NULL)
        return tsk_fail_nomem(tsk_err(s));
    SSL_set0_CA_list(s->ssl, none);
    SSL_set_verify(s->ssl, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, NULL);
    return use_trust(s);
}

static int start(tlsock *s)
{
    BIO *bio;
    int rc;

    rc = tsk_facts_begin(s);
    if (rc < 0)
        return rc;
    s->t_connected = tsk_now_ms();
    s->ssl = SSL_new(s->ctx->ssl);
    if (s->ssl == NULL)
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "SSL");
    if (!SSL_set_app_data(s->ssl, s)) { /* the callbacks' way back to us */
        SSL_free(s->ssl);
        s->ssl = NULL;
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "SSL");
    }
    s->fork_generation = tsk_fork_generation();
    /* a handle that was PLAIN may be so again, and its descriptor go on */
    s->io.exact = !s->set->read_ahead || s->plain_first;
    bio = tsk_bio_new(&s->io);
    if (bio == NULL) {
        SSL_free(s->ssl);
        s->ssl = NULL;
        return tsk_fail_ossl(tsk_err(s), TLSOCK_E_NOMEM, "BIO");
    }
    SSL_set_bio(s->ssl, bio, bio);
    rc = s->server ? start_server(s) : start_client(s);
    if (rc == TLSOCK_OK)
        rc = tsk_rawkey_offer(s);
    if (rc == TLSOCK_OK) {
        tsk_evidence_start(s);
        tsk_ktls_begin(s);
    }
    if (rc < 0) { /* begin anew if called again: there is nothing half done */
        SSL_free(s->ssl);
        s->ssl = NULL;
    }
    return rc;
}

static int check_agreed(tlsock *s)
{
    const unsigned char *alpn;
    unsigned int len = 0;

    if (!s->set->alpn_required || s->set->alpn == NULL ||
        (s->hello.use != NULL && s->hello.use->alpn))
        return TLSOCK_OK;
    SSL_get0_alpn_selected(s->ssl, &alpn, &len);
    if (len != 0)
        return TLSOCK_OK;
    tsk_fail(tsk_err(s), TLSOCK_E_ALPN, "%s agreed to none of our protocols",
             s->address[0] != '\0' ? s->address : "the peer");
    tsk_hint(tsk_err(s), "offer a protocol it speaks with \"alpn\", or drop "
                         "\"alpn.required\"");
    return TLSOCK_E_ALPN;
}

/* RFC 7633: a certificate may promise that a staple comes with it. */
static int check_staple_came(tlsock *s)
{
    if (s->server || s->set->revocation == TSK_REVOKE_OFF ||
        SSL_session_reused(s->ssl) || s->facts->staple.state == TSK_GOOD ||
        s->set->insecure & (TSK_INSECURE_ALL | TSK_INSECURE_NO_CHAIN))
        return TLSOCK_OK;
    return tsk_peer_no_staple(s);
}

static int finish(tlsock *s)
{
    int rc = tsk_evidence_refused(s);

    if (rc == TLSOCK_OK)
        rc = check_agreed(s);
    if (rc == TLSOCK_OK)
        rc = tsk_psk_finish(s);
    if (rc == TLSOCK_OK)
        rc = check_staple_came(s);
    if (rc < 0) {
        tsk_err(s)->phase = rc == TLSOCK_E_MUST_STAPLE ? TLSOCK_PHASE_VERIFY
                                                       : TLSOCK_PHASE_HANDSHAKE;
        return rc;
    }
    if (s->server && tsk_conn_resumed(s)) {
        rc = tsk_server_resumed(s);
        if (rc < 0)
            return rc;
    }
    if (tsk_conn_resumed(s)) {
        size_t at = strlen(s->facts->verdict.verified);

        if (at != 0)
            tsk_append(s->facts->verdict.verified,
                       sizeof(s->facts->verdict.verified), &at, " (resumed)");
        if (s->facts->revocation[0] == '\0' && !s->server)
            snprintf(s->facts->revocation, sizeof(s->facts->revocation),
                     "not checked: the session is resumed");
    } else if (!s->server && s->facts->verdict.verified[0] == '\0') {
        /* no verdict, no trust: cannot happen, so it must not pass */
        return tsk_fail(tsk_err(s), TLSOCK_E_PROTOCOL,
                        "the handshake ended without a verdict on the peer");
    }
    s->tls_ms = (int)(tsk_now_ms() - s->t_connected);
    tsk_ktls_settle(s);
    if (s->check != NULL || tsk_op_waits(s))
        s->rung = TSK_RUNG_CHECK;
    else
        tsk_hand_done(s);
    return TLSOCK_OK;
}

/* Tickets of a server that had to ask first: RFC 8446, 4.6.1 lets it. */
static void send_tickets(tlsock *s)
{
    if (!s->server || !s->late_tickets || SSL_version(s->ssl) < TLS1_3_VERSION)
        return;
    if (s->facts->revocation_until != 0) {
        int64_t left = s->facts->revocation_until - tsk_wall_time();

        if (left < SSL_SESSION_get_timeout(SSL_get0_session(s->ssl)))
            SSL_SESSION_set_timeout(SSL_get0_session(s->ssl),
                                    left > 0 ? (long)left : 1);
    }
    for (int i = 0; i < s->set->tickets_count && tsk_ticket_ready(s); i++)
        SSL_new_session_ticket(s->ssl); /* leaves with the first reply */
}

/* What is accepted, and yet not as it should be. */
static void tell(tlsock *s)
{
    const char *who = s->address[0] != '\0' ? s->address : "the peer";

    if (strncmp(s->facts->verdict.verified, "insecure", 8) == 0)
        tsk_log(s->set, s, NULL, "%s is accepted, and that is %s", who,
                s->facts->verdict.verified);
    else if (s->set->revocation >= TSK_REVOKE_CRL && tsk_trust_by_chain(s) &&
             !tsk_conn_resumed(s) &&
             strncmp(s->facts->revocation, "not checked", 11) == 0)
        tsk_log(s->set, s, NULL, "%s is accepted, and its revocation %s", who,
                s->facts->revocation);
}

void tsk_hand_done(tlsock *s)
{
    tsk_resume_settle(s);
    tsk_trust_say_unchecked(s);
    send_tickets(s);
    tell(s);
    if (s->pha != TSK_PHA_DONE)
        s->t_ready = tsk_now_ms();
    tsk_facts_settle(s);
    s->rung = s->after != NULL ? TSK_RUNG_AFTER : TSK_RUNG_READY;
    if (s->rung == TSK_RUNG_READY)
        s->hs_deadline = TSK_NEVER;
}

void tsk_hand_refuse(tlsock *s)
{
    SSL_SESSION_free(s->held);
    s->held = NULL;
    SSL_shutdown(s->ssl);
    tsk_bio_flush(&s->io);
}

/* Our last flight must leave even if nobody calls again. A TLS 1.3 server's
 * tickets may wait for the reply: no peer waits for them. */
static int must_flush(const tlsock *s)
{
    return !s->server || SSL_version(s->ssl) < TLS1_3_VERSION;
}

void tsk_hand_forget(tlsock *s)
{
    tsk_op_end(s);
    tsk_check_free(s->check);
    s->check = NULL;
    SSL_SESSION_free(s->held);
    s->held = NULL;
    sk_X509_pop_free(s->issuers, X509_free);
    s->issuers = NULL;
    tsk_free(s->issuer_url);
    s->issuer_url = NULL;
}

void tsk_hand_reset(tlsock *s)
{
    s->host = NULL;
    s->set = tsk_ctx_settings(s->ctx);
    tsk_hand_forget(s);
    s->sent_close = s->got_close = s->told_end = 0;
    s->cert_requested = s->cert_unfit = s->offered = 0;
    s->psk_tried = s->psk_found = s->by_psk = 0;
    tsk_free(s->psk_identity);
    s->psk_identity = NULL;
    s->alert = s->alert_from_peer = 0;
    s->hello.told = 0;
    tsk_hello_free(s);
    tsk_prints_free(s);
    s->pha = TSK_PHA_IDLE;
    s->early.began = s->early.over = 0; /* wanted: the call's, under way */
    s->early.sent = 0;
    s->io.n_first = 0;
    s->io.lazy = 0;
    s->io.stop = 0;
    s->refusal.kind = 0;
    s->late_tickets = 0;
    s->issuers_tried = 0;
    tsk_facts_wipe(s);
    tsk_resume_reset(s);
}

int tsk_hand_start(tlsock *s)
{
    int rc = start(s);

    if (rc < 0)
        tsk_phase(tsk_err(s), TLSOCK_PHASE_HANDSHAKE);
    return rc;
}

int tsk_hand_step(tlsock *s)
{
    int rc;

    if (s->ssl == NULL) {
        rc = tsk_hand_start(s);
        if (rc < 0)
            return rc;
    }
    if (tsk_op_unanswered(s))
        return TLSOCK_AGAIN;
    s->io.want = 0;
    s->io.polite = !s->nonblocking;
    if (!SSL_is_init_finished(s->ssl)) {
        int ret = -1;

        rc = tsk_sign_handshake(s, &ret);
        if (rc < 0)
            return rc;
        if (ret != 1) {
            rc = tsk_tls_fail(s, ret, TLSOCK_PHASE_HANDSHAKE);
            if (rc == TLSOCK_AGAIN && s->was_plain && tsk_fail_is_not_tls(s))
                rc = tsk_tls_fail_foreign(s);
            if (rc != TLSOCK_AGAIN && tsk_hook_handshake_fail(s) == TLSOCK_OK)
                tsk_bio_flush(&s->io); /* the alert, if it fits */
            return rc;
        }
    }
    tsk_sign_end(s);
    if (must_flush(s)) {
        rc = tsk_bio_flush(&s->io);
        if (rc == TLSOCK_AGAIN)
            return rc;
        if (rc < 0)
            return tsk_tls_fail(s, -1, TLSOCK_PHASE_HANDSHAKE);
    } else {
        s->io.lazy = s->io.out.len;
    }
    rc = finish(s);
    if (rc < 0)
        tsk_hand_refuse(s);
    return rc;
}
