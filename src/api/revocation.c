/* The iterator of tlsock/revoke.h: a check of a chain, whose requests are made
 * by the caller, or by us. */
#include "api/revocation.h"

#include "api/conn.h"
#include "api/fetch.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/check.h"

#include <errno.h>
#include <string.h>

struct tlsock_revocation {
    struct tsk_check *check;
    int timeout_ms; /* of one request */
    tlsock_error err;
};

tlsock_revocation *tsk_revocation_new(const struct tsk_ctx *ctx,
                                      const struct tsk_check_rules *wanted,
                                      STACK_OF(X509) * chain,
                                      STACK_OF(X509) * sent, tlsock_error *err)
{
    struct tlsock_revocation *r = tsk_alloc(sizeof(*r));
    struct tsk_check_rules rules = *wanted;

    if (r == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    r->timeout_ms = tsk_ctx_settings(ctx)->revocation_timeout_ms;
    rules.cache = rules.cache != NULL ? tsk_revcache_ref(rules.cache)
                                      : tsk_revcache_open(NULL, err);
    if (rules.cache != NULL)
        r->check = tsk_check_new(&rules, chain, sent, err);
    tsk_revcache_unref(rules.cache);
    if (r->check != NULL)
        return r;
    tsk_free(r);
    return NULL;
}

/* Whatever the config asks by itself: here it is all that can be asked. */
static tlsock_revocation *of_connection(const tlsock *s, tlsock_error *err)
{
    struct tsk_check_rules rules;
    tlsock_revocation *r;

    tsk_ctx_rules(tsk_conn_rules(s), &rules);
    rules.whole = rules.crl = rules.ocsp = 1;
    rules.soft = 0;
    r = tsk_revocation_new(s->ctx, &rules, SSL_get0_verified_chain(s->ssl),
                           SSL_get_peer_cert_chain(s->ssl), err);
    if (r != NULL && s->facts->staple.state != TSK_UNKNOWN)
        tsk_check_told(r->check, &s->facts->staple);
    return r;
}

tlsock_revocation *tlsock_revocation_new(const tlsock *s, tlsock_error *err)
{
    struct tlsock_revocation *r = NULL;

    tsk_clear(err);
    if (s == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "there is no connection");
        return NULL;
    }
    if (s->ssl == NULL || s->rung < TSK_RUNG_AFTER ||
        s->rung == TSK_RUNG_DEAD || !tsk_trust_by_chain(s) ||
        SSL_get0_verified_chain(s->ssl) == NULL) {
        tsk_fail(err, TLSOCK_E_STATE,
                 "the connection has no chain that was verified: %s",
                 s->ssl == NULL ? "it is not in TLS"
                 : s->facts->verdict.verified[0] != '\0'
                     ? s->facts->verdict.verified
                     : "the handshake is not done");
        tsk_hint(err, "ask after the full handshake of a peer that was "
                      "verified by chain");
        return NULL;
    }
    tsk_ossl_enter();
    r = of_connection(s, err);
    tsk_ossl_leave();
    return r;
}

int tlsock_revocation_next(tlsock_revocation *r, tlsock_fetch *out)
{
    if (r == NULL || out == NULL || out->size < sizeof(out->size))
        return TLSOCK_E_ARGUMENT;
    return tsk_check_next(r->check, out, &r->err);
}

int tlsock_revocation_answer(tlsock_revocation *r, const tlsock_fetch *f,
                             const void *data, size_t len)
{
    size_t most;

    if (r == NULL || f == NULL ||
        f->size < offsetof(tlsock_fetch, id) + sizeof(f->id))
        return TLSOCK_E_ARGUMENT;
    most = tsk_check_most(r->check, f->id);
    return tsk_check_answer(r->check, f->id, len <= most ? data : NULL,
                            len <= most ? len : 0, NULL, &r->err);
}

int tlsock_revocation_verdict(tlsock_revocation *r, tlsock_error *err)
{
    char how[128];
    int64_t until;

    tsk_clear(err);
    if (r == NULL)
        return tsk_fail(err, TLSOCK_E_ARGUMENT, "there is no check");
    return tsk_check_verdict(r->check, how, &until, err);
}

/* Until it is there, or the time is up: 0, E_TIMEOUT, code */
static int wait_for(struct tsk_fetching *f, int64_t deadline, tlsock_error *why)
{
    for (;;) {
        struct pollfd fds[TSK_DIAL_FDS];
        int wait_ms = -1, rc = tsk_fetching_step(f, why);
        int64_t until = deadline;
        size_t n;

        if (rc != TLSOCK_AGAIN)
            return rc;
        n = tsk_fetching_pollfds(f, fds, TSK_DIAL_FDS, &wait_ms);
        if (wait_ms >= 0 && tsk_deadline_in(wait_ms) < until)
            until = tsk_deadline_in(wait_ms);
        rc = tsk_wait(fds, n, until, why);
        if (rc < 0)
            return rc;
        if (rc == 0 && tsk_ms_until(deadline) == 0)
            return tsk_fail(why, TLSOCK_E_TIMEOUT,
                            "time is up while asking about revocation");
    }
}

/* 0 answered, for better or worse; E_TIMEOUT: no time is left; E_NOMEM */
static int ask(struct tlsock_revocation *r, const tlsock_fetch *f,
               int64_t deadline)
{
    struct tsk_fetch_limits limits = {.bytes = tsk_check_most(r->check, f->id),
                                      .timeout_ms = r->timeout_ms};
    struct tsk_fetching *fetch;
    tlsock_error why = {0};
    const void *data = NULL;
    size_t len = 0;
    int rc;

    fetch = tsk_fetching_new(f, &limits, &why);
    rc = fetch != NULL ? wait_for(fetch, deadline, &why) : why.code;
    if (rc == TLSOCK_OK)
        data = tsk_fetching_body(fetch, &len);
    if (tsk_check_answer(r->check, f->id, data, len, &why, &r->err) ==
        TLSOCK_E_NOMEM)
        rc = TLSOCK_E_NOMEM;
    tsk_fetching_free(fetch);
    if (rc == TLSOCK_E_NOMEM)
        return tsk_fail_nomem(&r->err);
    if (rc == TLSOCK_E_TIMEOUT && tsk_ms_until(deadline) == 0) {
        r->err = why;
        return rc;
    }
    return TLSOCK_OK;
}

int tlsock_revocation_run(tlsock_revocation *r, int timeout_ms)
{
    int64_t deadline = tsk_deadline_in(timeout_ms);
    tlsock_fetch f = {.size = sizeof(f)};
    int saved = errno, rc;

    if (r == NULL)
        return TLSOCK_E_ARGUMENT;
    tsk_clear(&r->err);
    do {
        rc = tsk_check_next(r->check, &f, &r->err);
        if (rc == 1)
            rc = ask(r, &f, deadline) == TLSOCK_OK ? 1 : r->err.code;
    } while (rc == 1);
    if (rc == 0)
        rc = tlsock_revocation_verdict(r, &r->err);
    errno = saved;
    return rc;
}

void tlsock_revocation_free(tlsock_revocation *r)
{
    if (r == NULL)
        return;
    tsk_check_free(r->check);
    tsk_free(r);
}
