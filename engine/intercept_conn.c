/* One client from its first byte to its end: where it wants to go. */
#include "intercept_private.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 16
#define SILENCE_MS 250 /* then the server may be who speaks first */

int64_t conn_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void conn_event(struct conn *c, struct intercept_event *e)
{
    e->id = c->id;
    e->client = c->client;
    e->target = c->target;
    e->sni = c->sni;
    e->alpn = c->alpn;
    e->ja4 = c->ja4;
    e->up = c->up;
    e->down = c->down;
    e->starttls = c->starttls;
    e->received = c->bytes[CLIENT];
    e->sent = c->bytes[SERVER];
    if (e->reason == NULL)
        e->reason = "";
}

void conn_tell(struct conn *c, int kind, const tlsock_error *err,
               const char *reason)
{
    struct intercept_event e = {.kind = kind, .reason = reason, .err = err};

    conn_event(c, &e);
    c->o->on_event(c->o->arg, &e);
}

int conn_fail(struct conn *c, int kind, const tlsock_error *err,
              const char *reason)
{
    conn_tell(c, kind, err, reason);
    return -1;
}

void conn_set_target(struct conn *c, const char *host, int port)
{
    snprintf(c->host, sizeof(c->host), "%s", host);
    c->port = port;
    snprintf(c->target, sizeof(c->target), "%s:%d", c->host, port);
}

static void drop(struct event **ev)
{
    if (*ev != NULL)
        event_free(*ev);
    *ev = NULL;
}

static void end_ways(struct conn *c)
{
    /* what was cut off on one side must not look complete on the other */
    if (c->cut[CLIENT] || c->cut[SERVER]) {
        struct linger now = {1, 0};

        if (c->down == NULL)
            (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        else if (c->cut[SERVER])
            tlsock_abandon(c->down);
        if (c->down != NULL && c->cut[SERVER])
            c->down = NULL;
        if (c->up != NULL && c->cut[CLIENT]) {
            tlsock_abandon(c->up);
            c->up = NULL;
        }
    }
    tlsock_close(c->down);
    tlsock_close(c->up);
}

static void close_taps(struct conn *c)
{
    for (size_t i = 0; i < INTERCEPT_TAPS; i++) {
        if (c->taps[i] != NULL)
            c->o->taps[i].close(c->taps[i]);
        c->taps[i] = NULL;
    }
}

static void conn_free(struct conn *c)
{
    struct loop *l = c->loop;

    drop(&c->cl.ev);
    drop(&c->up_side.ev);
    drop(&c->clock);
    close_taps(c);
    hook_free(c);
    end_ways(c);
    close(c->fd);
    for (int i = 0; i < 2; i++) {
        if (c->from[i] != c->to[i])
            free(c->from[i]);
        free(c->to[i]);
    }
    free(c->watch);
    free(c->wire.seen);
    free(c->entry.head);
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        l->first = c->next;
    atomic_fetch_sub(&l->all->live, 1);
    free(c);
}

/* Its end is told when all that was kept of it is where it belongs. */
void conn_end(struct conn *c)
{
    close_taps(c);
    refusal_end(c);
    if (c->opened)
        conn_tell(c, INTERCEPT_END, NULL, NULL);
    conn_free(c);
}

/* A handle's descriptor may be closed in its call, and another one made that
 * has the same number: an event that stayed would be of the old one. */
static void unwatch(struct side *s)
{
    if (s->ev != NULL && s->flags != 0)
        event_del(s->ev);
    s->flags = 0;
}

void conn_watch(struct conn *c, struct side *s, int fd, short want)
{
    short flags = (short)((want & POLLIN ? EV_READ : 0) |
                          (want & POLLOUT ? EV_WRITE : 0));

    if (s->ev != NULL && s->fd == fd && s->flags == flags)
        return;
    unwatch(s);
    s->flags = flags;
    s->fd = fd;
    if (flags == 0)
        return;
    if (s->ev == NULL)
        s->ev = event_new(c->loop->base, fd, (short)(flags | EV_PERSIST),
                          conn_go_on, c);
    else
        event_assign(s->ev, c->loop->base, fd, (short)(flags | EV_PERSIST),
                     conn_go_on, c);
    if (s->ev == NULL || event_add(s->ev, NULL) < 0) {
        s->flags = 0;
        c->deaf = 1;
    }
}

void conn_clock(struct conn *c, int64_t ms)
{
    struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};

    if (ms >= 0)
        c->deaf |= event_add(c->clock, &tv) < 0;
    else if (event_pending(c->clock, EV_TIMEOUT, NULL))
        (void)event_del(c->clock);
}

