#include "tls/ktls.h"

#include "net/ktls.h"
#include "ossl/biokernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *why_not(tlsock *s)
{
    if (s->plain_first)
        return "the connection may be plaintext again";
    if (s->set->record_size != SSL3_RT_MAX_PLAIN_LENGTH)
        return "record.size is not 16384";
    if (s->layer->ops->recv_record == NULL)
        return "the transport is no socket";
    if (s->io.tap != NULL)
        return "the WIRE hook is to see records";
    if (!tsk_bio_kernel_built())
        return "this libssl was built without it";
    s->ktls_errno = tsk_ktls_ready(s->layer->ops->fd(s->layer));
    if (s->ktls_errno == ENOENT)
        return "the kernel has no TLS (module tls)";
    return s->ktls_errno != 0 ? "the socket cannot" : NULL;
}

void tsk_ktls_begin(tlsock *s)
{
    memset(&s->io.kernel, 0, sizeof(s->io.kernel));
    s->ktls_errno = 0;
    s->ktls_why_not = s->set->ktls ? why_not(s) : NULL;
    if (!s->set->ktls || s->ktls_why_not != NULL)
        return;
    s->io.kernel.asked = 1;
    s->io.exact = 1; /* what is behind new keys stays in the socket */
    SSL_set_options(s->ssl, SSL_OP_ENABLE_KTLS);
}

void tsk_ktls_settle(tlsock *s)
{
    if (s->io.kernel.asked)
        s->io.exact = !s->set->read_ahead;
}

int tsk_ktls_fail(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_UNSUPPORTED,
             "%s: a KeyUpdate, and the kernel cannot change the keys of a "
             "connection",
             s->address[0] != '\0' ? s->address : "the peer");
    tsk_hint(tsk_err(s), "for peers that change keys leave encryption to libssl: "
                      "ktls = off");
    return TLSOCK_E_UNSUPPORTED;
}

int tsk_ktls_stays(tlsock *s)
{
    tsk_fail(tsk_err(s), TLSOCK_E_UNSUPPORTED,
             "the kernel encrypts this connection, and does not stop doing so");
    tsk_hint(tsk_err(s), "leave encryption to libssl (ktls = off) where TLS is to "
                      "end before the connection does");
    return TLSOCK_E_UNSUPPORTED;
}

/* Of one direction. Who was never given keys was not wanted by libssl. */
static void say_refused(const tlsock *s, int sends, char *out, size_t size)
{
    int errnum = s->io.kernel.refused[sends];

    if (errnum == 0)
        snprintf(out, size, "libssl does it for %s with %s",
                 SSL_get_version(s->ssl), SSL_get_cipher_name(s->ssl));
    else if (errnum == EBUSY)
        snprintf(out, size, "records of the handshake were in the way");
    else
        snprintf(out, size, "the kernel refuses %s: %s",
                 SSL_get_cipher_name(s->ssl), strerror(errnum));
}

void tsk_ktls_text(const tlsock *s, char *out, size_t size)
{
    int sends = s->io.kernel.sends, receives = s->io.kernel.receives;
    char why[120];

    out[0] = '\0';
    if (!s->set->ktls)
        return;
    if (s->ktls_why_not != NULL) {
        snprintf(out, size, "no: %s%s%s", s->ktls_why_not,
                 s->ktls_errno != 0 ? ": " : "",
                 s->ktls_errno != 0 ? strerror(s->ktls_errno) : "");
        return;
    }
    if (sends && receives) {
        snprintf(out, size, "send and receive");
        return;
    }
    say_refused(s, !sends, why, sizeof(why));
    snprintf(out, size, "%s: %s",
             sends      ? "send; not receive"
             : receives ? "receive; not send"
                        : "no",
             why);
}
