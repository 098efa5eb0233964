#include "ossl/ext.h"

#include "ossl/queue.h"

#include <limits.h>

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

#define DAY 86400

ASN1_TIME *tsk_ossl_time(ASN1_TIME *t, int64_t seconds)
{
    int64_t days = seconds / DAY - (seconds % DAY < 0);

    return days >= INT_MIN && days <= INT_MAX
               ? ASN1_TIME_adj(t, 0, (int)days, (long)(seconds - days * DAY))
               : NULL;
}
