/* Copies of seen certificates, and findings about them. */
#include "core/err.h"

#include <tlsock/cert.h>

tlsock_cert *tlsock_cert_clone(const tlsock_cert *seen, const tlsock_cert *ca,
                               tlsock_error *err)
{
    (void)seen;
    (void)ca;
    tsk_fail(err, TLSOCK_E_UNSUPPORTED, "not there yet");
    return NULL;
}

int tlsock_cert_lint(const tlsock_cert *c, tlsock_lint_fn *fn, void *arg,
                     tlsock_error *err)
{
    (void)c;
    (void)fn;
    (void)arg;
    return tsk_fail(err, TLSOCK_E_UNSUPPORTED, "not there yet");
}
