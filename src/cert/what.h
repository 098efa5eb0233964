/* what - what is this file, if it is not what was wanted? Told by content.
 *
 * Files given by mistake are nearly always one of a few dozen kinds. Judges
 * nothing: only names them and says what helps. */
#ifndef TSK_CERT_WHAT_H
#define TSK_CERT_WHAT_H

#include "cert/load.h"

struct tsk_what {
    const char *is;      /* "a signing request (CSR)" */
    const char *no_cert; /* what to do if a certificate was wanted */
    const char *no_key;  /* ... or a private key; NULL: the same */
};

/* NULL: it is nothing known. */
const struct tsk_what *tsk_what_is(const struct tsk_source *s);

#endif
