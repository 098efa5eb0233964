#include "intercept/shelf.h"

#include "cert/make.h"
#include "core/clock.h"
#include "core/mem.h"
#include "intercept/entry.h"
#include "ossl/queue.h"

#include <stdlib.h>

int tsk_shelf_open(struct tsk_shelf *s, const char *dir, tlsock_error *err)
{
    char *name;

    if (dir == NULL)
        return TLSOCK_OK;
    name = tsk_cachedisk_name(dir, "minted certificates", "cache_dir", err);
    if (name == NULL)
        return err != NULL ? err->code : TLSOCK_E_OWN_FILE;
    s->disk.dir = tsk_strdup(name);
    free(name);
    if (s->disk.dir == NULL)
        return tsk_fail_nomem(err);
    s->disk.max = TSK_SHELF_MAX;
    s->disk.written = SIZE_MAX; /* the first to write counts */
    pthread_mutex_init(&s->disk.lock, NULL);
    return TLSOCK_OK;
}

void tsk_shelf_close(struct tsk_shelf *s)
{
    if (s->disk.dir == NULL)
        return;
    pthread_mutex_destroy(&s->disk.lock);
    tsk_free(s->disk.dir);
}

void tsk_shelf_hold(struct tsk_shelf *s)
{
    if (s->disk.dir != NULL)
        pthread_mutex_lock(&s->disk.lock);
}

void tsk_shelf_let_go(struct tsk_shelf *s)
{
    if (s->disk.dir != NULL)
        pthread_mutex_unlock(&s->disk.lock);
}

/* The digest says that it is whole; whose it is, the signature. */
static int is_ours(X509 *x, const tlsock_cert *upstream, const tlsock_cert *ca,
                   int64_t now)
{
    int64_t ends = tsk_cert_time(X509_get0_notAfter(x));

    return ends > now &&
           ends <= tsk_cert_time(X509_get0_notAfter(upstream->leaf)) &&
           ends <= tsk_cert_time(X509_get0_notAfter(ca->leaf)) &&
           X509_NAME_cmp(X509_get_subject_name(x),
                         X509_get_subject_name(upstream->leaf)) == 0 &&
           X509_NAME_cmp(X509_get_issuer_name(x),
                         X509_get_subject_name(ca->leaf)) == 0 &&
           X509_verify(x, X509_get0_pubkey(ca->leaf)) == 1;
}

static tlsock_cert *whole(const struct tsk_cached *found,
                          const tlsock_cert *upstream, const tlsock_cert *ca,
                          int64_t now)
{
    STACK_OF(X509) *chain = NULL;
    tlsock_cert *c = NULL;
    EVP_PKEY *key = NULL;
    X509 *x = NULL;

    if (tsk_entry_parse(found->body, found->len, &x, &key) &&
        is_ours(x, upstream, ca, now))
        chain = tsk_make_chain(ca);
    if (chain != NULL)
        c = tsk_cert_new(x, chain, key, NULL);
    sk_X509_free(chain);
    X509_free(x);
    EVP_PKEY_free(key);
    return c;
}

tlsock_cert *tsk_shelf_find(const struct tsk_shelf *s, const uint8_t key[32],
                            const tlsock_cert *upstream, const tlsock_cert *ca)
{
    int64_t now = tsk_wall_time();
    struct tsk_cached found;
    tlsock_cert *c;

    if (s->disk.dir == NULL ||
        !tsk_cachedisk_read(&s->disk, TSK_CACHE_LEAF, key, now, TSK_ENTRY_MAX,
                            &found))
        return NULL;
    tsk_ossl_enter();
    c = whole(&found, upstream, ca, now);
    tsk_ossl_leave();
    tsk_cachedisk_free(&found);
    return c;
}

void tsk_shelf_keep(struct tsk_shelf *s, const uint8_t key[32],
                    const tlsock_cert *c)
{
    uint8_t *body = NULL;
    size_t len;

    if (s->disk.dir == NULL)
        return;
    tsk_ossl_enter();
    if (tsk_entry_encode(c->leaf, c->key, &body, &len))
        tsk_cachedisk_write(&s->disk, TSK_CACHE_LEAF, key, body, len,
                            tsk_cert_time(X509_get0_notAfter(c->leaf)));
    tsk_ossl_leave();
    if (body != NULL)
        tsk_free_secret(body, len);
}
