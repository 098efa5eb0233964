#include "listening.h"

#include "errors.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
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

void listening_where(char *out, size_t size, const char *target,
                     const tlsock_listener *l)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    snprintf(out, size, "%s", target);
    if (tlsock_listener_port(l) == 0)
        return;
    if (getsockname(tlsock_listener_fd(l), (struct sockaddr *)&sa, &len) < 0 ||
        listening_address(out, size, &sa, len) != 0)
        snprintf(out, size, "localhost:%d", tlsock_listener_port(l));
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
    *fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return *fd >= 0 ? 0 : cannot(o, file, errno);
}

int listening_tell_there(const struct out *o, const char *file, int fd,
                         const tlsock_listener *l)
{
    struct stat st;
    int ok, errnum;

    if (fd < 0)
        return 0;
    ok = fstat(fd, &st) == 0 &&
         (!S_ISREG(st.st_mode) || ftruncate(fd, 0) == 0) &&
         dprintf(fd, "%d\n", tlsock_listener_port(l)) > 0;
    errnum = errno;
    close(fd);
    return ok ? 0 : cannot(o, file, errnum);
}

int listening_tell(const struct out *o, const char *file,
                   const tlsock_listener *l)
{
    int fd, rc = listening_open(o, file, &fd);

    return rc == 0 ? listening_tell_there(o, file, fd, l) : rc;
}
