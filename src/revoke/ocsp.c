#include "revoke/ocsp.h"

#include "cert/cert.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/ocsp_private.h"

#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void advise(const struct tsk_ocsp_source *from, tlsock_error *err)
{
    if (from->code == TLSOCK_E_STAPLE)
        tsk_hint(err,
                 "the server has to fetch a fresh response from its CA, or to "
                 "stop stapling; a forged one means that somebody is in "
                 "between");
    else
        tsk_hint(err,
                 "the responder is the CA's to repair; revocation.fail = soft "
                 "goes on without it, revocation = crl asks lists instead");
}

int tsk_ocsp_bad(const struct tsk_ocsp_source *from, tlsock_error *err,
                 const char *fmt, ...)
{
    char why[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    tsk_fail(err, from->code, "%s %s", from->what, why);
    advise(from, err);
    return from->code;
}

int tsk_ocsp_bad_ossl(const struct tsk_ocsp_source *from, tlsock_error *err,
                      const char *why)
{
    int rc = tsk_fail_ossl(err, from->code, "%s %s", from->what, why);

    if (rc == from->code)
        advise(from, err);
    return rc;
}

static int revoked(X509 *cert, const struct tsk_ocsp_source *from,
                   const ASN1_GENERALIZEDTIME *when, int reason,
                   tlsock_error *err)
{
    char date[32] = "?", name[96];

    if (when != NULL)
        tsk_cert_date(when, date);
    tsk_cert_short_name(cert, name, sizeof(name));
    tsk_fail(err, TLSOCK_E_REVOKED,
             "the certificate of \"%s\" was revoked on %s for reason %s, says "
             "%s",
             name, date,
             reason < 0 ? "unspecified" : OCSP_crl_reason_str(reason),
             from->what);
    tsk_hint(err, "it needs a new certificate");
    tsk_facts(err, NULL, NULL, name);
    if (err != NULL)
        err->x509_code = X509_V_ERR_CERT_REVOKED;
    return TLSOCK_E_REVOKED;
}

struct question {
    X509 *cert, *issuer;
    int64_t now;
    const struct tsk_ocsp_source *from;
};

/* Has it ended? It did if it says so, and ten days after it began if not. */
static int check_end(const struct question *q, int64_t begin,
                     const ASN1_GENERALIZEDTIME *from,
                     const ASN1_GENERALIZEDTIME *until, int64_t *end,
                     tlsock_error *err)
{
    char date[32] = "?";

    *end = until == NULL ? begin + TSK_OCSP_MAX_AGE : tsk_cert_time(until);
    if (*end >= q->now - TSK_OCSP_SKEW && *end >= begin)
        return TLSOCK_OK;
    tsk_cert_date(until != NULL ? until : from, date);
    return tsk_ocsp_bad(
        q->from, err,
        until != NULL ? "expired at %s" : "is too old: it is of %s", date);
}

static int judge_single(OCSP_SINGLERESP *single, const struct question *q,
                        struct tsk_status *out, tlsock_error *err)
{
    ASN1_GENERALIZEDTIME *when = NULL, *from = NULL, *until = NULL;
    char date[32] = "?";
    int status, rc;

    status =
        OCSP_single_get0_status(single, &out->reason, &when, &from, &until);
    out->as_of = from == NULL ? INT64_MIN : tsk_cert_time(from);
    if (out->as_of == INT64_MIN)
        return tsk_ocsp_bad(q->from, err, "has no valid date");
    if (out->as_of > q->now + TSK_OCSP_SKEW) {
        tsk_cert_date(from, date);
        return tsk_ocsp_bad(q->from, err, "is valid only from %s", date);
    }
    rc = check_end(q, out->as_of, from, until, &out->until, err);
    if (status == V_OCSP_CERTSTATUS_REVOKED) { /* which has no end */
        tsk_clear(err);
        out->state = TSK_REVOKED;
        out->when = when == NULL ? 0 : tsk_cert_time(when);
        return revoked(q->cert, q->from, when, out->reason, err);
    }
    if (rc < 0)
        return rc;
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return tsk_ocsp_bad(q->from, err,
                            "does not know this certificate (status \"%s\")",
                            OCSP_cert_status_str(status));
    out->state = TSK_GOOD;
    return TLSOCK_OK;
}

/* RFC 9654: what comes back is what was sent, or nothing: many responders sign
 * beforehand. Another nonce is the answer to somebody else's question. */
static int check_nonce(OCSP_BASICRESP *basic,
                       const struct tsk_ocsp_source *from, tlsock_error *err)
{
    int at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
    const ASN1_OCTET_STRING *outer;
    ASN1_OCTET_STRING *inner;
    const unsigned char *p, *end;
    int same;

    if (from->nonce == NULL || at < 0)
        return TLSOCK_OK;
    outer = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, at));
    p = ASN1_STRING_get0_data(outer);
    end = p + ASN1_STRING_length(outer);
    inner = d2i_ASN1_OCTET_STRING(NULL, &p, (long)(end - p));
    if (inner == NULL && tsk_ossl_starved())
        return tsk_fail_nomem(err);
    same =
        inner != NULL && p == end &&
        (size_t)ASN1_STRING_length(inner) == from->nonce_len &&
        memcmp(ASN1_STRING_get0_data(inner), from->nonce, from->nonce_len) == 0;
    ASN1_OCTET_STRING_free(inner);
    return same ? TLSOCK_OK
                : tsk_ocsp_bad(from, err,
                               "answers another request: its nonce is not "
                               "the one that was sent");
}

