/* fail - what went wrong inside TLS, told to people. */
#ifndef TSK_TLS_FAIL_H
#define TSK_TLS_FAIL_H

#include "tls/conn.h"

#include <errno.h>
#include <poll.h>

/* Did the peer answer something that is no TLS record? */
int tsk_fail_is_not_tls(const tlsock *s);
/* From alert, OpenSSL's queue and what the peer sent: records, gives code. */
int tsk_fail_protocol(tlsock *s);

#endif
