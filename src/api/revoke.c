/* The public calls of tlsock/revoke.h. */
#include "core/err.h"

#include <tlsock/revoke.h>

int tlsock_crl_save(const tlsock_crl_opts *o, unsigned format, const char *path,
                    tlsock_error *err)
{
    (void)o;
    (void)format;
    (void)path;
    return tsk_fail(err, TLSOCK_E_UNSUPPORTED, "not there yet");
}
