#include "cert/cert.h"
#include "ossl/queue.h"
#include "revoke/ocsp_private.h"
#include "revoke/strong.h"

#include <openssl/x509v3.h>

static int certificate_is_strong(X509 *x)
{
    int md = NID_undef;

    return X509_get_signature_info(x, &md, NULL, NULL, NULL) &&
           tsk_strong_digest(md) &&
           EVP_PKEY_get_security_bits(X509_get0_pubkey(x)) >= TSK_STRONG_BITS;
}

/* RFC 6960, 4.2.2.2: signed by the issuer itself, or by one whom the issuer
 * itself has made its responder with id-kp-OCSPSigning. */
static const char *not_entitled(X509 *signer, X509 *issuer, int64_t now)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    if (X509_cmp(signer, issuer) == 0)
        return NULL;
    if (X509_check_issued(issuer, signer) != X509_V_OK || key == NULL ||
        X509_verify(signer, key) != 1)
        return "is signed by somebody whom the issuer did not appoint";
    if (!(X509_get_extension_flags(signer) & EXFLAG_XKUSAGE) ||
        !(X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN))
        return "is signed with a certificate that is not for OCSP";
    if (!(X509_get_key_usage(signer) & KU_DIGITAL_SIGNATURE))
        return "is signed with a certificate that is not for signatures";
    if (!certificate_is_strong(signer))
        return "is signed with a certificate that is too weak";
    if (tsk_cert_time(X509_get0_notAfter(signer)) < now - TSK_OCSP_SKEW ||
        tsk_cert_time(X509_get0_notBefore(signer)) > now + TSK_OCSP_SKEW)
        return "is signed with a certificate that is out of date";
    return NULL;
}

int tsk_ocsp_check_signer(OCSP_BASICRESP *basic, X509 *issuer, int64_t now,
                          const struct tsk_ocsp_source *from, tlsock_error *err)
{
    STACK_OF(X509) *extra = sk_X509_new_null();
    X509 *signer = NULL;
    const char *why;
    int rc = TLSOCK_OK;

    if (extra == NULL || !sk_X509_push(extra, issuer)) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    if (!tsk_strong_signature(OCSP_resp_get0_tbs_sigalg(basic)))
        rc = tsk_ocsp_bad(from, err, "has a weak signature");
    else if (!OCSP_resp_get0_signer(basic, &signer, extra))
        rc = tsk_ocsp_bad(from, err, "is signed by nobody known");
    /* the signature alone: who may sign is decided above, at our time */
    else if (OCSP_basic_verify(basic, extra, NULL,
                               OCSP_TRUSTOTHER | OCSP_NOVERIFY) != 1)
        rc = tsk_ocsp_bad_ossl(from, err, "has a wrong signature");
    if (rc < 0)
        goto out;
    why = not_entitled(signer, issuer, now);
    if (why != NULL)
        rc = tsk_ossl_starved() ? tsk_fail_nomem(err)
                                : tsk_ocsp_bad(from, err, "%s", why);
out:
    sk_X509_free(extra);
    return rc;
}
