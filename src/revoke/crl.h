/* crl - revocation lists that somebody gave us: read once, shared, counted.
 * What they say of a chain is OpenSSL's to find out: see verify/chain.c. */
#ifndef TSK_REVOKE_CRL_H
#define TSK_REVOKE_CRL_H

#include "core/err.h"

#include <openssl/x509.h>

#define TSK_CRL_FILE_MAX ((size_t)256 * 1024 * 1024)

struct tsk_crls;

/* Every CRL in a file or PEM text, PEM or DER. E_OWN_FILE that names the file
 * if one is damaged, or if there is none. */
struct tsk_crls *tsk_crls_load(const char *uri, tlsock_error *err);
struct tsk_crls *tsk_crls_ref(struct tsk_crls *l);
void tsk_crls_unref(struct tsk_crls *l);
/* The same of bytes, PEM or DER; name is for messages. */
struct tsk_crls *tsk_crls_parse(const void *data, size_t len, const char *name,
                                tlsock_error *err);
/* The first nextUpdate of them, Unix seconds; bytes of memory they take. */
int64_t tsk_crls_until(const struct tsk_crls *l);
size_t tsk_crls_memory(const struct tsk_crls *l);
/* Pushes them onto a stack, borrowed. 0 or -1: no memory. */
int tsk_crls_push(const struct tsk_crls *l, STACK_OF(X509_CRL) * to);

#endif
