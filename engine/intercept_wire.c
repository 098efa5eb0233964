#include "intercept_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static ssize_t code_of(int errnum)
{
    switch (errnum) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EINTR:
        return TLSOCK_AGAIN;
    case ECONNRESET:
    case EPIPE:
        return TLSOCK_E_RESET;
    default:
        return TLSOCK_E_SYSTEM;
    }
}

ssize_t wire_recv(int fd, void *buf, size_t len)
{
    ssize_t n = recv(fd, buf, len, MSG_DONTWAIT);

    return n >= 0 ? n : code_of(errno);
}

ssize_t wire_send(int fd, const void *buf, size_t len)
{
    ssize_t n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    return n >= 0 ? n : code_of(errno);
}

static ssize_t io_read(void *arg, void *buf, size_t len)
{
    struct wire *w = arg;
    ssize_t n;

    if (w->given < w->len) {
        if (len > w->len - w->given)
            len = w->len - w->given;
        memcpy(buf, w->seen + w->given, len);
        w->given += len;
        return (ssize_t)len;
    }
    if (!w->recording)
        return wire_recv(w->fd, buf, len);
    if (len > WIRE_MOST - w->len)
        len = WIRE_MOST - w->len;
    if (len == 0) {
        w->full = 1;
        return TLSOCK_E_LIMIT;
    }
    n = wire_recv(w->fd, buf, len);
    if (n > 0) {
        memcpy(w->seen + w->len, buf, (size_t)n);
        w->len += (size_t)n;
        w->given = w->len;
    }
    return n;
}

static ssize_t io_write(void *arg, const void *buf, size_t len)
{
    const struct wire *w = arg;

    return wire_send(w->fd, buf, len);
}

static int io_fd(void *arg)
{
    const struct wire *w = arg;

    return w->fd;
}

const tlsock_io wire_io = {.size = sizeof(tlsock_io),
                           .read = io_read,
                           .write = io_write,
                           .fd = io_fd};
