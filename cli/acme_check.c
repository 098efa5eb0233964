/* Validation: asks a name for what only its holder can have put there, by
 * http-01 (RFC 8555, 8.3) or tls-alpn-01.
 *
 * Whom a client makes us ask is somebody else's choice. So nothing is said to
 * an address that is public, unless told otherwise; the path is ours; answers
 * are short; and nobody is sent elsewhere: redirects are not followed. */
#include "acme_check.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/info.h>

#define TIMEOUT_MS 10000
#define ANSWER_MAX 8192
#define HTTP_PORT 80
#define TLS_PORT 443

struct acme_check {
    struct acme_order *order;
    struct acme_authz *authz;
    tlsock *s;
    struct event *ev;
    char request[512], answer[ANSWER_MAX + 1], key[2 * ACME_THUMB + 1];
    size_t asked, got;
    int shaken;          /* tls-alpn-01: TLS has begun */
    int connected, told; /* told: the address is the administrator's choice */
};

static void begin_waiting(struct acme *a);

static void free_check(struct acme_check *c)
{
    c->order->n_checks--;
    c->order->acme->n_checks--;
    if (c->ev != NULL)
        event_free(c->ev);
    tlsock_abandon(c->s);
    free(c);
}

/* The end of it: c is gone. */
static void conclude(struct acme_check *c, const char *type, const char *detail)
{
    struct acme *a = c->order->acme;
    char text[400];

    out_clean(text, sizeof(text), detail);
    c->authz->check = NULL;
    acme_validated(c->order, c->authz, type, text);
    free_check(c);
    begin_waiting(a);
}

void acme_check_stop(struct acme_order *o, struct acme_authz *z)
{
    struct acme_check *c = z->check;

    o->n_waits -= z->waits != 0;
    z->waits = 0;
    z->check = NULL;
    if (c != NULL) {
        free_check(c);
        begin_waiting(o->acme);
    }
}

static void judge_body(struct acme_check *c, const char *body)
{
    size_t n = strlen(body);

    while (n > 0 && strchr(" \t\r\n", body[n - 1]) != NULL)
        n--;
    if (n == strlen(c->key) && memcmp(body, c->key, n) == 0)
        conclude(c, NULL, "");
    else
        conclude(c, "unauthorized",
                 "what is there is not the key authorization");
}

static void judge(struct acme_check *c)
{
    char *end = strstr(c->answer, "\r\n\r\n"), why[200];
    int status = 0;

    if (strlen(c->answer) != c->got ||
        sscanf(c->answer, "HTTP/1.%*1[01] %3d", &status) != 1 || end == NULL) {
        conclude(c, "unauthorized", "the answer is no HTTP response");
        return;
    }
    if (status != 200) {
        snprintf(why, sizeof(why), "it answered with the status %d%s", status,
                 status >= 300 && status < 400 ? "; redirects are not followed"
                                               : "");
        conclude(c, "unauthorized", why);
        return;
    }
    judge_body(c, end + 4);
}

/* 1: it goes on; 0: not now; -1: c is gone. */
static int failed(struct acme_check *c, ssize_t code)
{
    const tlsock_error *err = tlsock_last_error(c->s);

    if (code == TLSOCK_AGAIN)
        return 0;
    conclude(c, err->code == TLSOCK_E_RESOLVE ? "dns" : "connection",
             err->message);
    return -1;
}

/* Before a byte is sent: is it one that we may ask? */
static int meet(struct acme_check *c)
{
    const char *peer;
    char why[200];
    int rc = tlsock_handshake(c->s);

    if (rc < 0)
        return failed(c, rc);
    peer = tlsock_info(c->s, TLSOCK_INFO_PEER_ADDRESS);
    if (!c->order->acme->how.anywhere && !c->told && !acme_is_private(peer)) {
        snprintf(why, sizeof(why),
                 "%.100s is a public address, which is not "
                 "asked: ca serve --validate-anywhere",
                 peer);
        conclude(c, "connection", why);
        return -1;
    }
    c->connected = 1;
    return 1;
}

static int shake(struct acme_check *c)
{
    const char *why;
    int rc = c->shaken ? tlsock_handshake(c->s)
                       : tlsock_start_tls(c->s, c->authz->name);

    c->shaken = 1;
    if (rc < 0)
        return failed(c, rc);
    why = acme_alpn_judge(c->s, c->authz->name, c->key);
    conclude(c, why != NULL ? "unauthorized" : NULL, why != NULL ? why : "");
    return -1;
}

static int ask(struct acme_check *c)
{
    size_t len = strlen(c->request);
    ssize_t n = tlsock_write(c->s, c->request + c->asked, len - c->asked);

    if (n < 0)
        return failed(c, n);
    c->asked += (size_t)n;
    return 1;
}

static int listen_to(struct acme_check *c)
{
    ssize_t n;

    if (c->got == ANSWER_MAX) {
        conclude(c, "unauthorized", "the answer is too long");
        return -1;
    }
    n = tlsock_read(c->s, c->answer + c->got, ANSWER_MAX - c->got);
    if (n < 0)
        return failed(c, n);
    c->got += (size_t)n;
    if (n > 0)
        return 1;
    judge(c);
    return -1;
}

static void go_on(evutil_socket_t fd, short what, void *arg);

