#include "tls/lazy.h"

#include "cert/cert.h"
#include "cert/load.h"
#include "core/clock.h"
#include "core/mem.h"
#include "ossl/ext.h"
#include "ossl/queue.h"
#include "tls/lazyread.h"

#include <stdatomic.h>
#include <string.h>

struct tsk_lazy {
    atomic_int refs;
    _Atomic(tlsock_cert *) cert; /* once it was asked for */
    struct tsk_lazy_chain *chain;
    struct tsk_walk walk; /* of leaf */
    struct tsk_key_kind kind;
    int64_t read_at; /* what it was proven as of */
    size_t leaf_len, key_len;
    unsigned char *key; /* PKCS#8 or the kind's own form; owned */
    char *name;         /* of the file, for messages */
    unsigned char leaf[];
};

/* What goes with many leaves is kept, and decoded, once. */
struct tsk_lazy_chain {
    atomic_int refs;
    _Atomic(STACK_OF(X509) *) certs;
    size_t len;
    unsigned char der[]; /* one behind the other */
};

static void chain_unref(struct tsk_lazy_chain *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    sk_X509_pop_free(atomic_load(&c->certs), X509_free);
    tsk_free(c);
}

static struct tsk_lazy_chain *chain_of(const struct tsk_lazy_read *r,
                                       const struct tsk_lazy *like)
{
    struct tsk_lazy_chain *c = like != NULL ? like->chain : NULL;
    size_t len = r->certs.len - r->leaf_len;

    if (c != NULL && c->len == len &&
        memcmp(c->der, tsk_buf_at(&r->certs) + r->leaf_len, len) == 0) {
        atomic_fetch_add(&c->refs, 1);
        return c;
    }
    c = tsk_alloc(sizeof(*c) + len);
    if (c == NULL)
        return NULL;
    atomic_init(&c->refs, 1);
    atomic_init(&c->certs, NULL);
    c->len = len;
    memcpy(c->der, tsk_buf_at(&r->certs) + r->leaf_len, len);
    return c;
}

static struct tsk_lazy *keep(struct tsk_lazy_read *r,
                             const struct tsk_lazy *like)
{
    struct tsk_lazy *l = tsk_alloc(sizeof(*l) + r->leaf_len);

    if (l == NULL)
        return NULL;
    atomic_init(&l->refs, 1);
    atomic_init(&l->cert, NULL);
    l->leaf_len = r->leaf_len;
    memcpy(l->leaf, tsk_buf_at(&r->certs), r->leaf_len);
    l->kind = r->kind;
    l->read_at = r->now;
    l->name = tsk_strdup(r->name);
    l->chain = chain_of(r, like);
    l->key = tsk_alloc(r->key_len);
    if (l->name == NULL || l->chain == NULL || l->key == NULL ||
        !tsk_walk_cert(l->leaf, l->leaf_len, &l->walk)) {
        tsk_lazy_unref(l);
        return NULL;
    }
    l->key_len = r->key_len;
    memcpy(l->key, r->key, r->key_len);
    return l;
}

int tsk_lazy_load(const char *cert_uri, const char *key_uri,
                  const struct tsk_lazy *like, struct tsk_lazy **out)
{
    struct tsk_lazy_read r = {.now = tsk_wall_time()};

    *out = NULL;
    tsk_ossl_enter();
    if (tsk_lazy_read(cert_uri, key_uri, &r))
        *out = keep(&r, like);
    tsk_lazy_read_free(&r);
    tsk_ossl_leave();
    return *out != NULL;
}

struct tsk_lazy *tsk_lazy_ref(struct tsk_lazy *l)
{
    if (l != NULL)
        atomic_fetch_add(&l->refs, 1);
    return l;
}

