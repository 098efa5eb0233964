#include "net/fd.h"

#include "core/clock.h"
#include "core/mem.h"
#include "net/ktls.h"
#include "net/resolve.h"
#include "net/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>

struct fd_layer {
    struct tsk_layer layer; /* first: the two are cast to each other */
    int fd, owned;
    int ours;              /* made by this library */
    int limited;           /* SO_RCVTIMEO is set, by us */
    struct timeval before; /* what it was */
    int looked;            /* is it O_NONBLOCK? "waits" says so */
};

static ssize_t failed(struct tsk_layer *l)
{
    l->sys_errno = errno;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return TLSOCK_AGAIN;
    if (errno == ECONNRESET || errno == EPIPE)
        return TLSOCK_E_RESET;
    return TLSOCK_E_SYSTEM;
}

static ssize_t fd_recv(struct tsk_layer *l, void *buf, size_t len)
{
    ssize_t n;

    do
        n = recv(((struct fd_layer *)l)->fd, buf, len, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? n : failed(l);
}

static int set_limit(int fd, int option, int ms)
{
    struct timeval t = {.tv_usec = ms * 1000};

    return setsockopt(fd, SOL_SOCKET, option, &t, sizeof(t));
}

/* What the caller had set comes back with the socket; ours had nothing. */
static int limit(struct fd_layer *f)
{
    socklen_t len = sizeof(f->before);

    if (!f->ours &&
        getsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &f->before, &len) != 0)
        return 0;
    return set_limit(f->fd, SO_RCVTIMEO, TSK_LAYER_WAIT_MS) == 0;
}

static void lift_limit(const struct fd_layer *f)
{
    if (f->limited)
        (void)setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &f->before,
                         sizeof(f->before));
}

static int is_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || (flags & O_NONBLOCK) != 0;
}

/* In one call what poll() and recv() need two for. A signal ends the wait: time
 * goes on, and who calls looks at it. */
static ssize_t fd_recv_wait(struct tsk_layer *l, void *buf, size_t len)
{
    struct fd_layer *f = (struct fd_layer *)l;
    ssize_t n;

    if (!f->limited)
        f->limited = limit(f);
    l->waits = f->limited;
    if (!f->limited)
        return fd_recv(l, buf, len);
    n = recv(f->fd, buf, len, 0);
    if (n < 0 && errno == EINTR)
        errno = EAGAIN;
    if (n < 0 && errno == EAGAIN && !f->looked) {
        f->looked = 1;
        l->waits = !is_nonblocking(f->fd);
        errno = EAGAIN;
    }
    return n >= 0 ? n : failed(l);
}

static ssize_t fd_send(struct tsk_layer *l, const void *buf, size_t len)
{
    ssize_t n;

    do
        n = send(((struct fd_layer *)l)->fd, buf, len,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? n : failed(l);
}

static ssize_t fd_peek(struct tsk_layer *l, void *buf, size_t len)
{
    ssize_t n;

    do
        n = recv(((struct fd_layer *)l)->fd, buf, len, MSG_DONTWAIT | MSG_PEEK);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? n : failed(l);
}

static ssize_t fd_send_record(struct tsk_layer *l, int type, const void *buf,
                              size_t len)
{
    ssize_t n = tsk_ktls_send(((struct fd_layer *)l)->fd, type, buf, len);

    return n >= 0 ? n : failed(l);
}

static ssize_t fd_recv_record(struct tsk_layer *l, int *type, void *buf,
                              size_t len)
{
    ssize_t n = tsk_ktls_recv(((struct fd_layer *)l)->fd, type, buf, len);

    return n >= 0 ? n : failed(l);
}

static int fd_shut(struct tsk_layer *l)
{
    if (shutdown(((struct fd_layer *)l)->fd, SHUT_WR) == 0)
        return TLSOCK_OK;
    return errno == ENOTCONN ? TLSOCK_E_RESET : (int)failed(l);
}

static int fd_fd(struct tsk_layer *l)
{
    return ((struct fd_layer *)l)->fd;
}

static short fd_events(struct tsk_layer *l, short wanted)
{
    (void)l;
    return wanted;
}

static void fd_free(struct tsk_layer *l, int graceful)
{
    struct fd_layer *f = (struct fd_layer *)l;

    (void)graceful; /* what was sent is the kernel's to deliver */
    if (f->owned)
        tsk_wait_close(f->fd);
    else
        lift_limit(f);
    tsk_free(f);
}

static const struct tsk_layer_ops fd_ops = {.recv = fd_recv,
                                            .send = fd_send,
                                            .fd = fd_fd,
                                            .events = fd_events,
                                            .free = fd_free,
                                            .peek = fd_peek,
                                            .recv_wait = fd_recv_wait,
                                            .shut = fd_shut,
                                            .send_record = fd_send_record,
                                            .recv_record = fd_recv_record};

struct tsk_layer *tsk_fd_layer_new(int fd, int owned)
{
    struct fd_layer *f = tsk_alloc(sizeof(*f));

    if (f == NULL)
        return NULL;
    f->layer.ops = &fd_ops;
    f->fd = fd;
    f->owned = owned;
    return &f->layer;
}

void tsk_fd_layer_may_wait(struct tsk_layer *l, int ours)
{
    l->waits = 1;
    ((struct fd_layer *)l)->ours = ours;
}

void tsk_fd_layer_limited(struct tsk_layer *l)
{
    ((struct fd_layer *)l)->limited = 1;
}

int tsk_fd_listener_may_wait(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
           set_limit(fd, SO_RCVTIMEO, TSK_LAYER_WAIT_MS) == 0;
}

int tsk_fd_layer_nonblock(struct tsk_layer *l)
{
    struct fd_layer *f = (struct fd_layer *)l;
    int flags = fcntl(f->fd, F_GETFL);

    if (flags < 0)
        return 0;
    if ((flags & O_NONBLOCK) == 0 &&
        (!f->ours || fcntl(f->fd, F_SETFL, flags | O_NONBLOCK) != 0))
        return 0;
    l->waits = 0;
    return 1;
}

int tsk_fd_layer_give(struct tsk_layer *l)
{
    struct fd_layer *f = (struct fd_layer *)l;
    int fd = f->fd;

    if (f->ours)
        (void)tsk_fd_layer_nonblock(l);
    if (f->ours) /* dialled, see dial.c */
        (void)set_limit(fd, SO_SNDTIMEO, 0);
    lift_limit(f);
    tsk_free(l);
    return fd;
}

int tsk_fd_layer_is(const struct tsk_layer *l)
{
    return l->ops == &fd_ops;
}

void tsk_fd_layer_own(struct tsk_layer *l)
{
    ((struct fd_layer *)l)->owned = 1;
}

static int get_int(int fd, int option, int *value)
{
    socklen_t len = sizeof(*value);

    return getsockopt(fd, SOL_SOCKET, option, value, &len);
}

/* Accepted sockets inherit it from their listener. 1: it is TCP. */
static int set_nodelay(int fd, int family)
{
    int on = 1;

    return (family == AF_INET || family == AF_INET6) &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0;
}

static int no_stream(int fd, const char *wanted, const char *is,
                     tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT,
             "descriptor %d is not a %s stream socket: %s", fd, wanted, is);
    tsk_hint(err, "pass the descriptor of an open TCP or UNIX stream socket");
    return TLSOCK_E_ARGUMENT;
}

