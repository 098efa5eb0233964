/* index - certificates by subject, decoded when one is asked for.
 *
 * Holds PEM bundles as DER with a hash of each subject, and directories of
 * hashed names as their paths. Knows nothing of chains: verify/lookup.c hands
 * its finds to an X509_STORE. Counted, shared by threads. */
#ifndef TSK_VERIFY_INDEX_H
#define TSK_VERIFY_INDEX_H

#include "core/err.h"

#include <openssl/x509_vfy.h>
#include <stdint.h>

struct tsk_index;

struct tsk_index *tsk_index_new(tlsock_error *err);
struct tsk_index *tsk_index_ref(struct tsk_index *ix);
void tsk_index_unref(struct tsk_index *ix);

/* What is in a file or PEM text. strict: the first certificate that is damaged
 * is a failure, else it is passed over. How many there are, or a code:
 * E_TRUST_STORE naming the file, also for none at all. */
int tsk_index_add(struct tsk_index *ix, const char *uri, int strict,
                  tlsock_error *err);
/* A directory whose files are named by subject hash (xxxxxxxx.N). */
int tsk_index_add_hashed(struct tsk_index *ix, const char *dir,
                         tlsock_error *err);
int tsk_index_is_hashed(const char *dir); /* is such a file inside? */

/* Pushes each certificate of this subject onto found; borrowed, they live as
 * long as the index. 0 or -1: no memory. */
int tsk_index_find(struct tsk_index *ix, const X509_NAME *subject,
                   STACK_OF(X509) * found);
/* Adds all subjects but those of hashed directories. 0 or -1: no memory. */
int tsk_index_names(struct tsk_index *ix, STACK_OF(X509_NAME) * names);
/* Of all that is in it, whatever the order; hashed directories by their files'
 * content, the same on every machine, or by their names, sizes and times, which
 * is quick. 1, 0: no memory. */
int tsk_index_digest(struct tsk_index *ix, int by_content, uint8_t out[32]);

#endif
