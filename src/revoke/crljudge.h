/* crljudge - do these lists say that a certificate is revoked? RFC 5280, 6.3:
 * scope, reasons, delta and indirect lists, who may sign. A list's good
 * signature is verified once for each key, then remembered with the list. Fetches
 * nothing, waits for nothing. */
#ifndef TSK_REVOKE_CRLJUDGE_H
#define TSK_REVOKE_CRLJUDGE_H

#include "revoke/crl.h"
#include "revoke/status.h"

#include <openssl/x509_vfy.h>

struct tsk_crl_question {
    STACK_OF(X509) * chain;     /* verified: leaf first, anchor last */
    int depth;                  /* of the certificate that is asked about */
    X509_STORE *store;          /* for the signers of indirect lists; NULL */
    STACK_OF(X509) * untrusted; /* theirs and what leads to them; NULL */
    int64_t now;                /* Unix seconds */
};

/* All lists together. 0, and the state in *out; with TSK_UNKNOWN err says why
 * (E_REVOCATION_UNKNOWN: which list is missing, overdue, forged, of another
 * scope), with TSK_REVOKED it is E_REVOKED with certificate, date and reason.
 * Or E_NOMEM. */
int tsk_crl_judge(struct tsk_crls *const *lists, size_t n,
                  const struct tsk_crl_question *q, struct tsk_status *out,
                  tlsock_error *err);

#endif
