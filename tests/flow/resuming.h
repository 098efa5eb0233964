/* resuming - what tests of sessions outside of memory have in common. */
#ifndef TEST_FLOW_RESUMING_H
#define TEST_FLOW_RESUMING_H

#include "ca.h"
#include "peer.h"

static const char *const versions[] = {"1.2", "1.3"};

/* One connection with data both ways and a clean end: 1 resumed, 0 in full, or
 * the code that the client failed with. */
static inline int once(tlsock_config *cc, tlsock_config *sc, const char *name)
{
    struct peer p;
    int rc;

    peer_init(&p);
    rc = peer_open(&p, cc, sc, name);
    if (rc != 0) {
        peer_free(&p);
        return rc;
    }
    rc = peer_shake(&p);
    if (rc == 0) {
        peer_pingpong(&p);
        rc = (int)tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED);
        peer_close(&p);
    } else {
        rc = p.rc[CLIENT] != 0 ? p.rc[CLIENT] : rc;
    }
    peer_free(&p);
    return rc;
}

/* For tsk_clock_wall. */
static int64_t today;

static inline int64_t wall(void)
{
    return today;
}

#endif
