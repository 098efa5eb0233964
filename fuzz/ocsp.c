/* OCSP responses, as a server may staple them or a responder send them. Nothing
 * that was not signed by the issuer, whose key nobody has, may ever be good.
 * Then the same once more, signed by one whose key is here: what comes after
 * the signature has to hold as well. */
#include "cert/cert.h"
#include "certs.h"
#include "revoke/ocsp.h"

#include <openssl/ocsp.h>

#define NOW 1800000000
#define SKEW 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static X509 *issuer, *leaf, *fixed_leaf;
static tlsock_cert *fixed;

static const unsigned char nonce[2] = {1, 2};
static const struct tsk_ocsp_source from[] = {
    {.what = "the stapled OCSP response", .code = TLSOCK_E_STAPLE},
    {.what = "the OCSP response of http://ocsp.test/",
     .nonce = nonce,
     .nonce_len = sizeof(nonce),
     .code = TLSOCK_E_REVOCATION_UNKNOWN}};

static void begin(void)
{
    certs_once(&issuer, &leaf);
    fixed = certs_fixed();
    fixed_leaf = certs_make("a.test", fixed->key, 0x1234, fixed->leaf);
}

/* The response with a good signature; NULL: there is none to sign. */
static OCSP_RESPONSE *signed_again(const uint8_t *data, size_t size)
{
    OCSP_RESPONSE *resp = d2i_OCSP_RESPONSE(NULL, &data, (long)size),
                  *out = NULL;
    OCSP_BASICRESP *basic =
        resp != NULL ? OCSP_response_get1_basic(resp) : NULL;

    if (basic != NULL &&
        OCSP_basic_sign(basic, fixed->leaf, fixed->key, EVP_sha256(), NULL,
                        OCSP_NOCERTS | OCSP_NOTIME) == 1)
        out = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(resp);
    return out;
}

static void judge_signed(const uint8_t *data, size_t size)
{
    OCSP_RESPONSE *resp = signed_again(data, size);
    unsigned char *der = NULL;
    int len = resp != NULL ? i2d_OCSP_RESPONSE(resp, &der) : 0;

    for (size_t i = 0; len > 0 && i < 2; i++) {
        struct tsk_status st;
        tlsock_error err = {0};
        int rc = tsk_ocsp_judge(der, (size_t)len, fixed_leaf, fixed->leaf, NOW,
                                &from[i], &st, &err);

        if ((rc < 0) != (err.code != 0) ||
            st.state != (rc == 0                  ? TSK_GOOD
                         : rc == TLSOCK_E_REVOKED ? TSK_REVOKED
                                                  : TSK_UNKNOWN))
            abort();
        if (rc == 0 && (st.as_of > NOW + SKEW || st.until < NOW - SKEW))
            abort();
    }
    OPENSSL_free(der);
    OCSP_RESPONSE_free(resp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tsk_status st;
    tlsock_error err;

    if (issuer == NULL)
        begin();
    for (size_t i = 0; i < 2; i++)
        if (tsk_ocsp_judge(data, size, leaf, issuer, NOW, &from[i], &st,
                           &err) >= 0 ||
            st.state != TSK_UNKNOWN)
            abort();
    judge_signed(data, size);
    return 0;
}
