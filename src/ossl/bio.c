#include "ossl/bio.h"

#include "core/clock.h"
#include "core/mem.h"
#include "ossl/biokernel.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <tlsock.h>

static BIO_METHOD *method;
static pthread_mutex_t method_lock = PTHREAD_MUTEX_INITIALIZER;

/* Ciphertext is no secret: not worth the time of wiping it. */
static void drop(struct tsk_buf *b)
{
    tsk_free(b->data);
    memset(b, 0, sizeof(*b));
}

static void drop_out(struct tsk_bio *io)
{
    if (io->kernel.sends)
        tsk_buf_free(&io->out); /* still plaintext */
    else
        drop(&io->out);
}

static int flush_below(struct tsk_bio *io)
{
    int rc = io->below->ops->flush(io->below);

    if (rc == TLSOCK_AGAIN)
        io->want = POLLOUT;
    else if (rc < 0)
        io->code = rc;
    return rc;
}

static void tell(struct tsk_bio *io, int sent, const uint8_t *p, size_t n)
{
    size_t skip = 0;

    if (sent && io->untapped != 0) {
        skip = n < io->untapped ? n : io->untapped;
        io->untapped -= skip;
        if (skip == n)
            return;
        p += skip;
    }
    if (io->tap(io->tap_arg, sent, p, n - skip) != 0)
        io->stop = 1;
}

int tsk_bio_flush(struct tsk_bio *io)
{
    if (io->stop) {
        io->code = TLSOCK_E_HOOK;
        return io->code;
    }
    while (io->out.len != 0) {
        ssize_t n =
            io->below->ops->send(io->below, tsk_buf_at(&io->out), io->out.len);

        if (n == TLSOCK_AGAIN) {
            io->want = POLLOUT;
            return TLSOCK_AGAIN;
        }
        if (n < 0) {
            io->code = (int)n;
            return (int)n;
        }
        if (io->tap != NULL)
            tell(io, 1, tsk_buf_at(&io->out), (size_t)n);
        tsk_buf_take(&io->out, (size_t)n);
        io->lazy = 0;
        io->just_sent = 1;
    }
    if (io->out.cap > TSK_BIO_OUT_KEPT || io->out.cap <= TSK_BIO_OUT_SMALL)
        drop_out(io);
    return io->below->ops->flush != NULL ? flush_below(io) : TLSOCK_OK;
}

static void grow_or_shrink(struct tsk_bio *io, size_t got)
{
    if (got == io->in_size && io->in_size < TSK_BIO_IN_MOST)
        io->in_size *= 2; /* the kernel had more than fits */
    else if (got < io->in_size / 4 && io->in_size > TSK_BIO_IN)
        io->in_size /= 2;
}

static void remember_first(struct tsk_bio *io, const uint8_t *p, size_t n)
{
    size_t room = sizeof(io->first) - io->n_first;

    if (n > room)
        n = room;
    memcpy(io->first + io->n_first, p, n);
    io->n_first += n;
}

static int holds_below(const struct tsk_bio *io)
{
    return io->below->ops->holds != NULL && io->below->ops->holds(io->below);
}

/* Twice the time: the system's own clock may be a coarse one. */
int tsk_bio_may_wait(const struct tsk_bio *io)
{
    if (io->until == 0 ||
        (io->interrupted != NULL && atomic_load(io->interrupted)))
        return 0;
    return io->until == TSK_NEVER ||
           tsk_now_ms() + 2 * TSK_LAYER_WAIT_MS <= io->until;
}

/* Nothing else may be waiting to be sent: the layer waits for input alone. In
 * the middle of a lot of data a poll is better: a recv that waits returns with
 * the first record, and one that comes after a poll with many. */
static int waits_below(const struct tsk_bio *io)
{
    return io->polite && io->below->waits && io->in_size <= TSK_BIO_IN &&
           !tsk_bio_must_send(io) && tsk_bio_may_wait(io);
}

/* Nothing is there yet, most likely: who may wait saves a call. A layer that
 * holds bytes may have them already, which no descriptor tells, and only of a
 * socket a recv that was not filled says that it took all. */
static int is_quiet(const struct tsk_bio *io)
{
    if (io->below->ops->holds != NULL)
        return 0;
    return io->just_sent || (io->drained && io->below->ops->peek != NULL);
}

int tsk_bio_may_recv(struct tsk_bio *io)
{
    int rc;

    if (tsk_bio_must_send(io)) {
        rc = tsk_bio_flush(io);
        if (rc < 0 && rc != TLSOCK_AGAIN)
            return rc;
    }
    io->want |= POLLIN;
    io->wait = waits_below(io);
    if (io->from_memory && !holds_below(io))
        return TLSOCK_AGAIN;
    /* libssl goes on for as long as there is something that is no result: new
     * keys, tickets, HelloRequests. Whoever sends them without end may not
     * keep us from our deadline, nor from other connections. */
    if (io->turn >= TSK_BIO_TURN && !holds_below(io)) {
        io->turn = 0;
        io->turn_over = 1;
        io->in_size = TSK_BIO_IN;
        return TLSOCK_AGAIN;
    }
    if (io->polite && !io->wait && is_quiet(io)) {
        io->just_sent = io->drained = 0;
        return TLSOCK_AGAIN;
    }
    return TLSOCK_OK;
}

static ssize_t recv_now(struct tsk_bio *io, void *buf, size_t len)
{
    ssize_t n = io->wait
                    ? io->below->ops->recv_wait(io->below, buf, len)
                    : io->below->ops->recv(io->below, buf, len);

    if (n == 0)
        io->eof = 1;
    else if (n < 0 && n != TLSOCK_AGAIN)
        io->code = (int)n;
    if (n > 0) {
        io->just_sent = 0;
        io->turn += (size_t)n;
        io->drained = (size_t)n < len; /* the kernel has no more */
    }
    return n;
}

