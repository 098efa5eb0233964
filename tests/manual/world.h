/* world - where the manual's C examples run: every host is this one, whose
 * certificate has all the names, signed by a CA that the system trusts, for now
 * and at the dates in the examples. */
#ifndef MANUAL_WORLD_H
#define MANUAL_WORLD_H

#include "test.h"

int world_begin(void **state);
int world_end(void **state);

extern FILE *world_out; /* what examples print */
extern tlsock_cert *world_ca, *world_leaf;
tlsock_config *world_server(void); /* a config with the leaf */

/* A server for one connection, in a thread; talk() closes it. The hosts of
 * examples lead to it until world_wait(). c: taken. */
void world_serve(tlsock_config *c, const tlsock_opts *o,
                 void (*talk)(tlsock *));
void world_wait(void);
/* A client of it, trusting the system; fails the test if there is none. */
tlsock *world_client(const char *target, const tlsock_opts *o);

/* What servers do. */
void world_greets(tlsock *s);  /* "hello", and the end */
void world_answers(tlsock *s); /* reads to the end, then "hello" */
void world_echoes(tlsock *s);  /* a line, back */

#endif
