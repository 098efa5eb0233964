#include "verify/chain.h"

#include "cert/cert.h"
#include "core/clock.h"
#include "core/date.h"
#include "ossl/queue.h"
#include "revoke/crljudge.h"
#include "revoke/dp.h"
#include "verify/dane.h"

#include <openssl/x509v3.h>
#include <pthread.h>

#define SECURITY_LEVEL 2 /* 112 bits: RSA 2048, SHA-256 */

static int run_index = -1;
static pthread_mutex_t run_lock = PTHREAD_MUTEX_INITIALIZER;

static int get_run_index(void)
{
    int index;

    pthread_mutex_lock(&run_lock);
    if (run_index < 0)
        run_index = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    index = run_index;
    pthread_mutex_unlock(&run_lock);
    return index;
}

static int64_t now_of(const struct tsk_verify_req *req)
{
    return req->time != 0 ? req->time : tsk_wall_time();
}

/* notAfter is the last moment of the validity: RFC 5280, 4.1.2.5. */
static int last_second(X509_STORE_CTX *ctx, const struct tsk_verify_req *req)
{
    X509 *x = X509_STORE_CTX_get_current_cert(ctx);

    return x != NULL && tsk_cert_time(X509_get0_notAfter(x)) == now_of(req);
}

/* Forgives exactly the fault that was named; OpenSSL goes on with all its
 * other checks then. */
static int on_fault(int ok, X509_STORE_CTX *ctx)
{
    struct tsk_chain_run *run;

    if (ok)
        return 1;
    run = X509_STORE_CTX_get_ex_data(ctx, get_run_index());
    if (run == NULL)
        return 0;
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        if (last_second(ctx, run->req))
            return 1;
        if (run->req->insecure & TSK_INSECURE_EXPIRED) {
            run->forgiven |= TSK_INSECURE_EXPIRED;
            return 1;
        }
        return 0;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        if (run->req->insecure & TSK_INSECURE_SELF_SIGNED) {
            run->forgiven |= TSK_INSECURE_SELF_SIGNED;
            return 1;
        }
        return 0;
    default:
        return 0;
    }
}

/* Any policy will do, but what CAs demand of policies below them is checked:
 * RFC 5280, 6.1.1 (c). */
static int set_policies(X509_VERIFY_PARAM *p)
{
    ASN1_OBJECT *any = OBJ_nid2obj(NID_any_policy);

    X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_POLICY_CHECK);
    return X509_VERIFY_PARAM_add0_policy(p, any);
}

static int set_purpose(X509_VERIFY_PARAM *p, const struct tsk_verify_req *req)
{
    int purpose = X509_PURPOSE_SSL_SERVER, trust = X509_TRUST_SSL_SERVER;

    if (req->purpose == TLSOCK_PURPOSE_CLIENT) {
        purpose = X509_PURPOSE_SSL_CLIENT;
        trust = X509_TRUST_SSL_CLIENT;
    } else if (req->purpose == TLSOCK_PURPOSE_ANY) {
        purpose = X509_PURPOSE_ANY;
        trust = X509_TRUST_COMPAT;
    }
    return X509_VERIFY_PARAM_set_purpose(p, purpose) &&
           X509_VERIFY_PARAM_set_trust(p, trust);
}

