#include "ossl/queue.h"

#include "core/mem.h"
#include "core/str.h"
#include "ossl/compat.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MOST 16 /* what OpenSSL's queue holds */

/* Errors that the caller left there. SSL_get_error() would take them for its
 * own, so they are put aside for the length of a call. */
struct saved {
    unsigned long code;
    int line;
    char file[128], func[64], data[160];
};

static _Thread_local struct saved *aside;
static _Thread_local size_t n_aside;
static _Thread_local int depth, saved_errno;

static void put_aside(void)
{
    const char *file, *func, *data;
    int line, flags;

    aside = tsk_alloc(MOST * sizeof(*aside));
    n_aside = 0;
    while (aside != NULL && n_aside < MOST) {
        struct saved *e = &aside[n_aside];

        e->code = ERR_get_error_all(&file, &line, &func, &data, &flags);
        if (e->code == 0)
            break;
        e->line = line;
        snprintf(e->file, sizeof(e->file), "%s", file);
        snprintf(e->func, sizeof(e->func), "%s", func);
        snprintf(e->data, sizeof(e->data), "%s",
                 (flags & ERR_TXT_STRING) != 0 ? data : "");
        n_aside++;
    }
}

static void put_back(void)
{
    for (size_t i = 0; i < n_aside; i++) {
        const struct saved *e = &aside[i];

        ERR_new();
        ERR_set_debug(e->file, e->line, e->func);
        ERR_set_error(ERR_GET_LIB(e->code), ERR_GET_REASON(e->code),
                      e->data[0] != '\0' ? "%s" : NULL, e->data);
    }
    tsk_free(aside);
    aside = NULL;
    n_aside = 0;
}

void tsk_ossl_enter(void)
{
    if (depth++ == 0) {
        saved_errno = errno;
        if (ERR_peek_error() == 0)
            return; /* an empty queue takes no mark: all of it goes at the end
                     */
        put_aside();
    }
    ERR_set_mark();
}

void tsk_ossl_leave(void)
{
    ERR_pop_to_mark();
    if (--depth != 0)
        return;
    if (aside != NULL)
        put_back();
    errno = saved_errno;
}

int tsk_ossl_starved(void)
{
    return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE ||
           ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE ||
           tsk_compat_starved(ERR_peek_error());
}

int tsk_fail_ossl(tlsock_error *err, int code, const char *fmt, ...)
{
    unsigned long cause = ERR_peek_error();
    const char *reason = ERR_reason_error_string(cause);
    char text[320];
    int starved = tsk_ossl_starved();
    size_t pos;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    pos = strlen(text);
    if (reason != NULL)
        tsk_append(text, sizeof(text), &pos, ": %s", reason);
    ERR_pop_to_mark();
    ERR_set_mark();
    if (starved)
        return tsk_fail_nomem(err);
    tsk_fail(err, code, "%s", text);
    if (err != NULL)
        err->ossl_code = (uint32_t)cause;
    return code;
}
