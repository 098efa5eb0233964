#include "cert/load.h"
#include "cert/pem.h"
#include "ossl/queue.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

/* Why a key did not come out: a password, or the bytes. */
static int key_fault(const struct tsk_source *s, const struct tsk_pass *pass,
                     tlsock_error *err)
{
    unsigned long e = ERR_peek_error();
    int rc;

    if (pass->asked && !(pass->rc == 1 && ERR_GET_LIB(e) == ERR_LIB_EVP &&
                         ERR_GET_REASON(e) == EVP_R_UNSUPPORTED_ALGORITHM))
        return tsk_pass_fail(pass, s->name, err);
    rc = tsk_fail_ossl(err, TLSOCK_E_OWN_FILE,
                       pass->asked ? "the private key in \"%s\" is encrypted "
                                     "in a way this OpenSSL cannot undo"
                                   : "the private key in \"%s\" is damaged",
                       s->name);
    if (rc == TLSOCK_E_OWN_FILE)
        tsk_hint(err, pass->asked ? "encrypt it anew: openssl pkcs8 -topk8"
                                  : "copy the file again from where it came");
    return rc;
}

static int pem_key(const struct tsk_source *s, const struct tsk_pem_block *b,
                   struct tsk_pass *pass, EVP_PKEY **key, tlsock_error *err)
{
    BIO *bio = BIO_new_mem_buf(b->text, (int)b->len);

    if (bio == NULL)
        return tsk_fail_nomem(err);
    *key = PEM_read_bio_PrivateKey(bio, NULL, tsk_pass_pem, pass);
    BIO_free(bio);
    return *key != NULL ? TLSOCK_OK : key_fault(s, pass, err);
}

static int pem_keys(const struct tsk_source *s, struct tsk_pass *pass,
                    X509 *leaf, EVP_PKEY **key, tlsock_error *err)
{
    struct tsk_pem_block b;
    struct tsk_pem r;
    int got, rc;

    tsk_pem_begin(&r, s->data, s->len);
    for (;;) {
        EVP_PKEY *one = NULL;

        got = tsk_pem_next(&r, &b);
        if (got < 0) {
            tsk_fail(err, TLSOCK_E_OWN_FILE, "\"%s\" is truncated: a block "
                     "\"BEGIN %s\" has no END line", s->name, b.label);
            tsk_hint(err, "copy the file again, all of it");
            return TLSOCK_E_OWN_FILE;
        }
        if (got == 0)
            return TLSOCK_OK;
        if (!tsk_pem_is_key(&b))
            continue;
        rc = pem_key(s, &b, pass, &one, err);
        if (rc != TLSOCK_OK)
            return rc;
        if (leaf == NULL || EVP_PKEY_eq(X509_get0_pubkey(leaf), one) == 1) {
            EVP_PKEY_free(*key);
            *key = one;
            return TLSOCK_OK;
        }
        if (*key == NULL)
            *key = one;
        else
            EVP_PKEY_free(one);
    }
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
    if (sealed == NULL) {
        p = s->data;
        *key = d2i_AutoPrivateKey(NULL, &p, (long)s->len);
        return *key != NULL ? TLSOCK_OK : key_fault(s, pass, err);
    }
    X509_SIG_free(sealed);
    bio = BIO_new_mem_buf(s->data, (int)s->len);
    if (bio == NULL)
        return tsk_fail_nomem(err);
    *key = d2i_PKCS8PrivateKey_bio(bio, NULL, tsk_pass_pem, pass);
    BIO_free(bio);
    return *key != NULL ? TLSOCK_OK : key_fault(s, pass, err);
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
    if (!tsk_der_is(s))
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
