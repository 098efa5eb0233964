/* queue - OpenSSL's error queue, and errno with it: put aside on entry, read
 * into tlsock_error, and left as they were found. */
#ifndef TSK_OSSL_QUEUE_H
#define TSK_OSSL_QUEUE_H

#include "core/err.h"

void tsk_ossl_enter(void); /* may be nested; pairs with tsk_ossl_leave() */
void tsk_ossl_leave(void);
/* Like tsk_fail(); the reason of OpenSSL's oldest error since the mark goes
 * behind the message, its code into err->ossl_code. An allocation failure
 * becomes TLSOCK_E_NOMEM. The queue is back at the mark, which stays set. */
int tsk_fail_ossl(tlsock_error *err, int code, const char *fmt, ...)
    TLSOCK_PRINTF(3, 4);

/* 1: the oldest or the newest error there is a failed allocation, so what went
 * wrong says nothing of the bytes that were read. */
int tsk_ossl_starved(void);

#endif
