#include "core/clock.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/ext.h"
#include "ossl/queue.h"
#include "revoke/make.h"
#include "revoke/ocsp.h"

#include <openssl/bn.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY 86400
#define NONCE_MAX 128 /* octets: RFC 9654, 2.1 */
#define NO_REASON (-1)

struct answer {
    const tlsock_ocsp_opts *o;
    const tlsock_cert *signer;
    const EVP_MD *md;
    int64_t now;
    ASN1_TIME *from, *until; /* until: NULL if none is said */
    OCSP_REQUEST *req;
    OCSP_BASICRESP *basic;
    int ours; /* certificates asked about that are the issuer's */
};

static int bad(tlsock_error *err, const char *what, const char *hint)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s", what);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

/* What is wrong with the options, before any request is looked at. */
static int check_options(const tlsock_ocsp_opts *o, tlsock_error *err)
{
    if (o->issuer == NULL)
        return bad(err, "an OCSP responder needs its CA",
                   "give the certificate whose issued ones are asked about");
    if (o->status == NULL)
        return bad(err, "an OCSP responder needs to know who is revoked",
                   "give a function that tells the state of a serial");
    if (o->this_update < 0 || o->this_update > TSK_LAST_SECOND ||
        o->valid_s < -1)
        return bad(err, "a time of the OCSP response is not possible",
                   "give seconds since 1970, and seconds until the next "
                   "update, or -1");
    return TLSOCK_OK;
}

/* RFC 6960, 4.2.2.2: the issuer, or one that it made its responder. */
static int check_delegate(const struct answer *a, tlsock_error *err)
{
    X509 *x = a->signer->leaf, *ca = a->o->issuer->leaf;
    EVP_PKEY *key = X509_get0_pubkey(ca);
    char who[96], when[32];

    tsk_cert_short_name(x, who, sizeof(who));
    if (key == NULL || X509_check_issued(ca, x) != X509_V_OK ||
        X509_verify(x, key) != 1) {
        tsk_fail(err, TLSOCK_E_PURPOSE,
                 "the signer \"%s\" is not issued by the CA itself", who);
        tsk_hint(err, "have the CA issue one with the purpose OCSPSigning");
        return TLSOCK_E_PURPOSE;
    }
    if ((X509_get_extension_flags(x) & EXFLAG_XKUSAGE) == 0 ||
        (X509_get_extended_key_usage(x) & XKU_OCSP_SIGN) == 0 ||
        (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE) == 0) {
        tsk_fail(err, TLSOCK_E_PURPOSE,
                 "the signer \"%s\" is not for OCSP responses", who);
        tsk_hint(err, "it needs the purpose OCSPSigning and, if its key usage "
                      "is limited, digitalSignature");
        return TLSOCK_E_PURPOSE;
    }
    if (tsk_cert_time(X509_get0_notAfter(x)) >= a->now)
        return TLSOCK_OK;
    tsk_cert_date(X509_get0_notAfter(x), when);
    tsk_fail(err, TLSOCK_E_EXPIRED, "the signer \"%s\" expired on %s", who,
             when);
    tsk_hint(err, "renew it: clients refuse its responses");
    return TLSOCK_E_EXPIRED;
}

static int check_signer(struct answer *a, tlsock_error *err)
{
    int delegated = X509_cmp(a->signer->leaf, a->o->issuer->leaf) != 0;
    int rc =
        tsk_signer_key(a->signer, delegated ? "the signer" : "the issuer", err);

    if (rc == TLSOCK_OK)
        rc = tsk_signer_digest(&a->md, a->signer->key, a->o->digest, err);
    if (rc == TLSOCK_OK && delegated)
        rc = check_delegate(a, err);
    return rc;
}

/* 1: within RFC 9654, 2.1, or none; 0: not */
static int nonce_is_sound(OCSP_REQUEST *req)
{
    int at = OCSP_REQUEST_get_ext_by_NID(req, NID_id_pkix_OCSP_Nonce, -1);
    const ASN1_OCTET_STRING *outer;
    ASN1_OCTET_STRING *inner;
    const unsigned char *p, *start;
    long len;
    int ok;

    if (at < 0)
        return 1;
    if (OCSP_REQUEST_get_ext_by_NID(req, NID_id_pkix_OCSP_Nonce, at) >= 0)
        return 0;
    outer = X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(req, at));
    p = start = ASN1_STRING_get0_data(outer);
    len = ASN1_STRING_length(outer);
    inner = d2i_ASN1_OCTET_STRING(NULL, &p, len);
    ok = inner != NULL && p == start + len && ASN1_STRING_length(inner) > 0 &&
         ASN1_STRING_length(inner) <= NONCE_MAX;
    ASN1_OCTET_STRING_free(inner);
    return ok;
}

