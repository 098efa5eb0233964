#include "net/dial.h"

#include "core/clock.h"
#include "core/layer.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/addr.h"
#include "net/resolve.h"
#include "net/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ATTEMPT_DELAY_MS 250 /* RFC 8305, 5: Connection Attempt Delay */
#define UNIX_RETRY_MS 20     /* its queue is full, and nothing tells when not */

struct attempt {
    int fd, blocking;
    size_t addr; /* which of addrs */
};

struct tsk_dial {
    struct tsk_target target;
    int family;
    struct tsk_addrs local; /* none or one */
    struct tsk_lookup *lookup;
    struct tsk_addrs addrs;
    size_t next; /* first address not tried yet */
    struct attempt racing[TSK_DIAL_FDS];
    size_t n_racing;
    int64_t next_at; /* when the next attempt is due */
    int64_t started, resolved, connected; /* 0: not yet */
    int phase;
    int fd;     /* the winner, until it is taken */
    int taken;  /* it was */
    size_t winner; /* which of addrs */
    int may_wait;  /* a single attempt, in connect(2) */
    int blocking;  /* the winner is */
    int failed; /* code, once it is known; err says the rest */
    int last_errno;
    char tried[220];
    size_t tried_len, untold; /* failures that found no more room in tried */
    tlsock_error err;
};

/* Bind address, checked here, so that a typing error needs no connection. */
static int set_local(struct tsk_dial *d, const char *local, tlsock_error *err)
{
    struct tsk_target t = {.service = "0"};
    uint8_t ip[16];
    int version = strlen(local) < INET6_ADDRSTRLEN ? tsk_ip_parse(local, ip)
                                                   : 0;
    char shown[80];

    if (version == 0) {
        tsk_printable(shown, sizeof(shown), local, strlen(local));
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "local address \"%s\" is no numeric IP address", shown);
        tsk_hint(err, "use an address of this machine, such as 192.0.2.7");
        return TLSOCK_E_ARGUMENT;
    }
    if (d->target.path[0] != '\0')
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "local address %s: UNIX sockets have none", local);
    if ((d->family != 0 && d->family != version) ||
        (d->target.is_ip != 0 && d->target.is_ip != version)) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "local address %s is IPv%d, the connection is not", local,
                 version);
        tsk_hint(err, "local and remote address are of one family");
        return TLSOCK_E_ARGUMENT;
    }
    d->family = version;
    memcpy(t.host, local, strlen(local) + 1);
    return tsk_resolve_numeric(&d->local, &t, 0, err) < 0 ? TLSOCK_E_NOMEM
                                                          : TLSOCK_OK;
}

static int check(struct tsk_dial *d, const char *local, tlsock_error *err)
{
    char wire[256];
    int rc = TLSOCK_OK;

    if (d->family != 0 && d->family != 4 && d->family != 6)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "address family must be 0 (any), 4 or 6, not %d",
                        d->family);
    if (d->target.path[0] == '\0' && d->target.is_ip == 0)
        rc = tsk_host_normalise(wire, d->target.host, err);
    if (rc == TLSOCK_OK && local != NULL)
        rc = set_local(d, local, err);
    return rc;
}

