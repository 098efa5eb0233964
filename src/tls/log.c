#include "tls/log.h"

#include "core/str.h"
#include "tls/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE 1024

void tsk_log(const struct tsk_settings *set, tlsock *s,
             const tlsock_error *about, const char *fmt, ...)
{
    const struct tsk_hook *on = &set->on[TLSOCK_ON_LOG];
    char line[LINE], shown[LINE];
    tlsock_event e = {.size = sizeof(e),
                      .kind = TLSOCK_ON_LOG,
                      .conn = s,
                      .fd = -1,
                      .text = shown,
                      .error = about};
    va_list args;

    if (on->call == NULL)
        return;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    tsk_printable(shown, sizeof(shown), line, strlen(line));
    (void)tsk_op_call(on, &e);
}