static void on_clock(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;

    c->late = !c->again;
    conn_go_on(fd, what, c);
}

/* More of the client into what is remembered of it: bytes, 0 the end. */
static ssize_t read_more(struct conn *c)
{
    struct wire *w = &c->wire;
    ssize_t n;

    _Static_assert(ENTRY_MOST < WIRE_MOST, "without a way in there is room");
    n = wire_recv(c->fd, w->seen + w->len, WIRE_MOST - w->len);
    if (n > 0)
        w->len += (size_t)n;
    return n;
}

static void use_up(struct conn *c, size_t n)
{
    struct wire *w = &c->wire;

    memmove(w->seen, w->seen + n, w->len - n);
    w->len -= n;
}

/* A few bytes on a socket that has room: all or nothing. */
static int say(struct conn *c, const char *text, size_t n)
{
    return n == 0 || wire_send(c->fd, text, n) == (ssize_t)n ? 0 : -1;
}

static int entry_known(struct conn *c)
{
    char text[512];
    const struct entry *e = &c->entry;

    use_up(c, e->used);
    conn_set_target(c, e->host, e->port);
    if (tls_may(c, 1) < 0) {
        (void)say(c, text, entry_no(e, "a rule denies this", text));
        return -1;
    }
    if (e->kind == ENTRY_HTTP)
        return dial_start(c, NULL, 1);
    if (say(c, text, entry_yes(e, text)) < 0)
        return conn_fail(c, INTERCEPT_FAIL, NULL, "the client takes no answer");
    c->phase = PH_FIRST;
    return 1;
}

static int entry_act(struct conn *c)
{
    struct entry *e = &c->entry;

    switch (e->kind) {
    case ENTRY_MORE:
        return 0; /* what is too long is ENTRY_WRONG */
    case ENTRY_SAY:
        use_up(c, e->used);
        return say(c, e->answer, e->answer_len) == 0
                   ? 1
                   : conn_fail(c, INTERCEPT_FAIL, NULL,
                               "the client takes no answer");
    case ENTRY_TLS:
        return tls_begin(c);
    case ENTRY_WRONG:
        (void)say(c, e->answer, e->answer_len);
        return conn_fail(c, INTERCEPT_FAIL, NULL, e->wrong);
    default:
        return entry_known(c);
    }
}

static int is_late(const struct conn *c)
{
    return c->late && conn_now_ms() >= c->deadline_ms;
}

static int step_entry(struct conn *c)
{
    ssize_t n;

    entry_look(&c->entry, (const char *)c->wire.seen, c->wire.len);
    if (c->entry.kind != ENTRY_MORE)
        return entry_act(c);
    n = read_more(c);
    if (n > 0)
        return 1;
    if (n == TLSOCK_AGAIN)
        return is_late(c) ? conn_fail(c, INTERCEPT_FAIL, NULL,
                                      "it did not say in time where it wants "
                                      "to go")
                          : entry_act(c);
    if (n == 0 && c->wire.len == 0)
        return -1; /* it only looked whether somebody is here */
    return conn_fail(c, INTERCEPT_FAIL, NULL,
                     "it ended before it said where it wants to go");
}

/* Protocols whose server greets before the client says anything. */
static int server_begins(int port)
{
    static const int ports[] = {21, 25, 110, 119, 143, 587, 2525, 4190};

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        if (ports[i] == port)
            return 1;
    return 0;
}

static int step_first(struct conn *c)
{
    ssize_t n = TLSOCK_AGAIN;

    if (c->wire.len == 0)
        n = read_more(c);
    if (c->wire.len > 0 && c->wire.seen[0] == 0x16)
        return tls_begin(c);
    if (c->wire.len > 0 || n == 0 || server_begins(c->port) || c->late)
        return dial_start(c, NULL, 1);
    if (n == TLSOCK_AGAIN)
        return 0;
    return conn_fail(c, INTERCEPT_FAIL, NULL, "the client is gone");
}

