#include "tls/early.h"

#include "ossl/queue.h"
#include "session/replay.h"
#include "tls/log.h"
#include "tls/op.h"
#include "tls/sign.h"
#include "tls/stateful.h"

#include <openssl/evp.h>
#include <string.h>
#include <tlsock/info.h>

/* The secret of a ticket is its own (RFC 8446, 4.6.1), so its hash names it:
 * each ticket brings early data once (8.1). */
static int name_ticket(SSL *ssl, uint8_t id[TSK_REPLAY_ID])
{
    static const char label[] = "tlsock early data";
    unsigned char secret[sizeof(label) + SSL_MAX_MASTER_KEY_LENGTH];
    size_t len;
    int ok;

    memcpy(secret, label, sizeof(label));
    len = SSL_SESSION_get_master_key(SSL_get0_session(ssl),
                                     secret + sizeof(label),
                                     sizeof(secret) - sizeof(label));
    ok = len != 0 &&
         EVP_Digest(secret, sizeof(label) + len, id, NULL, EVP_sha256(), NULL);
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok;
}

static int hook_takes(tlsock *s, const uint8_t id[TSK_REPLAY_ID])
{
    const struct tsk_hook *on = &s->set->on[TLSOCK_ON_EARLY_DATA];
    tlsock_event e = {.size = sizeof(e),
                      .kind = TLSOCK_ON_EARLY_DATA,
                      .conn = s,
                      .data = id,
                      .len = TSK_REPLAY_ID,
                      .fd = -1};

    return on->call == NULL || tsk_op_call(on, &e) == 0;
}

/* 1: it is taken. 0 refuses the data, not the connection. */
static int allow(SSL *ssl, void *arg)
{
    tlsock *s = tsk_conn_of(ssl);
    uint8_t id[TSK_REPLAY_ID];

    (void)arg;
    if (!name_ticket(ssl, id))
        return 0;
    if (!tsk_replay_first(id, tsk_now_ms() / 1000) || !tsk_stateful_first(s)) {
        tsk_log(s->set, s, NULL,
                "early data from %s is refused: its ticket was used before",
                s->address[0] != '\0' ? s->address : "the peer");
        return 0;
    }
    return hook_takes(s, id);
}

int tsk_early_setup(SSL_CTX *ctx, const struct tsk_settings *set,
                    tlsock_error *err)
{
    int rc;

    if (set->early_data == 0)
        return TLSOCK_OK;
    rc = tsk_replay_open(err);
    if (rc < 0)
        return rc;
    /* libssl's own protection forgets with the process, and at each fork */
    SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
    SSL_CTX_set_allow_early_data_cb(ctx, allow, NULL);
    if (!SSL_CTX_set_max_early_data(ctx, (uint32_t)set->early_data) ||
        !SSL_CTX_set_recv_max_early_data(ctx, (uint32_t)set->early_data))
        return tsk_fail_ossl(err, TLSOCK_E_OPTION, "early-data");
    return TLSOCK_OK;
}

#define STEP 16384u /* one record at a time */

/* What the session that is offered allows, and we. */
static size_t room(const tlsock *s)
{
    const SSL_SESSION *ses = SSL_get0_session(s->ssl);
    size_t most = (size_t)s->set->early_data;
    size_t theirs =
        ses != NULL && s->offered ? SSL_SESSION_get_max_early_data(ses) : 0;

    if (theirs < most)
        most = theirs;
    return most > s->early.sent ? most - s->early.sent : 0;
}

/* A server answers early data before the client's Finished: only whoever may
 * have the answer to it, which a replay never reads. */
static size_t room_of_answer(const tlsock *s)
{
    return SSL_get_early_data_status(s->ssl) == SSL_EARLY_DATA_ACCEPTED
               ? SIZE_MAX
               : 0;
}

static int begin(tlsock *s)
{
    int rc = s->ssl != NULL ? TLSOCK_OK : tsk_hand_start(s);

    if (rc == TLSOCK_OK && tsk_op_unanswered(s))
        return TLSOCK_AGAIN;
    s->io.want = 0;
    s->io.polite = !s->nonblocking;
    return rc;
}

