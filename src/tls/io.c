#include "core/mem.h"
#include "ossl/compat.h"
#include "tls/conn.h"
#include "tls/sign.h"

#include <poll.h>
#include <string.h>

#define RECORD 16384u /* RFC 8446, 5.1: the most plaintext of one record */
#define RECORD_OVERHEAD 128u /* header, nonce, MAC, padding, at most */
#define ELSE 512u            /* alerts, new keys: what libssl adds by itself */
#define STEP 16384u

static ssize_t held(tlsock *s, void *buf, size_t len, int keep)
{
    if (len > s->plain.len)
        len = s->plain.len;
    memcpy(buf, tsk_buf_at(&s->plain), len);
    if (!keep)
        tsk_buf_take(&s->plain, len);
    return (ssize_t)len;
}

static ssize_t outcome(tlsock *s, int ret, size_t got)
{
    if (ret == 1)
        return (ssize_t)got;
    return tsk_tls_fail(s, ret, TLSOCK_PHASE_READ);
}

static ssize_t from_tls(tlsock *s, void *buf, size_t len, int keep)
{
    tlsock *before = tsk_sign_begin(s);
    size_t got = 0;
    int ret;

    ret = keep ? SSL_peek_ex(s->ssl, buf, len, &got)
               : SSL_read_ex(s->ssl, buf, len, &got);
    tsk_sign_over(before);
    if (!keep)
        s->bytes_read += got;
    if (got != 0) /* what was received was for something */
        s->io.turn = 0;
    if (s->set->release_buffers && s->io.drained) {
        tsk_bio_idle(&s->io); /* whoever reads no more keeps no buffer */
        tsk_compat_free_buffers(s->ssl);
    }
    return outcome(s, ret, got);
}

static ssize_t plain_outcome(tlsock *s, ssize_t n)
{
    if (n == 0)
        s->got_close = 1;
    if (n >= 0 || n == TLSOCK_AGAIN)
        return n;
    return tsk_tls_fail(s, -1, TLSOCK_PHASE_READ);
}

/* Straight into the caller's memory: what is not asked for stays in the socket,
 * for TLS or for whoever gets the descriptor. */
static ssize_t from_plain(tlsock *s, void *buf, size_t len)
{
    ssize_t n = tsk_bio_recv(&s->io, buf, len);

    if (n > 0)
        s->bytes_read += (uint64_t)n;
    return plain_outcome(s, n);
}

/* > 0, 0 end, AGAIN, code; not from s->plain */
static ssize_t incoming(tlsock *s, void *buf, size_t len, int keep)
{
    if (s->got_close)
        return 0;
    s->io.want = 0;
    s->io.polite = !s->nonblocking;
    if (s->ssl != NULL)
        return from_tls(s, buf, len, keep);
    return from_plain(s, buf, len);
}

ssize_t tsk_io_read(tlsock *s, void *buf, size_t len)
{
    if (s->plain.len != 0)
        return held(s, buf, len, 0);
    return incoming(s, buf, len, 0);
}

/* A transport that cannot be looked into is read into memory. */
static ssize_t peek_plain(tlsock *s, void *buf, size_t len)
{
    ssize_t n;

    if (s->layer->ops->peek == NULL) {
        n = tsk_io_more(s, len);
        return n > 0 ? held(s, buf, len, 1) : n;
    }
    n = s->io.eof ? 0 : tsk_bio_flush(&s->io);
    if (n < 0 && n != TLSOCK_AGAIN)
        return tsk_tls_fail(s, -1, TLSOCK_PHASE_WRITE);
    s->io.want |= POLLIN;
    n = s->io.eof ? 0 : s->layer->ops->peek(s->layer, buf, len);
    if (n < 0 && n != TLSOCK_AGAIN)
        s->io.code = (int)n;
    return plain_outcome(s, n);
}

