/* Servers that are no libssl: they say bytes, and dialogues in plaintext. */
#include "matrix.h"

#include <poll.h>
#include <sys/socket.h>

struct client_hello {
    unsigned char sid[32];
    size_t n_sid;
};

static int hear_hello(int fd, struct client_hello *h)
{
    unsigned char rec[5 + 16384];
    size_t len;

    if (recv(fd, rec, 5, MSG_WAITALL) != 5)
        return -1;
    len = (size_t)rec[3] << 8 | rec[4];
    if (len < 44 || len > 16384 ||
        recv(fd, rec + 5, len, MSG_WAITALL) != (ssize_t)len)
        return -1;
    h->n_sid = rec[43] <= 32 ? rec[43] : 0;
    memcpy(h->sid, rec + 44, h->n_sid);
    return 0;
}

/* SHA-256 of "HelloRetryRequest" (RFC 8446, 4.1.3) */
static const unsigned char retry[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static void set_random(unsigned char *p, const struct mx_hello *m)
{
    memset(p, 0x5a, 32);
    if (m->retry)
        memcpy(p, retry, sizeof(retry));
    if (m->downgrade)
        memcpy(p + 24, "DOWNGRD\x01", 8);
}

static size_t set_sid(unsigned char *p, const struct mx_hello *m,
                      const struct client_hello *h)
{
    size_t n = m->sid == 0 ? 0 : m->sid == 1 ? h->n_sid : 32;

    p[0] = (unsigned char)n;
    memset(p + 1, 0x77, n);
    if (m->sid == 1)
        memcpy(p + 1, h->sid, n);
    return n + 1;
}

static void put16(unsigned char *p, size_t v)
{
    p[0] = (unsigned char)(v >> 8);
    p[1] = (unsigned char)v;
}

/* RFC 8446, 4.1.3 and RFC 5246, 7.4.1.3 */
static int say_hello(int fd, const struct mx_hello *m,
                     const struct client_hello *h)
{
    unsigned char rec[512] = {22, 3, 3, 0, 0, 2, 0};
    size_t at = 9;

    put16(rec + at, (size_t)m->version);
    set_random(rec + at + 2, m);
    at += 34;
    at += set_sid(rec + at, m, h);
    put16(rec + at, (size_t)m->cipher);
    rec[at + 2] = (unsigned char)m->compression;
    at += 3;
    if (m->n_ext > 0) {
        put16(rec + at, m->n_ext);
        memcpy(rec + at + 2, m->ext, m->n_ext);
        at += 2 + m->n_ext;
    }
    put16(rec + 3, at - 5);
    put16(rec + 7, at - 9);
    return sock_send(fd, rec, at);
}

static void end(int fd, enum mx_end how)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (how == MX_RST) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        return;
    }
    if (how == MX_FIN)
        shutdown(fd, SHUT_WR);
    sock_mute(fd, NULL);
}

/* 1: the client is gone */
static int pause_of(int fd, int ms)
{
    struct pollfd gone = {fd, POLLRDHUP, 0};

    return ms > 0 && poll(&gone, 1, ms) != 0;
}

void mx_say(int fd, struct mx_world *w)
{
    const struct mx_said *s = &w->row->said;
    struct client_hello h = {.n_sid = 0};

    if (!s->at_once && hear_hello(fd, &h) != 0)
        return;
    if (w->row->hello != NULL && say_hello(fd, w->row->hello, &h) != 0)
        return;
    for (int i = 0; s->times < 0 || i < (s->times > 0 ? s->times : 1); i++)
        if (sock_send(fd, s->bytes, s->len) != 0 || pause_of(fd, s->pause_ms))
            return;
    end(fd, s->end);
}

/* Says, waits for something, says; then TLS, if the row has nothing to say
 * itself. */
void mx_talk(int fd, struct mx_world *w)
{
    const char *const *t = w->row->talk;
    char buf[4096];

    for (int i = 0; t[i] != NULL; i++) {
        if (t[i][0] != '\0' && sock_send(fd, t[i], strlen(t[i])) != 0)
            return;
        if (t[i + 1] != NULL && recv(fd, buf, sizeof(buf), 0) <= 0)
            return;
    }
    if (w->row->said.bytes != NULL)
        mx_say(fd, w);
    else
        mx_serve_tls(fd, w);
}
