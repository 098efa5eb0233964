/* host_private - what matching and explaining a mismatch have in common. */
#ifndef TSK_VERIFY_HOST_PRIVATE_H
#define TSK_VERIFY_HOST_PRIVATE_H

#include "verify/host.h"

#include <openssl/x509v3.h>

/* Does a dNSName fit a host (lower-case A-labels)? The name is bytes of the
 * certificate: anything may be in it. */
int tsk_host_fits(const char *pattern, size_t len, const char *host, int psl);
/* Would "*." before suffix cover too much? */
int tsk_host_wild_refused(const char *suffix, int psl);
/* E_NAME_MISMATCH with names, facts and the rule that refused a near miss.
 * family 4 or 6: host is an address. names may be NULL. */
int tsk_host_explain(X509 *crt, const GENERAL_NAMES *names, const char *host,
                     int family, int psl, tlsock_error *err);

#endif
