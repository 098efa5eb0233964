#include "revoke/status.h"

#include <stdio.h>
#include <time.h>

void tsk_status_text(const struct tsk_status *st, char out[128])
{
    static const char *const by[] = {"nobody", "CRL", "OCSP", "staple"};
    time_t t = (time_t)st->as_of;
    char date[32] = "?";
    struct tm tm;

    if (gmtime_r(&t, &tm) != NULL)
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (st->state == TSK_UNKNOWN)
        snprintf(out, 128, "not known");
    else
        snprintf(out, 128, "%s by %s, as of %s",
                 st->state == TSK_GOOD ? "good" : "revoked", by[st->by], date);
}
