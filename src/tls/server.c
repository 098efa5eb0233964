#include "cert/cert.h"
#include "ossl/queue.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/hello.h"
#include "tls/sign.h"

#include <stdio.h>
#include <string.h>

int tsk_server_use(SSL *ssl, const tlsock_cert *id)
{
    EVP_PKEY *key = tsk_sign_key(id);

    return key != NULL &&
           SSL_use_cert_and_key(ssl, id->leaf, key, id->chain, 1);
}

/* May the holder of this certificate come in once more? Resumption skips the
 * certificate, so all that may have changed since is asked again: the rules,
 * and the time. 0, or a code. */
static int still_welcome(tlsock *s, X509 *peer, tlsock_error *err)
{
    int64_t now =
        s->set->verify_time != 0 ? s->set->verify_time : tsk_wall_time();

    if (tsk_cert_time(X509_get0_notAfter(peer)) < now &&
        (s->set->insecure & (TSK_INSECURE_ALL | TSK_INSECURE_NO_CHAIN |
                             TSK_INSECURE_EXPIRED)) == 0) {
        tsk_fail(err, TLSOCK_E_EXPIRED,
                 "the client's certificate has expired "
                 "since the session was made");
        tsk_hint(err, "the client needs a new one");
        return TLSOCK_E_EXPIRED;
    }
    return s->set->allow != NULL ? tsk_allow_check(s->set->allow, peer, err)
                                 : TLSOCK_OK;
}

/* A ticket that is not taken is no failure: a full handshake follows, and the
 * certificate is judged there, with all that belongs to it. */
static SSL_TICKET_RETURN ticket_used(SSL *ssl, SSL_SESSION *ses,
                                     const unsigned char *name, size_t len,
                                     SSL_TICKET_STATUS status, void *arg)
{
    tlsock *s = tsk_conn_of(ssl);
    X509 *peer = ses != NULL ? SSL_SESSION_get0_peer(ses) : NULL;
    tlsock_error why = {0};

    (void)name;
    (void)len;
    (void)arg;
    if (status == SSL_TICKET_EMPTY || status == SSL_TICKET_NO_DECRYPT)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_ABORT;
    if (peer == NULL ? s->set->client_auth == TSK_CLIENT_REQUIRE
                     : still_welcome(s, peer, &why) < 0)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE
                                        : SSL_TICKET_RETURN_USE_RENEW;
}

/* A ticket can be opened for one period after that in which it was sealed, so
 * none may promise more. */
static int ticket_made(SSL *ssl, void *arg)
{
    SSL_SESSION *ses = SSL_get0_session(ssl);
    const tlsock *s = tsk_conn_of(ssl);

    (void)arg;
    if (s != NULL && ses != NULL &&
        SSL_SESSION_get_timeout(ses) > tsk_settings_rotate_s(s->set))
        SSL_SESSION_set_timeout(ses, tsk_settings_rotate_s(s->set));
    return 1;
}

int tsk_server_tickets(struct tsk_ctx *c, tlsock_error *err)
{
    const struct tsk_settings *set = c->set;
    int judge = set->client_auth != TSK_CLIENT_NONE || set->n_host_sets != 0;
    int shorten = tsk_settings_rotate_s(set) < set->session_timeout_s &&
                  set->on[TLSOCK_ON_TICKET_KEY].call == NULL;

    if ((judge || shorten) &&
        !SSL_CTX_set_session_ticket_cb(c->ssl, shorten ? ticket_made : NULL,
                                       judge ? ticket_used : NULL, NULL))
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "session tickets");
    return TLSOCK_OK;
}

/* "insecure by hook: ...", if that is how the session was won. */
static int by_hook(tlsock *s)
{
    static const char kind[] = "insecure by hook";
    void *note = NULL;
    size_t len = 0;

    if (!SSL_SESSION_get0_ticket_appdata(SSL_get0_session(s->ssl), &note,
                                         &len) ||
        len < sizeof(kind) - 1 || memcmp(note, kind, sizeof(kind) - 1) != 0)
        return 0;
    snprintf(s->facts->verdict.verified, sizeof(s->facts->verdict.verified),
             "%.*s", (int)len, (const char *)note);
    return 1;
}

/* The verdict of the handshake that made the session; nobody is in it whom
 * that one did not let in. Sessions of TLS 1.2 without tickets come here
 * unasked. */
int tsk_server_resumed(tlsock *s)
{
    X509 *peer = SSL_get0_peer_certificate(s->ssl);
    int rc;

    if (s->set->client_auth == TSK_CLIENT_NONE || peer == NULL)
        return TLSOCK_OK;
    rc = still_welcome(s, peer, tsk_err(s));
    if (rc < 0)
        return rc;
    if (by_hook(s))
        return TLSOCK_OK;
    if (s->set->insecure != 0 && s->set->insecure_text != NULL)
        snprintf(s->facts->verdict.verified, sizeof(s->facts->verdict.verified),
                 "insecure %.100s", s->set->insecure_text);
    else
        strcpy(s->facts->verdict.verified, "chain");
    return TLSOCK_OK;
}

/* This one, where the client offers it; another one is never said. */
static int alpn_of_hook(tlsock *s, const char *protocol,
                        const unsigned char **out, unsigned char *outlen,
                        const unsigned char *in, unsigned int inlen)
{
    size_t len = strlen(protocol);

    if (len == 0)
        return SSL_TLSEXT_ERR_NOACK;
    for (unsigned int at = 0; at < inlen; at += in[at] + 1u) {
        if (in[at] != len || inlen - at <= len ||
            memcmp(in + at + 1, protocol, len) != 0)
            continue;
        *out = in + at + 1;
        *outlen = (unsigned char)len;
        return SSL_TLSEXT_ERR_OK;
    }
    tsk_fail(tsk_err(s), TLSOCK_E_ALPN,
             "the client does not offer the ALPN protocol \"%s\", which the "
             "HELLO hook chose",
             protocol);
    tsk_hint(tsk_err(s), "choose one of those that the event names");
    tsk_phase(tsk_err(s), TLSOCK_PHASE_HANDSHAKE);
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Our order decides (RFC 7301, 3.2). */
int tsk_server_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                    const unsigned char *in, unsigned int inlen, void *arg)
{
    tlsock *s = tsk_conn_of(ssl);
    const struct tsk_settings *set = s->set;
    unsigned char *chosen;

    (void)arg;
    if (s->hello.use != NULL && s->hello.use->alpn)
        return alpn_of_hook(s, s->hello.use->protocol, out, outlen, in, inlen);
    if (set->alpn == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_select_next_proto(&chosen, outlen, set->alpn,
                              (unsigned int)set->alpn_len, in,
                              inlen) == OPENSSL_NPN_NEGOTIATED) {
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
    }
    return set->alpn_required ? SSL_TLSEXT_ERR_ALERT_FATAL
                              : SSL_TLSEXT_ERR_NOACK;
}
