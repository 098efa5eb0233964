/* earlying - what tests of early data have in common: a session that allows it,
 * and a server that reads it to its end. */
#ifndef TEST_FLOW_EARLYING_H
#define TEST_FLOW_EARLYING_H

#include "ca.h"
#include "peer.h"

static const char ask[] = "GET /may/be/done/twice", say[] = "here it is";

static inline void pair_of(tlsock_config **cc, tlsock_config **sc)
{
    *cc = ca_client("early-data", "1000", NULL);
    *sc = ca_server(ca_get()->a, "early-data", "1000", NULL);
}

/* A connection that leaves a session behind. */
static inline void prepare(tlsock_config *cc, tlsock_config *sc)
{
    struct peer p;

    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    peer_close(&p);
    peer_free(&p);
}

static inline void open_pair(struct peer *p, tlsock_config *cc,
                             tlsock_config *sc)
{
    peer_init(p);
    assert_int_equal(peer_open(p, cc, sc, "a.test"), 0);
}

static inline void told(struct peer *p, int want)
{
    static const char *const words[] = {"none", "sent", "accepted", "rejected"};

    for (int side = 0; side < 2; side++) {
        assert_int_equal(tlsock_info_int(p->conn[side], TLSOCK_INFO_EARLY_DATA),
                         want);
        assert_string_equal(tlsock_info(p->conn[side], TLSOCK_INFO_EARLY_DATA),
                            words[want]);
    }
}

/* Whatever a server is still to read of it, until the end of it. */
static inline size_t drain(struct peer *p, char *got, size_t size)
{
    size_t len = 0;
    ssize_t n;

    for (int i = 0; i < 100; i++) {
        n = tlsock_read_early(p->conn[SERVER], got + len, size - len);
        if (n == 0)
            return len;
        if (n == TLSOCK_AGAIN) {
            peer_step(p, CLIENT);
            continue;
        }
        assert_true(n > 0);
        len += (size_t)n;
    }
    fail_msg("no end of early data");
    return 0;
}

#endif
