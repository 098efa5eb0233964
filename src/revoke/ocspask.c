#include "revoke/ocspask.h"

#include "ossl/queue.h"

#include <openssl/ocsp.h>

#define NONCE_MAX 128 /* RFC 9654, 2.1 */

static int encode(OCSP_REQUEST *req, struct tsk_buf *der)
{
    int len = i2d_OCSP_REQUEST(req, NULL);
    uint8_t *room = len > 0 ? tsk_buf_room(der, (size_t)len) : NULL;

    if (room == NULL || i2d_OCSP_REQUEST(req, &room) != len)
        return 0;
    der->len += (size_t)len;
    return 1;
}

/* The request owns the id once it has taken it. */
static int fill(OCSP_REQUEST *req, X509 *cert, X509 *issuer,
                const unsigned char *nonce, size_t nonce_len)
{
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), cert, issuer);

    if (id == NULL)
        return 0;
    if (OCSP_request_add0_id(req, id) == NULL) {
        OCSP_CERTID_free(id);
        return 0;
    }
    return nonce == NULL || OCSP_request_add1_nonce(req, (unsigned char *)nonce,
                                                    (int)nonce_len) == 1;
}

int tsk_ocsp_ask(X509 *cert, X509 *issuer, const unsigned char *nonce,
                 size_t nonce_len, struct tsk_buf *der, tlsock_error *err)
{
    OCSP_REQUEST *req;
    int ok;

    if (nonce != NULL && (nonce_len == 0 || nonce_len > NONCE_MAX)) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "an OCSP nonce of %zu bytes",
                 nonce_len);
        tsk_hint(err, "it has 1 to %d bytes; %d are usual (RFC 9654)",
                 NONCE_MAX, TSK_OCSP_NONCE);
        return TLSOCK_E_ARGUMENT;
    }
    tsk_ossl_enter();
    req = OCSP_REQUEST_new();
    ok = req != NULL && fill(req, cert, issuer, nonce, nonce_len) &&
         encode(req, der);
    OCSP_REQUEST_free(req);
    tsk_ossl_leave();
    return ok ? TLSOCK_OK : tsk_fail_nomem(err);
}
