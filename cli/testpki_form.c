/* testpki_form - the good certificate in every format that is met, and CRLs. */
#include "certfield.h"
#include "errors.h"
#include "local.h"
#include "testpki.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>
#include <tlsock/revoke.h>

#define DAY 86400
#define ROUNDS 2048 /* for tests: quick, not strong */
#define LEN ((int)sizeof(ZOO_PASSWORD) - 1)

static const struct zoo_made *row_of(const struct zoo *z, const char *name)
{
    return &z->made[zoo_find(name, strlen(name))];
}

static int fail(const struct zoo *z, const char *file, BIO *bio)
{
    BIO_free(bio);
    return zoo_failed(z, file);
}

/* The key of a row in one format, encrypted or not. */
static int key_file(struct zoo *z, const char *file, const char *row,
                    int (*put)(BIO *, EVP_PKEY *))
{
    BIO *bio = BIO_new(BIO_s_secmem());

    if (bio == NULL || put(bio, row_of(z, row)->key) != 1)
        return fail(z, file, bio);
    return zoo_write_bio(z, file, bio, 0600);
}

static int put_der(BIO *bio, EVP_PKEY *key)
{
    return i2d_PKCS8PrivateKey_bio(bio, key, NULL, NULL, 0, NULL, NULL);
}

static int put_encrypted(BIO *bio, EVP_PKEY *key)
{
    return PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(),
                                         ZOO_PASSWORD, LEN, NULL, NULL);
}

static int put_encrypted_der(BIO *bio, EVP_PKEY *key)
{
    return i2d_PKCS8PrivateKey_bio(bio, key, EVP_aes_256_cbc(), ZOO_PASSWORD,
                                   LEN, NULL, NULL);
}

static int put_traditional(BIO *bio, EVP_PKEY *key)
{
    return PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL,
                                                NULL);
}

static int put_traditional_encrypted(BIO *bio, EVP_PKEY *key)
{
    return PEM_write_bio_PrivateKey_traditional(
        bio, key, EVP_aes_256_cbc(), (const unsigned char *)ZOO_PASSWORD, LEN,
        NULL, NULL);
}

static int keys(struct zoo *z)
{
    static const struct {
        const char *file, *row;
        int (*put)(BIO *, EVP_PKEY *);
    } list[] = {{"good.key.der", "good", put_der},
                {"good.enc.key", "good", put_encrypted},
                {"good.enc.der", "good", put_encrypted_der},
                {"good.trad.key", "good", put_traditional},
                {"good-rsa.trad.key", "good-rsa", put_traditional},
                {"good.trad.enc.key", "good", put_traditional_encrypted}};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(list) / sizeof(list[0]); i++)
        rc = key_file(z, list[i].file, list[i].row, list[i].put);
    return rc;
}

/* Of a leaf under inter. old: as programs of long ago write and read it. */
static int p12_file(struct zoo *z, const char *file, const char *row, int old)
{
    const struct zoo_made *m = row_of(z, row);
    STACK_OF(X509) *chain = sk_X509_new_null();
    BIO *bio = BIO_new(BIO_s_secmem());
    PKCS12 *p12 = NULL;
    int pbe = old ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : 0, ok;

    if (chain != NULL && sk_X509_push(chain, row_of(z, "inter")->x) > 0)
        p12 = PKCS12_create(ZOO_PASSWORD, row, m->key, m->x, chain, pbe, pbe,
                            ROUNDS, old ? -1 : ROUNDS, 0);
    ok = p12 != NULL && bio != NULL;
    if (ok && old)
        ok =
            PKCS12_set_mac(p12, ZOO_PASSWORD, LEN, NULL, 0, ROUNDS, EVP_sha1());
    ok = ok && i2d_PKCS12_bio(bio, p12);
    PKCS12_free(p12);
    sk_X509_free(chain);
    return ok ? zoo_write_bio(z, file, bio, 0600) : fail(z, file, bio);
}

static int put_pems(const struct zoo *z, BIO *bio, int text)
{
    static const char *const rows[] = {"good", "inter"};
    int ok = 1;

    for (size_t i = 0; ok && i < 2; i++) {
        X509 *x = row_of(z, rows[i])->x;

        ok = (!text || X509_print(bio, x)) && PEM_write_bio_X509(bio, x);
    }
    return ok;
}

static int put_key(const struct zoo *z, BIO *bio)
{
    return PEM_write_bio_PKCS8PrivateKey(bio, row_of(z, "good")->key, NULL,
                                         NULL, 0, NULL, NULL);
}

/* "c" certificates, "t" with a text, "k" the key, in this order */
static BIO *compose(const struct zoo *z, const char *parts)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    int ok = bio != NULL;

    for (; ok && *parts != '\0'; parts++)
        ok = *parts == 'k' ? put_key(z, bio) : put_pems(z, bio, *parts == 't');
    if (ok)
        return bio;
    BIO_free(bio);
    return NULL;
}