ssize_t tsk_io_peek(tlsock *s, void *buf, size_t len)
{
    if (s->plain.len != 0)
        return held(s, buf, len, 1);
    if (s->ssl == NULL && !s->got_close) {
        s->io.want = 0;
        return peek_plain(s, buf, len);
    }
    return incoming(s, buf, len, 1);
}

int tsk_io_more(tlsock *s, size_t most)
{
    size_t len = most < STEP ? most : STEP;
    uint8_t *room = tsk_buf_room(&s->plain, len);
    ssize_t n;

    if (room == NULL)
        return tsk_fail_nomem(tsk_err(s));
    n = incoming(s, room, len, 0);
    if (n > 0)
        s->plain.len += (size_t)n;
    return (int)n;
}

int tsk_io_stirs(const tlsock *s)
{
    if (!tsk_conn_open(s) || (s->io.want & POLLOUT) != 0)
        return 0;
    return s->plain.len != 0 || s->io.in.len != 0 ||
           (s->ssl != NULL && SSL_pending(s->ssl) != 0) ||
           (s->got_close && !s->told_end) ||
           (s->layer->ops->holds != NULL && s->layer->ops->holds(s->layer));
}

/* A whole record may wait in memory, still encrypted: libssl decrypts it, but
 * the socket is not asked for more. A record that is damaged ends the
 * connection here, and the next read says so. */
static void decrypt_held(tlsock *s)
{
    tlsock *before = tsk_sign_begin(s);
    size_t got;
    char byte;
    int ret;

    s->io.want = 0;
    s->io.polite = 0;
    s->io.from_memory = 1;
    ret = SSL_peek_ex(s->ssl, &byte, 1, &got);
    s->io.from_memory = 0;
    tsk_sign_over(before);
    if (ret != 1)
        (void)tsk_tls_fail(s, ret, TLSOCK_PHASE_READ);
}

size_t tsk_io_pending(tlsock *s)
{
    size_t n = s->plain.len;

    if (s->rung != TSK_RUNG_READY)
        return n;
    n += (size_t)SSL_pending(s->ssl);
    if (n == 0 && !s->got_close && tsk_io_stirs(s)) {
        decrypt_held(s);
        n = (size_t)SSL_pending(s->ssl);
    }
    return n;
}

/* libssl must never see a full transport in the middle of a record: then it
 * would insist on the same bytes again, and our callers need not know that. */
static int make_room(tlsock *s, size_t len)
{
    size_t records = len / (size_t)s->set->record_size + 1;

    if (s->io.out.len + len + records * RECORD_OVERHEAD + ELSE <=
        TSK_BIO_OUT_MOST)
        return TLSOCK_OK;
    return tsk_bio_flush(&s->io);
}

/* Straight from the caller's memory, as much as the transport takes. */
static ssize_t send_plain(tlsock *s, const uint8_t *p, size_t len)
{
    ssize_t n = tsk_bio_flush(&s->io);

    if (n == TLSOCK_OK)
        n = s->layer->ops->send(s->layer, p, len);
    if (n == TLSOCK_AGAIN) {
        s->io.want = POLLOUT;
        return n;
    }
    if (n < 0) {
        s->io.code = (int)n;
        return tsk_tls_fail(s, -1, TLSOCK_PHASE_WRITE);
    }
    s->io.just_sent = 1;
    return n;
}

static ssize_t encrypt(tlsock *s, const uint8_t *p, size_t len)
{
    size_t done = 0;

    if (s->ssl == NULL)
        return len != 0 ? send_plain(s, p, len) : 0;
    while (done < len) {
        size_t part = len - done < RECORD ? len - done : RECORD, put = 0;
        int rc = make_room(s, part), ret;

        if (rc == TLSOCK_AGAIN)
            return done != 0 ? (ssize_t)done : TLSOCK_AGAIN;
        if (rc < 0)
            return tsk_tls_fail(s, -1, TLSOCK_PHASE_WRITE);
        ret = SSL_write_ex(s->ssl, p + done, part, &put);
        if (ret != 1) {
            rc = tsk_tls_fail(s, ret, TLSOCK_PHASE_WRITE);
            if (rc == TLSOCK_AGAIN && done != 0)
                return (ssize_t)done;
            return rc;
        }
        done += put;
    }
    return (ssize_t)done;
}

