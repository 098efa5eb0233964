#include "revoke/cachefile.h"

#include "ossl/queue.h"

#include <openssl/evp.h>
#include <string.h>

#define LEAD 24 /* bytes of the header before the digest */

static const uint8_t magic[5] = {'t', 's', 'k', 'r', 1};

static void put64(uint8_t *at, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        at[i] = (uint8_t)v;
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | at[i];
    return v;
}

/* of three parts; each may be empty */
static int digest(uint8_t out[32], const void *a, size_t a_len, const void *b,
                  size_t b_len, const void *c, size_t c_len)
{
    EVP_MD_CTX *ctx;
    int ok;

    tsk_ossl_enter();
    ctx = EVP_MD_CTX_new();
    ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
         EVP_DigestUpdate(ctx, a, a_len) == 1 &&
         EVP_DigestUpdate(ctx, b, b_len) == 1 &&
         EVP_DigestUpdate(ctx, c, c_len) == 1 &&
         EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    tsk_ossl_leave();
    return ok;
}

int tsk_cachefile_key(enum tsk_cachekind kind, const void *id, size_t len,
                      uint8_t key[32])
{
    const uint8_t first = (uint8_t)kind;

    return digest(key, &first, 1, id, len, "", 0);
}

int tsk_cachefile_head(uint8_t head[TSK_CACHEFILE_HEAD],
                       enum tsk_cachekind kind, const uint8_t key[32],
                       int64_t until, const void *body, size_t len)
{
    memset(head, 0, TSK_CACHEFILE_HEAD);
    memcpy(head, magic, sizeof(magic));
    head[5] = (uint8_t)kind;
    put64(head + 8, (uint64_t)until);
    put64(head + 16, len);
    return digest(head + LEAD, head, LEAD, key, 32, body, len);
}

int tsk_cachefile_check(const uint8_t *data, size_t len,
                        enum tsk_cachekind kind, const uint8_t key[32],
                        int64_t *until)
{
    uint8_t want[TSK_CACHEFILE_HEAD];
    size_t body;

    if (len <= TSK_CACHEFILE_HEAD)
        return 0;
    body = len - TSK_CACHEFILE_HEAD;
    *until = (int64_t)get64(data + 8);
    /* what it would be if it were whole is all that it may be */
    return get64(data + 16) == body &&
           tsk_cachefile_head(want, kind, key, *until,
                              data + TSK_CACHEFILE_HEAD, body) &&
           memcmp(want, data, TSK_CACHEFILE_HEAD) == 0;
}