static int (*const steps[])(struct conn *) = {
    [PH_ENTRY] = step_entry,     [PH_FIRST] = step_first,
    [PH_HELLO] = tls_step_hello, [PH_UP] = tls_step_up,
    [PH_DOWN] = tls_step_down,   [PH_DIAL] = dial_step,
    [PH_RELAY] = relay_step};

static void rearm_one(struct conn *c, struct side *s, const tlsock *t)
{
    conn_watch(c, s, tlsock_fd(t), tlsock_events(t));
    conn_clock(c, tlsock_timeout(t));
}

static void rearm(struct conn *c, int busy)
{
    int64_t left = c->deadline_ms - conn_now_ms();

    left = left > 0 ? left : 0;
    c->late = 0;
    c->again = busy;
    if (c->phase != PH_RELAY || !c->relays) {
        unwatch(&c->cl);
        unwatch(&c->up_side);
    }
    c->relays = c->phase == PH_RELAY;
    switch (c->phase) {
    case PH_ENTRY:
        conn_watch(c, &c->cl, c->fd, POLLIN);
        conn_clock(c, left);
        break;
    case PH_FIRST:
        conn_watch(c, &c->cl, c->fd, POLLIN);
        conn_clock(c, SILENCE_MS);
        break;
    case PH_HELLO:
        rearm_one(c, &c->cl, c->down);
        conn_clock(c, left);
        break;
    case PH_DOWN:
        rearm_one(c, &c->cl, c->down);
        break;
    case PH_UP:
    case PH_DIAL:
        conn_watch(c, &c->cl, c->fd, 0);
        rearm_one(c, &c->up_side, c->up);
        break;
    default:
        relay_rearm(c, busy);
    }
    if (busy)
        conn_clock(c, 0);
}

static const char unwatched[] = "the system would not tell of its next bytes";

void conn_go_on(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    int rc = 1;

    (void)fd;
    (void)what;
    for (int i = 0; rc > 0 && i < ROUNDS; i++)
        rc = steps[c->phase](c);
    if (rc >= 0) {
        rearm(c, rc > 0);
        if (!c->deaf)
            return;
        (void)conn_fail(c, INTERCEPT_FAIL, NULL, unwatched);
    }
    conn_end(c);
}

static int find_target(struct conn *c)
{
    const char *colon;
    char host[256];

    c->phase = PH_FIRST;
    if (c->o->mode == INTERCEPT_PROXY) {
        c->phase = PH_ENTRY;
        return 0;
    }
    if (c->o->mode == INTERCEPT_TRANSPARENT && peer_wanted(c) < 0)
        return conn_fail(c, INTERCEPT_DENY, NULL,
                         "it was not redirected here: there is no original "
                         "destination");
    if (c->o->mode == INTERCEPT_TO) {
        colon = strrchr(c->o->to, ':');
        snprintf(host, sizeof(host), "%.*s", (int)(colon - c->o->to), c->o->to);
        conn_set_target(c, host, atoi(colon + 1));
    }
    return tls_may(c, 1);
}

void conn_new(struct loop *l, int fd)
{
    struct conn *c = calloc(1, sizeof(*c));
    int rc;

    if (c != NULL) {
        c->wire.seen = malloc(WIRE_MOST);
        c->clock = evtimer_new(l->base, on_clock, c);
    }
    if (c == NULL || c->wire.seen == NULL || c->clock == NULL) {
        if (c != NULL) {
            free(c->wire.seen);
            drop(&c->clock);
        }
        free(c);
        close(fd);
        atomic_fetch_sub(&l->all->live, 1);
        return;
    }
    c->loop = l;
    c->o = l->all->o;
    c->id = atomic_fetch_add(&l->all->accepted, 1) + 1;
    c->fd = c->wire.fd = fd;
    c->next = l->first;
    if (l->first != NULL)
        l->first->prev = c;
    l->first = c;
    c->deadline_ms = conn_now_ms() + c->o->hello_ms;
    peer_name(c);
    rc = find_target(c);
    if (rc == 0)
        rearm(c, 1); /* the first step comes from the loop */
    if (rc == 0 && c->deaf)
        (void)conn_fail(c, INTERCEPT_FAIL, NULL, unwatched);
    if (rc < 0 || c->deaf)
        conn_free(c);
}
