#include "net/fd.h"

#include "net/resolve.h"
#include "net/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* More connections than this that died in the queue, and others get a turn. */
#define DEAD_IN_A_ROW 16

static void hint(tlsock_error *err, int errnum)
{
    if (errnum == EADDRINUSE)
        tsk_hint(err, "another program listens there already: stop it or "
                      "choose another port (\"ss -ltnp\" shows who)");
    else if (errnum == EACCES || errnum == EPERM)
        tsk_hint(err, "ports below 1024 need a privilege, UNIX sockets a "
                      "directory you may write to");
    else if (errnum == EADDRNOTAVAIL)
        tsk_hint(err, "this machine has no such address: \"ip addr\" lists "
                      "them, \"*:PORT\" means all");
    else if (errnum == EMFILE || errnum == ENFILE)
        tsk_hint(err, "out of descriptors: close some or raise the limit "
                      "(ulimit -n)");
    else if (errnum == ENOENT || errnum == ENOTDIR)
        tsk_hint(err, "the directory of the socket does not exist");
}

/* A socket file whose server is gone: nobody takes a connection. Any other
 * file, and a socket that answers, stays. 1: it was removed. */
static int remove_stale(const struct sockaddr *sa, socklen_t len)
{
    const char *path = ((const struct sockaddr_un *)sa)->sun_path;
    struct stat st;
    int fd, gone;

    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return 0;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return 0;
    gone = connect(fd, sa, len) != 0 && errno == ECONNREFUSED;
    tsk_wait_close(fd);
    return gone && unlink(path) == 0;
}

static int bind_to(int fd, const struct sockaddr *sa, socklen_t len)
{
    if (bind(fd, sa, len) == 0)
        return 0;
    if (errno != EADDRINUSE || sa->sa_family != AF_UNIX)
        return -1;
    if (remove_stale(sa, len))
        return bind(fd, sa, len);
    errno = EADDRINUSE;
    return -1;
}

/* The socket, or -1 and errno. */
static int open_one(const struct tsk_addr *a, int family, int backlog)
{
    const struct sockaddr *sa = (const struct sockaddr *)&a->ss;
    int fd =
        socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1, only = family == 6;

    if (fd < 0)
        return -1;
    if (sa->sa_family != AF_UNIX) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (sa->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    if (bind_to(fd, sa, a->len) == 0 && listen(fd, backlog) == 0)
        return fd;
    tsk_wait_close(fd);
    return -1;
}

int tsk_fd_listen(const struct tsk_target *t, int family, int backlog, int *fd,
                  tlsock_error *err)
{
    struct tsk_addrs addrs;
    char where[128];
    int rc = tsk_resolve_now(&addrs, t, family, err), errnum;

    if (rc != TLSOCK_OK)
        return rc;
    rc = TLSOCK_E_SYSTEM;
    for (size_t i = 0; i < addrs.n && rc != TLSOCK_OK; i++) {
        *fd =
            open_one(&addrs.list[i], family, backlog > 0 ? backlog : SOMAXCONN);
        if (*fd >= 0) {
            rc = TLSOCK_OK;
            continue;
        }
        errnum = errno;
        tsk_addr_text(where, sizeof(where),
                      (struct sockaddr *)&addrs.list[i].ss, addrs.list[i].len);
        tsk_fail_sys(err, rc, errnum, "cannot listen on %s", where);
        hint(err, errnum);
        /* Only a family that this machine lacks is a reason to try another:
         * half of a host's addresses are not what was asked for. */
        if (errnum != EAFNOSUPPORT && errnum != EADDRNOTAVAIL)
            break;
    }
    tsk_addrs_free(&addrs);
    if (rc == TLSOCK_OK)
        tsk_clear(err);
    return rc;
}

/* accept(2): errors of the new connection, which TCP already had, are passed
 * to the caller; they say nothing about the listener. */
static int is_transient(int errnum)
{
    return errnum == ECONNABORTED || errnum == EINTR || errnum == EPROTO ||
           errnum == ENETDOWN || errnum == ENOPROTOOPT || errnum == EHOSTDOWN ||
           errnum == ENONET || errnum == EHOSTUNREACH ||
           errnum == ENETUNREACH || errnum == ETIMEDOUT || errnum == ECONNRESET;
}

/* Would accept() wait? Another process may have taken the connection that
 * poll() saw, and a foreign listener's flags are left alone. A poll() that a
 * signal interrupted has seen nothing. */
static int would_wait(int listener)
{
    struct pollfd p = {listener, POLLIN, 0};
    int flags = fcntl(listener, F_GETFL);

    return flags >= 0 && (flags & O_NONBLOCK) == 0 && poll(&p, 1, 0) <= 0;
}

int tsk_fd_accept(int listener, int nonblocking, int *fd, char peer[64],
                  tlsock_error *err)
{
    int flags = SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), errnum;
    struct sockaddr_storage ss;
    struct sockaddr *sa = (struct sockaddr *)&ss;

    *fd = -1;
    for (int i = 0; i < DEAD_IN_A_ROW; i++) {
        socklen_t len = sizeof(ss);

        if (nonblocking && would_wait(listener))
            return TLSOCK_AGAIN;
        *fd = accept4(listener, sa, &len, flags);
        if (*fd >= 0 && peer != NULL)
            tsk_addr_text(peer, 64, sa, len);
        if (*fd >= 0)
            return TLSOCK_OK;
        errnum = errno;
        if (errnum == EAGAIN || errnum == EWOULDBLOCK)
            return TLSOCK_AGAIN;
        if (is_transient(errnum))
            continue;
        tsk_fail_sys(err, TLSOCK_E_SYSTEM, errnum,
                     "cannot accept a connection");
        if (errnum == EMFILE || errnum == ENFILE)
            tsk_hint(err, "out of descriptors: close connections or raise "
                          "the limit (ulimit -n); the listener goes on");
        return TLSOCK_E_SYSTEM;
    }
    return TLSOCK_AGAIN;
}
