#include "misbehave.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define DRIP_MS 200
#define HEAD 5
#define DRAINED 256 /* pieces of what a client still says */

enum { HANDSHAKE = 22, DATA = 23, KEY_EXCHANGE = 12 };

static const char data[] = "misbehaving\n";

struct wire {
    const struct mis_row *row;
    SSL *ssl;
    int fd;
    size_t sent;
    int spoilt; /* done once */
};

static int send_all(int fd, const uint8_t *p, size_t len)
{
    while (len != 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Until the client is gone, or for so long: then 0. */
static int wait_for_end(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    return poll(&p, 1, ms) != 0;
}

static int drip(int fd, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (send_all(fd, p + i, 1) != 0 || wait_for_end(fd, DRIP_MS))
            return -1;
    return 0;
}

/* The last byte of the message of this type within a handshake record. */
static uint8_t *end_of_message(uint8_t *p, size_t len, int type)
{
    while (len >= 4) {
        size_t n = 4 + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);

        if (n > len)
            return NULL;
        if (p[0] == type)
            return p + n - 1;
        p += n;
        len -= n;
    }
    return NULL;
}

/* Changes one bit of the first record where the row finds what it looks for. */
static void spoil(struct wire *w, uint8_t *p, size_t len)
{
    while (!w->spoilt && len >= HEAD) {
        size_t n = (size_t)p[3] << 8 | p[4];
        uint8_t *at = NULL;

        if (n > len - HEAD)
            return;
        if (w->row->wire == MIS_SIGNATURE && p[0] == HANDSHAKE)
            at = end_of_message(p + HEAD, n, KEY_EXCHANGE);
        else if (w->row->wire == MIS_MAC && p[0] == DATA && n != 0)
            at = p + HEAD + n - 1;
        if (at != NULL) {
            *at ^= 1;
            w->spoilt = 1;
        }
        p += HEAD + n;
        len -= HEAD + n;
    }
}

/* What OpenSSL wants to say, as the row has it: 0, or -1: that is the end. */
static int flush(struct wire *w)
{
    BIO *out = SSL_get_wbio(w->ssl);
    uint8_t *p = NULL;
    long len = BIO_get_mem_data(out, (char **)&p);
    size_t n = len > 0 ? (size_t)len : 0;
    int rc;

    if (w->row->wire == MIS_CUT && w->sent + n >= w->row->number) {
        (void)send_all(w->fd, p, w->row->number - w->sent);
        return -1;
    }
    spoil(w, p, n);
    rc = w->row->wire == MIS_DRIP ? drip(w->fd, p, n) : send_all(w->fd, p, n);
    w->sent += n;
    (void)BIO_reset(out);
    return rc;
}

static int receive(struct wire *w)
{
    uint8_t buf[4096];
    ssize_t n = recv(w->fd, buf, sizeof(buf), 0);

    return n > 0 && BIO_write(SSL_get_rbio(w->ssl), buf, (int)n) == n ? 0 : -1;
}

static int handshake(struct wire *w)
{
    for (;;) {
        int rc = SSL_do_handshake(w->ssl);
        int want = SSL_get_error(w->ssl, rc);

        if (flush(w) != 0)
            return -1;
        if (rc == 1)
            return 0;
        if (want != SSL_ERROR_WANT_READ || receive(w) != 0)
            return -1;
    }
}

/* A closed socket that has unread bytes resets, and our last words are lost. */
static void drain(int fd)
{
    uint8_t buf[4096];

    shutdown(fd, SHUT_WR);
    for (int i = 0; i < DRAINED && recv(fd, buf, sizeof(buf), 0) > 0; i++)
        continue;
}

static void serve(struct wire *w)
{
    if (handshake(w) != 0 || SSL_write(w->ssl, data, sizeof(data) - 1) <= 0)
        return;
    if (w->row->wire != MIS_TRUNCATE)
        (void)SSL_shutdown(w->ssl);
    (void)flush(w);
}

static void reset(int fd)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

void mis_wire(const struct mis_row *row, SSL *ssl, int fd, int alert)
{
    struct wire w = {.row = row, .ssl = ssl, .fd = fd};
    const uint8_t fatal[] = {21, 3, 3, 0, 2, 2, (uint8_t)alert};

    switch (row->wire) {
    case MIS_CLOSE:
        break;
    case MIS_RESET:
        reset(fd); /* its hello is unread, too */
        return;
    case MIS_SILENT:
        while (!wait_for_end(fd, 1000))
            continue;
        break;
    case MIS_BYTES:
        (void)send_all(fd, (const uint8_t *)row->bytes, row->len);
        break;
    case MIS_ALERT:
        (void)send_all(fd, fatal, sizeof(fatal));
        break;
    default:
        serve(&w);
        break;
    }
    drain(fd);
}
