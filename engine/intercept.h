/* intercept - a man in the middle with the client's consent: takes clients in,
 * finds out where each wants to go, asks the rules, and relays decrypted or
 * untouched bytes.
 *
 * Uses the public API alone, one event loop for each thread. Prints nothing:
 * what happens is told to a callback, on the thread where it happens. */
#ifndef ENGINE_INTERCEPT_H
#define ENGINE_INTERCEPT_H

#include "intercept_rules.h"

#include <stdint.h>
#include <time.h>
#include <tlsock.h>
#include <tlsock/config.h>

/* How a client says where it wants to go. */
#define INTERCEPT_PROXY 0 /* HTTP proxy, SOCKS5, or TLS's SNI: first byte */
#define INTERCEPT_TO 1    /* always to the same target */
#define INTERCEPT_TRANSPARENT 2 /* SO_ORIGINAL_DST */

/* What is told. */
#define INTERCEPT_OPEN 0  /* decrypted: both sides are in TLS */
#define INTERCEPT_PASS 1  /* relayed untouched */
#define INTERCEPT_PLAIN 2 /* there is no TLS (yet) */
#define INTERCEPT_DENY 3  /* a rule, or the server is not to be trusted */
#define INTERCEPT_FAIL 4  /* any other failure; the connection ends */
#define INTERCEPT_END 5   /* it has ended */
#define INTERCEPT_NOTE 6  /* of who keeps what goes through: not of ours */

struct intercept_event {
    int kind;
    unsigned long id;
    const char *client, *target; /* "127.0.0.1:1234", "example.com:443" */
    const char *sni, *alpn, *ja4;
    const char *reason;      /* "" or why; text of ours, or escaped */
    const tlsock_error *err; /* or NULL */
    const tlsock *up, *down; /* OPEN: both */
    const char *starttls;    /* "smtp", "" */
    time_t until;            /* PASS: not decrypted until; 0: by a rule */
    uint64_t received, sent; /* END: bytes from and to the client */
};

/* Who keeps what goes through. Each may be NULL. Called on the connection's
 * thread; key is what open gave, for OPEN or PLAIN. */
struct intercept_tap {
    void *(*open)(void *arg, const struct intercept_event *e);
    /* it is in TLS from now on, e is OPEN; may be NULL */
    void (*turn)(void *key, const struct intercept_event *e);
    void (*data)(void *key, int from_client, const void *bytes, size_t len);
    void (*close)(void *key);
    void *arg;
};
#define INTERCEPT_TAPS 4

struct intercept_opts {
    tlsock_listener *listener; /* nonblocking and plain; borrowed */
    int threads;               /* loops; at least 1 */
    int mode;                  /* INTERCEPT_* */
    const char *to;            /* INTERCEPT_TO: "host:port" */
    int sni_port;              /* where SNI alone leads to */
    const struct intercept_rules *rules;
    tlsock_config *up;   /* trust and identity; copied as needed */
    tlsock_config *down; /* settings of the client's side, with an identity
                            that is never shown */
    const char *name;    /* to check and to send upstream; NULL: the client's */
    int timeout_ms;      /* upstream: connect and handshake */
    int hello_ms;        /* until the client's first bytes are complete */
    int64_t pass_s;      /* who refuses twice is passed for so long; 0: never */
    unsigned long most;  /* connections at once */
    char *const *argv;   /* a program for each, or NULL */
    /* A certificate for what upstream has shown; NULL: *err */
    tlsock_cert *(*leaf)(void *arg, const tlsock_cert *seen, tlsock_error *err);
    /* clients are taken from now on; nonzero ends it */
    int (*on_ready)(void *arg);
    void (*on_event)(void *arg, const struct intercept_event *e);
    void (*on_trouble)(void *arg, const tlsock_error *err);
    void *arg;
    struct intercept_tap taps[INTERCEPT_TAPS];
};

/* Until SIGINT or SIGTERM: 0. Negative: an errno, why there are no loops;
 * positive: what on_ready gave. */
int intercept_run(const struct intercept_opts *opts);

#endif
