/* renewfile - a certificate's files on disk, replaced by those that follow it.
 *
 * The certificate is one file; its key is in it, in another file, or not here.
 * A new certificate for the same key is one rename. With a new key in a file of
 * its own both are first written into one, FILE.renew: after a kill in between,
 * renewfile_finish() brings both to their places. Owner and mode stay as they
 * were, as far as that is allowed. */
#ifndef CLI_RENEWFILE_H
#define CLI_RENEWFILE_H

#include "local.h"

enum renewfile_key { RENEWFILE_NO_KEY, RENEWFILE_INSIDE, RENEWFILE_BESIDE };

struct renewfile {
    char cert[LOCAL_PATH]; /* no symbolic link */
    char key[LOCAL_PATH];  /* where the key is, or would be */
    char both[LOCAL_PATH]; /* FILE.renew */
    enum renewfile_key has;
};

/* key: given by --key, or NULL: beside, ending in .key, or inside. 0 or a
 * code. */
int renewfile_find(struct renewfile *f, const char *file, const char *key,
                   tlsock_error *err);
/* Was the last renewal interrupted? Then end it: 1, *made is what is there
 * now. 0: no. Or a code. */
int renewfile_finish(const struct renewfile *f, const char *key_pass,
                     tlsock_cert **made, tlsock_error *err);
/* new_key: made came with one. key_pass encrypts it, or NULL. 0 or a code. */
int renewfile_save(const struct renewfile *f, const tlsock_cert *made,
                   int new_key, const char *key_pass, tlsock_error *err);

#endif
