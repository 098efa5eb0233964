#include "http_server.h"

#include "origin.h"
#include "sniff.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tlsock/info.h>

#define ACCEPTS_PER_ROUND 32 /* then those who are connected get their turn */
#define ROUNDS 8
#define REST_MS 100 /* out of descriptors or places: let some end */
#define PIECE 65536
#define SAY_AGAIN_MS 60000 /* the same of one origin */
#define LATER_FIRST_MS 20
#define LATER_STEP_MS 500
#define LINGER_MS 2000

struct conn {
    struct conn *next, *prev;
    struct http_server *server;
    tlsock *s;
    struct event *ev;
    int ev_fd;
    struct sniff *sniff;
    int tls, known; /* which it is, once its first byte is there */
    int closing;    /* our part is over; the peer's end is waited for */
    int later_ms;   /* 0: the request is not to be handled again */
    int64_t later_until;
    int64_t
        due_ms; /* by then a request, or a piece of the answer, is through */
    char origin[ORIGIN];
    struct http_head head;
    size_t head_len; /* 0: not complete */
    unsigned char *in, *out;
    size_t in_len, in_room, out_len, out_at;
};

struct http_server {
    struct http_server_opts o;
    struct event *accepting, *again;
    struct conn *first;
    size_t live;
    char said[ORIGIN]; /* who has too many connections */
    int64_t said_ms;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void be_patient(struct conn *c)
{
    int ms = c->server->o.patience_ms;

    c->due_ms = ms >= 0 ? now_ms() + ms : INT64_MAX;
    tlsock_set_deadline(c->s, ms);
}

static void free_conn(struct conn *c)
{
    struct http_server *server = c->server;

    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        server->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    server->live--;
    sniff_free(c->sniff);
    if (c->ev != NULL)
        event_free(c->ev);
    tlsock_close(c->s);
    free(c->in);
    free(c->out);
    free(c);
}

/* Puts status line, fields and body together, in what the body had. */
static int put_answer(struct conn *c, struct http_answer *a, int persist)
{
    /* each at its longest fits */
    char date[64], head[sizeof(a->type) + sizeof(a->fields) + 512];
    time_t now = time(NULL);
    struct tm tm;
    unsigned char *whole;
    size_t body = c->head.head || a->status == 304 ? 0 : a->len;
    int n;

    gmtime_r(&now, &tm);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    n = snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: tlsock\r\n"
                 "X-Content-Type-Options: nosniff\r\n%s%s%s"
                 "Content-Length: %zu\r\n%sConnection: %s\r\n\r\n",
                 a->status, http_reason(a->status), date,
                 a->type[0] != '\0' ? "Content-Type: " : "", a->type,
                 a->type[0] != '\0' ? "\r\n" : "", a->len, a->fields,
                 persist ? "keep-alive" : "close");
    whole = realloc(a->body, (size_t)n + body);
    if (whole == NULL)
        return -1;
    a->body = NULL;
    memmove(whole + n, whole, body);
    memcpy(whole, head, (size_t)n);
    c->out = whole;
    c->out_len = (size_t)n + body;
    c->out_at = 0;
    return 0;
}

/* Not now: 1, it is handled again after a while; 0: there is no while left. */
static int put_off(struct conn *c)
{
    int most = c->server->o.patience_ms;

    if (most < 0 || most > HTTP_SERVER_LATER_MS)
        most = HTTP_SERVER_LATER_MS;
    if (c->later_ms == 0)
        c->later_until = now_ms() + most;
    else if (now_ms() >= c->later_until)
        return 0;
    c->later_ms = c->later_ms == 0 ? LATER_FIRST_MS : 2 * c->later_ms;
    if (c->later_ms > LATER_STEP_MS)
        c->later_ms = LATER_STEP_MS;
    return 1;
}

static void handle(struct conn *c, struct http_request *r,
                   struct http_answer *a)
{
    const struct http_server_opts *o = &c->server->o;

