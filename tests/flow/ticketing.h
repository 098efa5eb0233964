/* ticketing - what tests of servers' tickets have in common: a server whose
 * clock is moved by hand, and a client that shows what it was given. */
#ifndef TEST_FLOW_TICKETING_H
#define TEST_FLOW_TICKETING_H

#include "ca.h"
#include "lines.h"
#include "peer.h"
#include "sock.h"

#include "core/clock.h"

#include <signal.h>
#include <time.h>

#define ONE "5b7d19a1c5e84e9f8d0a4cc0bd55f24cfe8c1d43e2ac4d4e9fb6a1d0c3e24f10"

static const char *const versions[] = {"1.2", "1.3"};

static int64_t moved_ms, moved_s; /* by how much the clocks are ahead */

static inline int64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + moved_ms;
}

/* The start of a period of an hour, however long this test has been running:
 * what is meant to be within one is. */
static inline int64_t wall(void)
{
    return INT64_C(1800000000) + moved_s;
}

static inline void secret_is(const char *env, const char *text)
{
    assert_int_equal(setenv(env, text, 1), 0);
}

static inline tlsock_config *server(const char *source, const char *rotate)
{
    return source != NULL
               ? ca_server(ca_get()->a, "tickets.secret", source,
                           "tickets.rotate", rotate, NULL)
               : ca_server(ca_get()->a, "tickets.rotate", rotate, NULL);
}

/* One connection with data both ways and a clean end: was it resumed? */
static inline int once(tlsock_config *cc, tlsock_config *sc)
{
    struct peer p;
    int resumed;

    peer_init(&p);
    peer_connect(&p, cc, sc, "a.test");
    peer_pingpong(&p);
    resumed = (int)tlsock_info_int(p.conn[CLIENT], TLSOCK_INFO_RESUMED);
    assert_int_equal(tlsock_info_int(p.conn[SERVER], TLSOCK_INFO_RESUMED),
                     resumed);
    peer_close(&p);
    peer_free(&p);
    return resumed;
}

/* What a client of plain OpenSSL, which keeps no clock of ours, has and sees.
 */
struct visitor {
    const char *version;
    SSL_SESSION *ses; /* its newest, or NULL */
    int resumed;      /* the last time */
    int renewed;      /* and was given another ticket */
    long hint;        /* how long that lives, it was told */
};

static inline SSL *offering(struct visitor *v)
{
    struct raw_opts o = {.name = "a.test"};
    SSL *ssl;

    o.max = strcmp(v->version, "1.2") == 0 ? TLS1_2_VERSION : 0;
    ssl = raw_new(CLIENT, &o);
    if (v->ses != NULL)
        assert_int_equal(SSL_set_session(ssl, v->ses), 1);
    return ssl;
}

static inline void look_at(struct visitor *v, SSL *ssl)
{
    SSL_SESSION *ses = SSL_get1_session(ssl);
    const unsigned char *was = NULL, *is = NULL;
    size_t n_was = 0, n_is = 0;

    if (v->ses != NULL)
        SSL_SESSION_get0_ticket(v->ses, &was, &n_was);
    SSL_SESSION_get0_ticket(ses, &is, &n_is);
    v->resumed = SSL_session_reused(ssl);
    v->renewed = n_is != 0 && (n_is != n_was || memcmp(is, was, n_is) != 0);
    v->hint = (long)SSL_SESSION_get_ticket_lifetime_hint(ses);
    SSL_SESSION_free(v->ses);
    v->ses = ses;
    SSL_shutdown(ssl);
    raw_free(ssl);
}

/* The server's code; with 0 it has said "hi", so that tickets were read. */
static inline int visit(struct visitor *v, tlsock_config *sc)
{
    SSL *ssl = offering(v);
    struct peer p;
    char got[8];
    int rc;

    peer_init(&p);
    raw_on_end(ssl, &p.ends[CLIENT]);
    p.conn[SERVER] = tlsock_server_io(&peer_io, &p.ends[SERVER], sc,
                                      TLSOCK_OPTS(.nonblocking = 1), &p.err[1]);
    assert_non_null(p.conn[SERVER]);
    rc = raw_shake(&p, SERVER, ssl, NULL);
    if (rc == 0) {
        assert_int_equal(tlsock_write(p.conn[SERVER], "hi", 2), 2);
        assert_int_equal(SSL_read(ssl, got, 8), 2);
        look_at(v, ssl);
    } else {
        raw_free(ssl);
    }
    peer_free(&p);
    return rc;
}

static inline void leave(struct visitor *v)
{
    SSL_SESSION_free(v->ses);
    v->ses = NULL;
}

static inline int setup(void **state)
{
    signal(SIGPIPE, SIG_IGN); /* plain OpenSSL says good-bye to who is gone */
    tsk_clock_monotonic = monotonic;
    tsk_clock_wall = wall;
    return ca_setup(state);
}

#endif
