/* net - what the world says about revocation, as tests want it: a CA with an
 * intermediate one, a leaf, and whatever its lists and responders answer.
 * Bytes alone: tests bring them to where they are asked for. */
#ifndef TEST_NET_H
#define TEST_NET_H

#include "test.h"

#include <tlsock/revoke.h>

enum net_says {
    NET_GOOD,
    NET_REVOKED,
    NET_OLD,     /* good, and over */
    NET_FORGED,  /* by another CA of the same name */
    NET_GARBAGE, /* 200 bytes of noise */
    NET_DOWN,    /* nobody answers */
    NET_NONE,    /* the certificate names no such source */
};

struct net {
    enum net_says leaf_list, leaf_ocsp, inter_list, inter_ocsp;
};

struct net_pki {
    tlsock_cert *root, *inter, *leaf; /* leaf: a.test, with its chain, key */
    tlsock_cert *false_root, *false_inter; /* of the same names */
};

/* base: "http://127.0.0.1:1234" or any; what is NET_NONE is left out. */
void net_make(struct net_pki *p, const char *base, const struct net *n);
void net_free(struct net_pki *p);

/* The body of the answer to a request to base + path ("/leaf.crl",
 * "/inter.crl", "/leaf.ocsp[/...]", "/inter.ocsp[/...]"), yours to free();
 * NULL: none. body: of a POST, or NULL. */
unsigned char *net_answer(const struct net_pki *p, const struct net *n,
                          const char *path, const void *body, size_t body_len,
                          size_t *len);

#endif