/* A record that leaves at once need not be copied; several leave together. */
static ssize_t encrypt_now(tlsock *s, const uint8_t *p, size_t len, int at_once)
{
    ssize_t rc;

    s->io.through = at_once && len <= RECORD;
    rc = encrypt(s, p, len);
    s->io.through = 0;
    return rc;
}

/* Encrypt what is held back: 0, AGAIN, code */
static int encrypt_held(tlsock *s)
{
    while (s->hold.len != 0) {
        ssize_t n = encrypt(s, tsk_buf_at(&s->hold), s->hold.len);

        if (n < 0)
            return (int)n;
        tsk_buf_take(&s->hold, (size_t)n);
    }
    return TLSOCK_OK;
}

int tsk_io_flush(tlsock *s)
{
    int rc = encrypt_held(s);

    if (rc < 0)
        return rc;
    rc = tsk_bio_flush(&s->io);
    if (rc < 0 && rc != TLSOCK_AGAIN)
        return tsk_tls_fail(s, -1, TLSOCK_PHASE_WRITE);
    return rc;
}

ssize_t tsk_io_send(tlsock *s, const void *p, size_t len)
{
    return encrypt(s, p, len);
}

/* Small pieces become one record: collect up to limit bytes first. */
static ssize_t collect(tlsock *s, const uint8_t *p, size_t len, size_t limit)
{
    size_t done = 0;

    while (done < len) {
        size_t part = s->hold.len < limit ? limit - s->hold.len : 0;
        int rc;

        if (part > len - done)
            part = len - done;
        if (tsk_buf_add(&s->hold, p + done, part) < 0)
            return done != 0 ? (ssize_t)done : tsk_fail_nomem(tsk_err(s));
        done += part;
        if (s->hold.len < limit)
            continue;
        rc = encrypt_held(s);
        if (rc < 0 && rc != TLSOCK_AGAIN)
            return rc;
        if (rc == TLSOCK_AGAIN && s->hold.len >= limit)
            break;
    }
    return done != 0 || len == 0 ? (ssize_t)done : TLSOCK_AGAIN;
}

/* Take the pieces from byte skip on. Everything that is taken is encrypted or
 * held in memory of ours; the caller's may go. */
ssize_t tsk_io_write(tlsock *s, const struct iovec *iov, int n, size_t skip)
{
    size_t limit = (size_t)s->set->write_buffer, total = 0;
    size_t coalesce = n > 1 && limit == 0 ? RECORD : limit;
    ssize_t rc = limit == 0 ? encrypt_held(s) : TLSOCK_OK;

    if (rc < 0) /* what was taken first goes first */
        return rc;
    for (int i = 0; i < n; i++) {
        const uint8_t *p = iov[i].iov_base;
        size_t len = iov[i].iov_len;

        if (skip >= len) {
            skip -= len;
            continue;
        }
        p += skip;
        len -= skip;
        skip = 0;
        if (coalesce != 0 && (len < coalesce || s->hold.len != 0))
            rc = collect(s, p, len, coalesce);
        else
            rc = encrypt_now(s, p, len, limit == 0);
        if (rc < 0)
            return total != 0 && rc == TLSOCK_AGAIN ? (ssize_t)total : rc;
        total += (size_t)rc;
        if ((size_t)rc < len)
            break;
    }
    if (limit == 0) { /* application data never waits */
        int flushed = tsk_io_flush(s);

        if (flushed < 0 && flushed != TLSOCK_AGAIN)
            return flushed;
    }
    return (ssize_t)total;
}
