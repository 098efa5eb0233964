/* sendfile - from a descriptor into a connection.
 *
 * Where nothing has to be encrypted, or the kernel does it, the system copies:
 * what SSL_sendfile() does, too, but with the file's own position, without
 * SIGPIPE, and with the reason of a failure. Else it goes through memory.
 * A byte is read only when there is room for it: before each part everything
 * that waits is sent, and a part fits into the queues below. So what was read
 * is taken, also from a pipe, which could not be given anything back. */
#include "api/conn.h"
#include "net/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY 1048576u /* for the system to copy at once */
/* The same, encrypted: three records. What fits into a pipe of the system's
 * (16 pages) with an end to spare is sent on at once; of more it may keep a part
 * back for what follows, and never send it if the socket is full by then. */
#define SEALED 49152
#define PART 65536u   /* four records, half of TSK_BIO_OUT_MOST */

_Static_assert(PART + 4096 <= TSK_BIO_OUT_MOST, "a part fits into the queue");

struct file {
    int fd;
    int64_t *offset; /* the caller's, or NULL */
    size_t len, done;
    int64_t until; /* waiting for a slow source ends, too */
    int begun, ended;
};

static int read_failed(tlsock *s, const struct file *f, int errnum)
{
    if (errnum == ESPIPE) {
        tsk_fail_sys(tsk_err(s), TLSOCK_E_ARGUMENT, errnum,
                     "descriptor %d has no offsets", f->fd);
        tsk_hint(tsk_err(s), "a pipe or socket is sent from where it is: pass "
                             "NULL as the offset");
        return TLSOCK_E_ARGUMENT;
    }
    if (f->offset != NULL)
        tsk_fail_sys(tsk_err(s), TLSOCK_E_SYSTEM, errnum,
                     "cannot read descriptor %d at offset %lld", f->fd,
                     (long long)*f->offset);
    else
        tsk_fail_sys(tsk_err(s), TLSOCK_E_SYSTEM, errnum,
                     "cannot read descriptor %d", f->fd);
    if (errnum == EAGAIN || errnum == EWOULDBLOCK)
        tsk_hint(tsk_err(s),
                 "there is nothing to send yet: poll descriptor %d "
                 "for POLLIN, then call again",
                 f->fd);
    else if (errnum == EBADF)
        tsk_hint(tsk_err(s), "the file has to be open for reading");
    else if (errnum == EISDIR)
        tsk_hint(tsk_err(s), "a directory has no contents that could be sent");
    return TLSOCK_E_SYSTEM;
}

/* Nobody could wait for data from what is open for writing alone. */
static int check_source(tlsock *s, const struct file *f)
{
    int flags = fcntl(f->fd, F_GETFL);

    if (flags < 0)
        return read_failed(s, f, errno);
    if ((flags & O_ACCMODE) == O_WRONLY)
        return read_failed(s, f, EBADF);
    return TLSOCK_OK;
}

/* read(2) may wait for a pipe's writer: a nonblocking handle does not, and a
 * blocking one no longer than its deadline. Files are ready always. */
static int wait_for_source(tlsock *s, const struct file *f)
{
    struct pollfd p[2] = {{f->fd, POLLIN, 0}}; /* and room for a waker */
    int rc = tsk_conn_wait_on(s, p, 1, s->nonblocking ? 0 : f->until);

    if (rc != 0)
        return rc < 0 ? rc : TLSOCK_OK;
    if (s->nonblocking)
        return read_failed(s, f, EAGAIN);
    tsk_fail(tsk_err(s), TLSOCK_E_TIMEOUT,
             "time is up while waiting for descriptor %d to have data", f->fd);
    tsk_hint(tsk_err(s), "whoever writes to it is slow or silent");
    return TLSOCK_E_TIMEOUT;
}

static ssize_t read_part(const struct file *f, void *buf, size_t n)
{
    ssize_t got;

    do
        got = f->offset != NULL ? pread(f->fd, buf, n, (off_t)*f->offset)
                                : read(f->fd, buf, n);
    while (got < 0 && errno == EINTR);
    return got;
}

/* A part through memory: > 0 bytes are taken, 0 the file's end, or code. What
 * TLS has yet to encrypt waits in s->hold, plaintext where it is sent from. */
static ssize_t take_part(tlsock *s, const struct file *f, size_t n)
{
    struct tsk_buf *to = s->ssl != NULL ? &s->hold : &s->io.out;
    uint8_t *room;
    ssize_t got;
    int rc;

    if (f->offset == NULL) {
        rc = wait_for_source(s, f);
        if (rc < 0)
            return rc;
    }
    room = tsk_buf_room(to, n);
    if (room == NULL)
        return tsk_fail_nomem(tsk_err(s));
    got = read_part(f, room, n);
    if (got < 0)
        return read_failed(s, f, errno);
    to->len += (size_t)got;
    return got;
}

