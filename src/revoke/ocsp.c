#include "revoke/ocsp.h"

#include "cert/cert.h"
#include "ossl/queue.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_RESPONSE 65536
#define SKEW 300             /* seconds that clocks may differ */
#define MAX_AGE (10 * 86400) /* of a response that does not say its end */
#define MIN_BITS 112         /* of keys, as for chains */

static int bad(tlsock_error *err, const char *fmt, ...) TLSOCK_PRINTF(2, 3);

static int bad(tlsock_error *err, const char *fmt, ...)
{
    char why[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    tsk_fail(err, TLSOCK_E_STAPLE, "the stapled OCSP response %s", why);
    tsk_hint(err, "the server has to fetch a fresh response from its CA, or "
                  "to stop stapling; it is its administrator's to repair");
    return TLSOCK_E_STAPLE;
}

static int bad_ossl(tlsock_error *err, const char *why)
{
    int rc = tsk_fail_ossl(err, TLSOCK_E_STAPLE, "the stapled OCSP response %s",
                           why);

    tsk_hint(err, "the server has to fetch a fresh response from its CA; a "
                  "forged one means that somebody is in between");
    return rc;
}

static int strong(int sig_nid)
{
    int md = NID_undef;

    if (!OBJ_find_sigid_algs(sig_nid, &md, NULL))
        return 0;
    /* 0 is "hashes by itself": Ed25519, Ed448 */
    return md != NID_md5 && md != NID_sha1 && md != NID_md4 &&
           md != NID_md5_sha1 && md != NID_mdc2 && md != NID_ripemd160;
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
    if (!strong(X509_get_signature_nid(signer)) ||
        EVP_PKEY_get_security_bits(X509_get0_pubkey(signer)) < MIN_BITS)
        return "is signed with a certificate that is too weak";
    if (tsk_cert_time(X509_get0_notAfter(signer)) < now - SKEW ||
        tsk_cert_time(X509_get0_notBefore(signer)) > now + SKEW)
        return "is signed with a certificate that is out of date";
    return NULL;
}

static int check_signer(OCSP_BASICRESP *basic, X509 *issuer, int64_t now,
                        tlsock_error *err)
{
    STACK_OF(X509) *extra = sk_X509_new_null();
    const X509_ALGOR *alg = OCSP_resp_get0_tbs_sigalg(basic);
    const ASN1_OBJECT *oid = NULL;
    X509 *signer = NULL;
    const char *why;
    int rc = TLSOCK_OK;

    if (extra == NULL || !sk_X509_push(extra, issuer)) {
        rc = tsk_fail_nomem(err);
        goto out;
    }
    X509_ALGOR_get0(&oid, NULL, NULL, alg);
    if (!strong(OBJ_obj2nid(oid)))
        rc = bad(err, "has a weak signature");
    else if (!OCSP_resp_get0_signer(basic, &signer, extra))
        rc = bad(err, "is signed by nobody known");
    /* the signature alone: who may sign is decided above, at our time */
    else if (OCSP_basic_verify(basic, extra, NULL,
                               OCSP_TRUSTOTHER | OCSP_NOVERIFY) != 1)
        rc = bad_ossl(err, "has a wrong signature");
    if (rc < 0)
        goto out;
    why = not_entitled(signer, issuer, now);
    if (why != NULL)
        rc = bad(err, "%s", why);
out:
    sk_X509_free(extra);
    return rc;
}

static int revoked(X509 *leaf, const ASN1_GENERALIZEDTIME *when, int reason,
                   tlsock_error *err)
{
    char date[32] = "?", name[96];

    if (when != NULL)
        tsk_cert_date(when, date);
    tsk_cert_short_name(leaf, name, sizeof(name));
    tsk_fail(err, TLSOCK_E_REVOKED,
             "the certificate of \"%s\" was revoked on %s for reason %s, says "
             "the stapled OCSP response",
             name, date,
             reason < 0 ? "unspecified" : OCSP_crl_reason_str(reason));
    tsk_hint(err, "the server needs a new certificate");
    tsk_facts(err, NULL, NULL, name);
    if (err != NULL)
        err->x509_code = X509_V_ERR_CERT_REVOKED;
    return TLSOCK_E_REVOKED;
}

static int judge_single(OCSP_SINGLERESP *single, X509 *leaf, int64_t now,
                        char how[128], tlsock_error *err)
{
    ASN1_GENERALIZEDTIME *when = NULL, *from = NULL, *until = NULL;
    int reason = -1, status;
    int64_t begin, end;
    char date[32] = "?";

    status = OCSP_single_get0_status(single, &reason, &when, &from, &until);
    begin = from == NULL ? INT64_MIN : tsk_cert_time(from);
    if (begin == INT64_MIN)
        return bad(err, "has no valid date");
    tsk_cert_date(from, date);
    if (begin > now + SKEW)
        return bad(err, "is valid only from %s", date);
    if (status == V_OCSP_CERTSTATUS_REVOKED) /* has no end */
        return revoked(leaf, when, reason, err);
    end = until == NULL ? begin + MAX_AGE : tsk_cert_time(until);
    if (end < now - SKEW || end < begin) {
        if (until != NULL)
            tsk_cert_date(until, date);
        return until != NULL ? bad(err, "expired at %s", date)
                             : bad(err, "is too old: it is of %s", date);
    }
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return bad(err, "does not know this certificate (status \"%s\")",
                   OCSP_cert_status_str(status));
    snprintf(how, 128, "good by staple, as of %s", date);
    return TLSOCK_OK;
}

static int judge_basic(OCSP_BASICRESP *basic, X509 *leaf, X509 *issuer,
                       int64_t now, char how[128], tlsock_error *err)
{
    int rc = check_signer(basic, issuer, now, err);

    for (int i = 0; i < OCSP_resp_count(basic) && rc >= 0; i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        int about = tsk_certid_is(
            (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single), leaf, issuer);

        if (about < 0)
            return tsk_fail_nomem(err);
        if (about)
            return judge_single(single, leaf, now, how, err);
    }
    return rc < 0 ? rc : bad(err, "is about another certificate");
}

int tsk_ocsp_judge(const unsigned char *der, size_t len, X509 *leaf,
                   X509 *issuer, X509_STORE *store, STACK_OF(X509) * untrusted,
                   int64_t now, char how[128], tlsock_error *err)
{
    const unsigned char *p = der;
    OCSP_RESPONSE *resp = NULL;
    OCSP_BASICRESP *basic = NULL;
    int rc, status;

    /* A responder is the issuer or appointed by it directly, so the verified
     * issuer is all that is needed to verify it. */
    (void)store;
    (void)untrusted;
    how[0] = '\0';
    if (issuer == NULL)
        return bad(err, "cannot be judged: the issuer is not known");
    if (len == 0 || len > MAX_RESPONSE)
        return bad(err, len == 0 ? "is empty" : "is too large");
    tsk_ossl_enter();
    resp = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
    status = resp == NULL ? -1 : OCSP_response_status(resp);
    if (resp == NULL || p != der + len)
        rc = bad_ossl(err, "cannot be parsed");
    else if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        rc = bad(err, "says only \"%s\"", OCSP_response_status_str(status));
    else {
        basic = OCSP_response_get1_basic(resp);
        rc = basic == NULL ? bad_ossl(err, "cannot be parsed")
                           : judge_basic(basic, leaf, issuer, now, how, err);
    }
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(resp);
    tsk_ossl_leave();
    return rc;
}

int tsk_ocsp_must_staple(X509 *leaf)
{
    TLS_FEATURE *features;
    int found = 0;

    tsk_ossl_enter();
    features = X509_get_ext_d2i(leaf, NID_tlsfeature, NULL, NULL);
    for (int i = 0; i < sk_ASN1_INTEGER_num(features) && !found; i++) {
        /* RFC 7633, 4.2: 5 is status_request */
        found = ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == 5;
    }
    TLS_FEATURE_free(features);
    tsk_ossl_leave();
    return found;
}
