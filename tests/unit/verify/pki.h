/* pki - certificates with any fault one wants, made with OpenSSL alone: what
 * the library itself would refuse to make. */
#ifndef TEST_VERIFY_PKI_H
#define TEST_VERIFY_PKI_H

#include "test.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum pki_key { KEY_ROOT, KEY_INTER, KEY_LEAF, KEY_OTHER, KEY_WEAK, PKI_KEYS };

struct pki_spec {
    const char *cn;   /* subject; NULL: an empty one */
    const char *san;  /* "DNS:a.test,IP:127.0.0.1", or NULL */
    const char *bc;   /* basicConstraints, NULL: none */
    const char *ku;   /* keyUsage, NULL: none */
    const char *eku;  /* extendedKeyUsage, NULL: none */
    const char *more; /* "name=value" of one more extension */
    enum pki_key key;
    int from_days, to_days; /* from now; both 0: -1 and 30 */
    int sha1;
    X509 *issuer; /* NULL: self-signed */
    enum pki_key issuer_key;
};

EVP_PKEY *pki_key(enum pki_key which); /* borrowed, until pki_free() */
X509 *pki_make(const struct pki_spec *spec);
/* A leaf with dNSNames given as bytes; "\\x00" in them is a NUL. */
X509 *pki_names(const char *cn, const char *dns, const char *ip,
                const char *mail);
STACK_OF(X509) * pki_stack(X509 *const *list, size_t n);
void pki_write(const char *path, X509 *const *list, size_t n);
void pki_write_text(const char *path, const char *text, size_t len);
char *pki_pem(X509 *crt); /* yours: free() */
/* A directory of its own; pki_free() removes it with its files. */
const char *pki_dir(void);
void pki_free(void);

#define PKI_CA_BC "critical,CA:TRUE"
#define PKI_CA_KU "critical,keyCertSign,cRLSign"
#define PKI_LEAF_BC "critical,CA:FALSE"

#endif