void tsk_lazy_unref(struct tsk_lazy *l)
{
    if (l == NULL || atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    tlsock_cert_unref(atomic_load(&l->cert));
    chain_unref(l->chain);
    tsk_free_secret(l->key, l->key_len);
    tsk_free(l->name);
    tsk_free(l);
}

int tsk_lazy_same(const struct tsk_lazy *a, const struct tsk_lazy *b)
{
    return a->leaf_len == b->leaf_len && a->key_len == b->key_len &&
           a->chain->len == b->chain->len &&
           memcmp(a->leaf, b->leaf, a->leaf_len) == 0 &&
           tsk_equal_ct(a->key, b->key, a->key_len) &&
           memcmp(a->chain->der, b->chain->der, a->chain->len) == 0;
}

size_t tsk_lazy_bytes(const struct tsk_lazy *l)
{
    return l->leaf_len + l->chain->len;
}

static STACK_OF(X509) * decode_chain(const struct tsk_lazy_chain *c)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    const unsigned char *p = c->der, *end = c->der + c->len;

    while (certs != NULL && p < end) {
        X509 *x = d2i_X509(NULL, &p, (long)(end - p));

        if (x == NULL || !tsk_ossl_settle(x) || sk_X509_push(certs, x) <= 0) {
            X509_free(x);
            sk_X509_pop_free(certs, X509_free);
            return NULL;
        }
    }
    return certs;
}

/* Borrowed; NULL: it does not decode, or no memory. */
static STACK_OF(X509) * chain_certs(struct tsk_lazy_chain *c)
{
    STACK_OF(X509) *certs = atomic_load(&c->certs), *none = NULL;

    if (certs != NULL)
        return certs;
    certs = decode_chain(c);
    if (certs == NULL ||
        atomic_compare_exchange_strong(&c->certs, &none, certs))
        return certs;
    sk_X509_pop_free(certs, X509_free); /* another thread was first */
    return none;
}

static int damaged(const struct tsk_lazy *l, const char *what,
                   tlsock_error *err)
{
    int rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE, "the %s in \"%s\" is damaged",
                           what, l->name);

    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "look at it with tlsock cert show, put a good one there "
                      "and reload; tlsock_config_check() finds all of them");
    return rc;
}

static int decode(struct tsk_lazy *l, tlsock_cert **out, tlsock_error *err)
{
    const unsigned char *p = l->leaf, *k = l->key;
    STACK_OF(X509) *chain = chain_certs(l->chain);
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &k, (long)l->key_len);
    X509 *leaf = d2i_X509(NULL, &p, (long)l->leaf_len);
    int rc;

    if (leaf == NULL || chain == NULL)
        rc = damaged(l, "certificate", err);
    else if (key == NULL)
        rc = damaged(l, "key", err);
    else
        rc = (*out = tsk_cert_new(leaf, chain, key, err)) != NULL
                 ? TLSOCK_OK
                 : TLSOCK_E_NOMEM;
    X509_free(leaf);
    EVP_PKEY_free(key);
    return rc;
}

tlsock_cert *tsk_lazy_known(struct tsk_lazy *l)
{
    return atomic_load(&l->cert);
}

tlsock_cert *tsk_lazy_cert(struct tsk_lazy *l, tlsock_error *err)
{
    tlsock_cert *cert = atomic_load(&l->cert), *none = NULL;
    int rc;

    if (cert != NULL)
        return cert;
    tsk_ossl_enter();
    rc = decode(l, &cert, err);
    /* what has expired since it was read is served as any other is */
    if (rc == TLSOCK_OK)
        rc = tsk_cert_prove(cert, l->name, TSK_PROVE_SERVER, l->read_at, err);
    tsk_ossl_leave();
    if (rc == TLSOCK_OK &&
        atomic_compare_exchange_strong(&l->cert, &none, cert))
        return cert;
    tlsock_cert_unref(cert); /* another thread was first, or it is unfit */
    return rc == TLSOCK_OK ? none : NULL;
}

const struct tsk_walk *tsk_lazy_walk(const struct tsk_lazy *l)
{
    return &l->walk;
}

struct tsk_key_kind tsk_lazy_kind(const struct tsk_lazy *l)
{
    return l->kind;
}