/* A socket that encrypts keeps its record open for as long as more of what was
 * asked for is to come: never ask for what the file does not have. */
static ssize_t in_file(const struct file *f, int64_t at)
{
    struct stat st;

    if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return TLSOCK_E_UNSUPPORTED;
    if (f->offset == NULL)
        at = (int64_t)lseek(f->fd, 0, SEEK_CUR);
    if (at < 0 || at >= st.st_size)
        return TLSOCK_E_UNSUPPORTED; /* its end, or why, tells read(2) */
    return st.st_size - at < SEALED ? (ssize_t)(st.st_size - at) : SEALED;
}

/* What the system can send as it is needs no memory of ours. */
static ssize_t copy_part(tlsock *s, const struct file *f)
{
    size_t n = f->len - f->done;
    int64_t at = f->offset != NULL ? *f->offset : 0;
    ssize_t most = s->ssl != NULL ? in_file(f, at) : (ssize_t)COPY, rc;

    if (most < 0)
        return most;
    rc = tsk_copy_file(s->layer, f->fd, f->offset != NULL ? &at : NULL,
                       n < (size_t)most ? n : (size_t)most);
    if (rc == TLSOCK_AGAIN)
        s->io.want = POLLOUT;
    if (rc >= TLSOCK_AGAIN || rc == TLSOCK_E_UNSUPPORTED)
        return rc;
    if (rc == TLSOCK_E_SYSTEM)
        return read_failed(s, f, s->layer->sys_errno);
    s->io.code = (int)rc;
    return tsk_tls_fail(s, -1, TLSOCK_PHASE_WRITE);
}

/* The one place that decides how a part travels. */
static ssize_t send_part(tlsock *s, const struct file *f)
{
    size_t n = f->len - f->done;

    if (s->ssl == NULL || s->io.kernel.sends) {
        ssize_t rc = copy_part(s, f);

        if (rc != TLSOCK_E_UNSUPPORTED)
            return rc;
    }
    if (n > PART)
        n = PART;
    if (f->offset != NULL && (uint64_t)n > (uint64_t)(INT64_MAX - *f->offset))
        n = (size_t)(INT64_MAX - *f->offset);
    return n == 0 ? 0 : take_part(s, f, n);
}

/* A nonblocking handle takes a part per call, as much as a write does. */
static ssize_t send_parts(tlsock *s, struct file *f)
{
    ssize_t n;
    int rc;

    for (;;) {
        rc = tsk_io_flush(s);
        if (rc < 0 && !(rc == TLSOCK_AGAIN && s->nonblocking && f->done != 0))
            return rc;
        if (f->ended || f->done == f->len || (s->nonblocking && f->done != 0))
            return (ssize_t)f->done;
        n = send_part(s, f);
        if (n == TLSOCK_AGAIN && s->nonblocking && f->done != 0)
            return (ssize_t)f->done;
        if (n < 0)
            return n;
        f->ended = n == 0;
        f->done += (size_t)n;
        if (f->offset != NULL)
            *f->offset += n;
    }
}

static int begin(tlsock *s, struct file *f)
{
    if (s->sent_close)
        return tsk_fail(tsk_err(s), TLSOCK_E_STATE,
                        "sending a file after tlsock_shutdown(): close_notify "
                        "is sent");
    f->until = tsk_conn_deadline(s);
    f->begun = 1;
    return check_source(s, f);
}

static ssize_t do_sendfile(tlsock *s, void *arg)
{
    struct file *f = arg;
    ssize_t rc = f->begun ? TLSOCK_OK : begin(s, f);

    if (rc == TLSOCK_OK)
        rc = send_parts(s, f);
    if (rc != TLSOCK_AGAIN && s->hold.len == 0)
        tsk_buf_free(&s->hold); /* a part is much for an idle connection */
    return rc;
}

ssize_t tlsock_sendfile(tlsock *s, int fd, int64_t *offset, size_t len)
{
    struct file f = {.fd = fd, .offset = offset, .len = len};

    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    if (offset != NULL && *offset < 0)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        "the offset into the file is %lld: it begins at 0",
                        (long long)*offset);
    if (len > SSIZE_MAX)
        return tsk_fail(tsk_err(s), TLSOCK_E_ARGUMENT,
                        "the length is over SSIZE_MAX");
    if (len == 0)
        return 0;
    return tsk_run(s, TLSOCK_PHASE_WRITE, do_sendfile, &f);
}
