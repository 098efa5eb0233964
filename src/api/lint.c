/* Findings about certificates. */
#include "cert/lint.h"

int tlsock_cert_lint(const tlsock_cert *c, tlsock_lint_fn *fn, void *arg,
                     tlsock_error *err)
{
    tsk_clear(err);
    if (c == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "there is no certificate to look at");
        tsk_hint(err, "load one with tlsock_cert_load()");
        return TLSOCK_E_ARGUMENT;
    }
    return tsk_cert_lint(c, fn, arg, err);
}
