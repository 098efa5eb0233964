/* trust - where trusted certificates come from: found, loaded lazily, shared.
 *
 * The system's store is found once per process and indexed, not parsed: a CA
 * is decoded when a chain asks for its subject. Knows nothing of names. */
#ifndef TSK_VERIFY_TRUST_H
#define TSK_VERIFY_TRUST_H

#include "core/err.h"

#include <openssl/x509_vfy.h>
#include <stdint.h>

struct tsk_trust;

/* uris: "system", "none", files, directories, PEM text, added together;
 * n == 0 is "system". One reference, yours. Missing or empty: E_TRUST_STORE
 * whose message names the paths tried. */
struct tsk_trust *tsk_trust_new(const char *const *uris, size_t n,
                                tlsock_error *err);
struct tsk_trust *tsk_trust_ref(struct tsk_trust *t);
void tsk_trust_unref(struct tsk_trust *t);
X509_STORE *tsk_trust_store(struct tsk_trust *t); /* borrowed */
/* "system store: /etc/ssl/certs (directory of hashed names; from ...)" */
const char *tsk_trust_describe(const struct tsk_trust *t);
/* Of all that is trusted: changes when that changes. by_content: the same on
 * every machine, but all files of directories are read. 1, 0: no memory. */
int tsk_trust_digest(struct tsk_trust *t, int by_content, uint8_t out[32]);
/* Subjects of all CAs in explicitly added files, for a CertificateRequest;
 * NULL if there are none ("system" alone). Yours. */
STACK_OF(X509_NAME) * tsk_trust_ca_names(const struct tsk_trust *t);
/* Where is the system's store, and why there? path "" if none was found;
 * tried lists what was looked at. */
void tsk_trust_find_system(char *path, size_t psize, char *why, size_t wsize,
                           char *tried, size_t tsize);

#endif
