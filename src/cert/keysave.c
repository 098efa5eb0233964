/* Private keys in other forms, and the pin of their public half. */
#include "cert/keysave.h"

#include "cert/load.h"
#include "cert/save.h"
#include "core/mem.h"
#include "core/str.h"
#include "ossl/queue.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

static int bad(tlsock_error *err, const char *what, const char *hint)
{
    tsk_fail(err, TLSOCK_E_ARGUMENT, "%s", what);
    tsk_hint(err, "%s", hint);
    return TLSOCK_E_ARGUMENT;
}

static int check_format(unsigned format, const char *new_pass,
                        tlsock_error *err)
{
    if (format == TLSOCK_FORMAT_PKCS12)
        return bad(err, "PKCS#12 needs the certificate too",
                   "load both with tlsock_cert_load() and write them with "
                   "tlsock_cert_save()");
    if (format != TLSOCK_FORMAT_PEM && format != TLSOCK_FORMAT_DER &&
        format != TLSOCK_FORMAT_TRADITIONAL)
        return bad(err, "the format is not known",
                   "formats of a key are TLSOCK_FORMAT_PEM, _DER and "
                   "_TRADITIONAL");
    if (format == TLSOCK_FORMAT_TRADITIONAL && new_pass != NULL)
        return bad(err,
                   "the traditional form of a key is not encrypted: its "
                   "way to do so is too weak",
                   "use TLSOCK_FORMAT_PEM, which encrypts with AES-256");
    return TLSOCK_OK;
}

static int read_key(const char *uri, struct tsk_pass *pass, EVP_PKEY **key,
                    char name[256], tlsock_error *err)
{
    struct tsk_source s = {0};
    int rc = tsk_source_open(&s, uri, err);

    if (rc == TLSOCK_OK)
        rc = tsk_key_read(&s, pass, NULL, key, err);
    if (rc == TLSOCK_OK && *key == NULL)
        rc = tsk_no_key(&s, err);
    snprintf(name, 256, "%s", s.name);
    tsk_source_free(&s);
    return rc;
}

static int not_encoded(EVP_PKEY *key, unsigned format, const char *name,
                       tlsock_error *err)
{
    const char *kind = EVP_PKEY_get0_type_name(key);
    int rc;

    if (tsk_key_stays(key)) {
        tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                 "the private key \"%s\" cannot leave its token", name);
        tsk_hint(err, "use it by its pkcs11: URI; only a key that was made "
                      "outside can be in a file as well");
        return TLSOCK_E_UNSUPPORTED;
    }
    rc = tsk_fail_ossl(err, TLSOCK_E_UNSUPPORTED,
                       "the private key in \"%s\" (%s) has no such form", name,
                       kind != NULL ? kind : "of an unknown kind");
    if (rc == TLSOCK_E_UNSUPPORTED)
        tsk_hint(err,
                 format == TLSOCK_FORMAT_TRADITIONAL
                     ? "only RSA, EC and DSA keys have a traditional form; "
                       "PKCS#8 (TLSOCK_FORMAT_PEM) holds any kind"
                     : "this OpenSSL cannot write keys of this kind");
    return rc;
}

static int write_key(EVP_PKEY *key, unsigned format, const char *name,
                     const char *path, const struct tsk_pass *pass,
                     tlsock_error *err)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *data = NULL;
    long len;
    int rc;

    if (bio == NULL)
        return tsk_fail_nomem(err);
    if (tsk_key_put(bio, key, format, pass) != 1) {
        rc = not_encoded(key, format, name, err);
    } else {
        len = BIO_get_mem_data(bio, &data);
        rc = tsk_file_replace(path, data, (size_t)len, 0600, err);
        tsk_wipe(data, (size_t)len);
    }
    BIO_free(bio);
    return rc;
}

static int new_password(struct tsk_pass *pass, tlsock_error *err)
{
    int rc = pass->uri != NULL ? tsk_pass_get(pass, err) : TLSOCK_OK;

    if (rc == TLSOCK_OK && pass->uri != NULL && pass->len == 0) {
        tsk_fail(err, TLSOCK_E_PASSWORD, "the new password from %s is empty",
                 pass->uri);
        tsk_hint(err, "an empty password protects nothing");
        return TLSOCK_E_PASSWORD;
    }
    return rc;
}

int tsk_key_save(const char *key_uri, const char *pass_uri, unsigned format,
                 const char *path, const char *new_pass, tlsock_error *err)
{
    struct tsk_pass old, new;
    EVP_PKEY *key = NULL;
    char name[256];
    int rc;

    tsk_ossl_enter();
    memset(&new, 0, sizeof(new));
    rc = tsk_pass_init(&old, pass_uri, err);
    if (rc == TLSOCK_OK)
        rc = tsk_pass_init(&new, new_pass, err);
    if (rc == TLSOCK_OK)
        rc = check_format(format, new_pass, err);
    if (rc == TLSOCK_OK)
        rc = read_key(key_uri, &old, &key, name, err);
    if (rc == TLSOCK_OK)
        rc = new_password(&new, err);
    if (rc == TLSOCK_OK)
        rc = write_key(key, format, name, path, &new, err);
    EVP_PKEY_free(key);
    tsk_pass_wipe(&old);
    tsk_pass_wipe(&new);
    tsk_ossl_leave();
    return rc;
}

static int pin_of(EVP_PKEY *key, const char *name, char *out, size_t size,
                  tlsock_error *err)
{
    unsigned char *spki = NULL, hash[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 32] = "sha256:pub:";
    int n = i2d_PUBKEY(key, &spki), ok = 0, len;
    unsigned hashed = 0;

    if (n > 0)
        ok = EVP_Digest(spki, (size_t)n, hash, &hashed, EVP_sha256(), NULL);
    OPENSSL_free(spki);
    if (ok != 1) {
        int rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                               "the public half of \"%s\" is not known", name);

        if (rc == TLSOCK_E_OWN_FILE)
            tsk_hint(err, "put the public key or the certificate beside it, "
                          "under the same id");
        return rc;
    }
    tsk_hex(text + strlen(text), hash, hashed);
    len = (int)strlen(text);
    if (size == 0)
        return len;
    if ((size_t)len >= size) { /* half a pin is none */
        tsk_fail(err, TLSOCK_E_LIMIT, "a pin needs %d bytes, here are %zu",
                 len + 1, size);
        tsk_hint(err, "give more room");
        return TLSOCK_E_LIMIT;
    }
    memcpy(out, text, (size_t)len + 1);
    return len;
}

int tsk_key_pin(const char *key_uri, const char *pass_uri, char *out,
                size_t size, tlsock_error *err)
{
    struct tsk_pass pass;
    EVP_PKEY *key = NULL;
    char name[256];
    int rc;

    tsk_ossl_enter();
    rc = tsk_pass_init(&pass, pass_uri, err);
    if (rc == TLSOCK_OK)
        rc = read_key(key_uri, &pass, &key, name, err);
    if (rc == TLSOCK_OK)
        rc = pin_of(key, name, out, size, err);
    EVP_PKEY_free(key);
    tsk_pass_wipe(&pass);
    tsk_ossl_leave();
    return rc;
}
