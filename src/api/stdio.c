#include "api/conn.h"

FILE *tlsock_fopen(tlsock *s, const char *mode)
{
    (void)mode;
    if (s != NULL)
        tsk_fail(&s->err, TLSOCK_E_UNSUPPORTED, "tlsock_fopen()");
    return NULL;
}
