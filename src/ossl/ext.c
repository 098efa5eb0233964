#include "ossl/ext.h"

#include "ossl/queue.h"

#include <limits.h>
#include <openssl/x509v3.h>

void *tsk_ossl_ext(const X509 *x, int nid, int *critical, int *starved)
{
    int found = -1;
    void *value;

    tsk_ossl_enter();
    value = X509_get_ext_d2i(x, nid, &found, NULL);
    if (value == NULL && found >= 0 && tsk_ossl_starved())
        *starved = 1;
    tsk_ossl_leave();
    if (critical != NULL)
        *critical = found;
    return value;
}

/* A key that OpenSSL does not know is none; one that it knows at the second
 * attempt had no memory at the first. */
static int has_its_key(const X509 *x)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    EVP_PKEY *again = NULL;
    int len;

    if (X509_get0_pubkey(x) != NULL)
        return 1;
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    p = der;
    if (len > 0)
        again = d2i_PUBKEY(NULL, &p, len);
    OPENSSL_free(der);
    EVP_PKEY_free(again);
    return again == NULL && !tsk_ossl_starved();
}

int tsk_ossl_settle(X509 *x)
{
    int ok;

    tsk_ossl_enter();
    ok = (X509_check_purpose(x, -1, 0) == 1 || !tsk_ossl_starved()) &&
         has_its_key(x);
    tsk_ossl_leave();
    return ok;
}

#define DAY 86400

ASN1_TIME *tsk_ossl_time(ASN1_TIME *t, int64_t seconds)
{
    int64_t days = seconds / DAY - (seconds % DAY < 0);

    return days >= INT_MIN && days <= INT_MAX
               ? ASN1_TIME_adj(t, 0, (int)days, (long)(seconds - days * DAY))
               : NULL;
}