struct tsk_dial *tsk_dial_new(const struct tsk_target *t, int family,
                              const char *local, tlsock_error *err)
{
    struct tsk_dial *d = tsk_alloc(sizeof(*d));

    if (d == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    d->target = *t;
    d->family = family;
    d->fd = -1;
    d->phase = TLSOCK_PHASE_RESOLVE;
    if (check(d, local, err) != TLSOCK_OK) {
        tsk_dial_free(d);
        return NULL;
    }
    return d;
}

static void where(const struct tsk_dial *d, size_t i, char *out, size_t size)
{
    const struct tsk_addr *a = &d->addrs.list[i];

    tsk_addr_text(out, size, (const struct sockaddr *)&a->ss, a->len);
}

/* One address is out of the race: remember why, let the next one in. */
static void lost(struct tsk_dial *d, size_t addr, int errnum, int at_bind)
{
    char text[128], line[224], reason[96];
    size_t len = 0;

    where(d, addr, text, sizeof(text));
    tsk_append(line, sizeof(line), &len, "%s%s: %s%s",
               d->tried_len != 0 ? "; " : "", text,
               at_bind ? "cannot bind the local address: " : "",
               tsk_errno_text(errnum, reason, sizeof(reason)));
    if (d->untold == 0 && d->tried_len + len < sizeof(d->tried))
        tsk_append(d->tried, sizeof(d->tried), &d->tried_len, "%s", line);
    else
        d->untold++;
    d->last_errno = errnum;
    d->next_at = tsk_now_ms();
}

static int no_descriptor(int errnum)
{
    return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS ||
           errnum == ENOMEM;
}

static int bind_local(const struct tsk_dial *d, int fd)
{
#ifdef IP_BIND_ADDRESS_NO_PORT
    int on = 1; /* the port is chosen at connect, where more are free */

    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
#endif
    return bind(fd, (const struct sockaddr *)&d->local.list[0].ss,
                d->local.list[0].len);
}

/* Who asks for "any" address is given one of this machine's. */
static int is_any(const struct tsk_addr *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->ss;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->ss;

    return a->ss.ss_family == AF_INET
               ? v4->sin_addr.s_addr == htonl(INADDR_ANY)
               : a->ss.ss_family == AF_INET6 &&
                     IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

static void won(struct tsk_dial *d, const struct attempt *w)
{
    struct tsk_addr *a = &d->addrs.list[w->addr];
    int on = 1;

    if (a->ss.ss_family != AF_UNIX)
        (void)setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (is_any(a)) {
        a->len = sizeof(a->ss);
        (void)getpeername(w->fd, (struct sockaddr *)&a->ss, &a->len);
    }
    d->fd = w->fd;
    d->winner = w->addr;
    d->blocking = w->blocking;
    d->connected = tsk_now_ms();
}

/* A blocking one does not block for long. -1, and errno. */
static int open_socket(int family, int *blocking)
{
    static const struct timeval limit = {.tv_usec = TSK_LAYER_WAIT_MS * 1000};
    int type = SOCK_STREAM | SOCK_CLOEXEC | (*blocking ? 0 : SOCK_NONBLOCK);
    int fd = socket(family, type, 0);

    if (fd < 0 || !*blocking ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0)
        return fd;
    tsk_wait_close(fd);
    *blocking = 0;
    return open_socket(family, blocking);
}

/* Begins the attempt that is due. Not OK: no more can begin for now. */
static int begin(struct tsk_dial *d)
{
    const struct tsk_addr *a = &d->addrs.list[d->next];
    struct attempt at = {.blocking = d->may_wait && d->n_racing == 0,
                         .addr = d->next};
    int errnum, fd;

    fd = at.fd = open_socket(a->ss.ss_family, &at.blocking);
    d->next_at = tsk_now_ms() + ATTEMPT_DELAY_MS;
    if (fd < 0 && no_descriptor(errno)) {
        if (d->n_racing > 0) /* those that race may still win */
            return TLSOCK_AGAIN;
        tsk_fail_sys(&d->err, TLSOCK_E_SYSTEM, errno,
                     "cannot create a socket");
        tsk_hint(&d->err, "close descriptors or raise the limit (ulimit -n)");
        return TLSOCK_E_SYSTEM;
    }
    if (fd < 0) {
        lost(d, d->next++, errno, 0);
        return TLSOCK_OK;
    }
    if (d->local.n != 0 && bind_local(d, fd) != 0) {
        errnum = errno;
        tsk_wait_close(fd);
        lost(d, d->next++, errnum, 1);
        return TLSOCK_OK;
    }
    if (connect(fd, (const struct sockaddr *)&a->ss, a->len) == 0) {
        d->next++;
        won(d, &at);
        return TLSOCK_OK;
    }
    errnum = errno;
    /* POSIX: an interrupted connect() goes on as if it did not wait. */
    if (errnum == EINPROGRESS || errnum == EINTR) {
        d->racing[d->n_racing++] = at;
        d->next++;
        return TLSOCK_OK;
    }
    tsk_wait_close(fd);
    if (errnum == EAGAIN && a->ss.ss_family == AF_UNIX) {
        d->next_at = tsk_now_ms() + UNIX_RETRY_MS;
        return TLSOCK_AGAIN;
    }
    lost(d, d->next++, errnum, 0);
    return TLSOCK_OK;
}

static void drop_losers(struct tsk_dial *d)
{
    while (d->n_racing > 0)
        tsk_wait_close(d->racing[--d->n_racing].fd);
}

/* Looks at those that race: the first that is through wins. */
static void look(struct tsk_dial *d)
{
    struct pollfd fds[TSK_DIAL_FDS];
    size_t n = tsk_dial_pollfds(d, fds, TSK_DIAL_FDS), kept = 0;

    if (n == 0 || poll(fds, (nfds_t)n, 0) <= 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct attempt a = d->racing[i];
        socklen_t len = sizeof(int);
        int errnum = 0;

        if (fds[i].revents == 0 || d->fd >= 0) {
            d->racing[kept++] = a;
            continue;
        }
        if (getsockopt(a.fd, SOL_SOCKET, SO_ERROR, &errnum, &len) != 0)
            errnum = errno;
        if (errnum == 0) {
            won(d, &a);
            continue;
        }
        tsk_wait_close(a.fd);
        lost(d, a.addr, errnum, 0);
    }
    d->n_racing = kept;
}

static const char *advice(int errnum)
{
    switch (errnum) {
    case ECONNREFUSED:
        return "nobody listens there: is the server running, and is the port "
               "right?";
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "no way to that machine: is it up, is there a route, does a "
               "firewall drop the port?";
    case ENOENT:
        return "there is no such socket: is the server running, and is the "
               "path right?";
    case EACCES:
    case EPERM:
        return "not allowed: a local firewall, or the permissions of the "
               "socket's file";
    case EADDRNOTAVAIL:
        return "the local address must be one of this machine, with a free "
               "port";
    case EAFNOSUPPORT:
        return "this machine does not have that address family";
    default:
        return "the system's message above is all there is to know";
    }
}

static int all_lost(struct tsk_dial *d)
{
    char more[32] = "", host[100];
    const char *path = d->target.path;

    if (d->untold != 0)
        snprintf(more, sizeof(more), "; and %zu more", d->untold);
    if (path[0] != '\0')
        tsk_fail(&d->err, TLSOCK_E_CONNECT, "cannot connect: tried %s",
                 d->tried);
    else {
        tsk_printable(host, d->tried_len > 120 ? 40 : sizeof(host),
                      d->target.host, strlen(d->target.host));
        tsk_fail(&d->err, TLSOCK_E_CONNECT,
                 "cannot connect to %s: tried %s%s", host, d->tried, more);
    }
    tsk_hint(&d->err, "%s", advice(d->last_errno));
    d->err.sys_errno = d->last_errno;
    return TLSOCK_E_CONNECT;
}

static int race(struct tsk_dial *d)
{
    int rc;

    look(d);
    while (d->fd < 0) {
        if (d->next == d->addrs.n)
            return d->n_racing > 0 ? TLSOCK_AGAIN : all_lost(d);
        if (d->n_racing == TSK_DIAL_FDS)
            return TLSOCK_AGAIN;
        if (tsk_now_ms() < d->next_at)
            return TLSOCK_AGAIN;
        rc = begin(d);
        if (rc != TLSOCK_OK)
            return rc;
    }
    drop_losers(d);
    return TLSOCK_OK;
}

static int resolve(struct tsk_dial *d)
{
    int rc;

    if (d->lookup == NULL) {
        d->started = tsk_now_ms();
        rc = tsk_resolve_numeric(&d->addrs, &d->target, d->family, &d->err);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            d->lookup = tsk_lookup_start(&d->target, d->family, &d->err);
            return d->lookup != NULL ? TLSOCK_AGAIN : d->err.code;
        }
    } else {
        rc = tsk_lookup_result(d->lookup, &d->addrs, &d->err);
        if (rc != TLSOCK_OK)
            return rc;
        tsk_lookup_free(d->lookup);
        d->lookup = NULL;
    }
    tsk_addrs_interleave(&d->addrs);
    d->resolved = tsk_now_ms();
    d->next_at = d->resolved;
    d->phase = TLSOCK_PHASE_CONNECT;
    return TLSOCK_OK;
}

int tsk_dial_step(struct tsk_dial *d, tlsock_error *err)
{
    int rc = d->failed;

    if (d->fd >= 0 || d->taken)
        return TLSOCK_OK;
    if (rc == TLSOCK_OK && d->phase == TLSOCK_PHASE_RESOLVE)
        rc = resolve(d);
    if (rc == TLSOCK_OK)
        rc = race(d);
    if (rc == TLSOCK_OK || rc == TLSOCK_AGAIN)
        return rc;
    d->failed = rc;
    d->err.phase = d->phase;
    drop_losers(d);
    if (err != NULL)
        *err = d->err;
    return rc;
}

int tsk_dial_phase(const struct tsk_dial *d)
{
    return d->phase;
}

size_t tsk_dial_pollfds(const struct tsk_dial *d, struct pollfd *out,
                        size_t max)
{
    size_t n = 0;

    if (d->lookup != NULL && max > 0) {
        out[0] = (struct pollfd){tsk_lookup_fd(d->lookup), POLLIN, 0};
        return 1;
    }
    for (; n < d->n_racing && n < max; n++)
        out[n] = (struct pollfd){d->racing[n].fd, POLLOUT, 0};
    return n;
}

int tsk_dial_wait_ms(const struct tsk_dial *d)
{
    if (d->fd >= 0 || d->taken || d->failed != TLSOCK_OK)
        return 0;
    if (d->phase == TLSOCK_PHASE_RESOLVE)
        return d->lookup != NULL ? -1 : 0;
    if (d->next < d->addrs.n && d->n_racing < TSK_DIAL_FDS)
        return tsk_ms_until(d->next_at);
    return -1;
}

int tsk_dial_take_fd(struct tsk_dial *d)
{
    int fd = d->fd;

    if (fd >= 0)
        d->taken = 1;
    d->fd = -1;
    return fd;
}

void tsk_dial_may_wait(struct tsk_dial *d, int on)
{
    d->may_wait = on;
}

int tsk_dial_blocking(const struct tsk_dial *d)
{
    return d->blocking;
}

void tsk_dial_address(const struct tsk_dial *d, char *out, size_t size)
{
    where(d, d->winner, out, size);
}

static int elapsed(int64_t from, int64_t to)
{
    return from != 0 && to > from ? (int)(to - from) : 0;
}

int tsk_dial_resolve_ms(const struct tsk_dial *d)
{
    return elapsed(d->started, d->resolved);
}

int tsk_dial_connect_ms(const struct tsk_dial *d)
{
    return elapsed(d->resolved, d->connected);
}

void tsk_dial_describe(const struct tsk_dial *d, char *out, size_t size)
{
    char text[128];
    size_t pos = 0;

    if (size > 0)
        out[0] = '\0';
    for (size_t i = 0; i < d->n_racing; i++) {
        where(d, d->racing[i].addr, text, sizeof(text));
        tsk_append(out, size, &pos, "%s%s: no answer", i != 0 ? "; " : "",
                   text);
    }
    if (d->tried_len != 0)
        tsk_append(out, size, &pos, "%s%s", pos != 0 ? "; " : "", d->tried);
}

void tsk_dial_free(struct tsk_dial *d)
{
    if (d == NULL)
        return;
    drop_losers(d);
    if (d->fd >= 0)
        tsk_wait_close(d->fd);
    tsk_lookup_free(d->lookup);
    tsk_addrs_free(&d->addrs);
    tsk_addrs_free(&d->local);
    tsk_free(d);
}
