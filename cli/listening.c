#include "listening.h"

#include "errors.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int listening_address(char *out, size_t size, const struct sockaddr_storage *sa,
                      socklen_t len)
{
    char host[128], port[16];

    if (getnameinfo((const struct sockaddr *)sa, len, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return -1;
    snprintf(out, size, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host,
             port);
    return 0;
}

static int port_of(const struct sockaddr_storage *sa)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (sa->ss_family == AF_INET) {
        memcpy(&v4, sa, sizeof(v4));
        return ntohs(v4.sin_port);
    }
    memcpy(&v6, sa, sizeof(v6));
    return sa->ss_family == AF_INET6 ? ntohs(v6.sin6_port) : 0;
}

int listening_unknown(const struct out *o, const char *target)
{
    return err_plain(
        o, target, EXIT_OWN, "system", "see that this machine has room for it",
        "the system does not tell where it listens: %s", strerror(errno));
}

int listening_where(const struct out *o, char *out, size_t size,
                    const char *target, const tlsock_listener *l, int *port)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);

    snprintf(out, size, "%s", target);
    if (getsockname(tlsock_listener_fd(l), (struct sockaddr *)&sa, &len) < 0)
        return listening_unknown(o, target);
    *port = port_of(&sa);
    if (*port != 0 && listening_address(out, size, &sa, len) != 0)
        snprintf(out, size, "localhost:%d", *port);
    return 0;
}

int listening_is_local(const tlsock_listener *l)
{
    struct sockaddr_storage sa = {0};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    socklen_t len = sizeof(sa);

    if (getsockname(tlsock_listener_fd(l), (struct sockaddr *)&sa, &len) < 0)
        return -1;
    memcpy(&v4, &sa, sizeof(v4));
    memcpy(&v6, &sa, sizeof(v6));
    return sa.ss_family == AF_UNIX ||
           (sa.ss_family == AF_INET &&
            ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET) ||
           (sa.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr));
}

static int cannot(const struct out *o, const char *file, int errnum)
{
    return err_plain(o, "--port-file", EXIT_OWN, "own-file",
                     "--port-file FILE in a directory you may write to",
                     "%s: %s", file, strerror(errnum));
}

int listening_open(const struct out *o, const char *file, int *fd)
{
    *fd = -1;
    if (file == NULL)
        return 0;
    /* as it was until we are ready: it may be that of one who serves */
    *fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return *fd >= 0 ? 0 : cannot(o, file, errno);
}

void listening_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int listening_tell_there(const struct out *o, const char *file, int *fd,
                         int port)
{
    struct stat st;
    int ok, errnum;

    if (*fd < 0)
        return 0;
    ok = fstat(*fd, &st) == 0 &&
         (!S_ISREG(st.st_mode) || ftruncate(*fd, 0) == 0) &&
         dprintf(*fd, "%d\n", port) > 0;
    errnum = errno;
    listening_close(fd);
    return ok ? 0 : cannot(o, file, errnum);
}

int listening_tell(const struct out *o, const char *file, int port)
{
    int fd, rc = listening_open(o, file, &fd);

    return rc == 0 ? listening_tell_there(o, file, &fd, port) : rc;
}

int listening_no_loop(const struct out *o, const char *where, int errnum)
{
    if (errnum == ENOMEM)
        return err_plain(o, where, EXIT_INTERNAL, "nomem", "",
                         "out of memory for the event loop");
    return err_plain(o, where, EXIT_OWN, "system",
                     errnum == EMFILE || errnum == ENFILE
                         ? "allow more open files: ulimit -n"
                         : "see that this machine has room for it",
                     "the event loop does not work: %s", strerror(errnum));
}
