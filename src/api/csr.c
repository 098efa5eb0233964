/* The public tlsock_csr_* calls: argument checks and lifetimes. */
#include "cert/csr.h"

#include "api/certopts.h"
#include "core/err.h"

tlsock_csr *tlsock_csr_create(const tlsock_cert_opts *o, tlsock_error *err)
{
    tlsock_cert_opts opts;

    tsk_clear(err);
    if (tsk_cert_opts_take(&opts, o, err) != TLSOCK_OK)
        return NULL;
    return tsk_csr_create(&opts, err);
}

tlsock_csr *tlsock_csr_load(const char *uri, tlsock_error *err)
{
    tsk_clear(err);
    if (uri == NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "no signing request was named");
        tsk_hint(err, "valid forms are FILE, file:FILE and pem:TEXT");
        return NULL;
    }
    return tsk_csr_load(uri, err);
}

void tlsock_csr_free(tlsock_csr *r)
{
    tsk_csr_free(r);
}

const char *tlsock_csr_field(const tlsock_csr *r, int item)
{
    return r != NULL ? tsk_csr_field(r, item) : NULL;
}

int tlsock_csr_json(const tlsock_csr *r, char *out, size_t size)
{
    if (r == NULL || (out == NULL && size != 0))
        return TLSOCK_E_ARGUMENT;
    return tsk_csr_json(r, out, size);
}

int tlsock_csr_save(const tlsock_csr *r, unsigned part, unsigned format,
                    const char *path, const char *pass_uri, tlsock_error *err)
{
    tsk_clear(err);
    if (r == NULL || path == NULL || *path == '\0') {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "%s",
                 r == NULL ? "there is no request to save"
                           : "no file to save to was named");
        tsk_hint(err, "give a request and a path");
        return TLSOCK_E_ARGUMENT;
    }
    return tsk_csr_save(r, part, format, path, pass_uri, err);
}
