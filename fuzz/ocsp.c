/* Stapled OCSP responses, as a server may send them. Nothing that was not
 * signed by the issuer, whose key nobody has, may ever be good. */
#include "certs.h"
#include "revoke/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static X509 *issuer, *leaf;

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
        certs_once(&issuer, &leaf);
    for (size_t i = 0; i < 2; i++)
        if (tsk_ocsp_judge(data, size, leaf, issuer, 1800000000, &from[i], &st,
                           &err) >= 0 ||
            st.state != TSK_UNKNOWN)
            abort();
    return 0;
}
