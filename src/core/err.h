/* err - the only writer of tlsock_error.
 *
 * A failing return is a call that records why: return tsk_fail(err, CODE, ...).
 * Every function takes err == NULL. Knows nothing of OpenSSL: see
 * ossl/queue.h for tsk_fail_ossl(). */
#ifndef TSK_CORE_ERR_H
#define TSK_CORE_ERR_H

#include <tlsock.h>

/* Clears *err, sets code and message, returns code. The phase is kept. */
int tsk_fail(tlsock_error *err, int code, const char *fmt, ...)
    TLSOCK_PRINTF(3, 4);
/* What an errno means, in room or elsewhere. */
const char *tsk_errno_text(int errnum, char *room, size_t size);
/* The same for a failed system call: appends ": " and its text. */
int tsk_fail_sys(tlsock_error *err, int code, int errnum, const char *fmt, ...)
    TLSOCK_PRINTF(4, 5);
/* "out of memory", TLSOCK_E_NOMEM. */
int tsk_fail_nomem(tlsock_error *err);
/* Adds what to do about it to a failure just recorded. */
void tsk_hint(tlsock_error *err, const char *fmt, ...) TLSOCK_PRINTF(2, 3);
/* Puts words before the message of a failure just recorded. */
void tsk_about(tlsock_error *err, const char *fmt, ...) TLSOCK_PRINTF(2, 3);
/* Adds the facts; NULL leaves one as it is. Texts are escaped. */
void tsk_facts(tlsock_error *err, const char *expected, const char *presented,
               const char *subject);
void tsk_phase(tlsock_error *err, int phase);
void tsk_clear(tlsock_error *err);

struct tsk_errname {
    int code;
    const char *name, *slug;
};
const struct tsk_errname *tsk_errname_find(int code); /* NULL: unknown */

#endif
