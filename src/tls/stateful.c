#include "tls/stateful.h"

#include "core/mem.h"
#include "ossl/fiber.h"
#include "session/codec.h"
#include "session/idcache.h"
#include "session/idcodec.h"
#include "tls/ctx_private.h"

#include <string.h>

int tsk_stateful(const struct tsk_settings *set)
{
    return set->session && !set->tickets && set->session_size > 0;
}

static int is_shared(const struct tsk_settings *set)
{
    return set->session_store.get != NULL;
}

/* One call of the program's store, on a stack of its own choice. */
struct errand {
    const struct tsk_settings *set;
    const uint8_t *key;
    uint8_t *data; /* to put, or room */
    size_t len;
    int64_t expires;
    int rc;
};

static void get(void *arg)
{
    struct errand *e = arg;

    e->rc = e->set->session_store.get(e->set->session_store_arg, e->key,
                                      TSK_ID_KEY, e->data, &e->len);
}

static void put(void *arg)
{
    struct errand *e = arg;

    e->rc = e->set->session_store.put(e->set->session_store_arg, e->key,
                                      TSK_ID_KEY, e->data, e->len, e->expires);
}

static void del(void *arg)
{
    struct errand *e = arg;

    e->rc = e->set->session_store.del(e->set->session_store_arg, e->key,
                                      TSK_ID_KEY);
}

static SSL_SESSION *from_store(const struct tsk_ctx *c,
                               const uint8_t key[TSK_ID_KEY])
{
    struct errand e = {.set = c->set, .key = key, .len = TSK_SESSION_BYTES_MAX};
    SSL_SESSION *ses = NULL;

    e.data = tsk_alloc(e.len);
    if (e.data == NULL)
        return NULL;
    tsk_fiber_outside(get, &e);
    if (e.rc == 0 && e.len <= TSK_SESSION_BYTES_MAX)
        ses = tsk_id_decode(e.data, e.len, c->sid, key, tsk_wall_time());
    tsk_free_secret(e.data, TSK_SESSION_BYTES_MAX);
    return ses;
}

/* libssl's: whether it was made under the same demands, and has not ended by
 * our session.timeout, is looked at there. */
static SSL_SESSION *remembered(SSL *ssl, const unsigned char *id, int len,
                               int *copy)
{
    const struct tsk_ctx *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    uint8_t key[TSK_ID_KEY];

    *copy = 0; /* it is libssl's */
    if (!is_shared(c->set))
        return tsk_idcache_get(c->set->id_cache, id, (size_t)len);
    return tsk_id_key(c->sid, id, (size_t)len, key) ? from_store(c, key) : NULL;
}

static void to_store(const struct tsk_ctx *c, const SSL_SESSION *ses)
{
    int64_t now = tsk_wall_time(), lives = SSL_SESSION_get_timeout(ses);
    uint8_t key[TSK_ID_KEY];
    struct errand e = {.set = c->set, .key = key, .expires = now + lives};

    if (!tsk_id_key_of(c->sid, ses, key) ||
        !tsk_id_encode(ses, key, e.expires, &e.data, &e.len))
        return;
    tsk_fiber_outside(put, &e);
    tsk_free_secret(e.data, e.len);
}

void tsk_stateful_put(tlsock *s, SSL_SESSION *ses)
{
    if (!SSL_SESSION_is_resumable(ses))
        return;
    if (is_shared(s->set))
        to_store(s->ctx, ses);
    else
        tsk_idcache_put(s->set->id_cache, ses, (size_t)s->set->session_size);
}

/* 1: it was there. */
static int forget(tlsock *s, const SSL_SESSION *ses)
{
    uint8_t key[TSK_ID_KEY];
    struct errand e = {.set = s->set, .key = key};

    if (!tsk_id_key_of(s->ctx->sid, ses, key))
        return 0;
    tsk_fiber_outside(del, &e);
    return e.rc == 0;
}

void tsk_stateful_drop(tlsock *s)
{
    const SSL_SESSION *ses = SSL_get0_session(s->ssl);

    if (!s->server || !tsk_stateful(s->set) || ses == NULL)
        return;
    if (is_shared(s->set))
        (void)forget(s, ses);
    else
        tsk_idcache_drop(s->set->id_cache, ses);
}

int tsk_stateful_first(tlsock *s)
{
    if (!tsk_stateful(s->set) || !is_shared(s->set))
        return 1;
    return forget(s, SSL_get0_session(s->ssl));
}

void tsk_stateful_setup(struct tsk_ctx *c)
{
    if (tsk_stateful(c->set))
        SSL_CTX_sess_set_get_cb(c->ssl, remembered);
}
