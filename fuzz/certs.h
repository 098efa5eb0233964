/* certs - a CA, "CN=CA" as the corpora have it, and a leaf of its, with a key
 * that nobody has. */
#ifndef FUZZ_CERTS_H
#define FUZZ_CERTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

static inline X509 *certs_make(const char *cn, EVP_PKEY *key, long serial,
                               const X509 *by)
{
    X509 *x = X509_new();

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(by != NULL ? by : x));
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    return x;
}

static inline void certs_once(X509 **ca, X509 **leaf)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (key == NULL)
        abort();
    *ca = certs_make("CA", key, 1, NULL);
    *leaf = certs_make("a.test", key, 2, *ca);
    EVP_PKEY_free(key);
}

#endif
