#include "listening.h"

#include "errors.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

int listening_tell(const struct out *o, const char *file,
                   const tlsock_listener *l)
{
    int fd, ok, errnum;

    if (file == NULL)
        return 0;
    fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ok = fd >= 0 && dprintf(fd, "%d\n", tlsock_listener_port(l)) > 0;
    errnum = errno;
    if (fd >= 0)
        close(fd);
    if (ok)
        return 0;
    return err_plain(o, "--port-file", EXIT_OWN, "own-file",
                     "--port-file FILE in a directory you may write to",
                     "%s: %s", file, strerror(errnum));
}
