/* The clients: most want their echo, the others do what clients do that are
 * broken, slow, hostile or gone. */
#include "soak.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind {
    GOOD,       /* some exchanges with pauses, then an end by the book */
    GOOD_12,    /* the same by TLS 1.2 */
    SLOW,       /* takes its echo in sips */
    RESET,      /* RST after some steps */
    ABANDON,    /* gone without close_notify after some steps */
    GARBLED,    /* bytes that are no record within a good connection */
    WRONG_NAME, /* refuses the server */
    NO_TRUST,   /* refuses the server */
    RAW,        /* the kinds from here on are no TLS: text */
    RAW_HALF,   /* a part of a hello, and the end of its side */
    RAW_IDLE,   /* says nothing */
    RAW_RESET,  /* RST instead of a hello */
    KINDS
};
/* Of 24: more than half are good. */
static const enum kind mix[24] = {
    GOOD,  GOOD,    GOOD,    GOOD,       GOOD,     GOOD,    GOOD,     GOOD,
    GOOD,  GOOD,    GOOD,    GOOD,       GOOD_12,  GOOD_12, SLOW,     RESET,
    RESET, ABANDON, GARBLED, WRONG_NAME, NO_TRUST, RAW,     RAW_HALF, RAW_IDLE};

struct job {
    struct job *next;
    enum kind kind;
    tlsock *s;
    int raw;         /* the socket of a kind that is no TLS, or -1 */
    int fd, ready;   /* fd: what the set has of s, or -1 */
    int pause_until; /* milliseconds; 0: no pause */
    int exchanges;   /* still to come */
    int steps;       /* after which it misbehaves */
    uint32_t seed;   /* of what it sends */
    size_t size, sent, got;
    int ending;
};

struct visit {
    int set, port, looked;
    tlsock_config **configs;
    struct job *all;
    long live;
    uint32_t *random;
    const struct soak_plan *plan;
    struct soak_round *round;
};

static unsigned char byte_of(const struct job *j, size_t i)
{
    return (unsigned char)(j->seed + i * 7 + (i >> 8));
}

static void next_exchange(struct visit *v, struct job *j)
{
    j->seed = soak_random(v->random);
    j->size = 1 + j->seed % (j->seed & 0x100000 ? 40000 : 2000);
    j->sent = j->got = 0;
}

