/* kind - what is in a file, told by its content. Checks nothing else. */
#include "cert/cert.h"
#include "cert/load.h"
#include "cert/pem.h"
#include "ossl/queue.h"

#include <limits.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <string.h>

/* Each frees what it made: only that it could be made counts, and that all
 * bytes were needed. */
#define DER_KIND(name, type, read, release)                                    \
    static int name(const unsigned char **p, long len)                         \
    {                                                                          \
        type *thing = read(NULL, p, len);                                      \
        int there = thing != NULL;                                             \
                                                                               \
        release(thing);                                                        \
        return there;                                                          \
    }

DER_KIND(is_cert, X509, d2i_X509, X509_free)
DER_KIND(is_csr, X509_REQ, d2i_X509_REQ, X509_REQ_free)
DER_KIND(is_crl, X509_CRL, d2i_X509_CRL, X509_CRL_free)
DER_KIND(is_p12, PKCS12, d2i_PKCS12, PKCS12_free)
DER_KIND(is_p7, PKCS7, d2i_PKCS7, PKCS7_free)
DER_KIND(is_pkcs8, PKCS8_PRIV_KEY_INFO, d2i_PKCS8_PRIV_KEY_INFO,
         PKCS8_PRIV_KEY_INFO_free)
DER_KIND(is_sealed, X509_SIG, d2i_X509_SIG, X509_SIG_free)
DER_KIND(is_key, EVP_PKEY, d2i_AutoPrivateKey, EVP_PKEY_free)
DER_KIND(is_public, EVP_PKEY, d2i_PUBKEY, EVP_PKEY_free)

static int der_kind(const unsigned char *data, size_t len)
{
    static const struct {
        int (*is)(const unsigned char **p, long len);
        int kind;
    } kinds[] = {
        {is_cert, TLSOCK_KIND_CERT},
        {is_csr, TLSOCK_KIND_CSR},
        {is_crl, TLSOCK_KIND_CRL},
        {is_p12, TLSOCK_KIND_PKCS12},
        {is_p7, TLSOCK_KIND_PKCS7},
        {is_pkcs8, TLSOCK_KIND_KEY},
        {is_sealed, TLSOCK_KIND_KEY | TLSOCK_KIND_ENCRYPTED},
        {is_key, TLSOCK_KIND_KEY},
        {is_public, TLSOCK_KIND_PUBLIC},
    };

    if (len > LONG_MAX)
        return 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const unsigned char *p = data;

        if (kinds[i].is(&p, (long)len) && p == data + len)
            return kinds[i].kind;
    }
    return 0;
}

static int pem_key_kind(const struct tsk_pem_block *b)
{
    static const char sealed[] = "Proc-Type: 4,ENCRYPTED"; /* RFC 1421 */

    if (strcmp(b->label, "ENCRYPTED PRIVATE KEY") == 0 ||
        memmem(b->text, b->len, sealed, strlen(sealed)) != NULL)
        return TLSOCK_KIND_KEY | TLSOCK_KIND_ENCRYPTED;
    return TLSOCK_KIND_KEY;
}

static int pem_kind(const struct tsk_pem_block *b)
{
    static const struct {
        const char *label;
        int kind;
    } kinds[] = {
        {"CERTIFICATE REQUEST", TLSOCK_KIND_CSR},
        {"NEW CERTIFICATE REQUEST", TLSOCK_KIND_CSR},
        {"X509 CRL", TLSOCK_KIND_CRL},
        {"PKCS7", TLSOCK_KIND_PKCS7},
        {"CMS", TLSOCK_KIND_PKCS7},
        {"PUBLIC KEY", TLSOCK_KIND_PUBLIC},
        {"RSA PUBLIC KEY", TLSOCK_KIND_PUBLIC},
    };

    if (tsk_pem_is_cert(b))
        return TLSOCK_KIND_CERT;
    if (tsk_pem_is_key(b))
        return pem_key_kind(b);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(b->label, kinds[i].label) == 0)
            return kinds[i].kind;
    return 0;
}

int tsk_data_kind(const void *data, size_t len)
{
    struct tsk_pem_block b;
    struct tsk_pem r;
    int kind = 0, got;

    if (((const unsigned char *)data)[0] == 0x30) {
        tsk_ossl_enter();
        kind = der_kind(data, len);
        tsk_ossl_leave();
        if (kind != 0)
            return kind;
    }
    tsk_pem_begin(&r, data, len);
    while ((got = tsk_pem_next(&r, &b)) != 0)
        if (got > 0)
            kind |= pem_kind(&b);
    return kind;
}
