/* ocspask - the question to an OCSP responder, and the URL that carries it in
 * a GET (RFC 6960, appendix A.1; RFC 5019; RFC 9654). Where the responder is:
 * revoke/dp.h. Sends nothing. Thread-safe. */
#ifndef TSK_REVOKE_OCSPASK_H
#define TSK_REVOKE_OCSPASK_H

#include "core/buf.h"
#include "core/err.h"
#include "revoke/dp.h"

#include <openssl/x509.h>

#define TSK_OCSP_NONCE 32    /* bytes of a nonce: RFC 9654, 2.1 */
#define TSK_OCSP_GET_MAX 255 /* a URL is shorter, else POST: RFC 5019, 5 */

/* Appends the request about one certificate, DER, to der. The CertID is by
 * SHA-1, which is no signature and the only one that all responders know
 * (RFC 5019, 2.1.1). nonce NULL: without. 0, E_NOMEM;
 * E_ARGUMENT: a nonce of other than 1 to 128 bytes. */
int tsk_ocsp_ask(X509 *cert, X509 *issuer, const unsigned char *nonce,
                 size_t nonce_len, struct tsk_buf *der, tlsock_error *err);

/* ocspurl.c. The URL of a GET to the responder at base. 1; 0: it would be too
 * long for a GET or for out, or base has a query: then POST to base. */
int tsk_ocsp_get_url(const char *base, const struct tsk_buf *der, char *out,
                     size_t size);

#endif
