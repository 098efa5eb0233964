#include "capture_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLIENT 0
#define SERVER 1
/* All of them known: nothing that comes has to be held any more. */
#define SECRET_CLIENT 1
#define SECRET_SERVER 2
#define SECRET_ALL 3

struct capture {
    pthread_mutex_t lock; /* over all below, and over all flows */
    int fd, failed;       /* failed: an errno */
    unsigned made_up;     /* connections without addresses */
};

struct capture_flow {
    struct capture *in;
    int family, secrets;
    struct capture_end ends[2];
    struct {
        uint8_t *bytes;
        size_t len, room;
        int from;
        int64_t time_us;
    } held; /* len 0: none is */
};

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Locked. What fails once is not tried again: a gap would be no capture. */
static void out(struct capture *c, const uint8_t *block, size_t len)
{
    while (len != 0 && c->failed == 0) {
        ssize_t n = write(c->fd, block, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            c->failed = errno;
            return;
        }
        block += n;
        len -= (size_t)n;
    }
}

struct capture *capture_open(int fd)
{
    struct capture *c = calloc(1, sizeof(*c));
    uint8_t block[CAPTURE_BLOCK_MOST];

    if (c == NULL) {
        close(fd);
        return NULL;
    }
    c->fd = fd;
    pthread_mutex_init(&c->lock, NULL);
    out(c, block, capture_header(block));
    return c;
}

int capture_close(struct capture *c)
{
    int failed = c->failed;

    if (close(c->fd) != 0 && failed == 0)
        failed = errno;
    pthread_mutex_destroy(&c->lock);
    free(c);
    return failed;
}

static int same_family(const struct sockaddr *a, const struct sockaddr *b)
{
    return a != NULL && b != NULL && a->sa_family == b->sa_family &&
           (a->sa_family == AF_INET || a->sa_family == AF_INET6);
}

static void address(struct capture_end *e, const struct sockaddr *a)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (a->sa_family == AF_INET) {
        memcpy(&v4, a, sizeof(v4));
        memcpy(e->ip, &v4.sin_addr, 4);
        e->port = ntohs(v4.sin_port);
        return;
    }
    memcpy(&v6, a, sizeof(v6));
    memcpy(e->ip, &v6.sin6_addr, 16);
    e->port = ntohs(v6.sin6_port);
}

/* Locked. Addresses of the loopback network; each client has its own port. */
static void make_up(struct capture_flow *f)
{
    static const uint8_t ip[2][4] = {{127, 0, 0, 2}, {127, 0, 0, 3}};

    f->family = AF_INET;
    for (int i = 0; i < 2; i++)
        memcpy(f->ends[i].ip, ip[i], 4);
    f->ends[CLIENT].port = (uint16_t)(1024 + f->in->made_up++ % 64000);
    f->ends[SERVER].port = 443;
}

/* Locked. */
static void segment(struct capture_flow *f, int from, int flags,
                    const uint8_t *data, size_t len, int64_t time_us)
{
    uint8_t packet[CAPTURE_PACKET_MOST], block[CAPTURE_BLOCK_MOST];
    struct capture_end *e = &f->ends[from];
    size_t n = capture_segment(packet, f->family, e, &f->ends[!from], flags,
                               data, len);

    out(f->in, block, capture_block(block, time_us, packet, n));
    e->seq +=
        (uint32_t)len + ((flags & (CAPTURE_SYN | CAPTURE_FIN)) != 0 ? 1 : 0);
}

struct capture_flow *capture_flow_new(struct capture *c,
                                      const struct sockaddr *client,
                                      const struct sockaddr *server)
{
    struct capture_flow *f = calloc(1, sizeof(*f));
    int64_t time_us = now_us();

    if (f == NULL)
        return NULL;
    f->in = c;
    pthread_mutex_lock(&c->lock);
    if (same_family(client, server)) {
        f->family = client->sa_family;
        address(&f->ends[CLIENT], client);
        address(&f->ends[SERVER], server);
    } else {
        make_up(f);
    }
    segment(f, CLIENT, CAPTURE_SYN, NULL, 0, time_us);
    segment(f, SERVER, CAPTURE_SYN | CAPTURE_ACK, NULL, 0, time_us);
    segment(f, CLIENT, CAPTURE_ACK, NULL, 0, time_us);
    pthread_mutex_unlock(&c->lock);
    return f;
}

/* Locked. */
static void data(struct capture_flow *f, int from, const uint8_t *p, size_t len,
                 int64_t time_us)
{
    size_t most = capture_most(f->family);

    while (len != 0) {
        size_t n = len < most ? len : most;

        segment(f, from, CAPTURE_ACK | (n == len ? CAPTURE_PSH : 0), p, n,
                time_us);
        p += n;
        len -= n;
    }
}

/* Locked. */
static void release(struct capture_flow *f)
{
    data(f, f->held.from, f->held.bytes, f->held.len, f->held.time_us);
    f->held.len = 0;
}

/* Locked. 0: it is not held, since there is no memory for it. */
static int hold(struct capture_flow *f, int from, const void *bytes, size_t len)
{
    uint8_t *room = f->held.bytes;

    if (len > f->held.room) {
        room = realloc(room, len);
        if (room == NULL)
            return 0;
        f->held.bytes = room;
        f->held.room = len;
    }
    memcpy(room, bytes, len);
    f->held.len = len;
    f->held.from = from;
    f->held.time_us = now_us();
    return 1;
}

void capture_flow_bytes(struct capture_flow *f, int from_client, int received,
                        const void *bytes, size_t len)
{
    int from = from_client ? CLIENT : SERVER;

    if (len == 0)
        return;
    pthread_mutex_lock(&f->in->lock);
    release(f);
    if (!received || f->secrets == SECRET_ALL || !hold(f, from, bytes, len))
        data(f, from, bytes, len, now_us());
    pthread_mutex_unlock(&f->in->lock);
}

static int is(const char *line, const char *label)
{
    return strncmp(line, label, strlen(label)) == 0;
}

/* TLS 1.2 has one secret for both; of TLS 1.3 the last ones count. */
static int which(const char *line)
{
    return is(line, "CLIENT_RANDOM ")             ? SECRET_ALL
           : is(line, "CLIENT_TRAFFIC_SECRET_0 ") ? SECRET_CLIENT
           : is(line, "SERVER_TRAFFIC_SECRET_0 ") ? SECRET_SERVER
                                                  : 0;
}

void capture_flow_key(struct capture_flow *f, const char *line)
{
    uint8_t block[CAPTURE_BLOCK_MOST];

    pthread_mutex_lock(&f->in->lock);
    out(f->in, block, capture_secret(block, line));
    f->secrets |= which(line);
    if (f->secrets == SECRET_ALL)
        release(f);
    pthread_mutex_unlock(&f->in->lock);
    explicit_bzero(block, sizeof(block));
}

void capture_flow_end(struct capture_flow *f)
{
    int64_t time_us = now_us();

    if (f == NULL)
        return;
    pthread_mutex_lock(&f->in->lock);
    release(f);
    segment(f, CLIENT, CAPTURE_FIN | CAPTURE_ACK, NULL, 0, time_us);
    segment(f, SERVER, CAPTURE_FIN | CAPTURE_ACK, NULL, 0, time_us);
    segment(f, CLIENT, CAPTURE_ACK, NULL, 0, time_us);
    pthread_mutex_unlock(&f->in->lock);
    free(f->held.bytes);
    free(f);
}
