/* explain - the parts of explain.c that are about revocation. */
#ifndef TSK_VERIFY_EXPLAIN_H
#define TSK_VERIFY_EXPLAIN_H

#include "core/err.h"

#include <openssl/x509_vfy.h>

/* Is this X509_V_ERR_* about a list, not about a certificate? */
int tsk_explain_is_crl(int x509);
void tsk_explain_revoked(STACK_OF(X509_CRL) * crls, X509 *crt, const char *name,
                         const char *issuer, tlsock_error *err);
/* x509: what OpenSSL says */
void tsk_explain_no_crl(STACK_OF(X509_CRL) * crls, X509 *crt, int x509,
                        const char *name, const char *issuer,
                        tlsock_error *err);

#endif
