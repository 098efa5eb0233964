/* talk - what a dialogue before TLS (STARTTLS, a proxy) works on: bytes that
 * came, bytes to send, and nothing else. A dialogue moves no bytes itself; its
 * owner does, and calls the dialogue's step again:
 *
 *   OK      the dialogue is over once `out` is sent; what is left in `in` is
 *           not part of it
 *   AGAIN   send what is in `out`, then receive more into `in`
 *   code    it failed, and says why; `out` may hold a last word for the peer
 *
 * Whatever the peer does, a dialogue ends: it takes at most TSK_TALK_MOST
 * bytes and TSK_TALK_LINES lines. */
#ifndef TSK_CORE_TALK_H
#define TSK_CORE_TALK_H

#include "core/buf.h"
#include "core/err.h"

#define TSK_TALK_LINE 4096  /* most bytes of one line or packet */
#define TSK_TALK_MOST 65536 /* most bytes of all that the peer says */
#define TSK_TALK_LINES 256  /* most lines of it */

struct tsk_talk {
    struct tsk_buf *in; /* received, not taken yet; borrowed */
    struct tsk_buf out; /* to be sent; its owner takes it from the front */
    int ended;          /* the peer will send no more than what is in `in` */
    size_t bytes;       /* taken so far */
    unsigned lines;
    size_t chunk; /* what is best received at once; 0: as the owner thinks */
    /* Is told what is taken; NULL: nobody wants to know. */
    void (*seen)(void *arg, const void *bytes, size_t n);
    void *arg;
    size_t queued;                 /* bytes that out ever got */
    size_t secret_from, secret_to; /* and which of them are a password */
};

/* The next line without its CR LF (or LF alone), as it came, but for NUL bytes,
 * which are refused. out: at least TSK_TALK_LINE
 * bytes. > 0: its length + 1; AGAIN: not complete yet; E_LIMIT: too long or too
 * much; E_CLOSED_IN_HANDSHAKE: the peer ended; E_PROTOCOL: a NUL. Never a byte
 * beyond the line is taken. */
int tsk_talk_line(struct tsk_talk *t, char *out, tlsock_error *err);
/* n bytes to read in place, at least; NULL: AGAIN or code in *rc. They stay
 * until tsk_talk_take(). n <= TSK_TALK_MOST. */
const uint8_t *tsk_talk_need(struct tsk_talk *t, size_t n, int *rc,
                             tlsock_error *err);
/* 0, or E_LIMIT. */
int tsk_talk_take(struct tsk_talk *t, size_t n, tlsock_error *err);
/* Queue bytes, or text of less than 2048 as printf makes it: 0, E_NOMEM, or
 * E_LIMIT. */
int tsk_talk_send(struct tsk_talk *t, const void *bytes, size_t n,
                  tlsock_error *err);
/* The same of bytes that nobody may be shown. */
int tsk_talk_secret(struct tsk_talk *t, const void *bytes, size_t n,
                    tlsock_error *err);
int tsk_talk_say(struct tsk_talk *t, tlsock_error *err, const char *fmt, ...)
    TLSOCK_PRINTF(3, 4);
void tsk_talk_free(struct tsk_talk *t); /* out alone: it may hold passwords */

#endif
