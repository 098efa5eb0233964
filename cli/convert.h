/* convert - the parts of cert convert: forms by their names, and what is only
 * wrapped anew (requests, revocation lists, bundles). */
#ifndef CLI_CONVERT_H
#define CLI_CONVERT_H

#include <stddef.h>

enum { TO_UNKNOWN, TO_PEM, TO_DER, TO_P12, TO_P7B, TO_TRADITIONAL };

/* Of a word after --to. */
int convert_form(const char *word);
/* Of a file's suffix. */
int convert_form_of_file(const char *path);
/* A PEM block or DER as TO_PEM or TO_DER; kind is TLSOCK_KIND_CSR or _CRL.
 * malloc'ed; NULL: it cannot be decoded. */
char *convert_wrap(const char *data, size_t len, int kind, int form,
                   size_t *out_len);
/* A PKCS#7 bundle, DER, of PEM certificates; malloc'ed; NULL: out of memory. */
char *convert_bundle(const char *pem, size_t *out_len);

#endif
