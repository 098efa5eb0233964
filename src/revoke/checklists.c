/* The lists' part of a check: those that are there, then those that the
 * certificate names. */
#include "core/mem.h"
#include "revoke/check_private.h"
#include "revoke/crljudge.h"
#include "revoke/dp.h"

#include <stdio.h>
#include <string.h>

static int judge(struct tsk_check *k, size_t i, tlsock_error *err)
{
    struct tsk_check_cert *c = &k->certs[i];
    struct tsk_crl_question q = {.chain = k->chain,
                                 .depth = (int)i,
                                 .store = k->rules.store,
                                 .untrusted = k->untrusted,
                                 .now = k->rules.now};
    int rc;

    if (k->n_lists == 0)
        return TLSOCK_OK;
    tsk_clear(&c->why);
    rc = tsk_crl_judge(k->lists, k->n_lists, &q, &c->st, &c->why);
    return rc == TLSOCK_E_NOMEM ? tsk_fail_nomem(err) : TLSOCK_OK;
}

int tsk_check_known(struct tsk_check *k, size_t i, tlsock_error *err)
{
    struct tsk_check_cert *c = &k->certs[i];
    struct tsk_status st;

    /* what somebody gave may be newer than what was found before */
    if (k->rules.crl && judge(k, i, err) < 0)
        return TLSOCK_E_NOMEM;
    if (c->st.state != TSK_UNKNOWN) {
        c->step = TSK_STEP_OVER;
        return 0;
    }
    if (k->rules.cache == NULL ||
        !tsk_revcache_status(k->rules.cache, c->key, k->rules.now, &st))
        return 0;
    if (st.by == TSK_BY_CRL ? k->rules.crl : k->rules.ocsp) {
        c->st = st;
        c->step = TSK_STEP_OVER;
    }
    return 0;
}

/* The list is k's. */
static void add(struct tsk_check *k, struct tsk_crls *l)
{
    if (k->n_lists < k->most_lists)
        k->lists[k->n_lists++] = l;
    else
        tsk_crls_unref(l);
}

static struct tsk_crls *cached(struct tsk_check *k, const char *url)
{
    return k->rules.cache != NULL
               ? tsk_revcache_crls(k->rules.cache, url, k->rules.now)
               : NULL;
}

/* 1: a request for the delta list is to be made, before "good" counts */
static int delta(struct tsk_check *k, size_t i, tlsock_error *err)
{
    struct tsk_check_cert *c = &k->certs[i];
    struct tsk_crls *l;
    int rc;

    if (c->st.state != TSK_GOOD || c->fresh)
        return 0;
    rc = tsk_dp_fresh_url(c->crt, 0, c->url, sizeof(c->url));
    if (rc <= 0)
        return rc < 0 ? tsk_fail_nomem(err) : 0;
    c->fresh = 1;
    l = cached(k, c->url);
    if (l == NULL)
        return 1;
    add(k, l);
    return judge(k, i, err);
}

/* c->st says something: the end, once there is no delta to ask for. */
static int judged(struct tsk_check *k, size_t i, tlsock_error *err)
{
    int rc = delta(k, i, err);

    if (rc == 0 && k->certs[i].st.state != TSK_UNKNOWN)
        tsk_check_settle(k, &k->certs[i]);
    return rc;
}

int tsk_check_lists(struct tsk_check *k, size_t i, tlsock_error *err)
{
    struct tsk_check_cert *c = &k->certs[i];
    int rc;

    while (k->rules.crl && c->step == TSK_STEP_LISTS) {
        struct tsk_crls *l;

        if (c->st.state != TSK_UNKNOWN) {
            rc = judged(k, i, err);
            if (rc != 0 || c->step == TSK_STEP_OVER)
                return rc;
            continue; /* with its delta the list says nothing */
        }
        rc = c->at < TSK_CHECK_URLS
                 ? tsk_dp_url(c->crt, c->at, c->url, sizeof(c->url))
                 : 0;
        if (rc < 0) /* "it names none" is not known */
            return tsk_fail_nomem(err);
        if (rc == 0)
            break;
        c->at++;
        l = cached(k, c->url);
        if (l == NULL)
            return 1;
        add(k, l);
        rc = judge(k, i, err);
        if (rc != 0)
            return rc;
    }
    if (c->step == TSK_STEP_LISTS)
        c->step = TSK_STEP_OCSP;
    return 0;
}

int tsk_check_got_list(struct tsk_check *k, size_t i, const void *data,
                       size_t len, tlsock_error *err)
{
    struct tsk_check_cert *c = &k->certs[i];
    struct tsk_crls *l;
    tlsock_error why = {0};

    l = tsk_crls_parse(data, len, c->url, &why);
    if (l == NULL) {
        if (why.code == TLSOCK_E_NOMEM)
            return tsk_fail_nomem(err);
        if (c->st.state == TSK_UNKNOWN) {
            tsk_fail(&c->why, TLSOCK_E_REVOCATION_UNKNOWN, "%s", why.message);
            tsk_hint(&c->why, "the CA has to repair what it publishes there");
        }
        return TLSOCK_OK;
    }
    add(k, l);
    if (judge(k, i, err) < 0)
        return TLSOCK_E_NOMEM;
    if (c->st.state != TSK_UNKNOWN && k->rules.cache != NULL)
        tsk_revcache_keep_crls(k->rules.cache, c->url, l, data, len,
                               tsk_crls_until(l));
    return TLSOCK_OK;
}
