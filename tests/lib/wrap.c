/* The linker sends the library's system calls here (--wrap). */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRAP(kind, type, name, params, args) \
    type __real_##name params; \
    type __wrap_##name params; \
    type __wrap_##name params \
    { \
        int value = fault_hit(kind); \
        if (value != 0) { \
            errno = value; \
            return -1; \
        } \
        return __real_##name args; \
    }

/* these give their error as the result */
#define WRAP_CODE(kind, type, name, params, args) \
    type __real_##name params; \
    type __wrap_##name params; \
    type __wrap_##name params \
    { \
        int value = fault_hit(kind); \
        return value != 0 ? value : __real_##name args; \
    }

WRAP(FAULT_RECV, ssize_t, recv, (int fd, void *b, size_t n, int f),
     (fd, b, n, f))
WRAP(FAULT_RECV, ssize_t, recvmsg, (int fd, struct msghdr *m, int f),
     (fd, m, f))
WRAP(FAULT_SEND, ssize_t, send, (int fd, const void *b, size_t n, int f),
     (fd, b, n, f))
WRAP(FAULT_SEND, ssize_t, sendmsg, (int fd, const struct msghdr *m, int f),
     (fd, m, f))
WRAP(FAULT_SOCKET, int, socket, (int d, int t, int p), (d, t, p))
WRAP(FAULT_ACCEPT, int, accept4,
     (int fd, struct sockaddr *a, socklen_t *n, int f), (fd, a, n, f))
WRAP(FAULT_POLL, int, poll, (struct pollfd * p, nfds_t n, int t), (p, n, t))
WRAP(FAULT_EPOLL, int, epoll_create1, (int f), (f))
WRAP(FAULT_EPOLL, int, epoll_ctl,
     (int e, int op, int fd, struct epoll_event *ev), (e, op, fd, ev))
WRAP(FAULT_SETSOCKOPT, int, setsockopt,
     (int fd, int l, int o, const void *v, socklen_t n), (fd, l, o, v, n))
WRAP(FAULT_PIPE, int, eventfd, (unsigned int v, int f), (v, f))
WRAP(FAULT_PIPE, int, pipe2, (int fds[2], int f), (fds, f))
WRAP(FAULT_READ, ssize_t, read, (int fd, void *b, size_t n), (fd, b, n))
WRAP(FAULT_READ, ssize_t, pread64, (int fd, void *b, size_t n, off_t o),
     (fd, b, n, o))
WRAP(FAULT_STAT, int, fstat64, (int fd, struct stat64 *st), (fd, st))
WRAP(FAULT_WRITE, ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
WRAP_CODE(FAULT_RESOLVE, int, getaddrinfo,
          (const char *h, const char *s, const struct addrinfo *hints,
           struct addrinfo **out),
          (h, s, hints, out))
WRAP_CODE(FAULT_THREAD, int, pthread_create,
          (pthread_t * t, const pthread_attr_t *a, void *(*f)(void *),
           void *arg),
          (t, a, f, arg))

int __real_connect(int fd, const struct sockaddr *a, socklen_t n);
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t n);
/* After EINTR the connection goes on, as POSIX has it. */
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t n)
{
    int value = fault_hit(FAULT_CONNECT);

    if (value == 0)
        return __real_connect(fd, a, n);
    /* what has failed already cannot be interrupted any more */
    if (value == EINTR && __real_connect(fd, a, n) != 0 &&
        errno != EINPROGRESS)
        return -1;
    errno = value;
    return -1;
}

int __real_close(int fd);
int __wrap_close(int fd);
/* After EINTR the descriptor is closed, as Linux has it: a second try would
 * hit another one that has its number by then. */
int __wrap_close(int fd)
{
    int value = fault_hit(FAULT_CLOSE), rc = __real_close(fd);

    if (rc != 0 && errno == EBADF && fd >= 0)
        abort();
    if (value == 0)
        return rc;
    errno = value;
    return -1;
}

FILE *__real_fopencookie(void *c, const char *m, cookie_io_functions_t f);
FILE *__wrap_fopencookie(void *c, const char *m, cookie_io_functions_t f);
FILE *__wrap_fopencookie(void *c, const char *m, cookie_io_functions_t f)
{
    int value = fault_hit(FAULT_FILE);

    if (value != 0) {
        errno = value;
        return NULL;
    }
    return __real_fopencookie(c, m, f);
}

void *__real_mmap64(void *p, size_t n, int prot, int f, int fd, off_t at);
void *__wrap_mmap64(void *p, size_t n, int prot, int f, int fd, off_t at);
void *__wrap_mmap64(void *p, size_t n, int prot, int f, int fd, off_t at)
{
    int value = fault_hit(FAULT_MAP);

    if (value == 0)
        return __real_mmap64(p, n, prot, f, fd, at);
    errno = value;
    return MAP_FAILED;
}

/* what glibc's headers make of fcntl() where files may be large */
int __real_fcntl64(int fd, int cmd, ...);
int __wrap_fcntl64(int fd, int cmd, ...);
int __wrap_fcntl64(int fd, int cmd, ...)
{
    int value = fault_hit(FAULT_FCNTL);
    va_list ap;
    void *arg;

    if (value != 0) {
        errno = value;
        return -1;
    }
    va_start(ap, cmd);
    arg = va_arg(ap, void *);
    va_end(ap);
    return __real_fcntl64(fd, cmd, arg);
}
