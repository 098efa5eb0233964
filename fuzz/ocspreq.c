/* OCSP requests of anybody: each gets a response that can be parsed. */
#include "certs.h"
#include <openssl/ocsp.h>
#include <stdlib.h>
#include <tlsock/revoke.h>

#define ROOM 131072

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tlsock_cert *ca;

static int status_of(const char *serial, tlsock_status *out, void *arg)
{
    (void)arg;
    out->status = serial[0] % 3;
    out->when = 1700000000;
    out->reason = serial[0] % 2;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[ROOM];
    const uint8_t *p = out;
    tlsock_error err = {0};
    size_t len = sizeof(out);
    OCSP_RESPONSE *resp;
    int rc;

    /* the corpus asks about a CA of this name and key */
    if (ca == NULL)
        ca = certs_fixed();
    rc = tlsock_ocsp_answer(TLSOCK_OCSP_OPTS(.issuer = ca, .status = status_of),
                            data, size, out, &len, &err);
    resp = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
    if (rc < 0 || resp == NULL || p != out + len ||
        OCSP_response_status(resp) != rc)
        abort();
    OCSP_RESPONSE_free(resp);
    return 0;
}
