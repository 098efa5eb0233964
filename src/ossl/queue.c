#include "ossl/queue.h"

#include "core/str.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Were there errors of the caller's before ours? Then the oldest one in the
 * queue is not ours, and the newest must do. */
static _Thread_local int foreign;

void tsk_ossl_enter(void)
{
    foreign = ERR_peek_error() != 0;
    ERR_set_mark();
}

void tsk_ossl_leave(void)
{
    ERR_pop_to_mark();
    foreign = 0;
}

int tsk_fail_ossl(tlsock_error *err, int code, const char *fmt, ...)
{
    unsigned long cause = foreign ? ERR_peek_last_error() : ERR_peek_error();
    int nomem = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE ||
                ERR_GET_REASON(cause) == ERR_R_MALLOC_FAILURE;
    const char *reason = ERR_reason_error_string(cause);
    char text[sizeof(err->message)];
    size_t pos = 0;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    pos = strlen(text);
    if (reason != NULL)
        tsk_append(text, sizeof(text), &pos, ": %s", reason);
    ERR_pop_to_mark();
    if (!foreign)
        ERR_clear_error();
    else
        ERR_set_mark();
    if (nomem)
        return tsk_fail_nomem(err);
    tsk_fail(err, code, "%s", text);
    if (err != NULL)
        err->ossl_code = (uint32_t)cause;
    return code;
}
