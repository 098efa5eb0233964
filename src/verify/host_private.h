/* host_private - what matching and explaining a mismatch have in common. */
#ifndef TSK_VERIFY_HOST_PRIVATE_H
#define TSK_VERIFY_HOST_PRIVATE_H

#include "verify/host.h"
#include "verify/rule.h"

#include <openssl/x509v3.h>
#include <stdint.h>

/* What is asked of a certificate. */
struct tsk_ask {
    const char *host; /* lower-case A-labels, or an address */
    int family;       /* 4 or 6: it is an address, and these are its bytes */
    uint8_t ip[16];
    const struct tsk_rule *rule;
    int psl;
};

/* Does a dNSName or CN fit a host (lower-case A-labels)? The name is bytes of
 * the certificate: anything may be in it. */
int tsk_host_fits(const char *pattern, size_t len, const char *host,
                  enum tsk_wild wild, int psl);
/* host_cn.c: is a CN looked at, beside these names (or NULL)? */
int tsk_host_asks_cn(const GENERAL_NAMES *names, const struct tsk_ask *q);
/* The subject's common name, the most specific one, as UTF-8 without a
 * final dot: 1; 0: there is
 * none, or none that could be a host. */
int tsk_host_cn(X509 *crt, char cn[256]);
/* E_NAME_MISMATCH with names, facts and the rule that refused a near miss.
 * names may be NULL. */
int tsk_host_explain(X509 *crt, const GENERAL_NAMES *names,
                     const struct tsk_ask *q, tlsock_error *err);

#endif
