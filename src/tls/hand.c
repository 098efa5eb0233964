#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/fail.h"
#include "verify/trust.h"

#include <stdio.h>
#include <string.h>

/* Offer what was won from this peer, under this name and this config. */
static void offer_session(tlsock *s)
{
    SSL_SESSION *ses;

    if (s->session_key == NULL || s->ctx->sessions == NULL)
        return;
    ses = tsk_sessions_take(s->ctx->sessions, s->session_key, &s->facts,
                            tsk_wall_time());
    if (ses == NULL)
        return;
    s->offered = SSL_set_session(s->ssl, ses);
    SSL_SESSION_free(ses);
}

static int use_trust(tlsock *s)
{
    struct tsk_trust *trust = tsk_ctx_trust(s->ctx, &s->err);

    if (trust == NULL)
        return s->err.code;
    if (!SSL_set1_verify_cert_store(s->ssl, tsk_trust_store(trust)))
        return tsk_fail_ossl(&s->err, TLSOCK_E_NOMEM, "trust store");
    return TLSOCK_OK;
}

static int start_client(tlsock *s)
{
    int rc = use_trust(s);

    if (rc < 0)
        return rc;
    SSL_set_verify(s->ssl, SSL_VERIFY_PEER, NULL);
    if (s->sni != NULL && !SSL_set_tlsext_host_name(s->ssl, s->sni))
        return tsk_fail_ossl(&s->err, TLSOCK_E_NOMEM, "SNI \"%s\"", s->sni);
    if (s->set->revocation != TSK_REVOKE_OFF &&
        !SSL_set_tlsext_status_type(s->ssl, TLSEXT_STATUSTYPE_ocsp))
        return tsk_fail_ossl(&s->err, TLSOCK_E_NOMEM, "status request");
    SSL_set_post_handshake_auth(
        s->ssl, s->set->post_handshake_auth && s->set->n_identities != 0);
    offer_session(s);
    SSL_set_connect_state(s->ssl);
    return TLSOCK_OK;
}

static int start_server(tlsock *s)
{
    int mode = SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, rc;

    SSL_set_accept_state(s->ssl);
    if (s->set->client_auth == TSK_CLIENT_NONE)
        return TLSOCK_OK;
    if (s->set->client_auth == TSK_CLIENT_REQUIRE)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    rc = use_trust(s);
    if (rc < 0 || s->set->client_auth == TSK_CLIENT_LATER)
        return rc;
    SSL_set_verify(s->ssl, mode, NULL);
    return TLSOCK_OK;
}

static int start(tlsock *s)
{
    BIO *bio;
    int rc;

    s->t_connected = tsk_now_ms();
    s->ssl = SSL_new(s->ctx->ssl);
    if (s->ssl == NULL)
        return tsk_fail_ossl(&s->err, TLSOCK_E_NOMEM, "SSL");
    if (!SSL_set_app_data(s->ssl, s)) { /* the callbacks' way back to us */
        SSL_free(s->ssl);
        s->ssl = NULL;
        return tsk_fail_ossl(&s->err, TLSOCK_E_NOMEM, "SSL");
    }
    s->fork_generation = tsk_fork_generation();
    /* a handle that was PLAIN may be so again, and its descriptor go on */
    s->io.exact = !s->set->read_ahead || s->plain_first;
    bio = tsk_bio_new(&s->io);
    if (bio == NULL) {
        SSL_free(s->ssl);
        s->ssl = NULL;
        return tsk_fail_ossl(&s->err, TLSOCK_E_NOMEM, "BIO");
    }
    SSL_set_bio(s->ssl, bio, bio);
    rc = s->server ? start_server(s) : start_client(s);
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

    if (!s->set->alpn_required || s->set->alpn == NULL)
        return TLSOCK_OK;
    SSL_get0_alpn_selected(s->ssl, &alpn, &len);
    if (len != 0)
        return TLSOCK_OK;
    tsk_fail(&s->err, TLSOCK_E_ALPN, "%s agreed to none of our protocols",
             s->address[0] != '\0' ? s->address : "the peer");
    tsk_hint(&s->err, "offer a protocol it speaks with \"alpn\", or drop "
                      "\"alpn.required\"");
    return TLSOCK_E_ALPN;
}

