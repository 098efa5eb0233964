#include "ossl/keykind.h"
#include "ossl/remote_private.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

#define NAME "tlsock"

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_store)
{
    (void)provider;
    *no_store = 0;
    return operation == OSSL_OP_KEYMGMT     ? tsk_remote_keymgmts
           : operation == OSSL_OP_SIGNATURE ? tsk_remote_signatures
                                            : NULL;
}

static int init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                const OSSL_DISPATCH **out, void **provider)
{
    static const OSSL_DISPATCH ours[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query}, {0, NULL}};

    (void)core;
    *out = ours;
    *provider = (void *)(uintptr_t)handle;
    return 1;
}

/* Made once, kept for the life of the process, since keys outlive whoever made
 * the first; after a failure the next call tries again. */
static OSSL_LIB_CTX *context(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static OSSL_LIB_CTX *ready;
    OSSL_LIB_CTX *ctx;

    pthread_mutex_lock(&lock);
    if (ready == NULL) {
        ctx = OSSL_LIB_CTX_new();
        if (ctx != NULL && OSSL_PROVIDER_add_builtin(ctx, NAME, init) == 1 &&
            OSSL_PROVIDER_load(ctx, NAME) != NULL)
            ready = ctx;
        else
            OSSL_LIB_CTX_free(ctx);
    }
    ctx = ready;
    pthread_mutex_unlock(&lock);
    return ctx;
}

static const char *type_of(const EVP_PKEY *pub)
{
    static const char *const all[] = {"RSA", "RSA-PSS", "EC", "ED25519",
                                      "ED448"};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (tsk_ossl_is_a(pub, all[i]))
            return all[i];
    return NULL;
}

int tsk_remote_can(const EVP_PKEY *pub)
{
    return type_of(pub) != NULL;
}

EVP_PKEY *tsk_remote_key_new(EVP_PKEY *pub, tsk_remote_sign *sign, void *arg)
{
    struct tsk_remote r = {.pub = pub, .sign = sign, .arg = arg};
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(TSK_REMOTE_PARAM, &r, sizeof(r)),
        OSSL_PARAM_END};
    const char *type = type_of(pub);
    OSSL_LIB_CTX *own = type != NULL ? context() : NULL;
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *key = NULL;

    if (own != NULL)
        ctx = EVP_PKEY_CTX_new_from_name(own, type, NULL);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

int tsk_remote_is(const EVP_PKEY *key)
{
    const OSSL_PROVIDER *p = key != NULL ? EVP_PKEY_get0_provider(key) : NULL;

    return p != NULL && strcmp(OSSL_PROVIDER_get0_name(p), NAME) == 0;
}

static int check_message(const struct tsk_remote_ask *ask,
                         const unsigned char *sig, size_t len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx != NULL &&
             EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, ask->pub) == 1 &&
             EVP_DigestVerify(ctx, sig, len, ask->data, ask->len) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}

static int set_padding(EVP_PKEY_CTX *ctx, const struct tsk_remote_ask *ask,
                       const EVP_MD *md)
{
    if (!tsk_ossl_is_a(ask->pub, "RSA") && !tsk_ossl_is_a(ask->pub, "RSA-PSS"))
        return 1;
    if (!ask->pss)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

int tsk_remote_check(const struct tsk_remote_ask *ask, const unsigned char *sig,
                     size_t len)
{
    EVP_PKEY_CTX *ctx;
    EVP_MD *md;
    int ok;

    if (ask->hash[0] == '\0')
        return check_message(ask, sig, len);
    md = EVP_MD_fetch(NULL, ask->hash, NULL);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ask->pub, NULL);
    ok = md != NULL && ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
         EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
         set_padding(ctx, ask, md) &&
         EVP_PKEY_verify(ctx, sig, len, ask->data, ask->len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_MD_free(md);
    return ok;
}
