/* way - a server, and what is between it and a client: proxies of each kind,
 * a chain of them, STARTTLS. All run in threads of their own and serve one
 * client after the other until way_end(). The client is whoever calls. */
#ifndef TEST_OOM_WAY_H
#define TEST_OOM_WAY_H

#include "proxy.h"

#define WAY_HOPS 3

struct way_kind {
    const char *name;
    const char *hops[WAY_HOPS]; /* URLs without their ports */
    const char *starttls;       /* or NULL */
    const char *host;           /* of the target */
};
extern const struct way_kind way_kinds[];
extern const size_t way_count;

struct way {
    tlsock_config *cc;     /* the client's */
    tlsock_config *server; /* a.test */
    tlsock_config *proxy;  /* what https:// proxies show */
    const struct way_kind *kind;
    struct sock_server last, hops[WAY_HOPS];
    struct test_proxy how[WAY_HOPS];
    size_t n_hops;
    char target[64], urls[300]; /* what the client needs */
};

void way_begin(struct way *w, const struct way_kind *kind,
               tlsock_cert *proxy_shows);
/* name: what the server is expected to be */
tlsock *way_connect(const struct way *w, const char *name, int nonblocking,
                    tlsock_error *err);
/* Every thread has ended after it. */
void way_end(struct way *w);

#endif
