/* The public tlsock_csr_* calls. */
#include "core/err.h"

#include <tlsock/cert.h>

tlsock_csr *tlsock_csr_create(const tlsock_cert_opts *o, tlsock_error *err)
{
    (void)o;
    tsk_fail(err, TLSOCK_E_UNSUPPORTED, "not there yet");
    return NULL;
}

tlsock_csr *tlsock_csr_load(const char *uri, tlsock_error *err)
{
    (void)uri;
    tsk_fail(err, TLSOCK_E_UNSUPPORTED, "not there yet");
    return NULL;
}

void tlsock_csr_free(tlsock_csr *r)
{
    (void)r;
}

const char *tlsock_csr_field(const tlsock_csr *r, int item)
{
    (void)r;
    (void)item;
    return NULL;
}

int tlsock_csr_json(const tlsock_csr *r, char *out, size_t size)
{
    (void)r;
    (void)out;
    (void)size;
    return TLSOCK_E_UNSUPPORTED;
}

int tlsock_csr_save(const tlsock_csr *r, unsigned part, unsigned format,
                    const char *path, const char *pass_uri, tlsock_error *err)
{
    (void)r;
    (void)part;
    (void)format;
    (void)path;
    (void)pass_uri;
    return tsk_fail(err, TLSOCK_E_UNSUPPORTED, "not there yet");
}
