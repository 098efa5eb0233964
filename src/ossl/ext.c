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

/* One without its digest is not known again when a path is built. */
static int is_whole(X509 *x)
{
    return X509_check_purpose(x, -1, 0) == 1 &&
           (X509_get_extension_flags(x) & EXFLAG_NO_FINGERPRINT) == 0 &&
           X509_get0_pubkey(x) != NULL;
}

static int is_signed(const X509 *x)
{
    const ASN1_BIT_STRING *signature = NULL;

    X509_get0_signature(&signature, NULL, x);
    return signature != NULL && ASN1_STRING_length(signature) > 0;
}

/* What OpenSSL cannot read, it cannot read in a copy either. */
int tsk_ossl_settle(X509 *x)
{
    X509 *copy;
    int ok;

    tsk_ossl_enter();
    ok = !is_signed(x) || is_whole(x);
    if (!ok) {
        copy = X509_dup(x);
        ok = copy != NULL && !is_whole(copy);
        X509_free(copy);
    }
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
