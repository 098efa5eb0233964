/* stapling - a responder that says what a test wants, certificates that name
 * it, and clocks that are moved by hand. The responder is the library's. */
#ifndef TEST_STAPLING_H
#define TEST_STAPLING_H

#include "ca.h"
#include "httpd.h"

#include "tls/ctx.h"

#include <stdatomic.h>
#include <tlsock/revoke.h>

#define STAPLING_VALID_S 3600

extern atomic_llong stapling_moved_ms; /* by how much the clocks are ahead */
int64_t stapling_wall(void);

/* What the responder says: of all certificates. */
struct stapling_responder {
    atomic_int status, valid_s, garbage, older_s;
    char revoked[64]; /* a serial that is, whatever the status; or "" */
    tlsock_cert *issuer;
};

struct stapling {
    struct httpd web;
    struct stapling_responder r;
    tlsock_cert *a, *b; /* a.test, b.test, with the responder's URL */
    tlsock_config *cc;
};

/* Fixtures of one test. */
int stapling_stage(void **state);
int stapling_clear(void **state);
#define STAPLING(test)                                                         \
    cmocka_unit_test_setup_teardown(test, stapling_stage, stapling_clear)

/* How the responder's page is sent from now on. */
void stapling_how(struct stapling *t, enum httpd_how way);

/* It serves from now on, as a listener makes it. */
void stapling_serve(tlsock_config *sc);

/* What a client's handshake tells of the revocation; or its failure. */
int stapling_shake(const struct stapling *t, tlsock_config *sc,
                   const char *name, char told[128]);

struct tsk_ctx *stapling_ctx_of(tlsock_config *sc);

/* As of when the staple in a slot is; 0: there is none to be sent. */
int64_t stapling_as_of(tlsock_config *sc, size_t slot);

/* The thread has put one in that is not older than this: within 20 s. */
void stapling_await(tlsock_config *sc, size_t slot, int64_t not_before);

/* The clocks go, and the config's thread looks at them; sc may be NULL. */
void stapling_advance(tlsock_config *sc, int64_t seconds);

/* Pauses pass until there is one. */
void stapling_await_retry(tlsock_config *sc);

#endif
