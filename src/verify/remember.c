#include "verify/remember.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/lru.h"
#include "core/mem.h"
#include "ossl/queue.h"
#include "verify/chain.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

struct entry {
    struct tsk_lru_node node;
    X509_STORE *store; /* as long as it is kept, no other has its address */
    STACK_OF(X509) * sent, *chain;
    struct tsk_verdict verdict;
    int64_t made, until_ms; /* Unix seconds; monotonic */
};

struct tsk_remember {
    pthread_mutex_t lock;
    struct tsk_lru kept;
    size_t used;
};

struct tsk_remember *tsk_remember_new(void)
{
    struct tsk_remember *r = tsk_alloc(sizeof(*r));

    if (r != NULL)
        pthread_mutex_init(&r->lock, NULL);
    return r;
}

static void free_entry(struct entry *e)
{
    if (e == NULL)
        return;
    sk_X509_pop_free(e->sent, X509_free);
    sk_X509_pop_free(e->chain, X509_free);
    X509_STORE_free(e->store);
    tsk_free(e);
}

static void drop(struct tsk_remember *r, struct entry *e)
{
    tsk_lru_drop(&r->kept, &e->node);
    free_entry(e);
}

void tsk_remember_free(struct tsk_remember *r)
{
    if (r == NULL)
        return;
    while (r->kept.oldest != NULL)
        drop(r, (struct entry *)r->kept.oldest);
    tsk_lru_free(&r->kept);
    pthread_mutex_destroy(&r->lock);
    tsk_free(r);
}

void tsk_remember_count(struct tsk_remember *r, size_t *kept, size_t *used)
{
    pthread_mutex_lock(&r->lock);
    *kept = r->kept.count;
    *used = r->used;
    pthread_mutex_unlock(&r->lock);
}

/* Questions whose answer is the same for as long as the certificates are. */
static int is_lasting(const struct tsk_verify_req *req)
{
    return req->time == 0 && req->insecure == 0 && req->dane == NULL &&
           req->name_rule == NULL && !req->stored;
}

/* All numbers in the order of this struct, without gaps of chance. */
struct numbers {
    uint64_t store, pins, name_len, scheme_len, allow_len;
    int32_t purpose, signs, depth, partial_chain, psl, pin_mode, check_crls,
        unknown_is_fine, named, schemed, allowed, certs;
};

static int add_text(struct tsk_buf *b, const char *text)
{
    return text == NULL ? 0 : tsk_buf_add(b, text, strlen(text));
}

static size_t length(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static int add_question(struct tsk_buf *b, X509_STORE_CTX *ctx,
                        const struct tsk_verify_req *req, int certs)
{
    const char *rules = req->allow != NULL ? tsk_allow_text(req->allow) : NULL;
    struct numbers n;

    memset(&n, 0, sizeof(n));
    n.store = (uintptr_t)X509_STORE_CTX_get0_store(ctx);
    n.pins = req->n_pins;
    n.name_len = length(req->name);
    n.scheme_len = length(req->scheme);
    n.allow_len = length(rules);
    n.purpose = req->purpose;
    n.signs = req->signs;
    n.depth = req->depth;
    n.partial_chain = req->partial_chain;
    n.psl = req->psl;
    n.pin_mode = req->pin_mode;
    n.check_crls = req->check_crls;
    n.unknown_is_fine = req->unknown_is_fine;
    n.named = req->name != NULL;
    n.schemed = req->scheme != NULL;
    n.allowed = req->allow != NULL;
    n.certs = certs;
    if (tsk_buf_add(b, &n, sizeof(n)) < 0 || add_text(b, req->name) < 0 ||
        add_text(b, req->scheme) < 0 || add_text(b, rules) < 0)
        return -1;
    for (size_t i = 0; i < req->n_pins; i++) { /* a struct may have gaps */
        const struct tsk_pin *p = &req->pins[i];
        int32_t kind[2] = {p->of_public_key, p->algo};

        if (tsk_buf_add(b, kind, sizeof(kind)) < 0 ||
            tsk_buf_add(b, p->hash, sizeof(p->hash)) < 0)
            return -1;
    }
    return 0;
}

static int add_cert(struct tsk_buf *b, X509 *crt)
{
    int len = i2d_X509(crt, NULL);
    unsigned char *room;

    if (len <= 0 || (size_t)len > TSK_REMEMBER_CHAIN)
        return -1;
    room = tsk_buf_room(b, (size_t)len);
    if (room == NULL || i2d_X509(crt, &room) != len)
        return -1;
    b->len += (size_t)len;
    return len;
}

/* Where leaf and chain are as the peer sent them: libssl's way. */
static int came_in_order(X509_STORE_CTX *ctx, STACK_OF(X509) * sent)
{
    return sk_X509_num(sent) > 0 && sk_X509_num(sent) <= TSK_REMEMBER_CERTS &&
           sk_X509_value(sent, 0) == X509_STORE_CTX_get0_cert(ctx);
}

/* DER tells its own length, so certificates that follow each other stay apart.
 * Their size, or 0: nothing that could be kept. */
static size_t key_of(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                     uint8_t key[TSK_LRU_KEY])
{
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);
    struct tsk_buf b = {0};
    size_t cost = 0;
    int n = sk_X509_num(sent), ok;

    if (!is_lasting(req) || !came_in_order(ctx, sent))
        return 0;
    ok = add_question(&b, ctx, req, n) == 0;
    for (int i = 0; ok && i < n; i++) {
        int len = add_cert(&b, sk_X509_value(sent, i));

        ok = len > 0;
        cost += ok ? (size_t)len : 0;
    }
    ok = ok && cost <= TSK_REMEMBER_CHAIN &&
         EVP_Digest(tsk_buf_at(&b), b.len, key, NULL, EVP_sha256(), NULL);
    tsk_buf_free(&b);
    return ok ? cost : 0;
}

