/* dp - where a certificate says that more is to be found: its revocation
 * lists, its OCSP responders, its issuer's certificate (RFC 5280, 4.2.1.13,
 * 4.2.1.15, 4.2.2.1).
 *
 * Of http:// alone: what is fetched is signed, and fetching from https:// to
 * verify a certificate would ask for the next one. Other schemes, and texts
 * that are no URL (blanks, control characters, other than ASCII, longer than
 * out has room for) are passed over. Fetches nothing. Thread-safe. */
#ifndef TSK_REVOKE_DP_H
#define TSK_REVOKE_DP_H

#include <openssl/x509.h>

#define TSK_URL_MAX 2048 /* bytes of a URL, with its NUL */
#define TSK_URLS_MAX 8   /* of one kind that are looked at, of a certificate */

/* Each writes the i-th, from 0, into out. 1; 0: there are no more, or i is
 * TSK_URLS_MAX; E_NOMEM. */
int tsk_dp_url(X509 *cert, int i, char *out, size_t size);
int tsk_dp_fresh_url(X509 *cert, int i, char *out, size_t size); /* deltas */
int tsk_aia_url(X509 *cert, int i, char *out, size_t size); /* the issuer */
int tsk_ocsp_url(X509 *cert, int i, char *out, size_t size);

#endif
