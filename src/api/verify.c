/* Matching and verifying certificates without a connection. */
#include "api/config.h"
#include "api/revocation.h"
#include "api/policy_rules.h"
#include "cert/cert.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/check.h"
#include "tls/hook_name.h"
#include "verify/host.h"
#include "verify/policy.h"
#include "verify/trust.h"

#include <errno.h>
#include <string.h>

void tlsock_verify_opts_init(tlsock_verify_opts *o, size_t size)
{
    memset(o, 0, size);
    o->size = size;
}

/* Options as they are today, of a caller who was compiled with fewer. */
static int read_opts(tlsock_verify_opts *to, const tlsock_verify_opts *from,
                     tlsock_error *err)
{
    const unsigned char *more = (const unsigned char *)from;

    memset(to, 0, sizeof(*to));
    if (from == NULL)
        return TLSOCK_OK;
    if (from->size < sizeof(size_t) || from->size > 4096) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "verify options without a size");
        tsk_hint(err, "use TLSOCK_VERIFY_OPTS() or tlsock_verify_opts_init()");
        return TLSOCK_E_ARGUMENT;
    }
    for (size_t i = sizeof(*to); i < from->size; i++) {
        if (more[i] != 0)
            return tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                            "a verify option is newer than this library");
    }
    memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
    if (to->purpose < TLSOCK_PURPOSE_SERVER || to->purpose > TLSOCK_PURPOSE_ANY)
        return tsk_fail(err, TLSOCK_E_ARGUMENT, "unknown purpose %d",
                        to->purpose);
    if (to->depth < -1 || to->depth > 100)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "depth %d is not within -1..100", to->depth);
    return TLSOCK_OK;
}

int tlsock_cert_matches(const tlsock_cert *c, const char *name,
                        const char *scheme, tlsock_error *err)
{
    int saved = errno, rc;

    tsk_clear(err);
    rc = c == NULL ? tsk_fail(err, TLSOCK_E_ARGUMENT, "no certificate given")
                   : tsk_host_match(c->leaf, name, scheme, 1, err);
    if (rc < 0)
        tsk_phase(err, TLSOCK_PHASE_VERIFY);
    errno = saved;
    return rc;
}

static void fill(struct tsk_verify_req *req, const struct tsk_ctx *ctx,
                 const tlsock_verify_opts *o)
{
    /* pins are not asked of a client, as a server would not */
    tsk_ctx_request(ctx, o->purpose == TLSOCK_PURPOSE_CLIENT, req);
    req->purpose = o->purpose;
    req->stored = 1;
    req->name = o->name;
    if (o->name == NULL && o->purpose == TLSOCK_PURPOSE_SERVER)
        req->name = tsk_ctx_settings(ctx)->verify_name;
    if (o->scheme != NULL)
        req->scheme = o->scheme;
    if (o->depth != 0)
        req->depth = o->depth;
    if (o->time != 0)
        req->time = o->time;
}

/* Leaf and chain as they were found to be good. */
static int take_path(X509_STORE_CTX *store, X509 *leaf, tlsock_cert **path,
                     tlsock_error *err)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store), *rest;

    rest = sk_X509_new_null();
    *path = NULL;
    for (int i = 1; rest != NULL && i < sk_X509_num(chain); i++) {
        if (sk_X509_push(rest, sk_X509_value(chain, i)) <= 0) {
            sk_X509_free(rest);
            rest = NULL;
        }
    }
    if (rest != NULL)
        *path = tsk_cert_new(leaf, rest, NULL, NULL);
    sk_X509_free(rest);
    return *path != NULL ? TLSOCK_OK : tsk_fail_nomem(err);
}

