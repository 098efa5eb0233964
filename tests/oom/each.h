/* each - run a scenario again and again with the n-th allocation failing, and
 * judge how it went. Knows nothing of what a scenario does. */
#ifndef TEST_OOM_EACH_H
#define TEST_OOM_EACH_H

#include "fault.h"

/* What a scenario gets, and what it leaves behind. */
struct world {
    tlsock_config *cc, *sc; /* NULL: made within the scenario */
    const char *name;
    const void *with;   /* what else this scenario needs, borrowed */
    long dense, stride; /* OpenSSL's allocations: beyond `dense` each
                           stride-th will do, unless TLSOCK_OOM_EVERY is set;
                           0: every one. The library's own: always each. */
    int by_line;        /* OpenSSL's: the 1st, 2nd, 4th, 8th, ... that each
                           line of its source makes, instead */
    int soft;           /* what OpenSSL says no to for any other reason is taken
                           for a fault of the peer, and that is let pass */
    tlsock_error err;   /* the first failure, of either side */
    int accepted;       /* the client took the peer for good */
    const char *broken; /* a promise that was not kept, or NULL */
};

/* 0, or a code; w->err has the cause */
typedef int scenario(struct world *w);

/* The first failure of all is what counts. Gives rc back. */
int note(struct world *w, const tlsock_error *err, int rc);
/* n = 1, 2, ... until none fails any more; the scenario then gives `want`.
 * Only this thread's allocations fail. Where want is a code, nobody is ever to
 * be accepted. */
void each(const char *what, scenario *run, const struct world *start,
          enum fault_kind kind, int want);

#endif
