/* poll_client HOST:PORT - stdin to the peer, the peer to stdout, one loop
 * Nothing but tlsock_poll() waits: connecting and handshake go on meanwhile. */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <tlsock.h>
#include <unistd.h>
struct relay {
    tlsock *s;
    char out[4096];
    size_t have, sent; /* what is left of out[] */
    int eof;           /* stdin has ended */
};

/* peer to stdout: 1 more to come, 0 the end, negative code */
static int receive(struct relay *r)
{
    char in[16384];
    ssize_t n;

    while ((n = tlsock_read(r->s, in, sizeof(in))) > 0)
        fwrite(in, 1, (size_t)n, stdout);
    return n == TLSOCK_AGAIN ? 1 : (int)n;
}

/* stdin to peer, and close_notify after its end: 0 or negative code */
static int transmit(struct relay *r)
{
    ssize_t n = 0;

    while (r->sent < r->have && n >= 0) {
        n = tlsock_write(r->s, r->out + r->sent, r->have - r->sent);
        r->sent += n > 0 ? (size_t)n : 0;
    }
    if (n >= 0 && r->eof)
        n = tlsock_shutdown(r->s, SHUT_WR);
    return n == TLSOCK_AGAIN || n >= 0 ? 0 : (int)n;
}

static int relay(struct relay *r)
{
    int rc;

    do {
        int idle = r->sent == r->have;
        tlsock_pollitem items[] = {
            {.s = r->s, .events = idle ? POLLIN : POLLIN | POLLOUT},
            {.fd = idle && !r->eof ? STDIN_FILENO : -1, .events = POLLIN},
        };

        rc = tlsock_poll(items, 2, -1);
        if (rc >= 0 && items[1].revents != 0) {
            ssize_t n = read(STDIN_FILENO, r->out, sizeof(r->out));
            r->eof = n <= 0;
            r->have = n > 0 ? (size_t)n : 0;
            r->sent = 0;
        }
        if (rc >= 0)
            rc = transmit(r);
        if (rc >= 0)
            rc = receive(r);
    } while (rc > 0);
    return rc;
}

int main(int argc, char **argv)
{
    struct relay r = {0};
    tlsock_error err;

    r.s = tlsock_connect(argc > 1 ? argv[1] : "", NULL,
                         TLSOCK_OPTS(.nonblocking = 1), &err);
    if (r.s != NULL && relay(&r) < 0)
        err = *tlsock_last_error(r.s);
    else if (r.s != NULL)
        return tlsock_close(r.s) < 0;
    fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    tlsock_abandon(r.s);
    return 1;
}
