/* The public calls of tlsock/revoke.h: argument checks. */
#include "core/clock.h"
#include "revoke/make.h"

#include <string.h>

/* A caller of an older version has a shorter struct, one of a newer version a
 * longer one, whose new options must be unused. */
static int take_opts(void *to, size_t ours, const void *from, const char *macro,
                     tlsock_error *err)
{
    const unsigned char *more = from;
    size_t theirs = 0;

    if (from != NULL)
        memcpy(&theirs, from, sizeof(theirs));
    if (theirs < sizeof(theirs)) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "there are no options");
        tsk_hint(err, "use %s", macro);
        return TLSOCK_E_ARGUMENT;
    }
    for (size_t i = ours; i < theirs; i++)
        if (more[i] != 0)
            return tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                            "an option is of a newer version of the library");
    memset(to, 0, ours);
    memcpy(to, from, theirs < ours ? theirs : ours);
    return TLSOCK_OK;
}

void tlsock_crl_opts_init(tlsock_crl_opts *o, size_t size)
{
    if (o == NULL || size < sizeof(o->size))
        return;
    memset(o, 0, size);
    o->size = size;
}

void tlsock_ocsp_opts_init(tlsock_ocsp_opts *o, size_t size)
{
    if (o == NULL || size < sizeof(o->size))
        return;
    memset(o, 0, size);
    o->size = size;
}

int tlsock_crl_save(const tlsock_crl_opts *o, unsigned format, const char *path,
                    tlsock_error *err)
{
    tlsock_crl_opts opts;
    int rc;

    tsk_clear(err);
    rc = take_opts(&opts, sizeof(opts), o, "TLSOCK_CRL_OPTS()", err);
    if (rc != TLSOCK_OK)
        return rc;
    if (path == NULL || *path == '\0') {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "no file to save to was named");
        tsk_hint(err, "give a path");
        return TLSOCK_E_ARGUMENT;
    }
    return tsk_crl_save(&opts, format, path, err);
}

int tlsock_crl_json(const char *uri, char *out, size_t size, tlsock_error *err)
{
    tsk_clear(err);
    if (uri == NULL || (out == NULL && size != 0)) {
        tsk_fail(err, TLSOCK_E_ARGUMENT, "%s",
                 uri == NULL ? "no CRL was named"
                             : "there is no memory for the text");
        tsk_hint(err, "valid forms are FILE, file:FILE and pem:TEXT, and a "
                      "buffer with its size");
        return TLSOCK_E_ARGUMENT;
    }
    return tsk_crl_json(uri, tsk_wall_time(), out, size, err);
}

int tlsock_ocsp_answer(const tlsock_ocsp_opts *o, const void *request,
                       size_t len, void *out, size_t *out_len,
                       tlsock_error *err)
{
    tlsock_ocsp_opts opts;
    size_t none = 0;
    int rc;

    tsk_clear(err);
    rc = take_opts(&opts, sizeof(opts), o, "TLSOCK_OCSP_OPTS()", err);
    if (rc == TLSOCK_OK && (out_len == NULL || (out == NULL && *out_len != 0) ||
                            (request == NULL && len != 0))) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "there is no request, or no memory for the response");
        tsk_hint(err, "give both, with their sizes");
        rc = TLSOCK_E_ARGUMENT;
    }
    if (rc != TLSOCK_OK) {
        *(out_len != NULL ? out_len : &none) = 0;
        return rc;
    }
    return tsk_ocsp_answer(&opts, request, len, out, out_len, err);
}
