/* pemout - certificates as PEM text in the caller's memory. */
#include "cert/cert.h"
#include "ossl/queue.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <string.h>

static int put(BIO *bio, const tlsock_cert *c, unsigned parts)
{
    int ok = 1;

    if ((parts & TLSOCK_PART_CERT) != 0)
        ok = PEM_write_bio_X509(bio, c->leaf);
    for (int i = 0; (parts & TLSOCK_PART_CHAIN) != 0 && ok == 1 &&
                    i < sk_X509_num(c->chain);
         i++)
        ok = PEM_write_bio_X509(bio, sk_X509_value(c->chain, i));
    return ok;
}

int tsk_cert_pem(const tlsock_cert *c, unsigned parts, char *out, size_t size)
{
    char *data = NULL;
    int rc = TLSOCK_E_NOMEM;
    long len = 0;
    BIO *bio;

    tsk_ossl_enter();
    bio = BIO_new(BIO_s_mem());
    if (bio != NULL && put(bio, c, parts) == 1) {
        len = BIO_get_mem_data(bio, &data);
        rc = len <= INT_MAX ? (int)len : TLSOCK_E_LIMIT;
    }
    if (size > 0) {
        size_t n = rc > 0 ? (size_t)len : 0;

        n = n < size ? n : size - 1;
        if (n > 0)
            memcpy(out, data, n);
        out[n] = '\0';
    }
    BIO_free(bio);
    tsk_ossl_leave();
    return rc;
}
