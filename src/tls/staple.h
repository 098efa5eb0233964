/* staple - OCSP responses about a server's own certificates, as handshakes hand
 * them out: one slot for each identity of a ctx. Knows when a response is over,
 * but not where responses come from (api/stapler.c puts them in).
 *
 * Thread-safe. Who takes one out holds a lock just long enough to count it. */
#ifndef TSK_TLS_STAPLE_H
#define TSK_TLS_STAPLE_H

#include "revoke/status.h"
#include "tls/ctx.h"

#include <stdatomic.h>

struct tsk_staple {
    atomic_int refs;
    int64_t as_of, until; /* Unix seconds */
    size_t len;
    unsigned char der[];
};

#define TSK_STAPLE_NOTE 300

struct tsk_staples {
    size_t n;
    atomic_int noted;           /* there is a note that nobody was told */
    char note[TSK_STAPLE_NOTE]; /* the last one */
    struct tsk_staple **slots;  /* by identity; NULL: none */
    atomic_uint begun; /* fork generation that looked after a fetcher */
    void *fetcher;     /* of api/stapler.c, or NULL */
    void (*stop)(void *fetcher); /* called before the slots go */
};

struct tsk_staples *tsk_staples_new(size_t n); /* NULL: no memory */
void tsk_staples_free(struct tsk_staples *st);
/* Instead of what the slot holds: 0, or E_NOMEM. One that is
 * older than that, which may still be sent, is not taken: E_STATE. */
int tsk_staples_put(struct tsk_staples *st, size_t i,
                    const struct tsk_status *status, const void *der,
                    size_t len);
/* Counted, yours; NULL: none that may be sent at this time. It stops to be
 * sent somewhat before it is over, for clocks that are ahead of ours. */
struct tsk_staple *tsk_staples_get(struct tsk_staples *st, size_t i,
                                   int64_t now);
void tsk_staple_unref(struct tsk_staple *s);
/* What `from` has of the very same certificates goes to `to`, too. */
void tsk_staples_inherit(struct tsk_ctx *to, struct tsk_ctx *from);
/* What the fetcher has to say: hooks are called by who uses the library, never
 * by its own thread, so somebody else takes it (1: there is one) and tells. */
void tsk_staples_say(struct tsk_staples *st, const char *text);
int tsk_staples_said(struct tsk_staples *st, char out[TSK_STAPLE_NOTE]);
/* For libssl's callback: SSL_TLSEXT_ERR_OK with the response about the
 * certificate that was chosen, or SSL_TLSEXT_ERR_NOACK. */
int tsk_staple_send(SSL *ssl);

#endif
