/* host - is this certificate for this name? By RFC 9525, or by the older rule
 * of a protocol (rule.h). Asks no resolver, and knows no chain: what a CA may
 * sign is constraint.c's business. */
#ifndef TSK_VERIFY_HOST_H
#define TSK_VERIFY_HOST_H

#include "core/err.h"

#include <openssl/x509.h>

/* 0 yes; E_NAME_MISMATCH (expected, presented, hint are filled in: which
 * names it has, and which rule refused a near miss: wildcard depth, CN only,
 * IP against DNS), E_NO_NAME, E_ARGUMENT (name is no name). psl: 0 switches
 * the public-suffix rule off. "mail:a@b" asks for an rfc822Name. */
int tsk_host_match(X509 *crt, const char *name, const char *scheme, int psl,
                   tlsock_error *err);
/* The same, and by what: cn is the common name that fitted, "" if it was a
 * subjectAltName. Name constraints have to be asked about a CN. */
int tsk_host_judge(X509 *crt, const char *name, const char *scheme, int psl,
                   char cn[256], tlsock_error *err);
int tsk_scheme_known(const char *scheme); /* NULL is */

/* psl.c: see tlsock_public_suffix() */
int tsk_psl_suffix(const char *host, int extra_labels, char *out, size_t size);
int tsk_psl_is_suffix(const char *alabel_host); /* ICANN part only */
int tsk_psl_built_in(void);                     /* 1: libpsl has data */

#endif
