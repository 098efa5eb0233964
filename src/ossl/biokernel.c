#include "ossl/biokernel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <tlsock.h>

/* <openssl/bio.h> reserves these numbers and keeps their names to itself. */
#define SET_KEYS 72
#define GET_SENDS 73
#define SET_TYPE 74
#define CLEAR_TYPE 75
#define GET_RECEIVES 76
#define TYPE_IS_SET 0x1000 /* the flag that SET_TYPE sets */

#define HEADER 5 /* RFC 8446, 5.1 */
#define TAG 16   /* libssl leaves room for one */
#define HANDSHAKE 22
#define KEY_UPDATE 24 /* RFC 8446, 4 */

int tsk_bio_kernel_built(void)
{
    BIO *b = BIO_new(BIO_s_socket());
    int built;

    if (b == NULL)
        return 0;
    (void)BIO_set_fd(b, -1, BIO_NOCLOSE);
    (void)BIO_ctrl(b, SET_TYPE, HANDSHAKE, NULL);
    built = BIO_test_flags(b, TYPE_IS_SET) != 0;
    BIO_free(b);
    return built;
}

/* All that was sent is under older keys, and all that was received, too. */
static int is_clean(struct tsk_bio *io, int sends)
{
    if (!sends)
        return io->in.len == 0;
    return tsk_bio_flush(io) == TLSOCK_OK;
}

static long set_keys(struct tsk_bio *io, int sends, void *keys)
{
    BIO *b;
    long set;

    if (!io->kernel.asked)
        return 0;
    if (!is_clean(io, sends)) {
        io->kernel.refused[sends] = EBUSY;
        return 0;
    }
    b = BIO_new(BIO_s_socket());
    if (b == NULL) {
        io->kernel.refused[sends] = ENOMEM;
        return 0;
    }
    (void)BIO_set_fd(b, io->below->ops->fd(io->below), BIO_NOCLOSE);
    errno = 0;
    set = BIO_ctrl(b, SET_KEYS, sends, keys) > 0;
    io->kernel.refused[sends] = set ? 0 : errno;
    if (set && sends)
        io->kernel.sends = 1;
    else if (set)
        io->kernel.receives = 1;
    BIO_free(b);
    return set;
}

long tsk_bio_kernel_ctrl(struct tsk_bio *io, int cmd, long num, void *ptr)
{
    switch (cmd) {
    case SET_KEYS:
        return set_keys(io, num != 0, ptr);
    case GET_SENDS:
        return io->kernel.sends;
    case GET_RECEIVES:
        return io->kernel.receives;
    case SET_TYPE:
        io->kernel.type = (int)num;
        return 0;
    case CLEAR_TYPE:
        io->kernel.type = 0;
        return 0;
    default:
        return 0;
    }
}

/* libssl has new keys from here on, and nobody gives them to the kernel: what
 * follows would be under the wrong ones. */
static int is_rekey(struct tsk_bio *io, int type, const char *p, size_t n)
{
    if (type != HANDSHAKE || n == 0 || p[0] != KEY_UPDATE)
        return 0;
    io->kernel.rekeyed = 1;
    io->code = TLSOCK_E_UNSUPPORTED;
    return 1;
}

/* libssl tells damage from failure by errno; all else is the layer's code. */
static int failed(BIO *b, struct tsk_bio *io, ssize_t n)
{
    int errnum = io->below->sys_errno;

    if (n == TLSOCK_AGAIN) {
        BIO_set_retry_read(b);
        errno = EAGAIN;
        return -1;
    }
    if (n == TLSOCK_E_SYSTEM &&
        (errnum == EBADMSG || errnum == EMSGSIZE || errnum == EINVAL))
        io->kernel.damaged = 1;
    else
        io->code = (int)n;
    errno = errnum;
    return -1;
}

/* The kernel gives what was in the record: libssl wants to see its header. */
static void make_header(char *out, int type, size_t n)
{
    out[0] = (char)type;
    out[1] = 3; /* RFC 8446, 5.1: legacy_record_version */
    out[2] = 3;
    out[3] = (char)(n >> 8);
    out[4] = (char)(n & 0xff);
}

int tsk_bio_kernel_read(BIO *b, struct tsk_bio *io, char *out, size_t len,
                        size_t *got)
{
    int type = 0, rc = io->eof ? TLSOCK_OK : tsk_bio_may_recv(io);
    ssize_t n;

    if (rc < 0)
        return failed(b, io, rc);
    if (io->eof)
        return 0;
    if (len <= HEADER + TAG) { /* libssl asks for a whole record, always */
        errno = EINVAL;
        return -1;
    }
    n = io->below->ops->recv_record(io->below, &type, out + HEADER,
                                    len - HEADER - TAG);
    if (n < 0)
        return failed(b, io, n);
    if (type == 0) {
        io->eof = 1;
        return 0;
    }
    io->just_sent = 0;
    io->turn += HEADER + (size_t)n;
    if (is_rekey(io, type, out + HEADER, (size_t)n))
        return -1;
    make_header(out, type, (size_t)n);
    *got = HEADER + (size_t)n;
    return 1;
}

/* After everything that is held; the kernel takes all of it, or nothing. */
static int write_typed(BIO *b, struct tsk_bio *io, const char *data, size_t len)
{
    ssize_t n;

    if (is_rekey(io, io->kernel.type, data, len))
        return 0;
    n = tsk_bio_flush(io);
    if (n == TLSOCK_OK)
        n = io->below->ops->send_record(io->below, io->kernel.type, data, len);
    if (n == TLSOCK_AGAIN) {
        io->want |= POLLOUT;
        BIO_set_retry_write(b);
        return 0;
    }
    if (n < 0) {
        io->code = (int)n;
        return 0;
    }
    io->kernel.type = 0;
    io->just_sent = 1;
    return 1;
}

int tsk_bio_kernel_write(BIO *b, struct tsk_bio *io, const char *data,
                         size_t len, size_t *put)
{
    int rc = 1; /* of an alert about damage nobody will hear */

    if (!io->kernel.damaged)
        rc = io->kernel.type != 0 ? write_typed(b, io, data, len)
                                  : tsk_bio_through(io, data, len);
    if (rc == 1)
        *put = len;
    return rc;
}
