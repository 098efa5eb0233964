#include "net/hop.h"

#include "core/mem.h"
#include "core/str.h"
#include "net/addr.h"
#include "net/http.h"
#include "net/resolve.h"
#include "net/socks.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What is met where a proxy was expected, by its first bytes. */
static const struct stranger {
    const char *bytes;
    size_t len;
    const char *guess;
} strangers[] = {
    {"\x15\x03", 2,
     "it speaks TLS: for an HTTP proxy behind TLS write https://"},
    {"\x16\x03", 2,
     "it speaks TLS: for an HTTP proxy behind TLS write https://"},
    {"HTTP/", 5, "it speaks HTTP: write http:// if it is a proxy"},
    {"SSH-", 4, "it is an SSH server: check the port"},
    {"220", 3, "it may be a mail or FTP server: check the port"},
    {"<", 1, "it is a web server: check the port"},
    {"\x05", 1, "it speaks SOCKS5: write socks5h://"},
    {"\0", 1, "it may speak SOCKS4, which is not supported"},
    {"", 0, "check host, port and scheme of the proxy"},
};

void tsk_hop_quote(const struct tsk_hop *h, char *out, size_t size,
                   const void *said, size_t len)
{
    if (h->via->user != NULL)
        memcpy(out, "...", 4);
    else
        tsk_printable(out, size, said, len);
}

int tsk_hop_stranger(const struct tsk_hop *h, const struct tsk_talk *t,
                     const char *protocol, tlsock_error *err)
{
    const uint8_t *p = tsk_buf_at(t->in);
    const struct stranger *s = strangers;
    size_t len = t->in->len < 24 ? t->in->len : 24;
    char shown[100];

    while (memcmp(s->bytes, p, s->len < len ? s->len : len) != 0)
        s++; /* the last one is anything */
    tsk_hop_quote(h, shown, sizeof(shown), p, len);
    tsk_fail(err, TLSOCK_E_PROXY,
             "proxy %s does not speak %s: asked for %s, it sent \"%s\"",
             h->where, protocol, h->goal, shown);
    tsk_hint(err, "%s", s->guess);
    return TLSOCK_E_PROXY;
}

int tsk_hop_cut(const struct tsk_hop *h, int rc, tlsock_error *err)
{
    if (rc == TLSOCK_E_CLOSED_IN_HANDSHAKE) {
        tsk_fail(err, TLSOCK_E_PROXY,
                 "proxy %s closed the connection without an answer about %s",
                 h->where, h->goal);
        tsk_hint(err, "its log says why; it may refuse this client, or be no "
                      "proxy of the kind that its URL says");
        return TLSOCK_E_PROXY;
    }
    if (rc == TLSOCK_E_PROTOCOL) {
        tsk_fail(err, TLSOCK_E_PROXY,
                 "proxy %s sent a NUL byte in its answer about %s", h->where,
                 h->goal);
        tsk_hint(err, "check host, port and scheme of the proxy");
        return TLSOCK_E_PROXY;
    }
    if (rc == TLSOCK_E_LIMIT) {
        tsk_fail(err, rc, "proxy %s sent an endless answer about %s", h->where,
                 h->goal);
        tsk_hint(err,
                 "at most %d bytes in %d lines of at most %d are read: "
                 "check host, port and scheme of the proxy",
                 TSK_TALK_MOST, TSK_TALK_LINES, TSK_TALK_LINE);
    }
    return rc; /* AGAIN, or no memory */
}

static void describe(char out[160], const char *host, const char *service)
{
    int v6 = strchr(host, ':') != NULL;

    snprintf(out, 160, "%s%.80s%s:%.63s", v6 ? "[" : "", host, v6 ? "]" : "",
             service);
}

/* A port, or the name of a service, whose port is looked up later. */
static int set_port(struct tsk_hop *h, tlsock_error *err)
{
    const char *service = h->to->service;
    int64_t port = 0;

    if (strspn(service, "0123456789") == strlen(service) &&
        tsk_number(service, 1, 65535, &port) != 0) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "proxy %s: port of %s is \"%s\", not 1 to 65535", h->where,
                 h->host, service);
        tsk_hint(err, "write HOST:PORT, for example www.example.com:443");
        return TLSOCK_E_ARGUMENT;
    }
    h->port = (uint16_t)port;
    return TLSOCK_OK;
}

static int set_family(struct tsk_hop *h, int family, tlsock_error *err)
{
    if (family != 0 && family != 4 && family != 6) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "address family must be 0 (any), 4 or 6, not %d", family);
        tsk_hint(err, "leave it 0 unless only one family may be used");
        return TLSOCK_E_ARGUMENT;
    }
    if (h->via->kind == TSK_PROXY_SOCKS5 && h->is_ip != 0 && family != 0 &&
        h->is_ip != family) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "proxy %s: %s is no IPv%d address, but only those are asked "
                 "for",
                 h->where, h->host, family);
        tsk_hint(err, "leave out the address family, or use an IPv%d address",
                 family);
        return TLSOCK_E_ARGUMENT;
    }
    h->family = family;
    return TLSOCK_OK;
}

