/* log - lines for the LOG hook of a config: what happened that nobody asked
 * about and that is no failure of a call. Escaped; nothing secret goes in. */
#ifndef TSK_TLS_LOG_H
#define TSK_TLS_LOG_H

#include "tls/conn.h"

/* s: whom it is about, or NULL; about: the facts, or NULL. The hook's answer
 * means nothing. Costs nothing where there is no hook. */
void tsk_log(const struct tsk_settings *set, tlsock *s,
             const tlsock_error *about, const char *fmt, ...)
    TLSOCK_PRINTF(4, 5);

#endif
