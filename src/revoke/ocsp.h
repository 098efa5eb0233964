/* ocsp - judge an OCSP response, stapled or asked for, and tell whom OCSP
 * speaks of. Fetches nothing, keeps nothing. */
#ifndef TSK_REVOKE_OCSP_H
#define TSK_REVOKE_OCSP_H

#include "core/err.h"
#include "revoke/status.h"

#include <openssl/ocsp.h>

#define TSK_OCSP_MAX 65536 /* bytes of a response */

/* Where a response comes from. Borrowed while it is judged. */
struct tsk_ocsp_source {
    const char *what; /* "the stapled OCSP response", "the OCSP response of
                         http://..." */
    const unsigned char *nonce; /* that was sent; NULL: none, any is fine */
    size_t nonce_len;
    int code; /* for what is wrong with it: E_STAPLE, E_REVOCATION_UNKNOWN */
};

/* What a response says of cert; issuer: of the verified chain; now: Unix
 * seconds, five minutes may differ. RFC 6960, 3.2 and 4.2.2; RFC 9654: another
 * nonce than the one sent is refused, none is fine.
 * 0: good. E_REVOKED, with name, date and reason. In both cases *out is filled:
 * by is TSK_BY_STAPLE if from->code is E_STAPLE, else TSK_BY_OCSP; until is
 * nextUpdate, or ten days from thisUpdate if there is none. A revocation has
 * no end, so its until may be past.
 * from->code: expired, of the future, forged, weakly signed, by one who may
 * not, of another certificate, not to be parsed, "unknown", "tryLater"...; out
 * is TSK_UNKNOWN then. E_NOMEM.
 * Whether a delegated responder is itself revoked is not asked: there would be
 * nobody but the same CA to ask (RFC 6960, 4.2.2.2.1). */
int tsk_ocsp_judge(const unsigned char *der, size_t len, X509 *cert,
                   X509 *issuer, int64_t now,
                   const struct tsk_ocsp_source *from, struct tsk_status *out,
                   tlsock_error *err);
/* RFC 7633: does the certificate promise a staple? 1, 0, or E_NOMEM. */
int tsk_ocsp_must_staple(X509 *leaf);
/* certid.c: does it name this leaf (NULL: any) of this issuer, by the hash
 * that it uses itself? 1, 0, -1 no memory. A hash that nobody should use is a
 * way to name nobody. */
int tsk_certid_is(OCSP_CERTID *id, X509 *leaf, X509 *issuer);

#endif