ssize_t tsk_bio_recv(struct tsk_bio *io, void *buf, size_t len)
{
    int rc = io->eof ? TLSOCK_OK : tsk_bio_may_recv(io);

    if (io->eof || rc < 0)
        return rc;
    return recv_now(io, buf, len);
}

/* > 0 bytes are in the buffer; 0 end; negative code. asked: what libssl asks
 * for, which is never more than the record under way has. */
static int fill(struct tsk_bio *io, size_t asked)
{
    size_t most = io->exact ? asked : io->in_size;
    int rc = tsk_bio_may_recv(io);
    uint8_t *room;
    ssize_t n;

    if (rc < 0)
        return rc;
    room = tsk_buf_room(&io->in, most);
    if (room == NULL) {
        io->code = TLSOCK_E_NOMEM;
        return TLSOCK_E_NOMEM;
    }
    n = recv_now(io, room, most);
    if (io->tap != NULL && n >= 0)
        tell(io, 0, n != 0 ? room : NULL, (size_t)n);
    if (n <= 0)
        return (int)n;
    if (io->n_first < sizeof(io->first))
        remember_first(io, room, (size_t)n);
    io->in.len += (size_t)n;
    if (!io->exact)
        grow_or_shrink(io, (size_t)n);
    return (int)n;
}

static int bio_read(BIO *b, char *out, size_t len, size_t *got)
{
    struct tsk_bio *io = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    *got = 0;
    if (io->stop)
        return 0;
    if (io->kernel.receives)
        return tsk_bio_kernel_read(b, io, out, len, got);
    if (io->in.len == 0) {
        int rc = io->eof ? 0 : fill(io, len);

        if (rc == TLSOCK_AGAIN)
            BIO_set_retry_read(b);
        if (rc <= 0 || io->stop)
            return 0;
    }
    if (len > io->in.len)
        len = io->in.len;
    memcpy(out, tsk_buf_at(&io->in), len);
    tsk_buf_take(&io->in, len);
    *got = len;
    return 1;
}

int tsk_bio_through(struct tsk_bio *io, const char *data, size_t len)
{
    ssize_t n = 0;

    if (io->out.len == 0)
        n = io->below->ops->send(io->below, data, len);
    if (n < 0 && n != TLSOCK_AGAIN) {
        io->code = (int)n;
        return 0;
    }
    if (n > 0)
        io->just_sent = 1;
    else
        n = 0;
    if (tsk_buf_add(&io->out, data + n, len - (size_t)n) < 0) {
        io->code = TLSOCK_E_NOMEM;
        return 0;
    }
    return 1;
}

static int bio_write(BIO *b, const char *data, size_t len, size_t *put)
{
    struct tsk_bio *io = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    *put = 0;
    if (io->code < 0 || io->stop)
        return 0;
    if (io->kernel.sends)
        return tsk_bio_kernel_write(b, io, data, len, put);
    if (io->through && io->out.len == 0 && io->tap == NULL) {
        *put = len;
        return tsk_bio_through(io, data, len);
    }
    if (io->out.len + len > TSK_BIO_OUT_MOST) {
        int rc = tsk_bio_flush(io);

        if (rc == TLSOCK_AGAIN)
            BIO_set_retry_write(b);
        if (rc < 0)
            return 0;
    }
    if (tsk_buf_add(&io->out, data, len) < 0) {
        io->code = TLSOCK_E_NOMEM;
        return 0;
    }
    *put = len;
    return 1;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    struct tsk_bio *io = BIO_get_data(b);

    switch (cmd) {
    case BIO_CTRL_FLUSH: /* held: see tsk_bio_flush() */
        return 1;
    case BIO_CTRL_PENDING:
        return (long)io->in.len;
    case BIO_CTRL_WPENDING:
        return (long)io->out.len;
    case BIO_CTRL_EOF: /* 3.0's SSL_read tells EOF from failure by this */
        return io->eof && io->in.len == 0;
    default:
        return tsk_bio_kernel_ctrl(io, cmd, num, ptr);
    }
}

/* Made once; a failure for want of memory may be tried again. */
static BIO_METHOD *get_method(void)
{
    BIO_METHOD *m;

    pthread_mutex_lock(&method_lock);
    m = method;
    if (m == NULL)
        m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(),
                         "tlsock layer");
    if (m != NULL && method == NULL) {
        BIO_meth_set_read_ex(m, bio_read);
        BIO_meth_set_write_ex(m, bio_write);
        BIO_meth_set_ctrl(m, bio_ctrl);
        method = m;
    }
    pthread_mutex_unlock(&method_lock);
    return m;
}

BIO *tsk_bio_new(struct tsk_bio *io)
{
    BIO_METHOD *m = get_method();
    BIO *b;

    if (m == NULL)
        return NULL;
    b = BIO_new(m);
    if (b == NULL)
        return NULL;
    io->in_size = TSK_BIO_IN;
    BIO_set_data(b, io);
    BIO_set_init(b, 1);
    return b;
}

int tsk_bio_feed(struct tsk_bio *io, const void *bytes, size_t n)
{
    if (tsk_buf_add(&io->in, bytes, n) < 0)
        return TLSOCK_E_NOMEM;
    remember_first(io, bytes, n);
    return TLSOCK_OK;
}

void tsk_bio_idle(struct tsk_bio *io)
{
    if (io->in.len == 0 && io->in.cap != 0)
        drop(&io->in);
    if (io->out.len == 0 && io->out.cap != 0)
        drop_out(io);
}

void tsk_bio_free(struct tsk_bio *io)
{
    drop(&io->in);
    drop_out(io);
}
