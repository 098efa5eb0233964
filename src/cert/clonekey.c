/* The keys of clones: one of each kind for the whole process, since an RSA key
 * takes a hundred times as long to make as a certificate. */
#include "cert/clone.h"
#include "core/mem.h"
#include "ossl/queue.h"

#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <string.h>

/* Encoding a public key costs as much as three signatures: that is done once,
 * too. */
struct pair {
    EVP_PKEY *key;
    X509_PUBKEY *half;
};

struct kind {
    const char *type, *group; /* as EVP_PKEY_Q_keygen() wants them */
    size_t bits;
    struct pair *_Atomic made;
};

/* Where several fit, the first is the one for what is unknown. */
static struct kind kinds[] = {
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

static void drop(struct pair *p)
{
    if (p == NULL)
        return;
    EVP_PKEY_free(p->key);
    X509_PUBKEY_free(p->half);
    tsk_free(p);
}

/* Wiped before OpenSSL's own memory goes. */
static void forget(void)
{
    for (size_t i = 0; i < COUNT; i++)
        drop(atomic_exchange(&kinds[i].made, NULL));
}

static EVP_PKEY *new_key(size_t i)
{
    if (kinds[i].bits != 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].type, kinds[i].bits);
    if (kinds[i].group != NULL)
        return EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].type, kinds[i].group);
    return EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].type);
}

static struct pair *make(size_t i, tlsock_error *err)
{
    struct pair *p = tsk_alloc(sizeof(*p));

    if (p == NULL) {
        tsk_fail_nomem(err);
        return NULL;
    }
    p->key = new_key(i);
    if (p->key != NULL && X509_PUBKEY_set(&p->half, p->key))
        return p;
    tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED, "cannot make a key of kind %s",
                  kinds[i].type);
    drop(p);
    return NULL;
}

/* No lock: a fork in another thread could leave one taken for ever. Threads
 * may make the same kind at once; the first one in stays. */
static struct pair *get(size_t i, tlsock_error *err)
{
    static atomic_flag registered = ATOMIC_FLAG_INIT;
    struct pair *p = atomic_load(&kinds[i].made), *none = NULL;

    if (p != NULL)
        return p;
    p = make(i, err);
    if (p == NULL)
        return NULL;
    if (!atomic_compare_exchange_strong(&kinds[i].made, &none, p)) {
        drop(p);
        p = none;
    }
    if (!atomic_flag_test_and_set(&registered))
        (void)OPENSSL_atexit(forget);
    return p;
}

/* X509_set_pubkey() would encode and decode the key anew each time. */
static int copy_half(X509 *x, const X509_PUBKEY *half)
{
    const unsigned char *bits;
    unsigned char *copy;
    const ASN1_OBJECT *type;
    const void *value;
    X509_ALGOR *alg;
    ASN1_OBJECT *curve = NULL;
    int n, kind;

    if (!X509_PUBKEY_get0_param(NULL, &bits, &n, &alg, half))
        return 0;
    X509_ALGOR_get0(&type, &kind, &value, alg);
    if (kind == V_ASN1_OBJECT) {
        curve = OBJ_dup(value);
        if (curve == NULL)
            return 0;
    }
    copy = OPENSSL_memdup(bits, (size_t)n);
    if (copy != NULL &&
        X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x), OBJ_dup(type), kind,
                               curve, copy, n))
        return 1;
    OPENSSL_free(copy);
    ASN1_OBJECT_free(curve);
    return 0;
}

int tsk_clone_key(X509 *x, EVP_PKEY **out, X509 *seen, int own,
                  tlsock_error *err)
{
    struct pair *p =
        own ? make(kind_of(seen), err) : get(kind_of(seen), err);
    int rc = TLSOCK_OK;

    if (p == NULL)
        return TLSOCK_E_NOMEM;
    if (copy_half(x, p->half)) {
        EVP_PKEY_up_ref(p->key);
        *out = p->key;
    } else {
        rc = tsk_fail_ossl(err, TLSOCK_E_NOMEM, "cannot set the public key");
    }
    if (own)
        drop(p);
    return rc;
}
