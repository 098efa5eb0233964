/* ext - an extension of a certificate, read: one that there is no memory for is
 * never taken for one that is not there. Knows no kind of extension.
 * And dates of certificates, written. */
#ifndef TSK_OSSL_EXT_H
#define TSK_OSSL_EXT_H

#include <openssl/x509.h>
#include <stdint.h>

/* As X509_get_ext_d2i(), whose critical may be NULL. NULL: it is not there, or
 * malformed; or memory was refused, and then starved is 1; else it stays. */
void *tsk_ossl_ext(const X509 *x, int nid, int *critical, int *starved);

/* OpenSSL keeps what it made of a certificate's extensions and key, also where
 * it had no memory for them: then they count as damaged for good, for all who
 * share it. So they are made now. 1, also of one that is not signed yet; 0:
 * there was no memory, let go of it. */
int tsk_ossl_settle(X509 *x);

/* As ASN1_TIME_set(), whatever the system's time_t can hold. NULL t: yours. */
ASN1_TIME *tsk_ossl_time(ASN1_TIME *t, int64_t seconds);

#endif
