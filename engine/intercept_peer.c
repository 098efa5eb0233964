/* Who the client is, and where it wanted to go before the system led it here.
 */
#include "intercept_private.h"

#include <linux/netfilter_ipv4.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define IP6_ORIGINAL_DST 80 /* linux/netfilter_ipv6/ip6_tables.h */

/* A listener of both families shows IPv4 in IPv6's form; rules know it as what
 * it is. */
static void unmap(struct sockaddr_storage *ss)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four = {.sin_family = AF_INET};

    memcpy(&six, ss, sizeof(six));
    if (six.sin6_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
        return;
    four.sin_port = six.sin6_port;
    memcpy(&four.sin_addr, six.sin6_addr.s6_addr + 12, 4);
    memset(ss, 0, sizeof(*ss));
    memcpy(ss, &four, sizeof(four));
}

void peer_name(struct conn *c)
{
    socklen_t len = sizeof(c->peer);
    char port[16];

    snprintf(c->client, sizeof(c->client), "local");
    snprintf(c->client_ip, sizeof(c->client_ip), "local");
    if (getpeername(c->fd, (struct sockaddr *)&c->peer, &len) < 0)
        return;
    unmap(&c->peer);
    if (getnameinfo((struct sockaddr *)&c->peer, len, c->client_ip,
                    sizeof(c->client_ip), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    snprintf(c->client, sizeof(c->client),
             strchr(c->client_ip, ':') != NULL ? "[%s]:%s" : "%s:%s",
             c->client_ip, port);
}

int peer_wanted(struct conn *c)
{
    struct sockaddr_storage here = {0};
    socklen_t len = sizeof(c->wanted), here_len = sizeof(here);
    char host[64], port[16], bracketed[80];
    int v6 = c->peer.ss_family == AF_INET6, rc;

    rc = getsockopt(c->fd, v6 ? SOL_IPV6 : SOL_IP,
                    v6 ? IP6_ORIGINAL_DST : SO_ORIGINAL_DST, &c->wanted, &len);
    if (rc == 0)
        rc = getsockname(c->fd, (struct sockaddr *)&here, &here_len);
    unmap(&here);
    if (here.ss_family == AF_INET)
        here_len = sizeof(struct sockaddr_in);
    if (rc < 0 || (len == here_len && memcmp(&here, &c->wanted, len) == 0) ||
        getnameinfo((struct sockaddr *)&c->wanted, len, host, sizeof(host),
                    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return -1;
    snprintf(bracketed, sizeof(bracketed), v6 ? "[%s]" : "%s", host);
    conn_set_target(c, bracketed, atoi(port));
    return 0;
}
