/* Is it TLS that comes? Looked at, and left in the socket. */
#include "core/clock.h"
#include "net/fd.h"
#include "net/wait.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

/* A ClientHello begins with a handshake record, 0x16, of version 3.0 to 3.4
 * (RFC 8446, 5.1). -1: too early to tell. */
static int judge(const uint8_t *p, ssize_t n)
{
    if (n >= 1 && p[0] != 0x16)
        return TLSOCK_SNIFF_PLAIN;
    if (n >= 2 && p[1] != 0x03)
        return TLSOCK_SNIFF_PLAIN;
    if (n < 3)
        return -1;
    return p[2] <= 0x04 ? TLSOCK_SNIFF_TLS : TLSOCK_SNIFF_PLAIN;
}

static int peek_failed(void)
{
    if (errno == ECONNRESET)
        return TLSOCK_E_RESET;
    if (errno == EBADF || errno == ENOTSOCK || errno == ENOTCONN)
        return TLSOCK_E_ARGUMENT;
    return TLSOCK_E_SYSTEM;
}

/* Wait for more than what is there already. poll() cannot be asked for that,
 * so it is only told to end when the peer stops sending; pause_ms grows. */
static int wait_more(int fd, int64_t pause_ms, int64_t deadline)
{
    struct pollfd p = {fd, POLLRDHUP, 0};
    int64_t until = tsk_deadline_in(pause_ms);

    return tsk_wait(&p, 1, until < deadline ? until : deadline, NULL);
}

int tsk_fd_sniff(int fd, int timeout_ms)
{
    int64_t deadline = tsk_deadline_in(timeout_ms), pause_ms = 1;
    struct pollfd p = {fd, POLLIN, 0};
    uint8_t first[3];
    ssize_t n;
    int verdict, ended = 0;

    for (;;) {
        n = recv(fd, first, sizeof(first), MSG_PEEK | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return peek_failed();
        if (n == 0)
            return TLSOCK_SNIFF_NONE; /* the peer ended without a byte */
        verdict = judge(first, n);
        if (verdict >= 0)
            return verdict;
        if (n > 0 && ended)
            return TLSOCK_SNIFF_PLAIN; /* that was all */
        if (tsk_ms_until(deadline) == 0)
            return TLSOCK_SNIFF_NONE;
        if (n < 0 && tsk_wait(&p, 1, deadline, NULL) < 0)
            return TLSOCK_E_SYSTEM;
        if (n > 0) {
            ended = wait_more(fd, pause_ms, deadline) > 0;
            pause_ms = pause_ms < 64 ? pause_ms * 2 : 64;
        }
    }
}
