/* pump - stdin to the peer and the peer to stdout until both have ended.
 * Each direction ends by itself, and neither waits for the other, with two
 * exceptions: the peer is told that stdin has ended when it is sure to have
 * answered, and a dialogue that is to leave TLS goes step by step. */
#ifndef CLI_PUMP_H
#define CLI_PUMP_H

#include "out.h"

#include <stdint.h>
#include <tlsock.h>

#define PUMP_NO_STDOUT 1 /* stdout's reader is gone */
#define PUMP_NO_STDIN 2  /* stdin or stdout failed: *errnum */

#define PUMP_QUIET 0 /* the peer is told of stdin's end once it is silent, */
#define PUMP_NOW 1   /* at once, */
#define PUMP_NEVER 2 /* or when it has ended itself */

struct pump_opts {
    /* TLS ends after a line of the peer's with this; NULL: never. Until then
     * a line of stdin waits for the answer to the one before it. */
    const char *downgrade_after;
    void (*on_plain)(void *arg); /* that has happened */
    void *arg;
    int half_close; /* PUMP_QUIET ... */
    const unsigned char *first; /* goes before stdin */
    size_t first_len;           /* at most 65536 */
};

struct pump_result {
    uint64_t received; /* bytes that went to stdout */
    int errnum;        /* with PUMP_* */
    tlsock_error err;  /* with a negative code */
};

/* 0: all was sent and received; PUMP_*; or the code of a failure. */
int pump_run(tlsock *s, const struct pump_opts *opts,
             struct pump_result *result);

#endif
