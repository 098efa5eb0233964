#include "core/err.h"

#include "core/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(tlsock_error) == 1024, "tlsock_error is 1,024 bytes");

void tsk_clear(tlsock_error *err)
{
    if (err != NULL)
        memset(err, 0, sizeof(*err));
}

/* A message may be about the error that is being replaced, so the new text is
 * made before the old one goes. */
static void TLSOCK_PRINTF(3, 0)
    record(tlsock_error *err, int code, const char *fmt, va_list ap)
{
    char text[sizeof(err->message)];
    int phase = err->phase;

    vsnprintf(text, sizeof(text), fmt, ap);
    memset(err, 0, sizeof(*err));
    err->phase = phase;
    err->code = code;
    /* no further: what else is on the stack may be somebody's password */
    memcpy(err->message, text, strlen(text) + 1);
}

int tsk_fail(tlsock_error *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return code;
    va_start(ap, fmt);
    record(err, code, fmt, ap);
    va_end(ap);
    return code;
}

const char *tsk_errno_text(int errnum, char *room, size_t size)
{
#ifdef __GLIBC__
    return strerror_r(errnum, room, size);
#else /* POSIX's own form */
    if (strerror_r(errnum, room, size) != 0)
        snprintf(room, size, "error %d", errnum);
    return room;
#endif
}

int tsk_fail_sys(tlsock_error *err, int code, int errnum, const char *fmt, ...)
{
    char reason[128] = "";
    const char *text;
    size_t pos;
    va_list ap;

    if (err == NULL)
        return code;
    va_start(ap, fmt);
    record(err, code, fmt, ap);
    va_end(ap);
    err->sys_errno = errnum;
    text = tsk_errno_text(errnum, reason, sizeof(reason));
    pos = strlen(err->message);
    tsk_append(err->message, sizeof(err->message), &pos, ": %s", text);
    return code;
}

int tsk_fail_nomem(tlsock_error *err)
{
    return tsk_fail(err, TLSOCK_E_NOMEM, "out of memory");
}

void tsk_about(tlsock_error *err, const char *fmt, ...)
{
    char was[sizeof(err->message)];
    size_t len;
    va_list ap;

    if (err == NULL)
        return;
    memcpy(was, err->message, sizeof(was));
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof(err->message), fmt, ap);
    va_end(ap);
    len = strlen(err->message);
    snprintf(err->message + len, sizeof(err->message) - len, "%s", was);
}

void tsk_hint(tlsock_error *err, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return;
    va_start(ap, fmt);
    vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
    va_end(ap);
}

void tsk_facts(tlsock_error *err, const char *expected, const char *presented,
               const char *subject)
{
    if (err == NULL)
        return;
    if (expected != NULL)
        tsk_printable(err->expected, sizeof(err->expected), expected,
                      strlen(expected));
    if (presented != NULL)
        snprintf(err->presented, sizeof(err->presented), "%s", presented);
    if (subject != NULL)
        snprintf(err->subject, sizeof(err->subject), "%s", subject);
}

void tsk_phase(tlsock_error *err, int phase)
{
    if (err != NULL)
        err->phase = phase;
}
