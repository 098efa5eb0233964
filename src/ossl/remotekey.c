/* The keys: all that is asked of one is asked of its public half. */
#include "ossl/remote_private.h"

#include "core/mem.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

static void *new_of(const char *type)
{
    struct tsk_remote *k = tsk_alloc(sizeof(*k));

    if (k != NULL)
        k->type = type;
    return k;
}

static void key_free(void *key)
{
    struct tsk_remote *k = key;

    if (k == NULL)
        return;
    EVP_PKEY_free(k->pub);
    tsk_free(k);
}

static int key_has(const void *key, int selection)
{
    const struct tsk_remote *k = key;

    if (k == NULL || k->pub == NULL)
        return 0;
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 ||
           k->sign != NULL;
}

static int key_match(const void *a, const void *b, int selection)
{
    const struct tsk_remote *x = a, *y = b;

    (void)selection;
    return x->pub != NULL && y->pub != NULL && EVP_PKEY_eq(x->pub, y->pub) == 1;
}

static int key_get_params(void *key, OSSL_PARAM params[])
{
    const struct tsk_remote *k = key;

    return k->pub != NULL && EVP_PKEY_get_params(k->pub, params) == 1;
}

static const OSSL_PARAM *key_gettable(void *provider)
{
    static const OSSL_PARAM list[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END};

    (void)provider;
    return list;
}

/* The public key of a certificate comes here to be compared. */
static int take_public(struct tsk_remote *k, const OSSL_PARAM params[])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, k->type, NULL);
    int ok = ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
             EVP_PKEY_fromdata(ctx, &k->pub, EVP_PKEY_PUBLIC_KEY,
                               (OSSL_PARAM *)(uintptr_t)params) == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static int key_import(void *key, int selection, const OSSL_PARAM params[])
{
    const OSSL_PARAM *ours = OSSL_PARAM_locate_const(params, TSK_REMOTE_PARAM);
    struct tsk_remote *k = key, from;

    (void)selection;
    if (k->pub != NULL)
        return 0;
    if (ours == NULL)
        return take_public(k, params);
    if (ours->data_size != sizeof(from))
        return 0;
    memcpy(&from, ours->data, sizeof(from));
    if (!EVP_PKEY_up_ref(from.pub))
        return 0;
    k->pub = from.pub;
    k->sign = from.sign;
    k->arg = from.arg;
    return 1;
}

static const OSSL_PARAM *key_import_types(int selection)
{
    static const OSSL_PARAM list[] = {
        OSSL_PARAM_octet_string(TSK_REMOTE_PARAM, NULL, 0), OSSL_PARAM_END};

    (void)selection;
    return list;
}

/* The private half is not here: whoever wants both, as a provider that would
 * sign itself, does not get any. */
static int key_export(void *key, int selection, OSSL_CALLBACK *give, void *arg)
{
    const struct tsk_remote *k = key;
    OSSL_PARAM *params = NULL;
    int ok;

    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 || k->pub == NULL)
        return 0;
    ok = EVP_PKEY_todata(k->pub, EVP_PKEY_PUBLIC_KEY, &params) == 1 &&
         give(params, arg);
    OSSL_PARAM_free(params);
    return ok;
}

static const OSSL_PARAM *key_export_types(int selection)
{
    static const OSSL_PARAM list[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0), OSSL_PARAM_END};

    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? NULL : list;
}

static const char *ec_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

static const char *rsa_operation(int operation)
{
    (void)operation;
    return "RSA";
}

typedef void (*any)(void);

#define KEYMGMT(id, name)                                                      \
    static void *id##_new(void *provider)                                      \
    {                                                                          \
        (void)provider;                                                        \
        return new_of(name);                                                   \
    }
#define FUNCTIONS(id)                                                          \
    {OSSL_FUNC_KEYMGMT_NEW, (any)id##_new},                                    \
        {OSSL_FUNC_KEYMGMT_FREE, (any)key_free},                               \
        {OSSL_FUNC_KEYMGMT_HAS, (any)key_has},                                 \
        {OSSL_FUNC_KEYMGMT_MATCH, (any)key_match},                             \
        {OSSL_FUNC_KEYMGMT_GET_PARAMS, (any)key_get_params},                   \
        {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (any)key_gettable},                \
        {OSSL_FUNC_KEYMGMT_IMPORT, (any)key_import},                           \
        {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (any)key_import_types},               \
        {OSSL_FUNC_KEYMGMT_EXPORT, (any)key_export},                           \
    {                                                                          \
        OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (any)key_export_types                  \
    }

KEYMGMT(rsa, "RSA")
KEYMGMT(pss, "RSA-PSS")
KEYMGMT(ec, "EC")
KEYMGMT(ed25519, "ED25519")
KEYMGMT(ed448, "ED448")

static const OSSL_DISPATCH rsa[] = {
    FUNCTIONS(rsa),
    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (any)rsa_operation},
    {0, NULL}};
static const OSSL_DISPATCH pss[] = {
    FUNCTIONS(pss),
    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (any)rsa_operation},
    {0, NULL}};
static const OSSL_DISPATCH ec[] = {
    FUNCTIONS(ec),
    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (any)ec_operation},
    {0, NULL}};
static const OSSL_DISPATCH ed25519[] = {FUNCTIONS(ed25519), {0, NULL}};
static const OSSL_DISPATCH ed448[] = {FUNCTIONS(ed448), {0, NULL}};

const OSSL_ALGORITHM tsk_remote_keymgmts[] = {
    {"RSA:rsaEncryption", TSK_REMOTE_PROPERTIES, rsa, NULL},
    {"RSA-PSS:RSASSA-PSS", TSK_REMOTE_PROPERTIES, pss, NULL},
    {"EC:id-ecPublicKey", TSK_REMOTE_PROPERTIES, ec, NULL},
    {"ED25519", TSK_REMOTE_PROPERTIES, ed25519, NULL},
    {"ED448", TSK_REMOTE_PROPERTIES, ed448, NULL},
    {NULL, NULL, NULL, NULL}};
