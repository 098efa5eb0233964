/* certout - the files that a new certificate goes to.
 *
 * Chooses their names, takes them before anything is made, so that nothing is
 * issued that cannot be written, and writes all or none: aside, then renamed.
 * Nothing is replaced without force. Knows nothing of how certificates are
 * made.
 *
 *     certout_choose()    names
 *     certout_reserve()   all names are ours, or an error was said
 *     ... make it ...
 *     certout_save()      or certout_save_csr(); said if it fails
 *     certout_undo()      in the end, always: what was not saved goes away */
#ifndef CLI_CERTOUT_H
#define CLI_CERTOUT_H

#include "local.h"
#include "out.h"

/* Which files; certout.path[] is indexed by their places. */
#define CERTOUT_CERT 1u
#define CERTOUT_KEY 2u
#define CERTOUT_P12 4u
#define CERTOUT_CSR 8u
enum certout_place {
    CERTOUT_AT_CERT, /* PREFIX.pem: the certificate and its chain */
    CERTOUT_AT_KEY,  /* PREFIX.key, mode 0600 */
    CERTOUT_AT_P12,  /* PREFIX.p12, mode 0600 */
    CERTOUT_AT_CSR,  /* PREFIX.csr */
    CERTOUT_PLACES
};

struct certout {
    const struct out *out; /* borrowed: how errors are said */
    const char *command;   /* "cert new" */
    const char *prefix;    /* --out, or NULL: made of the name */
    int force;             /* --force */
    unsigned what;         /* CERTOUT_*, or-ed */
    const char *key_pass;  /* encrypts the key; NULL: not encrypted */
    const char *p12_pass;  /* needed with CERTOUT_P12 */
    unsigned taken;        /* reserved, and empty so far */
    char path[CERTOUT_PLACES][LOCAL_PATH];
};

/* name: what the certificate is for. "--out DIR/" and "--out DIR" put it into
 * that directory; "--out x.pem" is taken as x. 0 or an exit code. */
int certout_choose(struct certout *w, const char *name);
/* Take every name. 0 or an exit code; after that nothing is left taken. */
int certout_reserve(struct certout *w);
/* Write all there is to write. 0 or an exit code. */
int certout_save(struct certout *w, const tlsock_cert *c);
int certout_save_csr(struct certout *w, const tlsock_csr *r);
/* Give back the names that were taken and not written; twice is harmless. */
void certout_undo(struct certout *w);

#endif
