#include "misbehave_seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#define HEAD 5
#define KEY 16
#define NONCE 12
#define SALT 4     /* of TLS 1.2: the part of a nonce that is not sent */
#define EXPLICIT 8 /* the part that is (RFC 5288, 3) */
#define TAG 16
#define RANDOM 32
#define MASTER 48

enum { FINISHED = 20, HANDSHAKE = 22 };

/* What seals one record. */
struct sealing {
    uint8_t key[KEY], nonce[NONCE], aad[13];
    size_t aad_len;
};

/* "LABEL RANDOM SECRET", as in a file of SSLKEYLOGFILE. */
static void secret(const SSL *ssl, const char *line)
{
    struct mis_seal *s = SSL_get_app_data(ssl);
    const char *value = strrchr(line, ' ');
    uint8_t *to = NULL;
    size_t len;

    if (strncmp(line, "SERVER_HANDSHAKE_TRAFFIC_SECRET ", 32) == 0)
        to = s->handshake;
    else if (strncmp(line, "SERVER_TRAFFIC_SECRET_0 ", 24) == 0)
        to = s->traffic;
    if (to != NULL)
        (void)OPENSSL_hexstr2buf_ex(to, MIS_SECRET, &len, value + 1, '\0');
}

void mis_seal_watch(SSL_CTX *ctx)
{
    SSL_CTX_set_keylog_callback(ctx, secret);
}

static int derive(const char *name, OSSL_PARAM *params, uint8_t *out, size_t n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    int ok = ctx != NULL && EVP_KDF_derive(ctx, out, n, params) == 1;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok ? 0 : -1;
}

/* HKDF-Expand-Label with an empty context (RFC 8446, 7.1) */
static int expand(uint8_t *of, const char *label, uint8_t *out, size_t n)
{
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    size_t len = strlen(label);
    uint8_t info[32] = {0, (uint8_t)n, (uint8_t)len};
    char hash[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, of, MIS_SECRET),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, len + 4),
        OSSL_PARAM_construct_end()};

    memcpy(info + 3, label, len);
    return derive("HKDF", params, out, n);
}

/* RFC 8446, 5.2 and 5.3 */
static int seal13(struct mis_seal *s, const uint8_t *record, struct sealing *to)
{
    uint8_t *from = s->in_traffic ? s->traffic : s->handshake;

    if (expand(from, "tls13 key", to->key, KEY) != 0 ||
        expand(from, "tls13 iv", to->nonce, NONCE) != 0)
        return -1;
    for (int i = 0; i < 8; i++)
        to->nonce[NONCE - 1 - i] ^= (uint8_t)(s->seq >> 8 * i);
    memcpy(to->aad, record, HEAD);
    to->aad_len = HEAD;
    return 0;
}

/* RFC 5246, 6.3: of the key block the server's half is wanted. */
static int seal12(struct mis_seal *s, SSL *ssl, const uint8_t *record,
                  size_t len, struct sealing *to)
{
    uint8_t master[MASTER], block[2 * KEY + 2 * SALT];
    uint8_t seed[13 + 2 * RANDOM] = "key expansion";
    size_t n = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, MASTER);
    char hash[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, n),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed,
                                          sizeof(seed)),
        OSSL_PARAM_construct_end()};

    (void)SSL_get_server_random(ssl, seed + 13, RANDOM);
    (void)SSL_get_client_random(ssl, seed + 13 + RANDOM, RANDOM);
    if (derive("TLS1-PRF", params, block, sizeof(block)) != 0)
        return -1;
    memcpy(to->key, block + KEY, KEY);
    memcpy(to->nonce, block + 2 * KEY + SALT, SALT);
    memcpy(to->nonce + SALT, record + HEAD, EXPLICIT);
    for (int i = 0; i < 8; i++)
        to->aad[i] = (uint8_t)(s->seq >> 8 * (7 - i));
    memcpy(to->aad + 8, record, 3);
    to->aad[11] = (uint8_t)(len >> 8);
    to->aad[12] = (uint8_t)len;
    to->aad_len = 13;
    return 0;
}

/* In place; the tag is behind the text. */
static int aead(int sealing, const struct sealing *by, uint8_t *text,
                size_t len)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t rest[TAG];
    int n;
    int ok = c != NULL &&
             EVP_CipherInit_ex2(c, EVP_aes_128_gcm(), by->key, by->nonce,
                                sealing, NULL) == 1 &&
             (sealing || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG,
                                             text + len) == 1) &&
             EVP_CipherUpdate(c, NULL, &n, by->aad, (int)by->aad_len) == 1 &&
             EVP_CipherUpdate(c, text, &n, text, (int)len) == 1 &&
             EVP_CipherFinal_ex(c, rest, &n) == 1 &&
             (!sealing || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG,
                                              text + len) == 1);

    EVP_CIPHER_CTX_free(c);
    return ok ? 0 : -1;
}

int mis_seal_record(struct mis_seal *s, SSL *ssl, uint8_t *record, size_t len,
                    int (*message)(uint8_t *p, size_t len, void *arg),
                    void *arg)
{
    int is13 = SSL_version(ssl) == TLS1_3_VERSION, changed, ends;
    size_t before = HEAD + (is13 ? 0 : EXPLICIT);
    struct sealing by;
    uint8_t *text = record + before;
    size_t n = len - before - TAG;

    if (len <= before + TAG ||
        (is13 ? seal13(s, record, &by) : seal12(s, ssl, record, n, &by)) != 0 ||
        aead(0, &by, text, n) != 0)
        return -1;
    /* a record of TLS 1.3 says at its end what it holds */
    ends = is13 && !s->in_traffic && text[0] == FINISHED &&
           text[n - 1] == HANDSHAKE;
    changed = message(text, is13 ? n - 1 : n, arg);
    if (aead(1, &by, text, n) != 0)
        return -1;
    s->seq++;
    if (ends) {
        s->in_traffic = 1;
        s->seq = 0;
    }
    return changed;
}
