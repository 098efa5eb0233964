/* Stapled OCSP responses, as a server may send them. Nothing that was not
 * signed by the issuer, whose key nobody has, may ever be good. */
#include "revoke/ocsp.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static X509 *issuer, *leaf;

static X509 *make(const char *cn, EVP_PKEY *key, long serial, X509 *by,
                  EVP_PKEY *by_key)
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
    X509_sign(x, by_key, EVP_sha256());
    return x;
}

static void once(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (key == NULL)
        abort();
    issuer = make("CA", key, 1, NULL, key);
    leaf = make("a.test", key, 2, issuer, key);
    EVP_PKEY_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char nonce[2] = {1, 2};
    static const struct tsk_ocsp_source from[] = {
        {.what = "the stapled OCSP response", .code = TLSOCK_E_STAPLE},
        {.what = "the OCSP response of http://ocsp.test/",
         .nonce = nonce,
         .nonce_len = sizeof(nonce),
         .code = TLSOCK_E_REVOCATION_UNKNOWN}};
    struct tsk_status st;
    tlsock_error err;

    if (issuer == NULL)
        once();
    for (size_t i = 0; i < 2; i++)
        if (tsk_ocsp_judge(data, size, leaf, issuer, 1800000000, &from[i], &st,
                           &err) >= 0 ||
            st.state != TSK_UNKNOWN)
            abort();
    return 0;
}
