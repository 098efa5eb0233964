#include "api/conn.h"
#include "core/mem.h"
#include "ossl/queue.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct in {
    uint8_t *buf;
    size_t len, done;
};

/* A caller that waits for input has said what it had to say. */
static ssize_t before_input(tlsock *s)
{
    int rc;

    if (s->hold.len == 0)
        return TLSOCK_OK;
    rc = tsk_io_flush(s);
    return rc == TLSOCK_AGAIN ? TLSOCK_OK : rc;
}

static ssize_t do_read(tlsock *s, void *arg)
{
    struct in *in = arg;
    ssize_t rc = before_input(s);

    return rc < 0 ? rc : tsk_io_read(s, in->buf, in->len);
}

static ssize_t do_peek(tlsock *s, void *arg)
{
    struct in *in = arg;
    ssize_t rc = before_input(s);

    return rc < 0 ? rc : tsk_io_peek(s, in->buf, in->len);
}

/* Collects in s->plain, so that nothing is lost if the call must end early. */
static ssize_t do_read_full(tlsock *s, void *arg)
{
    struct in *in = arg;
    ssize_t rc = before_input(s);

    if (rc < 0)
        return rc;
    if (s->nonblocking)
        return tsk_io_read(s, in->buf, in->len);
    while (s->plain.len < in->len) {
        rc = tsk_io_more(s, in->len - s->plain.len);
        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
    }
    return s->plain.len == 0 ? 0 : tsk_io_read(s, in->buf, in->len);
}

static int bad_memory(tlsock *s, const void *buf, size_t len)
{
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if ((buf == NULL && len != 0) || len > SSIZE_MAX)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        buf == NULL ? "the buffer is NULL"
                                    : "the length is over SSIZE_MAX");
    return TLSOCK_OK;
}

/* Who has been told of the end need not be woken for it. */
static ssize_t heard(tlsock *s, ssize_t n)
{
    s->told_end |= n == 0;
    return n;
}

static ssize_t input(tlsock *s, void *buf, size_t len, tsk_job *job)
{
    struct in in = {buf, len, 0};
    int rc = bad_memory(s, buf, len);

    if (rc < 0 || len == 0)
        return rc;
    /* what came before the stream broke is still the caller's */
    if (s->rung == TSK_RUNG_DEAD && s->plain.len != 0 && job != do_read_full &&
        !tsk_conn_foreign(s))
        return job(s, &in);
    return heard(s, tsk_run(s, TLSOCK_PHASE_READ, job, &in));
}

ssize_t tlsock_read(tlsock *s, void *buf, size_t len)
{
    return input(s, buf, len, do_read);
}

ssize_t tlsock_peek(tlsock *s, void *buf, size_t len)
{
    return input(s, buf, len, do_peek);
}

ssize_t tlsock_read_full(tlsock *s, void *buf, size_t len)
{
    return input(s, buf, len, do_read_full);
}

struct line {
    char **line;
    size_t *cap;
    size_t max, seen; /* seen: bytes of s->plain that hold no LF */
};

static ssize_t give_line(tlsock *s, const struct line *l, size_t len)
{
    char *grown;

    if (*l->line == NULL || *l->cap < len + 1) {
        grown = tsk_realloc(*l->line, len + 1); /* the caller will free() it */
        if (grown == NULL)
            return tsk_fail_nomem(tsk_err(s));
        *l->line = grown;
        *l->cap = len + 1;
    }
    memcpy(*l->line, tsk_buf_at(&s->plain), len);
    (*l->line)[len] = '\0';
    tsk_buf_take(&s->plain, len);
    return (ssize_t)len;
}

static ssize_t do_getline(tlsock *s, void *arg)
{
    struct line *l = arg;
    ssize_t rc = before_input(s);

    if (rc < 0)
        return rc;
    for (;;) {
        const uint8_t *p = tsk_buf_at(&s->plain), *lf = NULL;

        if (s->plain.len > l->seen)
            lf = memchr(p + l->seen, '\n', s->plain.len - l->seen);
        l->seen = s->plain.len;
        if (lf != NULL && (size_t)(lf - p) < l->max)
            return give_line(s, l, (size_t)(lf - p) + 1);
        if (lf != NULL || s->plain.len > l->max) {
            tsk_fail(tsk_err(s), TLSOCK_E_LIMIT,
                     "a line of more than %zu bytes from %s", l->max,
                     s->address[0] != '\0' ? s->address : "the peer");
            return TLSOCK_E_LIMIT;
        }
        rc = tsk_io_more(s, SIZE_MAX);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return s->plain.len == 0 ? 0 : give_line(s, l, s->plain.len);
    }
}

ssize_t tlsock_getline(tlsock *s, char **line, size_t *cap, size_t max)
{
    struct line l = {line, cap, max, 0};

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (line == NULL || cap == NULL || max == 0 || max > SSIZE_MAX - 1)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        "tlsock_getline() needs line, cap and a max above 0");
    return heard(s, tsk_run(s, TLSOCK_PHASE_READ, do_getline, &l));
}

struct out {
    const struct iovec *iov;
    int n;
    size_t total, done;
};

