/* The responders' part of a check: each is asked by GET, which caches on the
 * way can answer (RFC 5019, 5), then by POST with a nonce. */
#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/check_private.h"
#include "revoke/ocsp.h"
#include "revoke/ocspask.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

static int judge(struct tsk_check *k, struct tsk_check_cert *c,
                 const void *data, size_t len, tlsock_error *err)
{
    char what[300];
    struct tsk_ocsp_source from = {.what = what,
                                   .code = TLSOCK_E_REVOCATION_UNKNOWN};
    int rc;

    snprintf(what, sizeof(what), "the OCSP response of %.250s", c->url);
    if (c->post) {
        from.nonce = c->nonce;
        from.nonce_len = sizeof(c->nonce);
    }
    tsk_clear(&c->why);
    rc = tsk_ocsp_judge(data, len, c->crt, c->issuer, k->rules.now, &from,
                        &c->st, &c->why);
    return rc == TLSOCK_E_NOMEM ? tsk_fail_nomem(err) : TLSOCK_OK;
}

/* Of an earlier process, or another one. */
static int on_disk(struct tsk_check *k, struct tsk_check_cert *c,
                   tlsock_error *err)
{
    struct tsk_buf der = {0};
    int rc = TLSOCK_OK;

    if (k->rules.cache == NULL ||
        !tsk_revcache_ocsp(k->rules.cache, c->key, k->rules.now, &der))
        return 0;
    snprintf(c->url, sizeof(c->url), "the cache");
    rc = judge(k, c, tsk_buf_at(&der), der.len, err);
    tsk_buf_free(&der);
    if (rc == TLSOCK_OK && c->st.state != TSK_UNKNOWN)
        tsk_check_settle(k, c);
    return rc;
}

/* 1: c has a request to be made; 0: this way is none */
static int ask(struct tsk_check_cert *c, const char *base, int post,
               tlsock_error *err)
{
    int rc;

    tsk_buf_free(&c->body);
    c->post = post;
    if (post && RAND_bytes(c->nonce, sizeof(c->nonce)) != 1)
        return tsk_fail_ossl(err, TLSOCK_E_NOMEM, "OCSP nonce");
    rc = tsk_ocsp_ask(c->crt, c->issuer, post ? c->nonce : NULL,
                      post ? sizeof(c->nonce) : 0, &c->body, err);
    if (rc < 0)
        return rc == TLSOCK_E_NOMEM ? rc : 0;
    if (post) {
        snprintf(c->url, sizeof(c->url), "%s", base);
        return 1;
    }
    return tsk_ocsp_get_url(base, &c->body, c->url, sizeof(c->url)) > 0;
}

int tsk_check_ocsp(struct tsk_check *k, size_t i, tlsock_error *err)
{
    struct tsk_check_cert *c = &k->certs[i];
    char base[TSK_CHECK_URL];
    int rc = 0;

    if (k->rules.ocsp && c->at == 0)
        rc = on_disk(k, c, err);
    while (rc == 0 && k->rules.ocsp && c->step != TSK_STEP_OVER &&
           c->at < 2 * TSK_CHECK_URLS) {
        int way = c->at++;

        rc = tsk_ocsp_url(c->crt, way / 2, base, sizeof(base));
        if (rc < 0) /* "it names none" is not known */
            return tsk_fail_nomem(err);
        if (rc == 0)
            break;
        rc = 0;
        if (way % 2 == 0)
            c->dead = 0;
        else if (c->dead) /* no need to knock twice */
            continue;
        rc = ask(c, base, way % 2, err);
    }
    if (rc == 0)
        c->step = TSK_STEP_OVER;
    return rc;
}

int tsk_check_got_ocsp(struct tsk_check *k, size_t i, const void *data,
                       size_t len, tlsock_error *err)
{
    struct tsk_check_cert *c = &k->certs[i];

    if (judge(k, c, data, len, err) < 0)
        return TLSOCK_E_NOMEM;
    if (c->st.state == TSK_UNKNOWN)
        return TLSOCK_OK;
    if (k->rules.cache != NULL)
        tsk_revcache_keep_ocsp(k->rules.cache, c->key, data, len, c->st.until);
    tsk_check_settle(k, c);
    return TLSOCK_OK;
}
