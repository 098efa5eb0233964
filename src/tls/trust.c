/* What has to be known of a peer beyond its chain: is it revoked, and who is
 * the issuer that was not sent? Asks nobody: api/errand.c does. */
#include "cert/cert.h"
#include "cert/load.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"
#include "revoke/check.h"
#include "revoke/dp.h"
#include "tls/conn.h"
#include "tls/ctx_private.h"
#include "tls/log.h"

#include <stdio.h>
#include <string.h>
#include <tlsock/cert.h>

#define ISSUER_FETCHES 4 /* per connection */
#define ISSUERS_MOST 16  /* certificates that are taken from them */

/* By chain alone: what was accepted by pin, insecurely or for its key has no
 * issuer whose word on revocation would count. */
int tsk_trust_by_chain(const tlsock *s)
{
    return strncmp(s->facts->verdict.verified, "chain", 5) == 0 &&
           !s->facts->verdict.key_alone;
}

int tsk_trust_check(tlsock *s, X509_STORE_CTX *store_ctx)
{
    struct tsk_check_rules rules;
    int rc;

    tsk_check_free(s->check);
    s->check = NULL;
    if (s->set->revocation < TSK_REVOKE_CRL || !tsk_trust_by_chain(s))
        return TLSOCK_OK;
    tsk_ctx_rules(tsk_conn_rules(s), &rules);
    s->check =
        tsk_check_new(&rules, X509_STORE_CTX_get0_chain(store_ctx),
                      X509_STORE_CTX_get0_untrusted(store_ctx), tsk_err(s));
    if (s->check == NULL)
        return tsk_err_of(s)->code;
    rc = tsk_check_look(s->check, tsk_err(s));
    if (rc == 1) /* somebody has to be asked: the rung CHECK does */
        return TLSOCK_OK;
    if (rc == 0)
        rc = tsk_trust_verdict(s);
    if (rc == TLSOCK_E_REVOKED)
        X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_CERT_REVOKED);
    else if (rc < 0)
        X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_UNABLE_TO_GET_CRL);
    if (rc != TLSOCK_E_REVOCATION_UNKNOWN || !rules.ocsp || s->server)
        return rc;
    /* a staple may still come, in TLS 1.2 later than this */
    tsk_err_clear(s);
    return TLSOCK_OK;
}

static void tell_of_cache(tlsock *s)
{
    struct tsk_revcache *cache = s->ctx->revcache;
    int errnum = cache != NULL ? tsk_revcache_trouble(cache) : 0;
    tlsock_error why = {0};

    if (errnum == 0)
        return;
    tsk_fail_sys(&why, TLSOCK_E_OWN_FILE, errnum,
                 "nothing can be kept in revocation.cache \"%s\"",
                 s->set->revocation_cache);
    tsk_log(s->set, s, &why, "%s", why.message);
}

int tsk_trust_verdict(tlsock *s)
{
    char how[128];
    int64_t until;
    int rc;

    if (s->facts->staple.state != TSK_UNKNOWN)
        tsk_check_told(s->check, &s->facts->staple);
    rc = tsk_check_verdict(s->check, how, &until, tsk_err(s));
    if (rc < 0)
        return rc;
    snprintf(s->facts->revocation, sizeof(s->facts->revocation), "%s", how);
    s->facts->revocation_until = until;
    if (tsk_check_key(s->check) != NULL)
        memcpy(s->facts->asked, tsk_check_key(s->check),
               sizeof(s->facts->asked));
    tsk_check_free(s->check);
    s->check = NULL;
    tell_of_cache(s);
    return TLSOCK_OK;
}

int tsk_trust_wants_issuer(tlsock *s, X509_STORE_CTX *store_ctx)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);
    int n = sk_X509_num(chain);
    int known = s->issuers != NULL ? sk_X509_num(s->issuers) : 0;
    X509 *top = n > 0 ? sk_X509_value(chain, n - 1)
                      : X509_STORE_CTX_get0_cert(store_ctx);
    char url[TSK_CHECK_URL];
    int rc;

    if (s->server || !s->set->aia || s->issuers_tried >= ISSUER_FETCHES)
        return 0;
    /* the first of its URLs; others if that one did not help */
    if (s->issuers_known != known)
        s->issuer_at = 0;
    s->issuers_known = known;
    rc = tsk_aia_url(top, s->issuer_at, url, sizeof(url));
    if (rc <= 0)
        return rc < 0 ? tsk_fail_nomem(tsk_err(s)) : 0;
    s->issuer_at++;
    s->issuers_tried++;
    tsk_free(s->issuer_url);
    s->issuer_url = tsk_strdup(url);
    return s->issuer_url != NULL ? 1 : tsk_fail_nomem(tsk_err(s));
}

int tsk_trust_add_issuers(tlsock *s, const void *data, size_t len)
{
    tlsock_error why = {0};
    tlsock_cert *got = tsk_cert_parse(data, len, NULL, &why);
    int rc = TLSOCK_OK;

    if (got == NULL) /* of no use: the next URL may be */
        return why.code == TLSOCK_E_NOMEM ? tsk_fail_nomem(tsk_err(s))
                                          : TLSOCK_OK;
    tsk_ossl_enter();
    if (s->issuers == NULL)
        s->issuers = sk_X509_new_null();
    if (s->issuers == NULL)
        rc = tsk_fail_nomem(tsk_err(s));
    for (int i = -1; rc == TLSOCK_OK && i < sk_X509_num(got->chain); i++) {
        X509 *x = i < 0 ? got->leaf : sk_X509_value(got->chain, i);

        if (sk_X509_num(s->issuers) >= ISSUERS_MOST)
            break;
        if (!X509_add_cert(s->issuers, x,
                           X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP))
            rc = tsk_fail_nomem(tsk_err(s));
    }
    tsk_ossl_leave();
    tlsock_cert_unref(got);
    return rc;
}

void tsk_trust_say_unchecked(tlsock *s)
{
    const char *by = s->facts->verdict.verified;
    size_t size = sizeof(s->facts->revocation);

    if (s->facts->revocation[0] != '\0' || *by == '\0')
        return;
    if (!tsk_trust_by_chain(s))
        snprintf(s->facts->revocation, size, "not checked: trusted by %.*s",
                 s->facts->verdict.key_alone ? 4 : (int)strcspn(by, " "),
                 s->facts->verdict.key_alone ? "DANE" : by);
    else if (s->set->revocation == TSK_REVOKE_OFF)
        snprintf(s->facts->revocation, size, "not checked: revocation = off");
    else
        snprintf(s->facts->revocation, size,
                 "not checked: nobody staples for a client");
}
