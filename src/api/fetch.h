/* fetch - one HTTP request for revocation or a missing issuer, nonblocking,
 * over a plain connection of our own: names, addresses, proxies and deadlines
 * as anywhere. http:// alone (what comes is signed), few redirects, bounded in
 * bytes and time. */
#ifndef TSK_API_FETCH_H
#define TSK_API_FETCH_H

#include "core/err.h"

#include <poll.h>
#include <tlsock/revoke.h>

struct tsk_fetching;

struct tsk_fetch_limits {
    size_t bytes;                /* most of the body */
    int timeout_ms;              /* of all, redirects too; -1: none */
    const char *proxy;           /* as opts.proxy; NULL: none */
    tlsock_config *proxy_config; /* as opts.proxy_config; NULL: default */
};

/* what and limits are copied. */
struct tsk_fetching *tsk_fetching_new(const tlsock_fetch *what,
                                      const struct tsk_fetch_limits *limits,
                                      tlsock_error *err);
/* 0: a 200 response is there in full; AGAIN: poll, then call again; code, with
 * an error that names the URL. Never waits. */
int tsk_fetching_step(struct tsk_fetching *f, tlsock_error *err);
size_t tsk_fetching_pollfds(const struct tsk_fetching *f, struct pollfd *fds,
                            size_t max, int *wait_ms);
const void *tsk_fetching_body(const struct tsk_fetching *f, size_t *len);
void tsk_fetching_free(struct tsk_fetching *f);

#endif
