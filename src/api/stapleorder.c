#include "api/stapleorder.h"

#include "cert/cert.h"
#include "core/clock.h"
#include "revoke/ocsp.h"
#include "revoke/ocspask.h"
#include "tls/lazy.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_PAUSE_MS 10000
#define MOST_PAUSE_MS 600000
#define SOONEST_MS 10000 /* between two good answers */

/* Half of what is left, so that many failures fit in before it is over.
 * Processes that share a directory ask one after the other: the others find
 * what the first one has got. */
static int64_t due_after(int64_t until, int64_t now)
{
    int64_t half = (until - now) * 1000 / 2, spread;

    if (half < SOONEST_MS)
        half = SOONEST_MS;
    spread = half / 8 * (getpid() % 32) / 32;
    return tsk_deadline_in(half + spread);
}

int tsk_order_init(struct tsk_order *o, struct tsk_ctx *ctx, size_t slot)
{
    const struct tsk_identity *id = &tsk_ctx_settings(ctx)->identities[slot];
    const tlsock_cert *cert;
    int64_t now = tsk_wall_time();
    struct tsk_staple *s;
    char url[TSK_URL_MAX];
    int rc;

    memset(o, 0, sizeof(*o));
    if (id->lazy != NULL && !tsk_lazy_walk(id->lazy)->asks_ocsp)
        return 0; /* and stays as it is */
    cert = tsk_identity_cert(id, NULL);
    if (cert == NULL)
        return 0; /* nobody will be given it */
    rc = tsk_ocsp_url(cert->leaf, 0, url, sizeof(url));
    if (rc != 1)
        return rc;
    o->ctx = ctx;
    o->slot = slot;
    o->leaf = cert->leaf;
    o->pause_ms = FIRST_PAUSE_MS;
    o->due = tsk_now_ms();
    s = tsk_staples_get(tsk_ctx_staples(ctx), slot, now);
    if (s != NULL) /* of the config as it was before a reload */
        o->due = due_after(s->until, now);
    tsk_staple_unref(s);
    return 1;
}

static void say(const struct tsk_order *o, const char *what, const char *why)
{
    char who[96], text[TSK_STAPLE_NOTE];

    tsk_cert_short_name(o->leaf, who, sizeof(who));
    snprintf(text, sizeof(text), "our certificate of \"%s\": %.40s%.130s", who,
             what, why);
    tsk_staples_say(tsk_ctx_staples(o->ctx), text);
}

static const tlsock_error alone = {.message = "its issuer is not known"};

/* Nobody is asked more often than that, whatever goes wrong. */
static void failed(struct tsk_order *o, const tlsock_error *why)
{
    char url[TSK_URL_MAX];
    int *at = o->issuer != NULL ? &o->url : &o->aia;

    ++*at;
    o->due = tsk_now_ms();
    if ((o->issuer != NULL ? tsk_ocsp_url : tsk_aia_url)(o->leaf, *at, url,
                                                         sizeof(url)) == 1)
        return;
    *at = 0;
    o->due = tsk_deadline_in(o->pause_ms);
    o->pause_ms *= 2;
    if (o->pause_ms > MOST_PAUSE_MS)
        o->pause_ms = MOST_PAUSE_MS;
    say(o, "no OCSP response to staple: ", why->message);
}

/* Good or revoked, of now, about this certificate: it may be stapled. That it
 * is revoked is for the clients to know, too. */
static int judge(const struct tsk_order *o, const void *der, size_t len,
                 struct tsk_status *st, tlsock_error *why)
{
    static const struct tsk_ocsp_source from = {.what = "the OCSP response",
                                                .code = TLSOCK_E_STAPLE};
    int64_t now = tsk_wall_time();
    int rc = tsk_ocsp_judge(der, len, o->leaf, o->issuer, now, &from, st, why);

    return (rc == TLSOCK_OK || rc == TLSOCK_E_REVOKED) && st->until > now;
}

static int use(struct tsk_order *o, const struct tsk_status *st,
               const void *der, size_t len)
{
    if (tsk_staples_put(tsk_ctx_staples(o->ctx), o->slot, st, der, len) < 0)
        return 0;
    if (st->state == TSK_REVOKED)
        say(o, "it is revoked, says its CA", "");
    o->due = due_after(st->until, tsk_wall_time());
    o->pause_ms = FIRST_PAUSE_MS;
    return 1;
}

static int read_cache(struct tsk_order *o, struct tsk_buf *der)
{
    int found;

    pthread_mutex_unlock(o->working);
    found = tsk_revcache_ocsp(o->cache, o->key, tsk_wall_time(), der);
    pthread_mutex_lock(o->working);
    return found;
}

