/* signer - who signs a certificate: a CA's directory, which keeps an index of
 * what it issued, or a bare certificate with its key, which keeps nothing. */
#ifndef CLI_SIGNER_H
#define CLI_SIGNER_H

#include "cadb.h"

struct signer {
    struct cadb *db;   /* locked while it is open; NULL: a bare file */
    tlsock_cert *own;  /* the bare file */
    const char *where; /* what is open, for errors; NULL: nothing */
    char dir[4096];
};

/* where: a directory, its ca.pem, or another file; NULL: the local CA, if
 * there is one, else nothing is open (s->where is NULL). 0 or a code. Open it
 * late and close it soon: others wait for the lock. */
int signer_open(struct signer *s, const char *where, const char *pass_uri,
                tlsock_error *err);
void signer_close(struct signer *s); /* also if nothing is open */
const tlsock_cert *signer_ca(const struct signer *s);
/* Did it sign this one? 0, or a code with why not. */
int signer_signed(const struct signer *s, const tlsock_cert *c,
                  tlsock_error *err);
/* o->issuer is filled in; recorded if there is an index. NULL: failure. */
tlsock_cert *signer_issue(struct signer *s, const tlsock_cert_opts *o,
                          tlsock_error *err);

#endif
