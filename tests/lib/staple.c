#include "staple.h"

#include "test.h"

#include <openssl/ocsp.h>
#include <string.h>

#define READS_THEM 0x30600000UL /* the release that began to */

/* What libssl writes next, on this thread, in place of what it has read. */
static _Thread_local const unsigned char *instead;
static _Thread_local size_t instead_len;

/* libssl's own call comes here: a program's function is found before the one
 * that libcrypto has. Everybody else gets what that would give. */
int i2d_OCSP_RESPONSE(const OCSP_RESPONSE *resp, unsigned char **out)
{
    const unsigned char *bytes = instead;

    if (bytes == NULL)
        return ASN1_item_i2d((const ASN1_VALUE *)resp, out,
                             ASN1_ITEM_rptr(OCSP_RESPONSE));
    assert_null(*out);
    instead = NULL;
    *out = OPENSSL_memdup(bytes, instead_len);
    assert_non_null(*out);
    return (int)instead_len;
}

int staple_bytes(SSL *ssl, const unsigned char *bytes, size_t len)
{
    /* "try later", which says of no certificate that it is about it */
    static const unsigned char fits_all[] = {0x30, 3, 0x0a, 1, 3};
    int reads = OpenSSL_version_num() >= READS_THEM;
    size_t n = reads ? sizeof(fits_all) : len;
    unsigned char *copy = OPENSSL_memdup(reads ? fits_all : bytes, n);

    assert_non_null(copy);
    if (reads) {
        instead = bytes;
        instead_len = len;
    }
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)n);
    return SSL_TLSEXT_ERR_OK;
}