static int check_socket(int fd, const char *wanted, tlsock_error *err)
{
    int type;

    if (get_int(fd, SO_TYPE, &type) != 0) {
        if (errno == EBADF)
            return no_stream(fd, wanted, "it is not open", err);
        if (errno == ENOTSOCK)
            return no_stream(fd, wanted, "it is no socket", err);
        return tsk_fail_sys(err, TLSOCK_E_SYSTEM, errno,
                            "cannot examine descriptor %d", fd);
    }
    if (type != SOCK_STREAM)
        return no_stream(fd, wanted, "it is for datagrams or packets", err);
    return TLSOCK_OK;
}

static int listens(int fd)
{
    int value = 0;

    (void)get_int(fd, SO_ACCEPTCONN, &value);
    return value;
}

static int no_peer(int fd, tlsock_error *err)
{
    int errnum = errno, rc = check_socket(fd, "connected", err);

    if (rc != TLSOCK_OK)
        return rc;
    return no_stream(fd, "connected",
                     listens(fd)          ? "it listens"
                     : errnum == ENOTCONN ? "it has no peer (yet, or any more)"
                                          : "its peer is unknown",
                     err);
}

int tsk_fd_check_stream(int fd, char *peer, size_t size, tlsock_error *err)
{
    struct sockaddr_storage ss;
    struct sockaddr *sa = (struct sockaddr *)&ss;
    socklen_t len = sizeof(ss);
    int rc = TLSOCK_OK;

    if (getpeername(fd, sa, &len) != 0)
        return no_peer(fd, err);
    if (!set_nodelay(fd, ss.ss_family)) /* what has that is a stream */
        rc = check_socket(fd, "connected", err);
    if (rc == TLSOCK_OK)
        tsk_addr_text(peer, size, sa, len);
    return rc;
}

int tsk_fd_check_listening(int fd, tlsock_error *err)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    int rc = check_socket(fd, "listening", err);

    if (rc == TLSOCK_OK && !listens(fd))
        return no_stream(fd, "listening", "it does not listen", err);
    if (rc == TLSOCK_OK && getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
        (void)set_nodelay(fd, ss.ss_family);
    return rc;
}

void tsk_fd_address(int fd, int peer, char *out, size_t size)
{
    struct sockaddr_storage ss;
    struct sockaddr *sa = (struct sockaddr *)&ss;
    socklen_t len = sizeof(ss);
    int rc = peer ? getpeername(fd, sa, &len) : getsockname(fd, sa, &len);

    if (rc == 0)
        tsk_addr_text(out, size, sa, len);
    else if (size > 0)
        out[0] = '\0';
}

int tsk_fd_port(int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
        return 0;
    if (ss.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&ss)->sin_port);
    if (ss.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
    return 0;
}
