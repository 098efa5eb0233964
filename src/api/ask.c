#include "api/conn.h"

#include <limits.h>

#define MEANWHILE_MOST (1024 * 1024) /* data that comes before the answer */

static int wrong_side(tlsock *s, const char *why, const char *fix)
{
    tsk_fail(tsk_err(s), TLSOCK_E_STATE, "tlsock_request_client_cert(): %s",
             why);
    tsk_hint(tsk_err(s), "%s", fix);
    return TLSOCK_E_STATE;
}

static void begin_time(tlsock *s)
{
    if (!s->asking)
        s->hs_deadline = tsk_deadline_in(s->set->handshake_timeout_ms);
    s->asking = 1;
}

static int ask(tlsock *s)
{
    int rc;

    if (s->rung != TSK_RUNG_READY)
        return wrong_side(s, "the connection has no TLS",
                          "start it first: tlsock_start_tls()");
    if (s->sent_close || s->got_close)
        return wrong_side(s, "one direction has ended",
                          "ask while both sides talk");
    rc = tsk_io_flush(s); /* what was written before is sent before */
    if (rc == TLSOCK_OK)
        rc = tsk_pha_ask(s);
    return rc;
}

/* The answer comes among the client's data, which is kept for later reads. */
static int hear(tlsock *s)
{
    int rc = tsk_io_flush(s);

    if (rc == TLSOCK_AGAIN) /* a client that is stuck writing has to be read */
        rc = TLSOCK_OK;
    while (rc >= 0 && s->pha != TSK_PHA_DONE) {
        if (s->plain.len >= MEANWHILE_MOST) {
            tsk_fail(tsk_err(s), TLSOCK_E_LIMIT,
                     "the client sent %zu bytes and no certificate",
                     s->plain.len);
            tsk_hint(tsk_err(s), "read them, then call again");
            return TLSOCK_E_LIMIT;
        }
        rc = tsk_io_more(s, SIZE_MAX);
        if (s->pha == TSK_PHA_DONE && (rc == 0 || rc == TLSOCK_AGAIN))
            break; /* the answer was all there was */
        if (rc == 0) {
            tsk_fail(tsk_err(s), TLSOCK_E_CLIENT_CERT_MISSING,
                     "the client ended without an answer");
            tsk_hint(tsk_err(s),
                     "what it sent before can be read; its log says "
                     "why it would not answer");
            return TLSOCK_E_CLIENT_CERT_MISSING;
        }
    }
    if (s->pha != TSK_PHA_DONE || (rc < 0 && rc != TLSOCK_AGAIN))
        return rc;
    rc = tsk_io_flush(s); /* new tickets */
    return rc == TLSOCK_AGAIN ? TLSOCK_OK : rc;
}

static ssize_t do_request(tlsock *s, void *arg)
{
    int rc = TLSOCK_OK;

    (void)arg;
    begin_time(s); /* the handshake had a time of its own */
    if (s->pha == TSK_PHA_IDLE)
        rc = ask(s);
    if (rc == TLSOCK_OK && s->pha != TSK_PHA_DONE)
        rc = hear(s);
    if (rc == TLSOCK_OK && !tsk_conn_open(s)) /* revocation, a hook */
        rc = tsk_ladder_step(s);
    if (rc == TLSOCK_OK)
        s->pha = TSK_PHA_IDLE;
    return rc;
}

int tlsock_request_client_cert(tlsock *s)
{
    int rc;

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (!s->server)
        return wrong_side(s, "a client cannot ask for it",
                          "call it on the server's side");
    if (tsk_conn_open(s) || s->pha == TSK_PHA_DONE)
        begin_time(s);
    rc = (int)tsk_run(s, TLSOCK_PHASE_HANDSHAKE, do_request, NULL);
    if (rc != TLSOCK_AGAIN)
        s->asking = 0; /* another call has a time of its own */
    return rc;
}
