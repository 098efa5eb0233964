#include "session/codec.h"

#include "core/mem.h"
#include "ossl/queue.h"

#include <openssl/evp.h>
#include <string.h>

#define TIMES 8
#define TIMES_AT 8
#define DIGESTS_AT 80
#define LENGTHS_AT 208
#define HEAD 214
#define DIGEST 32

static const uint8_t magic[5] = {'t', 's', 'k', 's', 1};

static void put(uint8_t *at, uint64_t v, int n)
{
    for (int i = n - 1; i >= 0; i--, v >>= 8)
        at[i] = (uint8_t)v;
}

static uint64_t get(const uint8_t *at, int n)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | at[i];
    return v;
}

/* In the order of the format. */
static void times_of(struct tsk_session_item *item, int64_t *at[TIMES])
{
    struct tsk_session_facts *f = &item->facts;
    int64_t *all[TIMES] = {&item->expires,
                           &f->since,
                           &f->won,
                           &f->verdict.expires,
                           &f->verdict.crl_as_of,
                           &f->revocation_until,
                           &f->staple.as_of,
                           &f->staple.until};

    memcpy(at, all, sizeof(all));
}

static int digest(const uint8_t *data, size_t len, uint8_t out[DIGEST])
{
    return EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL);
}

static void put_head(uint8_t *at, const struct tsk_session_item *item)
{
    struct tsk_session_item copy = *item;
    int64_t *times[TIMES];

    memcpy(at, magic, sizeof(magic));
    at[5] = (uint8_t)item->facts.staple.state;
    at[6] = (uint8_t)item->facts.staple.by;
    at[7] = (uint8_t)(item->facts.verdict.key_alone != 0);
    times_of(&copy, times);
    for (int i = 0; i < TIMES; i++)
        put(at + TIMES_AT + 8 * i, (uint64_t)*times[i], 8);
    memcpy(at + DIGESTS_AT, item->binding, TSK_SESSION_KEY);
    memcpy(at + DIGESTS_AT + 32, item->peer, TSK_SESSION_KEY);
    memcpy(at + DIGESTS_AT + 64, item->key, TSK_SESSION_KEY);
    memcpy(at + DIGESTS_AT + 96, item->facts.asked, TSK_SESSION_KEY);
}

int tsk_session_encode(const struct tsk_session_item *item, uint8_t **out,
                       size_t *len)
{
    const char *texts[] = {item->facts.verdict.verified,
                           item->facts.verdict.dane, item->facts.revocation};
    size_t n_texts = 0, at = HEAD;
    int der = i2d_SSL_SESSION(item->ses, NULL);
    uint8_t *all, *p;

    for (int i = 0; i < 3; i++)
        n_texts += strlen(texts[i]) + 1;
    if (der <= 0 ||
        HEAD + n_texts + (size_t)der + DIGEST > TSK_SESSION_BYTES_MAX)
        return 0;
    *len = HEAD + n_texts + (size_t)der + DIGEST;
    all = tsk_alloc(*len);
    if (all == NULL)
        return 0;
    put_head(all, item);
    put(all + LENGTHS_AT, n_texts, 2);
    put(all + LENGTHS_AT + 2, (uint64_t)der, 4);
    for (int i = 0; i < 3; i++) {
        memcpy(all + at, texts[i], strlen(texts[i]) + 1);
        at += strlen(texts[i]) + 1;
    }
    p = all + at;
    if (i2d_SSL_SESSION(item->ses, &p) != der ||
        !digest(all, *len - DIGEST, all + *len - DIGEST)) {
        tsk_free_secret(all, *len);
        return 0;
    }
    *out = all;
    return 1;
}

/* The next of the texts, printable as it was made; NULL: it is not. */
static const char *get_text(const char *at, const char *end, char *out,
                            size_t size)
{
    const char *zero = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;

    if (zero == NULL || (size_t)(zero - at) >= size)
        return NULL;
    for (const char *p = at; p < zero; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return NULL;
    memcpy(out, at, (size_t)(zero - at) + 1);
    return zero + 1;
}

/* A verdict is one of these: what says none vouches for nobody. */
static int is_verdict(const char *text)
{
    static const char *const words[] = {"chain", "pin", "psk", "insecure"};

    for (int i = 0; i < 4; i++)
        if (strncmp(text, words[i], strlen(words[i])) == 0)
            return 1;
    return 0;
}

static int get_texts(const uint8_t *data, size_t len,
                     struct tsk_session_facts *f)
{
    const char *at = (const char *)data, *end = at + len;

    at = get_text(at, end, f->verdict.verified, sizeof(f->verdict.verified));
    if (at != NULL)
        at = get_text(at, end, f->verdict.dane, sizeof(f->verdict.dane));
    if (at != NULL)
        at = get_text(at, end, f->revocation, sizeof(f->revocation));
    return at == end && is_verdict(f->verdict.verified);
}

static int get_head(const uint8_t *at, struct tsk_session_item *item)
{
    int64_t *times[TIMES];

    if (at[5] > TSK_GOOD || at[6] > TSK_BY_STAPLE || at[7] > 1 ||
        get(at + TIMES_AT + 8 * TIMES, 8) != 0)
        return 0;
    item->facts.staple.state = (enum tsk_state)at[5];
    item->facts.staple.by = (enum tsk_by)at[6];
    item->facts.verdict.key_alone = at[7];
    times_of(item, times);
    for (int i = 0; i < TIMES; i++) {
        *times[i] = (int64_t)get(at + TIMES_AT + 8 * i, 8);
        if (*times[i] < 0 || *times[i] > INT64_MAX / 2)
            return 0;
    }
    memcpy(item->binding, at + DIGESTS_AT, TSK_SESSION_KEY);
    memcpy(item->peer, at + DIGESTS_AT + 32, TSK_SESSION_KEY);
    memcpy(item->key, at + DIGESTS_AT + 64, TSK_SESSION_KEY);
    memcpy(item->facts.asked, at + DIGESTS_AT + 96, TSK_SESSION_KEY);
    return 1;
}

SSL_SESSION *tsk_session_of_der(const uint8_t *der, size_t len)
{
    const uint8_t *p = der;
    SSL_SESSION *ses;
    int version;

    tsk_ossl_enter();
    ses = d2i_SSL_SESSION(NULL, &p, (long)len);
    tsk_ossl_leave();
    if (ses == NULL)
        return NULL;
    version = SSL_SESSION_get_protocol_version(ses);
    if (p == der + len && SSL_SESSION_is_resumable(ses) &&
        (version == TLS1_2_VERSION || version == TLS1_3_VERSION))
        return ses;
    SSL_SESSION_free(ses);
    return NULL;
}

int tsk_session_decode(const void *data, size_t len,
                       struct tsk_session_item *item)
{
    const uint8_t *at = data;
    uint8_t sum[DIGEST];
    size_t texts, der;

    memset(item, 0, sizeof(*item));
    if (data == NULL || len < HEAD + DIGEST || len > TSK_SESSION_BYTES_MAX ||
        memcmp(at, magic, sizeof(magic)) != 0)
        return 0;
    texts = (size_t)get(at + LENGTHS_AT, 2);
    der = (size_t)get(at + LENGTHS_AT + 2, 4);
    if (texts > len || der > len || HEAD + texts + der + DIGEST != len ||
        !digest(at, len - DIGEST, sum) ||
        memcmp(sum, at + len - DIGEST, DIGEST) != 0 || !get_head(at, item) ||
        !get_texts(at + HEAD, texts, &item->facts))
        return 0;
    item->ses = tsk_session_of_der(at + HEAD + texts, der);
    return item->ses != NULL;
}