/* Asks whom the settings say, and waits for the answers. */
static int not_revoked(struct tsk_ctx *ctx, X509_STORE_CTX *store, int64_t time,
                       tlsock_error *err)
{
    struct tsk_check_rules rules;
    tlsock_revocation *r;
    int rc;

    if (tsk_ctx_settings(ctx)->revocation < TSK_REVOKE_CRL)
        return TLSOCK_OK;
    tsk_ctx_rules(ctx, &rules);
    if (time != 0)
        rules.now = time;
    r = tsk_revocation_new(ctx, &rules, X509_STORE_CTX_get0_chain(store),
                           X509_STORE_CTX_get0_untrusted(store), err);
    if (r == NULL)
        return err->code;
    rc = tlsock_revocation_run(r, -1);
    if (rc < 0)
        rc = tlsock_revocation_verdict(r, err);
    tlsock_revocation_free(r);
    return rc;
}

static int verify(const tlsock_cert *c, struct tsk_ctx *ctx,
                  const tlsock_verify_opts *o, tlsock_cert **path,
                  tlsock_error *err)
{
    struct tsk_trust *trust = tsk_ctx_trust(ctx, err);
    struct tsk_verify_req req;
    struct tsk_hook_name own;
    struct tsk_verdict verdict;
    X509_STORE_CTX *store = NULL;
    int rc;

    if (trust == NULL)
        return err->code;
    fill(&req, ctx, o);
    tsk_hook_name_set(&own, tsk_ctx_settings(ctx), NULL, &req);
    tsk_ossl_enter();
    store = X509_STORE_CTX_new();
    if (store == NULL || !X509_STORE_CTX_init(store, tsk_trust_store(trust),
                                              c->leaf, c->chain)) {
        rc = tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot prepare verification");
        tsk_ossl_leave();
        X509_STORE_CTX_free(store);
        return rc;
    }
    tsk_ossl_leave();
    rc = tsk_policy_verify(store, &req, &verdict, err);
    if (rc == TLSOCK_OK && strncmp(verdict.verified, "chain", 5) == 0)
        rc = not_revoked(ctx, store, o->time, err);
    if (rc == TLSOCK_OK && path != NULL)
        rc = take_path(store, c->leaf, path, err);
    X509_STORE_CTX_free(store);
    return rc;
}

int tlsock_verify_path(const tlsock_cert *c, tlsock_config *config,
                       const tlsock_verify_opts *o, tlsock_cert **path,
                       tlsock_error *err)
{
    tlsock_error local;
    tlsock_verify_opts opts;
    struct tsk_ctx *ctx = NULL;
    int saved = errno, rc;

    if (err == NULL)
        err = &local;
    tsk_clear(err);
    if (path != NULL)
        *path = NULL;
    if (c == NULL)
        rc = tsk_fail(err, TLSOCK_E_ARGUMENT, "no certificate given");
    else
        rc = read_opts(&opts, o, err);
    if (rc >= 0 && opts.name != NULL && opts.name[0] == '\0')
        rc = tsk_fail(err, TLSOCK_E_NO_NAME, "the name to verify is empty");
    if (rc >= 0)
        rc = tsk_config_snapshot(config, 0, &ctx, err);
    if (rc >= 0)
        rc = verify(c, ctx, &opts, path, err);
    if (rc < 0 && ctx != NULL)
        tsk_rule_explain(tsk_ctx_settings(ctx), err);
    tsk_ctx_unref(ctx);
    if (rc < 0)
        tsk_phase(err, TLSOCK_PHASE_VERIFY);
    errno = saved;
    return rc;
}

int tlsock_verify(const tlsock_cert *c, tlsock_config *config,
                  const tlsock_verify_opts *o, tlsock_error *err)
{
    return tlsock_verify_path(c, config, o, NULL, err);
}

int tlsock_public_suffix(const char *host, int extra_labels, char *out,
                         size_t size)
{
    int saved = errno, rc;

    if (host == NULL || (out == NULL && size > 0) || extra_labels < 0)
        return TLSOCK_E_ARGUMENT;
    rc = tsk_psl_suffix(host, extra_labels, out, size);
    errno = saved;
    return rc;
}
