/* crl - revocation lists that somebody gave us: read once, shared, counted.
 * Whether they are to be believed, and what they say, is for crljudge.h. */
#ifndef TSK_REVOKE_CRL_H
#define TSK_REVOKE_CRL_H

#include "core/err.h"

#include <openssl/x509.h>
#include <stdint.h>

#define TSK_CRL_FILE_MAX ((size_t)256 * 1024 * 1024) /* of a directory: all */

struct tsk_crls;

/* Every CRL in a file, a directory or PEM text, PEM or DER. E_OWN_FILE that
 * names the file if one is damaged, or if there is none at all; E_LIMIT beyond
 * TSK_CRL_FILE_MAX bytes or 8,000,000 entries of a list. In a directory *.crl,
 * *.der, *.pem and hashed names (xxxxxxxx.rN) are read; such a file may hold
 * other things instead. NULL: err says why. */
struct tsk_crls *tsk_crls_load(const char *uri, tlsock_error *err);
struct tsk_crls *tsk_crls_ref(struct tsk_crls *l);
void tsk_crls_unref(struct tsk_crls *l);
/* The same of bytes, PEM or DER; name is for messages. */
struct tsk_crls *tsk_crls_parse(const void *data, size_t len, const char *name,
                                tlsock_error *err);
/* The first nextUpdate of them, Unix seconds (thisUpdate and 10 days of one
 * that has none); bytes of memory they take. */
int64_t tsk_crls_until(const struct tsk_crls *l);
size_t tsk_crls_memory(const struct tsk_crls *l);
/* Tells lists of another content apart: by their signatures. 1, 0 no memory. */
int tsk_crls_digest(const struct tsk_crls *l, uint8_t out[32]);
size_t tsk_crls_count(const struct tsk_crls *l);

#endif
