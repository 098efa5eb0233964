/* strong - which signatures on lists and responses may be believed: as for
 * chains, 112 bits and no broken hash. Knows nothing of who signs. */
#ifndef TSK_REVOKE_STRONG_H
#define TSK_REVOKE_STRONG_H

#include <openssl/x509.h>

#define TSK_STRONG_BITS 112 /* of a signer's key, at least */

int tsk_strong_digest(int md_nid);
int tsk_strong_signature(const X509_ALGOR *alg);

#endif