static BIO *with_bom(const struct zoo *z, const char *parts)
{
    BIO *bio = BIO_new(BIO_s_secmem()), *plain = compose(z, parts);
    char *data = NULL;
    long len = plain != NULL ? BIO_get_mem_data(plain, &data) : 0;

    if (bio != NULL && (BIO_write(bio, "\xef\xbb\xbf", 3) != 3 ||
                        BIO_write(bio, data, (int)len) != (int)len)) {
        BIO_free(bio);
        bio = NULL;
    }
    BIO_free(plain);
    return bio;
}

static BIO *with_crlf(const struct zoo *z, const char *parts)
{
    BIO *bio = BIO_new(BIO_s_secmem()), *plain = compose(z, parts);
    char line[200];
    int n, ok = bio != NULL && plain != NULL;

    while (ok && (n = BIO_gets(plain, line, sizeof(line))) > 0) {
        if (line[n - 1] == '\n')
            n--;
        ok = BIO_write(bio, line, n) == n && BIO_write(bio, "\r\n", 2) == 2;
    }
    BIO_free(plain);
    if (ok)
        return bio;
    BIO_free(bio);
    return NULL;
}

static int pems(struct zoo *z)
{
    static const struct {
        const char *file, *parts;
        BIO *(*make)(const struct zoo *, const char *);
        int mode;
    } list[] = {{"good-both.pem", "ck", compose, 0600},
                {"good-key-first.pem", "kc", compose, 0600},
                {"good-text.pem", "t", compose, 0644},
                {"good-crlf.pem", "c", with_crlf, 0644},
                {"good-crlf.key", "k", with_crlf, 0600},
                {"good-bom.pem", "c", with_bom, 0644},
                {"good-bom.key", "k", with_bom, 0600}};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(list) / sizeof(list[0]); i++)
        rc = zoo_write_bio(z, list[i].file, list[i].make(z, list[i].parts),
                           list[i].mode);
    return rc;
}

static int certificates(struct zoo *z)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    int rc;

    if (bio == NULL || !i2d_X509_bio(bio, row_of(z, "good")->x))
        return fail(z, "good.der", bio);
    rc = zoo_write_bio(z, "good.der", bio, 0644);
    if (rc == 0)
        rc = p12_file(z, "good.p12", "good", 0);
    if (rc == 0)
        rc = p12_file(z, "good-legacy.p12", "good", 1);
    if (rc == 0)
        rc = p12_file(z, "client.p12", "client", 0);
    if (rc == 0)
        rc = zoo_write(z, "junk.pem", "This is no certificate.\n", 24, 0644);
    if (rc == 0)
        rc = zoo_write(z, "empty.pem", "", 0, 0644);
    if (rc != 0)
        return rc;
    bio = compose(z, "c");
    if (bio != NULL && BIO_get_mem_data(bio, &data) > 400)
        rc = zoo_write(z, "truncated.pem", data, 400, 0644);
    else
        rc = zoo_failed(z, "truncated.pem");
    BIO_free(bio);
    return rc;
}

static int crl(struct zoo *z, const char *file, unsigned format,
               const tlsock_crl_opts *o)
{
    char path[LOCAL_PATH];
    tlsock_error err = {0};

    zoo_path(z, path, file);
    z->files++;
    return tlsock_crl_save(o, format, path, &err) < 0
               ? err_report(z->out, path, &err, 1)
               : 0;
}

static int crls(struct zoo *z)
{
    tlsock_revoked gone = {
        .size = sizeof(gone),
        .serial = certfield(row_of(z, "revoked")->c, TLSOCK_CERT_SERIAL),
        .when = z->now - DAY / 2,
        .reason = 1 /* keyCompromise */};
    tlsock_crl_opts *o =
        TLSOCK_CRL_OPTS(.issuer = row_of(z, "inter")->c, .number = "2",
                        .this_update = z->now - DAY / 2,
                        .next_update = z->now + z->days * (int64_t)DAY,
                        .revoked = &gone, .n_revoked = 1);
    int rc = gone.serial == NULL ? err_plain(z->out, "inter.crl", EXIT_INTERNAL,
                                             "nomem", "", "out of memory")
                                 : crl(z, "inter.crl", TLSOCK_FORMAT_PEM, o);

    if (rc == 0)
        rc = crl(z, "inter.crl.der", TLSOCK_FORMAT_DER, o);
    o->issuer = row_of(z, "root")->c;
    o->n_revoked = 0;
    if (rc == 0)
        rc = crl(z, "root.crl", TLSOCK_FORMAT_PEM, o);
    o->issuer = row_of(z, "inter")->c;
    o->number = "1";
    o->this_update = z->now - 60 * (int64_t)DAY;
    o->next_update = z->now - 30 * (int64_t)DAY;
    if (rc == 0)
        rc = crl(z, "inter-expired.crl", TLSOCK_FORMAT_PEM, o);
    return rc;
}

int zoo_form(struct zoo *z)
{
    int rc = certificates(z);

    if (rc == 0)
        rc = keys(z);
    if (rc == 0)
        rc = pems(z);
    if (rc == 0)
        rc = crls(z);
    if (rc == 0)
        rc = zoo_write(z, ZOO_PASSWORD_FILE, ZOO_PASSWORD "\n", LEN + 1, 0600);
    return rc;
}
