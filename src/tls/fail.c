#include "core/str.h"
#include "ossl/queue.h"
#include "tls/conn.h"
#include "tls/evidence.h"
#include "tls/fail.h"
#include "tls/ktls.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdio.h>
#include <string.h>

static const char *who(const tlsock *s)
{
    return s->server ? "client" : "server";
}

/* What a whole connection below has said of itself says more than we can. */
static int below(tlsock *s)
{
    const tlsock_error *e = s->layer->ops->error(s->layer);
    int code = e->code < 0 ? e->code : s->io.code;

    tsk_fail(tsk_err(s), code, "the connection below: %s", e->message);
    tsk_hint(tsk_err(s), "%s", e->hint);
    tsk_err(s)->sys_errno = e->sys_errno;
    return code;
}

static const char *where(const tlsock *s)
{
    if (s->address[0] != '\0')
        return s->address;
    return s->server ? "the client" : "the server";
}

static int was_again(tlsock *s, int ssl_error)
{
    if (ssl_error == SSL_ERROR_WANT_WRITE)
        s->io.want |= POLLOUT;
    if (ssl_error == SSL_ERROR_WANT_READ && s->io.want == 0)
        s->io.want = POLLIN;
    return ssl_error == SSL_ERROR_WANT_READ ||
           ssl_error == SSL_ERROR_WANT_WRITE ||
           ssl_error == SSL_ERROR_WANT_RETRY_VERIFY ||
           ssl_error == SSL_ERROR_WANT_CLIENT_HELLO_CB;
}

/* The stream below ended, politely or not. libssl calls that a decode_error
 * and tells nobody, since there is nobody left. */
static int cut(tlsock *s, int phase)
{
    int sys = s->layer->sys_errno;

    s->alert = 0;
    if (phase == TLSOCK_PHASE_HANDSHAKE) {
        tsk_fail(tsk_err(s), TLSOCK_E_CLOSED_IN_HANDSHAKE,
                 "%s %s the connection %s", where(s),
                 s->io.code == TLSOCK_E_RESET ? "reset" : "closed",
                 s->server            ? "before the handshake was done"
                 : s->io.n_first == 0 ? "after our ClientHello, without a word"
                                      : "in the middle of the handshake");
        tsk_err(s)->sys_errno = sys;
        tsk_hint(tsk_err(s), s->server
                                 ? "the client gave up; its own log says why"
                                 : "is it a TLS port? A middlebox may drop the "
                                   "hello: try another network, tls.max = 1.2, "
                                   "or another SNI");
        return tsk_err_of(s)->code;
    }
    if (phase == TLSOCK_PHASE_WRITE || s->io.code == TLSOCK_E_RESET) {
        tsk_fail_sys(tsk_err(s), TLSOCK_E_RESET, sys != 0 ? sys : ECONNRESET,
                     "%s reset the connection after %llu bytes", where(s),
                     (unsigned long long)s->bytes_read);
        tsk_hint(tsk_err(s),
                 "what was in flight is lost; the %s's log says why", who(s));
        return tsk_err_of(s)->code;
    }
    tsk_fail(tsk_err(s), TLSOCK_E_TRUNCATED,
             "%s vanished without close_notify after %llu bytes", where(s),
             (unsigned long long)s->bytes_read);
    tsk_hint(tsk_err(s),
             "do not trust the data as complete; truncation = allow "
             "for peers known for it");
    return tsk_err_of(s)->code;
}

