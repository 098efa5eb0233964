/* clone - a copy of a seen certificate under another CA.
 *
 * The seen one is anybody's: what is copied of it is a short list (subject,
 * names, usages, dates), each part is bounded and must be well-formed, and
 * all else is made new. Never makes a CA. */
#ifndef TSK_CERT_CLONE_H
#define TSK_CERT_CLONE_H

#include "cert/cert.h"

#include <openssl/x509v3.h>

#define TSK_CLONE_NAMES 4096              /* most names */
#define TSK_CLONE_BYTES ((int)256 * 1024) /* most bytes of the seen one */

/* What tlsock_cert_clone() does; own_key: with a key of its own. */
tlsock_cert *tsk_cert_clone(const tlsock_cert *seen, const tlsock_cert *ca,
                            int own_key, tlsock_error *err);

/* clonekey.c: the key that clones of such a certificate have, made at the
 * first call and kept for the process; or, if it is to be its own, made now and
 * kept by nobody. Yours to EVP_PKEY_free(). x gets its
 * public half in encoded form alone: X509_get0_pubkey() knows it only after x
 * was encoded and decoded. 0 or a code. */
int tsk_clone_key(X509 *x, EVP_PKEY **out, X509 *seen, int own,
                  tlsock_error *err);

/* cloneext.c: the extensions of x, whose names and public key are set. names
 * gets the decoded subjectAltName, yours, or NULL. */
int tsk_clone_ext(X509 *x, EVP_PKEY *key, X509 *seen, X509 *ca,
                  GENERAL_NAMES **names, tlsock_error *err);

#endif
