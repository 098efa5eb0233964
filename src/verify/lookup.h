/* lookup - lets an X509_STORE ask indexes for the CAs it needs. */
#ifndef TSK_VERIFY_LOOKUP_H
#define TSK_VERIFY_LOOKUP_H

#include "verify/index.h"

#include <openssl/x509_vfy.h>

/* A store that finds certificates in these; it takes references of its own.
 * own and system may each be NULL. NULL on failure: no memory. */
X509_STORE *tsk_lookup_store(struct tsk_index *own, struct tsk_index *system);

#endif