    if (c->head.status != 0) {
        http_text(a, c->head.status, http_reason(c->head.status));
        return;
    }
    o->handle(o->arg, r, a);
    if (!a->later || put_off(c))
        return;
    free(a->body);
    *a = (struct http_answer){.status = 500};
    r->last = 1;
    o->handle(o->arg, r, a);
    a->later = 0;
}

/* 1: answered, or 0: not yet; -1: no memory. */
static int answer(struct conn *c)
{
    struct http_answer a = {.status = 500};
    struct http_request r = {.head = &c->head,
                             .body = c->in + c->head_len,
                             .tls = c->tls,
                             .peer =
                                 tlsock_info(c->s, TLSOCK_INFO_PEER_ADDRESS),
                             .origin = c->origin,
                             .conn = c};
    const struct http_server_opts *o = &c->server->o;
    size_t used = c->head_len + c->head.length;
    int persist = c->head.persist && c->head.status == 0, rc;

    handle(c, &r, &a);
    if (a.later) {
        free(a.body);
        return 0;
    }
    c->later_ms = 0;
    if (a.status == 405 && a.fields[0] == '\0')
        http_field(&a, "Allow", "GET, HEAD, POST");
    rc = put_answer(c, &a, persist);
    o->on_request(o->arg, &r, a.status, a.len);
    free(a.body);
    if (!persist)
        c->closing = 1;
    c->head_len = 0;
    if (used > c->in_len)
        used = c->in_len;
    memmove(c->in, c->in + used, c->in_len - used);
    c->in_len -= used;
    be_patient(c);
    return rc < 0 ? -1 : 1;
}

/* 1: something moved; 0: not now; -1: it is over. */
static int send_out(struct conn *c)
{
    ssize_t n;

    if (now_ms() >= c->due_ms) /* although there may be room for a few bytes */
        return -1;
    n = tlsock_write(c->s, c->out + c->out_at, c->out_len - c->out_at);
    if (n == TLSOCK_AGAIN)
        return 0;
    if (n < 0)
        return -1;
    /* who takes it byte by byte does not keep us longer for that */
    if ((c->out_at + (size_t)n) / PIECE > c->out_at / PIECE)
        be_patient(c);
    c->out_at += (size_t)n;
    if (c->out_at < c->out_len)
        return 1;
    free(c->out);
    c->out = NULL;
    c->out_len = c->out_at = 0;
    if (c->closing) { /* so that the answer arrives before any reset */
        int rc;

        tlsock_set_deadline(c->s, LINGER_MS);
        rc = tlsock_shutdown(c->s, SHUT_WR);
        if (rc < 0 && rc != TLSOCK_AGAIN)
            return -1;
    }
    return 1;
}

static int make_room(struct conn *c)
{
    size_t need =
        c->head_len > 0 ? c->head_len + c->head.length : HTTP_HEAD_MAX;
    unsigned char *p;

    if (c->in_room >= need + 1)
        return 0;
    p = realloc(c->in, need + 1);
    if (p == NULL)
        return -1;
    c->in = p;
    c->in_room = need + 1;
    return 0;
}

/* The head of a request that is there; its body may still have to come. */
static int look_at_head(struct conn *c)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

    c->head_len = http_parse(&c->head, (char *)c->in, c->in_len);
    if (c->head_len == 0 || c->head.status != 0 || !c->head.expect ||
        c->in_len >= c->head_len + c->head.length)
        return 0;
    c->out = malloc(sizeof(go_on));
    if (c->out == NULL)
        return -1;
    memcpy(c->out, go_on, sizeof(go_on));
    c->out_len = sizeof(go_on) - 1;
    return 0;
}