/* Of the transport below: its own code, or an end without close_notify. */
static int transport(tlsock *s, int phase)
{
    if (s->io.code == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(tsk_err(s));
    if (s->io.kernel.rekeyed)
        return tsk_ktls_fail(s);
    if (s->io.code < 0 && s->layer->ops->error != NULL)
        return below(s);
    if (s->io.code < 0 && s->io.code != TLSOCK_E_RESET) {
        tsk_fail_sys(tsk_err(s), TLSOCK_E_SYSTEM, s->layer->sys_errno,
                     "transport to %s failed", where(s));
        return tsk_err_of(s)->code;
    }
    /* Who closes with unread data sends a reset in place of an end. After
     * either OpenSSL sends no close_notify, and there is nobody to hear it. */
    if ((s->io.code == 0 || s->io.code == TLSOCK_E_RESET) &&
        (phase == TLSOCK_PHASE_READ ||
         (phase == TLSOCK_PHASE_CLOSE && s->got_close)) &&
        s->set->truncation_allowed) {
        s->got_close = 1;
        return 0;
    }
    return cut(s, phase);
}

/* Who refuses us says why, and closes; if that makes our next send fail, the
 * reason still waits to be read. Nothing that we had to say matters any more.
 * 1: the peer's alert is in s->alert. */
static int heard_why(tlsock *s)
{
    int code = s->io.code, sys = s->layer->sys_errno;
    size_t got;
    char byte;

    if (s->ssl == NULL || s->io.eof || code != TLSOCK_E_RESET)
        return 0;
    tsk_buf_take(&s->io.out, s->io.out.len);
    s->io.lazy = 0;
    s->io.polite = 0;
    s->io.code = 0;
    if (SSL_is_init_finished(s->ssl))
        (void)SSL_peek_ex(s->ssl, &byte, 1, &got);
    else
        (void)SSL_do_handshake(s->ssl);
    s->io.code = code;
    s->layer->sys_errno = sys;
    return s->alert != 0 && s->alert_from_peer;
}

/* A fatal alert of ours that a read has left behind is the last word. */
static void last_word(tlsock *s, int phase)
{
    if (s->ssl != NULL && phase == TLSOCK_PHASE_READ && s->io.code == 0 &&
        s->alert != 0 && !s->alert_from_peer)
        (void)tsk_bio_flush(&s->io);
}

/* OpenSSL's queue as it was, and a connection that failed for good. */
static int settle(tlsock *s, int rc, int phase)
{
    ERR_pop_to_mark();
    ERR_set_mark();
    if (rc < 0) {
        last_word(s, phase);
        tsk_err(s)->phase =
            tsk_err_of(s)->phase != 0 ? tsk_err(s)->phase : phase;
        tsk_err(s)->alert = s->alert;
        tsk_err(s)->alert_from_peer = s->alert_from_peer;
        snprintf(tsk_err(s)->address, sizeof(tsk_err(s)->address), "%s",
                 s->address);
        s->rung = TSK_RUNG_DEAD;
        s->dead = rc;
    }
    return rc;
}

int tsk_tls_fail_foreign(tlsock *s)
{
    return settle(s, tsk_fail_protocol(s), TLSOCK_PHASE_HANDSHAKE);
}

int tsk_tls_fail(tlsock *s, int ret, int phase)
{
    int ssl_error, rc;

    if (tsk_err_of(s)->code == 0 && s->refusal.kind != 0)
        return settle(s, tsk_evidence_refused(s), phase);
    if (s->io.code < 0 && phase != TLSOCK_PHASE_READ && heard_why(s))
        return settle(s, tsk_fail_protocol(s), phase);
    if (s->io.code < 0)
        return settle(s, transport(s, phase), phase);
    ssl_error = SSL_get_error(s->ssl, ret);
    if (was_again(s, ssl_error))
        return TLSOCK_AGAIN;
    if (ssl_error == SSL_ERROR_ZERO_RETURN && phase != TLSOCK_PHASE_HANDSHAKE) {
        if (s->got_close)
            return 0;
        s->got_close = 1;
        return tsk_hook_close_notify(s);
    }
    if (tsk_err_of(s)->code != 0 &&
        (tsk_err_of(s)->phase == TLSOCK_PHASE_VERIFY ||
         tsk_err_of(s)->phase == TLSOCK_PHASE_HANDSHAKE))
        rc = tsk_err_of(s)
                 ->code; /* recorded by a callback, where it was known */
    else if (ssl_error == SSL_ERROR_ZERO_RETURN)
        rc = cut(s, phase); /* a close_notify in place of a handshake */
    else if (s->io.eof && s->io.in.len == 0 && !s->alert_from_peer &&
             !tsk_fail_is_not_tls(s))
        rc = transport(s, phase);
    else
        rc = tsk_fail_protocol(s);
    return settle(s, rc, phase);
}
