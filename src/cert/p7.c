#include "cert/load.h"
#include "cert/order.h"
#include "cert/pem.h"
#include "ossl/queue.h"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>

static STACK_OF(X509) * certs_of(const PKCS7 *p7)
{
    if (PKCS7_type_is_signed(p7) && p7->d.sign != NULL)
        return p7->d.sign->cert;
    if (PKCS7_type_is_signedAndEnveloped(p7) &&
        p7->d.signed_and_enveloped != NULL)
        return p7->d.signed_and_enveloped->cert;
    return NULL;
}

int tsk_p7_is(const struct tsk_source *s)
{
    const unsigned char *p = s->data;
    PKCS7 *p7 = NULL;
    int is;

    tsk_ossl_enter();
    if (tsk_der_is(s))
        p7 = d2i_PKCS7(NULL, &p, (long)s->len);
    is = p7 != NULL && PKCS7_type_is_signed(p7);
    PKCS7_free(p7);
    tsk_ossl_leave();
    return is;
}

/* Behind what is there already. A bundle is a set: it has no order. */
static int take(const PKCS7 *p7, const char *name, STACK_OF(X509) * certs,
                tlsock_error *err)
{
    STACK_OF(X509) *there = certs_of(p7), *own;
    int rc;

    if (sk_X509_num(there) < 1) {
        tsk_fail(err, TLSOCK_E_OWN_FILE,
                 "the PKCS#7 bundle in \"%s\" holds no certificate", name);
        tsk_hint(err, "export it again, with the certificates");
        return TLSOCK_E_OWN_FILE;
    }
    own = X509_chain_up_ref(there);
    if (own == NULL)
        return tsk_fail_nomem(err);
    rc = tsk_certs_arrange(own, 0, err);
    while (rc == TLSOCK_OK && sk_X509_num(own) > 0) {
        if (sk_X509_push(certs, sk_X509_value(own, 0)) <= 0)
            rc = tsk_fail_nomem(err);
        else
            (void)sk_X509_shift(own);
    }
    sk_X509_pop_free(own, X509_free);
    return rc;
}

int tsk_p7_read(const unsigned char *der, size_t len, const char *name,
                STACK_OF(X509) * certs, tlsock_error *err)
{
    PKCS7 *p7 = d2i_PKCS7(NULL, &der, (long)len);
    int rc;

    if (p7 == NULL) /* it was decoded once before: tsk_p7_is() */
        return tsk_fail_nomem(err);
    rc = take(p7, name, certs, err);
    PKCS7_free(p7);
    return rc;
}

int tsk_p7_read_pem(const struct tsk_source *s, const struct tsk_pem_block *b,
                    STACK_OF(X509) * certs, tlsock_error *err)
{
    BIO *bio = BIO_new_mem_buf(b->text, (int)b->len);
    PKCS7 *p7 = NULL;
    int rc;

    if (bio != NULL)
        p7 = PEM_read_bio_PKCS7(bio, NULL, NULL, NULL);
    BIO_free(bio);
    rc = p7 != NULL ? take(p7, s->name, certs, err)
                    : tsk_pem_damage(s, b, "the PKCS#7 bundle", err);
    PKCS7_free(p7);
    return rc;
}
