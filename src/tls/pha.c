/* Post-handshake authentication (RFC 8446, 4.6.2), the server's side: libssl
 * holds the dialogue within reads, and tells nobody when it is over. So its
 * states are watched: the client's certificate counts from its Finished on,
 * which proves that the client has the key. */
#include "ossl/queue.h"
#include "tls/conn.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

static int unsupported(tlsock *s, const char *why, const char *fix)
{
    tsk_fail(tsk_err(s), TLSOCK_E_UNSUPPORTED,
             "the client cannot be asked for a certificate: %s", why);
    tsk_hint(tsk_err(s), "%s", fix);
    return TLSOCK_E_UNSUPPORTED;
}

/* RFC 8740: HTTP/2 has requests under way side by side, and no way to say
 * which of them a certificate is asked for. */
static int is_http2(const tlsock *s)
{
    const unsigned char *alpn;
    unsigned int len = 0;

    SSL_get0_alpn_selected(s->ssl, &alpn, &len);
    return len == 2 && memcmp(alpn, "h2", 2) == 0;
}

static int may_ask(tlsock *s)
{
    if (s->set->client_auth == TSK_CLIENT_NONE) {
        tsk_fail(tsk_err(s), TLSOCK_E_STATE,
                 "client-auth = none: nobody is asked for a certificate");
        tsk_hint(tsk_err(s),
                 "set client-auth = later, ask or require, and whom "
                 "to trust");
        return TLSOCK_E_STATE;
    }
    if (SSL_version(s->ssl) < TLS1_3_VERSION)
        return unsupported(s, "the connection is TLS 1.2",
                           "set tls.min = 1.3; or ask in the handshake: "
                           "client-auth = ask");
    if (is_http2(s))
        return unsupported(s, "HTTP/2 forbids it (RFC 8740)",
                           "ask in the handshake: client-auth = ask; or leave "
                           "h2 out of alpn");
    return TLSOCK_OK;
}

static int not_asked(tlsock *s)
{
    if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_EXTENSION_NOT_RECEIVED)
        return unsupported(
            s, "it does not offer that (no post_handshake_auth)",
            "clients of this library offer it if they have a certificate, "
            "curl and OpenSSL's if told so; or ask in the handshake: "
            "client-auth = ask");
    return tsk_fail_ossl(tsk_err(s), TLSOCK_E_PROTOCOL,
                         "cannot ask the client for a certificate");
}

/* A ticket says that its holder was let in: none before that is certain. */
static void hold_tickets(tlsock *s)
{
    s->late_tickets = s->set->session;
    SSL_set_num_tickets(s->ssl, 0);
}

/* Of an earlier answer: libssl has them, until somebody writes. */
static int send_tickets(tlsock *s)
{
    int ret = SSL_is_init_finished(s->ssl) ? 1 : SSL_do_handshake(s->ssl);

    return ret == 1 ? TLSOCK_OK : tsk_tls_fail(s, ret, TLSOCK_PHASE_HANDSHAKE);
}

int tsk_pha_ask(tlsock *s)
{
    int mode = SSL_VERIFY_PEER, rc = may_ask(s), ret;

    if (rc == TLSOCK_OK)
        rc = tsk_facts_begin(s);
    if (rc == TLSOCK_OK)
        rc = send_tickets(s);
    if (rc < 0)
        return rc;
    if (s->set->client_auth != TSK_CLIENT_ASK)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_set_verify(s->ssl, mode, NULL);
    hold_tickets(s);
    if (!SSL_verify_client_post_handshake(s->ssl))
        return not_asked(s);
    s->pha = TSK_PHA_ASKED;
    ret = SSL_do_handshake(s->ssl);
    return ret == 1 ? TLSOCK_OK : tsk_tls_fail(s, ret, TLSOCK_PHASE_HANDSHAKE);
}

void tsk_pha_watch(const SSL *ssl, int where, int value)
{
    tlsock *s = tsk_conn_of(ssl);

    if (s == NULL || s->pha == TSK_PHA_IDLE)
        return;
    if (where == SSL_CB_ACCEPT_LOOP && s->pha == TSK_PHA_ASKED &&
        SSL_get_state(ssl) == TLS_ST_SR_FINISHED)
        s->pha = TSK_PHA_FINISHED;
    /* the dialogue is left, and not for want of bytes or by a failure */
    if (where != SSL_CB_ACCEPT_EXIT || value <= 0 ||
        s->pha != TSK_PHA_FINISHED || SSL_get_state(ssl) != TLS_ST_OK)
        return;
    s->pha = TSK_PHA_DONE;
    s->rung = TSK_RUNG_CHECK; /* revocation and a hook may have a say, too */
    if (!s->asking) /* a read heard it: the question's time is long over */
        s->hs_deadline = tsk_deadline_in(s->set->handshake_timeout_ms);
    if (SSL_get0_peer_certificate(ssl) == NULL) /* it is nobody, by now */
        tsk_facts_wipe(s);
}
