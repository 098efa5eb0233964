#include "cert/legacy.h"

#include "core/mem.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

int tsk_legacy_open(struct tsk_legacy *l)
{
    l->base = l->legacy = NULL;
    l->ctx = OSSL_LIB_CTX_new();
    if (l->ctx == NULL)
        return 0;
    l->base = OSSL_PROVIDER_load(l->ctx, "default");
    l->legacy = OSSL_PROVIDER_load(l->ctx, "legacy");
    if (l->base == NULL || l->legacy == NULL)
        return 0;
    ERR_pop_to_mark(); /* that it was needed is no error */
    ERR_set_mark();
    return 1;
}

void tsk_legacy_close(struct tsk_legacy *l)
{
    if (l->legacy != NULL)
        OSSL_PROVIDER_unload(l->legacy);
    if (l->base != NULL)
        OSSL_PROVIDER_unload(l->base);
    OSSL_LIB_CTX_free(l->ctx);
}

/* As OpenSSL wrote it before 1.1.0: under MD5 and single DES. */
EVP_PKEY *tsk_legacy_pkcs8(X509_SIG *sealed, const struct tsk_pass *pass)
{
    PKCS8_PRIV_KEY_INFO *info = NULL;
    struct tsk_legacy old;
    EVP_PKEY *key = NULL;

    if (tsk_legacy_open(&old))
        info =
            PKCS8_decrypt_ex(sealed, pass->text, (int)pass->len, old.ctx, NULL);
    if (info != NULL)
        key = EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    tsk_legacy_close(&old);
    return key;
}

/* RFC 1421 with the key derivation of OpenSSL: the salt is the IV. In place;
 * the length of the plain bytes, or 0. */
static int undo(const EVP_CIPHER *cipher, const unsigned char *iv,
                const struct tsk_pass *pass, unsigned char *data, int len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char key[EVP_MAX_KEY_LENGTH];
    int n = 0, last = 0, ok;

    ok =
        ctx != NULL && cipher != NULL && pass->len > 0 &&
        EVP_BytesToKey(cipher, EVP_md5(), iv, (const unsigned char *)pass->text,
                       (int)pass->len, 1, key, NULL) > 0 &&
        EVP_DecryptInit_ex2(ctx, cipher, key, iv, NULL) == 1 &&
        EVP_DecryptUpdate(ctx, data, &n, data, len) == 1 &&
        EVP_DecryptFinal_ex(ctx, data + n, &last) == 1;
    tsk_wipe(key, sizeof(key));
    EVP_CIPHER_CTX_free(ctx);
    return ok ? n + last : 0;
}

static EVP_PKEY *undo_header(char *header, const struct tsk_pass *pass,
                             unsigned char *data, int len)
{
    const unsigned char *p = data;
    EVP_CIPHER_INFO info = {0};
    EVP_CIPHER *cipher = NULL;
    struct tsk_legacy old;
    EVP_PKEY *key = NULL;

    if (tsk_legacy_open(&old) && PEM_get_EVP_CIPHER_INFO(header, &info) == 1 &&
        info.cipher != NULL)
        cipher =
            EVP_CIPHER_fetch(old.ctx, EVP_CIPHER_get0_name(info.cipher), NULL);
    len = undo(cipher, info.iv, pass, data, len);
    if (len > 0)
        key = d2i_AutoPrivateKey(NULL, &p, len);
    EVP_CIPHER_free(cipher);
    tsk_legacy_close(&old);
    return key;
}

static EVP_PKEY *undo_pkcs8(const unsigned char *data, long len,
                            const struct tsk_pass *pass)
{
    X509_SIG *sealed = d2i_X509_SIG(NULL, &data, len);
    EVP_PKEY *key = NULL;

    if (sealed != NULL)
        key = tsk_legacy_pkcs8(sealed, pass);
    X509_SIG_free(sealed);
    return key;
}

EVP_PKEY *tsk_legacy_pem(BIO *bio, const struct tsk_pass *pass)
{
    unsigned char *data = NULL;
    char *label = NULL, *header = NULL;
    EVP_PKEY *key = NULL;
    long len = 0;

    if (PEM_read_bio(bio, &label, &header, &data, &len) != 1)
        return NULL;
    if (strcmp(label, PEM_STRING_PKCS8) == 0)
        key = undo_pkcs8(data, len, pass);
    else if (len <= INT_MAX)
        key = undo_header(header, pass, data, (int)len);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, (size_t)len);
    return key;
}
