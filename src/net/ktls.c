#include "net/ktls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__

/* <linux/tls.h>, which is not everywhere */
#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#define SOL_OF_TLS 282
#define SET_RECORD_TYPE 1
#define GET_RECORD_TYPE 2
#define DATA 23 /* RFC 8446, 5.1: application_data */

union control {
    struct cmsghdr head; /* for its alignment */
    char room[CMSG_SPACE(sizeof(unsigned char))];
};

int tsk_ktls_ready(int fd)
{
    if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0)
        return 0;
    return errno == EEXIST ? 0 : errno; /* it is, already */
}

/* Only a kernel that has it finds fault with the socket. */
int tsk_ktls_there(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

    if (fd < 0)
        return 0;
    rc = tsk_ktls_ready(fd);
    close(fd);
    return rc == 0 || rc == ENOTCONN;
}

ssize_t tsk_ktls_send(int fd, int type, const void *p, size_t n)
{
    struct iovec data;
    union control control;
    struct msghdr m;
    struct cmsghdr *head;
    ssize_t sent;

    memset(&m, 0, sizeof(m));
    memset(&control, 0, sizeof(control));
    data.iov_base = (void *)(size_t)p;
    data.iov_len = n;
    m.msg_iov = &data;
    m.msg_iovlen = 1;
    m.msg_control = &control;
    m.msg_controllen = sizeof(control);
    head = CMSG_FIRSTHDR(&m);
    head->cmsg_level = SOL_OF_TLS;
    head->cmsg_type = SET_RECORD_TYPE;
    head->cmsg_len = CMSG_LEN(sizeof(unsigned char));
    *CMSG_DATA(head) = (unsigned char)type;
    m.msg_controllen = head->cmsg_len;
    do
        sent = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t tsk_ktls_recv(int fd, int *type, void *p, size_t n)
{
    struct iovec data = {p, n};
    union control control;
    struct msghdr m;
    struct cmsghdr *head;
    ssize_t got;

    memset(&m, 0, sizeof(m));
    m.msg_iov = &data;
    m.msg_iovlen = 1;
    m.msg_control = &control;
    m.msg_controllen = sizeof(control);
    do
        got = recvmsg(fd, &m, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return got;
    *type = got > 0 ? DATA : 0;
    head = CMSG_FIRSTHDR(&m);
    if (head != NULL && head->cmsg_level == SOL_OF_TLS &&
        head->cmsg_type == GET_RECORD_TYPE)
        *type = *CMSG_DATA(head);
    return got;
}

#else

int tsk_ktls_ready(int fd)
{
    (void)fd;
    return ENOPROTOOPT;
}

int tsk_ktls_there(void)
{
    return 0;
}

ssize_t tsk_ktls_send(int fd, int type, const void *p, size_t n)
{
    (void)fd, (void)type, (void)p, (void)n;
    errno = EOPNOTSUPP;
    return -1;
}

ssize_t tsk_ktls_recv(int fd, int *type, void *p, size_t n)
{
    (void)fd, (void)type, (void)p, (void)n;
    errno = EOPNOTSUPP;
    return -1;
}

#endif
