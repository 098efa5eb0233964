/* made - what the tests of made revocation share: a CA, one that may not, and
 * certificates of responders, with their keys. */
#ifndef TEST_REVOKE_MADE_H
#define TEST_REVOKE_MADE_H

#include "pki.h"

#include "cert/cert.h"

#include <tlsock/openssl.h>
#include <tlsock/revoke.h>

struct made {
    tlsock_cert *ca;       /* "CA", with its key */
    tlsock_cert *bare;     /* a CA without keyUsage nor key identifier */
    tlsock_cert *keyless;  /* the CA's certificate alone */
    tlsock_cert *mixed;    /* the CA's certificate with another key */
    tlsock_cert *certs_ca; /* may sign certificates, no CRLs */
    tlsock_cert *leaf;     /* no CA */
    tlsock_cert *other;    /* another CA */
    tlsock_cert *responder, *old_responder, *no_eku, *strangers;
    tlsock_cert *ed;  /* a CA with an Ed25519 key */
    tlsock_cert *rsa; /* a CA with an RSA key */
};

extern struct made made;
int made_setup(void **state);
int made_teardown(void **state);
const char *made_path(const char *name); /* in a directory that goes away */

#endif
