#include "intercept/entry.h"

#include "core/mem.h"

#include <string.h>

static void put32(uint8_t *at, size_t v)
{
    for (int i = 3; i >= 0; i--, v >>= 8)
        at[i] = (uint8_t)v;
}

static size_t get32(const uint8_t *at)
{
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 |
           at[3];
}

int tsk_entry_encode(X509 *x, EVP_PKEY *key, uint8_t **out, size_t *len)
{
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(key);
    int x_len = i2d_X509(x, NULL),
        k_len = p8 != NULL ? i2d_PKCS8_PRIV_KEY_INFO(p8, NULL) : -1;
    uint8_t *p;

    *out = NULL;
    *len = 8 + (size_t)x_len + (size_t)k_len;
    if (x_len > 0 && k_len > 0)
        *out = tsk_alloc(*len);
    if (*out != NULL) {
        put32(*out, (size_t)x_len);
        p = *out + 4;
        (void)i2d_X509(x, &p);
        put32(p, (size_t)k_len);
        p += 4;
        (void)i2d_PKCS8_PRIV_KEY_INFO(p8, &p);
    }
    PKCS8_PRIV_KEY_INFO_free(p8);
    return *out != NULL;
}

/* A length and as many bytes, taken off the front; NULL: they are not there. */
static const uint8_t *take(const uint8_t **p, size_t *left, size_t *len)
{
    const uint8_t *at;

    if (*left < 4)
        return NULL;
    *len = get32(*p);
    if (*len == 0 || *len > *left - 4)
        return NULL;
    at = *p + 4;
    *p = at + *len;
    *left -= 4 + *len;
    return at;
}

static X509 *read_cert(const uint8_t *der, size_t len)
{
    const unsigned char *p = der;
    X509 *x = d2i_X509(NULL, &p, (long)len);

    if (x != NULL && p == der + len && X509_get0_pubkey(x) != NULL)
        return x;
    X509_free(x);
    return NULL;
}

static EVP_PKEY *read_key(const uint8_t *der, size_t len)
{
    const unsigned char *p = der;
    PKCS8_PRIV_KEY_INFO *p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)len);
    EVP_PKEY *key = NULL;

    if (p8 != NULL && p == der + len)
        key = EVP_PKCS82PKEY(p8);
    PKCS8_PRIV_KEY_INFO_free(p8);
    return key;
}

int tsk_entry_parse(const uint8_t *p, size_t len, X509 **x, EVP_PKEY **key)
{
    const uint8_t *cert, *secret;
    size_t cert_len, secret_len;

    *x = NULL;
    *key = NULL;
    if (len > TSK_ENTRY_MAX)
        return 0;
    cert = take(&p, &len, &cert_len);
    secret = cert != NULL ? take(&p, &len, &secret_len) : NULL;
    if (secret == NULL || len != 0)
        return 0;
    *x = read_cert(cert, cert_len);
    *key = *x != NULL ? read_key(secret, secret_len) : NULL;
    if (*key != NULL && X509_check_private_key(*x, *key) == 1)
        return 1;
    X509_free(*x);
    EVP_PKEY_free(*key);
    *x = NULL;
    *key = NULL;
    return 0;
}