static int is_fresh(const struct entry *e)
{
    int64_t now = tsk_wall_time();

    return tsk_now_ms() < e->until_ms && now >= e->made &&
           now <= e->verdict.expires;
}

/* ctx and its owner go on with our certificates; theirs are freed. */
static void exchange(X509_STORE_CTX *ctx, STACK_OF(X509) * kept)
{
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx);

    for (int i = 0; i < sk_X509_num(kept); i++) {
        X509 *ours = sk_X509_value(kept, i), *theirs = sk_X509_value(sent, i);

        if (ours == theirs || !X509_up_ref(ours))
            continue;
        sk_X509_set(sent, i, ours);
        if (i == 0)
            X509_STORE_CTX_set_cert(ctx, ours);
        X509_free(theirs);
    }
}

/* 1: ctx and verdict are as the verification left them, but for lists. */
static int recall(struct tsk_remember *r, const uint8_t key[TSK_LRU_KEY],
                  X509_STORE_CTX *ctx, struct tsk_verdict *verdict)
{
    STACK_OF(X509) *chain = NULL;
    struct entry *e;

    pthread_mutex_lock(&r->lock);
    e = (struct entry *)tsk_lru_find(&r->kept, key);
    if (e != NULL && !is_fresh(e)) {
        drop(r, e);
        e = NULL;
    }
    if (e != NULL)
        chain = X509_chain_up_ref(e->chain);
    if (chain != NULL) {
        exchange(ctx, e->sent);
        *verdict = e->verdict;
        r->used++;
    }
    pthread_mutex_unlock(&r->lock);
    if (chain == NULL)
        return 0;
    X509_STORE_CTX_set0_verified_chain(ctx, chain);
    X509_STORE_CTX_set_error_depth(ctx, 0);
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

/* Whoever was revoked meanwhile is not what was remembered. */
static int lists_agree(X509_STORE_CTX *ctx, const struct tsk_verify_req *req,
                       struct tsk_verdict *verdict)
{
    struct tsk_chain_run run = {.req = req};

    if (!req->check_crls)
        return 1;
    run.sent = X509_STORE_CTX_get0_untrusted(ctx);
    if (tsk_chain_lists(ctx, &run, NULL) != TLSOCK_OK)
        return 0;
    verdict->crl_as_of = run.crl_as_of;
    return 1;
}

static struct entry *new_entry(X509_STORE_CTX *ctx,
                               const struct tsk_verdict *verdict)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    X509_STORE *store = X509_STORE_CTX_get0_store(ctx);
    struct entry *e = tsk_alloc(sizeof(*e));

    if (e == NULL)
        return NULL;
    if (X509_STORE_up_ref(store))
        e->store = store;
    e->sent = X509_chain_up_ref(X509_STORE_CTX_get0_untrusted(ctx));
    e->chain = chain != NULL ? X509_chain_up_ref(chain) : NULL;
    if (e->store == NULL || e->sent == NULL || e->chain == NULL) {
        free_entry(e);
        return NULL;
    }
    e->verdict = *verdict;
    e->made = tsk_wall_time();
    e->until_ms = tsk_deadline_in((int64_t)TSK_REMEMBER_LIFE * 1000);
    return e;
}

/* Without memory it is just not kept. */
static void keep(struct tsk_remember *r, const uint8_t key[TSK_LRU_KEY],
                 size_t cost, X509_STORE_CTX *ctx,
                 const struct tsk_verdict *verdict)
{
    struct entry *e = new_entry(ctx, verdict), *old;

    if (e == NULL)
        return;
    memcpy(e->node.key, key, TSK_LRU_KEY);
    e->node.cost = cost;
    pthread_mutex_lock(&r->lock);
    old = (struct entry *)tsk_lru_find(&r->kept, key);
    if (old != NULL) /* of another thread, or given up */
        drop(r, old);
    while (r->kept.oldest != NULL && (r->kept.count >= TSK_REMEMBER_MOST ||
                                      r->kept.cost + cost > TSK_REMEMBER_BYTES))
        drop(r, (struct entry *)r->kept.oldest);
    if (tsk_lru_add(&r->kept, &e->node) != TLSOCK_OK)
        free_entry(e);
    pthread_mutex_unlock(&r->lock);
}

/* Not by a pin that stands in for the chain: it costs less than we do. */
static int by_chain(const struct tsk_verdict *verdict)
{
    return strncmp(verdict->verified, "chain", 5) == 0 && !verdict->key_alone;
}

int tsk_remember_verify(struct tsk_remember *r, X509_STORE_CTX *ctx,
                        const struct tsk_verify_req *req,
                        struct tsk_verdict *verdict, tlsock_error *err)
{
    uint8_t key[TSK_LRU_KEY];
    size_t cost = 0;
    int rc;

    tsk_ossl_enter();
    if (r != NULL && X509_STORE_CTX_get0_cert(ctx) != NULL)
        cost = key_of(ctx, req, key);
    if (cost != 0 && recall(r, key, ctx, verdict)) {
        if (lists_agree(ctx, req, verdict)) {
            tsk_ossl_leave();
            tsk_clear(err);
            return TLSOCK_OK;
        }
        X509_STORE_CTX_set0_verified_chain(ctx, NULL);
    }
    rc = tsk_policy_verify(ctx, req, verdict, err);
    if (rc == TLSOCK_OK && cost != 0 && by_chain(verdict))
        keep(r, key, cost, ctx, verdict);
    tsk_ossl_leave();
    return rc;
}
