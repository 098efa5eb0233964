#include "api/errand.h"

#include "api/fetch.h"
#include "core/mem.h"
#include "core/str.h"
#include "revoke/check.h"
#include "tls/log.h"

#include <stdio.h>
#include <string.h>

#define ISSUER_MAX ((size_t)64 * 1024)

struct tsk_errand {
    struct tsk_fetching *fetch;
    int id; /* of the check's request; 0: an issuer */
    char url[200];
};

void tsk_errand_free(tlsock *s)
{
    if (s->errand == NULL)
        return;
    tsk_fetching_free(s->errand->fetch);
    tsk_free(s->errand);
    s->errand = NULL;
}

const char *tsk_errand_url(const tlsock *s)
{
    return s->errand != NULL ? s->errand->url : NULL;
}

size_t tsk_errand_pollfds(const tlsock *s, struct pollfd *fds, size_t max,
                          int *wait_ms)
{
    return s->errand != NULL
               ? tsk_fetching_pollfds(s->errand->fetch, fds, max, wait_ms)
               : 0;
}

/* 0 it is under way; code, in *why: it cannot be made */
static int begin(tlsock *s, const tlsock_fetch *f, size_t most,
                 tlsock_error *why)
{
    struct tsk_fetch_limits limits = {
        .bytes = most,
        .timeout_ms = s->set->revocation_timeout_ms,
        .proxy = s->set->revocation_proxy != NULL ? s->set->revocation_proxy
                                                  : s->via,
        .proxy_config = s->via_config,
    };

    if (s->for_fetch) {
        tsk_fail(why, TLSOCK_E_PROXY,
                 "a proxy's certificate would have to be asked about through "
                 "that proxy");
        tsk_hint(why, "give its CA's list with crl, or another "
                      "revocation.proxy, in the proxy's own config");
        return TLSOCK_E_PROXY;
    }
    s->errand = tsk_alloc(sizeof(*s->errand));
    if (s->errand == NULL)
        return tsk_fail_nomem(why);
    s->errand->id = f->id;
    tsk_printable(s->errand->url, sizeof(s->errand->url), f->url,
                  strlen(f->url));
    s->errand->fetch = tsk_fetching_new(f, &limits, why);
    if (s->errand->fetch != NULL)
        return TLSOCK_OK;
    tsk_errand_free(s);
    return why->code;
}

/* 0: data and len, or, if it failed, NULL and why; AGAIN; E_NOMEM */
static int fetched(tlsock *s, const void **data, size_t *len, tlsock_error *why)
{
    int rc = tsk_fetching_step(s->errand->fetch, why);

    if (rc == TLSOCK_AGAIN || rc == TLSOCK_E_NOMEM)
        return rc;
    *data = NULL;
    *len = 0;
    if (rc == TLSOCK_OK)
        *data = tsk_fetching_body(s->errand->fetch, len);
    return TLSOCK_OK;
}

static const char *who(const tlsock *s)
{
    return s->address[0] != '\0' ? s->address : "the peer";
}

/* What comes is of use, or not: the verification that follows says so. */
static int fetch_issuer(tlsock *s)
{
    tlsock_fetch f = {.size = sizeof(f), .method = "GET"};
    tlsock_error why = {0};
    const void *data = NULL;
    size_t len = 0;
    int rc = TLSOCK_OK;

    if (s->errand == NULL) {
        f.url = s->issuer_url;
        rc = begin(s, &f, ISSUER_MAX, &why);
        if (rc < 0)
            goto over;
    }
    rc = fetched(s, &data, &len, &why);
    if (rc == TLSOCK_AGAIN)
        return rc;
    if (rc == TLSOCK_OK && data != NULL)
        rc = tsk_trust_add_issuers(s, data, len);
    if (rc == TLSOCK_OK && data != NULL)
        tsk_log(s->set, s, NULL,
                "%s sent no issuer of its certificate; %s was asked for it",
                who(s), s->errand->url);
over:
    tsk_errand_free(s);
    tsk_free(s->issuer_url);
    s->issuer_url = NULL;
    return rc == TLSOCK_E_NOMEM ? tsk_fail_nomem(tsk_err(s)) : TLSOCK_OK;
}

int tsk_errand_tls(tlsock *s)
{
    int rc;

    do {
        rc = s->issuer_url != NULL ? fetch_issuer(s) : TLSOCK_OK;
        if (rc == TLSOCK_OK)
            rc = tsk_hand_step(s);
    } while (rc == TLSOCK_AGAIN && s->issuer_url != NULL && s->errand == NULL);
    return rc;
}

/* One request of the check: 0 it is answered, AGAIN, E_NOMEM */
static int finish_request(tlsock *s)
{
    tlsock_error why = {0};
    const void *data = NULL;
    size_t len = 0;
    int rc = fetched(s, &data, &len, &why);

    if (rc < 0)
        return rc == TLSOCK_AGAIN ? rc : tsk_fail_nomem(tsk_err(s));
    rc = tsk_check_answer(s->check, s->errand->id, data, len, &why, tsk_err(s));
    tsk_errand_free(s);
    return rc;
}

/* 1: a request is under way; 0: there is none; code */
static int next_request(tlsock *s)
{
    tlsock_fetch f = {.size = sizeof(f)};
    tlsock_error why = {0};
    int rc;

    for (;;) {
        rc = tsk_check_next(s->check, &f, tsk_err(s));
        if (rc <= 0)
            return rc;
        rc = begin(s, &f, tsk_check_most(s->check, f.id), &why);
        if (rc == TLSOCK_OK)
            return 1;
        if (rc == TLSOCK_E_NOMEM)
            return tsk_fail_nomem(tsk_err(s));
        /* a request that was given out: that it failed can be told */
        (void)tsk_check_answer(s->check, f.id, NULL, 0, &why, NULL);
    }
}

static int run_check(tlsock *s)
{
    int rc;

    if (s->facts->staple.state != TSK_UNKNOWN)
        tsk_check_told(s->check, &s->facts->staple);
    do {
        rc = s->errand != NULL ? finish_request(s) : TLSOCK_OK;
        if (rc == TLSOCK_OK)
            rc = next_request(s);
    } while (rc == 1);
    return rc == TLSOCK_OK ? tsk_trust_verdict(s) : rc;
}

int tsk_errand_check(tlsock *s)
{
    int rc = tsk_hook_verified(s);

    if (rc == TLSOCK_OK && s->check != NULL)
        rc = run_check(s);
    if (rc == TLSOCK_OK)
        tsk_hand_done(s);
    else if (rc != TLSOCK_AGAIN)
        tsk_hand_refuse(s);
    return rc;
}
