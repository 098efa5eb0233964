#include "cert/cert.h"
#include "ossl/queue.h"
#include "revoke/ocsp_private.h"

#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define MIN_BITS 112 /* of keys, as for chains */

/* NID_undef is "hashes by itself": Ed25519, Ed448 */
static int is_strong(int md)
{
    return md != NID_md5 && md != NID_sha1 && md != NID_md4 &&
           md != NID_md5_sha1 && md != NID_mdc2 && md != NID_ripemd160;
}

/* RSASSA-PSS names its hash in its parameters; SHA-1 if it names none. */
static int pss_is_strong(const X509_ALGOR *alg)
{
    const ASN1_TYPE *type = alg->parameter;
    const X509_ALGOR *hash = NULL;
    RSA_PSS_PARAMS *pss = NULL;
    int ok;

    if (type != NULL && type->type == V_ASN1_SEQUENCE)
        pss = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), type);
    if (pss != NULL)
        hash = pss->hashAlgorithm;
    ok = hash != NULL && is_strong(OBJ_obj2nid(hash->algorithm));
    RSA_PSS_PARAMS_free(pss);
    return ok;
}

static int signature_is_strong(const X509_ALGOR *alg)
{
    int nid = OBJ_obj2nid(alg->algorithm), md = NID_undef;

    if (nid == NID_rsassaPss)
        return pss_is_strong(alg);
    return OBJ_find_sigid_algs(nid, &md, NULL) && is_strong(md);
}

static int certificate_is_strong(X509 *x)
{
    int md = NID_undef;

    return X509_get_signature_info(x, &md, NULL, NULL, NULL) && is_strong(md) &&
           EVP_PKEY_get_security_bits(X509_get0_pubkey(x)) >= MIN_BITS;
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
    if (!signature_is_strong(OCSP_resp_get0_tbs_sigalg(basic)))
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
