/* order - certificates in the order that TLS wants, found by name, key
 * identifier and signature. Fetches nothing; asks nothing of trust. */
#ifndef TSK_CERT_ORDER_H
#define TSK_CERT_ORDER_H

#include "cert/cert.h"

/* What the public tlsock_cert_order() does. */
tlsock_cert *tsk_cert_order(const tlsock_cert *c, tlsock_error *err);
/* The same for a bag without order (PKCS#12, PKCS#7), from which nothing is
 * left out: the leaf first if there is one, its chain, then the others.
 * leaf_known: it stands at the front already. 0, or E_NOMEM in err. */
int tsk_certs_arrange(STACK_OF(X509) * certs, int leaf_known,
                      tlsock_error *err);
/* Is x signed by issuer? */
int tsk_cert_issued(X509 *issuer, X509 *x);

#endif