/* A critical extension that is not understood means: do not answer as if. */
static int extensions_are_known(OCSP_REQUEST *req)
{
    for (int i = 0; i < OCSP_REQUEST_get_ext_count(req); i++) {
        X509_EXTENSION *ext = OCSP_REQUEST_get_ext(req, i);

        if (X509_EXTENSION_get_critical(ext) &&
            OBJ_obj2nid(X509_EXTENSION_get_object(ext)) !=
                NID_id_pkix_OCSP_Nonce)
            return 0;
    }
    for (int i = 0; i < OCSP_request_onereq_count(req); i++) {
        OCSP_ONEREQ *one = OCSP_request_onereq_get0(req, i);

        for (int k = 0; k < OCSP_ONEREQ_get_ext_count(one); k++)
            if (X509_EXTENSION_get_critical(OCSP_ONEREQ_get_ext(one, k)))
                return 0;
    }
    return 1;
}

/* What is asked about is copied into the answer: parameters of a hash may be
 * anything, also what nobody could read again. */
static int can_be_said_again(OCSP_CERTID *id)
{
    unsigned char *der = NULL;
    int len = i2d_OCSP_CERTID(id, &der), ok = 0;
    const unsigned char *p = der;

    if (len > 0) {
        OCSP_CERTID *again = d2i_OCSP_CERTID(NULL, &p, len);

        ok = again != NULL && p == der + len && OCSP_id_cmp(again, id) == 0;
        OCSP_CERTID_free(again);
    }
    OPENSSL_free(der);
    return ok;
}

static int ids_are_sound(OCSP_REQUEST *req)
{
    for (int i = 0; i < OCSP_request_onereq_count(req); i++)
        if (!can_be_said_again(
                OCSP_onereq_get0_id(OCSP_request_onereq_get0(req, i))))
            return 0;
    return 1;
}

static OCSP_REQUEST *parse(const unsigned char *der, size_t len)
{
    const unsigned char *p = der;
    OCSP_REQUEST *req;

    if (len == 0 || len > TLSOCK_OCSP_REQUEST_MAX)
        return NULL;
    req = d2i_OCSP_REQUEST(NULL, &p, (long)len);
    if (req != NULL && p == der + len && OCSP_request_onereq_count(req) > 0 &&
        OCSP_request_onereq_count(req) <= TLSOCK_OCSP_CERTS_MAX &&
        nonce_is_sound(req) && extensions_are_known(req) && ids_are_sound(req))
        return req;
    OCSP_REQUEST_free(req);
    return NULL;
}

/* Asks the caller. What no CA can have issued is not asked about. */
static int look_up(const struct answer *a, const ASN1_INTEGER *serial,
                   tlsock_status *st, tlsock_error *err)
{
    BIGNUM *bn;
    char *hex;
    int rc;

    if (ASN1_STRING_length(serial) > TSK_SERIAL_MAX ||
        ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
        return TLSOCK_OK;
    bn = ASN1_INTEGER_to_BN(serial, NULL);
    hex = bn != NULL ? BN_bn2hex(bn) : NULL;
    BN_free(bn);
    if (hex == NULL)
        return tsk_fail_nomem(err);
    for (char *p = hex; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p - 'A' + 'a');
    rc = a->o->status(hex, st, a->o->arg);
    if (rc < 0)
        tsk_fail(err, rc, "the state of the certificate %s cannot be told",
                 hex);
    else if (st->status < TLSOCK_STATUS_GOOD ||
             st->status > TLSOCK_STATUS_UNKNOWN ||
             (st->status == TLSOCK_STATUS_REVOKED &&
              (st->when <= 0 || st->when > TSK_LAST_SECOND ||
               !tsk_reason_known(st->reason))))
        rc = bad(err,
                 "the state that was told of a certificate is not "
                 "possible",
                 "a status of 0 to 2; if it is revoked, since when, and a "
                 "reason of RFC 5280, 5.3.1");
    OPENSSL_free(hex);
    return rc < 0 ? rc : TLSOCK_OK;
}

static int add_single(const struct answer *a, OCSP_CERTID *id,
                      const tlsock_status *st, tlsock_error *err)
{
    static const int as[] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
                             V_OCSP_CERTSTATUS_UNKNOWN};
    int revoked = st->status == TLSOCK_STATUS_REVOKED;
    ASN1_TIME *when = revoked ? tsk_ossl_time(NULL, st->when) : NULL;
    int ok = !revoked || when != NULL;

    if (ok)
        ok = OCSP_basic_add1_status(a->basic, id, as[st->status],
                                    revoked && st->reason != 0 ? st->reason
                                                               : NO_REASON,
                                    when, a->from, a->until) != NULL;
    ASN1_TIME_free(when);
    return ok ? TLSOCK_OK : tsk_fail_nomem(err);
}

static int add_all(struct answer *a, tlsock_error *err)
{
    for (int i = 0; i < OCSP_request_onereq_count(a->req); i++) {
        OCSP_ONEREQ *one = OCSP_request_onereq_get0(a->req, i);
        OCSP_CERTID *id = OCSP_onereq_get0_id(one);
        tlsock_status st = {.size = sizeof(st),
                            .status = TLSOCK_STATUS_UNKNOWN};
        ASN1_INTEGER *serial = NULL;
        int ours = tsk_certid_is(id, NULL, a->o->issuer->leaf), rc = TLSOCK_OK;

        if (ours < 0)
            return tsk_fail_nomem(err);
        a->ours += ours;
        OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
        if (ours)
            rc = look_up(a, serial, &st, err);
        if (rc == TLSOCK_OK)
            rc = add_single(a, id, &st, err);
        if (rc != TLSOCK_OK)
            return rc;
    }
    return TLSOCK_OK;
}

