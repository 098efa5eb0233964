#include "misbehave.h"
#include "misbehave_seal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define DRIP_MS 200
#define HEAD 5
#define DRAINED 256  /* pieces of what a client still says */
#define REQUEST 4096 /* bytes of a CONNECT */

enum { CHANGE = 20, HANDSHAKE = 22, DATA = 23 };
enum { TICKET = 4, KEY_EXCHANGE = 12, PROOF = 15, FINISHED = 20, STATUS = 22 };

static const char data[] = "misbehaving\n";

struct wire {
    const struct mis_row *row;
    SSL *ssl;
    int fd;
    size_t sent;
    int spoilt; /* done once */
    struct mis_seal seal;
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

/* The message of this type within a handshake record, and its length. */
static uint8_t *message(uint8_t *p, size_t len, int type, size_t *out)
{
    while (len >= 4) {
        size_t n = 4 + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);

        if (n > len)
            return NULL;
        *out = n;
        if (p[0] == type)
            return p;
        p += n;
        len -= n;
    }
    return NULL;
}

/* Its last byte. */
static uint8_t *end_of_message(uint8_t *p, size_t len, int type)
{
    size_t n;
    uint8_t *m = message(p, len, type, &n);

    return m != NULL ? m + n - 1 : NULL;
}

/* How many bytes of a staple were taken out of a record, 0 if it has none; what
 * follows, up to the end, moves up. A CertificateStatus is its head, a type, a
 * length of three bytes and the response (RFC 6066, 8). */
static size_t unstaple(uint8_t *record, size_t len, const uint8_t *end)
{
    static const uint8_t none[] = {STATUS, 0, 0, 4, 1, 0, 0, 0};
    size_t n = 0;
    uint8_t *m = message(record + HEAD, len - HEAD, STATUS, &n);

    if (m == NULL || n <= sizeof(none))
        return 0;
    memcpy(m, none, sizeof(none));
    memmove(m + sizeof(none), m + n, (size_t)(end - m) - n);
    n -= sizeof(none);
    len -= HEAD + n;
    record[3] = (uint8_t)(len >> 8);
    record[4] = (uint8_t)len;
    return n;
}

/* A message that is decrypted, or was never encrypted: whether it is changed.
 */
static int spoil_message(uint8_t *p, size_t len, void *arg)
{
    struct wire *w = arg;
    uint8_t *last;

    switch (w->row->wire) {
    case MIS_SIGNATURE:
        last = end_of_message(p, len, KEY_EXCHANGE);
        break;
    case MIS_PROOF:
        last = end_of_message(p, len, PROOF);
        break;
    case MIS_FINISHED:
        last = end_of_message(p, len, FINISHED);
        break;
    default:
        last = end_of_message(p, len, TICKET);
        if (last != NULL) /* its lengths lie as well */
            memset(p + 4, 0xa5, (size_t)(last - p) - 3);
        return last != NULL;
    }
    if (last != NULL)
        *last ^= 1;
    return last != NULL;
}

/* One record: 1: it was changed, 0: it is nothing to this row, -1: it cannot be
 * opened. */
static int spoil_record(struct wire *w, uint8_t *record, size_t len)
{
    int type = record[0], seals = w->row->wire >= MIS_FINISHED;

    if (w->row->wire == MIS_MAC) {
        if (type == DATA)
            record[len - 1] ^= 1;
        return type == DATA;
    }
    if (type == CHANGE)
        w->seal.changed = 1;
    if (seals && (type == DATA || (type == HANDSHAKE && w->seal.changed)))
        return mis_seal_record(&w->seal, w->ssl, record, len, spoil_message, w);
    return type == HANDSHAKE && spoil_message(record + HEAD, len - HEAD, w);
}

/* The first record where the row finds what it looks for; all bytes may become
 * fewer. 0, or -1: that could not be done, and nobody is to take us for one
 * that behaves. */
static int spoil(struct wire *w, uint8_t *p, size_t *all)
{
    size_t len = *all, taken = 0;

    if (w->row->wire < MIS_SIGNATURE)
        return 0;
    while (!w->spoilt && len >= HEAD) {
        size_t n = HEAD + ((size_t)p[3] << 8 | p[4]);
        int rc = -1;

        if (n <= len && w->row->wire == MIS_UNSTAPLE) {
            taken = unstaple(p, n, p + len);
            rc = taken != 0 || p[0] == CHANGE; /* it did not ask for one */
        } else if (n <= len) {
            rc = spoil_record(w, p, n);
        }
        if (rc < 0)
            return -1;
        w->spoilt = rc;
        p += n;
        len -= n;
    }
    *all -= taken;
    return 0;
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
    if (spoil(w, p, &n) != 0)
        return -1;
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

/* Up to the empty line, byte by byte: what follows is TLS. */
static int read_request(int fd, char *request)
{
    size_t n = 0;

    while (n < REQUEST - 1 && recv(fd, request + n, 1, 0) == 1) {
        request[++n] = '\0';
        if (n >= 4 && strcmp(request + n - 4, "\r\n\r\n") == 0)
            return 0;
    }
    return -1;
}

int mis_tunnel(int fd)
{
    static const char yes[] = "HTTP/1.1 200 misbehaves\r\n\r\n";
    static const char no[] = "HTTP/1.1 405 CONNECT only\r\n"
                             "Connection: close\r\n\r\n";
    char request[REQUEST];

    if (recv(fd, request, 1, MSG_PEEK) != 1 || request[0] < 'A' ||
        request[0] > 'Z')
        return 0;
    if (read_request(fd, request) != 0)
        return -1;
    if (strncmp(request, "CONNECT ", 8) == 0)
        return send_all(fd, (const uint8_t *)yes, sizeof(yes) - 1);
    (void)send_all(fd, (const uint8_t *)no, sizeof(no) - 1);
    drain(fd);
    return -1;
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
        if (SSL_set_app_data(ssl, &w.seal))
            serve(&w);
        break;
    }
    OPENSSL_cleanse(&w.seal, sizeof(w.seal));
    drain(fd);
}