static ssize_t flushed(tlsock *s, ssize_t n)
{
    int rc = tsk_bio_flush(&s->io);

    if (rc < 0 && rc != TLSOCK_AGAIN)
        return tsk_tls_fail(s, -1, TLSOCK_PHASE_HANDSHAKE);
    return n; /* what is left goes with the handshake */
}

ssize_t tsk_early_write(tlsock *s, const void *data, size_t len)
{
    size_t most, done = 0;
    int rc = begin(s);

    if (rc < 0)
        return rc;
    most = s->server ? room_of_answer(s) : room(s);
    if (most > STEP)
        most = STEP;
    if (len > most)
        len = most;
    if (len == 0)
        return 0;
    if (s->io.out.len > TSK_BIO_OUT_MOST / 2) { /* libssl's flight fits, too */
        rc = tsk_bio_flush(&s->io);
        if (rc == TLSOCK_AGAIN)
            return rc;
    }
    if (SSL_write_early_data(s->ssl, data, len, &done) != 1)
        return tsk_tls_fail(s, -1, TLSOCK_PHASE_HANDSHAKE);
    s->early.sent += done;
    return flushed(s, (ssize_t)done);
}

int tsk_early_shake(tlsock *s)
{
    return SSL_read_early_data(s->ssl, s->early.buf, s->early.len,
                               &s->early.got);
}

/* The caller's memory may be another one after AGAIN, and libssl, which waits
 * for the key of a ticket with the old one, then reads into that: it gets some
 * of ours, where nothing else is held before the handshake is over. (With the
 * other thing that it waits in, a signature, no early data is taken.) */
static int reads_aside(const tlsock *s)
{
    return s->set->on[TLSOCK_ON_TICKET_KEY].call != NULL;
}

static ssize_t held(tlsock *s, void *buf, size_t len)
{
    if (len > s->plain.len)
        len = s->plain.len;
    memcpy(buf, tsk_buf_at(&s->plain), len);
    tsk_buf_take(&s->plain, len);
    return (ssize_t)len;
}

ssize_t tsk_early_read(tlsock *s, void *buf, size_t len)
{
    int ret = SSL_READ_EARLY_DATA_ERROR, rc = begin(s);

    if (rc < 0)
        return rc;
    if (s->plain.len != 0)
        return held(s, buf, len);
    if (s->early.over || SSL_is_init_finished(s->ssl))
        return 0;
    s->early.buf = reads_aside(s) ? tsk_buf_room(&s->plain, STEP) : buf;
    s->early.len = reads_aside(s) ? STEP : len;
    s->early.got = 0;
    if (s->early.buf == NULL)
        return tsk_fail_nomem(tsk_err(s));
    s->early.began = 1;
    rc = tsk_sign_handshake(s, &ret);
    s->early.buf = NULL;
    if (rc < 0)
        return rc;
    /* with the end of early data libssl goes on to that of the handshake, and
     * tells of the first alone */
    if (ret == SSL_READ_EARLY_DATA_ERROR || s->alert != 0) {
        rc = tsk_tls_fail(s, -1, TLSOCK_PHASE_HANDSHAKE);
        if (rc != TLSOCK_AGAIN && tsk_hook_handshake_fail(s) == TLSOCK_OK)
            tsk_bio_flush(&s->io);
        return rc;
    }
    if (ret == SSL_READ_EARLY_DATA_FINISH)
        s->early.over = 1;
    s->bytes_read += s->early.got;
    if (!reads_aside(s))
        return flushed(s, (ssize_t)s->early.got);
    s->plain.len += s->early.got;
    return flushed(s, held(s, buf, len));
}

int tsk_early_outcome(const tlsock *s)
{
    if (s->ssl == NULL)
        return TLSOCK_EARLY_NONE;
    if (SSL_get_early_data_status(s->ssl) == SSL_EARLY_DATA_ACCEPTED)
        return TLSOCK_EARLY_ACCEPTED;
    if (!SSL_is_init_finished(s->ssl))
        return s->early.sent != 0 ? TLSOCK_EARLY_SENT : TLSOCK_EARLY_NONE;
    return SSL_get_early_data_status(s->ssl) == SSL_EARLY_DATA_REJECTED
               ? TLSOCK_EARLY_REJECTED
               : TLSOCK_EARLY_NONE;
}
