/* trust_nicks - what certutil lists of a database, and which certificate each
 * nickname stands for. Starts no program. */
#ifndef CLI_TRUST_NICKS_H
#define CLI_TRUST_NICKS_H

#include "trust.h"

struct trust_nick {
    char nick[256];
    int trusted, claimed;
    struct trust_found certs; /* it stands for one of these */
};

/* The lines of "certutil -L", which are cut apart. 0; -1: out of memory. rows
 * to free(), and certs.v of each. */
int trust_nicks_read(char *text, struct trust_nick **rows, size_t *n);
/* A nickname of ours says which of its certificates it is. What is left over
 * may belong to any other nickname of that subject: trusted, if all of those
 * are. 0; -1: out of memory. */
int trust_nicks_tell(struct trust_nick *rows, size_t n, struct trust_found *f);

#endif
