#include "tls/conn.h"

#include <openssl/err.h>

/* RFC 8446, 6.1: each side sends close_notify before it closes the writing
 * side. SSL_shutdown() puts it into the BIO; it leaves with the flush. */
int tsk_close_notify(tlsock *s)
{
    int rc = tsk_io_flush(s);

    if (rc < 0)
        return rc;
    if (!s->sent_close) {
        int ret = SSL_shutdown(s->ssl);

        if (ret < 0) /* the alert did not even get into the BIO */
            return tsk_tls_fail(s, ret, TLSOCK_PHASE_CLOSE);
        s->sent_close = 1;
        rc = tsk_bio_flush(&s->io);
        if (rc == TLSOCK_E_RESET && s->got_close && s->set->truncation_allowed)
            return TLSOCK_OK; /* gone, as it may be: nobody to hear it */
        if (rc < 0 && rc != TLSOCK_AGAIN)
            return tsk_tls_fail(s, -1, TLSOCK_PHASE_WRITE);
    }
    return rc;
}

/* Bytes that nobody read make the kernel answer close() with a reset, which
 * may overtake what we have sent; and a TLS 1.3 ticket is worth having. */
void tsk_close_drain(tlsock *s)
{
    char scrap[4096];
    size_t got;

    if (s->got_close || s->io.eof)
        return;
    s->io.polite = 0;
    for (int i = 0; i < 16; i++)
        if (SSL_read_ex(s->ssl, scrap, sizeof(scrap), &got) != 1)
            break;
}
