#include "early.h"

#include <errno.h>
#include <poll.h>
#include <tlsock/info.h>
#include <unistd.h>

static int begin(struct early *e)
{
    ssize_t n;

    do
        n = read(STDIN_FILENO, e->buf, sizeof(e->buf));
    while (n < 0 && errno == EINTR);
    e->len = n > 0 ? (size_t)n : 0;
    return n < 0 ? 1 : 0;
}

int early_send(struct early *e, tlsock *s)
{
    int rc = begin(e);

    while (rc == 0 && e->sent < e->len) {
        ssize_t n = tlsock_write_early(s, e->buf + e->sent, e->len - e->sent);
        tlsock_pollitem item = {.s = s, .fd = -1, .events = POLLIN | POLLOUT};

        if (n == 0) /* no session that allows it, or its limit */
            break;
        if (n > 0)
            e->sent += (size_t)n;
        else
            rc = n != TLSOCK_AGAIN ? (int)n : tlsock_poll(&item, 1, -1);
        if (rc > 0) /* there is something to do */
            rc = 0;
    }
    return rc;
}

const unsigned char *early_left(const struct early *e, const tlsock *s,
                                size_t *len)
{
    int taken =
        tlsock_info_int(s, TLSOCK_INFO_EARLY_DATA) == TLSOCK_EARLY_ACCEPTED;
    size_t from = taken ? e->sent : 0;

    *len = e->len - from;
    return e->buf + from;
}
