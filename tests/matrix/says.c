/* What lists and responders say: true, late, forged or noise. */
#include "matrix.h"

#include <openssl/ocsp.h>

static unsigned char *noise(size_t *len)
{
    unsigned char *der = OPENSSL_malloc(200);

    memset(der, 0x30, 200);
    *len = 200;
    return der;
}

static ASN1_TIME *in_hours(long h)
{
    return X509_gmtime_adj(NULL, h * 3600);
}

/* When it begins and ends, in hours from now. */
static void span(enum mx_word says, long *from, long *to)
{
    *from = says == MX_OLD ? -480 : says == MX_FUTURE ? 24 : -1;
    *to = says == MX_OLD ? -240 : 48;
}

static void revoke_cert(X509_CRL *crl, X509 *x)
{
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_TIME *when = in_hours(-24);

    X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(x));
    X509_REVOKED_set_revocationDate(r, when);
    X509_CRL_add0_revoked(crl, r);
    ASN1_TIME_free(when);
}

static void number(X509_CRL *crl)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();

    ASN1_INTEGER_set(n, 1);
    X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0);
    ASN1_INTEGER_free(n);
}

unsigned char *mx_list(const struct mx_world *w, int of_root, enum mx_word says,
                       size_t *len)
{
    X509 *by = of_root ? w->root : w->inter;
    enum mx_key key = of_root ? MX_KEY_ROOT : MX_KEY_INTER;
    unsigned char *der = NULL;
    X509_CRL *crl;
    ASN1_TIME *t;
    long from, to;

    if (says == MX_GARBAGE)
        return noise(len);
    crl = X509_CRL_new();
    span(says, &from, &to);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(
        crl, X509_get_subject_name(says == MX_OTHER ? w->other_root : by));
    X509_CRL_set1_lastUpdate(crl, t = in_hours(from));
    ASN1_TIME_free(t);
    X509_CRL_set1_nextUpdate(crl, t = in_hours(to));
    ASN1_TIME_free(t);
    number(crl);
    if (says == MX_REVOKED)
        revoke_cert(crl, of_root ? w->inter : w->leaf);
    if (says == MX_FORGED || says == MX_OTHER)
        key = MX_KEY_OTHER;
    assert_true(X509_CRL_sign(crl, mx_key(key), EVP_sha256()) > 0);
    *len = (size_t)i2d_X509_CRL(crl, &der);
    X509_CRL_free(crl);
    if (says == MX_FLIPPED)
        der[*len - 1] ^= 1;
    return der;
}

static const int states[] = {
    [MX_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
    [MX_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN,
    [MX_GARBAGE] = V_OCSP_CERTSTATUS_GOOD,
};

static void answer_one(OCSP_BASICRESP *bs, const struct mx_world *w,
                       enum mx_word says)
{
    X509 *about = says == MX_OTHER ? w->strangers[0] : w->leaf;
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), about, w->inter);
    ASN1_TIME *begin, *end, *when = in_hours(-24);
    long from, to;

    span(says, &from, &to);
    begin = in_hours(from);
    end = in_hours(to);
    assert_non_null(OCSP_basic_add1_status(
        bs, id, states[says], OCSP_REVOKED_STATUS_KEYCOMPROMISE,
        says == MX_REVOKED ? when : NULL, begin, end));
    if (says == MX_NONCE)
        OCSP_basic_add1_nonce(bs, (unsigned char *)"0123456789abcdef", 16);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    ASN1_TIME_free(when);
}

/* Whose signature it has; the certificate goes with it, if it is no CA's. */
static void sign(OCSP_BASICRESP *bs, const struct mx_world *w,
                 enum mx_word says)
{
    const struct mx_spec spec = {
        .cn = "Matrix Responder",
        .san = "-",
        .eku = says == MX_NO_EKU ? "clientAuth" : "OCSPSigning",
        .key = MX_KEY_OTHER,
    };
    int delegated = says == MX_DELEGATE || says == MX_NO_EKU;
    X509 *by = w->inter;
    enum mx_key key = MX_KEY_INTER;

    if (delegated)
        by = mx_make(&spec, MX_ROLE_LEAF, w->inter, MX_KEY_INTER);
    else if (says == MX_STRANGER)
        by = mx_make(&spec, MX_ROLE_LEAF, w->other_root, MX_KEY_OTHER);
    else if (says == MX_FORGED)
        by = w->twin;
    if (by != w->inter)
        key = MX_KEY_OTHER;
    assert_int_equal(
        OCSP_basic_sign(bs, by, mx_key(key), EVP_sha256(), NULL, 0), 1);
    if (delegated || says == MX_STRANGER)
        X509_free(by);
}

unsigned char *mx_response(const struct mx_world *w, enum mx_word says,
                           size_t *len)
{
    OCSP_BASICRESP *bs = NULL;
    unsigned char *der = NULL;
    OCSP_RESPONSE *resp;

    if (says == MX_GARBAGE)
        return noise(len);
    if (says != MX_TRY_LATER) {
        bs = OCSP_BASICRESP_new();
        answer_one(bs, w, says);
        sign(bs, w, says);
    }
    if (says == MX_FLIPPED) {
        const ASN1_OCTET_STRING *sig = OCSP_resp_get0_signature(bs);

        sig->data[sig->length - 1] ^= 1;
    }
    resp = OCSP_response_create(bs != NULL ? OCSP_RESPONSE_STATUS_SUCCESSFUL
                                           : OCSP_RESPONSE_STATUS_TRYLATER,
                                bs);
    *len = (size_t)i2d_OCSP_RESPONSE(resp, &der);
    OCSP_RESPONSE_free(resp);
    OCSP_BASICRESP_free(bs);
    return der;
}
