/* store - sessions a client may offer again, bounded, least recently used
 * goes first. Thread-safe. Keys are opaque bytes: who may resume what is
 * decided by whoever makes them. */
#ifndef TSK_SESSION_STORE_H
#define TSK_SESSION_STORE_H

#include "revoke/status.h"
#include "verify/policy.h"

#include <openssl/ssl.h>

struct tsk_sessions;

struct tsk_session_facts { /* what was found out when it was made */
    struct tsk_verdict verdict;
    char revocation[128];
    int64_t revocation_until; /* 0: what it says is of no age */
    struct tsk_status staple; /* what was stapled, if it is good */
};

struct tsk_sessions *tsk_sessions_new(size_t most); /* NULL: no memory */
void tsk_sessions_free(struct tsk_sessions *c);
/* A reference is taken. expires: Unix seconds. Out of memory: not kept. */
void tsk_sessions_put(struct tsk_sessions *c, const char *key, SSL_SESSION *ses,
                      const struct tsk_session_facts *facts, int64_t expires);
/* The newest for this key that has not expired, or NULL; a reference, yours.
 * A TLS 1.3 session is given out once (RFC 8446, C.4). */
SSL_SESSION *tsk_sessions_take(struct tsk_sessions *c, const char *key,
                               struct tsk_session_facts *facts, int64_t now);
size_t tsk_sessions_count(struct tsk_sessions *c);

#endif
