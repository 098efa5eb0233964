#include "session/ticketkey.h"

#include "core/mem.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#define SALT "tlsock tickets 1"
#define INFO "tlsock ticket key"

/* What differs between the two halves of RFC 5869. */
struct half {
    const char *mode;
    const void *key;
    size_t key_len;
    const char *name; /* of the parameter beside the key */
    const void *text;
    size_t text_len;
};

static int hkdf(void *out, size_t len, const struct half *h)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE,
                                         (char *)(uintptr_t)h->mode, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                         (char *)(uintptr_t) "SHA256", 0),
        OSSL_PARAM_construct_octet_string(
            OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)h->key, h->key_len),
        OSSL_PARAM_construct_octet_string(h->name, (void *)(uintptr_t)h->text,
                                          h->text_len),
        OSSL_PARAM_construct_end()};
    int ok = ctx != NULL && EVP_KDF_derive(ctx, out, len, params) > 0;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

int tsk_ticketkey_extract(uint8_t prk[TSK_TICKET_PRK], const void *secret,
                          size_t len)
{
    const struct half h = {.mode = "EXTRACT_ONLY",
                           .key = secret,
                           .key_len = len,
                           .name = OSSL_KDF_PARAM_SALT,
                           .text = SALT,
                           .text_len = sizeof(SALT) - 1};

    return hkdf(prk, TSK_TICKET_PRK, &h);
}

static void put64(uint8_t *out, uint64_t n)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(n >> (56 - 8 * i));
}

int tsk_ticketkey_derive(struct tsk_ticketkey *k,
                         const uint8_t prk[TSK_TICKET_PRK], int rotate_s,
                         int64_t period)
{
    uint8_t info[sizeof(INFO) - 1 + 16], all[sizeof(*k)];
    const struct half h = {.mode = "EXPAND_ONLY",
                           .key = prk,
                           .key_len = TSK_TICKET_PRK,
                           .name = OSSL_KDF_PARAM_INFO,
                           .text = info,
                           .text_len = sizeof(info)};

    memcpy(info, INFO, sizeof(INFO) - 1);
    put64(info + sizeof(INFO) - 1, (uint64_t)rotate_s);
    put64(info + sizeof(INFO) - 1 + 8, (uint64_t)period);
    if (!hkdf(all, sizeof(all), &h))
        return 0;
    memcpy(k->name, all, sizeof(k->name));
    memcpy(k->aes, all + 16, sizeof(k->aes));
    memcpy(k->hmac, all + 48, sizeof(k->hmac));
    tsk_wipe(all, sizeof(all));
    return 1;
}