static void write_cache(struct tsk_order *o, const struct tsk_status *st,
                        const void *der, size_t len)
{
    if (o->cache == NULL)
        return;
    pthread_mutex_unlock(o->working);
    tsk_revcache_keep_ocsp(o->cache, o->key, der, len, st->until);
    pthread_mutex_lock(o->working);
    tsk_order_keep_issuer(o, st->until);
}

/* 1: there is one that somebody got not long ago: nobody has to be asked. */
static int look_on_disk(struct tsk_order *o)
{
    struct tsk_buf der = {NULL, 0, 0, 0};
    struct tsk_status st;
    int fresh = 0;

    if (o->cache != NULL && read_cache(o, &der) &&
        judge(o, tsk_buf_at(&der), der.len, &st, NULL) &&
        use(o, &st, tsk_buf_at(&der), der.len))
        fresh = tsk_wall_time() < st.as_of + (st.until - st.as_of) / 2;
    tsk_buf_free(&der);
    return fresh;
}

/* By GET if it fits, since caches answer it (RFC 5019, 5). */
static struct tsk_fetching *begin(const struct tsk_order *o, const char *url,
                                  const struct tsk_buf *der, tlsock_error *why)
{
    const struct tsk_settings *set = tsk_ctx_settings(o->ctx);
    struct tsk_fetch_limits limits = {.bytes = TSK_OCSP_MAX,
                                      .timeout_ms = set->revocation_timeout_ms,
                                      .proxy = set->revocation_proxy};
    tlsock_fetch what = {.size = sizeof(what), .method = "GET"};
    char get[TSK_OCSP_GET_MAX + 1];

    what.url = get;
    if (!tsk_ocsp_get_url(url, der, get, sizeof(get))) {
        what.method = "POST";
        what.url = url;
        what.content_type = "application/ocsp-request";
        what.body = tsk_buf_at(der);
        what.body_len = der->len;
    }
    return tsk_fetching_new(&what, &limits, why);
}

static void ask(struct tsk_order *o)
{
    struct tsk_buf der = {NULL, 0, 0, 0};
    tlsock_error why = {0};
    char url[TSK_URL_MAX];

    if (tsk_ocsp_url(o->leaf, o->url, url, sizeof(url)) == 1 &&
        tsk_ocsp_ask(o->leaf, o->issuer, NULL, 0, &der, &why) == TLSOCK_OK)
        o->f = begin(o, url, &der, &why);
    tsk_buf_free(&der);
    if (o->f == NULL)
        failed(o, &why);
}

static void take_answer(struct tsk_order *o)
{
    struct tsk_fetching *f = o->f;
    tlsock_error why = {0};
    struct tsk_status st;
    size_t len;
    const void *der = tsk_fetching_body(f, &len);

    o->f = NULL;
    if (o->issuer == NULL) {
        if (tsk_order_take_issuer(o, der, len))
            o->due = tsk_now_ms(); /* now the responder can be asked */
        else
            failed(o, &alone);
    } else if (judge(o, der, len, &st, &why) && use(o, &st, der, len)) {
        write_cache(o, &st, der, len);
    } else {
        failed(o, &why);
    }
    tsk_fetching_free(f);
}

static void go_on(struct tsk_order *o)
{
    tlsock_error why = {0};
    int rc = tsk_fetching_step(o->f, &why);

    if (rc == TLSOCK_AGAIN)
        return;
    if (rc == TLSOCK_OK) {
        take_answer(o);
        return;
    }
    tsk_order_drop(o);
    failed(o, &why);
}

void tsk_order_step(struct tsk_order *o, int may_ask)
{
    if (o->f == NULL) {
        if (!may_ask || tsk_now_ms() < o->due)
            return;
        if (!tsk_order_find_issuer(o)) {
            o->f = tsk_order_ask_issuer(o);
            if (o->f == NULL)
                failed(o, &alone);
        } else {
            if (look_on_disk(o))
                return;
            ask(o);
        }
    }
    if (o->f != NULL)
        go_on(o);
}

size_t tsk_order_pollfds(const struct tsk_order *o, struct pollfd *fds,
                         size_t max, int64_t *until)
{
    int wait_ms;
    size_t n;

    *until = o->due;
    if (o->f == NULL)
        return 0;
    n = tsk_fetching_pollfds(o->f, fds, max, &wait_ms);
    *until = tsk_deadline_in(wait_ms);
    return n;
}

void tsk_order_drop(struct tsk_order *o)
{
    tsk_fetching_free(o->f);
    o->f = NULL;
}

void tsk_order_end(struct tsk_order *o)
{
    tsk_order_drop(o);
    X509_free(o->issuer);
    o->issuer = NULL;
}
