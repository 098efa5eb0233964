/* pump - stdin to the peer and the peer to stdout until both have ended.
 * Each direction ends by itself, and neither waits for the other. */
#ifndef CLI_PUMP_H
#define CLI_PUMP_H

#include "out.h"

#include <stdint.h>
#include <tlsock.h>

#define PUMP_NO_STDOUT 1 /* stdout's reader is gone */
#define PUMP_NO_STDIN 2  /* stdin or stdout failed: *errnum */

struct pump_result {
    uint64_t received; /* bytes that went to stdout */
    int errnum;        /* with PUMP_* */
    tlsock_error err;  /* with a negative code */
};

/* 0: all was sent and received; PUMP_*; or the code of a failure. */
int pump_run(tlsock *s, struct pump_result *result);

#endif
