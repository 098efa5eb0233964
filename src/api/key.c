/* Keys in other forms, and chains in order. */
#include "core/err.h"

#include <tlsock/cert.h>

int tlsock_key_save(const char *key_uri, const char *pass_uri, unsigned format,
                    const char *path, const char *new_pass, tlsock_error *err)
{
    (void)key_uri;
    (void)pass_uri;
    (void)format;
    (void)path;
    (void)new_pass;
    return tsk_fail(err, TLSOCK_E_UNSUPPORTED, "not there yet");
}

int tlsock_key_pin(const char *key_uri, const char *pass_uri, char *out,
                   size_t size, tlsock_error *err)
{
    (void)key_uri;
    (void)pass_uri;
    (void)out;
    (void)size;
    return tsk_fail(err, TLSOCK_E_UNSUPPORTED, "not there yet");
}

tlsock_cert *tlsock_cert_order(const tlsock_cert *c, tlsock_error *err)
{
    (void)c;
    tsk_fail(err, TLSOCK_E_UNSUPPORTED, "not there yet");
    return NULL;
}