static int set_params(X509_STORE_CTX *ctx, const struct tsk_verify_req *req)
{
    X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);

    X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_X509_STRICT |
                                       X509_V_FLAG_TRUSTED_FIRST);
    if (req->partial_chain)
        X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
    else
        X509_VERIFY_PARAM_clear_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
    /* no CN is a host name, and so none is asked of name constraints */
    X509_VERIFY_PARAM_set_hostflags(p,
                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set_depth(p, req->depth > 0    ? req->depth
                                   : req->depth == 0 ? TSK_DEFAULT_DEPTH
                                                     : 0);
    X509_VERIFY_PARAM_set_auth_level(p, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_time(p, tsk_date_system(now_of(req)));
    return set_policies(p) && set_purpose(p, req);
}

/* What was forgiven on the way cannot stand in for a record. */
static int records_fit(X509_STORE_CTX *ctx, const struct tsk_verify_req *req)
{
    struct tsk_dane_match m;

    if (req->dane == NULL || tsk_dane_matched(req->dane, &m))
        return 1;
    X509_STORE_CTX_set_error(ctx, X509_V_ERR_DANE_NO_MATCH);
    return 0;
}

/* Lists that nobody gave are fetched, or done without, once the path stands. */
static int may_be_told_later(const struct tsk_verify_req *req, X509 *crt)
{
    char url[TSK_URL_MAX];

    return req->unknown_is_fine || tsk_dp_url(crt, 0, url, sizeof(url)) > 0;
}

int tsk_chain_lists(X509_STORE_CTX *ctx, struct tsk_chain_run *run,
                    tlsock_error *err)
{
    const struct tsk_verify_req *req = run->req;
    struct tsk_crl_question q = {.chain = X509_STORE_CTX_get0_chain(ctx),
                                 .store = X509_STORE_CTX_get0_store(ctx),
                                 .untrusted = run->sent,
                                 .now = now_of(req)};
    int n = req->check_crls ? sk_X509_num(q.chain) : 0;

    for (q.depth = 0; q.depth < n - 1; q.depth++) {
        struct tsk_status st;
        int rc = tsk_crl_judge(req->lists, req->n_lists, &q, &st, err);

        if (rc == TLSOCK_OK && st.state == TSK_UNKNOWN &&
            may_be_told_later(req, sk_X509_value(q.chain, q.depth)))
            continue;
        if (rc != TLSOCK_OK || st.state != TSK_GOOD) {
            X509_STORE_CTX_set_error_depth(ctx, q.depth);
            X509_STORE_CTX_set_error(
                ctx, rc != TLSOCK_OK           ? X509_V_ERR_OUT_OF_MEM
                     : st.state == TSK_REVOKED ? X509_V_ERR_CERT_REVOKED
                                               : X509_V_ERR_UNABLE_TO_GET_CRL);
            return rc != TLSOCK_OK           ? rc
                   : st.state == TSK_REVOKED ? TLSOCK_E_REVOKED
                                             : TLSOCK_E_REVOCATION_UNKNOWN;
        }
        if (run->crl_as_of == 0 || st.as_of < run->crl_as_of)
            run->crl_as_of = st.as_of;
    }
    return TLSOCK_OK;
}

static int sound_and_lists(X509_STORE_CTX *ctx, struct tsk_chain_run *run,
                           tlsock_error *err)
{
    int rc = tsk_sound_chain(ctx, run->req, err);

    run->crl_as_of = 0;
    return rc == TLSOCK_OK ? tsk_chain_lists(ctx, run, err) : rc;
}

int tsk_chain_try(X509_STORE_CTX *ctx, struct tsk_chain_run *run,
                  tlsock_error *err)
{
    X509_STORE_CTX_verify_cb found = X509_STORE_CTX_get_verify_cb(ctx);
    int index = get_run_index(), ok;

    if (index < 0 || !set_params(ctx, run->req) ||
        !X509_STORE_CTX_set_ex_data(ctx, index, run)) {
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_OUT_OF_MEM);
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM,
                             "cannot prepare verification");
    }
    X509_STORE_CTX_set_verify_cb(ctx, on_fault);
    ok = X509_verify_cert(ctx);
    X509_STORE_CTX_set_verify_cb(ctx, found);
    X509_STORE_CTX_set_ex_data(ctx, index, NULL); /* run is on the stack */
    if (ok == 1 && records_fit(ctx, run->req)) {
        X509_STORE_CTX_set_error(ctx, X509_V_OK); /* what was forgiven, too */
        return sound_and_lists(ctx, run, err);
    }
    if (X509_STORE_CTX_get_error(ctx) == X509_V_OK)
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNSPECIFIED);
    if (tsk_sound_damaged(ctx, err))
        return TLSOCK_E_CERT_INVALID;
    if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_DANE_NO_MATCH)
        return tsk_dane_no_match(run->req->dane, X509_STORE_CTX_get0_cert(ctx),
                                 err);
    return tsk_explain_x509(ctx, run->req, err);
}

/* A fault of the leaf that it has by whatever path. */
static int path_matters(X509_STORE_CTX *ctx)
{
    if (X509_STORE_CTX_get_error_depth(ctx) != 0)
        return 1;
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CERT_REVOKED:
    case X509_V_ERR_INVALID_EXTENSION: /* ours, of sound.c */
        return 0;
    default:
        return 1;
    }
}

int tsk_chain_verify(X509_STORE_CTX *ctx, struct tsk_chain_run *run,
                     tlsock_error *err)
{
    unsigned forgiven = run->forgiven;
    int rc;

    tsk_ossl_enter();
    run->sent = X509_STORE_CTX_get0_untrusted(ctx);
    rc = tsk_chain_try(ctx, run, err);
    if (rc != TLSOCK_OK && rc != TLSOCK_E_NOMEM && path_matters(ctx)) {
        struct tsk_chain_run other = {
            .req = run->req, .forgiven = forgiven, .sent = run->sent};

        if (tsk_path_search(ctx, &other) == TLSOCK_OK)
            rc = TLSOCK_OK;
        else
            other.forgiven = run->forgiven;
        *run = other;
    }
    tsk_ossl_leave();
    return rc;
}
