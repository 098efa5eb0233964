/* Whose certificate it is that wants a staple: sent along, in the trust store,
 * on disk, or where the certificate says. */
#include "api/stapleorder.h"

#include "cert/cert.h"
#include "cert/load.h"
#include "core/clock.h"
#include "revoke/dp.h"
#include "tls/identity.h"
#include "verify/trust.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

#define ISSUER_MAX ((size_t)64 * 1024)

/* SHA-256 of kind, leaf and, unless NULL, issuer. */
static int name_of(uint8_t key[32], const char *kind, X509 *leaf, X509 *issuer)
{
    unsigned char both[16 + 64] = "";
    size_t len = strlen(kind);

    memcpy(both, kind, len);
    return X509_digest(leaf, EVP_sha256(), both + 16, NULL) &&
           (issuer == NULL ||
            X509_digest(issuer, EVP_sha256(), both + 48, NULL)) &&
           EVP_Digest(both, sizeof(both), key, NULL, EVP_sha256(), NULL);
}

/* issuer is taken. */
static int use(struct tsk_order *o, X509 *issuer)
{
    if (issuer == NULL || !name_of(o->key, "tlsock staple", o->leaf, issuer) ||
        !name_of(o->issuer_key, "tlsock issuer", o->leaf, NULL)) {
        X509_free(issuer);
        return 0;
    }
    o->issuer = issuer;
    return 1;
}

/* A chain without the issuer is one that the root itself has signed. */
static X509 *from_trust(const struct tsk_order *o)
{
    struct tsk_trust *trust = tsk_ctx_trust(o->ctx, NULL);
    X509_STORE_CTX *sc = trust != NULL ? X509_STORE_CTX_new() : NULL;
    X509 *issuer = NULL;

    if (sc == NULL ||
        !X509_STORE_CTX_init(sc, tsk_trust_store(trust), o->leaf, NULL) ||
        X509_STORE_CTX_get1_issuer(&issuer, sc, o->leaf) != 1)
        issuer = NULL;
    X509_STORE_CTX_free(sc);
    return issuer;
}

static X509 *from_chain(const struct tsk_order *o)
{
    const struct tsk_settings *set = tsk_ctx_settings(o->ctx);
    const tlsock_cert *c = tsk_identity_known(&set->identities[o->slot]);
    X509 *issuer = sk_X509_value(c->chain, 0);

    if (issuer != NULL)
        X509_up_ref(issuer);
    return issuer;
}

/* Whoever's key signed our own certificate is its issuer, by whatever way we
 * came to know it. */
static int signed_it(X509 *issuer, X509 *leaf)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    return key != NULL && X509_check_issued(issuer, leaf) == X509_V_OK &&
           X509_verify(leaf, key) == 1;
}

int tsk_order_take_issuer(struct tsk_order *o, const void *data, size_t len)
{
    tlsock_cert *got = tsk_cert_parse(data, len, NULL, NULL);
    X509 *issuer = NULL;

    if (got == NULL)
        return 0;
    for (int i = -1; issuer == NULL && i < sk_X509_num(got->chain); i++) {
        X509 *x = i < 0 ? got->leaf : sk_X509_value(got->chain, i);

        if (x != NULL && signed_it(x, o->leaf) && X509_up_ref(x))
            issuer = x;
    }
    tlsock_cert_unref(got);
    return use(o, issuer);
}

static int from_disk(struct tsk_order *o)
{
    struct tsk_buf der = {NULL, 0, 0, 0};
    uint8_t key[32];
    int found;

    if (o->cache == NULL || !name_of(key, "tlsock issuer", o->leaf, NULL))
        return 0;
    pthread_mutex_unlock(o->working);
    found = tsk_revcache_ocsp(o->cache, key, tsk_wall_time(), &der);
    pthread_mutex_lock(o->working);
    found = found && tsk_order_take_issuer(o, tsk_buf_at(&der), der.len);
    tsk_buf_free(&der);
    return found;
}

int tsk_order_find_issuer(struct tsk_order *o)
{
    X509 *issuer;

    if (o->issuer != NULL)
        return 1;
    issuer = from_chain(o);
    if (issuer == NULL)
        issuer = from_trust(o);
    if (issuer != NULL)
        return use(o, issuer);
    o->far_issuer = 1;
    return from_disk(o);
}

void tsk_order_keep_issuer(struct tsk_order *o, int64_t until)
{
    unsigned char *der = NULL;
    int len = o->far_issuer ? i2d_X509(o->issuer, &der) : 0;

    if (len <= 0)
        return;
    pthread_mutex_unlock(o->working);
    tsk_revcache_keep_ocsp(o->cache, o->issuer_key, der, (size_t)len, until);
    pthread_mutex_lock(o->working);
    OPENSSL_free(der);
}

struct tsk_fetching *tsk_order_ask_issuer(struct tsk_order *o)
{
    const struct tsk_settings *set = tsk_ctx_settings(o->ctx);
    struct tsk_fetch_limits limits = {.bytes = ISSUER_MAX,
                                      .timeout_ms = set->revocation_timeout_ms,
                                      .proxy = set->revocation_proxy};
    tlsock_fetch what = {.size = sizeof(what), .method = "GET"};
    char url[TSK_URL_MAX];

    if (tsk_aia_url(o->leaf, o->aia, url, sizeof(url)) != 1)
        return NULL;
    what.url = url;
    return tsk_fetching_new(&what, &limits, NULL);
}
