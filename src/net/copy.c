#include "net/copy.h"

#include "net/fd.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>

/* A SIGPIPE of our own making is taken back before anybody can see it; one
 * that was pending already is somebody else's and stays. */
static ssize_t without_sigpipe(int to, int from, off_t *offset, size_t len)
{
    static const struct timespec at_once;
    sigset_t pipe, before, pending;
    ssize_t n;
    int errnum;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    sigpending(&pending);
    do
        n = sendfile(to, from, offset, len);
    while (n < 0 && errno == EINTR);
    errnum = errno;
    if (n < 0 && errnum == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = errnum;
    return n;
}

static ssize_t failed(struct tsk_layer *to)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return TLSOCK_AGAIN;
    if (errno == EINVAL || errno == ENOSYS || errno == ESPIPE ||
        errno == EOVERFLOW)
        return TLSOCK_E_UNSUPPORTED; /* pipes, /proc, foreign file systems */
    to->sys_errno = errno;
    return errno == ECONNRESET || errno == EPIPE ? TLSOCK_E_RESET
                                                 : TLSOCK_E_SYSTEM;
}

ssize_t tsk_copy_file(struct tsk_layer *to, int from, int64_t *offset,
                      size_t len)
{
    off_t at = offset != NULL ? (off_t)*offset : 0;
    int fd = to->ops->fd(to);
    ssize_t n;

    if (!tsk_fd_layer_is(to) || !tsk_fd_layer_nonblock(to))
        return TLSOCK_E_UNSUPPORTED; /* a foreign socket: it would wait */
    n = without_sigpipe(fd, from, offset != NULL ? &at : NULL, len);
    if (n < 0)
        return failed(to);
    if (offset != NULL)
        *offset = (int64_t)at;
    return n;
}
