#include "ossl/ext.h"

#include "ossl/queue.h"

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
