#include "tls/keep.h"

#include "core/mem.h"
#include "ossl/queue.h"
#include "revoke/cache.h"
#include "session/codec.h"
#include "session/file.h"
#include "tls/binding.h"
#include "tls/ctx_private.h"
#include "tls/log.h"

#include <openssl/evp.h>
#include <string.h>
#include <tlsock/session.h>

#define ROUNDS 8u     /* of what turns out to be of no use */
#define SLOTS 4u      /* of the caller's store, for one peer */
#define OUTER_KEY 33u /* a digest and the slot */

const char tsk_keep_lost[] = "it is too large, or there is no memory";

int tsk_keep_open(struct tsk_ctx *c, tlsock_error *err)
{
    const struct tsk_settings *set = c->set;

    atomic_init(&c->slot, 0);
    if (!set->session || set->session_file == NULL ||
        set->session_store.get != NULL)
        return TLSOCK_OK;
    c->file =
        tsk_session_file_new(set->session_file, (size_t)set->session_size, err);
    return c->file != NULL ? TLSOCK_OK
           : err != NULL   ? err->code
                           : TLSOCK_E_OWN_FILE;
}

void tsk_keep_close(struct tsk_ctx *c)
{
    tsk_session_file_free(c->file);
}

static int bound(struct tsk_ctx *c, uint8_t out[TSK_SESSION_KEY])
{
    int is;

    pthread_mutex_lock(&c->lock);
    is = c->bound;
    if (is)
        memcpy(out, c->binding, TSK_SESSION_KEY);
    pthread_mutex_unlock(&c->lock);
    return is;
}

int tsk_keep_binding(struct tsk_ctx *c, uint8_t out[TSK_SESSION_KEY])
{
    tlsock_error why = {0};
    struct tsk_trust *trust;
    int ok;

    if (bound(c, out))
        return 1;
    tsk_ossl_enter();
    trust = tsk_ctx_trust(c, &why);
    /* without a store there is a key: see start_client() */
    ok = (trust != NULL || why.code != TLSOCK_E_NOMEM) &&
         tsk_binding(c->set, trust, out);
    tsk_ossl_leave();
    if (!ok)
        return 0;
    if (trust == NULL) /* it may be there the next time */
        return 1;
    pthread_mutex_lock(&c->lock);
    memcpy(c->binding, out, TSK_SESSION_KEY);
    c->bound = 1;
    pthread_mutex_unlock(&c->lock);
    return 1;
}

static int is_shared(const struct tsk_ctx *c)
{
    return c->file != NULL || c->set->session_store.get != NULL;
}

/* A store that from has not read is not read now: it may have become to's. */
void tsk_keep_inherit(struct tsk_ctx *to, struct tsk_ctx *from)
{
    uint8_t old[TSK_SESSION_KEY], now[TSK_SESSION_KEY];

    if (is_shared(to) || to->sessions == NULL || from->sessions == NULL ||
        tsk_ctx_trust_open(from) == NULL || !tsk_keep_binding(from, old) ||
        !tsk_keep_binding(to, now) || memcmp(old, now, sizeof(old)) != 0)
        return;
    tsk_sessions_unref(to->sessions);
    to->sessions = tsk_sessions_ref(from->sessions);
}

/* Where others find it: nobody with other settings does. 1, 0 */
static int outer_key(struct tsk_ctx *c, const uint8_t key[TSK_SESSION_KEY],
                     uint8_t out[OUTER_KEY])
{
    uint8_t both[2 * TSK_SESSION_KEY];

    memcpy(both + TSK_SESSION_KEY, key, TSK_SESSION_KEY);
    out[OUTER_KEY - 1] = 0;
    return tsk_keep_binding(c, both) &&
           EVP_Digest(both, sizeof(both), out, NULL, EVP_sha256(), NULL);
}

