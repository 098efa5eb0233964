/* helloserve - a server that tells of each client's hello, and then refuses it,
 * or lets it in with a certificate for localhost. */
#ifndef CLI_HELLOSERVE_H
#define CLI_HELLOSERVE_H

#include "opt.h"

struct helloserve {
    struct opts *o; /* --trace and its like */
    const struct out *out;
    const char *target;    /* where to listen */
    const char *port_file; /* or NULL */
    long count;            /* 0: until a signal comes */
    int let_in;
};

int helloserve_run(const struct helloserve *h); /* an exit code */

#endif