static int judge_basic(OCSP_BASICRESP *basic, const struct question *q,
                       struct tsk_status *out, tlsock_error *err)
{
    int rc = tsk_ocsp_check_signer(basic, q->issuer, q->now, q->from, err);

    if (rc == TLSOCK_OK)
        rc = check_nonce(basic, q->from, err);
    for (int i = 0; i < OCSP_resp_count(basic) && rc >= 0; i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        int about = tsk_certid_is(
            (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single), q->cert, q->issuer);

        if (about < 0)
            return tsk_fail_nomem(err);
        if (about)
            return judge_single(single, q, out, err);
    }
    return rc < 0 ? rc
                  : tsk_ocsp_bad(q->from, err, "is about another certificate");
}

static int judge_response(OCSP_RESPONSE *resp, const struct question *q,
                          struct tsk_status *out, tlsock_error *err)
{
    int status = OCSP_response_status(resp), rc;
    OCSP_BASICRESP *basic;

    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return tsk_ocsp_bad(q->from, err, "says only \"%s\"",
                            OCSP_response_status_str(status));
    basic = OCSP_response_get1_basic(resp);
    if (basic == NULL)
        return tsk_ocsp_bad_ossl(q->from, err, "cannot be parsed");
    rc = judge_basic(basic, q, out, err);
    OCSP_BASICRESP_free(basic);
    return rc;
}

int tsk_ocsp_judge(const unsigned char *der, size_t len, X509 *cert,
                   X509 *issuer, int64_t now,
                   const struct tsk_ocsp_source *from, struct tsk_status *out,
                   tlsock_error *err)
{
    const struct question q = {cert, issuer, now, from};
    const unsigned char *p = der;
    OCSP_RESPONSE *resp;
    int rc;

    memset(out, 0, sizeof(*out));
    out->reason = -1;
    if (issuer == NULL)
        return tsk_ocsp_bad(from, err,
                            "cannot be judged: the issuer is not known");
    if (len == 0 || len > TSK_OCSP_MAX)
        return tsk_ocsp_bad(from, err, len == 0 ? "is empty" : "is too large");
    tsk_ossl_enter();
    resp = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
    rc = resp == NULL || p != der + len
             ? tsk_ocsp_bad_ossl(from, err, "cannot be parsed")
             : judge_response(resp, &q, out, err);
    OCSP_RESPONSE_free(resp);
    tsk_ossl_leave();
    if (out->state != TSK_UNKNOWN)
        out->by = from->code == TLSOCK_E_STAPLE ? TSK_BY_STAPLE : TSK_BY_OCSP;
    return rc;
}

int tsk_ocsp_must_staple(X509 *leaf)
{
    TLS_FEATURE *features;
    int found = 0;

    tsk_ossl_enter();
    features = X509_get_ext_d2i(leaf, NID_tlsfeature, NULL, NULL);
    if (features == NULL && tsk_ossl_starved())
        found = TLSOCK_E_NOMEM;
    for (int i = 0; i < sk_ASN1_INTEGER_num(features) && !found; i++) {
        /* RFC 7633, 4.2: 5 is status_request */
        found = ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == 5;
    }
    TLS_FEATURE_free(features);
    tsk_ossl_leave();
    return found;
}
