#include "api/conn.h"

ssize_t tlsock_sendfile(tlsock *s, int fd, int64_t *offset, size_t len)
{
    (void)fd;
    (void)offset;
    (void)len;
    if (s == NULL)
        return TLSOCK_E_ARGUMENT;
    return tsk_fail(&s->err, TLSOCK_E_UNSUPPORTED, "tlsock_sendfile()");
}
