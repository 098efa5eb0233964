/* ocsp - judge a stapled OCSP response, and tell whom OCSP speaks of. Fetches
 * nothing. */
#ifndef TSK_REVOKE_OCSP_H
#define TSK_REVOKE_OCSP_H

#include "core/err.h"

#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>

/* der: the stapled response. leaf, issuer: of the verified chain. store and
 * untrusted: to verify the responder. now: Unix seconds. 0: good, with a text
 * for info in how ("good by staple, as of ..."); E_REVOKED with date and
 * reason; E_STAPLE: expired, forged, for another certificate, unparsable,
 * "unknown", "tryLater"... */
int tsk_ocsp_judge(const unsigned char *der, size_t len, X509 *leaf,
                   X509 *issuer, X509_STORE *store, STACK_OF(X509) * untrusted,
                   int64_t now, char how[128], tlsock_error *err);
/* RFC 7633: does the certificate promise a staple? */
int tsk_ocsp_must_staple(X509 *leaf);
/* certid.c: does it name this leaf (NULL: any) of this issuer, by the hash
 * that it uses itself? 1, 0, -1 no memory. A hash that nobody should use is a
 * way to name nobody. */
int tsk_certid_is(OCSP_CERTID *id, X509 *leaf, X509 *issuer);

#endif
