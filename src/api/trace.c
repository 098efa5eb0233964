#include "tls/trace.h"

#include "ossl/queue.h"

#include <errno.h>
#include <tlsock/trace.h>

static int is_shown(const tlsock_event *e)
{
    return e->kind == TLSOCK_ON_MESSAGE ||
           (e->kind == TLSOCK_ON_DIALOGUE && e->data != NULL);
}

int tlsock_trace_line(const tlsock_event *e, char *out, size_t size)
{
    int saved = errno, n;

    if (e == NULL || !is_shown(e) || out == NULL || size == 0 ||
        (e->data == NULL && e->len != 0))
        return TLSOCK_E_ARGUMENT;
    tsk_ossl_enter();
    n = tsk_trace_line(e, out, size);
    tsk_ossl_leave();
    errno = saved;
    return n;
}
