/* The signatures: what libssl wants signed is hashed here and asked for. */
#include "ossl/remote_private.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

struct signing {
    const struct tsk_remote *key;
    char hash[32]; /* as OpenSSL calls it; "": none */
    int pss;
};

static void *sign_new(void *provider, const char *properties)
{
    (void)provider;
    (void)properties;
    return OPENSSL_zalloc(sizeof(struct signing));
}

static void sign_free(void *ctx)
{
    OPENSSL_free(ctx);
}

/* Numbers and names are both in use. */
static int take_padding(struct signing *s, const OSSL_PARAM *p)
{
    int mode = 0;

    if (p->data_type != OSSL_PARAM_UTF8_STRING) {
        if (!OSSL_PARAM_get_int(p, &mode))
            return 0;
    } else {
        mode = strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0
                   ? RSA_PKCS1_PSS_PADDING
               : strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0
                   ? RSA_PKCS1_PADDING
                   : 0;
    }
    if (mode != RSA_PKCS1_PSS_PADDING && mode != RSA_PKCS1_PADDING)
        return 0;
    s->pss = mode == RSA_PKCS1_PSS_PADDING;
    return 1;
}

/* The salt is as long as the digest in all of TLS (RFC 8446, 4.2.3). */
static int sign_set_params(void *ctx, const OSSL_PARAM params[])
{
    const OSSL_PARAM *p =
        params != NULL
            ? OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE)
            : NULL;

    return p == NULL || take_padding(ctx, p);
}

static const OSSL_PARAM *sign_settable(void *ctx, void *provider)
{
    static const OSSL_PARAM list[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_END};

    (void)ctx;
    (void)provider;
    return list;
}

static int sign_init(void *ctx, const char *hash, void *key,
                     const OSSL_PARAM params[])
{
    struct signing *s = ctx;

    if (key != NULL)
        s->key = key;
    if (s->key == NULL || s->key->sign == NULL)
        return 0;
    snprintf(s->hash, sizeof(s->hash), "%s", hash != NULL ? hash : "");
    s->pss = strcmp(s->key->type, "RSA-PSS") == 0;
    return sign_set_params(ctx, params);
}

/* RFC 8446, 4.2.3; "" if TLS has no such scheme */
static void name_scheme(const struct signing *s, size_t bits, char out[40])
{
    const char *type = s->key->type;

    out[0] = '\0';
    if (bits == 0)
        snprintf(out, 40, "%s", type[2] == '2' ? "ed25519" : "ed448");
    else if (type[0] == 'R')
        snprintf(out, 40, "rsa_%s_sha%zu",
                 !s->pss           ? "pkcs1"
                 : type[3] == '\0' ? "pss_rsae"
                                   : "pss_pss",
                 bits);
    else if (bits < 256)
        snprintf(out, 40, "ecdsa_sha%zu", bits);
    else
        snprintf(out, 40, "ecdsa_secp%ur1_sha%u",
                 bits == 512 ? 521 : (unsigned)bits, (unsigned)bits);
}

static int sign_digest(void *ctx, unsigned char *sig, size_t *sig_len,
                       size_t room, const unsigned char *tbs, size_t len)
{
    const struct signing *s = ctx;
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t n = 0;
    char scheme[40];
    struct tsk_remote_ask ask = {.scheme = scheme,
                                 .hash = s->hash,
                                 .pss = s->pss,
                                 .data = tbs,
                                 .len = len,
                                 .pub = s->key->pub,
                                 .arg = s->key->arg};

    *sig_len = sig != NULL ? room : (size_t)EVP_PKEY_get_size(s->key->pub);
    if (sig == NULL)
        return 1;
    if (s->hash[0] != '\0') {
        if (!EVP_Q_digest(NULL, s->hash, NULL, tbs, len, digest, &n))
            return 0;
        ask.data = digest;
        ask.len = n;
    }
    /* SHA-1 is called so, without its 160 bits */
    name_scheme(s, n == 20 ? 1 : n * 8, scheme);
    return s->key->sign(&ask, sig, sig_len);
}

typedef void (*any)(void);

static const OSSL_DISPATCH signature[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, (any)sign_new},
    {OSSL_FUNC_SIGNATURE_FREECTX, (any)sign_free},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (any)sign_init},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (any)sign_digest},
    {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (any)sign_set_params},
    {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (any)sign_settable},
    {0, NULL}};

const OSSL_ALGORITHM tsk_remote_signatures[] = {
    {"RSA:rsaEncryption", TSK_REMOTE_PROPERTIES, signature, NULL},
    {"ECDSA", TSK_REMOTE_PROPERTIES, signature, NULL},
    {"ED25519", TSK_REMOTE_PROPERTIES, signature, NULL},
    {"ED448", TSK_REMOTE_PROPERTIES, signature, NULL},
    {NULL, NULL, NULL, NULL}};
