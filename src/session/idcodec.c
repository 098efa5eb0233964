#include "session/idcodec.h"

#include "core/mem.h"
#include "session/codec.h"

#include <openssl/evp.h>
#include <string.h>

#define EXPIRES_AT 5
#define KEY_AT 13
#define HEAD 45
#define DIGEST 32

static const uint8_t magic[EXPIRES_AT] = {'t', 's', 'k', 'i', 1};

static int digest(const uint8_t *data, size_t len, uint8_t out[DIGEST])
{
    return EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL);
}

int tsk_id_key(const uint8_t context[TSK_ID_CONTEXT], const unsigned char *id,
               size_t len, uint8_t key[TSK_ID_KEY])
{
    static const char label[] = "tlsock session id";
    uint8_t all[sizeof(label) + TSK_ID_CONTEXT + TSK_ID_LEN];

    if (len != TSK_ID_LEN)
        return 0;
    memcpy(all, label, sizeof(label));
    memcpy(all + sizeof(label), context, TSK_ID_CONTEXT);
    memcpy(all + sizeof(label) + TSK_ID_CONTEXT, id, TSK_ID_LEN);
    return digest(all, sizeof(all), key);
}

int tsk_id_key_of(const uint8_t context[TSK_ID_CONTEXT], const SSL_SESSION *ses,
                  uint8_t key[TSK_ID_KEY])
{
    unsigned int len;
    const unsigned char *id = SSL_SESSION_get_id(ses, &len);

    return tsk_id_key(context, id, len, key);
}

int tsk_id_encode(const SSL_SESSION *ses, const uint8_t key[TSK_ID_KEY],
                  int64_t expires, uint8_t **out, size_t *len)
{
    int der = i2d_SSL_SESSION(ses, NULL);
    uint8_t *all, *p;

    if (der <= 0 || HEAD + (size_t)der + DIGEST > TSK_SESSION_BYTES_MAX)
        return 0;
    *len = HEAD + (size_t)der + DIGEST;
    all = tsk_alloc(*len);
    if (all == NULL)
        return 0;
    memcpy(all, magic, sizeof(magic));
    for (int i = 0; i < 8; i++)
        all[EXPIRES_AT + i] = (uint8_t)((uint64_t)expires >> (56 - 8 * i));
    memcpy(all + KEY_AT, key, TSK_ID_KEY);
    p = all + HEAD;
    if (i2d_SSL_SESSION(ses, &p) != der ||
        !digest(all, *len - DIGEST, all + *len - DIGEST)) {
        tsk_free_secret(all, *len);
        return 0;
    }
    *out = all;
    return 1;
}

static int is_over(const uint8_t *at, int64_t now)
{
    uint64_t expires = 0;

    for (int i = 0; i < 8; i++)
        expires = expires << 8 | at[i];
    return now < 0 || expires <= (uint64_t)now;
}

SSL_SESSION *tsk_id_decode(const uint8_t *data, size_t len,
                           const uint8_t context[TSK_ID_CONTEXT],
                           const uint8_t key[TSK_ID_KEY], int64_t now)
{
    uint8_t sum[DIGEST], own[TSK_ID_KEY];
    SSL_SESSION *ses;

    if (len < HEAD + DIGEST || len > TSK_SESSION_BYTES_MAX ||
        memcmp(data, magic, sizeof(magic)) != 0 ||
        memcmp(data + KEY_AT, key, TSK_ID_KEY) != 0 ||
        is_over(data + EXPIRES_AT, now) || !digest(data, len - DIGEST, sum) ||
        memcmp(sum, data + len - DIGEST, DIGEST) != 0)
        return NULL;
    ses = tsk_session_of_der(data + HEAD, len - HEAD - DIGEST);
    if (ses == NULL ||
        (tsk_id_key_of(context, ses, own) && memcmp(own, key, TSK_ID_KEY) == 0))
        return ses;
    SSL_SESSION_free(ses);
    return NULL;
}