static int take_in(struct conn *c)
{
    unsigned char drain[4096];
    ssize_t n;

    if (c->closing) {
        n = tlsock_read(c->s, drain, sizeof(drain));
        return n == TLSOCK_AGAIN ? 0 : n > 0 ? 1 : -1;
    }
    if (c->head_len == 0 && c->in_len > 0 && look_at_head(c) < 0)
        return -1;
    if (c->out != NULL)
        return 1;
    if (c->head_len > 0 &&
        (c->head.status != 0 || c->in_len >= c->head_len + c->head.length))
        return answer(c);
    if (make_room(c) < 0)
        return -1;
    n = tlsock_read(c->s, c->in + c->in_len, c->in_room - 1 - c->in_len);
    if (n == TLSOCK_AGAIN)
        return 0;
    if (n <= 0)
        return -1;
    c->in_len += (size_t)n;
    return 1;
}

static void go_on(evutil_socket_t fd, short what, void *arg);

static int watch(struct conn *c, short want, int ms)
{
    short ev = (short)((want & POLLIN ? EV_READ : 0) |
                       (want & POLLOUT ? EV_WRITE : 0));
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    int fd = tlsock_fd(c->s);

    if (c->ev != NULL && fd == c->ev_fd) {
        event_del(c->ev);
        event_assign(c->ev, c->server->o.base, fd, ev, go_on, c);
    } else {
        if (c->ev != NULL)
            event_free(c->ev);
        c->ev = event_new(c->server->o.base, fd, ev, go_on, c);
        c->ev_fd = fd;
    }
    if (c->ev == NULL)
        return -1;
    return ev != 0 || ms >= 0 ? event_add(c->ev, ms >= 0 ? &tv : NULL) : 0;
}

/* 1: known now; 0: not yet; -1: it is over. */
static int tell_apart(struct conn *c)
{
    int verdict;

    if (!c->server->o.tls) {
        c->known = 1;
        return 1;
    }
    if (c->sniff == NULL) {
        c->sniff = sniff_new(c->server->o.base, tlsock_fd(c->s), go_on, c);
        if (c->sniff == NULL)
            return -1;
    }
    verdict = sniff_look(c->sniff);
    if (verdict == TLSOCK_SNIFF_NONE)
        return tlsock_timeout(c->s) == 0 ? -1 : 0;
    sniff_free(c->sniff);
    c->sniff = NULL;
    c->known = 1;
    c->tls = verdict == TLSOCK_SNIFF_TLS;
    if (!c->tls)
        return 1;
    verdict = tlsock_start_tls(c->s, NULL);
    return verdict < 0 && verdict != TLSOCK_AGAIN ? -1 : 1;
}

static int step(struct conn *c)
{
    int rc = c->known ? 1 : tell_apart(c);

    for (int i = 0; rc > 0 && i < ROUNDS; i++)
        rc = c->out != NULL ? send_out(c) : take_in(c);
    return rc;
}

static void go_on(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    int rc = step(c), ms;
    short want;

    (void)fd;
    (void)what;
    if (rc >= 0) {
        want = c->sniff != NULL || c->later_ms != 0 ? 0 : tlsock_events(c->s);
        ms = rc > 0 ? 0 : c->later_ms != 0 ? c->later_ms : tlsock_timeout(c->s);
        rc = watch(c, want, ms);
    }
    if (rc < 0)
        free_conn(c);
}

/* Memory or the system: errno says. */
static void say_lost(const struct http_server *server)
{
    tlsock_error err = {.code =
                            errno == ENOMEM ? TLSOCK_E_NOMEM : TLSOCK_E_SYSTEM,
                        .sys_errno = errno};

    snprintf(err.message, sizeof(err.message), "a client was sent away: %s",
             strerror(errno));
    server->o.on_trouble(server->o.arg, &err);
}

