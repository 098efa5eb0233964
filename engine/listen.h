/* listen - the event loop of a TLS server: accepts, hands each connection to
 * a relay, ends on SIGINT and SIGTERM.
 *
 * Uses the public API alone. Prints nothing: what happens is told to the
 * callbacks. */
#ifndef ENGINE_LISTEN_H
#define ENGINE_LISTEN_H

#include <stdint.h>
#include <tlsock.h>

#define ENGINE_ECHO 0
#define ENGINE_REPLY 1 /* send reply after the client's first bytes, or end */
#define ENGINE_EXEC 2  /* a program per connection */
#define ENGINE_FILES 3 /* a directory by HTTP */

struct engine_end {
    const tlsock_error *err; /* NULL: it ended as it should */
    uint64_t received, sent; /* bytes of data */
    int handshaken;
};

struct engine_opts {
    tlsock_listener *listener; /* nonblocking; borrowed */
    unsigned long count;       /* accept this many, then end; 0: no limit */
    int mode;                  /* ENGINE_* */
    char *const *argv;         /* ENGINE_EXEC */
    const void *reply;         /* ENGINE_REPLY */
    size_t reply_len;
    int root;               /* ENGINE_FILES: the directory */
    int patience_ms; /* ENGINE_FILES: for a request to come, and for a client
                      * to take some of its answer; -1: no limit */
    int plain_too;          /* clients without TLS are served as well */
    tlsock_config *config;  /* then: the listener's; borrowed */
    /* signals are caught and clients are taken from now on; nonzero ends it */
    int (*on_ready)(void *arg);
    /* handshake done, before any data */
    void (*on_open)(void *arg, const tlsock *s, unsigned long id);
    /* ENGINE_FILES: an answer begins */
    void (*on_request)(void *arg, unsigned long id, const char *path,
                       int status, int64_t length);
    /* the connection is about to be closed */
    void (*on_end)(void *arg, const tlsock *s, unsigned long id,
                   const struct engine_end *end);
    /* SIGHUP came; nonzero ends it. NULL: the signal is not caught */
    int (*on_hangup)(void *arg);
    /* accept failed; the server goes on */
    void (*on_trouble)(void *arg, const tlsock_error *err);
    void *arg;
};

/* Serve until count connections have ended or a signal comes: 0. first_error
 * gets the code of the first connection that failed, or 0. Negative: an errno,
 * why there is no loop; positive: what on_ready gave. */
int engine_run(const struct engine_opts *opts, int *first_error);

#endif
