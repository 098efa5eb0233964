/* asking - a server about whose certificate the web can be asked, and clients
 * that do. */
#ifndef TEST_ASKING_H
#define TEST_ASKING_H

#include "ca.h"
#include "netweb.h"
#include "sock.h"

#include <poll.h>
#include <unistd.h>

struct asking {
    struct netweb net;
    tlsock_config *server;
};

static const struct net asking_good = {NET_GOOD, NET_GOOD, NET_GOOD, NET_GOOD};

static inline void asking_start(struct asking *w, const struct net *says)
{
    netweb_start(&w->net, says);
    w->server = tlsock_config_new();
    /* what a server asks for itself would be counted, too */
    assert_code(tlsock_config_set(w->server, "staple", "off"), 0);
    assert_code(tlsock_config_add_cert(w->server, w->net.pki.leaf), 0);
}

static inline void asking_stop(struct asking *w)
{
    tlsock_config_unref(w->server);
    netweb_stop(&w->net);
}

/* key, value pairs, NULL at the end */
static inline tlsock_config *asking_client(const struct asking *w, ...)
{
    tlsock_config *c = tlsock_config_new();
    const char *key;
    va_list ap;

    assert_code(tlsock_config_add_trust(c, w->net.root), 0);
    va_start(ap, w);
    while ((key = va_arg(ap, const char *)) != NULL) {
        if (tlsock_config_set(c, key, va_arg(ap, const char *)) != 0)
            fail_msg("%s", tlsock_config_error(c)->message);
    }
    va_end(ap);
    return c;
}

static inline tlsock *asking_open(struct asking *w, tlsock_config *c,
                                  const char *name, const tlsock_opts *opts,
                                  struct sock_thread *t, tlsock_error *err)
{
    int fds[2];
    tlsock *s;

    sock_pair(fds);
    sock_run(t, fds[1], sock_echo, w->server);
    s = tlsock_client_fd(fds[0], name, c, opts, err);
    if (s == NULL) /* the caller's then */
        close(fds[0]);
    return s;
}

static inline tlsock *asking_visit(struct asking *w, tlsock_config *c,
                                   const char *name, struct sock_thread *t,
                                   tlsock_error *err)
{
    return asking_open(w, c, name, TLSOCK_OPTS(.timeout_ms = 30000), t, err);
}

/* The same, nonblocking: it has said nothing yet. */
static inline tlsock *asking_begin(struct asking *w, tlsock_config *c,
                                   unsigned flags, struct sock_thread *t)
{
    tlsock_error err = {0};
    tlsock *s = asking_open(
        w, c, "a.test",
        TLSOCK_OPTS(.nonblocking = 1, .flags = flags, .timeout_ms = 30000), t,
        &err);

    assert_non_null(s);
    return s;
}

/* By poll() alone, to its end. */
static inline int asking_shake(tlsock *s)
{
    int rc;

    while ((rc = tlsock_handshake(s)) == TLSOCK_AGAIN) {
        struct pollfd pfd = {tlsock_fd(s), tlsock_events(s), 0};

        assert_true(pfd.fd >= 0);
        poll(&pfd, 1, tlsock_timeout(s));
    }
    return rc;
}

#endif
