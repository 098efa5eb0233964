/* ca - a throw-away PKI, made once per program with the library's own calls.
 *
 * root > inter > leaves, and a second root that nobody trusts. The private
 * files that URIs need are in a directory that ca_free() removes. */
#ifndef TEST_CA_H
#define TEST_CA_H

#include "test.h"

struct test_ca {
    tlsock_cert *root, *inter, *stranger_root;
    tlsock_cert *a, *b, *wild;      /* a.test, b.test, *.w.test */
    tlsock_cert *ip;                /* 127.0.0.1, ::1, localhost */
    tlsock_cert *expired, *not_yet; /* a.test, 3 days off */
    tlsock_cert *client;            /* "Test Client", for clients only */
    tlsock_cert *expired_client;  /* the same, since 3 days */
    tlsock_cert *stranger_client;   /* of the other root */
    tlsock_cert *stranger;          /* a.test of the other root */
    tlsock_cert *self_signed;       /* a.test of its own */
    /* of ca_setup_rsa() alone, as such keys take their time: a.test with RSA
     * 2048, and with RSA 1024 */
    tlsock_cert *rsa, *weak;
    char dir[64];
    char root_pem[96], a_pem[96], a_key[96], b_pem[96], b_key[96],
        client_pem[96];
};

/* Built at the first call; the test fails if it cannot be. */
const struct test_ca *ca_get(void);
void ca_free(void);
/* Group fixtures that do the two. */
int ca_setup(void **state);
int ca_setup_rsa(void **state);
int ca_teardown(void **state);

/* A config that trusts the root; with key, value pairs, NULL at the end. */
tlsock_config *ca_client(const char *key, ...);
/* A config with an identity. */
tlsock_config *ca_server(tlsock_cert *identity, const char *key, ...);

#endif
