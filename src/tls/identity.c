#include "tls/identity.h"

#include "cert/cert.h"
#include "tls/lazy.h"

#include <openssl/x509.h>
#include <string.h>

tlsock_cert *tsk_identity_known(const struct tsk_identity *id)
{
    return id->lazy != NULL ? tsk_lazy_known(id->lazy) : id->cert;
}

tlsock_cert *tsk_identity_cert(const struct tsk_identity *id,
                               tlsock_error *err)
{
    return id->lazy != NULL ? tsk_lazy_cert(id->lazy, err) : id->cert;
}

int tsk_identity_leaf(const struct tsk_identity *id, struct tsk_leaf *leaf)
{
    int len;

    memset(leaf, 0, sizeof(*leaf));
    if (id->lazy != NULL) {
        leaf->walk = *tsk_lazy_walk(id->lazy);
        return 1;
    }
    len = i2d_X509(id->cert->leaf, &leaf->der);
    if (len <= 0)
        return 0;
    /* a shape that OpenSSL takes and we do not has no names for us */
    if (!tsk_walk_cert(leaf->der, (size_t)len, &leaf->walk))
        memset(&leaf->walk, 0, sizeof(leaf->walk));
    return 1;
}

void tsk_identity_leaf_free(struct tsk_leaf *leaf)
{
    OPENSSL_free(leaf->der);
    leaf->der = NULL;
}

int tsk_identity_same_sans(const struct tsk_identity *a,
                           const struct tsk_identity *b)
{
    struct tsk_leaf one, two = {.der = NULL};
    int same;

    if (a->host != NULL || b->host != NULL ||
        tsk_identity_kind(a).type == tsk_identity_kind(b).type)
        return 0;
    same = tsk_identity_leaf(a, &one) && tsk_identity_leaf(b, &two) &&
           tsk_tlv_same(&one.walk.sans, &two.walk.sans);
    tsk_identity_leaf_free(&one);
    tsk_identity_leaf_free(&two);
    return same;
}

size_t tsk_identity_bytes(const struct tsk_identity *id)
{
    int len;
    size_t sum;

    if (id->lazy != NULL)
        return tsk_lazy_bytes(id->lazy);
    len = i2d_X509(id->cert->leaf, NULL);
    sum = len > 0 ? (size_t)len : 0;
    for (int i = 0; i < sk_X509_num(id->cert->chain); i++) {
        len = i2d_X509(sk_X509_value(id->cert->chain, i), NULL);
        sum += len > 0 ? (size_t)len : 0;
    }
    return sum;
}

struct tsk_key_kind tsk_identity_kind(const struct tsk_identity *id)
{
    const EVP_PKEY *key;

    if (id->lazy != NULL)
        return tsk_lazy_kind(id->lazy);
    key = X509_get0_pubkey(id->cert->leaf); /* the other half may be away */
    return (struct tsk_key_kind){EVP_PKEY_get_base_id(key),
                                 EVP_PKEY_get_bits(key)};
}

/* TLS 1.3 binds the curve, and has no RSA PKCS#1 in handshakes. */
int tsk_key_kind_signs(struct tsk_key_kind kind, unsigned scheme, int tls13)
{
    switch (kind.type) {
    case EVP_PKEY_RSA:
        return (scheme >= 0x0804 && scheme <= 0x0806) ||
               (!tls13 && (scheme & 0xff) == 1);
    case EVP_PKEY_RSA_PSS:
        return scheme >= 0x0809 && scheme <= 0x080b;
    case EVP_PKEY_EC:
        if (!tls13)
            return (scheme & 0xff) == 3;
        return (scheme == 0x0403 && kind.bits == 256) ||
               (scheme == 0x0503 && kind.bits == 384) ||
               (scheme == 0x0603 && kind.bits == 521);
    case EVP_PKEY_ED25519:
        return scheme == 0x0807;
    case EVP_PKEY_ED448:
        return scheme == 0x0808;
    default:
        return 1; /* a kind that libssl knows and we do not: it decides */
    }
}