static int sign(const struct answer *a, tlsock_error *err)
{
    int delegated = X509_cmp(a->signer->leaf, a->o->issuer->leaf) != 0, rc;

    /* 0: failed; 1: copied; 2: there is none */
    if (OCSP_copy_nonce(a->basic, a->req) <= 0)
        return tsk_fail_nomem(err);
    if (OCSP_basic_sign(a->basic, a->signer->leaf, a->signer->key, a->md, NULL,
                        OCSP_RESPID_KEY | (delegated ? 0 : OCSP_NOCERTS)) == 1)
        return TLSOCK_OK;
    rc = tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                       "the key cannot sign the OCSP response");
    if (rc != TLSOCK_E_NOMEM)
        tsk_hint(err, "it has to be one for signatures: ECDSA, RSA, Ed25519");
    return rc;
}

static int fill(struct answer *a, tlsock_error *err)
{
    int64_t valid = a->o->valid_s != 0 ? a->o->valid_s : DAY;
    int64_t from = a->o->this_update != 0 ? a->o->this_update : a->now;
    int rc;

    a->basic = OCSP_BASICRESP_new();
    a->from = tsk_ossl_time(NULL, from);
    if (a->basic == NULL || a->from == NULL)
        return tsk_fail_nomem(err);
    if (valid > 0) {
        a->until = tsk_ossl_time(NULL, (from + valid));
        if (a->until == NULL)
            return tsk_fail_nomem(err);
    }
    rc = add_all(a, err);
    if (rc == TLSOCK_OK && a->ours > 0)
        rc = sign(a, err);
    return rc;
}

/* The status of the response, or a code; basic only with a status of 0. */
static int respond(struct answer *a, const unsigned char *request, size_t len,
                   tlsock_error *err)
{
    int rc = check_signer(a, err);

    if (rc != TLSOCK_OK)
        return rc;
    a->req = parse(request, len);
    if (a->req == NULL) {
        if (tsk_fail_ossl(err, TLSOCK_E_PROTOCOL, "no OCSP request") ==
            TLSOCK_E_NOMEM)
            return TLSOCK_E_NOMEM;
        tsk_clear(err);
        return OCSP_RESPONSE_STATUS_MALFORMEDREQUEST;
    }
    rc = fill(a, err);
    if (rc == TLSOCK_OK && a->ours == 0) /* RFC 5019, 2.2.3 */
        rc = OCSP_RESPONSE_STATUS_UNAUTHORIZED;
    return rc;
}

static int encode(const struct answer *a, int rc, void *out, size_t *out_len,
                  tlsock_error *err)
{
    int status = rc < 0 ? OCSP_RESPONSE_STATUS_INTERNALERROR : rc;
    OCSP_RESPONSE *resp =
        OCSP_response_create(status, rc == 0 ? a->basic : NULL);
    int len = resp != NULL ? i2d_OCSP_RESPONSE(resp, NULL) : -1;
    unsigned char *p = out;
    size_t room = *out_len;

    if (len > 0 && (size_t)len <= room)
        i2d_OCSP_RESPONSE(resp, &p);
    OCSP_RESPONSE_free(resp);
    *out_len = len > 0 ? (size_t)len : 0;
    if (len <= 0)
        return tsk_fail_nomem(err);
    if ((size_t)len <= room)
        return rc;
    tsk_fail(err, TLSOCK_E_LIMIT,
             "the OCSP response takes %d bytes, there is room for %zu", len,
             room);
    tsk_hint(err, "give more memory");
    return TLSOCK_E_LIMIT;
}

/* 30 03 0a 01 02: internalError, for when there is no memory to encode it */
static int last_resort(int rc, void *out, size_t *out_len, size_t room)
{
    static const unsigned char internal[] = {0x30, 3, 0x0a, 1, 2};

    if (rc == TLSOCK_E_NOMEM && *out_len == 0 && room >= sizeof(internal)) {
        memcpy(out, internal, sizeof(internal));
        *out_len = sizeof(internal);
    }
    return rc;
}

int tsk_ocsp_answer(const tlsock_ocsp_opts *o, const void *request, size_t len,
                    void *out, size_t *out_len, tlsock_error *err)
{
    struct answer a = {.o = o, .now = tsk_wall_time()};
    size_t room = *out_len;
    int rc = check_options(o, err);

    if (rc != TLSOCK_OK) {
        *out_len = 0;
        return rc;
    }
    a.signer = o->signer != NULL ? o->signer : o->issuer;
    tsk_ossl_enter();
    rc = respond(&a, request, len, err);
    rc = encode(&a, rc, out, out_len, err);
    rc = last_resort(rc, out, out_len, room);
    OCSP_REQUEST_free(a.req);
    OCSP_BASICRESP_free(a.basic);
    ASN1_TIME_free(a.from);
    ASN1_TIME_free(a.until);
    tsk_ossl_leave();
    return rc;
}
