#include "cert/legacy.h"
#include "cert/load.h"
#include "cert/pem.h"
#include "cert/what.h"
#include "ossl/queue.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

/* Is it the cipher that is missing, not the password? */
static int is_unsupported(void)
{
    unsigned long e = ERR_peek_error();
    int why = ERR_GET_REASON(e);

    return ERR_GET_LIB(e) == ERR_LIB_EVP &&
           (why == EVP_R_UNSUPPORTED_ALGORITHM || why == ERR_R_UNSUPPORTED ||
            why == ERR_R_FETCH_FAILED);
}

/* A cipher of old that no password opens for us. */
static int cannot_undo(const struct tsk_source *s, tlsock_error *err)
{
    int rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                           "the private key in \"%s\" is encrypted in a way "
                           "this OpenSSL cannot undo",
                           s->name);

    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "encrypt it anew: openssl pkcs8 -topk8 -provider legacy "
                      "-provider default -in FILE -out NEW");
    return rc;
}

/* Why a key did not come out: a password, or the bytes. */
static int key_fault(const struct tsk_source *s, const struct tsk_pass *pass,
                     const struct tsk_pem_block *b, tlsock_error *err)
{
    int rc;

    if (pass->asked)
        return pass->rc == 1 && is_unsupported()
                   ? cannot_undo(s, err)
                   : tsk_pass_fail(pass, s->name, err);
    if (b != NULL)
        return tsk_pem_damage(s, b, "the private key", err);
    rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                       "the private key in \"%s\" is damaged", s->name);
    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, "copy the file again from where it came");
    return rc;
}

/* OpenSSL's own way first. */
static EVP_PKEY *read_pem(const struct tsk_pem_block *b, struct tsk_pass *pass)
{
    BIO *bio = BIO_new_mem_buf(b->text, (int)b->len);
    EVP_PKEY *key;

    if (bio == NULL)
        return NULL;
    key = PEM_read_bio_PrivateKey(bio, NULL, tsk_pass_pem, pass);
    if (key == NULL && pass->rc == 1 && is_unsupported() && BIO_reset(bio) == 1)
        key = tsk_legacy_pem(bio, pass);
    BIO_free(bio);
    return key;
}

static int pem_key(const struct tsk_source *s, const struct tsk_pem_block *b,
                   struct tsk_pass *pass, EVP_PKEY **key, tlsock_error *err)
{
    pass->asked = 0; /* by this one */
    *key = read_pem(b, pass);
    return *key != NULL ? TLSOCK_OK : key_fault(s, pass, b, err);
}

static int two_keys(const struct tsk_source *s, tlsock_error *err)
{
    tsk_fail(err, TLSOCK_E_OWN_FILE,
             "\"%s\" holds more than one private key: which one is meant?",
             s->name);
    tsk_hint(err, "put the one that is meant into a file of its own");
    return TLSOCK_E_OWN_FILE;
}

/* Keeps one, or the one that fits; 1: it fits, look no further. */
static int choose(const struct tsk_source *s, X509 *leaf, EVP_PKEY *one,
                  EVP_PKEY **key, tlsock_error *err)
{
    if (leaf != NULL && EVP_PKEY_eq(X509_get0_pubkey(leaf), one) == 1) {
        EVP_PKEY_free(*key);
        *key = one;
        return 1;
    }
    if (*key == NULL) {
        *key = one;
        return TLSOCK_OK;
    }
    if (leaf == NULL && EVP_PKEY_eq(*key, one) != 1) {
        EVP_PKEY_free(one);
        return two_keys(s, err);
    }
    EVP_PKEY_free(one);
    return TLSOCK_OK;
}

static int pem_keys(const struct tsk_source *s, struct tsk_pass *pass,
                    X509 *leaf, EVP_PKEY **key, tlsock_error *err)
{
    struct tsk_pem_block b;
    struct tsk_pem r;
    int got, rc = TLSOCK_OK;

    tsk_pem_begin(&r, s->data, s->len);
    while (rc == TLSOCK_OK) {
        EVP_PKEY *one = NULL;

        got = tsk_pem_next(&r, &b);
        if (got < 0)
            return tsk_pem_truncated(s, &b, err);
        if (got == 0)
            return TLSOCK_OK;
        if (!tsk_pem_is_key(&b))
            continue;
        rc = pem_key(s, &b, pass, &one, err);
        if (rc == TLSOCK_OK)
            rc = choose(s, leaf, one, key, err);
    }
    return rc == 1 ? TLSOCK_OK : rc;
}

static int der_plain(const struct tsk_source *s, struct tsk_pass *pass,
                     EVP_PKEY **key, tlsock_error *err)
{
    const unsigned char *p = s->data;

    *key = d2i_AutoPrivateKey(NULL, &p, (long)s->len);
    if (*key != NULL || tsk_what_is(s) != NULL)
        return TLSOCK_OK; /* or it is a file of another kind */
    return key_fault(s, pass, NULL, err);
}

static int der_key(const struct tsk_source *s, struct tsk_pass *pass,
                   EVP_PKEY **key, tlsock_error *err)
{
    const unsigned char *p = s->data;
    int rc = tsk_der_whole(s, err);
    X509_SIG *sealed;
    BIO *bio;

    if (rc != TLSOCK_OK)
        return rc;
    sealed = d2i_X509_SIG(NULL, &p, (long)s->len);
    if (sealed == NULL)
        return der_plain(s, pass, key, err);
    bio = BIO_new_mem_buf(s->data, (int)s->len);
    if (bio != NULL)
        *key = d2i_PKCS8PrivateKey_bio(bio, NULL, tsk_pass_pem, pass);
    if (*key == NULL && pass->rc == 1 && is_unsupported())
        *key = tsk_legacy_pkcs8(sealed, pass);
    rc = *key != NULL ? TLSOCK_OK : key_fault(s, pass, NULL, err);
    X509_SIG_free(sealed);
    BIO_free(bio);
    return rc;
}

static int p12_key(const struct tsk_source *s, struct tsk_pass *pass,
                   EVP_PKEY **key, tlsock_error *err)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    int rc;

    if (certs == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_p12_read(s, pass, certs, key, err);
    sk_X509_pop_free(certs, X509_free);
    return rc;
}

int tsk_key_read(const struct tsk_source *s, struct tsk_pass *pass, X509 *leaf,
                 EVP_PKEY **key, tlsock_error *err)
{
    int rc;

    *key = NULL;
    pass->asked = 0;
    pass->name = s->name;
    if (s->token != NULL)
        rc = tsk_token_key(s, pass, leaf, key, err);
    else if (!tsk_der_is(s))
        rc = pem_keys(s, pass, leaf, key, err);
    else if (tsk_p12_is(s))
        rc = p12_key(s, pass, key, err);
    else
        rc = der_key(s, pass, key, err);
    if (rc != TLSOCK_OK) {
        EVP_PKEY_free(*key);
        *key = NULL;
    }
    return rc;
}