static ssize_t do_write(tlsock *s, void *arg)
{
    struct out *o = arg;
    ssize_t rc;

    if (s->sent_close) {
        tsk_fail(tsk_err(s), TLSOCK_E_STATE,
                 "writing after tlsock_shutdown(): close_notify is sent");
        return TLSOCK_E_STATE;
    }
    while (o->done < o->total) {
        rc = tsk_io_write(s, o->iov, o->n, o->done);
        if (rc < 0) {
            if (rc == TLSOCK_AGAIN && s->nonblocking && o->done != 0)
                break;
            return rc;
        }
        o->done += (size_t)rc;
        if (s->nonblocking)
            break;
    }
    if (!s->nonblocking && s->set->write_buffer == 0) {
        rc = tsk_io_flush(s);
        if (rc < 0)
            return rc;
    }
    return (ssize_t)o->done;
}

static ssize_t output(tlsock *s, const struct iovec *iov, int n)
{
    struct out o = {iov, n, 0, 0};

    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len > SSIZE_MAX - o.total ||
            (iov[i].iov_base == NULL && iov[i].iov_len != 0))
            return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                            "piece %d of the data is no usable memory", i);
        o.total += iov[i].iov_len;
    }
    return tsk_run(s, TLSOCK_PHASE_WRITE, do_write, &o);
}

ssize_t tlsock_write(tlsock *s, const void *buf, size_t len)
{
    struct iovec iov;
    int rc = bad_memory(s, buf, len);

    if (rc < 0)
        return rc;
    iov.iov_base = (void *)(uintptr_t)buf;
    iov.iov_len = len;
    return output(s, &iov, 1);
}

ssize_t tlsock_writev(tlsock *s, const struct iovec *iov, int n)
{
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (n < 0 || n > 1024 || (iov == NULL && n != 0))
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        "tlsock_writev() takes 0 to 1024 pieces, not %d", n);
    return output(s, iov, n);
}

struct text {
    const char *text;
    size_t len;
};

/* All or nothing: it waits in s->hold, and counts as taken from then on. */
static ssize_t do_print(tlsock *s, void *arg)
{
    const struct text *t = arg;
    int rc;

    if (s->sent_close) {
        tsk_fail(tsk_err(s), TLSOCK_E_STATE,
                 "writing after tlsock_shutdown(): close_notify is sent");
        return TLSOCK_E_STATE;
    }
    rc = s->hold.len != 0 && s->set->write_buffer == 0 ? tsk_io_flush(s) : 0;
    if (rc < 0)
        return rc;
    if (tsk_buf_add(&s->hold, t->text, t->len) < 0)
        return tsk_fail_nomem(tsk_err(s));
    if (s->set->write_buffer == 0 ||
        s->hold.len >= (size_t)s->set->write_buffer)
        rc = tsk_io_flush(s);
    return rc < 0 && rc != TLSOCK_AGAIN ? rc : (ssize_t)t->len;
}

/* Yours: tsk_free_secret(). NULL: why is told by the connection. A wide
 * character that the locale does not have is a fault of the format. */
static TLSOCK_PRINTF(3, 0) char *text_of(tlsock *s, size_t *len,
                                         const char *format, va_list ap)
{
    int saved = errno, n;
    char *text = NULL;
    va_list again;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0)
        tsk_fail_sys(tsk_err(s), TLSOCK_E_ARGUMENT, errno,
                     "tlsock_printf() cannot make this text");
    else if ((text = tsk_alloc((size_t)n + 1)) == NULL)
        tsk_fail_nomem(tsk_err(s));
    else
        *len = (size_t)vsnprintf(text, (size_t)n + 1, format, ap);
    errno = saved;
    return text;
}

int tlsock_printf(tlsock *s, const char *format, ...)
{
    struct text t = {0};
    char *text;
    va_list ap;
    ssize_t rc;

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    va_start(ap, format);
    text = text_of(s, &t.len, format, ap);
    va_end(ap);
    if (text == NULL)
        return tsk_err_of(s)->code;
    t.text = text;
    rc = tsk_run(s, TLSOCK_PHASE_WRITE, do_print, &t);
    tsk_free_secret(text, t.len);
    if (rc >= 0 && !s->nonblocking && s->set->write_buffer == 0) {
        int flushed = (int)tsk_run(s, TLSOCK_PHASE_WRITE, tsk_job_flush, NULL);

        if (flushed < 0)
            return flushed;
    }
    return (int)rc;
}

ssize_t tsk_job_flush(tlsock *s, void *arg)
{
    (void)arg;
    return tsk_io_flush(s);
}

int tlsock_flush(tlsock *s)
{
    return (int)tsk_run(s, TLSOCK_PHASE_WRITE, tsk_job_flush, NULL);
}

size_t tlsock_pending(const tlsock *conn)
{
    tlsock *s = (tlsock *)(uintptr_t)conn; /* a record may be decrypted */
    int saved = errno;
    size_t n;

    if (s == NULL || tsk_conn_foreign(s))
        return 0;
    tsk_ossl_enter();
    n = tsk_io_pending(s);
    tsk_ossl_leave();
    errno = saved;
    return n;
}
