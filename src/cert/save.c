#include "cert/save.h"

#include "cert/keysave.h"
#include "cert/load.h"
#include "core/mem.h"
#include "ossl/keykind.h"
#include "ossl/queue.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

#define ALL_PARTS (TLSOCK_PART_CERT | TLSOCK_PART_CHAIN | TLSOCK_PART_KEY)
#define ROUNDS 100000 /* of PBKDF2: what guessing a password costs */

static int bad(tlsock_error *err, const char *what, const char *hint)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s", what);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int check(const tlsock_cert *c, unsigned parts, unsigned format,
                 const char *pass_uri, tlsock_error *err)
{
    if (parts == 0 || (parts & ~ALL_PARTS) != 0)
        return bad(err, "nothing that can be saved was named",
                   "parts are TLSOCK_PART_CERT, _CHAIN and _KEY, or-ed");
    if (format > TLSOCK_FORMAT_TRADITIONAL)
        return bad(err, "the format is not known",
                   "formats are TLSOCK_FORMAT_PEM, _DER, _PKCS12 and "
                   "_TRADITIONAL");
    if ((parts & TLSOCK_PART_KEY) != 0 && c->key == NULL)
        return bad(err, "the certificate comes without a private key",
                   "save the certificate alone, or load it with its key");
    if ((parts & TLSOCK_PART_KEY) != 0 && tsk_key_stays(c->key))
        return tsk_key_stuck("of this certificate", err);
    if (format == TLSOCK_FORMAT_DER && (parts & (parts - 1)) != 0)
        return bad(err, "DER holds exactly one part",
                   "save each part to a file of its own, or use PEM");
    if (parts == TLSOCK_PART_CHAIN && sk_X509_num(c->chain) == 0)
        return bad(err, "no chain goes with the certificate",
                   "save the certificate alone");
    if (format == TLSOCK_FORMAT_DER && parts == TLSOCK_PART_CHAIN &&
        sk_X509_num(c->chain) != 1)
        return bad(err, "DER holds exactly one certificate",
                   "save the chain as PEM");
    if (format == TLSOCK_FORMAT_PKCS12 && (parts & TLSOCK_PART_CERT) == 0)
        return bad(err, "PKCS#12 needs the certificate",
                   "add TLSOCK_PART_CERT, or use PEM");
    if (format == TLSOCK_FORMAT_PKCS12 && pass_uri == NULL) {
        tsk_fail(err, TLSOCK_E_PASSWORD, "PKCS#12 needs a password");
        tsk_hint(err, "say where it is: file:FILE, env:NAME or fd:N");
        return TLSOCK_E_PASSWORD;
    }
    if (format == TLSOCK_FORMAT_TRADITIONAL && parts != TLSOCK_PART_KEY)
        return bad(err, "the traditional form is for keys alone",
                   "save the certificate as PEM");
    return (parts & TLSOCK_PART_KEY) != 0
               ? tsk_key_has_form(c->key, format, pass_uri, err)
               : TLSOCK_OK;
}

int tsk_key_has_form(EVP_PKEY *key, unsigned format, const char *pass_uri,
                     tlsock_error *err)
{
    if (format != TLSOCK_FORMAT_TRADITIONAL)
        return TLSOCK_OK;
    if (pass_uri != NULL)
        return bad(err, "the traditional form of a key is not encrypted",
                   "use PEM, which encrypts keys well");
    if (!tsk_ossl_is_a(key, "RSA") && !tsk_ossl_is_a(key, "EC"))
        return bad(err, "only RSA and EC keys have a traditional form",
                   "use PEM");
    return TLSOCK_OK;
}

/* PKCS#8 under AES-256 and PBKDF2 with SHA-256. NULL: no memory. */
static X509_SIG *seal(EVP_PKEY *key, const struct tsk_pass *pass)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    X509_ALGOR *pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), ROUNDS, NULL, 16,
                                        NULL, NID_hmacWithSHA256);
    X509_SIG *sealed = NULL;

    if (info != NULL && pbe != NULL)
        sealed = PKCS8_set0_pbe(pass->text, (int)pass->len, info, pbe);
    if (sealed == NULL)
        X509_ALGOR_free(pbe);
    PKCS8_PRIV_KEY_INFO_free(info);
    return sealed;
}

static int put_plain(BIO *bio, EVP_PKEY *key, unsigned format)
{
    switch (format) {
    case TLSOCK_FORMAT_DER:
        return i2d_PKCS8PrivateKey_bio(bio, key, NULL, NULL, 0, NULL, NULL);
    case TLSOCK_FORMAT_TRADITIONAL:
        return PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0,
                                                    NULL, NULL);
    default:
        return PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL,
                                             NULL);
    }
}

int tsk_key_put(BIO *bio, EVP_PKEY *key, unsigned format,
                const struct tsk_pass *pass)
{
    X509_SIG *sealed;
    int ok;

    if (pass->uri == NULL)
        return put_plain(bio, key, format);
    sealed = seal(key, pass);
    if (sealed == NULL)
        return 0;
    ok = format == TLSOCK_FORMAT_DER ? i2d_PKCS8_bio(bio, sealed)
                                     : PEM_write_bio_PKCS8(bio, sealed);
    X509_SIG_free(sealed);
    return ok;
}

