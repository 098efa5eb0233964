#include "revoke/status.h"

#include "core/date.h"

#include <stdio.h>

void tsk_status_text(const struct tsk_status *st, char out[128])
{
    static const char *const by[] = {"nobody", "CRL", "OCSP", "staple"};
    char date[32];

    if (!tsk_date_text(st->as_of, date))
        snprintf(date, sizeof(date), "?");
    if (st->state == TSK_UNKNOWN)
        snprintf(out, 128, "not known");
    else
        snprintf(out, 128, "%s by %s, as of %s",
                 st->state == TSK_GOOD ? "good" : "revoked", by[st->by], date);
}
