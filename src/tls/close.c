#include "tls/conn.h"
#include "tls/evidence.h"
#include "tls/ktls.h"

#include <openssl/err.h>
#include <stdint.h>
#include <string.h>

/* RFC 8446, 6.1: each side sends close_notify before it closes the writing
 * side. SSL_shutdown() puts it into the BIO; it leaves with the flush. */
static int end_plain(tlsock *s)
{
    int rc;

    if (s->layer->ops->shut == NULL) {
        tsk_fail(tsk_err(s), TLSOCK_E_UNSUPPORTED,
                 "this transport cannot end one direction alone");
        tsk_hint(tsk_err(s), "close it, or start TLS: that can");
        return TLSOCK_E_UNSUPPORTED;
    }
    rc = s->layer->ops->shut(s->layer);
    if (rc < 0) {
        s->io.code = rc;
        return tsk_tls_fail(s, -1, TLSOCK_PHASE_WRITE);
    }
    s->sent_close = 1;
    return TLSOCK_OK;
}

int tsk_close_notify(tlsock *s)
{
    int rc = tsk_io_flush(s);

    if (rc < 0)
        return rc;
    if (!s->sent_close && s->ssl == NULL)
        return end_plain(s);
    if (!s->sent_close) {
        int ret = SSL_shutdown(s->ssl);

        if (ret < 0) /* the alert did not even get into the BIO */
            return tsk_tls_fail(s, ret, TLSOCK_PHASE_CLOSE);
        s->sent_close = 1;
        rc = tsk_bio_flush(&s->io);
        if (rc == TLSOCK_E_RESET && s->got_close && s->set->truncation_allowed)
            return TLSOCK_OK; /* gone, as it may be: nobody to hear it */
        if (rc < 0 && rc != TLSOCK_AGAIN)
            return tsk_tls_fail(s, -1, TLSOCK_PHASE_WRITE);
    }
    return rc;
}

/* Bytes that nobody read make the kernel answer close() with a reset, which
 * may overtake what we have sent; and a TLS 1.3 ticket is worth having. */
void tsk_close_drain(tlsock *s)
{
    char scrap[4096];
    size_t got;

    if (s->ssl == NULL || s->got_close || s->io.eof)
        return;
    s->io.polite = 0;
    for (int i = 0; i < 16; i++)
        if (SSL_read_ex(s->ssl, scrap, sizeof(scrap), &got) != 1)
            break;
}

/* Everything of the session goes; what came behind the peer's close_notify is
 * plaintext (RFC 8446, 6.1: nothing of TLS may follow it). */
static int become_plain(tlsock *s)
{
    struct tsk_buf *in = &s->io.in;

    if (tsk_buf_add(&s->plain, tsk_buf_at(in), in->len) < 0)
        return tsk_fail_nomem(tsk_err(s));
    tsk_buf_take(in, in->len);
    tsk_evidence_end(s);
    SSL_free(s->ssl);
    s->ssl = NULL;
    s->sent_close = 0;
    s->got_close = s->io.eof && s->plain.len == 0;
    s->told_end = 0;
    s->stopping = 0;
    s->plain_first = 1; /* it goes up and down: see hand.c */
    s->was_plain = 1;
    s->rung = TSK_RUNG_PLAIN;
    s->hs_deadline = TSK_NEVER;
    tsk_facts_wipe(s);
    return TLSOCK_OK;
}

static int still_sends(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_STATE,
             "%s still sends data: TLS cannot end before it has been read",
             s->address[0] != '\0' ? s->address : "the peer");
    tsk_hint(tsk_err(s), "read %s, then call tlsock_stop_tls() again",
             s->sent_close ? "until tlsock_read() gives 0"
                           : "what has come: tlsock_pending() bytes");
    return TLSOCK_E_STATE;
}

/* What has come already refuses the end before anything is said of it. */
static int nothing_unread(tlsock *s)
{
    int rc = TLSOCK_AGAIN;

    if (s->plain.len != 0 || SSL_pending(s->ssl) != 0)
        return still_sends(s);
    if (!s->sent_close && !s->got_close) {
        s->nonblocking |= 2; /* look, do not be polite */
        rc = tsk_io_more(s, SIZE_MAX);
        s->nonblocking &= ~2;
    }
    if (rc > 0)
        return still_sends(s);
    return rc < 0 && rc != TLSOCK_AGAIN ? rc : TLSOCK_OK;
}

int tsk_close_tls(tlsock *s)
{
    int rc;

    if (s->io.kernel.sends || s->io.kernel.receives)
        return tsk_ktls_stays(s);
    s->io.exact = 1; /* plaintext may follow on the heels of close_notify */
    rc = nothing_unread(s);
    if (rc == TLSOCK_OK)
        rc = tsk_close_notify(s);
    if (rc < 0)
        return rc;
    if (!s->got_close) {
        rc = tsk_io_more(s, SIZE_MAX);
        if (rc > 0)
            return still_sends(s);
        if (rc < 0)
            return rc;
    }
    return become_plain(s);
}
