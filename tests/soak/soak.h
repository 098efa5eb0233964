/* soak - thousands of connections coming and going, faults among them.
 *
 * One process is a server that echoes, one is all its clients. The work is done
 * in rounds; after each, when nobody is connected, both say what they hold. */
#ifndef SOAK_H
#define SOAK_H

#include <stddef.h>
#include <stdint.h>
#include <tlsock.h>
#include <tlsock/cert.h>
#include <tlsock/config.h>
#include <tlsock/info.h>

struct soak_held { /* with nobody connected */
    long heap;     /* bytes that malloc gave out; -1 under a sanitizer */
    long rss;      /* KiB */
    int fds;
};

/* What the server is asked for by one byte, and what it answers. */
struct soak_report {
    struct soak_held held;
    long accepted, echoed, faults; /* since the last report */
    long failed;   /* by a code, not by the server's own fault */
    char odd[160]; /* a failure that nobody caused, or "" */
};

struct soak_round {
    long opened, whole; /* connections; those whose echo was right */
    long broken;        /* good ones that failed */
    long faults;        /* those that misbehaved on purpose */
    long most;          /* at once */
    char odd[160];      /* an outcome that no fault explains, or "" */
};

struct soak_held soak_held(void);
/* xorshift: the same run again for the same seed */
uint32_t soak_random(uint32_t *state);
int soak_milliseconds(void); /* monotonic */
int soak_wants(tlsock *s);   /* EPOLLIN, EPOLLOUT */

/* Serve until @p ask is closed; each byte read there is answered by a report
 * once nobody is connected. */
int soak_serve(tlsock_listener *l, int ask);

struct soak_plan {
    long most;        /* connections at once */
    long connections; /* in each round at least so many */
    int seconds;      /* in each round at least so long */
    int rounds;
    int pause;    /* at most so many milliseconds between two exchanges */
    int patience; /* of who says nothing, milliseconds; 0: until the server
                     sends it away */
};

/* A round; returns when its last connection has ended. The configs: trusting,
 * TLS 1.2, without the CA. */
void soak_visit(int port, tlsock_config *configs[3],
                const struct soak_plan *plan, uint32_t *random,
                struct soak_round *round);

#endif
