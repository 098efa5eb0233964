/* allow - which of the clients whose certificate is good may come in?
 *
 * Rules name certificates: dns:, cn:, uri:, email:, ip:, sha256:, issuer:, or
 * "any". One that fits is enough. A rule is asked of a certificate whose chain
 * was verified: what is in it counts because a trusted CA has signed it. Knows
 * nothing of chains, connections and files. */
#ifndef TSK_VERIFY_ALLOW_H
#define TSK_VERIFY_ALLOW_H

#include "core/err.h"

#include <openssl/x509.h>

struct tsk_allow;

/* Rules separated by commas or newlines; "\," is a comma that belongs to a
 * name, "\\" a backslash. base: rules that stay, or NULL. One reference,
 * yours; NULL: E_OPTION that names the rule and the valid forms, or E_NOMEM.
 */
struct tsk_allow *tsk_allow_new(const struct tsk_allow *base, const char *text,
                                tlsock_error *err);
struct tsk_allow *tsk_allow_ref(struct tsk_allow *a); /* NULL is taken */
void tsk_allow_unref(struct tsk_allow *a);
/* As they were written, separated by ", "; borrowed. */
const char *tsk_allow_text(const struct tsk_allow *a);
/* 0 a rule fits; E_CLIENT_CERT_DENIED with the rules as expected and the
 * certificate's names as presented; E_NOMEM. All rules are gone through, and
 * each name once: what it costs does not tell which rule fits. */
int tsk_allow_check(const struct tsk_allow *a, X509 *crt, tlsock_error *err);

#endif