/* RFC 7633: a certificate may promise that a staple comes with it. */
static int check_staple_came(tlsock *s)
{
    if (s->server || s->set->revocation == TSK_REVOKE_OFF ||
        SSL_session_reused(s->ssl) || s->facts.revocation[0] != '\0' ||
        s->set->insecure & (TSK_INSECURE_ALL | TSK_INSECURE_NO_CHAIN))
        return TLSOCK_OK;
    return tsk_peer_no_staple(s);
}

static int finish(tlsock *s)
{
    int rc = check_agreed(s);

    if (rc == TLSOCK_OK)
        rc = check_staple_came(s);
    if (rc < 0) {
        s->err.phase = TLSOCK_PHASE_HANDSHAKE;
        return rc;
    }
    if (s->server && SSL_session_reused(s->ssl)) {
        rc = tsk_server_resumed(s);
        if (rc < 0)
            return rc;
    }
    if (SSL_session_reused(s->ssl)) {
        size_t at = strlen(s->facts.verdict.verified);

        if (at != 0)
            tsk_append(s->facts.verdict.verified,
                       sizeof(s->facts.verdict.verified), &at, " (resumed)");
        if (s->facts.revocation[0] == '\0' && !s->server)
            snprintf(s->facts.revocation, sizeof(s->facts.revocation),
                     "not checked: the session is resumed");
    } else if (!s->server && s->facts.verdict.verified[0] == '\0') {
        /* no verdict, no trust: cannot happen, so it must not pass */
        return tsk_fail(&s->err, TLSOCK_E_PROTOCOL,
                        "the handshake ended without a verdict on the peer");
    }
    s->t_ready = tsk_now_ms();
    s->tls_ms = (int)(s->t_ready - s->t_connected);
    s->rung = s->after != NULL ? TSK_RUNG_AFTER : TSK_RUNG_READY;
    if (s->rung == TSK_RUNG_READY)
        s->hs_deadline = TSK_NEVER;
    return TLSOCK_OK;
}

/* Our last flight must leave even if nobody calls again. A TLS 1.3 server's
 * tickets may wait for the reply: no peer waits for them. */
static int must_flush(const tlsock *s)
{
    return !s->server || SSL_version(s->ssl) < TLS1_3_VERSION;
}

void tsk_hand_reset(tlsock *s)
{
    s->sent_close = s->got_close = s->told_end = 0;
    s->cert_requested = s->cert_unfit = s->offered = 0;
    s->alert = s->alert_from_peer = 0;
    s->pha = TSK_PHA_IDLE;
    s->io.n_first = 0;
    s->io.lazy = 0;
    memset(&s->facts, 0, sizeof(s->facts));
}

int tsk_hand_step(tlsock *s)
{
    int rc;

    if (s->ssl == NULL) {
        rc = start(s);
        if (rc < 0) {
            tsk_phase(&s->err, TLSOCK_PHASE_HANDSHAKE);
            return rc;
        }
    }
    s->io.want = 0;
    s->io.polite = !s->nonblocking;
    if (!SSL_is_init_finished(s->ssl)) {
        rc = SSL_do_handshake(s->ssl);
        if (rc != 1) {
            rc = tsk_tls_fail(s, rc, TLSOCK_PHASE_HANDSHAKE);
            if (rc == TLSOCK_AGAIN && s->was_plain && tsk_fail_is_not_tls(s))
                rc = tsk_tls_fail_foreign(s);
            if (rc != TLSOCK_AGAIN && tsk_hook_handshake_fail(s) == TLSOCK_OK)
                tsk_bio_flush(&s->io); /* the alert, if it fits */
            return rc;
        }
    }
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
    if (rc < 0) {
        SSL_shutdown(s->ssl);
        tsk_bio_flush(&s->io);
    }
    return rc;
}
