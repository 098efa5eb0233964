/* facts - what goes with a session that a client may offer again: what was
 * found out when it was won, of whom, where, and under which settings. Knows
 * no connection and no config: whoever makes the digests decides who may
 * resume what. */
#ifndef TSK_SESSION_FACTS_H
#define TSK_SESSION_FACTS_H

#include "revoke/status.h"
#include "verify/policy.h"

#include <openssl/ssl.h>

#define TSK_SESSION_KEY 32
/* RFC 8446, 4.6.1: no ticket lives longer; here also what was renewed by
 * resuming, since the peer showed that it has its key. */
#define TSK_SESSION_LIFE (7 * 86400)
#define TSK_SESSION_SKEW 300 /* seconds that clocks may differ */

struct tsk_session_facts { /* what was found out when it was made */
    struct tsk_verdict verdict;
    char revocation[128];
    int64_t revocation_until; /* 0: what it says is of no age */
    struct tsk_status staple; /* what was stapled, if it is good */
    /* what a revocation cache calls the peer's certificate; 0: nobody asked */
    uint8_t asked[TSK_SESSION_KEY];
    int64_t since;    /* of the full handshake, Unix seconds */
    int64_t won;      /* the same of this session */
    unsigned process; /* fork generation that won it */
};

struct tsk_session_item {
    SSL_SESSION *ses; /* a reference */
    struct tsk_session_facts facts;
    int64_t expires;                  /* Unix seconds */
    uint8_t binding[TSK_SESSION_KEY]; /* digest of the settings */
    uint8_t peer[TSK_SESSION_KEY];    /* of who it is */
    uint8_t key[TSK_SESSION_KEY];     /* of who and where */
};

/* May it be offered at this time? A clock that was set back tells nothing of
 * its age. */
static inline int tsk_session_fresh(const struct tsk_session_facts *facts,
                                    int64_t expires, int64_t now)
{
    return expires > now && facts->won <= now + TSK_SESSION_SKEW;
}

#endif