static int put_pem(BIO *bio, const tlsock_cert *c, unsigned parts,
                   const struct tsk_pass *pass)
{
    int ok = 1;

    if ((parts & TLSOCK_PART_CERT) != 0)
        ok = PEM_write_bio_X509(bio, c->leaf);
    for (int i = 0; (parts & TLSOCK_PART_CHAIN) != 0 && ok == 1 &&
                    i < sk_X509_num(c->chain);
         i++)
        ok = PEM_write_bio_X509(bio, sk_X509_value(c->chain, i));
    if ((parts & TLSOCK_PART_KEY) != 0 && ok == 1)
        ok = tsk_key_put(bio, c->key, TLSOCK_FORMAT_PEM, pass);
    return ok;
}

static int put_der(BIO *bio, const tlsock_cert *c, unsigned parts,
                   const struct tsk_pass *pass)
{
    if (parts == TLSOCK_PART_KEY)
        return tsk_key_put(bio, c->key, TLSOCK_FORMAT_DER, pass);
    return i2d_X509_bio(
        bio, parts == TLSOCK_PART_CERT ? c->leaf : sk_X509_value(c->chain, 0));
}

static int put_traditional(BIO *bio, const tlsock_cert *c, unsigned parts,
                           const struct tsk_pass *pass)
{
    (void)parts;
    return tsk_key_put(bio, c->key, TLSOCK_FORMAT_TRADITIONAL, pass);
}

/* AES-256 and PBKDF2, the MAC over SHA-256 */
static int put_p12(BIO *bio, const tlsock_cert *c, unsigned parts,
                   const struct tsk_pass *pass)
{
    char name[64];
    PKCS12 *p12;
    int ok;

    tsk_cert_short_name(c->leaf, name, sizeof(name));
    p12 = PKCS12_create(pass->text, name,
                        (parts & TLSOCK_PART_KEY) != 0 ? c->key : NULL, c->leaf,
                        (parts & TLSOCK_PART_CHAIN) != 0 ? c->chain : NULL,
                        NID_aes_256_cbc, NID_aes_256_cbc, ROUNDS, ROUNDS, 0);
    ok = p12 != NULL ? i2d_PKCS12_bio(bio, p12) : 0;
    PKCS12_free(p12);
    return ok;
}

int tsk_save_password(struct tsk_pass *pass, tlsock_error *err)
{
    int rc = pass->uri != NULL ? tsk_pass_get(pass, err) : TLSOCK_OK;

    if (rc == TLSOCK_OK && pass->uri != NULL && pass->len == 0) {
        tsk_fail(err, TLSOCK_E_PASSWORD, "the password from %s is empty",
                 pass->uri);
        tsk_hint(err, "an empty password protects nothing");
        return TLSOCK_E_PASSWORD;
    }
    return rc;
}

int tsk_save_bio(BIO *bio, int ok, const char *path, int mode,
                 tlsock_error *err)
{
    char *data = NULL;
    long len;
    int rc;

    if (ok != 1) {
        rc = tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                           "cannot encode what is "
                           "to go to \"%s\"",
                           path);
        if (rc == TLSOCK_E_UNSUPPORTED)
            tsk_hint(err, "a private key that is kept in hardware cannot be "
                          "saved: leave it where it is");
        return rc;
    }
    len = BIO_get_mem_data(bio, &data);
    rc = tsk_file_replace(path, data, (size_t)len, mode, err);
    tsk_wipe(data, (size_t)len);
    return rc;
}

static int save(const tlsock_cert *c, unsigned parts, unsigned format,
                const char *path, const struct tsk_pass *pass,
                tlsock_error *err)
{
    static int (*const put[])(BIO *, const tlsock_cert *, unsigned,
                              const struct tsk_pass *) = {
        put_pem, put_der, put_p12, put_traditional};
    BIO *bio = BIO_new(BIO_s_secmem());
    int rc;

    if (bio == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_save_bio(bio, put[format](bio, c, parts, pass), path,
                      (parts & TLSOCK_PART_KEY) != 0 ? 0600 : 0644, err);
    BIO_free(bio);
    return rc;
}

int tsk_cert_save(const tlsock_cert *c, unsigned parts, unsigned format,
                  const char *path, const char *pass_uri, tlsock_error *err)
{
    struct tsk_pass pass;
    int rc;

    tsk_ossl_enter();
    rc = tsk_pass_init(&pass, pass_uri, err);
    if (rc == TLSOCK_OK)
        rc = check(c, parts, format, pass_uri, err);
    if (rc == TLSOCK_OK)
        rc = tsk_save_password(&pass, err);
    if (rc == TLSOCK_OK)
        rc = save(c, parts, format, path, &pass, err);
    tsk_pass_wipe(&pass);
    tsk_ossl_leave();
    return rc;
}
