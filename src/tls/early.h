/* early - data that goes with the first flight (RFC 8446, 2.3 and 8).
 *
 * Whoever records it can send it again, and it is read before its sender is
 * known to be there now. So both sides have to ask for it: the config, and for
 * each connection a call of its own. What a server is offered and does not
 * read that way is refused, and libssl skips it. */
#ifndef TSK_TLS_EARLY_H
#define TSK_TLS_EARLY_H

#include "tls/conn.h"

/* What a server takes, and what keeps it from taking it twice. */
int tsk_early_setup(SSL_CTX *ctx, const struct tsk_settings *set,
                    tlsock_error *err);
/* Within the rung TLS: > 0 bytes; 0 none may be sent, or there is no more to
 * read; AGAIN; code, recorded. */
ssize_t tsk_early_write(tlsock *s, const void *data, size_t len);
ssize_t tsk_early_read(tlsock *s, void *buf, size_t len);
/* In place of SSL_do_handshake() while early data is read; see sign.c. */
int tsk_early_shake(tlsock *s);
static inline int tsk_early_reading(const tlsock *s)
{
    return s->early.began && !s->early.over;
}
/* TLSOCK_EARLY_* */
int tsk_early_outcome(const tlsock *s);

#endif