static int open_raw(struct visit *v, struct job *j)
{
    static const unsigned char half[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)v->port)};
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = j};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    j->raw = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (j->raw < 0 || connect(j->raw, (struct sockaddr *)&a, sizeof(a)))
        return -1;
    fcntl(j->raw, F_SETFL, O_NONBLOCK);
    if (j->kind == RAW)
        send(j->raw, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
    if (j->kind == RAW_HALF) {
        send(j->raw, half, sizeof(half), MSG_NOSIGNAL);
        shutdown(j->raw, SHUT_WR);
    }
    if (j->kind == RAW_RESET) {
        struct linger now = {1, 0};

        setsockopt(j->raw, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        return -1;
    }
    if (j->kind == RAW_IDLE && v->plan->patience != 0)
        j->pause_until = soak_milliseconds() + v->plan->patience;
    return epoll_ctl(v->set, EPOLL_CTL_ADD, j->raw, &ev);
}

static int open_tls(struct visit *v, struct job *j)
{
    tlsock_config *config = v->configs[j->kind == GOOD_12    ? 1
                                       : j->kind == NO_TRUST ? 2
                                                             : 0];
    tlsock_error err;
    char target[32];

    snprintf(target, sizeof(target), "127.0.0.1:%d", v->port);
    j->s = tlsock_connect(
        target, config,
        TLSOCK_OPTS(.nonblocking = 1, .timeout_ms = 60000,
                    .name = j->kind == WRONG_NAME ? "b.test" : "a.test"),
        &err);
    if (j->s == NULL)
        snprintf(v->round->odd, sizeof(v->round->odd), "open: %.140s",
                 err.message);
    return j->s == NULL ? -1 : 0;
}

static void end_job(struct job *j)
{
    struct linger now = {1, 0};

    if (j->raw >= 0)
        close(j->raw);
    if (j->s != NULL && j->kind == RESET) {
        setsockopt(tlsock_fd(j->s), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        tlsock_abandon(j->s);
    } else if (j->s != NULL && j->kind == ABANDON) {
        tlsock_abandon(j->s);
    } else {
        tlsock_close(j->s);
    }
    free(j);
}

static void open_one(struct visit *v)
{
    struct job *j = calloc(1, sizeof(*j));

    j->kind = mix[soak_random(v->random) % 24];
    if (j->kind == RAW_IDLE && soak_random(v->random) % 2)
        j->kind = RAW_RESET;
    j->raw = -1;
    j->fd = -1;
    j->ready = 1;
    j->exchanges = 1 + (int)(soak_random(v->random) % 4);
    j->steps = 1 + (int)(soak_random(v->random) % 12);
    next_exchange(v, j);
    v->round->opened++;
    v->round->faults += j->kind > SLOW;
    if ((j->kind < RAW ? open_tls(v, j) : open_raw(v, j)) != 0) {
        end_job(j);
        return;
    }
    j->next = v->all;
    v->all = j;
    if (++v->live > v->round->most)
        v->round->most = v->live;
}

/* One exchange, or the end. AGAIN: later, or a pause; 0: over, all was right */
static ssize_t talk(struct visit *v, struct job *j)
{
    unsigned char buf[40000];
    ssize_t n;

    while (j->sent < j->size && !j->ending) {
        for (size_t i = j->sent; i < j->size; i++)
            buf[i - j->sent] = byte_of(j, i);
        if ((n = tlsock_write(j->s, buf, j->size - j->sent)) < 0)
            return n;
        j->sent += (size_t)n;
    }
    while (j->got < j->size && !j->ending) {
        n = tlsock_read(j->s, buf, j->kind == SLOW ? 2000 : sizeof(buf));
        if (n <= 0)
            return n < 0 ? n : TLSOCK_E_TRUNCATED;
        for (size_t i = 0; i < (size_t)n; i++)
            if (buf[i] != byte_of(j, j->got + i))
                return TLSOCK_E_STATE;
        j->got += (size_t)n;
        if (j->kind == SLOW && j->got < j->size) {
            j->pause_until = soak_milliseconds() + v->plan->pause / 120;
            return TLSOCK_AGAIN;
        }
    }
    if (--j->exchanges > 0 && !j->ending) {
        next_exchange(v, j);
        j->pause_until = soak_milliseconds() + (int)(soak_random(v->random) %
                                                     (uint32_t)v->plan->pause);
        return TLSOCK_AGAIN;
    }
    j->ending = 1;
    if ((n = tlsock_shutdown(j->s, SHUT_WR)) < 0)
        return n;
    n = tlsock_read(j->s, buf, sizeof(buf));
    return n > 0 ? TLSOCK_E_STATE : n;
}

static void count(struct visit *v, const struct job *j, ssize_t rc)
{
    int refused = rc == TLSOCK_E_NAME_MISMATCH ||
                  rc == TLSOCK_E_UNTRUSTED_ROOT ||
                  rc == TLSOCK_E_CHAIN_INCOMPLETE;
    int should = j->kind == WRONG_NAME || j->kind == NO_TRUST;

    if (j->kind <= SLOW && rc == 0)
        v->round->whole++;
    else if (j->kind <= SLOW)
        v->round->broken++;
    if (rc == TLSOCK_E_STATE || rc == TLSOCK_E_NOMEM || (should && rc == 0) ||
        (!should && refused))
        snprintf(v->round->odd, sizeof(v->round->odd),
                 "kind %d ends with %d: %.100s", (int)j->kind, (int)rc,
                 rc < 0 ? tlsock_last_error(j->s)->message : "");
}

/* The descriptor changes while it connects; a closed one has left the set, and
 * its number may be the new one's. */
static void watch(struct visit *v, struct job *j)
{
    struct epoll_event ev = {.data.ptr = j};
    int fd = tlsock_fd(j->s);

    ev.events = j->pause_until ? 0 : (uint32_t)soak_wants(j->s);
    if (j->fd >= 0 && j->fd != fd)
        epoll_ctl(v->set, EPOLL_CTL_DEL, j->fd, &ev);
    if (j->fd != fd || epoll_ctl(v->set, EPOLL_CTL_MOD, fd, &ev) != 0)
        epoll_ctl(v->set, EPOLL_CTL_ADD, fd, &ev);
    j->fd = fd;
}

/* Whether it is over. */
static int step_tls(struct visit *v, struct job *j)
{
    ssize_t rc;

    j->ready = 0;
    if ((j->kind == RESET || j->kind == ABANDON) && --j->steps == 0)
        return 1;
    if (j->kind == GARBLED &&
        tlsock_info_int(j->s, TLSOCK_INFO_STATE) == TLSOCK_STATE_TLS)
        send(tlsock_fd(j->s), "\x17\x03\x03\x00\x12 not a record of TLS", 24,
             MSG_NOSIGNAL);
    rc = talk(v, j);
    if (rc != TLSOCK_AGAIN) {
        count(v, j, rc);
        return 1;
    }
    watch(v, j);
    return 0;
}

static int step_raw(struct job *j)
{
    char buf[512];
    ssize_t n;

    j->ready = 0;
    while ((n = recv(j->raw, buf, sizeof(buf), 0)) > 0)
        ;
    return n == 0 || (errno != EAGAIN && errno != EINTR);
}

static void step_all(struct visit *v)
{
    int now = soak_milliseconds(), look = now - v->looked >= 20;

    if (look)
        v->looked = now;
    for (struct job **at = &v->all, *j; (j = *at) != NULL;) {
        int due = j->ready, over = 0;

        if (look && j->s != NULL && j->pause_until != 0 &&
            now >= j->pause_until) {
            j->pause_until = 0;
            due = 1;
        }
        if (look && j->s != NULL && tlsock_timeout(j->s) == 0)
            due = 1;
        if (look && j->s == NULL && j->pause_until != 0 &&
            now >= j->pause_until)
            over = 1;
        if (over || (due && (j->s != NULL ? step_tls(v, j) : step_raw(j)))) {
            *at = j->next;
            end_job(j);
            v->live--;
        } else {
            at = &j->next;
        }
    }
}

void soak_visit(int port, tlsock_config *configs[3],
                const struct soak_plan *plan, uint32_t *random,
                struct soak_round *round)
{
    struct visit v = {.port = port,
                      .configs = configs,
                      .random = random,
                      .round = round,
                      .plan = plan};
    int until = soak_milliseconds() + plan->seconds * 1000, more = 1;
    struct epoll_event evs[256];

    memset(round, 0, sizeof(*round));
    v.set = epoll_create1(EPOLL_CLOEXEC);
    while (more || v.all != NULL) {
        int n;

        more = more && (round->opened < plan->connections ||
                        soak_milliseconds() < until);
        for (int i = 0; i < 64 && more && v.live < plan->most; i++)
            open_one(&v);
        n = epoll_wait(v.set, evs, 256, v.live < plan->most && more ? 0 : 20);
        for (int i = 0; i < n; i++)
            ((struct job *)evs[i].data.ptr)->ready = 1;
        step_all(&v);
    }
    close(v.set);
}
