/* pair - a connected in-memory pair as a test fixture, over both versions. */
#ifndef TEST_PAIR_H
#define TEST_PAIR_H

#include "ca.h"
#include "peer.h"

struct pair {
    tlsock_config *cc, *sc;
    struct peer p;
};

static inline int pair_start(void **state, const char *tls_max,
                             const char *write_buffer)
{
    struct pair *t = test_malloc(sizeof(*t));

    t->cc = ca_client("tls.max", tls_max, NULL);
    t->sc = ca_server(ca_get()->a, NULL);
    assert_int_equal(
        tlsock_config_set(t->cc, "write.buffer", write_buffer), 0);
    peer_init(&t->p);
    peer_connect(&t->p, t->cc, t->sc, "a.test");
    peer_pingpong(&t->p);
    *state = t;
    return 0;
}

static inline int pair_12(void **state)
{
    return pair_start(state, "1.2", "0");
}

static inline int pair_13(void **state)
{
    return pair_start(state, "1.3", "0");
}

/* Both ends PLAIN: for what is not about TLS alone. */
static inline int pair_plain(void **state)
{
    struct pair *t = test_malloc(sizeof(*t));
    const tlsock_opts *o = TLSOCK_OPTS(.nonblocking = 1, .plain = 1);

    t->cc = ca_client(NULL);
    t->sc = ca_server(ca_get()->a, NULL);
    peer_init(&t->p);
    assert_code(peer_open_opts(&t->p, t->cc, o, t->sc, o, "a.test"), TLSOCK_OK);
    *state = t;
    return 0;
}

static inline int pair_stop(void **state)
{
    struct pair *t = *state;

    peer_free(&t->p);
    tlsock_config_unref(t->cc);
    tlsock_config_unref(t->sc);
    test_free(t);
    return 0;
}

static inline struct peer *pair_of(void **state)
{
    return &((struct pair *)*state)->p;
}

#define BOTH(test) \
    {#test " (TLS 1.2)", test, pair_12, pair_stop, NULL}, \
    { \
        #test " (TLS 1.3)", test, pair_13, pair_stop, NULL \
    }

#define PLAIN(test) \
    { \
        #test " (PLAIN)", test, pair_plain, pair_stop, NULL \
    }

#endif