static void tell(struct tsk_ctx *c, tlsock *s)
{
    const char *why = tsk_session_file_trouble(c->file);

    if (why != NULL)
        tsk_log(c->set, s, NULL, "session.file %s is of no use: %s",
                tsk_session_file_path(c->file), why);
}

static int once(const SSL_SESSION *ses)
{
    return SSL_SESSION_get_protocol_version(ses) >= TLS1_3_VERSION;
}

/* What may be used again is there once; tickets take turns. */
static int to_store(struct tsk_ctx *c, uint8_t key[OUTER_KEY],
                    const struct tsk_session_item *item, const uint8_t *data,
                    size_t len)
{
    const tlsock_store *store = &c->set->session_store;

    if (once(item->ses))
        key[OUTER_KEY - 1] = (uint8_t)(atomic_fetch_add(&c->slot, 1) % SLOTS);
    return store->put(c->set->session_store_arg, key, OUTER_KEY, data, len,
                      item->expires) >= 0;
}

static const char *put_shared(struct tsk_ctx *c, struct tsk_session_item *item,
                              tlsock *s)
{
    uint8_t key[OUTER_KEY], *data;
    size_t len;
    int ok;

    if (!outer_key(c, item->key, key) || !tsk_keep_binding(c, item->binding) ||
        !tsk_session_encode(item, &data, &len))
        return tsk_keep_lost;
    if (c->file != NULL)
        ok = tsk_session_file_put(c->file, key, data, len, item->expires,
                                  once(item->ses), tsk_wall_time());
    else
        ok = to_store(c, key, item, data, len);
    tsk_free_secret(data, len);
    if (c->file != NULL)
        tell(c, s);
    return ok                ? NULL
           : c->file != NULL ? "session.file did not take it"
                             : "the program's store did not take it";
}

const char *tsk_keep_put(struct tsk_ctx *c, struct tsk_session_item *item,
                         tlsock *s)
{
    if (c->set->session_size == 0)
        return "session.size = 0";
    if (is_shared(c))
        return put_shared(c, item, s);
    tsk_sessions_put(c->sessions, item);
    return NULL;
}

/* Bytes of a file or store: are they what was asked for? */
static int is_that(struct tsk_ctx *c, const uint8_t key[TSK_SESSION_KEY],
                   const uint8_t *data, size_t len,
                   struct tsk_session_item *item)
{
    uint8_t binding[TSK_SESSION_KEY];

    if (!tsk_session_decode(data, len, item))
        return 0;
    if (tsk_keep_binding(c, binding) &&
        memcmp(item->binding, binding, TSK_SESSION_KEY) == 0 &&
        memcmp(item->key, key, TSK_SESSION_KEY) == 0)
        return 1;
    SSL_SESSION_free(item->ses);
    item->ses = NULL;
    return 0;
}

/* Of one slot. What is of TLS 1.3 is ours if it was we who took it away. */
static int from_slot(struct tsk_ctx *c, const uint8_t outer[OUTER_KEY],
                     const uint8_t key[TSK_SESSION_KEY], uint8_t *buf,
                     struct tsk_session_item *item)
{
    const tlsock_store *store = &c->set->session_store;
    void *arg = c->set->session_store_arg;
    size_t len = TSK_SESSION_BYTES_MAX;

    if (store->get(arg, outer, OUTER_KEY, buf, &len) != 0 ||
        len > TSK_SESSION_BYTES_MAX)
        return 0;
    if (!is_that(c, key, buf, len, item)) {
        store->del(arg, outer, OUTER_KEY);
        return 0;
    }
    if (!once(item->ses) || store->del(arg, outer, OUTER_KEY) == 0)
        return 1;
    SSL_SESSION_free(item->ses);
    item->ses = NULL;
    return 0;
}

/* The newest slot of this process first. */
static int from_store(struct tsk_ctx *c, uint8_t outer[OUTER_KEY],
                      const uint8_t key[TSK_SESSION_KEY], uint8_t *buf,
                      struct tsk_session_item *item)
{
    unsigned last = atomic_load(&c->slot) + SLOTS - 1;
    int found = 0;