static int watch(struct acme_check *c)
{
    int ms = tlsock_timeout(c->s);
    short want = tlsock_events(c->s);
    short ev = (short)((want & POLLIN ? EV_READ : 0) |
                       (want & POLLOUT ? EV_WRITE : 0));
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

    /* the descriptor changes while connecting */
    if (c->ev != NULL)
        event_free(c->ev);
    c->ev = event_new(c->order->acme->how.base, tlsock_fd(c->s), ev, go_on, c);
    return c->ev != NULL && event_add(c->ev, ms >= 0 ? &tv : NULL) == 0 ? 0
                                                                        : -1;
}

static void go_on(evutil_socket_t fd, short what, void *arg)
{
    struct acme_check *c = arg;
    int rc;

    (void)fd;
    (void)what;
    do {
        if (!c->connected)
            rc = meet(c);
        else if (c->authz->by_tls)
            rc = shake(c);
        else if (c->asked < strlen(c->request))
            rc = ask(c);
        else
            rc = listen_to(c);
    } while (rc > 0);
    if (rc == 0 && watch(c) < 0)
        conclude(c, "serverInternal", "out of memory");
}

/* Where the name is said to be; names under .localhost are here (RFC 6761). */
static void find_target(struct acme_check *c, char target[400])
{
    const struct acme_opts *how = &c->order->acme->how;
    long port = c->authz->by_tls ? how->tls_port : how->port;
    const char *where = c->authz->name;
    size_t n = strlen(where);

    if (port == 0)
        port = c->authz->by_tls ? TLS_PORT : HTTP_PORT;
    if (n > 10 && strcmp(where + n - 10, ".localhost") == 0)
        where = "localhost";
    for (size_t i = 0; i < how->resolve.n; i++)
        if (strncmp(how->resolve.v[i], c->authz->name, n) == 0 &&
            how->resolve.v[i][n] == '=') {
            where = how->resolve.v[i] + n + 1;
            c->told = 1;
        }
    snprintf(target, 400, strchr(where, ':') != NULL ? "[%s]:%ld" : "%s:%ld",
             where, port);
}

/* Host: RFC 9112, 3.2. 1.0: the answer comes in one piece, and ends with the
 * connection. */
static void write_request(struct acme_check *c)
{
    const struct acme_authz *z = c->authz;
    int v6 = z->is_ip && strchr(z->name, ':') != NULL;

    snprintf(c->request, sizeof(c->request),
             "GET /.well-known/acme-challenge/%s HTTP/1.0\r\nHost: %s%s%s\r\n"
             "User-Agent: tlsock\r\nAccept: */*\r\n\r\n",
             z->token, v6 ? "[" : "", z->name, v6 ? "]" : "");
}

static void begin(struct acme_check *c)
{
    struct timeval now = {0, 0};
    tlsock_error err = {0};
    tlsock_config *config = NULL;
    char target[400];

    if (c->authz->by_tls) {
        config = acme_alpn_config();
        if (config == NULL) {
            conclude(c, "serverInternal", "out of memory");
            return;
        }
    }
    find_target(c, target);
    c->s = tlsock_connect(
        target, config,
        TLSOCK_OPTS(.nonblocking = 1, .plain = 1, .timeout_ms = TIMEOUT_MS),
        &err);
    tlsock_config_unref(config);
    if (c->s == NULL) {
        conclude(c, err.code == TLSOCK_E_RESOLVE ? "dns" : "connection",
                 err.message);
        return;
    }
    tlsock_set_deadline(c->s, TIMEOUT_MS);
    /* from the loop: the answer to the client comes first */
    c->ev = evtimer_new(c->order->acme->how.base, go_on, c);
    if (c->ev == NULL || event_add(c->ev, &now) < 0)
        conclude(c, "serverInternal", "out of memory");
}

static int may_begin(const struct acme_order *of)
{
    const struct acme *a = of->acme;
    size_t near = 0;

    for (const struct acme_order *o = a->orders; o != NULL; o = o->next)
        if (strcmp(o->origin, of->origin) == 0)
            near += o->n_checks;
    return a->n_checks < ACME_CHECKS &&
           (of->origin[0] == '\0' || near < ACME_CHECKS_EACH);
}

static void start(struct acme_order *o, struct acme_authz *z)
{
    struct acme_check *c = calloc(1, sizeof(*c));

    o->n_waits--;
    z->waits = 0;
    if (c == NULL) {
        acme_validated(o, z, "serverInternal", "out of memory");
        return;
    }
    o->n_checks++;
    o->acme->n_checks++;
    c->order = o;
    c->authz = z;
    z->check = c;
    snprintf(c->key, sizeof(c->key), "%s.%s", z->token, o->account->thumb);
    write_request(c);
    begin(c);
}

/* The oldest that may: they are at the end. */
static struct acme_order *next_waiting(const struct acme *a)
{
    struct acme_order *next = NULL;

    for (struct acme_order *o = a->orders; o != NULL; o = o->next)
        if (o->n_waits > 0 && may_begin(o))
            next = o;
    return next;
}

static void begin_one(struct acme_order *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->authz[i].waits) {
            start(o, &o->authz[i]);
            return;
        }
}

/* One that ends while it begins does not begin the next: we do. */
static void begin_waiting(struct acme *a)
{
    struct acme_order *o;

    if (a->no_more)
        return;
    a->no_more = 1;
    while (a->n_checks < ACME_CHECKS) {
        o = next_waiting(a);
        if (o == NULL)
            break;
        begin_one(o);
    }
    a->no_more = 0;
}

void acme_check_start(struct acme_order *o, struct acme_authz *z, int by_tls)
{
    z->by_tls = by_tls;
    z->waits = 1;
    o->n_waits++;
    begin_waiting(o->acme);
}
