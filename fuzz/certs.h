/* certs - a CA, "CN=CA" as the corpora have it, and a leaf of its, with a key
 * that nobody has; and one whose key is here, for what has to be signed. */
#ifndef FUZZ_CERTS_H
#define FUZZ_CERTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <tlsock/cert.h>

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

/* "CN=Fuzz CA": some corpora have its name and key in them. */
static inline tlsock_cert *certs_fixed(void)
{
    tlsock_cert *ca = tlsock_cert_load(
        "pem:-----BEGIN CERTIFICATE-----\n"
        "MIIBfDCCASGgAwIBAgIURbZkzvnbkZrONi4HHZbRsfN+V1kwCgYIKoZIzj0EAwIw\n"
        "EjEQMA4GA1UEAwwHRnV6eiBDQTAgFw0yNjExMjYyMTM3MzBaGA8yMTI2MTEwMjIx\n"
        "MzczMFowEjEQMA4GA1UEAwwHRnV6eiBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
        "A0IABFgPobHIUL96fgIcQtK1bUhF7CJtlWHtTK3SpqBrWNHyTsiIh5BPP2iicqFZ\n"
        "RKtoz/jkuJvUzzyaI29qIK2EHyyjUzBRMB0GA1UdDgQWBBTkWMqa41PIVrjfK+eA\n"
        "4fGN53CbjjAfBgNVHSMEGDAWgBTkWMqa41PIVrjfK+eA4fGN53CbjjAPBgNVHRMB\n"
        "Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQD/7oLFgqEjCzZl57BrecO9l9i0\n"
        "gRKt8lL/wl2EH4AXKgIhAPJf1NbvJTXZW7fcX5kZTKgnT964jstbnmhL8veZdBNq\n"
        "-----END CERTIFICATE-----\n"
        "-----BEGIN PRIVATE KEY-----\n"
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdErKs+8DUqXKzdjw\n"
        "CBCeUAjvR1Jk/CqdQ9NuWfFI+eehRANCAARYD6GxyFC/en4CHELStW1IRewibZVh\n"
        "7Uyt0qaga1jR8k7IiIeQTz9oonKhWUSraM/45Lib1M88miNvaiCthB8s\n"
        "-----END PRIVATE KEY-----\n",
        NULL, NULL, NULL);

    if (ca == NULL)
        abort();
    return ca;
}

#endif