    for (unsigned i = 0; i < SLOTS && !found; i++) {
        outer[OUTER_KEY - 1] = (uint8_t)((last - i) % SLOTS);
        found = from_slot(c, outer, key, buf, item);
    }
    return found;
}

static int take_shared(struct tsk_ctx *c, const uint8_t key[TSK_SESSION_KEY],
                       struct tsk_session_item *item, tlsock *s)
{
    uint8_t outer[OUTER_KEY], *buf = tsk_alloc(TSK_SESSION_BYTES_MAX);
    size_t len;
    int found = 0;

    if (buf == NULL || !outer_key(c, key, outer)) {
        tsk_free(buf);
        return 0;
    }
    if (c->file == NULL) {
        found = from_store(c, outer, key, buf, item);
    } else {
        len = tsk_session_file_take(c->file, outer, tsk_wall_time(), buf);
        found = len != 0 && is_that(c, key, buf, len, item);
        tell(c, s);
    }
    tsk_free_secret(buf, TSK_SESSION_BYTES_MAX);
    item->facts.process = tsk_fork_generation();
    return found;
}

static int take_one(struct tsk_ctx *c, const uint8_t key[TSK_SESSION_KEY],
                    struct tsk_session_item *item, tlsock *s)
{
    if (is_shared(c))
        return take_shared(c, key, item, s);
    return c->sessions != NULL &&
           tsk_sessions_take(c->sessions, key, tsk_wall_time(), item);
}

/* What was learned of its certificate since, by whichever connection. */
static int revoked(const struct tsk_ctx *c, const struct tsk_session_item *item)
{
    int64_t now =
        c->set->verify_time != 0 ? c->set->verify_time : tsk_wall_time();
    struct tsk_status st;

    return c->revcache != NULL &&
           tsk_revcache_status(c->revcache, item->facts.asked, now, &st) &&
           st.state == TSK_REVOKED;
}

/* This process may have other ideas than the one that won it: of how old it
 * may be, and of who its parent is, who has the same ticket. */
static int usable(const struct tsk_ctx *c, const struct tsk_session_item *item)
{
    int64_t now = tsk_wall_time();

    return tsk_session_fresh(&item->facts, item->expires, now) &&
           item->facts.won + c->set->session_timeout_s > now &&
           (!once(item->ses) || item->facts.process == tsk_fork_generation()) &&
           !revoked(c, item);
}

int tsk_keep_take(struct tsk_ctx *c, const uint8_t key[TSK_SESSION_KEY],
                  const uint8_t peer[TSK_SESSION_KEY],
                  struct tsk_session_item *item, tlsock *s)
{
    for (unsigned i = 0; i < ROUNDS; i++) { /* a bad store has no end */
        memset(item, 0, sizeof(*item));
        if (!take_one(c, key, item, s))
            return 0;
        memcpy(item->key, key, TSK_SESSION_KEY);
        memcpy(item->peer, peer, TSK_SESSION_KEY);
        if (usable(c, item))
            return 1;
        if (!once(item->ses)) /* it would come again and again */
            tsk_keep_forget(c, key, NULL);
        SSL_SESSION_free(item->ses);
        item->ses = NULL;
    }
    return 0;
}

void tsk_keep_forget(struct tsk_ctx *c, const uint8_t key[TSK_SESSION_KEY],
                     const SSL_SESSION *ses)
{
    uint8_t outer[OUTER_KEY];

    if (!is_shared(c)) {
        if (c->sessions != NULL)
            tsk_sessions_forget(c->sessions, key, ses);
        return;
    }
    if (ses != NULL || !outer_key(c, key, outer))
        return;
    if (c->file != NULL) {
        tsk_session_file_forget(c->file, outer);
        return;
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        outer[OUTER_KEY - 1] = (uint8_t)i;
        c->set->session_store.del(c->set->session_store_arg, outer, OUTER_KEY);
    }
}