static int prepare(struct tsk_hop *h, int family, tlsock_error *err)
{
    const struct tsk_target *at = &h->via->target;
    char shown[256];
    int rc;

    tsk_printable(shown, sizeof(shown), at->host, strlen(at->host));
    describe(h->where, shown, at->service);
    if (h->to->path[0] != '\0') {
        tsk_printable(shown, sizeof(shown), h->to->path, strlen(h->to->path));
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "proxy %s: no proxy can reach the UNIX socket %.108s",
                 h->where, shown);
        tsk_hint(err, "connect to UNIX sockets without a proxy");
        return TLSOCK_E_ARGUMENT;
    }
    rc = tsk_host_normalise(h->host, h->to->host, err);
    if (rc != TLSOCK_OK)
        return rc;
    h->is_ip = tsk_ip_parse(h->host, h->ip);
    describe(h->goal, h->host, h->to->service);
    rc = set_port(h, err);
    return rc == TLSOCK_OK ? set_family(h, family, err) : rc;
}

struct tsk_hop *tsk_hop_new(const struct tsk_proxy *via,
                            const struct tsk_target *to, int family,
                            tlsock_error *err)
{
    struct tsk_hop *h = tsk_alloc(sizeof(*h));

    if (h == NULL) {
        tsk_fail_nomem(err);
        goto fail;
    }
    h->via = via;
    h->to = to;
    if (prepare(h, family, err) == TLSOCK_OK)
        return h;
fail:
    tsk_phase(err, TLSOCK_PHASE_PROXY);
    tsk_hop_free(h);
    return NULL;
}

static int needs_address(const struct tsk_hop *h)
{
    return h->via->kind == TSK_PROXY_SOCKS5 && h->is_ip == 0;
}

/* Only the port has a name: no name server is asked. */
static struct tsk_lookup *look_up_port(const struct tsk_hop *h,
                                       tlsock_error *err)
{
    struct tsk_target ask = *h->to;

    memcpy(ask.host, "127.0.0.1", 10);
    ask.is_ip = 4;
    return tsk_lookup_start(&ask, 4, err);
}

/* The resolver's failure, told of this proxy. */
static int unresolved(const struct tsk_hop *h, const tlsock_error *why,
                      tlsock_error *err)
{
    if (why->code == TLSOCK_E_RESOLVE && !needs_address(h)) {
        tsk_fail(err, why->code, "proxy %s: no port is known for %s", h->where,
                 h->goal);
        tsk_hint(err, "use a port number, or a service name that "
                      "/etc/services has");
        return why->code;
    }
    tsk_fail(err, why->code, "proxy %s: %s", h->where, why->message);
    if (why->code == TLSOCK_E_RESOLVE)
        tsk_hint(err, "is the name spelt right? If only the proxy can resolve "
                      "it, write socks5h:// instead of socks5://");
    else
        tsk_hint(err, "%s", why->hint);
    if (err != NULL)
        err->sys_errno = why->sys_errno;
    return why->code;
}

/* Asked for one family, the resolver names no other; asked for both, its first
 * is the one it prefers. */
static void use(struct tsk_hop *h, const struct tsk_addr *a)
{
    struct sockaddr_in sin;
    struct sockaddr_in6 sin6;

    if (a->ss.ss_family == AF_INET) {
        memcpy(&sin, &a->ss, sizeof(sin));
        h->port = ntohs(sin.sin_port);
        if (needs_address(h)) {
            memcpy(h->ip, &sin.sin_addr, 4);
            h->is_ip = 4;
        }
        return;
    }
    memcpy(&sin6, &a->ss, sizeof(sin6));
    h->port = ntohs(sin6.sin6_port);
    memcpy(h->ip, &sin6.sin6_addr, 16);
    h->is_ip = 6;
}

static int resolve(struct tsk_hop *h, tlsock_error *err)
{
    struct tsk_addrs found = {NULL, 0};
    tlsock_error why = {0};
    int rc;

    if (h->port != 0 && !needs_address(h))
        return TLSOCK_OK;
    if (h->lookup == NULL) {
        h->lookup = needs_address(h) ? tsk_lookup_start(h->to, h->family, &why)
                                     : look_up_port(h, &why);
        if (h->lookup == NULL)
            return unresolved(h, &why, err);
    }
    rc = tsk_lookup_result(h->lookup, &found, &why);
    if (rc == TLSOCK_AGAIN)
        return rc;
    tsk_lookup_free(h->lookup);
    h->lookup = NULL;
    if (rc != TLSOCK_OK)
        return unresolved(h, &why, err);
    use(h, &found.list[0]);
    tsk_addrs_free(&found);
    return TLSOCK_OK;
}

int tsk_hop_step(struct tsk_hop *h, struct tsk_talk *t, tlsock_error *err)
{
    int rc = resolve(h, err);

    if (rc == TLSOCK_OK)
        rc = h->via->kind == TSK_PROXY_HTTP ? tsk_http_step(h, t, err)
                                            : tsk_socks_step(h, t, err);
    if (rc != TLSOCK_OK && rc != TLSOCK_AGAIN)
        tsk_phase(err, TLSOCK_PHASE_PROXY);
    return rc;
}

int tsk_hop_fd(const struct tsk_hop *h)
{
    return h->lookup != NULL ? tsk_lookup_fd(h->lookup) : -1;
}

void tsk_hop_free(struct tsk_hop *h)
{
    if (h == NULL)
        return;
    tsk_lookup_free(h->lookup);
    tsk_free(h);
}
