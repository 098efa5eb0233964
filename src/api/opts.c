#include "api/conn.h"

#include <string.h>

void tlsock_opts_init(tlsock_opts *o, size_t size)
{
    if (o == NULL || size < sizeof(size_t))
        return;
    memset(o, 0, size);
    o->size = size;
}

int tsk_opts_take(tlsock_opts *out, const tlsock_opts *opts, tlsock_error *err)
{
    const unsigned char *p = (const unsigned char *)opts;

    memset(out, 0, sizeof(*out));
    out->size = sizeof(*out);
    if (opts == NULL)
        return TLSOCK_OK;
    if (opts->size < sizeof(size_t) + sizeof(int) || opts->size > 65536)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "opts->size is %zu: fill it in with TLSOCK_OPTS() or "
                        "tlsock_opts_init()",
                        opts->size);
    for (size_t i = sizeof(*out); i < opts->size; i++)
        if (p[i] != 0)
            return tsk_fail(err, TLSOCK_E_UNSUPPORTED,
                            "an option that is newer than this library (%s) "
                            "is set",
                            TSK_VERSION);
    memcpy(out, opts, opts->size < sizeof(*out) ? opts->size : sizeof(*out));
    if (out->family != 0 && out->family != 4 && out->family != 6)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "opts.family is %d; it is 0 (any), 4 or 6",
                        out->family);
    if (out->timeout_ms < -1)
        return tsk_fail(err, TLSOCK_E_ARGUMENT,
                        "opts.timeout_ms is %d; it is 0 (the config's), -1 "
                        "(none) or milliseconds",
                        out->timeout_ms);
    if (out->plain && out->starttls != NULL) {
        tsk_fail(err, TLSOCK_E_ARGUMENT,
                 "opts.plain and opts.starttls contradict each other");
        tsk_hint(err, "with plain, call tlsock_starttls() when it is time");
        return TLSOCK_E_ARGUMENT;
    }
    return TLSOCK_OK;
}

int tsk_opts_no_dial(const tlsock_opts *o, tlsock_error *err)
{
    const char *name = o->proxy != NULL   ? "proxy"
                       : o->local != NULL ? "local"
                                          : NULL;

    if (name == NULL)
        return TLSOCK_OK;
    tsk_fail(err, TLSOCK_E_ARGUMENT,
             "opts.%s needs a connection that is still to be made", name);
    tsk_hint(err, "it is for tlsock_connect()");
    return TLSOCK_E_ARGUMENT;
}