/* Not each time: whoever has too many may try again and again. */
static void say_full(struct http_server *server, const char *origin)
{
    tlsock_error err = {.code = TLSOCK_E_LIMIT};
    int64_t now = now_ms();

    if (strcmp(server->said, origin) == 0 &&
        now - server->said_ms < SAY_AGAIN_MS)
        return;
    snprintf(server->said, sizeof(server->said), "%s", origin);
    server->said_ms = now;
    snprintf(err.message, sizeof(err.message),
             "%s has %zu connections: for more of it, the oldest that "
             "ask for nothing are closed",
             origin, server->o.most_each);
    snprintf(err.hint, sizeof(err.hint), "--max-per-address allows more");
    server->o.on_trouble(server->o.arg, &err);
}

/* Is there room for one more of this origin? Its oldest that has asked for
 * nothing makes some: who is silent keeps none away who is not. */
static int make_room_for(struct http_server *server, const char *origin)
{
    struct conn *idle = NULL;
    size_t n = 0;

    for (struct conn *c = server->first; c != NULL; c = c->next) {
        if (strcmp(c->origin, origin) != 0)
            continue;
        n++;
        if (c->out == NULL && c->later_ms == 0)
            idle = c;
    }
    if (n < server->o.most_each)
        return 1;
    say_full(server, origin);
    if (idle == NULL)
        return 0;
    free_conn(idle);
    return 1;
}

static void new_conn(struct http_server *server, tlsock *s)
{
    struct conn *c = calloc(1, sizeof(*c));
    char origin[ORIGIN];

    origin_of(origin, tlsock_info(s, TLSOCK_INFO_PEER_ADDRESS));
    if (origin[0] != '\0' && !make_room_for(server, origin)) {
        free(c);
        tlsock_abandon(s);
        return;
    }
    if (c == NULL) {
        say_lost(server);
        tlsock_abandon(s);
        return;
    }
    memcpy(c->origin, origin, sizeof(origin));
    c->server = server;
    c->s = s;
    c->next = server->first;
    if (server->first != NULL)
        server->first->prev = c;
    server->first = c;
    server->live++;
    be_patient(c);
    if (watch(c, POLLIN, 0) < 0) { /* the first step comes from the loop */
        say_lost(server);
        free_conn(c);
    }
}

static void rest(struct http_server *server)
{
    struct timeval tv = {0, REST_MS * 1000};

    if (event_add(server->again, &tv) == 0) /* else there is no rest */
        event_del(server->accepting);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *server = arg;

    (void)fd;
    (void)what;
    for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
        tlsock_error err = {0};
        tlsock *s;

        if (server->live >= server->o.most) {
            rest(server);
            return;
        }
        s = tlsock_accept(server->o.listener, &err);
        if (s != NULL) {
            new_conn(server, s);
            continue;
        }
        if (err.code == TLSOCK_AGAIN)
            return;
        server->o.on_trouble(server->o.arg, &err);
        if (err.sys_errno == EMFILE || err.sys_errno == ENFILE ||
            err.sys_errno == ENOBUFS || err.code == TLSOCK_E_NOMEM)
            rest(server);
        return;
    }
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *server = arg;

    (void)fd;
    (void)what;
    if (event_add(server->accepting, NULL) < 0)
        rest(server); /* nobody else would try it again */
}

struct http_server *http_server_new(const struct http_server_opts *o)
{
    struct http_server *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->o = *o;
    if (s->o.most == 0)
        s->o.most = HTTP_SERVER_MOST;
    if (s->o.most_each == 0)
        s->o.most_each = HTTP_SERVER_MOST_EACH;
    s->accepting = event_new(o->base, tlsock_listener_fd(o->listener),
                             EV_READ | EV_PERSIST, on_accept, s);
    s->again = evtimer_new(o->base, on_again, s);
    if (s->accepting == NULL || s->again == NULL ||
        event_add(s->accepting, NULL) < 0) {
        http_server_free(s);
        return NULL;
    }
    return s;
}

void http_server_free(struct http_server *s)
{
    if (s == NULL)
        return;
    while (s->first != NULL)
        free_conn(s->first);
    if (s->accepting != NULL)
        event_free(s->accepting);
    if (s->again != NULL)
        event_free(s->again);
    free(s);
}
