/* ocsp_private - what the files that judge a response share: who may sign one,
 * and how what is wrong with it is told. */
#ifndef TSK_REVOKE_OCSP_PRIVATE_H
#define TSK_REVOKE_OCSP_PRIVATE_H

#include "revoke/ocsp.h"

#define TSK_OCSP_SKEW 300             /* seconds that clocks may differ */
#define TSK_OCSP_MAX_AGE (10 * 86400) /* of one that does not say its end */

/* "WHAT why", with from->code, which it returns, and what to do about it. */
int tsk_ocsp_bad(const struct tsk_ocsp_source *from, tlsock_error *err,
                 const char *fmt, ...) TLSOCK_PRINTF(3, 4);
/* The same with OpenSSL's reason; E_NOMEM if that is the reason. */
int tsk_ocsp_bad_ossl(const struct tsk_ocsp_source *from, tlsock_error *err,
                      const char *why);

/* ocspsigner.c. Is it signed, soundly, by the issuer or by one whom the issuer
 * itself appointed (RFC 6960, 4.2.2.2)? 0, from->code, E_NOMEM. */
int tsk_ocsp_check_signer(OCSP_BASICRESP *basic, X509 *issuer, int64_t now,
                          const struct tsk_ocsp_source *from,
                          tlsock_error *err);

#endif
