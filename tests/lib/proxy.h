/* proxy - small proxies for tests: HTTP CONNECT and SOCKS5, with a password or
 * without, in TLS or not, and rude ones. Each serves one connection: it is a
 * script for sock_serve(). IPv4 on loopback alone. */
#ifndef TEST_PROXY_H
#define TEST_PROXY_H

#include "sock.h"

struct test_proxy {
    const char *auth;     /* "user:password" it asks for, or NULL */
    tlsock_config *tls;   /* it speaks TLS to its clients; or NULL */
    const char *answer;   /* instead of a way through; then it ends */
    const char *in_front; /* said in the same segment as the good answer */
    /* what happened */
    char asked[300]; /* "host:port" */
    int passed;      /* ways that were opened */
};

void proxy_http(int fd, void *test_proxy);
void proxy_socks5(int fd, void *test_proxy);

#endif
