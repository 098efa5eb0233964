#include "net/resolve.h"

#include "core/mem.h"
#include "core/str.h"
#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

void tsk_addrs_free(struct tsk_addrs *a)
{
    tsk_free(a->list);
    a->list = NULL;
    a->n = 0;
}

static void add_unix(struct tsk_addrs *a, const char *path)
{
    struct tsk_addr *to = &a->list[a->n++];
    struct sockaddr_un sun;

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
    memcpy(&to->ss, &sun, sizeof(sun));
    to->len = sizeof(sun);
}

static void add_ip(struct tsk_addrs *a, int family, const uint8_t ip[16],
                   uint16_t port)
{
    struct tsk_addr *to = &a->list[a->n++];
    struct sockaddr_in sin;
    struct sockaddr_in6 sin6;

    if (family == 4) {
        memset(&sin, 0, sizeof(sin));
        sin.sin_family = AF_INET;
        sin.sin_port = htons(port);
        memcpy(&sin.sin_addr, ip, 4);
        memcpy(&to->ss, &sin, sizeof(sin));
        to->len = sizeof(sin);
    } else {
        memset(&sin6, 0, sizeof(sin6));
        sin6.sin6_family = AF_INET6;
        sin6.sin6_port = htons(port);
        memcpy(&sin6.sin6_addr, ip, 16);
        memcpy(&to->ss, &sin6, sizeof(sin6));
        to->len = sizeof(sin6);
    }
}

/* What a listener without a host stands for. Both families are listed: the
 * first that this machine has is taken. */
static void add_own(struct tsk_addrs *a, int any, int family, uint16_t port)
{
    static const uint8_t zero[16], four[16] = {127, 0, 0, 1},
                                   six[16] = {[15] = 1};

    if (any && family != 4)
        add_ip(a, 6, zero, port);
    if (family != 6)
        add_ip(a, 4, any ? zero : four, port);
    if (!any && family != 4)
        add_ip(a, 6, six, port);
}

int tsk_resolve_numeric(struct tsk_addrs *out, const struct tsk_target *t,
                        int family, tlsock_error *err)
{
    uint8_t ip[16];
    int64_t port = 0;
    int version = tsk_ip_parse(t->host, ip);
    int needed =
        t->path[0] != '\0' || ((t->host[0] == '\0' || version != 0) &&
                               tsk_number(t->service, 0, 65535, &port) == 0);

    out->list = NULL;
    out->n = 0;
    if (!needed)
        return 0;
    if (version != 0 && family != 0 && version != family) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "%s is no IPv%d address, but only those are asked for",
                 t->host, family);
        tsk_hint(err, "leave out the address family, or use an IPv%d address",
                 family);
        return TLSOCK_E_ARGUMENT;
    }
    out->list = tsk_alloc(2 * sizeof(*out->list));
    if (out->list == NULL)
        return tsk_fail_nomem(err);
    if (t->path[0] != '\0')
        add_unix(out, t->path);
    else if (version != 0)
        add_ip(out, version, ip, (uint16_t)port);
    else
        add_own(out, t->any, family, (uint16_t)port);
    return 1;
}

void tsk_addrs_interleave(struct tsk_addrs *a)
{
    for (size_t i = 1; i < a->n; i++) {
        sa_family_t before = a->list[i - 1].ss.ss_family;
        struct tsk_addr other;
        size_t j = i;

        while (j < a->n && a->list[j].ss.ss_family == before)
            j++;
        if (j == i || j == a->n)
            continue;
        other = a->list[j];
        memmove(&a->list[i + 1], &a->list[i], (j - i) * sizeof(other));
        a->list[i] = other;
    }
}

/* "192.0.2.1:443", or what of it fits */
static void put_ip(char *out, size_t size, int version, const void *ip,
                   in_port_t port)
{
    char text[INET6_ADDRSTRLEN + sizeof("[]:65535")], *p = text;
    size_t len;

    if (version == 6)
        *p++ = '[';
    tsk_ip_text(p, version, ip);
    p += strlen(p);
    if (version == 6)
        *p++ = ']';
    *p++ = ':';
    p += tsk_decimal(p, ntohs(port));
    len = (size_t)(p - text);
    if (len >= size)
        len = size - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

void tsk_addr_text(char *out, size_t size, const struct sockaddr *sa,
                   socklen_t len)
{
    struct sockaddr_in sin;
    struct sockaddr_in6 sin6;
    struct sockaddr_un sun;
    char path[4 * sizeof(sun.sun_path) + 1];

    if (size == 0)
        return;
    out[0] = '\0';
    if (len < sizeof(sa->sa_family))
        return;
    if (sa->sa_family == AF_INET && len >= sizeof(sin)) {
        memcpy(&sin, sa, sizeof(sin));
        put_ip(out, size, 4, &sin.sin_addr, sin.sin_port);
    } else if (sa->sa_family == AF_INET6 && len >= sizeof(sin6)) {
        memcpy(&sin6, sa, sizeof(sin6));
        /* A dual-stack listener's IPv4 peers are shown as what they are. */
        if (IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr))
            put_ip(out, size, 4, sin6.sin6_addr.s6_addr + 12, sin6.sin6_port);
        else
            put_ip(out, size, 6, &sin6.sin6_addr, sin6.sin6_port);
    } else if (sa->sa_family == AF_UNIX) {
        memset(&sun, 0, sizeof(sun));
        memcpy(&sun, sa, len < sizeof(sun) ? len : sizeof(sun));
        len = len < sizeof(sun) ? len : sizeof(sun);
        if (len <= offsetof(struct sockaddr_un, sun_path))
            return;
        len -= offsetof(struct sockaddr_un, sun_path);
        tsk_printable(path, sizeof(path), sun.sun_path,
                      sun.sun_path[0] == '\0' ? len
                                              : strnlen(sun.sun_path, len));
        snprintf(out, size, "unix:%s", path);
    }
}
