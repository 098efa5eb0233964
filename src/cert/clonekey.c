/* The keys of clones: one of each kind for the whole process, since an RSA key
 * takes a hundred times as long to make as a certificate. */
#include "cert/clone.h"
#include "ossl/queue.h"

#include <openssl/crypto.h>
#include <openssl/rsa.h>
#include <string.h>

/* Where several fit, the first is the one for what is unknown. */
static struct {
    const char *type, *group; /* as EVP_PKEY_Q_keygen() wants them */
    size_t bits;
    _Atomic(EVP_PKEY *) key;
} kinds[] = {
    {.type = "EC", .group = "P-256"},
    {.type = "EC", .group = "P-384"},
    {.type = "EC", .group = "P-521"},
    {.type = "RSA", .bits = 2048},
    {.type = "RSA", .bits = 3072},
    {.type = "RSA", .bits = 4096},
    {.type = "ED25519"},
    {.type = "ED448"},
};

#define COUNT (sizeof(kinds) / sizeof(kinds[0]))

static size_t find(const char *type, const char *group, size_t bits)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(kinds[i].type, type) == 0 &&
            (group == NULL || strcmp(kinds[i].group, group) == 0) &&
            bits <= kinds[i].bits)
            return i;
    return 0;
}

static size_t ec_kind(EVP_PKEY *key)
{
    char name[64] = "";

    (void)EVP_PKEY_get_group_name(key, name, sizeof(name), NULL);
    if (strcmp(name, SN_secp384r1) == 0)
        return find("EC", "P-384", 0);
    if (strcmp(name, SN_secp521r1) == 0)
        return find("EC", "P-521", 0);
    return 0;
}

/* The same kind, as strong; a weak RSA key becomes one of 2048 bits, a huge
 * one, which only costs time, one of 4096. */
static size_t kind_of(X509 *seen)
{
    EVP_PKEY *key = X509_get0_pubkey(seen);
    int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

    switch (key != NULL ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return find("RSA", NULL, bits > 4096 ? 4096 : (size_t)bits);
    case EVP_PKEY_EC:
        return ec_kind(key);
    case EVP_PKEY_ED25519:
        return find("ED25519", NULL, 0);
    case EVP_PKEY_ED448:
        return find("ED448", NULL, 0);
    default:
        return 0;
    }
}

/* Wiped before OpenSSL's own memory goes. */
static void forget(void)
{
    for (size_t i = 0; i < COUNT; i++)
        EVP_PKEY_free(atomic_exchange(&kinds[i].key, NULL));
}

static EVP_PKEY *make(size_t i)
{
    if (kinds[i].bits != 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].type, kinds[i].bits);
    if (kinds[i].group != NULL)
        return EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].type, kinds[i].group);
    return EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].type);
}

/* No lock: a fork in another thread could leave one taken for ever. Threads
 * may make the same kind at once; the first one in stays. */
int tsk_clone_key(EVP_PKEY **out, X509 *seen, tlsock_error *err)
{
    static atomic_flag registered = ATOMIC_FLAG_INIT;
    size_t i = kind_of(seen);
    EVP_PKEY *key = atomic_load(&kinds[i].key), *none = NULL;

    if (key == NULL) {
        key = make(i);
        if (key == NULL)
            return tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                                 "cannot make a key of kind %s", kinds[i].type);
        if (!atomic_compare_exchange_strong(&kinds[i].key, &none, key)) {
            EVP_PKEY_free(key);
            key = none;
        }
        if (!atomic_flag_test_and_set(&registered))
            (void)OPENSSL_atexit(forget);
    }
    EVP_PKEY_up_ref(key);
    *out = key;
    return TLSOCK_OK;
}
