/* probe - what a server answers to a ClientHello by hand: one connection each,
 * closed before the next one begins, by proxies and STARTTLS if so asked.
 *
 * Decides how to get there and when to give up; what the answers mean is
 * somebody else's. Every wait ends with --timeout, every answer at
 * HELLO_ANSWER_MAX bytes. */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include "hello.h"
#include "opt.h"

#define PROBE_MOST 256 /* suites or groups in one question */

struct probe {
    const struct opts *o; /* dial, proxy...; see opt_dial() */
    const char *name;     /* of the server, for the dialogue of STARTTLS */
    const char *starttls, *starttls_arg; /* NULL: TLS at once */
    int timeout_ms;                      /* of each connection */
    tlsock_config *config;               /* for what comes before TLS */
    tlsock_config *unseen; /* the same, of whose dialogue we tell ourselves */
    int connections;       /* made so far */
    int failed;            /* 1: the last one was not answered; see error */
    tlsock_error error;
};

/* 1 and *answer: it has answered; a connection that it ends is a refusal, as
 * an alert is: HELLO_ALERT with alert -1. 0: nobody can tell, p->error. */
int probe_once(struct probe *p, const struct hello_ask *ask,
               struct hello_answer *answer);
/* Did it agree to this version? */
int probe_takes(const struct hello_answer *a, int version);
/* Which of ask->suites it takes, what it likes best first: all are offered,
 * then what is left. Gives their number; p->failed: there may be more. found
 * has room for all. */
size_t probe_suites(struct probe *p, const struct hello_ask *ask,
                    uint16_t *found);
/* The same of ask->groups. cert_group: the curve of the server's key, or 0. */
size_t probe_groups(struct probe *p, const struct hello_ask *ask,
                    int cert_group, uint16_t *found);

#endif
